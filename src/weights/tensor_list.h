/** The tensors that a weights file says it holds, while it is being opened. */
#ifndef GRADUS_TENSOR_LIST_H
#define GRADUS_TENSOR_LIST_H

#include <stddef.h>

#include "gradus/weights.h"

enum { GD_WEIGHTS_NAME_MAX = 128 };

/** A tensor and where its values lie. */
typedef struct {
  char name[GD_WEIGHTS_NAME_MAX];     /**< with dots */
  char in_store[GD_WEIGHTS_NAME_MAX]; /**< HDF5: with slashes */
  char type[8];                       /**< "F32", ... */
  int rank;
  int64_t shape[GD_WEIGHTS_MAX_RANK];
  int64_t first_byte, end_byte; /**< where the values lie */
  int is_permuted; /**< PyTorch: values lie as `stride` says, in items */
  int64_t stride[GD_WEIGHTS_MAX_RANK];
} gd_tensor_place;

typedef struct {
  gd_tensor_place *items;
  int n;
  int64_t room;
} gd_tensor_list; /**< starts as {0}; items end with free() */

/** Append a tensor. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_tensor_list_add(gd_tensor_list *list,
                                          const gd_tensor_place *place);

/**
 * Read the header of a safetensors file.
 * @param[in]  header      JSON, n_bytes, followed by a zero
 * @param[in]  data_first  where the values begin in the file
 * @param[in]  data_bytes  how many bytes of values the file has
 * @param[out] list        appended to, in the header's order
 * Errors: GD_ERR_FORMAT (what contradicts what), GD_ERR_NOMEM
 * Source: https://github.com/huggingface/safetensors, README, "Format"
 */
GD_NODISCARD gd_status gd_safetensors_parse(const char *path,
                                            const char *header, size_t n_bytes,
                                            int64_t data_first,
                                            int64_t data_bytes,
                                            gd_tensor_list *list);

#endif
