#include "gradus/published.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const gd_published avec2013[] = {
    {"baseline", 13.61, 10.88},
    {"LPQ+SVR (Kaechele)", 10.82, 8.97},
    {"MHH+LBP (Meng)", 11.19, 9.14},
    {"LPQ-TOP+MFA (Wen)", 10.27, 8.22},
    {"LPQ+Geo (Kaya)", 9.72, 7.86},
    {"two DCNN (Zhu)", 9.82, 7.58},
    {"C3D (Jazaery)", 9.28, 7.37},
    {"C3D (Melo)", 8.26, 6.40},
    {"four DCNN (Zhou)", 8.28, 6.20},
    {"ResNet-50, softmax (de Melo)", 10.22, 7.50},
    {"ResNet-50, Euclidean (de Melo)", 8.48, 6.72},
    {"ResNet-50, expectation (de Melo)", 8.25, 6.30},
};

static const gd_published avec2014[] = {
    {"baseline", 10.86, 8.86},
    {"MHH+PLS (Jan)", 10.50, 8.44},
    {"LGBP-TOP+LPQ (Kaya)", 10.27, 8.20},
    {"two DCNN (Zhu)", 9.55, 7.47},
    {"C3D (Jazaery)", 9.20, 7.22},
    {"C3D (Melo)", 8.31, 6.59},
    {"VGG+FDHH (Jan)", 8.04, 6.68},
    {"four DCNN (Zhou)", 8.39, 6.21},
    {"ResNet-50, softmax (de Melo)", 10.37, 7.89},
    {"ResNet-50, Euclidean (de Melo)", 8.71, 6.37},
    {"ResNet-50, expectation (de Melo)", 8.23, 6.15},
};

const gd_published *gd_published_of(const char *layout, int *n)
{
  assert(layout != NULL && n != NULL);

  *n = 0;
  if (strcmp(layout, "avec2013") == 0) {
    *n = sizeof avec2013 / sizeof *avec2013;
    return avec2013;
  }
  if (strcmp(layout, "avec2014") == 0) {
    *n = sizeof avec2014 / sizeof *avec2014;
    return avec2014;
  }
  return NULL;
}
