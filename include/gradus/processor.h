/** Processors: whether this one can run the program. */
#ifndef GRADUS_PROCESSOR_H
#define GRADUS_PROCESSOR_H

/**
 * Return what the program was compiled for and this processor has not, such as
 * "avx512f"; static; NULL: nothing.
 */
const char *gd_processor_lacks(void);
/**
 * Say whether the program can run here, and on stderr why not.  It asks first
 * of all: it would die of an illegal instruction without a word.
 */
int gd_processor_suffices(void);

#endif
