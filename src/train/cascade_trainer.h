/**
 * A net of the detector's cascade that can be trained: the arithmetic of
 * face/cascade_net.h on the convolutions of gradus/conv.h, and its gradient.
 *
 * All layers are convolutions, a dense one of the whole image that it sees; all
 * heads are one layer.  Weights are one block, layer by layer:
 *
 *   <net>/<layer>/weight (K, C, R, S)   <net>/<layer>/bias (K)
 *   <net>/prelu<i>/weight (K)
 *
 * and the heads' weights side by side, then their biases.  In files, a dense
 * layer's weights are (K, inputs), its inputs in the order (column, row, c).
 */
#ifndef GRADUS_TRAIN_CASCADE_TRAINER_H
#define GRADUS_TRAIN_CASCADE_TRAINER_H

#include "face/cascade_net.h"
#include "gradus/store.h"
#include "gradus/tensor.h"

typedef struct gd_cascade_trainer gd_cascade_trainer;

/**
 * @param[in] size_px  side of its images
 * @param[in] most     samples of one call, at most
 * Ends with: gd_cascade_trainer_free()
 * Errors: GD_ERR_NOMEM, GD_ERR_USAGE (as gd_gemm_make())
 */
GD_NODISCARD gd_status gd_cascade_trainer_new(const gd_cascade_spec *spec,
                                              int size_px, int most,
                                              gd_cascade_trainer **out);
void gd_cascade_trainer_free(gd_cascade_trainer *t); /**< NULL is allowed */

/** Return what lies where in the block; borrowed. */
const gd_tensor_table *gd_cascade_trainer_weights(const gd_cascade_trainer *t);
/** Return the channels of all heads together. */
int gd_cascade_trainer_channels(const gd_cascade_trainer *t);

/**
 * Begin: weights of deviation sqrt(2 / inputs), of the heads a tenth of it;
 * biases 0, but of landmarks a mean face; slopes 0.25.
 * Source: He et al., "Delving Deep into Rectifiers" (ICCV 2015), equation 10
 * and section 2.1 (slopes)
 */
void gd_cascade_trainer_init(const gd_cascade_trainer *t, uint64_t seed,
                             float *weights);
/** Take the weights of the next calls. @param[in] weights  kept until then */
void gd_cascade_trainer_pack(gd_cascade_trainer *t, const float *weights);

/**
 * @param[in] x  (n, size_px, size_px, 3), kept for the backward pass
 * @return (n, channels), raw, borrowed until the next call
 */
const float *gd_cascade_trainer_forward(gd_cascade_trainer *t, int n,
                                        const float *x);
/**
 * Gradient of the last forward pass.
 * @param[in]  dy        (n, channels)
 * @param[out] gradient  block, overwritten
 */
void gd_cascade_trainer_backward(gd_cascade_trainer *t, const float *dy,
                                 float *gradient);

/** Put a block into a store, as a weights file has it. Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_cascade_trainer_put(const gd_cascade_trainer *t,
                                              const float *weights,
                                              gd_store_writer *w);
/** Read it back. Errors: GD_ERR_FORMAT, GD_ERR_IO, GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_cascade_trainer_get(const gd_cascade_trainer *t,
                                              gd_store *s, float *weights);

#endif
