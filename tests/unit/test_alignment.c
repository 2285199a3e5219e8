#include "gradus/alignment.h"

#include <math.h>
#include <string.h>

#include "test.h"

enum { SIZE = 96 };

static const gd_alignment upright = {.mode = GD_ALIGN_SIMILARITY};

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
  float points[5][2];
  gd_face found_face = {.confidence = 1};
  float(*landmarks)[2] = found_face.landmarks;
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
  assert_ok(gd_face_align(&frame, &upright, &found_face, SIZE, face));
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
  char text[GD_ALIGNMENT_TEXT];
  gd_alignment_text(&upright, text);
  assert_string_equal(text, "gradus-1 0.345 0.390 0.655 0.390 0.500 0.570 "
                            "0.362 0.722 0.638 0.722");
}

static void coinciding_landmarks_are_refused(void **state)
{
  (void)state;
  const gd_face point = {.box = {0, 0, 9, 9},
                         .landmarks = {{3, 3}, {3, 3}, {3, 3}, {3, 3}, {3, 3}}};
  uint8_t pixel[3] = {0}, face[3 * SIZE * SIZE];
  const gd_image frame = {.width_px = 1, .height_px = 1, .rgb = pixel};
  assert_fails(gd_face_align(&frame, &upright, &point, SIZE, face),
               GD_ERR_NUMERIC, "coincide");
}

/* The definition: each pixel of the crop is the mean of the square of the frame
 * that it covers; where the frame ends its border goes on. */
static double covered_mean(const gd_image *frame, double x0, double y0, int by,
                           int x, int y, int c)
{
  double sum = 0;
  for (int j = 0; j < by; j++)
    for (int i = 0; i < by; i++) {
      const int at_x = (int)fmin(fmax(x0 + by * x + i, 0), frame->width_px - 1);
      const int at_y =
          (int)fmin(fmax(y0 + by * y + j, 0), frame->height_px - 1);
      sum += frame->rgb[3 * (at_y * frame->width_px + at_x) + c];
    }
  return sum / (by * by);
}

/* Boxes 3 and 6 whole pixels per output pixel large; the second one is higher
 * than wide, and lies partly outside. */
static void crop_is_the_square_around_the_box_averaged_by_areas(void **state)
{
  (void)state;
  const gd_alignment crop = {.mode = GD_ALIGN_CROP, .margin = 1.5};
  const gd_face faces[2] = {{.box = {60, 70, 60 + 64, 70 + 60}},
                            {.box = {20, -30, 90, -30 + 128}}};
  const double corner[2][2] = {{60 + 32 - 48, 70 + 30 - 48},
                               {55 - 96, -30 + 64 - 96}};
  enum { S = 32 };
  uint8_t out[3 * S * S];
  gd_image frame;
  assert_ok(gd_image_new(200, 180, &frame));
  for (int i = 0; i < 3 * 200 * 180; i++)
    frame.rgb[i] = (uint8_t)(i * 7919 % 251);
  for (int k = 0; k < 2; k++) {
    assert_ok(gd_face_align(&frame, &crop, &faces[k], S, out));
    for (int i = 0; i < 3 * S * S; i++)
      assert_true(fabs(out[i] - covered_mean(&frame, corner[k][0], corner[k][1],
                                             3 * (k + 1), i / 3 % S, i / 3 / S,
                                             i % 3)) < 0.51);
  }
  gd_image_free(&frame);
}

static void crop_is_recorded_with_its_margin(void **state)
{
  (void)state;
  char text[GD_ALIGNMENT_TEXT];
  gd_alignment a = {.margin = 1.3};
  assert_ok(gd_alignment_mode_of("crop", &a.mode));
  gd_alignment_text(&a, text);
  assert_string_equal(text, "crop 1.3");
  assert_fails(gd_alignment_mode_of("guess", &a.mode), GD_ERR_USAGE, "guess");
}

static void empty_and_infinite_boxes_are_refused(void **state)
{
  (void)state;
  const gd_alignment crop = {.mode = GD_ALIGN_CROP, .margin = 1.3};
  const gd_face faces[] = {{.box = {5, 5, 5, 9}},
                           {.box = {0, 0, -3, 4}},
                           {.box = {0, 0, INFINITY, 4}},
                           {.box = {NAN, 0, 4, 4}}};
  uint8_t pixel[3] = {0}, out[3 * SIZE * SIZE];
  const gd_image frame = {.width_px = 1, .height_px = 1, .rgb = pixel};
  for (int i = 0; i < 4; i++)
    assert_fails(gd_face_align(&frame, &crop, &faces[i], SIZE, out),
                 GD_ERR_NUMERIC, "no square fits");
}

/* The stand-in for a missing face shows the frame's centred square, whatever
 * the alignment. */
static void centred_face_shows_the_centred_square(void **state)
{
  (void)state;
  const gd_alignment all[2] = {{.mode = GD_ALIGN_SIMILARITY},
                               {.mode = GD_ALIGN_CROP, .margin = 1.3}};
  uint8_t out[3 * SIZE * SIZE];
  gd_image frame;
  assert_ok(gd_image_new(SIZE + 40, SIZE, &frame));
  for (int i = 0; i < 3 * (SIZE + 40) * SIZE; i++)
    frame.rgb[i] = (uint8_t)(i * 7919 % 251);
  for (int k = 0; k < 2; k++) {
    const gd_face face = gd_alignment_centred(&all[k], SIZE + 40, SIZE);
    assert_ok(gd_face_align(&frame, &all[k], &face, SIZE, out));
    for (int y = 0; y < SIZE; y++)
      for (int i = 0; i < 3 * SIZE; i++)
        assert_in_range(out[y * 3 * SIZE + i] + 1 -
                            frame.rgb[3 * (y * (SIZE + 40) + 20) + i],
                        0, 2);
  }
  gd_image_free(&frame);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(drawn_landmarks_land_on_the_template),
    cmocka_unit_test(template_scales_with_the_face_and_is_symmetric),
    cmocka_unit_test(coinciding_landmarks_are_refused),
    cmocka_unit_test(crop_is_the_square_around_the_box_averaged_by_areas),
    cmocka_unit_test(crop_is_recorded_with_its_margin),
    cmocka_unit_test(empty_and_infinite_boxes_are_refused),
    cmocka_unit_test(centred_face_shows_the_centred_square),
};

gd_test_main(tests)
