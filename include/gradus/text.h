/**
 * Text that grows: for CSV, JSON, YAML and HTML, written as one file later.
 *
 * Failure is remembered: after one, further calls do nothing, and
 * gd_text_status() tells.  So a page is composed without a check per line.
 */
#ifndef GRADUS_TEXT_H
#define GRADUS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/status.h"

typedef struct {
  char *data; /**< zero-terminated; NULL while empty */
  size_t length_bytes;
  int64_t room_bytes;
  gd_status status;
} gd_text; /**< starts as {0}; ends with gd_text_free() */

void gd_text_add(gd_text *t, const char *text);
void gd_text_bytes(gd_text *t, const void *data, size_t size_bytes);
void gd_text_printf(gd_text *t, const char *format, ...) GD_PRINTF(2, 3);
/**
 * Add the first character of a text, or U+FFFD for a byte that begins none
 * which XML 1.0 allows: no UTF-8 (RFC 3629), or a control character.
 * @return how many bytes of the text that were, >= 1
 */
size_t gd_text_character(gd_text *t, const char *text);
/** Return how many bytes of a text are UTF-8, from its beginning: all of them,
 * or those before a byte above 127 that begins no character. */
size_t gd_text_utf8(const char *text);
/** Add with <, >, &, " and ' escaped, for HTML and SVG; always well-formed. */
void gd_text_html(gd_text *t, const char *text);
/** Add as a JSON string, quoted and escaped; also a valid YAML scalar, if the
 * text is UTF-8. */
void gd_text_json(gd_text *t, const char *text);
/** Add as one CSV field (RFC 4180): quoted where it must be. */
void gd_text_csv(gd_text *t, const char *text);
/** Add as one word of a POSIX shell that means exactly this text: in single
 * quotes, where nothing is special. */
void gd_text_shell(gd_text *t, const char *text);
/** Add bytes as base64 (RFC 4648), for data: addresses. */
void gd_text_base64(gd_text *t, const void *data, size_t size_bytes);
/** Return what has been composed, "" if nothing; borrowed until a change. */
const char *gd_text_get(const gd_text *t);
/** Return GD_OK, or GD_ERR_NOMEM if something could not be added. */
GD_NODISCARD gd_status gd_text_status(const gd_text *t);
void gd_text_free(gd_text *t);

#endif
