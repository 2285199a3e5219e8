#include "facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/model.h"
#include "gradus/profile.h"

/* The questions are told apart by their first word; a variable's answer begins
 * with '=' if it is set. */
struct gd_fact {
  gd_fact *next;
  const char *question, *answer;
};

static const char *find(const gd_facts *f, const char *question)
{
  for (const gd_fact *fact = f->first; fact != NULL; fact = fact->next)
    if (strcmp(fact->question, question) == 0)
      return fact->answer;
  return NULL;
}

gd_status gd_facts_note(gd_facts *f, const char *question, const char *answer)
{
  gd_fact *fact = gd_arena_get(f->arena, 1, sizeof *fact);
  if (fact == NULL)
    return GD_ERR_NOMEM;
  *fact =
      (gd_fact){.next = f->first,
                .question = gd_arena_copy(f->arena, question, strlen(question)),
                .answer = gd_arena_copy(f->arena, answer, strlen(answer))};
  if (fact->question == NULL || fact->answer == NULL)
    return GD_ERR_NOMEM;
  f->first = fact;
  return GD_OK;
}

void gd_facts_write(const gd_facts *f, gd_text *out)
{
  for (const gd_fact *fact = f->first; fact != NULL; fact = fact->next) {
    gd_text_bytes(out, fact->question, strlen(fact->question) + 1);
    gd_text_bytes(out, fact->answer, strlen(fact->answer) + 1);
  }
}

static gd_status compose(gd_facts *f, const char *kind, const char *of,
                         char **question)
{
  const size_t room = strlen(kind) + strlen(of) + 2;
  *question = gd_arena_get(f->arena, room, 1);
  if (*question == NULL)
    return GD_ERR_NOMEM;
  snprintf(*question, room, "%s %s", kind, of);
  return GD_OK;
}

gd_status gd_facts_variable(gd_facts *f, const char *name, const char **value)
{
  char *question;
  *value = NULL;
  gd_status st = compose(f, "variable", name, &question);
  if (st != GD_OK)
    return st;
  const char *answer = find(f, question);
  if (answer == NULL && !f->noted) {
    const char *set = getenv(name);
    gd_text t = {0};
    gd_text_printf(&t, "%s%s", set == NULL ? "" : "=", set == NULL ? "" : set);
    st = gd_text_status(&t);
    if (st == GD_OK)
      st = gd_facts_note(f, question, gd_text_get(&t));
    gd_text_free(&t);
    answer = st == GD_OK ? f->first->answer : NULL;
  }
  if (answer != NULL && answer[0] == '=')
    *value = answer + 1;
  return st;
}

static gd_status note_digest(gd_facts *f, const char *question, gd_digest d)
{
  char hex[GD_DIGEST_HEX];
  gd_digest_hex(d, hex);
  return gd_facts_note(f, question, hex);
}

static gd_status fail_silent(const char *question)
{
  return gd_fail(GD_ERR_FORMAT, "the message of the job does not say: %s",
                 question);
}

/* Look a digest up; `*question` is NULL if it was there, else for its note. */
static gd_status find_digest(gd_facts *f, const char *kind, const char *of,
                             char **question, gd_digest *out)
{
  gd_status st = compose(f, kind, of, question);
  if (st != GD_OK)
    return st;
  const char *answer = find(f, *question);
  if (answer == NULL)
    return f->noted ? fail_silent(*question) : GD_OK;
  if (!gd_digest_of_hex(answer, out))
    return fail_silent(*question);
  *question = NULL;
  return GD_OK;
}

gd_status gd_facts_file(gd_facts *f, const char *path, gd_digest *out)
{
  char *question;
  gd_status st = find_digest(f, "file", path, &question, out);
  if (st != GD_OK || question == NULL)
    return st;
  st = gd_file_judge(gd_digest_of_file(path, out), path);
  return st == GD_OK ? note_digest(f, question, *out) : st;
}

/* The answer is "depth profile". */
static gd_status note_model(gd_facts *f, const char *question, const char *path)
{
  gd_model_info info;
  char profile[GD_PROFILE_TEXT], answer[GD_PROFILE_TEXT + 16];
  gd_status st = gd_file_judge(gd_model_read_info(path, &info), path);
  if (st != GD_OK)
    return st;
  gd_profile_write(&info.network, profile);
  const char *name = gd_profile_name(&info.network);
  snprintf(answer, sizeof answer, "%d %s", info.network.depth,
           name == NULL ? profile : name);
  return gd_facts_note(f, question, answer);
}

gd_status gd_facts_model(gd_facts *f, const char *path, int *depth,
                         const char **profile)
{
  char *question;
  gd_status st = compose(f, "model", path, &question);
  if (st != GD_OK)
    return st;
  if (find(f, question) == NULL && f->noted)
    return fail_silent(question);
  if (find(f, question) == NULL)
    st = note_model(f, question, path);
  if (st != GD_OK)
    return st;
  char *end;
  *depth = (int)strtol(find(f, question), &end, 10);
  *profile = end + (*end == ' ');
  return GD_OK;
}

gd_status gd_facts_corpus(gd_facts *f, const char *layout, const char *root,
                          int n_levels, gd_digest *out)
{
  char *question;
  gd_status st = find_digest(f, "corpus", root, &question, out);
  if (st != GD_OK || question == NULL)
    return st;
  gd_corpus_free(f->corpus);
  st = gd_corpus_read(layout, root, n_levels, &f->corpus);
  if (st == GD_OK)
    st = gd_corpus_examine(f->corpus);
  if (st == GD_OK)
    st = gd_corpus_digest(f->corpus, out);
  return st == GD_OK ? note_digest(f, question, *out) : st;
}
