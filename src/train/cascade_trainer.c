#include "train/cascade_trainer.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/conv.h"
#include "gradus/memory.h"
#include "gradus/pool.h"
#include "gradus/random.h"

static const float FIRST_SLOPE = 0.25f;

/* Where landmarks are in the box of a face that looks straight ahead: x of
 * eyes, nose, mouth corners, then y. */
static const float MEAN_FACE[10] = {0.28f, 0.72f, 0.50f, 0.31f, 0.69f,
                                    0.22f, 0.22f, 0.50f, 0.73f, 0.73f};

typedef struct {
  gd_conv *conv;
  gd_conv_input in; /* of one sample: N = 1 */
  int P, Q, K;      /* what the convolution gives */
  gd_pool_shape pool;
  int has_pool, has_prelu;
  int pooled_P, pooled_Q;
  int64_t weight, bias, slopes; /* where they lie in the block */
  float *raw, *active, *pooled; /* (most, ...) */
  float *draw, *dactive;        /* gradients of raw, active */
  float *dpooled;               /* ... of what the layer gives */
  uint8_t *winner;
} layer;

struct gd_cascade_trainer {
  const gd_cascade_spec *spec;
  gd_tensor_table table;
  layer layers[GD_CASCADE_LAYERS + 1]; /* the heads last */
  int n_layers, most, n;
  gd_workspace *workspace;
  const float *weights; /* borrowed */
  const float *x;       /* borrowed */
};

/* ------------------------------------------------------------------- set-up */

static gd_status add_tensor(gd_cascade_trainer *t, const char *name,
                            const char *what, int rank, const int *shape)
{
  char full[GD_TENSOR_NAME];
  snprintf(full, sizeof full, "%s/%s/%s", t->spec->name, name, what);
  return gd_tensor_table_add(&t->table, full,
                             rank == 4 ? GD_TENSOR_CONV : GD_TENSOR_BIAS, rank,
                             shape);
}

/* List the tensors of layers that lie side by side in one convolution's
 * output; a list that ends with a NULL name. */
static gd_status list_tensors(gd_cascade_trainer *t,
                              const gd_cascade_layer *side_by_side, int C,
                              layer *out)
{
  gd_status st = GD_OK;
  out->weight = t->table.count;
  for (const gd_cascade_layer *l = side_by_side; st == GD_OK && l->name != NULL;
       l++)
    st =
        add_tensor(t, l->name, "weight", 4, (int[]){l->K, C, l->size, l->size});
  out->bias = t->table.count;
  for (const gd_cascade_layer *l = side_by_side; st == GD_OK && l->name != NULL;
       l++) {
    st = add_tensor(t, l->name, "bias", 1, (int[]){l->K});
    out->K += l->K;
  }
  return st;
}

static gd_status allocate(gd_cascade_trainer *t, layer *l)
{
  const int64_t made = (int64_t)t->most * l->P * l->Q * l->K;
  const int64_t pooled = (int64_t)t->most * l->pooled_P * l->pooled_Q * l->K;
  l->raw = gd_alloc(made, sizeof *l->raw);
  l->draw = gd_alloc(made, sizeof *l->draw);
  int failed = l->raw == NULL || l->draw == NULL;
  if (l->has_prelu) {
    l->active = gd_alloc(made, sizeof *l->active);
    l->dactive = gd_alloc(made, sizeof *l->dactive);
    failed |= l->active == NULL || l->dactive == NULL;
  }
  if (l->has_pool) {
    l->pooled = gd_alloc(pooled, sizeof *l->pooled);
    l->dpooled = gd_alloc(pooled, sizeof *l->dpooled);
    l->winner = gd_alloc(pooled, sizeof *l->winner);
    failed |= l->pooled == NULL || l->dpooled == NULL || l->winner == NULL;
  }
  return failed ? GD_ERR_NOMEM : GD_OK;
}

/* Make the next layer, which sees C channels of H x W pixels. */
static gd_status make_layer(gd_cascade_trainer *t,
                            const gd_cascade_layer *side_by_side,
                            gd_conv_input in, int C, int has_prelu)
{
  const int size = side_by_side->size;
  layer *l = &t->layers[t->n_layers++];
  gd_status st = list_tensors(t, side_by_side, C, l);
  l->in = in;
  l->has_prelu = has_prelu;
  l->slopes = t->table.count;
  if (st == GD_OK && has_prelu) {
    char name[16];
    snprintf(name, sizeof name, "prelu%d", t->n_layers);
    st = add_tensor(t, name, "weight", 1, &l->K);
  }
  l->P = l->pooled_P = in.H - size + 1;
  l->Q = l->pooled_Q = in.W - size + 1;
  l->has_pool = side_by_side->pool > 0;
  if (l->has_pool) {
    l->pool = (gd_pool_shape){
        .size = side_by_side->pool, .stride = 2, .pad = 0, .ceil = 1};
    l->pooled_P = gd_pool_out(l->P, l->pool);
    l->pooled_Q = gd_pool_out(l->Q, l->pool);
  }
  if (st == GD_OK)
    st = gd_conv_new(
        (gd_conv_shape){.C = C, .K = l->K, .R = size, .S = size, .stride = 1},
        GD_FP32, 1, &l->conv);
  return st == GD_OK ? allocate(t, l) : st;
}

gd_status gd_cascade_trainer_new(const gd_cascade_spec *spec, int size_px,
                                 int most, gd_cascade_trainer **out)
{
  assert(spec != NULL && most >= 1 && out != NULL);
  *out = NULL;
  gd_cascade_trainer *t = gd_alloc(1, sizeof *t);
  if (t == NULL)
    return GD_ERR_NOMEM;
  t->spec = spec;
  t->most = most;
  gd_conv_input in = {.N = 1, .H = size_px, .W = size_px};
  int C = 3;
  gd_status st = gd_workspace_new(&t->workspace);
  for (const gd_cascade_layer *l = spec->layers; st == GD_OK && l->name != NULL;
       l++) {
    st = make_layer(t, (gd_cascade_layer[2]){*l}, in, C, 1);
    in.H = t->layers[t->n_layers - 1].pooled_P;
    in.W = t->layers[t->n_layers - 1].pooled_Q;
    C = l->K;
  }
  if (st == GD_OK)
    st = make_layer(t, spec->heads, in, C, 0);
  if (st == GD_OK)
    *out = t;
  else
    gd_cascade_trainer_free(t);
  return st;
}

void gd_cascade_trainer_free(gd_cascade_trainer *t)
{
  if (t == NULL)
    return;
  for (int i = 0; i < t->n_layers; i++) {
    layer *l = &t->layers[i];
    gd_conv_free(l->conv);
    free(l->raw);
    free(l->active);
    free(l->pooled);
    free(l->draw);
    free(l->dactive);
    free(l->dpooled);
    free(l->winner);
  }
  gd_workspace_free(t->workspace);
  gd_tensor_table_free(&t->table);
  free(t);
}

const gd_tensor_table *gd_cascade_trainer_weights(const gd_cascade_trainer *t)
{
  return &t->table;
}

int gd_cascade_trainer_channels(const gd_cascade_trainer *t)
{
  return t->layers[t->n_layers - 1].K;
}

static int is_head(const gd_cascade_trainer *t, const gd_tensor_entry *e)
{
  return e->offset >= t->layers[t->n_layers - 1].weight;
}

void gd_cascade_trainer_init(const gd_cascade_trainer *t, uint64_t seed,
                             float *weights)
{
  for (int i = 0; i < t->table.n_entries; i++) {
    const gd_tensor_entry *e = &t->table.entries[i];
    const int is_slope = strstr(e->name, "prelu") != NULL;
    const int is_points = is_head(t, e) && e->rank == 1 && e->count == 10;
    gd_random r = gd_random_of(seed, GD_FOR_WEIGHTS, 0, i);
    const double deviation =
        e->rank < 4 ? 0.0
                    : (is_head(t, e) ? 0.1 : 1.0) *
                          sqrt(2.0 * e->shape[0] / (double)e->count);
    for (int64_t k = 0; k < e->count; k++)
      weights[e->offset + k] = e->rank == 4
                                   ? (float)(deviation * gd_random_normal(&r))
                               : is_slope  ? FIRST_SLOPE
                               : is_points ? MEAN_FACE[k]
                                           : 0.0f;
  }
}

/* ------------------------------------------------------------------ passes */

void gd_cascade_trainer_pack(gd_cascade_trainer *t, const float *weights)
{
  t->weights = weights;
  for (int i = 0; i < t->n_layers; i++) {
    const layer *l = &t->layers[i];
    gd_conv_pack(l->conv, weights + l->weight);
  }
}

static void activate(int64_t n_pixels, int K, const float *restrict slopes,
                     const float *restrict x, float *restrict y)
{
  for (int64_t i = 0; i < n_pixels; i++, x += K, y += K)
#pragma omp simd
    for (int k = 0; k < K; k++)
      y[k] = x[k] > 0 ? x[k] : slopes[k] * x[k];
}

/* The slopes' sums run over all pixels in order, in double. */
static void activate_backward(int64_t n_pixels, int K,
                              const float *restrict slopes,
                              const float *restrict x, const float *restrict dy,
                              float *restrict dx, float *restrict dslopes)
{
  double sums[256] = {0};
  assert(K <= 256);
  for (int64_t i = 0; i < n_pixels; i++, x += K, dy += K, dx += K)
    for (int k = 0; k < K; k++) {
      dx[k] = x[k] > 0 ? dy[k] : slopes[k] * dy[k];
      sums[k] += x[k] > 0 ? 0.0 : (double)x[k] * (double)dy[k];
    }
  for (int k = 0; k < K; k++)
    dslopes[k] = (float)sums[k];
}

/* What a layer hands to the next one. */
static float *given(const layer *l)
{
  return l->has_pool ? l->pooled : l->has_prelu ? l->active : l->raw;
}

const float *gd_cascade_trainer_forward(gd_cascade_trainer *t, int n,
                                        const float *x)
{
  assert(n >= 1 && n <= t->most && t->weights != NULL);
  t->n = n;
  t->x = x;
  for (int i = 0; i < t->n_layers; i++) {
    layer *l = &t->layers[i];
    l->in.N = n;
    gd_conv_forward(l->conv, t->workspace, l->in, &(gd_conv_source){.x = x},
                    &(gd_conv_sink){.y = l->raw, .bias = t->weights + l->bias});
    if (l->has_prelu)
      activate((int64_t)n * l->P * l->Q, l->K, t->weights + l->slopes, l->raw,
               l->active);
    if (l->has_pool)
      gd_max_pool_forward(GD_FP32, l->pool, (gd_conv_input){n, l->P, l->Q},
                          l->K, l->active, NULL, l->pooled, l->winner);
    x = given(l);
  }
  return x;
}

void gd_cascade_trainer_backward(gd_cascade_trainer *t, const float *dy,
                                 float *gradient)
{
  for (int i = t->n_layers - 1; i >= 0; i--) {
    layer *l = &t->layers[i];
    const int64_t n_pixels = (int64_t)t->n * l->P * l->Q;
    if (l->has_pool) {
      gd_max_pool_backward(GD_FP32, l->pool, (gd_conv_input){t->n, l->P, l->Q},
                           l->K, dy, l->winner, l->dactive);
      dy = l->dactive;
    }
    if (l->has_prelu) {
      activate_backward(n_pixels, l->K, t->weights + l->slopes, l->raw, dy,
                        l->draw, gradient + l->slopes);
      dy = l->draw;
    }
    const gd_conv_source source = {.x = i == 0 ? t->x : given(l - 1)};
    gd_conv_backward_weights(l->conv, t->workspace, l->in, &source, dy,
                             gradient + l->weight);
    gd_conv_backward_bias(dy, n_pixels, l->K, gradient + l->bias);
    if (i == 0)
      break;
    layer *before = l - 1;
    float *dx = before->has_pool ? before->dpooled : before->dactive;
    gd_conv_backward_data(l->conv, t->workspace, l->in, dy,
                          &(gd_conv_sink){.y = dx});
    dy = dx;
  }
}

/* ------------------------------------------------------------------- files */

/* The layer that a tensor's name tells, if its weights are dense. */
static int is_dense(const gd_cascade_trainer *t, const gd_tensor_entry *e)
{
  const char *name = e->name + strlen(t->spec->name) + 1;
  return e->rank == 4 && strncmp(name, "dense", 5) == 0;
}

/* Go from (k, c, row, column) to (k, column, row, c), or back. */
static void reorder(const gd_tensor_entry *e, int to_file, const float *from,
                    float *to)
{
  const int K = e->shape[0], C = e->shape[1], n = e->shape[2];
  for (int k = 0; k < K; k++)
    for (int c = 0; c < C; c++)
      for (int r = 0; r < n; r++)
        for (int s = 0; s < n; s++) {
          const int64_t in_block = (((int64_t)k * C + c) * n + r) * n + s;
          const int64_t in_file = (((int64_t)k * n + s) * n + r) * C + c;
          if (to_file)
            to[in_file] = from[in_block];
          else
            to[in_block] = from[in_file];
        }
}

static gd_dataset dataset_of(const gd_cascade_trainer *t,
                             const gd_tensor_entry *e)
{
  gd_dataset d = {.name = e->name, .dtype = GD_F32, .rank = e->rank};
  for (int i = 0; i < e->rank; i++)
    d.dims[i] = e->shape[i];
  if (is_dense(t, e)) {
    d.rank = 2;
    d.dims[1] = e->count / e->shape[0];
  }
  return d;
}

gd_status gd_cascade_trainer_put(const gd_cascade_trainer *t,
                                 const float *weights, gd_store_writer *w)
{
  float *ordered = gd_alloc(t->table.count, sizeof *ordered);
  gd_status st = ordered == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < t->table.n_entries; i++) {
    const gd_tensor_entry *e = &t->table.entries[i];
    const gd_dataset d = dataset_of(t, e);
    if (is_dense(t, e))
      reorder(e, 1, weights + e->offset, ordered);
    st = gd_store_put(w, &d, is_dense(t, e) ? ordered : weights + e->offset);
  }
  free(ordered);
  return st;
}

gd_status gd_cascade_trainer_get(const gd_cascade_trainer *t, gd_store *s,
                                 float *weights)
{
  float *ordered = gd_alloc(t->table.count, sizeof *ordered);
  gd_status st = ordered == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < t->table.n_entries; i++) {
    const gd_tensor_entry *e = &t->table.entries[i];
    const gd_dataset d = dataset_of(t, e);
    st = gd_store_read(s, &d, 0, d.dims[0],
                       is_dense(t, e) ? ordered : weights + e->offset);
    if (st == GD_OK && is_dense(t, e))
      reorder(e, 0, ordered, weights + e->offset);
  }
  free(ordered);
  return st;
}
