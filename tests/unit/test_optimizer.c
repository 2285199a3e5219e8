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
      gd_optimizer_step(o, step, COUNT - at < chunk ? COUNT - at : chunk,
                        b->w + at, g + at, states);
    }
  }
}

static void adam_follows_its_definition(void **state)
{
  (void)state;
  block b;
  gd_optimizer o = gd_optimizer_default(GD_OPTIMIZER_ADAM);
  o.rate = 0.01;
  o.weight_decay = 0.1;
  run(&o, &b, COUNT);
  for (int i = 0; i < COUNT; i++) {
    double w = (double)cosf((float)i), m = 0, v = 0;
    for (int t = 1; t <= STEPS; t++) {
      const double g = (double)gradient_of(t, i) + 0.1 * w;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      w -= 0.01 * (m / (1 - pow(0.9, t))) /
           (sqrt(v / (1 - pow(0.999, t))) + 1e-8);
    }
    assert_true(fabs((double)b.w[i] - w) < 1e-5);
  }
}

static void sgd_follows_its_definition(void **state)
{
  (void)state;
  block b;
  gd_optimizer o = gd_optimizer_default(GD_OPTIMIZER_SGD);
  o.rate = 1e-4;
  o.weight_decay = 0.1;
  run(&o, &b, COUNT);
  for (int i = 0; i < COUNT; i++) {
    double w = (double)cosf((float)i), u = 0;
    for (int t = 1; t <= STEPS; t++) {
      u = 0.9 * u + (double)gradient_of(t, i) + 0.1 * w;
      w -= 1e-4 * u;
    }
    assert_true(fabs((double)b.w[i] - w) < 1e-5);
  }
}

static void chunks_of_any_length_give_the_same_bits(void **state)
{
  (void)state;
  for (gd_optimizer_kind kind = GD_OPTIMIZER_ADAM; kind <= GD_OPTIMIZER_SGD;
       kind++) {
    block whole, cut;
    const gd_optimizer o = gd_optimizer_default(kind);
    run(&o, &whole, COUNT);
    for (int chunk = 1; chunk < 40; chunk += 6) {
      run(&o, &cut, chunk);
      assert_memory_equal(&whole, &cut, sizeof whole);
    }
  }
}

static void optimizer_is_found_by_its_name(void **state)
{
  (void)state;
  gd_optimizer_kind kind;
  assert_ok(gd_optimizer_kind_of("sgd", &kind));
  assert_int_equal(kind, GD_OPTIMIZER_SGD);
  assert_string_equal(gd_optimizer_name(kind), "sgd");
  assert_int_equal(gd_optimizer_n_states(GD_OPTIMIZER_ADAM), 2);
  assert_string_equal(gd_optimizer_state_name(GD_OPTIMIZER_ADAM, 1), "v");
  assert_fails(gd_optimizer_kind_of("lamb", &kind), GD_ERR_USAGE, "lamb");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(adam_follows_its_definition),
    cmocka_unit_test(sgd_follows_its_definition),
    cmocka_unit_test(chunks_of_any_length_give_the_same_bits),
    cmocka_unit_test(optimizer_is_found_by_its_name),
};

gd_test_main(tests)
