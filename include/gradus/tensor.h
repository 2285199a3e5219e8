/**
 * Tensors: the letters for shapes, and the table of a network's weights.
 *
 *   N sample   C channel   H row   W column
 *   K output channel (or level)   R x S kernel rows x columns
 *
 * Activations, of the net's precision, are channels last, (N, H, W, C) without
 * gaps.  All weights
 * of a network lie in ONE block of floats, each tensor row-major without gaps
 * as (K, C, R, S), (K, C) or (K): one allocation, one reduction, one checkpoint
 * write.  All running statistics of batch norm lie in another.  A table says
 * which tensor lies where, under the name that torchvision gives it.
 */
#ifndef GRADUS_TENSOR_H
#define GRADUS_TENSOR_H

#include <stdint.h>

#include "gradus/status.h"

typedef enum {
  GD_TENSOR_CONV,     /**< (K, C, R, S) */
  GD_TENSOR_GAMMA,    /**< (K): batch norm's factor, `bn1.weight` */
  GD_TENSOR_BETA,     /**< (K): batch norm's addend, `bn1.bias` */
  GD_TENSOR_DENSE,    /**< (K, C) */
  GD_TENSOR_BIAS,     /**< (K): bias of a dense layer */
  GD_TENSOR_MEAN,     /**< (K): running mean */
  GD_TENSOR_VARIANCE, /**< (K): running variance, unbiased */
} gd_tensor_kind;

enum { GD_TENSOR_NAME = 64, GD_TENSOR_RANK = 4 };

typedef struct {
  char name[GD_TENSOR_NAME];
  int64_t offset; /**< first float in the block */
  int64_t count;  /**< number of floats: the product of shape[0..rank-1] */
  int rank;
  int shape[GD_TENSOR_RANK];
  gd_tensor_kind kind;
} gd_tensor_entry;

typedef struct {
  gd_tensor_entry *entries; /**< in the order of the block, without gaps */
  int n_entries;
  int64_t count;   /**< floats of the whole block */
} gd_tensor_table; /**< starts as {0}; ends with gd_tensor_table_free() */

/**
 * Append a tensor behind the last one.
 * @param[in] shape  `rank` positive sizes, 1 <= rank <= GD_TENSOR_RANK
 * Errors: GD_ERR_NOMEM; the table is then as before
 */
GD_NODISCARD gd_status gd_tensor_table_add(gd_tensor_table *t, const char *name,
                                           gd_tensor_kind kind, int rank,
                                           const int *shape);
/** Return the tensor of that name, borrowed, or NULL. */
const gd_tensor_entry *gd_tensor_table_find(const gd_tensor_table *t,
                                            const char *name);
/** Return the tensor that holds float `at` of the block; borrowed. */
const gd_tensor_entry *gd_tensor_table_at(const gd_tensor_table *t, int64_t at);
/** Free the entries and empty the table. */
void gd_tensor_table_free(gd_tensor_table *t);

#endif
