#include "gradus/similarity.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

gd_status gd_similarity_fit(const float (*from)[2], const float (*to)[2], int n,
                            gd_similarity *out)
{
  assert(from != NULL && to != NULL && n >= 2 && out != NULL);

  double from_x = 0, from_y = 0, to_x = 0, to_y = 0;
  for (int i = 0; i < n; i++) {
    from_x += from[i][0];
    from_y += from[i][1];
    to_x += to[i][0];
    to_y += to[i][1];
  }
  from_x /= n, from_y /= n, to_x /= n, to_y /= n;

  double spread = 0, along = 0, across = 0;
  for (int i = 0; i < n; i++) {
    const double px = from[i][0] - from_x, py = from[i][1] - from_y;
    const double qx = to[i][0] - to_x, qy = to[i][1] - to_y;
    spread += px * px + py * py;
    along += px * qx + py * qy;
    across += px * qy - py * qx;
  }
  const double a = along / spread, b = across / spread;
  if (!isfinite(a) || !isfinite(b) || hypot(a, b) < 1e-9)
    return gd_fail(GD_ERR_NUMERIC,
                   "no similarity fits %d points from around "
                   "(%g, %g): they coincide or are not finite",
                   n, from_x, from_y);
  *out = (gd_similarity){.a = a,
                         .b = b,
                         .tx = to_x - a * from_x + b * from_y,
                         .ty = to_y - b * from_x - a * from_y};
  return GD_OK;
}

double gd_similarity_scale(const gd_similarity *t)
{
  return hypot(t->a, t->b);
}

gd_similarity gd_similarity_inverse(const gd_similarity *t)
{
  const double square = t->a * t->a + t->b * t->b;
  assert(square > 0);
  const double a = t->a / square, b = -t->b / square;
  return (gd_similarity){.a = a,
                         .b = b,
                         .tx = -a * t->tx + b * t->ty,
                         .ty = -b * t->tx - a * t->ty};
}

void gd_similarity_apply(const gd_similarity *t, double x, double y,
                         double out[2])
{
  out[0] = t->a * x - t->b * y + t->tx;
  out[1] = t->b * x + t->a * y + t->ty;
}
