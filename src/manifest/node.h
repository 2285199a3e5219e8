/**
 * What a manifest says, before anybody asks what it means: a tree of maps,
 * lists and scalars, each of which knows where it was written.
 *
 * The tree comes from a file or from the text of one `--set`; an error shows
 * the place in either.
 */
#ifndef GRADUS_MANIFEST_NODE_H
#define GRADUS_MANIFEST_NODE_H

#include "arena.h"
#include "gradus/status.h"

typedef enum { GD_NODE_SCALAR, GD_NODE_LIST, GD_NODE_MAP } gd_node_kind;

/** Where nodes come from; lives as long as they do. */
typedef struct {
  const char *name; /**< of the file, "--set", "default" */
  const char *text; /**< all of it, to show a line */
  int is_file;      /**< lines and columns mean something to the reader */
} gd_source;

typedef struct gd_node gd_node;
struct gd_node {
  gd_node_kind kind;
  const gd_source *source;
  int line, column; /**< from 1; columns count characters, not bytes */
  int quoted;       /**< the scalar stood in quotes */
  const char *text; /**< of a scalar, else NULL */
  int n;            /**< items of a list or map */
  gd_node **items;  /**< values */
  gd_node **keys;   /**< of a map: scalars, none twice; else NULL */
};

/**
 * Read YAML.
 * @param[out] out  owned by the arena
 * Errors: GD_ERR_USAGE with place, line and caret: not YAML, a key twice,
 *         nested too deep, more than one document; GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_node_parse(gd_arena *a, const gd_source *source,
                                     gd_node **out);

/** Return "a text", "a list" or "a map". */
const char *gd_node_kind_text(const gd_node *node);
/** Return the index of a key of a map, or -1. */
int gd_node_find(const gd_node *map, const char *key);
/** Return the value of a key of a map, or NULL. */
gd_node *gd_node_get(const gd_node *map, const char *key);
/** Replace the value of a key, or append key and value. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_node_put(gd_arena *a, gd_node *map, gd_node *key,
                                   gd_node *value);
/** Remove an item of a map or list. */
void gd_node_remove(gd_node *node, int i);
/** Make a scalar. Returns NULL with the reason set when out of memory. */
gd_node *gd_node_scalar(gd_arena *a, const gd_source *source, int column,
                        const char *text, size_t length);

/**
 * Fail at a place of the manifest: GD_ERR_USAGE with
 *
 *     file:line:column: error: what; did you mean 'nearest'?
 *       the line
 *       ^~~~
 *
 * @param[in] nearest  the valid word that was perhaps meant, or NULL
 */
GD_NODISCARD gd_status gd_node_fail(const gd_node *at, const char *nearest,
                                    const char *format, ...) GD_PRINTF(3, 4);
/**
 * Add the place to the reason of what has failed beyond the manifest.
 * @param[in] st  GD_OK, GD_ERR_IO and GD_ERR_NOMEM are returned as they are: a
 *                failure of the world may pass.  All else is GD_ERR_USAGE.
 */
GD_NODISCARD gd_status gd_node_blame(const gd_node *at, gd_status st);

#endif
