#include "gradus/slurm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/child.h"
#include "gradus/memory.h"

/* A controller that is busy may take a while; one that is dead, for ever. */
enum { ASK_LIMIT_S = 20, SUBMIT_LIMIT_S = 60 };

/* Run one of Slurm's commands, and fail with its own words if it does. */
static gd_status run(const char *const *words, int limit_s, gd_child *result)
{
  gd_status st = gd_child_run(words, limit_s, result);
  if (st != GD_OK || result->exit_code == 0)
    return st;
  char said[600] = "";
  strncat(said, gd_text_get(&result->err), sizeof said - 1);
  size_t length = strlen(said);
  while (length > 0 && said[length - 1] == '\n')
    said[--length] = '\0';
  for (char *c = said; *c != '\0'; c++)
    *c = *c == '\n' ? ' ' : *c;
  st = gd_fail(GD_ERR_IO, "%s: exit code %d: %s", words[0], result->exit_code,
               said);
  gd_child_free(result);
  return st;
}

/* -------------------------------------------------------------------- asking
 */

/* Cut a text at the next of some character; `*at` is then behind it. */
static char *cut(char **at, const char *end)
{
  char *piece = *at;
  *at += strcspn(piece, end);
  if (**at != '\0')
    *(*at)++ = '\0';
  return piece;
}

static int task_of(const char *id)
{
  const char *bar = strchr(id, '_');
  return bar == NULL ? -1 : (int)strtol(bar + 1, NULL, 10);
}

static int in_order(const void *a, const void *b)
{
  const gd_slurm_job *x = a, *y = b;
  const int by_name = strcmp(x->name, y->name);
  if (by_name != 0)
    return by_name;
  if (x->task != y->task)
    return x->task < y->task ? -1 : 1;
  return (int)strtol(x->id, NULL, 10) < (int)strtol(y->id, NULL, 10) ? -1 : 1;
}

static gd_status read_jobs(gd_slurm_queue *q)
{
  int n = 0;
  for (const char *c = q->text; *c != '\0'; c++)
    n += *c == '\n';
  q->jobs = gd_alloc(n, sizeof *q->jobs);
  if (q->jobs == NULL)
    return GD_ERR_NOMEM;
  for (char *at = q->text; q->n < n && *at != '\0'; q->n++) {
    gd_slurm_job *j = &q->jobs[q->n];
    char *line = cut(&at, "\n");
    char **const fields[] = {&j->id,   &j->state, &j->name,
                             &j->left, &j->nodes, &j->reason};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
      *fields[i] = cut(&line, "|");
    j->task = task_of(j->id);
  }
  if (q->n > 1)
    qsort(q->jobs, (size_t)q->n, sizeof *q->jobs, in_order);
  return GD_OK;
}

gd_status gd_slurm_ask(gd_slurm_queue *out)
{
  assert(out != NULL);
  *out = (gd_slurm_queue){0};
  gd_text user = {0};
  gd_text_printf(&user, "%lu", (unsigned long)getuid());
  const char *const words[] = {
      "squeue", "--noheader",       "--array",
      "--user", gd_text_get(&user), "--format=%i|%T|%j|%L|%N|%r",
      NULL};
  gd_child result;
  gd_status st = gd_text_status(&user);
  if (st == GD_OK)
    st = run(words, ASK_LIMIT_S, &result);
  gd_text_free(&user);
  if (st != GD_OK)
    return st;
  out->text = gd_strdup(gd_text_get(&result.out));
  gd_child_free(&result);
  st = out->text == NULL ? GD_ERR_NOMEM : read_jobs(out);
  if (st != GD_OK)
    gd_slurm_queue_free(out);
  return st;
}

void gd_slurm_queue_free(gd_slurm_queue *q)
{
  free(q->jobs);
  free(q->text);
  *q = (gd_slurm_queue){0};
}

/* ---------------------------------------------------------------- submitting
 */

gd_status gd_slurm_submit(const char *script, const char *dependency,
                          gd_text *id)
{
  gd_text option = {0};
  gd_text_printf(&option, "--dependency=%s", dependency);
  const int has_none = dependency[0] == '\0';
  const char *const words[] = {"sbatch", "--parsable",
                               has_none ? script : gd_text_get(&option),
                               has_none ? NULL : script, NULL};
  gd_child result;
  gd_status st = gd_text_status(&option);
  if (st == GD_OK)
    st = run(words, SUBMIT_LIMIT_S, &result);
  gd_text_free(&option);
  if (st != GD_OK)
    return st;
  /* "12", or "12;cluster". */
  const char *said = gd_text_get(&result.out);
  const size_t digits = strspn(said, "0123456789");
  if (digits == 0)
    st = gd_fail(GD_ERR_IO, "sbatch: no job number in its answer '%.100s'",
                 said);
  else
    gd_text_bytes(id, said, digits);
  gd_child_free(&result);
  return st == GD_OK ? gd_text_status(id) : st;
}

gd_status gd_slurm_cancel(const char *id)
{
  const char *const words[] = {"scancel", id, NULL};
  gd_child result;
  gd_status st = run(words, SUBMIT_LIMIT_S, &result);
  if (st == GD_OK)
    gd_child_free(&result);
  return st;
}
