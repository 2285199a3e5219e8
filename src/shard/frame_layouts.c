#include "shard/frame_layouts.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

/* The columns of numbers: where they lie in a layout. */
static const struct {
  const char *name;
  size_t at;
  int n;
} COLUMNS[] = {
    {"layout/width_px", offsetof(gd_picture_layout, width_px), 1},
    {"layout/height_px", offsetof(gd_picture_layout, height_px), 1},
    {"layout/matrix", offsetof(gd_picture_layout, matrix), 1},
    {"layout/range", offsetof(gd_picture_layout, range), 1},
    {"layout/chroma_site", offsetof(gd_picture_layout, chroma_site), 1},
    {"layout/pixel_aspect", offsetof(gd_picture_layout, pixel_aspect), 2},
    {"layout/display", offsetof(gd_picture_layout, display), 4}};
enum { N_COLUMNS = sizeof COLUMNS / sizeof COLUMNS[0], WIDEST = 4 };
static_assert(sizeof(int) == sizeof(int32_t), "columns are copied as int32");
static_assert(sizeof(gd_range_tag) == sizeof(int32_t), "as are ranges");

#define FORMAT  "layout/pixel_format"
#define PACKING "layout/packing"
#define HEADER  "layout/header"
static const char *const PACKINGS[] = {"planes", "ffvhuff"};

static gd_dataset column_of(int i, int64_t n_rows)
{
  gd_dataset d = {.name = COLUMNS[i].name,
                  .dtype = GD_I32,
                  .rank = COLUMNS[i].n > 1 ? 2 : 1,
                  .dims = {n_rows}};
  if (d.rank == 2)
    d.dims[1] = COLUMNS[i].n;
  return d;
}

static int is_row(const gd_layout_row *r, const gd_picture_layout *layout,
                  const gd_packed *packed)
{
  return gd_picture_layout_equal(&r->layout, layout) &&
         r->packing == packed->packing &&
         r->header_bytes == packed->header_bytes &&
         (r->header_bytes == 0 ||
          memcmp(r->header, packed->header, r->header_bytes) == 0);
}

gd_status gd_layout_table_row(gd_layout_table *t,
                              const gd_picture_layout *layout,
                              const gd_packed *packed, int32_t *row)
{
  assert(t != NULL && layout != NULL && packed != NULL && row != NULL);

  for (int64_t i = t->n - 1; i >= 0; i--)
    if (is_row(&t->rows[i], layout, packed)) {
      *row = (int32_t)i;
      return GD_OK;
    }
  gd_status st = gd_grow(&t->rows, t->n + 1, &t->room, sizeof *t->rows);
  if (st != GD_OK)
    return st;
  gd_layout_row *r = &t->rows[t->n];
  *r = (gd_layout_row){.layout = *layout,
                       .packing = packed->packing,
                       .header = gd_alloc((int64_t)packed->header_bytes, 1),
                       .header_bytes = packed->header_bytes};
  if (r->header == NULL)
    return GD_ERR_NOMEM;
  if (r->header_bytes > 0)
    memcpy(r->header, packed->header, r->header_bytes);
  *row = (int32_t)t->n++;
  return GD_OK;
}

void gd_layout_table_cut(gd_layout_table *t, int64_t n)
{
  assert(t != NULL && n >= 0 && n <= t->n);
  while (t->n > n)
    free(t->rows[--t->n].header);
}

void gd_layout_table_clear(gd_layout_table *t)
{
  assert(t != NULL);
  gd_layout_table_cut(t, 0);
  free(t->rows);
  *t = (gd_layout_table){0};
}

/* ---------------------------------------------------------------- writing */

static gd_status write_numbers(const gd_layout_table *t, gd_store_writer *w)
{
  int32_t *values = gd_alloc(t->n, WIDEST * sizeof *values);
  gd_status st = values == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < N_COLUMNS; i++) {
    const size_t n = (size_t)COLUMNS[i].n;
    for (int64_t r = 0; r < t->n; r++)
      memcpy(values + (size_t)r * n,
             (const char *)&t->rows[r].layout + COLUMNS[i].at,
             n * sizeof *values);
    const gd_dataset d = column_of(i, t->n);
    st = gd_store_put(w, &d, values);
  }
  free(values);
  return st;
}

static gd_status write_texts(const gd_layout_table *t, gd_store_writer *w)
{
  const char **texts = gd_alloc(t->n, sizeof *texts);
  if (texts == NULL)
    return GD_ERR_NOMEM;
  for (int64_t r = 0; r < t->n; r++)
    texts[r] = t->rows[r].layout.pixel_format;
  gd_status st = gd_store_put_texts(w, FORMAT, t->n, texts);
  for (int64_t r = 0; r < t->n; r++)
    texts[r] = PACKINGS[t->rows[r].packing];
  if (st == GD_OK)
    st = gd_store_put_texts(w, PACKING, t->n, texts);
  free(texts);
  return st;
}

/* One row of bytes per layout, as long as the longest. */
static gd_status write_headers(const gd_layout_table *t, gd_store_writer *w)
{
  size_t longest = 1;
  for (int64_t r = 0; r < t->n; r++)
    if (t->rows[r].header_bytes > longest)
      longest = t->rows[r].header_bytes;
  uint8_t *rows = gd_alloc(t->n, longest);
  if (rows == NULL)
    return GD_ERR_NOMEM;
  for (int64_t r = 0; r < t->n; r++)
    memcpy(rows + (size_t)r * longest, t->rows[r].header,
           t->rows[r].header_bytes);
  const gd_dataset d = {.name = HEADER,
                        .dtype = GD_U8,
                        .rank = 2,
                        .dims = {t->n, (int64_t)longest}};
  gd_status st = gd_store_put(w, &d, rows);
  free(rows);
  return st;
}

gd_status gd_layout_table_write(const gd_layout_table *t, gd_store_writer *w)
{
  assert(t != NULL && w != NULL);
  gd_status st = write_numbers(t, w);
  if (st == GD_OK)
    st = write_texts(t, w);
  return st == GD_OK ? write_headers(t, w) : st;
}

/* ---------------------------------------------------------------- reading */

static gd_status read_numbers(gd_store *s, gd_layout_table *t)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < N_COLUMNS; i++)
    for (int64_t r = 0; st == GD_OK && r < t->n; r++) {
      const gd_dataset d = column_of(i, 0);
      st = gd_store_read(s, &d, r, 1,
                         (char *)&t->rows[r].layout + COLUMNS[i].at);
    }
  return st;
}

static gd_status read_texts(gd_store *s, gd_layout_table *t)
{
  gd_status st = GD_OK;
  for (int64_t r = 0; st == GD_OK && r < t->n; r++)
    st = gd_store_read_text(s, FORMAT, r, t->rows[r].layout.pixel_format,
                            GD_PIXEL_FORMAT_MAX);
  for (int64_t r = 0; st == GD_OK && r < t->n; r++) {
    char name[16];
    st = gd_store_read_text(s, PACKING, r, name, sizeof name);
    if (st != GD_OK)
      break;
    if (strcmp(name, PACKINGS[GD_PACKING_FFVHUFF]) == 0)
      t->rows[r].packing = GD_PACKING_FFVHUFF;
    else if (strcmp(name, PACKINGS[GD_PACKING_PLANES]) == 0)
      t->rows[r].packing = GD_PACKING_PLANES;
    else
      st = gd_fail(GD_ERR_FORMAT, "%s: /%s: '%s' is not known",
                   gd_store_path(s), PACKING, name);
  }
  return st;
}

static gd_status read_headers(gd_store *s, gd_layout_table *t)
{
  gd_dataset d;
  gd_status st = gd_store_describe(s, HEADER, &d);
  if (st == GD_OK && (d.dtype != GD_U8 || d.rank != 2))
    st = gd_fail(GD_ERR_FORMAT, "%s: /%s is not uint8 (L, M)", gd_store_path(s),
                 HEADER);
  for (int64_t r = 0; st == GD_OK && r < t->n; r++) {
    gd_layout_row *row = &t->rows[r];
    row->header_bytes = (size_t)d.dims[1];
    row->header = gd_alloc(d.dims[1], 1);
    st = row->header == NULL ? GD_ERR_NOMEM
                             : gd_store_read(s, &d, r, 1, row->header);
  }
  return st;
}

static gd_status check_rows(gd_store *s, const gd_layout_table *t)
{
  for (int64_t r = 0; r < t->n; r++) {
    const gd_picture_layout *l = &t->rows[r].layout;
    const int *d = l->display;
    const int det = d[0] * d[3] - d[1] * d[2];
    const int is_turn = (det == 1 || det == -1) &&
                        d[0] * d[0] + d[1] * d[1] == 1 &&
                        d[2] * d[2] + d[3] * d[3] == 1;
    if (l->width_px < 1 || l->height_px < 1 || !is_turn ||
        gd_picture_planes_bytes(l) == 0)
      return gd_fail(GD_ERR_FORMAT,
                     "%s: row %" PRId64 " of /layout describes no picture",
                     gd_store_path(s), r);
  }
  return GD_OK;
}

gd_status gd_layout_table_read(gd_store *s, gd_layout_table *t)
{
  assert(s != NULL && t != NULL);

  gd_dataset d;
  *t = (gd_layout_table){0};
  gd_status st = gd_store_describe(s, COLUMNS[0].name, &d);
  if (st != GD_OK)
    return st;
  t->rows = gd_alloc(d.dims[0], sizeof *t->rows);
  if (t->rows == NULL)
    return GD_ERR_NOMEM;
  t->n = t->room = d.dims[0];
  st = read_numbers(s, t);
  if (st == GD_OK)
    st = read_texts(s, t);
  if (st == GD_OK)
    st = read_headers(s, t);
  if (st == GD_OK)
    st = check_rows(s, t);
  if (st != GD_OK)
    gd_layout_table_clear(t);
  return st;
}
