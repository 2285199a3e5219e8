/** For the tests: what a reader's last frame was made from. */
#ifndef GRADUS_VIDEO_READER_PICTURE_H
#define GRADUS_VIDEO_READER_PICTURE_H

#include <stddef.h>

#include "gradus/video_reader.h"

/**
 * Copy the planes of the frame that was given out last, as decoded.
 * @return their size in bytes; nothing is copied when `room_bytes` is less
 */
size_t gd_video_reader_planes(const gd_video_reader *r, uint8_t *out,
                              size_t room_bytes);

#endif
