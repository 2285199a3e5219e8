/* Savers: checkpoints get on the disk while training goes on.
 *
 *   gd_saver_begin()  rank 0 writes the frame of the file, all ranks copy their
 *                     share of its floats, and a thread of each writes them
 *   gd_saver_poll()   when a rank's thread is done, it says so to the others;
 *                     when all have said so, rank 0 publishes the file, with
 *                     the metrics, and has those removed that are not kept
 *   gd_saver_finish() waits for all that
 *
 * A checkpoint that cannot be written is no reason to stop training: it is
 * named in the log at once, and gd_saver_finish() fails.
 */
#ifndef GRADUS_TRAIN_SAVER_H
#define GRADUS_TRAIN_SAVER_H

#include <mpi.h>

#include "checkpoints.h"
#include "gradus/history.h"
#include "snapshot.h"

typedef struct gd_saver gd_saver;

/* files:      copied, what it points to is borrowed
 * Collective: yes
 * Errors:     GD_ERR_NOMEM, agreed */
GD_NODISCARD gd_status gd_saver_new(MPI_Comm comm, int rank, int size,
                                    const gd_checkpoints *files,
                                    const gd_snapshot_source *source,
                                    gd_saver **out);
void gd_saver_free(gd_saver *s); /* Collective: yes. NULL is allowed on all */

/* Begin a checkpoint; waits for the one before.  `frame` and `history` are
 * rank 0's, the rows of metrics are the history's.  Collective: yes */
void gd_saver_begin(gd_saver *s, const gd_checkpoint_frame *frame,
                    const gd_history *history);
/* Look how far it is.  Never waits. */
void gd_saver_poll(gd_saver *s);
/* Wait until the last checkpoint is on the disk.
 * Collective: yes
 * Errors:     on rank 0 alone: GD_ERR_IO, ...: a checkpoint could not be
 *             written since the beginning, the first reason; agree afterwards
 */
GD_NODISCARD gd_status gd_saver_finish(gd_saver *s);

#endif
