#include "gradus/detector_score.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "gradus/memory.h"

static const double OVERLAP = 0.5;

static int counts(const gd_detector_score *s, const gd_face *face)
{
  const double longer =
      fmax((double)face->box[2] - face->box[0], face->box[3] - face->box[1]);
  return (double)face->confidence >= s->least_visible && longer >= s->least_px;
}

static gd_status note_found(gd_detector_score *s, const gd_face *face,
                            const gd_face *found)
{
  gd_status st = gd_grow(&s->errors, s->n_found + 1, &s->room,
                         GD_N_LANDMARKS * sizeof *s->errors);
  if (st != GD_OK)
    return st;
  const float(*p)[2] = face->landmarks;
  const float eyes = hypotf(p[0][0] - p[1][0], p[0][1] - p[1][1]);
  float *errors = s->errors + GD_N_LANDMARKS * s->n_found++;
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    errors[i] = hypotf(found->landmarks[i][0] - p[i][0],
                       found->landmarks[i][1] - p[i][1]) /
                eyes;
  return GD_OK;
}

/* Return the surest detection that has not been looked at, or -1. */
static int surest(const gd_face *found, int n, const uint8_t *seen)
{
  int best = -1;
  for (int i = 0; i < n; i++)
    if (!seen[i] && (best < 0 || found[i].confidence > found[best].confidence))
      best = i;
  return best;
}

gd_status gd_detector_score_add(gd_detector_score *s,
                                const gd_labelled_image *image,
                                const gd_face *found, int n)
{
  assert(s != NULL && image != NULL && n >= 0);
  int is_matched[GD_LABELLED_MOST] = {0};
  uint8_t *seen = gd_alloc(n, sizeof *seen);
  if (seen == NULL)
    return GD_ERR_NOMEM;
  gd_status st = GD_OK;
  for (int i; st == GD_OK && (i = surest(found, n, seen)) >= 0;) {
    double most = 0;
    int best = -1, touches = 0;
    seen[i] = 1;
    for (int j = 0; j < image->n_faces; j++) {
      const double share = gd_face_overlap(&found[i], &image->faces[j]);
      touches |= share > 0 && !counts(s, &image->faces[j]);
      if (!is_matched[j] && counts(s, &image->faces[j]) && share > most) {
        most = share;
        best = j;
      }
    }
    if (best >= 0 && most >= OVERLAP) {
      is_matched[best] = 1;
      st = note_found(s, &image->faces[best], &found[i]);
    } else if (!touches) {
      s->n_wrong++;
    }
  }
  for (int j = 0; j < image->n_faces; j++)
    s->n_faces += counts(s, &image->faces[j]);
  free(seen);
  return st;
}

static int ascending(const void *a, const void *b)
{
  const float x = *(const float *)a, y = *(const float *)b;
  return x < y ? -1 : x > y;
}

gd_detector_result gd_detector_score_sum(gd_detector_score *s)
{
  assert(s != NULL);
  const int64_t n = s->n_found * GD_N_LANDMARKS;
  gd_detector_result r = {.recall = (double)s->n_found / (double)s->n_faces,
                          .precision = (double)s->n_found /
                                       (double)(s->n_found + s->n_wrong),
                          .mean = NAN,
                          .median = NAN,
                          .most = NAN};
  if (n == 0)
    return r;
  qsort(s->errors, (size_t)n, sizeof *s->errors, ascending);
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += (double)s->errors[i];
  r.mean = sum / (double)n;
  r.median = (double)s->errors[n / 2];
  r.most = (double)s->errors[(int64_t)(0.95 * (double)(n - 1))];
  return r;
}

void gd_detector_score_free(gd_detector_score *s)
{
  free(s->errors);
  *s = (gd_detector_score){0};
}
