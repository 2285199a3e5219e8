/* scores_equal A ID B ID -- end with 0 when two files of scores say the same of
 * a video, bit for bit: every frame, the score, the interval. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gradus/scores.h"

static int64_t find(const gd_scores *s, const char *id)
{
  for (int64_t v = 0; v < s->n_videos; v++)
    if (strcmp(gd_scores_video(s, v)->id, id) == 0)
      return v;
  fprintf(stderr, "scores_equal: no scores of %s\n", id);
  return -1;
}

static int differs(const char *what, const void *x, const void *y, size_t bytes)
{
  if (memcmp(x, y, bytes) == 0)
    return 0;
  fprintf(stderr, "scores_equal: %s differ\n", what);
  return 1;
}

static int compare(const gd_scores *a, int64_t v, const gd_scores *b, int64_t w)
{
  const int64_t f = a->first_frame[v], g = b->first_frame[w];
  const size_t n = (size_t)(a->first_frame[v + 1] - f);
  if (n != (size_t)(b->first_frame[w + 1] - g) ||
      a->info.n_levels != b->info.n_levels ||
      (a->distribution == NULL) != (b->distribution == NULL)) {
    fprintf(stderr, "scores_equal: of other shapes\n");
    return 1;
  }
  const size_t k = a->distribution == NULL ? 0 : (size_t)a->info.n_levels;
  int bad = differs("frames", a->frame_index + f, b->frame_index + g, n * 8) +
            differs("levels", a->expected + f, b->expected + g, n * 8) +
            differs("deviations", a->sigma + f, b->sigma + g, n * 8) +
            differs("scores", &a->predicted[v], &b->predicted[w], 8) +
            differs("lower ends", &a->low[v], &b->low[w], 8) +
            differs("upper ends", &a->high[v], &b->high[w], 8);
  if (k > 0)
    bad += differs("distributions", a->distribution + (size_t)f * k,
                   b->distribution + (size_t)g * k, n * k * 4);
  return bad;
}

int main(int argc, char **argv)
{
  gd_scores *a = NULL, *b = NULL;
  int bad = 1;
  if (argc != 5)
    fprintf(stderr, "usage: scores_equal A ID B ID\n");
  else if (gd_scores_read(argv[1], &a) != GD_OK ||
           gd_scores_read(argv[3], &b) != GD_OK)
    fprintf(stderr, "scores_equal: %s\n", gd_reason());
  else {
    const int64_t v = find(a, argv[2]), w = find(b, argv[4]);
    bad = v < 0 || w < 0 || compare(a, v, b, w);
  }
  gd_scores_free(a);
  gd_scores_free(b);
  return bad;
}
