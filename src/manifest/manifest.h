/**
 * A manifest that has been checked: stages with typed parameters, what they
 * take from one another, and the axes of the sweep.
 *
 * What is still to come is multiplication: instance.c makes one instance for
 * each combination of the axes that a stage varies with.
 */
#ifndef GRADUS_MANIFEST_MANIFEST_H
#define GRADUS_MANIFEST_MANIFEST_H

#include "facts.h"
#include "keys.h"
#include "node.h"
#include "value.h"

enum { GD_FROM_BLOCK = -1 }; /**< takes the `corpus:` block, no stage */

typedef struct {
  const char *name;
  const gd_node *at; /**< the name, where it was written */
  const gd_section *section;
  gd_value *values; /**< section->n_keys, before any sweep */
  int n_from;
  int *from; /**< stages, or GD_FROM_BLOCK; as the section lists kinds */
  const gd_node **from_at;
  unsigned char *varies; /**< per axis: its own, or upstream */
} gd_declared;

/** One axis of the sweep: one key of a stage, or several by `zip`. */
typedef struct {
  int stage;
  int zipped; /**< written under `zip` */
  int n_keys;
  int *keys; /**< indices in the section of the stage */
  int n_values;
  gd_value *values; /**< (n_values, n_keys) */
} gd_axis;

typedef struct {
  gd_arena *arena;
  gd_facts *facts;
  const gd_node *root;
  const char *name, *work;
  gd_value *corpus; /**< keys of the `corpus:` block, or NULL */
  const gd_node *corpus_at;
  gd_value **slurm; /**< per stage, the last one `defaults`; or NULL */
  unsigned char **slurm_given; /**< likewise: which keys were written */
  int n_stages;
  gd_declared *stages; /**< as written */
  int *order;          /**< stages, inputs first */
  int n_axes;
  gd_axis *axes;
} gd_manifest;

/**
 * Check a tree.
 * @param[in]  arena, facts, root  kept as long as the manifest
 * @param[out] m                   filled; everything is owned by the arena
 * Errors: GD_ERR_USAGE with the place; GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_manifest_check(gd_arena *arena, gd_facts *facts,
                                         const gd_node *root, gd_manifest *m);
/** Read the `sweep:` block into the manifest's axes. */
GD_NODISCARD gd_status gd_manifest_sweep(gd_manifest *m, const gd_node *sweep);
/** Find the stage of a name, or return -1. */
int gd_manifest_stage(const gd_manifest *m, const char *name);
/** Fail at a node that names no stage, with the nearest one that does. */
GD_NODISCARD gd_status gd_manifest_no_stage(const gd_manifest *m,
                                            const gd_node *at);

/**
 * Read all keys of a section from a map, defaults included.
 * @param[in]  missing  where a required key would have been
 * @param[in]  others   further words of the map, left to the caller, or NULL
 * @param[out] values, given  per key: its value, whether it was written;
 *                      `given` may be NULL
 * Errors: GD_ERR_USAGE with the place; GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_manifest_section(gd_arena *a,
                                           const gd_section *section,
                                           gd_node *map, const gd_node *missing,
                                           const char *others,
                                           gd_value **values,
                                           unsigned char **given);

/** Called with each key that a map gives, nested or dotted. */
typedef gd_status gd_key_visit(void *context, int key, const gd_node *at,
                               gd_node *value);
/**
 * Walk through the keys of a section in a map; `others` are further words that
 * the map may have, "stage|from", left to the caller.
 * Errors: GD_ERR_USAGE (unknown key, key twice), and what `visit` returns
 */
GD_NODISCARD gd_status gd_manifest_walk(gd_arena *a, const gd_section *section,
                                        gd_node *map, const char *others,
                                        gd_key_visit *visit, void *context);

#endif
