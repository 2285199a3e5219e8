/* PNG by libpng, from and to memory.  Its errors jump back to the one setjmp
 * of a call; what must survive the jump lives in a struct, not in registers. */
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "image/codecs.h"

typedef struct {
  const unsigned char *next, *end; /* reading */
  gd_text *text;                   /* writing */
  gd_image image;
  png_bytep *rows;
  gd_status status; /* of our own calls */
  char reason[128]; /* libpng's own */
} codec;

static void note_error(png_structp png, png_const_charp message)
{
  codec *c = png_get_error_ptr(png);
  strncpy(c->reason, message, sizeof c->reason - 1);
  png_longjmp(png, 1);
}

/* Warnings concern colour profiles and texts, which are not used. */
static void ignore_warning(png_structp png, png_const_charp message)
{
  (void)png;
  (void)message;
}

static void take_bytes(png_structp png, png_bytep to, size_t size_bytes)
{
  codec *c = png_get_io_ptr(png);
  if ((size_t)(c->end - c->next) < size_bytes)
    png_error(png, "file is truncated");
  memcpy(to, c->next, size_bytes);
  c->next += size_bytes;
}

static void give_bytes(png_structp png, png_bytep from, size_t size_bytes)
{
  codec *c = png_get_io_ptr(png);
  gd_text_bytes(c->text, from, size_bytes);
}

static void flush_nothing(png_structp png)
{
  (void)png;
}

static gd_status list_rows(codec *c)
{
  c->rows = gd_alloc(c->image.height_px, sizeof *c->rows);
  if (c->rows == NULL)
    return GD_ERR_NOMEM;
  for (int y = 0; y < c->image.height_px; y++)
    c->rows[y] = c->image.rgb + (size_t)y * 3 * (size_t)c->image.width_px;
  return GD_OK;
}

/* c->status says whether one of our own calls fails. */
static void read_pixels(codec *c, const char *path, png_structp png,
                        png_infop info)
{
  png_set_user_limits(png, GD_IMAGE_MAX_SIDE_PX, GD_IMAGE_MAX_SIDE_PX);
  png_set_chunk_malloc_max(png, 64 << 20);
  png_set_read_fn(png, c, take_bytes);
  png_read_info(png, info);

  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);

  c->status = gd_image_new((int)png_get_image_width(png, info),
                           (int)png_get_image_height(png, info), &c->image);
  if (c->status == GD_ERR_USAGE)
    c->status = gd_fail(GD_ERR_FORMAT, "%s: %s", path, gd_reason());
  if (c->status == GD_OK)
    c->status = list_rows(c);
  if (c->status != GD_OK)
    return;
  if (png_get_rowbytes(png, info) != 3 * (size_t)c->image.width_px)
    png_error(png, "pixels are not RGB");
  png_read_image(png, c->rows);
  png_read_end(png, NULL);
}

gd_status gd_png_decode(const char *path, const void *data, size_t size_bytes,
                        gd_image *out)
{
  codec c = {.next = data, .end = (const unsigned char *)data + size_bytes};
  *out = (gd_image){0};

  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &c,
                                           note_error, ignore_warning);
  png_infop info = png == NULL ? NULL : png_create_info_struct(png);
  if (info == NULL) {
    c.status = gd_fail(GD_ERR_NOMEM, "%s: out of memory", path);
  } else if (setjmp(png_jmpbuf(png)) == 0) {
    read_pixels(&c, path, png, info);
  } else {
    c.status =
        gd_fail(GD_ERR_FORMAT, "%s: not a readable PNG: %s", path, c.reason);
  }
  png_destroy_read_struct(&png, &info, NULL);
  free(c.rows);
  if (c.status == GD_OK)
    *out = c.image;
  else
    gd_image_free(&c.image);
  return c.status;
}

gd_status gd_png_encode(const char *path, const gd_image *image, gd_text *out)
{
  codec c = {.text = out, .image = *image};

  gd_status st = list_rows(&c);
  if (st != GD_OK)
    return st;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &c,
                                            note_error, ignore_warning);
  png_infop info = png == NULL ? NULL : png_create_info_struct(png);
  if (info == NULL) {
    c.status = gd_fail(GD_ERR_NOMEM, "%s: out of memory", path);
  } else if (setjmp(png_jmpbuf(png)) == 0) {
    png_set_write_fn(png, &c, give_bytes, flush_nothing);
    png_set_IHDR(png, info, (png_uint_32)image->width_px,
                 (png_uint_32)image->height_px, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    png_write_image(png, c.rows);
    png_write_end(png, NULL);
    c.status = gd_text_status(out);
  } else {
    c.status =
        gd_fail(GD_ERR_IO, "%s: cannot compose the PNG: %s", path, c.reason);
  }
  png_destroy_write_struct(&png, &info);
  free(c.rows);
  return c.status;
}
