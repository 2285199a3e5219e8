/* JPEG by libjpeg-turbo, in memory.  Its errors jump back to one setjmp;
 * what must survive the jump lives in a struct, not in registers. */
#include <setjmp.h>
#include <stdio.h>
/* libjpeg needs FILE and size_t before it. */
#include <assert.h>
#include <jerror.h>
#include <jpeglib.h>
#include <stdlib.h>

#include "gradus/jpeg.h"
#include "gradus/memory.h"
#include "image/codecs.h"

typedef struct {
  struct jpeg_error_mgr errors; /* first: libjpeg hands out its address */
  struct jpeg_decompress_struct jpeg;
  gd_image image;   /* without pixels: to be allocated */
  gd_status status; /* of our own calls */
  char reason[JMSG_LENGTH_MAX];
  jmp_buf back;
} codec;

static void note_error(j_common_ptr jpeg)
{
  codec *c = (codec *)jpeg->err;
  jpeg->err->format_message(jpeg, c->reason);
  longjmp(c->back, 1);
}

/* libjpeg goes on after damaged data with grey pixels and a warning (level -1).
 * Such a file is refused; bytes between segments do no harm. */
static void refuse_damage(j_common_ptr jpeg, int level)
{
  if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA)
    note_error(jpeg);
}

/* Make the image that the header tells, or check that it is the one expected.
 */
static gd_status make_image(codec *c, const char *path)
{
  const int width = (int)c->jpeg.image_width;
  const int height = (int)c->jpeg.image_height;
  if (c->image.rgb == NULL) {
    gd_status st = gd_image_new(width, height, &c->image);
    return st == GD_ERR_USAGE
               ? gd_fail(GD_ERR_FORMAT, "%s: %s", path, gd_reason())
               : st;
  }
  if (width == c->image.width_px && height == c->image.height_px)
    return GD_OK;
  return gd_fail(GD_ERR_FORMAT, "%s: a JPEG of %d x %d, expected %d x %d", path,
                 width, height, c->image.width_px, c->image.height_px);
}

/* c->status says whether the file or our own calls say no. */
static void read_pixels(codec *c, const char *path, const void *data,
                        size_t size_bytes)
{
  struct jpeg_decompress_struct *jpeg = &c->jpeg;
  jpeg_create_decompress(jpeg);
  jpeg_mem_src(jpeg, data, size_bytes);
  jpeg_read_header(jpeg, TRUE);
  if (jpeg->jpeg_color_space == JCS_CMYK ||
      jpeg->jpeg_color_space == JCS_YCCK) {
    c->status =
        gd_fail(GD_ERR_FORMAT, "%s: CMYK JPEG / convert it to RGB first", path);
    return;
  }
  c->status = make_image(c, path);
  if (c->status != GD_OK)
    return;

  jpeg->out_color_space = JCS_RGB;
  jpeg_start_decompress(jpeg);
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW row = c->image.rgb + (size_t)jpeg->output_scanline * 3 *
                                      (size_t)c->image.width_px;
    jpeg_read_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_decompress(jpeg);
}

static gd_status decode(codec *c, const char *path, const void *data,
                        size_t size_bytes)
{
  c->jpeg.err = jpeg_std_error(&c->errors);
  c->errors.error_exit = note_error;
  c->errors.emit_message = refuse_damage;
  if (setjmp(c->back) != 0)
    c->status =
        gd_fail(GD_ERR_FORMAT, "%s: not a readable JPEG: %s", path, c->reason);
  else
    read_pixels(c, path, data, size_bytes);
  jpeg_destroy_decompress(&c->jpeg);
  return c->status;
}

gd_status gd_jpeg_decode(const char *path, const void *data, size_t size_bytes,
                         gd_image *out)
{
  codec c = {0};
  gd_status st = decode(&c, path, data, size_bytes);
  *out = (gd_image){0};
  if (st == GD_OK)
    *out = c.image;
  else
    gd_image_free(&c.image);
  return st;
}

gd_status gd_jpeg_decode_into(const char *name, const void *bytes,
                              size_t size_bytes, const gd_image *image)
{
  assert(name != NULL && bytes != NULL && image != NULL && image->rgb != NULL);

  codec c = {.image = *image};
  return decode(&c, name, bytes, size_bytes);
}

/* ---------------------------------------------------------------- encoding */

struct gd_jpeg {
  struct jpeg_error_mgr errors; /* first: libjpeg hands out its address */
  struct jpeg_compress_struct jpeg;
  uint8_t *bytes; /* ours */
  unsigned long room_bytes;
  uint8_t *written; /* `bytes`, or larger ones of libjpeg's */
  unsigned long size_bytes;
  char reason[JMSG_LENGTH_MAX];
  jmp_buf back;
};

static void note_encoding_error(j_common_ptr jpeg)
{
  gd_jpeg *j = (gd_jpeg *)jpeg->err;
  jpeg->err->format_message(jpeg, j->reason);
  longjmp(j->back, 1);
}

gd_status gd_jpeg_new(gd_jpeg **out)
{
  assert(out != NULL);

  gd_jpeg *j = *out = gd_alloc(1, sizeof *j);
  if (j == NULL)
    return GD_ERR_NOMEM;
  j->jpeg.err = jpeg_std_error(&j->errors);
  j->errors.error_exit = note_encoding_error;
  if (setjmp(j->back) == 0) {
    jpeg_create_compress(&j->jpeg);
    return GD_OK;
  }
  gd_jpeg_free(*out);
  *out = NULL;
  return gd_fail(GD_ERR_NOMEM, "no memory to write JPEG");
}

void gd_jpeg_free(gd_jpeg *j)
{
  if (j == NULL)
    return;
  jpeg_destroy_compress(&j->jpeg);
  free(j->bytes);
  free(j);
}

/* Make room for what nearly all images need. */
static gd_status reserve(gd_jpeg *j, const gd_image *image)
{
  enum { HEADERS = 1 << 12 };
  const unsigned long need =
      (unsigned long)image->width_px * (unsigned long)image->height_px * 3 +
      HEADERS;
  if (need <= j->room_bytes)
    return GD_OK;
  free(j->bytes);
  j->bytes = gd_alloc((int64_t)need, 1);
  j->room_bytes = j->bytes == NULL ? 0 : need;
  return j->bytes == NULL ? GD_ERR_NOMEM : GD_OK;
}

static void write_pixels(gd_jpeg *j, const gd_image *image, int quality)
{
  struct jpeg_compress_struct *jpeg = &j->jpeg;
  jpeg_mem_dest(jpeg, &j->written, &j->size_bytes);
  jpeg->image_width = (JDIMENSION)image->width_px;
  jpeg->image_height = (JDIMENSION)image->height_px;
  jpeg->input_components = 3;
  jpeg->in_color_space = JCS_RGB;
  jpeg_set_defaults(jpeg);
  jpeg_set_quality(jpeg, quality, TRUE);
  for (int i = 0; i < 3; i++)
    jpeg->comp_info[i].h_samp_factor = jpeg->comp_info[i].v_samp_factor = 1;
  jpeg_start_compress(jpeg, TRUE);
  while (jpeg->next_scanline < jpeg->image_height) {
    JSAMPROW row =
        image->rgb + (size_t)jpeg->next_scanline * 3 * (size_t)image->width_px;
    jpeg_write_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_compress(jpeg);
}

gd_status gd_jpeg_encode(gd_jpeg *j, const gd_image *image, int quality,
                         const uint8_t **bytes, size_t *size_bytes)
{
  assert(j != NULL && image != NULL && image->rgb != NULL);
  assert(quality >= 1 && quality <= 100);
  assert(bytes != NULL && size_bytes != NULL);

  gd_status st = reserve(j, image);
  if (st != GD_OK)
    return st;
  j->written = j->bytes;
  j->size_bytes = j->room_bytes;
  if (setjmp(j->back) != 0) {
    jpeg_abort_compress(&j->jpeg);
    return gd_fail(GD_ERR_USAGE, "an image of %d x %d cannot be a JPEG: %s",
                   image->width_px, image->height_px, j->reason);
  }
  write_pixels(j, image, quality);
  if (j->written != j->bytes) { /* libjpeg found the room too small */
    free(j->bytes);
    j->bytes = j->written;
    j->room_bytes = j->size_bytes;
  }
  *bytes = j->bytes;
  *size_bytes = j->size_bytes;
  return GD_OK;
}
