/* gradus run -- every stage that is not done yet, on all ranks. */
#include <mpi.h>

#include "command.h"
#include "extract.h"
#include "gradus/agree.h"
#include "gradus/log.h"
#include "gradus/run.h"
#include "gradus/stop.h"
#include "report.h"
#include "stages.h"

static const gd_option options[] = {
    {"--stage", "NAME", GD_OPTION_ONCE,
     "Run only the stage of this name, all its members; or\n"
     "the one member whose folder in the work directory is\n"
     "called so: model-1234abcd."},
    GD_OPTION_SET,
    {"--dry-run", NULL, GD_OPTION_ONCE,
     "Say what would be done, and do nothing."},
};

/* What is done stays done; but say what may be stale in it.  Rank 0. */
static gd_status warn_of_touched(const gd_job *job)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(job); i++) {
    gd_text line = {0};
    st = gd_extract_touched(job, gd_job_instance(job, i), &line);
    if (st == GD_OK && line.length_bytes > 0)
      gd_log(GD_LOG_WARNING, "%s", gd_text_get(&line));
    gd_text_free(&line);
  }
  return st;
}

/* A manifest that is wrong is wrong once. */
static gd_status load_together(const gd_arguments *a, int rank, gd_job **out)
{
  *out = NULL;
  gd_status st =
      gd_command_share(rank == 0 ? gd_command_load(a, out) : GD_OK, out);
  if (st != GD_OK)
    return st;
  if (rank == 0) {
    if (gd_job_corpus(*out) != NULL)
      gd_extract_remark(gd_job_corpus(*out), ": gradus plan shows them");
    st = warn_of_touched(*out);
  }
  return gd_agree(MPI_COMM_WORLD, st);
}

/* The table that a run is for, and where its page lies. */
static int show_reports(const gd_job *job)
{
  gd_text shown = {0};
  const gd_status st = gd_report_show(job, &shown);
  if (st == GD_OK)
    return gd_command_print(&shown);
  gd_text_free(&shown);
  return gd_command_failed(st);
}

static int run(const gd_arguments *a)
{
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  gd_log_begin(rank, GD_LOG_INFO);
  gd_stop_begin();

  gd_job *job;
  gd_status st = load_together(a, rank, &job);
  if (st != GD_OK) {
    const int code = rank == 0 ? gd_command_failed(st) : gd_exit_code(st);
    gd_job_free(job);
    return code;
  }
  const gd_run_options how = {.stages = gd_stages,
                              .stage = gd_arguments_value(a, "--stage"),
                              .dry_run = gd_arguments_count(a, "--dry-run")};
  int code = GD_EXIT_FAILED;
  st = gd_run_job(MPI_COMM_WORLD, job, &how, &code);
  if (st == GD_OK && code == GD_EXIT_DONE && rank == 0 && !how.dry_run)
    code = show_reports(job);
  gd_job_free(job);
  /* What went wrong has been said in the log. */
  return st == GD_OK || code != GD_EXIT_DONE ? code : gd_exit_code(st);
}

const gd_command gd_command_run = {
    .name = "run",
    .operands = "JOB",
    .least = 1,
    .most = 1,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .parallel = 1,
    .summary = "run what is not done yet, under mpirun or srun, or alone",
    .details =
        "Every stage of the manifest JOB that is not done is run, inputs\n"
        "first. Kill it at any moment and run the same command again: it goes\n"
        "on, on any number of ranks, to the same result.\n"
        "\n"
        "  mpirun -n 4 gradus run jobs/demo.yaml\n"
        "  srun gradus run jobs/avec2014.yaml --stage model\n",
    .run = run,
};
