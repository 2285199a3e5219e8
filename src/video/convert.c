#include "video/convert.h"

#include <assert.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

struct gd_converter {
  const char *path;
  int width_px, height_px;
  const int *display;
  struct SwsContext *scaler;
  /* what the scaler is made for */
  int from_width, from_height;
  enum AVPixelFormat from_format;
  enum AVColorSpace matrix;
  enum AVColorRange range;
  /* rows padded: libswscale writes whole vectors */
  uint8_t *rows;
  int stride_bytes;
};

gd_status gd_converter_open(const char *path, int width_px, int height_px,
                            const int display[4], gd_converter **out)
{
  assert(path != NULL && display != NULL && out != NULL);
  assert(width_px > 0 && height_px > 0);

  *out = NULL;
  gd_converter *c = gd_alloc(1, sizeof *c);
  if (c == NULL)
    return GD_ERR_NOMEM;
  c->path = path;
  c->width_px = width_px;
  c->height_px = height_px;
  c->display = display;
  c->stride_bytes = (3 * width_px + 63) / 64 * 64 + 64;
  c->rows = gd_alloc(height_px + 1, (size_t)c->stride_bytes);
  if (c->rows == NULL) {
    gd_converter_close(c);
    return GD_ERR_NOMEM;
  }
  *out = c;
  return GD_OK;
}

void gd_converter_close(gd_converter *c)
{
  if (c == NULL)
    return;
  sws_freeContext(c->scaler);
  free(c->rows);
  free(c);
}

gd_fit gd_converter_fit(const gd_converter *c, const AVFrame *picture,
                        int *width_px, int *height_px)
{
  assert(c != NULL && picture != NULL && width_px != NULL && height_px != NULL);

  const int width = *width_px = picture->width;
  const int height = *height_px = picture->height;
  if (width == c->width_px && height == c->height_px)
    return GD_FIT_SAME;
  const int64_t off =
      (int64_t)width * c->height_px - (int64_t)height * c->width_px;
  const int64_t pixel = width > height ? width : height;
  return off <= pixel && off >= -pixel ? GD_FIT_SCALED : GD_FIT_OTHER;
}

/* Set matrix and range from the tags; libswscale's table is indexed by them,
 * and untagged means BT.601. */
static void set_colours(struct SwsContext *scaler, const AVFrame *f)
{
  int *from_table, *to_table, from_range, to_range, brightness, contrast,
      saturation;
  if (sws_getColorspaceDetails(scaler, &from_table, &from_range, &to_table,
                               &to_range, &brightness, &contrast,
                               &saturation) < 0)
    return; /* no such choice for this pair of formats */
  const int matrix =
      f->colorspace == AVCOL_SPC_UNSPECIFIED ? SWS_CS_ITU601 : f->colorspace;
  if (f->color_range != AVCOL_RANGE_UNSPECIFIED)
    from_range = f->color_range == AVCOL_RANGE_JPEG;
  (void)sws_setColorspaceDetails(scaler, sws_getCoefficients(matrix),
                                 from_range, to_table, to_range, brightness,
                                 contrast, saturation);
}

static gd_status make_scaler(gd_converter *c, const AVFrame *f)
{
  if (c->scaler != NULL && c->from_width == f->width &&
      c->from_height == f->height && c->from_format == f->format &&
      c->matrix == f->colorspace && c->range == f->color_range)
    return GD_OK;
  sws_freeContext(c->scaler);
  const char *name = av_get_pix_fmt_name(f->format);
  c->scaler = NULL;
  if (sws_isSupportedInput(f->format))
    c->scaler = sws_getContext(f->width, f->height, f->format, c->width_px,
                               c->height_px, AV_PIX_FMT_RGB24, SWS_BICUBIC,
                               NULL, NULL, NULL);
  if (c->scaler == NULL)
    return gd_fail(GD_ERR_DECODE, "%s: pictures of format %s are not converted",
                   c->path, name == NULL ? "unknown" : name);
  set_colours(c->scaler, f);
  c->from_width = f->width;
  c->from_height = f->height;
  c->from_format = f->format;
  c->matrix = f->colorspace;
  c->range = f->color_range;
  return GD_OK;
}

/* Copy the padded rows to where a display shows them: source pixel (x, y) goes
 * to (d0 x + d2 y, d1 x + d3 y), shifted so that all are >= 0. */
static void turn(const gd_converter *c, uint8_t *rgb)
{
  const int *d = c->display, w = c->width_px, h = c->height_px;
  if (d[0] == 1 && d[3] == 1) {
    for (int y = 0; y < h; y++)
      memcpy(rgb + (size_t)y * w * 3, c->rows + (size_t)y * c->stride_bytes,
             (size_t)w * 3);
    return;
  }
  const int64_t out_width = d[0] == 0 ? h : w;
  const int64_t shift_x = (d[0] < 0 ? w - 1 : 0) + (d[2] < 0 ? h - 1 : 0);
  const int64_t shift_y = (d[1] < 0 ? w - 1 : 0) + (d[3] < 0 ? h - 1 : 0);
  const int64_t step = 3 * (d[0] + d[1] * out_width);
  for (int y = 0; y < h; y++) {
    const uint8_t *from = c->rows + (size_t)y * c->stride_bytes;
    uint8_t *to = rgb + 3 * (shift_x + (int64_t)d[2] * y +
                             (shift_y + (int64_t)d[3] * y) * out_width);
    for (int x = 0; x < w; x++, from += 3) {
      uint8_t *pixel = to + x * step;
      pixel[0] = from[0];
      pixel[1] = from[1];
      pixel[2] = from[2];
    }
  }
}

gd_status gd_converter_run(gd_converter *c, const AVFrame *picture,
                           uint8_t *rgb)
{
  assert(c != NULL && picture != NULL && rgb != NULL);

  gd_status st = make_scaler(c, picture);
  if (st != GD_OK)
    return st;
  uint8_t *const rows[4] = {c->rows};
  const int strides[4] = {c->stride_bytes};
  if (sws_scale(c->scaler, (const uint8_t *const *)picture->data,
                picture->linesize, 0, picture->height, rows, strides) < 0)
    return gd_fail(GD_ERR_DECODE, "%s: a picture cannot be converted to RGB",
                   c->path);
  turn(c, rgb);
  return GD_OK;
}

size_t gd_picture_planes(const AVFrame *picture, uint8_t *out,
                         size_t room_bytes)
{
  assert(picture != NULL);

  const int size = av_image_get_buffer_size(picture->format, picture->width,
                                            picture->height, 1);
  if (size < 0)
    return 0;
  if ((size_t)size <= room_bytes)
    (void)av_image_copy_to_buffer(
        out, size, (const uint8_t *const *)picture->data, picture->linesize,
        picture->format, picture->width, picture->height, 1);
  return (size_t)size;
}
