#include "gradus/table.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/page.h"

typedef enum { TEXT, NUMBER, INTERVAL, SPREAD } cell_kind;

struct gd_table_cell {
  cell_kind kind;
  char *text; /* of a TEXT */
  int decimals;
  double a, b;
};

static char *copy(gd_table *t, const char *text)
{
  char *own = gd_strdup(text);
  if (own == NULL)
    t->status = GD_ERR_NOMEM;
  return own;
}

/* File systems allow 255 bytes, a number and extensions among them. */
enum { MOST_NAME_BYTES = 180 };

void gd_table_make_name(char *name)
{
  char *to = name;
  for (const char *c = name; *c != '\0' && to - name < MOST_NAME_BYTES; c++)
    if (isalnum((unsigned char)*c))
      *to++ = (char)tolower((unsigned char)*c);
    else if (to > name && to[-1] != '-')
      *to++ = '-';
  if (to > name && to[-1] == '-')
    to--;
  *to = '\0';
}

void gd_table_begin(gd_table *t, const char *name, const char *caption,
                    int n_columns, const char *const *headers, int n_text)
{
  assert(t != NULL && name != NULL && caption != NULL && headers != NULL);
  assert(n_columns >= 1 && n_columns <= GD_TABLE_COLUMNS);

  *t = (gd_table){.n_columns = n_columns, .n_text = n_text};
  t->name = copy(t, name);
  t->caption = copy(t, caption);
  if (t->name != NULL)
    gd_table_make_name(t->name);
  for (int i = 0; i < n_columns; i++)
    t->headers[i] = copy(t, headers[i]);
}

static void add_cell(gd_table *t, gd_table_cell cell)
{
  assert(t != NULL);
  if (t->status == GD_OK)
    t->status = gd_grow(&t->cells, t->n_cells + 1, &t->room, sizeof *t->cells);
  if (t->status == GD_OK)
    t->cells[t->n_cells++] = cell;
  else
    free(cell.text);
}

void gd_table_text(gd_table *t, const char *text)
{
  add_cell(t, (gd_table_cell){.kind = TEXT, .text = copy(t, text)});
}

void gd_table_number(gd_table *t, int decimals, double value)
{
  add_cell(t,
           (gd_table_cell){.kind = NUMBER, .decimals = decimals, .a = value});
}

void gd_table_level(gd_table *t, double value)
{
  gd_table_number(t, value == floor(value) ? 0 : 2, value);
}

void gd_table_interval(gd_table *t, int decimals, double low, double high)
{
  add_cell(t, (gd_table_cell){
                  .kind = INTERVAL, .decimals = decimals, .a = low, .b = high});
}

void gd_table_spread(gd_table *t, int decimals, double mean, double deviation)
{
  add_cell(
      t, (gd_table_cell){
             .kind = SPREAD, .decimals = decimals, .a = mean, .b = deviation});
}

int64_t gd_table_rows(const gd_table *t)
{
  return t->n_cells / t->n_columns;
}

gd_status gd_table_status(const gd_table *t)
{
  return t->status;
}

void gd_table_free(gd_table *t)
{
  for (int64_t i = 0; i < t->n_cells; i++)
    free(t->cells[i].text);
  for (int i = 0; i < t->n_columns; i++)
    free(t->headers[i]);
  free(t->cells);
  free(t->name);
  free(t->caption);
  *t = (gd_table){0};
}

/* ------------------------------------------------------------------ numbers */

/* Signs as a form writes them. */
typedef struct {
  const char *minus, *dash, *to, *plus_minus;
} signs;

static void add_number(gd_text *out, const signs *s, int decimals, double value)
{
  /* A rounded -0.00 would look like a sign that means something. */
  if (fabs(value) < 0.5 * pow(10, -decimals))
    value = 0;
  gd_text_printf(out, "%s%.*f", value < 0 ? s->minus : "", decimals,
                 fabs(value));
}

static void add_value(gd_text *out, const signs *s, const gd_table_cell *c)
{
  if (!isfinite(c->a) || (c->kind == INTERVAL && !isfinite(c->b))) {
    gd_text_add(out, s->dash);
    return;
  }
  add_number(out, s, c->decimals, c->a);
  if (c->kind == NUMBER || (c->kind == SPREAD && !isfinite(c->b)))
    return;
  gd_text_add(out, c->kind == SPREAD      ? s->plus_minus
                   : c->a < 0 || c->b < 0 ? " to "
                                          : s->to);
  add_number(out, s, c->decimals, c->b);
}

/* --------------------------------------------------------------------- HTML */

void gd_table_html(const gd_table *t, gd_text *out)
{
  static const signs html = {"\xe2\x88\x92", "\xe2\x80\x93", "\xe2\x80\x93",
                             " \xc2\xb1 "};
  if (t->status != GD_OK)
    return;
  gd_page_table_begin(out, t->caption, t->n_text, t->n_columns,
                      (const char *const *)t->headers);
  for (int64_t i = 0; i < gd_table_rows(t) * t->n_columns; i++) {
    const gd_table_cell *c = &t->cells[i];
    if (i % t->n_columns == 0)
      gd_page_row_begin(out);
    if (c->kind == TEXT && i % t->n_columns < t->n_text) {
      gd_page_cell(out, c->text);
    } else {
      gd_text_add(out, "<td class=\"n\">");
      if (c->kind == TEXT)
        gd_text_html(out, c->text);
      else
        add_value(out, &html, c);
      gd_text_add(out, "</td>");
    }
    if ((i + 1) % t->n_columns == 0)
      gd_page_row_end(out);
  }
  gd_page_table_end(out);
}

/* ---------------------------------------------------------------------- CSV */

static void add_csv_cell(gd_text *out, const gd_table_cell *c)
{
  char text[80] = "";
  if (c->kind == TEXT) {
    gd_text_csv(out, c->text);
    return;
  }
  if (isfinite(c->a) && c->kind == INTERVAL && isfinite(c->b))
    snprintf(text, sizeof text, "[%.6g, %.6g]", c->a, c->b);
  else if (isfinite(c->a) && c->kind == SPREAD && isfinite(c->b))
    snprintf(text, sizeof text, "%.6g +- %.6g", c->a, c->b);
  else if (isfinite(c->a) && c->kind != INTERVAL)
    snprintf(text, sizeof text, "%.8g", c->a);
  gd_text_csv(out, text);
}

void gd_table_csv(const gd_table *t, gd_text *out)
{
  if (t->status != GD_OK)
    return;
  for (int i = 0; i < t->n_columns; i++) {
    gd_text_add(out, i == 0 ? "" : ",");
    gd_text_csv(out, t->headers[i]);
  }
  gd_text_add(out, "\n");
  for (int64_t i = 0; i < gd_table_rows(t) * t->n_columns; i++) {
    gd_text_add(out, i % t->n_columns == 0 ? "" : ",");
    add_csv_cell(out, &t->cells[i]);
    gd_text_add(out, (i + 1) % t->n_columns == 0 ? "\n" : "");
  }
}

/* -------------------------------------------------------------------- LaTeX */

/* Characters that mean something to LaTeX, and typographic ones that an old
 * encoding lacks. */
static void add_latex(gd_text *out, const char *text)
{
  static const char *const escapes[][2] = {{"\\", "\\textbackslash{}"},
                                           {"{", "\\{"},
                                           {"}", "\\}"},
                                           {"$", "\\$"},
                                           {"&", "\\&"},
                                           {"#", "\\#"},
                                           {"%", "\\%"},
                                           {"_", "\\_"},
                                           {"~", "\\textasciitilde{}"},
                                           {"^", "\\textasciicircum{}"},
                                           {"<", "\\textless{}"},
                                           {">", "\\textgreater{}"},
                                           {"\xe2\x80\x93", "--"},
                                           {"\xe2\x88\x92", "$-$"},
                                           {"\xe2\x80\x99", "'"},
                                           {"\xc2\xb1", "$\\pm$"},
                                           {"\xcf\x81", "$\\rho$"},
                                           {"\n", " "},
                                           {"\r", " "}};
  while (*text != '\0') {
    size_t n = 0;
    const char *instead = NULL;
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
      if (strncmp(text, escapes[i][0], strlen(escapes[i][0])) == 0) {
        n = strlen(escapes[i][0]);
        instead = escapes[i][1];
      }
    if (instead != NULL)
      gd_text_add(out, instead);
    else
      n = gd_text_character(out, text);
    text += n;
  }
}

static void add_latex_cell(gd_text *out, const gd_table_cell *c)
{
  static const signs latex = {"$-$", "--", "--", " $\\pm$ "};
  if (c->kind != TEXT) {
    add_value(out, &latex, c);
    return;
  }
  /* Behind the \\ of the row above, either would be its argument. */
  const int is_argument = c->text[0] == '[' || c->text[0] == '*';
  gd_text_add(out, is_argument ? "{" : "");
  gd_text_bytes(out, c->text, (size_t)is_argument);
  gd_text_add(out, is_argument ? "}" : "");
  add_latex(out, c->text + is_argument);
}

void gd_table_latex(const gd_table *t, gd_text *out)
{
  if (t->status != GD_OK)
    return;
  gd_text_add(out, "% \\usepackage{booktabs}\n\\begin{table}\n"
                   "  \\centering\n  \\caption{");
  add_latex(out, t->caption);
  gd_text_printf(out, "}\n  \\label{tab:%s}\n  \\begin{tabular}{", t->name);
  for (int i = 0; i < t->n_columns; i++)
    gd_text_add(out, i < t->n_text ? "l" : "r");
  gd_text_add(out, "}\n    \\toprule\n    ");
  for (int i = 0; i < t->n_columns; i++) {
    gd_text_add(out, i == 0 ? "" : " & ");
    add_latex(out, t->headers[i]);
  }
  gd_text_add(out, " \\\\\n    \\midrule\n");
  for (int64_t i = 0; i < gd_table_rows(t) * t->n_columns; i++) {
    gd_text_add(out, i % t->n_columns == 0 ? "    " : " & ");
    add_latex_cell(out, &t->cells[i]);
    gd_text_add(out, (i + 1) % t->n_columns == 0 ? " \\\\\n" : "");
  }
  gd_text_add(out, "    \\bottomrule\n  \\end{tabular}\n\\end{table}\n");
}
