#include "gradus/page.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "palette.h"

static const char rules[] =
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu "
    "Sans\",sans-serif}"
    "main{max-width:68rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0 .25rem}"
    "h2{font-size:1.2rem;margin:0 0 .75rem}"
    "h3{font-size:.95rem;margin:0 0 .35rem;font-weight:600}"
    "section{border-top:1px solid var(--rule);margin-top:2rem;"
    "padding-top:1.5rem}"
    "p{max-width:46rem;margin:.5rem 0}"
    "nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;"
    "margin:1rem 0 0;padding:0}"
    "a{color:var(--accent)}"
    ".notice{border-left:4px solid var(--warn);background:var(--warn-soft);"
    "padding:.5rem .9rem}"
    ".scroll{overflow-x:auto}"
    "table{border-collapse:collapse;margin:.75rem 0;"
    "font-variant-numeric:tabular-nums}"
    "caption{text-align:left;color:var(--muted);font-size:.875rem;"
    "padding-bottom:.35rem;white-space:nowrap}"
    "th,td{text-align:left;padding:.3rem .9rem .3rem 0;"
    "border-bottom:1px solid var(--rule);vertical-align:top;"
    "overflow-wrap:break-word}"
    "thead th{border-bottom:2px solid var(--ink);font-weight:600;"
    "white-space:nowrap}"
    "tbody th{font-weight:400}"
    ".n{text-align:right;padding-right:0;padding-left:1.1rem;"
    "white-space:nowrap}"
    "pre{background:var(--soft);border:1px solid var(--rule);padding:.9rem;"
    "overflow-x:auto;font:13px/1.45 ui-monospace,\"DejaVu Sans "
    "Mono\",monospace}"
    "summary{cursor:pointer;color:var(--accent);margin:.5rem 0}"
    ".charts{display:grid;gap:1.5rem;"
    "grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr))}"
    "figure{margin:0;min-width:0}"
    "figure.wide{grid-column:1/-1}"
    "figure.wide .chart{min-width:42rem;max-width:54rem}"
    ".chart{display:block;width:100%;height:auto;max-width:30rem}"
    ".chart text{font-family:inherit}"
    ".faces{display:grid;gap:1rem;"
    "grid-template-columns:repeat(auto-fill,minmax(min(10rem,100%),1fr))}"
    ".face{display:block;width:100%;max-width:14rem;height:auto}"
    "figcaption{font-size:.8125rem;margin-top:.3rem;max-width:14rem}"
    ".whole{white-space:nowrap}"
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;"
    "margin:.25rem 0 .75rem;padding:0;font-size:.9rem}"
    ".legend svg{width:22px;height:12px;margin-right:.4rem}"
    "footer{border-top:1px solid var(--rule);margin-top:2.5rem;"
    "padding-top:1rem;color:var(--muted);font-size:.875rem}";

static const char paper[] =
    "@media print{body{font-size:10pt}main{max-width:none;padding:0}"
    "nav,details{display:none}section{break-inside:auto}"
    "figure,tr,h2,h3{break-inside:avoid}h2,h3{break-after:avoid}"
    ".charts{grid-template-columns:repeat(2,1fr)}"
    "figure.wide .chart{min-width:0}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

static void add_style(gd_text *out)
{
  gd_text_add(out, "<style>:root{color-scheme:light dark;");
  gd_palette_variables(out, 0);
  /* Only screens go dark: paper stays white. */
  gd_text_add(out, "}@media screen and (prefers-color-scheme:dark){:root{");
  gd_palette_variables(out, 1);
  gd_text_add(out, "}}");
  gd_text_add(out, rules);
  gd_palette_chart_style(out, 0);
  gd_text_add(out, paper);
  gd_text_add(out, "</style>\n");
}

void gd_page_begin(gd_text *out, const char *title)
{
  assert(out != NULL && title != NULL);

  gd_text_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                   "<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" "
                   "content=\"width=device-width,initial-scale=1\">\n"
                   "<link rel=\"icon\" href=\"data:,\">\n<title>");
  gd_text_html(out, title);
  gd_text_add(out, "</title>\n");
  add_style(out);
  gd_text_add(out, "</head>\n<body>\n<main>\n<h1>");
  gd_text_html(out, title);
  gd_text_add(out, "</h1>\n");
}

void gd_page_end(gd_text *out)
{
  gd_text_add(out, "</main>\n</body>\n</html>\n");
}

void gd_page_section_begin(gd_text *out, const char *id, const char *title)
{
  gd_text_printf(out, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n", id,
                 id);
  gd_text_printf(out, "<h2 id=\"%s-title\">", id);
  gd_text_html(out, title);
  gd_text_add(out, "</h2>\n");
}

void gd_page_section_end(gd_text *out)
{
  gd_text_add(out, "</section>\n");
}

void gd_page_heading(gd_text *out, const char *text)
{
  gd_text_add(out, "<h3>");
  gd_text_html(out, text);
  gd_text_add(out, "</h3>\n");
}

static void add_escaped(gd_text *out, const char *before, const char *after,
                        const char *format, va_list args)
{
  char text[2048]; /* our own sentences; a name in one may be cut */
  vsnprintf(text, sizeof text, format, args);
  gd_text_add(out, before);
  gd_text_html(out, text);
  gd_text_add(out, after);
}

void gd_page_paragraph(gd_text *out, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  add_escaped(out, "<p>", "</p>\n", format, args);
  va_end(args);
}

void gd_page_notice(gd_text *out, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  add_escaped(out, "<p class=\"notice\">", "</p>\n", format, args);
  va_end(args);
}

void gd_page_verbatim(gd_text *out, const char *text)
{
  gd_text_add(out, "<pre tabindex=\"0\">");
  gd_text_html(out, text);
  gd_text_add(out, "</pre>\n");
}

void gd_page_fold_begin(gd_text *out, const char *summary)
{
  gd_text_add(out, "<details><summary>");
  gd_text_html(out, summary);
  gd_text_add(out, "</summary>\n");
}

void gd_page_fold_end(gd_text *out)
{
  gd_text_add(out, "</details>\n");
}

void gd_page_table_begin(gd_text *out, const char *caption, int n_text,
                         int n_columns, const char *const *headers)
{
  gd_text_add(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                   "aria-label=\"");
  gd_text_html(out, caption);
  gd_text_add(out, "\"><table>\n<caption>");
  gd_text_html(out, caption);
  gd_text_add(out, "</caption>\n<thead><tr>");
  for (int i = 0; i < n_columns; i++) {
    gd_text_printf(out, "<th scope=\"col\"%s>",
                   i < n_text ? "" : " class=\"n\"");
    gd_text_html(out, headers[i]);
    gd_text_add(out, "</th>");
  }
  gd_text_add(out, "</tr></thead>\n<tbody>\n");
}

void gd_page_row_begin(gd_text *out)
{
  gd_text_add(out, "<tr>");
}

void gd_page_row_end(gd_text *out)
{
  gd_text_add(out, "</tr>\n");
}

void gd_page_cell(gd_text *out, const char *text)
{
  gd_text_add(out, "<td>");
  gd_text_html(out, text);
  gd_text_add(out, "</td>");
}

void gd_page_table_end(gd_text *out)
{
  gd_text_add(out, "</tbody></table></div>\n");
}
