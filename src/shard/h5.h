/**
 * HDF5, as the stores use it: the only file that includes its header.
 *
 * Inside src/shard only.  Identifiers that are returned are the caller's to
 * close; a negative one means failure, and gd_h5_fail() has HDF5's reason.
 */
#ifndef GRADUS_SHARD_H5_H
#define GRADUS_SHARD_H5_H

#include <hdf5.h>

#include "gradus/store.h"

/**
 * Be alone in HDF5 until the function returns: every entry to a store begins
 * with it.  Debian's HDF5 is built without locks of its own; here one thread
 * may read faces while another writes a checkpoint.  Entries may call entries.
 */
#define GD_H5_ALONE                                                            \
  __attribute__((cleanup(gd_h5_leave))) const int is_alone = gd_h5_enter()
int gd_h5_enter(void);
void gd_h5_leave(const int *is_alone);

/** Silence HDF5's own printing; every entry to a store calls it. */
void gd_h5_begin(void);

/**
 * Fail with `path: what: reason`, the reason taken from HDF5's stack of errors,
 * which is emptied.
 */
GD_NODISCARD gd_status gd_h5_fail(gd_status code, const char *path,
                                  const char *what);

/**
 * Let whatever HDF5 still writes to a file go nowhere.  After a failed write
 * (full disk) it could otherwise never close the file, and would crash on what
 * is left when the process, or MPI, ends.
 */
void gd_h5_divert(hid_t file);

/**
 * Find out whether the disk has room for what a flush would write: HDF5 1.10
 * cannot close a file after a flush that failed.
 * @param[in] reserved_bytes  of the file that HDF5 does not write
 * Errors: GD_ERR_IO (disk full, quota)
 */
GD_NODISCARD gd_status gd_h5_check_room(hid_t file, const char *path,
                                        int64_t reserved_bytes);

/**
 * Say whether an open file of the disk has become shorter than size_bytes.
 * HDF5 reads zeros beyond a file's end, and a chunk of zeros has the checksum
 * of one.
 */
int gd_h5_is_cut(hid_t file, int64_t size_bytes);

/** How files are opened: newest format, no locks. Ends with: H5Pclose() */
hid_t gd_h5_access(void);

/** A creation list of `class` that stores no times. Ends with: H5Pclose() */
hid_t gd_h5_timeless(hid_t class);

/** The predefined type of a dtype in files; not to be closed. */
hid_t gd_h5_file_type(gd_dtype dtype);

/**
 * A type of ours for files and for memory: numbers little-endian, texts padded
 * with zeros. Ends with: H5Tclose()
 */
hid_t gd_h5_type(gd_dtype dtype, size_t text_bytes);

/**
 * Select rows first .. first + n - 1 of a dataset.
 * @param[out] memory  the matching memory space. Ends with: H5Sclose()
 * @return the dataset's space with the selection. Ends with: H5Sclose()
 */
hid_t gd_h5_select(hid_t dataset, const gd_dataset *d, int64_t first, int64_t n,
                   hid_t *memory);

#endif
