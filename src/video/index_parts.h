/** What makes an index: from a video's packets, or from packed bytes. */
#ifndef GRADUS_VIDEO_INDEX_PARTS_H
#define GRADUS_VIDEO_INDEX_PARTS_H

#include "gradus/video_index.h"

typedef struct {
  gd_video_index index; /* first: what the caller holds */
  char reason[256], warning[256];
  double second; /* of one unit of the container's time */
  int64_t start; /* where its time begins, in units */
} gd_index_parts;

/** Begin an index; its packets belong to it.  NULL: no memory. */
gd_index_parts *gd_index_begin(const char *path);
/** Return the presentation time of a stamp, in seconds. */
double gd_index_seconds(const gd_index_parts *o, int64_t stamp_units);
/**
 * Derive frames and cuts from packets and order.
 * Errors: GD_ERR_NOMEM, GD_ERR_FORMAT (frames are no numbering)
 */
GD_NODISCARD gd_status gd_index_complete(gd_index_parts *o);

#endif
