/** A small corpus for tests of what carries the table of videos along. */
#ifndef GRADUS_TEST_VIDEOS_H
#define GRADUS_TEST_VIDEOS_H

#include "gradus/corpus.h"

enum { GD_TEST_VIDEOS = 4 };

static const gd_video gd_test_video_rows[GD_TEST_VIDEOS] = {
    {"a/one", "/data/a/one.mp4", "", "anna", "Freeform", GD_TRAIN, 3, 2},
    {"a/two", "/data/a/two.avi", "/data/a/two.csv", "anna", "Northwind",
     GD_TRAIN, 11.5, 2},
    {"b/drei \xc3\xa9", "/data/b/drei \xc3\xa9.mp4", "", "bob", "", GD_DEV, 0,
     1},
    {"c", "/data/c.mp4", "", "carl", "", GD_TEST, 63, 3},
};
static const gd_corpus gd_test_corpus = {.videos = gd_test_video_rows,
                                         .n_videos = GD_TEST_VIDEOS};

#endif
