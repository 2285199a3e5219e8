#include "gradus/history.h"

#include <math.h>
#include <stdlib.h>

#include "test.h"

static void fill(gd_history *h)
{
  assert_ok(gd_history_reserve(h, 4));
  gd_history_add(h, &(gd_metrics_row){1, 1, GD_METRICS_BATCH, 4, 2, 3, 1e-4});
  gd_history_add(h, &(gd_metrics_row){1, 2, GD_METRICS_BATCH, 1, 1, 1, 5e-5});
}

static void epoch_is_the_mean_over_samples_not_steps(void **state)
{
  (void)state;
  gd_history h = {0};
  fill(&h);
  const gd_metrics_row row =
      gd_history_epoch(&h, 1, (const int64_t[]){3, 1}, 2);
  assert_true(fabs(row.loss - 13.0 / 4) < 1e-12);
  assert_true(fabs(row.mae - 7.0 / 4) < 1e-12);
  assert_true(fabs(row.rmse - sqrt((27 + 1) / 4.0)) < 1e-12);
  assert_true(row.epoch == 1 && row.step == 2 && row.rate == 5e-5);
  assert_true(row.split == GD_METRICS_TRAIN);
  gd_history_free(&h);
}

static void reserving_keeps_the_rows(void **state)
{
  (void)state;
  gd_history h = {0};
  fill(&h);
  const int64_t room = h.room;
  assert_ok(gd_history_reserve(&h, room - h.n)); /* is there */
  assert_int_equal(h.room, room);
  for (int64_t n = 2; n < 1000; n++) {
    assert_ok(gd_history_reserve(&h, 1));
    gd_history_add(&h, &(gd_metrics_row){.step = (double)n});
  }
  assert_true(h.room <= 2 * h.n);
  assert_true(h.rows[0].rate == 1e-4 && h.rows[1].rate == 5e-5);
  for (int64_t n = 2; n < 1000; n++)
    assert_true(h.rows[n].step == (double)n);
  gd_history_free(&h);
}

static void files_hold_epochs_and_steps(void **state)
{
  (void)state;
  gd_history h = {0};
  char *text;
  fill(&h);
  gd_history_add(
      &h, &(gd_metrics_row){1, 2, GD_METRICS_TRAIN, 3.25, 1.75, 2.5, 5e-5});
  gd_history_add(
      &h, &(gd_metrics_row){1, 2, GD_METRICS_DEV, NAN, 6.5, 1.0 / 3, NAN});
  gd_publisher *p;
  assert_ok(gd_publisher_new(&p));
  assert_ok(gd_history_write(&h, gd_test_directory(), p));
  assert_false(gd_path_exists(gd_test_path("metrics.csv")));
  assert_ok(gd_publisher_start(p));
  assert_ok(gd_publisher_wait(p));
  gd_publisher_free(p);
  assert_ok(gd_file_read(gd_test_path("metrics.csv"), 4096, &text, NULL));
  assert_string_equal(text, "epoch,step,split,loss,mae,rmse,rate\n"
                            "1,2,train,3.25,1.75,2.5,5e-05\n"
                            "1,2,dev,,6.5,0.333333333,\n");
  free(text);
  assert_ok(gd_file_read(gd_test_path("steps.csv"), 4096, &text, NULL));
  assert_string_equal(text, "epoch,step,loss,mae,rmse,rate\n"
                            "1,1,4,2,3,0.0001\n"
                            "1,2,1,1,1,5e-05\n");
  free(text);
  gd_history_free(&h);
}

static void history_without_a_directory_fails(void **state)
{
  (void)state;
  gd_history h = {0};
  gd_publisher *p;
  fill(&h);
  assert_ok(gd_publisher_new(&p));
  assert_fails(gd_history_write(&h, gd_test_path("nowhere"), p), GD_ERR_IO,
               "nowhere/metrics.csv");
  gd_publisher_free(p);
  gd_history_free(&h);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(epoch_is_the_mean_over_samples_not_steps),
    cmocka_unit_test(reserving_keeps_the_rows),
    cmocka_unit_test(files_hold_epochs_and_steps),
    cmocka_unit_test(history_without_a_directory_fails),
};

gd_test_main(tests)
