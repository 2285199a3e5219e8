/**
 * Protocols: what counts as one item when errors are averaged.
 *
 *   video     every video is an item (AVEC2014's test set: n = 100)
 *   session   the videos of one session are one item, with the mean of their
 *             predictions (AVEC2014's two tasks: n = 50)
 *
 * Both circulate in the literature under the same name, so every table of
 * gradus says which one it shows.
 *
 * The videos of a session differ only in their task: same person, same
 * partition, and the same id once the name of the task is taken out of it
 * (`Testing/Freeform/203_1_Freeform_video`, `Testing/Northwind/203_1_...`).  A
 * video without a task is a session of its own.
 */
#ifndef GRADUS_PROTOCOL_H
#define GRADUS_PROTOCOL_H

#include <stdint.h>

#include "gradus/corpus.h"
#include "gradus/status.h"

typedef enum { GD_PER_VIDEO, GD_PER_SESSION, GD_N_PROTOCOLS } gd_protocol;

/** Return "video" or "session". */
const char *gd_protocol_name(gd_protocol p);

/**
 * Number the sessions of some videos, in order of their first video.
 * @param[in]  videos    (n) borrowed
 * @param[out] session   (n) 0 .. n_sessions-1
 * @param[out] n_sessions  equal to n: no video shares a session
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_protocol_sessions(int64_t n,
                                            const gd_video *const *videos,
                                            int64_t *session,
                                            int64_t *n_sessions);

/**
 * Average x over each session, adding in order of the videos.
 * @param[in]  x        (n)
 * @param[in]  session  (n) from gd_protocol_sessions()
 * @param[out] mean     (n_sessions)
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_protocol_means(int64_t n, const double *x,
                                         const int64_t *session,
                                         int64_t n_sessions, double *mean);

#endif
