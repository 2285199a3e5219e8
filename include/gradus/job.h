/**
 * A job: what a manifest says, typed, with sweeps expanded and digests known.
 *
 *   manifest (YAML) --load--> job: instances in topological order
 *
 * An instance is one stage with one set of parameters.  A sweep over a stage
 * multiplies it and all that depends on it, except stages that gather (report
 * takes all members).  Two members that share a prefix of the dataflow share
 * the instances of that prefix.
 *
 * Every key of a stage stands in one table (src/manifest/keys.c) with type,
 * unit, default and a sentence; the same table prints the reference.
 */
#ifndef GRADUS_JOB_H
#define GRADUS_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/corpus.h"
#include "gradus/digest.h"
#include "gradus/status.h"
#include "gradus/text.h"

typedef struct gd_job gd_job;
typedef struct gd_instance gd_instance;

/**
 * Load a manifest.  Files that it names are digested, the corpus is read: so
 * all that can be known to be wrong is known now.
 * @param[in]  path    of the manifest; "-" is not special
 * @param[in]  sets    n_sets texts "stage.key=value" that override it
 * @param[out] out     ends with gd_job_free(); NULL on failure
 * Collective: no
 * Errors: GD_ERR_USAGE; the reason is `file:line:column: what`, the line, a
 *         caret below it and the nearest valid key, ready to print.
 *         GD_ERR_IO (manifest, corpus or a named file cannot be read at the
 *         moment; with the place of the latter), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_job_load(const char *path, const char *const *sets,
                                   int n_sets, gd_job **out);
void gd_job_free(gd_job *job); /**< NULL is allowed */

/**
 * Compose a message from which gd_job_unpack() makes the same job: one rank
 * loads, the others ask neither files nor environment.
 */
void gd_job_pack(const gd_job *job, gd_text *out);
/**
 * Make a job from a message of gd_job_pack().
 * Errors: GD_ERR_FORMAT (no such message), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_job_unpack(const void *message, size_t size_bytes,
                                     gd_job **out);

const char *gd_job_name(const gd_job *job);
const char *gd_job_work(const gd_job *job); /**< the work directory */
/** Return the effective manifest, defaults filled in, as YAML; borrowed. */
const char *gd_job_effective(const gd_job *job);

/**
 * Return the corpus of the `corpus:` block as it was found and examined; NULL
 * without that block, and in a job from gd_job_unpack(), which asks no files.
 */
const gd_corpus *gd_job_corpus(const gd_job *job);

int gd_job_n_instances(const gd_job *job);
/** Return instance i; inputs come before what depends on them. */
const gd_instance *gd_job_instance(const gd_job *job, int i);

/** Return i of gd_job_instance(). */
int gd_instance_index(const gd_instance *s);
const char *gd_instance_name(const gd_instance *s); /**< "model" */
const char *gd_instance_kind(const gd_instance *s); /**< "train" */
/** Return its sweep values, "loss=softmax,seed=2", or "" outside a sweep. */
const char *gd_instance_member(const gd_instance *s);
/** Return "model[loss=softmax,seed=2]", for people. */
const char *gd_instance_title(const gd_instance *s);
/** Return <work>/<name>-<first 8 digits of the digest>. */
const char *gd_instance_directory(const gd_instance *s);
gd_digest gd_instance_digest(const gd_instance *s);

int gd_instance_n_inputs(const gd_instance *s);
const gd_instance *gd_instance_input(const gd_instance *s, int i);
/**
 * Return the nearest instance of a kind upstream of `s` (its input, its
 * input's input, ...; breadth first), or NULL.
 */
const gd_instance *gd_instance_upstream(const gd_instance *s, const char *kind);

/*
 * Parameters, by their dotted key ("every", "optimizer.rate").  A key that the
 * stage's kind does not have, or of another type, is a programmer's error
 * (assert): the table has been checked when the manifest was loaded.
 */
int64_t gd_instance_int(const gd_instance *s, const char *key);
double gd_instance_real(const gd_instance *s, const char *key);
int gd_instance_flag(const gd_instance *s, const char *key);
/** Return any parameter as it is written; borrowed. */
const char *gd_instance_text(const gd_instance *s, const char *key);
/** Return a list of reals, as many as the table says; borrowed. */
const double *gd_instance_reals(const gd_instance *s, const char *key);

/**
 * Return how many of `n_items` input items may be skipped: the key
 * `max_skipped`, a number or a percentage; all of them for a kind without it.
 */
int64_t gd_instance_max_skipped(const gd_instance *s, int64_t n_items);

/**
 * Compose what the instance is, for stage.yaml and for comparing two: name,
 * kind, member, digest, the parameters that decide the results
 * (`parameters:`), those that do not (`settings:`), digests of the files that
 * are named (`files:`) and of the inputs by title (`inputs:`), as YAML.
 */
void gd_instance_describe(const gd_instance *s, gd_text *out);

/**
 * Compose the parameters that decide the results as `--set` takes them, for a
 * stage that is called after its kind: `extract.every=10`, a line each.  Files
 * are left out: a path means nothing elsewhere.
 */
void gd_instance_parameters(const gd_instance *s, gd_text *out);
/**
 * Return the digest of the content that a key of a file stands for: of the
 * file, or of what ships with the program; zero for any other word.
 */
gd_digest gd_instance_content(const gd_instance *s, const char *key);

/** Where a corpus comes from. */
typedef struct {
  const char *layout;
  const char *root; /**< absolute or relative to the current directory */
  int n_levels;     /**< K */
  /** Of its content when the job was loaded; zero when a synth stage makes it:
   * nobody has seen it then. */
  gd_digest digest;
} gd_corpus_source;
/**
 * Say where the corpus of `s` comes from: the job's `corpus:` block, or the
 * directory of the synth instance upstream.
 */
gd_corpus_source gd_instance_corpus(const gd_instance *s);

/**
 * Append a text so that a manifest reads it as it is: in quotes, so that no
 * YAML reader takes "off" for a truth or "1e3" for a number; what looks like a
 * variable stays so.
 */
void gd_job_quote(gd_text *out, const char *text);
/**
 * Compose the reference of all keys: kind, key, type, unit, default, sentence.
 * @param[in] markdown  tables for docs/manifest.md, else plain text
 */
void gd_keys_reference(gd_text *out, int markdown);

#endif
