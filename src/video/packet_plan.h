/**
 * Which packets of a video must be decoded for the frames that are wanted.
 *
 *   packets   I  b  P  b  P  b  P  I  b  P  b  P  I  b  P  b  P
 *   wanted          *                              *
 *   sent      >  .  >  .  .  .  .  .  .  .  .  .  >     (> begins a run)
 *
 * A run begins at an access point and goes on to the last packet that is wanted
 * behind it; of what lies between, pictures that no other is made from and that
 * are not wanted are left out.  Pictures that precede an access point in
 * presentation but follow it in the file (leading pictures) may need what is
 * before it, and nothing behind it needs them: they are not sent in its run.
 *
 * Where a run follows the one before without a gap, decoding just goes on.
 *
 * Pure: the same index and the same wanted frames give the same plan.
 */
#ifndef GRADUS_VIDEO_PACKET_PLAN_H
#define GRADUS_VIDEO_PACKET_PLAN_H

#include "gradus/range.h"
#include "gradus/status.h"
#include "gradus/video_index.h"

typedef enum {
  GD_PACKET_SKIP,
  GD_PACKET_SEND,
  GD_PACKET_BEGIN /**< send, to a decoder that forgot what was before */
} gd_packet_action;

typedef struct {
  gd_range packets; /**< from the first that is sent to the last */
  uint8_t *actions; /**< of these packets: gd_packet_action */
  int64_t n_sent;
} gd_packet_plan;

/**
 * Plan which packets to send.
 * @param[in]  x       with GD_ORDER_EXACT
 * @param[in]  wanted  frames, ascending; NULL: every frame
 * @param[in]  part    frames, from one cut to another or n_frames: what is
 *                     wanted outside it is left to others
 * @param[out] out     ends with gd_packet_plan_free(), also on failure
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_packet_plan_make(const gd_video_index *x,
                                           const int64_t *wanted,
                                           int64_t n_wanted, gd_range part,
                                           gd_packet_plan *out);
void gd_packet_plan_free(gd_packet_plan *p);

/** Return the first of n ascending frames that is not below `frame`, or n. */
int64_t gd_frame_lower(const int64_t *frames, int64_t n, int64_t frame);

#endif
