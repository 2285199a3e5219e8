/* sched_getaffinity() is Linux's own. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gradus/placement.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

/* Count the cores of this rank, and those of all ranks of its node. */
static void count_cores(MPI_Comm node, gd_placement *p)
{
  cpu_set_t own, all;
  CPU_ZERO(&own);
  CPU_ZERO(&all);
  if (sched_getaffinity(0, sizeof own, &own) == 0)
    p->n_cores = CPU_COUNT(&own);
  int known = p->n_cores > 0;
  MPI_Allreduce(&own, &all, (int)sizeof own, MPI_BYTE, MPI_BOR, node);
  MPI_Allreduce(MPI_IN_PLACE, &known, 1, MPI_INT, MPI_MIN, node);
  p->n_node_cores = known ? CPU_COUNT(&all) : 0;
}

/* Threads for each core, of the rank or of its node. */
static double crowding(const gd_placement *p)
{
  if (p->n_cores == 0 || p->n_node_cores == 0)
    return 0.0;
  const double own = (double)p->n_threads / p->n_cores;
  const double node = (double)p->n_node_ranks * p->n_threads / p->n_node_cores;
  return own > node ? own : node;
}

int gd_placement_threads(MPI_Comm comm)
{
  MPI_Comm node;
  int n_local, threads = omp_get_max_threads();
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &n_local);
  MPI_Comm_free(&node);
  if (getenv("OMP_NUM_THREADS") == NULL) {
    const int cores = omp_get_num_procs();
    const int bound = cores < (int)sysconf(_SC_NPROCESSORS_ONLN);
    threads = bound ? cores : cores / n_local;
  }
  if (threads < 1)
    threads = 1;
  omp_set_num_threads(threads);
  return threads;
}

gd_placement gd_placement_worst(MPI_Comm comm, int n_threads)
{
  gd_placement p = {.n_threads = n_threads};
  MPI_Comm node;
  MPI_Comm_rank(comm, &p.rank);
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &p.n_node_ranks);
  count_cores(node, &p);
  MPI_Comm_free(&node);
  gethostname(p.host, sizeof p.host - 1);

  struct {
    double crowding;
    int rank;
  } worst = {crowding(&p), p.rank};
  MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE_INT, MPI_MAXLOC, comm);
  MPI_Bcast(&p, (int)sizeof p, MPI_BYTE, worst.rank, comm);
  return p;
}

void gd_placement_judge(const gd_placement *p, gd_text *out)
{
  const int n_node_threads = p->n_node_ranks * p->n_threads;
  if (p->n_cores == 0 || p->n_node_cores == 0)
    return;
  if (p->n_node_ranks > 1 && p->n_node_cores == 1)
    gd_text_printf(out,
                   "%s: all %d ranks may use but one core: ask for more, or "
                   "start them with 'srun --cpu-bind=none' or 'mpirun "
                   "--bind-to none'",
                   p->host, p->n_node_ranks);
  else if (n_node_threads > p->n_node_cores)
    gd_text_printf(out,
                   "%s: ranks x threads = %d x %d on %d cores: fewer of "
                   "either would be faster",
                   p->host, p->n_node_ranks, p->n_threads, p->n_node_cores);
  else if (p->n_threads > p->n_cores)
    gd_text_printf(out,
                   "rank %d on %s: %d threads, but bound to %d core%s: start "
                   "it with --cpus-per-task, or 'mpirun --bind-to none'",
                   p->rank, p->host, p->n_threads, p->n_cores,
                   p->n_cores == 1 ? "" : "s");
}
