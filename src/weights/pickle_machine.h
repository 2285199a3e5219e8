/**
 * The stack machine that a pickle is a program for, with the few opcodes and
 * names that a dictionary of tensors takes: see weights/pickle.h.
 */
#ifndef GRADUS_PICKLE_MACHINE_H
#define GRADUS_PICKLE_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/status.h"

enum { GD_PICKLE_MOST_VALUES = 1 << 22 }; /**< far above what a net needs */

typedef enum {
  GD_PICKLED_NOTHING, /**< None, or what nobody asks for: reals, states */
  GD_PICKLED_NUMBER,
  GD_PICKLED_TEXT,
  GD_PICKLED_NAME, /**< "module name", of something to import */
  GD_PICKLED_TUPLE,
  GD_PICKLED_LIST,
  GD_PICKLED_DICT, /**< items: key, value, key, value ... */
  GD_PICKLED_STORAGE,
  GD_PICKLED_TENSOR, /**< items: storage, sizes, strides */
  GD_PICKLED_MARK
} gd_pickled_kind;

typedef struct {
  gd_pickled_kind kind;
  int64_t number; /**< a storage's items; a tensor's first item in it */
  char *text;     /**< of texts and names; a storage's key, borrowed */
  char type[8];   /**< of a storage: "F32" */
  int *items;     /**< numbers of values; see gd_pickled_item() */
  int n_items;
  int64_t items_room;
} gd_pickled;

typedef struct {
  const char *path; /**< for reasons */
  const uint8_t *data;
  size_t at, n_bytes;
  size_t opcode_at; /**< of the opcode that runs */
  gd_pickled *values;
  int n_values;
  int64_t n_items; /**< of all values */
  int *stack, *memo;
  int n_stack, n_memo;
  int64_t values_room, stack_room, memo_room;
} gd_pickle_machine; /**< starts with path, data and n_bytes */

/**
 * Run the program: one value is left on the stack, `at` is behind its end.
 * Ends with: gd_pickle_machine_end(), on failure too
 * Errors: GD_ERR_FORMAT (which opcode or name is refused, and where),
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_pickle_machine_run(gd_pickle_machine *m);
void gd_pickle_machine_end(gd_pickle_machine *m);

/** Return the value on top of the stack. */
const gd_pickled *gd_pickle_machine_top(const gd_pickle_machine *m);
/** Return item i of a value, NULL if it has fewer. */
gd_pickled *gd_pickled_item(const gd_pickle_machine *m, const gd_pickled *v,
                            int i);
/** Say whether a value is there, and of this kind. */
int gd_pickled_is(const gd_pickled *v, gd_pickled_kind kind);

#endif
