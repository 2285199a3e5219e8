/**
 * Weights files: named float32 tensors, from safetensors, HDF5, PyTorch or
 * Caffe.
 *
 *   safetensors   uint64 length, JSON header, data (little-endian)
 *   HDF5          float32 datasets in groups, `pnet/conv1/weight`
 *   PyTorch       what torch.save(net.state_dict()) writes, .pt or .pth: a
 *                 pickle and its storages, of any version since 0.4
 *   Caffe         .caffemodel; blob i of a layer is `layer.i`
 *
 * All kinds give the same names: groups are joined by dots.  A file is foreign
 * input: every length in it is checked against the file's own size before it is
 * used, a tensor of another shape than asked for is refused, and nothing that a
 * pickle asks for is run.
 */
#ifndef GRADUS_WEIGHTS_H
#define GRADUS_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/status.h"

enum { GD_WEIGHTS_MAX_RANK = 4 };

/** One tensor of a file; its texts are borrowed from the file. */
typedef struct {
  const char *name; /**< "pnet.conv1.weight" */
  const char *type; /**< "F32"; of another type, a tensor cannot be read */
  int rank;
  int64_t shape[GD_WEIGHTS_MAX_RANK];
} gd_weights_entry;

typedef struct gd_weights gd_weights;

/**
 * Open a file; its first bytes say which kind it is, Caffe's have none that do
 * and are known by the name's ending, .caffemodel.
 * Ends with: gd_weights_close()
 * Errors: GD_ERR_IO (missing, unreadable), GD_ERR_FORMAT (neither kind,
 *         truncated, header contradicts itself or the file's size, a tensor
 *         of more than GD_WEIGHTS_MAX_RANK dimensions), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_weights_open(const char *path, gd_weights **out);
/**
 * Likewise, of the bytes of an HDF5 file in memory.
 * @param[in] name   what messages call it
 * @param[in] bytes  copied
 */
GD_NODISCARD gd_status gd_weights_open_bytes(const char *name,
                                             const void *bytes,
                                             size_t size_bytes,
                                             gd_weights **out);
void gd_weights_close(gd_weights *w); /**< NULL is allowed */

int gd_weights_n(const gd_weights *w);
/** Describe tensor i, in the order of their names. */
gd_weights_entry gd_weights_at(const gd_weights *w, int i);

/**
 * Read one tensor, row-major.
 * @param[in]  shape   `rank` sizes that it must have
 * @param[out] values  room for their product
 * Errors: GD_ERR_FORMAT (no such tensor; another type or shape: found and
 *         expected; a value is not finite), GD_ERR_IO
 */
GD_NODISCARD gd_status gd_weights_read(gd_weights *w, const char *name,
                                       int rank, const int64_t *shape,
                                       float *values);

#endif
