/**
 * Convolution (cross-correlation, as networks call it) of channels-last images:
 *
 *   y[n,p,q,k] = bias[k] + sum_{r,s,c} w[k,c,r,s] x[n, p*stride+r-pad,
 *                                                     q*stride+s-pad, c]
 *
 * with zeros outside the image.  The idea: a run of output pixels is the rows
 * of a matrix product.  What a piece of the output sees of the input is brought
 * into the cache once, so that for each tap of the kernel the rows lie at a
 * constant distance (1 x 1 with stride 1 is multiplied where it lies), and is
 * multiplied with weights packed into blocks of columns.  Backward data is the
 * same loop over the output's gradient, one pass per residue class of the
 * stride; backward weights multiplies the two, transposed.
 *
 * 3 x 3 kernels can be computed from 16 products for every 36 of the
 * definition, by Winograd's minimal filtering (net/winograd.h), where products
 * are of floats (gd_gemm_takes()).  The weights that are multiplied with are
 * floats then, of either precision, and 16 for 9.  Sums round a little more,
 * and a gradient that is zero because nothing meets there may become the
 * rounding of zero.
 *
 * What stands before and behind a convolution in a network is done on the way
 * into the cache and out of it: see gd_conv_source and gd_conv_sink.  A dense
 * layer is a 1 x 1 convolution of 1 x 1 images.
 *
 * The work is cut by shape alone and each piece is summed by one thread in one
 * order: results do not depend on the number of threads.
 *
 * A layer's precision is that of all that it reads and writes pixel by pixel,
 * and to which its weights are rounded.  Sums are in floats in any case; so are
 * weights and their gradient, biases and scales.
 *
 * Source: the definition above, kept as gd_conv_*_naive().
 */
#ifndef GRADUS_CONV_H
#define GRADUS_CONV_H

#include <stdint.h>

#include "gradus/precision.h"
#include "gradus/status.h"

typedef struct {
  int C, K;       /**< input and output channels, 1..8192 */
  int R, S;       /**< kernel rows and columns, R * S <= 576 */
  int stride;     /**< of rows and columns, >= 1 */
  int pad;        /**< zeros on each side, < R and < S; 0 is `valid` */
  int pad_behind; /**< further rows of zeros below and columns at right, to make
                     TensorFlow's `same` of a stride; pad + pad_behind < R, S */
  int winograd;   /**< compute it by Winograd's minimal filtering: 3 x 3, stride
                     1, pad 1, C and K multiples of 64 up to 1024; what is
                     multiplied as bf16 is computed directly all the same */
} gd_conv_shape;

/** N images of H x W pixels at the convolution's input. */
typedef struct {
  int N, H, W;
} gd_conv_input;

/** Return the output rows of H input rows, and columns of W columns. */
int gd_conv_out_H(gd_conv_shape shape, int H);
int gd_conv_out_W(gd_conv_shape shape, int W);

/**
 * Scratch memory of the kernels, one part per thread of the OpenMP default at
 * this moment; one workspace serves any number of layers, one call at a time.
 */
typedef struct gd_workspace gd_workspace;
/** Make a workspace. Ends with: gd_workspace_free(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_workspace_new(gd_workspace **out);
void gd_workspace_free(gd_workspace *ws);
/** Return the bytes that it holds. */
int64_t gd_workspace_bytes(const gd_workspace *ws);

typedef struct gd_conv gd_conv;

/**
 * Make a layer: room for packed weights, and its kernels.
 * @param[in]  training  also prepare the two backward passes
 * @param[out] out       weights are zero until gd_conv_pack()
 * Ends with: gd_conv_free()
 * Errors:    GD_ERR_NOMEM, GD_ERR_USAGE (shape, or see gd_gemm_begin())
 */
GD_NODISCARD gd_status gd_conv_new(gd_conv_shape shape, gd_precision precision,
                                   int training, gd_conv **out);
void gd_conv_free(gd_conv *conv);

/**
 * Take new weights: copied into blocked form, and rounded.
 * @param[in] weights  (K, C, R, S)
 */
void gd_conv_pack(gd_conv *conv, const float *weights);

/** Numbers of each channel: v becomes (v - mean) * factor + addend. */
typedef struct {
  const float *mean, *factor, *addend;
} gd_scale;

/** What a convolution reads, and what becomes of it on the way in. */
typedef struct {
  const void *x;         /**< (N, H, W, C) of the layer's precision */
  const gd_scale *scale; /**< relu() of x scaled, rounded to the precision, is
                              taken; NULL: x itself */
} gd_conv_source;

/**
 * What becomes of results v on the way out.  NULL and 0 leave a thing out.
 *
 * Forward:  y = relu(scale(v) or v + bias, + add), or y = v with `sums`.
 * Backward: g = v + add, but 0 where the ReLU before it was at rest; y = g.
 *
 * y, add, open and raw are of the layer's precision.  Sums are those of what is
 * in y in the end.
 */
typedef struct {
  void *y;           /**< (pixels, K) */
  const void *add;   /**< (pixels, K); may be y; goes with `open` backward */
  const float *bias; /**< (K) */
  const gd_scale *scale;
  int relu;
  const void *open; /**< (pixels, K) ReLU's result: at rest where <= 0 */
  const void *raw;  /**< (pixels, K) norm's input; without `open`, ReLU was at
                         rest where it is <= 0 when scaled */
  /** gd_norm_piece(K) doubles of each piece, gd_conv_n_pieces() of them: its
   * rows, and for each channel mean and squared distances from it of y, or,
   * with `raw`, the sums of g and of g * (raw - mean). */
  double *sums;
} gd_conv_sink;

/** Return the pieces of sums that forward, or backward data, give; fewer
 * samples may give more of them. */
int gd_conv_n_pieces(const gd_conv *conv, gd_conv_input in, int is_backward);

/**
 * @param[in] in      any N, H, W >= 1 whose output has at least one pixel
 * @param[in] source  of (N, H, W, C)
 * @param[in] sink    to (N, P, Q, K), P = gd_conv_out_H(shape, H), Q
 *                    likewise
 */
void gd_conv_forward(const gd_conv *conv, gd_workspace *ws, gd_conv_input in,
                     const gd_conv_source *source, const gd_conv_sink *sink);
/**
 * Gradient by the input; needs `training`.
 * @param[in] dy    (N, P, Q, K) of the layer's precision
 * @param[in] sink  to (N, H, W, C), every pixel of it
 */
void gd_conv_backward_data(const gd_conv *conv, gd_workspace *ws,
                           gd_conv_input in, const void *dy,
                           const gd_conv_sink *sink);
/**
 * Gradient by the weights; needs `training`.
 * @param[in]  source    as in forward
 * @param[in]  dy        (N, P, Q, K) of the layer's precision
 * @param[out] dweights  (K, C, R, S), overwritten
 */
void gd_conv_backward_weights(const gd_conv *conv, gd_workspace *ws,
                              gd_conv_input in, const gd_conv_source *source,
                              const void *dy, float *dweights);

/**
 * Gradient by the bias.
 * @param[in]  dy     (n_rows, K), n_rows = N * P * Q
 * @param[out] dbias  (K), overwritten
 */
void gd_conv_backward_bias(const float *dy, int64_t n_rows, int K,
                           float *dbias);

/** Return what forward computes of these images, two for a multiply-add, and
 * each backward pass as well.  Winograd's filtering needs fewer than the
 * definition. */
double gd_conv_flop(const gd_conv *conv, gd_conv_input in);
/** Return the bytes of the weights that forward multiplies with. */
int64_t gd_conv_weight_bytes(const gd_conv *conv);
/** Return the bytes that the layer holds. */
int64_t gd_conv_bytes(const gd_conv *conv);

/** The definitions, as plain loops in double; shapes as above. */
void gd_conv_forward_naive(gd_conv_shape shape, gd_conv_input in,
                           const double *x, const double *weights,
                           const double *bias, double *y);
void gd_conv_backward_data_naive(gd_conv_shape shape, gd_conv_input in,
                                 const double *dy, const double *weights,
                                 double *dx);
void gd_conv_backward_weights_naive(gd_conv_shape shape, gd_conv_input in,
                                    const double *x, const double *dy,
                                    double *dweights);

#endif
