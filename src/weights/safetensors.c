/* The header of a safetensors file: one JSON object,
 *
 *   {"__metadata__": {...}, "name": {"dtype": "F32", "shape": [64, 3],
 *                                    "data_offsets": [0, 768]}, ...}
 *
 * The scanner below knows as much JSON as that needs: it walks any value, and
 * keeps plain strings and whole numbers. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "weights/tensor_list.h"

typedef struct {
  const char *path;
  const char *next, *end;
} scanner;

enum { DEEPEST = 32 };

static gd_status refuse(const scanner *s, const char *what)
{
  return gd_fail(GD_ERR_FORMAT, "%s: safetensors header: %s", s->path, what);
}

static void skip_blanks(scanner *s)
{
  while (s->next < s->end && strchr(" \t\r\n", *s->next) != NULL)
    s->next++;
}

/* Take one character if it is next. */
static int take(scanner *s, char c)
{
  skip_blanks(s);
  if (s->next >= s->end || *s->next != c)
    return 0;
  s->next++;
  return 1;
}

/* Take a string; `out` may be NULL to walk over it. */
static gd_status take_string(scanner *s, char *out, size_t out_bytes)
{
  size_t n = 0;
  if (!take(s, '"'))
    return refuse(s, "a text in quotes is missing");
  for (; s->next < s->end && *s->next != '"'; s->next++) {
    if (*s->next == '\\') {
      if (out != NULL)
        return refuse(s, "a name has escaped characters");
      s->next++;
      if (s->next >= s->end)
        break;
    }
    if (out != NULL) {
      if (n + 1 >= out_bytes)
        return refuse(s, "a name is too long");
      out[n++] = *s->next;
    }
  }
  if (out != NULL)
    out[n] = '\0';
  return take(s, '"') ? GD_OK : refuse(s, "a text has no end");
}

static gd_status take_number(scanner *s, int64_t *out)
{
  int64_t value = 0;
  skip_blanks(s);
  const char *first = s->next;
  for (; s->next < s->end && *s->next >= '0' && *s->next <= '9'; s->next++)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, *s->next - '0', &value))
      return refuse(s, "a number is too large");
  *out = value;
  return s->next > first ? GD_OK : refuse(s, "a whole number is missing");
}

/* Take [a, b, ...]. */
static gd_status take_numbers(scanner *s, int most, int *n, int64_t *out)
{
  *n = 0;
  if (!take(s, '['))
    return refuse(s, "a list of numbers is missing");
  if (take(s, ']'))
    return GD_OK;
  do {
    if (*n == most)
      return refuse(s, "a list has too many numbers");
    gd_status st = take_number(s, &out[(*n)++]);
    if (st != GD_OK)
      return st;
  } while (take(s, ','));
  return take(s, ']') ? GD_OK : refuse(s, "a list has no end");
}

/* Walk over any value. */
static gd_status skip_value(scanner *s, int depth)
{
  if (depth > DEEPEST)
    return refuse(s, "too deeply nested");
  skip_blanks(s);
  if (s->next < s->end && *s->next == '"')
    return take_string(s, NULL, 0);
  if (take(s, '{') || take(s, '[')) {
    const int object = s->next[-1] == '{';
    const char close = object ? '}' : ']';
    if (take(s, close))
      return GD_OK;
    do {
      gd_status st = object ? take_string(s, NULL, 0) : GD_OK;
      if (st == GD_OK && object && !take(s, ':'))
        st = refuse(s, "a colon is missing");
      if (st == GD_OK)
        st = skip_value(s, depth + 1);
      if (st != GD_OK)
        return st;
    } while (take(s, ','));
    return take(s, close) ? GD_OK : refuse(s, "a value has no end");
  }
  const char *first = s->next;
  while (s->next < s->end && strchr(",]} \t\r\n", *s->next) == NULL)
    s->next++;
  return s->next > first ? GD_OK : refuse(s, "a value is missing");
}

/* Take {"dtype": ..., "shape": ..., "data_offsets": ...} of a tensor. */
static gd_status take_tensor(scanner *s, gd_tensor_place *t)
{
  char key[32];
  int n_offsets = 0, seen = 0;
  int64_t offsets[2] = {0};
  if (!take(s, '{'))
    return refuse(s, "a tensor is no object");
  do {
    gd_status st = take_string(s, key, sizeof key);
    if (st == GD_OK && !take(s, ':'))
      st = refuse(s, "a colon is missing");
    if (st != GD_OK)
      return st;
    if (strcmp(key, "dtype") == 0) {
      st = take_string(s, t->type, sizeof t->type);
      seen |= 1;
    } else if (strcmp(key, "shape") == 0) {
      st = take_numbers(s, GD_WEIGHTS_MAX_RANK, &t->rank, t->shape);
      seen |= 2;
    } else if (strcmp(key, "data_offsets") == 0) {
      st = take_numbers(s, 2, &n_offsets, offsets);
      seen |= 4;
    } else {
      st = skip_value(s, 0);
    }
    if (st != GD_OK)
      return st;
  } while (take(s, ','));
  if (!take(s, '}') || seen != 7 || n_offsets != 2)
    return refuse(s, "a tensor lacks dtype, shape or data_offsets");
  t->first_byte = offsets[0];
  t->end_byte = offsets[1];
  return GD_OK;
}

static gd_status check_place(const scanner *s, const gd_tensor_place *t,
                             int64_t data_bytes)
{
  int64_t bytes = 4;
  int overflow = 0;
  for (int i = 0; i < t->rank; i++)
    overflow |= __builtin_mul_overflow(bytes, t->shape[i], &bytes);
  if (t->first_byte > t->end_byte || t->end_byte > data_bytes)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: tensor %s lies at bytes %" PRId64 " to %" PRId64
                   " of %" PRId64 ": truncated or damaged",
                   s->path, t->name, t->first_byte, t->end_byte, data_bytes);
  if (strcmp(t->type, "F32") == 0 &&
      (overflow || bytes != t->end_byte - t->first_byte))
    return gd_fail(GD_ERR_FORMAT,
                   "%s: tensor %s has %" PRId64 " bytes, which its shape does "
                   "not give",
                   s->path, t->name, t->end_byte - t->first_byte);
  return GD_OK;
}

gd_status gd_safetensors_parse(const char *path, const char *header,
                               size_t n_bytes, int64_t data_first,
                               int64_t data_bytes, gd_tensor_list *list)
{
  assert(path != NULL && header != NULL && list != NULL);

  scanner s = {.path = path, .next = header, .end = header + n_bytes};
  int64_t last_byte = 0;
  if (!take(&s, '{'))
    return refuse(&s, "is no JSON object");
  if (!take(&s, '}')) {
    do {
      gd_tensor_place t = {0};
      gd_status st = take_string(&s, t.name, sizeof t.name);
      if (st == GD_OK && !take(&s, ':'))
        st = refuse(&s, "a colon is missing");
      if (st == GD_OK && strcmp(t.name, "__metadata__") == 0) {
        st = skip_value(&s, 0);
      } else if (st == GD_OK) {
        st = take_tensor(&s, &t);
        if (st == GD_OK)
          st = check_place(&s, &t, data_bytes);
        last_byte = t.end_byte > last_byte ? t.end_byte : last_byte;
        t.first_byte += data_first;
        t.end_byte += data_first;
        if (st == GD_OK)
          st = gd_tensor_list_add(list, &t);
      }
      if (st != GD_OK)
        return st;
    } while (take(&s, ','));
    if (!take(&s, '}'))
      return refuse(&s, "has no end");
  }
  skip_blanks(&s);
  if (s.next != s.end)
    return refuse(&s, "goes on behind its end");
  if (last_byte != data_bytes)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: has %" PRId64 " bytes of values, its header describes "
                   "%" PRId64,
                   path, data_bytes, last_byte);
  return GD_OK;
}
