#include "clip.h"

#include <stdlib.h>

#include "gradus/converter.h"
#include "gradus/encoder.h"
#include "gradus/memory.h"
#include "test.h"

/* Bit b of the number is a black or white column, 12 px wide. */
enum { BITS = 8, COLUMN = GD_CLIP_WIDTH / BITS };

static void draw(int number, uint8_t *rgb)
{
  for (int y = 0; y < GD_CLIP_HEIGHT; y++)
    for (int x = 0; x < GD_CLIP_WIDTH; x++)
      for (int c = 0; c < 3; c++)
        *rgb++ = number >> (x / COLUMN) & 1 ? 230 : (uint8_t)(20 + y / 4);
}

int gd_test_clip_number(const uint8_t *rgb)
{
  int number = 0;
  const uint8_t *row = rgb + (GD_CLIP_HEIGHT / 2) * GD_CLIP_WIDTH * 3;
  for (int b = 0; b < BITS; b++)
    number |= (row[(b * COLUMN + COLUMN / 2) * 3] > 128) << b;
  return number;
}

void gd_test_clip(const char *path, int n_frames)
{
  static uint8_t rgb[GD_CLIP_WIDTH * GD_CLIP_HEIGHT * 3];
  const gd_encoding encoding = {
      .width_px = GD_CLIP_WIDTH, .height_px = GD_CLIP_HEIGHT, .fps = 25};
  gd_encoder *e;
  assert_ok(gd_encoder_create(path, encoding, &e));
  for (int i = 0; i < n_frames; i++) {
    draw(i, rgb);
    assert_ok(gd_encoder_append(e, rgb));
  }
  assert_ok(gd_encoder_commit(e));
}

void gd_test_damage(const char *from, const char *to, int64_t size_bytes,
                    int n_flips, uint32_t seed)
{
  char *data;
  size_t size;
  assert_ok(gd_file_read(from, 1 << 26, &data, &size));
  if (size_bytes >= 0 && (size_t)size_bytes < size)
    size = (size_t)size_bytes;
  for (int i = 0; i < n_flips && size > 0; i++) {
    seed = seed * 1664525u + 1013904223u;
    const size_t at = (size_t)(seed >> 8) % size;
    seed = seed * 1664525u + 1013904223u;
    data[at] = (char)(data[at] ^ (1 + (seed >> 24) % 255));
  }
  assert_ok(gd_file_write(to, data, size));
  free(data);
}

const uint8_t *gd_test_rgb(const gd_frame_info *info, const gd_picture *picture)
{
  static uint8_t *rgb;
  gd_converter *c;
  free(rgb);
  rgb = gd_alloc((int64_t)info->width_px * info->height_px, 3);
  assert_non_null(rgb);
  assert_ok(gd_converter_open(info->width_px, info->height_px, &c));
  assert_ok(gd_converter_run(c, picture, rgb));
  gd_converter_close(c);
  return rgb;
}
