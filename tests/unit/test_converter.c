#include "gradus/converter.h"

#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "test.h"

enum { W = 16, H = 12 };

/* A 4:2:0 picture of one colour. */
typedef struct {
  uint8_t y[W * H], u[W * H / 4], v[W * H / 4];
} flat;

static gd_picture paint(flat *f, int y, int u, int v)
{
  memset(f->y, y, sizeof f->y);
  memset(f->u, u, sizeof f->u);
  memset(f->v, v, sizeof f->v);
  return (gd_picture){.layout = gd_picture_layout_of(W, H, "yuv420p"),
                      .planes = {f->y, f->u, f->v},
                      .stride_bytes = {W, W / 2, W / 2}};
}

static void assert_near(const uint8_t *rgb, int r, int g, int b)
{
  const int want[3] = {r, g, b};
  for (int i = 0; i < 3; i++)
    if (abs(rgb[i] - want[i]) > 2)
      fail_msg("(%d, %d, %d), expected (%d, %d, %d)", rgb[0], rgb[1], rgb[2], r,
               g, b);
}

/* Pure red in the samples of each matrix and range: BT.601 and BT.709 differ
 * by tens of levels, and so do the ranges. */
static void colours_follow_the_tags(void **state)
{
  (void)state;
  static const struct {
    int matrix;
    gd_range_tag range;
    int y, u, v;
  } reds[] = {
      {2, GD_RANGE_UNTAGGED, 81, 90, 240}, /* as BT.601, limited */
      {5, GD_RANGE_LIMITED, 81, 90, 240},  {6, GD_RANGE_LIMITED, 81, 90, 240},
      {6, GD_RANGE_FULL, 76, 85, 255},     {1, GD_RANGE_LIMITED, 63, 102, 240},
      {1, GD_RANGE_FULL, 54, 99, 255},     {9, GD_RANGE_LIMITED, 74, 97, 240},
      {0, GD_RANGE_LIMITED, 81, 90, 240}, /* a tag of RGB */
      {8, GD_RANGE_LIMITED, 81, 90, 240}, /* these are not known */
      {14, GD_RANGE_LIMITED, 81, 90, 240}};
  uint8_t rgb[W * H * 3];
  gd_converter *c;
  assert_ok(gd_converter_open(W, H, &c));
  for (size_t i = 0; i < sizeof reds / sizeof reds[0]; i++) {
    flat f;
    gd_picture p = paint(&f, reds[i].y, reds[i].u, reds[i].v);
    p.layout.matrix = reds[i].matrix;
    p.layout.range = reds[i].range;
    assert_ok(gd_converter_run(c, &p, rgb));
    for (int k = 0; k < W * H; k++)
      assert_near(rgb + 3 * k, 254, 0, 0);
    /* A dark grey is as dark as the range says. */
    p = paint(&f, 60, 128, 128);
    p.layout.matrix = reds[i].matrix;
    p.layout.range = reds[i].range;
    const int grey = reds[i].range == GD_RANGE_FULL ? 60 : 51;
    assert_ok(gd_converter_run(c, &p, rgb));
    assert_near(rgb, grey, grey, grey);
  }
  gd_converter_close(c);
}

/* A corner of another colour ends where the display matrix puts it. */
static void pictures_are_turned_and_mirrored(void **state)
{
  (void)state;
  static const struct {
    int display[4], x, y; /* of the corner, in units of the last pixel */
  } cases[] = {{{1, 0, 0, 1}, 0, 0},   {{0, 1, -1, 0}, 1, 0},
               {{-1, 0, 0, -1}, 1, 1}, {{0, -1, 1, 0}, 0, 1},
               {{-1, 0, 0, 1}, 1, 0},  {{1, 0, 0, -1}, 0, 1},
               {{0, 1, 1, 0}, 0, 0},   {{0, -1, -1, 0}, 1, 1}};
  uint8_t from[W * H * 3] = {200, 100, 50}, rgb[W * H * 3];
  for (int i = 0; i < 8; i++) {
    gd_picture p = gd_picture_of_rgb(W, H, from);
    int width, height;
    gd_converter *c;
    memcpy(p.layout.display, cases[i].display, sizeof p.layout.display);
    gd_picture_displayed(&p.layout, &width, &height);
    assert_ok(gd_converter_open(width, height, &c));
    assert_ok(gd_converter_run(c, &p, rgb));
    const int at = cases[i].y * (height - 1) * width + cases[i].x * (width - 1);
    for (int k = 0; k < W * H; k++)
      assert_int_equal(rgb[3 * k], k == at ? 200 : 0);
    gd_converter_close(c);
  }
}

/* Return the box of what is not black. */
static void find_box(const uint8_t *rgb, int width, int height, int box[4])
{
  box[0] = width;
  box[1] = height;
  box[2] = box[3] = 0;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      if (rgb[3 * (y * width + x)] > 0) {
        box[0] = x < box[0] ? x : box[0];
        box[1] = y < box[1] ? y : box[1];
        box[2] = x + 1 > box[2] ? x + 1 : box[2];
        box[3] = y + 1 > box[3] ? y + 1 : box[3];
      }
}

static void other_sizes_are_fitted_with_their_shape_kept(void **state)
{
  (void)state;
  static const struct {
    int width, height, turned, box[4];
  } cases[] = {{64, 48, 0, {0, 0, 64, 48}},
               {32, 24, 0, {0, 0, 64, 48}},   /* half of it */
               {128, 96, 0, {0, 0, 64, 48}},  /* double */
               {65, 49, 0, {0, 0, 64, 48}},   /* the same but for rounding */
               {48, 48, 0, {8, 0, 56, 48}},   /* narrower */
               {128, 48, 0, {0, 12, 64, 36}}, /* wider */
               {48, 64, 0, {14, 0, 50, 48}},  /* upright */
               {64, 48, 1, {14, 0, 50, 48}},  /* turned by 90 degrees */
               {48, 64, 1, {0, 0, 64, 48}},
               {400, 2, 0, {0, 23, 64, 24}}};
  gd_converter *c;
  uint8_t rgb[64 * 48 * 3];
  assert_ok(gd_converter_open(64, 48, &c));
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const int n = cases[i].width * cases[i].height * 3;
    uint8_t *white = gd_alloc(n, 1);
    int box[4];
    memset(white, 255, (size_t)n);
    gd_picture p = gd_picture_of_rgb(cases[i].width, cases[i].height, white);
    if (cases[i].turned)
      memcpy(p.layout.display, (int[4]){0, 1, -1, 0}, sizeof p.layout.display);
    memset(rgb, 7, sizeof rgb);
    assert_ok(gd_converter_run(c, &p, rgb));
    find_box(rgb, 64, 48, box);
    assert_memory_equal(box, cases[i].box, sizeof box);
    free(white);
  }
  gd_converter_close(c);
}

static void unknown_pixel_format_is_refused_by_name(void **state)
{
  (void)state;
  uint8_t rgb[W * H * 3] = {0};
  gd_converter *c;
  gd_picture p = gd_picture_of_rgb(W, H, rgb);
  strcpy(p.layout.pixel_format, "vaapi");
  assert_ok(gd_converter_open(W, H, &c));
  assert_fails(gd_converter_run(c, &p, rgb), GD_ERR_DECODE, "vaapi");
  assert_false(gd_converter_knows("vaapi"));
  assert_false(gd_converter_knows("no such format"));
  assert_true(gd_converter_knows("yuv422p10le"));
  gd_converter_close(c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(colours_follow_the_tags),
    cmocka_unit_test(pictures_are_turned_and_mirrored),
    cmocka_unit_test(other_sizes_are_fitted_with_their_shape_kept),
    cmocka_unit_test(unknown_pixel_format_is_refused_by_name),
};

gd_test_main(tests)
