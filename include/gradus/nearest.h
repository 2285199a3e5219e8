/** The word that was perhaps meant, for error messages. */
#ifndef GRADUS_NEAREST_H
#define GRADUS_NEAREST_H

/**
 * Return the word with the smallest edit distance (insert, delete, replace or
 * swap two neighbours: 1 each) to `wrong`, or NULL when none is near enough to
 * be what was meant.  The first of several equals wins.
 * Source: optimal string alignment distance (Damerau 1964).
 */
const char *gd_nearest(const char *wrong, const char *const *words,
                       int n_words);

#endif
