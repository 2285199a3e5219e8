#include "gradus/forecast.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/extraction.h"
#include "packet_plan.h"

/* Pictures that the decoder will be sent. */
static gd_status count_decoded(const gd_video_index *index,
                               const int64_t *frames, int64_t n, double *out)
{
  gd_packet_plan plan = {0};
  gd_status st = GD_OK;
  *out = (double)index->n_packets;
  if (index->order == GD_ORDER_EXACT) {
    st = gd_packet_plan_make(index, frames, n, (gd_range){0, index->n_frames},
                             &plan);
    *out = (double)plan.n_sent;
  }
  gd_packet_plan_free(&plan);
  return st;
}

gd_status gd_forecast_add(gd_forecast *f, const gd_sampling *sampling,
                          const gd_video_index *index)
{
  assert(f != NULL && sampling != NULL && index != NULL);

  int64_t *frames, n;
  double n_decoded = 0;
  gd_status st = gd_extraction_select(sampling, index, &frames, &n);
  if (st == GD_OK && n > 0)
    st = count_decoded(index, frames, n, &n_decoded);
  if (st == GD_OK) {
    f->n_seen++;
    f->seconds += index->duration_s;
    f->n_frames += (double)index->n_frames;
    f->n_decoded += n_decoded;
    f->n_kept += (double)n;
    f->kept_pixels += (double)n * index->width_px * index->height_px;
    if (n > 0)
      f->core_s +=
          gd_video_index_cost(index, frames, n, (gd_range){0, index->n_frames});
  }
  free(frames);
  return st;
}

void gd_forecast_add_unreadable(gd_forecast *f)
{
  assert(f != NULL);
  f->n_seen++;
  f->n_unreadable++;
}

void gd_forecast_add_scaled(gd_forecast *f, const gd_forecast *part,
                            int64_t n_videos)
{
  assert(f != NULL && part != NULL && part->n_seen > 0);
  const double factor = (double)n_videos / (double)part->n_seen;
  f->n_seen += part->n_seen;
  f->n_unreadable += part->n_unreadable;
  f->seconds += factor * part->seconds;
  f->n_frames += factor * part->n_frames;
  f->n_decoded += factor * part->n_decoded;
  f->n_kept += factor * part->n_kept;
  f->kept_pixels += factor * part->kept_pixels;
  f->core_s += factor * part->core_s;
}

/* ------------------------------------------------------------------ for people
 */

/* 28800 as "28,800"; an estimate has three digits. */
static const char *number(double value, int is_exact, char out[32])
{
  char digits[32];
  double unit = 1;
  while (!is_exact && value / unit >= 1000)
    unit *= 10;
  const int n =
      snprintf(digits, sizeof digits, "%.0f", round(value / unit) * unit);
  char *next = out;
  for (int i = 0; i < n && next < out + 30; i++) {
    if (i > 0 && (n - i) % 3 == 0)
      *next++ = ',';
    *next++ = digits[i];
  }
  *next = '\0';
  return out;
}

void gd_forecast_bytes(double bytes, char out[32])
{
  static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  int u = 0;
  while (bytes >= 999.5 && u < 5) {
    bytes /= 1000;
    u++;
  }
  snprintf(out, 32, u == 0 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s", bytes,
           units[u]);
}

static void add_time(double seconds, const char *what, gd_text *out)
{
  if (seconds >= 3600)
    gd_text_printf(out, "%.1f %shours", seconds / 3600, what);
  else if (seconds >= 60)
    gd_text_printf(out, "%.1f %sminutes", seconds / 60, what);
  else
    gd_text_printf(out, "%.1f %sseconds", seconds, what);
}

/* The three ways to store the frames; the one that was asked for is marked. */
static void add_bytes(double pixels, gd_frame_storage asked, int quality,
                      gd_text *out)
{
  static const gd_frame_storage all[] = {GD_FRAMES_RAW, GD_FRAMES_LOSSLESS,
                                         GD_FRAMES_JPEG};
  for (int i = 0; i < 3; i++) {
    char text[32];
    gd_forecast_bytes(
        pixels * gd_frame_storage_bytes_per_pixel(all[i], quality), text);
    gd_text_printf(out, "%s%s %s%s", i == 0 ? "" : ", ", text,
                   gd_frame_storage_name(all[i]),
                   all[i] == asked ? " (as `store` says)" : "");
  }
}

void gd_forecast_compose(const gd_forecast *f, int64_t n_videos,
                         gd_frame_storage storage, int quality,
                         int64_t free_bytes, const char *place, int indent,
                         gd_text *out)
{
  assert(f != NULL && place != NULL && out != NULL);

  const int is_exact = f->n_seen >= n_videos;
  char all[32], kept[32], decoded[32], videos[32], seen[32], room[32];
  gd_text_printf(out, "%s videos, ", number((double)n_videos, 1, videos));
  gd_text_add(out, is_exact ? "" : "about ");
  add_time(f->seconds, "", out);
  gd_text_printf(out, ": %s of %s frames kept, %s decoded",
                 number(f->n_kept, is_exact, kept),
                 number(f->n_frames, is_exact, all),
                 number(f->n_decoded, is_exact, decoded));
  if (!is_exact)
    gd_text_printf(out, "; from %s of the videos",
                   number((double)f->n_seen, 1, seen));
  if (f->n_unreadable > 0)
    gd_text_printf(out, "; %" PRId64 " cannot be read", f->n_unreadable);
  gd_text_printf(out, "\n%*sabout ", indent, "");
  add_bytes(f->kept_pixels, storage, quality, out);
  gd_text_printf(out, "\n%*sabout ", indent, "");
  add_time(f->core_s, "core-", out);
  if (free_bytes >= 0) {
    gd_forecast_bytes((double)free_bytes, room);
    gd_text_printf(out, "; %s free in %s", room, place);
  }
  gd_text_add(out, "\n");
}
