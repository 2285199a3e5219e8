/* fuzz_import N FILE... -- import each file N times with some bytes changed,
 * always the same ones: it must end with a reason or a result, never crash.
 * Half of the changes go to the ends of the file, where its headers are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/backbone_import.h"
#include "gradus/file.h"
#include "gradus/random.h"

static const gd_backbone_wish wish = {.profile = "torchvision"};

static void disturb(gd_random *r, char *data, int64_t size)
{
  const int64_t most = size < 600 ? size : 600;
  for (int64_t n = 1 + gd_random_below(r, 6); n > 0; n--) {
    int64_t at = gd_random_below(r, size);
    if (gd_random_below(r, 2) == 0) {
      at = gd_random_below(r, most);
      at = gd_random_below(r, 2) == 0 ? at : size - 1 - at;
    }
    if (gd_random_below(r, 3) == 0)
      data[at] = (char)(gd_random_below(r, 2) == 0 ? 0xff : 0);
    else
      data[at] ^= (char)(1 << gd_random_below(r, 8));
  }
}

/* Without waiting for the disk. */
static int write_quickly(const char *path, const char *data, size_t size)
{
  FILE *file = fopen(path, "wb");
  const int written = file != NULL && fwrite(data, 1, size, file) == size;
  return file != NULL && fclose(file) == 0 && written;
}

static int import_damaged(const char *path, int64_t n_times)
{
  char *data, name[256], to[300];
  size_t size;
  int n_refused = 0;
  if (gd_file_read(path, 1 << 24, &data, &size) != GD_OK) {
    fprintf(stderr, "%s\n", gd_reason());
    return 0;
  }
  char *copy = malloc(size);
  snprintf(name, sizeof name, "damaged-%.200s", gd_path_base(path));
  snprintf(to, sizeof to, "%s.to", name);
  for (int64_t i = 0; copy != NULL && i < n_times; i++) {
    gd_random r = gd_random_of(1, GD_FOR_TESTS, (int64_t)size, i);
    gd_text said = {0};
    memcpy(copy, data, size);
    disturb(&r, copy, (int64_t)size);
    const size_t n =
        i % 8 == 7 ? (size_t)gd_random_below(&r, (int64_t)size) : size;
    if (!write_quickly(name, copy, n))
      return 0;
    n_refused += gd_backbone_import(name, &wish, to, &said) != GD_OK;
    gd_text_free(&said);
    if (gd_path_exists(to) && gd_file_remove(to) != GD_OK)
      return 0;
  }
  free(copy);
  free(data);
  printf("%s: %d of %d damaged files refused\n", path, n_refused, (int)n_times);
  return 1;
}

int main(int argc, char **argv)
{
  int good = argc > 2;
  for (int i = 2; good && i < argc; i++)
    good = import_damaged(argv[i], strtoll(argv[1], NULL, 10));
  return good ? 0 : 1;
}
