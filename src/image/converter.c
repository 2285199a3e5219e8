#include "gradus/converter.h"

#include <assert.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

struct gd_converter {
  int width_px, height_px;
  struct SwsContext *scaler;
  gd_picture_layout layout;          /* that the scaler is made for */
  int from_width_px, from_height_px; /* scaled, but not yet turned */
  /* rows padded: libswscale writes whole vectors */
  uint8_t *rows;
  int64_t rows_bytes;
  int stride_bytes;
};

gd_status gd_converter_open(int width_px, int height_px, gd_converter **out)
{
  assert(out != NULL && width_px > 0 && height_px > 0);

  *out = gd_alloc(1, sizeof **out);
  if (*out == NULL)
    return GD_ERR_NOMEM;
  (*out)->width_px = width_px;
  (*out)->height_px = height_px;
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

int gd_converter_knows(const char *pixel_format)
{
  return sws_isSupportedInput(av_get_pix_fmt(pixel_format)) != 0;
}

/* Set matrix and range from the tags, by the rules of ffmpeg's scale filter. */
static void set_colours(struct SwsContext *scaler, const gd_picture_layout *l)
{
  int *from_table, *to_table, from_range, to_range, brightness, contrast,
      saturation;
  if (sws_getColorspaceDetails(scaler, &from_table, &from_range, &to_table,
                               &to_range, &brightness, &contrast,
                               &saturation) < 0)
    return; /* no such choice for this pair of formats */
  /* 0 is a tag of RGB; what libswscale does not know becomes BT.601 there. */
  const int matrix = l->matrix < 1 ? SWS_CS_DEFAULT : l->matrix;
  if (l->range != GD_RANGE_UNTAGGED)
    from_range = l->range == GD_RANGE_FULL;
  (void)sws_setColorspaceDetails(scaler, sws_getCoefficients(matrix),
                                 from_range, to_table, to_range, brightness,
                                 contrast, saturation);
}

/* Say how large a picture becomes before it is turned. */
static void fit(gd_converter *c, const gd_picture_layout *l)
{
  int64_t width, height;
  int shown_width, shown_height;
  gd_picture_displayed(l, &shown_width, &shown_height);
  const int64_t across = (int64_t)c->width_px * shown_height;
  const int64_t down = (int64_t)c->height_px * shown_width;
  width = c->width_px;
  height = c->height_px;
  if (across > down) /* the result is wider */
    width = (down + shown_height / 2) / shown_height;
  else
    height = (across + shown_width / 2) / shown_width;
  /* Sizes of one shape are rounded: no black line for that. */
  if (width + 1 >= c->width_px && height + 1 >= c->height_px) {
    width = c->width_px;
    height = c->height_px;
  }
  width = width < 1 ? 1 : width;
  height = height < 1 ? 1 : height;
  const int turned = l->display[0] == 0;
  c->from_width_px = (int)(turned ? height : width);
  c->from_height_px = (int)(turned ? width : height);
}

static gd_status make_rows(gd_converter *c)
{
  enum { VECTOR = 64 };
  c->stride_bytes =
      (3 * c->from_width_px + VECTOR - 1) / VECTOR * VECTOR + VECTOR;
  const int64_t bytes = (int64_t)(c->from_height_px + 1) * c->stride_bytes;
  if (bytes <= c->rows_bytes)
    return GD_OK;
  free(c->rows);
  c->rows = gd_alloc(bytes, 1);
  c->rows_bytes = c->rows == NULL ? 0 : bytes;
  return c->rows == NULL ? GD_ERR_NOMEM : GD_OK;
}

static gd_status make_scaler(gd_converter *c, const gd_picture_layout *l)
{
  if (c->scaler != NULL && gd_picture_layout_equal(&c->layout, l))
    return GD_OK;
  sws_freeContext(c->scaler);
  c->scaler = NULL;
  fit(c, l);
  gd_status st = make_rows(c);
  if (st != GD_OK)
    return st;
  if (gd_converter_knows(l->pixel_format))
    c->scaler = sws_getContext(l->width_px, l->height_px,
                               av_get_pix_fmt(l->pixel_format),
                               c->from_width_px, c->from_height_px,
                               AV_PIX_FMT_RGB24, SWS_BICUBIC, NULL, NULL, NULL);
  if (c->scaler == NULL)
    return gd_fail(GD_ERR_DECODE,
                   "pictures of %d x %d in the format %s cannot be converted "
                   "to RGB",
                   l->width_px, l->height_px, l->pixel_format);
  set_colours(c->scaler, l);
  c->layout = *l;
  return GD_OK;
}

/* Copy the padded rows to where a display shows them, in the middle. */
static void turn(const gd_converter *c, uint8_t *rgb)
{
  const int *d = c->layout.display;
  const int w = c->from_width_px, h = c->from_height_px;
  const int turned = d[0] == 0;
  const int64_t shift_x = (d[0] < 0 ? w - 1 : 0) + (d[2] < 0 ? h - 1 : 0) +
                          (c->width_px - (turned ? h : w)) / 2;
  const int64_t shift_y = (d[1] < 0 ? w - 1 : 0) + (d[3] < 0 ? h - 1 : 0) +
                          (c->height_px - (turned ? w : h)) / 2;
  const int64_t step = 3 * (d[0] + (int64_t)d[1] * c->width_px);
  if ((turned ? h : w) != c->width_px || (turned ? w : h) != c->height_px)
    memset(rgb, 0, (size_t)c->width_px * (size_t)c->height_px * 3);
  for (int y = 0; y < h; y++) {
    const uint8_t *from = c->rows + (size_t)y * (size_t)c->stride_bytes;
    uint8_t *to = rgb + 3 * (shift_x + (int64_t)d[2] * y +
                             (shift_y + (int64_t)d[3] * y) * c->width_px);
    if (step == 3) {
      memcpy(to, from, (size_t)w * 3);
      continue;
    }
    for (int x = 0; x < w; x++, from += 3, to += step) {
      to[0] = from[0];
      to[1] = from[1];
      to[2] = from[2];
    }
  }
}

gd_status gd_converter_run(gd_converter *c, const gd_picture *picture,
                           uint8_t *rgb)
{
  assert(c != NULL && picture != NULL && rgb != NULL);

  gd_status st = make_scaler(c, &picture->layout);
  if (st != GD_OK)
    return st;
  uint8_t *const rows[4] = {c->rows};
  const int strides[4] = {c->stride_bytes};
  if (sws_scale(c->scaler, picture->planes, picture->stride_bytes, 0,
                picture->layout.height_px, rows, strides) < 0)
    return gd_fail(GD_ERR_DECODE, "a picture cannot be converted to RGB");
  turn(c, rgb);
  return GD_OK;
}
