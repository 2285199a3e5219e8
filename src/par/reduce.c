#include "gradus/reduce.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "gradus/agree.h"
#include "gradus/memory.h"

enum {
  PIECE = GD_TREE_PIECE, /* summed and applied while in the cache */
  MOST_NODES = GD_TREE_MOST
};

/* What a rank tells the others ahead of its data: whether it failed, whether
 * it wants to stop, and the tallies of its subtrees. */
enum { FAILED, STOP, TALLIES, MOST_WORDS = 2 + MOST_NODES * GD_REDUCE_TALLIES };

/* How far a step is. */
typedef enum { LEAVES, WORDS, BUCKETS, FAILURE } stage;

struct gd_reduce {
  MPI_Comm comm;
  int rank, size, n_threads;
  int64_t count;
  float *slots;  /* per thread: sums under way, MOST_NODES pieces */
  double *words; /* [size][MOST_WORDS], packed; and one row for sending */
  gd_exchange exchange;

  /* This step. */
  gd_reduce_use use;
  stage stage;
  int64_t n_leaves;
  gd_range run; /* this rank's leaves */
  gd_tree_node
      stack[MOST_NODES]; /* its partial sums; the last leaf is not merged */
  int n_stack;
  int n_words; /* of each rank */
  MPI_Request words_request;
  int64_t ready;      /* of the last leaf: the values from here on are there */
  int n_left, n_sums; /* buckets not yet posted; not yet applied: from the last
                         one down */
  int64_t bad;        /* first element whose total is not finite, or MAX */
  double begun_s;     /* when the first bucket was posted */
  gd_reduce_outcome outcome;

  /* Room that grows with the largest step so far. */
  float *blocks[MOST_NODES]; /* the stack's memory: item i lies in block i */
  int n_blocks;
  gd_tree_node *inputs; /* what is added up for the total */
  int64_t inputs_room;
};

/* ------------------------------------------------------------- life, leaves */

gd_status gd_reduce_new(MPI_Comm comm, int64_t count, size_t bucket_bytes,
                        gd_reduce **out)
{
  assert(count > 0 && out != NULL);
  *out = NULL;
  if (count > INT_MAX - GD_BUCKETS_ALIGN)
    return gd_fail(GD_ERR_USAGE,
                   "a network of %" PRId64 " numbers is longer than MPI's "
                   "counts (%d) allow",
                   count, INT_MAX - GD_BUCKETS_ALIGN);
  gd_reduce *r = gd_alloc(1, sizeof *r);
  gd_status st = gd_agree(comm, r == NULL ? GD_ERR_NOMEM : GD_OK);
  if (st != GD_OK) {
    free(r);
    return st;
  }
  MPI_Comm_rank(comm, &r->rank);
  MPI_Comm_size(comm, &r->size);
  MPI_Comm_dup(comm, &r->comm);
  r->count = count;
  r->exchange =
      (gd_exchange){.comm = r->comm,
                    .rank = r->rank,
                    .size = r->size,
                    .buckets = gd_buckets_cut(count, bucket_bytes, r->size)};
  r->n_threads = omp_get_max_threads();
  r->words = gd_alloc((int64_t)(r->size + 1) * MOST_WORDS, sizeof(double));
  r->slots =
      gd_alloc((int64_t)r->n_threads * MOST_NODES * PIECE, sizeof(float));
  if (r->words == NULL || r->slots == NULL)
    st = GD_ERR_NOMEM;
  st = gd_agree(comm, st);
  if (st != GD_OK) {
    gd_reduce_free(r);
    return st;
  }
  *out = r;
  return GD_OK;
}

void gd_reduce_free(gd_reduce *r)
{
  if (r == NULL)
    return;
  MPI_Comm_free(&r->comm);
  for (int i = 0; i < r->n_blocks; i++)
    free(r->blocks[i]);
  gd_exchange_end(&r->exchange);
  free(r->inputs);
  free(r->words);
  free(r->slots);
  free(r);
}

const gd_buckets *gd_reduce_buckets(const gd_reduce *r)
{
  return &r->exchange.buckets;
}

/* Make room for n inputs; what was there is lost. */
static gd_status grow_inputs(gd_reduce *r, int64_t n)
{
  if (n <= r->inputs_room)
    return GD_OK;
  free(r->inputs);
  r->inputs = gd_alloc(n, sizeof r->inputs[0]);
  r->inputs_room = r->inputs == NULL ? 0 : n;
  return r->inputs == NULL ? GD_ERR_NOMEM : GD_OK;
}

gd_status gd_reduce_begin(gd_reduce *r, int64_t n_leaves,
                          const gd_reduce_use *use)
{
  assert(r != NULL && n_leaves >= 1);
  assert(use->apply != NULL && use->block != NULL);
  r->use = *use;
  r->stage = LEAVES;
  r->n_leaves = n_leaves;
  r->run = gd_range_of(n_leaves, r->rank, r->size);
  r->n_stack = 0;
  r->ready = r->count;
  r->n_left = r->n_sums = r->exchange.buckets.n;
  r->bad = INT64_MAX;
  r->outcome = (gd_reduce_outcome){.bad_at = -1};

  gd_status st = gd_exchange_begin(&r->exchange, n_leaves);
  if (st == GD_OK)
    st = grow_inputs(r, r->exchange.n_all_nodes + MOST_NODES);
  for (const int depth = gd_tree_depth(r->run);
       st == GD_OK && r->n_blocks < depth; r->n_blocks += st == GD_OK) {
    r->blocks[r->n_blocks] = gd_alloc(r->count, sizeof(float));
    if (r->blocks[r->n_blocks] == NULL)
      st = GD_ERR_NOMEM;
  }
  return st;
}

gd_range gd_reduce_run(const gd_reduce *r)
{
  return r->run;
}

float *gd_reduce_leaf(gd_reduce *r)
{
  /* The last leaf's merges waited until now: after the step's very last leaf
   * they are done piece by piece, in the cache, by whoever needs the sum. */
  while (r->n_stack > 1) {
    gd_tree_node *left = &r->stack[r->n_stack - 2], *right = left + 1;
    if (!gd_tree_siblings(left, right))
      break;
#pragma omp parallel for schedule(static)
    for (int64_t at = 0; at < r->count; at += PIECE) {
      const int64_t n = r->count - at < PIECE ? r->count - at : PIECE;
      gd_tree_merge(left, right, at, n);
    }
    for (int i = 0; i < GD_REDUCE_TALLIES; i++)
      left->tallies[i] += right->tallies[i];
    left->level++;
    r->n_stack--;
  }
  assert(r->n_stack < r->n_blocks);
  return r->blocks[r->n_stack];
}

void gd_reduce_add(gd_reduce *r, const double tallies[GD_REDUCE_TALLIES])
{
  gd_tree_node leaf = {.first = r->run.first, .values = r->blocks[r->n_stack]};
  if (r->n_stack > 0) {
    const gd_tree_node *last = &r->stack[r->n_stack - 1];
    leaf.first = gd_tree_leaves(last).end;
  }
  assert(leaf.first < r->run.end);
  memcpy(leaf.tallies, tallies, sizeof leaf.tallies);
  r->stack[r->n_stack++] = leaf;
}

/* -------------------------------------------------------------------- words */

/* Begin to tell how it went, with the tallies. */
static void send_words(gd_reduce *r, int failed, int stop)
{
  gd_tree_node nodes[MOST_NODES];
  int most = 0;
  for (int rank = 0; rank < r->size; rank++) {
    const int n = gd_tree_list(gd_range_of(r->n_leaves, rank, r->size), nodes);
    most = n > most ? n : most;
  }
  r->n_words = TALLIES + most * GD_REDUCE_TALLIES;
  double *mine = r->words + (int64_t)r->size * MOST_WORDS;
  memset(mine, 0, (size_t)r->n_words * sizeof mine[0]);
  mine[FAILED] = failed;
  mine[STOP] = stop != 0;
  const int n_nodes = failed ? 0 : gd_tree_list(r->run, nodes);
  for (int i = 0; i < n_nodes; i++) {
    int first = 0;
    const int n_items =
        gd_exchange_items(r->stack, r->n_stack, &nodes[i], &first);
    gd_tree_add_tallies(r->stack + first, n_items,
                        mine + TALLIES + i * GD_REDUCE_TALLIES);
  }
  MPI_Iallgather(mine, r->n_words, MPI_DOUBLE, r->words, r->n_words, MPI_DOUBLE,
                 r->comm, &r->words_request);
  r->stage = WORDS;
}

/* Take up what all ranks said. */
static void read_words(gd_reduce *r)
{
  int any_failed = 0;
  for (int rank = 0; rank < r->size; rank++) {
    any_failed |= r->words[rank * r->n_words + FAILED] != 0;
    r->outcome.stop |= r->words[rank * r->n_words + STOP] != 0;
  }
  r->stage = any_failed ? FAILURE : BUCKETS;
  if (any_failed)
    return;
  int n = 0;
  for (int rank = 0; rank < r->size; rank++) {
    const double *tallies = r->words + rank * r->n_words + TALLIES;
    const gd_range run = gd_range_of(r->n_leaves, rank, r->size);
    for (const int end = n + gd_tree_list(run, r->inputs + n); n < end;
         n++, tallies += GD_REDUCE_TALLIES)
      memcpy(r->inputs[n].tallies, tallies, sizeof r->inputs[n].tallies);
  }
  gd_tree_add_tallies(r->inputs, n, r->outcome.tallies);
}

/* --------------------------------------------------------------------- sums */

/* Return the first element that is not finite, or n. */
static int64_t find_bad(const float *x, int64_t n)
{
  /* The exponent's bits are all ones for infinities and NaN alone. */
  uint32_t worst = 0;
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    bits &= UINT32_C(0x7f800000);
    worst = bits > worst ? bits : worst;
  }
  int64_t at = n;
  if (worst == UINT32_C(0x7f800000))
    for (at = 0; isfinite(x[at]);)
      at++;
  return at;
}

/* Add up and apply this rank's part of bucket i. */
static void apply_bucket(gd_reduce *r, int i)
{
  const double begun_s = MPI_Wtime();
  const gd_range part = gd_buckets_part(&r->exchange.buckets, i, r->rank);
  const int n_inputs =
      gd_exchange_list(&r->exchange, i, r->stack, r->n_stack, r->inputs);
  const int64_t count = part.end - part.first;
  int64_t bad = INT64_MAX;
#pragma omp parallel for schedule(static) reduction(min                        \
                                                    : bad)                     \
    num_threads(r->n_threads)
  for (int64_t at = 0; at < count; at += PIECE) {
    const int64_t n = count - at < PIECE ? count - at : PIECE;
    float *slots =
        r->slots + (int64_t)omp_get_thread_num() * MOST_NODES * PIECE;
    const float *sum = gd_tree_add(r->inputs, n_inputs, at, n, slots);
    const int64_t bad_here = find_bad(sum, n);
    if (bad_here < n && part.first + at + bad_here < bad)
      bad = part.first + at + bad_here;
    r->use.apply(r->use.context, part.first + at, n, sum);
  }
  r->bad = bad < r->bad ? bad : r->bad;
  r->outcome.times.sums_s += MPI_Wtime() - begun_s;
}

/* ----------------------------------------------------------------- progress */

/* Say whether bucket i is there, and the slot that its sums need free. */
static int may_post(gd_reduce *r, int i)
{
  const int before = i + GD_EXCHANGE_SLOTS;
  return i >= 0 && gd_buckets_at(&r->exchange.buckets, i).first >= r->ready &&
         (before >= r->exchange.buckets.n ||
          (before >= r->n_sums &&
           gd_exchange_is_done(&r->exchange, before, GD_SUMS_OUT)));
}

/* Do what can be done without waiting.  Return whether there was anything. */
static int make_progress(gd_reduce *r)
{
  int any = 0;
  if (r->stage == WORDS) {
    MPI_Test(&r->words_request, &any, MPI_STATUS_IGNORE);
    if (any)
      read_words(r);
  }
  if (r->stage != BUCKETS)
    return any;
  for (; may_post(r, r->n_left - 1); r->n_left--, any = 1) {
    if (r->n_left == r->exchange.buckets.n)
      r->begun_s = MPI_Wtime();
    gd_exchange_post(&r->exchange, r->n_left - 1, r->stack, r->n_stack,
                     r->slots, r->n_threads, r->use.block);
  }
  for (; r->n_sums > r->n_left &&
         gd_exchange_is_done(&r->exchange, r->n_sums - 1, GD_SUMS_IN);
       r->n_sums--, any = 1) {
    apply_bucket(r, r->n_sums - 1);
    if (r->use.settle == NULL)
      gd_exchange_give(&r->exchange, r->n_sums - 1, r->use.block);
  }
  return any;
}

gd_status gd_reduce_overlaps(int *out)
{
  const char *set = getenv("GRADUS_OVERLAP");
  *out = set == NULL || strcmp(set, "on") == 0;
  return *out || strcmp(set, "off") == 0
             ? GD_OK
             : gd_fail(GD_ERR_USAGE, "GRADUS_OVERLAP=%s: there are on and off",
                       set);
}

void gd_reduce_start(gd_reduce *r, int stop)
{
  assert(r->stage == LEAVES);
  const double begun_s = MPI_Wtime();
  send_words(r, 0, stop);
  r->outcome.times.inside_s += MPI_Wtime() - begun_s;
}

void gd_reduce_ready(gd_reduce *r, int64_t first)
{
  assert(r->stage != LEAVES && first >= 0 && first <= r->ready);
  const double begun_s = MPI_Wtime();
  r->ready = first;
  while (make_progress(r))
    ;
  r->outcome.times.inside_s += MPI_Wtime() - begun_s;
}

/* Wait for all messages of a kind. */
static void wait_for(gd_reduce *r, gd_exchange_way way)
{
  for (int i = r->exchange.buckets.n - 1; i >= 0; i--)
    for (int64_t turn = 0; !gd_exchange_is_done(&r->exchange, i, way); turn++)
      gd_pause(turn);
}

static void settle(gd_reduce *r)
{
  const double begun_s = MPI_Wtime();
  if (r->bad == INT64_MAX)
    r->use.settle(r->use.context);
  r->outcome.times.sums_s += MPI_Wtime() - begun_s;
  for (int i = r->exchange.buckets.n - 1; i >= 0; i--)
    gd_exchange_give(&r->exchange, i, r->use.block);
}

static void finish(gd_reduce *r)
{
  for (int64_t turn = 0; r->n_sums > 0 && r->stage != FAILURE; turn++)
    if (make_progress(r))
      turn = -1;
    else
      gd_pause(turn);
  if (r->stage == FAILURE)
    return;
  MPI_Request request = MPI_REQUEST_NULL;
  if (r->size > 1)
    MPI_Iallreduce(MPI_IN_PLACE, &r->bad, 1, MPI_INT64_T, MPI_MIN, r->comm,
                   &request);
  if (r->use.settle != NULL) {
    gd_wait(&request);
    settle(r);
  }
  for (gd_exchange_way way = 0; way < GD_N_WAYS; way++)
    wait_for(r, way);
  gd_wait(&request);
  r->outcome.times.network_s = MPI_Wtime() - r->begun_s;
}

gd_status gd_reduce_end(gd_reduce *r, gd_status mine, int stop,
                        gd_reduce_outcome *outcome)
{
  assert(r != NULL && outcome != NULL);
  assert(r->stage == LEAVES || mine == GD_OK);
  gd_reduce_times *t = &r->outcome.times;
  const double begun_s = MPI_Wtime();
  if (r->stage == LEAVES)
    send_words(r, mine != GD_OK, stop);
  r->ready = 0;
  finish(r);
  t->end_s = MPI_Wtime() - begun_s;
  t->exposed_s = t->inside_s + t->end_s - t->sums_s;
  *outcome = r->outcome;
  if (r->stage == FAILURE)
    return gd_agree(r->comm, mine);
  if (r->bad == INT64_MAX)
    return GD_OK;
  outcome->bad_at = r->bad;
  return gd_fail(GD_ERR_NUMERIC, "a sum of gradients is not finite");
}

gd_range gd_reduce_blame(const gd_reduce *r, int64_t at)
{
  assert(r != NULL && at >= 0 && at < r->count);
  gd_range least = {r->run.first, r->run.first};
  for (int i = 0; i < r->n_stack; i++) {
    const gd_range leaves = gd_tree_leaves(&r->stack[i]);
    if (!isfinite(r->stack[i].values[at]) &&
        (least.first == least.end ||
         leaves.end - leaves.first < least.end - least.first))
      least = leaves;
  }
  return least;
}
