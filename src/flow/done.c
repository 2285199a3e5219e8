#include "gradus/done.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/memory.h"
#include "gradus/store.h"
#include "gradus/text.h"
#include "gradus/watchdog.h"

enum { MOST_BYTES = 1 << 30 };

/* A name that begins with a dot is another's: of NFS, an editor, a desktop. */
static int is_hidden(const char *name)
{
  return name[0] == '.' || strstr(name, "/.") != NULL;
}

int gd_done_is_housekeeping(const char *name)
{
  static const char *const names[] = {
      "stage.yaml",    "units",
      "report.yaml",   "log.txt",
      "lock",          "done",
      "plan",          "attempts.txt",
      "metrics.jsonl", "events.out.tfevents.gradus"};
  if (is_hidden(name) || gd_path_ends_with(name, ".part") ||
      gd_path_ends_with(name, ".attempt"))
    return 1;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(name, names[i]) == 0)
      return 1;
  return 0;
}

static gd_status new_done(int64_t most_files, gd_done **out)
{
  gd_done *d = gd_alloc(1, sizeof *d);
  if (d != NULL)
    d->files = gd_alloc(most_files, sizeof *d->files);
  if (d == NULL || d->files == NULL) {
    free(d);
    return GD_ERR_NOMEM;
  }
  *out = d;
  return GD_OK;
}

void gd_done_free(gd_done *d)
{
  if (d == NULL)
    return;
  for (int64_t i = 0; i < d->n_files; i++)
    free(d->files[i].name);
  free(d->files);
  free(d);
}

/* ----------------------------------------------------------------- survey */

static gd_status survey_file(const char *directory, const char *name,
                             gd_done *d)
{
  gd_done_file *file = &d->files[d->n_files];
  char path[GD_PATH_MAX];
  gd_status st = gd_path_join(directory, name, path);
  if (st == GD_OK && strchr(name, '\n') != NULL)
    st = gd_fail(GD_ERR_USAGE, "%s: line break in the name of a result", path);
  if (st == GD_OK)
    st = gd_file_stat(path, &file->size_bytes, &file->modified_ns);
  if (st == GD_OK && !gd_path_ends_with(name, ".h5"))
    st = gd_digest_of_file(path, &file->digest);
  if (st != GD_OK)
    return st;
  file->name = gd_strdup(name);
  if (file->name == NULL)
    return GD_ERR_NOMEM;
  d->n_files++;
  gd_watchdog_feed();
  return GD_OK;
}

static gd_status survey(const char *directory, gd_done **out)
{
  *out = NULL;

  gd_folder *folder;
  gd_done *d = NULL;
  gd_status st = gd_folder_read(directory, &folder);
  if (st != GD_OK)
    return st;
  st = new_done(folder->n_files, &d);
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++)
    if (!gd_done_is_housekeeping(folder->names[i]))
      st = survey_file(directory, folder->names[i], d);
  gd_folder_free(folder);
  if (st != GD_OK) {
    gd_done_free(d);
    return st;
  }
  *out = d;
  return GD_OK;
}

/* ---------------------------------------------------------------- writing */

gd_status gd_done_write(const char *directory, const gd_done *d)
{
  assert(directory != NULL && d != NULL);

  gd_text text = {0};
  char hex[GD_DIGEST_HEX], path[GD_PATH_MAX];
  gd_digest_hex(d->digest, hex);
  gd_text_printf(&text,
                 "gradus-done 1\ndigest %s\nitems %" PRId64 " skipped %" PRId64
                 " files %" PRId64 "\n",
                 hex, d->n_items, d->n_skipped, d->n_files);
  for (int64_t i = 0; i < d->n_files; i++) {
    const gd_done_file *file = &d->files[i];
    gd_digest_hex(file->digest, hex);
    gd_text_printf(&text, "file %" PRId64 " %" PRId64 " %s %s\n",
                   file->size_bytes, file->modified_ns,
                   gd_path_ends_with(file->name, ".h5") ? "-" : hex,
                   file->name);
  }
  gd_status st = gd_text_status(&text);
  if (st == GD_OK)
    st = gd_path_join(directory, "done", path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&text), text.length_bytes);
  gd_text_free(&text);
  return st;
}

gd_status gd_done_make(const char *directory, gd_digest digest, int64_t n_items,
                       int64_t n_skipped)
{
  assert(directory != NULL);

  gd_done *d;
  gd_status st = survey(directory, &d);
  if (st != GD_OK)
    return st;
  d->digest = digest;
  d->n_items = n_items;
  d->n_skipped = n_skipped;
  st = gd_done_write(directory, d);
  gd_done_free(d);
  return st;
}

/* ---------------------------------------------------------------- reading */

static int read_file_line(char *line, gd_done_file *file)
{
  char hex[GD_DIGEST_HEX];
  int at = 0;
  if (sscanf(line, "file %" SCNd64 " %" SCNd64 " %32s %n", &file->size_bytes,
             &file->modified_ns, hex, &at) != 3 ||
      at == 0 || line[at] == '\0')
    return 0;
  if (strcmp(hex, "-") != 0 && !gd_digest_of_hex(hex, &file->digest))
    return 0;
  file->name = gd_strdup(line + at);
  return 1;
}

static gd_status parse(char *text, gd_done *d)
{
  char hex[GD_DIGEST_HEX];
  int64_t n_files;
  int at = 0;
  if (sscanf(text,
             "gradus-done 1\ndigest %32s\nitems %" SCNd64 " skipped %" SCNd64
             " files %" SCNd64 "\n%n",
             hex, &d->n_items, &d->n_skipped, &n_files, &at) != 4 ||
      at == 0 || !gd_digest_of_hex(hex, &d->digest))
    return gd_fail(GD_ERR_FORMAT, "no gradus-done 1 at its beginning");
  for (char *line = text + at, *end; *line != '\0'; line = end + 1) {
    end = strchr(line, '\n');
    if (end == NULL)
      return gd_fail(GD_ERR_FORMAT, "truncated at \"%.60s\"", line);
    *end = '\0';
    if (!read_file_line(line, &d->files[d->n_files]))
      return gd_fail(GD_ERR_FORMAT, "damaged at \"%.60s\"", line);
    if (d->files[d->n_files].name == NULL)
      return GD_ERR_NOMEM;
    d->n_files++;
  }
  if (d->n_files != n_files)
    return gd_fail(GD_ERR_FORMAT,
                   "lists %" PRId64 " files, should list %" PRId64, d->n_files,
                   n_files);
  return GD_OK;
}

gd_status gd_done_read(const char *directory, gd_done **out)
{
  assert(directory != NULL && out != NULL);
  *out = NULL;

  char path[GD_PATH_MAX], *text = NULL;
  gd_done *d = NULL;
  gd_status st = gd_path_join(directory, "done", path);
  if (st == GD_OK)
    st = gd_file_read(path, MOST_BYTES, &text, NULL);
  if (st != GD_OK)
    return st;

  int64_t n_lines = 0;
  for (const char *c = text; (c = strchr(c, '\n')) != NULL; c++)
    n_lines++;
  st = new_done(n_lines, &d);
  if (st == GD_OK)
    st = parse(text, d);
  free(text);
  if (st == GD_ERR_FORMAT)
    st = gd_fail(GD_ERR_FORMAT, "%s: %s", path, gd_reason());
  if (st != GD_OK) {
    gd_done_free(d);
    return st;
  }
  *out = d;
  return GD_OK;
}

/* --------------------------------------------------------------- checking */

gd_status gd_done_verify(const char *directory, const gd_done_file *file)
{
  char path[GD_PATH_MAX];
  gd_watchdog_feed();
  gd_status st = gd_path_join(directory, file->name, path);
  if (st != GD_OK)
    return st;
  if (gd_path_ends_with(file->name, ".h5"))
    return gd_store_verify(path);

  int64_t size_bytes;
  gd_digest digest;
  st = gd_file_stat(path, &size_bytes, NULL);
  if (st == GD_OK && size_bytes != file->size_bytes)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: %" PRId64 " bytes long, %" PRId64 " were written", path,
                   size_bytes, file->size_bytes);
  if (st == GD_OK)
    st = gd_digest_of_file(path, &digest);
  if (st == GD_OK && !gd_digest_equal(digest, file->digest))
    return gd_fail(GD_ERR_FORMAT, "%s: does not hold what was written", path);
  return st;
}

int gd_done_unchanged(const char *directory, const gd_done_file *file)
{
  char path[GD_PATH_MAX];
  int64_t size_bytes, modified_ns;
  return gd_path_join(directory, file->name, path) == GD_OK &&
         gd_file_stat(path, &size_bytes, &modified_ns) == GD_OK &&
         size_bytes == file->size_bytes && modified_ns == file->modified_ns;
}
