/* What `gradus bench` times: a training step as the train stage does it behind
 * the reading of faces, or evaluation, with drawn weights and images. */
#ifndef GRADUS_BENCH_H
#define GRADUS_BENCH_H

#include "gradus/optimizer.h"
#include "gradus/reduce.h"
#include "gradus/resnet.h"
#include "gradus/status.h"
#include "gradus/text.h"

enum { GD_BENCH_LEVELS = 64, GD_BENCH_MOST_STEPS = 1000 };

typedef struct {
  int rank, size;
  int depth, size_px, batch, microbatch, threads, repeat;
  int is_evaluation, is_json, compares_ranks;
  const char *chart; /* path, or NULL */
  gd_precision precision;
} gd_bench_settings;

typedef struct {
  gd_bench_settings set;
  gd_resnet_config network;
  gd_tensor_table table, running_table;
  gd_resnet *net;
  gd_reduce *reduce;
  gd_optimizer optimizer;
  gd_trace trace;
  int64_t n_leaves, step, n_own; /* n_own: floats of this rank's parts */
  float *block;                  /* weights, then running statistics */
  float *state;                  /* the optimiser's, of this rank's chunk */
  float *x;                      /* (microbatch, H, W, 3) */
  float *labels;                 /* (microbatch) */
  float *logits, *dlogits;       /* (microbatch, LEVELS) */
  int overlaps;                  /* exchange and backward pass */
  gd_reduce_times times;         /* of the last step */
} gd_bench;

/* Collective; ends with gd_bench_end(), also after a failure. */
GD_NODISCARD gd_status gd_bench_begin(const gd_bench_settings *s, gd_bench *b);
void gd_bench_end(gd_bench *b);
/* Return the faces of a leaf. */
int gd_bench_leaf_size(const gd_bench *b, int64_t leaf);
/* Do a step of training, or of evaluation.  Collective. */
GD_NODISCARD gd_status gd_bench_step(gd_bench *b);
/* Return the precision and, if it is not fp32, how its products are computed:
 * "bf16 (tiles widened to fp32)"; static. */
const char *gd_bench_arithmetic(const gd_bench *b);
double gd_bench_median(double *values, int n); /* sorts them */
/* Begin a JSON object with what is timed, up to a last value. */
void gd_bench_begin_json(const gd_bench *b, const char *mode, gd_text *t);

/* Time steps with and without overlap in turn, and compose the table, or JSON,
 * on rank 0.  Collective. */
GD_NODISCARD gd_status gd_bench_ranks(gd_bench *b, gd_text *out);

#endif
