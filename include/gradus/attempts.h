/**
 * Attempts: what was being worked on when a rank came down, so that one item
 * (a video that crashes its decoder, or takes all memory) does not end every
 * run for ever.
 *
 *   frames-00012.h5.attempt   the item that a rank works on in a unit, now; one
 *                             line, removed when the unit ends in whatever
 *                             orderly way
 *   attempts.txt              the falls of earlier runs, one line each:
 *                             how, unit, item, host, process, time (UTC),
 *                             parted by tabs
 *
 * The one idea: a rank that dies leaves its note behind, and the next run knows
 * what to be careful with.  Signals that ask to stop mark the note "stopped",
 * and signals of a crash leave their number, so that the ranks that are merely
 * ended along with a fallen one are not blamed.  Where nothing tells who fell
 * first (SIGKILL, a node that went away), all notes count; therefore the units
 * that have a fall are made first and one after the other, by one rank: at a
 * second fall only one of them was at work.
 *
 * An item that fell twice in one unit is refused.
 */
#ifndef GRADUS_ATTEMPTS_H
#define GRADUS_ATTEMPTS_H

#include "gradus/status.h"
#include "gradus/text.h"

typedef struct gd_attempts gd_attempts;

/**
 * Add what dead ranks left in a run directory to its attempts.txt.  By one rank
 * that holds the directory's lock, while nobody works in it.
 * @param[out] falls  the lines of attempts.txt, "" when nothing ever fell
 * Errors: GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_attempts_collect(const char *directory,
                                           gd_text *falls);
/**
 * Begin to note attempts; takes the signals of crashes and of requests to stop
 * on their way to whoever had them before.  One at a time in a process.
 * @param[in] falls  as collected, by whichever rank; copied
 * Ends with: gd_attempts_free()
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_attempts_new(const char *directory, const char *falls,
                                       gd_attempts **out);
void gd_attempts_free(gd_attempts *a); /**< NULL is allowed */

/** Say whether a unit has a fall of an item that is not refused. */
int gd_attempts_is_suspect(const gd_attempts *a, const char *unit);
/**
 * Note that work on an item of a unit begins; ends the item before.
 * @param[in] unit  name of its file in the run directory
 * @param[in] item  what people call it, not ""
 * Errors: GD_ERR_DECODE (it brought a rank down twice: where, and how to try
 *         again), GD_ERR_IO (the note cannot be written)
 */
GD_NODISCARD gd_status gd_attempts_begin(gd_attempts *a, const char *unit,
                                         const char *item);
/** Remove the note: the unit has ended.  Without one, nothing happens.
 * Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_attempts_end(gd_attempts *a);

#endif
