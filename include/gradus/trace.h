/**
 * Traces: where the time of a network's steps goes.
 *
 * A trace is a table of layers by phases.  While one is attached
 * (gd_resnet_trace()), the network notes after each piece of work which layer
 * and phase it was; the time since the last note is that piece's.  So notes
 * leave no gap: what is not noted alone counts with what follows it.  Without a
 * trace a note is one comparison.
 */
#ifndef GRADUS_TRACE_H
#define GRADUS_TRACE_H

#include <stdint.h>

#include "gradus/tensor.h"

typedef enum {
  GD_PHASE_FORWARD,          /**< convolutions, with what is fused into them */
  GD_PHASE_BACKWARD_DATA,    /**< gradient by the input */
  GD_PHASE_BACKWARD_WEIGHTS, /**< gradient by the weights */
  GD_PHASE_NORM,             /**< batch norm, ReLU, shortcuts, both ways */
  GD_PHASE_POOL,
  GD_PHASE_DENSE,
  GD_PHASE_PACK,      /**< weights into blocked form */
  GD_PHASE_OPTIMIZER, /**< sum of the gradients, exchange, new weights */
  GD_N_PHASES
} gd_phase;

/** Return the phase's name in tables: "forward", ...; static. */
const char *gd_phase_name(gd_phase phase);

enum { GD_TRACE_MOST = 160 };

typedef struct {
  char name[GD_TENSOR_NAME];
  /** Of the forward pass of one sample, two for a multiply-add: computed, and
   * by the layer's definition; each backward pass of a layer has as many. */
  double flop, definition_flop;
  int64_t kept_bytes; /**< of one sample, until the backward pass */
  /** What each pass of a convolution must move at least: of one sample, its
   * input and its output; of a microbatch, its packed weights. */
  double sample_bytes, weight_bytes;
  double seconds[GD_N_PHASES];
} gd_trace_layer;

typedef struct {
  int n_layers;
  gd_trace_layer layers[GD_TRACE_MOST];
  double last_s;
} gd_trace; /**< a plain value, starts as {0} */

/** Begin: what follows until the next note is its piece. NULL is allowed. */
void gd_trace_begin(gd_trace *t);
/** Note that all since the last note was `phase` of `layer`. NULL is allowed.
 */
void gd_trace_note(gd_trace *t, int layer, gd_phase phase);

#endif
