/**
 * A corpus: the list of videos with their labels, persons and partitions.
 *
 * It is read from folders as labs have them (`layout`), never from a database:
 *
 *   table      <root>/labels.csv with a header row and the columns video
 *              (path below root), label, subject, partition (train, dev or
 *              test), and optionally id, task, landmarks, and fold: whole
 *              numbers from 1, which cross-validation takes as its folds
 *   avec2014   NNN_S_Freeform_video.mp4 and NNN_S_Northwind_video.mp4, labels
 *              NNN_S_Depression.csv, partitions from the folders' names
 *   avec2013   NNN_S_cut_combined.mp4, likewise
 *   list       <root> is a text file: the path of a video on each line, from
 *              the folder where gradus was started.  Nothing is known of them:
 *              all are in `test`, without a person and a label
 *
 * What is odd about a corpus, but leaves no doubt, is read and remarked on in
 * `warnings`: nested and doubled folders, carriage returns and byte order
 * marks, a label without a video, a video whose label lies in another
 * partition, a person in two of them.  A video of an AVEC corpus without a
 * label that could be read is left out, with a remark.
 *
 * Videos are ordered by id, so that the same tree gives the same corpus
 * wherever it is mounted.  A landmark CSV with the video's name beside it
 * (`clip.avi`, `clip.csv`) is the video's `landmarks`.
 */
#ifndef GRADUS_CORPUS_H
#define GRADUS_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/fingerprint.h"
#include "gradus/partition.h"
#include "gradus/status.h"
#include "gradus/text.h"

/** One video.  All texts are owned by the corpus. */
typedef struct {
  const char *id;        /**< unique: path below root without extension */
  const char *path;      /**< to open it */
  const char *landmarks; /**< landmark CSV beside it, "" if there is none */
  const char *subject;   /**< the person */
  const char *task;      /**< "Freeform", "Northwind", ""... */
  gd_partition partition;
  double label; /**< ordinal level, 0 .. K-1; NaN in a `list` */
  int fold;     /**< 1, 2, ... as a table gives it; 0: it gives none */
} gd_video;

typedef struct {
  const gd_video *videos;
  int64_t n_videos;
  /** (n_videos), zeros until gd_corpus_examine(); then as they were found, a
   * size of -1 for a video that is missing. */
  gd_fingerprint *fingerprints;
  int64_t n_warnings;
  const char *const *warnings; /**< e.g. a person in two partitions */
} gd_corpus;

/**
 * Read a corpus.
 * @param[in]  layout    "table", "avec2013", "avec2014", "list"
 * @param[in]  root      the folder, or the file of a list
 * @param[in]  n_levels  K: labels must be in 0 .. K-1
 * @param[out] out       ends with gd_corpus_free()
 * Errors: GD_ERR_USAGE (a table's label missing or out of range; two labels or
 *         two files of one video; unknown partition or layout; a fold in some
 *         rows alone, or folds with a gap; no video at all: file and line are
 *         named), GD_ERR_FORMAT (root, a table or a label that surely cannot
 *         be read, now and later), GD_ERR_IO (one that cannot at the moment).
 * A video that is listed but missing is no error here: extract skips it.
 */
GD_NODISCARD gd_status gd_corpus_read(const char *layout, const char *root,
                                      int n_levels, gd_corpus **out);
void gd_corpus_free(gd_corpus *c); /**< NULL is allowed */
/** Return how many folds a corpus names, all of which have videos; 0: none. */
int gd_corpus_n_folds(const gd_corpus *c);
/**
 * Look at the files of all videos: size, time, a sample of the content.  A
 * video that is missing or forbidden is no error.
 * Errors: GD_ERR_IO (one that cannot be read at the moment: without it, the
 *         corpus would pass for another), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_corpus_examine(gd_corpus *c);
/**
 * Digest of what the results depend on: ids, sizes and samples of the videos,
 * labels, partitions, subjects, tasks, folds and the content of landmark files.
 * Not of where the corpus lies, nor of the files' times.
 * @param[in] c  examined
 * Errors: GD_ERR_FORMAT (a landmark file that surely cannot be read, now and
 *         later), GD_ERR_IO (one that cannot at the moment), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_corpus_digest(const gd_corpus *c, gd_digest *out);

/**
 * Compose a message from which gd_corpus_unpack() makes the same corpus on
 * another rank of this run, fingerprints included and warnings left out: one
 * rank asks the file system, the others ask that rank.
 */
void gd_corpus_pack(const gd_corpus *c, gd_text *out);
/** Errors: GD_ERR_FORMAT (no such message, or cut off), GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_corpus_unpack(const void *message, size_t size_bytes,
                                        gd_corpus **out);

#endif
