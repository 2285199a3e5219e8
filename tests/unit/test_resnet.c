#include "gradus/gemm.h"
#include "gradus/memory.h"
#include "gradus/optimizer.h"
#include "gradus/profile.h"
#include "gradus/random.h"
#include "gradus/resnet.h"
#include "test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, MOST_N = 3, K = 5 };

static gd_resnet_config basic_config(void)
{
  gd_resnet_config c = gd_resnet_config_default();
  c.depth = 18;
  c.stride_on_3x3 = 1;
  c.height = c.width = SIDE;
  c.hidden = 7;
  c.outputs = K;
  return c;
}

static gd_resnet_config small_config(void)
{
  gd_resnet_config c = gd_resnet_config_default();
  c.height = c.width = SIDE;
  c.hidden = 7;
  c.outputs = K;
  return c;
}

/* Of images whose 3 x 3 convolutions are computed by Winograd. */
static gd_resnet_config large_config(void)
{
  gd_resnet_config c = basic_config();
  c.height = 160;
  c.width = 128;
  return c;
}

static gd_resnet_config in_bf16(gd_resnet_config c)
{
  c.precision = GD_BF16;
  return c;
}

/* A check of a net in bf16, by one way to multiply. */
static void expect_by(const char *way, void (*expect)(gd_resnet_config config),
                      gd_resnet_config config)
{
  setenv("GRADUS_BF16", way, 1);
  expect(in_bf16(config));
  unsetenv("GRADUS_BF16");
}

/* The same by both of them. */
static void expect_in_bf16(void (*expect)(gd_resnet_config config),
                           gd_resnet_config config)
{
  expect_by("tiles", expect, config);
  expect_by("kernels", expect, config);
}

/* A net's data, filled with random numbers. */
typedef struct {
  gd_resnet_config config;
  gd_tensor_table weights_table, running_table;
  float *weights, *running, *gradient;
  int64_t pixels; /* numbers of an image */
  float *x, logits[MOST_N * K], dlogits[MOST_N * K];
} model;

/* Drawing 24 million numbers takes a second: all models of a kind begin with
 * the same. */
static const float *first_weights(int depth, const gd_tensor_table *table)
{
  static float *weights[2];
  float **own = &weights[gd_resnet_is_basic(depth)];
  if (*own == NULL) {
    *own = gd_alloc(table->count, sizeof **own);
    assert_non_null(*own);
    gd_resnet_init_weights(table, 1, *own);
  }
  return *own;
}

static model *model_new(gd_resnet_config config)
{
  model *m = gd_alloc(1, sizeof *m);
  assert_non_null(m);
  m->config = config;
  assert_ok(gd_resnet_tables(&config, &m->weights_table, &m->running_table));
  m->weights = gd_alloc(m->weights_table.count, sizeof(float));
  m->gradient = gd_alloc(m->weights_table.count, sizeof(float));
  m->running = gd_alloc(m->running_table.count, sizeof(float));
  m->pixels = (int64_t)config.height * config.width * 3;
  m->x = gd_alloc(MOST_N * m->pixels, sizeof(float));
  assert_true(m->weights && m->gradient && m->running && m->x);
  memcpy(m->weights, first_weights(config.depth, &m->weights_table),
         (size_t)m->weights_table.count * sizeof(float));
  gd_resnet_init_running(&m->running_table, m->running);
  gd_random r = gd_random_of(12, GD_FOR_TESTS, 0, 0);
  for (int64_t i = 0; i < MOST_N * m->pixels; i++)
    m->x[i] = (float)gd_random_between(&r, -1.0, 1.0);
  for (int i = 0; i < MOST_N * K; i++)
    m->dlogits[i] = (float)gd_random_between(&r, -1.0, 1.0);
  return m;
}

static void model_free(model *m)
{
  gd_tensor_table_free(&m->weights_table);
  gd_tensor_table_free(&m->running_table);
  free(m->weights);
  free(m->running);
  free(m->gradient);
  free(m->x);
  free(m);
}

static void train(model *m, int microbatch, int n)
{
  gd_resnet *net;
  assert_ok(gd_resnet_new(&m->config, microbatch, 1, &net));
  gd_resnet_pack(net, m->weights);
  for (int again = 0; again < 2; again++) { /* overwrites, does not add */
    assert_ok(
        gd_resnet_forward(net, GD_RESNET_TRAIN, NULL, m->x, n, m->logits));
    gd_resnet_backward(net, m->dlogits, m->gradient);
  }
  memcpy(m->running, gd_resnet_statistics(net),
         (size_t)m->running_table.count * sizeof(float));
  gd_resnet_free(net);
}

static const gd_tensor_entry *entry_of(const gd_tensor_table *t,
                                       const char *name)
{
  const gd_tensor_entry *e = gd_tensor_table_find(t, name);
  if (e == NULL)
    fail_msg("no tensor %s", name);
  return e;
}

static void tables_have_torchvisions_tensors(void **state)
{
  (void)state;
  gd_tensor_table w, r;
  const gd_resnet_config config = gd_resnet_config_default();
  assert_ok(gd_resnet_tables(&config, &w, &r));
  assert_int_equal(w.n_entries, 163);
  assert_int_equal(r.n_entries, 106);
  /* torchvision's resnet50 without its own dense layer, and ours. */
  assert_int_equal(w.count, 25557032 - 2048 * 1000 - 1000 + (2048 + 1) * 512 +
                                (512 + 1) * 64);
  assert_int_equal(r.count, 2 * 26560);
  assert_string_equal(w.entries[1].name, "bn1.weight");
  const gd_tensor_entry *e = entry_of(&w, "layer2.0.downsample.0.weight");
  assert_int_equal(e->shape[0], 512);
  assert_int_equal(e->shape[1], 256);
  e = entry_of(&w, "layer4.2.conv2.weight");
  assert_int_equal(e->count, 512 * 512 * 9);
  entry_of(&r, "layer3.5.bn3.running_var");
  gd_tensor_table_free(&w);
  gd_tensor_table_free(&r);
}

static void deeper_nets_differ_in_blocks_alone(void **state)
{
  (void)state;
  gd_resnet_config config = gd_resnet_config_default();
  gd_tensor_table w;
  config.depth = 101;
  assert_ok(gd_resnet_tables(&config, &w, NULL));
  entry_of(&w, "layer3.22.bn3.bias");
  assert_int_equal(w.n_entries, 163 + 17 * 9);
  gd_tensor_table_free(&w);
  config.depth = 152;
  assert_ok(gd_resnet_tables(&config, &w, NULL));
  entry_of(&w, "layer3.35.bn3.bias");
  entry_of(&w, "layer2.7.bn3.bias");
  gd_tensor_table_free(&w);
}

/* torchvision's resnet18 and resnet34 without their own dense layer. */
static void basic_nets_have_torchvisions_tensors(void **state)
{
  (void)state;
  gd_resnet_config config = basic_config();
  gd_tensor_table w, r;
  config.hidden = config.outputs = 0;
  assert_ok(gd_resnet_tables(&config, &w, &r));
  assert_int_equal(w.n_entries, 60);
  assert_int_equal(r.n_entries, 40);
  assert_int_equal(w.count, 11689512 - 512 * 1000 - 1000);
  assert_int_equal(r.count, 2 * 4800);
  assert_null(gd_tensor_table_find(&w, "layer1.0.downsample.0.weight"));
  const gd_tensor_entry *e = entry_of(&w, "layer2.0.downsample.0.weight");
  assert_int_equal(e->shape[0], 128);
  assert_int_equal(e->shape[1], 64);
  gd_tensor_table_free(&w);
  gd_tensor_table_free(&r);
  config.depth = 34;
  assert_ok(gd_resnet_tables(&config, &w, NULL));
  assert_int_equal(w.count, 21797672 - 512 * 1000 - 1000);
  entry_of(&w, "layer3.5.bn2.bias");
  gd_tensor_table_free(&w);
  config.outputs = 3;
  config.hidden = 9;
  assert_ok(gd_resnet_tables(&config, &w, NULL));
  assert_int_equal(entry_of(&w, "fc.0.weight")->shape[1], 512);
  gd_tensor_table_free(&w);
}

static void impossible_configuration_is_refused(void **state)
{
  (void)state;
  gd_resnet_config c = small_config();
  gd_resnet *net;
  c.depth = 20;
  assert_fails(gd_resnet_new(&c, 1, 0, &net), GD_ERR_USAGE, "depth 20");
  assert_null(net);
  c.depth = 34; /* which has no 1x1 convolution to stride on */
  assert_fails(gd_resnet_config_check(&c), GD_ERR_USAGE, "stride=3x3");
  c = small_config();
  c.width = 100;
  assert_fails(gd_resnet_config_check(&c), GD_ERR_USAGE, "multiples of 32");
  c = small_config();
  c.bn_epsilon = 0;
  assert_fails(gd_resnet_config_check(&c), GD_ERR_USAGE, "epsilon 0");
  c = small_config();
  c.input.deviation[1] = 0;
  assert_fails(gd_resnet_config_check(&c), GD_ERR_USAGE, "deviation 0");
  c = small_config();
  c.outputs = 0;
  assert_fails(gd_resnet_config_check(&c), GD_ERR_USAGE, "outputs 0");
  c = small_config();
  c.height = c.width = 4096;
  assert_fails(gd_resnet_new(&c, 128, 1, &net), GD_ERR_USAGE, "2^31 pixels");
}

/* The linker sends the library's allocations here. */
static int n_allocations;
void *__real_aligned_alloc(size_t alignment, size_t size_bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t size_bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t size_bytes)
{
  n_allocations++;
  return __real_aligned_alloc(alignment, size_bytes);
}

static void expect_no_allocation(gd_resnet_config config)
{
  model *m = model_new(config);
  gd_resnet *net;
  n_allocations = 0;
  assert_ok(gd_resnet_new(&m->config, 2, 1, &net));
  assert_true(n_allocations > 0);
  n_allocations = 0;
  gd_resnet_pack(net, m->weights);
  for (int n = 1; n <= 2; n++)
    assert_ok(gd_resnet_forward(net, GD_RESNET_EVALUATE, m->running, m->x, n,
                                m->logits));
  assert_ok(gd_resnet_forward(net, GD_RESNET_TRAIN, NULL, m->x, 2, m->logits));
  gd_resnet_backward(net, m->dlogits, m->gradient);
  assert_int_equal(n_allocations, 0);
  gd_resnet_free(net);
  model_free(m);
}

static void step_allocates_nothing(void **state)
{
  (void)state;
  expect_no_allocation(small_config());
  expect_no_allocation(basic_config());
  expect_no_allocation(large_config());
  expect_in_bf16(expect_no_allocation, basic_config());
}

static void one_pixel_of_one_sample_cannot_train(void **state)
{
  (void)state;
  model *m = model_new(small_config());
  gd_resnet *net;
  assert_ok(gd_resnet_new(&m->config, 2, 1, &net));
  gd_resnet_pack(net, m->weights);
  assert_fails(
      gd_resnet_forward(net, GD_RESNET_TRAIN, NULL, m->x, 1, m->logits),
      GD_ERR_USAGE, "variance");
  assert_ok(gd_resnet_forward(net, GD_RESNET_EVALUATE, m->running, m->x, 1,
                              m->logits));
  gd_resnet_free(net);
  model_free(m);
}

static void assert_same(const model *a, const model *b)
{
  assert_memory_equal(a->logits, b->logits, sizeof a->logits);
  assert_memory_equal(a->gradient, b->gradient,
                      (size_t)a->weights_table.count * sizeof(float));
  assert_memory_equal(a->running, b->running,
                      (size_t)a->running_table.count * sizeof(float));
}

static void expect_same_bits(gd_resnet_config config)
{
  const int before = omp_get_max_threads();
  model *a = model_new(config), *b = model_new(config);
  omp_set_num_threads(1);
  train(a, 2, 2);
  omp_set_num_threads(3);
  train(b, MOST_N, 2);
  omp_set_num_threads(before);
  assert_same(a, b);
  model_free(a);
  model_free(b);
}

static void threads_and_room_change_no_bit_of_a_step(void **state)
{
  (void)state;
  expect_same_bits(small_config());
  expect_same_bits(basic_config());
  expect_same_bits(large_config());
  expect_in_bf16(expect_same_bits, small_config());
  expect_in_bf16(expect_same_bits, basic_config());
  expect_by("tiles", expect_same_bits, large_config());
}

static gd_resnet *evaluator(const model *m, int training)
{
  gd_resnet *net;
  assert_ok(gd_resnet_new(&m->config, MOST_N, training, &net));
  gd_resnet_pack(net, m->weights);
  return net;
}

/* Six samples of 64 px are cut into more pieces than eight. */
static void microbatch_that_is_not_full_fits(void **state)
{
  (void)state;
  enum { N = 6, ROOM = 8, ITEMS = 64 * 64 * 3 };
  static float x[N * ITEMS], dlogits[N * K];
  gd_resnet_config config = small_config();
  config.height = config.width = 64;
  model *m = model_new(config);
  float logits[2][N * K];
  gd_random r = gd_random_of(13, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < N * ITEMS; i++)
    x[i] = (float)gd_random_between(&r, -1.0, 1.0);
  for (int i = 0; i < N * K; i++)
    dlogits[i] = (float)gd_random_between(&r, -1.0, 1.0);
  for (int i = 0; i < 2; i++) {
    gd_resnet *net;
    assert_ok(gd_resnet_new(&config, i == 0 ? N : ROOM, 1, &net));
    gd_resnet_pack(net, m->weights);
    assert_ok(gd_resnet_forward(net, GD_RESNET_TRAIN, NULL, x, N, logits[i]));
    gd_resnet_backward(net, dlogits, m->gradient);
    gd_resnet_free(net);
  }
  assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
  model_free(m);
}

/* By OpenBLAS a row of a product is added up in the order of where it lies. */
static void expect_same_outputs(gd_precision p, const float *these,
                                const float *those)
{
  const float rounding = p == GD_FP32 ? 1e-5f : 0x1p-6f;
  if (strcmp(gd_gemm_backend(), "libxsmm") == 0)
    assert_memory_equal(these, those, K * sizeof *these);
  for (int k = 0; k < K; k++)
    assert_float_equal(these[k], those[k], rounding * (1.0f + fabsf(those[k])));
}

static void expect_lone_samples(gd_resnet_config config)
{
  model *m = model_new(config);
  gd_resnet *full = evaluator(m, 1), *lean = evaluator(m, 0);
  assert_true(gd_resnet_bytes(lean) < gd_resnet_bytes(full));
  float all[MOST_N * K], one[K];
  assert_ok(gd_resnet_forward(full, GD_RESNET_EVALUATE, m->running, m->x,
                              MOST_N, all));
  for (int i = 0; i < MOST_N; i++) {
    assert_ok(gd_resnet_forward(lean, GD_RESNET_EVALUATE, m->running,
                                m->x + i * m->pixels, 1, one));
    expect_same_outputs(config.precision, all + i * K, one);
  }
  gd_resnet_free(full);
  gd_resnet_free(lean);
  model_free(m);
}

/* And a net with room for training evaluates to the same bits. */
static void evaluation_of_a_sample_does_not_see_the_others(void **state)
{
  (void)state;
  expect_lone_samples(small_config());
  expect_lone_samples(basic_config());
  expect_lone_samples(large_config());
  expect_in_bf16(expect_lone_samples, small_config());
  expect_by("tiles", expect_lone_samples, large_config());
}

static double norm_of(const float *x, int64_t n)
{
  double squares = 0;
  for (int64_t i = 0; i < n; i++)
    squares += (double)x[i] * (double)x[i];
  return sqrt(squares);
}

/* How far x is from `want`, as a share of its norm. */
static double distance(const float *x, const float *want, int64_t n)
{
  double squares = 0;
  for (int64_t i = 0; i < n; i++)
    squares += pow((double)x[i] - (double)want[i], 2);
  return sqrt(squares) / norm_of(want, n);
}

/* Outputs of training and of evaluation, and the gradient, of larger images:
 * norms over a few pixels would magnify what is lost.
 *
 * What is kept is off by up to 2^-8, by 2^-8 / sqrt(3) in the mean, and at
 * random: n roundings that follow one another add up to sqrt(n / 3) 2^-8.
 * ResNet-50 rounds an activation, weights and a result in each of 53
 * convolutions: sqrt(53) 2^-8 = 7.3 2^-8 for outputs.  The gradient loses more,
 * at ReLUs: where an input is off by e of its deviation, a share of 0.4 e of
 * them opens or closes, which is off by sqrt(0.4 e) of the gradient's norm.
 * With e up to 7.3 2^-8 in the last of 49 and growing linearly, that adds up to
 * sqrt(49 * 0.2 * 7.3 / 256) = 0.53, if all of the gradient passes through
 * each; half of it goes by the shortcuts.  So outputs are held to 8 2^-8
 * (measured: 2 and 2.9), and the gradient to 0.4 of its norm (measured: 0.23).
 */
static void expect_near_fp32(gd_resnet_config config)
{
  static const double bounds[3] = {8 * 0x1p-8, 8 * 0x1p-8, 0.4};
  enum { N = 6, MOST_ITEMS = 160 * 128 * 3 };
  static float x[N * MOST_ITEMS], dlogits[N * K];
  float logits[2][2][N * K];
  model *m[2];
  gd_random r = gd_random_of(14, GD_FOR_TESTS, 0, 0);
  assert_true(config.height * config.width * 3 <= MOST_ITEMS);
  for (int i = 0; i < N * config.height * config.width * 3; i++)
    x[i] = (float)gd_random_between(&r, -1.0, 1.0);
  for (int i = 0; i < N * K; i++)
    dlogits[i] = (float)gd_random_between(&r, -1.0, 1.0);
  int64_t kept_bytes[2] = {0, 0};
  for (int i = 0; i < 2; i++) {
    gd_resnet *net;
    gd_trace trace;
    config.precision = i == 0 ? GD_FP32 : GD_BF16;
    m[i] = model_new(config);
    for (int64_t j = 0; j < m[i]->weights_table.count; j++)
      if (m[i]->weights[j] == 0.0f) /* blocks must not be idle */
        m[i]->weights[j] = 0.5f;
    assert_ok(gd_resnet_new(&config, N, 1, &net));
    gd_resnet_trace(net, &trace);
    for (int j = 0; j < trace.n_layers; j++)
      kept_bytes[i] += trace.layers[j].kept_bytes;
    gd_resnet_pack(net, m[i]->weights);
    assert_ok(
        gd_resnet_forward(net, GD_RESNET_TRAIN, NULL, x, N, logits[0][i]));
    gd_resnet_backward(net, dlogits, m[i]->gradient);
    assert_ok(gd_resnet_forward(net, GD_RESNET_EVALUATE,
                                gd_resnet_statistics(net), x, N, logits[1][i]));
    gd_resnet_free(net);
  }
  assert_int_equal(2 * kept_bytes[1], kept_bytes[0]);
  const double found[3] = {
      distance(logits[0][1], logits[0][0], N * K),
      distance(logits[1][1], logits[1][0], N * K),
      distance(m[1]->gradient, m[0]->gradient, m[0]->weights_table.count)};
  for (int i = 0; i < 3; i++)
    if (!(found[i] > 0 && found[i] < bounds[i]))
      fail_msg("ResNet-%d: %g, %g, %g of the outputs in training, in "
               "evaluation, and of the gradient differ",
               config.depth, found[0], found[1], found[2]);
  model_free(m[0]);
  model_free(m[1]);
}

static void bf16_outputs_and_gradient_are_near_fp32s(void **state)
{
  (void)state;
  gd_resnet_config deep = small_config(), basic = basic_config();
  deep.height = deep.width = basic.height = basic.width = 64;
  expect_in_bf16(expect_near_fp32, deep);
  expect_in_bf16(expect_near_fp32, basic);
  expect_by("tiles", expect_near_fp32, large_config());
}

/* sum(dlogits * logits), the loss whose gradient by the logits is dlogits. */
static double loss_at(model *m, gd_resnet *net)
{
  double loss = 0;
  gd_resnet_pack(net, m->weights);
  assert_ok(
      gd_resnet_forward(net, GD_RESNET_TRAIN, NULL, m->x, MOST_N, m->logits));
  for (int i = 0; i < MOST_N * K; i++)
    loss += (double)m->dlogits[i] * (double)m->logits[i];
  return loss;
}

static void step_along(model *m, const gd_tensor_entry *e, double h)
{
  for (int64_t i = e->offset; i < e->offset + e->count; i++)
    m->weights[i] += (float)(h * (double)m->gradient[i]);
}

/* In float, and through ReLUs that open and close, a difference quotient is
 * coarse; the reference cases check the digits, this all the paths: v1.5,
 * Keras' padding and pooling, blocks with and without a downsample, dropout's
 * factors. */
static void expect_slope(gd_resnet_config config, const char *const names[4])
{
  model *m = model_new(config);
  gd_resnet *net;
  for (int64_t i = 0; i < m->weights_table.count; i++)
    if (m->weights[i] == 0.0f) /* the last factors: blocks must not be idle */
      m->weights[i] = 0.5f;
  float features[MOST_N * 2048], hidden[MOST_N * 7];
  for (int i = 0; i < MOST_N * 2048; i++)
    features[i] = i % 3 == 0 ? 0.0f : 1.5f;
  for (int i = 0; i < MOST_N * 7; i++)
    hidden[i] = i % 5 == 0 ? 0.0f : 1.25f;
  assert_ok(gd_resnet_new(&config, MOST_N, 1, &net));
  const double before = loss_at(m, net);
  gd_resnet_multiply(net, features, hidden);
  assert_true(loss_at(m, net) != before);
  gd_resnet_backward(net, m->dlogits, m->gradient);
  for (int t = 0; t < 4; t++) {
    const gd_tensor_entry *e = entry_of(&m->weights_table, names[t]);
    double squares = 0;
    for (int64_t i = e->offset; i < e->offset + e->count; i++)
      squares += (double)m->gradient[i] * (double)m->gradient[i];
    const double h = 0.01 / squares; /* so the loss moves by 0.01 */
    step_along(m, e, h);
    const double above = loss_at(m, net);
    step_along(m, e, -2 * h);
    const double below = loss_at(m, net);
    step_along(m, e, h);
    const double slope = (above - below) / (2 * h);
    if (!(fabs(slope / squares - 1) < 0.05))
      fail_msg("%s: slope %g, gradient says %g", names[t], slope, squares);
  }
  gd_resnet_free(net);
  model_free(m);
}

static void gradient_is_the_slope_along_itself(void **state)
{
  (void)state;
  const char *const names[] = {"conv1.weight", "layer3.0.downsample.0.weight",
                               "layer4.2.bn2.bias", "fc.0.weight"};
  gd_resnet_config config = small_config();
  assert_ok(gd_profile_of("keras-vggface", &config));
  config.stride_on_3x3 = 1;
  expect_slope(config, names);
}

static void gradient_of_basic_blocks_is_the_slope_along_itself(void **state)
{
  (void)state;
  const char *const names[] = {"conv1.weight", "layer1.0.conv2.weight",
                               "layer3.0.downsample.0.weight",
                               "layer4.1.bn1.bias"};
  expect_slope(basic_config(), names);
}

/* One row of weights for all outputs is the same row for each of them. */
static void shared_output_is_that_of_equal_rows(void **state)
{
  (void)state;
  gd_resnet_config config = small_config();
  model *full = model_new(config);
  config.shared_output = 1;
  model *shared = model_new(config);
  const gd_tensor_entry *rows = entry_of(&full->weights_table, "fc.2.weight");
  const gd_tensor_entry *row = entry_of(&shared->weights_table, "fc.2.weight");
  const gd_tensor_entry *biases = entry_of(&full->weights_table, "fc.2.bias");
  assert_int_equal(row->count, config.hidden);
  for (int i = 0; i < rows->count; i++)
    full->weights[rows->offset + i] =
        shared->weights[row->offset + i % config.hidden];
  memcpy(shared->weights + row->offset + row->count,
         full->weights + biases->offset, K * sizeof(float));
  train(full, MOST_N, MOST_N);
  train(shared, MOST_N, MOST_N);
  for (int i = 0; i < MOST_N * K; i++)
    assert_float_equal(full->logits[i], shared->logits[i], 1e-5);
  for (int c = 0; c < config.hidden; c++) {
    double sum = 0;
    for (int k = 0; k < K; k++)
      sum += (double)full->gradient[rows->offset + k * config.hidden + c];
    assert_float_equal(shared->gradient[row->offset + c], sum, 1e-5);
  }
  for (int k = 0; k < K; k++)
    assert_float_equal(full->gradient[biases->offset + k],
                       shared->gradient[row->offset + row->count + k], 1e-6);
  for (int64_t i = 0; i < row->offset; i += 1001)
    assert_float_equal(full->gradient[i], shared->gradient[i], 1e-4);
  model_free(shared);
  model_free(full);
}

static void first_weights_are_a_function_of_the_seed(void **state)
{
  (void)state;
  model *m = model_new(small_config());
  const gd_tensor_entry *e =
      entry_of(&m->weights_table, "layer2.1.conv2.weight");
  const float *w = m->weights + e->offset;
  double squares = 0;
  for (int64_t i = 0; i < e->count; i++)
    squares += (double)w[i] * (double)w[i];
  assert_true(fabs(squares / (double)e->count / (2.0 / (128 * 9)) - 1) < 0.02);
  const float first = w[0];
  assert_true(
      m->weights[entry_of(&m->weights_table, "layer2.1.bn3.weight")->offset] ==
      0.0f);
  gd_resnet_init_weights(&m->weights_table, 2, m->weights);
  assert_true(w[0] != first);
  gd_resnet_init_weights(&m->weights_table, 1, m->weights);
  assert_true(w[0] == first);
  assert_true(
      m->weights[entry_of(&m->weights_table, "layer2.1.bn2.weight")->offset] ==
      1.0f);
  model_free(m);
  m = model_new(basic_config());
  assert_true(
      m->weights[entry_of(&m->weights_table, "layer2.1.bn2.weight")->offset] ==
      0.0f);
  assert_true(
      m->weights[entry_of(&m->weights_table, "layer2.1.bn1.weight")->offset] ==
      1.0f);
  model_free(m);
}

/* Each output of each sample comes to its own number, from up to 3 off. */
static void expect_fit(gd_resnet_config config)
{
  model *m = model_new(config);
  const gd_tensor_entry *bias = entry_of(&m->weights_table, "fc.0.bias");
  for (int i = 0; i < bias->count; i++)
    m->weights[bias->offset + i] = 2; /* seven units, not to be at rest */
  gd_resnet *net;
  float *states = gd_alloc(2 * m->weights_table.count, sizeof *states);
  assert_non_null(states);
  float *state_of[2] = {states, states + m->weights_table.count};
  gd_optimizer adam = gd_optimizer_default(GD_OPTIMIZER_ADAM);
  adam.rate = 3e-3;
  assert_ok(gd_resnet_new(&m->config, MOST_N, 1, &net));
  float wanted[MOST_N * K], most = 3;
  for (int i = 0; i < MOST_N * K; i++)
    wanted[i] = (float)(i * 7 % 11) / 5;
  for (int step = 1; step <= 50 && most >= 0.4f; step++) {
    gd_resnet_pack(net, m->weights);
    assert_ok(
        gd_resnet_forward(net, GD_RESNET_TRAIN, NULL, m->x, MOST_N, m->logits));
    most = 0;
    for (int i = 0; i < MOST_N * K; i++) {
      m->dlogits[i] = (m->logits[i] - wanted[i]) / MOST_N;
      most = fmaxf(most, fabsf(m->logits[i] - wanted[i]));
    }
    gd_resnet_backward(net, m->dlogits, m->gradient);
    gd_optimizer_step(&adam, step, 1, m->weights_table.count, m->weights,
                      m->gradient, state_of);
  }
  if (!(most < 0.4f))
    fail_msg("furthest output is off by %g", (double)most);
  free(states);
  gd_resnet_free(net);
  model_free(m);
}

static void basic_net_fits_one_batch(void **state)
{
  (void)state;
  expect_fit(basic_config());
  expect_fit(in_bf16(basic_config()));
}

static void running_statistics_move_by_momentum(void **state)
{
  (void)state;
  float running[2] = {1, 0};
  const float now[2] = {3, 10};
  gd_resnet_update_running(running, now, 2, 0.1);
  assert_true(fabsf(running[0] - 1.2f) < 1e-6f && running[1] == 1.0f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tables_have_torchvisions_tensors),
    cmocka_unit_test(deeper_nets_differ_in_blocks_alone),
    cmocka_unit_test(basic_nets_have_torchvisions_tensors),
    cmocka_unit_test(impossible_configuration_is_refused),
    cmocka_unit_test(step_allocates_nothing),
    cmocka_unit_test(one_pixel_of_one_sample_cannot_train),
    cmocka_unit_test(threads_and_room_change_no_bit_of_a_step),
    cmocka_unit_test(microbatch_that_is_not_full_fits),
    cmocka_unit_test(evaluation_of_a_sample_does_not_see_the_others),
    cmocka_unit_test(bf16_outputs_and_gradient_are_near_fp32s),
    cmocka_unit_test(gradient_is_the_slope_along_itself),
    cmocka_unit_test(gradient_of_basic_blocks_is_the_slope_along_itself),
    cmocka_unit_test(shared_output_is_that_of_equal_rows),
    cmocka_unit_test(first_weights_are_a_function_of_the_seed),
    cmocka_unit_test(basic_net_fits_one_batch),
    cmocka_unit_test(running_statistics_move_by_momentum),
};

gd_test_main(tests)
