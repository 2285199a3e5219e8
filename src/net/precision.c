#include "gradus/precision.h"

#include <assert.h>
#include <string.h>

#include "net/numbers.h"

static const char *const names[] = {[GD_FP32] = "fp32", [GD_BF16] = "bf16"};

const char *gd_precision_name(gd_precision p)
{
  return names[p];
}

gd_status gd_precision_of(const char *name, gd_precision *out)
{
  assert(name != NULL && out != NULL);
  for (gd_precision p = GD_FP32; p <= GD_BF16; p++)
    if (strcmp(names[p], name) == 0) {
      *out = p;
      return GD_OK;
    }
  return gd_fail(GD_ERR_USAGE, "'%s' is no precision; there are fp32 and bf16",
                 name);
}

int gd_precision_bytes(gd_precision p)
{
  return (int)gd_size_of(p);
}

void gd_precision_write(gd_precision p, const float *from, int64_t n, void *to)
{
  if (p == GD_FP32) {
    memcpy(to, from, (size_t)n * sizeof *from);
    return;
  }
  int64_t i = 0;
  for (; i + GD_LANES <= n; i += GD_LANES)
    gd_keep(GD_BF16, to, i, gd_load(from + i));
  if (i < n) {
    float last[GD_LANES] = {0};
    uint16_t kept[GD_LANES];
    memcpy(last, from + i, (size_t)(n - i) * sizeof *last);
    gd_keep(GD_BF16, kept, 0, gd_load(last));
    memcpy(gd_at(GD_BF16, to, i), kept, (size_t)(n - i) * sizeof *kept);
  }
}

void gd_precision_read(gd_precision p, const void *from, int64_t n, float *to)
{
  if (p == GD_FP32) {
    memcpy(to, from, (size_t)n * sizeof *to);
    return;
  }
  int64_t i = 0;
  for (; i + GD_LANES <= n; i += GD_LANES)
    gd_store(to + i, gd_load_of(GD_BF16, from, i));
  for (; i < n; i++)
    to[i] = gd_number(GD_BF16, from, i);
}
