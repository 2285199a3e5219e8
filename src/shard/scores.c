#include "gradus/scores.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/store.h"

#define FORMAT "gradus-scores"
enum { VERSION = 2, CHUNK_BYTES = 64 * 1024 };

/* ---------------------------------------------------------------- writing */

struct gd_scores_writer {
  gd_store_writer *store;
  gd_scores_info info;
  int32_t last_video;
  int64_t n_videos, n_maps;
};

static const gd_dataset columns[] = {
    {.name = "frame/video", .dtype = GD_I32, .rank = 1},
    {.name = "frame/frame_index", .dtype = GD_I64, .rank = 1},
    {.name = "frame/expected", .dtype = GD_F64, .rank = 1, .unit = "level"},
    {.name = "frame/sigma", .dtype = GD_F64, .rank = 1, .unit = "level"},
    {.name = "video/video", .dtype = GD_I32, .rank = 1},
    {.name = "video/predicted", .dtype = GD_F64, .rank = 1, .unit = "level"},
    {.name = "video/low", .dtype = GD_F64, .rank = 1, .unit = "level"},
    {.name = "video/high", .dtype = GD_F64, .rank = 1, .unit = "level"},
    {.name = "video/within", .dtype = GD_F64, .rank = 1, .unit = "level"},
    {.name = "video/between", .dtype = GD_F64, .rank = 1, .unit = "level"},
    {.name = "video/frames", .dtype = GD_I64, .rank = 1},
};

static gd_dataset distribution_of(const gd_scores_info *info)
{
  return (gd_dataset){.name = "frame/distribution",
                      .dtype = GD_F32,
                      .rank = 2,
                      .dims = {0, info->n_levels}};
}

static gd_dataset map_of(const gd_scores_info *info)
{
  return (gd_dataset){.name = "video/map",
                      .dtype = GD_F32,
                      .rank = 3,
                      .dims = {0, info->map_rows, info->map_columns},
                      .unit = "level"};
}

static gd_status declare(gd_scores_writer *w)
{
  gd_status st = gd_store_set_text(w->store, "partition",
                                   gd_partition_name(w->info.partition));
  if (st == GD_OK)
    st = gd_store_set_text(w->store, "loss", w->info.loss);
  if (st == GD_OK)
    st = gd_store_set_int(w->store, "n_levels", w->info.n_levels);
  if (st == GD_OK)
    st = gd_store_set_text(w->store, "average",
                           gd_average_name(w->info.average));
  if (st == GD_OK)
    st = gd_store_set_real(w->store, "interval", w->info.interval);
  if (st == GD_OK)
    st = gd_store_set_real(w->store, "half_width", w->info.half_width);
  if (st == GD_OK)
    st = gd_store_set_int(w->store, "n_calibration", w->info.n_calibration);
  for (size_t i = 0; st == GD_OK && i < sizeof columns / sizeof *columns; i++)
    st = gd_store_declare(w->store, &columns[i], CHUNK_BYTES);
  if (st == GD_OK && w->info.has_distribution) {
    const gd_dataset d = distribution_of(&w->info);
    st = gd_store_declare(w->store, &d, CHUNK_BYTES);
  }
  if (st == GD_OK && w->info.map_rows > 0) {
    const gd_dataset d = map_of(&w->info);
    st = gd_store_declare(w->store, &d, CHUNK_BYTES);
  }
  return st;
}

gd_status gd_scores_writer_create(const char *path, gd_digest digest,
                                  const gd_scores_info *info,
                                  const gd_video_table *videos,
                                  gd_scores_writer **out)
{
  assert(path != NULL && info != NULL && videos != NULL && out != NULL);
  assert(info->n_levels >= 1);

  *out = NULL;
  gd_scores_writer *w = gd_alloc(1, sizeof *w);
  if (w == NULL)
    return GD_ERR_NOMEM;
  w->info = *info;
  w->last_video = -1;
  gd_status st = gd_store_create(path, FORMAT, VERSION, digest, &w->store);
  if (st == GD_OK)
    st = declare(w);
  if (st == GD_OK)
    st = gd_video_table_write(videos, w->store);
  if (st != GD_OK) {
    gd_scores_writer_abandon(w);
    return st;
  }
  *out = w;
  return GD_OK;
}

static gd_status append_frames(gd_scores_writer *w, int32_t video, int64_t n,
                               const int64_t *frame_index,
                               const double *expected, const double *sigma,
                               const float *distribution)
{
  int32_t *same = gd_alloc(n, sizeof *same);
  if (same == NULL)
    return GD_ERR_NOMEM;
  for (int64_t f = 0; f < n; f++)
    same[f] = video;
  gd_status st = gd_store_append(w->store, "frame/video", n, same);
  free(same);
  if (st == GD_OK)
    st = gd_store_append(w->store, "frame/frame_index", n, frame_index);
  if (st == GD_OK)
    st = gd_store_append(w->store, "frame/expected", n, expected);
  if (st == GD_OK)
    st = gd_store_append(w->store, "frame/sigma", n, sigma);
  if (st == GD_OK && w->info.has_distribution)
    st = gd_store_append(w->store, "frame/distribution", n, distribution);
  return st;
}

/* What is said of a whole video. */
typedef struct {
  double predicted, low, high, within, between;
} summary;

/* Levels outside the scale do not exist: an interval ends with it. */
static gd_status summarise(const gd_scores_info *info, int64_t n,
                           const double *expected, const double *sigma,
                           summary *out)
{
  const double last = info->n_levels - 1;
  double mean, variance = 0, spread = 0;
  gd_status st = gd_average_take(info->average, n, expected, &out->predicted);
  if (st == GD_OK)
    st = gd_average_take(GD_AVERAGE_MEAN, n, expected, &mean);
  if (st != GD_OK)
    return st;
  for (int64_t f = 0; f < n; f++) {
    variance += sigma[f] * sigma[f];
    spread += (expected[f] - mean) * (expected[f] - mean);
  }
  out->within = sqrt(variance / (double)n);
  out->between = sqrt(spread / (double)n);
  out->low = out->high = NAN;
  if (info->interval > 0) {
    out->low = fmin(last, fmax(0, out->predicted - info->half_width));
    out->high = fmin(last, fmax(0, out->predicted + info->half_width));
  }
  return GD_OK;
}

static gd_status append_summary(gd_scores_writer *w, const summary *s)
{
  const struct {
    const char *name;
    const double *value;
  } of[] = {{"video/predicted", &s->predicted},
            {"video/low", &s->low},
            {"video/high", &s->high},
            {"video/within", &s->within},
            {"video/between", &s->between}};
  gd_status st = GD_OK;
  for (size_t i = 0; st == GD_OK && i < sizeof of / sizeof *of; i++)
    st = gd_store_append(w->store, of[i].name, 1, of[i].value);
  return st;
}

gd_status gd_scores_writer_append(gd_scores_writer *w, int32_t video, int64_t n,
                                  const int64_t *frame_index,
                                  const double *expected, const double *sigma,
                                  const float *distribution)
{
  assert(w != NULL && n >= 1 && video > w->last_video);
  assert((distribution != NULL) == (w->info.has_distribution != 0));

  summary s;
  w->last_video = video;
  w->n_videos++;
  gd_status st = summarise(&w->info, n, expected, sigma, &s);
  if (st == GD_OK)
    st = append_frames(w, video, n, frame_index, expected, sigma, distribution);
  if (st == GD_OK)
    st = gd_store_append(w->store, "video/video", 1, &video);
  if (st == GD_OK)
    st = append_summary(w, &s);
  if (st == GD_OK)
    st = gd_store_append(w->store, "video/frames", 1, &n);
  return st;
}

gd_status gd_scores_writer_map(gd_scores_writer *w, const float *map)
{
  assert(w != NULL && map != NULL && w->info.map_rows > 0);
  w->n_maps++;
  assert(w->n_maps == w->n_videos);
  return gd_store_append(w->store, "video/map", 1, map);
}

gd_status gd_scores_writer_commit(gd_scores_writer *w)
{
  assert(w != NULL && (w->info.map_rows == 0 || w->n_maps == w->n_videos));
  const gd_status st = gd_store_commit(w->store);
  free(w);
  return st;
}

void gd_scores_writer_abandon(gd_scores_writer *w)
{
  if (w == NULL)
    return;
  gd_store_abandon(w->store);
  free(w);
}

/* ---------------------------------------------------------------- reading */

/* Read a whole dataset of `like`'s type into new memory; dims[0] of `like` is
 * set to its rows. */
static gd_status read_all(gd_store *store, gd_dataset *like, void *out)
{
  void **memory = out;
  gd_dataset found;
  gd_status st = gd_store_describe(store, like->name, &found);
  if (st != GD_OK)
    return st;
  like->dims[0] = found.dims[0];
  *memory = gd_alloc(like->dims[0], gd_dataset_row_bytes(like));
  if (*memory == NULL)
    return GD_ERR_NOMEM;
  return gd_store_read(store, like, 0, like->dims[0], *memory);
}

static gd_status read_column(gd_store *store, const char *name, gd_dtype dtype,
                             int64_t n_expected, void *out)
{
  gd_dataset like = {.name = name, .dtype = dtype, .rank = 1};
  gd_status st = read_all(store, &like, out);
  if (st == GD_OK && like.dims[0] != n_expected)
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: /%s has %" PRId64 " rows, expected %" PRId64
                 ": the file is damaged, make it again",
                 gd_store_path(store), name, like.dims[0], n_expected);
  return st;
}

static gd_status read_interval(gd_store *store, gd_scores_info *info)
{
  char average[16];
  gd_status st = gd_store_get_text(store, "average", average, sizeof average);
  if (st == GD_OK)
    st = gd_average_of(average, &info->average);
  if (st == GD_OK)
    st = gd_store_get_real(store, "interval", &info->interval);
  if (st == GD_OK)
    st = gd_store_get_real(store, "half_width", &info->half_width);
  if (st == GD_OK)
    st = gd_store_get_int(store, "n_calibration", &info->n_calibration);
  return st;
}

static gd_status read_info(gd_store *store, gd_scores_info *info)
{
  char partition[16];
  int64_t n_levels = 0;
  gd_status st =
      gd_store_get_text(store, "partition", partition, sizeof partition);
  if (st == GD_OK)
    st = gd_partition_of(partition, &info->partition);
  if (st == GD_OK)
    st = gd_store_get_text(store, "loss", info->loss, sizeof info->loss);
  if (st == GD_OK)
    st = gd_store_get_int(store, "n_levels", &n_levels);
  if (st == GD_OK && (n_levels < 1 || n_levels > INT32_MAX))
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: n_levels is %" PRId64 ", expected 1 or more",
                 gd_store_path(store), n_levels);
  if (st == GD_OK)
    st = read_interval(store, info);
  info->n_levels = (int)n_levels;
  info->has_distribution = gd_store_has(store, "frame/distribution");
  return st;
}

static gd_status read_frames(gd_store *store, gd_scores *s)
{
  gd_status st = read_column(store, "frame/frame_index", GD_I64, s->n_frames,
                             &s->frame_index);
  if (st == GD_OK)
    st =
        read_column(store, "frame/expected", GD_F64, s->n_frames, &s->expected);
  if (st == GD_OK)
    st = read_column(store, "frame/sigma", GD_F64, s->n_frames, &s->sigma);
  if (st == GD_OK && s->info.has_distribution) {
    gd_dataset like = distribution_of(&s->info);
    st = read_all(store, &like, &s->distribution);
    if (st == GD_OK && like.dims[0] != s->n_frames)
      st = gd_fail(GD_ERR_FORMAT,
                   "%s: /frame/distribution has %" PRId64
                   " rows, expected %" PRId64,
                   gd_store_path(store), like.dims[0], s->n_frames);
  }
  return st;
}

/* Rows of the table of videos, and where each video's frames begin. */
static gd_status link_videos(const char *path, gd_scores *s,
                             const int32_t *video, const int64_t *frames)
{
  s->row = gd_alloc(s->n_videos, sizeof *s->row);
  s->first_frame = gd_alloc(s->n_videos + 1, sizeof *s->first_frame);
  if (s->row == NULL || s->first_frame == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < s->n_videos; v++) {
    s->row[v] = gd_video_table_find(s->videos, video[v]);
    if (s->row[v] < 0 || frames[v] < 1 ||
        frames[v] > INT64_MAX - s->first_frame[v])
      return gd_fail(GD_ERR_FORMAT,
                     "%s: video %" PRId32 " with %" PRId64
                     " frames is not in its table of videos, or has no frames",
                     path, video[v], frames[v]);
    s->first_frame[v + 1] = s->first_frame[v] + frames[v];
  }
  s->n_frames = s->first_frame[s->n_videos];
  return GD_OK;
}

static gd_status read_summaries(gd_store *store, gd_scores *s)
{
  const struct {
    const char *name;
    double **to;
  } of[] = {{"video/predicted", &s->predicted},
            {"video/low", &s->low},
            {"video/high", &s->high},
            {"video/within", &s->within},
            {"video/between", &s->between}};
  gd_status st = GD_OK;
  for (size_t i = 0; st == GD_OK && i < sizeof of / sizeof *of; i++)
    st = read_column(store, of[i].name, GD_F64, s->n_videos, of[i].to);
  return st;
}

static gd_status read_maps(gd_store *store, gd_scores *s)
{
  gd_dataset found;
  if (!gd_store_has(store, "video/map"))
    return GD_OK;
  gd_status st = gd_store_describe(store, "video/map", &found);
  if (st != GD_OK)
    return st;
  if (found.rank != 3 || found.dims[0] != s->n_videos || found.dims[1] < 1 ||
      found.dims[1] > GD_SCORES_MAP_SIDE || found.dims[2] < 1 ||
      found.dims[2] > GD_SCORES_MAP_SIDE)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: /video/map has no row of 1 to %d by 1 to %d numbers "
                   "for each of %" PRId64 " videos: make the file again",
                   gd_store_path(store), GD_SCORES_MAP_SIDE, GD_SCORES_MAP_SIDE,
                   s->n_videos);
  s->info.map_rows = (int)found.dims[1];
  s->info.map_columns = (int)found.dims[2];
  gd_dataset like = map_of(&s->info);
  return read_all(store, &like, &s->map);
}

static gd_status read_videos(gd_store *store, gd_scores *s)
{
  int32_t *video = NULL;
  int64_t *frames = NULL;
  gd_dataset like = {.name = "video/video", .dtype = GD_I32, .rank = 1};
  gd_status st = gd_video_table_read(store, &s->videos);
  if (st == GD_OK)
    st = read_all(store, &like, &video);
  s->n_videos = like.dims[0];
  if (st == GD_OK)
    st = read_column(store, "video/frames", GD_I64, s->n_videos, &frames);
  if (st == GD_OK)
    st = read_summaries(store, s);
  if (st == GD_OK)
    st = read_maps(store, s);
  if (st == GD_OK)
    st = link_videos(gd_store_path(store), s, video, frames);
  free(video);
  free(frames);
  return st;
}

static gd_status read_file(const char *path, int with_frames, gd_scores **out)
{
  assert(path != NULL && out != NULL);

  *out = NULL;
  gd_store *store = NULL;
  gd_scores *s = gd_alloc(1, sizeof *s);
  if (s == NULL)
    return GD_ERR_NOMEM;
  gd_status st = gd_store_open(path, FORMAT, VERSION, &store);
  if (st == GD_OK)
    st = read_info(store, &s->info);
  if (st == GD_OK)
    st = read_videos(store, s);
  if (st == GD_OK && with_frames)
    st = read_frames(store, s);
  gd_store_close(store);
  if (st != GD_OK) {
    gd_scores_free(s);
    return st;
  }
  *out = s;
  return GD_OK;
}

gd_status gd_scores_read(const char *path, gd_scores **out)
{
  return read_file(path, 1, out);
}

gd_status gd_scores_read_videos(const char *path, gd_scores **out)
{
  return read_file(path, 0, out);
}

void gd_scores_free(gd_scores *s)
{
  if (s == NULL)
    return;
  gd_video_table_free(s->videos);
  free(s->row);
  free(s->predicted);
  free(s->low);
  free(s->high);
  free(s->within);
  free(s->between);
  free(s->map);
  free(s->first_frame);
  free(s->frame_index);
  free(s->expected);
  free(s->sigma);
  free(s->distribution);
  free(s);
}

const gd_video *gd_scores_video(const gd_scores *s, int64_t v)
{
  assert(s != NULL && v >= 0 && v < s->n_videos);
  return &s->videos->videos[s->row[v]];
}

static void add_field(gd_text *out, double value)
{
  if (isfinite(value))
    gd_text_printf(out, ",%.6f", value);
  else
    gd_text_add(out, ",");
}

void gd_scores_csv(const gd_scores *s, gd_text *out)
{
  assert(s != NULL && out != NULL);

  gd_text_add(out, "video,task,subject,partition,label,predicted,low,high,"
                   "within,between,frames\n");
  for (int64_t v = 0; v < s->n_videos; v++) {
    const gd_video *video = gd_scores_video(s, v);
    gd_text_csv(out, video->id);
    gd_text_add(out, ",");
    gd_text_csv(out, video->task);
    gd_text_add(out, ",");
    gd_text_csv(out, video->subject);
    gd_text_printf(out, ",%s", gd_partition_name(video->partition));
    add_field(out, video->label);
    add_field(out, s->predicted[v]);
    add_field(out, s->low[v]);
    add_field(out, s->high[v]);
    add_field(out, s->within[v]);
    add_field(out, s->between[v]);
    gd_text_printf(out, ",%" PRId64 "\n",
                   s->first_frame[v + 1] - s->first_frame[v]);
  }
}
