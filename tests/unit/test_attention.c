#include "gradus/attention.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/augment.h"
#include "gradus/evaluator.h"
#include "gradus/memory.h"
#include "gradus/random.h"
#include "test.h"

/* The end of a network, by its definition and in double: cells (Z, C), their
 * mean, dense layers with a ReLU between them, and the level of `loss`. */
typedef struct {
  int Z, C, hidden, K; /* hidden 0: one dense layer */
  gd_loss loss;
  const float *w0, *b0, *w2, *b2;
} tail;

enum { MOST = 2048, MOST_K = 16 };

static double sigmoid(double x)
{
  return 1 / (1 + exp(-x));
}

static double read_level(gd_loss loss, int K, const double *z)
{
  double sum = 0, first = 0, above = 1;
  if (loss == GD_LOSS_EUCLIDEAN)
    return z[0];
  if (loss == GD_LOSS_CORAL || loss == GD_LOSS_CORN) {
    for (int k = 0; k < K - 1; k++) {
      above = loss == GD_LOSS_CORN ? above * sigmoid(z[k])
                                   : fmin(above, sigmoid(z[k]));
      sum += above;
    }
    return sum;
  }
  for (int k = 0; k < K; k++) {
    sum += exp(z[k]);
    first += k * exp(z[k]);
  }
  return first / sum;
}

static void dense(int K, int C, const float *w, int n_rows, const float *b,
                  const double *x, double *y)
{
  for (int k = 0; k < K; k++) {
    y[k] = (double)b[k];
    for (int c = 0; c < C; c++)
      y[k] += (double)w[(k % n_rows) * C + c] * x[c];
  }
}

/* E; the units of fc.0 that are on are noted in `on`, which may be NULL. */
static double level_of(const tail *t, const double *cells, int *on)
{
  static double f[MOST], h[MOST];
  double z[MOST_K];
  const int n = gd_loss_outputs(t->loss, t->K);
  const int n_rows = gd_loss_shares_weights(t->loss) ? 1 : n;
  for (int c = 0; c < t->C; c++) {
    f[c] = 0;
    for (int i = 0; i < t->Z; i++)
      f[c] += cells[i * t->C + c] / t->Z;
  }
  if (t->hidden == 0) {
    dense(n, t->C, t->w2, n_rows, t->b2, f, z);
    return read_level(t->loss, t->K, z);
  }
  dense(t->hidden, t->C, t->w0, t->hidden, t->b0, f, h);
  for (int k = 0; k < t->hidden; k++) {
    if (on != NULL)
      on[k] = h[k] > 0;
    h[k] = fmax(0, h[k]);
  }
  dense(n, t->hidden, t->w2, n_rows, t->b2, h, z);
  return read_level(t->loss, t->K, z);
}

static void draw(gd_random *r, int n, float *out)
{
  for (int i = 0; i < n; i++)
    out[i] = (float)gd_random_normal(r);
}

enum { CELLS = 6, CHANNELS = 5, UNITS = 7, LEVELS = 9 };

typedef struct {
  float cells[CELLS * CHANNELS], w0[UNITS * CHANNELS], b0[UNITS];
  float w2[LEVELS * UNITS], b2[LEVELS];
  double wide[CELLS * CHANNELS]; /* the cells */
} made_up;

static void make(made_up *m, int number)
{
  gd_random r = gd_random_of(21, GD_FOR_TESTS, 0, number);
  draw(&r, CELLS * CHANNELS, m->cells);
  draw(&r, UNITS * CHANNELS, m->w0);
  draw(&r, UNITS, m->b0);
  draw(&r, LEVELS * UNITS, m->w2);
  draw(&r, LEVELS, m->b2);
  for (int i = 0; i < CELLS * CHANNELS; i++) {
    m->cells[i] = fabsf(m->cells[i]); /* behind a ReLU */
    m->wide[i] = (double)m->cells[i];
  }
}

static double difference(const tail *t, double *cells, int at)
{
  const double was = cells[at], h = 1e-5;
  cells[at] = was + h;
  const double above = level_of(t, cells, NULL);
  cells[at] = was - h;
  const double below = level_of(t, cells, NULL);
  cells[at] = was;
  return (above - below) / (2 * h);
}

/* What Grad-CAM starts from: dE/dA_ijc = g_c / Z, at every cell. */
static void gradient_equals_finite_differences(void **state)
{
  (void)state;
  for (int number = 0; number < 5; number++) {
    made_up m;
    double dz[LEVELS], dh[UNITS], g[CHANNELS];
    float h[UNITS], z[LEVELS];
    make(&m, number);
    const tail t = {.Z = CELLS,
                    .C = CHANNELS,
                    .hidden = UNITS,
                    .K = LEVELS,
                    .loss = GD_LOSS_EXPECTATION,
                    .w0 = m.w0,
                    .b0 = m.b0,
                    .w2 = m.w2,
                    .b2 = m.b2};
    for (int k = 0; k < UNITS; k++) {
      h[k] = m.b0[k];
      for (int i = 0; i < CELLS * CHANNELS; i++)
        h[k] += m.w0[k * CHANNELS + i % CHANNELS] * m.cells[i] / CELLS;
      h[k] = fmaxf(0, h[k]);
    }
    for (int k = 0; k < LEVELS; k++) {
      z[k] = m.b2[k];
      for (int j = 0; j < UNITS; j++)
        z[k] += m.w2[k * UNITS + j] * h[j];
    }
    assert_ok(gd_loss_slope(GD_LOSS_EXPECTATION, LEVELS, z, dz));
    gd_attention_back(LEVELS, UNITS, m.w2, dz, h, dh);
    gd_attention_back(UNITS, CHANNELS, m.w0, dh, NULL, g);
    for (int i = 0; i < CELLS * CHANNELS; i++)
      assert_float_equal(g[i % CHANNELS] / CELLS, difference(&t, m.wide, i),
                         2e-6);
  }
}

/* Zhou et al.'s case: w of one output, without any gradient. */
static void grad_cam_of_one_dense_layer_is_cam_over_the_cells(void **state)
{
  (void)state;
  made_up m;
  make(&m, 9);
  const tail t = {.Z = CELLS,
                  .C = CHANNELS,
                  .K = LEVELS,
                  .loss = GD_LOSS_EUCLIDEAN,
                  .w2 = m.w2,
                  .b2 = m.b2};
  const double one = 1;
  double g[CHANNELS], mean = 0;
  float map[CELLS];
  gd_attention_back(1, CHANNELS, m.w2, &one, NULL, g);
  gd_attention_map(CELLS, CHANNELS, m.cells, g, map);
  for (int i = 0; i < CELLS; i++) {
    double cam = 0, grad_cam = 0;
    for (int c = 0; c < CHANNELS; c++) {
      double alpha = 0;
      for (int j = 0; j < CELLS; j++)
        alpha += difference(&t, m.wide, j * CHANNELS + c) / CELLS;
      cam += (double)m.w2[c] * m.wide[i * CHANNELS + c];
      grad_cam += alpha * m.wide[i * CHANNELS + c];
    }
    assert_float_equal(map[i], cam / CELLS, 1e-6);
    assert_float_equal(map[i], grad_cam, 1e-6);
    mean += cam / CELLS;
  }
  assert_float_equal(level_of(&t, m.wide, NULL), (double)m.b2[0] + mean, 1e-9);
}

/* ------------------------------------------------------------ a whole model */

enum { SIZE = 64, K = 12, HIDDEN = 16, SIDE = 2 };

typedef struct {
  gd_model *model;
  tail tail;
  double *cells; /* of the face, from the network itself */
  double expected;
  float map[SIDE * SIDE];
} seen;

/* Random weights take a while: all models share what stands before fc.2. */
static float *convolutions;

static int teardown(void **state)
{
  (void)state;
  free(convolutions);
  return 0;
}

static gd_model *new_model(gd_loss loss, tail *t)
{
  gd_model *m = gd_alloc(1, sizeof *m);
  gd_resnet_config *c = &m->info.network;
  *c = gd_resnet_config_default();
  c->height = c->width = SIZE;
  c->hidden = HIDDEN;
  c->outputs = gd_loss_outputs(loss, K);
  c->shared_output = gd_loss_shares_weights(loss);
  m->info.loss = loss;
  m->info.n_levels = K;
  gd_tensor_table weights, running;
  assert_ok(gd_resnet_tables(c, &weights, &running));
  m->weights = gd_alloc(weights.count, sizeof(float));
  m->running = gd_alloc(running.count, sizeof(float));
  const gd_tensor_entry *last = &weights.entries[weights.n_entries - 2];
  if (convolutions == NULL) {
    convolutions = gd_alloc(last->offset, sizeof(float));
    gd_resnet_init_weights(&weights, 3, m->weights);
    memcpy(convolutions, m->weights, (size_t)last->offset * sizeof(float));
  }
  memcpy(m->weights, convolutions, (size_t)last->offset * sizeof(float));
  gd_random r = gd_random_of(22, GD_FOR_TESTS, 0, loss);
  draw(&r, (int)(weights.count - last->offset), m->weights + last->offset);
  gd_resnet_init_running(&running, m->running);
  const float **const parts[] = {&t->w0, &t->b0, &t->w2, &t->b2};
  for (int i = 0; i < 4; i++)
    *parts[i] = m->weights + weights.entries[weights.n_entries - 4 + i].offset;
  gd_tensor_table_free(&weights);
  gd_tensor_table_free(&running);
  return m;
}

static void look(gd_loss loss, seen *s)
{
  static uint8_t rgb[SIZE * SIZE * 3];
  static float x[SIZE * SIZE * 3];
  float logits[K];
  double sigma;
  int rows, columns;
  gd_evaluator *e;
  gd_resnet *net;
  gd_random r = gd_random_of(7, GD_FOR_TESTS, 0, 2);
  for (int i = 0; i < SIZE * SIZE * 3; i++)
    rgb[i] = (uint8_t)gd_random_below(&r, 256);
  *s = (seen){
      .tail = {
          .Z = SIDE * SIDE, .C = MOST, .hidden = HIDDEN, .K = K, .loss = loss}};
  s->model = new_model(loss, &s->tail);
  assert_ok(gd_evaluator_new(s->model, &e));
  gd_evaluator_map_size(e, &rows, &columns);
  assert_true(rows == SIDE && columns == SIDE);
  assert_ok(gd_evaluator_face(e, rgb, &s->expected, &sigma, NULL));
  gd_evaluator_map(e, s->map);
  gd_evaluator_free(e);

  assert_ok(gd_resnet_new(&s->model->info.network, 1, 0, &net));
  gd_resnet_pack(net, s->model->weights);
  gd_augment_apply(&(gd_augment_draw){0}, &s->model->info.network.input, SIZE,
                   rgb, x);
  assert_ok(gd_resnet_forward(net, GD_RESNET_EVALUATE, s->model->running, x, 1,
                              logits));
  const gd_resnet_tail last = gd_resnet_last(net);
  assert_true(last.P == SIDE && last.Q == SIDE && last.C == MOST);
  s->cells = gd_alloc((int64_t)SIDE * SIDE * MOST, sizeof(double));
  for (int i = 0; i < SIDE * SIDE * MOST; i++)
    s->cells[i] = (double)((const float *)last.block)[i];
  gd_resnet_free(net);
}

static void drop(seen *s)
{
  gd_model_free(s->model);
  free(s->cells);
}

/* m_ij is how E follows a factor before the cell's channels. */
static void map_tells_how_the_level_follows_each_cell(void **state)
{
  (void)state;
  static const gd_loss losses[] = {GD_LOSS_EXPECTATION, GD_LOSS_EUCLIDEAN,
                                   GD_LOSS_CORAL, GD_LOSS_CORN};
  const double h = 1e-5;
  for (size_t l = 0; l < sizeof losses / sizeof *losses; l++) {
    seen s;
    double largest = 0;
    look(losses[l], &s);
    assert_float_equal(level_of(&s.tail, s.cells, NULL), s.expected, 1e-4);
    for (int i = 0; i < SIDE * SIDE; i++) {
      double at[2];
      for (int side = 0; side < 2; side++) {
        const double factor = side == 0 ? 1 - h : 1 + h;
        for (int c = 0; c < MOST; c++)
          s.cells[i * MOST + c] *= factor;
        at[side] = level_of(&s.tail, s.cells, NULL);
        for (int c = 0; c < MOST; c++)
          s.cells[i * MOST + c] /= factor;
      }
      const double want = (at[1] - at[0]) / (2 * h);
      assert_float_equal(s.map[i], want, 1e-5 * (1 + fabs(want)));
      largest = fmax(largest, fabs(want));
    }
    assert_true(largest > 1e-3);
    drop(&s);
  }
}

static void map_of_a_regression_adds_up_to_its_level(void **state)
{
  (void)state;
  seen s;
  int on[HIDDEN], n_on = 0;
  look(GD_LOSS_EUCLIDEAN, &s);
  level_of(&s.tail, s.cells, on);
  double level = (double)s.tail.b2[0];
  for (int k = 0; k < HIDDEN; k++) {
    level += on[k] ? (double)(s.tail.w2[k] * s.tail.b0[k]) : 0;
    n_on += on[k];
  }
  for (int i = 0; i < SIDE * SIDE; i++)
    level += (double)s.map[i];
  assert_true(n_on > 0 && n_on < HIDDEN);
  assert_float_equal(level, s.expected, 1e-5);
  drop(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gradient_equals_finite_differences),
    cmocka_unit_test(grad_cam_of_one_dense_layer_is_cam_over_the_cells),
    cmocka_unit_test(map_tells_how_the_level_follows_each_cell),
    cmocka_unit_test(map_of_a_regression_adds_up_to_its_level),
};

int main(void)
{
  return gd_test_end(cmocka_run_group_tests(tests, NULL, teardown));
}
