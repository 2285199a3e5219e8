#include "markup.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

enum { DEEPEST = 64, NAME = 32, MOST_IDS = 256 };

typedef struct {
  const char *at;
  char open[DEEPEST][NAME];
  int depth;
  char ids[MOST_IDS][NAME];
  int n_ids;
} scanner;

static void read_name(scanner *s, char out[NAME])
{
  int n = 0;
  while (isalnum((unsigned char)*s->at) || *s->at == '-') {
    assert_true(n < NAME - 1);
    out[n++] = *s->at++;
  }
  out[n] = '\0';
  if (n == 0)
    fail_msg("no name at: %.60s", s->at);
}

static void check_reference(const char *at)
{
  static const char *const known[] = {"&lt;",   "&gt;",  "&amp;",
                                      "&quot;", "&#39;", NULL};
  for (int i = 0; known[i] != NULL; i++)
    if (strncmp(at, known[i], strlen(known[i])) == 0)
      return;
  fail_msg("unescaped & at: %.60s", at);
}

static void read_attribute(scanner *s)
{
  char name[NAME];
  read_name(s, name);
  assert_true(*s->at++ == '=');
  assert_true(*s->at++ == '"');
  const char *value = s->at;
  for (; *s->at != '"'; s->at++) {
    assert_true(*s->at != '\0' && *s->at != '<');
    if (*s->at == '&')
      check_reference(s->at);
  }
  if (strcmp(name, "id") == 0) {
    char *id = s->ids[s->n_ids++];
    assert_true(s->n_ids < MOST_IDS);
    snprintf(id, NAME, "%.*s", (int)(s->at - value), value);
    for (int i = 0; i < s->n_ids - 1; i++)
      assert_string_not_equal(s->ids[i], id);
  }
  s->at++;
}

static int is_void(const char *name)
{
  return strcmp(name, "meta") == 0 || strcmp(name, "link") == 0 ||
         strcmp(name, "img") == 0 || strcmp(name, "br") == 0;
}

static void read_start(scanner *s)
{
  char name[NAME];
  read_name(s, name);
  while (*s->at == ' ') {
    s->at++;
    read_attribute(s);
  }
  const int closed = *s->at == '/';
  s->at += closed;
  if (*s->at++ != '>')
    fail_msg("element %s does not end: %.60s", name, s->at - 1);
  if (closed || is_void(name))
    return;
  assert_true(s->depth < DEEPEST);
  memcpy(s->open[s->depth++], name, NAME);
  if (strcmp(name, "style") == 0)
    s->at = strstr(s->at, "</style>");
}

static void read_end(scanner *s)
{
  char name[NAME];
  read_name(s, name);
  assert_true(*s->at++ == '>');
  if (s->depth == 0 || strcmp(s->open[s->depth - 1], name) != 0)
    fail_msg("</%s> ends nothing, open is %s", name,
             s->depth == 0 ? "nothing" : s->open[s->depth - 1]);
  s->depth--;
}

void gd_markup_check(const char *text)
{
  static const char doctype[] = "<!DOCTYPE html>";
  scanner *s = test_calloc(1, sizeof *s);
  s->at = text;
  if (strncmp(text, doctype, strlen(doctype)) == 0)
    s->at += strlen(doctype);
  while (*s->at != '\0')
    if (strncmp(s->at, "</", 2) == 0) {
      s->at += 2;
      read_end(s);
    } else if (*s->at == '<') {
      s->at++;
      read_start(s);
    } else {
      if (*s->at == '&')
        check_reference(s->at);
      s->at++;
    }
  if (s->depth > 0)
    fail_msg("<%s> does not end", s->open[s->depth - 1]);
  test_free(s);
}
