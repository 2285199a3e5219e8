#include "gradus/sheet.h"

#include <assert.h>
#include <string.h>

#include "gradus/blur.h"
#include "gradus/image.h"
#include "gradus/memory.h"

enum { GAP_PX = 2 };

/* A frame's colour tells how the face was come by. */
static const uint8_t frame_rgb[GD_N_FACE_STATUS][3] = {
    [GD_FACE_TRACKED] = {255, 176, 0}, [GD_FACE_FALLBACK] = {224, 32, 32}};

static void fill(gd_image *sheet, int x, int y, int side_px,
                 const uint8_t rgb[3])
{
  for (int j = y; j < y + side_px; j++)
    for (int i = x; i < x + side_px; i++)
      memcpy(sheet->rgb + 3 * ((size_t)j * (size_t)sheet->width_px + (size_t)i),
             rgb, 3);
}

static void put_face(gd_image *sheet, int column, int row, const gd_image *face,
                     gd_face_status status)
{
  const int size_px = face->width_px;
  const int x = GAP_PX + column * (size_px + GAP_PX);
  const int y = GAP_PX + row * (size_px + GAP_PX);
  if (status != GD_FACE_DETECTED)
    fill(sheet, x - GAP_PX, y - GAP_PX, size_px + 2 * GAP_PX,
         frame_rgb[status]);
  for (int i = 0; i < size_px; i++)
    memcpy(sheet->rgb +
               3 * ((size_t)(y + i) * (size_t)sheet->width_px + (size_t)x),
           face->rgb + (size_t)i * 3 * (size_t)size_px, 3 * (size_t)size_px);
}

/* Draw n of the faces, so many in a row. */
static gd_status draw(gd_face_set *faces, const gd_sheet *s, int64_t n,
                      int64_t columns, gd_image *sheet)
{
  const int size_px = gd_face_set_size_px(faces);
  const int64_t all = s->faces.end - s->faces.first;
  gd_image face;
  gd_status st = gd_image_new(size_px, size_px, &face);
  const float whole[4] = {0, 0, (float)size_px, (float)size_px};
  for (int64_t i = 0; st == GD_OK && i < n; i++) {
    const int64_t at = s->faces.first + i * all / n;
    st = gd_face_set_read(faces, at, face.rgb);
    if (st == GD_OK && s->is_blurred)
      st = gd_image_blur(&face, whole);
    if (st == GD_OK)
      put_face(sheet, (int)(i % columns), (int)(i / columns), &face,
               gd_face_set_info(faces, at).status);
  }
  gd_image_free(&face);
  return st;
}

gd_status gd_sheet_write(gd_face_set *faces, const gd_sheet *s,
                         const char *path)
{
  assert(faces != NULL && s != NULL && s->most >= 1 && path != NULL);
  assert(0 <= s->faces.first && s->faces.first < s->faces.end &&
         s->faces.end <= gd_face_set_n_faces(faces));

  const int64_t all = s->faces.end - s->faces.first;
  const int64_t n = all < s->most ? all : s->most;
  const int size_px = gd_face_set_size_px(faces);
  const int pitch_px = size_px + GAP_PX;
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
  if (st == GD_OK)
    st = draw(faces, s, n, columns, &sheet);
  if (st == GD_OK)
    st = gd_image_write_png(path, &sheet);
  gd_image_free(&sheet);
  return st;
}
