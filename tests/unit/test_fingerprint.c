#include "gradus/fingerprint.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "test.h"

enum { LARGEST = 50000 };

static unsigned char bytes[LARGEST];

/* Write n bytes that follow from the seed, changed at one place (-1: none). */
static const char *write_file(const char *name, int n, unsigned seed, int at)
{
  const char *path = gd_test_path(name);
  for (int i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    bytes[i] = (unsigned char)(seed >> 24);
  }
  if (at >= 0)
    bytes[at] ^= 1;
  assert_ok(gd_file_write(path, bytes, (size_t)n));
  return path;
}

static gd_fingerprint take(const char *path)
{
  gd_fingerprint f;
  assert_ok(gd_fingerprint_take(path, &f));
  return f;
}

static void set_time(const char *path, long seconds)
{
  const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void copies_are_the_same_whatever_their_time(void **state)
{
  (void)state;
  const int sizes[] = {0, 1, 4096, 12287, 12288, 12289, LARGEST};
  for (int i = 0; i < 7; i++) {
    const char *a = write_file("a", sizes[i], 1, -1);
    const char *b = write_file("b", sizes[i], 1, -1);
    set_time(a, 1000);
    set_time(b, 2000);
    const gd_fingerprint x = take(a), y = take(b);
    assert_int_equal(x.size_bytes, sizes[i]);
    assert_true(gd_fingerprint_same(&x, &y));
    assert_true(x.modified_ns != y.modified_ns);
  }
}

/* Every byte of a small file; of a large one those at both ends and about the
 * middle. */
static void changed_byte_is_seen(void **state)
{
  (void)state;
  const struct {
    int size, at;
  } changes[] = {{1, 0},
                 {12288, 0},
                 {12288, 5000},
                 {12288, 12287},
                 {LARGEST, 0},
                 {LARGEST, LARGEST / 2},
                 {LARGEST, LARGEST - 1}};
  for (int i = 0; i < 7; i++) {
    const gd_fingerprint x = take(write_file("a", changes[i].size, 1, -1));
    const gd_fingerprint y =
        take(write_file("b", changes[i].size, 1, changes[i].at));
    assert_false(gd_fingerprint_same(&x, &y));
  }
}

static void longer_file_of_zeros_is_another(void **state)
{
  (void)state;
  memset(bytes, 0, sizeof bytes);
  assert_ok(gd_file_write(gd_test_path("a"), bytes, 40000));
  assert_ok(gd_file_write(gd_test_path("b"), bytes, 40001));
  const gd_fingerprint x = take(gd_test_path("a")), y = take(gd_test_path("b"));
  assert_false(gd_fingerprint_same(&x, &y));
}

static void what_is_no_readable_file_is_an_error(void **state)
{
  (void)state;
  gd_fingerprint f;
  assert_fails(gd_fingerprint_take(gd_test_path("none"), &f), GD_ERR_IO,
               "No such file");
  assert_int_equal(f.size_bytes, -1);
  assert_fails(gd_fingerprint_take(gd_test_directory(), &f), GD_ERR_IO,
               "not a regular file");
  assert_int_equal(mkfifo(gd_test_path("fifo"), 0600), 0);
  assert_fails(gd_fingerprint_take(gd_test_path("fifo"), &f), GD_ERR_IO,
               "not a regular file");
}

static void check_tells_touched_from_replaced(void **state)
{
  (void)state;
  int touched;
  const char *path = write_file("video", LARGEST, 1, -1);
  set_time(path, 1000);
  const gd_fingerprint before = take(path);
  assert_ok(gd_fingerprint_check(path, &before, &touched));
  assert_false(touched);
  set_time(path, 2000);
  assert_ok(gd_fingerprint_check(path, &before, &touched));
  assert_true(touched);
  write_file("video", LARGEST, 2, -1);
  set_time(path, 3000);
  assert_fails(gd_fingerprint_check(path, &before, &touched), GD_ERR_FORMAT,
               "replaced by another file of 50000 bytes");
  write_file("video", 100, 1, -1);
  assert_fails(gd_fingerprint_check(path, &before, &touched), GD_ERR_FORMAT,
               "has been replaced: 100 bytes, it had 50000");
  assert_ok(gd_file_remove(path));
  assert_fails(gd_fingerprint_check(path, &before, &touched), GD_ERR_IO,
               "No such file");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(copies_are_the_same_whatever_their_time),
    cmocka_unit_test(changed_byte_is_seen),
    cmocka_unit_test(longer_file_of_zeros_is_another),
    cmocka_unit_test(what_is_no_readable_file_is_an_error),
    cmocka_unit_test(check_tells_touched_from_replaced),
};

gd_test_main(tests)
