/* Tables and figures, on the page and as files beside it. */
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/page.h"
#include "sections.h"

/* ------------------------------------------------------------------- files */

void gd_report_files_free(gd_report_files *f)
{
  for (int64_t i = 0; i < f->n; i++) {
    free(f->files[i].path);
    gd_text_free(&f->files[i].content);
  }
  free(f->files);
  *f = (gd_report_files){0};
}

static int has_file(const gd_report_files *list, const char *path)
{
  for (int64_t i = 0; i < list->n; i++)
    if (strcmp(list->files[i].path, path) == 0)
      return 1;
  return 0;
}

static void name_file(const char *folder, const char *name, int number,
                      const char *extension, gd_text *path)
{
  gd_text_printf(path, "%s/%s", folder, name);
  if (number > 1)
    gd_text_printf(path, "-%d", number);
  gd_text_printf(path, ".%s", extension);
}

/* Find the number that makes a name new: two models may have the same label. */
static int find_number(const gd_report_files *list, const char *folder,
                       const char *name, const char *extension)
{
  for (int number = 1;; number++) {
    gd_text path = {0};
    name_file(folder, name, number, extension, &path);
    const int taken = has_file(list, gd_text_get(&path));
    gd_text_free(&path);
    if (!taken)
      return number;
  }
}

/* Append a file and take its content. */
static gd_status add_file(gd_report_files *list, const char *folder,
                          const char *name, int number, const char *extension,
                          gd_text *content)
{
  gd_text path = {0};
  gd_status st =
      gd_grow(&list->files, list->n + 1, &list->room, sizeof *list->files);
  if (st != GD_OK)
    return st;
  name_file(folder, name, number, extension, &path);
  gd_report_file file = {.path = gd_strdup(gd_text_get(&path)),
                         .content = *content};
  gd_text_free(&path);
  if (file.path == NULL)
    return GD_ERR_NOMEM;
  list->files[list->n++] = file;
  *content = (gd_text){0};
  return gd_text_status(&file.content);
}

/* ------------------------------------------------------------------ tables */

static gd_status keep_table(gd_report_files *list, const gd_table *t)
{
  const int number = find_number(list, "tables", t->name, "csv");
  gd_text csv = {0}, latex = {0};
  gd_table_csv(t, &csv);
  gd_table_latex(t, &latex);
  gd_status st = add_file(list, "tables", t->name, number, "csv", &csv);
  if (st == GD_OK)
    st = add_file(list, "tables", t->name, number, "tex", &latex);
  gd_text_free(&csv);
  gd_text_free(&latex);
  return st;
}

void gd_report_show_table(gd_report_page *p, gd_table *t)
{
  if (p->status == GD_OK)
    p->status = gd_table_status(t);
  if (p->status == GD_OK && p->files != NULL)
    p->status = keep_table(p->files, t);
  gd_table_html(t, p->out);
  gd_table_free(t);
}

/* ----------------------------------------------------------------- figures */

static gd_status keep_figure(gd_report_files *list, const gd_chart *chart)
{
  gd_text svg = {0}, png = {0};
  char *name = gd_strdup(chart->title);
  if (name == NULL)
    return GD_ERR_NOMEM;
  gd_table_make_name(name);
  const int number = find_number(list, "figures", name, "svg");
  gd_chart_svg_file(&svg, chart);
  gd_status st = gd_chart_png(&png, chart);
  if (st == GD_OK)
    st = add_file(list, "figures", name, number, "svg", &svg);
  if (st == GD_OK)
    st = add_file(list, "figures", name, number, "png", &png);
  gd_text_free(&svg);
  gd_text_free(&png);
  free(name);
  return st;
}

/* The numbers that a chart shows, a row per mark. */
static void begin_numbers(const gd_chart *c, gd_table *t)
{
  const int has_ends = c->n_series > 0 && c->series[0].low != NULL;
  const char *const headers[] = {"series", c->x_label, c->y_label, "low",
                                 "high"};
  gd_table_begin(t, c->title, c->title, has_ends ? 5 : 3, headers,
                 c->kind == GD_CHART_BARS ? 2 : 1);
  for (int s = 0; s < c->n_series; s++)
    for (int64_t i = 0; i < c->series[s].n; i++) {
      const gd_series *of = &c->series[s];
      gd_table_text(t, of->name);
      if (c->kind == GD_CHART_BARS)
        gd_table_text(t, c->categories[i]);
      else
        gd_table_level(t, of->x[i]);
      gd_table_number(t, 3, of->y[i]);
      if (has_ends) {
        gd_table_number(t, 3, of->low[i]);
        gd_table_number(t, 3, of->high[i]);
      }
    }
}

void gd_report_figure(gd_report_page *p, const char *heading, int wide,
                      const gd_chart *chart, gd_table *table)
{
  gd_table own;
  if (table == NULL) {
    begin_numbers(chart, &own);
    table = &own;
  }
  if (p->status == GD_OK && p->files != NULL)
    p->status = keep_figure(p->files, chart);
  gd_text_printf(p->out, "<figure%s><h3>", wide ? " class=\"wide\"" : "");
  gd_text_html(p->out, heading);
  gd_text_add(p->out, "</h3>\n");
  if (wide)
    gd_text_add(p->out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                        "aria-label=\"Chart\">\n");
  gd_chart_svg(p->out, chart);
  if (wide)
    gd_text_add(p->out, "</div>\n");
  gd_page_fold_begin(p->out, "Numbers");
  gd_report_show_table(p, table);
  gd_page_fold_end(p->out);
  gd_text_add(p->out, "</figure>\n");
}
