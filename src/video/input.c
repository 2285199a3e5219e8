#include "video/input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/memory.h"

static const double LOOK_EVERY_S = 0.1;

struct gd_input {
  char *path;
  int file;
  int64_t size_bytes, modified_ns, position;
  gd_patience patience;
  double looked_s;    /* by the clock */
  double computed_s;  /* of this thread, at that time */
  double fruitless_s; /* of these, since the last progress */
  gd_status status;
};

static double seconds_of(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void gd_input_close(gd_input *in)
{
  if (in == NULL)
    return;
  if (in->file >= 0)
    close(in->file);
  free(in->path);
  free(in);
}

static gd_status refuse(const gd_input *in, int error)
{
  return gd_fail(gd_file_is_closed(in->path) ? GD_ERR_DECODE : GD_ERR_IO,
                 "%s: cannot open: %s", in->path, strerror(error));
}

static gd_status open_file(gd_input *in)
{
  struct stat info;
  in->file = open(in->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (in->file < 0 || fstat(in->file, &info) != 0)
    return refuse(in, errno);
  if (!S_ISREG(info.st_mode))
    return gd_fail(GD_ERR_DECODE, "%s: is not a regular file", in->path);
  if (info.st_size == 0)
    return gd_fail(GD_ERR_DECODE, "%s: is empty", in->path);
  in->size_bytes = (int64_t)info.st_size;
  in->modified_ns =
      info.st_mtim.tv_sec * INT64_C(1000000000) + info.st_mtim.tv_nsec;
  return GD_OK;
}

gd_status gd_input_open(const char *path, const gd_patience *patience,
                        gd_input **out)
{
  assert(path != NULL && out != NULL);

  *out = NULL;
  gd_input *in = gd_alloc(1, sizeof *in);
  if (in == NULL)
    return GD_ERR_NOMEM;
  in->file = -1;
  if (patience != NULL)
    in->patience = *patience;
  in->looked_s = seconds_of(CLOCK_MONOTONIC);
  in->computed_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
  in->path = gd_strdup(path);
  gd_status st = in->path == NULL ? GD_ERR_NOMEM : open_file(in);
  if (st != GD_OK) {
    gd_input_close(in);
    return st;
  }
  *out = in;
  return GD_OK;
}

int64_t gd_input_size(const gd_input *in)
{
  return in->size_bytes;
}

int64_t gd_input_modified(const gd_input *in)
{
  return in->modified_ns;
}

int gd_input_read(gd_input *in, uint8_t *out, int most_bytes)
{
  assert(in != NULL && out != NULL && most_bytes > 0);

  if (gd_input_look(in) != GD_OK)
    return -1;
  const int64_t left = in->size_bytes - in->position;
  if (left <= 0)
    return 0;
  const size_t n = left < most_bytes ? (size_t)left : (size_t)most_bytes;
  ssize_t got;
  do
    got = pread(in->file, out, n, (off_t)in->position);
  while (got < 0 && errno == EINTR);
  if (got < 0) {
    in->status =
        gd_fail(GD_ERR_IO, "%s: cannot read: %s", in->path, strerror(errno));
    return -1;
  }
  in->position += got;
  return (int)got;
}

void gd_input_seek(gd_input *in, int64_t position)
{
  assert(in != NULL && position >= 0);
  in->position = position;
}

int64_t gd_input_position(const gd_input *in)
{
  return in->position;
}

void gd_input_progress(gd_input *in)
{
  in->fruitless_s = 0;
}

gd_status gd_input_look(gd_input *in)
{
  assert(in != NULL);

  const double now_s = seconds_of(CLOCK_MONOTONIC);
  if (in->status != GD_OK || now_s - in->looked_s < LOOK_EVERY_S)
    return in->status;
  const double computed_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);
  in->fruitless_s += computed_s - in->computed_s;
  in->computed_s = computed_s;
  in->looked_s = now_s;
  const gd_patience *p = &in->patience;
  if (p->alive != NULL)
    in->status = p->alive(p->context);
  if (in->status == GD_OK && p->stall_s > 0 && in->fruitless_s > p->stall_s)
    in->status =
        gd_fail(GD_ERR_DECODE,
                "%s: given up at byte %lld of %lld: %.3g s of "
                "computing without another picture (stall: %.3g)",
                in->path, (long long)in->position, (long long)in->size_bytes,
                in->fruitless_s, p->stall_s);
  return in->status;
}

gd_status gd_input_status(const gd_input *in)
{
  return in->status;
}
