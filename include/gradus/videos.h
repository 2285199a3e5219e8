/**
 * The table of videos that every shard carries along, so that labels, persons
 * and partitions travel with the data and no later stage asks the corpus again.
 *
 *   /videos/index      int32 (V)    index into the corpus
 *   /videos/id, path, landmarks, subject, task, partition   text (V)
 *   /videos/label      float64 (V)
 *   /videos/fold       int32 (V)    only of a corpus that names folds
 */
#ifndef GRADUS_VIDEOS_H
#define GRADUS_VIDEOS_H

#include <stdint.h>

#include "gradus/corpus.h"
#include "gradus/status.h"
#include "gradus/store.h"

typedef struct {
  int64_t n_videos;
  const int32_t *index;   /**< into the corpus, ascending */
  const gd_video *videos; /**< in order of id; `landmarks` included */
} gd_video_table;

/** Make the table of a whole corpus. Ends with: gd_video_table_free() */
GD_NODISCARD gd_status gd_video_table_of_corpus(const gd_corpus *c,
                                                gd_video_table **out);
/** Copy the rows whose corpus index is in wanted[n] (ascending). */
GD_NODISCARD gd_status gd_video_table_select(const gd_video_table *t,
                                             const int32_t *wanted, int64_t n,
                                             gd_video_table **out);
/** Merge tables; a video that is in several is kept once, in corpus order. */
GD_NODISCARD gd_status gd_video_table_merge(const gd_video_table *const *tables,
                                            int64_t n, gd_video_table **out);
GD_NODISCARD gd_status gd_video_table_write(const gd_video_table *t,
                                            gd_store_writer *w);
GD_NODISCARD gd_status gd_video_table_read(gd_store *s, gd_video_table **out);
/** Return the row of a corpus index, or -1. */
int64_t gd_video_table_find(const gd_video_table *t, int32_t index);
/**
 * Tell which videos of the table a store notes as skipped, and why.
 * @param[in] path  of the store
 * @param[in] note  its failure ends the walk and is returned
 * Errors: as gd_store_open() and gd_store_each_skipped()
 */
GD_NODISCARD gd_status gd_video_table_each_skipped(
    const gd_video_table *t, const char *path,
    gd_status (*note)(void *context, int64_t row, const char *reason),
    void *context);
void gd_video_table_free(gd_video_table *t);

#endif
