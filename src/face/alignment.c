#include "gradus/alignment.h"

#include <assert.h>
#include <stdio.h>

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

void gd_template_text(char out[GD_TEMPLATE_TEXT])
{
  int n = snprintf(out, GD_TEMPLATE_TEXT, "gradus-1");
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    n += snprintf(out + n, GD_TEMPLATE_TEXT - (size_t)n, " %.3f %.3f",
                  (double)shape[i][0], (double)shape[i][1]);
}

gd_status gd_face_align(const gd_image *image, const float (*landmarks)[2],
                        int size_px, uint8_t *out)
{
  assert(image != NULL && landmarks != NULL && size_px > 0 && out != NULL);

  float points[GD_N_LANDMARKS][2];
  gd_similarity to_face;
  gd_template_points(size_px, points);
  gd_status st = gd_similarity_fit(landmarks, points, GD_N_LANDMARKS, &to_face);
  if (st == GD_OK)
    gd_image_warp(image, &to_face, size_px, out);
  return st;
}
