/** Values of keys: what a scalar of the manifest means, checked and typed. */
#ifndef GRADUS_MANIFEST_VALUE_H
#define GRADUS_MANIFEST_VALUE_H

#include <stdint.h>

#include "gradus/digest.h"
#include "keys.h"
#include "node.h"

typedef struct {
  const char *text;    /**< canonical: equal texts mean equal values */
  int64_t integer;     /**< INT, BYTES; FLAG: 0, 1; LIMIT: a count, or -1 */
  double real;         /**< REAL; LIMIT: a percentage */
  const double *reals; /**< REALS: gd_key.n of them */
  int is_file;         /**< FILE: `text` is a path, not one of the words */
  gd_digest content;   /**< of that file; set when the job is loaded */
  const gd_node *at;   /**< where it was written */
} gd_value;

/**
 * Read the value of a key.
 * @param[in] key  its type, range and words are checked
 * Errors: GD_ERR_USAGE with the place: what the key takes, what is there;
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_value_read(gd_arena *a, const gd_key *key,
                                     const gd_node *node, gd_value *out);

/** Write what a key takes, "an integer from 1 to 1000000", into out. */
void gd_key_describe(const gd_key *key, char *out, size_t out_bytes);

#endif
