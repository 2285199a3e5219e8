#include "gradus/frames.h"

#include <assert.h>
#include <string.h>

#include "gradus/packing.h"

static const char *const NAMES[] = {"lossless", "raw", "jpeg"};

const char *gd_frame_storage_name(gd_frame_storage storage)
{
  return NAMES[storage];
}

int gd_frame_storage_find(const char *name, gd_frame_storage *out)
{
  assert(name != NULL && out != NULL);
  for (int i = 0; i < 3; i++)
    if (strcmp(name, NAMES[i]) == 0) {
      *out = (gd_frame_storage)i;
      return 1;
    }
  return 0;
}
