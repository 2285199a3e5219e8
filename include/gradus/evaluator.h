/**
 * Evaluators: a trained model, applied to faces.
 *
 * A face's score is a function of the face and the model alone: every face goes
 * through the network by itself, in evaluation mode, so no result depends on
 * which faces are given together, nor on ranks or threads.
 */
#ifndef GRADUS_EVALUATOR_H
#define GRADUS_EVALUATOR_H

#include <stdint.h>

#include "gradus/model.h"
#include "gradus/status.h"

typedef struct gd_evaluator gd_evaluator;

/**
 * Make an evaluator; its memory is planned here.
 * @param[in] model  kept until gd_evaluator_free()
 * Ends with: gd_evaluator_free()
 * Errors:    GD_ERR_USAGE (GEMM backend), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_evaluator_new(const gd_model *model,
                                        gd_evaluator **out);
void gd_evaluator_free(gd_evaluator *e); /**< NULL is allowed */

/** Return K of the distribution, or 0 if the model's loss has none. */
int gd_evaluator_levels(const gd_evaluator *e);

/**
 * Score one face.
 * @param[in]  rgb           (S, S, 3) uint8, S the model's size; borrowed
 * @param[out] expected      E, level
 * @param[out] sigma         standard deviation of the distribution, levels
 * @param[out] distribution  (K); NULL: not wanted, or the model has none
 * Errors: GD_ERR_NUMERIC (the network's output is not finite)
 */
GD_NODISCARD gd_status gd_evaluator_face(gd_evaluator *e, const uint8_t *rgb,
                                         double *expected, double *sigma,
                                         float *distribution);

/** Say how many rows and columns a map has: one per 32 px of the face. */
void gd_evaluator_map_size(const gd_evaluator *e, int *rows, int *columns);

/**
 * Tell where the level comes from that the last gd_evaluator_face() gave, which
 * must not have failed: see gradus/attention.h.  It costs next to nothing.
 * @param[out] map  (rows, columns) levels
 */
void gd_evaluator_map(gd_evaluator *e, float *map);

#endif
