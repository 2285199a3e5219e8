/**
 * The decoder: packets in, pictures out.  Nothing else decodes videos.
 *
 * One thread: two cost more CPU than they save, and conceal damage differently
 * from run to run.
 *
 * Each packet is sent with its number in place of its time stamp, so that a
 * picture tells which packet it came from.
 */
#ifndef GRADUS_VIDEO_DECODE_H
#define GRADUS_VIDEO_DECODE_H

#include "video/demux.h"

typedef struct gd_decoder gd_decoder;

typedef struct {
  const gd_picture *picture; /**< NULL: none for now; borrowed until the next */
  int64_t packet;            /**< the picture's packet, or -1 */
  int is_key;
  int is_damaged; /**< the decoder says so of this picture */
  int is_interlaced;
  int is_leaf; /**< no other picture is made from it */
} gd_decoded;

/**
 * @param[in] path       kept until close
 * @param[in] is_sparse  packets come in runs that begin at access points and
 *                       are checked for what is missing.  A decoder that is
 *                       drained soon behind a recovery point has not noticed
 *                       yet that its pictures are whole: they come out then,
 *                       and are not damaged.
 * Errors: GD_ERR_DECODE (no decoder for it), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_decoder_open(const char *path,
                                       const gd_stream *stream, int is_sparse,
                                       gd_decoder **out);
/**
 * Send packet number `number`; NULL: there are no more.  Pictures must have
 * been taken until none came.
 * @return whether the decoder could use it; if not, the next may be fine
 */
int gd_decoder_send(gd_decoder *d, const gd_packet *packet, int64_t number);
/**
 * Take the next picture, if there is one.
 * @return 0 when one could not be decoded; there may be more behind it
 */
int gd_decoder_take(gd_decoder *d, gd_decoded *out);
/** Make it forget what it was sent, drained or not; the next packet must be an
 * access point. */
void gd_decoder_forget(gd_decoder *d);
void gd_decoder_close(gd_decoder *d); /**< NULL is allowed */

#endif
