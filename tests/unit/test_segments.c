#include "train/segments.h"

#include "gradus/buckets.h"
#include "test.h"

static gd_tensor_table table_of(const char *const *names, const int *counts,
                                int n)
{
  gd_tensor_table t = {0};
  for (int i = 0; i < n; i++)
    assert_ok(gd_tensor_table_add(&t, names[i], GD_TENSOR_BIAS, 1, &counts[i]));
  return t;
}

static const char *const names[] = {"conv1.weight", "bn1.weight",
                                    "layer1.0.conv1.weight",
                                    "layer10.0.conv1.weight", "fc.0.weight"};
static const int counts[] = {1000, 24, 2048, 1, 5000};
enum { N_TENSORS = 5 };

/* Every float is in one segment, of its own tensor, and no segment crosses an
 * edge of the chunks. */
static void segments_end_at_tensors_and_at_chunks(void **state)
{
  (void)state;
  gd_segments s;
  gd_tensor_table t = table_of(names, counts, N_TENSORS);
  assert_ok(gd_segments_begin(&t, "", &s));
  assert_int_equal(s.first[0], 0);
  assert_int_equal(s.first[s.n], t.count);
  for (int64_t i = 0; i < s.n; i++) {
    assert_true(s.first[i] < s.first[i + 1]);
    assert_ptr_equal(gd_tensor_table_at(&t, s.first[i]),
                     &t.entries[s.tensor[i]]);
    assert_ptr_equal(gd_tensor_table_at(&t, s.first[i + 1] - 1),
                     &t.entries[s.tensor[i]]);
    assert_int_equal(s.first[i] / GD_BUCKETS_ALIGN,
                     (s.first[i + 1] - 1) / GD_BUCKETS_ALIGN);
  }
  const gd_range middle =
      gd_segments_within(&s, GD_BUCKETS_ALIGN, 4 * GD_BUCKETS_ALIGN);
  assert_int_equal(s.first[middle.first], GD_BUCKETS_ALIGN);
  assert_int_equal(s.first[middle.end], 4 * GD_BUCKETS_ALIGN);
  gd_segments_end(&s);
  gd_tensor_table_free(&t);
}

static void sums_of_segments_are_sums_of_tensors(void **state)
{
  (void)state;
  gd_segments s;
  gd_tensor_table t = table_of(names, counts, N_TENSORS);
  static float x[8073];
  double sums[64], by_tensor[N_TENSORS] = {0};
  assert_int_equal(t.count, 8073);
  assert_ok(gd_segments_begin(&t, "", &s));
  for (int i = 0; i < 8073; i++)
    x[i] = (float)(i % 7);
  for (int64_t i = 0; i < s.n; i++)
    sums[i] = gd_segments_square(x + s.first[i], s.first[i + 1] - s.first[i]);
  gd_segments_add(&s, sums, by_tensor);
  for (int k = 0; k < N_TENSORS; k++) {
    double wanted = 0;
    for (int64_t i = t.entries[k].offset;
         i < t.entries[k].offset + t.entries[k].count; i++)
      wanted += (double)(x[i] * x[i]);
    assert_true(by_tensor[k] == wanted);
  }
  gd_segments_end(&s);
  gd_tensor_table_free(&t);
}

static void freezing_takes_whole_names_and_what_is_below_them(void **state)
{
  (void)state;
  gd_segments s;
  gd_tensor_table t = table_of(names, counts, N_TENSORS);
  assert_ok(gd_segments_begin(&t, "stem, layer1", &s));
  assert_true(s.any_frozen);
  const int wanted[N_TENSORS] = {1, 1, 1, 0, 0};
  for (int k = 0; k < N_TENSORS; k++)
    assert_int_equal(s.frozen[k], wanted[k]);
  assert_false(gd_segments_move(&s, 0));
  assert_true(gd_segments_move(&s, s.n - 1));
  gd_segments_end(&s);

  assert_fails(gd_segments_begin(&t, "stem,layer", &s), GD_ERR_USAGE,
               "no weights are called layer:");
  gd_segments_end(&s);
  assert_fails(gd_segments_begin(&t, "stem layer1 layer10 fc", &s),
               GD_ERR_USAGE, "leaves nothing to train");
  gd_segments_end(&s);
  gd_tensor_table_free(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(segments_end_at_tensors_and_at_chunks),
    cmocka_unit_test(sums_of_segments_are_sums_of_tensors),
    cmocka_unit_test(freezing_takes_whole_names_and_what_is_below_them),
};

gd_test_main(tests)
