#include "gradus/image.h"
#include "gradus/peak.h"
#include "gradus/roofline.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Between 2 and 32 FLOP/byte and 4 and 128 GFLOP/s: the axes' ends. */
static const gd_roofline_series PIECES = {.name = "forward",
                                          .n = 2,
                                          .intensity = (const double[]){8, 32},
                                          .flops = (const double[]){32e9, 90e9},
                                          .seconds = (const double[]){4, 1}};

static gd_status draw(int n_series, const char *path)
{
  const gd_roofline r = {.title = "A net",
                         .subtitle = "measured",
                         .peak_flops = 100e9,
                         .bandwidth = 12.5e9,
                         .n_series = n_series,
                         .series = &PIECES};
  return gd_roofline_write(&r, path);
}

/* A circle stands where its numbers say, tinted in the series' colour. */
static void pieces_stand_at_their_numbers(void **state)
{
  (void)state;
  gd_image with = {0}, without = {0};
  assert_ok(draw(1, gd_test_path("with.png")));
  assert_ok(draw(0, gd_test_path("without.png")));
  assert_ok(gd_image_read(gd_test_path("with.png"), &with));
  assert_ok(gd_image_read(gd_test_path("without.png"), &without));
  const int x = 76 + 854 / 2, y = 520 - 436 * 3 / 5; /* 8; 32 */
  int n_changed = 0;
  for (int v = 0; v < with.height_px; v++)
    for (int u = 0; u < with.width_px; u++) {
      const int64_t i = 3 * ((int64_t)v * with.width_px + u);
      const int differs = memcmp(with.rgb + i, without.rgb + i, 3) != 0;
      const double away = hypot(u - x, v - y);
      if (away < 14)
        assert_true(differs);
      if (away > 20 && away < 60)
        assert_false(differs);
      n_changed += differs;
    }
  assert_true(n_changed > 800 + 200); /* the second is a quarter as large */
  gd_image_free(&with);
  gd_image_free(&without);
}

static void ending_says_which_file(void **state)
{
  (void)state;
  assert_ok(draw(1, gd_test_path("roof.svg")));
  char *svg = NULL;
  size_t size = 0;
  assert_ok(gd_file_read(gd_test_path("roof.svg"), 1 << 20, &svg, &size));
  assert_non_null(strstr(svg, "<svg"));
  free(svg);
  assert_fails(draw(1, gd_test_path("roof.jpg")), GD_ERR_USAGE, "roof.jpg");
}

/* Another program may hold the processor for longer than a measurement takes:
 * it is repeated for longer, until this one had its share. */
static void memory_is_slower_than_registers(void **state)
{
  (void)state;
  const double bytes_per_s = gd_peak_bandwidth(1e-3);
  assert_true(bytes_per_s > 1e8 && bytes_per_s < 1e13);
  for (gd_precision p = GD_FP32; p <= GD_BF16; p++) {
    double flops = 0, seconds = 1e-3;
    for (; flops <= bytes_per_s / sizeof(float) && seconds < 30; seconds *= 2)
      flops = gd_peak_flops(p, seconds);
    assert_true(flops > bytes_per_s / sizeof(float));
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pieces_stand_at_their_numbers),
    cmocka_unit_test(ending_says_which_file),
    cmocka_unit_test(memory_is_slower_than_registers),
};

gd_test_main(tests)
