#include "gradus/alignment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { SIZE = 96 };

/* Where a blob of light around (x, y) has its centre. */
static void find_blob(const uint8_t *rgb, float x, float y, double out[2])
{
  double sum = 0, sum_x = 0, sum_y = 0;
  for (int j = (int)y - 7; j <= (int)y + 8; j++)
    for (int i = (int)x - 7; i <= (int)x + 8; i++) {
      const double light = rgb[3 * (j * SIZE + i)];
      sum += light;
      sum_x += light * i;
      sum_y += light * j;
    }
  out[0] = sum_x / sum;
  out[1] = sum_y / sum;
}

/* Soft blobs at the landmarks of a turned, larger face come to lie on the
 * template: through the fit and the pixels, not the fit alone. */
static void drawn_landmarks_land_on_the_template(void **state)
{
  (void)state;
  const gd_similarity to_frame = {2.3 * cos(0.4), 2.3 * sin(0.4), 140, 60};
  float points[5][2], landmarks[5][2];
  gd_image frame;
  uint8_t face[3 * SIZE * SIZE];
  gd_template_points(SIZE, points);
  for (int i = 0; i < 5; i++) {
    double moved[2];
    gd_similarity_apply(&to_frame, points[i][0], points[i][1], moved);
    landmarks[i][0] = (float)moved[0];
    landmarks[i][1] = (float)moved[1];
  }
  assert_ok(gd_image_new(400, 400, &frame));
  for (int y = 0; y < 400; y++)
    for (int x = 0; x < 400; x++) {
      double light = 0;
      for (int i = 0; i < 5; i++)
        light +=
            250 *
            exp(-(pow(x - landmarks[i][0], 2) + pow(y - landmarks[i][1], 2)) /
                (2 * 4.0 * 4.0));
      memset(frame.rgb + 3 * (y * 400 + x), (int)(light + 0.5), 3);
    }
  assert_ok(gd_face_align(&frame, landmarks, SIZE, face));
  for (int i = 0; i < 5; i++) {
    double found[2];
    find_blob(face, points[i][0], points[i][1], found);
    assert_true(hypot(found[0] - points[i][0], found[1] - points[i][1]) < 0.01);
  }
  gd_image_free(&frame);
}

static void template_scales_with_the_face_and_is_symmetric(void **state)
{
  (void)state;
  float small[5][2], large[5][2];
  gd_template_points(64, small);
  gd_template_points(224, large);
  for (int i = 0; i < 5; i++)
    for (int c = 0; c < 2; c++)
      assert_true(fabsf((small[i][c] + 0.5f) / 64 -
                        (large[i][c] + 0.5f) / 224) < 1e-6f);
  assert_true(fabsf(large[0][0] + large[1][0] - 223) < 1e-4f);
  assert_true(fabsf(large[3][0] + large[4][0] - 223) < 1e-4f);
  char text[GD_TEMPLATE_TEXT];
  gd_template_text(text);
  assert_string_equal(text, "gradus-1 0.345 0.390 0.655 0.390 0.500 0.570 "
                            "0.362 0.722 0.638 0.722");
}

static void coinciding_landmarks_are_refused(void **state)
{
  (void)state;
  const float landmarks[5][2] = {{3, 3}, {3, 3}, {3, 3}, {3, 3}, {3, 3}};
  uint8_t pixel[3] = {0}, face[3 * SIZE * SIZE];
  const gd_image frame = {.width_px = 1, .height_px = 1, .rgb = pixel};
  assert_fails(gd_face_align(&frame, landmarks, SIZE, face), GD_ERR_NUMERIC,
               "coincide");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(drawn_landmarks_land_on_the_template),
    cmocka_unit_test(template_scales_with_the_face_and_is_symmetric),
    cmocka_unit_test(coinciding_landmarks_are_refused),
};

gd_test_main(tests)
