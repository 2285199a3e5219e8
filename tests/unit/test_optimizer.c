#include "gradus/optimizer.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { COUNT = 1000, STEPS = 5 };

typedef struct {
  float w[COUNT], m[COUNT], v[COUNT];
} block;

static float gradient_of(int step, int i)
{
  return sinf((float)(i * step)) * (float)i;
}

static void start(block *b)
{
  memset(b, 0, sizeof *b);
  for (int i = 0; i < COUNT; i++)
    b->w[i] = cosf((float)i);
}

/* Step on the block in pieces of `chunk`. */
static void run(const gd_optimizer *o, block *b, int chunk)
{
  float g[COUNT];
  start(b);
  for (int step = 1; step <= STEPS; step++) {
    for (int i = 0; i < COUNT; i++)
      g[i] = gradient_of(step, i);
    for (int at = 0; at < COUNT; at += chunk) {
      float *states[2] = {b->m + at, b->v + at};
      gd_optimizer_step(o, step, 1, COUNT - at < chunk ? COUNT - at : chunk,
                        b->w + at, g + at, states);
    }
  }
}

static void adam_follows_its_definition(void **state)
{
  (void)state;
  for (int decoupled = 0; decoupled < 2; decoupled++) {
    block b;
    gd_optimizer o = gd_optimizer_default(decoupled ? GD_OPTIMIZER_ADAMW
                                                    : GD_OPTIMIZER_ADAM);
    o.rate = 0.01;
    o.weight_decay = 0.1;
    run(&o, &b, COUNT);
    for (int i = 0; i < COUNT; i++) {
      double w = (double)cosf((float)i), m = 0, v = 0;
      for (int t = 1; t <= STEPS; t++) {
        const double g = (double)gradient_of(t, i) + (decoupled ? 0 : 0.1 * w);
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        w -= decoupled ? 0.01 * 0.1 * w : 0;
        w -= 0.01 * (m / (1 - pow(0.9, t))) /
             (sqrt(v / (1 - pow(0.999, t))) + 1e-8);
      }
      assert_true(fabs((double)b.w[i] - w) < 1e-5);
    }
  }
}

static void sgd_follows_its_definition(void **state)
{
  (void)state;
  for (int ahead = 0; ahead < 2; ahead++) {
    block b;
    gd_optimizer o =
        gd_optimizer_default(ahead ? GD_OPTIMIZER_NESTEROV : GD_OPTIMIZER_SGD);
    o.rate = 1e-4;
    o.weight_decay = 0.1;
    run(&o, &b, COUNT);
    for (int i = 0; i < COUNT; i++) {
      double w = (double)cosf((float)i), u = 0;
      for (int t = 1; t <= STEPS; t++) {
        const double g = (double)gradient_of(t, i) + 0.1 * w;
        u = 0.9 * u + g;
        w -= 1e-4 * (ahead ? g + 0.9 * u : u);
      }
      assert_true(fabs((double)b.w[i] - w) < 1e-5);
    }
  }
}

static double norm_of(const float *x)
{
  double square = 0;
  for (int i = 0; i < COUNT; i++)
    square += (double)x[i] * (double)x[i];
  return sqrt(square);
}

/* The block is one tensor; the definition keeps everything in double. */
static void lars_follows_its_definition(void **state)
{
  (void)state;
  static double w[COUNT], u[COUNT];
  block b;
  float g[COUNT];
  gd_optimizer o = gd_optimizer_default(GD_OPTIMIZER_LARS);
  o.rate = 10;
  o.weight_decay = 0.1;
  start(&b);
  for (int i = 0; i < COUNT; i++)
    w[i] = (double)b.w[i];
  for (int t = 1; t <= STEPS; t++) {
    double w2 = 0, g2 = 0;
    for (int i = 0; i < COUNT; i++) {
      g[i] = gradient_of(t, i);
      g2 += (double)g[i] * (double)g[i];
      w2 += w[i] * w[i];
    }
    const double local = 1e-3 * sqrt(w2) / (sqrt(g2) + 0.1 * sqrt(w2));
    for (int i = 0; i < COUNT; i++) {
      u[i] = 0.9 * u[i] + 10 * local * ((double)g[i] + 0.1 * w[i]);
      w[i] -= u[i];
    }
    gd_optimizer_step(&o, t, gd_optimizer_ratio(&o, norm_of(b.w), norm_of(g)),
                      COUNT, b.w, g, (float *[]){b.m});
  }
  for (int i = 0; i < COUNT; i++)
    assert_true(fabs((double)b.w[i] - w[i]) < 1e-5);
}

static void lamb_follows_its_definition(void **state)
{
  (void)state;
  static double w[COUNT], m[COUNT], v[COUNT], d[COUNT];
  block b;
  float g[COUNT];
  gd_optimizer o = gd_optimizer_default(GD_OPTIMIZER_LAMB);
  o.rate = 0.01;
  o.weight_decay = 0.1;
  start(&b);
  for (int i = 0; i < COUNT; i++)
    w[i] = (double)b.w[i];
  for (int t = 1; t <= STEPS; t++) {
    double w2 = 0, d2 = 0;
    for (int i = 0; i < COUNT; i++) {
      g[i] = gradient_of(t, i);
      m[i] = 0.9 * m[i] + 0.1 * (double)g[i];
      v[i] = 0.999 * v[i] + 0.001 * (double)g[i] * (double)g[i];
      d[i] =
          m[i] / (1 - pow(0.9, t)) / (sqrt(v[i] / (1 - pow(0.999, t))) + 1e-8) +
          0.1 * w[i];
      w2 += w[i] * w[i];
      d2 += d[i] * d[i];
    }
    for (int i = 0; i < COUNT; i++)
      w[i] -= 0.01 * sqrt(w2 / d2) * d[i];
    float *states[2] = {b.m, b.v};
    gd_optimizer_direct(&o, t, COUNT, b.w, g, states);
    gd_optimizer_step(&o, t, gd_optimizer_ratio(&o, norm_of(b.w), norm_of(g)),
                      COUNT, b.w, g, states);
  }
  for (int i = 0; i < COUNT; i++)
    assert_true(fabs((double)b.w[i] - w[i]) < 1e-5);
}

static void tensor_of_zeros_has_the_ratio_one(void **state)
{
  (void)state;
  for (gd_optimizer_kind kind = 0; kind < GD_N_OPTIMIZERS; kind++) {
    const gd_optimizer o = gd_optimizer_default(kind);
    assert_true(gd_optimizer_ratio(&o, 0, 3) == 1);
    assert_true(gd_optimizer_ratio(&o, 3, 0) == 1);
  }
}

static void chunks_of_any_length_give_the_same_bits(void **state)
{
  (void)state;
  for (gd_optimizer_kind kind = 0; kind < GD_N_OPTIMIZERS; kind++) {
    block whole, cut;
    const gd_optimizer o = gd_optimizer_default(kind);
    run(&o, &whole, COUNT);
    for (int chunk = 1; chunk < 40; chunk += 6) {
      run(&o, &cut, chunk);
      assert_memory_equal(&whole, &cut, sizeof whole);
    }
  }
}

static void average_soon_forgets_the_first_weights(void **state)
{
  (void)state;
  assert_true(gd_average_keeps(0.999, 1) == 2.0 / 11);
  assert_true(gd_average_keeps(0.5, 8) == 0.5);
  assert_true(gd_average_keeps(0.999, 1000000) == 0.999);
}

static void optimizer_is_found_by_its_name(void **state)
{
  (void)state;
  gd_optimizer_kind kind;
  for (int i = 0; i < GD_N_OPTIMIZERS; i++) {
    assert_ok(
        gd_optimizer_kind_of(gd_optimizer_name((gd_optimizer_kind)i), &kind));
    assert_int_equal(kind, i);
  }
  assert_int_equal(gd_optimizer_n_states(GD_OPTIMIZER_ADAM), 2);
  assert_string_equal(gd_optimizer_state_name(GD_OPTIMIZER_ADAM, 1), "v");
  assert_fails(gd_optimizer_kind_of("adagrad", &kind), GD_ERR_USAGE,
               "adagrad: there are adam, sgd");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(adam_follows_its_definition),
    cmocka_unit_test(sgd_follows_its_definition),
    cmocka_unit_test(lars_follows_its_definition),
    cmocka_unit_test(lamb_follows_its_definition),
    cmocka_unit_test(tensor_of_zeros_has_the_ratio_one),
    cmocka_unit_test(chunks_of_any_length_give_the_same_bits),
    cmocka_unit_test(average_soon_forgets_the_first_weights),
    cmocka_unit_test(optimizer_is_found_by_its_name),
};

gd_test_main(tests)
