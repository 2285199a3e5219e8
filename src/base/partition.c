#include "gradus/partition.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const char *const NAMES[GD_N_PARTITIONS] = {"train", "dev", "test"};

const char *gd_partition_name(gd_partition p)
{
  assert(p >= 0 && p < GD_N_PARTITIONS);
  return NAMES[p];
}

gd_status gd_partition_of(const char *name, gd_partition *out)
{
  assert(name != NULL && out != NULL);

  for (int i = 0; i < GD_N_PARTITIONS; i++)
    if (strcmp(name, NAMES[i]) == 0) {
      *out = (gd_partition)i;
      return GD_OK;
    }
  return gd_fail(GD_ERR_USAGE,
                 "\"%s\" is no partition: train, dev and test are", name);
}
