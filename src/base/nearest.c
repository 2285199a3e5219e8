#include "gradus/nearest.h"

#include <string.h>

/* Longer words are no typing errors of a key or command. */
enum { LONGEST = 63 };

static int least(int a, int b)
{
  return a < b ? a : b;
}

static int distance(const char *a, const char *b)
{
  const int na = (int)strlen(a), nb = (int)strlen(b);
  int rows[3][LONGEST + 1]; /* of the table, in turn */

  for (int j = 0; j <= nb; j++)
    rows[0][j] = j;
  for (int i = 1; i <= na; i++) {
    int *row = rows[i % 3];
    const int *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
    row[0] = i;
    for (int j = 1; j <= nb; j++) {
      row[j] = least(least(above[j], row[j - 1]) + 1,
                     above[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = least(row[j], two_above[j - 2] + 1);
    }
  }
  return rows[na % 3][nb];
}

const char *gd_nearest(const char *wrong, const char *const *words, int n_words)
{
  const size_t length = strlen(wrong);
  const char *nearest = NULL;
  /* A third of the letters wrong is another word; of short ones, half. */
  int most = length < 4 ? 1 : (int)(length / 3) + 1;
  if (length > LONGEST)
    return NULL;
  for (int i = 0; i < n_words; i++) {
    if (strlen(words[i]) > LONGEST)
      continue;
    const int d = distance(wrong, words[i]);
    if (d <= most) {
      nearest = words[i];
      most = d - 1;
    }
  }
  return nearest;
}
