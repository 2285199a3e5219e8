/**
 * Samplers: which samples each microbatch of each step takes.
 *
 *   epoch   a shuffled order of all n samples, a function of (seed, epoch); or,
 *           balanced, n places dealt evenly to groups of samples, shuffled
 *   step    the next `batch` samples of it; the last step takes what is left
 *   leaf    the next `microbatch` samples of a step, likewise
 *
 * Balanced, each of G groups gets n / G places, rounded down or up: which ones
 * up, is drawn for each epoch.  A group's places go to its samples in a drawn
 * order, over and over where they are more than its samples; a sample's turn is
 * how often it came before in the epoch, so that augmentation can tell.
 *
 * Without groups no sample is left out.  A remainder of ONE sample joins the
 * step or the microbatch before it, because batch norm over one sample has no
 * variance where the last convolutions see one pixel (32 x 32 images); a leaf
 * then has microbatch + 1 samples.  Nothing depends on the number of ranks:
 * those deal the leaves of a step among themselves.
 */
#ifndef GRADUS_SAMPLER_H
#define GRADUS_SAMPLER_H

#include <stdint.h>

#include "gradus/range.h"
#include "gradus/status.h"

typedef struct gd_sampler gd_sampler;

/**
 * @param[in] n_samples   >= 1
 * @param[in] batch       samples of a step, >= 1
 * @param[in] microbatch  samples of a leaf, 1 .. batch
 * @param[in] group       (n_samples) which group a sample is of, any numbers;
 *                        NULL: every sample once; borrowed for the call
 * Ends with: gd_sampler_free()
 * Errors:    GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_sampler_new(int64_t n_samples, int batch,
                                      int microbatch, uint64_t seed,
                                      const int64_t *group, gd_sampler **out);
void gd_sampler_free(gd_sampler *s); /**< NULL is allowed */

/** Return the number of steps in every epoch. */
int64_t gd_sampler_n_steps(const gd_sampler *s);
/** Return the largest number of samples that a leaf can have. */
int gd_sampler_most(const gd_sampler *s);

/** Shuffle for an epoch, from 0. */
void gd_sampler_begin(gd_sampler *s, int64_t epoch);
/** Return the places in the epoch's order that a step takes. */
gd_range gd_sampler_step(const gd_sampler *s, int64_t step);
/** Return the number of leaves of a step. */
int64_t gd_sampler_n_leaves(const gd_sampler *s, int64_t step);
/** Return the places that a leaf of a step takes. */
gd_range gd_sampler_leaf(const gd_sampler *s, int64_t step, int64_t leaf);
/** Return the samples at all places of this epoch (n_samples), borrowed until
 * the next gd_sampler_begin(). */
const int64_t *gd_sampler_order(const gd_sampler *s);
/** Return the turns of the samples at all places, likewise. */
const int64_t *gd_sampler_turns(const gd_sampler *s);

#endif
