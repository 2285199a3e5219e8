/**
 * A cascade that is not complete yet: what the nets so far leave to the next
 * one, which is what that one is trained on.
 */
#ifndef GRADUS_MTCNN_PARTS_H
#define GRADUS_MTCNN_PARTS_H

#include "face/boxes.h"
#include "gradus/mtcnn.h"

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
