#include "gradus/attention.h"

#include <assert.h>
#include <stddef.h>

void gd_attention_back(int K, int C, const float *weights, const double *dy,
                       const float *x, double *dx)
{
  assert(K >= 1 && C >= 1 && weights != NULL && dy != NULL && dx != NULL);
  for (int c = 0; c < C; c++)
    dx[c] = 0;
  for (int k = 0; k < K; k++) {
    const float *row = weights + (ptrdiff_t)k * C;
    for (int c = 0; c < C; c++)
      dx[c] += dy[k] * (double)row[c];
  }
  for (int c = 0; c < C && x != NULL; c++)
    dx[c] = x[c] > 0.0f ? dx[c] : 0;
}

void gd_attention_map(int n_cells, int C, const float *cells, const double *g,
                      float *map)
{
  assert(n_cells >= 1 && C >= 1 && cells != NULL && g != NULL && map != NULL);
  for (int i = 0; i < n_cells; i++) {
    const float *cell = cells + (ptrdiff_t)i * C;
    double sum = 0;
    for (int c = 0; c < C; c++)
      sum += g[c] * (double)cell[c];
    map[i] = (float)(sum / n_cells);
  }
}
