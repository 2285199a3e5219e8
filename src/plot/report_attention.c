#include <inttypes.h>
#include <math.h>

#include "gradus/attention_picture.h"
#include "gradus/page.h"
#include "sections.h"

/* What the cells of a map add to the level: all of them, and which does most
 * either way. */
typedef struct {
  double sum;
  int highest, lowest; /* cells */
} extremes;

static extremes measure(const gd_attention_set *s, const float *map)
{
  extremes e = {0, 0, 0};
  for (int i = 0; i < s->rows * s->columns; i++) {
    e.sum += (double)map[i];
    e.highest = map[i] > map[e.highest] ? i : e.highest;
    e.lowest = map[i] < map[e.lowest] ? i : e.lowest;
  }
  return e;
}

static void add_place(gd_text *alt, const gd_attention_set *s, const char *what,
                      const float *map, int cell)
{
  gd_text_printf(alt, " %s in row %d, column %d of %d by %d, by %.3g levels.",
                 what, cell / s->columns + 1, cell % s->columns + 1, s->rows,
                 s->columns, fabs((double)map[cell]));
}

/* What a reader who does not see the picture hears. */
static void describe(gd_text *alt, const gd_attention_set *s, int which)
{
  const float *map = which == GD_ATTENTION_MEAN ? s->mean : s->cases[which].map;
  const extremes e = measure(s, map);
  if (which == GD_ATTENTION_MEAN)
    gd_text_printf(alt, "Mean attention map of %" PRId64 " videos.",
                   s->n_videos);
  else
    gd_text_printf(alt,
                   "Attention map over a %sface, frame %" PRId64
                   " of %s: label %g, predicted %.1f.",
                   s->is_blurred ? "blurred " : "", s->cases[which].frame_index,
                   s->cases[which].id, s->cases[which].label,
                   s->cases[which].predicted);
  if (map[e.highest] > 0)
    add_place(alt, s, "The level is raised most", map, e.highest);
  else
    gd_text_add(alt, " Nothing raises the level.");
  if (map[e.lowest] < 0)
    add_place(alt, s, "It is lowered most", map, e.lowest);
  else
    gd_text_add(alt, " Nothing lowers it.");
}

static gd_status add_picture(gd_report_page *p, const gd_attention_set *s,
                             int which)
{
  gd_text png = {0}, alt = {0};
  gd_status st = gd_attention_picture(s, which, 0, &png);
  if (st == GD_OK)
    st = gd_text_status(&png);
  if (st == GD_OK) {
    const gd_attention_case *one =
        which == GD_ATTENTION_MEAN ? NULL : &s->cases[which];
    describe(&alt, s, which);
    st = gd_text_status(&alt);
    gd_text_add(p->out,
                "<figure class=\"map\"><img class=\"face\" width=\"224\" "
                "height=\"224\" alt=\"");
    gd_text_html(p->out, gd_text_get(&alt));
    gd_text_add(p->out, "\" src=\"data:image/png;base64,");
    gd_text_base64(p->out, png.data, png.length_bytes);
    gd_text_add(p->out, "\"><figcaption>");
    if (one == NULL) {
      gd_text_printf(p->out, "mean of %" PRId64 " videos", s->n_videos);
    } else {
      gd_text_printf(p->out,
                     "<span class=\"whole\">label %g / predicted %.1f</span>"
                     "<br>",
                     one->label, one->predicted);
      gd_text_html(p->out, one->reason);
    }
    gd_text_add(p->out, "</figcaption></figure>\n");
  }
  gd_text_free(&png);
  gd_text_free(&alt);
  return st;
}

static void add_numbers(gd_table *t, const gd_attention_set *s,
                        const float *map)
{
  const extremes e = measure(s, map);
  gd_table_number(t, 3, (double)map[e.highest]);
  gd_table_number(t, 3, (double)map[e.lowest]);
  gd_table_number(t, 3, e.sum);
}

static void add_table(gd_report_page *p, const gd_attention_set *s,
                      const char *label)
{
  static const char *const headers[] = {
      "chosen for",    "video",       "frame",        "label",    "predicted",
      "E of the face", "most raised", "most lowered", "all cells"};
  gd_text name = {0}, caption = {0};
  gd_table t;
  gd_text_printf(&name, "attention-%s", label);
  gd_text_printf(&caption, "Faces with attention maps, in levels: %s", label);
  gd_page_fold_begin(p->out, gd_text_get(&caption));
  gd_table_begin(&t, gd_text_get(&name), gd_text_get(&caption), 9, headers, 2);
  for (int i = 0; i < s->n; i++) {
    const gd_attention_case *one = &s->cases[i];
    gd_table_text(&t, one->reason);
    gd_table_text(&t, one->id);
    gd_table_number(&t, 0, (double)one->frame_index);
    gd_table_level(&t, one->label);
    gd_table_number(&t, 2, one->predicted);
    gd_table_number(&t, 2, one->expected);
    add_numbers(&t, s, one->map);
  }
  gd_table_text(&t, "mean");
  gd_table_text(&t, "");
  for (int i = 0; i < 4; i++)
    gd_table_number(&t, 0, NAN);
  add_numbers(&t, s, s->mean);
  gd_report_show_table(p, &t);
  gd_page_fold_end(p->out);
  gd_text_free(&name);
  gd_text_free(&caption);
}

static void explain(gd_report_page *p)
{
  static const char *const legend[][2] = {{"#e66101", "raises the level"},
                                          {"#0072b2", "lowers it"}};
  gd_page_paragraph(
      p->out,
      "Where the level of a face comes from: what each cell of the last "
      "convolutions adds to it (Grad-CAM of the expected level, Selvaraju et "
      "al. 2017; its positive part is the orange one). Faces are chosen by "
      "rule: of the video with the median error in each band, of those with "
      "the smallest and the largest error, the frame whose level is nearest "
      "the video's. Colours are relative to the strongest cell of each map: "
      "compare places within a picture, not strengths between pictures. Lines "
      "mark where aligned eyes, nose and mouth lie. A map shows what this "
      "network used, not what the level is "
      "due to.");
  gd_text_add(p->out, "<ul class=\"legend\">");
  for (int i = 0; i < 2; i++)
    gd_text_printf(p->out,
                   "<li><svg viewBox=\"0 0 22 12\" aria-hidden=\"true\">"
                   "<rect width=\"22\" height=\"12\" fill=\"%s\"/></svg>%s"
                   "</li>",
                   legend[i][0], legend[i][1]);
  gd_text_add(p->out, "</ul>\n");
}

static gd_status add_model(gd_report_page *p, const gd_attention_set *s,
                           const char *label, int is_first)
{
  gd_status st = GD_OK;
  if (is_first)
    gd_text_add(p->out, "<h3>");
  else
    gd_text_add(p->out, "<details><summary>Maps of ");
  gd_text_html(p->out, label);
  gd_text_add(p->out, is_first ? "</h3>\n" : "</summary>\n");
  if (!s->is_blurred)
    gd_page_notice(p->out, "The faces are not blurred: do not pass this page "
                           "on without the consent of who is shown.");
  gd_page_paragraph(
      p->out,
      s->is_exact
          ? "%d by %d cells. This network reads the level off one output: the "
            "map is exact (CAM, Zhou et al. 2016), the level is the sum of its "
            "cells plus a constant."
          : "%d by %d cells. The level bends with the network's outputs: the "
            "map is its linear part at this face.",
      s->rows, s->columns);
  gd_text_add(p->out, "<div class=\"faces\">\n");
  for (int i = 0; st == GD_OK && i < s->n; i++)
    st = add_picture(p, s, i);
  if (st == GD_OK)
    st = add_picture(p, s, GD_ATTENTION_MEAN);
  gd_text_add(p->out, "</div>\n");
  if (!is_first)
    gd_page_fold_end(p->out);
  return st;
}

int gd_report_has_attention(const gd_report_page *p)
{
  for (int m = 0; p->report->attention != NULL && m < p->comparison->n_parts;
       m++)
    if (p->report->attention[m] != NULL)
      return 1;
  return 0;
}

gd_status gd_report_attention(gd_report_page *p)
{
  gd_status st = GD_OK;
  int n = 0;
  if (!gd_report_has_attention(p))
    return GD_OK;
  gd_page_section_begin(p->out, "attention", "Attention maps");
  explain(p);
  for (int m = 0; st == GD_OK && m < p->comparison->n_parts; m++)
    if (p->report->attention[m] != NULL)
      st = add_model(p, p->report->attention[m], p->comparison->parts[m].label,
                     n++ == 0);
  for (int m = 0; st == GD_OK && m < p->comparison->n_parts; m++)
    if (p->report->attention[m] != NULL)
      add_table(p, p->report->attention[m], p->comparison->parts[m].label);
  gd_page_section_end(p->out);
  return st;
}
