#include "gradus/scene.h"

#include <math.h>

#include "test.h"

enum { SCENES = 60 };

static gd_labelled_image draw(uint64_t seed, int64_t index)
{
  gd_labelled_image l;
  assert_ok(gd_scene_draw(seed, index, &l));
  return l;
}

static void scene_is_a_function_of_seed_and_index(void **state)
{
  (void)state;
  gd_labelled_image a = draw(1, 5), b = draw(1, 5);
  gd_labelled_image other_seed = draw(2, 5), other_index = draw(1, 6);
  const size_t size_bytes = 3 * (size_t)(a.image.width_px * a.image.height_px);
  assert_int_equal(a.image.width_px, b.image.width_px);
  assert_int_equal(a.image.height_px, b.image.height_px);
  assert_memory_equal(a.image.rgb, b.image.rgb, size_bytes);
  assert_memory_equal(a.faces, b.faces, sizeof a.faces);
  assert_true(other_seed.image.width_px != a.image.width_px ||
              other_seed.image.height_px != a.image.height_px);
  assert_true(other_index.image.width_px != a.image.width_px ||
              other_index.image.height_px != a.image.height_px);
  gd_image_free(&a.image);
  gd_image_free(&b.image);
  gd_image_free(&other_seed.image);
  gd_image_free(&other_index.image);
}

static void landmarks_lie_in_their_box_in_order(void **state)
{
  (void)state;
  for (int i = 0; i < SCENES; i++) {
    gd_labelled_image l = draw(3, i);
    for (int k = 0; k < l.n_faces; k++) {
      const gd_face *f = &l.faces[k];
      for (int j = 0; j < GD_N_LANDMARKS; j++)
        for (int c = 0; c < 2; c++)
          assert_true(f->landmarks[j][c] >= f->box[c] &&
                      f->landmarks[j][c] <= f->box[2 + c]);
      assert_true(f->landmarks[0][0] < f->landmarks[1][0]); /* eyes */
      assert_true(f->landmarks[3][0] < f->landmarks[4][0]); /* mouth */
      assert_true(f->landmarks[0][1] < f->landmarks[3][1]);
    }
    gd_image_free(&l.image);
  }
}

static void faces_vary_in_number_size_and_how_much_is_seen(void **state)
{
  (void)state;
  int n_of[GD_LABELLED_MOST + 1] = {0}, n_covered = 0, n = 0;
  double least = INFINITY, most = 0;
  for (int i = 0; i < SCENES; i++) {
    gd_labelled_image l = draw(4, i);
    const double side = fmin(l.image.width_px, l.image.height_px);
    n_of[l.n_faces]++;
    for (int k = 0; k < l.n_faces; k++, n++) {
      const double width = l.faces[k].box[2] - l.faces[k].box[0];
      least = fmin(least, width);
      most = fmax(most, width / side);
      assert_true(l.faces[k].confidence >= 0 && l.faces[k].confidence <= 1);
      n_covered += l.faces[k].confidence < 0.95f;
    }
    gd_image_free(&l.image);
  }
  assert_true(n_of[0] > 0 && n_of[1] > n_of[0] && n_of[2] > 0);
  assert_true(least < 14);
  assert_true(most > 0.7);
  assert_true(n_covered > n / 20 && n_covered < n / 2);
}

static void decoys_are_in_the_image_and_no_faces(void **state)
{
  (void)state;
  int n = 0;
  for (int i = 0; i < SCENES; i++) {
    gd_labelled_image l = draw(5, i);
    for (int k = 0; k < l.n_decoys; k++, n++) {
      const float *box = l.decoys[k];
      gd_face decoy = {.box = {box[0], box[1], box[2], box[3]}};
      const float x = 0.5f * (box[0] + box[2]), y = 0.5f * (box[1] + box[3]);
      assert_true(x > 0 && x < (float)l.image.width_px);
      assert_true(y > 0 && y < (float)l.image.height_px);
      assert_float_equal(box[2] - box[0], box[3] - box[1], 1e-3);
      for (int j = 0; j < l.n_faces; j++)
        assert_true(gd_face_overlap(&decoy, &l.faces[j]) < 0.3);
    }
    gd_image_free(&l.image);
  }
  assert_true(n > SCENES / 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(scene_is_a_function_of_seed_and_index),
    cmocka_unit_test(landmarks_lie_in_their_box_in_order),
    cmocka_unit_test(faces_vary_in_number_size_and_how_much_is_seen),
    cmocka_unit_test(decoys_are_in_the_image_and_no_faces),
};

gd_test_main(tests)
