#include "gradus/precision.h"
#include "gradus/random.h"
#include "test.h"

#include <math.h>
#include <string.h>

static float float_of(uint32_t bits)
{
  float v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

static uint32_t bits_of(float v)
{
  uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}

static uint16_t write_one(uint32_t bits)
{
  const float v = float_of(bits);
  uint16_t kept;
  gd_precision_write(GD_BF16, &v, 1, &kept);
  return kept;
}

/* What a number is rounded from: the machine's instruction takes a denormal one
 * for zero. */
static uint32_t taken(uint32_t bits)
{
#ifdef __AVX512BF16__
  if ((bits & 0x7f800000) == 0)
    return bits & 0x80000000;
#endif
  return bits;
}

/* All of them at once, and one by one: by vectors and at their end. */
static void every_bf16_number_is_read_exactly_and_kept(void **state)
{
  (void)state;
  enum { ALL = 1 << 16 };
  static uint16_t numbers[ALL], again[ALL];
  static float values[ALL];
  for (uint32_t i = 0; i < ALL; i++)
    numbers[i] = (uint16_t)i;
  gd_precision_read(GD_BF16, numbers, ALL, values);
  gd_precision_write(GD_BF16, values, ALL, again);
  for (uint32_t i = 0; i < ALL; i++) {
    float one;
    gd_precision_read(GD_BF16, &numbers[i], 1, &one);
    assert_int_equal(bits_of(values[i]), i << 16);
    assert_int_equal(bits_of(one), i << 16);
    const uint32_t quiet = isnan(values[i]) ? 0x40 : 0;
    const uint32_t kept = taken(i << 16) >> 16 | quiet;
    assert_int_equal(again[i], kept);
    assert_int_equal(write_one(i << 16), kept);
  }
}

static void rounding_goes_to_the_nearest_and_of_two_to_the_even(void **state)
{
  (void)state;
  static const struct {
    uint32_t from;
    uint16_t to;
  } cases[] = {
      {0x3f807fff, 0x3f80}, {0x3f808000, 0x3f80}, /* a tie, to the even one */
      {0x3f808001, 0x3f81}, {0x3f818000, 0x3f82}, /* a tie, upwards */
      {0xbf818000, 0xbf82}, {0xbf808000, 0xbf80},
      {0x3fffffff, 0x4000},                       /* into the next exponent */
      {0x00000000, 0x0000}, {0x80000000, 0x8000}, /* signs of zeros stay */
      {0x00000001, 0x0000}, {0x00008000, 0x0000}, /* denormals */
      {0x00008001, 0x0001}, {0x00018000, 0x0002},
      {0x007fffff, 0x0080}, /* to the smallest normal number */
      {0x7f7f7fff, 0x7f7f}, {0x7f7f8000, 0x7f80}, /* the last, to infinity */
      {0x7f7fffff, 0x7f80}, {0xff7fffff, 0xff80},
      {0x7f800000, 0x7f80}, {0xff800000, 0xff80}, /* infinities */
      {0x7f800001, 0x7fc0}, {0xff800001, 0xffc0}, /* NaN, by its lower half */
      {0x7fffffff, 0x7fff}, {0x7fc12345, 0x7fc1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const int is_lost = taken(cases[i].from) != cases[i].from;
    const uint16_t to = is_lost ? cases[i].to & 0x8000 : cases[i].to;
    if (write_one(cases[i].from) != to)
      fail_msg("%08x became %04x, not %04x", cases[i].from,
               write_one(cases[i].from), to);
  }
}

static void no_number_is_nearer_than_the_one_kept(void **state)
{
  (void)state;
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < 200000; i++) {
    const uint32_t bits = taken((uint32_t)gd_random_below(&r, 0x7f7f8000) |
                                (uint32_t)(i % 2) << 31);
    const uint16_t kept = write_one(bits);
    const double v = (double)float_of(bits);
    const double below = (double)float_of(bits & 0xffff0000);
    const double above = (double)float_of((bits & 0xffff0000) + 0x10000);
    const double is = (double)float_of((uint32_t)kept << 16);
    assert_true(is == below || is == above);
    assert_true(fabs(is - v) <= fabs(below - v));
    assert_true(fabs(is - v) <= fabs(above - v));
    if (fabs(v) >= 0x1p-126) /* not denormal: half of the last of 8 bits */
      assert_true(fabs(is - v) <= 0x1p-8 * fabs(v));
  }
}

static void any_length_is_written_and_nothing_beyond(void **state)
{
  (void)state;
  enum { MOST = 70 };
  float x[MOST + 1], y[MOST + 1];
  uint16_t kept[MOST + 1];
  for (int i = 0; i <= MOST; i++)
    x[i] = (float)(i - 30) * 1.001f;
  for (gd_precision p = GD_FP32; p <= GD_BF16; p++)
    for (int n = 0; n <= MOST; n++) {
      void *to = p == GD_FP32 ? (void *)(y + 1) : kept + 1; /* not aligned */
      memset(kept, 0x55, sizeof kept);
      memset(y, 0x55, sizeof y);
      if (n == MOST)
        to = p == GD_FP32 ? (void *)y : kept;
      gd_precision_write(p, x, n, to);
      float back[MOST + 1];
      memset(back, 0x77, sizeof back);
      gd_precision_read(p, to, n, back);
      for (int i = 0; i < n; i++)
        assert_true(p == GD_FP32
                        ? back[i] == x[i]
                        : fabsf(back[i] - x[i]) <= 0x1p-8f * fabsf(x[i]));
      assert_int_equal(bits_of(back[n]), 0x77777777);
      if (n < MOST - 1)
        assert_memory_equal((char *)to + n * gd_precision_bytes(p), "UU", 2);
    }
}

static void names_are_those_of_the_manifest(void **state)
{
  (void)state;
  gd_precision p = GD_FP32;
  assert_ok(gd_precision_of("bf16", &p));
  assert_int_equal(p, GD_BF16);
  assert_string_equal(gd_precision_name(p), "bf16");
  assert_int_equal(gd_precision_bytes(p), 2);
  assert_ok(gd_precision_of("fp32", &p));
  assert_int_equal(gd_precision_bytes(p), 4);
  assert_fails(gd_precision_of("fp16", &p), GD_ERR_USAGE, "fp32 and bf16");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_bf16_number_is_read_exactly_and_kept),
    cmocka_unit_test(rounding_goes_to_the_nearest_and_of_two_to_the_even),
    cmocka_unit_test(no_number_is_nearer_than_the_one_kept),
    cmocka_unit_test(any_length_is_written_and_nothing_beyond),
    cmocka_unit_test(names_are_those_of_the_manifest),
};

gd_test_main(tests)
