#include "gradus/picture.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

gd_picture_layout gd_picture_layout_of(int width_px, int height_px,
                                       const char *pixel_format)
{
  enum { UNTAGGED = 2 };
  gd_picture_layout l = {.width_px = width_px,
                         .height_px = height_px,
                         .matrix = UNTAGGED,
                         .pixel_aspect = {1, 1},
                         .display = {1, 0, 0, 1}};
  assert(strlen(pixel_format) < sizeof l.pixel_format);
  snprintf(l.pixel_format, sizeof l.pixel_format, "%s", pixel_format);
  return l;
}

gd_picture gd_picture_of_rgb(int width_px, int height_px, const uint8_t *rgb)
{
  return (gd_picture){.layout =
                          gd_picture_layout_of(width_px, height_px, "rgb24"),
                      .planes = {rgb},
                      .stride_bytes = {3 * width_px}};
}

int gd_picture_layout_equal(const gd_picture_layout *a,
                            const gd_picture_layout *b)
{
  return a->width_px == b->width_px && a->height_px == b->height_px &&
         strcmp(a->pixel_format, b->pixel_format) == 0 &&
         a->matrix == b->matrix && a->range == b->range &&
         a->chroma_site == b->chroma_site &&
         memcmp(a->pixel_aspect, b->pixel_aspect, sizeof a->pixel_aspect) ==
             0 &&
         memcmp(a->display, b->display, sizeof a->display) == 0;
}

/* length * more / less, rounded. */
static int stretch(int length, int more, int less)
{
  return (int)(((int64_t)length * more + less / 2) / less);
}

void gd_picture_displayed(const gd_picture_layout *layout, int *width_px,
                          int *height_px)
{
  const int *pixel = layout->pixel_aspect, *d = layout->display;
  int width = layout->width_px, height = layout->height_px;
  const int64_t most = GD_PICTURE_MAX_ASPECT;
  const int is_likely = pixel[0] > 0 && pixel[1] > 0 &&
                        pixel[0] <= most * pixel[1] &&
                        pixel[1] <= most * pixel[0];
  if (is_likely && pixel[0] > pixel[1])
    width = stretch(width, pixel[0], pixel[1]);
  else if (is_likely)
    height = stretch(height, pixel[1], pixel[0]);
  *width_px = d[0] == 0 ? height : width;
  *height_px = d[0] == 0 ? width : height;
}

int gd_picture_rotation(const gd_picture_layout *layout)
{
  /* Where the decoded picture's right-hand direction points on display. */
  const int *d = layout->display;
  return d[0] > 0 ? 0 : d[1] > 0 ? 90 : d[0] < 0 ? 180 : 270;
}

int gd_picture_is_mirrored(const gd_picture_layout *layout)
{
  const int *d = layout->display;
  return d[0] * d[3] - d[1] * d[2] < 0;
}
