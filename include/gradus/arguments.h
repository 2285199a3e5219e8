/**
 * Arguments of a command: options and operands, checked against a table.
 *
 *     --name value   --name=value   --flag   operand   -- operand...
 *
 * The same table prints the command's help.
 */
#ifndef GRADUS_ARGUMENTS_H
#define GRADUS_ARGUMENTS_H

#include "gradus/status.h"

/** How often an option is given: once at most, any number of times, or once,
 * which the command checks. */
typedef enum {
  GD_OPTION_ONCE,
  GD_OPTION_REPEATS,
  GD_OPTION_NEEDED
} gd_option_times;

typedef struct {
  const char *name;      /**< "--set" */
  const char *value;     /**< what its value is called, NULL: a flag */
  gd_option_times times; /**< the help shows it */
  const char *sentence;  /**< for the help */
} gd_option;

typedef struct gd_arguments gd_arguments;

/**
 * Parse the words after the command's name.
 * @param[in]  options  n_options of them; kept
 * @param[in]  argv     n_words words; kept
 * Ends with: gd_arguments_free()
 * Errors: GD_ERR_USAGE (unknown option with the nearest one, value missing or
 *         unexpected, given twice), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_arguments_parse(const gd_option *options,
                                          int n_options, int n_words,
                                          const char *const *words,
                                          gd_arguments **out);
void gd_arguments_free(gd_arguments *a);

int gd_arguments_n_operands(const gd_arguments *a);
const char *gd_arguments_operand(const gd_arguments *a, int i);
/** Return how often an option was given; it must be in the table. */
int gd_arguments_count(const gd_arguments *a, const char *name);
/** Return the value of an option, NULL if it was not given. */
const char *gd_arguments_value(const gd_arguments *a, const char *name);
/** Return all values of an option, gd_arguments_count() of them. */
const char *const *gd_arguments_values(const gd_arguments *a, const char *name);

#endif
