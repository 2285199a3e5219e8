#include "gradus/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glance.h"
#include "gradus/memory.h"
#include "reason.h"

/* A stage with more members than this is summed up: those that work or are
 * half done keep a line each, up to the second number. */
enum { MOST_MEMBERS = 12, MOST_LINES = 40, TITLE_WIDTH_MAX = 44 };

typedef struct {
  const gd_job *job;
  gd_glance *glances; /* per instance */
  gd_reasons *reasons;
  int title_width;
  int for_status; /* the page of `status`, not of `plan` */
  gd_text *out;
} page;

static const char *word(const page *p, gd_seen seen)
{
  switch (seen) {
  case GD_SEEN_NONE:
    return p->for_status ? "not run" : "run";
  case GD_SEEN_BEGUN:
    return p->for_status ? "stopped" : "partial";
  case GD_SEEN_RUNNING:
    return "running";
  case GD_SEEN_DONE:
    break;
  }
  return "done";
}

static void add_head(const page *p, gd_seen seen, const char *title)
{
  gd_text_printf(p->out, "%-8s %-*s", word(p, seen), p->title_width, title);
}

/* A title without a detail leaves no blanks behind it. */
static void end_line(gd_text *out)
{
  while (out->length_bytes > 0 && out->data[out->length_bytes - 1] == ' ')
    out->data[--out->length_bytes] = '\0';
  gd_text_add(out, "\n");
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

static gd_status add_instance(const page *p, int i)
{
  const gd_instance *s = gd_job_instance(p->job, i);
  const gd_glance *g = &p->glances[i];
  gd_status st = GD_OK;
  add_head(p, g->seen, gd_instance_title(s));
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
  if (p->for_status && g->seen != GD_SEEN_DONE && g->last[0] != '\0')
    gd_text_printf(p->out, "\n         %s", g->last);
  end_line(p->out);
  return st;
}

static gd_status add_many(const page *p, int first, int end)
{
  const gd_seen summed[] = {GD_SEEN_DONE, GD_SEEN_NONE};
  char title[128];
  snprintf(title, sizeof title, "%s[...]",
           gd_instance_name(gd_job_instance(p->job, first)));
  gd_status st = GD_OK;
  for (int k = 0; st == GD_OK && k < 2; k++) {
    int n = 0, example = first;
    for (int i = first; i < end; i++)
      if (p->glances[i].seen == summed[k] && n++ == 0)
        example = i;
    if (n == 0)
      continue;
    add_head(p, summed[k], title);
    gd_text_printf(p->out, "  %d of %d members", n, end - first);
    if (summed[k] == GD_SEEN_NONE && !p->for_status) {
      gd_text_add(p->out, ": ");
      st = gd_reasons_of(p->reasons, gd_job_instance(p->job, example), p->out);
    }
    gd_text_add(p->out, "\n");
  }
  int n = 0;
  for (int i = first; st == GD_OK && i < end; i++) {
    const gd_seen seen = p->glances[i].seen;
    if (seen == GD_SEEN_DONE || seen == GD_SEEN_NONE || n++ >= MOST_LINES)
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

static void add_sum(const page *p)
{
  int counts[GD_SEEN_DONE + 1] = {0};
  for (int i = 0; i < gd_job_n_instances(p->job); i++)
    counts[p->glances[i].seen]++;
  gd_text_printf(p->out, "%d stages in %s: %d done", gd_job_n_instances(p->job),
                 gd_job_work(p->job), counts[GD_SEEN_DONE]);
  for (int seen = GD_SEEN_RUNNING; seen >= GD_SEEN_NONE; seen--)
    if (counts[seen] > 0)
      gd_text_printf(p->out, ", %d %s%s", counts[seen],
                     seen == GD_SEEN_NONE && !p->for_status ? "to " : "",
                     word(p, (gd_seen)seen));
  gd_text_add(p->out, "\n");
}

static gd_status look(page *p)
{
  const int n = gd_job_n_instances(p->job);
  p->glances = gd_alloc(n, sizeof *p->glances);
  gd_status st = p->glances == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < n; i++) {
    const gd_instance *s = gd_job_instance(p->job, i);
    const int width = (int)strlen(gd_instance_title(s));
    if (width > p->title_width)
      p->title_width = width;
    st = gd_glance_at(s, &p->glances[i]);
  }
  if (p->title_width > TITLE_WIDTH_MAX)
    p->title_width = TITLE_WIDTH_MAX;
  if (st == GD_OK && !p->for_status)
    st = gd_reasons_open(p->job, &p->reasons);
  return st;
}

static gd_status compose(const gd_job *job, int for_status, gd_text *out)
{
  page p = {.job = job, .for_status = for_status, .out = out};
  gd_status st = look(&p);
  if (st == GD_OK)
    st = add_stages(&p);
  if (st == GD_OK)
    add_sum(&p);
  gd_reasons_free(p.reasons);
  free(p.glances);
  return st == GD_OK ? gd_text_status(out) : st;
}

gd_status gd_plan_compose(const gd_job *job, gd_text *out)
{
  return compose(job, 0, out);
}

gd_status gd_plan_compose_status(const gd_job *job, gd_text *out)
{
  return compose(job, 1, out);
}
