#include "gradus/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "gradus/alive.h"

gd_status gd_path_join(const char *directory, const char *name,
                       char out[GD_PATH_MAX])
{
  assert(directory != NULL && name != NULL && out != NULL);
  assert(out != directory && out != name);

  const int absolute = name[0] == '/' || directory[0] == '\0';
  const size_t length = strlen(directory);
  const char *slash = length > 0 && directory[length - 1] == '/' ? "" : "/";
  const int n =
      absolute ? snprintf(out, GD_PATH_MAX, "%s", name)
               : snprintf(out, GD_PATH_MAX, "%s%s%s", directory, slash, name);
  if (n < 0 || n >= GD_PATH_MAX)
    return gd_fail(GD_ERR_USAGE, "%.200s...: path longer than %d bytes",
                   directory, GD_PATH_MAX - 1);
  return GD_OK;
}

const char *gd_path_base(const char *path)
{
  assert(path != NULL);
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

int gd_path_ends_with(const char *path, const char *ending)
{
  assert(path != NULL && ending != NULL);
  const char *name = gd_path_base(path);
  const size_t n = strlen(name), m = strlen(ending);
  return n > m && strcmp(name + n - m, ending) == 0;
}

int gd_path_exists(const char *path)
{
  struct stat info;
  return stat(path, &info) == 0;
}

gd_status gd_directory_make(const char *path)
{
  assert(path != NULL && path[0] != '\0');

  char partial[GD_PATH_MAX];
  if (snprintf(partial, sizeof partial, "%s", path) >= GD_PATH_MAX)
    return gd_fail(GD_ERR_USAGE, "%.200s...: path longer than %d bytes", path,
                   GD_PATH_MAX - 1);
  for (char *c = partial + 1;; c++) {
    const char kept = *c;
    if (kept != '/' && kept != '\0')
      continue;
    *c = '\0';
    struct stat info;
    const int error = mkdir(partial, 0700) == 0 ? 0 : errno;
    /* NFS may refuse what is there already by another error than EEXIST. */
    if (error != 0 && (stat(partial, &info) != 0 || !S_ISDIR(info.st_mode)))
      return gd_fail(GD_ERR_IO, "%s: cannot make the directory: %s", partial,
                     strerror(error));
    *c = kept;
    if (kept == '\0')
      break;
  }
  return GD_OK;
}

gd_status gd_file_part(const char *path, char part[GD_PATH_MAX])
{
  if (snprintf(part, GD_PATH_MAX, "%s.part", path) >= GD_PATH_MAX)
    return gd_fail(GD_ERR_USAGE, "%.200s...: path longer than %d bytes", path,
                   GD_PATH_MAX - 6);
  return GD_OK;
}

static gd_status sync_path(const char *path, int flags)
{
  int fd = open(path, flags | O_CLOEXEC);
  if (fd < 0)
    return gd_fail(GD_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
  /* Some file systems cannot sync a directory and say EINVAL. */
  const int failed = fsync(fd) != 0 && errno != EINVAL;
  const int reason = errno;
  close(fd);
  if (failed)
    return gd_fail(GD_ERR_IO, "%s: cannot write to disk: %s", path,
                   strerror(reason));
  return GD_OK;
}

gd_status gd_file_publish(const char *path)
{
  char part[GD_PATH_MAX], directory[GD_PATH_MAX];
  gd_alive();
  gd_status st = gd_file_part(path, part);
  if (st == GD_OK)
    st = sync_path(part, O_RDONLY);
  if (st == GD_OK && rename(part, path) != 0)
    st = gd_fail(GD_ERR_IO, "%s: cannot rename to %s: %s", part, path,
                 strerror(errno));
  if (st == GD_OK) {
    const size_t length = (size_t)(gd_path_base(path) - path);
    if (length == 0)
      snprintf(directory, sizeof directory, ".");
    else
      snprintf(directory, sizeof directory, "%.*s", (int)length, path);
    st = sync_path(directory, O_RDONLY | O_DIRECTORY);
  }
  return st;
}

gd_status gd_file_write_part(const char *path, const void *data,
                             size_t size_bytes)
{
  assert(path != NULL && (data != NULL || size_bytes == 0));

  char part[GD_PATH_MAX];
  gd_status st = gd_file_part(path, part);
  if (st != GD_OK)
    return st;
  int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return gd_fail(GD_ERR_IO, "%s: cannot create: %s", part, strerror(errno));
  const char *next = data;
  while (st == GD_OK && size_bytes > 0) {
    const ssize_t n = write(fd, next, size_bytes);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      st = gd_fail(GD_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
      break;
    }
    next += n;
    size_bytes -= (size_t)n;
  }
  if (close(fd) != 0 && st == GD_OK)
    st = gd_fail(GD_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
  if (st != GD_OK)
    unlink(part);
  return st;
}

gd_status gd_file_write(const char *path, const void *data, size_t size_bytes)
{
  char part[GD_PATH_MAX];
  gd_status st = gd_file_write_part(path, data, size_bytes);
  if (st == GD_OK) {
    st = gd_file_publish(path);
    if (st != GD_OK && gd_file_part(path, part) == GD_OK)
      unlink(part);
  }
  return st;
}

gd_status gd_file_stat(const char *path, int64_t *size_bytes,
                       int64_t *modified_ns)
{
  struct stat info;
  if (stat(path, &info) != 0)
    return gd_fail(GD_ERR_IO, "%s: %s", path, strerror(errno));
  if (!S_ISREG(info.st_mode))
    return gd_fail(GD_ERR_IO, "%s: is not a regular file", path);
  if (size_bytes != NULL)
    *size_bytes = (int64_t)info.st_size;
  if (modified_ns != NULL)
    *modified_ns = (int64_t)info.st_mtim.tv_sec * INT64_C(1000000000) +
                   (int64_t)info.st_mtim.tv_nsec;
  return GD_OK;
}

int gd_file_error_lasts(int error)
{
  static const int lasting[] = {ENOENT, ENOTDIR,      EACCES, EPERM,
                                ELOOP,  ENAMETOOLONG, ENXIO,  EISDIR};
  for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++)
    if (error == lasting[i])
      return 1;
  return 0;
}

int gd_file_is_closed(const char *path)
{
  struct stat info;
  const int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file >= 0) {
    const int is_known = fstat(file, &info) == 0;
    close(file);
    return is_known && !S_ISREG(info.st_mode);
  }
  return gd_file_error_lasts(errno);
}

gd_status gd_file_judge(gd_status st, const char *path)
{
  return st == GD_ERR_IO && gd_file_is_closed(path) ? GD_ERR_FORMAT : st;
}

gd_status gd_file_read(const char *path, size_t most_bytes, char **out,
                       size_t *size_bytes)
{
  assert(path != NULL && out != NULL);
  *out = NULL;

  int64_t length;
  gd_status st = gd_file_stat(path, &length, NULL);
  if (st != GD_OK)
    return st;
  if ((uint64_t)length > most_bytes)
    return gd_fail(GD_ERR_FORMAT, "%s: %" PRId64 " bytes, at most %zu expected",
                   path, length, most_bytes);

  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return gd_fail(GD_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
  char *data = malloc((size_t)length + 1);
  if (data == NULL) {
    st = gd_fail(GD_ERR_NOMEM, "%s: out of memory for %" PRId64 " bytes", path,
                 length);
  } else {
    const size_t n = fread(data, 1, (size_t)length, file);
    if (ferror(file)) {
      st = gd_fail(GD_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
      free(data);
    } else {
      data[n] = '\0';
      *out = data;
      if (size_bytes != NULL)
        *size_bytes = n;
    }
  }
  fclose(file);
  return st;
}

gd_status gd_file_free_bytes(const char *directory, int64_t *out)
{
  char path[GD_PATH_MAX];
  struct statvfs info;
  gd_status st = gd_path_join("", directory, path);
  if (st != GD_OK)
    return st;
  while (statvfs(path, &info) != 0) {
    char *slash = strrchr(path, '/');
    if (errno != ENOENT || strcmp(path, ".") == 0 || strcmp(path, "/") == 0)
      return gd_fail(GD_ERR_IO, "%s: cannot tell its free space: %s", path,
                     strerror(errno));
    if (slash == NULL)
      snprintf(path, sizeof path, ".");
    else
      slash[slash == path] = '\0';
  }
  *out = (int64_t)info.f_bavail * (int64_t)info.f_frsize;
  return GD_OK;
}

gd_status gd_file_remove(const char *path)
{
  if (unlink(path) != 0 && errno != ENOENT)
    return gd_fail(GD_ERR_IO, "%s: cannot remove: %s", path, strerror(errno));
  return GD_OK;
}
