/**
 * The video reader: the frames that sampling keeps, exactly, and little else.
 *
 *   index + sampling --> open (whole or a part) --> next, next ... --> close
 *
 * Where the index knows the order of the frames, only the packets are decoded
 * that lead to wanted frames: groups of pictures without one are passed over,
 * and pictures that no other is made from are left out.  Each picture that
 * comes out says which packet it is from, so a frame is the right one or none.
 * At the first sign of damage (an error, a concealed picture, a wanted one that
 * does not come out) the reader begins the part again and decodes all of it;
 * the caller is told, and forgets what it was given.
 *
 * Frames are numbered as the index has them.  Two cases are numbered as a
 * decoder gives pictures out, which is ffmpeg's count: a video whose order only
 * decoding tells, and a damaged one that is read whole by `every` alone.  What
 * that keeps is what `ffmpeg -vf select=not(mod(n\,N)) -vsync 0` keeps, bit
 * for bit.
 *
 * A long video may be read in parts that begin and end at the cuts of its
 * index; in an undamaged video parts and whole agree.
 *
 * A picture is damaged when the decoder concealed something in it, or in a
 * picture before it since the last key picture.  Frames are given out as they
 * were decoded; where they change their size, the note says so, and
 * gd_converter fits them into the size that the index tells.
 */
#ifndef GRADUS_VIDEO_READER_H
#define GRADUS_VIDEO_READER_H

#include "gradus/frames.h"
#include "gradus/patience.h"
#include "gradus/picture.h"
#include "gradus/range.h"
#include "gradus/sampling.h"
#include "gradus/status.h"
#include "gradus/video_index.h"

typedef struct gd_video_reader gd_video_reader;

typedef enum {
  GD_READ_FRAME, /**< here is the next frame */
  GD_READ_AGAIN, /**< damage: forget the frames so far, all come again */
  GD_READ_END    /**< there are no more */
} gd_read_step;

/**
 * Begin to read a video.
 * @param[in]  index     kept until the reader is closed
 * @param[in]  sampling  valid; copied
 * @param[in]  part      frames to read: first is one of the index's cuts, end
 *                       is another or index->n_frames; NULL: the whole video
 * @param[in]  patience  copied; NULL: without end
 * @param[out] out       NULL on failure
 * Ends with:  gd_video_reader_close()
 * Collective: no
 * Errors:     GD_ERR_DECODE (cannot be opened any more, no decoder, not the
 *             file that was indexed, `part` does not lie between cuts),
 *             GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_video_reader_open(const gd_video_index *index,
                                            const gd_sampling *sampling,
                                            const gd_range *part,
                                            const gd_patience *patience,
                                            gd_video_reader **out);
/**
 * Decode up to the next frame that is kept.
 * @param[out] info     its number, time, status and displayed size (that of the
 *                      index)
 * @param[out] picture  its planes; borrowed until the next call; NULL unless
 *                      the step is GD_READ_FRAME
 * Errors: GD_ERR_DECODE (the video gives no picture at all, is not the file
 * that was indexed, patience is at an end), GD_ERR_IO (the disk fails),
 *         GD_ERR_NOMEM, what a sign of life returned
 * Source: FFmpeg 5.1, vf_select's count
 */
GD_NODISCARD gd_status gd_video_reader_next(gd_video_reader *r,
                                            gd_read_step *step,
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
