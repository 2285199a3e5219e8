#include "student.h"

#include <assert.h>
#include <math.h>

/* The share of the distribution between -t and t. */
static double share_within(double t, int64_t freedom)
{
  const double angle = atan(t / sqrt((double)freedom));
  const double s = sin(angle), c = cos(angle), pi = acos(-1);
  double sum = 0, term = freedom % 2 == 1 ? c : 1;
  for (int64_t k = freedom % 2 == 1 ? 1 : 0; k <= freedom - 2; k += 2) {
    sum += term;
    term *= c * c * (double)(k + 1) / (double)(k + 2);
  }
  return freedom % 2 == 1 ? 2 / pi * (angle + s * sum) : s * sum;
}

double gd_student_within(double share, int64_t freedom)
{
  assert(share >= 0 && share < 1 && freedom >= 1);

  double low = 0, high = 1e6;
  for (int i = 0; i < 100; i++) {
    const double middle = 0.5 * (low + high);
    if (share_within(middle, freedom) < share)
      low = middle;
    else
      high = middle;
  }
  return 0.5 * (low + high);
}
