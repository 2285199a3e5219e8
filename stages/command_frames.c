/* gradus frames -- list the frames of shards, and write them as images. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "gradus/file.h"
#include "gradus/frames.h"
#include "gradus/image.h"
#include "gradus/run.h"

static const gd_option options[] = {
    {"--png", "DIR", GD_OPTION_ONCE,
     "Write each listed frame into DIR: VIDEO-FRAME.png."},
    {"--first", "N", GD_OPTION_ONCE,
     "Begin with the N-th frame, from 0 (default 0)."},
    {"--count", "N", GD_OPTION_ONCE, "List at most N frames (default: all)."},
};

typedef struct {
  const char *directory; /* for images; NULL: none */
  int64_t skip, left;    /* frames until the first; frames still to list */
  gd_image image;
} job;

static gd_status read_number(const gd_arguments *a, const char *name,
                             int64_t *number)
{
  const char *text = gd_arguments_value(a, name);
  if (text == NULL)
    return GD_OK;
  char *end;
  errno = 0;
  *number = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || *number < 0)
    return gd_fail(GD_ERR_USAGE, "%s: expected a whole number, got '%s'", name,
                   text);
  return GD_OK;
}

/* A file's name of a video's id; the index tells those apart that only differ
 * in characters that no file name should have. */
static void name_image(const gd_video_table *videos, int64_t v,
                       int64_t frame_index, char out[GD_PATH_MAX])
{
  char id[GD_PATH_MAX / 2];
  snprintf(id, sizeof id, "%s", videos->videos[v].id);
  for (char *c = id; *c != '\0'; c++)
    if (strchr("/\\ \t\n", *c) != NULL || (c == id && *c == '.'))
      *c = '_';
  const int is_same = strcmp(id, videos->videos[v].id) == 0;
  if (is_same)
    snprintf(out, GD_PATH_MAX, "%s-%06" PRId64 ".png", id, frame_index);
  else
    snprintf(out, GD_PATH_MAX, "%s-%d-%06" PRId64 ".png", id, videos->index[v],
             frame_index);
}

static gd_status write_image(job *j, gd_frame_set *s, int64_t v, int64_t i)
{
  char name[GD_PATH_MAX], path[GD_PATH_MAX];
  const gd_frame_info info = gd_frame_set_info(s, v, i);
  gd_status st = GD_OK;
  if (info.width_px != j->image.width_px ||
      info.height_px != j->image.height_px) {
    gd_image_free(&j->image);
    st = gd_image_new(info.width_px, info.height_px, &j->image);
  }
  if (st == GD_OK)
    st = gd_frame_set_read(s, v, i, j->image.rgb);
  name_image(gd_frame_set_videos(s), v, info.frame_index, name);
  if (st == GD_OK)
    st = gd_path_join(j->directory, name, path);
  return st == GD_OK ? gd_image_write_png(path, &j->image) : st;
}

static gd_status list_video(job *j, gd_frame_set *s, int64_t v, gd_text *rows)
{
  const gd_video *video = &gd_frame_set_videos(s)->videos[v];
  const int64_t n = gd_frame_set_n_frames(s, v);
  int64_t i = j->skip < n ? j->skip : n;
  gd_status st = GD_OK;
  j->skip -= i;
  for (; st == GD_OK && i < n && j->left > 0; i++, j->left--) {
    const gd_frame_info info = gd_frame_set_info(s, v, i);
    gd_text_csv(rows, video->id);
    gd_text_printf(rows, ",%" PRId64 ",%.6f,%s\n", info.frame_index,
                   info.time_s,
                   info.status == GD_FRAME_WHOLE ? "whole" : "damaged");
    if (j->directory != NULL)
      st = write_image(j, s, v, i);
  }
  return st;
}

static gd_status list_set(job *j, const char *path)
{
  gd_frame_set *s;
  gd_status st = gd_frame_set_open(path, GD_FRAMES_ALL, &s);
  if (st != GD_OK)
    return st;
  const int64_t n = gd_frame_set_videos(s)->n_videos;
  for (int64_t v = 0; st == GD_OK && v < n && j->left > 0; v++) {
    gd_text rows = {0};
    st = list_video(j, s, v, &rows);
    if (gd_command_print(&rows) != GD_EXIT_DONE && st == GD_OK)
      st = GD_ERR_IO;
  }
  gd_frame_set_close(s);
  return st;
}

static int run(const gd_arguments *a)
{
  job j = {.directory = gd_arguments_value(a, "--png"), .left = INT64_MAX};
  gd_text head = {0};
  gd_status st = read_number(a, "--first", &j.skip);
  if (st == GD_OK)
    st = read_number(a, "--count", &j.left);
  if (st == GD_OK && j.directory != NULL)
    st = gd_directory_make(j.directory);
  if (st != GD_OK)
    return gd_command_failed(st);
  gd_text_add(&head, "video,frame,time_s,status\n");
  const int code = gd_command_print(&head);
  if (code != GD_EXIT_DONE)
    return code;
  for (int i = 0; st == GD_OK && i < gd_arguments_n_operands(a); i++)
    st = list_set(&j, gd_arguments_operand(a, i));
  gd_image_free(&j.image);
  return st == GD_OK ? GD_EXIT_DONE : gd_command_failed(st);
}

const gd_command gd_command_frames = {
    .name = "frames",
    .operands = "SHARD...",
    .least = 1,
    .most = -1,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "list extracted frames, or write them as PNG",
    .details =
        "SHARD is a file frames-NNNNN.h5, or the directory of an extract\n"
        "stage. One line for each frame: its video, its number in\n"
        "presentation order from 0, its time in seconds, and whether it is\n"
        "whole or damaged. Images show frames as displayed, whatever the\n"
        "store: colour, turn and pixel shape applied. They are private to the\n"
        "user (mode 0600). Damaged frames are listed even where later stages\n"
        "do not use them.\n",
    .run = run,
};
