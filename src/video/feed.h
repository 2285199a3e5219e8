/**
 * From a video's packets to its pictures: reads the file, sends the decoder
 * what a plan says, gives out what comes back.
 *
 * Between two runs of the plan the decoder is drained and made to forget, so
 * that no picture of one run is made from another's.  A packet that lies
 * elsewhere than the index tells is of another file: an error.
 */
#ifndef GRADUS_VIDEO_FEED_H
#define GRADUS_VIDEO_FEED_H

#include "video/decode.h"
#include "video/packet_plan.h"

typedef struct gd_feed gd_feed;

typedef enum {
  GD_FEED_PICTURE,
  GD_FEED_BAD, /**< the decoder could not use packet `decoded.packet` */
  GD_FEED_END
} gd_feed_event;

/**
 * Begin with the first packet of a plan.
 * @param[in] index, plan  kept until close; plan NULL: send every packet
 * @param[in] is_sparse    see gd_decoder_open()
 * @param[in] patience     copied; NULL: without end
 * Ends with: gd_feed_close()
 * Errors:    GD_ERR_DECODE (cannot be opened any more, no decoder, is not the
 *            file that was indexed), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_feed_open(const gd_video_index *index,
                                    const gd_packet_plan *plan, int is_sparse,
                                    const gd_patience *patience, gd_feed **out);
void gd_feed_close(gd_feed *f); /**< NULL is allowed */
/**
 * Decode up to the next event.
 * @param[out] decoded  the picture, borrowed until the next call
 * Errors: GD_ERR_IO (the disk fails), GD_ERR_DECODE (not the indexed file)
 */
GD_NODISCARD gd_status gd_feed_next(gd_feed *f, gd_feed_event *event,
                                    gd_decoded *decoded);
/** Return the number of the packet that was sent last, or -1. */
int64_t gd_feed_last_sent(const gd_feed *f);
/** Return the layout that the stream announces; borrowed. */
const gd_picture_layout *gd_feed_layout(const gd_feed *f);

#endif
