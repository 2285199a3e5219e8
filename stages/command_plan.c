/* gradus plan -- what would run, and why, from files alone. */
#include <string.h>

#include "command.h"
#include "extract.h"
#include "gradus/audit.h"
#include "gradus/plan.h"

static const gd_option options[] = {GD_OPTION_SET};

/* More members of a sweep than this differ in what is plain by then. */
enum { MOST_FORECASTS = 8 };

static gd_status add_forecasts(const gd_job *job, gd_text *out)
{
  gd_status st = GD_OK;
  int n = 0;
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(job); i++) {
    const gd_instance *self = gd_job_instance(job, i);
    if (strcmp(gd_instance_kind(self), "extract") == 0 &&
        !gd_plan_is_done(self) && n++ < MOST_FORECASTS)
      st = gd_extract_forecast(job, self, out);
  }
  return st;
}

/* A corpus that is there already; a drawn one is known by its stage. */
static gd_status add_corpus(const gd_job *job, gd_text *out)
{
  const gd_corpus *corpus = gd_job_corpus(job);
  if (corpus == NULL)
    return GD_OK;
  for (int i = 0; i < gd_job_n_instances(job); i++)
    if (strcmp(gd_instance_kind(gd_job_instance(job, i)), "extract") == 0) {
      const gd_corpus_source source =
          gd_instance_corpus(gd_job_instance(job, i));
      return gd_audit_compose(source.layout, corpus, source.n_levels, out);
    }
  return GD_OK;
}

static gd_status compose(const gd_job *job, gd_text *out)
{
  gd_status st = gd_plan_compose(job, out);
  if (st == GD_OK)
    st = add_corpus(job, out);
  if (st == GD_OK)
    st = add_forecasts(job, out);
  return st == GD_OK ? gd_extract_touched_all(job, out) : st;
}

static int run(const gd_arguments *a)
{
  gd_job *job;
  gd_status st = gd_command_load(a, &job);
  if (st != GD_OK)
    return gd_command_failed(st);
  gd_text text = {0};
  st = compose(job, &text);
  gd_job_free(job);
  if (st == GD_OK)
    return gd_command_print(&text);
  gd_text_free(&text);
  return gd_command_failed(st);
}

const gd_command gd_command_plan = {
    .name = "plan",
    .operands = "JOB",
    .least = 1,
    .most = 1,
    .options = options,
    .n_options = 1,
    .summary = "what would run, and why",
    .details =
        "For each stage of the manifest JOB: done; partial, with the number\n"
        "of files that are there, also where one has changed since it was\n"
        "done; or would run, because a key or an input changed since a result\n"
        "of that name was made. Then what the corpus holds: videos, persons,\n"
        "labels, persons in two partitions, and whatever is odd about it.\n"
        "Then, for each extraction that is not done, what it will read, keep\n"
        "and store: exact where an earlier run has indexed the videos, else\n"
        "from some of them.\n"
        "Nothing is changed.\n",
    .run = run,
};
