#include "gradus/reduce.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/memory.h"

enum {
  ALIGN = GD_REDUCE_ALIGN,
  TAG = 1,
  PIECE = GD_TREE_PIECE, /* summed and applied while in the cache */
  MOST_NODES = GD_TREE_MOST
};

/* What a rank tells the others ahead of its data: whether it failed, whether
 * it wants to stop, and the tallies of its subtrees. */
enum { FAILED, STOP, TALLIES, MOST_WORDS = 2 + MOST_NODES * GD_REDUCE_TALLIES };

struct gd_reduce {
  MPI_Comm comm;
  int rank, size, n_threads;
  int64_t count;
  int *chunk_counts, *chunk_firsts; /* [size], as MPI wants them */
  float *slots;  /* per thread: sums under way, MOST_NODES pieces */
  double *words; /* [size][MOST_WORDS], packed; and one row for sending */

  /* This step. */
  int64_t n_leaves;
  gd_range run; /* this rank's leaves */
  gd_tree_node
      stack[MOST_NODES]; /* its partial sums; the last leaf is not merged */
  int n_stack;

  /* Room that grows with the largest step so far. */
  float *blocks[MOST_NODES]; /* the stack's memory: item i lies in block i */
  int n_blocks;
  gd_tree_node *inputs; /* what is added up for the total */
  int64_t inputs_room;
  float *exchange; /* two halves: one round is under way, one in use */
  int64_t exchange_wanted, exchange_room;
  MPI_Request *requests[2];
  int n_requests[2];
  int64_t requests_room;
};

/* ------------------------------------------------------------------ chunks */

static gd_range chunk_of(const gd_reduce *r, int rank)
{
  gd_range c = gd_range_of((r->count + ALIGN - 1) / ALIGN, rank, r->size);
  c.first *= ALIGN;
  c.end *= ALIGN;
  if (c.first > r->count)
    c.first = r->count;
  if (c.end > r->count)
    c.end = r->count;
  return c;
}

gd_range gd_reduce_chunk(const gd_reduce *r)
{
  return chunk_of(r, r->rank);
}

/* The part of a rank's chunk that round `t` of `floats` each is about. */
static gd_range round_of(const gd_reduce *r, int rank, int64_t t,
                         int64_t floats)
{
  gd_range c = chunk_of(r, rank);
  const int64_t first = c.first + t * floats;
  if (first < c.end)
    c.first = first;
  else
    c.first = c.end;
  if (c.end - c.first > floats)
    c.end = c.first + floats;
  return c;
}

/* ------------------------------------------------------------- life, leaves */

gd_status gd_reduce_new(MPI_Comm comm, int64_t count, size_t exchange_bytes,
                        gd_reduce **out)
{
  assert(count > 0 && out != NULL);
  *out = NULL;
  if (count > INT_MAX - ALIGN)
    return gd_fail(GD_ERR_USAGE,
                   "a network of %" PRId64 " numbers is longer than MPI's "
                   "counts (%d) allow",
                   count, INT_MAX - ALIGN);
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
  r->exchange_wanted = (int64_t)(exchange_bytes / sizeof(float));
  r->n_threads = omp_get_max_threads();
  r->chunk_counts = gd_alloc(r->size, sizeof(int));
  r->chunk_firsts = gd_alloc(r->size, sizeof(int));
  r->words = gd_alloc((int64_t)(r->size + 1) * MOST_WORDS, sizeof(double));
  r->slots =
      gd_alloc((int64_t)r->n_threads * MOST_NODES * PIECE, sizeof(float));
  if (r->chunk_counts == NULL || r->chunk_firsts == NULL || r->words == NULL ||
      r->slots == NULL)
    st = GD_ERR_NOMEM;
  st = gd_agree(comm, st);
  if (st != GD_OK) {
    gd_reduce_free(r);
    return st;
  }
  for (int rank = 0; rank < r->size; rank++) {
    const gd_range c = chunk_of(r, rank);
    r->chunk_firsts[rank] = (int)c.first;
    r->chunk_counts[rank] = (int)(c.end - c.first);
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
  free(r->requests[0]);
  free(r->requests[1]);
  free(r->exchange);
  free(r->inputs);
  free(r->words);
  free(r->slots);
  free(r->chunk_firsts);
  free(r->chunk_counts);
  free(r);
}

int64_t gd_reduce_bytes(const gd_reduce *r)
{
  return (r->n_blocks * r->count + r->exchange_room +
          (int64_t)r->n_threads * MOST_NODES * PIECE) *
         (int64_t)sizeof(float);
}

/* Return the subtrees of all ranks; `most`: of any one rank. */
static int64_t count_nodes(const gd_reduce *r, int *most)
{
  gd_tree_node nodes[MOST_NODES];
  int64_t total = 0;
  *most = 0;
  for (int rank = 0; rank < r->size; rank++) {
    const int n = gd_tree_list(gd_range_of(r->n_leaves, rank, r->size), nodes);
    *most = n > *most ? n : *most;
    total += n;
  }
  return total;
}

/* The parts that lie in one half of the exchange memory: every rank's sums,
 * and one of ours for each peer, that had to be merged before it was sent. */
static int64_t count_parts(const gd_reduce *r)
{
  int most;
  return count_nodes(r, &most) + r->size - 1;
}

/* Return the floats of a round; the same on all ranks. */
static int64_t round_floats(const gd_reduce *r)
{
  const int64_t chunk = r->chunk_counts[0];
  int64_t floats = r->exchange_wanted / (2 * count_parts(r)) / ALIGN * ALIGN;
  if (floats < PIECE)
    floats = PIECE;
  return r->size == 1 || floats > chunk ? chunk : floats;
}

/* Make room for `n` items where there are `*room`; what was there is lost. */
static gd_status grow(void **memory, int64_t *room, int64_t n, size_t bytes)
{
  if (n <= *room)
    return GD_OK;
  free(*memory);
  *room = 0;
  *memory = gd_alloc(n, bytes);
  if (*memory == NULL)
    return GD_ERR_NOMEM;
  *room = n;
  return GD_OK;
}

gd_status gd_reduce_begin(gd_reduce *r, int64_t n_leaves)
{
  assert(r != NULL && n_leaves >= 1);
  r->n_leaves = n_leaves;
  r->run = gd_range_of(n_leaves, r->rank, r->size);
  r->n_stack = 0;

  int most;
  const int64_t n_nodes = count_nodes(r, &most);
  const int64_t n_requests = n_nodes + (int64_t)r->size * most;
  void *inputs = r->inputs, *exchange = r->exchange;
  gd_status st =
      grow(&inputs, &r->inputs_room, n_nodes + MOST_NODES, sizeof r->inputs[0]);
  r->inputs = inputs;
  if (st == GD_OK && r->size > 1)
    st = grow(&exchange, &r->exchange_room,
              2 * count_parts(r) * round_floats(r), sizeof(float));
  r->exchange = exchange;
  for (int half = 0; st == GD_OK && half < 2; half++) {
    int64_t room = r->requests_room;
    void *requests = r->requests[half];
    st = grow(&requests, &room, n_requests, sizeof(MPI_Request));
    r->requests[half] = requests;
    if (half == 1)
      r->requests_room = room;
  }
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

/* ------------------------------------------------------------- the exchange */

/* The stack items of this rank that make the subtree `whole`: a sibling or more
 * that were not merged yet, or the one item.  Return how many, from *first. */
static int items_of(const gd_reduce *r, const gd_tree_node *whole, int *first)
{
  const gd_range leaves = gd_tree_leaves(whole);
  int n = 0;
  for (int i = 0; i < r->n_stack; i++)
    if (r->stack[i].first >= leaves.first && r->stack[i].first < leaves.end) {
      if (n == 0)
        *first = i;
      n++;
    }
  assert(n > 0);
  return n;
}

static float *half_of(const gd_reduce *r, int64_t t)
{
  return r->exchange + t % 2 * count_parts(r) * round_floats(r);
}

static void add_request(gd_reduce *r, int64_t t, MPI_Request request)
{
  assert(r->n_requests[t % 2] < r->requests_room);
  r->requests[t % 2][r->n_requests[t % 2]++] = request;
}

static void post_receives(gd_reduce *r, int64_t t)
{
  const gd_range mine = round_of(r, r->rank, t, round_floats(r));
  const int n = (int)(mine.end - mine.first);
  float *to = half_of(r, t);
  for (int rank = 0; n > 0 && rank < r->size; rank++) {
    gd_tree_node nodes[MOST_NODES];
    const int n_nodes =
        gd_tree_list(gd_range_of(r->n_leaves, rank, r->size), nodes);
    for (int i = 0; rank != r->rank && i < n_nodes; i++, to += n) {
      MPI_Request request;
      MPI_Irecv(to, n, MPI_FLOAT, rank, TAG, r->comm, &request);
      add_request(r, t, request);
    }
  }
}

/* Return the sum of a subtree of ours over `part`: where it lies, or merged to
 * *merged, which moves on. */
static const float *sum_for_peer(gd_reduce *r, const gd_tree_node *whole,
                                 gd_range part, float **merged)
{
  int first = 0;
  const int n_items = items_of(r, whole, &first);
  if (n_items == 1)
    return r->stack[first].values + part.first;
  float *to = *merged;
  *merged += part.end - part.first;
#pragma omp parallel for schedule(static) num_threads(r->n_threads)
  for (int64_t at = part.first; at < part.end; at += PIECE) {
    const int64_t n = part.end - at < PIECE ? part.end - at : PIECE;
    float *slots =
        r->slots + (int64_t)omp_get_thread_num() * MOST_NODES * PIECE;
    memcpy(to + (at - part.first),
           gd_tree_add(r->stack + first, n_items, at, n, slots),
           (size_t)n * sizeof(float));
  }
  return to;
}

static void post_sends(gd_reduce *r, int64_t t)
{
  const int64_t floats = round_floats(r);
  gd_tree_node nodes[MOST_NODES];
  const int n_nodes = gd_tree_list(r->run, nodes);
  int most;
  float *merged = half_of(r, t) + count_nodes(r, &most) * floats;
  /* Everyone begins with another peer, so that none is flooded. */
  for (int d = 1; d < r->size; d++) {
    const int peer = (r->rank + d) % r->size;
    const gd_range part = round_of(r, peer, t, floats);
    for (int i = 0; part.first < part.end && i < n_nodes; i++) {
      const float *sum = sum_for_peer(r, &nodes[i], part, &merged);
      MPI_Request request;
      MPI_Isend(sum, (int)(part.end - part.first), MPI_FLOAT, peer, TAG,
                r->comm, &request);
      add_request(r, t, request);
    }
  }
}

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

/* List what is added up for round t, with values from the part's beginning. */
static int list_inputs(gd_reduce *r, int64_t t, gd_range part)
{
  float *received = r->size == 1 ? NULL : half_of(r, t);
  int n = 0;
  for (int rank = 0; rank < r->size; rank++)
    if (rank == r->rank) {
      for (int i = 0; i < r->n_stack; i++, n++) {
        r->inputs[n] = r->stack[i];
        r->inputs[n].values += part.first;
      }
    } else {
      const gd_range run = gd_range_of(r->n_leaves, rank, r->size);
      for (const int end = n + gd_tree_list(run, r->inputs + n); n < end; n++) {
        r->inputs[n].values = received;
        received += part.end - part.first;
      }
    }
  return n;
}

/* Add up and apply this rank's part of round t; return the first element whose
 * total is not finite, or INT64_MAX. */
static int64_t apply_round(gd_reduce *r, int64_t t, gd_reduce_apply *apply,
                           void *context)
{
  const gd_range part = round_of(r, r->rank, t, round_floats(r));
  if (part.first == part.end)
    return INT64_MAX;
  const int n_inputs = list_inputs(r, t, part);
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
    apply(context, part.first + at, n, sum);
  }
  return bad;
}

/* Exchange how it went and the tallies.  Return whether a rank failed. */
static int exchange_words(gd_reduce *r, int failed, int stop,
                          gd_reduce_outcome *outcome)
{
  int most, any_failed = 0;
  count_nodes(r, &most);
  const int n_words = TALLIES + most * GD_REDUCE_TALLIES;
  double *mine = r->words + (int64_t)r->size * MOST_WORDS;
  memset(mine, 0, (size_t)n_words * sizeof mine[0]);
  mine[FAILED] = failed;
  mine[STOP] = stop != 0;
  gd_tree_node nodes[MOST_NODES];
  const int n_nodes = failed ? 0 : gd_tree_list(r->run, nodes);
  for (int i = 0; i < n_nodes; i++) {
    int first = 0;
    const int n_items = items_of(r, &nodes[i], &first);
    gd_tree_add_tallies(r->stack + first, n_items,
                        mine + TALLIES + i * GD_REDUCE_TALLIES);
  }

  MPI_Request request;
  MPI_Iallgather(mine, n_words, MPI_DOUBLE, r->words, n_words, MPI_DOUBLE,
                 r->comm, &request);
  gd_wait(&request);

  for (int rank = 0; rank < r->size; rank++) {
    any_failed |= r->words[rank * n_words + FAILED] != 0;
    outcome->stop |= r->words[rank * n_words + STOP] != 0;
  }
  if (any_failed)
    return 1;
  int n = 0;
  for (int rank = 0; rank < r->size; rank++) {
    const double *tallies = r->words + rank * n_words + TALLIES;
    const gd_range run = gd_range_of(r->n_leaves, rank, r->size);
    for (const int end = n + gd_tree_list(run, r->inputs + n); n < end;
         n++, tallies += GD_REDUCE_TALLIES)
      memcpy(r->inputs[n].tallies, tallies, sizeof r->inputs[n].tallies);
  }
  gd_tree_add_tallies(r->inputs, n, outcome->tallies);
  return 0;
}

gd_status gd_reduce_end(gd_reduce *r, gd_status mine, int stop,
                        gd_reduce_apply *apply, gd_reduce_settle *settle,
                        void *context, float *block, gd_reduce_outcome *outcome)
{
  assert(r != NULL && apply != NULL && block != NULL && outcome != NULL);
  *outcome = (gd_reduce_outcome){.bad_at = -1};
  if (exchange_words(r, mine != GD_OK, stop, outcome))
    return gd_agree(r->comm, mine);

  const int64_t floats = round_floats(r);
  const int64_t n_rounds = (r->chunk_counts[0] + floats - 1) / floats;
  int64_t bad = INT64_MAX;
  for (int64_t t = -1; t < n_rounds; t++) {
    if (r->size > 1 && t + 1 < n_rounds) {
      r->n_requests[(t + 1) % 2] = 0;
      post_receives(r, t + 1);
      post_sends(r, t + 1);
    }
    if (t < 0)
      continue;
    if (r->size > 1)
      gd_wait_all(r->n_requests[t % 2], r->requests[t % 2]);
    const int64_t bad_here = apply_round(r, t, apply, context);
    bad = bad_here < bad ? bad_here : bad;
  }
  MPI_Request request = MPI_REQUEST_NULL;
  if (r->size > 1)
    MPI_Iallreduce(MPI_IN_PLACE, &bad, 1, MPI_INT64_T, MPI_MIN, r->comm,
                   &request);
  if (settle != NULL) {
    gd_wait(&request);
    if (bad == INT64_MAX)
      settle(context);
  }
  if (r->size > 1) {
    MPI_Request gathered;
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, block, r->chunk_counts,
                    r->chunk_firsts, MPI_FLOAT, r->comm, &gathered);
    gd_wait(&gathered);
    gd_wait(&request);
  }
  if (bad == INT64_MAX)
    return GD_OK;
  outcome->bad_at = bad;
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
