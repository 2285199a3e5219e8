/**
 * What loading a manifest takes from the world beside its text: environment
 * variables, digests of files, and what model files are.
 *
 * Rank 0 asks the world and notes every answer; the other ranks load the same
 * text from the notes, and so the same job, without touching a file.
 */
#ifndef GRADUS_MANIFEST_FACTS_H
#define GRADUS_MANIFEST_FACTS_H

#include "arena.h"
#include "gradus/corpus.h"
#include "gradus/digest.h"
#include "gradus/text.h"

typedef struct gd_fact gd_fact;
typedef struct {
  gd_arena *arena;
  gd_fact *first;
  int noted;         /**< answers are all there: never ask the world */
  gd_corpus *corpus; /**< as it was found, examined; NULL: not asked for */
} gd_facts;

/**
 * Look an environment variable up.
 * @param[out] value  NULL if it is not set; owned by the arena
 */
GD_NODISCARD gd_status gd_facts_variable(gd_facts *f, const char *name,
                                         const char **value);
/** Digest a file's content. Errors: as gd_file_judge() */
GD_NODISCARD gd_status gd_facts_file(gd_facts *f, const char *path,
                                     gd_digest *out);
/**
 * Ask what a model file is.
 * @param[out] depth    of its network
 * @param[out] profile  its name or its settings; owned by the arena
 * Errors: as gd_model_read_info(), and gd_file_judge()
 */
GD_NODISCARD gd_status gd_facts_model(gd_facts *f, const char *path, int *depth,
                                      const char **profile);
/** Digest the corpus at a root, and keep it, for gd_corpus_free().
 * Errors: as gd_corpus_read(), gd_corpus_examine(), gd_corpus_digest() */
GD_NODISCARD gd_status gd_facts_corpus(gd_facts *f, const char *layout,
                                       const char *root, int n_levels,
                                       gd_digest *out);

/** Add all notes to a message of zero-terminated texts. */
void gd_facts_write(const gd_facts *f, gd_text *out);
/** Note one question and its answer, as read from a message. */
GD_NODISCARD gd_status gd_facts_note(gd_facts *f, const char *question,
                                     const char *answer);

#endif
