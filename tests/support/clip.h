/** Videos made on the spot, whose frames show their own number. */
#ifndef GRADUS_TEST_CLIP_H
#define GRADUS_TEST_CLIP_H

#include <stdint.h>

#include "gradus/frames.h"

enum { GD_CLIP_WIDTH = 96, GD_CLIP_HEIGHT = 64, GD_CLIP_FPS = 25 };

/**
 * Write a clip; a key picture every 12 frames, as gd_encoder has them.
 * @param[in] path  ending in .mp4 or .avi
 */
void gd_test_clip(const char *path, int n_frames);
/**
 * Convert a frame as it was read to RGB of its displayed size.
 * @return until the next call
 */
const uint8_t *gd_test_rgb(const gd_frame_info *info,
                           const gd_picture *picture);
/** Return the number, modulo 256, that an RGB frame of a clip shows. */
int gd_test_clip_number(const uint8_t *rgb);
/**
 * Copy a file, cut to `size_bytes` (-1: whole) and with n_flips bytes changed
 * at places that follow from `seed`.
 */
void gd_test_damage(const char *from, const char *to, int64_t size_bytes,
                    int n_flips, uint32_t seed);

#endif
