/* What reading a video takes, about: told from its index and the packets that
 * would be sent. */
#include <assert.h>
#include <string.h>

#include "gradus/video_index.h"
#include "video/packet_plan.h"

/* Seconds per pixel that is decoded, as measured with drawn clips of 640 x 480
 * on one core (Zen 4): their ratios decide who shares the work. */
static double seconds_per_pixel(const char *codec)
{
  static const struct {
    const char *codec;
    double seconds;
  } known[] = {{"h264", 2.2e-9},
               {"hevc", 3.0e-9},
               {"mpeg4", 1.3e-9},
               {"mjpeg", 2.1e-9},
               {"vp9", 2.3e-9}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(codec, known[i].codec) == 0)
      return known[i].seconds;
  return 2.3e-9;
}

double gd_video_index_cost(const gd_video_index *x, const int64_t *wanted,
                           int64_t n_wanted, gd_range part)
{
  assert(x != NULL && part.first >= 0 && part.end <= x->n_frames);

  const double kept_pixel_s = 1.7e-9, packet_s = 5e-6;
  const double pixels = (double)x->width_px * x->height_px;
  int64_t n_sent = x->n_packets, n_read = x->n_packets;
  int64_t n_kept = part.end - part.first;
  gd_packet_plan plan = {0};
  if (wanted != NULL)
    n_kept = gd_frame_lower(wanted, n_wanted, part.end) -
             gd_frame_lower(wanted, n_wanted, part.first);
  if (x->order == GD_ORDER_EXACT &&
      gd_packet_plan_make(x, wanted, n_wanted, part, &plan) == GD_OK) {
    n_sent = plan.n_sent;
    n_read = plan.packets.end - plan.packets.first;
  }
  gd_packet_plan_free(&plan);
  return (double)n_sent * pixels * seconds_per_pixel(x->codec) +
         (double)n_kept * pixels * kept_pixel_s + (double)n_read * packet_s;
}
