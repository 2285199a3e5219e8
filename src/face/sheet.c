#include "gradus/sheet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/image.h"
#include "gradus/memory.h"

enum { GAP_PX = 2 };

static void put_face(gd_image *sheet, int column, int row, int size_px,
                     const uint8_t *face)
{
  const int x = GAP_PX + column * (size_px + GAP_PX);
  const int y = GAP_PX + row * (size_px + GAP_PX);
  for (int i = 0; i < size_px; i++)
    memcpy(sheet->rgb + 3 * ((size_t)(y + i) * (size_t)sheet->width_px + x),
           face + (size_t)i * 3 * (size_t)size_px, 3 * (size_t)size_px);
}

gd_status gd_sheet_write(gd_face_set *faces, int64_t most, const char *path)
{
  assert(faces != NULL && most >= 1 && path != NULL);

  const int64_t all = gd_face_set_n_faces(faces);
  const int64_t n = all < most ? all : most;
  const int size_px = gd_face_set_size_px(faces);
  const int pitch_px = size_px + GAP_PX;
  if (n == 0)
    return gd_fail(GD_ERR_USAGE, "%s: there are no faces to draw", path);
  int64_t columns = 1; /* about square */
  while (columns * columns < n)
    columns++;
  const int64_t rows = (n + columns - 1) / columns;
  const int64_t side_px = GAP_PX + columns * pitch_px;
  if (side_px > GD_IMAGE_MAX_SIDE_PX)
    return gd_fail(GD_ERR_USAGE, "%s: %lld faces of %d px do not fit a sheet",
                   path, (long long)n, size_px);

  gd_image sheet;
  gd_status st =
      gd_image_new((int)side_px, (int)(GAP_PX + rows * pitch_px), &sheet);
  if (st != GD_OK)
    return st;
  uint8_t *face = gd_alloc((int64_t)size_px * size_px, 3);
  st = face == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int64_t i = 0; st == GD_OK && i < n; i++) {
    st = gd_face_set_read(faces, i * all / n, face);
    if (st == GD_OK)
      put_face(&sheet, (int)(i % columns), (int)(i / columns), size_px, face);
  }
  if (st == GD_OK)
    st = gd_image_write_png(path, &sheet);
  free(face);
  gd_image_free(&sheet);
  return st;
}
