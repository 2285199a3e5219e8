/**
 * The index store: what is known of a corpus's videos, kept beside the frames
 * that were extracted with it.
 *
 *   index-NNNNN.h5   the videos whose id hashes to that number; the number of
 *                    files follows from the number of videos alone
 *     format gradus-index 1
 *     /id            text (V), and its digest: /key int64 (V, 2)
 *     /size_bytes, /modified_ns  int64 (V), /sample int64 (V, 2): fingerprint
 *     /offset        int64 (V + 1): where each index begins in
 *     /index         uint8: the packed indices, one after another
 *     /skipped/...   videos that could not be indexed, and why
 *
 * The one idea: an entry belongs to a file, not to a run.  It holds for any
 * video of that id and fingerprint, so that an extraction with other parameters
 * takes it over from its neighbour's directory, and `gradus plan` counts frames
 * without opening a video.
 */
#ifndef GRADUS_INDEX_STORE_H
#define GRADUS_INDEX_STORE_H

#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/fingerprint.h"
#include "gradus/status.h"
#include "gradus/video_index.h"

enum { GD_INDEX_NAME_BYTES = 32 };

/** Return how many files the store of so many videos has. */
int64_t gd_index_store_n_files(int64_t n_videos);
/** Return which of n files a video belongs to, 0 .. n-1. */
int64_t gd_index_store_file_of(const char *id, int64_t n_files);
/** Write the name of a file, "index-00003.h5". */
void gd_index_store_name(int64_t file, char out[GD_INDEX_NAME_BYTES]);

/* ---------------------------------------------------------------- writing */

typedef struct gd_index_writer gd_index_writer;

/**
 * Begin a file of the store.
 * Ends with: gd_index_writer_commit() or gd_index_writer_abandon()
 * Errors: GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_index_writer_create(const char *path,
                                              gd_digest digest,
                                              gd_index_writer **out);
/** Append a video. Errors: GD_ERR_IO (disk full), GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_index_writer_append(gd_index_writer *w,
                                              const char *id,
                                              const gd_fingerprint *fingerprint,
                                              const gd_video_index *index);
/** Note a video that has no index, and why (the last reason). */
GD_NODISCARD gd_status gd_index_writer_skip(gd_index_writer *w, const char *id);
/** Complete the file and give it its name.  Frees `w` either way. */
GD_NODISCARD gd_status gd_index_writer_commit(gd_index_writer *w);
void gd_index_writer_abandon(gd_index_writer *w); /**< NULL is allowed */

/* ---------------------------------------------------------------- reading */

typedef struct gd_index_store gd_index_store;

/**
 * Begin to look indices up in the stores of some directories, the first that
 * has an entry first.  What is missing or damaged is passed over.
 * @param[in] directories  n_directories paths; copied
 * @param[in] n_videos     of the corpus
 * Ends with: gd_index_store_close()
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_index_store_open(const char *const *directories,
                                           int64_t n_directories,
                                           int64_t n_videos,
                                           gd_index_store **out);
/**
 * Look a video up by its id and the content of its file.  Cheap for videos of
 * the same file of the store one after another.
 * @param[in]  path         of the video, for the index to be opened with
 * @param[in]  fingerprint  of the video's file now
 * @param[out] out          ends with gd_video_index_free(); NULL: not there
 * @param[out] then         its fingerprint when it was indexed: only the time
 *                          may differ; NULL: not wanted
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_index_store_find(gd_index_store *s, const char *id,
                                           const char *path,
                                           const gd_fingerprint *fingerprint,
                                           gd_video_index **out,
                                           gd_fingerprint *then);
/** Look only whether there is an entry; as gd_index_store_find(). */
GD_NODISCARD gd_status gd_index_store_has(gd_index_store *s, const char *id,
                                          const gd_fingerprint *fingerprint,
                                          int *has, gd_fingerprint *then);
/**
 * Check that a file is whole and of this program's version.
 * Errors: GD_ERR_FORMAT (it is not), GD_ERR_IO
 */
GD_NODISCARD gd_status gd_index_store_check(const char *path);
void gd_index_store_close(gd_index_store *s); /**< NULL is allowed */

#endif
