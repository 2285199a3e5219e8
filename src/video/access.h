/**
 * What a packet's own bits say: may decoding begin here, is any other picture
 * made from this one, how many pictures are shown?  The container's key flag is
 * not asked: with intra refresh it stands on pictures that need earlier ones.
 *
 * Parameter sets within the stream that differ from those of its header make
 * points without sets of their own useless: skipping what is before them would
 * skip the sets.
 */
#ifndef GRADUS_VIDEO_ACCESS_H
#define GRADUS_VIDEO_ACCESS_H

#include "video/demux.h"

/** What was seen in the packets so far. */
typedef struct {
  gd_codec codec;
  int length_bytes;      /**< of a NAL unit's length; 0: start codes */
  const uint8_t *header; /**< the stream's parameter sets, as its header has */
  size_t header_bytes;
  int has_changed;     /**< parameter sets or tables came that it has not */
  int frame_num_bits;  /**< H.264: of a slice's frame number; 0: not known */
  int may_have_fields; /**< H.264: a picture may be coded as two fields */
  int loses_leading;   /**< HEVC: decoding began at the last access point */
} gd_access_parser;

/** Begin; what `stream` points to must stay. */
gd_access_parser gd_access_parser_of(const gd_stream *stream);

typedef struct {
  int n_shown;          /**< pictures: 0 or 1 */
  const char *doubt;    /**< why only decoding tells n_shown, or NULL */
  int is_point;         /**< decoding may begin with this packet */
  int is_droppable;     /**< no other picture of its layer or below needs it */
  int layer;            /**< HEVC: of time; else 0 */
  int is_bidirectional; /**< MPEG-4: shown before the picture that precedes it
                         */
} gd_access;

/**
 * Look into the next packet.
 * Source: H.264 7.3.2.1, 7.3.3 (fields), 7.4.1 (nal_ref_idc, IDR) and D.2.8
 *         (recovery point with count 0 and exact match), H.265 table 7-1,
 *         MPEG-4 Part 2 6.2.5, RFC 6386 9.1, VP9 bitstream 6.2 and annex B
 */
gd_access gd_access_look(gd_access_parser *a, const gd_packet *packet);

#endif
