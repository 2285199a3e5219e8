/**
 * The layout of frame shards, shared by the writer and the set: see
 * gradus/frames.h for what the datasets hold.
 */
#ifndef GRADUS_SHARD_FRAMES_FORMAT_H
#define GRADUS_SHARD_FRAMES_FORMAT_H

#include "gradus/frames.h"

#define GD_FRAMES_FORMAT "gradus-frames"
enum { GD_FRAMES_VERSION = 2, GD_NOTE_MAX = 512 };

/* The columns with one row per frame. */
enum {
  GD_FRAMES_INDEX,
  GD_FRAMES_TIME,
  GD_FRAMES_STATUS,
  GD_FRAMES_VIDEO,
  GD_FRAMES_COLUMNS
};
static const gd_dataset GD_FRAMES_COLUMN[GD_FRAMES_COLUMNS] = {
    {.name = "frame_index", .dtype = GD_I64, .rank = 1},
    {.name = "time_s", .dtype = GD_F64, .rank = 1, .unit = "s"},
    {.name = "status", .dtype = GD_U8, .rank = 1},
    {.name = "video", .dtype = GD_I32, .rank = 1}};

/* Where the pixels are. */
static const gd_dataset GD_FRAMES_BYTES = {
    .name = "bytes", .dtype = GD_U8, .rank = 1};
static const gd_dataset GD_FRAMES_OFFSET = {
    .name = "offset", .dtype = GD_I64, .rank = 1};
static const gd_dataset GD_FRAMES_LAYOUT_OF = {
    .name = "layout_of", .dtype = GD_I32, .rank = 1};

static inline gd_dataset gd_frames_pixels(int height_px, int width_px)
{
  return (gd_dataset){.name = "frames",
                      .dtype = GD_U8,
                      .rank = 4,
                      .dims = {0, height_px, width_px, 3}};
}

#define GD_FRAMES_DROP "drop"
#define GD_FRAMES_KEEP "keep"

/* The numbers of a reading, in the order of gd_frame_reading. */
enum { GD_READING_NUMBERS = 6 };
static const char *const GD_READING_NAMES[GD_READING_NUMBERS] = {
    "readings/video",  "readings/first_frame", "readings/n_decoded",
    "readings/n_lost", "readings/n_kept",      "readings/n_damaged"};
#define GD_READING_NOTE "readings/note"

static inline gd_dataset gd_reading_column(int i, int64_t n_rows)
{
  return (gd_dataset){.name = GD_READING_NAMES[i],
                      .dtype = GD_I64,
                      .rank = 1,
                      .dims = {n_rows}};
}

#endif
