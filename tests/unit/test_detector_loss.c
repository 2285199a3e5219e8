#include "train/detector_loss.h"

#include <math.h>

#include "gradus/random.h"
#include "test.h"

enum { N = 11, CHANNELS = 16 };

typedef struct {
  float y[N * CHANNELS];
  gd_detector_target targets[N];
} samples;

/* Four of each kind, but for one. */
static samples make(void)
{
  samples s = {{0}, {{0}}};
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < N * CHANNELS; i++)
    s.y[i] = (float)gd_random_normal(&r);
  for (int i = 0; i < N; i++) {
    s.targets[i].kind = i % 3;
    for (int k = 0; k < 4; k++)
      s.targets[i].box[k] = (float)gd_random_normal(&r);
    for (int k = 0; k < 10; k++)
      s.targets[i].points[k] = (float)gd_random_uniform(&r);
  }
  return s;
}

/* The definition: of 7 or 8 judged samples, the hardest ceil(0.7 n). */
static double class_loss(const samples *s)
{
  double losses[N], sum = 0;
  int n = 0;
  for (int i = 0; i < N; i++) {
    const double a = exp((double)s->y[i * CHANNELS]);
    const double b = exp((double)s->y[i * CHANNELS + 1]);
    if (s->targets[i].kind != GD_SAMPLE_PART)
      losses[n++] =
          -log((s->targets[i].kind == GD_SAMPLE_POSITIVE ? b : a) / (a + b));
  }
  const int n_hard = (int)ceil(0.7 * n);
  for (int k = 0; k < n_hard; k++) {
    int most = 0;
    for (int i = 1; i < n; i++)
      if (losses[i] > losses[most])
        most = i;
    sum += losses[most];
    losses[most] = -1;
  }
  return sum / n_hard;
}

static double box_loss(const samples *s)
{
  double sum = 0;
  int n = 0;
  for (int i = 0; i < N; i++) {
    if (s->targets[i].kind == GD_SAMPLE_NEGATIVE)
      continue;
    n++;
    for (int k = 0; k < 4; k++)
      sum += pow(
          (double)s->y[i * CHANNELS + 2 + k] - (double)s->targets[i].box[k], 2);
  }
  return sum / n;
}

static double points_loss(const samples *s)
{
  double sum = 0;
  int n = 0;
  for (int i = 0; i < N; i++) {
    if (s->targets[i].kind == GD_SAMPLE_NEGATIVE)
      continue;
    n++;
    for (int k = 0; k < 5; k++) {
      const float *y = s->y + i * CHANNELS + 6, *w = s->targets[i].points;
      sum += sqrt(pow((double)y[k] - (double)w[k], 2) +
                  pow((double)y[5 + k] - (double)w[5 + k], 2) + 1e-4) -
             0.01;
    }
  }
  return sum / n;
}

static double total(const samples *s)
{
  return class_loss(s) + 0.5 * box_loss(s) + 3 * points_loss(s);
}

static gd_detector_losses compute(const samples *s, float *dy)
{
  double scratch[N];
  const gd_detector_losses shares = {{1, 0.5, 3}};
  return gd_detector_loss(N, CHANNELS, s->y, s->targets, &shares, 1, scratch,
                          dy);
}

static void losses_are_those_of_the_definition(void **state)
{
  (void)state;
  const samples s = make();
  float dy[N * CHANNELS];
  const gd_detector_losses l = compute(&s, dy);
  assert_true(fabs(l.part[GD_DETECTOR_CLASS] - class_loss(&s)) < 1e-6);
  assert_true(fabs(l.part[GD_DETECTOR_BOX] - box_loss(&s)) < 1e-6);
  assert_true(fabs(l.part[GD_DETECTOR_POINTS] - points_loss(&s)) < 1e-6);
}

static void gradient_is_that_of_finite_differences(void **state)
{
  (void)state;
  const samples s = make();
  float dy[N * CHANNELS];
  (void)compute(&s, dy);
  for (int i = 0; i < N * CHANNELS; i++) {
    samples up = s, down = s;
    up.y[i] += 0.001f;
    down.y[i] -= 0.001f;
    const double slope =
        (total(&up) - total(&down)) / ((double)up.y[i] - (double)down.y[i]);
    assert_true(fabs(slope - (double)dy[i]) < 1e-5 * (1 + fabs(slope)));
  }
}

static void easiest_samples_have_no_class_gradient(void **state)
{
  (void)state;
  samples s = make();
  float dy[N * CHANNELS];
  s.y[0] = 9; /* a negative, and surely none */
  s.y[1] = -9;
  (void)compute(&s, dy);
  assert_true(dy[0] == 0 && dy[1] == 0);
  int n = 0;
  for (int i = 0; i < N; i++)
    n += dy[i * CHANNELS] != 0;
  assert_int_equal(n, 5); /* of 7 */
}

static void equal_losses_count_until_the_share_is_full(void **state)
{
  (void)state;
  samples s = make();
  float dy[N * CHANNELS];
  for (int i = 0; i < N; i++) {
    s.y[i * CHANNELS] = s.y[i * CHANNELS + 1] = 0.5f;
    s.targets[i].kind = GD_SAMPLE_NEGATIVE;
  }
  const gd_detector_losses l = compute(&s, dy);
  int n = 0;
  for (int i = 0; i < N; i++)
    n += dy[i * CHANNELS] != 0;
  assert_int_equal(n, 8); /* ceil(7.7) */
  assert_true(fabs(l.part[GD_DETECTOR_CLASS] - log(2)) < 1e-6);
  assert_true(l.part[GD_DETECTOR_BOX] == 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(losses_are_those_of_the_definition),
    cmocka_unit_test(gradient_is_that_of_finite_differences),
    cmocka_unit_test(easiest_samples_have_no_class_gradient),
    cmocka_unit_test(equal_losses_count_until_the_share_is_full),
};

gd_test_main(tests)
