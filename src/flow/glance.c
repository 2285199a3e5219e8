#include "glance.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gradus/done.h"
#include "gradus/file.h"
#include "gradus/lock.h"
#include "gradus/record.h"
#include "rundir.h"

/* Results may lie in folders, as a drawn corpus does. */
enum { MOST_DEPTH = 6, LOG_TAIL_BYTES = 4096 };

static gd_status count_files(const char *directory, int depth, int64_t *n)
{
  DIR *d = opendir(directory);
  if (d == NULL && depth > 0 && errno == ENOENT)
    return GD_OK;
  if (d == NULL)
    return gd_fail(GD_ERR_IO, "%s: cannot read: %s", directory,
                   strerror(errno));
  gd_status st = GD_OK;
  const struct dirent *e;
  while (st == GD_OK && (e = readdir(d)) != NULL) {
    char path[GD_PATH_MAX];
    struct stat info;
    if (e->d_name[0] == '.' ||
        (depth == 0 && gd_done_is_housekeeping(e->d_name)))
      continue;
    st = gd_path_join(directory, e->d_name, path);
    /* What another process has just renamed or removed is not there. */
    if (st != GD_OK || stat(path, &info) != 0)
      continue;
    if (S_ISDIR(info.st_mode) && depth < MOST_DEPTH)
      st = count_files(path, depth + 1, n);
    else if (S_ISREG(info.st_mode) && !gd_done_is_housekeeping(e->d_name))
      ++*n;
  }
  closedir(d);
  return st;
}

/* `units` holds one number. */
static int64_t read_units(const char *directory)
{
  char path[GD_PATH_MAX], *text, *end;
  if (gd_path_join(directory, "units", path) != GD_OK ||
      gd_file_read(path, 64, &text, NULL) != GD_OK)
    return -1;
  const long long n = strtoll(text, &end, 10);
  const int whole = end > text && (*end == '\n' || *end == '\0') && n >= 0;
  free(text);
  return whole ? n : -1;
}

static double read_seconds(const char *directory)
{
  char path[GD_PATH_MAX];
  gd_record *report;
  if (gd_path_join(directory, "report.yaml", path) != GD_OK ||
      gd_record_read(path, &report) != GD_OK)
    return -1;
  const char *text = gd_record_get(report, "seconds");
  char *end;
  double seconds = text == NULL ? -1 : strtod(text, &end);
  if (text != NULL && (end == text || *end != '\0'))
    seconds = -1;
  gd_record_free(report);
  return seconds;
}

/* The last line of log.txt, cut to fit. */
static void read_last(const char *directory, char *out, size_t out_bytes)
{
  char path[GD_PATH_MAX], tail[LOG_TAIL_BYTES + 1];
  out[0] = '\0';
  FILE *file = gd_path_join(directory, "log.txt", path) == GD_OK
                   ? fopen(path, "rb")
                   : NULL;
  if (file == NULL)
    return;
  /* A log shorter than the tail is read from its beginning. */
  if (fseek(file, -LOG_TAIL_BYTES, SEEK_END) != 0)
    rewind(file);
  size_t n = fread(tail, 1, LOG_TAIL_BYTES, file);
  fclose(file);
  while (n > 0 && (tail[n - 1] == '\n' || tail[n - 1] == '\0'))
    n--;
  tail[n] = '\0';
  const char *line = strrchr(tail, '\n');
  snprintf(out, out_bytes, "%.*s", (int)out_bytes - 1,
           line == NULL ? tail : line + 1);
}

/* Is it done, and how?  Whatever a run could not believe is not. */
static int read_done(const gd_instance *s, gd_glance *out)
{
  gd_standing standing;
  if (gd_rundir_look(s, &standing) != GD_OK || !standing.done)
    return 0;
  out->seen = GD_SEEN_DONE;
  out->n_skipped = standing.n_skipped;
  return 1;
}

gd_status gd_glance_at(const gd_instance *s, gd_glance *out)
{
  const char *directory = gd_instance_directory(s);
  *out = (gd_glance){.n_units = -1, .seconds = -1};
  if (!gd_path_exists(directory))
    return GD_OK;
  gd_status st = count_files(directory, 0, &out->n_files);
  if (st != GD_OK)
    return st;
  out->n_units = read_units(directory);
  out->seconds = read_seconds(directory);
  read_last(directory, out->last, sizeof out->last);
  if (read_done(s, out))
    return GD_OK;
  if (gd_lock_held(directory, out->by, sizeof out->by))
    out->seen = GD_SEEN_RUNNING;
  else if (!read_done(s, out)) /* it may have ended between the two looks */
    out->seen = GD_SEEN_BEGUN;
  return GD_OK;
}
