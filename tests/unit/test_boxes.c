#include "../../src/face/boxes.h"

#include <math.h>

#include "test.h"

static void add(gd_boxes *b, float x1, float y1, float x2, float y2,
                float score)
{
  gd_box *box;
  assert_ok(gd_boxes_add(b, &box));
  *box = (gd_box){.x1 = x1, .y1 = y1, .x2 = x2, .y2 = y2, .score = score};
}

static void sort_is_stable_for_every_length(void **state)
{
  (void)state;
  gd_boxes b = {0};
  for (int n = 0; n <= 40; n++) {
    b.n = 0;
    add(&b, -1, 0, 0, 0, 0);
    for (int i = 0; i < n; i++) {
      add(&b, (float)i, 0, 0, 0, 0);
      b.items[b.n - 1].key = (float)((i * 7) % 5);
    }
    gd_boxes_sort(&b, 1);
    assert_true(b.items[0].x1 == -1);
    for (int i = 2; i <= n; i++) {
      const gd_box *a = &b.items[i - 1], *c = &b.items[i];
      assert_true(a->key > c->key || (a->key == c->key && a->x1 < c->x1));
    }
  }
  gd_boxes_free(&b);
}

static void suppression_keeps_the_best_of_overlapping_boxes(void **state)
{
  (void)state;
  gd_boxes b = {0};
  add(&b, 0, 0, 10, 10, 0.8f);
  add(&b, 100, 0, 110, 10, 0.7f);
  add(&b, 1, 0, 11, 10, 0.9f); /* 90 of 110 with the first */
  add(&b, 0, 0, 10, 5, 0.6f);  /* half of the first: exactly the threshold */
  gd_boxes_suppress(&b, 0, GD_BY_UNION, 0.5f);
  assert_int_equal(b.n, 3);
  assert_true(b.items[0].score == 0.9f && b.items[1].score == 0.7f &&
              b.items[2].score == 0.6f);
  gd_boxes_free(&b);
}

static void overlap_by_the_smaller_box_counts_a_contained_one(void **state)
{
  (void)state;
  gd_boxes b = {0};
  add(&b, 0, 0, 100, 100, 0.9f);
  add(&b, 10, 10, 20, 20, 0.8f);
  gd_boxes_suppress(&b, 0, GD_BY_UNION, 0.7f);
  assert_int_equal(b.n, 2);
  gd_boxes_suppress(&b, 0, GD_BY_SMALLER, 0.7f);
  assert_int_equal(b.n, 1);
  gd_boxes_free(&b);
}

static void calibration_and_squaring_move_the_corners(void **state)
{
  (void)state;
  gd_boxes b = {0};
  add(&b, 10, 20, 29, 59, 1);
  b.items[0].offset[0] = 0.5f;
  b.items[0].offset[3] = -0.25f;
  gd_boxes_calibrate(&b, 1);
  assert_true(b.items[0].x1 == 20 && b.items[0].y2 == 49);
  gd_boxes_square(&b);
  assert_true(b.items[0].x1 == 10 && b.items[0].x2 == 39);
  assert_true(b.items[0].y1 == 20 && b.items[0].y2 == 49);
  gd_boxes_free(&b);
}

static void framed_box_crops_the_same_pixels(void **state)
{
  (void)state;
  gd_box box = {.x1 = -3.7f, .y1 = 5.6f, .x2 = 80.2f, .y2 = 30.9f};
  gd_window before, after;
  assert_true(gd_box_window(&box, 60, 50, &before));
  gd_box_frame(&box, before);
  assert_true(box.x1 == 1 && box.y1 == 5 && box.x2 == 60 && box.y2 == 30);
  assert_true(gd_box_window(&box, 60, 50, &after));
  assert_memory_equal(&before, &after, sizeof before);
}

static void window_is_clipped_truncated_and_one_based(void **state)
{
  (void)state;
  gd_window w;
  assert_true(gd_box_window(
      &(gd_box){.x1 = -3, .y1 = 5.9f, .x2 = 20.9f, .y2 = 999}, 64, 48, &w));
  assert_true(w.x0 == 0 && w.y0 == 4 && w.x1 == 20 && w.y1 == 48);
  assert_false(gd_box_window(&(gd_box){.x1 = 70, .y1 = 1, .x2 = 90, .y2 = 20},
                             64, 48, &w));
  assert_false(gd_box_window(&(gd_box){.x1 = -30, .y1 = 1, .x2 = -2, .y2 = 20},
                             64, 48, &w));
  assert_false(gd_box_window(&(gd_box){.x1 = NAN, .y1 = 1, .x2 = 9, .y2 = 20},
                             64, 48, &w));
  assert_false(gd_box_window(
      &(gd_box){.x1 = 1, .y1 = 1, .x2 = INFINITY, .y2 = 20}, 64, 48, &w));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sort_is_stable_for_every_length),
    cmocka_unit_test(suppression_keeps_the_best_of_overlapping_boxes),
    cmocka_unit_test(overlap_by_the_smaller_box_counts_a_contained_one),
    cmocka_unit_test(calibration_and_squaring_move_the_corners),
    cmocka_unit_test(framed_box_crops_the_same_pixels),
    cmocka_unit_test(window_is_clipped_truncated_and_one_based),
};

gd_test_main(tests)
