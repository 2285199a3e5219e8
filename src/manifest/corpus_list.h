/**
 * The list that a layout's reader fills while it reads a corpus.
 */
#ifndef GRADUS_MANIFEST_CORPUS_LIST_H
#define GRADUS_MANIFEST_CORPUS_LIST_H

#include "arena.h"
#include "gradus/corpus.h"

typedef struct {
  gd_video video;     /**< texts in the list's arena */
  const char *origin; /**< file that named it, for errors */
  int line;           /**< in the origin; 0: the file itself */
} gd_corpus_row;

typedef struct {
  const char *root;
  int n_levels;
  gd_arena *arena;
  gd_corpus_row *rows;
  int64_t n_rows, room_rows;
  const char **warnings;
  int64_t n_warnings, room_warnings;
} gd_corpus_list;

/** Begin a list. Ends with: gd_corpus_list_end(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_corpus_list_new(const char *root, int n_levels,
                                          gd_corpus_list *out);
/**
 * Make the corpus of a list whose rows are in order and not doubled; the arena
 * and the warnings become the corpus's.
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_corpus_list_finish(gd_corpus_list *l,
                                             gd_corpus **out);
/** End a list; unless `st` is GD_OK, with what a corpus would have owned. */
void gd_corpus_list_end(gd_corpus_list *l, gd_status st);
/** Append a row whose texts live in the arena. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_corpus_list_add(gd_corpus_list *l, gd_corpus_row row);
/** Append a warning. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_corpus_list_warn(gd_corpus_list *l,
                                           const char *format, ...)
    GD_PRINTF(2, 3);
/** Copy a text into the arena; on failure NULL, with the reason set. */
char *gd_corpus_list_text(gd_corpus_list *l, const char *text);
/** Return the length of a path without its extension. */
size_t gd_corpus_stem(const char *path);
/**
 * Set a video's id, path and landmarks (beside it, if there are any) from its
 * name below the root.
 * Errors: GD_ERR_NOMEM, GD_ERR_USAGE (path too long)
 */
GD_NODISCARD gd_status gd_corpus_list_place(gd_corpus_list *l, gd_video *v,
                                            const char *name);
/**
 * Read a label.
 * @param[in] origin, line  for the error
 * Errors: GD_ERR_USAGE (no number, or not in 0 .. K-1)
 */
GD_NODISCARD gd_status gd_corpus_list_label(const gd_corpus_list *l,
                                            const char *text,
                                            const char *origin, int line,
                                            double *out);

/* One reader per family of layouts. */
GD_NODISCARD gd_status gd_corpus_read_table(gd_corpus_list *l);
GD_NODISCARD gd_status gd_corpus_read_videos(gd_corpus_list *l);
/** @param[in] year  2013 or 2014 */
GD_NODISCARD gd_status gd_corpus_read_avec(gd_corpus_list *l, int year);

#endif
