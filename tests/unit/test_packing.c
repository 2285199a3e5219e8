#include "gradus/packing.h"

#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "test.h"

/* A picture as libavutil lays it out: slopes with a little noise. */
typedef struct {
  AVFrame *frame;
  gd_picture picture;
} drawn;

static uint16_t sample(int x, int y, int plane, int depth, int noise)
{
  const int slope = 3 * x + 2 * y + 40 * plane;
  const uint32_t random =
      ((uint32_t)x * 73856093u ^ (uint32_t)y * 19349663u) * 2654435761u >> 16;
  const int value = noise ? (int)random : slope + (int)(random % 4);
  return (uint16_t)(value & ((1 << depth) - 1));
}

static drawn draw(const char *name, int width, int height, int noise)
{
  const enum AVPixelFormat format = av_get_pix_fmt(name);
  const AVPixFmtDescriptor *about = av_pix_fmt_desc_get(format);
  drawn d = {.frame = av_frame_alloc()};
  d.frame->width = width;
  d.frame->height = height;
  d.frame->format = format;
  assert_int_equal(av_frame_get_buffer(d.frame, 0), 0);
  /* Lines are written with OR. */
  for (int i = 0; i < 4 && d.frame->buf[i] != NULL; i++)
    memset(d.frame->buf[i]->data, 0, d.frame->buf[i]->size);
  for (int c = 0; c < about->nb_components; c++) {
    const int chroma = c == 1 || c == 2;
    const int w = chroma ? AV_CEIL_RSHIFT(width, about->log2_chroma_w) : width;
    const int h =
        chroma ? AV_CEIL_RSHIFT(height, about->log2_chroma_h) : height;
    uint16_t *line = gd_alloc(w, sizeof *line);
    for (int y = 0; y < h; y++) {
      for (int x = 0; x < w; x++)
        line[x] = sample(x, y, c, about->comp[c].depth, noise);
      av_write_image_line(line, d.frame->data, d.frame->linesize, about, 0, y,
                          c, w);
    }
    free(line);
  }
  d.picture.layout = gd_picture_layout_of(width, height, name);
  for (int i = 0; i < 4; i++) {
    d.picture.planes[i] = d.frame->data[i];
    d.picture.stride_bytes[i] = d.frame->linesize[i];
  }
  return d;
}

/* The planes without padding; free() them. */
static uint8_t *planes_of(const gd_picture *p)
{
  const size_t size = gd_picture_planes_bytes(&p->layout);
  uint8_t *out = gd_alloc((int64_t)size, 1);
  assert_int_equal(
      av_image_copy_to_buffer(out, (int)size, p->planes, p->stride_bytes,
                              av_get_pix_fmt(p->layout.pixel_format),
                              p->layout.width_px, p->layout.height_px, 1),
      size);
  return out;
}

static void assert_same_planes(const gd_picture *a, const gd_picture *b)
{
  uint8_t *x = planes_of(a), *y = planes_of(b);
  assert_true(gd_picture_layout_equal(&a->layout, &b->layout));
  assert_memory_equal(x, y, gd_picture_planes_bytes(&a->layout));
  free(x);
  free(y);
}

static gd_packing pack_and_compare(gd_packer *p, gd_unpacker *u,
                                   const gd_picture *picture, size_t *bytes)
{
  gd_packed packed;
  gd_picture back;
  assert_ok(gd_packer_run(p, picture, &packed));
  assert_true(packed.size_bytes <= gd_picture_planes_bytes(&picture->layout));
  assert_ok(gd_unpacker_run(u, &picture->layout, &packed, &back));
  assert_same_planes(picture, &back);
  *bytes = packed.size_bytes;
  return packed.packing;
}

static void pictures_of_every_format_come_back_bit_for_bit(void **state)
{
  (void)state;
  static const struct {
    const char *format;
    gd_packing packing;
  } cases[] = {{"yuv420p", GD_PACKING_FFVHUFF},
               {"yuv422p", GD_PACKING_FFVHUFF},
               {"yuv444p", GD_PACKING_FFVHUFF},
               {"yuv440p", GD_PACKING_FFVHUFF},
               {"yuv411p", GD_PACKING_FFVHUFF},
               {"yuv410p", GD_PACKING_FFVHUFF},
               {"gray", GD_PACKING_FFVHUFF},
               {"gbrp", GD_PACKING_FFVHUFF},
               {"yuva420p", GD_PACKING_FFVHUFF},
               {"yuv420p10le", GD_PACKING_FFVHUFF},
               {"yuv422p10le", GD_PACKING_FFVHUFF},
               {"yuv444p12le", GD_PACKING_FFVHUFF},
               {"gray16le", GD_PACKING_FFVHUFF},
               {"yuv420p16le", GD_PACKING_FFVHUFF},
               {"bgra", GD_PACKING_FFVHUFF},
               /* what FFVHUFF lacks, or gives back in another order */
               {"rgb24", GD_PACKING_PLANES},
               {"nv12", GD_PACKING_PLANES},
               {"yuyv422", GD_PACKING_PLANES},
               {"gray10le", GD_PACKING_PLANES},
               {"yuv440p10le", GD_PACKING_PLANES},
               {"p010le", GD_PACKING_PLANES}};
  gd_packer *p;
  gd_unpacker *u;
  assert_ok(gd_packer_new(&p));
  assert_ok(gd_unpacker_new(&u));
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    drawn d = draw(cases[i].format, 96, 64, 0);
    size_t bytes;
    const gd_packing packing = pack_and_compare(p, u, &d.picture, &bytes);
    if (packing != cases[i].packing)
      fail_msg("%s: packed as %d", cases[i].format, packing);
    av_frame_free(&d.frame);
  }
  gd_packer_free(p);
  gd_unpacker_free(u);
}

static void pictures_of_any_size_come_back_bit_for_bit(void **state)
{
  (void)state;
  static const int sizes[][2] = {{1, 1},   {2, 1},   {1, 2},   {2, 2},
                                 {3, 5},   {16, 1},  {17, 31}, {641, 479},
                                 {640, 1}, {1, 480}, {34, 18}, {1000, 3}};
  static const char *const formats[] = {"yuv420p", "yuv422p",     "yuv444p",
                                        "gray",    "yuv420p10le", "gbrp"};
  gd_packer *p;
  gd_unpacker *u;
  assert_ok(gd_packer_new(&p));
  assert_ok(gd_unpacker_new(&u));
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
      drawn d = draw(formats[f], sizes[s][0], sizes[s][1], 0);
      size_t bytes;
      (void)pack_and_compare(p, u, &d.picture, &bytes);
      av_frame_free(&d.frame);
    }
  gd_packer_free(p);
  gd_unpacker_free(u);
}

/* Some decoders give pictures whose rows go upwards. */
static void upside_down_rows_come_back_bit_for_bit(void **state)
{
  (void)state;
  static const char *const formats[] = {"yuv420p", "rgb24"};
  gd_packer *p;
  gd_unpacker *u;
  assert_ok(gd_packer_new(&p));
  assert_ok(gd_unpacker_new(&u));
  for (int f = 0; f < 2; f++) {
    drawn d = draw(formats[f], 64, 48, 0);
    size_t bytes;
    for (int i = 0; i < 3 && d.frame->data[i] != NULL; i++) {
      const int rows = i == 0 ? 48 : 24;
      d.picture.planes[i] += (rows - 1) * d.picture.stride_bytes[i];
      d.picture.stride_bytes[i] = -d.picture.stride_bytes[i];
    }
    (void)pack_and_compare(p, u, &d.picture, &bytes);
    av_frame_free(&d.frame);
  }
  gd_packer_free(p);
  gd_unpacker_free(u);
}

static void noise_is_never_larger_than_its_planes(void **state)
{
  (void)state;
  gd_packer *p;
  gd_unpacker *u;
  drawn noise = draw("yuv420p", 320, 240, 1);
  drawn slope = draw("yuv420p", 320, 240, 0);
  size_t bytes;
  assert_ok(gd_packer_new(&p));
  assert_ok(gd_unpacker_new(&u));
  assert_int_equal(pack_and_compare(p, u, &noise.picture, &bytes),
                   GD_PACKING_PLANES);
  assert_int_equal(bytes, 320 * 240 * 3 / 2);
  assert_int_equal(pack_and_compare(p, u, &slope.picture, &bytes),
                   GD_PACKING_FFVHUFF);
  assert_in_range(bytes, 1, 320 * 240 * 3 / 4);
  av_frame_free(&noise.frame);
  av_frame_free(&slope.frame);
  gd_packer_free(p);
  gd_unpacker_free(u);
}

/* What was packed before, and by whom, leaves no trace. */
static void equal_pictures_give_equal_bytes(void **state)
{
  (void)state;
  gd_packer *p[2];
  drawn a = draw("yuv420p", 160, 120, 0), b = draw("yuv420p", 160, 120, 1),
        c = draw("gray", 32, 32, 0);
  gd_packed packed, again;
  for (int i = 0; i < 2; i++)
    assert_ok(gd_packer_new(&p[i]));
  assert_ok(gd_packer_run(p[0], &b.picture, &packed));
  assert_ok(gd_packer_run(p[0], &c.picture, &packed));
  assert_ok(gd_packer_run(p[0], &b.picture, &packed));
  assert_ok(gd_packer_run(p[0], &a.picture, &packed));
  assert_ok(gd_packer_run(p[1], &a.picture, &again));
  assert_int_equal(packed.size_bytes, again.size_bytes);
  assert_memory_equal(packed.bytes, again.bytes, again.size_bytes);
  assert_int_equal(packed.header_bytes, again.header_bytes);
  assert_memory_equal(packed.header, again.header, again.header_bytes);
  for (int i = 0; i < 2; i++)
    gd_packer_free(p[i]);
  av_frame_free(&a.frame);
  av_frame_free(&b.frame);
  av_frame_free(&c.frame);
}

static void damaged_bytes_never_crash(void **state)
{
  (void)state;
  gd_packer *p;
  gd_unpacker *u;
  gd_packed packed;
  gd_picture back;
  drawn d = draw("yuv420p", 96, 64, 0);
  assert_ok(gd_packer_new(&p));
  assert_ok(gd_unpacker_new(&u));
  assert_ok(gd_packer_run(p, &d.picture, &packed));
  uint8_t *bytes = gd_alloc((int64_t)packed.size_bytes, 1);
  uint8_t header[4096];
  assert_in_range(packed.header_bytes, 4, sizeof header);
  for (uint32_t seed = 0; seed < 400; seed++) {
    gd_packed bad = packed;
    memcpy(bytes, packed.bytes, packed.size_bytes);
    memcpy(header, packed.header, packed.header_bytes);
    bad.bytes = bytes;
    bad.header = header;
    if (seed % 4 == 0)
      bad.size_bytes = seed * packed.size_bytes / 400;
    else if (seed % 4 == 1)
      header[seed % packed.header_bytes] ^= (uint8_t)(1 << seed % 8);
    else
      bytes[seed * 7919 % packed.size_bytes] ^= (uint8_t)(seed | 1);
    const gd_status st = gd_unpacker_run(u, &d.picture.layout, &bad, &back);
    assert_true(st == GD_OK || st == GD_ERR_FORMAT);
  }
  assert_ok(gd_unpacker_run(u, &d.picture.layout, &packed, &back));
  assert_same_planes(&d.picture, &back);
  free(bytes);
  av_frame_free(&d.frame);
  gd_packer_free(p);
  gd_unpacker_free(u);
}

static void layouts_that_do_not_fit_are_refused(void **state)
{
  (void)state;
  gd_unpacker *u;
  gd_picture back;
  uint8_t bytes[64] = {0};
  const gd_packed packed = {
      .packing = GD_PACKING_PLANES, .bytes = bytes, .size_bytes = sizeof bytes};
  gd_picture_layout l = gd_picture_layout_of(8, 9, "gray");
  assert_ok(gd_unpacker_new(&u));
  assert_fails(gd_unpacker_run(u, &l, &packed, &back), GD_ERR_FORMAT, "8 x 9");
  l = gd_picture_layout_of(8, 8, "no format");
  assert_fails(gd_unpacker_run(u, &l, &packed, &back), GD_ERR_FORMAT, "no for");
  l = gd_picture_layout_of(INT32_MAX, INT32_MAX, "gray");
  assert_fails(gd_unpacker_run(u, &l, &packed, &back), GD_ERR_FORMAT, "");
  l = gd_picture_layout_of(8, 8, "gray");
  assert_ok(gd_unpacker_run(u, &l, &packed, &back));
  gd_unpacker_free(u);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pictures_of_every_format_come_back_bit_for_bit),
    cmocka_unit_test(pictures_of_any_size_come_back_bit_for_bit),
    cmocka_unit_test(upside_down_rows_come_back_bit_for_bit),
    cmocka_unit_test(noise_is_never_larger_than_its_planes),
    cmocka_unit_test(equal_pictures_give_equal_bytes),
    cmocka_unit_test(damaged_bytes_never_crash),
    cmocka_unit_test(layouts_that_do_not_fit_are_refused),
};

gd_test_main(tests)
