#include "gradus/arguments.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/nearest.h"

enum { MOST_OPTIONS = 32 };

struct gd_arguments {
  const gd_option *options;
  int n_options, n_operands, n_words;
  const char **operands; /* room for every word */
  const char **values;   /* (n_options, n_words) */
  int counts[MOST_OPTIONS];
};

void gd_arguments_free(gd_arguments *a)
{
  if (a == NULL)
    return;
  free(a->operands);
  free(a->values);
  free(a);
}

static int find(const gd_arguments *a, const char *name, size_t length)
{
  for (int i = 0; i < a->n_options; i++)
    if (strlen(a->options[i].name) == length &&
        memcmp(a->options[i].name, name, length) == 0)
      return i;
  return -1;
}

static gd_status fail_unknown(const gd_arguments *a, const char *word,
                              size_t length)
{
  const char *names[MOST_OPTIONS];
  char wrong[64];
  for (int i = 0; i < a->n_options; i++)
    names[i] = a->options[i].name;
  const size_t kept = length < sizeof wrong ? length : sizeof wrong - 1;
  memcpy(wrong, word, kept);
  wrong[kept] = '\0';
  const char *nearest = gd_nearest(wrong, names, a->n_options);
  return gd_fail(GD_ERR_USAGE, "unknown option '%s'%s%s%s", wrong,
                 nearest == NULL ? "" : "; did you mean '",
                 nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
}

/* Take the option at words[*i], and its value. */
static gd_status take_option(gd_arguments *a, const char *const *words,
                             int n_words, int *i)
{
  const char *word = words[*i];
  const char *equals = strchr(word, '=');
  const size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
  const int option = find(a, word, length);
  if (option < 0)
    return fail_unknown(a, word, length);
  const gd_option *o = &a->options[option];
  if (a->counts[option] > 0 && o->times != GD_OPTION_REPEATS)
    return gd_fail(GD_ERR_USAGE, "option '%s' twice", o->name);
  const char *value = equals == NULL ? NULL : equals + 1;
  if (o->value == NULL && value != NULL)
    return gd_fail(GD_ERR_USAGE, "option '%s' takes no value", o->name);
  if (o->value != NULL && value == NULL) {
    if (*i + 1 >= n_words)
      return gd_fail(GD_ERR_USAGE, "option '%s' needs a value: %s %s", o->name,
                     o->name, o->value);
    value = words[++*i];
  }
  a->values[option * a->n_words + a->counts[option]++] = value;
  return GD_OK;
}

gd_status gd_arguments_parse(const gd_option *options, int n_options,
                             int n_words, const char *const *words,
                             gd_arguments **out)
{
  assert(out != NULL && n_words >= 0 && n_options <= MOST_OPTIONS);

  *out = NULL;
  gd_arguments *a = gd_alloc(1, sizeof *a);
  if (a == NULL)
    return GD_ERR_NOMEM;
  a->options = options;
  a->n_options = n_options;
  a->n_words = n_words;
  a->operands = gd_alloc(n_words, sizeof *a->operands);
  a->values = gd_alloc((int64_t)n_options * n_words, sizeof *a->values);
  gd_status st =
      a->operands == NULL || a->values == NULL ? GD_ERR_NOMEM : GD_OK;
  int operands_only = 0;
  for (int i = 0; st == GD_OK && i < n_words; i++)
    if (!operands_only && strcmp(words[i], "--") == 0)
      operands_only = 1;
    else if (!operands_only && words[i][0] == '-' && words[i][1] != '\0')
      st = take_option(a, words, n_words, &i);
    else
      a->operands[a->n_operands++] = words[i];
  if (st == GD_OK)
    *out = a;
  else
    gd_arguments_free(a);
  return st;
}

int gd_arguments_n_operands(const gd_arguments *a)
{
  return a->n_operands;
}

const char *gd_arguments_operand(const gd_arguments *a, int i)
{
  assert(i >= 0 && i < a->n_operands);
  return a->operands[i];
}

static int known(const gd_arguments *a, const char *name)
{
  const int option = find(a, name, strlen(name));
  assert(option >= 0 && "the command has no such option");
  return option;
}

int gd_arguments_count(const gd_arguments *a, const char *name)
{
  return a->counts[known(a, name)];
}

const char *const *gd_arguments_values(const gd_arguments *a, const char *name)
{
  return a->values + known(a, name) * a->n_words;
}

const char *gd_arguments_value(const gd_arguments *a, const char *name)
{
  return gd_arguments_count(a, name) == 0 ? NULL
                                          : gd_arguments_values(a, name)[0];
}
