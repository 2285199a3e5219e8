/* gradus submit -- the job as Slurm jobs. */
#include <unistd.h>

#include "command.h"
#include "gradus/file.h"
#include "gradus/site.h"
#include "gradus/submit.h"

static const gd_option options[] = {
    {"--site", "FILE", GD_OPTION_ONCE,
     "What the cluster wants: modules, launcher, container,\n"
     "partition; default: $GRADUS_SITE,\n"
     "~/.config/gradus/site.yaml, /etc/gradus/site.yaml."},
    GD_OPTION_SET,
    {"--dry-run", NULL, GD_OPTION_ONCE,
     "Print the scripts, and submit nothing."},
};

/* The nodes run the program that submits, unless the site says otherwise. */
static gd_status find_program(const gd_site *site, char out[GD_PATH_MAX])
{
  const char *named = gd_site_text(site, "program");
  if (named[0] == '\0' && gd_site_text(site, "container")[0] != '\0')
    named = "gradus";
  if (named[0] != '\0')
    return gd_path_join("", named, out);
  const ssize_t n = readlink("/proc/self/exe", out, GD_PATH_MAX - 1);
  if (n <= 0)
    return gd_path_join("", "gradus", out);
  out[n] = '\0';
  return GD_OK;
}

static gd_status submit(const gd_arguments *a, gd_job *job, gd_site *site,
                        gd_text *out)
{
  char program[GD_PATH_MAX];
  gd_status st = find_program(site, program);
  if (st == GD_OK)
    st = gd_submit_job(job, site, program, gd_arguments_count(a, "--dry-run"),
                       out);
  return st;
}

static int run(const gd_arguments *a)
{
  gd_job *job = NULL;
  gd_site *site = NULL;
  gd_text out = {0};
  gd_status st = gd_site_load(gd_arguments_value(a, "--site"), &site);
  if (st == GD_OK)
    st = gd_command_load(a, &job);
  if (st == GD_OK)
    st = submit(a, job, site, &out);
  gd_job_free(job);
  gd_site_free(site);
  /* What was submitted before a failure is worth knowing. */
  const int failed = st == GD_OK ? 0 : gd_command_failed(st);
  const int printed = gd_command_print(&out);
  return failed != 0 ? failed : printed;
}

const gd_command gd_command_submit = {
    .name = "submit",
    .operands = "JOB",
    .least = 1,
    .most = 1,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "run it by Slurm: a job for each stage, arrays for sweeps",
    .details =
        "Every stage of the manifest JOB that is not done becomes a Slurm\n"
        "job with the resources of its `slurm:` block, after those it takes\n"
        "from; the members of a sweep are the tasks of an array, and one that\n"
        "fails does not hold the others. A job that is preempted, or whose\n"
        "time limit is near, keeps what it has, goes back into the queue and\n"
        "goes on. Three runs that fail at the same point are given up.\n"
        "\n"
        "The same command again leaves alone what is done, queued or\n"
        "running, and submits what is missing or has failed. Scripts, logs\n"
        "and job numbers are in <work>/slurm; `gradus status` tells how "
        "things\n"
        "stand. `gradus help manifest` lists the keys of a site file.\n",
    .run = run,
};
