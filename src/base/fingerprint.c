#include "gradus/fingerprint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "gradus/alive.h"
#include "gradus/file.h"

enum { BLOCK_BYTES = 4096, N_BLOCKS = 3 };

/* Read up to n bytes at a place; a file may have become shorter. */
static ssize_t read_at(int file, unsigned char *out, size_t n, int64_t at)
{
  size_t got = 0;
  while (got < n) {
    const ssize_t more =
        pread(file, out + got, n - got, (off_t)at + (off_t)got);
    if (more < 0 && errno == EINTR)
      continue;
    if (more < 0)
      return -1;
    if (more == 0)
      break;
    got += (size_t)more;
  }
  return (ssize_t)got;
}

static gd_status sample_blocks(const char *path, int file, int64_t size_bytes,
                               gd_hasher *h)
{
  unsigned char block[BLOCK_BYTES];
  const int64_t last = size_bytes - BLOCK_BYTES;
  const int is_small = size_bytes <= N_BLOCKS * BLOCK_BYTES;
  for (int b = 0; b < N_BLOCKS; b++) {
    const int64_t at =
        is_small ? (int64_t)b * BLOCK_BYTES : last * b / (N_BLOCKS - 1);
    const ssize_t n = read_at(file, block, sizeof block, at);
    if (n < 0)
      return gd_fail(GD_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    gd_hasher_bytes(h, block, (size_t)n);
  }
  return GD_OK;
}

gd_status gd_fingerprint_take(const char *path, gd_fingerprint *out)
{
  assert(path != NULL && out != NULL);

  *out = (gd_fingerprint){.size_bytes = -1};
  gd_alive();
  gd_status st = gd_file_stat(path, &out->size_bytes, &out->modified_ns);
  if (st != GD_OK)
    return st;
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return gd_fail(GD_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
  /* Three blocks are all that will be read: reading ahead is wasted. */
  const int advised = posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
  (void)advised;
  gd_hasher *h;
  st = gd_hasher_new(&h);
  if (st == GD_OK) {
    gd_hasher_int(h, out->size_bytes);
    st = sample_blocks(path, file, out->size_bytes, h);
    const gd_digest sample = gd_hasher_end(h);
    if (st == GD_OK)
      out->sample = sample;
  }
  close(file);
  return st;
}

int gd_fingerprint_same(const gd_fingerprint *a, const gd_fingerprint *b)
{
  assert(a != NULL && b != NULL);
  return a->size_bytes == b->size_bytes &&
         gd_digest_equal(a->sample, b->sample);
}

gd_status gd_fingerprint_check(const char *path, const gd_fingerprint *before,
                               int *touched)
{
  assert(path != NULL && before != NULL && touched != NULL);

  gd_fingerprint now = *before;
  *touched = 0;
  gd_status st = gd_file_stat(path, &now.size_bytes, &now.modified_ns);
  if (st != GD_OK || (now.size_bytes == before->size_bytes &&
                      now.modified_ns == before->modified_ns))
    return st;
  st = gd_fingerprint_take(path, &now);
  if (st != GD_OK)
    return st;
  if (now.size_bytes != before->size_bytes)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: has been replaced: %" PRId64 " bytes, it had %" PRId64,
                   path, now.size_bytes, before->size_bytes);
  if (!gd_fingerprint_same(&now, before))
    return gd_fail(GD_ERR_FORMAT,
                   "%s: has been replaced by another file of %" PRId64 " bytes",
                   path, now.size_bytes);
  *touched = 1;
  return GD_OK;
}
