#include "gradus/hosts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gradus/agree.h"
#include "gradus/clock.h"
#include "gradus/file.h"
#include "gradus/share.h"
#include "gradus/text.h"
#include "gradus/watchdog.h"

enum { WAIT_S = 60, MOST_WAIT_S = 86400, NAME_BYTES = 64 };

gd_status gd_hosts_patience(int *wait_s)
{
  const char *text = getenv("GRADUS_HOSTS_WAIT");
  *wait_s = WAIT_S;
  if (text == NULL || *text == '\0')
    return GD_OK;
  char *end;
  errno = 0;
  const long value = strtol(text, &end, 10);
  if (*end != '\0' || errno != 0 || value < 0 || value > MOST_WAIT_S)
    return gd_fail(GD_ERR_USAGE, "GRADUS_HOSTS_WAIT=%s: expected seconds",
                   text);
  *wait_s = (int)value;
  return GD_OK;
}

MPI_Comm gd_hosts_of(MPI_Comm comm)
{
  MPI_Comm host, hosts;
  int rank, at;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &host);
  MPI_Comm_rank(host, &at);
  MPI_Comm_free(&host);
  MPI_Comm_split(comm, at == 0 ? 0 : MPI_UNDEFINED, rank, &hosts);
  return hosts;
}

/* -------------------------------------------------------------------- looking
 */

/* Make and remove a file beside `path`: the file system tells its directory's
 * state with it.  What is wrong with that is found by the look that follows. */
static void refresh(const char *path)
{
  char beside[GD_PATH_MAX];
  const int n =
      snprintf(beside, sizeof beside, "%.*s.look-%ld.part",
               (int)(gd_path_base(path) - path), path, (long)getpid());
  if (n >= GD_PATH_MAX)
    return;
  const int fd = open(beside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) {
    close(fd);
    unlink(beside);
  }
}

static int is_there(const char *path, int64_t size_bytes)
{
  int64_t found_bytes;
  return gd_path_exists(path) &&
         (size_bytes < 0 || (gd_file_stat(path, &found_bytes, NULL) == GD_OK &&
                             found_bytes == size_bytes));
}

/* Look for a file until it is there, for `wait_s`. */
static int comes(const char *path, int64_t size_bytes, int may_write,
                 int wait_s)
{
  const double began_s = gd_clock_s();
  struct timespec nap = {.tv_nsec = 1000000};
  while (!is_there(path, size_bytes)) {
    gd_watchdog_feed();
    if (may_write)
      refresh(path);
    if (is_there(path, size_bytes))
      break;
    if (gd_clock_s() - began_s >= wait_s)
      return 0;
    nanosleep(&nap, NULL);
    if (nap.tv_nsec < 500000000)
      nap.tv_nsec *= 2;
  }
  return 1;
}

gd_status gd_hosts_await(const char *path, int wait_s)
{
  assert(path != NULL && wait_s >= 0);
  if (comes(path, -1, 1, wait_s))
    return GD_OK;
  return gd_fail(GD_ERR_IO,
                 "%s: another rank has made it, but it cannot be "
                 "seen here after %d s",
                 path, wait_s);
}

/* ------------------------------------------------------------------- agreeing
 */

/* This host's name, and that of the first. */
typedef struct {
  int rank, size;
  char own[NAME_BYTES], first[NAME_BYTES];
} names;

static names name_hosts(MPI_Comm hosts)
{
  names n = {0};
  MPI_Comm_rank(hosts, &n.rank);
  MPI_Comm_size(hosts, &n.size);
  gethostname(n.own, sizeof n.own - 1);
  memcpy(n.first, n.own, sizeof n.first);
  MPI_Bcast(n.first, (int)sizeof n.first, MPI_CHAR, 0, hosts);
  return n;
}

/* "host node7", "host node7 and 2 more of 8": those that fail alike.  Returns
 * whether this one does. */
static void name_failing(MPI_Comm hosts, const names *n, int fails,
                         char out[2 * NAME_BYTES])
{
  int n_failing = 0;
  MPI_Request request;
  MPI_Iallreduce(&fails, &n_failing, 1, MPI_INT, MPI_SUM, hosts, &request);
  gd_wait(&request);
  if (n_failing > 1)
    snprintf(out, 2 * NAME_BYTES, "host %s and %d more of %d", n->own,
             n_failing - 1, n->size);
  else
    snprintf(out, 2 * NAME_BYTES, "host %s", n->own);
}

/* Paths mean what they mean on this host. */
static const char *absolute(const char *path, char out[GD_PATH_MAX])
{
  char here[GD_PATH_MAX];
  if (path[0] == '/' || getcwd(here, sizeof here) == NULL ||
      gd_path_join(here, path, out) != GD_OK)
    return path;
  return out;
}

/* A name that no other run uses, and no earlier one has. */
static gd_status name_token(MPI_Comm hosts, const char *directory,
                            char out[GD_PATH_MAX])
{
  struct timespec now;
  char name[128] = "", host[NAME_BYTES] = "";
  gethostname(host, sizeof host - 1);
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(name, sizeof name, ".token-%s-%ld-%" PRId64 "%09ld", host,
           (long)getpid(), (int64_t)now.tv_sec, now.tv_nsec);
  MPI_Bcast(name, (int)sizeof name, MPI_CHAR, 0, hosts);
  return gd_path_join(directory, name, out);
}

gd_status gd_hosts_share(MPI_Comm hosts, const char *directory, int wait_s)
{
  assert(directory != NULL && wait_s >= 0);

  const names n = name_hosts(hosts);
  char token[GD_PATH_MAX], who[2 * NAME_BYTES], path[GD_PATH_MAX];
  gd_status st = name_token(hosts, directory, token);
  if (st == GD_OK && n.rank == 0)
    st = gd_file_write(token, "", 0);
  MPI_Barrier(hosts);
  /* All look, and none ends before all have: the token is there until then. */
  const int lost = st == GD_OK && !comes(token, 0, 1, wait_s);
  name_failing(hosts, &n, lost, who);
  if (lost)
    st = gd_fail(GD_ERR_USAGE,
                 "%s: %s cannot see there what host %s wrote: use a work "
                 "directory on a file system that all hosts share",
                 absolute(directory, path), who, n.first);
  /* Who can read it may yet not be allowed to write there. */
  if (st == GD_OK && n.rank != 0) {
    char own[GD_PATH_MAX + 16];
    snprintf(own, sizeof own, "%s-%d", token, n.rank);
    st = gd_file_write(own, "", 0);
    if (st != GD_OK)
      st = gd_fail(GD_ERR_IO, "host %s: %s", n.own, gd_reason());
    else
      st = gd_file_remove(own);
  }
  MPI_Barrier(hosts);
  if (n.rank == 0) {
    const gd_status removed = gd_file_remove(token);
    st = st == GD_OK ? removed : st;
  }
  return st;
}

/* "size path", each with a zero behind it. */
static void pack(int64_t n, const gd_hosts_file *files, gd_text *out)
{
  for (int64_t i = 0; i < n; i++) {
    gd_text_printf(out, "%" PRId64 " %s", files[i].size_bytes, files[i].path);
    gd_text_bytes(out, "", 1);
  }
}

/* Return the path of the first file that does not come into sight, or NULL. */
static const char *look_for(const gd_text *list, int wait_s)
{
  const char *at = gd_text_get(list), *end = at + list->length_bytes;
  for (; at < end; at += strlen(at) + 1) {
    char *path;
    const int64_t size_bytes = strtoll(at, &path, 10);
    if (!comes(path + 1, size_bytes, 0, wait_s))
      return path + 1;
  }
  return NULL;
}

gd_status gd_hosts_see(MPI_Comm hosts, int64_t n_files,
                       const gd_hosts_file *files, int wait_s)
{
  assert(n_files >= 0 && wait_s >= 0);

  const names n = name_hosts(hosts);
  char who[2 * NAME_BYTES], path[GD_PATH_MAX];
  gd_text list = {0};
  if (n.rank == 0)
    pack(n_files, files, &list);
  gd_status st = gd_share_text(hosts, &list);
  const char *missing = st == GD_OK ? look_for(&list, wait_s) : NULL;
  name_failing(hosts, &n, missing != NULL, who);
  if (missing != NULL)
    st = gd_fail(GD_ERR_USAGE,
                 "%s: %s cannot see this file as host %s does: the corpus must "
                 "be where all hosts see it",
                 absolute(missing, path), who, n.first);
  gd_text_free(&list);
  return st;
}
