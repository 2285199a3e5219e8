/* The drawn faces against a detector that was trained on photographs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/mtcnn.h"
#include "gradus/synth.h"
#include "test.h"

/* The five points of MTCNN, from the 68. */
static void five_of(double p[GD_SYNTH_POINTS][2], double five[5][2])
{
  for (int k = 0; k < 2; k++) {
    five[0][k] = five[1][k] = 0.0;
    for (int i = 0; i < 6; i++) {
      five[0][k] += p[36 + i][k] / 6.0;
      five[1][k] += p[42 + i][k] / 6.0;
    }
    five[2][k] = p[30][k];
    five[3][k] = p[48][k];
    five[4][k] = p[54][k];
  }
}

static void mtcnn_finds_each_drawn_face_where_its_landmarks_are(void **state)
{
  (void)state;
  const char *weights = gd_test_shared("reference/mtcnn/weights/mtcnn.h5");
  if (weights == NULL)
    skip();
  gd_mtcnn_config config = gd_mtcnn_defaults();
  config.min_face_px = 30.0;
  gd_mtcnn *m;
  assert_ok(gd_mtcnn_open(weights, &config, &m));

  gd_synth s = gd_synth_default();
  s.width_px = 160;
  s.height_px = 120;
  uint8_t *rgb = gd_alloc((int64_t)s.width_px * s.height_px, 3);
  assert_non_null(rgb);
  double sum = 0.0, worst = 0.0;
  int n_points = 0;
  for (int64_t i = 0; i < gd_synth_count(&s); i += 5) {
    const gd_synth_item item = gd_synth_item_of(&s, i);
    double p[GD_SYNTH_POINTS][2], five[5][2];
    const gd_face *faces;
    const gd_image image = {s.width_px, s.height_px, rgb};
    int n;
    assert_ok(gd_synth_draw(&s, &item, 10 + i % 50, rgb, p));
    assert_ok(gd_mtcnn_detect(m, &image, &faces, &n));
    assert_int_equal(n, 1);
    five_of(p, five);
    const double eyes = hypot(five[0][0] - five[1][0], five[0][1] - five[1][1]);
    for (int k = 0; k < 5; k++, n_points++) {
      const double off = hypot(faces[0].landmarks[k][0] - five[k][0],
                               faces[0].landmarks[k][1] - five[k][1]) /
                         eyes;
      sum += off;
      worst = fmax(worst, off);
    }
  }
  printf("distance, in distances of the eyes: mean %.3f, worst %.3f\n",
         sum / n_points, worst);
  assert_true(sum / n_points < 0.08);
  assert_true(worst < 0.25);
  free(rgb);
  gd_mtcnn_close(m);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(mtcnn_finds_each_drawn_face_where_its_landmarks_are),
};

gd_test_main(tests)
