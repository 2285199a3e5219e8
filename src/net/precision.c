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
  for (int64_t i = 0; i < n; i += GD_LANES) {
    const int some = gd_lanes(n - i);
    gd_keep_some(GD_BF16, to, i, some, gd_load_some(GD_FP32, from, i, some));
  }
}

void gd_precision_read(gd_precision p, const void *from, int64_t n, float *to)
{
  if (p == GD_FP32) {
    memcpy(to, from, (size_t)n * sizeof *to);
    return;
  }
  for (int64_t i = 0; i < n; i += GD_LANES) {
    const int some = gd_lanes(n - i);
    gd_keep_some(GD_FP32, to, i, some, gd_load_some(GD_BF16, from, i, some));
  }
}
