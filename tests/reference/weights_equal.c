/* weights_equal A B -- end with 0 when two weights files hold equal tensors. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/weights.h"

static int differ(const char *what, const char *name)
{
  fprintf(stderr, "weights_equal: %s: %s\n", name, what);
  return 1;
}

static int compare(gd_weights *a, gd_weights *b, int i)
{
  const gd_weights_entry x = gd_weights_at(a, i), y = gd_weights_at(b, i);
  int64_t count = 1;
  if (strcmp(x.name, y.name) != 0 || strcmp(x.type, y.type) != 0 ||
      x.rank != y.rank)
    return differ("of another name, type or rank", x.name);
  if (x.rank == 0 || strcmp(x.type, "F32") != 0)
    return 0;
  for (int d = 0; d < x.rank; d++)
    count *= x.shape[d];
  float *values[2] = {gd_alloc(count, 4), gd_alloc(count, 4)};
  int bad = values[0] == NULL || values[1] == NULL ||
            gd_weights_read(a, x.name, x.rank, x.shape, values[0]) != GD_OK ||
            gd_weights_read(b, x.name, x.rank, x.shape, values[1]) != GD_OK;
  if (bad)
    bad = differ(gd_reason(), x.name);
  else if (memcmp(values[0], values[1], (size_t)count * 4) != 0)
    bad = differ("of other values", x.name);
  free(values[0]);
  free(values[1]);
  return bad;
}

int main(int argc, char **argv)
{
  gd_weights *a = NULL, *b = NULL;
  if (argc != 3) {
    fputs("usage: weights_equal A B\n", stderr);
    return 2;
  }
  if (gd_weights_open(argv[1], &a) != GD_OK ||
      gd_weights_open(argv[2], &b) != GD_OK) {
    fprintf(stderr, "weights_equal: %s\n", gd_reason());
    gd_weights_close(a);
    return 2;
  }
  int bad = gd_weights_n(a) != gd_weights_n(b);
  for (int i = 0; !bad && i < gd_weights_n(a); i++)
    bad = compare(a, b, i);
  printf("%d tensors\n", gd_weights_n(a));
  gd_weights_close(a);
  gd_weights_close(b);
  return bad;
}
