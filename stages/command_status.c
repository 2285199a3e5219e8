/* gradus status -- where a job stands, from files and from Slurm. */
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "extract.h"
#include "gradus/clock.h"
#include "gradus/plan.h"

static const gd_option options[] = {
    {"--watch", NULL, GD_OPTION_ONCE,
     "Show it again every few seconds, until nothing is running\n"
     "or queued."},
    GD_OPTION_SET,
};

/* Between two looks, and in parts of what a look took: those of a large sweep
 * ask the file system for thousands of files. */
enum { WATCH_S = 5, WATCH_RATIO = 10 };

static int show(const gd_job *job, const char *before, int *n_active)
{
  gd_text page = {0};
  gd_text_add(&page, before);
  gd_status st = gd_plan_compose_status(job, n_active, &page);
  if (st == GD_OK)
    st = gd_extract_touched_all(job, &page);
  if (st != GD_OK) {
    gd_text_free(&page);
    return gd_command_failed(st);
  }
  return gd_command_print(&page);
}

static int watch(const gd_job *job)
{
  /* On a terminal, a page takes the place of the last one. */
  const char *clear = isatty(STDOUT_FILENO) ? "\033[H\033[2J" : "";
  for (;;) {
    int n_active;
    const double from_s = gd_clock_s();
    const int code = show(job, clear, &n_active);
    if (code != 0 || n_active == 0)
      return code;
    const double rest_s = WATCH_RATIO * (gd_clock_s() - from_s);
    nanosleep(&(struct timespec){.tv_sec = rest_s > WATCH_S ? (time_t)rest_s
                                                            : WATCH_S},
              NULL);
  }
}

static int run(const gd_arguments *a)
{
  gd_job *job;
  int n_active;
  gd_status st = gd_command_load(a, &job);
  if (st != GD_OK)
    return gd_command_failed(st);
  const int code = gd_arguments_count(a, "--watch") > 0
                       ? watch(job)
                       : show(job, "", &n_active);
  gd_job_free(job);
  return code;
}

const gd_command gd_command_status = {
    .name = "status",
    .operands = "JOB",
    .least = 1,
    .most = 1,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "where everything stands, from files and from Slurm",
    .details =
        "For each stage of the manifest JOB: done, running, queued, failed,\n"
        "stopped or not begun, files made, items skipped, the time it took;\n"
        "while it is not done, where its Slurm job runs and for how long, or\n"
        "why it waits, how earlier runs ended, and the last line of its log.\n"
        "Where Slurm does not answer, files speak alone. Nothing is changed.\n",
    .run = run,
};
