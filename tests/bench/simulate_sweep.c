/* Fill the run directories of a job as if its stages had been run: what status,
 * plan and report take for a large sweep, without training one.
 *
 *   simulate_sweep JOB VIDEOS FILE
 *
 * Each evaluate stage gets made-up scores of VIDEOS test videos, each train
 * stage the model in FILE and a line of metrics; reports are left to do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/done.h"
#include "gradus/file.h"
#include "gradus/job.h"
#include "gradus/store.h"
#include "scored.h"

static const char metrics[] = "epoch,step,split,loss,mae,rmse\n"
                              "1,1,train,2.5,9,11\n1,1,dev,,8,10\n";

static gd_status put(const gd_instance *s, const char *name, const char *text)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_path_join(gd_instance_directory(s), name, path);
  return st == GD_OK ? gd_file_write(path, text, strlen(text)) : st;
}

static gd_status train(const gd_instance *s, const char *model)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_path_join(gd_instance_directory(s), "model.h5", path);
  if (st == GD_OK && link(model, path) != 0)
    st = gd_fail(GD_ERR_IO, "%s: cannot link: %s", path, strerror(errno));
  return st == GD_OK ? put(s, "metrics.csv", metrics) : st;
}

static gd_status evaluate(const gd_instance *s, int n, double error)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_path_join(gd_instance_directory(s), "scores.h5", path);
  if (st == GD_OK)
    gd_scored_write(path, "expectation", n, 0, error);
  return st;
}

static gd_status finish(const gd_instance *s)
{
  gd_status st = put(s, "log.txt", "2026-01-01T00:00:00Z info done\n");
  if (st == GD_OK)
    st = put(s, "report.yaml", "seconds: 1.0\nskipped: []\n");
  if (st == GD_OK)
    st = gd_done_make(gd_instance_directory(s), gd_instance_digest(s), 0, 0);
  return st;
}

static gd_status fill(const gd_instance *s, int i, int n, const char *model)
{
  const char *kind = gd_instance_kind(s);
  if (strcmp(kind, "report") == 0)
    return GD_OK;
  gd_status st = gd_directory_make(gd_instance_directory(s));
  if (st == GD_OK && strcmp(kind, "train") == 0)
    st = train(s, model);
  if (st == GD_OK && strcmp(kind, "evaluate") == 0)
    st = evaluate(s, n, 5 + 0.001 * i);
  return st == GD_OK ? finish(s) : st;
}

int main(int argc, char **argv)
{
  gd_job *job;
  if (argc != 4)
    return fprintf(stderr, "usage: simulate_sweep JOB VIDEOS FILE\n"), 2;
  gd_store_begin();
  gd_status st = gd_job_load(argv[1], NULL, 0, &job);
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(job); i++)
    st = fill(gd_job_instance(job, i), i, (int)strtol(argv[2], NULL, 10),
              argv[3]);
  if (st != GD_OK)
    return fprintf(stderr, "%s\n", gd_reason()), 1;
  gd_job_free(job);
  return 0;
}
