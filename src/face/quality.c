#include "gradus/quality.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

double gd_face_tilt_deg(const float (*landmarks)[2])
{
  const double x = (double)landmarks[1][0] - landmarks[0][0];
  const double y = (double)landmarks[1][1] - landmarks[0][1];
  return atan2(y, x) * (180 / acos(-1));
}

int gd_face_is_profile(const float (*landmarks)[2])
{
  /* The nose's place along the line from eye to eye, times its square. */
  const double x = (double)landmarks[1][0] - landmarks[0][0];
  const double y = (double)landmarks[1][1] - landmarks[0][1];
  const double along = ((double)landmarks[2][0] - landmarks[0][0]) * x +
                       ((double)landmarks[2][1] - landmarks[0][1]) * y;
  return along < 0 || along > x * x + y * y;
}

int gd_face_is_partial(const float box[4], int width_px, int height_px)
{
  return box[0] < 0 || box[1] < 0 || box[2] > (float)width_px ||
         box[3] > (float)height_px;
}

/* Rec. 601, in thousandths: whole numbers add up to the same sum in any order.
 */
static int grey(const uint8_t *rgb)
{
  return 299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2];
}

float gd_face_sharpness(const uint8_t *rgb, int size_px)
{
  assert(rgb != NULL && size_px > 0);
  if (size_px < 3)
    return 0;
  const int64_t row = 3 * (int64_t)size_px;
  double sum = 0, squares = 0;
  for (int y = 1; y + 1 < size_px; y++)
    for (int x = 1; x + 1 < size_px; x++) {
      const uint8_t *p = rgb + y * row + 3 * x;
      const int bend = grey(p - 3) + grey(p + 3) + grey(p - row) +
                       grey(p + row) - 4 * grey(p);
      sum += bend;
      squares += (double)bend * bend;
    }
  const double n = (double)(size_px - 2) * (size_px - 2), mean = sum / n;
  return (float)((squares / n - mean * mean) / 1e6);
}

double gd_face_jitter(const float (*before)[2], const float (*after)[2])
{
  const double eyes = hypot((double)before[1][0] - before[0][0],
                            (double)before[1][1] - before[0][1]);
  double moved = 0;
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    moved += hypot((double)after[i][0] - before[i][0],
                   (double)after[i][1] - before[i][1]);
  return eyes > 0 ? moved / GD_N_LANDMARKS / eyes : 0;
}

void gd_quality_add(gd_quality *q, const gd_face_info *info,
                    const gd_face_info *before)
{
  assert(q != NULL && info != NULL);

  const float(*landmarks)[2] = (const float(*)[2])info->face.landmarks;
  q->n[info->status]++;
  q->n_several += (info->flags & GD_FACE_SEVERAL) != 0;
  if (info->status != GD_FACE_DETECTED)
    return;
  q->n_profile += (info->flags & GD_FACE_PROFILE) != 0;
  q->n_partial += (info->flags & GD_FACE_PARTIAL) != 0;
  q->confidence += (double)info->face.confidence;
  q->size_px += gd_face_size_px(&info->face);
  q->sharpness += (double)info->sharpness;
  q->tilt_deg += fabs(gd_face_tilt_deg(landmarks));
  if (before != NULL && before->status == GD_FACE_DETECTED) {
    q->n_pairs++;
    q->jitter +=
        gd_face_jitter((const float(*)[2])before->face.landmarks, landmarks);
  }
}

const char gd_quality_header[] =
    "frames,detected,tracked,fallback,missing,several,profile,partial,"
    "confidence,size_px,sharpness,tilt_deg,jitter";

static void add_mean(gd_text *out, double sum, int64_t n, int digits)
{
  gd_text_add(out, ",");
  if (n > 0)
    gd_text_printf(out, "%.*f", digits, sum / (double)n);
}

void gd_quality_row(const gd_quality *q, gd_text *out)
{
  assert(q != NULL && out != NULL);
  const int64_t n = q->n[GD_FACE_DETECTED];
  int64_t frames = 0;
  for (int i = 0; i < GD_N_FACE_STATUS; i++)
    frames += q->n[i];
  gd_text_printf(out, "%" PRId64, frames);
  for (int i = 0; i < GD_N_FACE_STATUS; i++)
    gd_text_printf(out, ",%" PRId64, q->n[i]);
  gd_text_printf(out, ",%" PRId64 ",%" PRId64 ",%" PRId64, q->n_several,
                 q->n_profile, q->n_partial);
  add_mean(out, q->confidence, n, 4);
  add_mean(out, q->size_px, n, 1);
  add_mean(out, q->sharpness, n, 1);
  add_mean(out, q->tilt_deg, n, 1);
  add_mean(out, q->jitter, q->n_pairs, 4);
}
