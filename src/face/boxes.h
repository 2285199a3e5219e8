/**
 * Candidate boxes of the detector's cascade, and what happens to them between
 * two nets: suppression, calibration, squaring, cropping.
 *
 * All arithmetic is float32, in the order written in the reference: a box that
 * moves by one rounding can change which boxes survive.
 */
#ifndef GRADUS_BOXES_H
#define GRADUS_BOXES_H

#include "gradus/face.h"
#include "gradus/resample.h"
#include "gradus/status.h"

typedef struct {
  float x1, y1, x2, y2; /**< px */
  float score;          /**< probability of a face */
  float key;            /**< sorted by this, largest first */
  float offset[4];      /**< correction, in box sizes */
  float landmarks[GD_N_LANDMARKS][2];
} gd_box;

/** A list that grows and keeps its memory. */
typedef struct {
  gd_box *items;
  gd_box *spare; /**< for sorting, as long as items */
  int n, room;
} gd_boxes; /**< starts as {0}; ends with gd_boxes_free() */

/** Append room for one box, zeroed. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_boxes_add(gd_boxes *b, gd_box **out);
void gd_boxes_free(gd_boxes *b);

/** Sort items first .. n-1 by `key`, largest first, equal ones in order. */
void gd_boxes_sort(gd_boxes *b, int first);

/** How much two boxes overlap. */
typedef enum {
  GD_BY_UNION,  /**< intersection over union */
  GD_BY_SMALLER /**< over the smaller box, with sides one px longer */
} gd_overlap_kind;

/**
 * Keep of items first .. n-1 the best ones by score, and none that overlaps a
 * better one by more than `threshold`; best first.
 */
void gd_boxes_suppress(gd_boxes *b, int first, gd_overlap_kind kind,
                       float threshold);
/** Move every corner by its offset, in sides that are `plus` px longer. */
void gd_boxes_calibrate(gd_boxes *b, float plus);
/** Make boxes square about their centres, as long as their longer side. */
void gd_boxes_square(gd_boxes *b);

/**
 * Tell which pixels a box crops: coordinates truncated toward zero, first pixel
 * 1, clipped to the image.
 * @return 0 if nothing is left, or the box is not finite
 */
int gd_box_window(const gd_box *b, int width_px, int height_px, gd_window *out);
/** Make a box say exactly which pixels it crops: gd_box_window() turned round.
 * What a net tells relative to such a box is relative to what it sees. */
void gd_box_frame(gd_box *b, gd_window window);

#endif
