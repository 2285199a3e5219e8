/** Partitions of a corpus: which videos are for training, choosing, testing. */
#ifndef GRADUS_PARTITION_H
#define GRADUS_PARTITION_H

#include "gradus/status.h"

typedef enum { GD_TRAIN, GD_DEV, GD_TEST, GD_N_PARTITIONS } gd_partition;

/** Return "train", "dev" or "test". */
const char *gd_partition_name(gd_partition p);
/** Find a partition by its exact name. Errors: GD_ERR_USAGE */
GD_NODISCARD gd_status gd_partition_of(const char *name, gd_partition *out);

#endif
