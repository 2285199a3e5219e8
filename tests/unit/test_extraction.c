#include "gradus/extraction.h"

#include <stdlib.h>

#include "gradus/memory.h"
#include "test.h"

enum { MOST = 2000 };

/* An index of n frames that may be cut at every multiple of `group`. */
static gd_video_index make_index(int64_t n, int64_t group, int64_t *cuts)
{
  gd_video_index x = {.n_frames = n,
                      .width_px = 100,
                      .height_px = 10,
                      .n_cuts = 0,
                      .cuts = cuts};
  for (int64_t f = 0; f < n; f += group)
    cuts[x.n_cuts++] = f;
  return x;
}

static void kept_frames_are_counted_as_a_loop_would(void **state)
{
  (void)state;
  for (int64_t every = 1; every <= 8; every++)
    for (int64_t a = 0; a <= 20; a++)
      for (int64_t b = a; b <= 20; b++) {
        int64_t n = 0;
        for (int64_t f = a; f < b; f++)
          n += f % every == 0;
        assert_int_equal(gd_piece_kept((gd_range){a, b}, every), n);
      }
}

static void pieces_are_the_whole_video_and_end_at_cuts(void **state)
{
  (void)state;
  static int64_t cuts[MOST];
  static gd_piece pieces[MOST];
  const int64_t groups[] = {1, 12, 250, 100000};
  for (int g = 0; g < 4; g++)
    for (int64_t n = 1; n < 2000; n = n * 3 + 1)
      for (int64_t every = 1; every <= 100; every *= 10) {
        const gd_video_index x = make_index(n, groups[g], cuts);
        const int64_t made = gd_extraction_cut(&x, 3, every, 300000, pieces);
        int64_t next = 0;
        assert_in_range(made, 1, x.n_cuts);
        for (int64_t i = 0; i < made; i++) {
          assert_int_equal(pieces[i].frames.first, next);
          assert_int_equal(next % groups[g], 0);
          assert_int_equal(pieces[i].is_last, i + 1 == made);
          assert_int_equal(pieces[i].n_kept,
                           gd_piece_kept(pieces[i].frames, every));
          next = pieces[i].frames.end;
        }
        assert_int_equal(next, n);
      }
}

static void long_video_is_cut_and_short_one_is_not(void **state)
{
  (void)state;
  static int64_t cuts[MOST];
  static gd_piece pieces[MOST];
  gd_video_index x = make_index(20000, 50, cuts);
  /* 3000 bytes a frame, every 10th: 1000 frames give 300,000 bytes. */
  assert_int_equal(gd_extraction_cut(&x, 0, 10, 300000, pieces), 20);
  assert_int_equal(pieces[7].frames.first, 7000);
  x = make_index(20000, 100000, cuts);
  assert_int_equal(gd_extraction_cut(&x, 0, 10, 300000, pieces), 1);
  x = make_index(400, 10, cuts);
  assert_int_equal(gd_extraction_cut(&x, 0, 1, 300000, pieces), 1);
}

static void
target_is_what_was_asked_for_unless_the_corpus_is_small(void **state)
{
  (void)state;
  assert_int_equal(gd_extraction_target(INT64_C(1) << 40, 1 << 28), 1 << 28);
  assert_int_equal(gd_extraction_target(INT64_C(1) << 30, 1 << 28), 1 << 24);
  assert_int_equal(gd_extraction_target(1000, 1 << 28), 1 << 20);
  assert_int_equal(gd_extraction_target(1000, 4096), 4096);
}

static void shards_have_one_frame_size_and_keep_to_the_target(void **state)
{
  (void)state;
  gd_piece pieces[40];
  for (int i = 0; i < 40; i++)
    pieces[i] = (gd_piece){.video = i,
                           .height_px = i % 3 == 0 ? 20 : 10,
                           .width_px = 10,
                           .is_last = 1,
                           .frames = {0, 10 * (i + 1)},
                           .n_kept = i + 1};
  gd_extraction *e;
  assert_ok(gd_extraction_plan(pieces, 40, 12000, &e));
  assert_int_equal(e->first[0], 0);
  assert_int_equal(e->first[e->n_shards], 40);
  for (int64_t s = 0; s < e->n_shards; s++) {
    int64_t bytes = 0;
    double cost = 0;
    assert_true(e->first[s] < e->first[s + 1]);
    for (int64_t p = e->first[s]; p < e->first[s + 1]; p++) {
      assert_int_equal(e->pieces[p].height_px,
                       e->pieces[e->first[s]].height_px);
      if (p > e->first[s])
        assert_true(e->pieces[p - 1].video < e->pieces[p].video);
      bytes += gd_piece_bytes(&e->pieces[p]);
      cost += 10.0 * e->pieces[p].frames.end * e->pieces[p].height_px;
    }
    assert_true(bytes <= 12000 || e->first[s + 1] - e->first[s] == 1);
    assert_true(cost == e->cost[s]);
  }
  gd_extraction_free(e);
}

static void plan_does_not_depend_on_the_order_of_arrival(void **state)
{
  (void)state;
  static int64_t cuts[MOST];
  static gd_piece pieces[MOST], shuffled[MOST];
  int64_t n = 0;
  for (int32_t v = 0; v < 10; v++) {
    const gd_video_index x = make_index(1500 * (v + 1), 50, cuts);
    n += gd_extraction_cut(&x, v, 10, 200000, pieces + n);
  }
  for (int64_t i = 0; i < n; i++)
    shuffled[i] = pieces[(i * 17 + 5) % n];
  assert_true(n > 50 && n % 17 != 0);
  gd_extraction *a, *b;
  assert_ok(gd_extraction_plan(pieces, n, 200000, &a));
  assert_ok(gd_extraction_plan(shuffled, n, 200000, &b));
  assert_int_equal(a->n_shards, b->n_shards);
  assert_memory_equal(a->first, b->first,
                      (size_t)(a->n_shards + 1) * sizeof *a->first);
  assert_memory_equal(a->pieces, b->pieces,
                      (size_t)a->first[a->n_shards] * sizeof *a->pieces);
  gd_extraction_free(a);
  gd_extraction_free(b);
}

static void neighbouring_pieces_of_a_video_are_read_as_one(void **state)
{
  (void)state;
  const gd_piece pieces[] = {{.video = 1,
                              .height_px = 1,
                              .width_px = 1,
                              .frames = {0, 500},
                              .n_kept = 50},
                             {.video = 1,
                              .height_px = 1,
                              .width_px = 1,
                              .is_last = 1,
                              .frames = {500, 900},
                              .n_kept = 40}};
  gd_extraction *e;
  assert_ok(gd_extraction_plan(pieces, 2, 1000, &e));
  assert_int_equal(e->n_shards, 1);
  assert_int_equal(e->first[1], 1);
  assert_int_equal(e->pieces[0].frames.end, 900);
  assert_int_equal(e->pieces[0].n_kept, 90);
  assert_int_equal(e->pieces[0].is_last, 1);
  gd_extraction_free(e);
  assert_ok(gd_extraction_plan(NULL, 0, 1000, &e));
  assert_int_equal(e->n_shards, 0);
  gd_extraction_free(e);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(kept_frames_are_counted_as_a_loop_would),
    cmocka_unit_test(pieces_are_the_whole_video_and_end_at_cuts),
    cmocka_unit_test(long_video_is_cut_and_short_one_is_not),
    cmocka_unit_test(target_is_what_was_asked_for_unless_the_corpus_is_small),
    cmocka_unit_test(shards_have_one_frame_size_and_keep_to_the_target),
    cmocka_unit_test(plan_does_not_depend_on_the_order_of_arrival),
    cmocka_unit_test(neighbouring_pieces_of_a_video_are_read_as_one),
};

gd_test_main(tests)
