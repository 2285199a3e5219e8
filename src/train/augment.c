#include "gradus/augment.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "gradus/random.h"
#include "gradus/resample.h"

/* All draws are made in any case: that one thing is switched on or off does not
 * change what another does. */
gd_augment_draw gd_augment_of(const gd_augment *a, uint64_t seed, int64_t epoch,
                              int64_t sample)
{
  assert(a != NULL);
  gd_random r = gd_random_of(seed, GD_FOR_AUGMENT, epoch, sample);
  gd_augment_draw d = {0};
  d.flip = gd_random_below(&r, 2) == 1 && a->flip;
  d.rotate = a->rotate * gd_random_between(&r, -1, 1);
  d.scale = a->scale * gd_random_between(&r, -1, 1);
  d.shift_x = a->shift * gd_random_between(&r, -1, 1);
  d.shift_y = a->shift * gd_random_between(&r, -1, 1);
  d.brightness = a->brightness * gd_random_between(&r, -1, 1);
  d.contrast = a->contrast * gd_random_between(&r, -1, 1);
  d.grey = gd_random_uniform(&r) < a->grey;
  const int erases = gd_random_uniform(&r) < a->erase;
  d.erase = erases * gd_random_between(&r, 0.02, 0.33);
  d.erase_shape = exp(gd_random_between(&r, log(0.3), log(3.3)));
  d.erase_x = gd_random_uniform(&r);
  d.erase_y = gd_random_uniform(&r);
  return d;
}

/* -------------------------------------------------------------------- pixels
 */

static void warp(const gd_augment_draw *d, int size_px, uint8_t *rgb,
                 uint8_t *scratch)
{
  const double angle = d->rotate * (3.14159265358979323846 / 180);
  const double centre = 0.5 * (size_px - 1);
  gd_similarity t = {.a = (1 + d->scale) * cos(angle),
                     .b = (1 + d->scale) * sin(angle)};
  t.tx = centre - t.a * centre + t.b * centre + d->shift_x * size_px;
  t.ty = centre - t.b * centre - t.a * centre + d->shift_y * size_px;
  memcpy(scratch, rgb, 3 * (size_t)size_px * (size_t)size_px);
  const gd_image image = {size_px, size_px, scratch};
  gd_image_warp(&image, &t, size_px, rgb);
}

static double within(double value)
{
  return fmin(fmax(value, 0), 255);
}

static double grey_of(const double v[3])
{
  return 0.299 * v[0] + 0.587 * v[1] + 0.114 * v[2];
}

static void brighten(const gd_augment_draw *d, const uint8_t *pixel,
                     double v[3])
{
  for (int c = 0; c < 3; c++)
    v[c] = within(pixel[c] * (1 + d->brightness));
}

static void recolour(const gd_augment_draw *d, int size_px, uint8_t *rgb)
{
  const int64_t n = (int64_t)size_px * size_px;
  double v[3], mean = 0;
  for (int64_t i = 0; i < n; i++) {
    brighten(d, rgb + 3 * i, v);
    mean += grey_of(v) / (double)n;
  }
  for (int64_t i = 0; i < n; i++) {
    brighten(d, rgb + 3 * i, v);
    for (int c = 0; c < 3; c++)
      v[c] = within(mean + (1 + d->contrast) * (v[c] - mean));
    const double grey = grey_of(v);
    for (int c = 0; c < 3; c++)
      rgb[3 * i + c] = (uint8_t)((d->grey ? grey : v[c]) + 0.5);
  }
}

/* Return a side of the rectangle, at least one pixel, at most the image. */
static int side_of(double area_px, double shape, int size_px)
{
  return (int)fmin(fmax(round(sqrt(area_px * shape)), 1), size_px);
}

static void erase(const gd_augment_draw *d, int size_px, uint8_t *rgb)
{
  const double area_px = d->erase * size_px * size_px;
  const int height = side_of(area_px, d->erase_shape, size_px);
  const int width = side_of(area_px, 1 / d->erase_shape, size_px);
  const int x = (int)(d->erase_x * (size_px - width + 1));
  const int y = (int)(d->erase_y * (size_px - height + 1));
  for (int row = y; row < y + height; row++)
    memset(rgb + 3 * ((ptrdiff_t)row * size_px + x), 127, 3 * (size_t)width);
}

void gd_augment_change(const gd_augment_draw *draw, int size_px, uint8_t *rgb,
                       uint8_t *scratch)
{
  assert(draw != NULL && size_px > 0 && rgb != NULL && scratch != NULL);
  if (draw->rotate != 0 || draw->scale != 0 || draw->shift_x != 0 ||
      draw->shift_y != 0)
    warp(draw, size_px, rgb, scratch);
  if (draw->brightness != 0 || draw->contrast != 0 || draw->grey)
    recolour(draw, size_px, rgb);
  if (draw->erase > 0)
    erase(draw, size_px, rgb);
}

void gd_augment_apply(const gd_augment_draw *draw,
                      const gd_normalisation *input, int size_px,
                      const uint8_t *rgb, float *x)
{
  assert(draw != NULL && input != NULL && size_px > 0);
  assert(rgb != NULL && x != NULL);
  float mean[3], deviation[3];
  int place[3];
  for (int c = 0; c < 3; c++) {
    mean[c] = (float)input->mean[c];
    deviation[c] = (float)input->deviation[c];
    place[c] = input->is_bgr ? 2 - c : c;
  }
  for (int row = 0; row < size_px; row++)
    for (int column = 0; column < size_px; column++) {
      const int from = draw->flip ? size_px - 1 - column : column;
      const uint8_t *pixel = rgb + 3 * ((int64_t)row * size_px + from);
      for (int c = 0; c < 3; c++)
        x[place[c]] = ((float)pixel[c] - mean[c]) / deviation[c];
      x += 3;
    }
}
