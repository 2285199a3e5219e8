/**
 * The video reader: every N-th frame of a video, exactly.
 *
 *   index --> open (every N, whole or a segment) --> next, next ... --> close
 *
 * Frames are numbered as a decoder gives them out, from 0; those with a number
 * that N divides are kept.  That is what `ffmpeg -vf select=not(mod(n\,N))
 * -vsync 0` keeps, bit for bit, damaged files included.
 *
 * A long video may be read in segments that begin and end at the cuts of its
 * index.  A segment's frames are numbered by the index, so that a picture
 * which is lost in one segment does not shift the next; in an undamaged video
 * segments and whole agree.
 *
 * A picture is damaged when the decoder concealed something in it, or in a
 * picture before it since the last key picture.  Frames are given out as they
 * were decoded; where they change their size, the note says so, and
 * gd_converter fits them into the size that the index tells.
 */
#ifndef GRADUS_VIDEO_READER_H
#define GRADUS_VIDEO_READER_H

#include <stdint.h>

#include "gradus/frames.h"
#include "gradus/patience.h"
#include "gradus/picture.h"
#include "gradus/range.h"
#include "gradus/status.h"
#include "gradus/video_index.h"

typedef struct gd_video_reader gd_video_reader;

/**
 * Begin to read a video.
 * @param[in]  index  kept until the reader is closed
 * @param[in]  every  N >= 1
 * @param[in]  part   frames to read: first is one of the index's cuts, end is
 *                    another or index->n_frames; NULL: the whole video
 * @param[in]  patience  copied; NULL: without end
 * @param[out] out    NULL on failure
 * Ends with:  gd_video_reader_close()
 * Collective: no
 * Errors:     GD_ERR_DECODE (cannot be opened any more, no decoder, `part` does
 *             not lie between cuts), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_video_reader_open(const gd_video_index *index,
                                            int64_t every, const gd_range *part,
                                            const gd_patience *patience,
                                            gd_video_reader **out);
/**
 * Decode up to the next kept frame.
 * @param[out] info     its number, time, status and displayed size (that of
 *                      the index)
 * @param[out] picture  its planes; borrowed until the next call; NULL at the
 *                      end of the video
 * Errors: GD_ERR_DECODE (the video gives no picture at all, patience is at an
 *         end), GD_ERR_IO (the disk fails), GD_ERR_NOMEM; what the sign of life
 *         returned
 * Source: FFmpeg 5.1, vf_select's count
 */
GD_NODISCARD gd_status gd_video_reader_next(gd_video_reader *r,
                                            gd_frame_info *info,
                                            const gd_picture **picture);
/**
 * Say how the reading went so far.
 * @return `video` is 0, the caller's to fill in; `note` is borrowed until the
 *         next call or close
 */
gd_frame_reading gd_video_reader_result(gd_video_reader *r);
void gd_video_reader_close(gd_video_reader *r); /**< NULL is allowed */

#endif
