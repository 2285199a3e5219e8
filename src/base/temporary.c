/* flock() is no part of POSIX: a lock of the folder itself, without a file. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include "gradus/temporary.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/memory.h"

struct gd_temporary {
  int fd; /* of the folder, locked */
  char path[GD_PATH_MAX];
};

static const char *parent(void)
{
  const char *set = getenv("TMPDIR");
  return set == NULL || set[0] == '\0' ? "/tmp" : set;
}

enum { LETTERS = 6 }; /* at random, behind that */

/* What the names of this host's folders begin with: hosts may share them. */
static void begin_name(char out[128])
{
  char host[64] = "";
  gethostname(host, sizeof host - 1);
  snprintf(out, 128, "gradus-%s-", host);
}

/* No descriptors: another has the folder, or has removed it; it cannot be
 * locked, or is another user's. */
enum { ANOTHERS = -1, UNLOCKED = -2 };

/* Open a folder and lock it. */
static int lock(const char *path)
{
  struct stat opened, found;
  const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return errno == ENOENT ? ANOTHERS : UNLOCKED;
  if (fstat(fd, &opened) != 0 || opened.st_uid != geteuid()) {
    close(fd);
    return UNLOCKED;
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    close(fd);
    return error == EWOULDBLOCK ? ANOTHERS : UNLOCKED;
  }
  /* The one who held it may have removed it. */
  if (lstat(path, &found) == 0 && found.st_ino == opened.st_ino &&
      found.st_dev == opened.st_dev)
    return fd;
  close(fd);
  return ANOTHERS;
}

/* What cannot be removed is left to the next, too. */
static void remove_left(const char *start)
{
  const size_t length = strlen(start);
  DIR *open = opendir(parent());
  const struct dirent *entry;
  while (open != NULL && (entry = readdir(open)) != NULL) {
    char path[GD_PATH_MAX];
    /* Another host's name may go on where this one's ends. */
    if (strncmp(entry->d_name, start, length) != 0 ||
        strlen(entry->d_name) != length + LETTERS ||
        gd_path_join(parent(), entry->d_name, path) != GD_OK)
      continue;
    const int fd = lock(path);
    if (fd < 0)
      continue;
    const gd_status st = gd_directory_remove(path);
    (void)st;
    close(fd);
  }
  if (open != NULL)
    closedir(open);
}

static gd_status make(gd_temporary *t, const char *start)
{
  char name[128 + LETTERS];
  snprintf(name, sizeof name, "%sXXXXXX", start);
  gd_status st = gd_path_join(parent(), name, t->path);
  if (st == GD_OK && mkdtemp(t->path) == NULL)
    st = gd_fail(GD_ERR_IO, "%s: cannot make the directory: %s", t->path,
                 strerror(errno));
  return st;
}

gd_status gd_temporary_new(gd_temporary **out)
{
  assert(out != NULL);
  *out = NULL;

  char start[128];
  gd_temporary *t = gd_alloc(1, sizeof *t);
  if (t == NULL)
    return GD_ERR_NOMEM;
  begin_name(start);
  remove_left(start);
  gd_status st = GD_OK;
  /* Another who has just begun may take it for one that is left. */
  for (t->fd = ANOTHERS; st == GD_OK && t->fd == ANOTHERS;) {
    st = make(t, start);
    if (st == GD_OK)
      t->fd = lock(t->path);
  }
  if (st != GD_OK) {
    free(t);
    return st;
  }
  *out = t;
  return GD_OK;
}

const char *gd_temporary_path(const gd_temporary *t)
{
  assert(t != NULL);
  return t->path;
}

gd_status gd_temporary_remove(gd_temporary *t)
{
  assert(t != NULL);
  const gd_status st = gd_directory_remove(t->path);
  if (t->fd >= 0)
    close(t->fd);
  free(t);
  return st;
}
