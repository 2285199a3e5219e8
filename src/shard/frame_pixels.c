#include "shard/frame_pixels.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/converter.h"
#include "gradus/file.h"
#include "gradus/jpeg.h"
#include "gradus/memory.h"
#include "shard/frame_layouts.h"
#include "shard/frames_format.h"

struct gd_frame_pixels {
  const char *path;
  gd_store *store;
  gd_frame_format format;
  int64_t n_rows;
  int64_t *offset;    /* (n_rows + 1); not raw */
  int32_t *layout_of; /* (n_rows); lossless */
  gd_layout_table layouts;
  gd_unpacker *unpacker;
  gd_converter *converter;
  uint8_t *bytes; /* of one frame */
  int64_t bytes_room;
};

gd_status gd_frame_format_read(gd_store *s, gd_frame_format *out)
{
  char store[16], damaged[16];
  int64_t height = 0, width = 0, quality = 0;
  *out = (gd_frame_format){0};
  gd_status st = gd_store_get_text(s, "store", store, sizeof store);
  if (st == GD_OK)
    st = gd_store_get_text(s, "damaged", damaged, sizeof damaged);
  if (st == GD_OK)
    st = gd_store_get_int(s, "height_px", &height);
  if (st == GD_OK)
    st = gd_store_get_int(s, "width_px", &width);
  if (st == GD_OK && gd_frame_storage_of(store, &out->storage) != GD_OK)
    st = gd_fail(GD_ERR_FORMAT, "%s: frames stored as '%s' are not known",
                 gd_store_path(s), store);
  if (st == GD_OK && out->storage == GD_FRAMES_JPEG)
    st = gd_store_get_int(s, "quality", &quality);
  if (st != GD_OK)
    return st;
  if (height < 1 || width < 1 || height > INT32_MAX / 3 ||
      width > INT32_MAX / 3)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: frames of %" PRId64 " x %" PRId64 " cannot be",
                   gd_store_path(s), width, height);
  out->height_px = (int)height;
  out->width_px = (int)width;
  out->quality = (int)quality;
  out->keeps_damaged = strcmp(damaged, GD_FRAMES_KEEP) == 0;
  return GD_OK;
}

static gd_status read_offsets(gd_frame_pixels *p)
{
  gd_dataset bytes;
  gd_status st = gd_store_describe(p->store, GD_FRAMES_BYTES.name, &bytes);
  if (st != GD_OK)
    return st;
  p->offset = gd_alloc(p->n_rows + 1, sizeof *p->offset);
  if (p->offset == NULL)
    return GD_ERR_NOMEM;
  st = gd_store_read(p->store, &GD_FRAMES_OFFSET, 0, p->n_rows + 1, p->offset);
  for (int64_t i = 0; st == GD_OK && i < p->n_rows; i++)
    if (p->offset[i + 1] <= p->offset[i])
      st = gd_fail(GD_ERR_FORMAT, "%s: /offset does not ascend", p->path);
  if (st == GD_OK &&
      (p->offset[0] != 0 || p->offset[p->n_rows] != bytes.dims[0]))
    st = gd_fail(GD_ERR_FORMAT, "%s: /offset does not cover /bytes", p->path);
  return st;
}

static gd_status read_layouts(gd_frame_pixels *p)
{
  gd_status st = gd_layout_table_read(p->store, &p->layouts);
  if (st != GD_OK)
    return st;
  p->layout_of = gd_alloc(p->n_rows, sizeof *p->layout_of);
  if (p->layout_of == NULL)
    return GD_ERR_NOMEM;
  st =
      gd_store_read(p->store, &GD_FRAMES_LAYOUT_OF, 0, p->n_rows, p->layout_of);
  for (int64_t i = 0; st == GD_OK && i < p->n_rows; i++)
    if (p->layout_of[i] < 0 || p->layout_of[i] >= p->layouts.n)
      st = gd_fail(GD_ERR_FORMAT, "%s: frame %" PRId64 " has no row in /layout",
                   p->path, i);
  if (st == GD_OK)
    st = gd_unpacker_new(&p->unpacker);
  if (st == GD_OK)
    st = gd_converter_open(p->format.width_px, p->format.height_px,
                           &p->converter);
  return st;
}

gd_status gd_frame_pixels_open(const char *path, gd_frame_pixels **out)
{
  assert(path != NULL && out != NULL);

  gd_dataset rows;
  *out = NULL;
  gd_frame_pixels *p = gd_alloc(1, sizeof *p);
  if (p == NULL)
    return GD_ERR_NOMEM;
  p->path = path;
  gd_status st =
      gd_store_open(path, GD_FRAMES_FORMAT, GD_FRAMES_VERSION, &p->store);
  if (st == GD_OK)
    st = gd_frame_format_read(p->store, &p->format);
  if (st == GD_OK)
    st = gd_store_describe(p->store, GD_FRAMES_COLUMN[GD_FRAMES_INDEX].name,
                           &rows);
  if (st == GD_OK)
    p->n_rows = rows.dims[0];
  if (st == GD_OK && p->format.storage != GD_FRAMES_RAW)
    st = read_offsets(p);
  if (st == GD_OK && p->format.storage == GD_FRAMES_LOSSLESS)
    st = read_layouts(p);
  if (st != GD_OK) {
    gd_frame_pixels_close(p);
    return st;
  }
  *out = p;
  return GD_OK;
}

void gd_frame_pixels_close(gd_frame_pixels *p)
{
  if (p == NULL)
    return;
  gd_store_close(p->store);
  gd_layout_table_clear(&p->layouts);
  gd_unpacker_free(p->unpacker);
  gd_converter_close(p->converter);
  free(p->offset);
  free(p->layout_of);
  free(p->bytes);
  free(p);
}

static gd_status read_bytes(gd_frame_pixels *p, int64_t row, int64_t *n)
{
  *n = p->offset[row + 1] - p->offset[row];
  if (*n > p->bytes_room) {
    free(p->bytes);
    p->bytes = gd_alloc(*n, 1);
    p->bytes_room = p->bytes == NULL ? 0 : *n;
    if (p->bytes == NULL)
      return GD_ERR_NOMEM;
  }
  return gd_store_read(p->store, &GD_FRAMES_BYTES, p->offset[row], *n,
                       p->bytes);
}

static gd_status unpack(gd_frame_pixels *p, int64_t row, int64_t n,
                        uint8_t *rgb)
{
  const gd_layout_row *l = &p->layouts.rows[p->layout_of[row]];
  const gd_packed packed = {.packing = l->packing,
                            .header = l->header,
                            .header_bytes = l->header_bytes,
                            .bytes = p->bytes,
                            .size_bytes = (size_t)n};
  gd_picture picture;
  gd_status st = gd_unpacker_run(p->unpacker, &l->layout, &packed, &picture);
  if (st == GD_OK)
    st = gd_converter_run(p->converter, &picture, rgb);
  /* The shard is at fault, not a video. */
  if (st == GD_ERR_FORMAT || st == GD_ERR_DECODE)
    st = gd_fail(GD_ERR_FORMAT, "%s: frame %" PRId64 ": %s", p->path, row,
                 gd_reason());
  return st;
}

static gd_status decode_jpeg(gd_frame_pixels *p, int64_t row, int64_t n,
                             uint8_t *rgb)
{
  const gd_image image = {.width_px = p->format.width_px,
                          .height_px = p->format.height_px,
                          .rgb = rgb};
  char name[GD_PATH_MAX + 32];
  snprintf(name, sizeof name, "%s: frame %" PRId64, p->path, row);
  return gd_jpeg_decode_into(name, p->bytes, (size_t)n, &image);
}

gd_status gd_frame_pixels_read(gd_frame_pixels *p, int64_t row, uint8_t *rgb)
{
  assert(p != NULL && row >= 0 && row < p->n_rows && rgb != NULL);

  if (p->format.storage == GD_FRAMES_RAW) {
    const gd_dataset pixels =
        gd_frames_pixels(p->format.height_px, p->format.width_px);
    return gd_store_read(p->store, &pixels, row, 1, rgb);
  }
  int64_t n;
  gd_status st = read_bytes(p, row, &n);
  if (st != GD_OK)
    return st;
  return p->format.storage == GD_FRAMES_JPEG ? decode_jpeg(p, row, n, rgb)
                                             : unpack(p, row, n, rgb);
}
