/**
 * Status codes, and the sentence that goes with a failure.
 *
 * A function that can fail returns gd_status.  Where the failure is first
 * known, one call records the reason and returns the code:
 *
 *     return gd_fail(GD_ERR_IO, "%s: cannot create: %s", path,
 * strerror(errno));
 *
 * Callers pass the code up.  The reason is kept per thread until the next
 * gd_fail() and is printed once, by the program.
 */
#ifndef GRADUS_STATUS_H
#define GRADUS_STATUS_H

#define GD_NODISCARD         __attribute__((warn_unused_result))
#define GD_PRINTF(at, first) __attribute__((format(printf, at, first)))

#define GD_STATUS_LIST(X)                                                      \
  X(GD_OK, "success")                                                          \
  X(GD_ERR_USAGE, "invalid request")                                           \
  X(GD_ERR_IO, "input/output failed")                                          \
  X(GD_ERR_FORMAT, "file is not what it claims")                               \
  X(GD_ERR_DECODE, "media cannot be decoded")                                  \
  X(GD_ERR_NOMEM, "out of memory")                                             \
  X(GD_ERR_NUMERIC, "value is not finite")                                     \
  X(GD_ERR_STOPPED, "asked to stop")                                           \
  X(GD_ERR_PEER, "another rank failed")

#define GD_AS_ENUM(name, text) name,
typedef enum { GD_STATUS_LIST(GD_AS_ENUM) } gd_status;
#undef GD_AS_ENUM

/**
 * Record why something failed and return `code`.
 * @param[in] code    any code but GD_OK
 * @param[in] format  printf format: what, where, and what to do; no newline
 */
GD_NODISCARD gd_status gd_fail(gd_status code, const char *format, ...)
    GD_PRINTF(2, 3);

/** Return the last reason of this thread, "" if none; borrowed until the next
 * gd_fail() of this thread. */
const char *gd_reason(void);

/** Return the general sentence for a code; static. */
const char *gd_status_text(gd_status code);

/**
 * Say whether a failure is the input's own (a broken video, a file that is not
 * what it claims): such an item is counted and skipped, the stage goes on.
 */
int gd_status_is_item(gd_status code);

#endif
