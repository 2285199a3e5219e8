#include "gradus/flat_conv.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "net/whole.h"

enum {
  MOST_ROWS = 16, /* of a kernel */
  MOST_TILE = 64, /* rows of a product */
  VECTOR = 16,    /* floats */
  LONG = 512,     /* floats in a loop that is worth its beginning */
  /* Products with more columns than channels, and their kernels: */
  MOST_PADDED = 32,
  MOST_PADDED_SIZE = 3
};

/* Rows of a product: positions of a tile by the kernel's size.  The last is a
 * single position. */
static const int rows[GD_FLAT_TILES] = {MOST_TILE, 16, 4, 1};

/* Columns of the products.  Kernels for parts of a vector are slow, up to three
 * times on machines with AVX2 alone: few channels are filled up to whole
 * vectors. */
static int columns_of(const gd_flat_conv *f)
{
  const int whole = gd_pieces(f->K, VECTOR) * VECTOR;
  return whole <= MOST_PADDED && f->size <= MOST_PADDED_SIZE ? whole : f->K;
}

static int tile_of(const gd_flat_conv *f, int t)
{
  return t == GD_FLAT_TILES - 1 ? 1 : rows[t] * f->size;
}

static gd_status make_kernels(gd_flat_conv *f)
{
  gd_status st = GD_OK;
  for (int t = 0; st == GD_OK && t < GD_FLAT_TILES; t++)
    st = gd_gemm_make((gd_gemm_shape){.m = rows[t],
                                      .n = columns_of(f),
                                      .k = f->size * f->C,
                                      .lda = f->size * f->C,
                                      .ldb = columns_of(f),
                                      .ldc = f->size * columns_of(f),
                                      .scattered = 1},
                      &f->kernels[t]);
  return st;
}

static float *repeat(const float *values, int K, int n)
{
  float *repeated = gd_alloc(n, sizeof *repeated);
  for (int i = 0; repeated != NULL && i < n; i++)
    repeated[i] = values[i % K];
  return repeated;
}

gd_status gd_flat_conv_begin(gd_flat_conv *f, int C, int K, int size,
                             const float *weights, const float *bias,
                             const float *slopes)
{
  assert(f != NULL && C >= 1 && K >= 1 && size >= 1 && size <= MOST_ROWS);
  assert(weights != NULL && bias != NULL);

  *f = (gd_flat_conv){.C = C, .K = K, .size = size};
  f->n_repeated = K % VECTOR == 0 ? K : K * VECTOR;
  while (f->n_repeated < LONG)
    f->n_repeated *= 2;
  const int columns = columns_of(f);
  f->weights = gd_alloc((int64_t)size * size * C * columns, sizeof *f->weights);
  f->bias = repeat(bias, K, f->n_repeated);
  f->slopes = slopes != NULL ? repeat(slopes, K, f->n_repeated)
                             : repeat(&(float){1}, 1, f->n_repeated);
  if (f->weights == NULL || f->bias == NULL || f->slopes == NULL)
    return GD_ERR_NOMEM;
  for (int k = 0; k < K; k++)
    for (int c = 0; c < C; c++)
      for (int tap = 0; tap < size * size; tap++)
        f->weights[((int64_t)tap * C + c) * columns + k] = *weights++;
  return make_kernels(f);
}

void gd_flat_conv_end(gd_flat_conv *f)
{
  free(f->weights);
  free(f->bias);
  free(f->slopes);
  *f = (gd_flat_conv){0};
}

static inline float activate(float value, float slope)
{
  return value > 0 ? value : slope * value;
}

/* Add the bias, and apply PReLU. */
static void finish(const gd_flat_conv *f, int64_t n_values, float *restrict y)
{
  const float *restrict bias = f->bias, *restrict slopes = f->slopes;
  for (int64_t first = 0; first < n_values; first += f->n_repeated) {
    const int64_t left = n_values - first;
    const int n = left < f->n_repeated ? (int)left : f->n_repeated;
    float *restrict to = y + first;
    for (int i = 0; i < n; i++)
      to[i] = activate(to[i] + bias[i], slopes[i]);
  }
}

/* The same on the way from a tile with more columns than channels.  By whole
 * vectors, while they stay within the n positions: what they hold beyond the
 * channels the next position overwrites. */
static inline void finish_columns(const gd_flat_conv *f, int columns, int n,
                                  const float *restrict tile, float *restrict y)
{
  const float *restrict bias = f->bias, *restrict slopes = f->slopes;
  int p = 0;
  for (; (n - p) * f->K >= columns; p++, tile += columns, y += f->K)
#pragma omp simd
    for (int i = 0; i < columns; i++)
      y[i] = activate(tile[i] + bias[i], slopes[i]);
  for (; p < n; p++, tile += columns, y += f->K)
    for (int k = 0; k < f->K; k++)
      y[k] = activate(tile[k] + bias[k], slopes[k]);
}

static void run_tile(const gd_flat_conv *f, int t, const float *x, int pitch,
                     float *y)
{
  float padded[MOST_PADDED_SIZE * MOST_TILE * MOST_PADDED];
  const int tile = tile_of(f, t), columns = columns_of(f);
  const int64_t row = (int64_t)f->size * f->C * columns;
  float *to = columns == f->K ? y : padded;
  for (int first = 0; first < f->size && first < tile; first++) {
    const void *a[MOST_ROWS], *b[MOST_ROWS];
    for (int r = 0; r < f->size; r++) {
      a[r] = x + ((int64_t)r * pitch + first) * f->C;
      b[r] = f->weights + r * row;
    }
    gd_gemm_run_scattered(&f->kernels[t], a, b, f->size,
                          to + (int64_t)first * columns);
  }
  if (columns == f->K)
    finish(f, (int64_t)tile * f->K, y);
  else if (columns == VECTOR)
    finish_columns(f, VECTOR, tile, padded, y);
  else
    finish_columns(f, 2 * VECTOR, tile, padded, y);
}

/* Compute n tiles that follow each other, by all threads if that pays: one
 * thread does without the parallel region, which allocates. */
static void run_tiles(const gd_flat_conv *f, int t, int64_t n, const float *x,
                      int pitch, float *y)
{
  const int64_t next_x = (int64_t)tile_of(f, t) * f->C;
  const int64_t next_y = (int64_t)tile_of(f, t) * f->K;
  if (t > 0 || n < 8 || omp_get_max_threads() == 1) {
    for (int64_t i = 0; i < n; i++)
      run_tile(f, t, x + i * next_x, pitch, y + i * next_y);
    return;
  }
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < n; i++)
    run_tile(f, t, x + i * next_x, pitch, y + i * next_y);
}

void gd_flat_conv_run(const gd_flat_conv *f, const float *x, int pitch,
                      int64_t n, float *y)
{
  assert(f != NULL && x != NULL && y != NULL && n >= 1);

  int64_t done = 0;
  for (int t = 0; t < GD_FLAT_TILES && done < n; t++) {
    const int tile = tile_of(f, t);
    const int64_t n_whole = (n - done) / tile;
    run_tiles(f, t, n_whole, x + done * f->C, pitch, y + done * f->K);
    done += n_whole * tile;
    /* The rest once more with its neighbours, if it is worth a tile. */
    if (n_whole > 0 && n - done > tile / 4) {
      run_tile(f, t, x + (n - tile) * f->C, pitch, y + (n - tile) * f->K);
      done = n;
    }
  }
}
