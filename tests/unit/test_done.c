#include "gradus/done.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stores.h"
#include "test.h"

static const gd_digest digest = {0x0123456789abcdef, 0xfedcba9876543210};

/* A run directory with a store, a text in a folder, and housekeeping. */
static const char *make_run(const char *name)
{
  char path[GD_PATH_MAX];
  const char *run = gd_test_path(name);
  static const char *const files[] = {
      "sub/pre dictions.csv", "log.txt",  "units",         "x.part",
      "stage.yaml",           ".nfs0001", "sub/.x.csv.swp"};
  assert_ok(gd_path_join(run, "sub", path));
  assert_ok(gd_directory_make(path));
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    assert_ok(gd_path_join(run, files[i], path));
    assert_ok(gd_file_write(path, files[i], strlen(files[i])));
  }
  assert_ok(gd_path_join(run, "a.h5", path));
  assert_ok(gd_test_store(path, digest, 7, NULL));
  return run;
}

static void write_done(const char *run)
{
  assert_ok(gd_done_make(run, digest, 12, 3));
}

static void done_reads_back_with_results_and_no_housekeeping(void **state)
{
  (void)state;
  const char *run = make_run("one");
  gd_done *d;
  write_done(run);
  assert_ok(gd_done_read(run, &d));
  assert_true(gd_digest_equal(d->digest, digest));
  assert_int_equal(d->n_items, 12);
  assert_int_equal(d->n_skipped, 3);
  assert_int_equal(d->n_files, 2);
  assert_string_equal(d->files[0].name, "a.h5");
  assert_string_equal(d->files[1].name, "sub/pre dictions.csv");
  for (int i = 0; i < 2; i++) {
    assert_true(gd_done_unchanged(run, &d->files[i]));
    assert_ok(gd_done_verify(run, &d->files[i]));
  }
  gd_done_free(d);
}

static void changed_and_missing_results_are_found(void **state)
{
  (void)state;
  const char *run = make_run("two");
  gd_done *d;
  write_done(run);
  assert_ok(gd_done_read(run, &d));
  gd_test_flip(gd_test_path("two/sub/pre dictions.csv"), 3);
  gd_test_flip(gd_test_path("two/a.h5"), 600);
  for (int i = 0; i < 2; i++) {
    assert_false(gd_done_unchanged(run, &d->files[i]));
    assert_fails(gd_done_verify(run, &d->files[i]), GD_ERR_FORMAT,
                 d->files[i].name);
  }
  assert_ok(gd_file_remove(gd_test_path("two/a.h5")));
  assert_false(gd_done_unchanged(run, &d->files[0]));
  assert_fails(gd_done_verify(run, &d->files[0]), GD_ERR_IO, "a.h5");
  assert_int_equal(truncate(gd_test_path("two/sub/pre dictions.csv"), 4), 0);
  assert_fails(gd_done_verify(run, &d->files[1]), GD_ERR_FORMAT, "4 bytes");
  gd_done_free(d);
}

static void truncated_or_garbled_done_is_refused(void **state)
{
  (void)state;
  const char *run = make_run("three");
  const char *path = gd_test_path("three/done");
  char *text;
  size_t length;
  gd_done *d;
  write_done(run);
  assert_ok(gd_file_read(path, 10000, &text, &length));
  for (size_t n = 0; n < length; n++) {
    assert_ok(gd_file_write(path, text, n));
    assert_fails(gd_done_read(run, &d), GD_ERR_FORMAT, "/done: ");
    assert_null(d);
  }
  for (size_t n = 0; n < length; n++) {
    char *garbled = malloc(length);
    memcpy(garbled, text, length);
    garbled[n] = '\n';
    assert_ok(gd_file_write(path, garbled, length));
    if (gd_done_read(run, &d) == GD_OK)
      gd_done_free(d);
    free(garbled);
  }
  *(strstr(text, "digest ") + strlen("digest ")) = '-'; /* a sign is no digit */
  assert_ok(gd_file_write(path, text, length));
  assert_fails(gd_done_read(run, &d), GD_ERR_FORMAT, "/done: ");
  free(text);
  assert_fails(gd_done_read(gd_test_path("none"), &d), GD_ERR_IO,
               "No such file");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(done_reads_back_with_results_and_no_housekeeping),
    cmocka_unit_test(changed_and_missing_results_are_found),
    cmocka_unit_test(truncated_or_garbled_done_is_refused),
};

gd_test_main(tests)
