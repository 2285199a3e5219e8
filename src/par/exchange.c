#include "exchange.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

enum { SUMS = 1, VALUES = 2, PIECE = GD_TREE_PIECE };

static int64_t length(gd_range r)
{
  return r.end - r.first;
}

/* ------------------------------------------------------------------- memory */

void gd_exchange_end(gd_exchange *x)
{
  free(x->slots);
  free(x->requests);
}

static int64_t longest(const gd_exchange *x)
{
  int64_t most = 0;
  for (int i = 0; i < x->buckets.n; i++) {
    const int64_t n = length(gd_buckets_at(&x->buckets, i));
    most = n > most ? n : most;
  }
  return most;
}

/* A slot holds the other ranks' sums of our part, and behind them a sum for
 * each of the others that had to be merged before it was sent. */
static int64_t slot_floats(const gd_exchange *x)
{
  const int64_t bucket = longest(x);
  const int64_t part =
      (bucket / x->size / GD_BUCKETS_ALIGN + 1) * GD_BUCKETS_ALIGN;
  return (x->n_all_nodes - x->n_own_nodes) * part + bucket;
}

static int64_t most_of(const gd_exchange *x, gd_exchange_way way)
{
  if (way == GD_SUMS_IN)
    return x->n_all_nodes - x->n_own_nodes;
  return (x->size - 1) * (way == GD_SUMS_OUT ? (int64_t)x->n_own_nodes : 1);
}

static MPI_Request *requests_of(const gd_exchange *x, int i,
                                gd_exchange_way way)
{
  int64_t at = 0, all = 0;
  for (gd_exchange_way w = 0; w < GD_N_WAYS; w++) {
    at += w < way ? most_of(x, w) : 0;
    all += most_of(x, w);
  }
  return x->requests + i * all + at;
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

gd_status gd_exchange_begin(gd_exchange *x, int64_t n_leaves)
{
  gd_tree_node nodes[GD_TREE_MOST];
  x->n_leaves = n_leaves;
  x->run = gd_range_of(n_leaves, x->rank, x->size);
  x->n_own_nodes = gd_tree_list(x->run, nodes);
  x->n_all_nodes = 0;
  for (int rank = 0; rank < x->size; rank++)
    x->n_all_nodes += gd_tree_list(gd_range_of(n_leaves, rank, x->size), nodes);
  memset(x->n_requests, 0, sizeof x->n_requests);
  if (x->size == 1)
    return GD_OK;

  int64_t n_requests = 0;
  for (gd_exchange_way way = 0; way < GD_N_WAYS; way++)
    n_requests += most_of(x, way);
  void *slots = x->slots, *requests = x->requests;
  const int n_slots =
      x->buckets.n < GD_EXCHANGE_SLOTS ? x->buckets.n : GD_EXCHANGE_SLOTS;
  gd_status st = grow(&slots, &x->slots_room, n_slots * slot_floats(x),
                      sizeof x->slots[0]);
  x->slots = slots;
  if (st == GD_OK)
    st = grow(&requests, &x->requests_room, x->buckets.n * n_requests,
              sizeof x->requests[0]);
  x->requests = requests;
  return st;
}

static float *slot_of(const gd_exchange *x, int i)
{
  return x->slots + i % GD_EXCHANGE_SLOTS * slot_floats(x);
}

/* ----------------------------------------------------------------- messages */

static MPI_Request *next_request(gd_exchange *x, int i, gd_exchange_way way)
{
  assert(x->n_requests[i][way] < most_of(x, way));
  return requests_of(x, i, way) + x->n_requests[i][way]++;
}

static void receive_sums(gd_exchange *x, int i)
{
  const int n = (int)length(gd_buckets_part(&x->buckets, i, x->rank));
  float *to = slot_of(x, i);
  for (int rank = 0; n > 0 && rank < x->size; rank++) {
    gd_tree_node nodes[GD_TREE_MOST];
    const int n_nodes =
        gd_tree_list(gd_range_of(x->n_leaves, rank, x->size), nodes);
    for (int k = 0; rank != x->rank && k < n_nodes; k++, to += n)
      MPI_Irecv(to, n, MPI_FLOAT, rank, SUMS, x->comm,
                next_request(x, i, GD_SUMS_IN));
  }
}

static void receive_values(gd_exchange *x, int i, float *block)
{
  for (int rank = 0; rank < x->size; rank++) {
    const gd_range part = gd_buckets_part(&x->buckets, i, rank);
    if (rank != x->rank && part.first < part.end)
      MPI_Irecv(block + part.first, (int)length(part), MPI_FLOAT, rank, VALUES,
                x->comm, next_request(x, i, GD_VALUES_IN));
  }
}

int gd_exchange_items(const gd_tree_node *stack, int n_stack,
                      const gd_tree_node *whole, int *first)
{
  const gd_range leaves = gd_tree_leaves(whole);
  int n = 0;
  for (int i = 0; i < n_stack; i++)
    if (stack[i].first >= leaves.first && stack[i].first < leaves.end) {
      if (n == 0)
        *first = i;
      n++;
    }
  assert(n > 0);
  return n;
}

/* Add up a part of some items to `to`. */
static void merge(const gd_tree_node *items, int n_items, gd_range part,
                  float *scratch, int n_threads, float *to)
{
#pragma omp parallel for schedule(static) num_threads(n_threads)
  for (int64_t at = part.first; at < part.end; at += PIECE) {
    const int64_t n = part.end - at < PIECE ? part.end - at : PIECE;
    float *slots =
        scratch + (int64_t)omp_get_thread_num() * GD_TREE_MOST * PIECE;
    memcpy(to + (at - part.first), gd_tree_add(items, n_items, at, n, slots),
           (size_t)n * sizeof *to);
  }
}

static void send_sums(gd_exchange *x, int i, const gd_tree_node *stack,
                      int n_stack, float *scratch, int n_threads)
{
  gd_tree_node nodes[GD_TREE_MOST];
  const int n_nodes = gd_tree_list(x->run, nodes);
  float *merged =
      slot_of(x, i) + (x->n_all_nodes - x->n_own_nodes) *
                          length(gd_buckets_part(&x->buckets, i, x->rank));
  /* Everyone begins with another peer, so that none is flooded. */
  for (int d = 1; d < x->size; d++) {
    const int peer = (x->rank + d) % x->size;
    const gd_range part = gd_buckets_part(&x->buckets, i, peer);
    for (int k = 0; part.first < part.end && k < n_nodes; k++) {
      int first = 0;
      const int n_items = gd_exchange_items(stack, n_stack, &nodes[k], &first);
      const float *sum = stack[first].values + part.first;
      if (n_items > 1) {
        merge(stack + first, n_items, part, scratch, n_threads, merged);
        sum = merged;
        merged += length(part);
      }
      MPI_Isend(sum, (int)length(part), MPI_FLOAT, peer, SUMS, x->comm,
                next_request(x, i, GD_SUMS_OUT));
    }
  }
}

void gd_exchange_post(gd_exchange *x, int i, const gd_tree_node *stack,
                      int n_stack, float *scratch, int n_threads, float *block)
{
  if (x->size == 1)
    return;
  receive_sums(x, i);
  receive_values(x, i, block);
  send_sums(x, i, stack, n_stack, scratch, n_threads);
}

int gd_exchange_is_done(gd_exchange *x, int i, gd_exchange_way way)
{
  int done = 1;
  if (x->n_requests[i][way] > 0)
    MPI_Testall(x->n_requests[i][way], requests_of(x, i, way), &done,
                MPI_STATUSES_IGNORE);
  if (done)
    x->n_requests[i][way] = 0;
  return done;
}

int gd_exchange_list(const gd_exchange *x, int i, const gd_tree_node *stack,
                     int n_stack, gd_tree_node *inputs)
{
  const gd_range part = gd_buckets_part(&x->buckets, i, x->rank);
  float *received = x->size == 1 ? NULL : slot_of(x, i);
  int n = 0;
  for (int rank = 0; rank < x->size; rank++)
    if (rank == x->rank) {
      for (int k = 0; k < n_stack; k++, n++) {
        inputs[n] = stack[k];
        inputs[n].values += part.first;
      }
    } else {
      const gd_range run = gd_range_of(x->n_leaves, rank, x->size);
      for (const int end = n + gd_tree_list(run, inputs + n); n < end; n++) {
        inputs[n].values = received;
        received += length(part);
      }
    }
  return n;
}

void gd_exchange_give(gd_exchange *x, int i, const float *block)
{
  const gd_range part = gd_buckets_part(&x->buckets, i, x->rank);
  for (int d = 1; part.first < part.end && d < x->size; d++)
    MPI_Isend(block + part.first, (int)length(part), MPI_FLOAT,
              (x->rank + d) % x->size, VALUES, x->comm,
              next_request(x, i, GD_VALUES_OUT));
}
