#include "train/cascade_trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/conv.h"
#include "gradus/detector_import.h"
#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/mtcnn.h"
#include "gradus/random.h"
#include "test.h"

static const gd_cascade_spec *const specs[] = {&gd_pnet_spec, &gd_rnet_spec,
                                               &gd_onet_spec};
enum { N_NETS = 3, N = 2 };

static int size_of(int net)
{
  return 12 << net;
}

typedef struct {
  gd_cascade_trainer *t;
  const gd_tensor_table *table;
  int channels;
  float *weights, *x, *dy, *gradient;
} subject;

/* A net with random weights, images and gradient of its output. */
static subject make(int net)
{
  subject s;
  gd_random r = gd_random_of(3, GD_FOR_TESTS, net, 0);
  const int64_t n_x = (int64_t)N * size_of(net) * size_of(net) * 3;
  assert_ok(gd_cascade_trainer_new(specs[net], size_of(net), N, &s.t));
  s.table = gd_cascade_trainer_weights(s.t);
  s.channels = gd_cascade_trainer_channels(s.t);
  s.weights = gd_alloc(s.table->count, sizeof *s.weights);
  s.gradient = gd_alloc(s.table->count, sizeof *s.gradient);
  s.x = gd_alloc(n_x, sizeof *s.x);
  s.dy = gd_alloc((int64_t)N * s.channels, sizeof *s.dy);
  gd_cascade_trainer_init(s.t, 5, s.weights);
  for (int64_t i = 0; i < s.table->count; i++)
    s.weights[i] += (float)(0.05 * gd_random_normal(&r)); /* biases too */
  for (int64_t i = 0; i < n_x; i++)
    s.x[i] = (float)gd_random_between(&r, -1, 1);
  for (int i = 0; i < N * s.channels; i++)
    s.dy[i] = (float)gd_random_normal(&r);
  gd_cascade_trainer_pack(s.t, s.weights);
  return s;
}

static void drop(subject *s)
{
  gd_cascade_trainer_free(s->t);
  free(s->weights);
  free(s->gradient);
  free(s->x);
  free(s->dy);
}

/* ------------------------------------------------------------- definitions */

/* Maximum of windows of stride 2, the last one clipped; returns the side. */
static int pool(const double *x, int size, int K, int window, double *y)
{
  const int out = (size - window + 1) / 2 + 1;
  for (int p = 0; p < out; p++)
    for (int q = 0; q < out; q++)
      for (int k = 0; k < K; k++) {
        double most = -INFINITY;
        for (int r = 2 * p; r < 2 * p + window && r < size; r++)
          for (int s = 2 * q; s < 2 * q + window && s < size; s++)
            most = fmax(most, x[(r * size + s) * K + k]);
        y[(p * out + q) * K + k] = most;
      }
  return out;
}

/* Run layers side by side on one image, by plain loops; returns the channels.
 * *at walks through the block. */
static int run_layer(const gd_cascade_layer *side_by_side, int C, int has_prelu,
                     const double *w, int64_t *at, int *size, double *x,
                     double *y)
{
  const int kernel = side_by_side->size, out = *size - kernel + 1;
  int K = 0;
  for (const gd_cascade_layer *l = side_by_side; l->name != NULL; l++)
    K += l->K;
  const double *weights = w + *at;
  const double *bias = weights + (int64_t)K * C * kernel * kernel;
  gd_conv_forward_naive(
      (gd_conv_shape){.C = C, .K = K, .R = kernel, .S = kernel, .stride = 1},
      (gd_conv_input){1, *size, *size}, x, weights, bias, y);
  *at = bias + K - w;
  if (has_prelu) {
    for (int i = 0; i < out * out * K; i++)
      y[i] *= y[i] > 0 ? 1 : w[*at + i % K];
    *at += K;
  }
  *size = out;
  if (side_by_side->pool > 0)
    *size = pool(y, out, K, side_by_side->pool, x);
  else
    memcpy(x, y, (size_t)(out * out * K) * sizeof *x);
  return K;
}

/* Sum of dy y over N images, in double. */
static double objective(const subject *s, int net, const double *w)
{
  const int most = 48 * 48 * 64, size_px = size_of(net);
  double *x = gd_alloc(most, sizeof *x), *y = gd_alloc(most, sizeof *y);
  double sum = 0;
  for (int n = 0; n < N; n++) {
    int size = size_px, C = 3;
    int64_t at = 0;
    for (int i = 0; i < size * size * 3; i++)
      x[i] = (double)s->x[(int64_t)n * size * size * 3 + i];
    for (const gd_cascade_layer *l = specs[net]->layers; l->name != NULL; l++)
      C = run_layer((gd_cascade_layer[2]){*l}, C, 1, w, &at, &size, x, y);
    C = run_layer(specs[net]->heads, C, 0, w, &at, &size, x, y);
    assert_int_equal(C, s->channels);
    assert_int_equal(at, s->table->count);
    for (int k = 0; k < C; k++)
      sum += x[k] * (double)s->dy[n * C + k];
  }
  free(x);
  free(y);
  return sum;
}

/* -------------------------------------------------------------------- tests */

static void net_in_training_computes_what_the_detector_does(void **state)
{
  (void)state;
  for (int net = 0; net < N_NETS; net++) {
    subject s = make(net);
    gd_store_writer *w;
    gd_weights *weights;
    gd_cascade_net *detector;
    gd_cascade_buffers buffers = {0};
    gd_cascade_shape shape;
    const float *expected;
    const char *path = gd_test_path("net.h5");
    assert_ok(gd_store_create(path, "test", 1, (gd_digest){0}, &w));
    assert_ok(gd_cascade_trainer_put(s.t, s.weights, w));
    assert_ok(gd_store_commit(w));
    assert_ok(gd_weights_open(path, &weights));
    assert_ok(gd_cascade_net_read(specs[net], weights, &detector));
    const gd_cascade_shape in = {N, size_of(net), size_of(net)};
    assert_ok(
        gd_cascade_net_forward(detector, &buffers, in, s.x, &shape, &expected));
    const float *y = gd_cascade_trainer_forward(s.t, N, s.x);
    for (int i = 0; i < N * s.channels; i++)
      assert_true(fabsf(y[i] - expected[i]) <=
                  2e-5f * (1 + fabsf(expected[i])));
    gd_cascade_buffers_free(&buffers);
    gd_cascade_net_free(detector);
    gd_weights_close(weights);
    drop(&s);
  }
}

static void gradient_is_that_of_finite_differences(void **state)
{
  (void)state;
  const double h = 1e-6;
  for (int net = 0; net < N_NETS; net++) {
    subject s = make(net);
    gd_random r = gd_random_of(4, GD_FOR_TESTS, net, 0);
    double *w = gd_alloc(s.table->count, sizeof *w);
    for (int64_t i = 0; i < s.table->count; i++)
      w[i] = (double)s.weights[i];
    (void)gd_cascade_trainer_forward(s.t, N, s.x);
    gd_cascade_trainer_backward(s.t, s.dy, s.gradient);
    for (int e = 0; e < s.table->n_entries; e++) {
      const gd_tensor_entry *entry = &s.table->entries[e];
      for (int k = 0; k < (net == 0 ? 4 : net == 1 ? 2 : 1); k++) {
        const int64_t at = entry->offset + gd_random_below(&r, entry->count);
        const double was = w[at];
        w[at] = was + h;
        double slope = objective(&s, net, w);
        w[at] = was - h;
        slope = (slope - objective(&s, net, w)) / (2 * h);
        w[at] = was;
        if (!(fabs(slope - (double)s.gradient[at]) <= 2e-4 * (1 + fabs(slope))))
          fail_msg("%s: %g, expected %g", entry->name, (double)s.gradient[at],
                   slope);
      }
    }
    free(w);
    drop(&s);
  }
}

static void weights_are_read_back_as_they_were(void **state)
{
  (void)state;
  for (int net = 0; net < N_NETS; net++) {
    subject s = make(net);
    gd_store_writer *w;
    gd_store *store;
    const char *path = gd_test_path("back.h5");
    assert_ok(gd_store_create(path, "test", 1, (gd_digest){0}, &w));
    assert_ok(gd_cascade_trainer_put(s.t, s.weights, w));
    assert_ok(gd_store_commit(w));
    assert_ok(gd_store_open(path, "test", 1, &store));
    assert_ok(gd_cascade_trainer_get(s.t, store, s.gradient));
    assert_memory_equal(s.weights, s.gradient,
                        (size_t)s.table->count * sizeof *s.weights);
    gd_store_close(store);
    drop(&s);
  }
}

/* Write a cascade that calls everything a face: its weights are 0, and so are
 * its biases but those of a face, and of boxes, which move a seventh of a side
 * to the lower right. */
static const char *write_constant_cascade(int framed)
{
  const char *path = gd_test_path("constant.h5");
  const gd_dataset d = {
      .name = "cascade/framed", .dtype = GD_F32, .rank = 1, .dims = {1}};
  gd_store_writer *w;
  assert_ok(gd_store_create(path, "test", 1, (gd_digest){0}, &w));
  if (framed)
    assert_ok(gd_store_put(w, &d, (float[]){1}));
  for (int net = 0; net < N_NETS; net++) {
    gd_cascade_trainer *t;
    assert_ok(gd_cascade_trainer_new(specs[net], size_of(net), 1, &t));
    const gd_tensor_table *table = gd_cascade_trainer_weights(t);
    float *weights = gd_alloc(table->count, sizeof *weights);
    assert_non_null(weights);
    for (int i = 0; i < table->n_entries; i++) {
      const gd_tensor_entry *e = &table->entries[i];
      for (int k = 0; e->rank == 1 && k < e->count; k++)
        weights[e->offset + k] = e->count == 2   ? 4.0f * (float)k
                                 : e->count == 4 ? 1.0f / 7.0f
                                                 : 0.0f;
    }
    assert_ok(gd_cascade_trainer_put(t, weights, w));
    gd_cascade_trainer_free(t);
    free(weights);
  }
  assert_ok(gd_store_commit(w));
  return path;
}

/* Import a cascade, and detect in an image that is one cell of P-Net: the only
 * box moves out of it. */
static gd_face detect_in_one_cell(int framed)
{
  const char *paths[] = {write_constant_cascade(framed)};
  char imported[GD_PATH_MAX];
  snprintf(imported, sizeof imported, "%s", gd_test_path("imported.h5"));
  gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_image image;
  gd_mtcnn *m;
  const gd_face *faces;
  int n;
  config.min_face_px = 36;
  assert_ok(gd_detector_import(1, paths, imported));
  assert_ok(gd_mtcnn_open(imported, &config, &m));
  assert_ok(gd_image_new(36, 36, &image));
  assert_ok(gd_mtcnn_detect(m, &image, &faces, &n));
  assert_int_equal(n, 1);
  const gd_face face = faces[0];
  gd_image_free(&image);
  gd_mtcnn_close(m);
  return face;
}

/* P-Net's cell is 3 .. 36, its box 33 / 7 further.  R-Net and O-Net see of
 * their boxes what lies in the image, pixels 7 .. 36 and 11 .. 36: framed, they
 * move these by 30 / 7 and 26 / 7; else the whole box by 34 / 7. */
static void framed_weights_tell_boxes_of_the_pixels_they_saw(void **state)
{
  (void)state;
  const gd_face framed = detect_in_one_cell(1), whole = detect_in_one_cell(0);
  const float first = 3 + 33.0f / 7.0f;
  for (int c = 0; c < 2; c++) {
    assert_true(fabsf(framed.box[c] - (11 + 26.0f / 7.0f)) < 1e-4f);
    assert_true(fabsf(framed.box[2 + c] - (36 + 26.0f / 7.0f)) < 1e-4f);
    assert_true(fabsf(whole.box[c] - (first + 68.0f / 7.0f)) < 1e-4f);
    assert_true(fabsf(whole.box[2 + c] - (first + 33 + 68.0f / 7.0f)) < 1e-4f);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(net_in_training_computes_what_the_detector_does),
    cmocka_unit_test(gradient_is_that_of_finite_differences),
    cmocka_unit_test(weights_are_read_back_as_they_were),
    cmocka_unit_test(framed_weights_tell_boxes_of_the_pixels_they_saw),
};

gd_test_main(tests)
