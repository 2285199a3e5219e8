/* detect_scenes WEIGHTS SEED IMAGES MIN_FACE LEAST VISIBLE -- what a detector
 * that looks for MIN_FACE px finds in drawn scenes, of the faces of at least
 * LEAST px of which a share of at least VISIBLE is seen.
 *
 *   detect_scenes drawn 99 2000 18 20 0.75 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gradus/detector_score.h"
#include "gradus/scene.h"

static double now_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(void)
{
  fprintf(stderr, "detect_scenes: %s\n", gd_reason());
  return 1;
}

int main(int argc, char **argv)
{
  gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_mtcnn *detector = NULL;
  double spent_s = 0;
  if (argc != 7) {
    fputs("usage: detect_scenes WEIGHTS SEED IMAGES MIN_FACE LEAST "
          "VISIBLE\n",
          stderr);
    return 2;
  }
  const uint64_t seed = strtoull(argv[2], NULL, 10);
  const int64_t n_images = strtoll(argv[3], NULL, 10);
  gd_detector_score s = {.least_px = strtod(argv[5], NULL),
                         .least_visible = strtod(argv[6], NULL)};
  config.min_face_px = strtod(argv[4], NULL);
  if (gd_mtcnn_open(argv[1], &config, &detector) != GD_OK)
    return fail();
  for (int64_t i = 0; i < n_images; i++) {
    gd_labelled_image image;
    const gd_face *found;
    int n;
    if (gd_scene_draw(seed, i, &image) != GD_OK)
      return fail();
    spent_s -= now_s();
    if (gd_mtcnn_detect(detector, &image.image, &found, &n) != GD_OK)
      return fail();
    spent_s += now_s();
    if (gd_detector_score_add(&s, &image, found, n) != GD_OK)
      return fail();
    gd_image_free(&image.image);
  }
  const gd_detector_result r = gd_detector_score_sum(&s);
  printf("%" PRId64 " faces, %" PRId64 " found, %" PRId64
         " wrong: recall %.4f, precision %.4f\n"
         "landmarks, in distances of the eyes: mean %.4f, median %.4f, 95 %% "
         "below %.4f\n"
         "%.2f ms per image\n",
         s.n_faces, s.n_found, s.n_wrong, r.recall, r.precision, r.mean,
         r.median, r.most, 1e3 * spent_s / (double)n_images);
  gd_detector_score_free(&s);
  gd_mtcnn_close(detector);
  return 0;
}
