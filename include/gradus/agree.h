/**
 * Agreement: a failing rank never leaves the others waiting.
 *
 * Each phase that ranks do together ends with gd_agree().  When all is well it
 * is one allreduce; when not, the reason travels to every rank, so that any of
 * them can say it.
 */
#ifndef GRADUS_AGREE_H
#define GRADUS_AGREE_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/status.h"

/**
 * Settle how a phase went.
 * @param[in] mine  how it went on this rank; if not GD_OK, its gd_reason()
 * @return `mine` if this rank failed itself; else GD_ERR_PEER if another rank
 *         failed, with the reason "rank R: ..." of the lowest such rank; else
 *         GD_ERR_STOPPED if any rank was asked to stop; else GD_OK
 * Collective: yes; while waiting, feeds the watchdog and sleeps
 */
GD_NODISCARD gd_status gd_agree(MPI_Comm comm, gd_status mine);

/**
 * Like gd_agree(), but every rank returns the status of the rank that counts:
 * for those who must act the same, as the program on its exit code.
 * Collective: yes
 */
GD_NODISCARD gd_status gd_settle(MPI_Comm comm, gd_status mine);

/** Agreements that nobody waits for: work goes on until all have said how it
 * went with them. */
typedef struct gd_accord gd_accord;

/**
 * Ends with:  gd_accord_free()
 * Collective: yes; `comm` is duplicated
 * Errors:     GD_ERR_NOMEM, GD_ERR_PEER
 */
GD_NODISCARD gd_status gd_accord_new(MPI_Comm comm, gd_accord **out);
/** Collective: yes; none may be under way. NULL is allowed. */
void gd_accord_free(gd_accord *a);
/**
 * Say how it went on this rank.  None may be under way here.
 * Collective: every rank says once; nobody waits
 */
void gd_accord_begin(gd_accord *a, gd_status mine);
/** Say whether all have said it, or nothing is under way.  Never waits. */
int gd_accord_is_reached(gd_accord *a);
/** Wait for it; return what gd_settle() would have. */
GD_NODISCARD gd_status gd_accord_wait(gd_accord *a);

/**
 * Wait until `request` completes without burning the core that another rank
 * may need, feeding the watchdog.  For waits that may be long.
 */
void gd_wait(MPI_Request *request);
/**
 * Do what gd_wait() does between two looks, for who tests more than a request.
 * @param[in] turn  0 at the first look in vain, then 1, 2, ...
 */
void gd_pause(int64_t turn);

#endif
