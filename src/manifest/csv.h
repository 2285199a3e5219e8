/**
 * Rows of a CSV text (RFC 4180): commas, double quotes, LF or CRLF.
 *
 * The text is cut in place; fields are borrowed from it.  A byte order mark at
 * the start and blank lines are passed over, blanks around unquoted fields are
 * dropped.
 */
#ifndef GRADUS_MANIFEST_CSV_H
#define GRADUS_MANIFEST_CSV_H

#include "gradus/status.h"

typedef struct {
  const char *path; /**< for errors */
  char *next;
  int next_line;
  int line; /**< where the last row began, from 1 */
} gd_csv;

/** Start on a zero-terminated text. */
gd_csv gd_csv_open(const char *path, char *text);
/**
 * Take the next row.
 * @param[out] fields    (most)
 * @param[out] n_fields  -1 at the end
 * Errors: GD_ERR_USAGE (a quote that never ends, more than `most` fields)
 */
GD_NODISCARD gd_status gd_csv_row(gd_csv *csv, int most, char **fields,
                                  int *n_fields);

#endif
