#include "gradus/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/random.h"
#include "gradus/store.h"
#include "test.h"

/* Without waiting for the disk, as hundreds of files are written. */
static void write_quickly(const char *path, const void *data, size_t size_bytes)
{
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size_bytes, file), size_bytes);
  assert_int_equal(fclose(file), 0);
}

/* A safetensors file of a header and n floats 0, 1, 2, ... */
static const char *write_file(const char *header, uint64_t length, int n)
{
  static char data[4096];
  const size_t header_bytes = strlen(header);
  for (int i = 0; i < 8; i++)
    data[i] = (char)(length >> (8 * i));
  memcpy(data + 8, header, header_bytes);
  for (int i = 0; i < n; i++) {
    const float value = (float)i;
    memcpy(data + 8 + header_bytes + 4 * i, &value, 4);
  }
  const char *path = gd_test_path("w.safetensors");
  assert_ok(gd_file_write(path, data, 8 + header_bytes + 4 * (size_t)n));
  return path;
}

static const char good[] =
    "{\"__metadata__\":{\"a\":\"x\\\"y\",\"b\":[1,{\"c\":null}]},"
    "\"net.b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]},"
    "\"net.a\" : { \"shape\":[2, 3],\"dtype\":\"F32\", "
    "\"data_offsets\":[0,24]}, "
    "\"count\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[32,40]}} ";

static void tensors_of_a_safetensors_file_are_read_by_name(void **state)
{
  (void)state;
  gd_weights *w;
  float a[6], b[2];
  assert_ok(gd_weights_open(write_file(good, strlen(good), 10), &w));
  assert_int_equal(gd_weights_n(w), 3);
  const gd_weights_entry entry = gd_weights_at(w, 1);
  assert_string_equal(entry.name, "net.a");
  assert_int_equal(entry.rank, 2);
  assert_int_equal(entry.shape[1], 3);
  assert_ok(gd_weights_read(w, "net.a", 2, (int64_t[]){2, 3}, a));
  assert_ok(gd_weights_read(w, "net.b", 1, (int64_t[]){2}, b));
  assert_true(a[0] == 0 && a[5] == 5 && b[0] == 6 && b[1] == 7);
  assert_fails(gd_weights_read(w, "net.a", 2, (int64_t[]){3, 2}, a),
               GD_ERR_FORMAT, "net.a is F32 (2, 3), expected F32 (3, 2)");
  assert_fails(gd_weights_read(w, "net.c", 1, (int64_t[]){2}, a), GD_ERR_FORMAT,
               "no tensor net.c");
  assert_fails(gd_weights_read(w, "count", 1, (int64_t[]){1}, a), GD_ERR_FORMAT,
               "count is I64 ()");
  gd_weights_close(w);
}

static void header_that_lies_is_refused(void **state)
{
  (void)state;
  static const struct {
    const char *header, *reason;
  } lies[] = {
      {"[]", "no JSON object"},
      {"{}", "its header describes 0"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "lacks"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,12]}}",
       "its shape does not give"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,36]}}",
       "truncated"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[32,24]}}",
       "truncated"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4294967296],"
       "\"data_offsets\":[0,32]}}",
       "its shape does not give"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],"
       "\"data_offsets\":[0,32]}}",
       "too large"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,8],\"data_offsets\":"
       "[0,32]}}",
       "too many"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-8],\"data_offsets\":[0,32]}}",
       "whole number"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[0,32]},"
       "\"a\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[0,32]}}",
       "two tensors a"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[7],\"data_offsets\":[0,28]}}",
       "describes 28"},
      {"{\"a", "no end"},
      {"{\"a\\\"b\":1}", "escaped"},
      {"{\"__metadata__\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1", "nested"},
  };
  for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
    gd_weights *w;
    const char *path = write_file(lies[i].header, strlen(lies[i].header), 8);
    assert_fails(gd_weights_open(path, &w), GD_ERR_FORMAT, lies[i].reason);
    assert_null(w);
  }
}

static void header_length_beyond_the_file_is_refused(void **state)
{
  (void)state;
  static const uint64_t lengths[] = {0,       1,          5000,
                                     1 << 30, UINT64_MAX, UINT64_MAX >> 1};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    gd_weights *w;
    assert_fails(gd_weights_open(write_file(good, lengths[i], 10), &w),
                 GD_ERR_FORMAT, "neither HDF5, safetensors nor of PyTorch");
  }
}

static void truncated_and_flipped_safetensors_never_crash(void **state)
{
  (void)state;
  char *data;
  size_t size;
  float a[6];
  gd_weights *w;
  const char *path = write_file(good, strlen(good), 10);
  assert_ok(gd_file_read(path, 4096, &data, &size));
  for (size_t n = 0; n < size; n++) {
    write_quickly(path, data, n);
    assert_int_equal(gd_weights_open(path, &w), GD_ERR_FORMAT);
  }
  gd_random random = gd_random_of(2, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < 400; i++) {
    const int64_t at = gd_random_below(&random, (int64_t)size);
    const char kept = data[at];
    data[at] ^= (char)(1 << gd_random_below(&random, 8));
    write_quickly(path, data, size);
    if (gd_weights_open(path, &w) == GD_OK)
      (void)!gd_weights_read(w, "net.a", 2, (int64_t[]){2, 3}, a);
    gd_weights_close(w);
    data[at] = kept;
  }
  free(data);
}

static void value_that_is_not_finite_is_refused(void **state)
{
  (void)state;
  const char *header =
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
  char *data;
  size_t size;
  float a[1];
  gd_weights *w;
  const char *path = write_file(header, strlen(header), 1);
  assert_ok(gd_file_read(path, 4096, &data, &size));
  memcpy(data + size - 4, &(float){1e38f * 10}, 4);
  write_quickly(path, data, size);
  assert_ok(gd_weights_open(path, &w));
  assert_fails(gd_weights_read(w, "a", 1, (int64_t[]){1}, a), GD_ERR_FORMAT,
               "not finite");
  gd_weights_close(w);
  free(data);
}

static void hdf5_groups_become_dotted_names(void **state)
{
  (void)state;
  const char *path = gd_test_path("w.h5");
  const float values[6] = {1, 2, 3, 4, 5, 6};
  const gd_dataset d = {
      .name = "net/conv1/weight", .dtype = GD_F32, .rank = 2, .dims = {3, 2}};
  gd_store_writer *writer;
  gd_weights *w;
  float back[6];
  assert_ok(gd_store_create(path, "some", 1, (gd_digest){0, 0}, &writer));
  assert_ok(gd_store_put(writer, &d, values));
  assert_ok(gd_store_commit(writer));
  assert_ok(gd_weights_open(path, &w));
  assert_string_equal(gd_weights_at(w, 0).name, "net.conv1.weight");
  assert_ok(gd_weights_read(w, "net.conv1.weight", 2, (int64_t[]){3, 2}, back));
  assert_memory_equal(back, values, sizeof values);
  assert_fails(gd_weights_read(w, "net.conv1.weight", 1, (int64_t[]){6}, back),
               GD_ERR_FORMAT, "is F32 (3, 2), expected F32 (6)");
  gd_weights_close(w);

  char *data;
  size_t size;
  assert_ok(gd_file_read(path, 1 << 20, &data, &size));
  for (size_t n = 0; n < size; n += 97) {
    write_quickly(gd_test_path("part.h5"), data, n);
    assert_int_equal(gd_weights_open(gd_test_path("part.h5"), &w),
                     GD_ERR_FORMAT);
  }
  free(data);
  assert_fails(gd_weights_open("/nonexistent.h5", &w), GD_ERR_IO,
               "/nonexistent.h5");
}

/* The same published weights in both formats. */
static void hdf5_file_in_memory_is_read_like_one_on_disk(void **state)
{
  (void)state;
  const char *path = gd_test_path("memory.h5");
  const gd_dataset d = {
      .name = "net/a", .dtype = GD_F32, .rank = 1, .dims = {2}};
  gd_store_writer *store;
  gd_weights *w;
  char *bytes;
  size_t size_bytes;
  float a[2];
  assert_ok(gd_store_create(path, "test", 1, (gd_digest){0}, &store));
  assert_ok(gd_store_put(store, &d, (const float[]){3, 4}));
  assert_ok(gd_store_commit(store));
  assert_ok(gd_file_read(path, 1 << 20, &bytes, &size_bytes));
  assert_ok(gd_file_remove(path));
  assert_ok(gd_weights_open_bytes("memory", bytes, size_bytes, &w));
  assert_ok(gd_weights_read(w, "net.a", 1, (int64_t[]){2}, a));
  assert_true(a[0] == 3 && a[1] == 4);
  gd_weights_close(w);
  assert_fails(gd_weights_open_bytes("memory", bytes, size_bytes / 2, &w),
               GD_ERR_FORMAT, "memory: no HDF5 file, or truncated");
  free(bytes);
}

static void real_files_of_both_kinds_hold_equal_tensors(void **state)
{
  (void)state;
  const char *h5 = gd_test_shared("reference/mtcnn/weights/mtcnn.h5");
  const char *safe =
      gd_test_shared("reference/mtcnn/weights/mtcnn.safetensors");
  if (h5 == NULL || safe == NULL)
    skip();
  gd_weights *w[2];
  assert_ok(gd_weights_open(h5, &w[0]));
  assert_ok(gd_weights_open(safe, &w[1]));
  assert_int_equal(gd_weights_n(w[0]), gd_weights_n(w[1]));
  float *values[2] = {malloc(1 << 21), malloc(1 << 21)};
  int64_t parameters = 0;
  for (int i = 0; i < gd_weights_n(w[0]); i++) {
    const gd_weights_entry e = gd_weights_at(w[0], i);
    assert_string_equal(e.name, gd_weights_at(w[1], i).name);
    int64_t count = 1;
    for (int k = 0; k < e.rank; k++)
      count *= e.shape[k];
    for (int k = 0; k < 2; k++)
      assert_ok(gd_weights_read(w[k], e.name, e.rank, e.shape, values[k]));
    assert_memory_equal(values[0], values[1], (size_t)count * 4);
    parameters += count;
  }
  assert_int_equal(parameters, 495850);
  for (int k = 0; k < 2; k++) {
    free(values[k]);
    gd_weights_close(w[k]);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tensors_of_a_safetensors_file_are_read_by_name),
    cmocka_unit_test(header_that_lies_is_refused),
    cmocka_unit_test(header_length_beyond_the_file_is_refused),
    cmocka_unit_test(truncated_and_flipped_safetensors_never_crash),
    cmocka_unit_test(value_that_is_not_finite_is_refused),
    cmocka_unit_test(hdf5_groups_become_dotted_names),
    cmocka_unit_test(hdf5_file_in_memory_is_read_like_one_on_disk),
    cmocka_unit_test(real_files_of_both_kinds_hold_equal_tensors),
};

gd_test_main(tests)
