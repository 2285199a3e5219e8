/**
 * The drawn corpus: videos of talking heads whose level is known.
 *
 * Each subject has a look of its own (head shape, skin, hair, beard, glasses,
 * clothes, room).  Each session of a subject has a level 0 .. K-1 that shows in
 * the face and in nothing else:
 *
 *   mouth    corners rise at low levels and fall at high ones
 *   brows    inner ends rise and the brows come closer together
 *   lids     close down over the eyes
 *   motion   the head nods less and hangs lower, the mouth opens less
 *
 * Colours, light, noise, duration and names come from streams of random
 * numbers that do not know the level.  Subjects never cross partitions.
 *
 * Labels are the levels, or, as those of questionnaires are, off by an error of
 * their own: `label_noise` is its standard deviation.  What is drawn does not
 * depend on it, so no model can know more of a label than its level says.
 *
 * A corpus is a pure function of its configuration: item `index` can be drawn
 * by any rank, and the same configuration gives the same bytes (on one
 * machine's libraries).
 *
 *   table      videos/s001_1.avi, labels.csv
 *   avec2013   {Training,Development,Testing}/001_1_cut_combined.mp4,
 *              DepressionLabels/{Training,...}_DepressionLabels/
 *              001_1_Depression.csv
 *   avec2014   {Training,Development,Testing}/{Freeform,Northwind}/
 *              001_1_Freeform_video.mp4, labels as above
 *
 * Beside each video lies a CSV of the same name with the 68 landmarks of every
 * frame, in the columns of OpenFace 2.
 */
#ifndef GRADUS_SYNTH_H
#define GRADUS_SYNTH_H

#include <stdint.h>

#include "gradus/face.h"
#include "gradus/file.h"
#include "gradus/partition.h"
#include "gradus/status.h"

typedef struct {
  uint64_t seed;
  const char *layout; /**< "table", "avec2013", "avec2014"; kept */
  int n_subjects;     /**< 3 .. 999 */
  int n_sessions; /**< of each subject, 1 .. 9; two videos each in avec2014 */
  int n_levels;   /**< K, 2 .. 1000 */
  double seconds; /**< of each video, 0.2 .. 3600 */
  double fps;     /**< 1 .. 240 */
  int width_px, height_px; /**< even, 64 .. 4096 */
  double label_noise;      /**< levels, 0 .. 1000 */
} gd_synth;

/** Return the defaults: a table of 36 subjects with 3 sessions of 3 seconds,
 * 64 levels, 192 x 160 at 25 frames per second. */
gd_synth gd_synth_default(void);
/** Say whether a configuration can be drawn. Errors: GD_ERR_USAGE */
GD_NODISCARD gd_status gd_synth_check(const gd_synth *s);

/** Return the number of videos. */
int64_t gd_synth_count(const gd_synth *s);
/** Return the number of frames of each video. */
int64_t gd_synth_frames(const gd_synth *s);

/** What is to be drawn as video `index`. */
typedef struct {
  int64_t index;
  int subject; /**< 0 .. n_subjects-1 */
  int session; /**< 0 .. n_sessions-1 */
  int task;    /**< 0 or 1 in avec2014, else 0 */
  int level;   /**< that is drawn */
  int label;   /**< that the files state: the level plus a normal error, rounded
                * and held within 0 .. K-1; the same for a session's tasks */
  gd_partition partition;
} gd_synth_item;

/** Return the item of an index, 0 .. gd_synth_count()-1. */
gd_synth_item gd_synth_item_of(const gd_synth *s, int64_t index);
/** Write the name of an item's video, relative to the corpus. */
void gd_synth_name(const gd_synth *s, const gd_synth_item *item,
                   char out[GD_PATH_MAX]);

enum { GD_SYNTH_POINTS = 68 };

/**
 * Draw one frame.  A pure function of its arguments: an item whose level was
 * changed shows the same subject in the same moment with another face.
 * @param[in]  frame   0 .. gd_synth_frames()-1
 * @param[out] rgb     (H, W, 3) uint8
 * @param[out] points  (68, 2) x and y in pixels, numbered as in iBUG 300-W
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_synth_draw(const gd_synth *s,
                                     const gd_synth_item *item, int64_t frame,
                                     uint8_t *rgb,
                                     double points[GD_SYNTH_POINTS][2]);

/**
 * Return box and five landmarks of a face, from its 68: the box bounds them all
 * (see gradus/landmarks.h).
 * @param[out] out  confidence 1
 */
void gd_synth_face(double points[GD_SYNTH_POINTS][2], gd_face *out);

/**
 * Draw and encode video `index` of the corpus in `root`, its landmarks beside
 * it.  Files appear when complete; folders are made.
 * @param[in] tick  called before each frame; its failure ends the work and is
 *                  returned; NULL: nothing is called
 * Collective: no
 * Errors: GD_ERR_IO (disk full, not writable), GD_ERR_NOMEM, those of `tick`
 */
GD_NODISCARD gd_status gd_synth_video(const gd_synth *s, int64_t index,
                                      const char *root,
                                      gd_status (*tick)(void *context),
                                      void *context);
/**
 * Write the label files of the whole corpus.
 * Collective: no: one rank calls it
 * Errors: GD_ERR_IO
 */
GD_NODISCARD gd_status gd_synth_labels(const gd_synth *s, const char *root);

#endif
