/* detect_images WEIGHTS MIN_FACE SECONDS IMAGE -- how many images a detector
 * searches in a second by the clock, as the reference program counts, and how
 * much arithmetic that is of what a core can do. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gradus/mtcnn.h"
#include "gradus/peak.h"

static double now_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(void)
{
  fprintf(stderr, "detect_images: %s\n", gd_reason());
  return 1;
}

static int by_value(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
  enum { MOST = 4096 };
  static double seconds[MOST];
  gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_mtcnn *detector = NULL;
  gd_image image;
  const gd_face *faces;
  int n_faces = 0, n = 0;
  if (argc != 5) {
    fputs("usage: detect_images WEIGHTS MIN_FACE SECONDS IMAGE\n", stderr);
    return 2;
  }
  config.min_face_px = strtod(argv[2], NULL);
  if (gd_mtcnn_open(argv[1], &config, &detector) != GD_OK ||
      gd_image_read(argv[4], &image) != GD_OK ||
      gd_mtcnn_detect(detector, &image, &faces, &n_faces) != GD_OK)
    return fail();
  const double end = now_s() + strtod(argv[3], NULL);
  for (double start = now_s(); start < end && n < MOST; n++) {
    if (gd_mtcnn_detect(detector, &image, &faces, &n_faces) != GD_OK)
      return fail();
    const double stop = now_s();
    seconds[n] = stop - start;
    start = stop;
  }
  qsort(seconds, (size_t)n, sizeof seconds[0], by_value);
  printf("%.2f images/s (median of %d, %d faces, %.2f GFLOP, peak %.1f)\n",
         1 / seconds[n / 2], n, n_faces, 1e-9 * gd_mtcnn_flop(detector),
         1e-9 * gd_peak_flops(GD_FP32, 0.3));
  gd_image_free(&image);
  gd_mtcnn_close(detector);
  return 0;
}
