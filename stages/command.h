/**
 * Commands of the program: one `gd_command` each, in a file of its own,
 * listed in gradus.c.  From the list the program prints its help and the
 * manual page.
 */
#ifndef GRADUS_COMMAND_H
#define GRADUS_COMMAND_H

#include "gradus/arguments.h"
#include "gradus/job.h"

typedef struct {
  const char *name;
  const char *operands; /**< "JOB", "PATH...", "" */
  int least, most;      /**< operands; most < 0: any number */
  const gd_option *options;
  int n_options; /**< `--help` is everybody's and not listed */
  int parallel;  /**< runs between MPI_Init and MPI_Finalize */
  const char *summary;
  const char *details; /**< paragraphs for `gradus help NAME` */
  /** Do it; returns the exit code of the program. */
  int (*run)(const gd_arguments *a);
} gd_command;

/** All commands; ends with NULL. */
extern const gd_command *const gd_commands[];

extern const gd_command gd_command_run;
extern const gd_command gd_command_plan;
extern const gd_command gd_command_submit;
extern const gd_command gd_command_status;
extern const gd_command gd_command_check;
extern const gd_command gd_command_frames;
extern const gd_command gd_command_report;
extern const gd_command gd_command_synth;
extern const gd_command gd_command_detect;
extern const gd_command gd_command_predict;
extern const gd_command gd_command_import;
extern const gd_command gd_command_export;
extern const gd_command gd_command_bench;
extern const gd_command gd_command_help;

/** The option that overrides the manifest, for every command that takes JOB. */
#define GD_OPTION_SET                                                          \
  {                                                                            \
    "--set", "KEY=VALUE", 1,                                                   \
        "Override a value of the manifest: model.epochs=2, work=DIR,\n"        \
        "sweep.model.seed=[1,2]."                                              \
  }

/** Load the manifest that is the first operand, with its `--set`. */
GD_NODISCARD gd_status gd_command_load(const gd_arguments *a, gd_job **out);
/**
 * Give all ranks of the program the job that rank 0 has loaded.
 * @param[in]     mine  rank 0: how loading went; the others' is not looked at
 * @param[in,out] job   rank 0's; the others' is made here
 * Collective: yes
 * Errors: rank 0's `mine`, on all ranks, and with its reason on rank 0;
 *         GD_ERR_NOMEM, GD_ERR_PEER
 */
GD_NODISCARD gd_status gd_command_share(gd_status mine, gd_job **job);
/** Print the last failure on stderr and return the exit code that is its. */
int gd_command_failed(gd_status st);
/** Print a text on stdout and free it; returns the exit code. */
int gd_command_print(gd_text *text);
/** Compose the page of the whole program, or of one command. */
void gd_help_program(gd_text *out);
void gd_help_command(const gd_command *c, gd_text *out);

#endif
