#include "gradus/image.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "image/codecs.h"

enum { FILE_MAX_BYTES = 1 << 30 };

gd_status gd_image_new(int width_px, int height_px, gd_image *out)
{
  assert(out != NULL);
  *out = (gd_image){0};

  if (width_px < 1 || height_px < 1 || width_px > GD_IMAGE_MAX_SIDE_PX ||
      height_px > GD_IMAGE_MAX_SIDE_PX ||
      (int64_t)width_px * height_px >
          GD_IMAGE_MAX_MEGAPIXELS * INT64_C(1000000))
    return gd_fail(GD_ERR_USAGE,
                   "image of %d x %d px: sides must be 1 to %d px, and at most "
                   "%d megapixels",
                   width_px, height_px, GD_IMAGE_MAX_SIDE_PX,
                   GD_IMAGE_MAX_MEGAPIXELS);
  uint8_t *rgb = gd_alloc((int64_t)width_px * height_px, 3);
  if (rgb == NULL)
    return GD_ERR_NOMEM;
  *out = (gd_image){.width_px = width_px, .height_px = height_px, .rgb = rgb};
  return GD_OK;
}

gd_status gd_image_read(const char *path, gd_image *out)
{
  static const unsigned char png[8] = {137, 'P', 'N', 'G', 13, 10, 26, 10};
  static const unsigned char jpeg[3] = {0xff, 0xd8, 0xff};

  assert(path != NULL && out != NULL);
  *out = (gd_image){0};

  char *data;
  size_t size_bytes;
  gd_status st = gd_file_read(path, FILE_MAX_BYTES, &data, &size_bytes);
  if (st != GD_OK)
    return st;
  if (size_bytes >= sizeof png && memcmp(data, png, sizeof png) == 0)
    st = gd_png_decode(path, data, size_bytes, out);
  else if (size_bytes >= sizeof jpeg && memcmp(data, jpeg, sizeof jpeg) == 0)
    st = gd_jpeg_decode(path, data, size_bytes, out);
  else
    st = gd_fail(GD_ERR_FORMAT, "%s: neither PNG nor JPEG", path);
  free(data);
  return st;
}

gd_status gd_image_write_png(const char *path, const gd_image *image)
{
  assert(path != NULL && image != NULL && image->rgb != NULL);

  gd_text file = {0};
  gd_status st = gd_png_encode(path, image, &file);
  if (st == GD_OK)
    st = gd_file_write(path, file.data, file.length_bytes);
  gd_text_free(&file);
  return st;
}

void gd_image_free(gd_image *image)
{
  assert(image != NULL);
  free(image->rgb);
  *image = (gd_image){0};
}
