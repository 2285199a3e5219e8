/** Instances: what a checked manifest multiplies to.  Private to this room. */
#ifndef GRADUS_MANIFEST_INSTANCE_H
#define GRADUS_MANIFEST_INSTANCE_H

#include "gradus/job.h"
#include "manifest.h"

struct gd_instance {
  const gd_job *job;
  const gd_declared *stage;
  const gd_value *values; /**< stage->section->n_keys, swept ones included */
  const int *choice;      /**< per axis: which value, -1 if it does not vary */
  int n_inputs;
  const gd_instance **inputs; /**< in order of the section's kinds */
  int takes_corpus;           /**< the `corpus:` block is an input */
  const char *member, *title, *directory;
  gd_digest digest;
};

struct gd_job {
  gd_manifest manifest;
  gd_facts facts;
  const char *path;
  const char *text; /**< of the manifest, as it stood in the file */
  const char *const *sets;
  int n_sets;
  gd_digest corpus; /**< digest of the `corpus:` block's content */
  int n_instances;
  gd_instance *instances; /**< inputs first */
  const char *effective;
};

/**
 * Make the instances of a checked manifest, in order.
 * Errors: with the place, GD_ERR_USAGE (a file that surely cannot be read,
 *         values that do not go together, too many members), GD_ERR_IO (a file
 *         that cannot be read at the moment); GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_instances_make(gd_job *job);

/** Write the effective manifest. */
void gd_manifest_write(const gd_manifest *m, gd_text *out);
/** Write a parameter's value as YAML. */
void gd_value_write(const gd_key *key, const gd_value *value, gd_text *out);

#endif
