/* The evaluate and report stages on made-up faces and models: the stages before
 * them are of test and leave what the real ones leave. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/attention_choice.h"
#include "gradus/attention_set.h"
#include "gradus/blur.h"
#include "gradus/calibration.h"
#include "gradus/digest.h"
#include "gradus/evaluator.h"
#include "gradus/faces.h"
#include "gradus/memory.h"
#include "gradus/model.h"
#include "gradus/random.h"
#include "gradus/run.h"
#include "gradus/scores.h"
#include "gradus/store.h"
#include "test.h"

enum { SIZE = 64, K = 64, N_VIDEOS = 12, MOST_FACES = 9 };
static const char TEMPLATE[] = "test";

extern const gd_stage gd_stage_evaluate;
extern const gd_stage gd_stage_report;

/* ------------------------------------------------------- stages of test */

static gd_status do_nothing(gd_stage_env *env)
{
  return gd_agree(env->comm, GD_OK);
}

/* Two thirds are in the test partition, some of them with a task. */
static void describe(int v, char id[16], gd_video *out)
{
  snprintf(id, 16, "v%02d", v);
  *out = (gd_video){.id = id,
                    .path = id,
                    .landmarks = "",
                    .subject = id,
                    .task = "",
                    .partition =
                        v % 3 == 0 ? v % 2 == 0 ? GD_TRAIN : GD_DEV : GD_TEST,
                    .label = v * 2};
}

static gd_status append_faces(gd_face_writer *w, int32_t v)
{
  uint8_t rgb[SIZE * SIZE * 3];
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 1, v);
  const int64_t n = 1 + gd_random_below(&r, MOST_FACES);
  gd_status st = GD_OK;
  for (int64_t f = 0; st == GD_OK && f < n; f++) {
    const gd_face_info info = {.frame_index = 10 * f, .video = v};
    for (int i = 0; i < SIZE * SIZE * 3; i++)
      rgb[i] = (uint8_t)gd_random_below(&r, 256);
    st = gd_face_writer_append(w, &info, rgb);
  }
  return st;
}

static gd_status write_faces(const gd_stage_env *env)
{
  char ids[N_VIDEOS][16], path[GD_PATH_MAX];
  gd_video videos[N_VIDEOS];
  int32_t index[N_VIDEOS];
  for (int v = 0; v < N_VIDEOS; v++) {
    describe(v, ids[v], &videos[v]);
    index[v] = v;
  }
  const gd_video_table table = {N_VIDEOS, index, videos};
  gd_face_writer *w = NULL;
  gd_status st = gd_stage_path(env, "faces-00000.h5", path);
  if (st == GD_OK)
    st = gd_face_writer_create(path, gd_instance_digest(env->self), SIZE,
                               TEMPLATE, &table, &w);
  for (int32_t v = 0; st == GD_OK && v < N_VIDEOS; v++)
    st = append_faces(w, v);
  if (st == GD_OK)
    return gd_face_writer_commit(w);
  gd_face_writer_abandon(w);
  return st;
}

static gd_status run_align(gd_stage_env *env)
{
  return gd_agree(env->comm, env->rank == 0 ? write_faces(env) : GD_OK);
}

static gd_status write_model(const gd_stage_env *env)
{
  static const char metrics[] = "epoch,step,split,loss,mae,rmse\n"
                                "1,1,train,9.5,,\n1,1,dev,9,8,9\n";
  char path[GD_PATH_MAX];
  gd_model_info info = {.network = gd_resnet_config_default(),
                        .n_levels = K,
                        .epoch = 1,
                        .step = 1,
                        .dev_mae = 8};
  gd_tensor_table weights = {0}, running = {0};
  float *w = NULL, *r = NULL;
  gd_status st = gd_loss_of(gd_instance_text(env->self, "loss"), &info.loss);
  info.network.height = info.network.width = SIZE;
  info.network.depth = 18;
  info.network.stride_on_3x3 = 1;
  info.network.hidden = 8;
  info.network.outputs = gd_loss_outputs(info.loss, K);
  snprintf(info.face_template, sizeof info.face_template, "%s", TEMPLATE);
  if (st == GD_OK)
    st = gd_resnet_tables(&info.network, &weights, &running);
  if (st == GD_OK) {
    w = gd_alloc(weights.count, sizeof *w);
    r = gd_alloc(running.count, sizeof *r);
    gd_resnet_init_weights(&weights, 5, w);
    gd_resnet_init_running(&running, r);
    st = gd_stage_path(env, "model.h5", path);
  }
  if (st == GD_OK)
    st = gd_model_write(path, gd_instance_digest(env->self), &info, w, r);
  if (st == GD_OK)
    st = gd_stage_path(env, "metrics.csv", path);
  if (st == GD_OK)
    st = gd_file_write(path, metrics, strlen(metrics));
  gd_tensor_table_free(&weights);
  gd_tensor_table_free(&running);
  free(w);
  free(r);
  return st;
}

static gd_status run_train(gd_stage_env *env)
{
  return gd_agree(env->comm, env->rank == 0 ? write_model(env) : GD_OK);
}

static const gd_stage synth = {.kind = "synth", .run = do_nothing};
static const gd_stage extract = {.kind = "extract", .run = do_nothing};
static const gd_stage align = {.kind = "align", .run = run_align};
static const gd_stage train = {.kind = "train", .run = run_train};
static const gd_stage *const stages[] = {
    &synth,           &extract, &align, &train, &gd_stage_evaluate,
    &gd_stage_report, NULL};

/* ------------------------------------------------------------- running it */

static int rank;
static gd_job *job;

static void load_job(void)
{
  char work[GD_PATH_MAX], text[GD_PATH_MAX + 800];
  snprintf(work, sizeof work, "%s", gd_test_path("work"));
  MPI_Bcast(work, sizeof work, MPI_CHAR, 0, MPI_COMM_WORLD);
  const int n = snprintf(text, sizeof text,
                         "job: test\nwork: %s\nstages:\n"
                         "  corpus: {stage: synth}\n"
                         "  frames: {stage: extract, from: corpus}\n"
                         "  faces: {stage: align, from: frames, size: 64}\n"
                         "  model: {stage: train, from: faces}\n"
                         "  scores: {stage: evaluate, from: [model, faces], "
                         "attention: 5}\n"
                         "  dev: {stage: evaluate, from: [model, faces], "
                         "partition: dev}\n"
                         "  report: {stage: report, from: scores}\n"
                         "  both: {stage: report, from: [scores, dev]}\n"
                         "sweep:\n  model: {loss: [expectation, euclidean]}\n",
                         work);
  const char *path = gd_test_path("job.yaml");
  assert_ok(gd_file_write(path, text, (size_t)n));
  assert_ok(gd_job_load(path, NULL, 0, &job));
}

static void run_on(MPI_Comm comm)
{
  const gd_run_options options = {.stages = stages};
  int code = -1;
  assert_ok(gd_run_job(comm, job, &options, &code));
  assert_int_equal(code, GD_EXIT_DONE);
}

/* Return instance `member` of a kind: of two that are swept, 0 or 1, of the
 * next stage of this kind 2 or 3. */
static const gd_instance *find(const char *kind, int member)
{
  for (int i = 0; i < gd_job_n_instances(job); i++) {
    const gd_instance *s = gd_job_instance(job, i);
    if (strcmp(gd_instance_kind(s), kind) == 0 && member-- == 0)
      return s;
  }
  fail_msg("no %s", kind);
  return NULL;
}

static const char *place(const char *kind, int member, const char *name)
{
  static char path[GD_PATH_MAX];
  assert_ok(
      gd_path_join(gd_instance_directory(find(kind, member)), name, path));
  return path;
}

static const struct {
  const char *kind;
  int member;
  const char *name;
} results[] = {
    {"evaluate", 0, "scores.h5"},        {"evaluate", 0, "predictions.csv"},
    {"evaluate", 0, "calibration.h5"},   {"evaluate", 0, "attention.h5"},
    {"evaluate", 0, "attention-05.png"}, {"evaluate", 0, "attention-mean.png"},
    {"evaluate", 0, "calibration.yaml"}, {"evaluate", 1, "attention.h5"},
    {"evaluate", 1, "scores.h5"},        {"evaluate", 1, "predictions.csv"},
    {"evaluate", 1, "calibration.h5"},   {"report", 0, "results.csv"},
    {"report", 0, "table.txt"},
};
enum { N_RESULTS = sizeof results / sizeof results[0] };
static gd_digest first[N_RESULTS]; /* of the first run, on all ranks */

static void read_results(gd_digest out[N_RESULTS])
{
  for (int i = 0; i < N_RESULTS; i++)
    assert_ok(gd_digest_of_file(
        place(results[i].kind, results[i].member, results[i].name), &out[i]));
}

static void assert_same_results(void)
{
  gd_digest now[N_RESULTS];
  read_results(now);
  for (int i = 0; i < N_RESULTS; i++)
    if (!gd_digest_equal(now[i], first[i]))
      fail_msg("%s differs from the first run's", results[i].name);
}

/* Take away what a kill would not have left; on rank 0. */
static void lose(int member, const char *name)
{
  assert_ok(gd_file_remove(place("evaluate", member, "done")));
  assert_ok(gd_file_remove(place("evaluate", member, name)));
}

static int setup(void **state)
{
  (void)state;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  load_job();
  run_on(MPI_COMM_WORLD);
  if (rank == 0)
    read_results(first);
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  gd_job_free(job);
  return 0;
}

static void evaluation_scores_the_partition_and_removes_its_parts(void **state)
{
  (void)state;
  if (rank != 0)
    return;
  gd_scores *s = NULL;
  assert_ok(gd_store_verify(place("evaluate", 0, "scores.h5")));
  assert_ok(gd_scores_read(place("evaluate", 0, "scores.h5"), &s));
  assert_int_equal(s->n_videos, N_VIDEOS * 2 / 3);
  assert_int_equal(s->videos->n_videos, N_VIDEOS);
  assert_true(s->info.has_distribution);
  /* Two development videos are too few for nine tenths: the whole scale. */
  assert_int_equal(s->info.n_calibration, 2);
  assert_true(s->low[0] == 0 && s->high[0] == K - 1);
  gd_scores_free(s);
  assert_ok(gd_scores_read(place("evaluate", 0, "calibration.h5"), &s));
  assert_int_equal(s->info.partition, GD_DEV);
  assert_int_equal(s->n_videos, 2);
  gd_scores_free(s);
  gd_calibration c;
  gd_digest model;
  char hex[GD_DIGEST_HEX];
  assert_ok(gd_digest_of_file(place("train", 0, "model.h5"), &model));
  gd_digest_hex(model, hex);
  assert_ok(gd_calibration_read(place("evaluate", 0, "calibration.yaml"), &c));
  assert_string_equal(c.model, hex);
  assert_true(c.interval == 0.9 && isinf(c.half_width));
  assert_int_equal(c.n_calibration, 2);
  for (int unit = 0; unit < 4; unit++) {
    char name[32];
    snprintf(name, sizeof name, "part-%05d.h5", unit);
    assert_false(gd_path_exists(place("evaluate", 0, name)));
  }
}

/* Return the mean of a map's cells. */
static double mean_of(const float *map, int n)
{
  double sum = 0;
  for (int i = 0; i < n; i++)
    sum += (double)map[i] / n;
  return sum;
}

/* One map is that of its frame, whose face is blurred; that of the video is the
 * mean over its frames. */
static void check_maps(gd_face_set *faces, gd_evaluator *evaluator,
                       const gd_attention_case *one, const float *of_video)
{
  float map[4], sum[4] = {0};
  uint8_t rgb[SIZE * SIZE * 3];
  int64_t n_frames = 0;
  for (int64_t face = 0; face < gd_face_set_n_faces(faces); face++) {
    const gd_face_info info = gd_face_set_info(faces, face);
    double expected, sigma;
    if (info.video != one->video)
      continue;
    assert_ok(gd_face_set_read(faces, face, rgb));
    assert_ok(gd_evaluator_face(evaluator, rgb, &expected, &sigma, NULL));
    gd_evaluator_map(evaluator, map);
    n_frames++;
    for (int c = 0; c < 4; c++)
      sum[c] += map[c];
    if (info.frame_index != one->frame_index)
      continue;
    assert_memory_equal(map, one->map, sizeof map);
    gd_image image = {SIZE, SIZE, rgb};
    const float whole[4] = {0, 0, SIZE, SIZE};
    assert_ok(gd_image_blur(&image, whole));
    assert_memory_equal(rgb, one->rgb, sizeof rgb);
  }
  for (int c = 0; c < 4; c++)
    assert_float_equal(of_video[c], sum[c] / (float)n_frames,
                       1e-5 * fabs((double)of_video[c]) + 1e-9);
}

/* Faces are chosen by rule; the mean of all maps is what the scores say. */
static void evaluation_maps_the_faces_that_the_rule_names(void **state)
{
  (void)state;
  gd_attention_set *set = NULL;
  gd_attention_choice choices[5];
  gd_face_set *faces = NULL;
  gd_scores *s = NULL;
  gd_model *model = NULL;
  gd_evaluator *evaluator = NULL;
  int n = 0;
  if (rank != 0)
    return;
  assert_ok(gd_store_verify(place("evaluate", 0, "attention.h5")));
  assert_ok(gd_attention_set_read(place("evaluate", 0, "attention.h5"), &set));
  assert_ok(gd_scores_read(place("evaluate", 0, "scores.h5"), &s));
  assert_ok(gd_face_set_open(gd_instance_directory(find("align", 0)), &faces));
  assert_ok(gd_model_read(place("train", 0, "model.h5"), &model));
  assert_ok(gd_evaluator_new(model, &evaluator));
  assert_ok(gd_attention_choose(s, 5, choices, &n));
  assert_int_equal(set->n, n);
  assert_int_equal(n, 5);
  assert_true(set->rows == 2 && set->columns == 2 && !set->is_exact);
  assert_int_equal(set->n_videos, s->n_videos);
  double mean = 0;
  for (int64_t v = 0; v < s->n_videos; v++)
    mean += mean_of(s->map + 4 * v, 4) / (double)s->n_videos;
  assert_true(mean != 0);
  assert_float_equal(mean_of(set->mean, 4), mean, 1e-6 * fabs(mean));
  for (int i = 0; i < n; i++) {
    const gd_attention_case *one = &set->cases[i];
    const gd_video *video = gd_scores_video(s, choices[i].video);
    assert_string_equal(one->id, video->id);
    assert_string_equal(one->reason, choices[i].reason);
    assert_int_equal(one->frame_index, s->frame_index[choices[i].frame]);
    assert_true(one->label == video->label);
    assert_true(one->predicted == s->predicted[choices[i].video]);
    assert_true(one->expected == s->expected[choices[i].frame]);
    check_maps(faces, evaluator, one, s->map + 4 * choices[i].video);
  }
  gd_evaluator_free(evaluator);
  gd_model_free(model);
  gd_face_set_close(faces);
  gd_scores_free(s);
  gd_attention_set_free(set);
}

static void evaluation_that_is_not_asked_has_no_maps(void **state)
{
  (void)state;
  gd_scores *s = NULL;
  assert_ok(gd_scores_read(place("evaluate", 2, "scores.h5"), &s));
  assert_null(s->map);
  assert_false(gd_path_exists(place("evaluate", 2, "attention.h5")));
  gd_scores_free(s);
  assert_ok(gd_scores_read(place("evaluate", 0, "calibration.h5"), &s));
  assert_null(s->map);
  gd_scores_free(s);
}

static void report_has_a_row_per_model_and_the_constant(void **state)
{
  (void)state;
  char *table = NULL;
  size_t size_bytes;
  assert_ok(gd_file_read(place("report", 0, "table.txt"), 1 << 16, &table,
                         &size_bytes));
  assert_true(gd_test_has(table, "\nexpectation "));
  assert_true(gd_test_has(table, "\neuclidean "));
  assert_true(gd_test_has(table, "\nconstant "));
  free(table);
  assert_true(gd_path_exists(place("report", 0, "index.html")));
}

/* The development and the test scores of one model are no one row. */
static void report_of_several_stages_names_them(void **state)
{
  (void)state;
  char *csv = NULL;
  if (rank != 0)
    return;
  assert_ok(
      gd_file_read(place("report", 1, "results.csv"), 1 << 16, &csv, NULL));
  assert_true(gd_test_has(csv, "\nscores: expectation,test,video,,"));
  assert_true(gd_test_has(csv, "\nscores: euclidean,test,video,,"));
  assert_true(gd_test_has(csv, "\ndev: expectation,dev,video,,2,"));
  free(csv);
}

static void evaluation_is_the_same_on_one_rank(void **state)
{
  (void)state;
  if (rank == 0) {
    for (int member = 0; member < 2; member++) {
      lose(member, "scores.h5");
      lose(member, "attention.h5");
      lose(member, "predictions.csv");
    }
    run_on(MPI_COMM_SELF);
    assert_same_results();
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

/* A kill after the merge leaves scores without parts and without a table. */
static void evaluation_that_was_killed_ends_in_the_same_files(void **state)
{
  (void)state;
  if (rank == 0) {
    lose(0, "predictions.csv");
    lose(0, "attention.h5");
    lose(0, "attention-mean.png");
    lose(1, "scores.h5");
  }
  MPI_Barrier(MPI_COMM_WORLD);
  run_on(MPI_COMM_WORLD);
  if (rank == 0)
    assert_same_results();
}

static void calibration_that_is_lost_is_made_anew(void **state)
{
  (void)state;
  if (rank == 0)
    lose(0, "calibration.h5");
  MPI_Barrier(MPI_COMM_WORLD);
  run_on(MPI_COMM_WORLD);
  if (rank == 0)
    assert_same_results();
}

/* The faces are those of the job; the model says that it has learnt from
 * others. */
static void refuse_faces(int size_px, const char *alignment, const char *reason)
{
  gd_stage_env env = {
      .comm = MPI_COMM_WORLD, .job = job, .self = find("evaluate", 0)};
  MPI_Comm_rank(MPI_COMM_WORLD, &env.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &env.size);
  env.directory = gd_instance_directory(env.self);
  if (rank == 0) {
    const char *path = place("train", 0, "model.h5");
    gd_model *m = NULL;
    assert_ok(gd_model_read(path, &m));
    m->info.network.height = m->info.network.width = size_px;
    snprintf(m->info.face_template, sizeof m->info.face_template, "%s",
             alignment);
    assert_ok(gd_model_write(path, (gd_digest){1, 1}, &m->info, m->weights,
                             m->running));
    gd_model_free(m);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  assert_fails(gd_stage_evaluate.run(&env), GD_ERR_USAGE, reason);
}

/* Last: it spoils a model. */
static void evaluation_of_other_faces_is_refused(void **state)
{
  (void)state;
  refuse_faces(SIZE, "crop 1.3",
               "faces are aligned to \"test\", the model was trained on "
               "\"crop 1.3\"");
  refuse_faces(2 * SIZE, TEMPLATE,
               "faces are 64 x 64 px, the model was trained on 128 x 128");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(evaluation_scores_the_partition_and_removes_its_parts),
    cmocka_unit_test(evaluation_maps_the_faces_that_the_rule_names),
    cmocka_unit_test(evaluation_that_is_not_asked_has_no_maps),
    cmocka_unit_test(report_has_a_row_per_model_and_the_constant),
    cmocka_unit_test(report_of_several_stages_names_them),
    cmocka_unit_test(evaluation_is_the_same_on_one_rank),
    cmocka_unit_test(evaluation_that_was_killed_ends_in_the_same_files),
    cmocka_unit_test(calibration_that_is_lost_is_made_anew),
    cmocka_unit_test(evaluation_of_other_faces_is_refused),
};

int main(int argc, char **argv)
{
  gd_test_begin_mpi(&argc, &argv);
  return gd_test_end(cmocka_run_group_tests(tests, setup, teardown));
}
