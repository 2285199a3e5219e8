#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/store.h"

#include <hdf5.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gradus/text.h"
#include "test.h"

enum { ROWS = 37 };
static const gd_dataset PIXELS = {
    .name = "faces", .dtype = GD_U8, .rank = 4, .dims = {0, 5, 5, 3}};
static const gd_dataset TIMES = {
    .name = "time_s", .dtype = GD_F64, .rank = 1, .dims = {0}, .unit = "s"};

static void fill(uint8_t *pixels, double *times)
{
  for (int i = 0; i < ROWS * 75; i++)
    pixels[i] = (uint8_t)(i * 7);
  for (int i = 0; i < ROWS; i++)
    times[i] = 0.1 * i;
}

/* Write a store in pieces of `piece` rows. */
static gd_status write_store(const char *path, int piece)
{
  uint8_t pixels[ROWS * 75];
  double times[ROWS];
  const char *const texts[] = {"a", "longer text", ""};
  fill(pixels, times);
  gd_store_writer *w;
  gd_status st = gd_store_create(path, "gradus-test", 2, (gd_digest){1, 2}, &w);
  if (st != GD_OK)
    return st;
  st = gd_store_declare(w, &PIXELS, 300);
  if (st == GD_OK)
    st = gd_store_declare(w, &TIMES, 64);
  for (int i = 0; st == GD_OK && i < ROWS; i += piece) {
    const int n = ROWS - i < piece ? ROWS - i : piece;
    st = gd_store_append(w, "faces", n, pixels + 75 * i);
    if (st == GD_OK)
      st = gd_store_append(w, "time_s", n, times + i);
  }
  if (st == GD_OK)
    st = gd_store_put_texts(w, "videos/id", 3, texts);
  if (st == GD_OK)
    st = gd_store_set_int(w, "size_px", 5);
  if (st == GD_OK)
    st = gd_store_set_real(w, "rate", 2.5);
  if (st == GD_OK)
    st = gd_store_skip(w, "x.avi", "x.avi: no video stream");
  return gd_store_end(w, st);
}

/* Debian's HDF5 has no locks: without ours, this crashes or tells nonsense. */
static atomic_int is_written;

static void *read_again_and_again(void *path)
{
  gd_status st = GD_OK;
  while (st == GD_OK && !is_written)
    st = gd_store_verify(path);
  return st == GD_OK ? path : NULL;
}

static void threads_may_read_and_write_at_once(void **state)
{
  (void)state;
  char path[GD_PATH_MAX];
  pthread_t threads[2];
  void *ends[2];
  snprintf(path, sizeof path, "%s", gd_test_path("read.h5"));
  assert_ok(write_store(path, 5));
  for (int i = 0; i < 2; i++)
    assert_int_equal(
        pthread_create(&threads[i], NULL, read_again_and_again, path), 0);
  for (int i = 0; i < 20; i++)
    assert_ok(write_store(gd_test_path("written.h5"), 1));
  is_written = 1;
  for (int i = 0; i < 2; i++) {
    pthread_join(threads[i], &ends[i]);
    assert_non_null(ends[i]);
  }
}

static void store_reads_back_what_was_written(void **state)
{
  (void)state;
  uint8_t pixels[ROWS * 75], read[ROWS * 75];
  double times[ROWS], part[10];
  fill(pixels, times);
  const char *path = gd_test_path("a.h5");
  assert_ok(write_store(path, 5));

  gd_store *s;
  assert_ok(gd_store_open(path, "gradus-test", 2, &s));
  assert_ok(gd_store_read(s, &PIXELS, 0, ROWS, read));
  assert_memory_equal(read, pixels, sizeof pixels);
  assert_ok(gd_store_read(s, &TIMES, 20, 10, part));
  assert_memory_equal(part, times + 20, sizeof part);
  char text[32], item[GD_STORE_NAME_MAX * 8], reason[1024];
  assert_ok(gd_store_read_text(s, "videos/id", 1, text, sizeof text));
  assert_string_equal(text, "longer text");
  assert_ok(gd_store_read_text(s, "videos/id", 2, text, sizeof text));
  assert_string_equal(text, "");
  int64_t size;
  double rate;
  assert_ok(gd_store_get_int(s, "size_px", &size));
  assert_ok(gd_store_get_real(s, "rate", &rate));
  assert_int_equal(size, 5);
  assert_true(rate == 2.5);
  assert_true(gd_digest_equal(gd_store_digest(s), (gd_digest){1, 2}));
  assert_int_equal(gd_store_n_skipped(s), 1);
  assert_ok(gd_store_read_skipped(s, 0, item, reason));
  assert_string_equal(item, "x.avi");
  assert_string_equal(reason, "x.avi: no video stream");
  gd_store_close(s);
  assert_ok(gd_store_verify(path));
}

static gd_status join(void *context, const char *item, const char *reason)
{
  gd_text_printf(context, "%s: %s;", item, reason);
  return strcmp(item, "b") == 0 ? gd_fail(GD_ERR_DECODE, "enough") : GD_OK;
}

static void skipped_items_are_visited_until_one_fails(void **state)
{
  (void)state;
  const char *const items[] = {"z", "a", "b", "c"};
  const char *path = gd_test_path("each.h5");
  gd_text seen = {0};
  gd_store_writer *w;
  gd_store *s;
  assert_ok(gd_store_create(path, "gradus-test", 2, (gd_digest){1, 2}, &w));
  for (int i = 0; i < 4; i++)
    assert_ok(gd_store_skip(w, items[i], "broken"));
  assert_ok(gd_store_commit(w));
  assert_ok(gd_store_open(path, "gradus-test", 2, &s));
  assert_fails(gd_store_each_skipped(s, join, &seen), GD_ERR_DECODE, "enough");
  assert_string_equal(gd_text_get(&seen), "z: broken;a: broken;b: broken;");
  gd_text_free(&seen);
  gd_store_close(s);
}

static void reason_that_is_too_long_is_cut_between_characters(void **state)
{
  (void)state;
  char item[GD_STORE_NAME_MAX * 8], reason[1024], text[2000] = "";
  const char *path = gd_test_path("long.h5");
  gd_store_writer *w;
  gd_store *s;
  while (strlen(text) + 2 < sizeof text)
    strcat(text, "\u00e9");
  assert_ok(gd_store_create(path, "gradus-test", 2, (gd_digest){1, 2}, &w));
  assert_ok(gd_store_skip(w, "x.avi", text));
  assert_ok(gd_store_commit(w));
  assert_ok(gd_store_open(path, "gradus-test", 2, &s));
  assert_ok(gd_store_read_skipped(s, 0, item, reason));
  assert_int_equal(strlen(reason), 1022);
  assert_memory_equal(reason, text, 1022);
  gd_store_close(s);
}

static void end_of_a_store_tells_how_it_was_written(void **state)
{
  (void)state;
  const char *path = gd_test_path("end.h5"),
             *part = gd_test_path("end.h5.part");
  gd_store_writer *w;
  assert_ok(gd_store_create(path, "gradus-test", 2, (gd_digest){1, 2}, &w));
  assert_true(gd_path_exists(part));
  assert_fails(gd_store_end(w, gd_fail(GD_ERR_DECODE, "no picture")),
               GD_ERR_DECODE, "no picture");
  assert_false(gd_path_exists(path) || gd_path_exists(part));
  assert_fails(gd_store_end(NULL, gd_fail(GD_ERR_NOMEM, "too large")),
               GD_ERR_NOMEM, "too large");
  assert_ok(gd_store_create(path, "gradus-test", 2, (gd_digest){1, 2}, &w));
  assert_ok(gd_store_end(w, GD_OK));
  assert_ok(gd_store_verify(path));
}

static void bytes_do_not_depend_on_the_pieces(void **state)
{
  (void)state;
  gd_digest a, b;
  assert_ok(write_store(gd_test_path("p1.h5"), 1));
  assert_ok(write_store(gd_test_path("p37.h5"), 37));
  assert_ok(gd_digest_of_file(gd_test_path("p1.h5"), &a));
  assert_ok(gd_digest_of_file(gd_test_path("p37.h5"), &b));
  assert_true(gd_digest_equal(a, b));
}

static void wrong_expectations_are_named(void **state)
{
  (void)state;
  const char *path = gd_test_path("w.h5");
  gd_store *s;
  uint8_t row[75];
  assert_ok(write_store(path, 5));
  assert_fails(gd_store_open(path, "gradus-faces", 1, &s), GD_ERR_FORMAT,
               "is a gradus-test file, expected gradus-faces");
  assert_fails(gd_store_open(path, "gradus-test", 1, &s), GD_ERR_FORMAT,
               "newer");
  assert_fails(gd_store_open(gd_test_path("none.h5"), NULL, 1, &s), GD_ERR_IO,
               "none.h5");
  assert_ok(gd_file_write(gd_test_path("text.h5"), "hello", 5));
  assert_fails(gd_store_open(gd_test_path("text.h5"), NULL, 1, &s),
               GD_ERR_FORMAT, "no HDF5 file");
  assert_ok(gd_store_open(path, "gradus-test", 2, &s));
  gd_dataset other = PIXELS;
  other.dims[1] = 6;
  assert_fails(gd_store_read(s, &other, 0, 1, row), GD_ERR_FORMAT,
               "/faces is uint8 (rows, 5, 5, 3), expected uint8 (rows, 6, 5, "
               "3)");
  assert_fails(gd_store_read(s, &PIXELS, ROWS, 1, row), GD_ERR_FORMAT,
               "37 rows");
  other.name = "boxes";
  assert_fails(gd_store_read(s, &other, 0, 1, row), GD_ERR_FORMAT,
               "no dataset /boxes");
  gd_store_close(s);
}

/* A byte that is flipped anywhere is found, or was never part of what is read:
 * then everything still reads as written. */
static void flipped_bytes_and_truncation_are_found(void **state)
{
  (void)state;
  const char *path = gd_test_path("f.h5"), *bad = gd_test_path("bad.h5");
  char *data;
  size_t size, found = 0, tried = 0;
  assert_ok(write_store(path, 5));
  assert_ok(gd_file_read(path, 1 << 20, &data, &size));
  for (size_t i = 0; i < size; i += 37) {
    data[i] ^= 0x10;
    assert_ok(gd_file_write(bad, data, size));
    data[i] ^= 0x10;
    tried++;
    if (gd_store_verify(bad) != GD_OK)
      found++;
    else {
      gd_store *s;
      uint8_t pixels[ROWS * 75], read[ROWS * 75];
      double times[ROWS];
      fill(pixels, times);
      assert_ok(gd_store_open(bad, "gradus-test", 2, &s));
      assert_ok(gd_store_read(s, &PIXELS, 0, ROWS, read));
      assert_memory_equal(read, pixels, sizeof pixels);
      gd_store_close(s);
    }
  }
  assert_true(found > tried / 3);
  for (size_t cut = 0; cut < size; cut += 397) {
    assert_ok(gd_file_write(bad, data, cut));
    gd_status st = gd_store_verify(bad);
    assert_int_equal(st, GD_ERR_FORMAT);
  }
  free(data);
}

/* ------------------------------------------------------------ other's files */

/* Write an attribute of n values, each a number or a text of 32 bytes. */
static void add_attribute(hid_t object, const char *name, int is_text,
                          hsize_t n)
{
  void *values = gd_alloc((int64_t)n, 32);
  hid_t type = H5Tcopy(is_text ? H5T_C_S1 : H5T_NATIVE_INT64);
  if (is_text)
    H5Tset_size(type, 32);
  hid_t space = H5Screate_simple(1, &n, NULL);
  hid_t a = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(a >= 0 && H5Awrite(a, type, values) >= 0);
  H5Aclose(a);
  H5Sclose(space);
  H5Tclose(type);
  free(values);
}

static void add_dataset(hid_t file, const char *name, int rank,
                        const hsize_t *dims, int has_digest)
{
  hid_t space =
      rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, NULL);
  hid_t set = H5Dcreate2(file, name, H5T_NATIVE_FLOAT, space, H5P_DEFAULT,
                         H5P_DEFAULT, H5P_DEFAULT);
  assert_true(set >= 0);
  if (has_digest)
    add_attribute(set, "xxh128", 1, 1);
  H5Dclose(set);
  H5Sclose(space);
}

static hid_t create_file(const char *path)
{
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(file >= 0);
  return file;
}

static void attribute_of_many_values_is_refused(void **state)
{
  (void)state;
  const char *path = gd_test_path("many.h5");
  gd_store *s;
  int64_t size_px;
  hid_t file = create_file(path);
  add_attribute(file, "format", 1, 1900);
  add_attribute(file, "size_px", 0, 7900);
  H5Fclose(file);
  assert_fails(gd_store_verify(path), GD_ERR_FORMAT, "no file of gradus");
  assert_ok(gd_store_open(path, NULL, 0, &s));
  assert_fails(gd_store_get_int(s, "size_px", &size_px), GD_ERR_FORMAT,
               "size_px");
  gd_store_close(s);
}

static void dataset_without_bytes_in_a_row_is_refused(void **state)
{
  (void)state;
  const char *path = gd_test_path("empty_rows.h5");
  const hsize_t dims[] = {5, 0};
  hid_t file = create_file(path);
  add_attribute(file, "format", 1, 1);
  add_dataset(file, "a", 2, dims, 1);
  H5Fclose(file);
  gd_store *s;
  gd_dataset d;
  assert_ok(gd_store_open(path, NULL, 0, &s));
  assert_fails(gd_store_describe(s, "a", &d), GD_ERR_FORMAT, "shape");
  gd_store_close(s);
}

static gd_status count(void *n, const gd_dataset *d)
{
  assert_string_equal(d->name, "weights");
  ++*(int *)n;
  return GD_OK;
}

static void what_no_store_has_is_passed_over_in_others_files(void **state)
{
  (void)state;
  const char *path = gd_test_path("keras.h5");
  const hsize_t dims[] = {5, 4};
  hid_t file = create_file(path);
  add_dataset(file, "iterations:0", 0, NULL, 0);
  add_dataset(file, "weights", 2, dims, 0);
  H5Fclose(file);
  gd_store *s;
  int n = 0;
  assert_ok(gd_store_open(path, NULL, 0, &s));
  assert_ok(gd_store_each(s, count, &n));
  assert_int_equal(n, 1);
  gd_store_close(s);
}

/* A file size limit stands in for a full disk: writes fail the same way. */
static void full_disk_leaves_no_file(void **state)
{
  (void)state;
  struct rlimit old, small = {2048, 0};
  getrlimit(RLIMIT_FSIZE, &old);
  small.rlim_max = old.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  gd_status st = write_store(gd_test_path("full.h5"), 5);
  setrlimit(RLIMIT_FSIZE, &old);
  assert_int_equal(st, GD_ERR_IO);
  assert_true(gd_test_has(gd_reason(), "full.h5"));
  assert_true(gd_test_has(gd_reason(), "File too large"));
  assert_false(gd_path_exists(gd_test_path("full.h5")));
  assert_false(gd_path_exists(gd_test_path("full.h5.part")));
}

static gd_status count_dataset(void *context, const gd_dataset *d)
{
  char *names = context;
  strcat(names, d->name);
  strcat(names, ";");
  return GD_OK;
}

static void walk_visits_datasets_by_name(void **state)
{
  (void)state;
  char names[200] = "";
  gd_store *s;
  assert_ok(write_store(gd_test_path("n.h5"), 5));
  assert_ok(gd_store_open(gd_test_path("n.h5"), NULL, 0, &s));
  assert_ok(gd_store_each(s, count_dataset, names));
  assert_string_equal(names,
                      "faces;skipped/item;skipped/reason;time_s;videos/id;");
  gd_store_close(s);
}

static gd_status append_rows(gd_store_writer *w, int first, int n)
{
  static uint8_t pixels[ROWS * 75];
  static double times[ROWS];
  fill(pixels, times);
  gd_status st = gd_store_append(w, "faces", n, pixels + 75 * first);
  return st == GD_OK ? gd_store_append(w, "time_s", n, times + first) : st;
}

/* Write all rows; on the way, append some that are forgotten again. */
static gd_digest write_rewinding(const char *name, int n_forgotten)
{
  gd_store_writer *w;
  gd_digest digest;
  assert_ok(gd_store_create(gd_test_path(name), "gradus-test", 2,
                            (gd_digest){1, 2}, &w));
  assert_ok(gd_store_declare(w, &PIXELS, 300));
  assert_ok(gd_store_declare(w, &TIMES, 64));
  assert_ok(append_rows(w, 20, n_forgotten));
  assert_ok(gd_store_rewind(w));
  assert_ok(append_rows(w, 0, 10));
  gd_store_mark(w);
  for (int i = 0; i < 3; i++) {
    assert_ok(append_rows(w, 0, n_forgotten));
    assert_ok(append_rows(w, 7, n_forgotten));
    assert_ok(gd_store_rewind(w));
  }
  assert_ok(append_rows(w, 10, ROWS - 10));
  assert_ok(gd_store_commit(w));
  assert_ok(gd_store_verify(gd_test_path(name)));
  assert_ok(gd_digest_of_file(gd_test_path(name), &digest));
  return digest;
}

static void rewound_rows_leave_no_trace(void **state)
{
  (void)state;
  const gd_digest plain = write_rewinding("plain.h5", 0);
  for (int n = 1; n <= 17; n += 4)
    assert_true(gd_digest_equal(write_rewinding("rewound.h5", n), plain));
}

/* ------------------------------------------------------- reserved datasets */

enum { N_A = 2500, N_B = 3 }; /* three blocks, and one that is not full */
static const gd_dataset A = {
    .name = "a", .dtype = GD_F32, .rank = 1, .dims = {N_A}};
static const gd_dataset B = {
    .name = "group/b", .dtype = GD_F32, .rank = 2, .dims = {N_B, 2}};

/* Write the floats 0, 1, ... of both, from block `begin` of the first on. */
static void write_reserved(const char *path, int64_t begin, float *values)
{
  gd_store_writer *w;
  gd_store_place a, b;
  char part[GD_PATH_MAX];
  for (int i = 0; i < N_A; i++)
    values[i] = (float)i;
  assert_ok(gd_store_create(path, "gradus-test", 2, (gd_digest){1, 2}, &w));
  assert_ok(gd_store_expect_blocks(w, 4));
  assert_ok(gd_store_reserve(w, &A, &a));
  assert_ok(gd_store_reserve(w, &B, &b));
  assert_ok(gd_store_finish(w));
  const int64_t cut = begin * GD_STORE_BLOCK_BYTES;
  const gd_store_run runs[] = {
      {{a.values + cut, a.digests + begin * (int64_t)sizeof(gd_digest)},
       (int64_t)sizeof(float) * N_A - cut,
       (const char *)values + cut},
      {b, 2 * N_B * (int64_t)sizeof(float), values},
  };
  assert_ok(gd_store_fill(path, 2, runs));
  if (begin > 0) { /* the rest, as another process would */
    const gd_store_run rest = {a, cut, values};
    assert_ok(gd_store_fill(path, 1, &rest));
  }
  assert_ok(gd_file_part(path, part));
  assert_int_equal(rename(part, path), 0);
}

static void reserved_values_can_come_in_any_parts(void **state)
{
  (void)state;
  static float values[N_A], read[N_A];
  gd_digest whole, parts;
  gd_store *s;
  write_reserved(gd_test_path("whole.h5"), 0, values);
  write_reserved(gd_test_path("parts.h5"), 2, values);
  assert_ok(gd_digest_of_file(gd_test_path("whole.h5"), &whole));
  assert_ok(gd_digest_of_file(gd_test_path("parts.h5"), &parts));
  assert_true(gd_digest_equal(whole, parts));
  assert_ok(gd_store_verify(gd_test_path("parts.h5")));
  assert_ok(gd_store_open(gd_test_path("parts.h5"), NULL, 0, &s));
  assert_ok(gd_store_read(s, &A, 0, N_A, read));
  assert_memory_equal(read, values, sizeof values);
  assert_ok(gd_store_read(s, &B, 0, N_B, read));
  assert_memory_equal(read, values, 2 * N_B * sizeof(float));
  gd_store_close(s);
}

/* Every flipped byte of a value is found, and values that never came. */
static void reserved_values_that_are_not_right_are_found(void **state)
{
  (void)state;
  static float values[N_A];
  const char *path = gd_test_path("right.h5"), *bad = gd_test_path("wrong.h5");
  char *data;
  size_t size, first = 0;
  write_reserved(path, 0, values);
  assert_ok(gd_file_read(path, 1 << 20, &data, &size));
  while (memcmp(data + first, values, sizeof values) != 0)
    first++;
  for (size_t i = 0; i < sizeof values; i += 499) {
    data[first + i] ^= 0x10;
    assert_ok(gd_file_write(bad, data, size));
    data[first + i] ^= 0x10;
    assert_fails(gd_store_verify(bad), GD_ERR_FORMAT, "/a is damaged");
  }
  memset(data + first + GD_STORE_BLOCK_BYTES, 0, GD_STORE_BLOCK_BYTES);
  assert_ok(gd_file_write(bad, data, size));
  assert_fails(gd_store_verify(bad), GD_ERR_FORMAT, "/a is damaged");
  free(data);
}

/* HDF5 reads zeros beyond a file's end, and a chunk of zeros has the checksum
 * of one. */
static void store_that_is_cut_while_open_is_not_read_as_zeros(void **state)
{
  (void)state;
  const char *path = gd_test_path("cut.h5");
  gd_store *s;
  int64_t size_bytes;
  uint8_t row[75], pixels[ROWS * 75];
  double times[ROWS];
  fill(pixels, times);
  assert_ok(write_store(path, 5));
  assert_ok(gd_file_stat(path, &size_bytes, NULL));
  for (int k = 1; k < 8; k++) {
    assert_ok(write_store(path, 5));
    assert_ok(gd_store_open(path, "gradus-test", 2, &s));
    assert_ok(gd_store_read(s, &PIXELS, 0, 1, row)); /* where chunks are */
    assert_int_equal(truncate(path, (off_t)(size_bytes * k / 8)), 0);
    int n_failed = 0;
    for (int64_t i = 0; i < ROWS; i++) {
      if (gd_store_read(s, &PIXELS, i, 1, row) == GD_OK)
        assert_memory_equal(row, pixels + 75 * i, sizeof row);
      else
        n_failed += gd_test_has(gd_reason(), "cut.h5");
    }
    assert_true(k > 1 || n_failed > 0);
    gd_store_close(s);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(threads_may_read_and_write_at_once),
    cmocka_unit_test(store_reads_back_what_was_written),
    cmocka_unit_test(skipped_items_are_visited_until_one_fails),
    cmocka_unit_test(reason_that_is_too_long_is_cut_between_characters),
    cmocka_unit_test(end_of_a_store_tells_how_it_was_written),
    cmocka_unit_test(bytes_do_not_depend_on_the_pieces),
    cmocka_unit_test(rewound_rows_leave_no_trace),
    cmocka_unit_test(wrong_expectations_are_named),
    cmocka_unit_test(flipped_bytes_and_truncation_are_found),
    cmocka_unit_test(attribute_of_many_values_is_refused),
    cmocka_unit_test(dataset_without_bytes_in_a_row_is_refused),
    cmocka_unit_test(what_no_store_has_is_passed_over_in_others_files),
    cmocka_unit_test(full_disk_leaves_no_file),
    cmocka_unit_test(walk_visits_datasets_by_name),
    cmocka_unit_test(reserved_values_can_come_in_any_parts),
    cmocka_unit_test(reserved_values_that_are_not_right_are_found),
    cmocka_unit_test(store_that_is_cut_while_open_is_not_read_as_zeros),
};

gd_test_main(tests)
