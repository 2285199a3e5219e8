/**
 * Hosts: the machines that the ranks run on, and whether they see the same
 * files.
 *
 * Ranks hand one another everything by files, and a directory of the same name
 * may be another one on each host: /tmp is.  So a run begins with a look: one
 * host writes a token, and every other has to find it.
 *
 * A file system over a network may show late what another host has done: NFS
 * remembers for up to a minute (acdirmax) that a name was not there.  Whoever
 * makes a file in a directory is told its present state along with it, so a
 * host that looks in vain makes one, removes it, and looks again, for as long
 * as gd_hosts_patience() says.
 */
#ifndef GRADUS_HOSTS_H
#define GRADUS_HOSTS_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/status.h"

/** A file that every host should see. */
typedef struct {
  const char *path;
  int64_t size_bytes;
} gd_hosts_file;

/**
 * Tell how long to wait for what another host has written, in seconds:
 * GRADUS_HOSTS_WAIT, or 60.
 * Errors: GD_ERR_USAGE (GRADUS_HOSTS_WAIT is no number of seconds)
 */
GD_NODISCARD gd_status gd_hosts_patience(int *wait_s);

/**
 * Return a communicator of one rank of each host, the first; MPI_COMM_NULL on
 * the other ranks.  Rank 0 of `comm` is its rank 0.
 * Collective: yes
 * Ends with:  MPI_Comm_free()
 */
MPI_Comm gd_hosts_of(MPI_Comm comm);

/**
 * Check that a directory is the same one for all ranks of `hosts`, and that all
 * can write to it.  Nothing is left in it.
 * @param[in] hosts      one rank of each host
 * @param[in] directory  exists on rank 0
 * Collective: yes; feeds the watchdog
 * Errors:     GD_ERR_USAGE (another directory, or none: host and path),
 *             GD_ERR_IO (cannot be written to); each rank its own
 */
GD_NODISCARD gd_status gd_hosts_share(MPI_Comm hosts, const char *directory,
                                      int wait_s);
/**
 * Check that all ranks of `hosts` see the files that rank 0 names.
 * @param[in] n, files  (n) rank 0's; the others' are not looked at
 * Collective: yes; feeds the watchdog
 * Errors:     GD_ERR_USAGE (the first that is missing or of another size: host
 *             and path); each rank its own
 */
GD_NODISCARD gd_status gd_hosts_see(MPI_Comm hosts, int64_t n,
                                    const gd_hosts_file *files, int wait_s);

/**
 * Wait until this host sees a file that another one has made.
 * Collective: no; feeds the watchdog
 * Errors:     GD_ERR_IO (not after `wait_s`)
 */
GD_NODISCARD gd_status gd_hosts_await(const char *path, int wait_s);

#endif
