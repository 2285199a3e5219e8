/**
 * Whole numbers.
 */
#ifndef GRADUS_NET_WHOLE_H
#define GRADUS_NET_WHOLE_H

static inline int gd_least(int a, int b)
{
  return a < b ? a : b;
}

static inline int gd_most(int a, int b)
{
  return a > b ? a : b;
}

/** Return the parts of a whole, the last of which may be smaller. */
static inline int gd_pieces(int whole, int part)
{
  return (whole + part - 1) / part;
}

#endif
