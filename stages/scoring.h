/**
 * Scoring: faces through a model, shared out over the ranks; what evaluate and
 * predict have in common.
 *
 *   part-NNNNN.h5   scores of some videos, removed once they are merged
 *
 * A unit of work is a run of whole videos, cut by the number of their faces
 * alone.  Rank 0 merges the parts video by video, so no rank holds all scores.
 */
#ifndef GRADUS_STAGES_SCORING_H
#define GRADUS_STAGES_SCORING_H

#include "gradus/evaluator.h"
#include "gradus/faces.h"
#include "gradus/model.h"
#include "gradus/scores.h"
#include "gradus/stage.h"

/** Faces first .. end - 1 of the set are those of one video. */
typedef struct {
  int64_t row; /**< in the set's table of videos */
  int64_t first, end;
} gd_scored_video;

typedef struct {
  gd_stage_env *env;
  gd_face_set *faces;
  gd_model *model;
  gd_scores_info info;     /**< of the scores that are wanted */
  gd_evaluator *evaluator; /**< made with the first unit of this rank */
  int64_t n_videos;
  gd_scored_video *videos; /**< those wanted, then those to calibrate on */
  int64_t n_wanted;
  int64_t n_units, n_units_wanted; /**< no unit has videos of both */
  int64_t *first_video;            /**< (n_units + 1) */
  double *cost;                    /**< (n_units) faces */
} gd_scoring;

/**
 * Open a model and the faces that it is to score; of `info`, loss and levels
 * are set.
 * Ends with: gd_scoring_close(), also on failure
 * Errors: GD_ERR_USAGE (faces of another size or alignment than the model's),
 *         and those of gd_model_read() and gd_face_set_open()
 */
GD_NODISCARD gd_status gd_scoring_open(gd_stage_env *env, const char *model,
                                       const char *faces, gd_scoring *out);
void gd_scoring_close(gd_scoring *s);
/**
 * Have the mean of the attention maps of each video that is wanted scored with
 * it: see gradus/attention.h.  The evaluator is made.
 * Errors: those of gd_evaluator_new()
 */
GD_NODISCARD gd_status gd_scoring_want_maps(gd_scoring *s);
/** Append the videos of a partition that have faces. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_scoring_add(gd_scoring *s, gd_partition partition);
/** Cut the videos into units; `n_wanted` is set. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_scoring_cut(gd_scoring *s);
/**
 * Score all units into their parts.
 * Collective: yes
 * Errors: those of gd_stage_units(); GD_ERR_NUMERIC (video and frame)
 */
GD_NODISCARD gd_status gd_scoring_run(gd_scoring *s);
/** Return what a file says of scores whose intervals are not known, or not
 * wanted; `wanted`: of the videos that are, else of those to calibrate on,
 * which have no maps. */
gd_scores_info gd_scoring_info(const gd_scoring *s, int wanted);
/**
 * Join the parts of units first .. end - 1 into a file of scores.
 * Errors: GD_ERR_IO, GD_ERR_FORMAT, GD_ERR_NOMEM, GD_ERR_STOPPED, GD_ERR_PEER
 */
GD_NODISCARD gd_status gd_scoring_merge(const gd_scoring *s, int64_t first,
                                        int64_t end, const gd_scores_info *info,
                                        const char *path);
/**
 * Do what is left when the scores are there: predictions.csv, counts, and no
 * parts any more.  Rank 0; may be repeated.
 * @param[in] path  of the scores
 * Errors: GD_ERR_IO, GD_ERR_FORMAT, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_scoring_finish(const gd_scoring *s, const char *path);

#endif
