/**
 * The table of keys: everything that a manifest may say, in one place.
 *
 * Each stage kind, the corpus block and the slurm block is a section with its
 * keys; from the same table the manifest is checked, defaults are filled in,
 * digests are composed and the reference is printed.
 *
 * A section's version enters the digest of its results.  Raise it when the
 * same parameters begin to mean other results.
 */
#ifndef GRADUS_MANIFEST_KEYS_H
#define GRADUS_MANIFEST_KEYS_H

typedef enum {
  GD_KEY_INT, /**< a whole number; one of `words`, if there are any */
  GD_KEY_REAL,
  GD_KEY_FLAG,   /**< true or false */
  GD_KEY_TEXT,   /**< any text */
  GD_KEY_LINE,   /**< a text without line breaks or other control characters */
  GD_KEY_CHOICE, /**< one of `words` */
  GD_KEY_FILE,   /**< a file, digested by content; or one of `words` */
  GD_KEY_BYTES,  /**< a size: 4096, 64KiB, 256MiB, 1GiB */
  GD_KEY_LIMIT,  /**< a count of items, or a percentage of them */
  GD_KEY_REALS   /**< a list of `n` reals */
} gd_key_type;

typedef struct {
  const char *name; /**< dotted: "optimizer.rate" */
  gd_key_type type;
  const char *unit;     /**< NULL: none */
  const char *fallback; /**< default as it would be written; NULL: required */
  double low, high;     /**< of INT, REAL, BYTES and REALS, both included */
  int n;                /**< INT: a multiple of it if > 1; REALS: how many */
  const char *words;    /**< "adam|sgd" */
  int neutral;          /**< changes no result: not in the digest */
  /** Added without raising the section's version, so the default means what was
   * done before: in the digest only with another value. */
  int late;
  /** The default holds only where other keys do not say otherwise: it is
   * settled for each instance, and the effective manifest leaves it open. */
  int follows;
  const char *sentence;
} gd_key;

typedef struct {
  const char *kind;
  const char *summary;
  int version;
  const char *inputs[3]; /**< kinds it takes, "corpus" included; then NULL */
  int gathers;           /**< takes every member of a sweep at once */
  const gd_key *keys;
  int n_keys;
} gd_section;

/** Default of a key that follows the corpus, as its `follows` then says. */
#define GD_FROM_CORPUS "corpus"

/** The stage kinds; `*n` of them. */
const gd_section *gd_sections(int *n);
/** Return the section of a stage kind, or NULL. */
const gd_section *gd_section_of(const char *kind);
const gd_section *gd_section_corpus(void); /**< the `corpus:` block */
const gd_section *gd_section_slurm(void);  /**< resources of one stage */
const gd_section *gd_section_site(void);   /**< the site file */
/** Return the index of a key in its section, or -1. */
int gd_section_find(const gd_section *s, const char *key);
/** Return the valid key nearest to a mistyped one, or NULL. */
const char *gd_section_nearest(const gd_section *s, const char *key);
/** Say whether "word" is among "these|word|others". */
int gd_words_have(const char *words, const char *word);

#endif
