/**
 * Face shards: aligned faces, from `align` to `train` and `evaluate`.
 *
 *   format gradus-faces 2, attributes: size_px, template (text: see
 *                                      gd_alignment_text())
 *   /faces         uint8 (N, S, S, 3)   RGB
 *   /box           float32 (N, 4)       x0 y0 x1 y1, px of the frame
 *   /landmarks     float32 (N, 5, 2)    x y, px of the frame; order as in
 *                                       gradus/face.h
 *   /confidence    float32 (N)          0 .. 1
 *   /sharpness     float32 (N)          of the aligned face: gradus/quality.h
 *   /status        uint8 (N)            gd_face_status
 *   /flags         uint8 (N)            GD_FACE_SEVERAL, _PROFILE, _PARTIAL
 *   /frame_index   int64 (N)
 *   /video         int32 (N)            index into the corpus
 *   /videos/...    see gradus/videos.h: the videos that have rows
 *   /missing       int64 (V)            frames of each video that gave no face
 *
 * Rows are in order of (video, frame_index); a video lies in one shard.
 */
#ifndef GRADUS_FACES_H
#define GRADUS_FACES_H

#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/face.h"
#include "gradus/status.h"
#include "gradus/videos.h"

typedef enum {
  GD_FACE_DETECTED,
  GD_FACE_TRACKED,  /**< between two detections */
  GD_FACE_FALLBACK, /**< policy for a frame without a face */
  GD_FACE_MISSING,  /**< counted, never stored */
  GD_N_FACE_STATUS
} gd_face_status;

/** Return the word for it: "detected", ... */
const char *gd_face_status_name(gd_face_status status);

/** What else is known of a face; may be combined. */
enum {
  GD_FACE_SEVERAL = 1, /**< its frame offered more than one face */
  GD_FACE_PROFILE = 2, /**< the nose lies beyond an eye: turned far aside */
  GD_FACE_PARTIAL = 4  /**< its box reaches out of the frame */
};

typedef struct {
  gd_face face;
  float sharpness; /**< see gradus/quality.h */
  gd_face_status status;
  uint8_t flags;
  int64_t frame_index;
  int32_t video;
} gd_face_info;

typedef struct gd_face_writer gd_face_writer;

/**
 * Begin a shard.
 * @param[in] digest         of the stage instance
 * @param[in] size_px        S
 * @param[in] face_template  alignment of all faces: see gd_alignment_text()
 * @param[in] videos         what video indices refer to; kept until the end;
 *                           rows of the videos that have faces are copied
 * Ends with: gd_face_writer_commit() or gd_face_writer_abandon()
 * Errors: GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_face_writer_create(const char *path, gd_digest digest,
                                             int size_px,
                                             const char *face_template,
                                             const gd_video_table *videos,
                                             gd_face_writer **out);
/**
 * Append a face, in order of (video, frame_index).
 * @param[in] rgb  (S, S, 3) uint8; borrowed for the call
 * Errors: GD_ERR_IO (disk full); the writer can then only be abandoned
 */
GD_NODISCARD gd_status gd_face_writer_append(gd_face_writer *w,
                                             const gd_face_info *info,
                                             const uint8_t *rgb);
/** Count frames of a video that gave no face. */
void gd_face_writer_missing(gd_face_writer *w, int32_t video, int64_t n);
/** Note a video that gives no faces at all, and why (the last reason). */
GD_NODISCARD gd_status gd_face_writer_skip(gd_face_writer *w, int32_t video);
/** Complete the shard.  Frees `w` either way. Errors: GD_ERR_IO, _NOMEM */
GD_NODISCARD gd_status gd_face_writer_commit(gd_face_writer *w);
void gd_face_writer_abandon(gd_face_writer *w); /**< NULL is allowed */

/**
 * Count the frames of a shard by status, missing ones included.
 * @param[out] counts  indexed by gd_face_status
 * Errors: GD_ERR_FORMAT, GD_ERR_IO
 */
GD_NODISCARD gd_status gd_face_shard_count(const char *path,
                                           int64_t counts[GD_N_FACE_STATUS]);

/** All face shards of one align directory, as one table of faces. */
typedef struct gd_face_set gd_face_set;

/**
 * Open every `faces-*.h5` of a directory (metadata only; pixels are read on
 * demand).
 * Ends with: gd_face_set_close()
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (which shard, and what is wrong)
 */
GD_NODISCARD gd_status gd_face_set_open(const char *directory,
                                        gd_face_set **out);
void gd_face_set_close(gd_face_set *s);
int gd_face_set_size_px(const gd_face_set *s);
/** Return how all its faces were aligned, as text; borrowed. */
const char *gd_face_set_template(const gd_face_set *s);
int64_t gd_face_set_n_faces(const gd_face_set *s);
/** The videos that have faces, in corpus order; borrowed. */
const gd_video_table *gd_face_set_videos(const gd_face_set *s);
/**
 * Give every video another partition, in memory alone: a fold's.
 * @param[in] partition  (n_videos) of gd_face_set_videos()
 */
void gd_face_set_divide(gd_face_set *s, const gd_partition *partition);
/** Return the row in gd_face_set_videos() that face i belongs to. */
int64_t gd_face_set_video_row(const gd_face_set *s, int64_t i);
/** Describe face i; faces are in order of (video, frame_index). */
gd_face_info gd_face_set_info(const gd_face_set *s, int64_t i);
/** Read face i: rgb (S, S, 3) uint8. Errors: GD_ERR_FORMAT, GD_ERR_IO */
GD_NODISCARD gd_status gd_face_set_read(gd_face_set *s, int64_t i,
                                        uint8_t *rgb);

#endif
