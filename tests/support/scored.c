#include "scored.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/random.h"
#include "test.h"

enum { K = 64, FRAMES = 5 };

typedef struct {
  char id[64], subject[16];
} texts;

static gd_partition partition_of(int v, int n_test)
{
  return v < n_test / 2 ? GD_TRAIN : v < n_test ? GD_DEV : GD_TEST;
}

static void name_video(int v, int n_test, int tasks, texts *t, gd_video *out)
{
  const gd_partition p = partition_of(v, n_test);
  const int in_test = v - n_test;
  const char *task = !tasks || p != GD_TEST ? ""
                     : in_test % 2          ? "Northwind"
                                            : "Freeform";
  const int person = p == GD_TEST && tasks ? in_test / 2 : v % n_test;
  snprintf(t->id, sizeof t->id, "%s/%03d_1_%s_video", gd_partition_name(p),
           tasks && p == GD_TEST ? person : v, task);
  snprintf(t->subject, sizeof t->subject, "%03d",
           p == GD_TEST && person % 4 != 0 ? 500 + person : person);
  gd_random r = gd_random_of(3, GD_FOR_TESTS, p, person);
  *out = (gd_video){.id = t->id,
                    .path = t->id,
                    .landmarks = "",
                    .subject = t->subject,
                    .task = task,
                    .partition = p,
                    .label = (double)gd_random_below(&r, 46)};
}

static void append_video(gd_scores_writer *w, int v, double label, double error,
                         int has_distribution)
{
  int64_t frame[FRAMES];
  double expected[FRAMES], sigma[FRAMES];
  float distribution[FRAMES * K];
  gd_random r = gd_random_of(4, GD_FOR_TESTS, 0, v);
  const double shift = error * gd_random_normal(&r);
  for (int f = 0; f < FRAMES; f++) {
    frame[f] = 10 * f;
    expected[f] = fmin(63, fmax(0, label + shift + gd_random_normal(&r)));
    sigma[f] = 4;
    double sum = 0;
    for (int k = 0; k < K; k++)
      sum += exp(-0.5 * pow((k - expected[f]) / sigma[f], 2));
    for (int k = 0; k < K; k++)
      distribution[f * K + k] =
          (float)(exp(-0.5 * pow((k - expected[f]) / sigma[f], 2)) / sum);
  }
  assert_ok(gd_scores_writer_append(w, v, FRAMES, frame, expected, sigma,
                                    has_distribution ? distribution : NULL));
}

void gd_scored_write(const char *path, const char *loss, int n_test, int tasks,
                     double error)
{
  const int n = 2 * n_test;
  texts *names = gd_alloc(n, sizeof *names);
  gd_video *videos = gd_alloc(n, sizeof *videos);
  int32_t *index = gd_alloc(n, sizeof *index);
  for (int v = 0; v < n; v++) {
    index[v] = v;
    name_video(v, n_test, tasks, &names[v], &videos[v]);
  }
  const gd_video_table table = {
      .n_videos = n, .index = index, .videos = videos};
  gd_scores_info info = {.partition = GD_TEST,
                         .n_levels = K,
                         .interval = 0.9,
                         .half_width = 5,
                         .n_calibration = n_test / 2};
  snprintf(info.loss, sizeof info.loss, "%s", loss);
  info.has_distribution = strcmp(loss, "euclidean") != 0;

  gd_scores_writer *w = NULL;
  assert_ok(
      gd_scores_writer_create(path, (gd_digest){1, 2}, &info, &table, &w));
  for (int v = n_test; v < n; v++)
    append_video(w, v, videos[v].label, error, info.has_distribution);
  assert_ok(gd_scores_writer_commit(w));
  free(index);
  free(videos);
  free(names);
}
