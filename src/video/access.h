/**
 * What a packet's own bits say: may decoding begin here, and how many pictures
 * does it hold?  The container's key flag is not asked: with intra refresh it
 * stands on pictures that need earlier ones.
 */
#ifndef GRADUS_VIDEO_ACCESS_H
#define GRADUS_VIDEO_ACCESS_H

#include "video/demux.h"

typedef struct {
  gd_codec codec;
  int length_bytes; /**< of a NAL unit's length; 0: start codes */
} gd_access_parser;

gd_access_parser gd_access_parser_of(const gd_stream *stream);
/**
 * Say whether decoding may begin with this packet.
 * Source: H.264 7.4.1.2.4 (IDR) and D.2.8 (recovery point with count 0 and
 *         exact match), H.265 table 7-1 (types 16 to 21), MPEG-4 Part 2 6.2.5
 *         (I-VOP), RFC 6386 9.1; VP9 packets as flagged
 */
int gd_access_is_point(const gd_access_parser *a, const gd_packet *packet);
/**
 * Return how many pictures a packet shows: 1, or 0 (a hidden VP8 reference), or
 * -1 when only decoding tells (MPEG-4: several pictures in one packet, or a
 * placeholder for one that came before).
 */
int gd_access_n_shown(const gd_access_parser *a, const gd_packet *packet);

#endif
