#include "gradus/attention_picture.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/canvas.h"
#include "gradus/memory.h"

enum { SIDE = 224, LINE = 18, MARKS = 5 };

/* Orange and blue of the palette in page.c, for all kinds of colour vision. */
static const double colours[2][3] = {{0, 114, 178}, {230, 97, 1}};

/* The value at a pixel of `size` pixels, whose cells' centres lie evenly;
 * beyond the outermost centres their value goes on. */
static void cells_about(int pixel, int size, int n, int *first, double *share)
{
  const double at = (pixel + 0.5) * n / size - 0.5;
  const double inside = fmin(fmax(at, 0), n - 1);
  *first = inside >= n - 1 ? n - 2 : (int)inside;
  if (*first < 0)
    *first = 0;
  *share = n == 1 ? 0 : inside - *first;
}

static double value_at(const float *map, int rows, int columns, int size_px,
                       int y, int x)
{
  int i, j;
  double down, right;
  cells_about(y, size_px, rows, &i, &down);
  cells_about(x, size_px, columns, &j, &right);
  const int below = rows == 1 ? i : i + 1, beside = columns == 1 ? j : j + 1;
  const double above = (1 - right) * (double)map[i * columns + j] +
                       right * (double)map[i * columns + beside];
  const double under = (1 - right) * (double)map[below * columns + j] +
                       right * (double)map[below * columns + beside];
  return (1 - down) * above + down * under;
}

void gd_attention_overlay(const float *map, int rows, int columns, int size_px,
                          uint8_t *rgb)
{
  assert(map != NULL && rows >= 1 && columns >= 1 && size_px >= 1);
  assert(rgb != NULL);

  double most = 0;
  for (int i = 0; i < rows * columns; i++)
    most = fmax(most, fabs((double)map[i]));
  for (int y = 0; y < size_px; y++)
    for (int x = 0; x < size_px; x++) {
      uint8_t *pixel = rgb + 3 * ((ptrdiff_t)y * size_px + x);
      const double value = value_at(map, rows, columns, size_px, y, x);
      const double part = most > 0 ? fabs(value) / most : 0;
      const double share = 0.75 * part * part;
      const double grey =
          0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
      for (int c = 0; c < 3; c++)
        pixel[c] =
            (uint8_t)lround((1 - share) * grey + share * colours[value > 0][c]);
    }
}

/* "gradus-1 x y x y ...": see gradus/alignment.h. */
static int read_template(const char *text, double marks[MARKS][2])
{
  return sscanf(text, "gradus-1 %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf",
                &marks[0][0], &marks[0][1], &marks[1][0], &marks[1][1],
                &marks[2][0], &marks[2][1], &marks[3][0], &marks[3][1],
                &marks[4][0], &marks[4][1]) == 2 * MARKS;
}

/* Eyes, the tip of the nose, and the mouth from corner to corner. */
static void mark_face(gd_canvas *c, const char *text)
{
  double marks[MARKS][2];
  const gd_paint ink = gd_paint_flat(gd_colour_hex(0x1b1f24));
  const gd_stroke pen = {.width = 2, .round = 1};
  if (!read_template(text, marks))
    return;
  for (int i = 0; i < 3; i++) {
    gd_canvas_path(c);
    gd_canvas_ellipse(c, marks[i][0] * SIDE, marks[i][1] * SIDE, i < 2 ? 11 : 4,
                      i < 2 ? 6 : 4);
    gd_canvas_stroke(c, pen, ink);
  }
  gd_canvas_path(c);
  gd_canvas_move(c, marks[3][0] * SIDE, marks[3][1] * SIDE);
  gd_canvas_line(c, marks[4][0] * SIDE, marks[4][1] * SIDE);
  gd_canvas_stroke(c, pen, ink);
}

static void write_line(gd_canvas *c, int line, const char *text)
{
  const gd_colour ink = gd_colour_hex(line == 0 ? 0x1b1f24 : 0x59636e);
  gd_font font = {.size = 13, .anchor = 0.5};
  const double width = gd_canvas_text_width(c, font, text);
  if (width > SIDE - 6)
    font.size *= (SIDE - 6) / width;
  gd_canvas_text(c, SIDE / 2.0, SIDE + LINE * (line + 1) - 3, font, ink, text);
}

static void write_caption(gd_canvas *c, const gd_attention_set *s, int which)
{
  char text[160];
  if (which == GD_ATTENTION_MEAN) {
    snprintf(text, sizeof text, "mean of %" PRId64 " %s videos", s->n_videos,
             gd_partition_name(s->partition));
    write_line(c, 0, text);
    return;
  }
  const gd_attention_case *one = &s->cases[which];
  snprintf(text, sizeof text, "label %g / predicted %.1f", one->label,
           one->predicted);
  write_line(c, 0, text);
  write_line(c, 1, one->reason);
}

gd_status gd_attention_picture(const gd_attention_set *s, int which,
                               int is_captioned, gd_text *png)
{
  assert(s != NULL && which >= GD_ATTENTION_MEAN && which < s->n);
  assert(png != NULL);

  const int size_px = s->size_px;
  const int64_t n_bytes = (int64_t)size_px * size_px * 3;
  const int is_mean = which == GD_ATTENTION_MEAN;
  uint8_t *rgb = gd_alloc(n_bytes, 1);
  if (rgb == NULL)
    return GD_ERR_NOMEM;
  if (is_mean)
    memset(rgb, 0xd8, (size_t)n_bytes);
  else
    memcpy(rgb, s->cases[which].rgb, (size_t)n_bytes);
  gd_attention_overlay(is_mean ? s->mean : s->cases[which].map, s->rows,
                       s->columns, size_px, rgb);
  gd_canvas *c = NULL;
  gd_status st = gd_canvas_new(GD_CANVAS_PIXELS, SIDE,
                               SIDE + (is_captioned ? 2 * LINE + 4 : 0), &c);
  if (st == GD_OK) {
    gd_canvas_image(c, rgb, size_px, size_px, 0, 0, SIDE, SIDE);
    if (is_mean || s->is_blurred)
      mark_face(c, s->face_template);
    if (is_captioned)
      write_caption(c, s, which);
    st = gd_canvas_encode(c, png);
  }
  gd_canvas_free(c);
  free(rgb);
  return st;
}
