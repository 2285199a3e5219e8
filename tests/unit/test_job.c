#include "gradus/job.h"
#include "gradus/loss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/drawn_detector.h"
#include "gradus/profile.h"
#include "gradus/store.h"
#include "gradus/synth.h"
#include "test.h"

static const char pipeline[] = "job: small\n"
                               "work: w\n"
                               "stages:\n"
                               "  corpus: {stage: synth, subjects: 6}\n"
                               "  frames: {stage: extract, from: corpus}\n"
                               "  faces: {stage: align, from: frames}\n"
                               "  model: {stage: train, from: faces}\n"
                               "  scores:\n"
                               "    stage: evaluate\n"
                               "    from: [faces, model]\n"
                               "  report: {stage: report, from: scores}\n";

static gd_status load_sets(const char *text, const char *const *sets,
                           int n_sets, gd_job **out)
{
  const char *path = gd_test_path("job.yaml");
  assert_ok(gd_file_write(path, text, strlen(text)));
  return gd_job_load(path, sets, n_sets, out);
}

static gd_job *load(const char *text)
{
  gd_job *job;
  assert_ok(load_sets(text, NULL, 0, &job));
  return job;
}

/* Return the instance of a title, or fail. */
static const gd_instance *find(const gd_job *job, const char *title)
{
  for (int i = 0; i < gd_job_n_instances(job); i++)
    if (strcmp(gd_instance_title(gd_job_instance(job, i)), title) == 0)
      return gd_job_instance(job, i);
  fail_msg("no instance %s", title);
  return NULL;
}

static void pipeline_gives_one_instance_per_stage_in_order(void **state)
{
  (void)state;
  gd_job *job = load(pipeline);
  assert_string_equal(gd_job_name(job), "small");
  assert_string_equal(gd_job_work(job), "w");
  assert_int_equal(gd_job_n_instances(job), 6);
  const gd_instance *scores = find(job, "scores");
  assert_string_equal(gd_instance_kind(scores), "evaluate");
  /* In the order of the kind, whatever order `from` has. */
  assert_int_equal(gd_instance_n_inputs(scores), 2);
  assert_string_equal(gd_instance_name(gd_instance_input(scores, 0)), "model");
  assert_string_equal(gd_instance_name(gd_instance_input(scores, 1)), "faces");
  assert_ptr_equal(gd_instance_upstream(scores, "extract"),
                   find(job, "frames"));
  assert_null(gd_instance_upstream(scores, "report"));
  gd_corpus_source corpus = gd_instance_corpus(scores);
  assert_string_equal(corpus.root, gd_instance_directory(find(job, "corpus")));
  assert_int_equal(corpus.n_levels, 64);
  gd_job_free(job);
}

static void parameters_have_their_defaults_and_types(void **state)
{
  (void)state;
  gd_job *job = load(pipeline);
  const gd_instance *model = find(job, "model");
  assert_int_equal(gd_instance_int(model, "batch"), 32);
  assert_int_equal(gd_instance_int(model, "levels"), 64);
  assert_true(gd_instance_real(model, "optimizer.rate") == 1e-4);
  assert_true(gd_instance_flag(model, "flip"));
  assert_string_equal(gd_instance_text(model, "init"), "");
  assert_int_equal(gd_instance_int(find(job, "frames"), "shard_bytes"),
                   256 << 20);
  assert_true(gd_instance_real(find(job, "faces"), "factor") == 0.709);
  assert_true(gd_instance_reals(find(job, "faces"), "thresholds")[2] == 0.7);
  gd_job_free(job);
}

static void skip_limit_is_a_count_or_a_percentage(void **state)
{
  (void)state;
  gd_job *job;
  assert_ok(load_sets(
      pipeline,
      (const char *const[]){"frames.max_skipped=3", "faces.max_skipped=2.5%"},
      2, &job));
  assert_int_equal(gd_instance_max_skipped(find(job, "frames"), 200), 3);
  assert_int_equal(gd_instance_max_skipped(find(job, "faces"), 200), 5);
  assert_int_equal(gd_instance_max_skipped(find(job, "model"), 200), 200);
  gd_job_free(job);
}

static void effective_manifest_gives_the_same_job(void **state)
{
  (void)state;
  gd_job *job, *again;
  assert_ok(
      load_sets(pipeline,
                (const char *const[]){"sweep.model.loss=[softmax, expectation]",
                                      "sweep.model.zip.seed=[1, 2]",
                                      "sweep.model.zip.batch=[8, 16]",
                                      "slurm.model.nodes=4"},
                4, &job));
  assert_ok(load_sets(gd_job_effective(job), NULL, 0, &again));
  assert_string_equal(gd_job_effective(job), gd_job_effective(again));
  assert_int_equal(gd_job_n_instances(job), 12);
  assert_int_equal(gd_job_n_instances(again), 12);
  for (int i = 0; i < 12; i++)
    assert_string_equal(gd_instance_directory(gd_job_instance(job, i)),
                        gd_instance_directory(gd_job_instance(again, i)));
  gd_job_free(job);
  gd_job_free(again);
}

/* Cut a text into its lines, in place. */
static int cut_lines(char *text, const char *lines[64])
{
  int n = 0;
  for (char *rest = text, *line; (line = strtok_r(rest, "\n", &rest));)
    lines[n++] = line;
  return n;
}

static void parameters_given_as_sets_make_the_same_results(void **state)
{
  (void)state;
  static const char named_after_kinds[] =
      "job: other\nwork: w\nstages:\n"
      "  corpus: {stage: synth, subjects: 6}\n"
      "  extract: {stage: extract, from: corpus}\n"
      "  align: {stage: align, from: extract}\n";
  gd_job *job, *again;
  assert_ok(load_sets(pipeline,
                      (const char *const[]){"frames.rate=2.5", "frames.stall=7",
                                            "faces.detector=drawn",
                                            "faces.thresholds=[.5, .6, .7]"},
                      4, &job));
  gd_text parameters = {0};
  gd_instance_parameters(find(job, "frames"), &parameters);
  gd_instance_parameters(find(job, "faces"), &parameters);
  /* What changes no result is nobody else's business. */
  assert_null(strstr(gd_text_get(&parameters), "stall"));
  const char *lines[64];
  const int n = cut_lines(parameters.data, lines);
  assert_ok(load_sets(named_after_kinds, lines, n, &again));
  assert_true(gd_digest_equal(gd_instance_digest(find(job, "frames")),
                              gd_instance_digest(find(again, "extract"))));
  assert_true(gd_digest_equal(gd_instance_digest(find(job, "faces")),
                              gd_instance_digest(find(again, "align"))));
  assert_true(
      gd_digest_equal(gd_instance_content(find(job, "faces"), "detector"),
                      gd_drawn_detector_digest()));
  gd_text_free(&parameters);
  gd_job_free(job);
  gd_job_free(again);
}

static void keys_that_follow_others_give_way_to_them(void **state)
{
  (void)state;
  gd_job *job, *again;
  assert_ok(load_sets(pipeline,
                      (const char *const[]){"frames.rate=3", "model.batch=4"},
                      2, &job));
  assert_int_equal(gd_instance_int(find(job, "frames"), "every"), 0);
  assert_int_equal(gd_instance_int(find(job, "model"), "microbatch"), 4);
  assert_ok(load_sets(gd_job_effective(job), NULL, 0, &again));
  assert_string_equal(gd_job_effective(job), gd_job_effective(again));
  assert_string_equal(gd_instance_directory(find(job, "report")),
                      gd_instance_directory(find(again, "report")));
  gd_job_free(job);
  gd_job_free(again);
  job = load(pipeline);
  assert_int_equal(gd_instance_int(find(job, "frames"), "every"), 10);
  assert_int_equal(gd_instance_int(find(job, "model"), "microbatch"), 8);
  gd_job_free(job);
}

/* What a job asks of a model file, without its tensors. */
static const char *write_model(const char *name, int depth, const char *profile)
{
  const struct {
    const char *name;
    int value;
  } numbers[] = {{"depth", depth},
                 {"height_px", 224},
                 {"width_px", 224},
                 {"hidden", 0},
                 {"outputs", 0}};
  gd_store_writer *w;
  const char *path = gd_test_path(name);
  assert_ok(gd_store_create(path, "gradus-model", 2, (gd_digest){0}, &w));
  for (int i = 0; i < 5; i++)
    assert_ok(gd_store_set_int(w, numbers[i].name, numbers[i].value));
  gd_resnet_config config = gd_resnet_config_default();
  char text[GD_PROFILE_TEXT];
  assert_ok(gd_profile_of(profile, &config));
  gd_profile_write(&config, text);
  assert_ok(gd_store_set_text(w, "profile", text));
  assert_ok(gd_store_commit(w));
  return path;
}

static void assert_model_is(const gd_job *job, int depth, const char *profile)
{
  const gd_instance *model = find(job, "model");
  assert_int_equal(gd_instance_int(model, "depth"), depth);
  assert_string_equal(gd_instance_text(model, "profile"), profile);
}

static void network_is_that_of_the_weights_it_starts_from(void **state)
{
  (void)state;
  static const char odd[] =
      "stride=1x1 epsilon=0.001 pooling=pad conv1=pad channels=RGB "
      "mean=0,0,0 deviation=1,1,1";
  char set[GD_PATH_MAX + 16];
  gd_job *job = load(pipeline), *again;
  assert_model_is(job, 50, "gradus");
  gd_job_free(job);

  snprintf(set, sizeof set, "model.init=%s",
           write_model("k.h5", 101, "keras-vggface"));
  assert_ok(load_sets(pipeline, (const char *const[]){set}, 1, &job));
  assert_model_is(job, 101, "keras-vggface");
  gd_text message = {0};
  gd_job_pack(job, &message);
  assert_ok(gd_file_remove(gd_test_path("k.h5")));
  assert_ok(gd_job_unpack(message.data, message.length_bytes, &again));
  assert_model_is(again, 101, "keras-vggface");
  gd_text_free(&message);
  gd_job_free(again);
  gd_job_free(job);

  snprintf(set, sizeof set, "model.init=%s", write_model("odd.h5", 50, odd));
  assert_ok(load_sets(pipeline, (const char *const[]){set}, 1, &job));
  assert_model_is(job, 50, odd);
  gd_job_free(job);
}

/* With the place of the key that says so, or of the file that cannot be. */
static void key_that_contradicts_the_weights_is_refused(void **state)
{
  (void)state;
  char set[GD_PATH_MAX + 16];
  const char *sets[2] = {set};
  gd_job *job;
  snprintf(set, sizeof set, "model.init=%s",
           write_model("k.h5", 101, "keras-vggface"));
  sets[1] = "model.depth=101";
  assert_ok(load_sets(pipeline, sets, 2, &job));
  gd_job_free(job);
  sets[1] = "model.depth=50";
  assert_fails(load_sets(pipeline, sets, 2, &job), GD_ERR_USAGE,
               "k.h5 has 101 layers: leave the key out\n  model.depth=50");
  sets[1] = "model.profile=torchvision";
  assert_fails(load_sets(pipeline, sets, 2, &job), GD_ERR_USAGE,
               "are of keras-vggface: leave the key out\n  model.profile=tor");
  static const char in_file[] = "job: x\n"
                                "stages:\n"
                                "  corpus: {stage: synth}\n"
                                "  frames: {stage: extract, from: corpus}\n"
                                "  faces: {stage: align, from: frames}\n"
                                "  model: {stage: train, from: faces,\n"
                                "          profile: gradus}\n";
  assert_fails(load_sets(in_file, sets, 1, &job), GD_ERR_USAGE,
               ":7:20: error: 'profile' is gradus, but the weights of ");
  assert_ok(gd_file_write(gd_test_path("k.h5"), "weights", 7));
  assert_fails(load_sets(pipeline, sets, 1, &job), GD_ERR_USAGE,
               "k.h5: no HDF5 file, or truncated");
}

static void sweep_multiplies_a_stage_and_what_depends_on_it(void **state)
{
  (void)state;
  gd_job *job;
  assert_ok(load_sets(
      pipeline,
      (const char *const[]){"sweep.model.loss=[softmax,expectation]",
                            "sweep.model.optimizer.rate=[1e-3,1e-4,1e-5]"},
      2, &job));
  assert_int_equal(gd_job_n_instances(job), 3 + 6 + 6 + 1);
  const gd_instance *scores =
      find(job, "scores[loss=expectation,optimizer.rate=1e-05]");
  const gd_instance *model = gd_instance_input(scores, 0);
  assert_string_equal(gd_instance_member(model),
                      "loss=expectation,optimizer.rate=1e-05");
  assert_string_equal(gd_instance_text(model, "loss"), "expectation");
  assert_true(gd_instance_real(model, "optimizer.rate") == 1e-5);
  assert_ptr_equal(gd_instance_input(scores, 1), find(job, "faces"));
  assert_int_equal(gd_instance_n_inputs(find(job, "report")), 6);
  gd_job_free(job);
}

static void folds_have_to_be_those_of_the_table(void **state)
{
  (void)state;
  static const char labels[] = "video,label,subject,partition,fold\n"
                               "a.avi,1,p,train,1\nb.avi,2,q,train,2\n"
                               "c.avi,3,r,train,3\n";
  gd_job *job, *told;
  gd_text message = {0};
  char text[2048];
  const char *root = gd_test_path("folds");
  assert_ok(gd_directory_make(root));
  snprintf(text, sizeof text, "%s/labels.csv", root);
  assert_ok(gd_file_write(text, labels, strlen(labels)));
  snprintf(text, sizeof text,
           "job: j\ncorpus: {root: \"%s\"}\nstages:\n"
           "  frames: {stage: extract, from: corpus}\n"
           "  faces: {stage: align, from: frames}\n"
           "  model: {stage: train, from: faces, folds: 3}\n",
           root);
  assert_ok(load_sets(text, NULL, 0, &job));
  gd_job_pack(job, &message);
  assert_ok(gd_job_unpack(message.data, message.length_bytes, &told));
  gd_text_free(&message);
  gd_job_free(told);
  gd_job_free(job);
  assert_fails(load_sets(text, (const char *const[]){"model.folds=4"}, 1, &job),
               GD_ERR_USAGE,
               "'folds' is 4, but the corpus's column `fold` names 3");
  /* Without cross-validation, partitions are what they are. */
  assert_ok(load_sets(text, (const char *const[]){"model.folds=0"}, 1, &job));
  gd_job_free(job);
}

static void range_is_the_list_of_its_numbers(void **state)
{
  (void)state;
  gd_job *job, *again;
  assert_ok(load_sets(
      pipeline, (const char *const[]){"model.folds=5", "sweep.model.fold=1..5"},
      2, &job));
  assert_ok(load_sets(pipeline,
                      (const char *const[]){"model.folds=5",
                                            "sweep.model.fold=[1, 2, 3, 4, 5]"},
                      2, &again));
  assert_int_equal(gd_instance_int(find(job, "model[fold=5]"), "fold"), 5);
  assert_string_equal(gd_job_effective(job), gd_job_effective(again));
  gd_job_free(job);
  gd_job_free(again);
}

/* What stands in a job of `corpus:` and stages below it. */
static gd_status load_list(const char *stages, gd_job **out)
{
  char text[2048];
  const char *list = gd_test_path("videos.txt");
  assert_ok(gd_file_write(list, "a.mp4\n", 6));
  const int n = snprintf(text, sizeof text,
                         "job: j\ncorpus: {layout: list, root: \"%s\"}\n"
                         "stages:\n  drawn: {stage: synth}\n"
                         "  frames: {stage: extract, from: corpus}\n"
                         "  faces: {stage: align, from: frames}\n"
                         "  others: {stage: extract, from: drawn}\n"
                         "  known: {stage: align, from: others}\n"
                         "  model: {stage: train, from: known}\n%s",
                         list, stages);
  assert_in_range(n, 1, sizeof text - 1);
  return load_sets(text, NULL, 0, out);
}

static void videos_without_labels_are_for_prediction_alone(void **state)
{
  (void)state;
  gd_job *job;
  assert_fails(load_list("  bad: {stage: train, from: faces}\n", &job),
               GD_ERR_USAGE, "'bad' needs labels");
  assert_fails(
      load_list("  bad: {stage: evaluate, from: [model, faces]}\n", &job),
      GD_ERR_USAGE, "'bad' needs labels");
  assert_fails(load_list("  bad: {stage: predict, from: faces}\n", &job),
               GD_ERR_USAGE, "'model' of 'predict' is missing");
  const char *file = gd_test_path("some.h5");
  char stage[GD_PATH_MAX + 100];
  assert_ok(gd_file_write(file, "model", 5));
  snprintf(stage, sizeof stage,
           "  bad: {stage: predict, from: known, model: \"%s\"}\n", file);
  assert_fails(load_list(stage, &job), GD_ERR_USAGE,
               "'bad' scores a corpus of layout 'list'");
  snprintf(stage, sizeof stage,
           "  good: {stage: predict, from: faces, model: \"%s\"}\n", file);
  assert_ok(load_list(stage, &job));
  assert_true(gd_digest_equal(gd_instance_content(find(job, "good"), "model"),
                              gd_digest_of("model", 5)));
  gd_job_free(job);
}

/* Names of results: a digest that moves makes every user's results look not
 * done.  Change these only on purpose, with a section's version. */
static void digests_stay_what_they_were(void **state)
{
  (void)state;
  static const char *const golden[] = {
      "w/corpus-46b894f3", "w/frames-98cb0bf0", "w/faces-4423f4ed",
      "w/model-997f2c32",  "w/scores-b24c71ba", "w/report-b64742f1",
  };
  gd_job *job = load(pipeline);
  for (int i = 0; i < gd_job_n_instances(job); i++)
    assert_string_equal(gd_instance_directory(gd_job_instance(job, i)),
                        golden[i]);
  gd_job_free(job);
}

/* Load the pipeline with one override and say which stages got another digest:
 * one letter each, in order, '.' for the same. */
static const char *changed_by(const char *set)
{
  static char changed[8];
  gd_job *before = load(pipeline), *after;
  assert_ok(load_sets(pipeline, &set, 1, &after));
  assert_int_equal(gd_job_n_instances(after), 6);
  for (int i = 0; i < 6; i++) {
    const gd_instance *a = gd_job_instance(before, i);
    const gd_instance *b = gd_job_instance(after, i);
    const int same =
        gd_digest_equal(gd_instance_digest(a), gd_instance_digest(b));
    changed[i] = same ? '.' : gd_instance_name(a)[0];
  }
  gd_job_free(before);
  gd_job_free(after);
  return changed;
}

static void digest_depends_on_parameters_and_inputs_only(void **state)
{
  (void)state;
  assert_string_equal(changed_by("corpus.seed=2"), "cffmsr");
  assert_string_equal(changed_by("frames.every=5"), ".ffmsr");
  assert_string_equal(changed_by("frames.store=jpeg"), ".ffmsr");
  assert_string_equal(changed_by("frames.damaged=keep"), ".ffmsr");
  assert_string_equal(changed_by("faces.size=96"), "..fmsr");
  assert_string_equal(changed_by("model.loss=softmax"), "...msr");
  assert_string_equal(changed_by("scores.partition=dev"), "....sr");
  assert_string_equal(changed_by("model.folds=5"), "...msr");
  assert_string_equal(changed_by("scores.average=median"), "....sr");
  /* Keys that came later: their defaults are what was done before. */
  assert_string_equal(changed_by("model.balance=video"), "...msr");
  assert_string_equal(changed_by("model.augment.rotate=5"), "...msr");
  assert_string_equal(changed_by("model.loss_sigma=2.0"), "......");
  assert_string_equal(changed_by("report.title=x"), ".....r");
  /* A value that is the default, however written; what changes no result; where
   * results lie. */
  assert_string_equal(changed_by("model.optimizer.rate=0.00010"), "......");
  assert_string_equal(changed_by("frames.shard_bytes=262144KiB"), "......");
  assert_string_equal(changed_by("frames.max_skipped=50%"), "......");
  assert_string_equal(changed_by("frames.stall=9"), "......");
  assert_string_equal(changed_by("model.checkpoint_every=7"), "......");
  assert_string_equal(changed_by("work=elsewhere"), "......");
}

static void file_enters_the_digest_by_its_content(void **state)
{
  (void)state;
  const char *a = gd_test_path("a.h5"), *b = gd_test_path("b.h5");
  char set_a[GD_PATH_MAX], set_b[GD_PATH_MAX];
  snprintf(set_a, sizeof set_a, "faces.detector=%s", a);
  snprintf(set_b, sizeof set_b, "faces.detector=%s", b);
  assert_ok(gd_file_write(a, "weights", 7));
  assert_ok(gd_file_write(b, "weights", 7));
  gd_job *one, *two;
  assert_ok(load_sets(pipeline, (const char *const[]){set_a}, 1, &one));
  assert_ok(load_sets(pipeline, (const char *const[]){set_b}, 1, &two));
  assert_string_equal(gd_instance_directory(find(one, "faces")),
                      gd_instance_directory(find(two, "faces")));
  gd_job_free(two);
  assert_ok(gd_file_write(b, "others!", 7));
  assert_ok(load_sets(pipeline, (const char *const[]){set_b}, 1, &two));
  assert_string_not_equal(gd_instance_directory(find(one, "faces")),
                          gd_instance_directory(find(two, "faces")));
  gd_job_free(one);
  gd_job_free(two);
}

/* This process's own memory, which has nothing at 0: a file that is there, can
 * be opened, and fails to be read like one on a disk that does not answer. */
static const char failing[] = "/proc/self/mem";

static int has_failing_file(void)
{
  gd_digest digest;
  if (gd_digest_of_file(failing, &digest) == GD_ERR_IO &&
      !gd_file_is_closed(failing))
    return 1;
  gd_test_say_skip("no file here fails to be read");
  return 0;
}

static const char one_corpus[] =
    "job: small\n"
    "corpus: {layout: table, root: \"%s\"}\n"
    "stages:\n"
    "  frames: {stage: extract, from: corpus}\n"
    "  faces: {stage: align, from: frames, detector: \"%s\"}\n"
    "  model: {stage: train, from: faces, init: \"%s\"}\n";

static gd_status load_files(const char *landmarks, const char *detector,
                            const char *init, gd_job **out)
{
  char table[2 * GD_PATH_MAX], text[4 * GD_PATH_MAX];
  assert_ok(gd_directory_make(gd_test_path("corpus")));
  snprintf(table, sizeof table,
           "video,label,subject,partition,landmarks\na.avi,1,p,train,%s\n",
           landmarks);
  assert_ok(
      gd_file_write(gd_test_path("corpus/labels.csv"), table, strlen(table)));
  snprintf(text, sizeof text, one_corpus, gd_test_path("corpus"), detector,
           init);
  return load_sets(text, NULL, 0, out);
}

/* Exit code 2 would tell Slurm's jobs that a retry will not help. */
static void
file_that_cannot_be_read_for_now_is_no_fault_of_the_manifest(void **state)
{
  (void)state;
  gd_job *job;
  if (!has_failing_file())
    return;
  assert_fails(load_files("", failing, "", &job), GD_ERR_IO,
               "job.yaml:5:50: error: /proc/self/mem: cannot read: ");
  assert_null(job);
  assert_fails(load_files("", "landmarks", failing, &job), GD_ERR_IO,
               "job.yaml:6:45: error: /proc/self/mem: cannot read: ");
  assert_fails(load_files(failing, "landmarks", "", &job), GD_ERR_IO,
               "job.yaml:2:32: error: /proc/self/mem: cannot read: ");
}

static void file_that_never_can_be_read_is_a_fault_of_the_manifest(void **state)
{
  (void)state;
  gd_job *job;
  char none[GD_PATH_MAX];
  assert_ok(gd_path_join(gd_test_directory(), "no.h5", none));
  const char *const closed[] = {none, gd_test_directory()};
  for (int i = 0; i < 2; i++) {
    assert_fails(load_files("", closed[i], "", &job), GD_ERR_USAGE,
                 "job.yaml:5:50: error: ");
    assert_fails(load_files("", "landmarks", closed[i], &job), GD_ERR_USAGE,
                 "job.yaml:6:45: error: ");
    assert_fails(load_files(closed[i], "landmarks", "", &job), GD_ERR_USAGE,
                 "job.yaml:2:32: error: ");
  }
  assert_ok(gd_file_write(none, "text", 4));
  assert_fails(load_files("", "landmarks", none, &job), GD_ERR_USAGE,
               "no HDF5 file");
}

static void shipped_detector_enters_the_digest_like_its_file(void **state)
{
  (void)state;
  const char *source = getenv("GRADUS_SOURCE");
  char set[GD_PATH_MAX];
  gd_job *named, *file;
  assert_non_null(source);
  snprintf(set, sizeof set, "faces.detector=%.4000s/models/mtcnn-drawn.h5",
           source);
  assert_ok(load_sets(pipeline, (const char *const[]){"faces.detector=drawn"},
                      1, &named));
  assert_ok(load_sets(pipeline, (const char *const[]){set}, 1, &file));
  assert_string_equal(gd_instance_directory(find(named, "faces")),
                      gd_instance_directory(find(file, "faces")));
  gd_job_free(named);
  gd_job_free(file);
}

static void unpacked_job_is_the_packed_one_without_the_world(void **state)
{
  (void)state;
  static const char text[] = "job: x\n"
                             "work: ${GRADUS_TEST_WORK}/w\n"
                             "stages:\n"
                             "  corpus: {stage: synth}\n"
                             "  frames: {stage: extract, from: corpus}\n"
                             "  faces: {stage: align, from: frames}\n";
  char set[GD_PATH_MAX];
  snprintf(set, sizeof set, "faces.detector=%s", gd_test_path("w.h5"));
  assert_ok(gd_file_write(gd_test_path("w.h5"), "weights", 7));
  assert_int_equal(setenv("GRADUS_TEST_WORK", "here", 1), 0);
  gd_job *job, *again;
  assert_ok(load_sets(text, (const char *const[]){set}, 1, &job));
  gd_text message = {0};
  gd_job_pack(job, &message);

  assert_int_equal(unsetenv("GRADUS_TEST_WORK"), 0);
  assert_ok(gd_file_remove(gd_test_path("w.h5")));
  assert_ok(gd_file_remove(gd_test_path("job.yaml")));
  assert_ok(gd_job_unpack(message.data, message.length_bytes, &again));
  assert_string_equal(gd_job_work(again), "here/w");
  assert_string_equal(gd_job_effective(job), gd_job_effective(again));
  for (int i = 0; i < 3; i++)
    assert_string_equal(gd_instance_directory(gd_job_instance(job, i)),
                        gd_instance_directory(gd_job_instance(again, i)));
  gd_job_free(again);

  for (size_t n = 0; n < message.length_bytes; n++)
    if (gd_job_unpack(message.data, n, &again) == GD_OK)
      gd_job_free(again);
  /* A digest that is none is not taken for zero. */
  char hex[GD_DIGEST_HEX];
  gd_digest_hex(gd_digest_of("weights", 7), hex);
  size_t at = 0;
  while (at + 32 <= message.length_bytes &&
         memcmp(message.data + at, hex, 32) != 0)
    at++;
  assert_true(at + 32 <= message.length_bytes);
  message.data[at + 31] = 'x';
  assert_fails(gd_job_unpack(message.data, message.length_bytes, &again),
               GD_ERR_USAGE, "does not say: file ");
  gd_text_free(&message);
  gd_job_free(job);
}

static void variables_are_replaced_in_values(void **state)
{
  (void)state;
  assert_int_equal(setenv("GRADUS_TEST_N", "7", 1), 0);
  gd_job *job;
  assert_ok(
      load_sets(pipeline,
                (const char *const[]){"frames.every=${GRADUS_TEST_N}",
                                      "corpus.seed=${GRADUS_TEST_NONE:-12}",
                                      "report.title=$${HOME} costs $5",
                                      "work=runs/$${HOME}"},
                4, &job));
  assert_int_equal(gd_instance_int(find(job, "frames"), "every"), 7);
  assert_int_equal(gd_instance_int(find(job, "corpus"), "seed"), 12);
  assert_string_equal(gd_instance_text(find(job, "report"), "title"),
                      "${HOME} costs $5");
  gd_job *again;
  assert_ok(load_sets(gd_job_effective(job), NULL, 0, &again));
  assert_string_equal(gd_instance_text(find(again, "report"), "title"),
                      "${HOME} costs $5");
  assert_string_equal(gd_job_work(again), "runs/${HOME}");
  gd_job_free(job);
  gd_job_free(again);
}

static void set_of_a_swept_key_pins_it(void **state)
{
  (void)state;
  gd_job *job;
  assert_ok(
      load_sets(pipeline,
                (const char *const[]){"sweep.model.loss=[softmax]",
                                      "sweep.model.zip.seed=[1, 2]",
                                      "sweep.model.zip.batch=[8, 9]",
                                      "model.loss=euclidean", "model.seed=5"},
                5, &job));
  const gd_instance *model = find(job, "model[batch=9]");
  assert_string_equal(gd_instance_text(model, "loss"), "euclidean");
  assert_int_equal(gd_instance_int(model, "seed"), 5);
  gd_job_free(job);
}

/* The table of keys and the table of losses are in two rooms. */
static void every_loss_is_a_word_of_its_key(void **state)
{
  (void)state;
  for (gd_loss loss = 0; loss < GD_N_LOSSES; loss++) {
    gd_job *job;
    char set[64];
    snprintf(set, sizeof set, "model.loss=%s", gd_loss_name(loss));
    assert_ok(load_sets(pipeline, (const char *const[]){set}, 1, &job));
    gd_job_free(job);
  }
}

static void members_share_what_they_do_not_vary(void **state)
{
  (void)state;
  gd_job *job;
  assert_ok(load_sets(pipeline,
                      (const char *const[]){"sweep.frames.every=[5, 10]",
                                            "sweep.model.seed=[1, 2]",
                                            "sweep.corpus.seed=[3, 4]"},
                      3, &job));
  /* corpus 2, frames 4, faces 4, model 8, scores 8, report 1 */
  assert_int_equal(gd_job_n_instances(job), 27);
  const gd_instance *s =
      find(job, "scores[every=10,model.seed=1,corpus.seed=4]");
  assert_ptr_equal(gd_instance_input(s, 1),
                   find(job, "faces[every=10,corpus.seed=4]"));
  assert_ptr_equal(gd_instance_upstream(s, "align"), gd_instance_input(s, 1));
  assert_ptr_equal(gd_instance_input(gd_instance_input(s, 0), 0),
                   gd_instance_input(s, 1));
  assert_string_equal(
      gd_instance_corpus(s).root,
      gd_instance_directory(find(job, "corpus[corpus.seed=4]")));
  gd_job_free(job);
}

static void sweep_larger_than_any_cluster_is_refused(void **state)
{
  (void)state;
  gd_text seeds = {0};
  for (int i = 0; i < 400; i++)
    gd_text_printf(&seeds, "%s%d", i == 0 ? "[" : ", ", i);
  gd_text_add(&seeds, "]");
  gd_text one = {0}, two = {0};
  gd_text_printf(&one, "sweep.model.seed=%s", gd_text_get(&seeds));
  gd_text_printf(&two, "sweep.corpus.seed=%s", gd_text_get(&seeds));
  gd_job *job;
  assert_fails(
      load_sets(pipeline,
                (const char *const[]){gd_text_get(&one), gd_text_get(&two)}, 2,
                &job),
      GD_ERR_USAGE, "more than 100000");
  assert_ok(
      load_sets(pipeline, (const char *const[]){gd_text_get(&one)}, 1, &job));
  assert_int_equal(gd_job_n_instances(job), 3 + 400 + 400 + 1);
  gd_job_free(job);
  gd_text_free(&seeds);
  gd_text_free(&one);
  gd_text_free(&two);
}

static int n_instances_of(const char *name, const char *set)
{
  const char *source = getenv("GRADUS_SOURCE");
  assert_non_null(source);
  char path[GD_PATH_MAX];
  snprintf(path, sizeof path, "%s/jobs/%s.yaml", source, name);
  gd_job *job;
  assert_ok(gd_job_load(path, &set, set != NULL, &job));
  const int n = gd_job_n_instances(job);
  gd_job_free(job);
  return n;
}

/* Draw a corpus, or as much of it as a manifest looks at. */
static const char *draw(const char *layout)
{
  gd_synth s = gd_synth_default();
  const char *root = gd_test_path(layout);
  s.layout = layout;
  s.n_subjects = 3;
  s.n_sessions = 1;
  s.seconds = 0.2;
  s.width_px = s.height_px = 64;
  assert_ok(gd_synth_labels(&s, root));
  for (int64_t i = 0; i < gd_synth_count(&s); i++)
    assert_ok(gd_synth_video(&s, i, root, NULL, NULL));
  return root;
}

static void every_manifest_of_the_house_loads(void **state)
{
  (void)state;
  static const char landmarks[] = "faces.detector=landmarks";
  assert_int_equal(n_instances_of("demo", NULL), 3 + 3 + 3 + 1);
  assert_int_equal(n_instances_of("losses", NULL), 3 + 2 * GD_N_LOSSES + 1);
  assert_int_equal(n_instances_of("cross-validation", NULL), 3 + 5 + 5 + 1);
  assert_int_equal(setenv("VGGFACE2", "", 1), 0);
  assert_int_equal(setenv("AVEC2013", draw("avec2013"), 1), 0);
  assert_int_equal(setenv("AVEC2014", draw("avec2014"), 1), 0);
  assert_int_equal(n_instances_of("avec2013", landmarks), 5);
  assert_int_equal(n_instances_of("avec2014", landmarks), 5);
  assert_int_equal(setenv("LAYOUT", "avec2013", 1), 0);
  assert_int_equal(setenv("CORPUS", getenv("AVEC2013"), 1), 0);
  assert_int_equal(setenv("EVERY", "100", 1), 0);
  assert_int_equal(n_instances_of("table1", landmarks), 2 + 9 + 9 + 1);
}

/* A key that the reference does not name is a key nobody finds. */
static void reference_names_every_key(void **state)
{
  (void)state;
  gd_job *job = load(pipeline);
  gd_text plain = {0}, markdown = {0};
  gd_keys_reference(&plain, 0);
  gd_keys_reference(&markdown, 1);
  for (const char *c = gd_job_effective(job); *c != '\0';) {
    char key[64];
    if (strncmp(c, "    ", 4) == 0 &&
        sscanf(c + 4, "%63[a-z_0-9.]:", key) == 1 &&
        strcmp(key, "stage") != 0 && strcmp(key, "from") != 0) {
      char wanted[80];
      snprintf(wanted, sizeof wanted, "\n  %s: ", key);
      assert_non_null(strstr(gd_text_get(&plain), wanted));
      snprintf(wanted, sizeof wanted, "\n| `%s` | ", key);
      assert_non_null(strstr(gd_text_get(&markdown), wanted));
    }
    c += strcspn(c, "\n");
    c += *c == '\n';
  }
  gd_text_free(&plain);
  gd_text_free(&markdown);
  gd_job_free(job);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pipeline_gives_one_instance_per_stage_in_order),
    cmocka_unit_test(parameters_have_their_defaults_and_types),
    cmocka_unit_test(skip_limit_is_a_count_or_a_percentage),
    cmocka_unit_test(effective_manifest_gives_the_same_job),
    cmocka_unit_test(parameters_given_as_sets_make_the_same_results),
    cmocka_unit_test(keys_that_follow_others_give_way_to_them),
    cmocka_unit_test(network_is_that_of_the_weights_it_starts_from),
    cmocka_unit_test(key_that_contradicts_the_weights_is_refused),
    cmocka_unit_test(sweep_multiplies_a_stage_and_what_depends_on_it),
    cmocka_unit_test(folds_have_to_be_those_of_the_table),
    cmocka_unit_test(range_is_the_list_of_its_numbers),
    cmocka_unit_test(videos_without_labels_are_for_prediction_alone),
    cmocka_unit_test(digests_stay_what_they_were),
    cmocka_unit_test(digest_depends_on_parameters_and_inputs_only),
    cmocka_unit_test(file_enters_the_digest_by_its_content),
    cmocka_unit_test(
        file_that_cannot_be_read_for_now_is_no_fault_of_the_manifest),
    cmocka_unit_test(file_that_never_can_be_read_is_a_fault_of_the_manifest),
    cmocka_unit_test(shipped_detector_enters_the_digest_like_its_file),
    cmocka_unit_test(unpacked_job_is_the_packed_one_without_the_world),
    cmocka_unit_test(variables_are_replaced_in_values),
    cmocka_unit_test(set_of_a_swept_key_pins_it),
    cmocka_unit_test(every_loss_is_a_word_of_its_key),
    cmocka_unit_test(members_share_what_they_do_not_vary),
    cmocka_unit_test(sweep_larger_than_any_cluster_is_refused),
    cmocka_unit_test(every_manifest_of_the_house_loads),
    cmocka_unit_test(reference_names_every_key),
};

gd_test_main(tests)
