/** The table /layout of a frame shard: which kinds of pictures it holds. */
#ifndef GRADUS_SHARD_FRAME_LAYOUTS_H
#define GRADUS_SHARD_FRAME_LAYOUTS_H

#include "gradus/packing.h"
#include "gradus/store.h"

typedef struct {
  gd_picture_layout layout;
  gd_packing packing;
  uint8_t *header; /* of the packing; owned by the table */
  size_t header_bytes;
} gd_layout_row;

typedef struct {
  gd_layout_row *rows;
  int64_t n, room;
} gd_layout_table; /* starts as {0}; ends with gd_layout_table_clear() */

/** Find the row of a packed picture, or add it. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_layout_table_row(gd_layout_table *t,
                                           const gd_picture_layout *layout,
                                           const gd_packed *packed,
                                           int32_t *row);
/** Keep the first n rows. */
void gd_layout_table_cut(gd_layout_table *t, int64_t n);
void gd_layout_table_clear(gd_layout_table *t);
GD_NODISCARD gd_status gd_layout_table_write(const gd_layout_table *t,
                                             gd_store_writer *w);
/** Errors: GD_ERR_FORMAT, GD_ERR_IO, GD_ERR_NOMEM; `t` is then empty */
GD_NODISCARD gd_status gd_layout_table_read(gd_store *s, gd_layout_table *t);

#endif
