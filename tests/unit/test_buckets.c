#include "gradus/buckets.h"

#include "test.h"

/* Every float has one owner, in order of rank within a bucket, and its place in
 * the owner's memory: for blocks and ranks of all kinds. */
static void parts_partition_the_block_for_any_number_of_ranks(void **state)
{
  (void)state;
  static const int64_t counts[] = {1, 1023, 1024, 1025, 90001, 3000007};
  static const int sizes[] = {1, 2, 3, 5, 8, 16, 1024};
  for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
      const gd_buckets b = gd_buckets_cut(counts[c], 65536, sizes[s]);
      static int64_t owned[1024];
      int64_t next = 0;
      for (int rank = 0; rank < sizes[s]; rank++)
        owned[rank] = 0;
      assert_in_range(b.n, 1, GD_BUCKETS_MOST);
      for (int i = 0; i < b.n; i++) {
        assert_int_equal(gd_buckets_at(&b, i).first, next);
        for (int rank = 0; rank < sizes[s]; rank++) {
          const gd_range part = gd_buckets_part(&b, i, rank);
          assert_int_equal(part.first, next);
          assert_true(part.first == part.end ||
                      part.first % GD_BUCKETS_ALIGN == 0);
          if (part.first < part.end) {
            assert_int_equal(gd_buckets_place(&b, rank, part.first),
                             owned[rank]);
            assert_int_equal(gd_buckets_place(&b, rank, part.end - 1),
                             owned[rank] + part.end - 1 - part.first);
          }
          owned[rank] += part.end - part.first;
          next = part.end;
        }
        assert_int_equal(gd_buckets_at(&b, i).end, next);
      }
      assert_int_equal(next, counts[c]);
      for (int rank = 0; rank < sizes[s]; rank++)
        assert_int_equal(gd_buckets_owned(&b, rank, counts[c]), owned[rank]);
    }
}

static void owned_floats_before_a_limit_add_up_to_it(void **state)
{
  (void)state;
  const gd_buckets b = gd_buckets_cut(300000, 65536, 3);
  for (int64_t count = 1; count < 300000; count += 7777) {
    int64_t sum = 0;
    for (int rank = 0; rank < 3; rank++)
      sum += gd_buckets_owned(&b, rank, count);
    assert_int_equal(sum, count);
  }
}

/* From a block to the ranks' memories and back, the floats before a limit. */
static void packed_floats_come_back_to_their_places(void **state)
{
  (void)state;
  enum { COUNT = 50000, LIMIT = 33333 };
  static float block[COUNT], packed[COUNT], back[COUNT];
  const gd_buckets b = gd_buckets_cut(COUNT, 16384, 3);
  for (int i = 0; i < COUNT; i++)
    block[i] = (float)i;
  for (int rank = 0; rank < 3; rank++) {
    gd_buckets_pack(&b, rank, LIMIT, block, packed);
    for (int i = 0; i < b.n; i++) {
      const gd_range part = gd_buckets_within(&b, i, rank, LIMIT);
      if (part.first < part.end)
        assert_true(packed[gd_buckets_place(&b, rank, part.first)] ==
                    (float)part.first);
    }
    gd_buckets_unpack(&b, rank, LIMIT, packed, back);
  }
  for (int i = 0; i < COUNT; i++)
    assert_true(back[i] == (i < LIMIT ? (float)i : 0));
}

/* ResNet-50 with usual buckets: the first ones small, then whole ones. */
static void first_buckets_are_small_and_others_whole(void **state)
{
  (void)state;
  const int64_t usual = 2 << 20;
  gd_buckets b = gd_buckets_cut(25000000, 8 << 20, 2);
  assert_int_equal(b.first[1] - b.first[0], usual / 8);
  assert_int_equal(b.first[2] - b.first[1], usual / 4);
  assert_int_equal(b.first[3] - b.first[2], usual / 2);
  for (int i = 3; i < b.n - 1; i++)
    assert_int_equal(b.first[i + 1] - b.first[i], usual);
  assert_in_range(b.first[b.n] - b.first[b.n - 1], usual / 2, 2 * usual);
  /* With a thousand ranks, a part is still worth a message. */
  b = gd_buckets_cut(25000000, 8 << 20, 1024);
  assert_in_range(gd_buckets_part(&b, b.n - 1, 0).end -
                      gd_buckets_part(&b, b.n - 1, 0).first,
                  4096, 8192);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(parts_partition_the_block_for_any_number_of_ranks),
    cmocka_unit_test(owned_floats_before_a_limit_add_up_to_it),
    cmocka_unit_test(packed_floats_come_back_to_their_places),
    cmocka_unit_test(first_buckets_are_small_and_others_whole),
};

gd_test_main(tests)
