/* The detector that ships, on drawn subjects that it was not trained on. */
#include "gradus/drawn_detector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/detector_score.h"
#include "gradus/memory.h"
#include "gradus/scene.h"
#include "gradus/synth.h"
#include "test.h"

/* jobs/detector.yaml draws with seed 1.  Detections of no face are few, and lie
 * where they lie: fewer scenes tell too little. */
enum { SEED = 20, SCENES = 400 };

static gd_mtcnn *open_detector(double min_face_px)
{
  gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_mtcnn *m;
  config.min_face_px = min_face_px;
  assert_ok(gd_mtcnn_open(GD_DETECTOR_DRAWN, &config, &m));
  return m;
}

static void add_found(gd_detector_score *s, const gd_labelled_image *l,
                      const gd_face *found, int n)
{
  for (int i = 0; i < n; i++) /* by all looks at it */
    assert_true((double)found[i].confidence >
                gd_mtcnn_defaults().thresholds[2]);
  assert_ok(gd_detector_score_add(s, l, found, n));
}

static void add(gd_detector_score *s, gd_mtcnn *m, const gd_labelled_image *l)
{
  const gd_face *found;
  int n;
  assert_ok(gd_mtcnn_detect(m, &l->image, &found, &n));
  add_found(s, l, found, n);
}

/* `most`: of the landmarks' mean error. */
static void check(gd_detector_score *s, double most)
{
  const int64_t n_faces = s->n_faces;
  const gd_detector_result r = gd_detector_score_sum(s);
  printf("%d faces: recall %.4f, precision %.4f; landmarks, in distances of "
         "the eyes: mean %.4f, median %.4f, 95%% %.4f\n",
         (int)n_faces, r.recall, r.precision, r.mean, r.median, r.most);
  assert_true(n_faces > 30);
  assert_true(r.recall >= 0.98);
  assert_true(r.precision >= 0.98);
  assert_true(r.mean <= most);
  gd_detector_score_free(s);
}

static void detector_finds_faces_of_scenes_it_was_not_trained_on(void **state)
{
  (void)state;
  gd_detector_score s = {.least_px = 20, .least_visible = 0.75};
  gd_mtcnn *m = open_detector(18);
  for (int i = 0; i < SCENES; i++) {
    gd_labelled_image l;
    assert_ok(gd_scene_draw(SEED, i, &l));
    add(&s, m, &l);
    gd_image_free(&l.image);
  }
  gd_mtcnn_close(m);
  check(&s, 0.04);
}

static void mirror(gd_image *image)
{
  for (int y = 0; y < image->height_px; y++)
    for (int x = 0; x < image->width_px / 2; x++)
      for (int c = 0; c < 3; c++) {
        uint8_t *row = image->rgb + 3 * (int64_t)y * image->width_px;
        const uint8_t left = row[3 * x + c];
        row[3 * x + c] = row[3 * (image->width_px - 1 - x) + c];
        row[3 * (image->width_px - 1 - x) + c] = left;
      }
}

static double logit(const gd_face *face)
{
  return log((double)face->confidence) - log1p(-(double)face->confidence);
}

/* The looks that a probability is the mean of come with their mirror images, so
 * a mirrored face is as sure; by a single crop it is not. */
static void face_is_as_sure_in_a_mirror(void **state)
{
  (void)state;
  enum { FACES = 40 };
  gd_mtcnn *m = open_detector(18);
  double off = 0;
  int n_alone = 0;
  for (int i = 0; n_alone < FACES; i++) {
    gd_labelled_image l;
    const gd_face *found;
    int n, n_mirrored;
    assert_ok(gd_scene_draw(SEED, i, &l));
    assert_ok(gd_mtcnn_detect(m, &l.image, &found, &n));
    const double sure = n == 1 ? logit(&found[0]) : 0;
    mirror(&l.image);
    assert_ok(gd_mtcnn_detect(m, &l.image, &found, &n_mirrored));
    if (n == 1 && n_mirrored == 1) {
      off += fabs(sure - logit(&found[0])) / FACES;
      n_alone++;
    }
    gd_image_free(&l.image);
  }
  print_message("a mirrored face is %.3f off\n", off);
  assert_true(off < 0.25);
  gd_mtcnn_close(m);
}

/* A corpus of the demo's size of frames. */
static gd_synth demo_corpus(gd_labelled_image *l)
{
  gd_synth corpus = gd_synth_default();
  corpus.width_px = 160;
  corpus.height_px = 120;
  *l = (gd_labelled_image){.n_faces = 1};
  assert_ok(gd_image_new(corpus.width_px, corpus.height_px, &l->image));
  return corpus;
}

static void draw(const gd_synth *corpus, int64_t video, int64_t frame,
                 gd_labelled_image *l)
{
  const gd_synth_item item = gd_synth_item_of(corpus, video);
  double points[GD_SYNTH_POINTS][2];
  assert_ok(gd_synth_draw(corpus, &item, frame, l->image.rgb, points));
  gd_synth_face(points, &l->faces[0]);
  l->faces[0].confidence = 1;
}

static void detector_finds_the_corpus_faces_that_the_demo_needs(void **state)
{
  (void)state;
  gd_detector_score s = {.least_px = 20, .least_visible = 0.75};
  gd_mtcnn *m = open_detector(36);
  gd_labelled_image l;
  const gd_synth corpus = demo_corpus(&l);
  for (int64_t i = 0; i < gd_synth_count(&corpus); i += 2) {
    draw(&corpus, i, i % 50, &l);
    add(&s, m, &l);
  }
  gd_image_free(&l.image);
  gd_mtcnn_close(m);
  check(&s, 0.025);
}

/* Every fifth frame, as the demo takes them: searched first, then followed. */
static void followed_face_is_as_near_as_a_found_one(void **state)
{
  (void)state;
  gd_detector_score s = {.least_px = 20, .least_visible = 0.75};
  gd_mtcnn *m = open_detector(36);
  gd_labelled_image l;
  const gd_synth corpus = demo_corpus(&l);
  for (int64_t i = 0; i < gd_synth_count(&corpus); i += 10) {
    const gd_face *found;
    int n;
    draw(&corpus, i, 0, &l);
    assert_ok(gd_mtcnn_detect(m, &l.image, &found, &n));
    for (int frame = 5; frame < 50; frame += 5) {
      draw(&corpus, i, frame, &l);
      assert_ok(gd_mtcnn_follow(m, &l.image, found, n, &found, &n));
      add_found(&s, &l, found, n);
    }
  }
  gd_image_free(&l.image);
  gd_mtcnn_close(m);
  check(&s, 0.025);
}

static void digest_is_that_of_the_file(void **state)
{
  (void)state;
  const char *source = getenv("GRADUS_SOURCE");
  char path[GD_PATH_MAX];
  gd_digest expected;
  assert_non_null(source);
  assert_ok(gd_path_join(source, "models/mtcnn-drawn.h5", path));
  assert_ok(gd_digest_of_file(path, &expected));
  assert_true(gd_digest_equal(gd_drawn_detector_digest(), expected));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(detector_finds_faces_of_scenes_it_was_not_trained_on),
    cmocka_unit_test(face_is_as_sure_in_a_mirror),
    cmocka_unit_test(detector_finds_the_corpus_faces_that_the_demo_needs),
    cmocka_unit_test(followed_face_is_as_near_as_a_found_one),
    cmocka_unit_test(digest_is_that_of_the_file),
};

gd_test_main(tests)
