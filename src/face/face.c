#include "gradus/face.h"

#include <math.h>

double gd_face_overlap(const gd_face *a, const gd_face *b)
{
  const double w =
      fmin(a->box[2], b->box[2]) - (double)fmax(a->box[0], b->box[0]);
  const double h =
      fmin(a->box[3], b->box[3]) - (double)fmax(a->box[1], b->box[1]);
  if (!(w > 0 && h > 0))
    return 0;
  const double area_a =
      (double)(a->box[2] - a->box[0]) * (double)(a->box[3] - a->box[1]);
  const double area_b =
      (double)(b->box[2] - b->box[0]) * (double)(b->box[3] - b->box[1]);
  return w * h / (area_a + area_b - w * h);
}

double gd_face_size_px(const gd_face *face)
{
  const double w = (double)face->box[2] - face->box[0];
  const double h = (double)face->box[3] - face->box[1];
  return w > 0 && h > 0 ? sqrt(w * h) : 0;
}

int gd_face_is_stranger(const gd_face *a, const gd_face *b)
{
  const double x = gd_face_size_px(a), y = gd_face_size_px(b);
  return (x > 2 * y || y > 2 * x) && gd_face_overlap(a, b) <= 0;
}
