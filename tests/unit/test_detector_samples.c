#include "train/detector_samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/detector_fit.h"
#include "gradus/memory.h"
#include "gradus/scene.h"
#include "test.h"
#include "train/cascade_trainer.h"

enum { IMAGES = 6 };

/* A cascade whose nets have random weights: P-Net calls many cells faces. */
static gd_mtcnn *open_cascade(int n_nets)
{
  const gd_cascade_spec *const specs[] = {&gd_pnet_spec, &gd_rnet_spec};
  const char *path = gd_test_path("cascade.h5");
  gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_store_writer *w;
  gd_mtcnn *m;
  config.thresholds[0] = 0.5;
  config.thresholds[1] = 0;
  assert_ok(gd_store_create(path, "test", 1, (gd_digest){0}, &w));
  for (int i = 0; i < n_nets; i++) {
    gd_cascade_trainer *t;
    assert_ok(gd_cascade_trainer_new(specs[i], 12 << i, 1, &t));
    float *weights = gd_alloc(gd_cascade_trainer_weights(t)->count, 4);
    gd_cascade_trainer_init(t, 3, weights);
    assert_ok(gd_cascade_trainer_put(t, weights, w));
    gd_cascade_trainer_free(t);
    free(weights);
  }
  assert_ok(gd_store_commit(w));
  assert_ok(gd_mtcnn_open_nets(path, &config, n_nets, &m));
  return m;
}

static void collect(int net, gd_detector_samples *s, gd_labelled_image *images)
{
  gd_mtcnn *before = net == GD_PNET ? NULL : open_cascade(net);
  assert_ok(gd_detector_samples_begin(s, net, 1)); /* it grows */
  for (int i = 0; i < IMAGES; i++) {
    gd_random r = gd_random_of(1, GD_FOR_TESTS, net, i);
    assert_ok(gd_scene_draw(11, i, &images[i]));
    assert_ok(gd_detector_samples_add(s, net, before, &images[i], &r));
  }
  gd_mtcnn_close(before);
}

static void drop(gd_detector_samples *s, gd_labelled_image *images)
{
  for (int i = 0; i < IMAGES; i++)
    gd_image_free(&images[i].image);
  gd_detector_samples_end(s);
}

static void samples_of_all_kinds_are_found_for_each_net(void **state)
{
  (void)state;
  for (int net = 0; net < GD_N_DETECTOR_NETS; net++) {
    gd_detector_samples s;
    gd_labelled_image images[IMAGES];
    int n_of[3] = {0};
    collect(net, &s, images);
    assert_in_range(s.n, IMAGES, IMAGES * gd_detector_most_samples(net));
    for (int i = 0; i < s.n; i++)
      n_of[s.targets[i].kind]++;
    for (int kind = 0; kind < 3; kind++)
      assert_true(n_of[kind] > 0);
    const int64_t n_values = (int64_t)s.n * s.size_px * s.size_px * 3;
    for (int64_t i = 0; i < n_values; i++)
      assert_true(fabsf(s.x[i]) <= 1);
    drop(&s, images);
  }
}

/* A positive overlaps its face by 0.65 or more: then no corner of the face is
 * further than about half a box from the crop's, and the points are in it. */
static void what_is_wanted_of_a_crop_is_where_the_face_is(void **state)
{
  (void)state;
  for (int net = 0; net < GD_N_DETECTOR_NETS; net++) {
    gd_detector_samples s;
    gd_labelled_image images[IMAGES];
    collect(net, &s, images);
    for (int i = 0; i < s.n; i++) {
      const gd_detector_target *t = &s.targets[i];
      const double width = 1 + (double)t->box[2] - (double)t->box[0];
      const double height = 1 + (double)t->box[3] - (double)t->box[1];
      if (t->kind == GD_SAMPLE_NEGATIVE)
        continue;
      const double across =
          fmin(1, 1 + (double)t->box[2]) - fmax(0, (double)t->box[0]);
      const double down =
          fmin(1, 1 + (double)t->box[3]) - fmax(0, (double)t->box[1]);
      const double share = across * down / (1 + width * height - across * down);
      const double least = t->kind == GD_SAMPLE_POSITIVE ? 0.65 : 0.4;
      /* P-Net's box is a pixel narrower than its cell; the crops of the others
       * were judged before they were clipped. */
      if (net == GD_PNET)
        assert_true(share > least - 0.01 && share < least + 0.36);
      assert_true(share > 0.5 * least && share < 1.001);
      for (int k = 0; k < 10; k++) {
        const int axis = k / 5;
        const double low = (double)t->box[axis];
        const double high = 1 + (double)t->box[2 + axis];
        assert_true((double)t->points[k] > low - 0.1 &&
                    (double)t->points[k] < high + 0.15);
      }
    }
    drop(&s, images);
  }
}

/* An image whose red and green tell the column and the row: a face at its
 * corner, so that its crops are clipped, and one inside. */
static gd_labelled_image draw_positions(void)
{
  gd_labelled_image l = {
      .n_faces = 2,
      .faces = {{.box = {-4.3f, -3.1f, 40.2f, 41.6f}, .confidence = 1},
                {.box = {60.4f, 30.7f, 96.9f, 70.2f}, .confidence = 1}}};
  assert_ok(gd_image_new(120, 90, &l.image));
  for (int y = 0; y < 90; y++)
    for (int x = 0; x < 120; x++) {
      uint8_t *rgb = l.image.rgb + 3 * (y * 120 + x);
      rgb[0] = (uint8_t)(2 * x);
      rgb[1] = (uint8_t)(2 * y);
    }
  for (int j = 0; j < 2; j++)
    for (int i = 0; i < GD_N_LANDMARKS; i++) {
      l.faces[j].landmarks[i][0] = 10.37f + 50 * (float)j + 4 * (float)i;
      l.faces[j].landmarks[i][1] = 8.21f + 35 * (float)j + 5 * (float)i;
    }
  return l;
}

/* The pixel that a crop shows at a wanted point is the landmark's, to within
 * what the crop's own pixels can tell. */
static void crop_shows_a_wanted_point_where_the_landmark_is(void **state)
{
  (void)state;
  for (int net = GD_RNET; net <= GD_ONET; net++) {
    gd_labelled_image image = draw_positions();
    gd_mtcnn *before = open_cascade(net);
    gd_detector_samples s;
    int n_clipped = 0;
    assert_ok(gd_detector_samples_begin(&s, net, 20));
    for (int i = 0; i < 20; i++) {
      gd_random r = gd_random_of(1, GD_FOR_TESTS, net, i);
      assert_ok(gd_detector_samples_add(&s, net, before, &image, &r));
    }
    const int side = s.size_px;
    for (int i = 0; i < s.n; i++) {
      const gd_detector_target *t = &s.targets[i];
      if (t->kind == GD_SAMPLE_NEGATIVE)
        continue;
      const float *crop = s.x + (int64_t)i * side * side * 3;
      const int j = (double)crop[3 * (side * side - 1)] * 64 + 63.75 > 70;
      n_clipped += j == 0;
      for (int k = 0; k < GD_N_LANDMARKS; k++) {
        const float *wanted = image.faces[j].landmarks[k];
        const int x = (int)(t->points[k] * (float)side);
        const int y = (int)(t->points[GD_N_LANDMARKS + k] * (float)side);
        if (x < 0 || y < 0 || x >= side || y >= side)
          continue;
        const float *shown = crop + 3 * (y * side + x);
        for (int c = 0; c < 2; c++) {
          const double at = ((double)shown[c] * 128 + 127.5) / 2 + 0.5;
          assert_true(fabs(at - (double)wanted[c]) < 0.5 + 60.0 / side);
        }
      }
    }
    assert_true(n_clipped > 10 && n_clipped < s.n);
    gd_detector_samples_end(&s);
    gd_mtcnn_close(before);
    gd_image_free(&image.image);
  }
}

static void image_without_a_face_gives_negatives_alone(void **state)
{
  (void)state;
  gd_labelled_image image = {.n_faces = 0};
  gd_detector_samples s;
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  assert_ok(gd_image_new(64, 48, &image.image));
  assert_ok(gd_detector_samples_begin(&s, GD_PNET, 1));
  assert_ok(gd_detector_samples_add(&s, GD_PNET, NULL, &image, &r));
  assert_true(s.n > 0);
  for (int i = 0; i < s.n; i++)
    assert_int_equal(s.targets[i].kind, GD_SAMPLE_NEGATIVE);
  gd_detector_samples_end(&s);
  gd_image_free(&image.image);
}

/* A white square on black: every crop beside what a search finds is of it. */
static void decoy_gives_negatives_without_a_search(void **state)
{
  (void)state;
  enum { DRAWS = 12, LEFT = 30, SIDE = 24, N_EACH = 1 };
  gd_labelled_image image = {
      .n_decoys = 1, .decoys = {{LEFT, LEFT, LEFT + SIDE, LEFT + SIDE}}};
  gd_mtcnn *before = open_cascade(GD_ONET);
  int n_alone = 0;
  assert_ok(gd_image_new(90, 80, &image.image));
  for (int y = LEFT; y < LEFT + SIDE; y++)
    memset(image.image.rgb + 3 * (y * 90 + LEFT), 255, 3 * SIDE);
  for (int i = 0; i < DRAWS; i++) {
    gd_detector_samples s;
    gd_random r = gd_random_of(2, GD_FOR_TESTS, 0, i);
    assert_ok(gd_detector_samples_begin(&s, GD_ONET, 1));
    assert_ok(gd_detector_samples_add(&s, GD_ONET, before, &image, &r));
    assert_true(s.n >= N_EACH);
    n_alone += s.n == N_EACH;
    for (int k = 0; k < s.n; k++) {
      const float *crop = gd_detector_samples_x(&s, k);
      assert_int_equal(s.targets[k].kind, GD_SAMPLE_NEGATIVE);
      if (s.n == N_EACH) /* its middle is the square's */
        assert_true(crop[3 * (24 * 48 + 24)] > 0.9f);
    }
    gd_detector_samples_end(&s);
  }
  assert_true(n_alone > DRAWS / 2);
  gd_mtcnn_close(before);
  gd_image_free(&image.image);
}

static void hidden_face_is_neither_wanted_nor_a_negative(void **state)
{
  (void)state;
  gd_labelled_image image = {
      .n_faces = 1, .faces = {{.box = {0, 0, 64, 64}, .confidence = 0.3f}}};
  gd_detector_samples s;
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  assert_ok(gd_image_new(64, 64, &image.image));
  assert_ok(gd_detector_samples_begin(&s, GD_PNET, 1));
  assert_ok(gd_detector_samples_add(&s, GD_PNET, NULL, &image, &r));
  assert_int_equal(s.n, 0);
  gd_detector_samples_end(&s);
  gd_image_free(&image.image);
}

/* Such an image is not made larger, for which there is no room. */
static void image_smaller_than_a_cell_gives_no_samples(void **state)
{
  (void)state;
  gd_labelled_image image = {.n_faces = 0};
  gd_detector_samples s;
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  assert_ok(gd_image_new(40, 8, &image.image));
  assert_ok(gd_detector_samples_begin(&s, GD_PNET, 1));
  assert_ok(gd_detector_samples_add(&s, GD_PNET, NULL, &image, &r));
  assert_int_equal(s.n, 0);
  gd_detector_samples_end(&s);
  gd_image_free(&image.image);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(samples_of_all_kinds_are_found_for_each_net),
    cmocka_unit_test(what_is_wanted_of_a_crop_is_where_the_face_is),
    cmocka_unit_test(crop_shows_a_wanted_point_where_the_landmark_is),
    cmocka_unit_test(image_without_a_face_gives_negatives_alone),
    cmocka_unit_test(decoy_gives_negatives_without_a_search),
    cmocka_unit_test(hidden_face_is_neither_wanted_nor_a_negative),
    cmocka_unit_test(image_smaller_than_a_cell_gives_no_samples),
};

gd_test_main(tests)
