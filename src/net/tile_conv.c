#include "gradus/tile_conv.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "net/whole.h"

enum { SIDE = 4, PRODUCTS = SIDE * SIDE, VECTOR = GD_TILE_VECTOR };

/* Tiles of a product, the most first. */
static const int tiles[GD_TILE_KERNELS] = {28, 16, 8, 4, 1};

/* One kernel of 3 x 3 in the basis of the products. */
static void transform_kernel(const float *w, double to[PRODUCTS])
{
  static const double basis[SIDE][3] = {
      {1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      to[i * SIDE + j] = 0;
      for (int r = 0; r < 3; r++)
        for (int s = 0; s < 3; s++)
          to[i * SIDE + j] += basis[i][r] * basis[j][s] * (double)w[3 * r + s];
    }
}

gd_status gd_tile_conv_begin(gd_tile_conv *f, int C, int K,
                             const float *weights, const float *bias,
                             const float *slopes)
{
  assert(f != NULL && C >= 1 && K >= 1 && K % VECTOR == 0);
  assert(weights != NULL && bias != NULL);

  *f = (gd_tile_conv){.C = C, .K = K};
  f->weights = gd_alloc((int64_t)PRODUCTS * C * K, sizeof *f->weights);
  f->bias = gd_alloc(K, sizeof *f->bias);
  f->slopes = gd_alloc(K, sizeof *f->slopes);
  if (f->weights == NULL || f->bias == NULL || f->slopes == NULL)
    return GD_ERR_NOMEM;
  for (int k = 0; k < K; k++) {
    f->bias[k] = bias[k];
    f->slopes[k] = slopes != NULL ? slopes[k] : 1;
    for (int c = 0; c < C; c++, weights += 9) {
      double w[PRODUCTS];
      transform_kernel(weights, w);
      for (int i = 0; i < PRODUCTS; i++)
        f->weights[((int64_t)i * C + c) * K + k] = (float)w[i];
    }
  }
  gd_status st = GD_OK;
  for (int t = 0; st == GD_OK && t < GD_TILE_KERNELS; t++)
    st = gd_gemm_make(
        (gd_gemm_shape){
            .m = tiles[t], .n = K, .k = C, .lda = C, .ldb = K, .ldc = K},
        &f->kernels[t]);
  return st;
}

void gd_tile_conv_end(gd_tile_conv *f)
{
  free(f->weights);
  free(f->bias);
  free(f->slopes);
  *f = (gd_tile_conv){0};
}

/* Floats of U's and M's part for one product. */
static int64_t slab_of(int channels)
{
  return (int64_t)tiles[0] * channels + VECTOR;
}

static int64_t thread_scratch(const gd_tile_conv *f)
{
  return PRODUCTS * (slab_of(f->C) + slab_of(f->K));
}

int64_t gd_tile_conv_scratch(const gd_tile_conv *f)
{
  return omp_get_max_threads() * thread_scratch(f);
}

/* Bring a tile's inputs to the basis of the products, by whole vectors: what
 * they hold beyond C channels the next tile overwrites.
 * rows: where those of the tile begin */
static void take_tile(const float *const rows[SIDE], int C, float *u)
{
  const int64_t slab = slab_of(C);
  for (int c = 0; c < C; c += VECTOR)
#pragma omp simd
    for (int i = c; i < c + VECTOR; i++) {
      float t[SIDE][SIDE];
      for (int s = 0; s < SIDE; s++) {
        const float x0 = rows[0][s * C + i], x1 = rows[1][s * C + i];
        const float x2 = rows[2][s * C + i], x3 = rows[3][s * C + i];
        t[0][s] = x0 - x2;
        t[1][s] = x1 + x2;
        t[2][s] = x2 - x1;
        t[3][s] = x1 - x3;
      }
      for (int r = 0; r < SIDE; r++) {
        u[(r * SIDE + 0) * slab + i] = t[r][0] - t[r][2];
        u[(r * SIDE + 1) * slab + i] = t[r][1] + t[r][2];
        u[(r * SIDE + 2) * slab + i] = t[r][2] - t[r][1];
        u[(r * SIDE + 3) * slab + i] = t[r][1] - t[r][3];
      }
    }
}

static inline float activate(float value, float slope)
{
  return value > 0 ? value : slope * value;
}

/* Bring a tile's products back, add the bias, and apply PReLU.
 * above, below: where its two rows of output begin; in the same place, the row
 *               above is what stays */
static void give_tile(const gd_tile_conv *f, const float *m, float *above,
                      float *below)
{
  const int K = f->K;
  const int64_t slab = slab_of(K);
  const float *bias = f->bias, *slopes = f->slopes;
  for (int k = 0; k < K; k += VECTOR)
#pragma omp simd
    for (int i = k; i < k + VECTOR; i++) {
      float a[SIDE], b[SIDE];
      for (int s = 0; s < SIDE; s++) {
        const float m0 = m[s * slab + i], m1 = m[(SIDE + s) * slab + i];
        const float m2 = m[(2 * SIDE + s) * slab + i];
        const float m3 = m[(3 * SIDE + s) * slab + i];
        a[s] = m0 + m1 + m2;
        b[s] = m1 - m2 - m3;
      }
      below[i] = activate(b[0] + b[1] + b[2] + bias[i], slopes[i]);
      below[K + i] = activate(b[1] - b[2] - b[3] + bias[i], slopes[i]);
      above[i] = activate(a[0] + a[1] + a[2] + bias[i], slopes[i]);
      above[K + i] = activate(a[1] - a[2] - a[3] + bias[i], slopes[i]);
    }
}

/* Tiles over the outputs of so many inputs, the last perhaps beyond them. */
static int tiles_of(int inputs)
{
  return (inputs - 2 + 1) / 2;
}

static int batch_size(int n_tiles, int batch)
{
  const int left = n_tiles - batch * tiles[0];
  return left < tiles[0] ? left : tiles[0];
}

/* An image on its way to y. */
typedef struct {
  int H, W, pitch;
  const float *x;
  float *y;
} image;

/* Compute tiles first .. first + n - 1, counted along the rows of tiles.  Of an
 * odd number of rows the last tiles' lower half lies outside: it sees the row
 * above it, and gives nothing. */
static void run_batch(const gd_tile_conv *f, image in, int first, int n,
                      float *u)
{
  const int P = in.H - 2, across = tiles_of(in.W);
  const int64_t row_x = (int64_t)in.pitch * f->C,
                row_y = (int64_t)in.pitch * f->K;
  float *m = u + PRODUCTS * slab_of(f->C);
  for (int t = 0; t < n; t++) {
    const int p = 2 * ((first + t) / across);
    const int q = 2 * ((first + t) % across);
    const float *x = in.x + p * row_x + q * f->C;
    const float *rows[SIDE] = {x, x + row_x, x + 2 * row_x,
                               x + (p + 1 < P ? 3 : 2) * row_x};
    take_tile(rows, f->C, u + (int64_t)t * f->C);
  }
  int kernel = 0;
  while (kernel + 1 < GD_TILE_KERNELS && tiles[kernel + 1] >= n)
    kernel++;
  for (int i = 0; i < PRODUCTS; i++)
    gd_gemm_run(&f->kernels[kernel], u + i * slab_of(f->C),
                f->weights + (int64_t)i * f->C * f->K, 1,
                m + i * slab_of(f->K));
  for (int t = 0; t < n; t++) {
    const int p = 2 * ((first + t) / across);
    const int q = 2 * ((first + t) % across);
    float *y = in.y + p * row_y + q * f->K;
    give_tile(f, m + (int64_t)t * f->K, y, p + 1 < P ? y + row_y : y);
  }
}

void gd_tile_conv_run(const gd_tile_conv *f, int H, int W, int pitch,
                      const float *x, float *scratch, float *y)
{
  assert(f != NULL && H >= 3 && W >= 3 && pitch >= W);
  assert(x != NULL && scratch != NULL && y != NULL);

  const image in = {.H = H, .W = W, .pitch = pitch, .x = x, .y = y};
  const int n = tiles_of(H) * tiles_of(W);
  const int n_batches = gd_pieces(n, tiles[0]);
  if (n_batches < 8 || omp_get_max_threads() == 1) {
    for (int i = 0; i < n_batches; i++)
      run_batch(f, in, i * tiles[0], batch_size(n, i), scratch);
    return;
  }
#pragma omp parallel for schedule(static)
  for (int i = 0; i < n_batches; i++)
    run_batch(f, in, i * tiles[0], batch_size(n, i),
              scratch + omp_get_thread_num() * thread_scratch(f));
}
