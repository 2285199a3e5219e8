/** The parts of the extract stage, in the order in which they work. */
#ifndef GRADUS_STAGES_EXTRACT_H
#define GRADUS_STAGES_EXTRACT_H

#include "gradus/corpus.h"
#include "gradus/extraction.h"
#include "gradus/frames.h"
#include "gradus/index_store.h"
#include "gradus/patience.h"
#include "gradus/sampling.h"
#include "gradus/stage.h"
#include "gradus/videos.h"

/** What became of a video, as rank 0 gathers it from all files. */
typedef struct {
  int64_t n_decoded, n_kept, n_damaged, n_lost;
  int is_counted;
  int is_skipped; /* all of it, or a piece */
  gd_text note;   /* what is wrong with it */
  gd_text line;   /* of videos.csv */
} gd_extract_row;

/** What the manifest says of the frames that are kept. */
typedef struct {
  gd_sampling sampling;
  gd_frame_storage storage;
  int quality;       /* 1 .. 100, with GD_FRAMES_JPEG */
  int keeps_damaged; /* the stages that follow use damaged frames, too */
  int64_t shard_bytes;
} gd_extract_parameters;

typedef struct {
  gd_extract_parameters parameters;
  gd_extraction_limits limits; /* the unit's: once all videos are indexed */
  gd_patience patience;        /* with each video */

  gd_corpus *corpus;
  gd_video_table *videos; /* of the corpus */

  gd_index_store *near; /* of this and of neighbouring directories */
  int64_t n_units;      /* files of the index store that have videos */
  int64_t *order;       /* (n_videos): by file, then as in the corpus */
  int64_t *first;       /* (n_units + 1): the first of each file in `order` */

  gd_index_store *indices; /* of this directory, complete */
  gd_piece *pieces;        /* of all videos */
  int64_t n_pieces;
  gd_extraction *plan;
  gd_extract_row *rows; /* (n_videos), on rank 0 */
} gd_extract;

/**
 * Log what is odd about a corpus, a few lines of it, and how much more there
 * is.
 * @param[in] where  follows it: ": gradus plan shows them", or ""
 */
void gd_extract_remark(const gd_corpus *corpus, const char *where);
/** Read them from the manifest's keys. Errors: GD_ERR_USAGE */
GD_NODISCARD gd_status gd_extract_parameters_of(const gd_instance *self,
                                                gd_extract_parameters *out);
/**
 * List where indices of the corpus may lie: the instance's own directory, then
 * those of other parameters under the same name in the work directory.
 * @param[out] out  zero-terminated paths, one after another
 * Errors: GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_extract_places(const gd_instance *self, gd_text *out);
/**
 * Open the index stores of the places.
 * Ends with: gd_index_store_close()
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_extract_open_places(const gd_text *places,
                                              int64_t n_videos,
                                              gd_index_store **out);
/**
 * Sort the videos of a corpus by the file of the index store that they belong
 * to.
 * @param[out] order    (n_videos) by file, then as in the corpus
 * @param[out] first    (n_units + 1) where each file begins in `order`
 * @param[out] n_units  files that have videos
 * Ends with: free() of both, also on failure
 */
GD_NODISCARD gd_status gd_extract_deal(const gd_corpus *corpus, int64_t **order,
                                       int64_t **first, int64_t *n_units);
/**
 * Index every video, into the store of the stage's directory.
 * Collective: yes
 * Errors: those of gd_stage_units()
 */
GD_NODISCARD gd_status gd_extract_index(gd_stage_env *env, gd_extract *x);
/**
 * Plan the shards from the store: the same plan on every rank.
 * Collective: yes
 * Errors: GD_ERR_IO (the disk has no room for them), GD_ERR_NOMEM, GD_ERR_PEER
 */
GD_NODISCARD gd_status gd_extract_plan(gd_stage_env *env, gd_extract *x);

/** Write the name of a shard. */
void gd_extract_name_shard(const void *context, int64_t unit,
                           char out[GD_PATH_MAX]);
/** Gather what the files of finished units hold: gd_units.count. */
GD_NODISCARD gd_status gd_extract_count_index(void *context, gd_stage_env *env,
                                              int64_t unit, const char *path);
GD_NODISCARD gd_status gd_extract_count_shard(void *context, gd_stage_env *env,
                                              int64_t unit, const char *path);
/**
 * Write videos.csv, from what was gathered, and count the totals.  Rank 0.
 * Errors: GD_ERR_IO, GD_ERR_NOMEM, GD_ERR_STOPPED, GD_ERR_PEER
 */
GD_NODISCARD gd_status gd_extract_list(gd_stage_env *env, gd_extract *x);

/**
 * Add what an extraction would read, keep and store, for `gradus plan`; nothing
 * while its corpus is not there.
 * Errors: GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_extract_forecast(const gd_job *job,
                                           const gd_instance *self,
                                           gd_text *out);
/**
 * Add one line, without its end, that names videos of an instance whose time
 * has changed since they were indexed for it, while nothing else has that can
 * be seen; nothing where there are none.
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_extract_touched(const gd_job *job,
                                          const gd_instance *self,
                                          gd_text *out);
/** The same for all instances of a job, a line for each. */
GD_NODISCARD gd_status gd_extract_touched_all(const gd_job *job, gd_text *out);

#endif
