#include "gradus/conv.h"
#include "gradus/gemm.h"
#include "gradus/memory.h"
#include "gradus/norm.h"
#include "gradus/random.h"
#include "net/workspace.h"
#include "test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Precisions and ways to multiply; bf16's is chosen by the environment. */
typedef struct {
  gd_precision precision;
  const char *bf16;
} arithmetic;

static const arithmetic arithmetics[] = {
    {GD_FP32, ""}, {GD_BF16, "tiles"}, {GD_BF16, "kernels"}};
enum { N_ARITHMETICS = sizeof arithmetics / sizeof *arithmetics };

static gd_precision begin_arithmetic(int i)
{
  setenv("GRADUS_BF16", arithmetics[i].bf16, 1);
  return arithmetics[i].precision;
}

/* One convolution with its data, in float and in double: x, w and dy are
 * numbers of the precision. */
typedef struct {
  gd_precision p;
  gd_conv_shape f;
  gd_conv_input in;
  int64_t n_x, n_w, n_y;
  float *x, *w, *b, *dy, *y, *dx, *dw;
  double *x2, *w2, *b2, *dy2, *y2, *dx2, *dw2;
} example;

static float *floats(gd_random *r, int64_t count)
{
  float *x = gd_alloc(count, sizeof *x);
  assert_non_null(x);
  for (int64_t i = 0; i < count; i++)
    x[i] = (float)gd_random_between(r, -1.0, 1.0);
  return x;
}

static double *doubles(const float *x, int64_t count)
{
  double *y = gd_alloc(count, sizeof *y);
  assert_non_null(y);
  for (int64_t i = 0; i < count; i++)
    y[i] = (double)x[i];
  return y;
}

/* Return n floats as numbers of the precision. */
static void *keep(gd_precision p, const float *x, int64_t n)
{
  void *kept = gd_alloc(n, (size_t)gd_precision_bytes(p));
  assert_non_null(kept);
  gd_precision_write(p, x, n, kept);
  return kept;
}

/* The way back; the numbers are freed. */
static void take(gd_precision p, void *kept, int64_t n, float *x)
{
  gd_precision_read(p, kept, n, x);
  free(kept);
}

static float *numbers_of(gd_random *r, gd_precision p, int64_t count)
{
  float *x = floats(r, count);
  take(p, keep(p, x, count), count, x);
  return x;
}

static example example_of(gd_random *r, gd_precision p, gd_conv_shape f,
                          gd_conv_input in)
{
  example e = {.p = p, .f = f, .in = in};
  e.n_x = (int64_t)in.N * in.H * in.W * f.C;
  e.n_w = (int64_t)f.K * f.C * f.R * f.S;
  e.n_y = (int64_t)in.N * gd_conv_out_H(f, in.H) * gd_conv_out_W(f, in.W) * f.K;
  e.x = numbers_of(r, p, e.n_x), e.w = numbers_of(r, p, e.n_w);
  e.b = floats(r, f.K), e.dy = numbers_of(r, p, e.n_y);
  e.y = floats(r, e.n_y), e.dx = floats(r, e.n_x);
  e.dw = floats(r, e.n_w);
  e.x2 = doubles(e.x, e.n_x), e.w2 = doubles(e.w, e.n_w);
  e.b2 = doubles(e.b, f.K), e.dy2 = doubles(e.dy, e.n_y);
  e.y2 = doubles(e.y, e.n_y), e.dx2 = doubles(e.dx, e.n_x);
  e.dw2 = doubles(e.dw, e.n_w);
  return e;
}

static void example_free(example *e)
{
  float *singles[] = {e->x, e->w, e->b, e->dy, e->y, e->dx, e->dw};
  double *others[] = {e->x2, e->w2, e->b2, e->dy2, e->y2, e->dx2, e->dw2};
  for (int i = 0; i < 7; i++) {
    free(singles[i]);
    free(others[i]);
  }
}

/* The sum's error, and of what is kept in bf16 half of the last of its 8 bits:
 * factors are numbers of the precision, so their products are exact. */
static void assert_close(const char *what, const example *e, const float *is,
                         const double *want, int64_t count, double terms)
{
  const double rounding = e->p == GD_BF16 && is != e->dw ? 0x1p-8 : 0;
  for (int64_t i = 0; i < count; i++)
    if (!(fabs((double)is[i] - want[i]) <
          4e-7 * (4 + terms) + rounding * fabs(want[i])))
      fail_msg(
          "%s, %s of C %d K %d %dx%d/%d pad %d, %dx%dx%d: element %lld is %g, "
          "not %g",
          gd_precision_name(e->p), what, e->f.C, e->f.K, e->f.R, e->f.S,
          e->f.stride, e->f.pad, e->in.N, e->in.H, e->in.W, (long long)i,
          (double)is[i], want[i]);
}

static void soil(const void *context, gd_scratch scratch, int i)
{
  (void)context;
  (void)i;
  memset(scratch.slab, 0xff, GD_SLAB_FLOATS * sizeof *scratch.slab);
  memset(scratch.other_slab, 0xff, GD_SLAB_FLOATS * sizeof *scratch.slab);
}

/* A workspace, of one thread, in which others left what is no number. */
static gd_workspace *soiled_workspace(void)
{
  gd_workspace *ws;
  assert_ok(gd_workspace_new(&ws));
  gd_workspace_run(ws, gd_workspace_threads(ws), soil, NULL);
  return ws;
}

static void run(const example *e, int with_bias)
{
  gd_workspace *ws = soiled_workspace();
  gd_conv *conv;
  void *x = keep(e->p, e->x, e->n_x), *dy = keep(e->p, e->dy, e->n_y);
  void *y = keep(e->p, e->y, e->n_y), *dx = keep(e->p, e->dx, e->n_x);
  const gd_conv_source source = {.x = x};
  assert_ok(gd_conv_new(e->f, e->p, 1, &conv));
  gd_conv_pack(conv, e->w);
  gd_conv_forward(conv, ws, e->in, &source,
                  &(gd_conv_sink){.y = y, .bias = with_bias ? e->b : NULL});
  gd_conv_backward_data(conv, ws, e->in, dy, &(gd_conv_sink){.y = dx});
  gd_conv_backward_weights(conv, ws, e->in, &source, dy, e->dw);
  take(e->p, y, e->n_y, e->y);
  take(e->p, dx, e->n_x, e->dx);
  free(x);
  free(dy);
  gd_conv_free(conv);
  gd_workspace_free(ws);
}

static void fill(float *x, int64_t count, float value)
{
  for (int64_t i = 0; i < count; i++)
    x[i] = value;
}

static void check_one(example *e, int with_bias)
{
  fill(e->y, e->n_y, NAN); /* of the one before */
  fill(e->dx, e->n_x, NAN);
  fill(e->dw, e->n_w, NAN);
  run(e, with_bias);
  assert_close("forward", e, e->y, e->y2, e->n_y, e->f.C * e->f.R * e->f.S);
  assert_close("backward data", e, e->dx, e->dx2, e->n_x,
               e->f.K * e->f.R * e->f.S);
  assert_close("backward weights", e, e->dw, e->dw2, e->n_w,
               (double)(e->n_y / e->f.K));
}

static int have_libxsmm(void)
{
  setenv("GRADUS_GEMM", "libxsmm", 1);
  const int have = gd_gemm_begin() == GD_OK;
  unsetenv("GRADUS_GEMM");
  return have;
}

/* An example of each precision, by its definition and then in each arithmetic
 * by each backend that is here. */
static void check(gd_random *r, gd_conv_shape f, gd_conv_input in)
{
  static const char *const backends[] = {"openblas", "libxsmm"};
  const int n_backends = 1 + have_libxsmm();
  for (gd_precision p = GD_FP32; p <= GD_BF16; p++) {
    const int with_bias = (int)gd_random_below(r, 2);
    example e = example_of(r, p, f, in);
    gd_conv_forward_naive(f, in, e.x2, e.w2, with_bias ? e.b2 : NULL, e.y2);
    gd_conv_backward_data_naive(f, in, e.dy2, e.w2, e.dx2);
    gd_conv_backward_weights_naive(f, in, e.x2, e.dy2, e.dw2);
    for (int i = 0; i < N_ARITHMETICS * n_backends; i++) {
      setenv("GRADUS_GEMM", backends[i % n_backends], 1);
      if (begin_arithmetic(i / n_backends) == p)
        check_one(&e, with_bias);
    }
    example_free(&e);
  }
  unsetenv("GRADUS_GEMM");
  unsetenv("GRADUS_BF16");
}

static int draw(gd_random *r, int low, int high)
{
  return low + (int)gd_random_below(r, high - low + 1);
}

static void random_shapes_equal_their_definition(void **state)
{
  (void)state;
  gd_random r = gd_random_of(3, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < 60; i++) {
    gd_conv_shape f = {.C = draw(&r, 1, 40),
                       .K = draw(&r, 1, 90),
                       .R = draw(&r, 1, 4),
                       .S = draw(&r, 1, 4),
                       .stride = draw(&r, 1, 3)};
    f.pad = draw(&r, 0, (f.R < f.S ? f.R : f.S) - 1);
    f.pad_behind = i % 3 > 0 ? 0 : (f.R < f.S ? f.R : f.S) - 1 - f.pad;
    check(
        &r, f,
        (gd_conv_input){draw(&r, 1, 3), draw(&r, f.R, 13), draw(&r, f.S, 13)});
  }
}

/* TensorFlow's `same`: as many output pixels as steps fit into the image, and
 * what the padding has too much of comes behind. */
static void padding_behind_the_image_makes_room_for_one_more(void **state)
{
  (void)state;
  gd_conv_shape f = {.C = 1, .K = 1, .R = 7, .S = 7, .stride = 2, .pad = 2};
  assert_int_equal(gd_conv_out_H(f, 224), 111);
  f.pad_behind = 1;
  assert_int_equal(gd_conv_out_H(f, 224), 112);
  assert_int_equal(gd_conv_out_W(f, 64), 32);
  assert_int_equal(gd_conv_out_W(f, 2), 1);
}

/* The shapes that the networks are made of, small ends of them. */
static void network_shapes_equal_their_definition(void **state)
{
  (void)state;
  gd_random r = gd_random_of(4, GD_FOR_TESTS, 0, 0);
  check(&r, (gd_conv_shape){3, 64, 7, 7, 2, 3, 0, 0},
        (gd_conv_input){1, 21, 16});
  check(&r, (gd_conv_shape){3, 64, 7, 7, 2, 2, 1, 0},
        (gd_conv_input){1, 22, 15});
  check(&r, (gd_conv_shape){64, 64, 3, 3, 1, 1, 0, 0},
        (gd_conv_input){3, 7, 7});
  check(&r, (gd_conv_shape){128, 64, 3, 3, 2, 1, 0, 0},
        (gd_conv_input){1, 8, 7});
  check(&r, (gd_conv_shape){640, 64, 1, 1, 1, 0, 0, 0},
        (gd_conv_input){5, 2, 2});
  check(&r, (gd_conv_shape){64, 640, 1, 1, 1, 0, 0, 0},
        (gd_conv_input){2, 9, 9});
  check(&r, (gd_conv_shape){64, 128, 1, 1, 2, 0, 0, 0},
        (gd_conv_input){2, 9, 8});
  check(&r, (gd_conv_shape){3, 10, 3, 3, 1, 0, 0, 0},
        (gd_conv_input){1, 30, 17});
  check(&r, (gd_conv_shape){28, 48, 2, 2, 1, 0, 0, 0},
        (gd_conv_input){7, 4, 4});
  check(&r, (gd_conv_shape){1100, 2, 1, 1, 1, 0, 0, 0},
        (gd_conv_input){3, 1, 1});
  check(&r, (gd_conv_shape){20, 1030, 3, 3, 2, 1, 0, 0},
        (gd_conv_input){1, 5, 6});
  /* Whole lines of a rest, past the caches. */
  check(&r, (gd_conv_shape){1, 80, 1, 1, 1, 0, 0, 0},
        (gd_conv_input){1, 220, 220});
}

/* Squares of outputs hang over the border of odd sizes; pieces of one row, of
 * several, and of several samples; sums of one part and of several; more pieces
 * than the tasks of a weight gradient; more tasks than parts of it. */
static void winograd_shapes_equal_their_definition(void **state)
{
  (void)state;
  gd_random r = gd_random_of(10, GD_FOR_TESTS, 0, 0);
  gd_conv_shape f = {64, 64, 3, 3, 1, 1, 0, 1};
  check(&r, f, (gd_conv_input){1, 1, 1});
  check(&r, f, (gd_conv_input){1, 3, 131});
  check(&r, f, (gd_conv_input){17, 4, 2});
  check(&r, f, (gd_conv_input){1, 33, 58});
  for (int i = 0; i < 12; i++) {
    f.C = 64 * draw(&r, 1, 3), f.K = 64 * draw(&r, 1, 3);
    check(&r, f,
          (gd_conv_input){draw(&r, 1, 4), draw(&r, 1, 9), draw(&r, 1, 9)});
  }
  f.C = 320, f.K = 256;
  check(&r, f, (gd_conv_input){1, 5, 4});
  f.C = 1024, f.K = 64;
  check(&r, f, (gd_conv_input){1, 14, 16});
}

static void conv_on_more_threads_gives_the_same_bits(void **state)
{
  (void)state;
  const gd_conv_shape shapes[] = {{64, 192, 3, 3, 1, 1, 0, 0},
                                  {128, 96, 1, 1, 2, 0, 0, 0},
                                  {70, 64, 1, 1, 1, 0, 0, 0},
                                  {3, 64, 7, 7, 2, 3, 0, 0},
                                  {64, 128, 3, 3, 1, 1, 0, 1}};
  gd_random r = gd_random_of(5, GD_FOR_TESTS, 0, 0);
  const int before = omp_get_max_threads();
  enum { N_SHAPES = sizeof shapes / sizeof *shapes };
  for (int i = 0; i < N_SHAPES * N_ARITHMETICS; i++) {
    example e = example_of(&r, begin_arithmetic(i / N_SHAPES),
                           shapes[i % N_SHAPES], (gd_conv_input){2, 11, 12});
    float *first[3] = {NULL, NULL, NULL};
    float *const now[3] = {e.y, e.dx, e.dw};
    const int64_t counts[3] = {e.n_y, e.n_x, e.n_w};
    for (int threads = 1; threads <= 5; threads++) {
      omp_set_num_threads(threads);
      run(&e, i % 2);
      for (int j = 0; j < 3; j++) {
        const size_t bytes = (size_t)counts[j] * sizeof(float);
        if (threads == 1) {
          first[j] = gd_alloc(counts[j], sizeof(float));
          memcpy(first[j], now[j], bytes);
        }
        assert_memory_equal(first[j], now[j], bytes);
      }
    }
    for (int j = 0; j < 3; j++)
      free(first[j]);
    example_free(&e);
  }
  unsetenv("GRADUS_BF16");
  omp_set_num_threads(before);
}

/* What a network has before and behind a convolution, beside the same in plain
 * steps of the definition. */
typedef struct {
  float mean[64], factor[64], addend[64];
  gd_scale scale;
} numbers;

static void draw_numbers(gd_random *r, numbers *n)
{
  for (int c = 0; c < 64; c++) {
    n->mean[c] = (float)gd_random_between(r, -0.5, 0.5);
    n->factor[c] = (float)gd_random_between(r, -2.0, 2.0);
    n->addend[c] = (float)gd_random_between(r, -0.5, 0.5);
  }
  n->scale = (gd_scale){n->mean, n->factor, n->addend};
}

static double scaled(const numbers *n, double v, int c)
{
  return (v - (double)n->mean[c]) * (double)n->factor[c] + (double)n->addend[c];
}

static void assert_near(double is, double want, double scale)
{
  if (!(fabs(is - want) < 1e-5 * (1 + scale)))
    fail_msg("%g is not %g", is, want);
}

/* relu(scale(x)) in floats, then rounded to the precision. */
static float taken(const example *e, const numbers *n, int64_t i)
{
  const int c = (int)(i % e->f.C);
  float v = (e->x[i] - n->mean[c]) * n->factor[c] + n->addend[c];
  v = v < 0 ? 0 : v;
  take(e->p, keep(e->p, &v, 1), 1, &v);
  return v;
}

/* relu(scale(x)) on the way in; mean and variance of the results, whose offset
 * is far larger than their spread. */
static void check_way_in(const example *e, const numbers *n, gd_conv *conv,
                         gd_workspace *ws)
{
  const int K = e->f.K;
  const int64_t rows = e->n_y / K;
  const int n_pieces = gd_conv_n_pieces(conv, e->in, 0);
  double *pieces =
      gd_alloc((int64_t)n_pieces * gd_norm_piece(K), sizeof *pieces);
  float mean[64], variance[64];
  void *x = keep(e->p, e->x, e->n_x), *dy = keep(e->p, e->dy, e->n_y);
  void *y = keep(e->p, e->y, e->n_y);
  const gd_conv_source source = {.x = x, .scale = &n->scale};
  gd_conv_forward(conv, ws, e->in, &source,
                  &(gd_conv_sink){.y = y, .sums = pieces});
  take(e->p, y, e->n_y, e->y);
  gd_norm_merge(n_pieces, K, pieces, mean, variance);
  for (int64_t i = 0; i < e->n_x; i++)
    e->x2[i] = (double)taken(e, n, i);
  gd_conv_forward_naive(e->f, e->in, e->x2, e->w2, NULL, e->y2);
  assert_close("forward of scaled x", e, e->y, e->y2, e->n_y,
               3.0 * e->f.C * e->f.R * e->f.S);
  for (int k = 0; k < K; k++) {
    double m = 0, squares = 0;
    for (int64_t i = 0; i < rows; i++)
      m += (double)e->y[i * K + k] / (double)rows;
    for (int64_t i = 0; i < rows; i++)
      squares += pow((double)e->y[i * K + k] - m, 2) / (double)rows;
    assert_near((double)mean[k], m, fabs(m));
    assert_near((double)variance[k], squares, squares);
  }
  gd_conv_backward_weights(conv, ws, e->in, &source, dy, e->dw);
  gd_conv_backward_weights_naive(e->f, e->in, e->x2, e->dy2, e->dw2);
  assert_close("backward weights of scaled x", e, e->dw, e->dw2, e->n_w,
               3.0 * (double)rows);
  free(pieces);
  free(x);
  free(dy);
}

/* relu(scale(v) + add), as evaluation has it. */
static void check_way_out(const example *e, const numbers *n, gd_conv *conv,
                          gd_workspace *ws)
{
  void *x = keep(e->p, e->x, e->n_x), *dy = keep(e->p, e->dy, e->n_y);
  void *y = keep(e->p, e->y, e->n_y);
  gd_conv_forward(
      conv, ws, e->in, &(gd_conv_source){.x = x},
      &(gd_conv_sink){.y = y, .scale = &n->scale, .add = dy, .relu = 1});
  take(e->p, y, e->n_y, e->y);
  free(x);
  free(dy);
  for (int64_t i = 0; i < e->n_x; i++)
    e->x2[i] = (double)e->x[i];
  gd_conv_forward_naive(e->f, e->in, e->x2, e->w2, NULL, e->y2);
  for (int64_t i = 0; i < e->n_y; i++)
    e->y2[i] = fmax(0.0, scaled(n, e->y2[i], (int)(i % e->f.K)) + e->dy2[i]);
  assert_close("relu of scaled forward", e, e->y, e->y2, e->n_y,
               3.0 * e->f.C * e->f.R * e->f.S);
}

/* Back through the ReLU and to the sums of the norm before the convolution:
 * with x as the norm's input, and again with a shortcut in place. */
static void check_way_back(const example *e, const numbers *n, gd_conv *conv,
                           gd_workspace *ws, int with_shortcut)
{
  const int C = e->f.C, n_pieces = gd_conv_n_pieces(conv, e->in, 1);
  double *pieces =
      gd_alloc((int64_t)n_pieces * gd_norm_piece(C), sizeof *pieces);
  float *open = gd_alloc(e->n_x, sizeof *open);
  for (int64_t i = 0; i < e->n_x; i++) {
    open[i] = i % 3 == 0 ? 0.0f : 1.0f;
    e->dx[i] = 0.5f;
  }
  void *x = keep(e->p, e->x, e->n_x), *dy = keep(e->p, e->dy, e->n_y);
  void *dx = keep(e->p, e->dx, e->n_x), *gate = keep(e->p, open, e->n_x);
  gd_conv_backward_data(conv, ws, e->in, dy,
                        &(gd_conv_sink){.y = dx,
                                        .add = with_shortcut ? dx : NULL,
                                        .open = with_shortcut ? gate : NULL,
                                        .raw = x,
                                        .scale = &n->scale,
                                        .sums = pieces});
  take(e->p, dx, e->n_x, e->dx);
  free(x);
  free(dy);
  free(gate);
  gd_conv_backward_data_naive(e->f, e->in, e->dy2, e->w2, e->dx2);
  double sums[2][64] = {{0}}, rows = 0;
  for (int64_t i = 0; i < e->n_x; i++) {
    const int c = (int)(i % C);
    const double y = scaled(n, (double)e->x[i], c);
    if (with_shortcut)
      e->dx2[i] = open[i] > 0 ? e->dx2[i] + 0.5 : 0.0;
    else if (fabs(y) < 1e-6) /* either is right */
      e->dx2[i] = (double)e->dx[i];
    else if (y < 0)
      e->dx2[i] = 0.0;
    sums[0][c] += (double)e->dx[i]; /* of what is kept */
    sums[1][c] += (double)e->dx[i] * ((double)e->x[i] - (double)n->mean[c]);
  }
  assert_close("gated gradient", e, e->dx, e->dx2, e->n_x,
               e->f.K * e->f.R * e->f.S);
  for (int c = 0; c < C; c++) {
    double is[2] = {0, 0};
    for (int i = 0; i < n_pieces; i++) {
      const double *piece = pieces + i * gd_norm_piece(C);
      rows += c == 0 ? piece[0] : 0;
      is[0] += piece[1 + c];
      is[1] += piece[1 + C + c];
    }
    assert_near(is[0], sums[0][c], (double)e->n_x);
    assert_near(is[1], sums[1][c], (double)e->n_x);
  }
  assert_true(rows == (double)(e->n_x / C));
  free(open);
  free(pieces);
}

static void check_surroundings(gd_random *r, gd_precision p, gd_conv_shape f,
                               gd_conv_input in)
{
  example e = example_of(r, p, f, in);
  numbers n;
  gd_workspace *ws = soiled_workspace();
  gd_conv *conv;
  draw_numbers(r, &n);
  assert_ok(gd_conv_new(e.f, e.p, 1, &conv));
  gd_conv_pack(conv, e.w);
  check_way_in(&e, &n, conv, ws);
  check_way_out(&e, &n, conv, ws);
  check_way_back(&e, &n, conv, ws, 0);
  check_way_back(&e, &n, conv, ws, 1);
  gd_conv_free(conv);
  gd_workspace_free(ws);
  example_free(&e);
}

static void what_surrounds_a_conv_is_done_on_the_way(void **state)
{
  (void)state;
  const gd_conv_shape shapes[] = {
      {64, 40, 1, 1, 1, 0, 0, 0}, {7, 64, 3, 3, 1, 1, 0, 0},
      {33, 50, 3, 3, 2, 1, 0, 0}, {64, 64, 1, 1, 2, 0, 0, 0},
      {3, 16, 7, 7, 2, 2, 1, 0},  {20, 64, 2, 4, 3, 1, 0, 0},
      {64, 64, 3, 3, 1, 1, 0, 0}, {16, 17, 1, 1, 1, 0, 0, 0},
      {48, 5, 4, 2, 1, 1, 0, 0},  {64, 64, 3, 3, 1, 1, 0, 1}};
  enum { N_SHAPES = sizeof shapes / sizeof *shapes };
  gd_random r = gd_random_of(8, GD_FOR_TESTS, 0, 0);
  for (int j = 0; j < N_SHAPES * N_ARITHMETICS; j++) {
    const int i = j % N_SHAPES;
    check_surroundings(&r, begin_arithmetic(j / N_SHAPES), shapes[i],
                       (gd_conv_input){1 + i % 4, 9 + i, 16 - i});
  }
  unsetenv("GRADUS_BF16");
}

/* So much leaves the caches: it is stored past them, forward and back, in rows
 * and in the columns of a stride. */
static void what_is_large_is_done_on_the_way_too(void **state)
{
  (void)state;
  gd_random r = gd_random_of(12, GD_FOR_TESTS, 0, 0);
  const gd_conv_input in = {1, 224, 224};
  check_surroundings(&r, GD_FP32, (gd_conv_shape){4, 64, 1, 1, 1, 0, 0, 0}, in);
  check_surroundings(&r, GD_FP32, (gd_conv_shape){64, 4, 1, 1, 2, 0, 0, 0}, in);
}

/* Weights beyond the precision are those next to them. */
static void weights_are_rounded_to_the_precision(void **state)
{
  (void)state;
  const gd_conv_shape shapes[] = {{64, 70, 3, 3, 1, 1, 0, 0},
                                  {64, 128, 3, 3, 1, 1, 0, 1}};
  enum { N_SHAPES = sizeof shapes / sizeof *shapes };
  gd_random r = gd_random_of(11, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < N_SHAPES * N_ARITHMETICS; i++) {
    example e = example_of(&r, begin_arithmetic(i / N_SHAPES),
                           shapes[i % N_SHAPES], (gd_conv_input){1, 5, 5});
    float *rough = floats(&r, e.n_w);
    float *y = floats(&r, e.n_y), *dx = floats(&r, e.n_x);
    memcpy(e.w, rough, (size_t)e.n_w * sizeof *rough);
    run(&e, 0);
    memcpy(y, e.y, (size_t)e.n_y * sizeof *y);
    memcpy(dx, e.dx, (size_t)e.n_x * sizeof *dx);
    take(e.p, keep(e.p, rough, e.n_w), e.n_w, e.w);
    run(&e, 0);
    assert_memory_equal(y, e.y, (size_t)e.n_y * sizeof *y);
    assert_memory_equal(dx, e.dx, (size_t)e.n_x * sizeof *dx);
    free(rough);
    free(y);
    free(dx);
    example_free(&e);
  }
  unsetenv("GRADUS_BF16");
}

/* Two for a multiply-add: the definition's, or 16 for each square of outputs,
 * where floats are multiplied: with 16 floats for each kernel, else 9 numbers
 * of the precision; as many again for the way back. */
static void flop_and_bytes_are_those_of_the_way_it_is_computed(void **state)
{
  (void)state;
  enum { KERNELS = 64 * 128 };
  const gd_conv_input in = {2, 7, 8};
  for (int winograd = 0; winograd < 2; winograd++)
    for (int i = 0; i < N_ARITHMETICS; i++) {
      const gd_precision p = begin_arithmetic(i);
      const int is_winograd = winograd && gd_gemm_takes(p) == GD_FP32;
      const double products = is_winograd ? 16 * 4 * 4 : 9 * 7 * 8;
      const int64_t bytes =
          KERNELS * (is_winograd ? 16 * 4 : 9 * gd_precision_bytes(p));
      gd_conv *conv;
      assert_ok(gd_conv_new((gd_conv_shape){64, 128, 3, 3, 1, 1, 0, winograd},
                            p, 1, &conv));
      assert_true(gd_conv_flop(conv, in) == 2 * 2 * KERNELS * products);
      assert_int_equal(gd_conv_weight_bytes(conv), bytes);
      assert_int_equal(gd_conv_bytes(conv), 2 * bytes);
      gd_conv_free(conv);
    }
  unsetenv("GRADUS_BF16");
}

/* 1000 +- 0.01: squares of values would leave nothing of the variance. */
static void variance_far_from_zero_keeps_its_digits(void **state)
{
  (void)state;
  enum { ROWS = 5000 };
  float *x = gd_alloc(ROWS, sizeof *x), *y = gd_alloc(ROWS, sizeof *y);
  double mean = 0, squares = 0, pieces[ROWS];
  const float one = 1.0f;
  float m, v;
  gd_workspace *ws;
  gd_conv *conv;
  gd_random r = gd_random_of(9, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < ROWS; i++) {
    x[i] = (float)(1000.0 + 0.01 * gd_random_normal(&r));
    mean += (double)x[i] / ROWS;
  }
  for (int i = 0; i < ROWS; i++)
    squares += pow((double)x[i] - mean, 2) / ROWS;
  assert_ok(gd_workspace_new(&ws));
  assert_ok(
      gd_conv_new((gd_conv_shape){1, 1, 1, 1, 1, 0, 0, 0}, GD_FP32, 0, &conv));
  gd_conv_pack(conv, &one);
  const gd_conv_input in = {1, 1, ROWS};
  gd_conv_forward(conv, ws, in, &(gd_conv_source){.x = x},
                  &(gd_conv_sink){.y = y, .sums = pieces});
  gd_norm_merge(gd_conv_n_pieces(conv, in, 0), 1, pieces, &m, &v);
  assert_true(fabs((double)m - mean) < 1e-4);
  assert_true(fabs((double)v / squares - 1) < 1e-4);
  gd_conv_free(conv);
  gd_workspace_free(ws);
  free(x);
  free(y);
}

/* <dy, forward(x, w)> is linear in x and in w: central differences are exact
 * but for rounding. */
static double inner(const example *e)
{
  gd_conv_forward_naive(e->f, e->in, e->x2, e->w2, NULL, e->y2);
  double sum = 0;
  for (int64_t i = 0; i < e->n_y; i++)
    sum += e->dy2[i] * e->y2[i];
  return sum;
}

static double slope(const example *e, double *at)
{
  const double was = *at, h = 1e-3;
  *at = was + h;
  const double above = inner(e);
  *at = was - h;
  const double below = inner(e);
  *at = was;
  return (above - below) / (2 * h);
}

static void
conv_definition_has_the_gradients_of_finite_differences(void **state)
{
  (void)state;
  gd_random r = gd_random_of(6, GD_FOR_TESTS, 0, 0);
  example e = example_of(&r, GD_FP32, (gd_conv_shape){2, 3, 3, 3, 2, 1, 1, 0},
                         (gd_conv_input){2, 5, 4});
  gd_conv_backward_data_naive(e.f, e.in, e.dy2, e.w2, e.dx2);
  gd_conv_backward_weights_naive(e.f, e.in, e.x2, e.dy2, e.dw2);
  for (int64_t i = 0; i < e.n_x; i++)
    assert_true(fabs(slope(&e, &e.x2[i]) - e.dx2[i]) < 1e-10);
  for (int64_t i = 0; i < e.n_w; i++)
    assert_true(fabs(slope(&e, &e.w2[i]) - e.dw2[i]) < 1e-10);
  example_free(&e);
}

static void bias_gradient_is_the_sum_over_pixels(void **state)
{
  (void)state;
  const float dy[6] = {1, 10, 2, 20, 3, 30};
  float dbias[2];
  gd_conv_backward_bias(dy, 3, 2, dbias);
  assert_true(dbias[0] == 6.0f && dbias[1] == 60.0f);
}

static void impossible_shape_is_refused(void **state)
{
  (void)state;
  gd_conv *conv;
  assert_fails(
      gd_conv_new((gd_conv_shape){0, 4, 1, 1, 1, 0, 0, 0}, GD_FP32, 0, &conv),
      GD_ERR_USAGE, "0 to 4 channels");
  assert_null(conv);
  assert_fails(
      gd_conv_new((gd_conv_shape){4, 4, 3, 3, 1, 3, 0, 0}, GD_FP32, 0, &conv),
      GD_ERR_USAGE, "pad 3");
  assert_fails(
      gd_conv_new((gd_conv_shape){4, 4, 3, 3, 1, 1, 2, 0}, GD_FP32, 0, &conv),
      GD_ERR_USAGE, "pad 1 and 3");
  assert_fails(
      gd_conv_new((gd_conv_shape){4, 4, 25, 25, 1, 0, 0, 0}, GD_FP32, 0, &conv),
      GD_ERR_USAGE, "25x25");
  assert_fails(
      gd_conv_new((gd_conv_shape){64, 64, 3, 3, 2, 1, 0, 1}, GD_FP32, 0, &conv),
      GD_ERR_USAGE, "none for Winograd's filtering");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(padding_behind_the_image_makes_room_for_one_more),
    cmocka_unit_test(random_shapes_equal_their_definition),
    cmocka_unit_test(network_shapes_equal_their_definition),
    cmocka_unit_test(winograd_shapes_equal_their_definition),
    cmocka_unit_test(conv_on_more_threads_gives_the_same_bits),
    cmocka_unit_test(what_surrounds_a_conv_is_done_on_the_way),
    cmocka_unit_test(what_is_large_is_done_on_the_way_too),
    cmocka_unit_test(weights_are_rounded_to_the_precision),
    cmocka_unit_test(flop_and_bytes_are_those_of_the_way_it_is_computed),
    cmocka_unit_test(variance_far_from_zero_keeps_its_digits),
    cmocka_unit_test(conv_definition_has_the_gradients_of_finite_differences),
    cmocka_unit_test(bias_gradient_is_the_sum_over_pixels),
    cmocka_unit_test(impossible_shape_is_refused),
};

gd_test_main(tests)
