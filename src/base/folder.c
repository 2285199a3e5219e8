#include "gradus/folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/memory.h"

enum { MOST_LEVELS = 32 }; /* a link to its own parent ends here */

static gd_status add(gd_folder *f, int64_t *room, const char *name)
{
  gd_status st = gd_grow(&f->names, f->n_files + 1, room, sizeof *f->names);
  if (st != GD_OK)
    return st;
  char *copy = gd_strdup(name);
  if (copy == NULL)
    return GD_ERR_NOMEM;
  f->names[f->n_files++] = copy;
  return GD_OK;
}

static gd_status walk(gd_folder *f, int64_t *room, const char *directory,
                      const char *prefix, int level)
{
  if (level > MOST_LEVELS)
    return gd_fail(GD_ERR_IO, "%s: deeper than %d folders (a link to itself?)",
                   directory, MOST_LEVELS);
  DIR *open = opendir(directory);
  if (open == NULL && level > 0 && errno == ENOENT)
    return GD_OK;
  if (open == NULL)
    return gd_fail(GD_ERR_IO, "%s: cannot read the folder: %s", directory,
                   strerror(errno));

  gd_status st = GD_OK;
  const struct dirent *entry;
  while (st == GD_OK && (errno = 0, entry = readdir(open)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    char path[GD_PATH_MAX], name[GD_PATH_MAX];
    struct stat info;
    st = gd_path_join(directory, entry->d_name, path);
    if (st == GD_OK)
      st = gd_path_join(prefix, entry->d_name, name);
    /* What vanishes while we look, or a dangling link, is not there. */
    if (st != GD_OK || stat(path, &info) != 0)
      continue;
    if (S_ISDIR(info.st_mode))
      st = walk(f, room, path, name, level + 1);
    else if (S_ISREG(info.st_mode))
      st = add(f, room, name);
  }
  if (st == GD_OK && errno != 0)
    st = gd_fail(GD_ERR_IO, "%s: cannot read the folder: %s", directory,
                 strerror(errno));
  closedir(open);
  return st;
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

gd_status gd_folder_read(const char *directory, gd_folder **out)
{
  assert(directory != NULL && out != NULL);
  *out = NULL;

  gd_folder *f = gd_alloc(1, sizeof *f);
  if (f == NULL)
    return GD_ERR_NOMEM;
  int64_t room = 0;
  gd_status st = walk(f, &room, directory, "", 0);
  if (st != GD_OK) {
    gd_folder_free(f);
    return st;
  }
  if (f->n_files > 1)
    qsort(f->names, (size_t)f->n_files, sizeof *f->names, by_name);
  *out = f;
  return GD_OK;
}

void gd_folder_free(gd_folder *f)
{
  if (f == NULL)
    return;
  for (int64_t i = 0; i < f->n_files; i++)
    free(f->names[i]);
  free(f->names);
  free(f);
}

static gd_status remove_within(const char *path)
{
  DIR *open = opendir(path);
  if (open == NULL)
    return gd_fail(GD_ERR_IO, "%s: cannot read the folder: %s", path,
                   strerror(errno));
  gd_status st = GD_OK;
  const struct dirent *entry;
  while (st == GD_OK && (entry = readdir(open)) != NULL) {
    char one[GD_PATH_MAX];
    struct stat info;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    st = gd_path_join(path, entry->d_name, one);
    if (st == GD_OK && lstat(one, &info) == 0)
      st = S_ISDIR(info.st_mode) ? gd_directory_remove(one)
                                 : gd_file_remove(one);
  }
  closedir(open);
  return st;
}

gd_status gd_directory_remove(const char *path)
{
  assert(path != NULL && path[0] != '\0');

  gd_status st = remove_within(path);
  if (st == GD_OK && rmdir(path) != 0)
    st = gd_fail(GD_ERR_IO, "%s: cannot remove: %s", path, strerror(errno));
  return st;
}
