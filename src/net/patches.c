#include "net/patches.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "net/workspace.h"

int gd_patches_chunk(int n_taps, int C)
{
  const int most = GD_PANEL_DEPTH / n_taps;
  assert(most >= 1);
  if (C <= most)
    return C;
  return most >= 16 ? most / 16 * 16 : most;
}

int gd_patches_are_source(const gd_patches *p)
{
  return p->n_taps == 1 && p->taps[0].row == 0 && p->taps[0].column == 0 &&
         p->step == 1 && p->rows == p->H && p->columns == p->W;
}

/* The patch at source pixel (y, x).  Neighbouring taps whose pixels lie one
 * behind the other in memory are copied as one run. */
static void gather_one(const gd_patches *p, const float *image, int y, int x,
                       int c0, int width, float *row)
{
  const int joins = width == p->C;
  for (int t = 0; t < p->n_taps;) {
    const int h = y + p->taps[t].row, w = x + p->taps[t].column;
    int run = 1;
    if (h < 0 || h >= p->H || w < 0 || w >= p->W) {
      memset(row, 0, (size_t)width * sizeof *row);
    } else {
      while (joins && t + run < p->n_taps && w + run < p->W &&
             p->taps[t + run].row == p->taps[t].row &&
             p->taps[t + run].column == p->taps[t].column + run)
        run++;
      const float *pixel = image + ((ptrdiff_t)h * p->W + w) * p->C + c0;
      memcpy(row, pixel, (size_t)(run * width) * sizeof *row);
    }
    row += run * width;
    t += run;
  }
}

void gd_patches_gather(const gd_patches *p, const float *source, int64_t first,
                       int n, int c0, int c1, float *panel)
{
  const int64_t positions = (int64_t)p->rows * p->columns;
  const ptrdiff_t image = (ptrdiff_t)p->H * p->W * p->C;
  int64_t sample = first / positions;
  int i = (int)(first % positions / p->columns);
  int j = (int)(first % p->columns);

  for (int r = 0; r < n; r++) {
    gather_one(p, source + sample * image, i * p->step, j * p->step, c0,
               c1 - c0, panel + (ptrdiff_t)r * GD_PANEL_DEPTH);
    if (++j == p->columns) {
      j = 0;
      if (++i == p->rows) {
        i = 0;
        sample++;
      }
    }
  }
}
