/**
 * The layout of face shards, shared by the writer and the set: see
 * gradus/faces.h for what the datasets hold.
 */
#ifndef GRADUS_SHARD_FACES_FORMAT_H
#define GRADUS_SHARD_FACES_FORMAT_H

#include "gradus/faces.h"

#define GD_FACES_FORMAT "gradus-faces"
enum {
  GD_FACES_VERSION = 2,
  GD_FACES_TEMPLATE_MAX = 256,
  GD_FACES_MAX_PX = 8192
};

static const gd_dataset GD_FACES_BOX = {
    .name = "box", .dtype = GD_F32, .rank = 2, .dims = {0, 4}, .unit = "px"};
static const gd_dataset GD_FACES_LANDMARKS = {.name = "landmarks",
                                              .dtype = GD_F32,
                                              .rank = 3,
                                              .dims = {0, 5, 2},
                                              .unit = "px"};
static const gd_dataset GD_FACES_CONFIDENCE = {
    .name = "confidence", .dtype = GD_F32, .rank = 1};
static const gd_dataset GD_FACES_SHARPNESS = {
    .name = "sharpness", .dtype = GD_F32, .rank = 1};
static const gd_dataset GD_FACES_FLAGS = {
    .name = "flags", .dtype = GD_U8, .rank = 1};
static const gd_dataset GD_FACES_STATUS = {
    .name = "status", .dtype = GD_U8, .rank = 1};
static const gd_dataset GD_FACES_INDEX = {
    .name = "frame_index", .dtype = GD_I64, .rank = 1};
static const gd_dataset GD_FACES_VIDEO = {
    .name = "video", .dtype = GD_I32, .rank = 1};
static const gd_dataset GD_FACES_MISSING = {
    .name = "missing", .dtype = GD_I64, .rank = 1};

static inline gd_dataset gd_faces_pixels(int size_px)
{
  return (gd_dataset){.name = "faces",
                      .dtype = GD_U8,
                      .rank = 4,
                      .dims = {0, size_px, size_px, 3}};
}

#endif
