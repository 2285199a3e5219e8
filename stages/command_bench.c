/* gradus bench -- how fast the network trains or evaluates here, by layer and
 * phase, beside what the processor can do at most.
 *
 * A step is what the train stage does behind the reading of faces: microbatches
 * through the network, their sum over ranks, the optimiser.  The peak is
 * measured before every step, so that both see the same machine. */
#include <errno.h>
#include <math.h>
#include <mpi.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench.h"
#include "command.h"
#include "gradus/agree.h"
#include "gradus/gemm.h"
#include "gradus/memory.h"
#include "gradus/peak.h"
#include "gradus/roofline.h"
#include "gradus/run.h"

static const gd_option options[] = {
    {"--evaluate", NULL, GD_OPTION_ONCE,
     "Time evaluation instead of training."},
    {"--depth", "N", GD_OPTION_ONCE,
     "Layers: 18, 34, 50, 101 or 152 (default 50)."},
    {"--precision", "NAME", GD_OPTION_ONCE, "fp32 or bf16 (default fp32)."},
    {"--size", "PX", GD_OPTION_ONCE,
     "Height and width of the faces (default 224)."},
    {"--batch", "N", GD_OPTION_ONCE,
     "Faces of a step, of all ranks (default 16)."},
    {"--microbatch", "N", GD_OPTION_ONCE,
     "Faces at once (default: the rank's share)."},
    {"--threads", "N", GD_OPTION_ONCE,
     "Threads of each rank (default OMP_NUM_THREADS)."},
    {"--backend", "NAME", GD_OPTION_ONCE,
     "libxsmm or openblas (default GRADUS_GEMM)."},
    {"--repeat", "N", GD_OPTION_ONCE, "Steps that are timed (default 5)."},
    {"--ranks", NULL, GD_OPTION_ONCE,
     "Time the exchange between ranks, hidden and not."},
    {"--json", NULL, GD_OPTION_ONCE, "One JSON object instead of tables."},
    {"--chart", "FILE", GD_OPTION_ONCE,
     "Also draw a roofline as FILE, .png or .svg."},
};

static const double PEAK_S = 0.1;

/* ------------------------------------------------------------------ settings
 */

static gd_status read_count(const gd_arguments *a, const char *name, int most,
                            int *count)
{
  const char *text = gd_arguments_value(a, name);
  if (text == NULL)
    return GD_OK;
  char *end;
  errno = 0;
  const long number = strtol(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || number < 1 || number > most)
    return gd_fail(GD_ERR_USAGE,
                   "%s: expected a whole number from 1 to %d, got '%s'", name,
                   most, text);
  *count = (int)number;
  return GD_OK;
}

static gd_status read_settings(const gd_arguments *a, gd_bench_settings *s)
{
  *s = (gd_bench_settings){
      .depth = 50,
      .size_px = 224,
      .batch = 16,
      .repeat = 5,
      .threads = omp_get_max_threads(),
      .is_evaluation = gd_arguments_count(a, "--evaluate") > 0,
      .is_json = gd_arguments_count(a, "--json") > 0,
      .chart = gd_arguments_value(a, "--chart"),
      .compares_ranks = gd_arguments_count(a, "--ranks") > 0};
  MPI_Comm_rank(MPI_COMM_WORLD, &s->rank);
  MPI_Comm_size(MPI_COMM_WORLD, &s->size);
  gd_status st = read_count(a, "--depth", 152, &s->depth);
  if (st == GD_OK)
    st = read_count(a, "--size", 4096, &s->size_px);
  if (st == GD_OK)
    st = read_count(a, "--batch", 65536, &s->batch);
  s->microbatch = (s->batch + s->size - 1) / s->size;
  if (st == GD_OK)
    st = read_count(a, "--microbatch", s->batch, &s->microbatch);
  if (st == GD_OK)
    st = read_count(a, "--threads", 4096, &s->threads);
  if (st == GD_OK)
    st = read_count(a, "--repeat", GD_BENCH_MOST_STEPS, &s->repeat);
  const char *precision = gd_arguments_value(a, "--precision");
  if (st == GD_OK && precision != NULL &&
      gd_precision_of(precision, &s->precision) != GD_OK)
    st = gd_fail(GD_ERR_USAGE, "--precision: %s", gd_reason());
  const char *backend = gd_arguments_value(a, "--backend");
  if (st == GD_OK && backend != NULL && setenv("GRADUS_GEMM", backend, 1) != 0)
    st = gd_fail(GD_ERR_NOMEM, "--backend: out of memory");
  if (st == GD_OK && s->is_evaluation && s->compares_ranks)
    st = gd_fail(GD_ERR_USAGE, "--ranks: evaluation exchanges nothing");
  if (st == GD_OK && s->chart != NULL && s->compares_ranks)
    st = gd_fail(GD_ERR_USAGE, "--chart: --ranks times no layers");
  omp_set_num_threads(s->threads);
  return st;
}

/* Seconds of the steps, and FLOP/s of all ranks before each. */
typedef struct {
  double step_s[GD_BENCH_MOST_STEPS], peak[GD_BENCH_MOST_STEPS];
  double bandwidth; /* bytes/s of all ranks; for the chart alone */
} timing;

/* The first step is not timed: it touches all memory for the first time. */
static gd_status time_steps(gd_bench *b, timing *t)
{
  gd_status st = gd_bench_step(b);
  if (b->set.chart != NULL) {
    MPI_Barrier(MPI_COMM_WORLD);
    t->bandwidth = gd_peak_bandwidth(PEAK_S);
    MPI_Allreduce(MPI_IN_PLACE, &t->bandwidth, 1, MPI_DOUBLE, MPI_SUM,
                  MPI_COMM_WORLD);
  }
  gd_resnet_trace(b->net, &b->trace);
  for (int i = 0; st == GD_OK && i < b->set.repeat; i++) {
    MPI_Barrier(MPI_COMM_WORLD);
    t->peak[i] = gd_peak_flops(b->network.precision, PEAK_S);
    MPI_Allreduce(MPI_IN_PLACE, &t->peak[i], 1, MPI_DOUBLE, MPI_SUM,
                  MPI_COMM_WORLD);
    const double begun_s = MPI_Wtime();
    st = gd_bench_step(b);
    t->step_s[i] = MPI_Wtime() - begun_s;
  }
  return st;
}

/* -------------------------------------------------------------------- report
 */

typedef struct {
  double step_s, peak;    /* medians: seconds; FLOP/s of all ranks */
  double mean_s;          /* of the steps, as phases are means */
  double flop;            /* of a step, all ranks */
  double share;           /* of the peak */
  double definition_flop; /* by the layers' definitions */
  double faces;           /* of this rank's steps together */
  int64_t kept_bytes;     /* of a microbatch */
} summary;

/* Backward, each layer has two products as large as the forward one; but
 * nobody asks for the images' gradient. */
static double products_of(const gd_bench *b, int layer)
{
  return b->set.is_evaluation ? 1 : layer == 0 ? 2 : 3;
}

static summary summarize(const gd_bench *b, timing *t)
{
  summary s = {0};
  for (int i = 0; i < b->trace.n_layers; i++) {
    const gd_trace_layer *l = &b->trace.layers[i];
    s.flop += l->flop * products_of(b, i) * b->set.batch;
    s.definition_flop += l->definition_flop * products_of(b, i) * b->set.batch;
    s.kept_bytes += l->kept_bytes * b->set.microbatch;
  }
  double *shares = t->peak; /* in place: the peaks' median is taken first */
  double peaks[GD_BENCH_MOST_STEPS];
  for (int i = 0; i < b->set.repeat; i++) {
    peaks[i] = t->peak[i];
    s.mean_s += t->step_s[i] / b->set.repeat;
    shares[i] = s.flop / t->step_s[i] / t->peak[i];
  }
  s.peak = gd_bench_median(peaks, b->set.repeat);
  s.share = gd_bench_median(shares, b->set.repeat);
  s.step_s = gd_bench_median(t->step_s, b->set.repeat);
  const gd_range run = gd_range_of(b->n_leaves, b->set.rank, b->set.size);
  for (int64_t i = run.first; i < run.end; i++)
    s.faces += (double)gd_bench_leaf_size(b, i) * b->set.repeat;
  return s;
}

static double definition_share(const summary *s)
{
  return s->share * s->definition_flop / s->flop;
}

/* The most memory that this process has had in use. */
static double peak_bytes(void)
{
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return 1024.0 * (double)used.ru_maxrss;
}

/* What a phase multiplies for one face; 0: it only moves and adds. */
static double flop_of(const gd_bench *b, int layer, gd_phase phase)
{
  const gd_trace_layer *l = &b->trace.layers[layer];
  const int is_dense = layer >= b->trace.n_layers - 3;
  if (phase == GD_PHASE_DENSE)
    return is_dense ? l->flop * products_of(b, layer) : 0;
  return phase <= GD_PHASE_BACKWARD_WEIGHTS && !is_dense ? l->flop : 0;
}

static void add_rate(gd_text *t, double flop, double seconds)
{
  if (seconds <= 0)
    gd_text_printf(t, " %8s %6s", "-", "-");
  else if (flop <= 0)
    gd_text_printf(t, " %8.2f %6s", 1e3 * seconds, "");
  else
    gd_text_printf(t, " %8.2f %6.1f", 1e3 * seconds, 1e-9 * flop / seconds);
}

static void add_layers(gd_text *t, const gd_bench *b, const summary *s)
{
  gd_text_printf(t, "%-23s %15s %15s %15s %8s %7s\n%-23s", "", "forward",
                 "backward data", "b. weights", "norm", "kept", "layer");
  for (int i = 0; i < 3; i++)
    gd_text_printf(t, " %8s %6s", "ms", "GF/s");
  gd_text_printf(t, " %8s %7s\n", "ms", "MiB");
  for (int i = 0; i < b->trace.n_layers - 4; i++) {
    const gd_trace_layer *l = &b->trace.layers[i];
    gd_text_printf(t, "%-23s", l->name);
    for (gd_phase p = 0; p <= GD_PHASE_BACKWARD_WEIGHTS; p++)
      add_rate(t, l->flop * s->faces / b->set.repeat,
               l->seconds[p] / b->set.repeat);
    gd_text_printf(t, " %8.2f %7.1f\n",
                   1e3 * l->seconds[GD_PHASE_NORM] / b->set.repeat,
                   (double)l->kept_bytes * b->set.microbatch / 1048576);
  }
}

/* A phase over all layers. */
typedef struct {
  double seconds, flop;
} phase_sum;

static phase_sum sum_phase(const gd_bench *b, const summary *s, gd_phase phase)
{
  phase_sum sum = {0, 0};
  for (int i = 0; i < b->trace.n_layers; i++) {
    const double seconds = b->trace.layers[i].seconds[phase];
    sum.seconds += seconds / b->set.repeat;
    if (seconds > 0)
      sum.flop += flop_of(b, i, phase) * s->faces / b->set.repeat;
  }
  return sum;
}

static void add_phases(gd_text *t, const gd_bench *b, const summary *s)
{
  const double rank_peak = s->peak / b->set.size;
  double rest_s = s->mean_s;
  gd_text_printf(t, "\n%-18s %9s %7s %8s %8s\n", "phase", "ms", "time",
                 "GFLOP/s", "of peak");
  for (gd_phase p = 0; p < GD_N_PHASES; p++) {
    const phase_sum sum = sum_phase(b, s, p);
    rest_s -= sum.seconds;
    gd_text_printf(t, "%-18s %9.1f %5.1f %%", gd_phase_name(p),
                   1e3 * sum.seconds, 100 * sum.seconds / s->mean_s);
    if (sum.flop > 0)
      gd_text_printf(t, " %8.1f %6.1f %%", 1e-9 * sum.flop / sum.seconds,
                     100 * sum.flop / sum.seconds / rank_peak);
    gd_text_add(t, "\n");
  }
  gd_text_printf(t, "%-18s %9.1f %5.1f %%\n", "between", 1e3 * rest_s,
                 100 * rest_s / s->mean_s);
}

static void add_tables(gd_text *t, const gd_bench *b, const summary *s)
{
  gd_text_printf(t,
                 "ResNet-%d, %dx%d, %s, %s, %s: batch %d of microbatches of "
                 "%d, ranks x threads %d x %d\n\n",
                 b->network.depth, b->set.size_px, b->set.size_px,
                 b->set.is_evaluation ? "evaluation" : "training",
                 gd_bench_arithmetic(b), gd_gemm_backend(), b->set.batch,
                 b->set.microbatch, b->set.size, b->set.threads);
  add_layers(t, b, s);
  add_phases(t, b, s);
  gd_text_printf(t,
                 "\nstep %.1f ms, %.2f images/s, %.1f GFLOP/s: %.1f %% of the "
                 "peak of %.1f\nby the definition of convolution %.1f "
                 "GFLOP/s, %.1f %%\nmemory %.0f MiB at most: network %.0f, of "
                 "it kept for the backward pass %.0f\n",
                 1e3 * s->step_s, b->set.batch / s->step_s,
                 1e-9 * s->flop / s->step_s, 100 * s->share, 1e-9 * s->peak,
                 1e-9 * s->definition_flop / s->step_s,
                 100 * definition_share(s), peak_bytes() / 1048576,
                 (double)gd_resnet_bytes(b->net) / 1048576,
                 (double)s->kept_bytes / 1048576);
}

/* The convolutions' passes under the roofs of this rank. */
static gd_status draw_chart(const gd_bench *b, const summary *s,
                            double bandwidth)
{
  enum { SERIES = GD_PHASE_BACKWARD_WEIGHTS + 1 };
  static double intensity[SERIES][GD_TRACE_MOST], flops[SERIES][GD_TRACE_MOST];
  static double seconds[SERIES][GD_TRACE_MOST];
  gd_roofline_series series[SERIES];
  int n_series = 0;
  const double n_faces = s->faces / b->set.repeat; /* of one step */
  for (gd_phase p = 0; p <= GD_PHASE_BACKWARD_WEIGHTS; p++) {
    gd_roofline_series *of = &series[n_series];
    *of = (gd_roofline_series){.name = gd_phase_name(p),
                               .intensity = intensity[p],
                               .flops = flops[p],
                               .seconds = seconds[p]};
    for (int i = 0; i < b->trace.n_layers; i++) {
      const gd_trace_layer *l = &b->trace.layers[i];
      const double flop = flop_of(b, i, p) * n_faces;
      const double took_s = l->seconds[p] / b->set.repeat;
      if (flop <= 0 || took_s <= 0)
        continue;
      const double leaves = ceil(n_faces / b->set.microbatch);
      intensity[p][of->n] =
          flop / (l->sample_bytes * n_faces + l->weight_bytes * leaves);
      flops[p][of->n] = flop / took_s;
      seconds[p][of->n++] = took_s;
    }
    n_series += of->n > 0;
  }
  if (bandwidth <= 0)
    return gd_fail(GD_ERR_NOMEM, "--chart: no memory to measure its speed");
  char title[96], subtitle[160];
  snprintf(title, sizeof title, "ResNet-%d, %s: %.0f %% of the peak",
           b->network.depth, b->set.is_evaluation ? "evaluation" : "training",
           100 * s->share);
  snprintf(subtitle, sizeof subtitle,
           "%d x %d, batch %d in microbatches of %d, %s, %s; %d x %d ranks x "
           "threads, %.2f images/s",
           b->set.size_px, b->set.size_px, b->set.batch, b->set.microbatch,
           gd_gemm_backend(), gd_precision_name(b->network.precision),
           b->set.size, b->set.threads, b->set.batch / s->step_s);
  return gd_roofline_write(&(gd_roofline){.title = title,
                                          .subtitle = subtitle,
                                          .peak_flops = s->peak / b->set.size,
                                          .bandwidth = bandwidth / b->set.size,
                                          .n_series = n_series,
                                          .series = series},
                           b->set.chart);
}

static void add_json_layers(gd_text *t, const gd_bench *b, const summary *s)
{
  for (int i = 0; i < b->trace.n_layers; i++) {
    const gd_trace_layer *l = &b->trace.layers[i];
    gd_text_add(t, i > 0 ? ",\n  {\"name\": " : "\n  {\"name\": ");
    gd_text_json(t, l->name);
    gd_text_printf(t, ", \"kept_bytes\": %.0f",
                   (double)l->kept_bytes * b->set.microbatch);
    for (gd_phase p = 0; p < GD_N_PHASES; p++)
      if (l->seconds[p] > 0)
        gd_text_printf(t, ", \"%s\": {\"s\": %.6g, \"flop\": %.6g}",
                       gd_phase_name(p), l->seconds[p] / b->set.repeat,
                       flop_of(b, i, p) * s->faces / b->set.repeat);
    gd_text_add(t, "}");
  }
}

static void add_json(gd_text *t, const gd_bench *b, const summary *s)
{
  gd_bench_begin_json(b, b->set.is_evaluation ? "evaluate" : "train", t);
  gd_text_printf(
      t,
      ",\n \"images_per_s\": %.6g, "
      "\"step_s\": %.6g, \"flop\": %.6g, \"peak_flops\": %.6g, "
      "\"share_of_peak\": %.4f, \"definition_share_of_peak\": %.4f,\n "
      "\"peak_bytes\": %.0f, "
      "\"network_bytes\": %.0f, "
      "\"kept_bytes\": %.0f,\n \"phases\": {",
      b->set.batch / s->step_s, s->step_s, s->flop, s->peak, s->share,
      definition_share(s), peak_bytes(), (double)gd_resnet_bytes(b->net),
      (double)s->kept_bytes);
  for (gd_phase p = 0; p < GD_N_PHASES; p++) {
    const phase_sum sum = sum_phase(b, s, p);
    gd_text_printf(t, "%s\"%s\": {\"s\": %.6g, \"flop\": %.6g}",
                   p > 0 ? ", " : "", gd_phase_name(p), sum.seconds, sum.flop);
  }
  gd_text_add(t, "},\n \"layers\": [");
  add_json_layers(t, b, s);
  gd_text_add(t, "]}\n");
}

/* Time the steps and compose what is printed, on rank 0. */
static gd_status measure(gd_bench *b, gd_text *t)
{
  if (b->set.compares_ranks)
    return gd_bench_ranks(b, t);
  timing *times = gd_alloc(1, sizeof *times);
  gd_status st = gd_agree(MPI_COMM_WORLD, times == NULL ? GD_ERR_NOMEM : GD_OK);
  if (st == GD_OK)
    st = time_steps(b, times);
  if (st == GD_OK && b->set.rank == 0) {
    const summary sums = summarize(b, times);
    (b->set.is_json ? add_json : add_tables)(t, b, &sums);
    if (b->set.chart != NULL)
      st = draw_chart(b, &sums, times->bandwidth);
  }
  free(times);
  return st;
}

static int run(const gd_arguments *a)
{
  gd_bench_settings s;
  gd_bench b;
  gd_text t = {0};
  gd_status st = read_settings(a, &s);
  if (st == GD_OK)
    st = gd_gemm_begin();
  st = gd_agree(MPI_COMM_WORLD, st);
  if (st != GD_OK)
    return s.rank == 0 ? gd_command_failed(st) : gd_exit_code(st);
  st = gd_bench_begin(&s, &b);
  if (st == GD_OK)
    st = measure(&b, &t);
  int code = gd_exit_code(st);
  if (s.rank == 0) {
    code = gd_command_print(&t); /* also when its chart cannot be written */
    if (st != GD_OK)
      code = gd_command_failed(st);
  }
  gd_bench_end(&b);
  return code;
}

const gd_command gd_command_bench = {
    .name = "bench",
    .operands = "",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .parallel = 1,
    .summary = "time training or evaluation on this machine",
    .details =
        "Runs steps of a ResNet with drawn weights and images, nothing read\n"
        "and nothing written: where a step's time goes by layer and phase, as\n"
        "milliseconds, GFLOP/s, and shares of the peak that multiply-adds on\n"
        "registers reach in the same run, of bf16 where it has kernels. Rates\n"
        "count the products that are computed; one line at the end counts\n"
        "those of the convolutions' definition, of which Winograd's filtering\n"
        "computes as few as 16 in 36.\n"
        "`kept` is what a layer leaves in memory for the backward pass. Under\n"
        "mpirun or srun the step is shared as in training, and the tables are\n"
        "those of rank 0: compare a node's ranks x threads with it. Phases\n"
        "are means, the step is a median; the first one is not counted.\n"
        "--chart draws each convolution's passes under the roofs of memory,\n"
        "as fast as it streams, and arithmetic.\n\n"
        "--ranks times pairs of steps instead, without and with the exchange\n"
        "of gradients and weights hidden behind the backward pass (as in\n"
        "training, unless GRADUS_OVERLAP=off): `network` is from the first\n"
        "message to the last, `exposed` what a step spends on calls of MPI\n"
        "and on waiting, for messages and for ranks that are late, `compute`\n"
        "the rest. Times are means over the ranks.\n",
    .run = run,
};
