/** What changes a manifest's tree before it is checked: variables, `--set`. */
#ifndef GRADUS_MANIFEST_OVERRIDE_H
#define GRADUS_MANIFEST_OVERRIDE_H

#include "facts.h"
#include "node.h"

/**
 * Replace ${NAME} and ${NAME:-default} in every scalar; "$${" is a plain "${".
 * Errors: GD_ERR_USAGE with the place (variable not set, brace not closed)
 */
GD_NODISCARD gd_status gd_override_variables(gd_arena *a, gd_facts *facts,
                                             gd_node *node);
/**
 * Apply "stage.key=value", "corpus.key=value", "work=value",
 * "sweep.stage.key=[values]", "slurm.stage.key=value" to the tree.  A stage's
 * key that is set is no longer swept.
 * Errors: GD_ERR_USAGE (shows the text: no '=', no such stage, no YAML)
 */
GD_NODISCARD gd_status gd_override_set(gd_arena *a, gd_facts *facts,
                                       gd_node *root, const char *set);

#endif
