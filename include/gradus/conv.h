/**
 * Convolution (cross-correlation, as networks call it) of channels-last images:
 *
 *   y[n,p,q,k] = bias[k] + sum_{r,s,c} w[k,c,r,s] x[n, p*stride+r-pad,
 *                                                     q*stride+s-pad, c]
 *
 * with zeros outside the image.  The idea: a run of output pixels is the rows
 * of a matrix product.  Their input patches are gathered into a panel that fits
 * the cache (1 x 1 with stride 1 needs no gathering: the image is the panel),
 * and the panel is multiplied with weights packed into blocks of columns.
 * Backward data is the same loop over the output's gradient, one pass per
 * residue class of the stride; backward weights multiplies panels, transposed,
 * with the gradient.  Pixels of all samples form one row dimension, so small
 * images keep the product large.  A dense layer is a 1 x 1 convolution of 1 x 1
 * images.
 *
 * The work is cut by shape alone and each piece is summed by one thread in one
 * order: results do not depend on the number of threads.
 *
 * Source: the definition above, kept as gd_conv_*_naive().
 */
#ifndef GRADUS_CONV_H
#define GRADUS_CONV_H

#include <stdint.h>

#include "gradus/status.h"

typedef struct {
  int C, K;       /**< input and output channels, 1..8192 */
  int R, S;       /**< kernel rows and columns, R * S <= 576 */
  int stride;     /**< of rows and columns, >= 1 */
  int pad;        /**< zeros on each side, < R and < S; 0 is `valid` */
  int pad_behind; /**< further rows of zeros below and columns at right, to make
                     TensorFlow's `same` of a stride; pad + pad_behind < R, S */
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
 * @param[out] out       weights and bias are zero until gd_conv_pack()
 * Ends with: gd_conv_free()
 * Errors:    GD_ERR_NOMEM, GD_ERR_USAGE (shape, or see gd_gemm_begin())
 */
GD_NODISCARD gd_status gd_conv_new(gd_conv_shape shape, int training,
                                   gd_conv **out);
void gd_conv_free(gd_conv *conv);
gd_conv_shape gd_conv_shape_of(const gd_conv *conv);

/**
 * Take new weights: copied into blocked form.
 * @param[in] weights  (K, C, R, S)
 * @param[in] bias     (K), or NULL for none
 */
void gd_conv_pack(gd_conv *conv, const float *weights, const float *bias);

/**
 * @param[in]  in  any N, H, W >= 1 whose output has at least one pixel
 * @param[in]  x   (N, H, W, C)
 * @param[out] y   (N, P, Q, K), P = gd_conv_out_H(shape, H), Q likewise
 */
void gd_conv_forward(const gd_conv *conv, gd_workspace *ws, gd_conv_input in,
                     const float *x, float *y);
/**
 * Gradient by the input; needs `training`.
 * @param[in]  dy  (N, P, Q, K)
 * @param[out] dx  (N, H, W, C), overwritten
 */
void gd_conv_backward_data(const gd_conv *conv, gd_workspace *ws,
                           gd_conv_input in, const float *dy, float *dx);
/**
 * Gradient by the weights; needs `training`.
 * @param[in]  x         (N, H, W, C), as in forward
 * @param[in]  dy        (N, P, Q, K)
 * @param[out] dweights  (K, C, R, S), overwritten
 */
void gd_conv_backward_weights(const gd_conv *conv, gd_workspace *ws,
                              gd_conv_input in, const float *x, const float *dy,
                              float *dweights);

/**
 * Gradient by the bias.
 * @param[in]  dy     (n_rows, K), n_rows = N * P * Q
 * @param[out] dbias  (K), overwritten
 */
void gd_conv_backward_bias(const float *dy, int64_t n_rows, int K,
                           float *dbias);

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
