#include "gradus/extraction.h"

#include <stdlib.h>

#include "gradus/memory.h"
#include "test.h"

enum { MOST = 2000, MOST_FRAMES = 20000 };

static const gd_sampling every_10th = {.every = 10};
static const gd_extraction_limits limits = {
    .unit_us = 4000, .shard_bytes = 300000, .bytes_per_pixel = 3};

/* An index of n frames that may be cut at every multiple of `group`; packets
 * in order of presentation. */
static gd_video_index make_index(int64_t n, int64_t group, int64_t *cuts)
{
  static gd_video_packet packets[MOST_FRAMES];
  static int64_t shown_by[MOST_FRAMES];
  gd_video_index x = {.codec = "mpeg4",
                      .n_frames = n,
                      .n_packets = n,
                      .packets = packets,
                      .shown_by = shown_by,
                      .is_timed = 1,
                      .fps = 25,
                      .width_px = 100,
                      .height_px = 10,
                      .cuts = cuts};
  assert_true(n <= MOST_FRAMES);
  for (int64_t f = 0; f < n; f++) {
    packets[f] = (gd_video_packet){
        .frame = f, .time_s = (double)f / 25, .is_access = f % group == 0};
    shown_by[f] = f;
  }
  for (int64_t f = 0; f < n; f += group)
    cuts[x.n_cuts++] = f;
  return x;
}

/* Part a video into pieces; return their number. */
static int64_t cut(const gd_video_index *x, int32_t video,
                   const gd_sampling *sampling, const gd_extraction_limits *l,
                   gd_piece *pieces)
{
  int64_t *frames, n;
  assert_ok(gd_extraction_select(sampling, x, &frames, &n));
  const int64_t n_spans = gd_extraction_spans(x, video, frames, n, l, pieces);
  assert_in_range(n_spans, 1, x->n_cuts);
  free(frames);
  return gd_extraction_cut(pieces, n_spans, l);
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
        const gd_sampling sampling = {.every = every};
        const int64_t made = cut(&x, 3, &sampling, &limits, pieces);
        int64_t next = 0, kept = 0;
        assert_true(made >= 1);
        for (int64_t i = 0; i < made; i++) {
          assert_int_equal(pieces[i].frames.first, next);
          assert_int_equal(next % groups[g], 0);
          assert_int_equal(pieces[i].is_last, i + 1 == made);
          next = pieces[i].frames.end;
          kept += pieces[i].n_kept;
        }
        assert_int_equal(next, n);
        assert_int_equal(kept, (n + every - 1) / every);
      }
}

static void long_video_is_cut_and_short_one_is_not(void **state)
{
  (void)state;
  static int64_t cuts[MOST];
  static gd_piece pieces[MOST];
  gd_extraction_limits l = limits;
  l.unit_us = INT64_C(1) << 40;
  gd_video_index x = make_index(20000, 50, cuts);
  /* 3000 bytes a frame, every 10th: 1000 frames give 300,000 bytes; spans of
   * an eighth, 150 frames, come nearest with 900. */
  assert_int_equal(cut(&x, 0, &every_10th, &l, pieces), 23);
  assert_int_equal(pieces[7].frames.first, 6300);
  x = make_index(20000, 100000, cuts);
  assert_int_equal(cut(&x, 0, &every_10th, &l, pieces), 1);
  x = make_index(90, 10, cuts);
  assert_int_equal(cut(&x, 0, &(gd_sampling){.every = 1}, &l, pieces), 1);
}

static void pieces_take_about_the_same_time(void **state)
{
  (void)state;
  static int64_t cuts[MOST];
  static gd_piece pieces[MOST];
  gd_extraction_limits l = {.shard_bytes = INT64_C(1) << 40,
                            .bytes_per_pixel = 3};
  const gd_video_index x = make_index(20000, 50, cuts);
  l.unit_us = INT64_C(1) << 40;
  assert_int_equal(cut(&x, 0, &every_10th, &l, pieces), 1);
  const int64_t all_us = pieces[0].cost_us;
  assert_true(all_us > 1000);
  l.unit_us = all_us / 8;
  const int64_t n = cut(&x, 0, &every_10th, &l, pieces);
  assert_in_range(n, 8, 12);
  for (int64_t i = 0; i + 1 < n; i++)
    assert_in_range(pieces[i].cost_us, l.unit_us * 7 / 10, l.unit_us);
}

/* Groups without a frame that is kept are no work of their own. */
static void frames_outside_the_span_of_time_are_no_pieces(void **state)
{
  (void)state;
  static int64_t cuts[MOST];
  static gd_piece pieces[MOST];
  const gd_video_index x = make_index(20000, 50, cuts);
  const gd_sampling late = {.every = 1, .start_s = 780};
  const gd_sampling never = {.every = 1, .start_s = 1000};
  const int64_t n = cut(&x, 0, &late, &limits, pieces);
  assert_true(n >= 2);
  assert_int_equal(pieces[0].frames.first, 0);
  assert_true(pieces[0].frames.end > 19500);
  assert_int_equal(pieces[0].frames.end, pieces[1].frames.first);
  assert_int_equal(cut(&x, 0, &never, &limits, pieces), 0);
}

static void frames_that_only_decoding_tells_are_estimated(void **state)
{
  (void)state;
  gd_video_index x = {.n_frames = 1000, .fps = 25, .order = GD_ORDER_DECODE};
  int64_t *frames, n;
  assert_ok(gd_extraction_select(&every_10th, &x, &frames, &n));
  assert_null(frames);
  assert_int_equal(n, 100);
  const gd_sampling by_time = {
      .rate = 5, .start_s = 10, .stop_s = 20, .most = 30};
  assert_ok(gd_extraction_select(&by_time, &x, &frames, &n));
  assert_int_equal(n, 30);
}

static void unit_follows_the_corpus_within_bounds(void **state)
{
  (void)state;
  assert_int_equal(gd_extraction_unit_us(0), 500000);
  assert_int_equal(gd_extraction_unit_us(INT64_C(512) * 3000000), 3000000);
  assert_int_equal(gd_extraction_unit_us(INT64_C(1) << 50), 120000000);
}

static void shards_have_one_frame_size_and_keep_to_the_limits(void **state)
{
  (void)state;
  const gd_extraction_limits l = {
      .unit_us = 60, .shard_bytes = 12000, .bytes_per_pixel = 3};
  gd_piece pieces[40];
  for (int i = 0; i < 40; i++)
    pieces[i] = (gd_piece){.video = i,
                           .height_px = i % 3 == 0 ? 20 : 10,
                           .width_px = 10,
                           .is_last = 1,
                           .frames = {0, 10 * (i + 1)},
                           .n_kept = i + 1,
                           .cost_us = 40 - i};
  gd_extraction *e;
  assert_ok(gd_extraction_plan(pieces, 40, &l, &e));
  assert_int_equal(e->first[0], 0);
  assert_int_equal(e->first[e->n_shards], 40);
  for (int64_t s = 0; s < e->n_shards; s++) {
    int64_t bytes = 0, us = 0;
    assert_true(e->first[s] < e->first[s + 1]);
    for (int64_t p = e->first[s]; p < e->first[s + 1]; p++) {
      assert_int_equal(e->pieces[p].height_px,
                       e->pieces[e->first[s]].height_px);
      if (p > e->first[s])
        assert_true(e->pieces[p - 1].video < e->pieces[p].video);
      bytes += gd_piece_bytes(&e->pieces[p], &l);
      us += e->pieces[p].cost_us;
    }
    assert_true((bytes <= 12000 && us <= 60) ||
                e->first[s + 1] - e->first[s] == 1);
    assert_true((double)us == e->cost[s]);
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
    n += cut(&x, v, &every_10th, &limits, pieces + n);
  }
  for (int64_t i = 0; i < n; i++)
    shuffled[i] = pieces[(i * 17 + 5) % n];
  assert_true(n > 50 && n % 17 != 0);
  gd_extraction *a, *b;
  assert_ok(gd_extraction_plan(pieces, n, &limits, &a));
  assert_ok(gd_extraction_plan(shuffled, n, &limits, &b));
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
  assert_ok(gd_extraction_plan(pieces, 2, &limits, &e));
  assert_int_equal(e->n_shards, 1);
  assert_int_equal(e->first[1], 1);
  assert_int_equal(e->pieces[0].frames.end, 900);
  assert_int_equal(e->pieces[0].n_kept, 90);
  assert_int_equal(e->pieces[0].is_last, 1);
  gd_extraction_free(e);
  assert_ok(gd_extraction_plan(NULL, 0, &limits, &e));
  assert_int_equal(e->n_shards, 0);
  gd_extraction_free(e);
}

static void disk_without_room_is_an_error_that_tells_both_sizes(void **state)
{
  (void)state;
  assert_ok(gd_extraction_check_room(0, 0, "here"));
  assert_ok(gd_extraction_check_room(1000, 1100, "here"));
  assert_fails(gd_extraction_check_room(1000, 1099, "here"), GD_ERR_IO,
               "here: the frames take about 1.0 kB");
  assert_fails(
      gd_extraction_check_room(INT64_C(4600000000), 2100000000, "here"),
      GD_ERR_IO, "but 2.1 GB are free");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(disk_without_room_is_an_error_that_tells_both_sizes),
    cmocka_unit_test(pieces_are_the_whole_video_and_end_at_cuts),
    cmocka_unit_test(long_video_is_cut_and_short_one_is_not),
    cmocka_unit_test(pieces_take_about_the_same_time),
    cmocka_unit_test(frames_outside_the_span_of_time_are_no_pieces),
    cmocka_unit_test(frames_that_only_decoding_tells_are_estimated),
    cmocka_unit_test(unit_follows_the_corpus_within_bounds),
    cmocka_unit_test(shards_have_one_frame_size_and_keep_to_the_limits),
    cmocka_unit_test(plan_does_not_depend_on_the_order_of_arrival),
    cmocka_unit_test(neighbouring_pieces_of_a_video_are_read_as_one),
};

gd_test_main(tests)
