#include "saver.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/agree.h"
#include "gradus/clock.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/share.h"

typedef enum {
  IDLE,
  WRITING, /* the thread is */
  SAID     /* and the others are to say that they have done it too */
} phase;

struct gd_saver {
  MPI_Comm comm;
  int rank;
  gd_checkpoints files;
  gd_snapshot *snapshot;
  gd_accord *accord;
  gd_publisher *publisher; /* rank 0's */
  int64_t *told;           /* whether there is a file, and its places */
  phase phase;
  int64_t step, best; /* of the checkpoint under way */
  char path[GD_PATH_MAX];

  int64_t n_begun, n_failed;
  gd_status status; /* the first failure */
  char reason[2048];
  double stood_s, copied_s; /* training stood still, of that for the copy */
};

gd_status gd_saver_new(MPI_Comm comm, int rank, int size,
                       const gd_checkpoints *files,
                       const gd_snapshot_source *source, gd_saver **out)
{
  assert(files != NULL && out != NULL);
  *out = NULL;
  gd_saver *s = gd_alloc(1, sizeof *s);
  gd_status st = s == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK) {
    s->comm = comm;
    s->rank = rank;
    s->files = *files;
    st = gd_snapshot_new(source, rank, size, &s->snapshot);
  }
  if (st == GD_OK)
    st = gd_publisher_new(&s->publisher);
  if (st == GD_OK) {
    s->told =
        gd_alloc(1 + 2 * gd_snapshot_n_places(s->snapshot), sizeof s->told[0]);
    if (s->told == NULL)
      st = GD_ERR_NOMEM;
  }
  st = gd_agree(comm, st);
  if (st == GD_OK)
    st = gd_accord_new(comm, &s->accord);
  if (st != GD_OK) {
    gd_saver_free(s);
    return st;
  }
  *out = s;
  return GD_OK;
}

void gd_saver_free(gd_saver *s)
{
  if (s == NULL)
    return;
  gd_publisher_free(s->publisher);
  gd_snapshot_free(s->snapshot);
  gd_accord_free(s->accord);
  free(s->told);
  free(s);
}

/* On rank 0: say why there is no checkpoint, with gd_reason(). */
static void note_failure(gd_saver *s, gd_status st)
{
  char part[GD_PATH_MAX];
  if (s->n_failed++ == 0) {
    s->status = st;
    snprintf(s->reason, sizeof s->reason, "%s", gd_reason());
  }
  gd_log(GD_LOG_WARNING,
         "no checkpoint after step %" PRId64 ": %s; training goes on, and will "
         "be repeated from the one before should it stop",
         s->step, gd_reason());
  /* What is there of it takes room that the next one may need. */
  if (gd_file_part(s->path, part) != GD_OK || gd_file_remove(part) != GD_OK)
    gd_log(GD_LOG_WARNING, "%s", gd_reason());
}

/* On rank 0: the file is whole. */
static gd_status publish(gd_saver *s)
{
  gd_status st = gd_publisher_add(s->publisher, s->path);
  if (st == GD_OK)
    st = gd_checkpoints_thin(&s->files, s->step, s->best, s->publisher);
  return st == GD_OK ? gd_publisher_start(s->publisher) : st;
}

static void say(gd_saver *s, gd_status mine)
{
  gd_accord_begin(s->accord, mine);
  s->phase = SAID;
}

static void conclude(gd_saver *s)
{
  gd_status st = gd_accord_wait(s->accord);
  s->phase = IDLE;
  if (s->rank != 0)
    return;
  if (st == GD_OK)
    st = publish(s);
  if (st != GD_OK)
    note_failure(s, st);
}

void gd_saver_poll(gd_saver *s)
{
  if (s->phase == WRITING && gd_snapshot_is_written(s->snapshot))
    say(s, gd_snapshot_wait(s->snapshot));
  if (s->phase == SAID && gd_accord_is_reached(s->accord))
    conclude(s);
}

/* Wait for the checkpoint under way. */
static void wait(gd_saver *s)
{
  if (s->phase == WRITING)
    say(s, gd_snapshot_wait(s->snapshot));
  if (s->phase == SAID)
    conclude(s);
  gd_status st = gd_publisher_wait(s->publisher);
  if (st != GD_OK)
    note_failure(s, st);
}

/* On rank 0: write the frame, and the metrics beside it. */
static gd_status write_frame(gd_saver *s, const gd_checkpoint_frame *frame,
                             const gd_history *history, gd_store_place *places)
{
  gd_checkpoint_frame f = *frame;
  f.rows = history->rows;
  f.n_rows = history->n;
  s->best = gd_checkpoints_best(&s->files, &frame->where);
  gd_status st = gd_checkpoints_path(&s->files, s->step, s->path);
  if (st == GD_OK)
    st = gd_checkpoint_write_frame(s->path, s->files.digest, &f, places);
  if (st == GD_OK)
    st = gd_history_write(history, s->files.directory, s->publisher);
  return st;
}

void gd_saver_begin(gd_saver *s, const gd_checkpoint_frame *frame,
                    const gd_history *history)
{
  assert(s != NULL);
  const double begun_s = gd_clock_s();
  const int64_t n_places = gd_snapshot_n_places(s->snapshot);
  gd_store_place *places = (gd_store_place *)(s->told + 1);
  gd_status st = GD_OK;
  wait(s);
  s->n_begun++;
  s->step = frame->info.step;
  if (s->rank == 0)
    st = write_frame(s, frame, history, places);
  s->told[0] = st == GD_OK;
  gd_share_ints(s->comm, 1 + 2 * n_places, s->told);
  if (s->told[0]) {
    const double copies_s = gd_clock_s();
    gd_snapshot_take(s->snapshot);
    s->copied_s += gd_clock_s() - copies_s;
    st = gd_checkpoints_path(&s->files, s->step, s->path);
    if (st == GD_OK)
      st = gd_snapshot_start(s->snapshot, s->path, places);
    s->phase = WRITING;
    if (st != GD_OK)
      say(s, st);
  } else if (s->rank == 0) {
    note_failure(s, st);
  }
  s->stood_s += gd_clock_s() - begun_s;
}

gd_status gd_saver_finish(gd_saver *s)
{
  assert(s != NULL);
  wait(s);
  if (s->n_begun > 0)
    gd_log(GD_LOG_INFO,
           "checkpoints=%" PRId64 " failed=%" PRId64
           " stood_still_ms=%.3g copy_ms=%.3g each, share_mib=%.3g",
           s->n_begun, s->n_failed, 1e3 * s->stood_s / (double)s->n_begun,
           1e3 * s->copied_s / (double)s->n_begun,
           (double)gd_snapshot_bytes(s->snapshot) / (1 << 20));
  if (s->n_failed == 0)
    return GD_OK;
  return gd_fail(s->status,
                 "%" PRId64 " of %" PRId64 " checkpoints could not be written; "
                 "the first: %s",
                 s->n_failed, s->n_begun, s->reason);
}
