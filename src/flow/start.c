#include "start.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/agree.h"
#include "gradus/corpus.h"
#include "gradus/file.h"
#include "gradus/gemm.h"
#include "gradus/hosts.h"
#include "gradus/launcher.h"
#include "gradus/log.h"
#include "gradus/placement.h"
#include "gradus/watchdog.h"

enum { SILENCE_S = 600 }; /* longest, unless GRADUS_WATCHDOG says otherwise */
enum { MOST_LOOKS = 64 }; /* videos that every host is asked for */

/* ----------------------------------------------------------------- environment
 */

/* All do what rank 0 is asked to: a launcher may hand the environment to ranks
 * on its own host alone. */
static gd_status share_environment(MPI_Comm comm)
{
  static const char *const names[] = {"GRADUS_WATCHDOG", "GRADUS_HOSTS_WAIT",
                                      "GRADUS_OVERLAP", "GRADUS_GEMM",
                                      "GRADUS_BF16"};
  gd_status st = GD_OK;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char value[64] = "";
    const char *own = getenv(names[i]);
    if (own != NULL &&
        snprintf(value, sizeof value, "%s", own) >= (int)sizeof value)
      st = gd_fail(GD_ERR_USAGE, "%s=%s...: longer than any value", names[i],
                   value);
    MPI_Bcast(value, sizeof value, MPI_CHAR, 0, comm);
    if (value[0] != '\0')
      setenv(names[i], value, 1);
    else
      unsetenv(names[i]);
  }
  return st;
}

static gd_status settle_silence(int *limit_s)
{
  const char *text = getenv("GRADUS_WATCHDOG");
  *limit_s = SILENCE_S;
  if (text == NULL || *text == '\0')
    return GD_OK;
  char *end;
  errno = 0;
  const long value = strtol(text, &end, 10);
  if (*end != '\0' || errno != 0 || value < 0 || value > 1000000)
    return gd_fail(GD_ERR_USAGE,
                   "GRADUS_WATCHDOG=%s: expected seconds, 0 for no watch",
                   text);
  *limit_s = (int)value;
  return GD_OK;
}

/* -------------------------------------------------------------------- manifest
 */

static int holds(const char *path, const char *text)
{
  char *found = NULL;
  const int same = gd_path_exists(path) &&
                   gd_file_read(path, strlen(text), &found, NULL) == GD_OK &&
                   strcmp(found, text) == 0;
  free(found);
  return same;
}

/* The effective manifest is kept with the results.  Members of a sweep that
 * begin together save the same: whoever comes second finds it there. */
static gd_status save_manifest(const gd_job *job)
{
  char name[GD_PATH_MAX], path[GD_PATH_MAX];
  const char *text = gd_job_effective(job);
  gd_status st = gd_directory_make(gd_job_work(job));
  snprintf(name, sizeof name, "%s.yaml", gd_job_name(job));
  if (st == GD_OK)
    st = gd_path_join(gd_job_work(job), name, path);
  if (st == GD_OK && !holds(path, text))
    st = gd_file_write(path, text, strlen(text));
  return st == GD_ERR_IO && holds(path, text) ? GD_OK : st;
}

/* ----------------------------------------------------------------------- hosts
 */

/* Several hosts are several that may be lost. */
static void warn_of_launcher(MPI_Comm hosts)
{
  int rank;
  gd_text line = {0};
  MPI_Comm_rank(hosts, &rank);
  gd_launcher_judge(&line);
  if (rank == 0 && line.length_bytes > 0)
    gd_log(GD_LOG_WARNING, "%s", gd_text_get(&line));
  gd_text_free(&line);
}

/* A few of the corpus's videos, spread over it: where it is not mounted, all
 * are missing.  Rank 0 knows them. */
static gd_status check_corpus(MPI_Comm hosts, const gd_corpus *corpus,
                              int wait_s)
{
  gd_hosts_file files[MOST_LOOKS];
  int64_t n = 0, n_looks = corpus == NULL ? 0 : corpus->n_videos;
  if (n_looks > MOST_LOOKS)
    n_looks = MOST_LOOKS;
  for (int64_t i = 0; i < n_looks; i++) {
    const int64_t v = i * corpus->n_videos / n_looks;
    const int64_t size_bytes = corpus->fingerprints[v].size_bytes;
    if (size_bytes >= 0)
      files[n++] = (gd_hosts_file){corpus->videos[v].path, size_bytes};
  }
  return gd_hosts_see(hosts, n, files, wait_s);
}

/* Whatever one host writes, the others read. */
static gd_status check_hosts(MPI_Comm comm, const gd_job *job)
{
  int size = 1, wait_s;
  gd_status st = gd_hosts_patience(&wait_s);
  MPI_Comm hosts = gd_hosts_of(comm);
  if (hosts != MPI_COMM_NULL)
    MPI_Comm_size(hosts, &size);
  if (st == GD_OK && size > 1) {
    warn_of_launcher(hosts);
    st = gd_hosts_share(hosts, gd_job_work(job), wait_s);
    st = gd_settle(hosts, st);
    if (st == GD_OK)
      st = check_corpus(hosts, gd_job_corpus(job), wait_s);
  }
  if (hosts != MPI_COMM_NULL)
    MPI_Comm_free(&hosts);
  return gd_settle(comm, st);
}

/* ----------------------------------------------------------------------- ranks
 */

/* Nodes of another kind have other kernels: what a frame gives then depends on
 * which rank it is computed by. */
static void warn_of_kernels(MPI_Comm comm)
{
  struct {
    char gemm[GD_GEMM_TEXT], host[64];
  } first = {0}, mine = {0};
  int rank, size, other;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  gd_gemm_describe(GD_FP32, mine.gemm);
  gethostname(mine.host, sizeof mine.host - 1);
  first = mine;
  MPI_Bcast(&first, (int)sizeof first, MPI_BYTE, 0, comm);
  other = strcmp(mine.gemm, first.gemm) == 0 ? size : rank;
  MPI_Allreduce(MPI_IN_PLACE, &other, 1, MPI_INT, MPI_MIN, comm);
  if (other == size)
    return;
  MPI_Bcast(&mine, (int)sizeof mine, MPI_BYTE, other, comm);
  const char *variable = strcmp(gd_gemm_backend(), "openblas") == 0
                             ? "OPENBLAS_CORETYPE"
                             : "LIBXSMM_TARGET";
  gd_log(GD_LOG_WARNING,
         "rank 0 on %s computes by %s, rank %d on %s by %s: other numbers of "
         "ranks will give other last digits; choose nodes of one kind, or let "
         "%s be the older one's for all ranks",
         first.host, first.gemm, other, mine.host, mine.gemm, variable);
}

/* A bad placement is no failure, only slow. */
static void warn_of_placement(MPI_Comm comm)
{
  gd_text line = {0};
  const gd_placement worst =
      gd_placement_worst(comm, gd_placement_threads(comm));
  gd_placement_judge(&worst, &line);
  if (line.length_bytes > 0)
    gd_log(GD_LOG_WARNING, "%s", gd_text_get(&line));
  gd_text_free(&line);
}

gd_status gd_start(MPI_Comm comm, const gd_job *job, int dry_run)
{
  assert(job != NULL);
  int rank, limit_s;
  MPI_Comm_rank(comm, &rank);
  gd_status st = share_environment(comm);
  if (st == GD_OK)
    st = settle_silence(&limit_s);
  if (st == GD_OK)
    gd_watchdog_begin(rank, limit_s);
  if (st == GD_OK)
    st = gd_gemm_begin();
  if (st == GD_OK && rank == 0 && !dry_run)
    st = save_manifest(job);
  st = gd_settle(comm, st);
  if (st == GD_OK && !dry_run)
    st = check_hosts(comm, job);
  if (st == GD_OK)
    gd_watchdog_join(comm);
  if (st == GD_OK && !dry_run) {
    warn_of_kernels(comm);
    warn_of_placement(comm);
  }
  return st;
}
