/** A strict look at HTML and SVG text, for the tests of what writes it. */
#ifndef GRADUS_MARKUP_H
#define GRADUS_MARKUP_H

/**
 * Fail the test unless every element that begins also ends, in order, every
 * attribute is quoted, and no stray `<`, `&` or duplicate id is in it.
 */
void gd_markup_check(const char *text);

#endif
