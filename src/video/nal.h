/** H.264 and HEVC packets: NAL units, by start codes or with their lengths. */
#ifndef GRADUS_VIDEO_NAL_H
#define GRADUS_VIDEO_NAL_H

#include "video/access.h"

/** Learn from the stream's header how units are set apart. */
void gd_nal_begin(gd_access_parser *a);
gd_access gd_nal_look_h264(gd_access_parser *a, const gd_packet *packet);
gd_access gd_nal_look_hevc(gd_access_parser *a, const gd_packet *packet);

/** Move *at behind the next 00 00 01; 0 when none has a byte behind it. */
int gd_find_start(const gd_packet *packet, size_t *at);
/** Say whether the stream's header has these bytes. */
int gd_is_in_header(const gd_access_parser *a, const uint8_t *bytes, size_t n);

#endif
