#include "rundir.h"

#include <inttypes.h>
#include <string.h>

#include "gradus/done.h"
#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/log.h"
#include "gradus/store.h"
#include "gradus/watchdog.h"

/* Read `done`; NULL if there is none, or a damaged one. */
static gd_status read_done(const gd_instance *self, gd_done **out)
{
  const char *directory = gd_instance_directory(self);
  char path[GD_PATH_MAX];
  *out = NULL;
  gd_status st = gd_path_join(directory, "done", path);
  if (st != GD_OK || !gd_path_exists(path))
    return st;
  st = gd_done_read(directory, out);
  if (st == GD_ERR_FORMAT)
    return GD_OK; /* as if there were none: the stores prove themselves */
  if (st == GD_OK &&
      !gd_digest_equal((*out)->digest, gd_instance_digest(self))) {
    char hex[GD_DIGEST_HEX];
    gd_digest_hex((*out)->digest, hex);
    gd_done_free(*out);
    *out = NULL;
    return gd_fail(GD_ERR_FORMAT,
                   "%s: holds the results of another stage (digest %s): move "
                   "it away or use another work directory",
                   directory, hex);
  }
  return st;
}

gd_status gd_rundir_look(const gd_instance *self, gd_standing *out)
{
  *out = (gd_standing){0};
  gd_done *done;
  gd_status st = read_done(self, &done);
  if (st != GD_OK || done == NULL)
    return st;
  *out = (gd_standing){1, done->n_items, done->n_skipped};
  for (int64_t i = 0; out->done && i < done->n_files; i++)
    out->done = gd_done_unchanged(gd_instance_directory(self), &done->files[i]);
  gd_done_free(done);
  return GD_OK;
}

static gd_status remove_file(const char *directory, const char *name)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_path_join(directory, name, path);
  if (st == GD_OK)
    st = gd_file_remove(path);
  return st;
}

static size_t stem_length(const char *name)
{
  const char *dot = strrchr(gd_path_base(name), '.');
  return dot == NULL ? strlen(name) : (size_t)(dot - name);
}

/* Remove a bad result and those that were made with it: a unit of work is made
 * again only if its own file is missing, and may have made others beside it. */
static gd_status remove_unit(const char *directory, const gd_done *done,
                             const char *name)
{
  const size_t length = stem_length(name);
  gd_status st = GD_OK;
  for (int64_t i = 0; st == GD_OK && i < done->n_files; i++) {
    const char *other = done->files[i].name;
    if (stem_length(other) == length && strncmp(other, name, length) == 0)
      st = remove_file(directory, other);
  }
  return st;
}

/* Verify what was touched since; count what is bad and has been removed.  What
 * merely cannot be read (no permission, a failing disk) is left for its owner
 * to see to. */
static gd_status verify_touched(const char *directory, gd_done *done,
                                int64_t *n_bad)
{
  gd_status st = GD_OK;
  for (int64_t i = 0; st == GD_OK && i < done->n_files; i++) {
    gd_done_file *file = &done->files[i];
    if (gd_done_unchanged(directory, file))
      continue;
    char path[GD_PATH_MAX];
    st = gd_path_join(directory, file->name, path);
    if (st != GD_OK)
      break;
    const int missing = !gd_path_exists(path);
    st = gd_done_verify(directory, file);
    if (st == GD_OK) {
      st = gd_file_stat(path, &file->size_bytes, &file->modified_ns);
    } else if (st == GD_ERR_FORMAT || missing) {
      gd_log(GD_LOG_WARNING, "%s: it is made anew", gd_reason());
      (*n_bad)++;
      st = remove_unit(directory, done, file->name);
    }
  }
  return st;
}

static gd_status review(const gd_instance *self, gd_standing *out)
{
  const char *directory = gd_instance_directory(self);
  gd_done *done;
  int64_t n_bad = 0;
  gd_status st = read_done(self, &done);
  if (st == GD_OK && done != NULL) {
    st = verify_touched(directory, done, &n_bad);
    if (st == GD_OK && n_bad == 0) {
      *out = (gd_standing){1, done->n_items, done->n_skipped};
      st = gd_done_write(directory, done);
    }
  }
  if (st == GD_OK && !out->done)
    st = remove_file(directory, "done");
  gd_done_free(done);
  return st;
}

static gd_status remove_leftovers(const char *directory)
{
  gd_folder *folder;
  gd_status st = gd_folder_read(directory, &folder);
  if (st != GD_OK)
    return st;
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++)
    if (gd_path_ends_with(folder->names[i], ".part"))
      st = remove_file(directory, folder->names[i]);
  gd_folder_free(folder);
  return st;
}

gd_status gd_rundir_begin(const gd_instance *self, gd_standing *out,
                          gd_lock **lock)
{
  const char *directory = gd_instance_directory(self);
  *out = (gd_standing){0};
  *lock = NULL;

  gd_status st = gd_directory_make(directory);
  if (st == GD_OK)
    st = gd_lock_begin(directory, lock);
  if (st == GD_OK)
    st = review(self, out);
  if (st == GD_OK && !out->done)
    st = remove_leftovers(directory);
  if (st != GD_OK || out->done) {
    gd_lock_end(*lock);
    *lock = NULL;
  }
  return st;
}

gd_status gd_rundir_finish(const gd_instance *self, int64_t n_items,
                           int64_t n_skipped)
{
  return gd_done_make(gd_instance_directory(self), gd_instance_digest(self),
                      n_items, n_skipped);
}

/* ----------------------------------------------------------- skipped too much
 */

int gd_standing_is_over(const gd_instance *self, const gd_standing *files)
{
  return files->n_skipped > gd_instance_max_skipped(self, files->n_items);
}

void gd_standing_tell_over(const gd_instance *self, const gd_standing *files,
                           gd_text *out)
{
  gd_text_printf(out,
                 "stage %s: %" PRId64 " of %" PRId64 " items skipped, "
                 "max_skipped allows %" PRId64
                 "; see %s/report.yaml, or allow more",
                 gd_instance_title(self), files->n_skipped, files->n_items,
                 gd_instance_max_skipped(self, files->n_items),
                 gd_instance_directory(self));
}

/* ------------------------------------------------------------------ healing */

static int64_t heal_listed(const char *directory, const gd_done *done)
{
  int64_t n_bad = 0;
  for (int64_t i = 0; i < done->n_files; i++) {
    if (gd_done_verify(directory, &done->files[i]) != GD_ERR_FORMAT)
      continue;
    gd_log(GD_LOG_WARNING, "%s: removed, the next run makes it anew",
           gd_reason());
    if (remove_unit(directory, done, done->files[i].name) == GD_OK)
      n_bad++;
  }
  /* A stage whose `done` cannot be removed is found out by the missing file. */
  if (n_bad > 0 && remove_file(directory, "done") != GD_OK)
    gd_log(GD_LOG_WARNING, "%s", gd_reason());
  return n_bad;
}

/* A stage that is not done has no list: its stores verify themselves. */
static int64_t heal_stores(const char *directory)
{
  gd_folder *folder;
  int64_t n_bad = 0;
  if (gd_folder_read(directory, &folder) != GD_OK)
    return 0;
  for (int64_t i = 0; i < folder->n_files; i++) {
    char path[GD_PATH_MAX];
    gd_watchdog_feed();
    if (!gd_path_ends_with(folder->names[i], ".h5") ||
        gd_path_join(directory, folder->names[i], path) != GD_OK ||
        gd_store_verify(path) != GD_ERR_FORMAT)
      continue;
    gd_log(GD_LOG_WARNING, "%s: removed, the next run makes it anew",
           gd_reason());
    if (gd_file_remove(path) == GD_OK)
      n_bad++;
  }
  gd_folder_free(folder);
  return n_bad;
}

static int64_t heal_input(const gd_instance *input)
{
  gd_done *done;
  gd_lock *lock;
  int64_t n_bad = 0;
  if (read_done(input, &done) != GD_OK || done == NULL)
    return 0;
  if (gd_lock_begin(gd_instance_directory(input), &lock) == GD_OK) {
    n_bad = heal_listed(gd_instance_directory(input), done);
    gd_lock_end(lock);
  }
  gd_done_free(done);
  return n_bad;
}

int64_t gd_rundir_heal(const gd_instance *self)
{
  int64_t n_bad = heal_stores(gd_instance_directory(self));
  for (int i = 0; i < gd_instance_n_inputs(self); i++)
    n_bad += heal_input(gd_instance_input(self, i));
  return n_bad;
}
