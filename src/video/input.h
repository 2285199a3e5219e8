/**
 * The bytes of a video file, as they were when it was opened.
 *
 * The one idea: the file is opened once, here, and FFmpeg is given bytes and no
 * name that it could open.  So a playlist or a script in a video's clothes
 * reaches no other file, what was checked is what is read, and a file that
 * grows has the end that it had.  Regular files only: a FIFO blocks, a device
 * never ends.
 */
#ifndef GRADUS_VIDEO_INPUT_H
#define GRADUS_VIDEO_INPUT_H

#include <stdint.h>

#include "gradus/patience.h"
#include "gradus/status.h"

typedef struct gd_input gd_input;

/**
 * @param[in] path      copied
 * @param[in] patience  copied; NULL: without end
 * Ends with: gd_input_close()
 * Errors: GD_ERR_DECODE (missing, not permitted; no regular file; empty),
 *         GD_ERR_IO (the disk or the system fails), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_input_open(const char *path,
                                     const gd_patience *patience,
                                     gd_input **out);
int64_t gd_input_size(const gd_input *in);     /**< in bytes */
int64_t gd_input_modified(const gd_input *in); /**< ns since 1970 */
/** Read on. @return bytes read, 0 at the end, -1 when gd_input_status() is not
 * GD_OK */
int gd_input_read(gd_input *in, uint8_t *out, int most_bytes);
/** Read on at `position`, which may be behind the end. */
void gd_input_seek(gd_input *in, int64_t position);
int64_t gd_input_position(const gd_input *in);
/** Say that reading gave something: patience begins anew. */
void gd_input_progress(gd_input *in);
/**
 * Look at the clock, now and then.
 * @return what gd_input_status() would
 */
GD_NODISCARD gd_status gd_input_look(gd_input *in);
/**
 * Say why reading ended before the end of the file; the reason was recorded.
 * @return GD_OK, GD_ERR_IO (the disk fails), GD_ERR_DECODE (patience is at an
 *         end), or what the sign of life returned
 */
GD_NODISCARD gd_status gd_input_status(const gd_input *in);
void gd_input_close(gd_input *in); /**< NULL is allowed */

#endif
