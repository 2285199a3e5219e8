#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/store.h"

/* Values and digests are written as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "stores are little-endian");

enum { BLOCK = GD_STORE_BLOCK_BYTES, PIECE_BLOCKS = 256 };

static gd_status write_at(int fd, const char *path, const void *bytes,
                          int64_t n, int64_t at)
{
  const char *next = bytes;
  while (n > 0) {
    const ssize_t done = pwrite(fd, next, (size_t)n, (off_t)at);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return gd_fail(GD_ERR_IO, "%s: cannot write: %s", path,
                     strerror(done < 0 ? errno : EIO));
    next += done;
    at += done;
    n -= done;
  }
  return GD_OK;
}

/* Write values and digests by turns, while the values are in the cache. */
static gd_status fill_run(int fd, const char *path, const gd_store_run *run)
{
  const char *values = run->values;
  gd_digest digests[PIECE_BLOCKS];
  gd_store_place at = run->at;
  int64_t left = run->n_bytes;
  while (left > 0) {
    int64_t n_bytes = 0, n = 0;
    for (; n < PIECE_BLOCKS && n_bytes < left; n++) {
      const int64_t here = left - n_bytes < BLOCK ? left - n_bytes : BLOCK;
      digests[n] = gd_digest_of(values + n_bytes, (size_t)here);
      n_bytes += here;
    }
    const int64_t digest_bytes = n * (int64_t)sizeof digests[0];
    gd_status st = write_at(fd, path, values, n_bytes, at.values);
    if (st == GD_OK)
      st = write_at(fd, path, digests, digest_bytes, at.digests);
    if (st != GD_OK)
      return st;
    values += n_bytes;
    at.values += n_bytes;
    at.digests += digest_bytes;
    left -= n_bytes;
  }
  return GD_OK;
}

gd_status gd_store_fill(const char *path, int64_t n_runs,
                        const gd_store_run *runs)
{
  assert(path != NULL && (runs != NULL || n_runs == 0));
  char part[GD_PATH_MAX];
  gd_status st = gd_file_part(path, part);
  if (st != GD_OK)
    return st;
  int fd = open(part, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return gd_fail(GD_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
  for (int64_t i = 0; st == GD_OK && i < n_runs; i++)
    st = fill_run(fd, path, &runs[i]);
  if (st == GD_OK && fsync(fd) != 0)
    st = gd_fail(GD_ERR_IO, "%s: cannot write to disk: %s", path,
                 strerror(errno));
  if (close(fd) != 0 && st == GD_OK)
    st = gd_fail(GD_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
  return st;
}
