#include "gradus/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

static int make_room(gd_text *t, size_t more_bytes)
{
  if (t->status != GD_OK)
    return 0;
  const size_t need = t->length_bytes + more_bytes + 1;
  t->status = gd_grow(&t->data, (int64_t)need, &t->room_bytes, 1);
  return t->status == GD_OK;
}

void gd_text_bytes(gd_text *t, const void *data, size_t size_bytes)
{
  assert(t != NULL && (data != NULL || size_bytes == 0));
  if (!make_room(t, size_bytes))
    return;
  if (size_bytes > 0)
    memcpy(t->data + t->length_bytes, data, size_bytes);
  t->length_bytes += size_bytes;
  t->data[t->length_bytes] = '\0';
}

void gd_text_add(gd_text *t, const char *text)
{
  gd_text_bytes(t, text, strlen(text));
}

void gd_text_printf(gd_text *t, const char *format, ...)
{
  assert(t != NULL && format != NULL);
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  const int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (length > 0 && make_room(t, (size_t)length)) {
    vsnprintf(t->data + t->length_bytes, (size_t)length + 1, format, again);
    t->length_bytes += (size_t)length;
  }
  va_end(again);
}

static int is_allowed(uint32_t code)
{
  if (code < 0x20)
    return code == '\t' || code == '\n' || code == '\r';
  return code < 0xd800 || (code >= 0xe000 && code < 0xfffe) ||
         (code >= 0x10000 && code < 0x110000);
}

/* How many bytes the character has that a text begins with; 0: none. */
static size_t measure_character(const char *text)
{
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *c = (const unsigned char *)text;
  const size_t n = c[0] < 0x80         ? 1
                   : c[0] >> 5 == 0x06 ? 2
                   : c[0] >> 4 == 0x0e ? 3
                   : c[0] >> 3 == 0x1e ? 4
                                       : 0;
  uint32_t code = n == 1 ? c[0] : c[0] & 0x7fu >> n;
  for (size_t i = 1; i < n; i++) {
    if (c[i] >> 6 != 0x02) /* the end of the text, too */
      return 0;
    code = code << 6 | (c[i] & 0x3fu);
  }
  return code >= least[n] && is_allowed(code) ? n : 0;
}

size_t gd_text_character(gd_text *t, const char *text)
{
  const size_t n = measure_character(text);
  if (n > 0)
    gd_text_bytes(t, text, n);
  else
    gd_text_add(t, "\xef\xbf\xbd");
  return n > 0 ? n : 1;
}

size_t gd_text_utf8(const char *text)
{
  size_t n = 0, next;
  for (; text[n] != '\0'; n += next) {
    next = (unsigned char)text[n] < 0x80 ? 1 : measure_character(text + n);
    if (next == 0)
      break;
  }
  return n;
}

void gd_text_html(gd_text *t, const char *text)
{
  static const char *const escapes[] = {['<'] = "&lt;",
                                        ['>'] = "&gt;",
                                        ['&'] = "&amp;",
                                        ['"'] = "&quot;",
                                        ['\''] = "&#39;"};
  while (*text != '\0') {
    const size_t c = (unsigned char)*text;
    if (c < sizeof escapes / sizeof *escapes && escapes[c] != NULL) {
      gd_text_add(t, escapes[c]);
      text++;
    } else {
      text += gd_text_character(t, text);
    }
  }
}

void gd_text_json(gd_text *t, const char *text)
{
  gd_text_add(t, "\"");
  for (const char *c = text; *c != '\0'; c++)
    if (*c == '"' || *c == '\\')
      gd_text_printf(t, "\\%c", *c);
    else if (*c == '\n')
      gd_text_add(t, "\\n");
    else if ((unsigned char)*c < 0x20 || *c == 0x7f)
      gd_text_printf(t, "\\u%04x", (unsigned)(unsigned char)*c);
    else
      gd_text_bytes(t, c, 1);
  gd_text_add(t, "\"");
}

void gd_text_csv(gd_text *t, const char *text)
{
  if (text[strcspn(text, ",\"\r\n")] == '\0') {
    gd_text_add(t, text);
    return;
  }
  gd_text_add(t, "\"");
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"')
      gd_text_add(t, "\"");
    gd_text_bytes(t, c, 1);
  }
  gd_text_add(t, "\"");
}

void gd_text_shell(gd_text *t, const char *text)
{
  gd_text_add(t, "'");
  for (const char *c = text; *c != '\0'; c++)
    if (*c == '\'')
      gd_text_add(t, "'\\''");
    else
      gd_text_bytes(t, c, 1);
  gd_text_add(t, "'");
}

void gd_text_base64(gd_text *t, const void *data, size_t size_bytes)
{
  static const char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const unsigned char *from = data;
  for (size_t i = 0; i < size_bytes; i += 3) {
    const size_t n = size_bytes - i < 3 ? size_bytes - i : 3;
    unsigned bits = 0;
    char four[4];
    for (size_t j = 0; j < 3; j++)
      bits = bits << 8 | (j < n ? from[i + j] : 0);
    for (size_t j = 0; j < 4; j++)
      four[j] = j <= n ? digits[bits >> (18 - 6 * j) & 63] : '=';
    gd_text_bytes(t, four, 4);
  }
}

const char *gd_text_get(const gd_text *t)
{
  assert(t != NULL);
  return t->data == NULL ? "" : t->data;
}

gd_status gd_text_status(const gd_text *t)
{
  assert(t != NULL);
  return t->status;
}

void gd_text_free(gd_text *t)
{
  if (t == NULL)
    return;
  free(t->data);
  *t = (gd_text){0};
}
