#include "gradus/job.h"

#include <stdlib.h>
#include <string.h>

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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pipeline_gives_one_instance_per_stage_in_order),
    cmocka_unit_test(parameters_have_their_defaults_and_types),
    cmocka_unit_test(skip_limit_is_a_count_or_a_percentage),
    cmocka_unit_test(effective_manifest_gives_the_same_job),
    cmocka_unit_test(sweep_multiplies_a_stage_and_what_depends_on_it),
};

gd_test_main(tests)
