/**
 * One net of the cascade: convolutions, each with a PReLU and perhaps a maximum
 * pool behind it, then heads.
 *
 * Dense layers are convolutions whose kernel covers the whole image, and all
 * heads are one layer whose channels lie side by side: so a net is a short list
 * of convolutions on the engine.
 */
#ifndef GRADUS_CASCADE_NET_H
#define GRADUS_CASCADE_NET_H

#include <stdint.h>

#include "gradus/conv.h"
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

/** Floats that grow: two for a net's layers, reused by all nets. */
typedef struct {
  float *values[2];
  int64_t room[2];
} gd_cascade_buffers; /**< starts as {0}; ends with gd_cascade_buffers_free() */

void gd_cascade_buffers_free(gd_cascade_buffers *b);
/** Make values[i] at least `count` long; content is lost. */
GD_NODISCARD gd_status gd_cascade_buffers_grow(gd_cascade_buffers *b, int i,
                                               int64_t count);

/**
 * Read a net's weights, `<net>.<layer>.weight`, `.bias` and
 * `<net>.prelu<i>.weight`.
 * Errors: GD_ERR_FORMAT, GD_ERR_IO, GD_ERR_NOMEM, GD_ERR_USAGE (see conv.h)
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
    const gd_cascade_net *net, gd_workspace *ws, gd_cascade_buffers *buffers,
    gd_conv_input in, const float *x, gd_conv_input *shape, const float **out);

#endif
