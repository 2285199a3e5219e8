#include "gradus/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glance.h"
#include "gradus/file.h"
#include "gradus/ledger.h"
#include "gradus/memory.h"
#include "reason.h"
#include "rundir.h"

/* A stage with more members than this is summed up: those that work or are
 * half done keep a line each, up to the second number. */
enum { MOST_MEMBERS = 12, MOST_LINES = 40, TITLE_WIDTH_MAX = 44 };
enum { FAILURES_BYTES_MAX = 1 << 20 };

/* What files and Slurm say together. */
typedef enum {
  IS_MISSING,
  IS_QUEUED,
  IS_BEGUN,
  IS_FAILED, /* its Slurm job has ended without finishing it */
  IS_RUNNING,
  IS_DONE
} standing;

typedef struct {
  const gd_job *job;
  char notes[GD_PATH_MAX]; /* folder of the ledger */
  gd_ledger *ledger;       /* of `status` */
  gd_glance *glances;      /* per instance */
  standing *standings;     /* per instance */
  gd_reasons *reasons;
  int title_width;
  int for_status; /* the page of `status`, not of `plan` */
  gd_text *out;
} page;

static const char *word(const page *p, standing is)
{
  switch (is) {
  case IS_MISSING:
    return p->for_status ? "not run" : "run";
  case IS_QUEUED:
    return "queued";
  case IS_BEGUN:
    return p->for_status ? "stopped" : "partial";
  case IS_FAILED:
    return "failed";
  case IS_RUNNING:
    return "running";
  case IS_DONE:
    break;
  }
  return "done";
}

static void add_head(const page *p, standing is, const char *title)
{
  gd_text_printf(p->out, "%-8s %-*s", word(p, is), p->title_width, title);
}

/* A title without a detail leaves no blanks behind it. */
static void end_line(gd_text *out)
{
  while (out->length_bytes > 0 && out->data[out->length_bytes - 1] == ' ')
    out->data[--out->length_bytes] = '\0';
  gd_text_add(out, "\n");
}

static void begin_detail(gd_text *out)
{
  end_line(out);
  gd_text_printf(out, "%9s", "");
}

/* "37 of 150 files"; a unit of a drawn corpus is more than one file. */
static void add_files(const page *p, const gd_glance *g)
{
  if (g->seen == GD_SEEN_DONE || g->n_units < 0)
    gd_text_printf(p->out, "  %" PRId64 " file%s", g->n_files,
                   g->n_files == 1 ? "" : "s");
  else if (g->n_files <= g->n_units)
    gd_text_printf(p->out, "  %" PRId64 " of %" PRId64 " files", g->n_files,
                   g->n_units);
  else
    gd_text_printf(p->out, "  %" PRId64 " files of %" PRId64 " units",
                   g->n_files, g->n_units);
  if (g->n_skipped > 0)
    gd_text_printf(p->out, ", %" PRId64 " skipped", g->n_skipped);
}

/* Why it waits, or where and for how long it may run on. */
static void add_slurm(const page *p, const gd_instance *s)
{
  const gd_errand errand = gd_ledger_find(p->ledger, s);
  const gd_slurm_job *j = errand.job;
  if (errand.phase == GD_ERRAND_ENDED)
    gd_text_add(p->out, "  no job of it is left in Slurm's queue");
  if (j == NULL)
    return;
  gd_text_printf(p->out, "  Slurm job %s", j->id);
  /* One on its way back into the queue may still have nodes to clear. */
  if (errand.phase == GD_ERRAND_QUEUED)
    gd_text_printf(p->out, " waits: %s", j->reason);
  else
    gd_text_printf(p->out, " on %s, %s left", j->nodes, j->left);
}

/* How its runs ended, as their scripts noted: time, job, host, exit code,
 * point, first error. */
static gd_status add_failures(const page *p, const gd_instance *s)
{
  char path[GD_PATH_MAX], *text;
  gd_status st = gd_ledger_failures(p->notes, s, path);
  if (st != GD_OK || !gd_path_exists(path))
    return st;
  st = gd_file_read(path, FAILURES_BYTES_MAX, &text, NULL);
  if (st != GD_OK)
    return st;
  int n = 0;
  char *last = NULL;
  for (char *rest = text, *line; (line = strtok_r(rest, "\n", &rest)); n++)
    last = line;
  const char *fields[6] = {"", "", "", "", "", ""};
  for (int i = 0; last != NULL && i < 6; i++) {
    fields[i] = strtok_r(last, "\t", &last);
    fields[i] = fields[i] == NULL ? "" : fields[i];
  }
  begin_detail(p->out);
  gd_text_printf(p->out, "%d run%s ended early, the last in job %s on %s: %s%s",
                 n, n == 1 ? "" : "s", fields[1], fields[2],
                 fields[5][0] == '\0' ? "exit code " : fields[5],
                 fields[5][0] == '\0' ? fields[3] : "");
  free(text);
  return st;
}

static gd_status add_instance(const page *p, int i)
{
  const gd_instance *s = gd_job_instance(p->job, i);
  const gd_glance *g = &p->glances[i];
  gd_status st = GD_OK;
  add_head(p, p->standings[i], gd_instance_title(s));
  if (g->seen != GD_SEEN_NONE)
    add_files(p, g);
  if (g->seen == GD_SEEN_NONE && !p->for_status) {
    gd_text_add(p->out, "  ");
    st = gd_reasons_of(p->reasons, s, p->out);
  }
  if (g->seen == GD_SEEN_RUNNING)
    gd_text_printf(p->out, ", by %s", g->by);
  if (p->for_status && g->seen == GD_SEEN_DONE && g->seconds >= 0)
    gd_text_printf(p->out, ", %.1f s", g->seconds);
  if (p->for_status && g->seen != GD_SEEN_DONE) {
    add_slurm(p, s);
    st = add_failures(p, s);
    if (g->last[0] != '\0') {
      begin_detail(p->out);
      gd_text_add(p->out, g->last);
    }
  }
  end_line(p->out);
  return st;
}

static gd_status add_many(const page *p, int first, int end)
{
  const standing summed[] = {IS_DONE, IS_QUEUED, IS_MISSING};
  char title[128];
  snprintf(title, sizeof title, "%s[...]",
           gd_instance_name(gd_job_instance(p->job, first)));
  gd_status st = GD_OK;
  for (int k = 0; st == GD_OK && k < 3; k++) {
    int n = 0, example = first;
    for (int i = first; i < end; i++)
      if (p->standings[i] == summed[k] && n++ == 0)
        example = i;
    if (n == 0)
      continue;
    add_head(p, summed[k], title);
    gd_text_printf(p->out, "  %d of %d members", n, end - first);
    if (summed[k] == IS_MISSING && !p->for_status) {
      gd_text_add(p->out, ": ");
      st = gd_reasons_of(p->reasons, gd_job_instance(p->job, example), p->out);
    }
    gd_text_add(p->out, "\n");
  }
  int n = 0;
  for (int i = first; st == GD_OK && i < end; i++) {
    const standing is = p->standings[i];
    if (is == IS_DONE || is == IS_QUEUED || is == IS_MISSING ||
        n++ >= MOST_LINES)
      continue;
    st = add_instance(p, i);
  }
  if (n > MOST_LINES)
    gd_text_printf(p->out, "         and %d more members of %s\n",
                   n - MOST_LINES, title);
  return st;
}

static gd_status add_stages(const page *p)
{
  const int n = gd_job_n_instances(p->job);
  gd_status st = GD_OK;
  /* The members of a stage stand together. */
  for (int first = 0, end; st == GD_OK && first < n; first = end) {
    const char *name = gd_instance_name(gd_job_instance(p->job, first));
    for (end = first + 1;
         end < n &&
         strcmp(gd_instance_name(gd_job_instance(p->job, end)), name) == 0;
         end++)
      ;
    if (end - first > MOST_MEMBERS)
      st = add_many(p, first, end);
    else
      for (int i = first; st == GD_OK && i < end; i++)
        st = add_instance(p, i);
  }
  return st;
}

static void add_sum(const page *p, int counts[IS_DONE + 1])
{
  gd_text_printf(p->out, "%d stages in %s: %d done", gd_job_n_instances(p->job),
                 gd_job_work(p->job), counts[IS_DONE]);
  for (int is = IS_RUNNING; is >= IS_MISSING; is--)
    if (counts[is] > 0)
      gd_text_printf(p->out, ", %d %s%s", counts[is],
                     is == IS_MISSING && !p->for_status ? "to " : "",
                     word(p, (standing)is));
  gd_text_add(p->out, "\n");
  if (p->ledger != NULL && gd_ledger_silence(p->ledger)[0] != '\0')
    gd_text_printf(p->out, "from files alone: %s\n",
                   gd_ledger_silence(p->ledger));
}

static standing stands(const page *p, int i)
{
  static const standing seen[] = {[GD_SEEN_NONE] = IS_MISSING,
                                  [GD_SEEN_BEGUN] = IS_BEGUN,
                                  [GD_SEEN_RUNNING] = IS_RUNNING,
                                  [GD_SEEN_DONE] = IS_DONE};
  const standing is = seen[p->glances[i].seen];
  if (p->ledger == NULL || is == IS_DONE || is == IS_RUNNING)
    return is;
  switch (gd_ledger_find(p->ledger, gd_job_instance(p->job, i)).phase) {
  case GD_ERRAND_QUEUED:
    return IS_QUEUED;
  case GD_ERRAND_RUNNING:
    return IS_RUNNING;
  case GD_ERRAND_ENDED:
    return is == IS_BEGUN ? IS_FAILED : is;
  case GD_ERRAND_NONE:
    break;
  }
  return is;
}

static gd_status look(page *p)
{
  const int n = gd_job_n_instances(p->job);
  p->glances = gd_alloc(n, sizeof *p->glances);
  p->standings = gd_alloc(n, sizeof *p->standings);
  gd_status st =
      p->glances == NULL || p->standings == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK && p->for_status)
    st = gd_ledger_folder(p->job, p->notes);
  if (st == GD_OK && p->for_status)
    st = gd_ledger_open(p->notes, &p->ledger);
  for (int i = 0; st == GD_OK && i < n; i++) {
    const gd_instance *s = gd_job_instance(p->job, i);
    const int width = (int)strlen(gd_instance_title(s));
    if (width > p->title_width)
      p->title_width = width;
    st = gd_glance_at(s, &p->glances[i]);
    p->standings[i] = stands(p, i);
  }
  if (p->title_width > TITLE_WIDTH_MAX)
    p->title_width = TITLE_WIDTH_MAX;
  if (st == GD_OK && !p->for_status)
    st = gd_reasons_open(p->job, &p->reasons);
  return st;
}

static gd_status compose(const gd_job *job, int for_status, int *n_active,
                         gd_text *out)
{
  page p = {.job = job, .for_status = for_status, .out = out};
  int counts[IS_DONE + 1] = {0};
  gd_status st = look(&p);
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(job); i++)
    counts[p.standings[i]]++;
  if (st == GD_OK)
    st = add_stages(&p);
  if (st == GD_OK)
    add_sum(&p, counts);
  *n_active = counts[IS_RUNNING] + counts[IS_QUEUED];
  gd_reasons_free(p.reasons);
  gd_ledger_free(p.ledger);
  free(p.standings);
  free(p.glances);
  return st == GD_OK ? gd_text_status(out) : st;
}

int gd_plan_is_done(const gd_instance *self)
{
  gd_standing files;
  return gd_rundir_look(self, &files) == GD_OK && files.done;
}

gd_status gd_plan_compose(const gd_job *job, gd_text *out)
{
  int n_active;
  return compose(job, 0, &n_active, out);
}

gd_status gd_plan_compose_status(const gd_job *job, int *n_active, gd_text *out)
{
  return compose(job, 1, n_active, out);
}
