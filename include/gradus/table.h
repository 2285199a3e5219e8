/**
 * Tables: written once, read in three forms.
 *
 *     gd_table t;
 *     gd_table_begin(&t, "errors", "Errors per video", 3,
 *                    (const char *const[]){"model", "n", "MAE"}, 1);
 *     gd_table_text(&t, "softmax");
 *     gd_table_number(&t, 0, 50);
 *     gd_table_number(&t, 2, 7.89);
 *     gd_table_html(&t, &page);     a <table> of the page (gradus/page.h)
 *     gd_table_csv(&t, &csv);       with all digits, for programs
 *     gd_table_latex(&t, &tex);     booktabs, to \input into a paper
 *     gd_table_free(&t);
 *
 * Cells are given row by row.  All text is escaped in each form.
 */
#ifndef GRADUS_TABLE_H
#define GRADUS_TABLE_H

#include <stdint.h>

#include "gradus/status.h"
#include "gradus/text.h"

enum { GD_TABLE_COLUMNS = 16 };

typedef struct gd_table_cell gd_table_cell;

typedef struct {
  char *name;    /**< of its files: letters, digits and '-' */
  char *caption; /**< what it shows */
  int n_columns, n_text;
  char *headers[GD_TABLE_COLUMNS];
  int64_t n_cells, room;
  gd_table_cell *cells;
  gd_status status;
} gd_table;

/**
 * Begin a table.
 * @param[in] name       of its files; what is between letters and digits
 *                       becomes one '-'
 * @param[in] n_columns  at most GD_TABLE_COLUMNS
 * @param[in] n_text     how many columns, from the left, hold text; the others
 *                       are set flush right
 * Ends with: gd_table_free().  Failure is remembered: gd_table_status().
 */
void gd_table_begin(gd_table *t, const char *name, const char *caption,
                    int n_columns, const char *const *headers, int n_text);
void gd_table_text(gd_table *t, const char *text);
/** Add a number; one that is not finite is a dash, or an empty field. */
void gd_table_number(gd_table *t, int decimals, double value);
/** Add an interval: "5.10–7.02", "[5.1, 7.02]" in CSV; "to" where one is below
 * 0. */
void gd_table_interval(gd_table *t, int decimals, double low, double high);
/** Add a mean with its deviation, "6.03 ± 0.20"; the mean alone if there is no
 * deviation; "6.03 +- 0.2" in CSV. */
void gd_table_spread(gd_table *t, int decimals, double mean, double deviation);

/** Add a level: without decimals where it is whole, else with two. */
void gd_table_level(gd_table *t, double value);

/** Make a text, in place, a name of a file: small ASCII letters, digits, and
 * one '-' for whatever is between them; cut behind 180 bytes. */
void gd_table_make_name(char *name);

/** Return how many rows are complete. */
int64_t gd_table_rows(const gd_table *t);
void gd_table_html(const gd_table *t, gd_text *out);
void gd_table_csv(const gd_table *t, gd_text *out);
void gd_table_latex(const gd_table *t, gd_text *out);
/** Return GD_OK, or GD_ERR_NOMEM if something could not be added. */
GD_NODISCARD gd_status gd_table_status(const gd_table *t);
void gd_table_free(gd_table *t);

#endif
