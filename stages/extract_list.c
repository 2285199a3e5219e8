/* The last part of extract: a table of all videos, for people and spreadsheets,
 * and the totals of report.yaml. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "extract.h"
#include "gradus/log.h"
#include "gradus/memory.h"

static const char HEADER[] =
    "video,status,codec,container,width,height,fps,seconds,announced,indexed,"
    "wanted,decoded,kept,damaged,lost,note\n";

/* ------------------------------------------------------------------- gathering
 */

/* Add a sentence to a video's note, unless it is there already. */
static gd_status add_note(gd_extract_row *row, const char *text)
{
  if (text[0] == '\0' || strstr(gd_text_get(&row->note), text) != NULL)
    return GD_OK;
  if (row->note.length_bytes > 0)
    gd_text_add(&row->note, "; ");
  gd_text_add(&row->note, text);
  return gd_text_status(&row->note);
}

static gd_status note_skipped(void *context, int64_t row, const char *reason)
{
  const gd_extract *x = context;
  x->rows[row].is_skipped = 1;
  return add_note(&x->rows[row], reason);
}

/* Take what a store notes as skipped. */
static gd_status note_all(gd_extract *x, const char *path)
{
  return gd_video_table_each_skipped(x->videos, path, note_skipped, x);
}

gd_status gd_extract_count_index(void *context, gd_stage_env *env, int64_t unit,
                                 const char *path)
{
  (void)env;
  (void)unit;
  return note_all(context, path);
}

typedef struct {
  gd_stage_env *env;
  gd_extract *x;
} counter;

static gd_status count_reading(void *context, const gd_frame_reading *reading,
                               const char *video_id)
{
  const counter *c = context;
  const int64_t v = gd_video_table_find(c->x->videos, reading->video);
  if (v < 0)
    return gd_fail(GD_ERR_FORMAT, "video %" PRId32 " is not in the corpus",
                   reading->video);
  gd_extract_row *row = &c->x->rows[v];
  row->n_decoded += reading->n_decoded;
  row->n_kept += reading->n_kept;
  row->n_damaged += reading->n_damaged;
  row->n_lost += reading->n_lost;
  gd_stage_count(c->env, "frames", reading->n_kept);
  gd_stage_count(c->env, "damaged", reading->n_damaged);
  gd_stage_count(c->env, "decoded", reading->n_decoded);
  gd_stage_count(c->env, "lost", reading->n_lost);
  if (!row->is_counted)
    gd_stage_count(c->env, "videos", row->is_counted = 1);
  if (reading->note[0] != '\0')
    gd_log(GD_LOG_WARNING, "%s: %s", video_id, reading->note);
  return add_note(row, reading->note);
}

gd_status gd_extract_count_shard(void *context, gd_stage_env *env, int64_t unit,
                                 const char *path)
{
  counter c = {.env = env, .x = context};
  (void)unit;
  gd_status st = gd_frame_shard_readings(path, count_reading, &c);
  return st == GD_OK ? note_all(context, path) : st;
}

/* --------------------------------------------------------------------- writing
 */

/* Is something missing that the file says is there? */
static int is_partial(const gd_extract_row *row, const gd_video_index *index)
{
  return row->is_skipped || row->n_lost > 0 || row->n_damaged > 0 ||
         (index->warning[0] != '\0' && index->n_announced > index->n_frames);
}

/* How many frames can the stages that follow use? */
static int64_t count_usable(const gd_extract *x, const gd_extract_row *row)
{
  return row->n_kept - (x->parameters.keeps_damaged ? 0 : row->n_damaged);
}

/* A video that was read well and still gives nothing is in no store as skipped,
 * or in no shard at all: that it is lost is only known here. */
static gd_status skip_empty(gd_stage_env *env, gd_extract *x, int64_t v,
                            const gd_video_index *index, int64_t n_wanted)
{
  const gd_extract_row *row = &x->rows[v];
  gd_text reason = {0};
  if (row->is_skipped || count_usable(x, row) > 0)
    return GD_OK;
  gd_text_printf(&reason,
                 "%s: no frame of it can be used: of %" PRId64
                 " frames, sampling chose %" PRId64 ", %" PRId64
                 " came out, %" PRId64 " of them damaged",
                 index->path, index->n_frames, n_wanted, row->n_kept,
                 row->n_damaged);
  gd_status st = gd_text_status(&reason);
  if (st == GD_OK)
    st = gd_stage_skip(env, x->corpus->videos[v].id, gd_text_get(&reason));
  if (st == GD_OK)
    st = note_skipped(x, v, gd_text_get(&reason));
  gd_text_free(&reason);
  return st;
}

static gd_status compose_row(gd_stage_env *env, gd_extract *x, int64_t v)
{
  const gd_video *video = &x->corpus->videos[v];
  gd_extract_row *row = &x->rows[v];
  gd_video_index *index;
  int64_t *frames = NULL, n_wanted = 0;
  gd_status st = gd_index_store_find(x->indices, video->id, video->path,
                                     &x->corpus->fingerprints[v], &index, NULL);
  gd_text_csv(&row->line, video->id);
  if (st == GD_OK && index != NULL)
    st = gd_extraction_select(&x->parameters.sampling, index, &frames,
                              &n_wanted);
  if (st == GD_OK && index != NULL)
    st = skip_empty(env, x, v, index, n_wanted);
  if (st == GD_OK && index != NULL) {
    const int is_part = is_partial(row, index);
    const int is_used = count_usable(x, row) > 0;
    st = add_note(row, index->warning);
    gd_stage_count(env, "wanted", n_wanted);
    gd_stage_count(env, "partial", is_part && is_used);
    gd_text_printf(&row->line, ",%s,%s,%s,%d,%d,%.6g,%.3f",
                   !is_part  ? "ok"
                   : is_used ? "partial"
                             : "skipped",
                   index->codec, index->container, index->width_px,
                   index->height_px, index->fps, index->duration_s);
    gd_text_printf(&row->line, ",%" PRId64 ",%" PRId64 ",%" PRId64,
                   index->n_announced, index->n_frames, n_wanted);
    gd_text_printf(&row->line,
                   ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",",
                   row->n_decoded, row->n_kept, row->n_damaged, row->n_lost);
  } else {
    gd_text_add(&row->line, ",skipped,,,,,,,,,,,,,,");
  }
  gd_text_csv(&row->line, gd_text_get(&row->note));
  gd_text_add(&row->line, "\n");
  free(frames);
  gd_video_index_free(index);
  return st == GD_OK ? gd_text_status(&row->line) : st;
}

gd_status gd_extract_list(gd_stage_env *env, gd_extract *x)
{
  gd_status st = GD_OK;
  gd_text table = {0};
  char path[GD_PATH_MAX];
  /* By file of the index store, each of which is opened once. */
  for (int64_t i = 0; st == GD_OK && i < x->corpus->n_videos; i++) {
    st = compose_row(env, x, x->order[i]);
    if (st == GD_OK)
      st = gd_stage_tick(env, 0);
  }
  gd_text_add(&table, HEADER);
  for (int64_t v = 0; st == GD_OK && v < x->corpus->n_videos; v++)
    gd_text_add(&table, gd_text_get(&x->rows[v].line));
  if (st == GD_OK)
    st = gd_text_status(&table);
  if (st == GD_OK)
    st = gd_stage_path(env, "videos.csv", path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&table), table.length_bytes);
  gd_text_free(&table);
  return st;
}
