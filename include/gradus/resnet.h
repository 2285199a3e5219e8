/**
 * ResNet of basic blocks (18, 34) or bottleneck blocks (50, 101, 152), then
 * global average pooling, a hidden dense layer with ReLU, and a dense layer to
 * K outputs.
 *
 *   conv1 7x7/2, bn1, ReLU, 3x3/2 max pool
 *   layer1..4   blocks of 3x3, 3x3 (basic) or 1x1, 3x3, 1x1 (bottleneck)
 *               convolutions with batch norm, and an identity shortcut (a 1x1
 *               `downsample` where the shape changes)
 *   mean over pixels, fc.0 -> hidden, ReLU, fc.2 -> K outputs
 *
 * A net is made for images of one size and at most `microbatch` samples; all
 * its memory is planned then, and no call allocates.  One microbatch is the
 * unit of arithmetic: its batch norm statistics, loss and gradient depend on
 * nothing else.  A training step of one microbatch:
 *
 *     gd_resnet_pack(net, weights);
 *     gd_resnet_forward(net, GD_RESNET_TRAIN, NULL, x, n, logits);
 *     gd_loss_forward_backward(...);
 *     gd_resnet_backward(net, dlogits, gradient);
 *     ... optimiser ...
 *     gd_resnet_update_running(running, gd_resnet_statistics(net), count, 0.1);
 *
 * Several microbatches per step: pack once; add up gradients and statistics.
 *
 * A net's precision is that of what it keeps: the images, what is between the
 * layers and its gradient, and what weights of convolutions are rounded to.
 * Weights as they come, their gradient, statistics, and all from the mean over
 * pixels on are floats.
 *
 * For images of 128 px and more, both ways, convolutions of 3 x 3 and stride 1
 * are computed by Winograd's filtering, from 16 products for 36: the same to
 * rounding (net/winograd.h).  So are those of bf16 where its numbers are
 * multiplied as floats (gd_gemm_takes()).
 *
 * Source: He et al., "Deep Residual Learning for Image Recognition" (CVPR
 * 2016), table 1; tensor names and `stride_on_3x3` (v1.5) as torchvision 0.14.
 */
#ifndef GRADUS_RESNET_H
#define GRADUS_RESNET_H

#include <stdint.h>

#include "gradus/precision.h"
#include "gradus/status.h"
#include "gradus/tensor.h"
#include "gradus/trace.h"

typedef enum {
  GD_RESNET_POOL_PAD,   /**< 3x3/2, pad 1: torchvision */
  GD_RESNET_POOL_CEIL,  /**< 3x3/2, no pad, last window may reach out: Caffe */
  GD_RESNET_POOL_VALID, /**< 3x3/2, no pad, whole windows only: Keras */
} gd_resnet_pooling;

/** What a net takes for a pixel's value v of 0..255: (v - mean) / deviation. */
typedef struct {
  int is_bgr; /**< channels are blue, green, red; else red, green, blue */
  double mean[3], deviation[3]; /**< of red, green, blue; deviation > 0 */
} gd_normalisation;

typedef struct {
  int depth;         /**< 18, 34, 50, 101 or 152 */
  int height, width; /**< pixels, multiples of 32 */
  int hidden;        /**< units of the hidden dense layer */
  int outputs;       /**< K; 0, as `hidden`: a list of tensors without a head */
  int shared_output; /**< all outputs share one row of `fc.2.weight` (1,
                        hidden), and differ in their bias alone */
  int stride_on_3x3; /**< stride 2 in the 3x3 (v1.5), else in the first 1x1;
                        basic blocks, which have none, stride in the first 3x3
                        and need 1 */
  double bn_epsilon;
  gd_resnet_pooling pooling;
  int conv1_same; /**< pad conv1 by 2 before the image and 3 behind it, as
                     TensorFlow's `same`; else by 3 on each side */
  gd_normalisation input; /**< what `x` is made with */
  gd_precision precision; /**< of activations; no matter of the weights */
} gd_resnet_config;

/** Return the paper's net: depth 50, 224x224, hidden 512, 64 outputs, stride in
 * the first 1x1, epsilon 1e-5, pool with pad, x = (rgb - 127.5) / 128. */
gd_resnet_config gd_resnet_config_default(void);

/** Return the depth number `i` from 0, ascending, or 0 behind the last. */
int gd_resnet_depth_at(int i);
/** Say whether a network of this depth has basic blocks. */
int gd_resnet_is_basic(int depth);

/** Check a configuration. Errors: GD_ERR_USAGE (which value, what is allowed)
 */
GD_NODISCARD gd_status gd_resnet_config_check(const gd_resnet_config *config);

/**
 * List the tensors of the weights and of the running statistics
 * (`bn1.running_mean`, `bn1.running_var`, ...).  The head comes last: the
 * tensors before it are those of the configuration without one.
 * @param[out] weights, running  either may be NULL; emptied on failure
 * Ends with: gd_tensor_table_free() of each
 * Errors:    GD_ERR_USAGE (configuration), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_resnet_tables(const gd_resnet_config *config,
                                        gd_tensor_table *weights,
                                        gd_tensor_table *running);

/**
 * Mark the tensors that are frozen.
 * @param[in]  table   of weights, as from gd_resnet_tables()
 * @param[in]  words   names of tensors, or what they begin with up to a dot,
 *                     separated by commas or spaces; `stem` is conv1 and bn1;
 *                     "": none
 * @param[out] frozen  (table->n_entries) 1 or 0
 * Errors: GD_ERR_USAGE (a word that fits no tensor, or all are frozen)
 */
GD_NODISCARD gd_status gd_resnet_freeze(const gd_tensor_table *table,
                                        const char *words,
                                        unsigned char *frozen);

/**
 * Fill a block with random first weights: a pure function of seed and shapes.
 * Convolutions normal with variance 2 / (K R S) (He 2015, fan out), batch norm
 * 1 and 0, but 0 for the last factor of each block, so that every block begins
 * as the identity (Goyal et al. 2017, section 5.1); dense layers uniform within
 * 1 / sqrt(C), as PyTorch.
 * @param[in]  table    as from gd_resnet_tables()
 * @param[out] weights  table->count floats
 */
void gd_resnet_init_weights(const gd_tensor_table *table, uint64_t seed,
                            float *weights);
/** Fill a block of running statistics: mean 0, variance 1. */
void gd_resnet_init_running(const gd_tensor_table *table, float *running);

typedef struct gd_resnet gd_resnet;

/**
 * Make a net and plan all its memory.
 * @param[in] microbatch  most samples per call, >= 1; of less than 2^31 pixels
 * @param[in] training    also plan what the backward pass needs
 * Ends with: gd_resnet_free()
 * Errors:    GD_ERR_USAGE (configuration, without a head, or see
 *            gd_gemm_begin()), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_resnet_new(const gd_resnet_config *config,
                                     int microbatch, int training,
                                     gd_resnet **out);
void gd_resnet_free(gd_resnet *net);
/** Return the bytes that the net holds: activations, packed weights, scratch.
 */
int64_t gd_resnet_bytes(const gd_resnet *net);

/**
 * Attach a trace: emptied, its layers named in the order of the weights, then
 * "pools", "fc.0", "fc.2" and, for what the net does not do itself, "all
 * weights".  Times add up until it is attached again.
 * @param[out] trace  kept and written by all later calls; NULL: none from now
 */
void gd_resnet_trace(gd_resnet *net, gd_trace *trace);

/** Take new weights, copied into blocked form: once per optimiser step. */
void gd_resnet_pack(gd_resnet *net, const float *weights);

typedef enum {
  GD_RESNET_EVALUATE, /**< batch norm by the running statistics */
  GD_RESNET_TRAIN,    /**< batch norm by this microbatch's own statistics */
} gd_resnet_mode;

/**
 * Compute the outputs of n images.
 * @param[in]  mode     GD_RESNET_TRAIN needs `training`, and n > 1 where the
 *                      last convolutions see one pixel per image (32 x 32)
 * @param[in]  running  block of running statistics; NULL in GD_RESNET_TRAIN
 * @param[in]  x        (n, H, W, 3), normalised as the weights expect; borrowed
 *                      until gd_resnet_backward() is done
 * @param[in]  n        1 <= n <= microbatch
 * @param[out] logits   (n, K); in evaluation those of an image do not depend on
 *                      the others, by openblas to rounding
 * Errors: GD_ERR_USAGE (a variance of one value does not exist)
 */
GD_NODISCARD gd_status gd_resnet_forward(gd_resnet *net, gd_resnet_mode mode,
                                         const float *running, const float *x,
                                         int n, float *logits);

/** What stands between convolutions and outputs, of a forward's n images. */
typedef struct {
  int P, Q, C;         /**< rows, columns and channels of the last block */
  const void *block;   /**< (n, P, Q, C) behind its shortcut and ReLU; of the
                            net's precision */
  const float *hidden; /**< (n, hidden) behind fc.0 and its ReLU */
} gd_resnet_tail;

/** Return what the last forward left; borrowed until the next call. */
gd_resnet_tail gd_resnet_last(const gd_resnet *net);

/**
 * Multiply the inputs of both dense layers, in every GD_RESNET_TRAIN forward
 * from now on and its backward: dropout.
 * @param[in] features  (n, inputs of fc.0) factors; NULL: none
 * @param[in] hidden    (n, hidden) factors; NULL: none; both borrowed
 */
void gd_resnet_multiply(gd_resnet *net, const float *features,
                        const float *hidden);

/**
 * Return this microbatch's batch norm statistics, laid out as the running
 * block: mean and unbiased variance of the last GD_RESNET_TRAIN forward.
 * Borrowed until the next one.
 */
const float *gd_resnet_statistics(const gd_resnet *net);

/**
 * Compute the gradient of the last GD_RESNET_TRAIN forward.
 * @param[in]  dlogits   (n, K)
 * @param[out] gradient  block as the weights, overwritten
 */
void gd_resnet_backward(gd_resnet *net, const float *dlogits, float *gradient);

/**
 * Hear from the backward pass after each piece of it.
 * @param[in] first  gradient[first ..] is final
 */
typedef void gd_resnet_hear(void *context, int64_t first);
/** Let `hear` be called by every backward pass from now on; NULL: nobody. */
void gd_resnet_tell(gd_resnet *net, gd_resnet_hear *hear, void *context);

/**
 * Move the running statistics: running += momentum (statistics - running).
 * @param[in] statistics  the mean over a step's microbatches
 * @param[in] count       floats of either block
 * @param[in] momentum    PyTorch's 0.1
 */
void gd_resnet_update_running(float *running, const float *statistics,
                              int64_t count, double momentum);

#endif
