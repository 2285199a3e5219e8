#include "train/update.h"

#include <math.h>
#include <string.h>

#include "gradus/gather.h"
#include "gradus/random.h"
#include "test.h"

/* Tensors that begin and end anywhere; the second one's weights are zeros. */
enum { N_TENSORS = 5, COUNT = 9973, STEPS = 4 };
static const int counts[N_TENSORS] = {900, 77, 4000, 1, 4995};
static const char *const names[N_TENSORS] = {"conv1.weight", "bn1.bias",
                                             "layer1.0.conv1.weight",
                                             "layer2.bias", "fc.0.weight"};

static gd_tensor_table table_of_tensors(void)
{
  gd_tensor_table t = {0};
  for (int i = 0; i < N_TENSORS; i++)
    assert_ok(gd_tensor_table_add(&t, names[i], GD_TENSOR_BIAS, 1, &counts[i]));
  assert_int_equal(t.count, COUNT);
  return t;
}

static void draw_weights(float *w)
{
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < COUNT; i++)
    w[i] = i >= 900 && i < 977 ? 0 : (float)gd_random_normal(&r);
}

static void draw_gradient(int step, float *g)
{
  gd_random r = gd_random_of(1, GD_FOR_TESTS, step, 1);
  for (int i = 0; i < COUNT; i++)
    g[i] = (float)(gd_random_normal(&r) * (i < 5000 ? 0.1 : 2));
}

/* Take some steps on the ranks of a communicator; w and the average come to all
 * of them. */
static void take_steps(MPI_Comm comm, const gd_update_config *config, float *w,
                       float *average)
{
  gd_tensor_table table = table_of_tensors();
  int rank, size;
  gd_update *u;
  float g[COUNT];
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  const gd_buckets buckets = gd_buckets_cut(COUNT, 4096, size);
  draw_weights(w);
  assert_ok(gd_update_new(comm, rank, config, &table, &buckets, w, &u));
  if (config->average > 0)
    gd_buckets_pack(&buckets, rank, COUNT, w, gd_update_average(u));
  for (int step = 1; step <= STEPS; step++) {
    draw_gradient(step, g);
    gd_update_begin(u, step, config->optimizer.rate / step);
    for (int b = buckets.n - 1; b >= 0; b--) {
      const gd_range part = gd_buckets_part(&buckets, b, rank);
      for (int64_t at = part.first; at < part.end; at += GD_BUCKETS_ALIGN) {
        const int64_t n =
            part.end - at < GD_BUCKETS_ALIGN ? part.end - at : GD_BUCKETS_ALIGN;
        gd_update_take(u, at, n, g + at);
      }
    }
    if (gd_update_has_norms(u))
      gd_update_settle(u);
    gd_gather_parts(comm, COUNT, &buckets, w);
  }
  if (config->average > 0) {
    gd_buckets_unpack(&buckets, rank, COUNT, gd_update_average(u), average);
    gd_gather_parts(comm, COUNT, &buckets, average);
  }
  gd_update_free(u);
  gd_tensor_table_free(&table);
}

static gd_update_config config_of(gd_optimizer_kind kind)
{
  gd_update_config c = {.optimizer = gd_optimizer_default(kind), .freeze = ""};
  c.optimizer.weight_decay = 0.01;
  return c;
}

/* With every optimiser, and all that can be had beside it. */
static void steps_have_the_same_bits_on_any_number_of_ranks(void **state)
{
  (void)state;
  static float alone[COUNT], together[COUNT], averages[2][COUNT];
  for (gd_optimizer_kind kind = 0; kind < GD_N_OPTIMIZERS; kind++)
    for (int extras = 0; extras < 2; extras++) {
      gd_update_config c = config_of(kind);
      if (extras) {
        c.clip = 3;
        c.average = 0.9;
        c.freeze = "stem layer2";
      }
      take_steps(MPI_COMM_SELF, &c, alone, averages[0]);
      take_steps(MPI_COMM_WORLD, &c, together, averages[1]);
      gd_assert_all(MPI_COMM_WORLD, memcmp(alone, together, sizeof alone) == 0);
      if (extras)
        gd_assert_all(MPI_COMM_WORLD,
                      memcmp(averages[0], averages[1], sizeof alone) == 0);
    }
}

/* Plain SGD of the clipped gradient, by hand; frozen weights do not count. */
static void long_gradient_is_shortened_to_the_clip(void **state)
{
  (void)state;
  static float w[COUNT], g[COUNT];
  static double wanted[COUNT];
  gd_update_config c = config_of(GD_OPTIMIZER_SGD);
  c.optimizer.momentum = c.optimizer.weight_decay = 0;
  c.optimizer.rate = 1;
  c.clip = 10;
  c.freeze = "layer1";
  take_steps(MPI_COMM_WORLD, &c, w, NULL);
  draw_weights(g);
  for (int i = 0; i < COUNT; i++)
    wanted[i] = (double)g[i];
  for (int step = 1; step <= STEPS; step++) {
    double square = 0;
    draw_gradient(step, g);
    memset(g + 977, 0, 4000 * sizeof *g);
    for (int i = 0; i < COUNT; i++)
      square += (double)g[i] * (double)g[i];
    assert_true(sqrt(square) > 100);
    for (int i = 0; i < COUNT; i++)
      wanted[i] -= (double)g[i] * 10 / (sqrt(square) + 1e-6) / step;
  }
  for (int i = 0; i < COUNT; i++)
    assert_true(fabs((double)w[i] - wanted[i]) < 1e-5);
}

static void short_gradient_is_left_alone(void **state)
{
  (void)state;
  static float w[COUNT], clipped[COUNT];
  gd_update_config c = config_of(GD_OPTIMIZER_ADAM);
  take_steps(MPI_COMM_WORLD, &c, w, NULL);
  c.clip = 1e6;
  take_steps(MPI_COMM_WORLD, &c, clipped, NULL);
  assert_memory_equal(w, clipped, sizeof w);
}

/* Its ratio takes the gradient's length out again, decay aside. */
static void clipping_leaves_lars_alone(void **state)
{
  (void)state;
  static float w[COUNT], clipped[COUNT];
  gd_update_config c = config_of(GD_OPTIMIZER_LARS);
  c.optimizer.weight_decay = 0;
  take_steps(MPI_COMM_WORLD, &c, w, NULL);
  /* But for the second tensor, which is zeros at first: its ratio is 1. */
  c.clip = 1;
  take_steps(MPI_COMM_WORLD, &c, clipped, NULL);
  for (int i = 0; i < COUNT; i++)
    assert_true((i >= 900 && i < 977) ||
                fabs((double)w[i] - (double)clipped[i]) < 1e-5);
  assert_true(w[950] != clipped[950]);
}

/* Each tensor of its own: the ratios of the definition, tensor by tensor. */
static void lamb_moves_each_tensor_by_its_own_norm(void **state)
{
  (void)state;
  static float w[COUNT], first[COUNT];
  gd_update_config c = config_of(GD_OPTIMIZER_LAMB);
  c.optimizer.rate = 0.5;
  take_steps(MPI_COMM_WORLD, &c, w, NULL);
  static double x[COUNT], m[COUNT], v[COUNT], d[COUNT];
  draw_weights(first);
  for (int i = 0; i < COUNT; i++)
    x[i] = (double)first[i];
  for (int step = 1; step <= STEPS; step++) {
    static float g[COUNT];
    draw_gradient(step, g);
    for (int t = 0, at = 0; t < N_TENSORS; at += counts[t++]) {
      double x2 = 0, d2 = 0;
      for (int i = at; i < at + counts[t]; i++) {
        m[i] = 0.9 * m[i] + 0.1 * (double)g[i];
        v[i] = 0.999 * v[i] + 0.001 * (double)g[i] * (double)g[i];
        d[i] = m[i] / (1 - pow(0.9, step)) /
                   (sqrt(v[i] / (1 - pow(0.999, step))) + 1e-8) +
               0.01 * x[i];
        x2 += x[i] * x[i];
        d2 += d[i] * d[i];
      }
      const double ratio = x2 > 0 ? sqrt(x2 / d2) : 1;
      for (int i = at; i < at + counts[t]; i++)
        x[i] -= 0.5 / step * ratio * d[i];
    }
  }
  for (int i = 0; i < COUNT; i++)
    assert_true(fabs((double)w[i] - x[i]) < 1e-4);
}

static void frozen_weights_stay_and_the_others_move(void **state)
{
  (void)state;
  static float w[COUNT], first[COUNT], average[COUNT];
  draw_weights(first);
  for (int clip = 0; clip < 2; clip++) {
    gd_update_config c = config_of(GD_OPTIMIZER_ADAMW);
    c.freeze = "conv1,layer1";
    c.clip = clip;
    c.average = 0.99;
    take_steps(MPI_COMM_WORLD, &c, w, average);
    assert_memory_equal(w, first, 900 * sizeof *w);
    assert_memory_equal(w + 977, first + 977, 4000 * sizeof *w);
    assert_memory_equal(average, first, 900 * sizeof *w);
    assert_true(w[900] != first[900] && w[4977] != first[4977]);
    assert_true(average[4977] != first[4977] && average[4977] != w[4977]);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(steps_have_the_same_bits_on_any_number_of_ranks),
    cmocka_unit_test(long_gradient_is_shortened_to_the_clip),
    cmocka_unit_test(short_gradient_is_left_alone),
    cmocka_unit_test(clipping_leaves_lars_alone),
    cmocka_unit_test(lamb_moves_each_tensor_by_its_own_norm),
    cmocka_unit_test(frozen_weights_stay_and_the_others_move),
};

gd_test_mpi_main(tests)
