/* JPEG by libjpeg-turbo, from memory.  Its errors jump back to one setjmp;
 * what must survive the jump lives in a struct, not in registers. */
#include <setjmp.h>
#include <stdio.h>
/* libjpeg needs FILE and size_t before it. */
#include <jerror.h>
#include <jpeglib.h>

#include "image/codecs.h"

typedef struct {
  struct jpeg_error_mgr errors; /* first: libjpeg hands out its address */
  struct jpeg_decompress_struct jpeg;
  gd_image image;
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
  c->status =
      gd_image_new((int)jpeg->image_width, (int)jpeg->image_height, &c->image);
  if (c->status == GD_ERR_USAGE)
    c->status = gd_fail(GD_ERR_FORMAT, "%s: %s", path, gd_reason());
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

gd_status gd_jpeg_decode(const char *path, const void *data, size_t size_bytes,
                         gd_image *out)
{
  codec c = {0};
  *out = (gd_image){0};

  c.jpeg.err = jpeg_std_error(&c.errors);
  c.errors.error_exit = note_error;
  c.errors.emit_message = refuse_damage;
  if (setjmp(c.back) != 0)
    c.status =
        gd_fail(GD_ERR_FORMAT, "%s: not a readable JPEG: %s", path, c.reason);
  else
    read_pixels(&c, path, data, size_bytes);
  jpeg_destroy_decompress(&c.jpeg);
  if (c.status == GD_OK)
    *out = c.image;
  else
    gd_image_free(&c.image);
  return c.status;
}
