#include "gradus/synth.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/canvas.h"
#include "gradus/encoder.h"
#include "gradus/memory.h"
#include "gradus/random.h"
#include "gradus/text.h"
#include "portrait.h"

/* Of the subjects, in order: the rest is for testing. */
static const double TRAIN_SHARE = 0.60, DEV_SHARE = 0.15;

static const char *const TASKS[] = {"Freeform", "Northwind"};

gd_synth gd_synth_default(void)
{
  return (gd_synth){.seed = 1,
                    .layout = "table",
                    .n_subjects = 36,
                    .n_sessions = 3,
                    .n_levels = 64,
                    .seconds = 3.0,
                    .fps = 25.0,
                    .width_px = 192,
                    .height_px = 160};
}

static int is_table(const gd_synth *s)
{
  return strcmp(s->layout, "table") == 0;
}

static int tasks_of(const gd_synth *s)
{
  return strcmp(s->layout, "avec2014") == 0 ? 2 : 1;
}

/* One row of gd_synth_check(): a value and where it has to be. */
static gd_status check_value(const char *name, double value, double low,
                             double high)
{
  if (value >= low && value <= high)
    return GD_OK;
  return gd_fail(GD_ERR_USAGE, "synth: %s is %g: must be %g to %g", name, value,
                 low, high);
}

gd_status gd_synth_check(const gd_synth *s)
{
  assert(s != NULL && s->layout != NULL);

  if (!is_table(s) && strcmp(s->layout, "avec2013") != 0 &&
      strcmp(s->layout, "avec2014") != 0)
    return gd_fail(GD_ERR_USAGE,
                   "synth: layout is \"%s\": must be table, avec2013 or "
                   "avec2014",
                   s->layout);
  gd_status st = check_value("subjects", s->n_subjects, 3, 999);
  if (st == GD_OK)
    st = check_value("sessions", s->n_sessions, 1, 9);
  if (st == GD_OK)
    st = check_value("levels", s->n_levels, 2, 1000);
  if (st == GD_OK)
    st = check_value("seconds", s->seconds, 0.2, 3600);
  if (st == GD_OK)
    st = check_value("fps", s->fps, 1, 240);
  if (st == GD_OK)
    st = check_value("width", s->width_px, 64, 4096);
  if (st == GD_OK)
    st = check_value("height", s->height_px, 64, 4096);
  if (st == GD_OK && (s->width_px % 2 != 0 || s->height_px % 2 != 0))
    st = gd_fail(GD_ERR_USAGE, "synth: %d x %d pixels: must be even",
                 s->width_px, s->height_px);
  if (st == GD_OK)
    st = check_value("label_noise", s->label_noise, 0, 1000);
  return st;
}

int64_t gd_synth_count(const gd_synth *s)
{
  return (int64_t)s->n_subjects * s->n_sessions * tasks_of(s);
}

int64_t gd_synth_frames(const gd_synth *s)
{
  const int64_t n = (int64_t)floor(s->seconds * s->fps + 0.5);
  return n < 1 ? 1 : n;
}

/* First subject of a partition; at least one subject each. */
static int first_subject(const gd_synth *s, gd_partition p)
{
  const int n = s->n_subjects;
  int dev = (int)floor(TRAIN_SHARE * n + 0.5);
  dev = dev > n - 2 ? n - 2 : dev;
  int test = (int)floor((TRAIN_SHARE + DEV_SHARE) * n + 0.5);
  test = test > n - 1 ? n - 1 : test <= dev ? dev + 1 : test;
  return p == GD_TRAIN ? 0 : p == GD_DEV ? dev : test;
}

/* The level at share u of the corpus, 0 <= u < 1: low levels are more common,
 * as in questionnaires, with the density 1.6 - 1.2 x over the scale. */
static int level_at(double u, int n_levels)
{
  const double x = (1.6 - sqrt(2.56 - 2.4 * u)) / 1.2;
  const int level = (int)(x * n_levels);
  return level >= n_levels ? n_levels - 1 : level;
}

/* What a questionnaire would say of a session at some level. */
static int label_of(const gd_synth *s, int64_t session, int level)
{
  gd_random r = gd_random_of(s->seed, GD_FOR_SYNTH, GD_SYNTH_LABEL, session);
  const double label = floor(
      level + (s->label_noise > 0 ? s->label_noise * gd_random_normal(&r) : 0) +
      0.5);
  return (int)fmin(fmax(label, 0), s->n_levels - 1);
}

gd_synth_item gd_synth_item_of(const gd_synth *s, int64_t index)
{
  assert(s != NULL && index >= 0 && index < gd_synth_count(s));

  const int n_tasks = tasks_of(s);
  gd_synth_item item = {.index = index};
  item.task = (int)(index % n_tasks);
  const int64_t session = index / n_tasks;
  item.session = (int)(session % s->n_sessions);
  item.subject = (int)(session / s->n_sessions);
  item.partition = item.subject >= first_subject(s, GD_TEST)  ? GD_TEST
                   : item.subject >= first_subject(s, GD_DEV) ? GD_DEV
                                                              : GD_TRAIN;
  /* Steps of the golden ratio from a random start: however few sessions a
   * partition has, they cover the scale evenly. */
  gd_random r =
      gd_random_of(s->seed, GD_FOR_SYNTH, GD_SYNTH_LEVEL, item.partition);
  const int64_t first =
      (int64_t)first_subject(s, item.partition) * s->n_sessions;
  const double u =
      gd_random_uniform(&r) + 0.61803398874989485 * (double)(session - first);
  item.level = level_at(u - floor(u), s->n_levels);
  item.label = label_of(s, session, item.level);
  return item;
}

void gd_synth_name(const gd_synth *s, const gd_synth_item *item,
                   char out[GD_PATH_MAX])
{
  static const char *const folders[GD_N_PARTITIONS] = {
      "Training", "Development", "Testing"};
  const char *folder = folders[item->partition];
  const int subject = item->subject + 1, session = item->session + 1;
  if (is_table(s))
    snprintf(out, GD_PATH_MAX, "videos/s%03d_%d.avi", subject, session);
  else if (tasks_of(s) == 1)
    snprintf(out, GD_PATH_MAX, "%s/%03d_%d_cut_combined.mp4", folder, subject,
             session);
  else
    snprintf(out, GD_PATH_MAX, "%s/%s/%03d_%d_%s_video.mp4", folder,
             TASKS[item->task], subject, session, TASKS[item->task]);
}

/* What a camera does to a picture: gain, a slow change of the light, noise. */
static void expose(const gd_synth *s, const gd_synth_item *item,
                   const gd_room *room, int64_t frame, uint8_t *rgb)
{
  const gd_random noise =
      gd_random_of(s->seed, GD_FOR_SYNTH, GD_SYNTH_NOISE, item->index);
  const double time_s = (double)frame / s->fps;
  const double light =
      1.0 + room->flicker * sin(6.2831853 * room->flicker_hz * time_s +
                                room->flicker_phase);
  /* The sum of four bytes has the deviation 147.8. */
  const float deviation = (float)(room->noise / 147.8);
  const float gain[3] = {(float)(light * room->gain[0]),
                         (float)(light * room->gain[1]),
                         (float)(light * room->gain[2])};
  const int64_t n = (int64_t)s->width_px * s->height_px;
  uint64_t next = gd_random_mix(noise.start + (uint64_t)frame);
  for (int64_t i = 0; i < n; i++, rgb += 3) {
    const uint64_t bits = gd_random_mix(next++);
    const float grey =
        deviation *
        (float)((int)(bits & 255) + (int)(bits >> 8 & 255) +
                (int)(bits >> 16 & 255) + (int)(bits >> 24 & 255) - 510);
    for (int k = 0; k < 3; k++) {
      const float own =
          deviation * (float)((int)(bits >> (32 + 8 * k) & 255) - 128);
      const float value = gain[k] * (float)rgb[k] + grey + own;
      rgb[k] = value <= 0.0f ? 0 : value >= 255.0f ? 255 : (uint8_t)value;
    }
  }
}

/* The frame of an item on a canvas of its size. */
static gd_status draw_frame(const gd_synth *s, const gd_synth_item *item,
                            int64_t frame, gd_canvas *c, uint8_t *rgb,
                            double points[GD_SYNTH_POINTS][2])
{
  const gd_look look = gd_look_of(s->seed, item->subject);
  const gd_room room = gd_room_of(
      s->seed, (int64_t)item->subject * s->n_sessions + item->session);
  const double sad = (double)item->level / (double)(s->n_levels - 1);
  const gd_pose pose =
      gd_pose_of(s->seed, item->index, &look, sad, (double)frame / s->fps);
  gd_portrait_draw(c, &look, &room, &pose, points);
  const gd_status st = gd_canvas_rgb(c, rgb);
  if (st == GD_OK)
    expose(s, item, &room, frame, rgb);
  return st;
}

gd_status gd_synth_draw(const gd_synth *s, const gd_synth_item *item,
                        int64_t frame, uint8_t *rgb,
                        double points[GD_SYNTH_POINTS][2])
{
  assert(s != NULL && item != NULL && frame >= 0 && rgb != NULL);

  gd_canvas *c;
  gd_status st = gd_canvas_new(GD_CANVAS_PIXELS, s->width_px, s->height_px, &c);
  if (st != GD_OK)
    return st;
  st = draw_frame(s, item, frame, c, rgb, points);
  gd_canvas_free(c);
  return st;
}

void gd_synth_face(double points[GD_SYNTH_POINTS][2], gd_face *out)
{
  static const int first[GD_N_LANDMARKS] = {36, 42, 30, 48, 54};
  static const int count[GD_N_LANDMARKS] = {6, 6, 1, 1, 1};
  assert(points != NULL && out != NULL);
  *out = (gd_face){.confidence = 1};
  for (int k = 0; k < 2; k++) {
    double low = points[0][k], high = points[0][k];
    for (int i = 1; i < GD_SYNTH_POINTS; i++) {
      low = fmin(low, points[i][k]);
      high = fmax(high, points[i][k]);
    }
    out->box[k] = (float)low;
    out->box[2 + k] = (float)high;
    for (int j = 0; j < GD_N_LANDMARKS; j++) {
      double sum = 0.0;
      for (int i = 0; i < count[j]; i++)
        sum += points[first[j] + i][k];
      out->landmarks[j][k] = (float)(sum / count[j]);
    }
  }
}

static void add_landmark_header(gd_text *csv)
{
  gd_text_add(csv, "frame, face_id, timestamp, confidence, success");
  for (int axis = 0; axis < 2; axis++)
    for (int i = 0; i < GD_SYNTH_POINTS; i++)
      gd_text_printf(csv, ", %c_%d", "xy"[axis], i);
  gd_text_add(csv, "\n");
}

static void add_landmarks(gd_text *csv, int64_t frame, double time_s,
                          double points[GD_SYNTH_POINTS][2])
{
  gd_text_printf(csv, "%" PRId64 ", 0, %.3f, 0.98, 1", frame + 1, time_s);
  for (int axis = 0; axis < 2; axis++)
    for (int i = 0; i < GD_SYNTH_POINTS; i++)
      gd_text_printf(csv, ", %.2f", points[i][axis]);
  gd_text_add(csv, "\n");
}

/* Replace the four characters of the extension. */
static void with_extension(char path[GD_PATH_MAX], const char *extension)
{
  const size_t length = strlen(path);
  memcpy(path + length - 4, extension, strlen(extension) + 1);
}

static gd_status make_parent(const char *path)
{
  char parent[GD_PATH_MAX];
  const int length = (int)(gd_path_base(path) - path) - 1;
  snprintf(parent, sizeof parent, "%.*s", length, path);
  return gd_directory_make(parent);
}

/* Draw all frames into the encoder, their landmarks into the CSV. */
static gd_status film(const gd_synth *s, const gd_synth_item *item,
                      gd_encoder *e, gd_text *csv,
                      gd_status (*tick)(void *context), void *context)
{
  gd_canvas *c = NULL;
  gd_status st = gd_canvas_new(GD_CANVAS_PIXELS, s->width_px, s->height_px, &c);
  uint8_t *rgb = gd_alloc((int64_t)s->width_px * s->height_px, 3);
  if (st == GD_OK && rgb == NULL)
    st = GD_ERR_NOMEM;
  const int64_t n = gd_synth_frames(s);
  for (int64_t i = 0; st == GD_OK && i < n; i++) {
    double points[GD_SYNTH_POINTS][2];
    if (tick != NULL && (st = tick(context)) != GD_OK)
      break;
    st = draw_frame(s, item, i, c, rgb, points);
    if (st == GD_OK)
      st = gd_encoder_append(e, rgb);
    add_landmarks(csv, i, (double)i / s->fps, points);
  }
  free(rgb);
  gd_canvas_free(c);
  return st;
}

gd_status gd_synth_video(const gd_synth *s, int64_t index, const char *root,
                         gd_status (*tick)(void *context), void *context)
{
  assert(s != NULL && root != NULL);

  const gd_synth_item item = gd_synth_item_of(s, index);
  char name[GD_PATH_MAX], path[GD_PATH_MAX];
  gd_text csv = {0};
  gd_encoder *e = NULL;
  gd_synth_name(s, &item, name);
  gd_status st = gd_path_join(root, name, path);
  if (st == GD_OK)
    st = make_parent(path);
  if (st == GD_OK)
    st = gd_encoder_create(path,
                           (gd_encoding){.width_px = s->width_px,
                                         .height_px = s->height_px,
                                         .fps = s->fps},
                           &e);
  add_landmark_header(&csv);
  if (st == GD_OK)
    st = film(s, &item, e, &csv, tick, context);
  if (st == GD_OK)
    st = gd_text_status(&csv);
  /* Landmarks first: a video that is there has them. */
  char beside[GD_PATH_MAX];
  if (st == GD_OK) {
    memcpy(beside, path, sizeof beside);
    with_extension(beside, ".csv");
    st = gd_file_write(beside, gd_text_get(&csv), csv.length_bytes);
  }
  if (st == GD_OK)
    st = gd_encoder_commit(e);
  else
    gd_encoder_abandon(e);
  gd_text_free(&csv);
  return st;
}

static gd_status write_table(const gd_synth *s, const char *root)
{
  char path[GD_PATH_MAX];
  gd_text csv = {0};
  gd_text_add(&csv, "video,label,subject,partition,task\n");
  const int64_t n = gd_synth_count(s);
  for (int64_t i = 0; i < n; i++) {
    const gd_synth_item item = gd_synth_item_of(s, i);
    char name[GD_PATH_MAX];
    gd_synth_name(s, &item, name);
    gd_text_printf(&csv, "%s,%d,s%03d,%s,talk\n", name, item.label,
                   item.subject + 1, gd_partition_name(item.partition));
  }
  gd_status st = gd_text_status(&csv);
  if (st == GD_OK)
    st = gd_path_join(root, "labels.csv", path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&csv), csv.length_bytes);
  gd_text_free(&csv);
  return st;
}

/* One file per session, a bare number, as the AVEC corpora have them. */
static gd_status write_sessions(const gd_synth *s, const char *root)
{
  static const char *const folders[GD_N_PARTITIONS] = {
      "Training_DepressionLabels", "Development_DepressionLabels",
      "Testing_DepressionLabels"};
  const int64_t n = gd_synth_count(s);
  gd_status st = GD_OK;
  for (int64_t i = 0; st == GD_OK && i < n; i += tasks_of(s)) {
    const gd_synth_item item = gd_synth_item_of(s, i);
    char name[256], path[GD_PATH_MAX], number[16];
    snprintf(name, sizeof name, "DepressionLabels/%s/%03d_%d_Depression.csv",
             folders[item.partition], item.subject + 1, item.session + 1);
    const int length = snprintf(number, sizeof number, "%d\r\n", item.label);
    st = gd_path_join(root, name, path);
    if (st == GD_OK)
      st = make_parent(path);
    if (st == GD_OK)
      st = gd_file_write(path, number, (size_t)length);
  }
  return st;
}

gd_status gd_synth_labels(const gd_synth *s, const char *root)
{
  assert(s != NULL && root != NULL);
  gd_status st = gd_directory_make(root);
  if (st != GD_OK)
    return st;
  return is_table(s) ? write_table(s, root) : write_sessions(s, root);
}
