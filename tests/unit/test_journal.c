#include "gradus/file.h"
#include "gradus/journal.h"
#include "gradus/text.h"
#include "test.h"
#include "train/events.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 5 };
static const char LINES[] = "metrics.jsonl";
static const char EVENTS[] = "events.out.tfevents.gradus";

/* Three steps, and what ends their epoch. */
static const gd_metrics_row rows[N] = {
    {1, 1, GD_METRICS_BATCH, 0.5, 1.25, 2, 1e-4},
    {1, 2, GD_METRICS_BATCH, 0.25, 1, 1.5, 1e-4},
    {1, 3, GD_METRICS_BATCH, 0.125, 0.75, 1, 5e-5},
    {1, 3, GD_METRICS_TRAIN, 0.375, 1, 1.625, 5e-5},
    {1, 3, GD_METRICS_DEV, NAN, 2.5, 3, NAN}};
static const gd_journal_pace pace = {3.5, 14.25, 0.125, 0.0625};

static void clear(void)
{
  assert_ok(gd_file_remove(gd_test_path(LINES)));
  assert_ok(gd_file_remove(gd_test_path(EVENTS)));
}

/* Begin with rows[0 .. n_before), add up to rows[0 .. n). */
static void write_rows(int n_before, int n)
{
  gd_journal *j;
  assert_ok(gd_journal_begin(gd_test_path(""), rows, n_before, &j));
  for (int i = n_before; i < n; i++)
    assert_ok(gd_journal_add(j, &rows[i], &pace));
  gd_journal_end(j);
}

static char *whole(const char *name, size_t *n_bytes)
{
  char *bytes;
  assert_ok(gd_file_read(gd_test_path(name), 1 << 20, &bytes, n_bytes));
  return bytes;
}

static void cut(const char *name, int64_t by)
{
  int64_t size, modified;
  assert_ok(gd_file_stat(gd_test_path(name), &size, &modified));
  assert_int_equal(truncate(gd_test_path(name), size - by), 0);
}

/* Each row is there once, in order, in both files, and nothing else is. */
static void assert_rows(int n, int n_known)
{
  size_t n_bytes;
  char *text = whole(LINES, &n_bytes), *line = text;
  for (int i = 0; i < n; i++) {
    char begin[64];
    snprintf(begin, sizeof begin, "{\"epoch\":1,\"step\":%.0f,\"split\":\"%s\"",
             rows[i].step,
             i < 3    ? "step"
             : i == 3 ? "train"
                      : "dev");
    assert_memory_equal(line, begin, strlen(begin));
    char *end = strchr(line, '\n');
    assert_non_null(end);
    *end = '\0';
    assert_true((strstr(line, "\"gradient_norm\":3.5,") != NULL) ==
                (i < n_known));
    line = end + 1;
  }
  assert_int_equal(*line, '\0');
  free(text);

  char *bytes = whole(EVENTS, &n_bytes), tag[64];
  int64_t step;
  size_t at = gd_events_look(bytes, n_bytes, &step, tag);
  assert_true(at > 0 && step == -1);
  for (int i = 0; i < n; i++) {
    const size_t more = gd_events_look(bytes + at, n_bytes - at, &step, tag);
    assert_true(more > 0);
    assert_int_equal(step, rows[i].step);
    assert_string_equal(tag, i < 3    ? "train/mae"
                             : i == 3 ? "epoch/mae"
                                      : "dev/mae");
    at += more;
  }
  assert_int_equal(at, n_bytes);
  free(bytes);
}

static void rows_are_lines_and_events(void **state)
{
  (void)state;
  clear();
  write_rows(0, N);
  assert_rows(N, N);
  size_t n_bytes;
  char *text = whole(LINES, &n_bytes);
  static const char first[] =
      "{\"epoch\":1,\"step\":1,\"split\":\"step\",\"loss\":0.5,\"mae\":1.25,"
      "\"rmse\":2,\"rate\":0.0001,\"gradient_norm\":3.5,\"images_per_s\":14.25,"
      "\"exchanging\":0.125,\"waiting\":0.0625,\"wall_s\":";
  assert_memory_equal(text, first, strlen(first));
  assert_non_null(strstr(text, "\"split\":\"dev\",\"loss\":null,\"mae\":2.5,"));
  free(text);
}

/* What a run that was killed has told of steps that are done again. */
static void later_rows_are_cut_off(void **state)
{
  (void)state;
  clear();
  write_rows(0, N);
  write_rows(2, 4);
  assert_rows(4, 4);
}

/* And what it had no time to tell. */
static void rows_that_are_missing_are_added(void **state)
{
  (void)state;
  clear();
  write_rows(0, 2);
  write_rows(4, 4);
  assert_rows(4, 2);
  clear();
  write_rows(3, 3);
  assert_rows(3, 0);
}

static void half_a_row_is_cut_off(void **state)
{
  (void)state;
  for (int by = 1; by < 60; by += 13) {
    clear();
    write_rows(0, 4);
    cut(LINES, by);
    cut(EVENTS, by);
    write_rows(N, N);
    assert_rows(N, 3);
  }
}

/* Of another training, or changed: nothing from there on is kept. */
static void row_that_differs_is_replaced(void **state)
{
  (void)state;
  clear();
  gd_metrics_row other = rows[1];
  other.step = 7;
  gd_journal *j;
  assert_ok(gd_journal_begin(gd_test_path(""), rows, 1, &j));
  assert_ok(gd_journal_add(j, &other, &pace));
  assert_ok(gd_journal_add(j, &rows[2], &pace));
  gd_journal_end(j);
  write_rows(3, 3);
  assert_rows(3, 0);
  assert_ok(gd_file_write(gd_test_path(EVENTS), "no event", 8));
  assert_ok(gd_file_write(gd_test_path(LINES), "\n", 1));
  write_rows(3, 3);
  assert_rows(3, 0);
}

static void damaged_record_is_none(void **state)
{
  (void)state;
  int64_t step;
  char tag[64];
  gd_text t = {0};
  gd_events_add(1.0, 2, 1, &(gd_scalar){"a", 3}, &t);
  assert_int_equal(gd_events_look(t.data, t.length_bytes, &step, tag),
                   t.length_bytes);
  assert_int_equal(step, 2);
  for (size_t i = 0; i < t.length_bytes; i++) {
    t.data[i] ^= 1;
    assert_int_equal(gd_events_look(t.data, t.length_bytes, &step, tag), 0);
    t.data[i] ^= 1;
  }
  gd_text_free(&t);
}

static void journal_that_cannot_be_written_says_where(void **state)
{
  (void)state;
  gd_journal *j;
  assert_fails(gd_journal_begin(gd_test_path("nowhere"), rows, 0, &j),
               GD_ERR_IO, "nowhere/metrics.jsonl: cannot write");
  assert_null(j);
  gd_journal_end(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_are_lines_and_events),
    cmocka_unit_test(later_rows_are_cut_off),
    cmocka_unit_test(rows_that_are_missing_are_added),
    cmocka_unit_test(half_a_row_is_cut_off),
    cmocka_unit_test(row_that_differs_is_replaced),
    cmocka_unit_test(damaged_record_is_none),
    cmocka_unit_test(journal_that_cannot_be_written_says_where),
};

gd_test_main(tests)
