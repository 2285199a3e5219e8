#include "gradus/augment.h"

#include <assert.h>
#include <stddef.h>

#include "gradus/random.h"

gd_augment_draw gd_augment_of(const gd_augment *a, uint64_t seed, int64_t epoch,
                              int64_t sample)
{
  assert(a != NULL);
  gd_random r = gd_random_of(seed, GD_FOR_AUGMENT, epoch, sample);
  const int heads = gd_random_below(&r, 2) == 1;
  return (gd_augment_draw){.flip = a->flip && heads};
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
