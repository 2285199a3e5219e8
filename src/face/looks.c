#include "face/looks.h"

#include <assert.h>
#include <math.h>

gd_box gd_look_at(const gd_box *box, int k)
{
  /* To the right, down, larger; in sides. */
  static const float moves[GD_N_LOOKS][3] = {{0, 0, 0},
                                             {-0.05f, -0.05f, 0.06f},
                                             {0.05f, -0.05f, -0.06f},
                                             {-0.05f, 0.05f, -0.06f},
                                             {0.05f, 0.05f, 0.06f}};
  assert(k >= 0 && k < GD_N_LOOKS);
  const float side = fmaxf(box->x2 - box->x1, box->y2 - box->y1);
  const float half = 0.5f * side * (1 + moves[k][2]);
  const float x = 0.5f * (box->x1 + box->x2) + moves[k][0] * side;
  const float y = 0.5f * (box->y1 + box->y2) + moves[k][1] * side;
  return (gd_box){
      .x1 = x - half, .y1 = y - half, .x2 = x + half, .y2 = y + half};
}

void gd_look_mirror(int side, const float *from, float *to)
{
  for (int r = 0; r < side; r++)
    for (int s = 0; s < side; s++)
      for (int c = 0; c < 3; c++)
        to[3 * (r * side + s) + c] = from[3 * (r * side + side - 1 - s) + c];
}

void gd_look_add(const float *points, gd_window window, int mirrored,
                 float sum[GD_N_LANDMARKS][2])
{
  static const int others[GD_N_LANDMARKS] = {1, 0, 2, 4, 3};
  const float w = (float)(window.x1 - window.x0);
  const float h = (float)(window.y1 - window.y0);
  for (int i = 0; i < GD_N_LANDMARKS; i++) {
    const int from = mirrored ? others[i] : i;
    const float x = mirrored ? 1 - points[from] : points[from];
    sum[i][0] += (float)window.x0 + w * x;
    sum[i][1] += (float)window.y0 + h * points[GD_N_LANDMARKS + from];
  }
}
