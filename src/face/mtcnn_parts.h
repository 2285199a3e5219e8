/**
 * What training a cascade shares with running it: how its nets see images, and
 * a cascade that is not complete yet: what the nets so far leave to the next
 * one, which is what that one is trained on.
 */
#ifndef GRADUS_MTCNN_PARTS_H
#define GRADUS_MTCNN_PARTS_H

#include "face/boxes.h"
#include "gradus/mtcnn.h"

enum {
  GD_CELL_PX = 12,       /**< P-Net sees squares of this side */
  GD_CELL_STRIDE_PX = 2, /**< ... this far apart */
};
/** Sides of what the three nets see, px. */
extern const int gd_mtcnn_crop_px[3];
/** Of the nets' input: (pixel - offset) * factor. */
extern const float gd_mtcnn_offset, gd_mtcnn_factor;

/**
 * A tensor (1) beside the nets': 1 where what R- and O-Net tell is relative to
 * the pixels that they see.  The reference's is relative to the box before it
 * was truncated to whole pixels and clipped to the image, which the nets cannot
 * know: up to 1 px, and more at the image's edge.  With such weights O-Net also
 * looks at every face again, upright, for its landmarks: see face/looks.h.
 */
#define GD_MTCNN_FRAMED "cascade.framed"

/** Return the square of the image that P-Net sees at (x, y) px of a level which
 * is the image scaled `by`; rounded as the reference does. */
gd_box gd_cell_box(int x, int y, float by);

/** Open the first `n_nets` (1 .. 3) alone. Errors: as gd_mtcnn_open() */
GD_NODISCARD gd_status gd_mtcnn_open_nets(const char *path,
                                          const gd_mtcnn_config *config,
                                          int n_nets, gd_mtcnn **out);

/**
 * Run the first `n_nets` (1 or 2).
 * @param[out] out  what the next net would judge: squares, some of them outside
 *                  the image; borrowed until the next call
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_mtcnn_candidates(gd_mtcnn *m, const gd_image *image,
                                           int n_nets, const gd_boxes **out);

#endif
