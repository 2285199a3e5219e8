/**
 * Tasks: one piece of work at a time, on a thread of its own.
 *
 * The thread gets no signals: they are for the thread that does the main work.
 * It must not call MPI or HDF5, which belong to the main thread.
 */
#ifndef GRADUS_TASK_H
#define GRADUS_TASK_H

#include "gradus/status.h"

typedef struct gd_task gd_task;

/** Ends with: gd_task_free(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_task_new(gd_task **out);
/** Wait and free; an outcome that nobody waited for is lost. NULL is allowed.
 */
void gd_task_free(gd_task *t);
/**
 * Begin a piece of work.  Not while another one is under way: wait first.
 * @param[in] work     called once, on the thread
 * @param[in] context  kept until the work is waited for
 * Errors: GD_ERR_NOMEM (no thread)
 */
GD_NODISCARD gd_status gd_task_start(gd_task *t,
                                     gd_status (*work)(void *context),
                                     void *context);
/** Say whether no work is under way any more.  Never waits. */
int gd_task_is_finished(gd_task *t);
/** Wait for the work; return its outcome, once, with its reason. */
GD_NODISCARD gd_status gd_task_wait(gd_task *t);

#endif
