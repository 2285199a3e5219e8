/* track_video WEIGHTS MIN_FACE ROUNDS VIDEO -- how many frames of a video the
 * detector searches in a second of processor time: each one whole, and
 * following the faces as `align` does; consecutive frames, in turns.  Frames
 * are fitted into 640 x 480 pixels, with bars if need be. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gradus/converter.h"
#include "gradus/mtcnn.h"
#include "gradus/tracker.h"
#include "gradus/video_reader.h"

enum { MOST_FRAMES = 300, MOST_ROUNDS = 100, SEARCH_EVERY = 20 };
enum { WIDTH = 640, HEIGHT = 480 };

typedef struct {
  gd_mtcnn *detector;
  gd_image frames[MOST_FRAMES];
  int n, n_whole; /* frames, searches of whole ones */
} video;

static double now_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static gd_status add_frame(video *v, gd_converter *converter,
                           const gd_picture *picture)
{
  gd_image *frame = &v->frames[v->n];
  gd_status st = gd_image_new(WIDTH, HEIGHT, frame);
  if (st != GD_OK)
    return st;
  v->n++;
  return gd_converter_run(converter, picture, frame->rgb);
}

static gd_status read_frames(const char *path, video *v)
{
  const gd_sampling all = {.every = 1};
  gd_video_index *index = NULL;
  gd_video_reader *reader = NULL;
  gd_converter *converter = NULL;
  gd_status st = gd_video_index_read(path, NULL, &index);
  if (st == GD_OK)
    st = gd_video_reader_open(index, &all, NULL, NULL, &reader);
  if (st == GD_OK)
    st = gd_converter_open(WIDTH, HEIGHT, &converter);
  while (st == GD_OK && v->n < MOST_FRAMES) {
    gd_read_step step;
    gd_frame_info info;
    const gd_picture *picture;
    st = gd_video_reader_next(reader, &step, &info, &picture);
    if (st == GD_OK && step != GD_READ_FRAME)
      break;
    if (st == GD_OK)
      st = add_frame(v, converter, picture);
  }
  gd_converter_close(converter);
  gd_video_reader_close(reader);
  gd_video_index_free(index);
  return st;
}

static gd_status search(void *context, int64_t frame, const gd_face *before,
                        int n_before, const gd_face **faces, int *n)
{
  video *v = context;
  v->n_whole += before == NULL;
  return before == NULL
             ? gd_mtcnn_detect(v->detector, &v->frames[frame], faces, n)
             : gd_mtcnn_follow(v->detector, &v->frames[frame], before, n_before,
                               faces, n);
}

/* Search the video, and say how long it took. */
static gd_status time_run(video *v, gd_subject *s, int64_t every,
                          double *seconds)
{
  const gd_tracker_search how = {.search = search, .context = v};
  const double start = now_s();
  v->n_whole = 0;
  gd_subject_clear(s);
  gd_status st = gd_tracker_run(v->n, every, &how, s);
  *seconds = now_s() - start;
  return st;
}

static int by_value(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static gd_status measure(video *v, int rounds)
{
  static double whole[MOST_ROUNDS], followed[MOST_ROUNDS];
  double warm;
  gd_subject *s = NULL;
  gd_status st = gd_subject_new(&s);
  if (st == GD_OK)
    st = time_run(v, s, SEARCH_EVERY, &warm);
  for (int i = 0; st == GD_OK && i < rounds; i++) {
    st = time_run(v, s, 1, &whole[i]);
    if (st == GD_OK)
      st = time_run(v, s, SEARCH_EVERY, &followed[i]);
  }
  if (st == GD_OK) {
    qsort(whole, (size_t)rounds, sizeof whole[0], by_value);
    qsort(followed, (size_t)rounds, sizeof followed[0], by_value);
    const double full_s = whole[rounds / 2], track_s = followed[rounds / 2];
    printf("following %.1f, full search %.1f frames/s, ratio %.2f (%d of %d "
           "searched whole)\n",
           v->n / track_s, v->n / full_s, full_s / track_s, v->n_whole, v->n);
  }
  gd_subject_free(s);
  return st;
}

int main(int argc, char **argv)
{
  static video v;
  gd_mtcnn_config config = gd_mtcnn_defaults();
  const int rounds = argc == 5 ? (int)strtol(argv[3], NULL, 10) : 0;
  if (rounds < 1 || rounds > MOST_ROUNDS) {
    fputs("usage: track_video WEIGHTS MIN_FACE ROUNDS VIDEO\n", stderr);
    return 2;
  }
  config.min_face_px = strtod(argv[2], NULL);
  gd_status st = gd_mtcnn_open(argv[1], &config, &v.detector);
  if (st == GD_OK)
    st = read_frames(argv[4], &v);
  if (st == GD_OK && v.n == 0)
    st = gd_fail(GD_ERR_DECODE, "%s: no frame", argv[4]);
  if (st == GD_OK)
    st = measure(&v, rounds);
  if (st != GD_OK)
    fprintf(stderr, "track_video: %s\n", gd_reason());
  for (int i = 0; i < v.n; i++)
    gd_image_free(&v.frames[i]);
  gd_mtcnn_close(v.detector);
  return st == GD_OK ? 0 : 1;
}
