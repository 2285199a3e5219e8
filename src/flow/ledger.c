#include "gradus/ledger.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/memory.h"

enum { LEDGER_BYTES_MAX = 256 << 20 };

typedef struct {
  const char *folder, *group;
  int task;
  int64_t line;
} member;

struct gd_ledger {
  char *text;
  int64_t n_lines;
  int n;
  member *members; /* in order of folder and line */
  gd_slurm_queue queue;
  char *silence;
};

/* ----------------------------------------------------------------- reading */

static int in_order(const void *a, const void *b)
{
  const member *x = a, *y = b;
  const int by_folder = strcmp(x->folder, y->folder);
  if (by_folder != 0)
    return by_folder;
  return x->line < y->line ? -1 : x->line > y->line;
}

/* "member <group> <task> <folder>", cut in place; 0 if it is something else. */
static int read_member(char *line, member *out)
{
  char *rest = line;
  const char *word = strtok_r(line, " ", &rest);
  if (word == NULL || strcmp(word, "member") != 0)
    return 0;
  out->group = strtok_r(NULL, " ", &rest);
  const char *task = strtok_r(NULL, " ", &rest);
  out->folder = strtok_r(NULL, " ", &rest);
  if (out->folder == NULL)
    return 0;
  out->task = (int)strtol(task, NULL, 10);
  return 1;
}

/* A last line without its end is that of a writer who was killed. */
static gd_status read_members(gd_ledger *l)
{
  for (const char *c = l->text; *c != '\0'; c++)
    l->n_lines += *c == '\n';
  l->members = gd_alloc(l->n_lines, sizeof *l->members);
  if (l->members == NULL)
    return GD_ERR_NOMEM;
  char *at = l->text;
  for (int64_t i = 0; i < l->n_lines; i++) {
    char *line = at;
    at += strcspn(at, "\n");
    *at++ = '\0';
    l->members[l->n].line = i;
    l->n += read_member(line, &l->members[l->n]);
  }
  if (l->n > 1)
    qsort(l->members, (size_t)l->n, sizeof *l->members, in_order);
  return GD_OK;
}

static gd_status ask(gd_ledger *l)
{
  gd_status st = gd_slurm_ask(&l->queue);
  if (st != GD_ERR_IO)
    return st;
  l->silence = gd_strdup(gd_reason());
  return l->silence == NULL ? GD_ERR_NOMEM : GD_OK;
}

static gd_status read_all(gd_ledger *l, const char *folder)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_path_join(folder, "jobs.txt", path);
  if (st != GD_OK || !gd_path_exists(path))
    return st;
  st = gd_file_read(path, LEDGER_BYTES_MAX, &l->text, NULL);
  if (st == GD_OK)
    st = read_members(l);
  return st == GD_OK && l->n > 0 ? ask(l) : st;
}

gd_status gd_ledger_folder(const gd_job *job, char out[GD_PATH_MAX])
{
  return gd_path_join(gd_job_work(job), "slurm", out);
}

gd_status gd_ledger_open(const char *folder, gd_ledger **out)
{
  assert(folder != NULL && out != NULL);
  *out = NULL;
  gd_ledger *l = gd_alloc(1, sizeof *l);
  if (l == NULL)
    return GD_ERR_NOMEM;
  const gd_status st = read_all(l, folder);
  if (st == GD_OK)
    *out = l;
  else
    gd_ledger_free(l);
  return st;
}

void gd_ledger_free(gd_ledger *l)
{
  if (l == NULL)
    return;
  gd_slurm_queue_free(&l->queue);
  free(l->silence);
  free(l->members);
  free(l->text);
  free(l);
}

const char *gd_ledger_silence(const gd_ledger *l)
{
  return l->silence == NULL ? "" : l->silence;
}

int64_t gd_ledger_n_lines(const gd_ledger *l)
{
  return l->n_lines;
}

/* ----------------------------------------------------------------- finding */

static const member *last_of(const gd_ledger *l, const char *folder)
{
  int low = 0, high = l->n; /* the first that is behind `folder` */
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (strcmp(l->members[middle].folder, folder) <= 0)
      low = middle + 1;
    else
      high = middle;
  }
  const member *found = low > 0 ? &l->members[low - 1] : NULL;
  return found != NULL && strcmp(found->folder, folder) == 0 ? found : NULL;
}

/* The first job of a queue that is not before name and task. */
static int first_job(const gd_slurm_queue *q, const char *name, int task)
{
  int low = 0, high = q->n;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    const gd_slurm_job *j = &q->jobs[middle];
    const int by_name = strcmp(j->name, name);
    if (by_name < 0 || (by_name == 0 && j->task < task))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static int waits(const gd_slurm_job *j)
{
  return strcmp(j->state, "PENDING") == 0 ||
         strncmp(j->state, "REQUEUE", 7) == 0 ||
         strcmp(j->state, "SPECIAL_EXIT") == 0;
}

gd_errand gd_ledger_find(const gd_ledger *l, const gd_instance *s)
{
  gd_errand e = {0};
  const member *m = last_of(l, gd_path_base(gd_instance_directory(s)));
  if (m == NULL || l->silence != NULL)
    return e;
  e.phase = GD_ERRAND_ENDED;
  const gd_slurm_queue *q = &l->queue;
  const int first = first_job(q, m->group, m->task);
  e.jobs = q->jobs + first;
  for (const gd_slurm_job *j = e.jobs;
       j < q->jobs + q->n && j->task == m->task &&
       strcmp(j->name, m->group) == 0;
       j++) {
    e.n_jobs++;
    if (e.phase == GD_ERRAND_ENDED || (!waits(j) && waits(e.job))) {
      e.phase = waits(j) ? GD_ERRAND_QUEUED : GD_ERRAND_RUNNING;
      e.job = j;
    }
  }
  return e;
}

/* ----------------------------------------------------------------- writing */

static int write_all(int fd, const char *data, size_t size_bytes)
{
  while (size_bytes > 0) {
    const ssize_t n = write(fd, data, size_bytes);
    if (n < 0 && errno != EINTR)
      return -1;
    data += n > 0 ? n : 0;
    size_bytes -= n > 0 ? (size_t)n : 0;
  }
  return fsync(fd);
}

/* A writer whose disk was full may have left half a line. */
static int end_last_line(int fd)
{
  char last = '\n';
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
    return -1;
  return last == '\n' ? 0 : write_all(fd, "\n", 1);
}

gd_status gd_ledger_append(const char *folder, const gd_text *lines)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_text_status(lines);
  if (st == GD_OK)
    st = gd_path_join(folder, "jobs.txt", path);
  if (st != GD_OK)
    return st;
  const int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || end_last_line(fd) != 0 ||
      write_all(fd, gd_text_get(lines), lines->length_bytes) != 0)
    st = gd_fail(GD_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
  if (fd >= 0)
    close(fd);
  return st;
}

gd_status gd_ledger_failures(const char *folder, const gd_instance *s,
                             char out[GD_PATH_MAX])
{
  char name[256];
  snprintf(name, sizeof name, "%s.failures",
           gd_path_base(gd_instance_directory(s)));
  return gd_path_join(folder, name, out);
}
