/** Made-up scores for the tests of what is done with scores. */
#ifndef GRADUS_SCORED_H
#define GRADUS_SCORED_H

#include "gradus/scores.h"

/**
 * Write the scores of a made-up model: `n_test` test videos of as many
 * persons, and half as many videos each in train and dev; some persons of test
 * are also in train.  Predictions are the label plus noise of `error` levels.
 * @param[in] tasks  give the test videos two tasks, so that pairs are sessions
 */
void gd_scored_write(const char *path, const char *loss, int n_test, int tasks,
                     double error);

#endif
