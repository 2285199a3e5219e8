#include "train/detector_loss.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The share of the classified samples that count: the hardest ones. */
static const double HARD = 0.7;

/* Boxes: nearer than this, a landmark's distance counts as if squared. */
static const double SMOOTH = 0.01;

/* Minus the logarithm of the probability that softmax gives to the class. */
static double cross_entropy(const float *y, int is_face)
{
  const double apart =
      is_face ? (double)y[0] - (double)y[1] : (double)y[1] - (double)y[0];
  return apart > 0 ? apart + log1p(exp(-apart)) : log1p(exp(apart));
}

static int descending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return x > y ? -1 : x < y;
}

/* Return the least loss that counts, and how many have more: of those that are
 * equal to it, the first ones count until there are `n_hard`. */
static double threshold(double *losses, int n, int n_hard, int *n_above)
{
  qsort(losses, (size_t)n, sizeof *losses, descending);
  const double least = losses[n_hard - 1];
  *n_above = 0;
  while (losses[*n_above] > least)
    ++*n_above;
  return least;
}

static double classify(int n, int channels, const float *y,
                       const gd_detector_target *targets, double factor,
                       double *scratch, float *dy)
{
  int n_judged = 0;
  for (int i = 0; i < n; i++)
    if (targets[i].kind != GD_SAMPLE_PART)
      scratch[n_judged++] = cross_entropy(
          y + (size_t)i * channels, targets[i].kind == GD_SAMPLE_POSITIVE);
  if (n_judged == 0)
    return 0;
  const int n_hard = (int)ceil(HARD * n_judged);
  int n_above;
  const double least = threshold(scratch, n_judged, n_hard, &n_above);
  int n_equal = n_hard - n_above;
  double sum = 0;
  for (int i = 0; i < n; i++) {
    const float *logits = y + (size_t)i * channels;
    const int is_face = targets[i].kind == GD_SAMPLE_POSITIVE;
    if (targets[i].kind == GD_SAMPLE_PART)
      continue;
    const double loss = cross_entropy(logits, is_face);
    if (loss < least || (loss == least && n_equal-- <= 0))
      continue;
    sum += loss;
    const double wrong = 1 - exp(-loss); /* of the probability */
    const double d = factor * wrong / n_hard;
    dy[(size_t)i * channels] = (float)(is_face ? d : -d);
    dy[(size_t)i * channels + 1] = (float)(is_face ? -d : d);
  }
  return sum / n_hard;
}

static double square_box(const float *y, const gd_detector_target *target,
                         double factor, float *dy)
{
  double sum = 0;
  for (int k = 0; k < 4; k++) {
    const double off = (double)y[k] - (double)target->box[k];
    sum += off * off;
    dy[k] = (float)(factor * 2 * off);
  }
  return sum;
}

static double distance_points(const float *y, const gd_detector_target *target,
                              double factor, float *dy)
{
  double sum = 0;
  for (int i = 0; i < GD_N_LANDMARKS; i++) {
    const int j = GD_N_LANDMARKS + i; /* of its y */
    const double across = (double)y[i] - (double)target->points[i];
    const double down = (double)y[j] - (double)target->points[j];
    const double far = sqrt(across * across + down * down + SMOOTH * SMOOTH);
    sum += far - SMOOTH;
    dy[i] = (float)(factor * across / far);
    dy[j] = (float)(factor * down / far);
  }
  return sum;
}

typedef double regression(const float *y, const gd_detector_target *target,
                          double factor, float *dy);

/* The mean of a loss of the channels from `first` on, over all samples of a
 * face. */
static double regress(regression *loss, int n, int channels, int first,
                      const float *y, const gd_detector_target *targets,
                      double factor, float *dy)
{
  int n_taking_part = 0;
  double sum = 0;
  for (int i = 0; i < n; i++)
    n_taking_part += targets[i].kind != GD_SAMPLE_NEGATIVE;
  for (int i = 0; i < n; i++) {
    const size_t at = (size_t)i * channels + (size_t)first;
    if (targets[i].kind != GD_SAMPLE_NEGATIVE)
      sum += loss(y + at, &targets[i], factor / n_taking_part, dy + at);
  }
  return n_taking_part == 0 ? 0 : sum / n_taking_part;
}

gd_detector_losses gd_detector_loss(int n, int channels, const float *y,
                                    const gd_detector_target *targets,
                                    const gd_detector_losses *weights,
                                    double scale, double *scratch, float *dy)
{
  assert(n >= 0 && (channels == 6 || channels == 16));
  gd_detector_losses l = {{0}};
  memset(dy, 0, (size_t)n * (size_t)channels * sizeof *dy);
  l.part[GD_DETECTOR_CLASS] =
      classify(n, channels, y, targets,
               scale * weights->part[GD_DETECTOR_CLASS], scratch, dy);
  l.part[GD_DETECTOR_BOX] = regress(square_box, n, channels, 2, y, targets,
                                    scale * weights->part[GD_DETECTOR_BOX], dy);
  if (channels == 16)
    l.part[GD_DETECTOR_POINTS] =
        regress(distance_points, n, channels, 6, y, targets,
                scale * weights->part[GD_DETECTOR_POINTS], dy);
  return l;
}
