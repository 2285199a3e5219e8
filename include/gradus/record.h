/**
 * Records: the small YAML files that stages leave (stage.yaml, report.yaml),
 * read back as a flat list of dotted keys and texts, in the order of the file.
 * Texts are the bytes that were written, UTF-8 or not: files are so named.
 *
 *     parameters:
 *       every: 10            ->   "parameters.every" = "10"
 *     skipped:
 *       - {item: a.avi}      ->   "skipped.0.item" = "a.avi"
 */
#ifndef GRADUS_RECORD_H
#define GRADUS_RECORD_H

#include "gradus/status.h"

typedef struct gd_record gd_record;

/**
 * Read a record.
 * Ends with: gd_record_free()
 * Errors: GD_ERR_IO (missing, unreadable), GD_ERR_FORMAT (no YAML: path, line,
 *         column), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_record_read(const char *path, gd_record **out);
/** Take a record from a text; `name` is for errors. */
GD_NODISCARD gd_status gd_record_parse(const char *name, const char *text,
                                       gd_record **out);
void gd_record_free(gd_record *r); /**< NULL is allowed */

int gd_record_n(const gd_record *r);
const char *gd_record_key(const gd_record *r, int i);
const char *gd_record_text(const gd_record *r, int i);
/** Return the text of a dotted key, NULL if there is none; borrowed. */
const char *gd_record_get(const gd_record *r, const char *key);

#endif
