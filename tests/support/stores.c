#include "stores.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "test.h"

gd_status gd_test_store(const char *path, gd_digest digest, int64_t seed,
                        const char *skipped)
{
  enum { N = 1000 };
  int64_t numbers[N];
  for (int i = 0; i < N; i++)
    numbers[i] = seed + i;
  gd_store_writer *w;
  const gd_dataset d = {
      .name = "numbers", .dtype = GD_I64, .rank = 1, .dims = {N}};
  gd_status st = gd_store_create(path, "gradus-test", 1, digest, &w);
  if (st != GD_OK)
    return st;
  st = gd_store_put(w, &d, numbers);
  if (st == GD_OK && skipped != NULL)
    st = gd_store_skip(w, skipped, "is broken");
  if (st == GD_OK)
    return gd_store_commit(w);
  gd_store_abandon(w);
  return st;
}

void gd_test_flip(const char *path, long from_end)
{
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  assert_int_equal(fseek(file, -from_end, SEEK_END), 0);
  const int byte = fgetc(file);
  assert_int_not_equal(byte, EOF);
  assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
  fputc(byte ^ 1, file);
  assert_int_equal(fclose(file), 0);
  /* A tick of the file system's clock may be longer than a test. */
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  const struct timespec later[2] = {{.tv_nsec = UTIME_OMIT},
                                    {.tv_sec = info.st_mtim.tv_sec + 1}};
  assert_int_equal(utimensat(AT_FDCWD, path, later, 0), 0);
}
