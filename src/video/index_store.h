/** Datasets of an index file, for who writes and who reads them. */
#ifndef GRADUS_VIDEO_INDEX_STORE_H
#define GRADUS_VIDEO_INDEX_STORE_H

#include "gradus/store.h"

#define GD_INDEX_FORMAT  "gradus-index"
#define GD_INDEX_PACKING "index_version" /* of the packed indices */
enum { GD_INDEX_VERSION = 1 };

static const gd_dataset GD_INDEX_KEY = {
    .name = "key", .dtype = GD_I64, .rank = 2, .dims = {0, 2}};
static const gd_dataset GD_INDEX_SIZE = {
    .name = "size_bytes", .dtype = GD_I64, .rank = 1, .unit = "bytes"};
static const gd_dataset GD_INDEX_TIME = {
    .name = "modified_ns", .dtype = GD_I64, .rank = 1, .unit = "ns"};
static const gd_dataset GD_INDEX_SAMPLE = {
    .name = "sample", .dtype = GD_I64, .rank = 2, .dims = {0, 2}};
static const gd_dataset GD_INDEX_OFFSET = {
    .name = "offset", .dtype = GD_I64, .rank = 1, .unit = "bytes"};
static const gd_dataset GD_INDEX_BYTES = {
    .name = "index", .dtype = GD_U8, .rank = 1};

#endif
