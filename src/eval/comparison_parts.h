/** The parts of a comparison that are made one after the other. */
#ifndef GRADUS_EVAL_COMPARISON_PARTS_H
#define GRADUS_EVAL_COMPARISON_PARTS_H

#include "gradus/comparison.h"

/** Compute slices, bands and coverage of a row whose values are there. */
GD_NODISCARD gd_status gd_comparison_measure(const gd_comparison *c,
                                             gd_comparison_row *row);
/** Take the development errors of rows, and choose among them. */
GD_NODISCARD gd_status gd_comparison_choose(gd_comparison *c);
/**
 * Return the method that all others are compared with: the chosen one, or that
 * of the least MAE.  A choice on these very videos would make the others look
 * worse than they are; it is the last resort.
 */
int gd_comparison_reference(const gd_comparison *c);
/** Judge a pair whose difference over persons is there. */
void gd_comparison_judge(const gd_comparison *c, gd_comparison_pair *pair);
/** Gather the rows to methods, and compare these in pairs. */
GD_NODISCARD gd_status gd_comparison_pair_up(gd_comparison *c);

#endif
