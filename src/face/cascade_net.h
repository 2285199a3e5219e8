/**
 * One net of the cascade: convolutions, each with a PReLU and perhaps a maximum
 * pool behind it, then heads.
 *
 * All heads are one layer whose channels lie side by side, and dense layers are
 * convolutions of 1 x 1 images, so a net is a short list of them.  A large
 * image goes through all layers in strips of rows, which stay in the cache.
 */
#ifndef GRADUS_CASCADE_NET_H
#define GRADUS_CASCADE_NET_H

#include <stdint.h>

#include "gradus/weights.h"

enum { GD_CASCADE_LAYERS = 6, GD_CASCADE_HEADS = 3 };

typedef struct {
  const char *name; /**< "conv1", "dense4" */
  int K;            /**< output channels */
  int size;         /**< kernel rows and columns */
  int pool;         /**< window of the pool behind it (stride 2), 0: none */
  int dense; /**< weights are (K, size * size * C), input (column, row, c) */
} gd_cascade_layer;

/** What a net looks like; lists end with a NULL name. */
typedef struct {
  const char *name; /**< "pnet" */
  gd_cascade_layer layers[GD_CASCADE_LAYERS];
  gd_cascade_layer heads[GD_CASCADE_HEADS + 1]; /**< side by side */
} gd_cascade_spec;

extern const gd_cascade_spec gd_pnet_spec, gd_rnet_spec, gd_onet_spec;

typedef struct gd_cascade_net gd_cascade_net;

/** Floats that grow and are used again; starts as {0}, ends with free(). */
typedef struct {
  float *values;
  int64_t room;
} gd_floats;

/** Make room for `count`; what was in it is lost. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_floats_grow(gd_floats *f, int64_t count);

/** What runs of nets need; one serves all nets. */
typedef struct {
  gd_floats values[2 * GD_CASCADE_LAYERS + 3];
  gd_floats scratch;  /**< of convolutions by tiles */
} gd_cascade_buffers; /**< starts as {0}; ends with gd_cascade_buffers_free() */

void gd_cascade_buffers_free(gd_cascade_buffers *b);

/** N images of H x W pixels. */
typedef struct {
  int N, H, W;
} gd_cascade_shape;

/**
 * Read a net's weights, `<net>.<layer>.weight`, `.bias` and
 * `<net>.prelu<i>.weight`.
 * Errors: GD_ERR_FORMAT, GD_ERR_IO, GD_ERR_NOMEM, GD_ERR_USAGE (as
 * gd_gemm_make())
 */
GD_NODISCARD gd_status gd_cascade_net_read(const gd_cascade_spec *spec,
                                           gd_weights *w, gd_cascade_net **out);
void gd_cascade_net_free(gd_cascade_net *net);

/**
 * Run the net.
 * @param[in]  x      (N, H, W, 3), (rgb - 127.5) / 128; not in `buffers`
 * @param[out] shape  of the result: N, rows, columns
 * @param[out] out    (N, rows, columns, channels of all heads), borrowed from
 *                    `buffers` until the next call; raw: no softmax
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_cascade_net_forward(
    const gd_cascade_net *net, gd_cascade_buffers *buffers, gd_cascade_shape in,
    const float *x, gd_cascade_shape *shape, const float **out);
/** Return the multiplications and additions of a run by the definition. */
double gd_cascade_net_flop(const gd_cascade_net *net, gd_cascade_shape in);

#endif
