/**
 * The `done` file: a stage's last, by which a later run knows that nothing is
 * left to do, and that the results are still those that were made.
 *
 *   gradus-done 1
 *   digest <32 hex>            of the instance
 *   items <n> skipped <n> files <n>
 *   file <bytes> <modified, ns since 1970> <xxh128 or -> <name>
 *   ...                        one line per result, in order of name
 *
 * `items` counts the input items, `skipped` those of them that were left out.
 * Results are all files of the run directory but the housekeeping ones
 * (stage.yaml, units, plan, report.yaml, log.txt, lock, done, attempts.txt,
 * metrics.jsonl, events.out.tfevents.gradus, *.attempt, *.part, and whatever is
 * hidden or in a hidden folder).  Stores (.h5) carry their digests themselves:
 * "-".
 */
#ifndef GRADUS_DONE_H
#define GRADUS_DONE_H

#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/status.h"

typedef struct {
  char *name; /**< below the run directory */
  int64_t size_bytes, modified_ns;
  gd_digest digest; /**< of the content; zero for stores */
} gd_done_file;

typedef struct {
  gd_digest digest; /**< of the instance */
  int64_t n_items, n_skipped;
  int64_t n_files;
  gd_done_file *files;
} gd_done;

/** Write `<directory>/done`. Errors: GD_ERR_IO, GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_done_write(const char *directory, const gd_done *d);
/**
 * List and digest what is in a run directory, and write its `done`.
 * @param[in] digest  of the instance
 * Errors: GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_done_make(const char *directory, gd_digest digest,
                                    int64_t n_items, int64_t n_skipped);
/**
 * Read `<directory>/done`.
 * Ends with: gd_done_free()
 * Errors: GD_ERR_IO (missing, unreadable), GD_ERR_FORMAT (damaged),
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_done_read(const char *directory, gd_done **out);
void gd_done_free(gd_done *d);

/**
 * Read a result whole and compare it with what was written: stores with their
 * own digests, other files with the one in `done`.
 * Errors: GD_ERR_IO (missing, unreadable), GD_ERR_FORMAT (damaged: the path,
 *         and what is wrong)
 */
GD_NODISCARD gd_status gd_done_verify(const char *directory,
                                      const gd_done_file *file);
/** Say whether size and time of a result are still those noted: cheap. */
int gd_done_unchanged(const char *directory, const gd_done_file *file);

/** Say whether a file's name is that of housekeeping, not of a result. */
int gd_done_is_housekeeping(const char *name);

#endif
