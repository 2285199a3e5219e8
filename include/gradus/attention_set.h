/**
 * Attention sets: the maps of chosen faces, and the mean map of a partition.
 *
 *   format gradus-attention 1, attributes: partition, loss, n_levels, exact
 *   (1: the loss reads its level off one output, and a map adds up to it),
 *   size_px, template (of the faces), blurred (1: so are the faces), n_videos
 *   (that `mean` is over)
 *   /map          float32 (N, P, Q)      levels: gradus/attention.h
 *   /face         uint8 (N, S, S, 3)     RGB
 *   /video        int32 (N)              index into the corpus
 *   /id, /reason  text (N)               the video; why it was chosen
 *   /frame_index  int64 (N)
 *   /label        float64 (N)            of the video
 *   /predicted    float64 (N)            of the video
 *   /expected     float64 (N)            E of this frame
 *   /mean         float32 (P, Q)         mean over videos of the means over
 *                                        their frames, levels
 *
 * A cell of a map covers S / P by S / Q pixels of the face.
 */
#ifndef GRADUS_ATTENTION_SET_H
#define GRADUS_ATTENTION_SET_H

#include <stdint.h>

#include "gradus/corpus.h"
#include "gradus/digest.h"
#include "gradus/status.h"

enum { GD_ATTENTION_MOST = 64 };

/** A face that was chosen. */
typedef struct {
  int32_t video;
  char *id, *reason;
  int64_t frame_index;
  double label, predicted, expected; /**< levels */
  float *map;                        /**< (P, Q) levels */
  uint8_t *rgb;                      /**< (S, S, 3) */
} gd_attention_case;

typedef struct {
  gd_partition partition;
  char loss[32];
  int n_levels, is_exact;
  char face_template[256];
  int size_px, is_blurred; /**< of the faces */
  int rows, columns;       /**< P, Q */
  int n;
  gd_attention_case *cases; /**< (n) */
  int64_t n_videos;
  float *mean; /**< (P, Q) levels */
} gd_attention_set;

/**
 * Allocate a set; everything but its sizes is zero, and all texts are NULL.
 * @param[in] n  1 .. GD_ATTENTION_MOST
 * Ends with: gd_attention_set_free()
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_attention_set_new(int n, int size_px, int rows,
                                            int columns,
                                            gd_attention_set **out);
/** Free the texts and all else. NULL is allowed. */
void gd_attention_set_free(gd_attention_set *s);

/**
 * Write a set; it appears under its name when it is complete.
 * @param[in] digest  of the stage instance that made it
 * Errors: GD_ERR_IO (disk full), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_attention_set_write(const char *path,
                                              gd_digest digest,
                                              const gd_attention_set *s);
/**
 * Read a set.
 * Ends with: gd_attention_set_free()
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (what does not fit together), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_attention_set_read(const char *path,
                                             gd_attention_set **out);

#endif
