/**
 * Random numbers as a pure function of what they are for.
 *
 * There is no generator state: a draw is named by (seed, purpose, epoch,
 * sample) and an index.  So nothing has to be saved, and no draw depends on
 * how many ranks or threads asked before.
 *
 *     gd_random r = gd_random_of(seed, GD_FOR_AUGMENT, epoch, sample);
 *     double angle = gd_random_uniform(&r) * 10.0;
 *
 * Source: splitmix64 (Steele, Lea, Flood 2014) as the mixing function; the
 * four names are mixed one after the other into the stream's start.
 */
#ifndef GRADUS_RANDOM_H
#define GRADUS_RANDOM_H

#include <stdint.h>

typedef enum {
  GD_FOR_ORDER = 1, /**< the epoch's order of samples */
  GD_FOR_AUGMENT,   /**< augmentation of one sample */
  GD_FOR_WEIGHTS,   /**< initial weights; `sample` numbers the tensor */
  GD_FOR_DROPOUT,
  GD_FOR_SYNTH, /**< the drawn corpus; `sample` numbers the subject or video */
  GD_FOR_FOLDS,
  GD_FOR_TESTS,
  GD_FOR_BOOTSTRAP /**< `sample` numbers the draw */
} gd_random_purpose;

typedef struct {
  uint64_t start; /**< where the stream begins: depends on the names alone */
  uint64_t next;  /**< index of the next draw */
} gd_random;

gd_random gd_random_of(uint64_t seed, gd_random_purpose purpose, int64_t epoch,
                       int64_t sample);
/** Return 64 random bits. */
uint64_t gd_random_bits(gd_random *r);
/** Return a number in [0, 1) with 53 random bits. */
double gd_random_uniform(gd_random *r);
/** Return a number in [low, high). */
double gd_random_between(gd_random *r, double low, double high);
/** Return an integer in [0, n), n > 0, without bias worth naming (< n/2^64). */
int64_t gd_random_below(gd_random *r, int64_t n);
/** Return a standard normal number (Box and Muller 1958; two draws). */
double gd_random_normal(gd_random *r);
/** Shuffle 0..n-1 into order[n] (Fisher and Yates, Durstenfeld 1964). */
void gd_random_order(gd_random *r, int64_t n, int64_t *order);
/** The mixing function itself: a bijection on 64-bit numbers. */
uint64_t gd_random_mix(uint64_t x);

#endif
