#include "gradus/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/text.h"
#include "train/events.h"

enum { LINES, EVENTS, N_FILES };

typedef struct {
  char path[GD_PATH_MAX];
  int descriptor;
  off_t size_bytes; /* of whole rows */
} file;

struct gd_journal {
  file files[N_FILES];
};

gd_journal_pace gd_journal_unknown(void)
{
  return (gd_journal_pace){NAN, NAN, NAN, NAN};
}

static double wall_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---------------------------------------------------------------- one row */

static const char *split_of(const gd_metrics_row *row)
{
  return row->split == GD_METRICS_BATCH   ? "step"
         : row->split == GD_METRICS_TRAIN ? "train"
                                          : "dev";
}

static void add_value(gd_text *t, const char *name, double value)
{
  gd_text_printf(t, ",\"%s\":", name);
  if (isfinite(value))
    gd_text_printf(t, "%.9g", value);
  else
    gd_text_add(t, "null");
}

/* The part of a line that the history tells: a row has one such beginning. */
static void add_results(gd_text *t, const gd_metrics_row *row)
{
  gd_text_printf(t, "{\"epoch\":%.0f,\"step\":%.0f,\"split\":\"%s\"",
                 row->epoch, row->step, split_of(row));
  add_value(t, "loss", row->loss);
  add_value(t, "mae", row->mae);
  add_value(t, "rmse", row->rmse);
  add_value(t, "rate", row->rate);
}

static void add_line(gd_text *t, const gd_metrics_row *row,
                     const gd_journal_pace *pace)
{
  add_results(t, row);
  add_value(t, "gradient_norm", pace->gradient_norm);
  add_value(t, "images_per_s", pace->images_per_s);
  add_value(t, "exchanging", pace->exchanging);
  add_value(t, "waiting", pace->waiting);
  gd_text_printf(t, ",\"wall_s\":%.3f}\n", wall_s());
}

/* The first tag of a row's event; it tells the splits apart. */
static const char *const first_tags[] = {[GD_METRICS_BATCH] = "train/mae",
                                         [GD_METRICS_TRAIN] = "epoch/mae",
                                         [GD_METRICS_DEV] = "dev/mae"};

static void add_event(gd_text *t, const gd_metrics_row *row,
                      const gd_journal_pace *pace)
{
  const gd_scalar steps[] = {{"train/mae", row->mae},
                             {"train/loss", row->loss},
                             {"train/rmse", row->rmse},
                             {"train/rate", row->rate},
                             {"train/gradient_norm", pace->gradient_norm},
                             {"speed/images_per_s", pace->images_per_s},
                             {"speed/exchanging", pace->exchanging},
                             {"speed/waiting", pace->waiting}};
  const gd_scalar epochs[] = {{"epoch/mae", row->mae},
                              {"epoch/loss", row->loss},
                              {"epoch/rmse", row->rmse},
                              {"epoch/images_per_s", pace->images_per_s}};
  const gd_scalar devs[] = {{"dev/mae", row->mae}, {"dev/rmse", row->rmse}};
  const int64_t step = (int64_t)row->step;
  if (row->split == GD_METRICS_BATCH)
    gd_events_add(wall_s(), step, 8, steps, t);
  else if (row->split == GD_METRICS_TRAIN)
    gd_events_add(wall_s(), step, 4, epochs, t);
  else
    gd_events_add(wall_s(), step, 2, devs, t);
}

/* ---------------------------------------------------------------- appending */

static gd_status append(file *f, const gd_text *text)
{
  gd_status st = gd_text_status(text);
  for (size_t at = 0; st == GD_OK && at < text->length_bytes;) {
    const ssize_t n =
        write(f->descriptor, text->data + at, text->length_bytes - at);
    if (n > 0)
      at += (size_t)n;
    else if (n == 0 || errno != EINTR)
      st = gd_fail(GD_ERR_IO, "%s: cannot write: %s", f->path, strerror(errno));
  }
  if (st == GD_OK)
    f->size_bytes += (off_t)text->length_bytes;
  else if (ftruncate(f->descriptor, f->size_bytes) != 0)
    return st; /* half a row stays: the next run cuts it off */
  return st;
}

static gd_status add_to(file *f, int kind, const gd_metrics_row *row,
                        const gd_journal_pace *pace)
{
  gd_text text = {0};
  if (kind == LINES)
    add_line(&text, row, pace);
  else
    add_event(&text, row, pace);
  gd_status st = append(f, &text);
  gd_text_free(&text);
  return st;
}

gd_status gd_journal_add(gd_journal *j, const gd_metrics_row *row,
                         const gd_journal_pace *pace)
{
  assert(j != NULL && row != NULL && pace != NULL);
  gd_status st = GD_OK;
  for (int kind = 0; st == GD_OK && kind < N_FILES; kind++)
    st = add_to(&j->files[kind], kind, row, pace);
  return st;
}

/* --------------------------------------------------------------- taking up */

/* Return the bytes of a line about this row at the beginning, or 0. */
static size_t line_of(const char *bytes, size_t n_bytes,
                      const gd_metrics_row *row)
{
  const char *end = memchr(bytes, '\n', n_bytes);
  gd_text wanted = {0};
  add_results(&wanted, row);
  gd_text_add(&wanted, ",");
  const size_t n = end == NULL ? 0 : (size_t)(end - bytes) + 1;
  const int is_it = gd_text_status(&wanted) == GD_OK &&
                    n > wanted.length_bytes + 2 && end[-1] == '}' &&
                    memcmp(bytes, wanted.data, wanted.length_bytes) == 0;
  gd_text_free(&wanted);
  return is_it ? n : 0;
}

static size_t event_of(const char *bytes, size_t n_bytes,
                       const gd_metrics_row *row)
{
  int64_t step;
  char tag[64];
  const size_t n = gd_events_look(bytes, n_bytes, &step, tag);
  return n > 0 && step == (int64_t)row->step &&
                 strcmp(tag, first_tags[(int)row->split]) == 0
             ? n
             : 0;
}

/* Find how much of a file is about the first rows, whole.
 * Returns how many rows that are. */
static int64_t keep(int kind, const char *bytes, size_t n_bytes,
                    const gd_metrics_row *rows, int64_t n, size_t *kept)
{
  int64_t step, i = 0;
  char tag[64];
  *kept = kind == EVENTS ? gd_events_look(bytes, n_bytes, &step, tag) : 0;
  if (kind == EVENTS && (*kept == 0 || step >= 0)) {
    *kept = 0;
    return 0;
  }
  for (; i < n; i++) {
    const size_t more =
        kind == LINES ? line_of(bytes + *kept, n_bytes - *kept, &rows[i])
                      : event_of(bytes + *kept, n_bytes - *kept, &rows[i]);
    if (more == 0)
      break;
    *kept += more;
  }
  return i;
}

static gd_status open_file(file *f, int kind, const gd_metrics_row *rows,
                           int64_t n)
{
  enum { MOST_BYTES = 1 << 30 };
  char *bytes = NULL;
  size_t n_bytes = 0, kept = 0;
  int64_t i = 0;
  gd_status st = GD_OK;
  if (gd_path_exists(f->path))
    st = gd_file_read(f->path, MOST_BYTES, &bytes, &n_bytes);
  if (st == GD_OK && n_bytes > 0)
    i = keep(kind, bytes, n_bytes, rows, n, &kept);
  free(bytes);
  if (st != GD_OK)
    return st;
  f->descriptor =
      open(f->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (f->descriptor < 0 || ftruncate(f->descriptor, (off_t)kept) != 0)
    return gd_fail(GD_ERR_IO, "%s: cannot write: %s", f->path, strerror(errno));
  f->size_bytes = (off_t)kept;
  if (kind == EVENTS && kept == 0) {
    gd_text text = {0};
    gd_events_begin(wall_s(), &text);
    st = append(f, &text);
    gd_text_free(&text);
  }
  const gd_journal_pace unknown = gd_journal_unknown();
  for (; st == GD_OK && i < n; i++)
    st = add_to(f, kind, &rows[i], &unknown);
  return st;
}

gd_status gd_journal_begin(const char *directory, const gd_metrics_row *rows,
                           int64_t n, gd_journal **out)
{
  static const char *const names[] = {"metrics.jsonl",
                                      "events.out.tfevents.gradus"};
  assert(directory != NULL && out != NULL && (rows != NULL || n == 0));
  *out = NULL;
  gd_journal *j = gd_alloc(1, sizeof *j);
  if (j == NULL)
    return GD_ERR_NOMEM;
  for (int kind = 0; kind < N_FILES; kind++)
    j->files[kind].descriptor = -1;
  gd_status st = GD_OK;
  for (int kind = 0; st == GD_OK && kind < N_FILES; kind++) {
    st = gd_path_join(directory, names[kind], j->files[kind].path);
    if (st == GD_OK)
      st = open_file(&j->files[kind], kind, rows, n);
  }
  if (st == GD_OK)
    *out = j;
  else
    gd_journal_end(j);
  return st;
}

void gd_journal_end(gd_journal *j)
{
  if (j == NULL)
    return;
  for (int kind = 0; kind < N_FILES; kind++)
    if (j->files[kind].descriptor >= 0)
      close(j->files[kind].descriptor);
  free(j);
}
