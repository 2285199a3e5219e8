/**
 * The video encoder: RGB frames in, one MPEG-4 file out.
 *
 * MPEG-4 Part 2 at a fixed quantiser, a key frame every 12 pictures, no
 * B-pictures, one thread; the container follows from the name (`.mp4`,
 * `.avi`).  Nothing in the file tells time, host or library version, so equal
 * frames give equal bytes.
 *
 *     create --> append ... append --> commit | abandon
 *
 * The file is written as `<name>.part` and appears under its name when it is
 * complete.
 */
#ifndef GRADUS_ENCODER_H
#define GRADUS_ENCODER_H

#include <stdint.h>

#include "gradus/status.h"

typedef struct gd_encoder gd_encoder;

typedef struct {
  int width_px, height_px; /**< even, 16 .. 4096 */
  double fps;              /**< 1 .. 240; kept as a ratio of integers */
} gd_encoding;

/**
 * Start a video file.
 * @param[in]  path  final name, ending in .mp4 or .avi; copied
 * @param[out] out   NULL on failure
 * Ends with:  gd_encoder_commit() or gd_encoder_abandon()
 * Collective: no
 * Errors:     GD_ERR_USAGE (size, rate or name), GD_ERR_IO (cannot create),
 *             GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_encoder_create(const char *path, gd_encoding encoding,
                                         gd_encoder **out);
/**
 * Append one frame.
 * @param[in] rgb  (H, W, 3) uint8, contiguous; borrowed for the call
 * Errors: GD_ERR_IO (disk full); the encoder can then only be abandoned
 */
GD_NODISCARD gd_status gd_encoder_append(gd_encoder *e, const uint8_t *rgb);
/**
 * Write what is left and give the file its final name.  Frees `e` either way.
 * Errors: GD_ERR_IO (disk full), GD_ERR_USAGE (no frame was appended)
 */
GD_NODISCARD gd_status gd_encoder_commit(gd_encoder *e);
/** Delete the unfinished file and free `e`.  NULL is allowed. */
void gd_encoder_abandon(gd_encoder *e);

#endif
