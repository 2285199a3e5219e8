/* gradus report -- compose the report again from results that are there. */
#include "command.h"
#include "report.h"

static const gd_option options[] = {
    GD_OPTION_SET,
};

static int run(const gd_arguments *a)
{
  gd_text shown = {0};
  gd_job *job;
  gd_status st = gd_command_load(a, &job);
  if (st == GD_OK)
    st = gd_report_rebuild(job);
  if (st == GD_OK)
    st = gd_report_show(job, &shown);
  gd_job_free(job);
  if (st == GD_OK)
    return gd_command_print(&shown);
  gd_text_free(&shown);
  return gd_command_failed(st);
}

const gd_command gd_command_report = {
    .name = "report",
    .operands = "JOB",
    .least = 1,
    .most = 1,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "compose the report again from results that are there",
    .details =
        "Writes results.csv, table.txt, index.html and tables/ of every\n"
        "report stage of the manifest JOB anew, from the scores and models of\n"
        "a finished run; nothing is trained or scored.\n",
    .run = run,
};
