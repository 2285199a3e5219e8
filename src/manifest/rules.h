/**
 * The rules of each kind's values: what a key means by itself is in the table
 * of keys, what it means beside others, behind its inputs and on this corpus is
 * here.  Private to this room.
 */
#ifndef GRADUS_MANIFEST_RULES_H
#define GRADUS_MANIFEST_RULES_H

#include "instance.h"

/**
 * Settle the defaults that depend on other values, and refuse values that do
 * not go together.
 * @param[in]     s       connected to its inputs
 * @param[in,out] values  of its section; those without a text follow others
 * Errors: GD_ERR_USAGE with the place, GD_ERR_NOMEM, and those of
 *         gd_facts_model()
 */
GD_NODISCARD gd_status gd_rules_apply(const gd_instance *s, gd_value *values);

#endif
