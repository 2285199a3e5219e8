/* Calls a fuzz target a fixed number of times, always the same: with the seeds
 * themselves and with what a counter makes of them.
 *
 *   fuzz_video [FIRST [NUMBER]]
 *
 * Seeds are clips made on the spot and, where there are any, the shared odd
 * videos.  The case that was under way is told when the process comes down. */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clip.h"
#include "test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_SEEDS = 64, MOST_BYTES = 1 << 18, DEFAULT_CASES = 600 };

typedef struct {
  char *name, *data;
  size_t size_bytes;
} seed;

static seed seeds[MOST_SEEDS];
static int n_seeds;

static void add_seed(const char *path)
{
  seed s;
  if (n_seeds == MOST_SEEDS ||
      gd_file_read(path, MOST_BYTES, &s.data, &s.size_bytes) != GD_OK)
    return;
  s.name = strdup(gd_path_base(path));
  seeds[n_seeds++] = s;
}

static int by_name(const void *a, const void *b)
{
  return strcmp(((const seed *)a)->name, ((const seed *)b)->name);
}

static void gather_seeds(void)
{
  gd_test_clip(gd_test_path("clip.mp4"), 30);
  gd_test_clip(gd_test_path("clip.avi"), 30);
  add_seed(gd_test_path("clip.mp4"));
  add_seed(gd_test_path("clip.avi"));
  const char *folder = gd_test_shared("real/video-odd");
  DIR *d = folder == NULL ? NULL : opendir(folder);
  const struct dirent *e;
  while (d != NULL && (e = readdir(d)) != NULL) {
    char path[GD_PATH_MAX];
    if (e->d_name[0] != '.' && gd_path_join(folder, e->d_name, path) == GD_OK)
      add_seed(path);
  }
  if (d != NULL)
    closedir(d);
  qsort(seeds, (size_t)n_seeds, sizeof *seeds, by_name);
}

static uint32_t next(uint32_t *x)
{
  *x ^= *x << 13;
  *x ^= *x >> 17;
  return *x ^= *x << 5;
}

/* Overwrite some bytes: single ones, or a number as headers have them.  Half of
 * them go where the headers are. */
static void disturb(uint8_t *data, size_t size, uint32_t *x)
{
  static const uint32_t numbers[] = {0,       1,          0x7fffffff,
                                     ~0u,     0x80000000, 0x00010000,
                                     0xffff0, 0x01000000, 0xfffffffe};
  for (uint32_t n = next(x) % 16 + 1; n > 0 && size >= 8; n--) {
    const size_t region = next(x) % 2 == 0 ? size : size < 700 ? size : 700;
    size_t at = next(x) % (region - 4);
    if (next(x) % 4 == 0)
      at = size - 4 - at;
    if (next(x) % 3 > 0) {
      data[at] ^= (uint8_t)(1u << next(x) % 8);
    } else {
      const uint32_t number = numbers[next(x) % 9];
      memcpy(data + at, &number, 4);
    }
  }
}

/* Make case `c` from its seed; return its size. */
static size_t make_case(int64_t c, uint8_t *out)
{
  const seed *from = &seeds[c % n_seeds];
  uint32_t x = (uint32_t)c * 2654435761u + 1;
  size_t size = from->size_bytes;
  memcpy(out, from->data, size);
  if (c < n_seeds || size < 8)
    return size;
  for (int i = 0; i < 8; i++)
    next(&x);
  switch (next(&x) % 8) {
  case 0: /* break off */
    return next(&x) % size;
  case 1: { /* repeat a piece elsewhere */
    const size_t n = next(&x) % (size / 2), to = next(&x) % (size - n);
    memmove(out + to, out + next(&x) % (size - n), n);
    break;
  }
  case 2: { /* leave out a piece */
    const size_t n = next(&x) % (size / 2), at = next(&x) % (size - n);
    memmove(out + at, out + at + n, size - n - at);
    size -= n;
    break;
  }
  default:
    break;
  }
  disturb(out, size, &x);
  return size;
}

static volatile int64_t under_way;

static void tell(int number)
{
  char line[64] = "fuzz: came down in case ", digits[24];
  size_t at = strlen(line);
  int n = 0;
  for (int64_t c = under_way; c > 0 || n == 0; c /= 10)
    digits[n++] = (char)('0' + c % 10);
  while (n > 0)
    line[at++] = digits[--n];
  line[at++] = '\n';
  const ssize_t written = write(STDERR_FILENO, line, at);
  (void)written;
  signal(number, SIG_DFL);
  raise(number);
}

/* Cases that came down once. */
static const int64_t known[] = {3902};

int main(int argc, char **argv)
{
  static uint8_t data[MOST_BYTES];
  const int64_t first = argc > 1 ? strtoll(argv[1], NULL, 10) : 0;
  const int64_t number = argc > 2 ? strtoll(argv[2], NULL, 10) : DEFAULT_CASES;
  signal(SIGABRT, tell);
  gather_seeds();
  for (size_t i = 0; argc == 1 && i < sizeof known / sizeof known[0]; i++) {
    under_way = known[i];
    LLVMFuzzerTestOneInput(data, make_case(under_way, data));
  }
  for (under_way = first; under_way < first + number; under_way++)
    LLVMFuzzerTestOneInput(data, make_case(under_way, data));
  printf("%lld cases of %d seeds\n", (long long)number, n_seeds);
  for (int i = 0; i < n_seeds; i++) {
    free(seeds[i].name);
    free(seeds[i].data);
  }
  return gd_test_end(0);
}
