#include "gradus/alignment.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradus/resample.h"

/* Fractions of the side; the header says where the numbers come from. */
static const float shape[GD_N_LANDMARKS][2] = {{0.345f, 0.390f},
                                               {0.655f, 0.390f},
                                               {0.500f, 0.570f},
                                               {0.362f, 0.722f},
                                               {0.638f, 0.722f}};

void gd_template_points(int size_px, float points[GD_N_LANDMARKS][2])
{
  assert(size_px > 0 && points != NULL);
  /* The centre of the first pixel is (0, 0): half a pixel inside the side. */
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    for (int c = 0; c < 2; c++)
      points[i][c] = shape[i][c] * (float)size_px - 0.5f;
}

gd_status gd_alignment_mode_of(const char *name, gd_alignment_mode *out)
{
  assert(name != NULL && out != NULL);
  if (strcmp(name, "similarity") == 0)
    *out = GD_ALIGN_SIMILARITY;
  else if (strcmp(name, "crop") == 0)
    *out = GD_ALIGN_CROP;
  else
    return gd_fail(GD_ERR_USAGE, "'%s' is no alignment / similarity or crop",
                   name);
  return GD_OK;
}

void gd_alignment_text(const gd_alignment *a, char out[GD_ALIGNMENT_TEXT])
{
  assert(a != NULL && out != NULL);
  if (a->mode == GD_ALIGN_CROP) {
    snprintf(out, GD_ALIGNMENT_TEXT, "crop %.9g", a->margin);
    return;
  }
  int n = snprintf(out, GD_ALIGNMENT_TEXT, "gradus-1");
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    n += snprintf(out + n, GD_ALIGNMENT_TEXT - (size_t)n, " %.3f %.3f",
                  (double)shape[i][0], (double)shape[i][1]);
}

gd_face gd_alignment_centred(const gd_alignment *a, int width_px, int height_px)
{
  assert(a != NULL && width_px > 0 && height_px > 0);
  const int side = width_px < height_px ? width_px : height_px;
  const float x = (float)(width_px - side) / 2,
              y = (float)(height_px - side) / 2;
  const float box = (float)(a->mode == GD_ALIGN_CROP ? side / a->margin : side);
  const float left = x + ((float)side - box) / 2;
  const float top = y + ((float)side - box) / 2;
  gd_face face = {.box = {left, top, left + box, top + box}};
  gd_template_points(side, face.landmarks);
  for (int i = 0; i < GD_N_LANDMARKS; i++) {
    face.landmarks[i][0] += x;
    face.landmarks[i][1] += y;
  }
  return face;
}

/* A box's edges lie between pixels, whose centres are whole numbers. */
static gd_status fit_box(const float box[4], double margin, int size_px,
                         gd_similarity *out)
{
  const double w = (double)box[2] - box[0], h = (double)box[3] - box[1];
  const double side = margin * (w > h ? w : h);
  const double x = ((double)box[0] + box[2] - side) / 2;
  const double y = ((double)box[1] + box[3] - side) / 2;
  const double by = size_px / side;
  if (!(w > 0 && h > 0) || !isfinite(x) || !isfinite(y) || !(by > 1e-9))
    return gd_fail(GD_ERR_NUMERIC,
                   "no square fits the box %g %g %g %g: it is empty or not "
                   "finite",
                   (double)box[0], (double)box[1], (double)box[2],
                   (double)box[3]);
  *out = (gd_similarity){
      .a = by, .tx = (0.5 - x) * by - 0.5, .ty = (0.5 - y) * by - 0.5};
  return GD_OK;
}

gd_status gd_face_align(const gd_image *image, const gd_alignment *a,
                        const gd_face *face, int size_px, uint8_t *out)
{
  assert(image != NULL && a != NULL && face != NULL);
  assert(size_px > 0 && out != NULL);

  float points[GD_N_LANDMARKS][2];
  gd_similarity to_face;
  gd_template_points(size_px, points);
  gd_status st = a->mode == GD_ALIGN_CROP
                     ? fit_box(face->box, a->margin, size_px, &to_face)
                     : gd_similarity_fit((const float(*)[2])face->landmarks,
                                         (const float(*)[2])points,
                                         GD_N_LANDMARKS, &to_face);
  if (st == GD_OK)
    gd_image_warp(image, &to_face, size_px, out);
  return st;
}
