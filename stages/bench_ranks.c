/* gradus bench --ranks -- what the exchange between ranks costs a step, hidden
 * behind the backward pass and not, in turn. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "gradus/agree.h"
#include "gradus/gemm.h"
#include "gradus/memory.h"
#include "gradus/traffic.h"

/* Of one step, means over the ranks. */
typedef struct {
  double step_s, network_s, exposed_s;
} timed;

static gd_status time_step(gd_bench *b, int overlaps, timed *t)
{
  double sums[3];
  b->overlaps = overlaps;
  MPI_Barrier(MPI_COMM_WORLD);
  const double begun_s = MPI_Wtime();
  gd_status st = gd_bench_step(b);
  sums[0] = MPI_Wtime() - begun_s;
  sums[1] = b->times.network_s;
  sums[2] = b->times.exposed_s;
  MPI_Allreduce(MPI_IN_PLACE, sums, 3, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  *t = (timed){sums[0] / b->set.size, sums[1] / b->set.size,
               sums[2] / b->set.size};
  return st;
}

/* The medians of one way's steps, each of its own. */
static timed medians_of(const timed *steps, int n)
{
  double values[3][GD_BENCH_MOST_STEPS];
  for (int i = 0; i < n; i++) {
    values[0][i] = steps[2 * i].step_s;
    values[1][i] = steps[2 * i].network_s;
    values[2][i] = steps[2 * i].exposed_s;
  }
  return (timed){gd_bench_median(values[0], n), gd_bench_median(values[1], n),
                 gd_bench_median(values[2], n)};
}

static void add_row(gd_text *t, const char *what, int overlaps, const timed *s)
{
  gd_text_printf(t, "%-7s %-8s %9.1f %9.1f %9.1f %9.1f %7.1f %%\n", what,
                 overlaps ? "hidden" : "behind", 1e3 * s->step_s,
                 1e3 * (s->step_s - s->exposed_s), 1e3 * s->network_s,
                 1e3 * s->exposed_s, 100 * s->exposed_s / s->step_s);
}

static void add_table(gd_text *t, const gd_bench *b, const gd_traffic *sent,
                      const timed *steps, const timed *middle)
{
  gd_text_printf(t,
                 "ResNet-%d, %dx%d, %s, %s: batch %d of microbatches of %d, "
                 "ranks x threads %d x %d\nrank 0 sends %.1f MB in %lld "
                 "messages a step\n\n%-7s %-8s %9s %9s %9s %9s %9s\n",
                 b->network.depth, b->set.size_px, b->set.size_px,
                 gd_bench_arithmetic(b), gd_gemm_backend(), b->set.batch,
                 b->set.microbatch, b->set.size, b->set.threads,
                 1e-6 * (double)sent->bytes, (long long)sent->messages, "step",
                 "exchange", "ms", "compute", "network", "exposed", "share");
  for (int i = 0; i < 2 * b->set.repeat; i++) {
    char number[16];
    snprintf(number, sizeof number, "%d", i + 1);
    add_row(t, number, i % 2, &steps[i]);
  }
  add_row(t, "median", 0, &middle[0]);
  add_row(t, "median", 1, &middle[1]);
  gd_text_printf(t, "\nhidden, a step takes %.3f of the time\n",
                 middle[1].step_s / middle[0].step_s);
}

static void add_json(gd_text *t, const gd_bench *b, const gd_traffic *sent,
                     const timed *steps, const timed *middle)
{
  gd_bench_begin_json(b, "ranks", t);
  gd_text_printf(t, ", \"sent_bytes\": %lld, \"messages\": %lld",
                 (long long)sent->bytes, (long long)sent->messages);
  for (int way = 0; way < 2; way++) {
    gd_text_printf(t,
                   ",\n \"%s\": {\"step_s\": %.6g, \"network_s\": %.6g, "
                   "\"exposed_s\": %.6g, \"exposed_share\": %.4f, "
                   "\"steps_s\": [",
                   way ? "hidden" : "behind", middle[way].step_s,
                   middle[way].network_s, middle[way].exposed_s,
                   middle[way].exposed_s / middle[way].step_s);
    for (int i = way; i < 2 * b->set.repeat; i += 2)
      gd_text_printf(t, "%s%.6g", i > 1 ? ", " : "", steps[i].step_s);
    gd_text_add(t, "]}");
  }
  gd_text_add(t, "}\n");
}

gd_status gd_bench_ranks(gd_bench *b, gd_text *out)
{
  timed *steps = gd_alloc(2 * (int64_t)b->set.repeat, sizeof *steps);
  gd_status st = gd_agree(MPI_COMM_WORLD, steps == NULL ? GD_ERR_NOMEM : GD_OK);
  timed first;
  if (st == GD_OK) /* touches all memory, and connects */
    st = time_step(b, 1, &first);
  for (int i = 0; st == GD_OK && i < 2 * b->set.repeat; i++)
    st = time_step(b, i % 2, &steps[i]);
  if (st == GD_OK && b->set.rank == 0) {
    const gd_traffic sent =
        gd_traffic_of(gd_reduce_buckets(b->reduce), b->n_leaves, 0);
    const timed middle[2] = {medians_of(steps, b->set.repeat),
                             medians_of(steps + 1, b->set.repeat)};
    (b->set.is_json ? add_json : add_table)(out, b, &sent, steps, middle);
  }
  free(steps);
  return st;
}
