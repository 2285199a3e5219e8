/* gradus plan, gradus status -- where a job stands, from files alone. */
#include "command.h"
#include "gradus/plan.h"

static const gd_option options[] = {GD_OPTION_SET};

static int compose(const gd_arguments *a,
                   gd_status (*page)(const gd_job *, gd_text *))
{
  gd_job *job;
  gd_status st = gd_command_load(a, &job);
  if (st != GD_OK)
    return gd_command_failed(st);
  gd_text text = {0};
  st = page(job, &text);
  gd_job_free(job);
  if (st == GD_OK)
    return gd_command_print(&text);
  gd_text_free(&text);
  return gd_command_failed(st);
}

static int run_plan(const gd_arguments *a)
{
  return compose(a, gd_plan_compose);
}

static int run_status(const gd_arguments *a)
{
  return compose(a, gd_plan_compose_status);
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
        "of files that are there; or would run, because a key or an input\n"
        "changed since a result of that name was made. Nothing is changed.\n",
    .run = run_plan,
};

const gd_command gd_command_status = {
    .name = "status",
    .operands = "JOB",
    .least = 1,
    .most = 1,
    .options = options,
    .n_options = 1,
    .summary = "where everything stands, from files alone",
    .details =
        "For each stage of the manifest JOB: done, running, stopped or not\n"
        "begun, files made, items skipped, the time it took, and the last\n"
        "line of its log. Nothing is changed.\n",
    .run = run_status,
};
