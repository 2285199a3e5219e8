/**
 * Placement: the cores that ranks may use, and whether they are enough.
 *
 * A launcher that binds every rank of a node to the same core, or all threads
 * of a rank to one, makes a run many times slower and says nothing.
 */
#ifndef GRADUS_PLACEMENT_H
#define GRADUS_PLACEMENT_H

#include <mpi.h>

#include "gradus/text.h"

typedef struct {
  char host[64];
  int rank;
  int n_threads;    /**< of the rank */
  int n_cores;      /**< that the rank may use; 0: cannot be told */
  int n_node_ranks; /**< on its node */
  int n_node_cores; /**< that these may use, all together; 0: cannot be told */
} gd_placement;

/**
 * Settle how many threads this rank computes with, for OpenMP: what
 * OMP_NUM_THREADS says, else its share of the node's cores.  A rank that is
 * bound to some cores sees only these.
 * @return the number, >= 1
 * Collective: yes
 */
int gd_placement_threads(MPI_Comm comm);
/**
 * Find the rank whose threads share the fewest cores.
 * @param[in] n_threads  of this rank
 * @return the same on all ranks
 * Collective: yes
 */
gd_placement gd_placement_worst(MPI_Comm comm, int n_threads);
/**
 * Compose one line, without its end, that says what is wrong with a placement
 * and what to do; nothing where every thread has a core.
 */
void gd_placement_judge(const gd_placement *p, gd_text *out);

#endif
