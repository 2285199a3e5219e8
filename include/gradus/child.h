/**
 * Child programs: started without a shell, and never waited for without end.
 *
 * The words reach the program as they are: nothing in them is special.
 */
#ifndef GRADUS_CHILD_H
#define GRADUS_CHILD_H

#include "gradus/text.h"

typedef struct {
  int exit_code;
  gd_text out, err; /**< what it wrote to stdout and stderr */
} gd_child;         /**< ends with gd_child_free() */

/**
 * Run a program to its end, with nothing on its standard input.
 * @param[in]  words    the program, looked for in PATH, and its arguments;
 *                      ends with NULL
 * @param[in]  limit_s  longest; then it is killed
 * @param[out] result   empty on failure
 * Errors: GD_ERR_IO (no such program, took too long, ended by a signal,
 *         or nobody tells how: SIGCHLD is ignored), GD_ERR_NOMEM.  An exit code
 * that is not 0 is no failure here.
 */
GD_NODISCARD gd_status gd_child_run(const char *const *words, int limit_s,
                                    gd_child *result);
void gd_child_free(gd_child *result);

#endif
