/**
 * Pictures as a decoder gives them: planes, and what is needed to show them.
 *
 *   planes + layout --gd_converter--> RGB as displayed
 *
 * The one idea: what is kept of a video is what the decoder gave, bit for bit;
 * colour, turning and pixel shape are applied when RGB is asked for.  So the
 * layout has to say everything that showing the planes takes.
 *
 * Displayed size: pixels that are not square are made so by enlarging the
 * picture along one side, never by shrinking it: no row or column that was
 * recorded is thrown away.  A pixel more than GD_PICTURE_MAX_ASPECT times as
 * long as it is wide is taken for a damaged header and left as it is.  Then the
 * picture is turned.
 */
#ifndef GRADUS_PICTURE_H
#define GRADUS_PICTURE_H

#include <stdint.h>

enum {
  GD_PICTURE_PLANES = 4,
  GD_PIXEL_FORMAT_MAX = 24, /**< bytes of a pixel format's name */
  GD_PICTURE_MAX_ASPECT = 8
};

typedef enum {
  GD_RANGE_UNTAGGED,
  GD_RANGE_LIMITED,
  GD_RANGE_FULL
} gd_range_tag;

typedef struct {
  int width_px, height_px; /**< as decoded */
  /** FFmpeg's name: "yuv420p", "gray10le"; the "yuvj" names, which mean a
   * range, are not used. */
  char pixel_format[GD_PIXEL_FORMAT_MAX];
  int matrix;         /**< MatrixCoefficients of ITU-T H.273; 2: untagged */
  gd_range_tag range; /**< of the samples */
  /** Where chroma samples lie: Chroma420SampleLocType of H.273 + 1; 0:
   * untagged.  For other readers: conversion here does not use it. */
  int chroma_site;
  int pixel_aspect[2]; /**< width : height of a pixel as decoded; 1 : 1 */
  /** Source pixel (x, y) is displayed at (d0 x + d2 y, d1 x + d3 y), shifted so
   * that all are >= 0; each is -1, 0 or 1. */
  int display[4];
} gd_picture_layout;

/** A picture; planes are borrowed from whoever made it. */
typedef struct {
  gd_picture_layout layout;
  const uint8_t *planes[GD_PICTURE_PLANES]; /**< NULL: not in this format */
  int stride_bytes[GD_PICTURE_PLANES];      /**< from row to row */
} gd_picture;

/** The layout of an upright picture of square pixels, untagged. */
gd_picture_layout gd_picture_layout_of(int width_px, int height_px,
                                       const char *pixel_format);
/** Lend RGB pixels, (height_px, width_px, 3) uint8, as a picture. */
gd_picture gd_picture_of_rgb(int width_px, int height_px, const uint8_t *rgb);
int gd_picture_layout_equal(const gd_picture_layout *a,
                            const gd_picture_layout *b);
/** Tell how large a picture is when it is displayed; see above. */
void gd_picture_displayed(const gd_picture_layout *layout, int *width_px,
                          int *height_px);
/** Return how far it is turned clockwise: 0, 90, 180 or 270 degrees. */
int gd_picture_rotation(const gd_picture_layout *layout);
/** Are left and right exchanged after turning? */
int gd_picture_is_mirrored(const gd_picture_layout *layout);

#endif
