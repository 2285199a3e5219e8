#include "gradus/check.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gradus/done.h"
#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/memory.h"
#include "gradus/store.h"

/* Out of memory is the caller's trouble, all else the file's. */
static gd_status note(gd_check *check, gd_status st)
{
  check->n_files++;
  if (st == GD_OK || st == GD_ERR_NOMEM)
    return st;
  check->n_bad++;
  if (check->bad != NULL)
    check->bad(check->context, gd_reason());
  return GD_OK;
}

/* A folder's names are in order: mark one as looked at. */
static void mark(const gd_folder *folder, char *seen, const char *name)
{
  int64_t low = 0, high = folder->n_files;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const int order = strcmp(folder->names[middle], name);
    if (order == 0) {
      seen[middle] = 1;
      return;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
}

/* All results that the `done` at `name` below `top` lists. */
static gd_status check_done(gd_check *check, const char *top,
                            const gd_folder *folder, char *seen,
                            const char *name)
{
  char prefix[GD_PATH_MAX], directory[GD_PATH_MAX], listed[GD_PATH_MAX];
  const size_t length = (size_t)(gd_path_base(name) - name);
  memcpy(prefix, name, length);
  prefix[length] = '\0';

  gd_done *done;
  gd_status st = gd_path_join(top, prefix, directory);
  if (st == GD_OK)
    st = gd_done_read(directory, &done);
  if (st != GD_OK)
    return note(check, st);
  for (int64_t i = 0; st == GD_OK && i < done->n_files; i++) {
    st = note(check, gd_done_verify(directory, &done->files[i]));
    if (st == GD_OK)
      st = gd_path_join(prefix, done->files[i].name, listed);
    if (st == GD_OK)
      mark(folder, seen, listed);
  }
  gd_done_free(done);
  return st;
}

static gd_status check_folder(gd_check *check, const char *path)
{
  gd_folder *folder;
  gd_status st = gd_folder_read(path, &folder);
  if (st != GD_OK)
    return st;
  char *seen = gd_alloc(folder->n_files, 1);
  if (seen == NULL)
    st = GD_ERR_NOMEM;

  const int64_t before = check->n_files;
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++)
    if (strcmp(gd_path_base(folder->names[i]), "done") == 0)
      st = check_done(check, path, folder, seen, folder->names[i]);
  /* Stores of stages that are not done yet, or that lie about. */
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++) {
    char store[GD_PATH_MAX];
    if (seen[i] || !gd_path_ends_with(folder->names[i], ".h5"))
      continue;
    st = gd_path_join(path, folder->names[i], store);
    if (st == GD_OK)
      st = note(check, gd_store_verify(store));
  }
  if (st == GD_OK && check->n_files == before)
    st = gd_fail(GD_ERR_USAGE, "%s: holds no results of gradus", path);
  free(seen);
  gd_folder_free(folder);
  return st;
}

/* A file that is no store: its run directory's `done` knows it. */
static gd_status check_listed(gd_check *check, const char *path)
{
  char directory[GD_PATH_MAX];
  const char *base = gd_path_base(path);
  const int length = (int)(base - path);
  gd_status st = gd_path_join(length == 0 ? "." : "", "", directory);
  if (st == GD_OK && length > 0) {
    memcpy(directory, path, (size_t)length);
    directory[length] = '\0';
  }
  gd_done *done = NULL;
  if (st == GD_OK)
    st = gd_done_read(directory, &done);
  if (st == GD_OK) {
    int64_t i = 0;
    while (i < done->n_files && strcmp(done->files[i].name, base) != 0)
      i++;
    if (i < done->n_files)
      st = note(check, gd_done_verify(directory, &done->files[i]));
    else
      st = GD_ERR_IO;
    gd_done_free(done);
  }
  if (st == GD_ERR_IO)
    return gd_fail(GD_ERR_USAGE,
                   "%s: is no store, and no `done` beside it lists it", path);
  return st;
}

gd_status gd_check_path(gd_check *check, const char *path)
{
  assert(check != NULL && path != NULL);

  struct stat info;
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
    return check_folder(check, path);
  gd_status st = gd_file_stat(path, NULL, NULL);
  if (st != GD_OK)
    return st;
  if (gd_path_ends_with(path, ".h5"))
    return note(check, gd_store_verify(path));
  return check_listed(check, path);
}
