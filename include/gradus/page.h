/**
 * A page: one HTML file that needs nothing else.
 *
 * Style, charts and tables are all in the file; there are no scripts and no
 * addresses, so it opens from a disk, without a network, in any browser.  It
 * follows the reader's light or dark setting, prints in black on white, and
 * can be read without seeing: charts have a table behind them.
 *
 *     gd_page_begin(&out, "avec2014");
 *     gd_page_section_begin(&out, "results", "Results");
 *     gd_page_table_begin(&out, "Versions", 2, 2, headers);
 *     gd_page_row_begin(&out);
 *     gd_page_cell(&out, "gradus");
 *     gd_page_cell(&out, "0.1.0");
 *     gd_page_row_end(&out);
 *     gd_page_table_end(&out);
 *     gd_page_section_end(&out);
 *     gd_page_end(&out);
 *
 * All text is escaped here; it may come from manifests and file names.
 */
#ifndef GRADUS_PAGE_H
#define GRADUS_PAGE_H

#include "gradus/text.h"

/** Begin the document: head, style sheet, the page's title. */
void gd_page_begin(gd_text *out, const char *title);
void gd_page_end(gd_text *out);

/** Begin a section; `id` is plain ASCII, for links. */
void gd_page_section_begin(gd_text *out, const char *id, const char *title);
void gd_page_section_end(gd_text *out);

/** Add a heading within a section. */
void gd_page_heading(gd_text *out, const char *text);
/** Add a paragraph, printf format; the composed text is escaped. */
void gd_page_paragraph(gd_text *out, const char *format, ...) GD_PRINTF(2, 3);
/** Add a paragraph that must be seen: printf format, escaped. */
void gd_page_notice(gd_text *out, const char *format, ...) GD_PRINTF(2, 3);
/** Add text as it is, in a fixed-width face. */
void gd_page_verbatim(gd_text *out, const char *text);

/** Begin what a reader may unfold; printing leaves it folded. */
void gd_page_fold_begin(gd_text *out, const char *summary);
void gd_page_fold_end(gd_text *out);

/**
 * Begin a table.
 * @param[in] n_text     how many columns, from the left, hold text; the others
 *                       hold numbers and are set flush right
 * @param[in] headers    (n_columns)
 */
void gd_page_table_begin(gd_text *out, const char *caption, int n_text,
                         int n_columns, const char *const *headers);
void gd_page_row_begin(gd_text *out);
void gd_page_row_end(gd_text *out);
void gd_page_cell(gd_text *out, const char *text);
void gd_page_table_end(gd_text *out);

#endif
