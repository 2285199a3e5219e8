/* The job behind `gradus predict`, on models that were never trained. */
#include "predict_job.h"

#include <stdio.h>
#include <string.h>

#include "gradus/calibration.h"
#include "gradus/drawn_detector.h"
#include "gradus/file.h"
#include "gradus/profile.h"
#include "gradus/store.h"
#include "test.h"

enum { K = 5 };
static const char *const one[] = {"a b.mp4"};
static int outputs = K; /* of the models to come */

/* Write a model without its tensors, which nobody reads so early, that says so
 * of its faces. */
static const char *model(const char *name, const char *settings,
                         const char *detector)
{
  gd_store_writer *w;
  char profile[GD_PROFILE_TEXT];
  const char *path = gd_test_path(name);
  const gd_resnet_config network = gd_resnet_config_default();
  const struct {
    const char *name;
    int value;
  } numbers[] = {{"depth", 50},        {"height_px", 64},
                 {"width_px", 64},     {"hidden", outputs > 0 ? 8 : 0},
                 {"outputs", outputs}, {"n_levels", K},
                 {"epoch", 1},         {"step", 1}};
  gd_profile_write(&network, profile);
  assert_ok(gd_store_create(path, "gradus-model", 2, (gd_digest){1, 2}, &w));
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    assert_ok(gd_store_set_int(w, numbers[i].name, numbers[i].value));
  assert_ok(gd_store_set_text(w, "profile", profile));
  assert_ok(gd_store_set_text(w, "loss", "softmax"));
  assert_ok(gd_store_set_text(w, "template", "crop"));
  assert_ok(gd_store_set_real(w, "dev_mae", 1));
  if (settings[0] != '\0')
    assert_ok(gd_store_set_text(w, "settings", settings));
  if (detector[0] != '\0')
    assert_ok(gd_store_set_text(w, "detector", detector));
  assert_ok(gd_store_commit(w));
  return path;
}

static gd_predict_request request_for(const char *path)
{
  static char own[GD_PATH_MAX], work[GD_PATH_MAX];
  snprintf(own, sizeof own, "%s", path);
  snprintf(work, sizeof work, "%s", gd_test_path("work"));
  assert_ok(gd_directory_make(work));
  return (gd_predict_request){
      .n_videos = 1, .videos = one, .model = own, .work = work};
}

static void refuse(const gd_predict_request *r, gd_status st,
                   const char *reason)
{
  gd_job *job;
  assert_fails(gd_predict_load(r, &job), st, reason);
}

static const gd_instance *stage_of(const gd_job *job, const char *kind)
{
  for (int i = 0; i < gd_job_n_instances(job); i++)
    if (strcmp(gd_instance_kind(gd_job_instance(job, i)), kind) == 0)
      return gd_job_instance(job, i);
  fail_msg("no %s", kind);
  return NULL;
}

static const char LANDMARKS[] =
    "extract.every=7\nextract.start=1.5\nalign.detector=\"landmarks\"\n"
    "align.size=64\nalign.thresholds=[0.5, 0.6, 0.7]\n";
static const char FILE_DETECTOR[] = "extract.every=7\nalign.size=64\n";

static void job_has_the_settings_that_the_model_records(void **state)
{
  (void)state;
  gd_job *job;
  gd_predict_request r = request_for(model("m.h5", LANDMARKS, ""));
  assert_ok(gd_predict_load(&r, &job));
  const gd_instance *extract = stage_of(job, "extract");
  const gd_instance *align = stage_of(job, "align");
  assert_int_equal(gd_instance_int(extract, "every"), 7);
  assert_true(gd_instance_real(extract, "start") == 1.5);
  assert_int_equal(gd_instance_int(align, "size"), 64);
  assert_true(gd_instance_reals(align, "thresholds")[0] == 0.5);
  assert_string_equal(gd_instance_text(align, "detector"), "landmarks");
  assert_true(gd_instance_flag(align, "blur"));
  assert_string_equal(gd_instance_text(stage_of(job, "predict"), "model"),
                      r.model);
  assert_int_equal(gd_instance_corpus(extract).n_levels, K);
  const gd_corpus *corpus = gd_job_corpus(job);
  assert_int_equal(corpus->n_videos, 1);
  assert_string_equal(corpus->videos[0].id, one[0]);
  gd_job_free(job);
}

static void model_that_cannot_predict_is_refused(void **state)
{
  (void)state;
  gd_predict_request r = request_for(model("m.h5", "", ""));
  refuse(&r, GD_ERR_USAGE, "does not record how its frames and faces were");
  r = request_for(model("m.h5", "extract.every=7\nwork=\"/\"\n", ""));
  refuse(&r, GD_ERR_FORMAT, "attribute settings: 'work=\"/\"' is none");
  r = request_for(model("m.h5", "extract.every=7\n", ""));
  refuse(&r, GD_ERR_FORMAT, "records no detector");
  outputs = 0;
  r = request_for(model("m.h5", LANDMARKS, ""));
  outputs = K;
  refuse(&r, GD_ERR_USAGE, "it has no head to predict with");
  r = request_for(gd_test_path("none.h5"));
  refuse(&r, GD_ERR_IO, "none.h5");
}

static void detector_has_to_be_the_one_of_the_model(void **state)
{
  (void)state;
  gd_job *job;
  char drawn[GD_DIGEST_HEX], hex[GD_DIGEST_HEX];
  char path[GD_PATH_MAX];
  const char *gone = "gone.h5";
  snprintf(path, sizeof path, "%s", gd_test_path("detector.h5"));
  assert_ok(gd_file_write(path, "detector", 8));
  gd_digest_hex(gd_digest_of("detector", 8), hex);
  gd_digest_hex(gd_drawn_detector_digest(), drawn);

  gd_predict_request r = request_for(model("m.h5", FILE_DETECTOR, hex));
  refuse(&r, GD_ERR_USAGE, "name their file by --detector");
  r.detector = gone;
  refuse(&r, GD_ERR_USAGE, "gone.h5: no such file");
  r.detector = path;
  assert_ok(gd_predict_load(&r, &job));
  assert_string_equal(gd_instance_text(stage_of(job, "align"), "detector"),
                      path);
  gd_job_free(job);
  r.detector = "drawn";
  refuse(&r, GD_ERR_USAGE, "drawn: is not the detector that found the faces");
  r.detector = "landmarks";
  refuse(&r, GD_ERR_USAGE, "its digest is none, not ");

  r = request_for(model("m.h5", "align.detector=\"drawn\"\n", drawn));
  assert_ok(gd_predict_load(&r, &job));
  gd_job_free(job);
  r.detector = path;
  refuse(&r, GD_ERR_USAGE, drawn);
  /* A later gradus may ship another one. */
  r = request_for(model("m.h5", "align.detector=\"drawn\"\n", hex));
  refuse(&r, GD_ERR_USAGE, "drawn: is not the detector that found the faces");

  r = request_for(model("m.h5", LANDMARKS, ""));
  r.detector = path;
  refuse(&r, GD_ERR_USAGE, "leave --detector out");
}

static void calibration_has_to_be_of_the_model(void **state)
{
  (void)state;
  gd_job *job;
  gd_digest digest;
  gd_calibration c = {.interval = 0.9, .half_width = 3, .n_calibration = 20};
  const char *path = gd_test_path("calibration.yaml");
  gd_predict_request r = request_for(model("m.h5", LANDMARKS, ""));
  r.calibration = path;
  assert_ok(gd_digest_of_file(r.model, &digest));
  gd_digest_hex(digest, c.model);
  assert_ok(gd_calibration_write(path, &c));
  assert_ok(gd_predict_load(&r, &job));
  gd_job_free(job);
  memset(c.model, '0', GD_DIGEST_HEX - 1);
  assert_ok(gd_calibration_write(path, &c));
  refuse(&r, GD_ERR_USAGE, "calibration.yaml: is of another model than");
}

static void paths_mean_what_they_say(void **state)
{
  (void)state;
  gd_job *job;
  static const char *const odd[] = {"${HOME}/#1: \"x\".mp4", " - b"};
  static const char *const broken[] = {"a\nb.mp4"};
  gd_predict_request r = request_for(model("m ${X}.h5", LANDMARKS, ""));
  r.videos = odd;
  r.n_videos = 2;
  assert_ok(gd_predict_load(&r, &job));
  assert_string_equal(gd_job_corpus(job)->videos[0].path, odd[1]);
  assert_string_equal(gd_job_corpus(job)->videos[1].path, odd[0]);
  assert_string_equal(gd_instance_text(stage_of(job, "predict"), "model"),
                      r.model);
  gd_job_free(job);
  r.videos = broken;
  r.n_videos = 1;
  refuse(&r, GD_ERR_USAGE, "has neither line breaks");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(job_has_the_settings_that_the_model_records),
    cmocka_unit_test(model_that_cannot_predict_is_refused),
    cmocka_unit_test(detector_has_to_be_the_one_of_the_model),
    cmocka_unit_test(calibration_has_to_be_of_the_model),
    cmocka_unit_test(paths_mean_what_they_say),
};

gd_test_main(tests)
