/* extract -- decode frames of all videos into shards.
 *
 *   index-NNNNN.h5    what is known of each video without decoding it
 *   frames-NNNNN.h5   pieces of videos of one frame size
 *   videos.csv        what became of each video
 *   plan              how the shards were cut, for the next run
 *
 * First each video is indexed, by whichever rank is free; then all ranks make
 * the same plan from all indices, and take its shards from the shared queue.
 * A video that cannot be read is skipped with its reason; what is damaged in
 * the others is noted in their shard and said in the log. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract.h"
#include "gradus/agree.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/share.h"
#include "gradus/video_reader.h"

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

void gd_extract_remark(const gd_corpus *corpus, const char *where)
{
  enum { MOST = 10 };
  const int64_t n_more = corpus->n_warnings - MOST;
  for (int64_t i = 0; i < corpus->n_warnings && i < MOST; i++)
    gd_log(GD_LOG_WARNING, "corpus: %s", corpus->warnings[i]);
  if (n_more > 0)
    gd_log(GD_LOG_WARNING, "corpus: %" PRId64 " more remark%s%s", n_more,
           n_more == 1 ? "" : "s", where);
}

/* What is odd about a corpus that the job has loaded was said of the job. */
static gd_status read_corpus(const gd_stage_env *env, gd_text *message)
{
  const gd_corpus_source source = gd_instance_corpus(env->self);
  gd_corpus *corpus;
  gd_status st =
      gd_corpus_read(source.layout, source.root, source.n_levels, &corpus);
  if (st != GD_OK)
    return st;
  if (gd_job_corpus(env->job) == NULL ||
      gd_instance_upstream(env->self, "synth") != NULL)
    gd_extract_remark(corpus, "");
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
static gd_status share_corpus(const gd_stage_env *env, gd_extract *x)
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

gd_status gd_extract_parameters_of(const gd_instance *self,
                                   gd_extract_parameters *out)
{
  *out = (gd_extract_parameters){
      .sampling = {.every = gd_instance_int(self, "every"),
                   .rate = gd_instance_real(self, "rate"),
                   .start_s = gd_instance_real(self, "start"),
                   .stop_s = gd_instance_real(self, "stop"),
                   .most = gd_instance_int(self, "most")},
      .quality = (int)gd_instance_int(self, "quality"),
      .keeps_damaged = strcmp(gd_instance_text(self, "damaged"), "keep") == 0,
      .shard_bytes = gd_instance_int(self, "shard_bytes")};
  return gd_frame_storage_of(gd_instance_text(self, "store"), &out->storage);
}

static gd_status prepare(gd_stage_env *env, gd_extract *x)
{
  const gd_extract_parameters *p = &x->parameters;
  gd_status st = gd_extract_parameters_of(env->self, &x->parameters);
  if (st != GD_OK) /* on all ranks */
    return st;
  x->limits = (gd_extraction_limits){
      .shard_bytes = p->shard_bytes,
      .bytes_per_pixel =
          gd_frame_storage_bytes_per_pixel(p->storage, p->quality)};
  x->patience =
      (gd_patience){.stall_s = (double)gd_instance_int(env->self, "stall"),
                    .alive = tick,
                    .context = env};
  st = share_corpus(env, x);
  if (st != GD_OK)
    return st;
  x->rows = gd_alloc(x->corpus->n_videos, sizeof *x->rows);
  return x->rows == NULL ? GD_ERR_NOMEM : GD_OK;
}

/* --------------------------------------------------------------------- making
 */

void gd_extract_name_shard(const void *context, int64_t unit,
                           char out[GD_PATH_MAX])
{
  (void)context;
  snprintf(out, GD_PATH_MAX, "frames-%05" PRId64 ".h5", unit);
}

/* The plan has been made for another file, or for another state of it. */
static gd_status check_plan(const gd_video_index *index, const gd_piece *p)
{
  const int same_end = p->is_last ? p->frames.end == index->n_frames
                                  : p->frames.end < index->n_frames;
  if (same_end && index->height_px == p->height_px &&
      index->width_px == p->width_px)
    return GD_OK;
  return gd_fail(GD_ERR_DECODE, "%s: has changed since it was indexed",
                 index->path);
}

/* Is the file still the one that was indexed?  One that has only been touched
 * is indexed anew. */
static gd_status open_index(const gd_extract *x, const gd_piece *p, int64_t v,
                            gd_video_index **out)
{
  const gd_video *video = &x->corpus->videos[v];
  gd_fingerprint then;
  int touched = 0;
  gd_status st = gd_index_store_find(x->indices, video->id, video->path,
                                     &x->corpus->fingerprints[v], out, &then);
  if (st != GD_OK)
    return st;
  if (*out != NULL) {
    st = gd_fingerprint_check(video->path, &then, &touched);
    if (gd_file_judge(st, video->path) == GD_ERR_FORMAT)
      return gd_fail(GD_ERR_DECODE, "%s; repeat the same command", gd_reason());
  }
  if (st == GD_OK && (*out == NULL || touched)) {
    gd_video_index_free(*out);
    st = gd_video_index_read(video->path, &x->patience, out);
  }
  return st == GD_OK ? check_plan(*out, p) : st;
}

/* Append the frames of an open piece. */
static gd_status copy_frames(gd_stage_env *env, const gd_piece *p,
                             gd_video_reader *r, gd_frame_writer *w)
{
  for (;;) {
    gd_frame_info info;
    gd_read_step step;
    const gd_picture *picture;
    gd_status st = gd_video_reader_next(r, &step, &info, &picture);
    if (st == GD_OK && step == GD_READ_FRAME)
      st = gd_frame_writer_append(w, p->video, &info, picture);
    else if (st == GD_OK && step == GD_READ_AGAIN)
      st = gd_frame_writer_rewind(w);
    if (st != GD_OK || step == GD_READ_END)
      return st;
    st = gd_stage_tick(env, 0);
    if (st != GD_OK)
      return st;
  }
}

/* Frames of a file that changed while it was read may be of either state. */
static gd_status check_unchanged(const gd_video_index *index)
{
  int64_t size_bytes, modified_ns;
  gd_status st = gd_file_stat(index->path, &size_bytes, &modified_ns);
  if (st == GD_OK && size_bytes == index->size_bytes &&
      modified_ns == index->modified_ns)
    return GD_OK;
  if (st == GD_ERR_IO && !gd_file_is_closed(index->path))
    return st;
  return gd_fail(GD_ERR_DECODE,
                 "%s: has been changed while it was read; repeat the same "
                 "command",
                 index->path);
}

static gd_status make_piece(gd_stage_env *env, const gd_extract *x,
                            const gd_piece *p, gd_frame_writer *w)
{
  const int64_t row = gd_video_table_find(x->videos, p->video);
  gd_video_index *index = NULL;
  gd_video_reader *r = NULL;
  assert(row >= 0);
  const gd_video *video = &x->videos->videos[row];
  gd_status st = gd_stage_attempt(env, video->id);
  if (st == GD_OK)
    st = open_index(x, p, row, &index);
  if (st == GD_OK)
    st = gd_video_reader_open(index, &x->parameters.sampling, &p->frames,
                              &x->patience, &r);
  if (st == GD_OK)
    st = copy_frames(env, p, r, w);
  if (st == GD_OK)
    st = check_unchanged(index);
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
  const gd_extract *x = context;
  const int64_t first = x->plan->first[unit], end = x->plan->first[unit + 1];
  const gd_piece *pieces = x->plan->pieces;
  const gd_frame_format format = {.height_px = pieces[first].height_px,
                                  .width_px = pieces[first].width_px,
                                  .storage = x->parameters.storage,
                                  .quality = x->parameters.quality,
                                  .keeps_damaged = x->parameters.keeps_damaged};
  gd_frame_writer *w;
  gd_status st = gd_frame_writer_create(path, gd_instance_digest(env->self),
                                        &format, x->videos, &w);
  if (st != GD_OK)
    return st;
  for (int64_t p = first; st == GD_OK && p < end; p++)
    st = make_piece(env, x, &pieces[p], w);
  if (st == GD_OK)
    st = gd_stage_survived(env);
  if (st == GD_OK)
    return gd_frame_writer_commit(w);
  gd_frame_writer_abandon(w);
  return st;
}

static gd_status run_planned(gd_stage_env *env, gd_extract *x)
{
  gd_stage_items(env, x->corpus->n_videos);
  gd_status st = gd_extract_index(env, x);
  if (st == GD_OK)
    st = gd_extract_plan(env, x);
  if (st != GD_OK)
    return st;
  const gd_units units = {.n_units = x->plan->n_shards,
                          .cost = x->plan->cost,
                          .name = gd_extract_name_shard,
                          .make = make_shard,
                          .count = gd_extract_count_shard,
                          .context = x};
  st = gd_stage_units(env, &units);
  if (st != GD_OK)
    return st;
  return gd_agree(env->comm, env->rank == 0 ? gd_extract_list(env, x) : GD_OK);
}

static void free_all(gd_extract *x)
{
  gd_index_store_close(x->near);
  gd_index_store_close(x->indices);
  gd_extraction_free(x->plan);
  gd_video_table_free(x->videos);
  free(x->order);
  free(x->first);
  free(x->pieces);
  for (int64_t v = 0; x->rows != NULL && v < x->corpus->n_videos; v++) {
    gd_text_free(&x->rows[v].note);
    gd_text_free(&x->rows[v].line);
  }
  free(x->rows);
  gd_corpus_free(x->corpus);
}

static gd_status run(gd_stage_env *env)
{
  gd_extract x = {0};
  gd_status st = gd_agree(env->comm, prepare(env, &x));
  if (st == GD_OK)
    st = run_planned(env, &x);
  free_all(&x);
  return st;
}

const gd_stage gd_stage_extract = {.kind = "extract", .run = run};
