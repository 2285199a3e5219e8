#include "gradus/fit.h"

#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "gradus/agree.h"
#include "gradus/checkpoint.h"
#include "gradus/folder.h"
#include "gradus/gemm.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/profile.h"
#include "gradus/random.h"
#include "test.h"

/* ResNet-18 on 32 x 32 faces: the least there is. */
enum { SIZE = 32, LEVELS = 4, FRAMES = 2, VIDEOS = 5, EPOCHS = 2, BATCH = 5 };

static const gd_digest DIGEST = {11, 12};

/* ------------------------------------------------------------------- faces */

/* Videos whose brightness is their level; the last one is for development. */
static void write_faces(const char *directory, double bad_label)
{
  gd_video videos[VIDEOS];
  char ids[VIDEOS][24], path[GD_PATH_MAX];
  for (int v = 0; v < VIDEOS; v++) {
    snprintf(ids[v], sizeof ids[v], "clip-%d", v);
    videos[v] = (gd_video){.id = ids[v],
                           .path = ids[v],
                           .landmarks = "",
                           .subject = ids[v],
                           .task = "",
                           .partition = v == VIDEOS - 1 ? GD_DEV : GD_TRAIN,
                           .label = v % LEVELS};
  }
  videos[1].label = bad_label;
  const gd_corpus corpus = {.videos = videos, .n_videos = VIDEOS};
  gd_video_table *table;
  gd_face_writer *w;
  assert_ok(gd_video_table_of_corpus(&corpus, &table));
  assert_ok(gd_directory_make(directory));
  assert_ok(gd_path_join(directory, "faces-00000.h5", path));
  assert_ok(
      gd_face_writer_create(path, (gd_digest){1, 1}, SIZE, "test", table, &w));
  for (int v = 0; v < VIDEOS; v++)
    for (int frame = 0; frame < FRAMES; frame++) {
      uint8_t rgb[SIZE * SIZE * 3];
      gd_random r = gd_random_of(1, GD_FOR_TESTS, v, frame);
      for (int i = 0; i < SIZE * SIZE * 3; i++)
        rgb[i] = (uint8_t)(40 + 50 * (v % LEVELS) + gd_random_below(&r, 20));
      const gd_face_info info = {.video = v, .frame_index = 10 * frame};
      assert_ok(gd_face_writer_append(w, &info, rgb));
    }
  assert_ok(gd_face_writer_commit(w));
  gd_video_table_free(table);
}

static const char *faces_directory(MPI_Comm comm)
{
  static char path[GD_PATH_MAX];
  int rank;
  MPI_Comm_rank(comm, &rank);
  if (rank == 0) {
    snprintf(path, sizeof path, "%s", gd_test_path("faces"));
    if (!gd_path_exists(path))
      write_faces(path, 1);
  }
  MPI_Bcast(path, sizeof path, MPI_CHAR, 0, comm);
  return path;
}

/* ---------------------------------------------------------------- training */

/* The linker sends reading here: a disk that is slow, or fails. */
static int is_slow;
static atomic_int n_reads, n_steps; /* of the slow disk's training */
static double first_read_s;
static int64_t n_reads_to_failure = -1;
gd_status __real_gd_face_set_read(gd_face_set *s, int64_t i, uint8_t *rgb);
gd_status __wrap_gd_face_set_read(gd_face_set *s, int64_t i, uint8_t *rgb);

static double now_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The second step's first face comes when the first step is done and twice the
 * time that it took has gone by, however slow this machine is. */
static void be_slow(void)
{
  if (n_reads == 0)
    first_read_s = now_s();
  if (n_reads++ != BATCH)
    return;
  while (n_steps == 0)
    ;
  const double step_s = now_s() - first_read_s, from_s = now_s();
  while (now_s() < from_s + 2 * step_s)
    ;
}

gd_status __wrap_gd_face_set_read(gd_face_set *s, int64_t i, uint8_t *rgb)
{
  if (is_slow)
    be_slow();
  if (n_reads_to_failure == 0)
    return gd_fail(GD_ERR_IO, "faces-00000.h5: the disk is gone");
  n_reads_to_failure -= n_reads_to_failure > 0;
  return __real_gd_face_set_read(s, i, rgb);
}

static char last_note[128];

static void note(void *context, const char *text)
{
  (void)context;
  snprintf(last_note, sizeof last_note, "%s", text);
  n_steps++;
}

typedef struct {
  int64_t n_done;
  int64_t stop_after;  /* samples of this rank; < 0: never */
  void (*event)(void); /* called at rank 0's first tick */
} ticks;

/* What is to happen in the next training, beside what `change` changes. */
static void (*next_event)(void);
static const char *next_faces; /* NULL: the faces of all tests */

static void expect(void *context, int64_t n)
{
  (void)context;
  (void)n;
}

static gd_status tick(void *context, int64_t n)
{
  ticks *t = context;
  t->n_done += n;
  if (t->event != NULL)
    t->event();
  t->event = NULL;
  if (t->stop_after >= 0 && t->n_done >= t->stop_after)
    return gd_fail(GD_ERR_STOPPED, "asked to stop");
  return GD_OK;
}

static gd_fit_config config_for(const char *directory)
{
  gd_resnet_config network = gd_resnet_config_default();
  network.height = network.width = SIZE;
  network.depth = 18;
  network.stride_on_3x3 = 1;
  network.hidden = 16;
  network.outputs = LEVELS;
  gd_optimizer optimizer = gd_optimizer_default(GD_OPTIMIZER_ADAM);
  optimizer.rate = 1e-3;
  return (gd_fit_config){
      .trainer = {.network = network,
                  .loss = GD_LOSS_EXPECTATION,
                  .loss_options = gd_loss_options_default(),
                  .n_levels = LEVELS,
                  .augment = {.flip = 1},
                  .seed = 5},
      .optimizer = optimizer,
      .schedule = {.kind = GD_SCHEDULE_COSINE, .epochs = EPOCHS},
      .batch = BATCH,
      .microbatch = 2,
      .select_dev = 1,
      .keep_checkpoints = 2,
      .init = "",
      .freeze = "",
      .directory = directory,
      .made_with = "extract.every=7\n",
      .detector = "",
      .digest = DIGEST};
}

/* Train on the first `size` ranks; the others wait. */
static gd_status train(const char *name, int size, int64_t stop_after,
                       void (*change)(gd_fit_config *))
{
  int rank;
  char directory[GD_PATH_MAX] = "";
  const char *faces_path = faces_directory(MPI_COMM_WORLD);
  MPI_Comm comm;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0) {
    snprintf(directory, sizeof directory, "%s", gd_test_path(name));
    assert_ok(gd_directory_make(directory));
  }
  MPI_Bcast(directory, sizeof directory, MPI_CHAR, 0, MPI_COMM_WORLD);
  MPI_Comm_split(MPI_COMM_WORLD, rank < size, rank, &comm);
  gd_status st = GD_OK;
  if (rank < size) {
    gd_face_set *faces;
    gd_fit_config config = config_for(directory);
    ticks t = {.stop_after = rank == size - 1 ? stop_after : -1,
               .event = rank == 0 ? next_event : NULL};
    const gd_fit_hooks hooks = {
        .context = &t, .expect = expect, .tick = tick, .note = note};
    assert_ok(
        gd_face_set_open(next_faces == NULL ? faces_path : next_faces, &faces));
    if (change != NULL)
      change(&config);
    st = gd_fit(comm, rank, size, &config, faces, &hooks);
    gd_face_set_close(faces);
  }
  MPI_Comm_free(&comm);
  MPI_Barrier(MPI_COMM_WORLD);
  return st;
}

/* The journal tells times too, which are no results. */
static int is_journal(const char *name)
{
  return strcmp(name, "metrics.jsonl") == 0 ||
         strcmp(name, "events.out.tfevents.gradus") == 0;
}

/* All files: the model, the metrics, and the checkpoints that are left. */
static int same_files(const char *a, const char *b)
{
  gd_folder *first, *second;
  assert_ok(gd_folder_read(gd_test_path(a), &first));
  assert_ok(gd_folder_read(gd_test_path(b), &second));
  int same = first->n_files == second->n_files && first->n_files >= 4;
  for (int64_t i = 0; same && i < first->n_files; i++) {
    char path[128];
    gd_digest one, other;
    if (is_journal(first->names[i]))
      continue;
    snprintf(path, sizeof path, "%s/%s", a, first->names[i]);
    assert_ok(gd_digest_of_file(gd_test_path(path), &one));
    snprintf(path, sizeof path, "%s/%s", b, first->names[i]);
    same = gd_digest_of_file(gd_test_path(path), &other) == GD_OK &&
           gd_digest_equal(one, other);
    if (!same)
      print_message("%s differs\n", path);
  }
  gd_folder_free(first);
  gd_folder_free(second);
  return same;
}

/* Return the path of the newest checkpoint in a directory of rank 0. */
static const char *newest(const char *name)
{
  static char path[GD_PATH_MAX];
  gd_folder *folder;
  assert_ok(gd_folder_read(gd_test_path(name), &folder));
  path[0] = '\0';
  for (int64_t i = 0; i < folder->n_files; i++)
    if (strncmp(folder->names[i], "checkpoint-", 11) == 0)
      assert_ok(gd_path_join(gd_test_path(name), folder->names[i], path));
  gd_folder_free(folder);
  return path;
}

static int count_lines(const char *name)
{
  char *text;
  int n = 0;
  assert_ok(gd_file_read(gd_test_path(name), 1 << 20, &text, NULL));
  for (const char *c = text; *c != '\0'; c++)
    n += *c == '\n';
  free(text);
  return n;
}

static int is_first(void)
{
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank == 0;
}

static int world_size(void)
{
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

/* ------------------------------------------------------------------- tests */

static void be_quick(gd_fit_config *c)
{
  c->schedule.epochs = 1;
}

static void be_deep(gd_fit_config *c)
{
  c->trainer.network.depth = 50;
  c->trainer.network.stride_on_3x3 = 0;
  c->schedule.epochs = 1;
}

static void slow_reading_is_said(void **state)
{
  (void)state;
  is_slow = 1;
  n_reads = n_steps = 0;
  assert_ok(train("slow", 1, -1, be_quick));
  is_slow = 0;
  if (is_first() &&
      strstr(last_note, "reading is slower than computing: ") != last_note)
    fail_msg("was told '%s'", last_note);
}

/* In the thread that reads: the step ends with what it said, and with whose
 * faces. */
static void face_that_cannot_be_read_ends_the_step(void **state)
{
  (void)state;
  n_reads_to_failure = is_first() ? 3 : -1;
  gd_status st = train("gone", world_size(), -1, be_quick);
  n_reads_to_failure = -1;
  if (is_first())
    assert_failed(st, GD_ERR_IO,
                  "faces-00000.h5: the disk is gone (faces clip-");
  else
    assert_int_equal(st, GD_ERR_PEER);
}

/* The same bits on ranks whose networks have bottlenecks. */
static void deep_net_is_the_same_on_any_ranks(void **state)
{
  (void)state;
  assert_ok(train("deep-one", 1, -1, be_deep));
  assert_ok(train("deep-all", world_size(), -1, be_deep));
  if (is_first())
    assert_true(same_files("deep-one", "deep-all"));
}

static void be_bf16(gd_fit_config *c)
{
  c->trainer.network.precision = GD_BF16;
}

/* On one rank of one thread, and on all of two; stopped and gone on with, but
 * not in another precision. */
static void bf16_is_the_same_on_any_ranks_and_threads(void **state)
{
  (void)state;
  const int before = omp_get_max_threads();
  assert_ok(train("bf16-one", 1, -1, be_bf16));
  assert_int_equal(train("bf16-all", world_size(), 0, be_bf16), GD_ERR_STOPPED);
  const gd_status st = train("bf16-all", 1, -1, NULL);
  if (is_first())
    assert_true(st == GD_ERR_USAGE &&
                gd_test_has(gd_reason(), "is of a training in bf16, which "
                                         "cannot go on in fp32"));
  omp_set_num_threads(2);
  assert_ok(train("bf16-all", world_size(), -1, be_bf16));
  omp_set_num_threads(before);
  if (!is_first())
    return;
  gd_model_info info;
  assert_true(same_files("bf16-one", "bf16-all"));
  assert_ok(gd_model_read_info(gd_test_path("bf16-all/model.h5"), &info));
  assert_int_equal(info.network.precision, GD_BF16);
}

/* Nothing is wrong with it, but its bits are those of neither. */
static void going_on_by_another_backend_is_warned_of(void **state)
{
  (void)state;
  char *said = NULL, *text = NULL, expected[GD_GEMM_TEXT + 32];
  char first[GD_GEMM_TEXT];
  if (strcmp(gd_gemm_backend(), "openblas") == 0)
    gd_test_skip("one backend alone was built");
  gd_gemm_describe(GD_FP32, first);
  snprintf(expected, sizeof expected, "was computed by %s, what", first);
  for (int i = 0; i < 3; i++) {
    if (i == 2)
      setenv("GRADUS_GEMM", "openblas", 1);
    if (is_first())
      assert_ok(gd_log_file(gd_test_path(i == 2 ? "after.txt" : "before.txt")));
    const gd_status st = train("kernels", 1, 1, NULL);
    if (!is_first())
      continue;
    assert_int_equal(st, GD_ERR_STOPPED);
    assert_ok(gd_log_file(NULL));
  }
  unsetenv("GRADUS_GEMM");
  if (!is_first())
    return;
  assert_ok(gd_file_read(gd_test_path("before.txt"), 1 << 16, &text, NULL));
  assert_ok(gd_file_read(gd_test_path("after.txt"), 1 << 16, &said, NULL));
  assert_true(gd_test_has(text, "next_step=2"));
  assert_false(gd_test_has(text, "was computed by"));
  assert_true(gd_test_has(said, expected));
  assert_true(gd_test_has(said, "is by openblas for "));
  free(said);
  free(text);
}

static void loss_falls_over_the_epochs(void **state)
{
  (void)state;
  assert_ok(train("one", 1, -1, NULL));
  if (!is_first())
    return;
  gd_checkpoint *c;
  gd_metrics_row rows[64];
  assert_ok(gd_checkpoint_open(gd_test_path("one/checkpoint-000000004.h5"),
                               DIGEST, "adam", &c));
  assert_ok(gd_checkpoint_read_rows(c, rows));
  double first = 0, last = 0;
  for (int64_t i = 0; i < gd_checkpoint_n_rows(c); i++)
    if (rows[i].split == GD_METRICS_TRAIN) {
      first = first == 0 ? rows[i].loss : first;
      last = rows[i].loss;
    }
  assert_true(last > 0 && last < first);
  assert_int_equal(gd_checkpoint_where(c)->next_epoch, EPOCHS);
  gd_checkpoint_close(c);
}

/* The model and the metrics of all ranks are those of one rank. */
static void result_does_not_depend_on_the_number_of_ranks(void **state)
{
  (void)state;
  if (world_size() == 1)
    return;
  assert_ok(train("all", world_size(), -1, NULL));
  if (is_first())
    assert_true(same_files("one", "all"));
}

/* Stopped by its last rank in the middle of an epoch, then again with another
 * number of ranks: as if nothing had happened. */
static void stopped_training_goes_on_exactly_on_other_ranks(void **state)
{
  (void)state;
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  gd_status st = train("stopped", world_size(), 0, NULL);
  assert_int_equal(st, GD_ERR_STOPPED);
  assert_true(!is_first() ||
              gd_path_exists(gd_test_path("stopped/checkpoint-000000001.h5")));
  const int fewer = world_size() > 1 ? world_size() - 1 : 1;
  assert_ok(train("stopped", fewer, -1, NULL));
  if (!is_first())
    return;
  assert_true(same_files("one", "stopped"));
  /* Each row of both CSV files is told once. */
  assert_int_equal(count_lines("stopped/metrics.jsonl"),
                   count_lines("stopped/steps.csv") - 1 +
                       count_lines("stopped/metrics.csv") - 1);
}

static void finished_training_is_left_as_it_is(void **state)
{
  (void)state;
  int64_t before = 0, after = 0;
  if (is_first())
    assert_ok(gd_file_stat(gd_test_path("one/model.h5"), NULL, &before));
  assert_ok(train("one", world_size(), -1, NULL));
  if (is_first()) {
    assert_ok(gd_file_stat(gd_test_path("one/model.h5"), NULL, &after));
    assert_true(before == after);
  }
}

/* What can be had beside the plain way, for an epoch of two steps: one on all
 * ranks and one alone must make what one rank does, which does not hide the
 * exchange behind its backward pass. */
static void enrich(gd_fit_config *c)
{
  c->trainer.loss = GD_LOSS_CORAL;
  c->trainer.network.outputs = gd_loss_outputs(GD_LOSS_CORAL, LEVELS);
  c->trainer.network.shared_output = 1;
  c->trainer.dropout = 0.3;
  c->trainer.augment = (gd_augment){.flip = 1,
                                    .rotate = 10,
                                    .scale = 0.1,
                                    .shift = 0.1,
                                    .brightness = 0.2,
                                    .contrast = 0.2,
                                    .grey = 0.5,
                                    .erase = 0.5};
  c->optimizer = gd_optimizer_default(GD_OPTIMIZER_LAMB);
  c->optimizer.weight_decay = 1e-4;
  c->clip = 0.5;
  c->average = 0.9;
  c->freeze = "stem, layer1";
  c->balance = GD_BALANCE_LEVEL;
  c->schedule.epochs = 1;
}

static void enriched_training_keeps_all_these_promises(void **state)
{
  (void)state;
  setenv("GRADUS_OVERLAP", "off", 1);
  assert_ok(train("rich", 1, -1, enrich));
  unsetenv("GRADUS_OVERLAP");
  assert_int_equal(train("rich-stopped", world_size(), 0, enrich),
                   GD_ERR_STOPPED);
  assert_ok(train("rich-stopped", 1, -1, enrich));
  if (is_first())
    assert_true(same_files("rich", "rich-stopped"));
}

/* The model is the average, training goes on from the weights, and what is
 * frozen is what it began with. */
static void average_is_kept_and_frozen_weights_are_the_first(void **state)
{
  (void)state;
  if (!is_first())
    return;
  gd_fit_config c = config_for("");
  gd_tensor_table table, running_table;
  gd_checkpoint *last;
  gd_model *model;
  enrich(&c);
  assert_ok(gd_resnet_tables(&c.trainer.network, &table, &running_table));
  float *first = calloc((size_t)table.count, sizeof *first);
  float *weights = calloc((size_t)table.count, sizeof *weights);
  float *average = calloc((size_t)table.count, sizeof *average);
  float *running = calloc((size_t)running_table.count, sizeof *running);
  gd_resnet_init_weights(&table, c.trainer.seed, first);
  assert_ok(gd_model_read(gd_test_path("rich/model.h5"), &model));
  assert_ok(gd_checkpoint_open(gd_test_path("rich/checkpoint-000000002.h5"),
                               DIGEST, "lamb", &last));
  assert_ok(gd_checkpoint_read_model(last, weights, running));
  assert_ok(gd_checkpoint_read_state(last, "average", 0, table.count, average));
  assert_memory_equal(model->weights, average,
                      (size_t)table.count * sizeof *weights);
  int64_t moved[2] = {0};
  for (int t = 0; t < table.n_entries; t++) {
    const gd_tensor_entry *e = &table.entries[t];
    const int frozen = strncmp(e->name, "layer1.", 7) == 0 || t < 3;
    for (int64_t i = e->offset; i < e->offset + e->count; i++)
      moved[frozen] += weights[i] != first[i] || average[i] != first[i];
  }
  assert_int_equal(moved[1], 0);
  assert_true(moved[0] > table.count / 2);
  gd_checkpoint_close(last);
  gd_model_free(model);
  free(first);
  free(weights);
  free(average);
  free(running);
  gd_tensor_table_free(&table);
  gd_tensor_table_free(&running_table);
}

/* So large a rate that all probability soon lies on one level. */
static void despair(gd_fit_config *c)
{
  c->optimizer.rate = 0.5;
  c->schedule = (gd_schedule){.kind = GD_SCHEDULE_CONSTANT, .epochs = 9};
  c->patience = 1;
}

static void training_ends_when_the_error_falls_no_more(void **state)
{
  (void)state;
  gd_checkpoint *c;
  for (int again = 0; again < 2; again++) { /* and is not taken up again */
    assert_ok(train("early", 1, -1, despair));
    if (!is_first())
      continue;
    assert_ok(gd_checkpoint_open(newest("early"), DIGEST, "adam", &c));
    const gd_training_state *where = gd_checkpoint_where(c);
    assert_true(where->next_epoch < 9);
    assert_int_equal(where->next_epoch, where->best_epoch + 2);
    gd_checkpoint_close(c);
  }
}

/* ---------------------------------------------------- weights from elsewhere
 */

static char backbone[GD_PATH_MAX];

/* Standing still, so that what it began with is what it ends with. */
static void from_backbone(gd_fit_config *c)
{
  be_deep(c);
  assert_ok(gd_profile_of("keras-vggface", &c->trainer.network));
  c->optimizer = gd_optimizer_default(GD_OPTIMIZER_SGD);
  c->optimizer.rate = 0;
  c->init = backbone;
}

static void write_backbone(const gd_fit_config *c, float *weights)
{
  gd_model_info info = {.network = c->trainer.network};
  gd_tensor_table table, running_table;
  info.network.hidden = info.network.outputs = 0;
  assert_ok(gd_resnet_tables(&info.network, &table, &running_table));
  float *running = gd_alloc(running_table.count, sizeof *running);
  gd_resnet_init_weights(&table, 77, weights);
  gd_resnet_init_running(&running_table, running);
  assert_ok(gd_model_write(backbone, DIGEST, &info, weights, running));
  free(running);
  gd_tensor_table_free(&table);
  gd_tensor_table_free(&running_table);
}

static void
training_takes_weights_without_a_head_and_keeps_their_profile(void **state)
{
  (void)state;
  gd_tensor_table table;
  gd_model *m;
  gd_fit_config config = config_for("");
  snprintf(backbone, sizeof backbone, "%s", gd_test_path("backbone.h5"));
  from_backbone(&config);
  assert_ok(gd_resnet_tables(&config.trainer.network, &table, NULL));
  float *weights = gd_alloc(table.count, sizeof *weights);
  gd_resnet_init_weights(&table, config.trainer.seed, weights);
  if (is_first())
    write_backbone(&config, weights);
  assert_ok(train("backbone", 1, -1, from_backbone));
  if (is_first()) {
    assert_ok(gd_model_read(gd_test_path("backbone/model.h5"), &m));
    assert_string_equal(gd_profile_name(&m->info.network), "keras-vggface");
    assert_int_equal(m->info.network.outputs, LEVELS);
    /* The file's tensors, and the head that the seed gives. */
    assert_int_equal(
        memcmp(m->weights, weights, (size_t)table.count * sizeof *weights), 0);
    gd_model_free(m);
  }
  free(weights);
  gd_tensor_table_free(&table);
}

static void overflow(gd_fit_config *c)
{
  c->optimizer = gd_optimizer_default(GD_OPTIMIZER_SGD);
  c->optimizer.rate = 1e30;
  c->checkpoint_every = 1;
}

static void loss_that_is_not_finite_names_step_and_faces(void **state)
{
  (void)state;
  const gd_status st = train("overflow", 1, -1, overflow);
  if (!is_first())
    return;
  assert_int_equal(st, GD_ERR_NUMERIC);
  assert_true(gd_test_has(gd_reason(), "step 2: "));
  assert_true(gd_test_has(gd_reason(), "clip-"));
  assert_true(gd_test_has(gd_reason(), "; the largest weight is "));
  assert_ok(gd_store_verify(gd_test_path("overflow/checkpoint-000000001.h5")));
}

static void overlap_that_is_neither_on_nor_off_is_refused(void **state)
{
  (void)state;
  setenv("GRADUS_OVERLAP", "perhaps", 1);
  const gd_status st = train("perhaps", 1, -1, NULL);
  unsetenv("GRADUS_OVERLAP");
  if (is_first()) {
    assert_int_equal(st, GD_ERR_USAGE);
    assert_true(gd_test_has(gd_reason(), "GRADUS_OVERLAP=perhaps"));
  }
}

static void label_out_of_range_names_the_video(void **state)
{
  (void)state;
  if (!is_first())
    return;
  gd_face_set *faces;
  gd_samples *samples;
  write_faces(gd_test_path("mislabelled"), LEVELS);
  assert_ok(gd_face_set_open(gd_test_path("mislabelled"), &faces));
  assert_fails(
      gd_samples_of(faces, GD_TRAIN, GD_LOSS_EXPECTATION, LEVELS, &samples),
      GD_ERR_USAGE, "clip-1: label 4 is not in 0 .. 3");
  gd_face_set_close(faces);
}

/* ----------------------------------------------------------- what goes wrong
 */

/* Give the last rank, and at last none, a limit of a file's size, which stands
 * for a full disk. */
static gd_status train_with_little_room(const char *name)
{
  struct rlimit all, little = {1 << 20, 0};
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  getrlimit(RLIMIT_FSIZE, &all);
  little.rlim_max = all.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  if (rank == world_size() - 1)
    setrlimit(RLIMIT_FSIZE, &little);
  const gd_status st = train(name, world_size(), -1, NULL);
  setrlimit(RLIMIT_FSIZE, &all);
  return st;
}

static void full_disk_does_not_end_training_but_fails_it(void **state)
{
  (void)state;
  char *log;
  if (is_first())
    assert_ok(gd_log_file(gd_test_path("full.log")));
  const gd_status st = train_with_little_room("full");
  if (is_first()) {
    assert_int_equal(st, GD_ERR_IO);
    assert_true(
        gd_test_has(gd_reason(), "2 of 2 checkpoints could not be written"));
    assert_true(gd_test_has(gd_reason(), "File too large"));
    assert_false(gd_path_exists(gd_test_path("full/model.h5")));
    assert_false(
        gd_path_exists(gd_test_path("full/checkpoint-000000002.h5.part")));
    assert_ok(gd_log_file(NULL));
    assert_ok(gd_file_read(gd_test_path("full.log"), 1 << 20, &log, NULL));
    assert_true(gd_test_has(log, "warning no checkpoint after step 2: "));
    assert_true(gd_test_has(log, "epoch=2/2")); /* it went on */
    free(log);
  } else {
    assert_true(st == GD_ERR_PEER);
  }
  assert_ok(train("full", 1, -1, NULL));
  if (is_first())
    assert_true(same_files("one", "full"));
}

static void damage(const char *path)
{
  int64_t size_bytes;
  assert_ok(gd_file_stat(path, &size_bytes, NULL));
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  assert_int_equal(fseek(file, (long)(size_bytes / 2), SEEK_SET), 0);
  fputs("damage", file);
  fclose(file);
}

static void damaged_checkpoint_is_named_and_the_one_before_used(void **state)
{
  (void)state;
  char *log;
  for (int i = 0; i < 2; i++) /* after the first step, and the second */
    assert_int_equal(train("damaged", 1, 0, NULL),
                     is_first() ? GD_ERR_STOPPED : GD_OK);
  if (is_first()) {
    damage(gd_test_path("damaged/checkpoint-000000002.h5"));
    assert_ok(gd_log_file(gd_test_path("damaged.log")));
  }
  assert_ok(train("damaged", world_size(), -1, NULL));
  if (!is_first())
    return;
  assert_ok(gd_log_file(NULL));
  assert_ok(gd_file_read(gd_test_path("damaged.log"), 1 << 20, &log, NULL));
  assert_true(gd_test_has(log, "checkpoint-000000002.h5: "));
  assert_true(gd_test_has(log, "the checkpoint before is tried"));
  assert_true(gd_test_has(log, "next_epoch=1 next_step=2"));
  free(log);
  assert_true(same_files("one", "damaged"));
}

static char doomed[GD_PATH_MAX];

static void cut_shard(void)
{
  char path[GD_PATH_MAX];
  assert_ok(gd_path_join(doomed, "faces-00000.h5", path));
  assert_int_equal(truncate(path, 10000), 0);
}

/* After its last good checkpoint, which stays. */
static void shard_that_turns_unreadable_is_named(void **state)
{
  (void)state;
  if (is_first()) {
    snprintf(doomed, sizeof doomed, "%s", gd_test_path("doomed"));
    write_faces(doomed, 1);
  }
  MPI_Bcast(doomed, sizeof doomed, MPI_CHAR, 0, MPI_COMM_WORLD);
  next_faces = doomed;
  const gd_status stopped = train("cut", world_size(), 0, NULL);
  next_event = cut_shard;
  const gd_status st = train("cut", world_size(), -1, NULL);
  next_faces = NULL;
  next_event = NULL;
  assert_int_equal(stopped, GD_ERR_STOPPED);
  assert_true(st == GD_ERR_FORMAT || st == GD_ERR_IO || st == GD_ERR_PEER);
  assert_true(gd_test_has(gd_reason(), "doomed/faces-00000.h5"));
  if (is_first())
    assert_ok(gd_store_verify(newest("cut")));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(slow_reading_is_said),
    cmocka_unit_test(face_that_cannot_be_read_ends_the_step),
    cmocka_unit_test(deep_net_is_the_same_on_any_ranks),
    cmocka_unit_test(bf16_is_the_same_on_any_ranks_and_threads),
    cmocka_unit_test(going_on_by_another_backend_is_warned_of),
    cmocka_unit_test(loss_falls_over_the_epochs),
    cmocka_unit_test(result_does_not_depend_on_the_number_of_ranks),
    cmocka_unit_test(stopped_training_goes_on_exactly_on_other_ranks),
    cmocka_unit_test(finished_training_is_left_as_it_is),
    cmocka_unit_test(enriched_training_keeps_all_these_promises),
    cmocka_unit_test(average_is_kept_and_frozen_weights_are_the_first),
    cmocka_unit_test(training_ends_when_the_error_falls_no_more),
    cmocka_unit_test(
        training_takes_weights_without_a_head_and_keeps_their_profile),
    cmocka_unit_test(loss_that_is_not_finite_names_step_and_faces),
    cmocka_unit_test(overlap_that_is_neither_on_nor_off_is_refused),
    cmocka_unit_test(label_out_of_range_names_the_video),
    cmocka_unit_test(full_disk_does_not_end_training_but_fails_it),
    cmocka_unit_test(damaged_checkpoint_is_named_and_the_one_before_used),
    cmocka_unit_test(shard_that_turns_unreadable_is_named),
};

gd_test_mpi_main(tests)
