/**
 * The log: one line per event on stderr and in the stage's log file,
 * `gradus: level: ...`.
 *
 * The level says who may speak: errors and debug lines come from any rank and
 * carry its number, information and warnings from rank 0 only.
 */
#ifndef GRADUS_LOG_H
#define GRADUS_LOG_H

#include "gradus/status.h"

typedef enum {
  GD_LOG_ERROR,
  GD_LOG_WARNING,
  GD_LOG_INFO,
  GD_LOG_DEBUG
} gd_log_level;

/**
 * Say which rank speaks and how much is said.  Called once, by the program;
 * before it, the log speaks as rank 0 at GD_LOG_INFO.
 */
void gd_log_begin(int rank, gd_log_level most);

/**
 * Copy all further lines to a file, appended.
 * @param[in] path  the file, made if missing, mode 0600; NULL: none any more
 * Errors: GD_ERR_IO (cannot open)
 */
GD_NODISCARD gd_status gd_log_file(const char *path);

/** Write one line; no newline in the format. */
void gd_log(gd_log_level level, const char *format, ...) GD_PRINTF(2, 3);

/**
 * Show a progress line on the terminal, in place of the last one; NULL ends it.
 * The next log line moves it out of the way.  Not a terminal: nothing is shown.
 */
void gd_log_progress(const char *line);

/** Say whether stderr is a terminal. */
int gd_log_is_terminal(void);

#endif
