#include "gradus/lock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/log.h"
#include "gradus/memory.h"

struct gd_lock {
  int fd;
  char path[GD_PATH_MAX];
};

/* Read the line by which the holder names itself. */
static void read_holder(int fd, char *by, size_t by_bytes)
{
  const ssize_t n = pread(fd, by, by_bytes - 1, 0);
  by[n > 0 ? n : 0] = '\0';
  by[strcspn(by, "\n")] = '\0';
}

static gd_status held(const gd_lock *lock)
{
  char by[256];
  read_holder(lock->fd, by, sizeof by);
  return gd_fail(GD_ERR_IO,
                 "%s: another run works here (%s); wait for it, or end it",
                 lock->path, by[0] != '\0' ? by : "unknown");
}

/* Return 0 when the lock is held, 1 to try again, -1 on failure. */
static int try_lock(gd_lock *lock, gd_status *st)
{
  lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock->fd < 0) {
    *st = gd_fail(GD_ERR_IO, "%s: cannot create: %s", lock->path,
                  strerror(errno));
    return -1;
  }
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(lock->fd, F_SETLK, &whole) != 0) {
    if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP) {
      gd_log(GD_LOG_WARNING,
             "%s: this file system has no locks: see to it that one run at a "
             "time works here",
             lock->path);
      return 0;
    }
    const int error = errno;
    *st = error == EACCES || error == EAGAIN
              ? held(lock)
              : gd_fail(GD_ERR_IO, "%s: cannot lock: %s", lock->path,
                        strerror(error));
    close(lock->fd);
    return -1;
  }
  /* The one who held it may have removed the file we opened. */
  struct stat info;
  if (fstat(lock->fd, &info) == 0 && info.st_nlink > 0)
    return 0;
  close(lock->fd);
  return 1;
}

gd_status gd_lock_begin(const char *directory, gd_lock **out)
{
  assert(directory != NULL && out != NULL);
  *out = NULL;

  gd_lock *lock = gd_alloc(1, sizeof *lock);
  if (lock == NULL)
    return GD_ERR_NOMEM;
  gd_status st = gd_path_join(directory, "lock", lock->path);
  int again = 1;
  while (st == GD_OK && again == 1)
    again = try_lock(lock, &st);
  if (st != GD_OK) {
    free(lock);
    return st;
  }

  char host[128] = "", text[256];
  gethostname(host, sizeof host - 1);
  const int n = snprintf(text, sizeof text, "host %s, process %" PRId64 "\n",
                         host, (int64_t)getpid());
  /* For people only: a full disk does not matter here. */
  if (ftruncate(lock->fd, 0) != 0 || pwrite(lock->fd, text, (size_t)n, 0) != n)
    gd_log(GD_LOG_DEBUG, "%s: cannot note who holds it", lock->path);
  *out = lock;
  return GD_OK;
}

int gd_lock_held(const char *directory, char *by, size_t by_bytes)
{
  assert(directory != NULL && by != NULL && by_bytes > 0);
  char path[GD_PATH_MAX];
  by[0] = '\0';
  if (gd_path_join(directory, "lock", path) != GD_OK)
    return 0;
  /* A file that is closed gives up its process's locks: a process that holds
   * the lock itself must not look. */
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return 0;
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  const int is_held =
      fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
  if (is_held)
    read_holder(fd, by, by_bytes);
  close(fd);
  return is_held;
}

void gd_lock_end(gd_lock *lock)
{
  if (lock == NULL)
    return;
  unlink(lock->path);
  close(lock->fd);
  free(lock);
}
