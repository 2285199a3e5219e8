/* extract -- decode every N-th frame of all videos into shards of frames.
 *
 *   frames-NNNNN.h5   pieces of videos of one frame size
 *
 * First each video is indexed, by whichever rank is free; then all ranks make
 * the same plan from all indices, and take its shards from the shared queue.
 * A video that cannot be read is skipped with its reason; what is damaged in
 * the others is noted in their shard and said in the log. */
#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/agree.h"
#include "gradus/corpus.h"
#include "gradus/extraction.h"
#include "gradus/frames.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/queue.h"
#include "gradus/share.h"
#include "gradus/stage.h"
#include "gradus/video_index.h"
#include "gradus/video_reader.h"

typedef struct {
  gd_corpus *corpus;
  gd_video_table *videos;   /* of the corpus */
  gd_video_index **indices; /* of the videos that this rank indexed */
  gd_piece *pieces;         /* of all ranks' videos */
  int64_t n_pieces;
  gd_extraction *plan;
  int64_t every, shard_bytes, target_bytes;
  int quality;
  const char *store, *damaged; /* words of the manifest */
  gd_patience patience;        /* with each video */
  char *is_counted;            /* per video, while rank 0 counts */
} extract;

/* The directory is named after the corpus as the job found it: what has changed
 * since then belongs elsewhere. */
static gd_status check_corpus(const gd_corpus_source *source,
                              const gd_corpus *corpus)
{
  static const gd_digest zero = {0, 0};
  gd_digest now;
  gd_status st = gd_corpus_digest(corpus, &now);
  if (st == GD_OK && !gd_digest_equal(source->digest, zero) &&
      !gd_digest_equal(source->digest, now))
    st = gd_fail(GD_ERR_IO,
                 "%s: the corpus has changed since this run began; repeat the "
                 "same command",
                 source->root);
  return st;
}

static gd_status read_corpus(const gd_stage_env *env, gd_text *message)
{
  const gd_corpus_source source = gd_instance_corpus(env->self);
  gd_corpus *corpus;
  gd_status st =
      gd_corpus_read(source.layout, source.root, source.n_levels, &corpus);
  if (st != GD_OK)
    return st;
  for (int64_t i = 0; i < corpus->n_warnings; i++)
    gd_log(GD_LOG_WARNING, "corpus: %s", corpus->warnings[i]);
  st = gd_corpus_examine(corpus);
  if (st == GD_OK)
    st = check_corpus(&source, corpus);
  if (st == GD_OK)
    gd_corpus_pack(corpus, message);
  gd_corpus_free(corpus);
  return st == GD_OK ? gd_text_status(message) : st;
}

/* Thousands of files are looked at once, by rank 0; and so all ranks plan from
 * the same corpus. */
static gd_status share_corpus(const gd_stage_env *env, extract *x)
{
  gd_text message = {0};
  gd_status st =
      gd_agree(env->comm, env->rank == 0 ? read_corpus(env, &message) : GD_OK);
  if (st == GD_OK)
    st = gd_share_text(env->comm, &message);
  if (st == GD_OK)
    st = gd_corpus_unpack(message.data, message.length_bytes, &x->corpus);
  gd_text_free(&message);
  if (st == GD_OK)
    st = gd_video_table_of_corpus(x->corpus, &x->videos);
  return st;
}

static gd_status tick(void *env)
{
  return gd_stage_tick(env, 0);
}

/* What this reader and these shards cannot do is refused, never passed over. */
static gd_status read_parameters(gd_stage_env *env, extract *x)
{
  if (gd_instance_real(env->self, "rate") > 0 ||
      gd_instance_real(env->self, "start") > 0 ||
      gd_instance_real(env->self, "stop") > 0 ||
      gd_instance_int(env->self, "most") > 0)
    return gd_fail(GD_ERR_USAGE,
                   "rate, start, stop and most cannot be used yet");
  x->patience =
      (gd_patience){.stall_s = (double)gd_instance_int(env->self, "stall"),
                    .alive = tick,
                    .context = env};
  x->quality = (int)gd_instance_int(env->self, "quality");
  x->store = gd_instance_text(env->self, "store");
  x->damaged = gd_instance_text(env->self, "damaged");
  return GD_OK;
}

static gd_status prepare(gd_stage_env *env, extract *x)
{
  x->every = gd_instance_int(env->self, "every");
  x->shard_bytes = gd_instance_int(env->self, "shard_bytes");
  gd_status st = read_parameters(env, x);
  if (st == GD_OK)
    st = share_corpus(env, x);
  if (st != GD_OK)
    return st;
  x->indices = gd_alloc(x->videos->n_videos, sizeof(gd_video_index *));
  x->is_counted = gd_alloc(x->videos->n_videos, 1);
  return x->indices == NULL || x->is_counted == NULL ? GD_ERR_NOMEM : GD_OK;
}

/* ------------------------------------------------------------------- indexing
 */

static gd_status index_some(gd_stage_env *env, extract *x, gd_queue *queue)
{
  gd_status st = GD_OK;
  int64_t v;
  while (st == GD_OK && (v = gd_queue_take(queue)) >= 0) {
    const gd_video *video = &x->videos->videos[v];
    st = gd_video_index_read(video->path, &x->patience, &x->indices[v]);
    if (gd_status_is_item(st))
      st = gd_stage_skip(env, video->id);
    if (st == GD_OK)
      st = gd_stage_tick(env, 1);
  }
  return st;
}

static gd_status index_all(gd_stage_env *env, extract *x)
{
  gd_queue *queue;
  gd_stage_items(env, x->videos->n_videos);
  gd_stage_expect(env, x->videos->n_videos, "videos indexed");
  gd_status st = gd_queue_open(env->comm, x->videos->n_videos, &queue);
  if (st == GD_OK) {
    st = index_some(env, x, queue);
    gd_queue_close(queue);
  }
  return gd_agree(env->comm, st);
}

/* ------------------------------------------------------------------- planning
 */

/* Tell all ranks how much there is in all, which decides how it is cut. */
static void sum_bytes(const gd_stage_env *env, extract *x)
{
  int64_t total = 0;
  for (int64_t v = 0; v < x->videos->n_videos; v++) {
    const gd_video_index *index = x->indices[v];
    if (index != NULL)
      total += 3 * gd_piece_kept((gd_range){0, index->n_frames}, x->every) *
               index->height_px * index->width_px;
  }
  MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPI_INT64_T, MPI_SUM, env->comm);
  x->target_bytes = gd_extraction_target(total, x->shard_bytes);
}

/* Cut the videos that this rank has indexed; their indices end here. */
static gd_status cut_own(extract *x, gd_piece **out, int64_t *n)
{
  int64_t room = 0;
  *n = 0;
  for (int64_t v = 0; v < x->videos->n_videos; v++)
    if (x->indices[v] != NULL)
      room += x->indices[v]->n_cuts;
  *out = gd_alloc(room, sizeof **out);
  if (*out == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < x->videos->n_videos; v++) {
    if (x->indices[v] != NULL)
      *n += gd_extraction_cut(x->indices[v], x->videos->index[v], x->every,
                              x->target_bytes, *out + *n);
    gd_video_index_free(x->indices[v]);
    x->indices[v] = NULL;
  }
  return GD_OK;
}

/* Give every rank the pieces of all. */
static gd_status exchange(const gd_stage_env *env, extract *x,
                          const gd_piece *own, int64_t n_own)
{
  int *bytes = gd_alloc(env->size, sizeof *bytes);
  int *offsets = gd_alloc(env->size, sizeof *offsets);
  int64_t all = n_own;
  MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT64_T, MPI_SUM, env->comm);
  gd_status st = GD_OK;
  if (all > INT_MAX / (int64_t)sizeof *own)
    st = gd_fail(GD_ERR_USAGE,
                 "%" PRId64 " pieces of videos are too many for one message; "
                 "raise shard_bytes",
                 all);
  else if ((x->pieces = gd_alloc(all, sizeof *own)) == NULL || bytes == NULL ||
           offsets == NULL)
    st = GD_ERR_NOMEM;
  st = gd_agree(env->comm, st);
  if (st == GD_OK) {
    const int mine = (int)(n_own * (int64_t)sizeof *own);
    MPI_Allgather(&mine, 1, MPI_INT, bytes, 1, MPI_INT, env->comm);
    for (int r = 1; r < env->size; r++)
      offsets[r] = offsets[r - 1] + bytes[r - 1];
    MPI_Allgatherv(own, mine, MPI_BYTE, x->pieces, bytes, offsets, MPI_BYTE,
                   env->comm);
    x->n_pieces = all;
  }
  free(bytes);
  free(offsets);
  return st;
}

static gd_status plan(gd_stage_env *env, extract *x)
{
  gd_piece *own = NULL;
  int64_t n_own = 0;
  sum_bytes(env, x);
  gd_status st = gd_agree(env->comm, cut_own(x, &own, &n_own));
  if (st == GD_OK)
    st = exchange(env, x, own, n_own);
  free(own);
  if (st != GD_OK)
    return st;
  return gd_agree(env->comm, gd_extraction_plan(x->pieces, x->n_pieces,
                                                x->target_bytes, &x->plan));
}

/* --------------------------------------------------------------------- making
 */

static void name_shard(const void *context, int64_t unit, char out[GD_PATH_MAX])
{
  (void)context;
  snprintf(out, GD_PATH_MAX, "frames-%05" PRId64 ".h5", unit);
}

static gd_status check_unchanged(const gd_video_index *index, const gd_piece *p)
{
  const int same_end = p->is_last ? p->frames.end == index->n_frames
                                  : p->frames.end < index->n_frames;
  if (same_end && index->height_px == p->height_px &&
      index->width_px == p->width_px)
    return GD_OK;
  return gd_fail(GD_ERR_DECODE, "%s: has changed since it was indexed",
                 index->path);
}

/* Append the frames of an open piece. */
static gd_status copy_frames(gd_stage_env *env, const gd_piece *p,
                             gd_video_reader *r, gd_frame_writer *w)
{
  int64_t last = -1;
  for (;;) {
    gd_frame_info info;
    gd_read_step step;
    const gd_picture *picture;
    gd_status st = gd_video_reader_next(r, &step, &info, &picture);
    /* When all frames come again, those that are there stay as they are: what
     * came before the damage. */
    if (st == GD_OK && picture != NULL && info.frame_index > last) {
      last = info.frame_index;
      st = gd_frame_writer_append(w, p->video, &info, picture);
    }
    if (st == GD_OK && picture != NULL)
      st = gd_stage_tick(env, 0);
    if (st != GD_OK || step == GD_READ_END)
      return st;
  }
}

static gd_status make_piece(gd_stage_env *env, const extract *x,
                            const gd_piece *p, gd_frame_writer *w)
{
  const int64_t row = gd_video_table_find(x->videos, p->video);
  gd_video_index *index = NULL;
  gd_video_reader *r = NULL;
  const gd_sampling sampling = {.every = x->every};
  assert(row >= 0);
  const gd_video *video = &x->videos->videos[row];
  gd_status st = gd_stage_attempt(env, video->id);
  if (st == GD_OK)
    st = gd_video_index_read(video->path, &x->patience, &index);
  if (st == GD_OK)
    st = check_unchanged(index, p);
  if (st == GD_OK)
    st = gd_video_reader_open(index, &sampling, &p->frames, &x->patience, &r);
  if (st == GD_OK)
    st = copy_frames(env, p, r, w);
  if (st == GD_OK) {
    gd_frame_reading reading = gd_video_reader_result(r);
    reading.video = p->video;
    st = gd_frame_writer_note(w, &reading);
  }
  gd_video_reader_close(r);
  gd_video_index_free(index);
  return gd_status_is_item(st) ? gd_frame_writer_skip(w, p->video) : st;
}

static gd_status make_shard(void *context, gd_stage_env *env, int64_t unit,
                            const char *path)
{
  const extract *x = context;
  const int64_t first = x->plan->first[unit], end = x->plan->first[unit + 1];
  const gd_piece *pieces = x->plan->pieces;
  gd_frame_writer *w;
  gd_status st = gd_frame_writer_create(path, gd_instance_digest(env->self),
                                        pieces[first].height_px,
                                        pieces[first].width_px, x->videos, &w);
  if (st != GD_OK)
    return st;
  for (int64_t p = first; st == GD_OK && p < end; p++)
    st = make_piece(env, x, &pieces[p], w);
  if (st == GD_OK)
    return gd_frame_writer_commit(w);
  gd_frame_writer_abandon(w);
  return st;
}

/* ------------------------------------------------------------------- counting
 */

typedef struct {
  gd_stage_env *env;
  extract *x;
} counter;

static gd_status count_reading(void *context, const gd_frame_reading *reading,
                               const char *video_id)
{
  counter *c = context;
  const int64_t row = gd_video_table_find(c->x->videos, reading->video);
  gd_stage_count(c->env, "frames", reading->n_kept);
  gd_stage_count(c->env, "damaged", reading->n_damaged);
  gd_stage_count(c->env, "decoded", reading->n_decoded);
  gd_stage_count(c->env, "lost", reading->n_lost);
  if (row >= 0 && !c->x->is_counted[row])
    gd_stage_count(c->env, "videos", c->x->is_counted[row] = 1);
  if (reading->note[0] != '\0')
    gd_log(GD_LOG_WARNING, "%s: %s", video_id, reading->note);
  return GD_OK;
}

static gd_status count_shard(void *context, gd_stage_env *env, int64_t unit,
                             const char *path)
{
  counter c = {.env = env, .x = context};
  (void)unit;
  return gd_frame_shard_readings(path, count_reading, &c);
}

static gd_status run_planned(gd_stage_env *env, extract *x)
{
  gd_status st = index_all(env, x);
  if (st == GD_OK)
    st = plan(env, x);
  if (st != GD_OK)
    return st;
  const gd_units units = {.n_units = x->plan->n_shards,
                          .cost = x->plan->cost,
                          .name = name_shard,
                          .make = make_shard,
                          .count = count_shard,
                          .context = x};
  return gd_stage_units(env, &units);
}

static void free_all(extract *x)
{
  for (int64_t v = 0; x->indices != NULL && v < x->videos->n_videos; v++)
    gd_video_index_free(x->indices[v]);
  free(x->indices);
  free(x->is_counted);
  free(x->pieces);
  gd_extraction_free(x->plan);
  gd_video_table_free(x->videos);
  gd_corpus_free(x->corpus);
}

static gd_status run(gd_stage_env *env)
{
  extract x = {0};
  gd_status st = gd_agree(env->comm, prepare(env, &x));
  if (st == GD_OK)
    st = run_planned(env, &x);
  free_all(&x);
  return st;
}

const gd_stage gd_stage_extract = {
    .kind = "extract",
    .summary = "decode every N-th frame of all videos into shards",
    .run = run};
