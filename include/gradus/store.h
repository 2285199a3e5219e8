/**
 * Stores: the HDF5 files that stages hand to one another.
 *
 * A store is a set of named datasets whose first dimension counts rows, and
 * attributes on the root.  One process writes it, row by row, under a
 * temporary name; it appears under its final name when it is complete.
 *
 *   /                 attributes: format, version, digest, and the format's own
 *   /<name>           float32, float64, uint8, int32, int64 (rows, ...), or
 *                     fixed-length UTF-8 text (rows); attributes `unit`, and
 *                     `xxh128`: the digest of its bytes, row-major, or
 *                     `first_block`: where its digests begin in /blocks
 *   /blocks           int64 (blocks, 2): digests of blocks of 4096 bytes, of
 *                     datasets that several processes wrote together
 *   /skipped/item,reason   text: input items that were left out, and why
 *
 * Equal content gives equal bytes: there are no times, host names or ranks in
 * it.  Any HDF5 tool reads it.  gd_store_verify() finds truncation and every
 * flipped byte: metadata have HDF5's checksums, data have their digests.
 *
 * The formats (frames, faces, model, scores) are written in terms of this
 * header; only src/shard/h5.h and the store know HDF5.
 */
#ifndef GRADUS_STORE_H
#define GRADUS_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/status.h"

typedef enum {
  GD_F32,
  GD_F64,
  GD_U8,
  GD_I32,
  GD_I64,
  GD_TEXT /**< rows of `text_bytes` characters, padded with zeros */
} gd_dtype;

enum {
  GD_STORE_MAX_RANK = 5,
  GD_STORE_NAME_MAX = 96,
  GD_STORE_REASON_MAX = 1024 /**< why an item was skipped, with the zero */
};

/** What a dataset is; a row is dims[1] x dims[2] x ... items. */
typedef struct {
  const char *name; /**< "faces", "videos/id": no leading slash */
  gd_dtype dtype;
  int rank;                        /**< 1 .. GD_STORE_MAX_RANK, rows included */
  int64_t dims[GD_STORE_MAX_RANK]; /**< dims[0]: rows; 0 while appending */
  int text_bytes;                  /**< GD_TEXT only */
  const char *unit;                /**< "px", "s", "level", ...; NULL: none */
} gd_dataset;

/** Return the bytes of one row. */
size_t gd_dataset_row_bytes(const gd_dataset *d);

/**
 * Start HDF5.  A program that uses MPI calls it before MPI_Init(): otherwise
 * HDF5 ties its own end to MPI_Finalize(), and there it crashes on a file that
 * a full disk kept it from closing.
 */
void gd_store_begin(void);

/* ---------------------------------------------------------------- writing */

typedef struct gd_store_writer gd_store_writer;

/**
 * Begin a store under its temporary name; mode 0600.
 * @param[in]  path     final name; copied
 * @param[in]  format   "gradus-frames", ...; version >= 1
 * @param[in]  digest   of the stage instance that writes it
 * @param[out] out      owned by the caller; NULL on failure
 * Ends with:  gd_store_commit(), gd_store_abandon(), or gd_store_end()
 * Collective: no
 * Errors:     GD_ERR_IO (cannot create), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_store_create(const char *path, const char *format,
                                       int version, gd_digest digest,
                                       gd_store_writer **out);
GD_NODISCARD gd_status gd_store_set_int(gd_store_writer *w, const char *name,
                                        int64_t value);
GD_NODISCARD gd_status gd_store_set_real(gd_store_writer *w, const char *name,
                                         double value);
GD_NODISCARD gd_status gd_store_set_text(gd_store_writer *w, const char *name,
                                         const char *value);
/** Give a group, "" the root, a list of texts: what Keras looks for. */
GD_NODISCARD gd_status gd_store_set_texts(gd_store_writer *w, const char *group,
                                          const char *name, int n,
                                          const char *const *texts);
/**
 * Declare a dataset that grows by gd_store_append(); dims[0] must be 0.
 * A chunk holds whole rows, about `chunk_bytes` of them (at least one row).
 */
GD_NODISCARD gd_status gd_store_declare(gd_store_writer *w, const gd_dataset *d,
                                        size_t chunk_bytes);
/**
 * Append rows to a declared dataset.
 * @param[in] rows  n_rows rows, contiguous; text rows are text_bytes each;
 *                  borrowed for the call
 * Errors: GD_ERR_IO (disk full); the writer can then only be abandoned
 */
GD_NODISCARD gd_status gd_store_append(gd_store_writer *w, const char *name,
                                       int64_t n_rows, const void *rows);
/** Remember how many rows the declared datasets have. */
void gd_store_mark(gd_store_writer *w);
/**
 * Forget the rows that were appended since the last mark, or since the datasets
 * were declared.
 * Errors: GD_ERR_IO; the writer can then only be abandoned
 */
GD_NODISCARD gd_status gd_store_rewind(gd_store_writer *w);
/**
 * Write a whole dataset of known size at once, stored contiguously.
 * Errors: GD_ERR_IO (disk full)
 */
GD_NODISCARD gd_status gd_store_put(gd_store_writer *w, const gd_dataset *d,
                                    const void *data);
/** Write a column of n texts (zero-terminated, any lengths) at once. */
GD_NODISCARD gd_status gd_store_put_texts(gd_store_writer *w, const char *name,
                                          int64_t n, const char *const *texts);
/**
 * Note an input item that was left out; kept under /skipped.
 * @param[in] item    of less than 8 GD_STORE_NAME_MAX bytes
 * @param[in] reason  cut to less than GD_STORE_REASON_MAX bytes
 */
GD_NODISCARD gd_status gd_store_skip(gd_store_writer *w, const char *item,
                                     const char *reason);

/** Where values that come later lie in the file, in bytes from its beginning.
 */
typedef struct {
  int64_t values;  /**< rows, contiguous, little-endian */
  int64_t digests; /**< of each GD_STORE_BLOCK_BYTES of them, the last may be
                        shorter: 16 bytes */
} gd_store_place;

enum { GD_STORE_BLOCK_BYTES = 4096 };

/** Return how many blocks a dataset of n_bytes has. */
int64_t gd_store_n_blocks(int64_t n_bytes);
/**
 * Make room for the digests of all datasets that are to be reserved.
 * @param[in] n_blocks  of them all together
 */
GD_NODISCARD gd_status gd_store_expect_blocks(gd_store_writer *w,
                                              int64_t n_blocks);
/**
 * Reserve a dataset of known size.  Its values come after gd_store_finish(),
 * by gd_store_fill(), from any process: the file needs no HDF5 for that.
 * @param[in]  d      numbers, dims[0] > 0
 * @param[out] place  where it will be
 */
GD_NODISCARD gd_status gd_store_reserve(gd_store_writer *w, const gd_dataset *d,
                                        gd_store_place *place);

/** Complete the file and give it its final name.  Frees `w` either way. */
GD_NODISCARD gd_status gd_store_commit(gd_store_writer *w);
/**
 * Complete the file but leave it under its temporary name, for
 * gd_file_publish() or a gd_publisher.  Frees `w` either way.
 */
GD_NODISCARD gd_status gd_store_finish(gd_store_writer *w);
/** Delete the unfinished file and free `w`.  NULL is allowed. */
void gd_store_abandon(gd_store_writer *w);
/**
 * Commit a store that was written without failure, abandon any other.
 * @param[in] st  what came of the writing; on failure `w` may be NULL
 * @return st where it is a failure, else what comes of the commit
 */
GD_NODISCARD gd_status gd_store_end(gd_store_writer *w, gd_status st);

/* ---------------------------------------------------------------- filling */

/** Consecutive whole blocks of a reserved dataset. */
typedef struct {
  gd_store_place at; /**< of the first of them */
  int64_t n_bytes;   /**< ends at a block's end, or at the dataset's */
  const void *values;
} gd_store_run;

/**
 * Write reserved values, and the digests of their blocks, into a finished file
 * that has its temporary name yet, and wait until the disk has them.
 * Processes and threads may fill different runs of one file at once; HDF5 is
 * not called.
 * @param[in] path  final name
 * Errors: GD_ERR_IO (disk full)
 */
GD_NODISCARD gd_status gd_store_fill(const char *path, int64_t n_runs,
                                     const gd_store_run *runs);

/* ---------------------------------------------------------------- reading */

typedef struct gd_store gd_store;

/**
 * Open a complete store.
 * @param[in] format  expected format; NULL: any
 * Ends with: gd_store_close()
 * Errors:    GD_ERR_IO (missing, unreadable), GD_ERR_FORMAT (no store, another
 *            format, a version newer than `version`, truncated)
 */
GD_NODISCARD gd_status gd_store_open(const char *path, const char *format,
                                     int version, gd_store **out);
/**
 * Likewise, of a store whose bytes are in memory.
 * @param[in] name   what messages call it
 * @param[in] bytes  copied
 */
GD_NODISCARD gd_status gd_store_open_bytes(const char *name, const void *bytes,
                                           size_t size_bytes,
                                           const char *format, int version,
                                           gd_store **out);
void gd_store_close(gd_store *s);             /**< NULL is allowed */
const char *gd_store_path(const gd_store *s); /**< borrowed */
gd_digest gd_store_digest(const gd_store *s); /**< of the writing instance */
int gd_store_has(const gd_store *s, const char *name); /**< a dataset? */
/** Say whether the root has an attribute. */
int gd_store_has_attribute(const gd_store *s, const char *name);
/** Errors: GD_ERR_FORMAT (no such attribute, or of another type) */
GD_NODISCARD gd_status gd_store_get_int(gd_store *s, const char *name,
                                        int64_t *out);
GD_NODISCARD gd_status gd_store_get_real(gd_store *s, const char *name,
                                         double *out);
/** @param[out] out  zero-terminated; a longer value is GD_ERR_FORMAT */
GD_NODISCARD gd_status gd_store_get_text(gd_store *s, const char *name,
                                         char *out, size_t out_bytes);
/**
 * Describe a dataset.
 * @param[out] d  d->name is the caller's `name`, d->unit is NULL
 * Errors: GD_ERR_FORMAT (missing, or of a type that no store has)
 */
GD_NODISCARD gd_status gd_store_describe(gd_store *s, const char *name,
                                         gd_dataset *d);
/**
 * Read rows first .. first + n_rows - 1.
 * @param[in]  expected  dtype, rank and dims[1..] that the caller relies on;
 *                       dims[0] and text_bytes are not compared for texts
 * @param[out] rows      room for n_rows rows
 * Errors: GD_ERR_FORMAT (another shape: found and expected are named; rows out
 *         of range; damaged chunk), GD_ERR_IO
 */
GD_NODISCARD gd_status gd_store_read(gd_store *s, const gd_dataset *expected,
                                     int64_t first, int64_t n_rows, void *rows);
/** Read one text of a column into out (zero-terminated). */
GD_NODISCARD gd_status gd_store_read_text(gd_store *s, const char *name,
                                          int64_t row, char *out,
                                          size_t out_bytes);
/** Return how many items were noted as skipped. */
int64_t gd_store_n_skipped(gd_store *s);
GD_NODISCARD gd_status gd_store_read_skipped(gd_store *s, int64_t i,
                                             char item[GD_STORE_NAME_MAX * 8],
                                             char reason[GD_STORE_REASON_MAX]);
/**
 * Call `visit` for every item that was noted as skipped, in the order of the
 * notes.
 * The first status other than GD_OK ends the walk and is returned.
 */
GD_NODISCARD gd_status gd_store_each_skipped(
    gd_store *s,
    gd_status (*visit)(void *context, const char *item, const char *reason),
    void *context);
/**
 * Call `visit` for every dataset, in order of name.
 * The first status other than GD_OK ends the walk and is returned.
 */
GD_NODISCARD gd_status gd_store_each(gd_store *s,
                                     gd_status (*visit)(void *context,
                                                        const gd_dataset *d),
                                     void *context);
/**
 * Read everything and compare it with its digests.
 * Errors: GD_ERR_FORMAT (which dataset does not hold what was written),
 *         GD_ERR_IO (not all bytes can be read, or there is no file)
 */
GD_NODISCARD gd_status gd_store_verify(const char *path);

#endif
