#include "value.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/nearest.h"
#include "gradus/text.h"

static void describe_range(const gd_key *key, char *out, size_t out_bytes)
{
  if (key->type != GD_KEY_INT) {
    snprintf(out, out_bytes, "a number from %.15g to %.15g", key->low,
             key->high);
    return;
  }
  const int n =
      snprintf(out, out_bytes, "an integer from %" PRId64 " to %" PRId64,
               (int64_t)key->low, (int64_t)key->high);
  if (n > 0 && (size_t)n < out_bytes && key->n > 1)
    snprintf(out + n, out_bytes - (size_t)n, ", a multiple of %d", key->n);
}

void gd_key_describe(const gd_key *key, char *out, size_t out_bytes)
{
  switch (key->type) {
  case GD_KEY_INT:
    if (key->words != NULL)
      snprintf(out, out_bytes, "one of %s", key->words);
    else
      describe_range(key, out, out_bytes);
    break;
  case GD_KEY_REAL:
    describe_range(key, out, out_bytes);
    break;
  case GD_KEY_FLAG:
    snprintf(out, out_bytes, "true or false");
    break;
  case GD_KEY_TEXT:
    snprintf(out, out_bytes, "a text");
    break;
  case GD_KEY_LINE:
    snprintf(out, out_bytes, "a text of one line");
    break;
  case GD_KEY_CHOICE:
    snprintf(out, out_bytes, "one of %s", key->words);
    break;
  case GD_KEY_FILE:
    snprintf(out, out_bytes, "a file%s%s", key->words == NULL ? "" : " or ",
             key->words == NULL ? "" : key->words);
    break;
  case GD_KEY_BYTES:
    snprintf(out, out_bytes, "a size from %.15g bytes, such as 256MiB",
             key->low);
    break;
  case GD_KEY_LIMIT:
    snprintf(out, out_bytes, "a count or a percentage, such as 3 or 2%%");
    break;
  case GD_KEY_REALS:
    snprintf(out, out_bytes, "a list of %d numbers from %.15g to %.15g", key->n,
             key->low, key->high);
    break;
  }
}

static gd_status fail_type(const gd_key *key, const gd_node *at,
                           const char *nearest)
{
  char wanted[256];
  gd_key_describe(key, wanted, sizeof wanted);
  if (at->kind != GD_NODE_SCALAR)
    return gd_node_fail(at, NULL, "'%s' takes %s, not %s", key->name, wanted,
                        gd_node_kind_text(at));
  if (at->text[0] == '\0' && !at->quoted)
    return gd_node_fail(at, NULL, "'%s' has no value; it takes %s", key->name,
                        wanted);
  return gd_node_fail(at, nearest, "'%s' takes %s, not '%.100s'", key->name,
                      wanted, at->text);
}

/* Parse all of a text as a number; "nan" and hexadecimal are none. */
static int read_real(const char *text, double *out)
{
  if (text[0] == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
    return 0;
  char *end;
  *out = strtod(text, &end);
  return *end == '\0' && isfinite(*out);
}

static int read_int(const char *text, int64_t *out)
{
  const char *digits = text + (*text == '-' || *text == '+');
  if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
    return 0;
  errno = 0;
  *out = strtoll(text, NULL, 10);
  return errno == 0;
}

static int read_bytes(const char *text, int64_t *out)
{
  static const struct {
    const char *suffix;
    int shift;
  } units[] = {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
  const size_t digits = strspn(text, "0123456789");
  char number[20];
  if (digits == 0 || digits >= sizeof number)
    return 0;
  memcpy(number, text, digits);
  number[digits] = '\0';
  const char *suffix = text + digits + strspn(text + digits, " ");
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
    if (strcmp(suffix, units[i].suffix) == 0 && read_int(number, out) &&
        *out <= INT64_MAX >> units[i].shift) {
      *out <<= units[i].shift;
      return 1;
    }
  return 0;
}

/* Write the shortest text that reads back as the same double: "30", not
 * "3e+01". */
static void write_real(double value, char out[32])
{
  out[0] = '\0';
  for (int digits = 1; digits <= 17; digits++) {
    char text[32];
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value &&
        (out[0] == '\0' || strlen(text) < strlen(out)))
      snprintf(out, 32, "%s", text);
  }
}

static int in_range(const gd_key *key, double value)
{
  return value >= key->low && value <= key->high;
}

static int read_limit(const char *text, gd_value *out)
{
  char number[32];
  const size_t length = strcspn(text, " %");
  if (read_int(text, &out->integer))
    return out->integer >= 0;
  const char *rest = text + length + strspn(text + length, " ");
  if (length == 0 || length >= sizeof number || strcmp(rest, "%") != 0)
    return 0;
  memcpy(number, text, length);
  number[length] = '\0';
  out->integer = -1;
  return read_real(number, &out->real) && out->real >= 0 && out->real <= 100;
}

static gd_status read_reals(gd_arena *a, const gd_key *key, const gd_node *node,
                            gd_value *out)
{
  if (node->kind != GD_NODE_LIST || node->n != key->n)
    return fail_type(key, node, NULL);
  double *reals = gd_arena_get(a, (size_t)key->n, sizeof *reals);
  if (reals == NULL)
    return GD_ERR_NOMEM;
  gd_text text = {0};
  for (int i = 0; i < key->n; i++) {
    const gd_node *item = node->items[i];
    if (item->kind != GD_NODE_SCALAR || !read_real(item->text, &reals[i]) ||
        !in_range(key, reals[i])) {
      gd_text_free(&text);
      return fail_type(key, item, NULL);
    }
    char number[32];
    write_real(reals[i], number);
    gd_text_printf(&text, "%s%s", i == 0 ? "[" : ", ", number);
  }
  gd_text_add(&text, "]");
  gd_status st = gd_text_status(&text);
  out->reals = reals;
  if (st == GD_OK)
    out->text = gd_arena_copy(a, gd_text_get(&text), text.length_bytes);
  gd_text_free(&text);
  return out->text == NULL ? GD_ERR_NOMEM : GD_OK;
}

static int is_line(const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      return 0;
  return 1;
}

/* Type by type; `canonical` is what the value is called. */
static int read_scalar(const gd_key *key, const char *text, gd_value *out,
                       char canonical[64])
{
  switch (key->type) {
  case GD_KEY_INT:
    if (!read_int(text, &out->integer) ||
        !in_range(key, (double)out->integer) ||
        (key->n > 1 && out->integer % key->n != 0))
      return 0;
    snprintf(canonical, 64, "%" PRId64, out->integer);
    return key->words == NULL || gd_words_have(key->words, canonical);
  case GD_KEY_REAL:
    if (!read_real(text, &out->real) || !in_range(key, out->real))
      return 0;
    write_real(out->real, canonical);
    return 1;
  case GD_KEY_FLAG:
    out->integer = strcmp(text, "true") == 0;
    return out->integer || strcmp(text, "false") == 0;
  case GD_KEY_TEXT:
    return 1;
  case GD_KEY_LINE:
    return is_line(text);
  case GD_KEY_CHOICE:
    return gd_words_have(key->words, text);
  case GD_KEY_FILE:
    out->is_file = text[0] != '\0' && !gd_words_have(key->words, text);
    return text[0] != '\0' ||
           (key->fallback != NULL && key->fallback[0] == '\0');
  case GD_KEY_BYTES:
    if (!read_bytes(text, &out->integer) ||
        !in_range(key, (double)out->integer))
      return 0;
    snprintf(canonical, 64, "%" PRId64, out->integer);
    return 1;
  case GD_KEY_LIMIT:
    if (!read_limit(text, out))
      return 0;
    if (out->integer >= 0) {
      snprintf(canonical, 64, "%" PRId64, out->integer);
    } else {
      char number[32];
      write_real(out->real, number);
      snprintf(canonical, 64, "%s%%", number);
    }
    return 1;
  case GD_KEY_REALS:
    break;
  }
  return 0;
}

static const char *nearest_word(gd_arena *a, const gd_key *key,
                                const char *wrong)
{
  const char *words[32];
  int n = 0;
  char *copy = key->words == NULL
                   ? NULL
                   : gd_arena_copy(a, key->words, strlen(key->words));
  for (char *c = copy; c != NULL && *c != '\0' && n < 32;) {
    const size_t length = strcspn(c, "|");
    const int more = c[length] == '|';
    words[n++] = c;
    c[length] = '\0';
    c += length + (size_t)more;
  }
  return n == 0 ? NULL : gd_nearest(wrong, words, n);
}

gd_status gd_value_read(gd_arena *a, const gd_key *key, const gd_node *node,
                        gd_value *out)
{
  assert(key != NULL && node != NULL && out != NULL);

  *out = (gd_value){.at = node};
  if (key->type == GD_KEY_REALS)
    return read_reals(a, key, node, out);
  char canonical[64] = "";
  if (node->kind != GD_NODE_SCALAR || (node->text[0] == '\0' && !node->quoted))
    return fail_type(key, node, NULL);
  if (!read_scalar(key, node->text, out, canonical))
    return fail_type(key, node, nearest_word(a, key, node->text));
  const char *text = canonical[0] == '\0' ? node->text : canonical;
  out->text = gd_arena_copy(a, text, strlen(text));
  return out->text == NULL ? GD_ERR_NOMEM : GD_OK;
}
