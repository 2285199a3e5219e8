#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "gradus/agree.h"
#include "gradus/gemm.h"
#include "gradus/loss.h"
#include "gradus/memory.h"
#include "gradus/random.h"

enum { BUCKET_BYTES = 8 << 20 }; /* as the train stage */

static int64_t face_items(const gd_bench *b)
{
  return (int64_t)b->network.height * b->network.width * 3;
}

static void fill(gd_bench *b)
{
  gd_resnet_init_weights(&b->table, 1, b->block);
  gd_resnet_init_running(&b->running_table, b->block + b->table.count);
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  for (int64_t i = 0; i < b->set.microbatch * face_items(b); i++)
    b->x[i] = (float)gd_random_between(&r, -1.0, 1.0);
  for (int i = 0; i < b->set.microbatch; i++)
    b->labels[i] = (float)gd_random_below(&r, GD_BENCH_LEVELS);
}

static gd_status allocate(gd_bench *b)
{
  const gd_bench_settings *s = &b->set;
  gd_status st = gd_resnet_tables(&b->network, &b->table, &b->running_table);
  const int64_t count = b->table.count + b->running_table.count;
  if (st == GD_OK)
    st = gd_resnet_new(&b->network, s->microbatch, !s->is_evaluation, &b->net);
  st = gd_agree(MPI_COMM_WORLD, st);
  if (st == GD_OK && !s->is_evaluation)
    st = gd_reduce_new(MPI_COMM_WORLD, count, BUCKET_BYTES, &b->reduce);
  if (st != GD_OK)
    return st;
  b->block = gd_alloc(count, sizeof *b->block);
  b->x = gd_alloc(s->microbatch * face_items(b), sizeof *b->x);
  b->labels = gd_alloc(s->microbatch, sizeof *b->labels);
  b->logits =
      gd_alloc((int64_t)s->microbatch * GD_BENCH_LEVELS, sizeof *b->logits);
  b->dlogits =
      gd_alloc((int64_t)s->microbatch * GD_BENCH_LEVELS, sizeof *b->dlogits);
  if (b->reduce != NULL) {
    b->n_own = gd_buckets_owned(gd_reduce_buckets(b->reduce), s->rank, count);
    b->state = gd_alloc(2 * b->n_own, sizeof *b->state);
    if (b->state == NULL)
      return GD_ERR_NOMEM;
  }
  if (b->block == NULL || b->x == NULL || b->labels == NULL ||
      b->logits == NULL || b->dlogits == NULL)
    return GD_ERR_NOMEM;
  fill(b);
  return GD_OK;
}

gd_status gd_bench_begin(const gd_bench_settings *s, gd_bench *b)
{
  *b = (gd_bench){.set = *s,
                  .network = gd_resnet_config_default(),
                  .optimizer = gd_optimizer_default(GD_OPTIMIZER_ADAM),
                  .n_leaves = (s->batch + s->microbatch - 1) / s->microbatch};
  b->network.depth = s->depth;
  b->network.stride_on_3x3 = gd_resnet_is_basic(s->depth);
  b->network.height = b->network.width = s->size_px;
  b->network.precision = s->precision;
  gd_status st = gd_reduce_overlaps(&b->overlaps);
  if (st == GD_OK)
    st = gd_resnet_config_check(&b->network);
  if (st == GD_OK)
    st = allocate(b);
  st = gd_agree(MPI_COMM_WORLD, st);
  if (st == GD_OK) {
    gd_resnet_trace(b->net, &b->trace);
    gd_resnet_pack(b->net, b->block);
  }
  return st;
}

void gd_bench_end(gd_bench *b)
{
  gd_resnet_free(b->net);
  gd_reduce_free(b->reduce);
  gd_tensor_table_free(&b->table);
  gd_tensor_table_free(&b->running_table);
  free(b->block);
  free(b->state);
  free(b->x);
  free(b->labels);
  free(b->logits);
  free(b->dlogits);
}

int gd_bench_leaf_size(const gd_bench *b, int64_t leaf)
{
  const int64_t left = b->set.batch - leaf * b->set.microbatch;
  return left < b->set.microbatch ? (int)left : b->set.microbatch;
}

/* A part of the sum's total: step the weights, move the running statistics. */
static void apply(void *context, int64_t first, int64_t count, const float *sum)
{
  const gd_bench *b = context;
  int64_t n = b->table.count - first;
  n = n < 0 ? 0 : n < count ? n : count;
  float *m = b->state +
             gd_buckets_place(gd_reduce_buckets(b->reduce), b->set.rank, first);
  if (n > 0)
    gd_optimizer_step(&b->optimizer, b->step + 1, 1, n, b->block + first, sum,
                      (float *[]){m, m + b->n_own});
  if (n < count)
    gd_resnet_update_running(b->block + first + n, sum + n, count - n, 0.1);
}

static void note_sums(gd_bench *b)
{
  gd_trace_note(&b->trace, b->trace.n_layers - 1, GD_PHASE_OPTIMIZER);
}

static void hear(void *context, int64_t first)
{
  gd_bench *b = context;
  gd_reduce_ready(b->reduce, first);
  note_sums(b);
}

static gd_status make_leaf(gd_bench *b, int n, int is_last)
{
  float *leaf = gd_reduce_leaf(b->reduce);
  double tallies[GD_REDUCE_TALLIES] = {0};
  const gd_loss_options usual = gd_loss_options_default();
  gd_status st =
      gd_resnet_forward(b->net, GD_RESNET_TRAIN, NULL, b->x, n, b->logits);
  if (st == GD_OK)
    st = gd_loss_forward_backward(GD_LOSS_EXPECTATION, &usual, GD_BENCH_LEVELS,
                                  b->logits, b->labels, n, b->set.batch,
                                  b->dlogits, NULL, &tallies[0]);
  if (st != GD_OK)
    return st;
  const float *statistics = gd_resnet_statistics(b->net);
  for (int64_t i = 0; i < b->running_table.count; i++)
    leaf[b->table.count + i] = statistics[i] / (float)b->n_leaves;
  gd_trace_begin(&b->trace);
  gd_reduce_add(b->reduce, tallies);
  const int starts = is_last && b->overlaps;
  if (starts)
    gd_reduce_start(b->reduce, 0);
  note_sums(b);
  gd_resnet_tell(b->net, starts ? hear : NULL, b);
  gd_resnet_backward(b->net, b->dlogits, leaf);
  return GD_OK;
}

static gd_status train(gd_bench *b)
{
  gd_reduce_outcome outcome;
  const gd_reduce_use use = {.apply = apply, .context = b, .block = b->block};
  gd_status st = gd_reduce_begin(b->reduce, b->n_leaves, &use);
  const gd_range run = gd_reduce_run(b->reduce);
  gd_resnet_pack(b->net, b->block);
  for (int64_t i = run.first; st == GD_OK && i < run.end; i++)
    st = make_leaf(b, gd_bench_leaf_size(b, i), i == run.end - 1);
  gd_trace_begin(&b->trace);
  st = gd_reduce_end(b->reduce, st, 0, &outcome);
  note_sums(b);
  b->times = outcome.times;
  b->step++;
  return st;
}

static gd_status evaluate(gd_bench *b)
{
  const gd_range run = gd_range_of(b->n_leaves, b->set.rank, b->set.size);
  gd_status st = GD_OK;
  for (int64_t i = run.first; st == GD_OK && i < run.end; i++)
    st =
        gd_resnet_forward(b->net, GD_RESNET_EVALUATE, b->block + b->table.count,
                          b->x, gd_bench_leaf_size(b, i), b->logits);
  return gd_agree(MPI_COMM_WORLD, st);
}

gd_status gd_bench_step(gd_bench *b)
{
  return b->set.is_evaluation ? evaluate(b) : train(b);
}

const char *gd_bench_arithmetic(const gd_bench *b)
{
  static char text[64];
  const gd_precision p = b->network.precision;
  if (p == GD_FP32)
    return gd_precision_name(p);
  snprintf(text, sizeof text, "%s (%s)", gd_precision_name(p),
           gd_gemm_bf16_way());
  return text;
}

static int compare(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void gd_bench_begin_json(const gd_bench *b, const char *mode, gd_text *t)
{
  gd_text_printf(t,
                 "{\"mode\": \"%s\", \"precision\": \"%s\", "
                 "\"backend\": \"%s\", \"depth\": %d, \"size\": %d, "
                 "\"batch\": %d, \"microbatch\": %d, \"ranks\": %d, "
                 "\"threads\": %d",
                 mode, gd_precision_name(b->network.precision),
                 gd_gemm_backend(), b->set.depth, b->set.size_px, b->set.batch,
                 b->set.microbatch, b->set.size, b->set.threads);
}

double gd_bench_median(double *values, int n)
{
  qsort(values, (size_t)n, sizeof *values, compare);
  return values[n / 2];
}
