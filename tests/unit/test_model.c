#include "gradus/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/checkpoint.h"
#include "gradus/memory.h"
#include "gradus/profile.h"
#include "test.h"

/* One file serves all tests: a checkpoint, which is a model with more in it.
 * Nobody waits for the disk. */
enum { N_ROWS = 3 };
static const gd_digest DIGEST = {5, 6};
static gd_model_info info;
static float *weights, *running, *state_m;
static gd_tensor_table w_table, r_table;
static gd_metrics_row rows[N_ROWS];

static void fill_tensors(const char *path, const gd_tensor_table *table,
                         const float *block, const gd_store_place *places)
{
  for (int i = 0; i < table->n_entries; i++) {
    const gd_tensor_entry *e = &table->entries[i];
    const gd_store_run run = {.at = places[i],
                              .n_bytes = e->count * (int64_t)sizeof *block,
                              .values = block + e->offset};
    assert_ok(gd_store_fill(path, 1, &run));
  }
}

/* In two parts, the last one first, as from two processes. */
static void fill_state(const char *path, gd_store_place at)
{
  enum { BLOCKS = 5, FIRST = BLOCKS * GD_STORE_BLOCK_BYTES };
  const gd_store_place second = {
      at.values + FIRST, at.digests + BLOCKS * (int64_t)sizeof(gd_digest)};
  const gd_store_run runs[2] = {{second,
                                 w_table.count * (int64_t)sizeof(float) - FIRST,
                                 state_m + FIRST / sizeof(float)},
                                {at, FIRST, state_m}};
  assert_ok(gd_store_fill(path, 2, runs));
}

static int write_checkpoint(void **state)
{
  (void)state;
  info.network = gd_resnet_config_default();
  info.network.height = info.network.width = 64;
  info.network.hidden = 8;
  info.network.outputs = 5;
  assert_ok(gd_profile_of("torchvision", &info.network));
  info.loss = GD_LOSS_SOFTMAX;
  info.n_levels = 5;
  snprintf(info.face_template, sizeof info.face_template, "five points");
  snprintf(info.made_with, sizeof info.made_with, "extract.every=7\n");
  snprintf(info.detector, sizeof info.detector, "%032d", 17);
  info.epoch = 3, info.step = 40, info.dev_mae = 1.25;
  assert_ok(gd_resnet_tables(&info.network, &w_table, &r_table));
  weights = gd_alloc(w_table.count, sizeof weights[0]);
  running = gd_alloc(r_table.count, sizeof running[0]);
  gd_resnet_init_weights(&w_table, 9, weights);
  gd_resnet_init_running(&r_table, running);
  for (int i = 0; i < N_ROWS; i++)
    rows[i] = (gd_metrics_row){1, i, GD_METRICS_BATCH, 0.5 * i, 2, 3, NAN};
  state_m = gd_alloc(w_table.count, sizeof state_m[0]);
  for (int64_t i = 0; i < w_table.count; i++)
    state_m[i] = (float)i / 7;

  static const char *const states[] = {"momentum"};
  const gd_checkpoint_frame frame = {.info = info,
                                     .weights = &w_table,
                                     .running = &r_table,
                                     .where = {.next_epoch = 3,
                                               .next_step = 2,
                                               .best_epoch = 1,
                                               .best_mae = 1.125},
                                     .optimizer = "sgd",
                                     .n_states = 1,
                                     .states = states,
                                     .rows = rows,
                                     .n_rows = N_ROWS};
  const char *path = gd_test_path("last.h5");
  char part[GD_PATH_MAX];
  gd_store_place *places =
      gd_alloc(w_table.n_entries + r_table.n_entries + 1, sizeof *places);
  assert_ok(gd_checkpoint_write_frame(path, DIGEST, &frame, places));
  fill_tensors(path, &w_table, weights, places);
  fill_tensors(path, &r_table, running, places + w_table.n_entries);
  fill_state(path, places[w_table.n_entries + r_table.n_entries]);
  free(places);
  assert_ok(gd_file_part(path, part));
  assert_false(gd_path_exists(path));
  return rename(part, path);
}

static int free_all(void **state)
{
  (void)state;
  gd_tensor_table_free(&w_table);
  gd_tensor_table_free(&r_table);
  free(weights);
  free(running);
  free(state_m);
  return 0;
}

static void model_reads_back_bit_for_bit(void **state)
{
  (void)state;
  gd_model *m;
  assert_ok(gd_model_read(gd_test_path("last.h5"), &m));
  assert_int_equal(m->info.network.depth, 50);
  assert_int_equal(m->info.network.width, 64);
  assert_int_equal(m->info.network.hidden, 8);
  assert_string_equal(gd_profile_name(&m->info.network), "torchvision");
  assert_int_equal(m->info.loss, info.loss);
  assert_int_equal(m->info.n_levels, 5);
  assert_int_equal(m->info.epoch, 3);
  assert_int_equal(m->info.step, 40);
  assert_true(m->info.dev_mae == 1.25);
  assert_string_equal(m->info.face_template, "five points");
  assert_string_equal(m->info.made_with, info.made_with);
  assert_string_equal(m->info.detector, info.detector);
  assert_int_equal(
      memcmp(m->weights, weights, (size_t)w_table.count * sizeof(float)), 0);
  assert_int_equal(
      memcmp(m->running, running, (size_t)r_table.count * sizeof(float)), 0);
  gd_model_free(m);
}

static void checkpoint_reads_back_in_any_parts(void **state)
{
  (void)state;
  gd_checkpoint *c;
  gd_metrics_row read[N_ROWS];
  float part[200];
  assert_ok(gd_checkpoint_open(gd_test_path("last.h5"), DIGEST, "sgd", &c));
  const gd_training_state *where = gd_checkpoint_where(c);
  assert_int_equal(where->next_epoch, 3);
  assert_int_equal(where->next_step, 2);
  assert_int_equal(where->best_epoch, 1);
  assert_true(where->best_mae == 1.125);
  assert_int_equal(gd_checkpoint_n_rows(c), N_ROWS);
  assert_ok(gd_checkpoint_read_rows(c, read));
  assert_memory_equal(read, rows, sizeof rows);
  assert_ok(gd_checkpoint_read_state(c, "momentum", 250, 200, part));
  assert_memory_equal(part, state_m + 250, sizeof part);
  assert_fails(
      gd_checkpoint_read_state(c, "momentum", w_table.count - 100, 200, part),
      GD_ERR_FORMAT, "last.h5");
  gd_checkpoint_close(c);
  assert_ok(gd_store_verify(gd_test_path("last.h5")));
}

static void checkpoint_of_another_training_is_refused(void **state)
{
  (void)state;
  gd_checkpoint *c;
  assert_fails(
      gd_checkpoint_open(gd_test_path("last.h5"), (gd_digest){5, 7}, "sgd", &c),
      GD_ERR_FORMAT, "another stage instance");
  assert_fails(gd_checkpoint_open(gd_test_path("last.h5"), DIGEST, "adam", &c),
               GD_ERR_FORMAT, "optimizer is sgd, wanted adam");
}

static void tensor_of_another_shape_is_named_with_both_shapes(void **state)
{
  (void)state;
  gd_resnet_config wider = info.network;
  gd_tensor_table table;
  gd_store *s;
  wider.hidden = 16;
  assert_ok(gd_resnet_tables(&wider, &table, NULL));
  float *more = gd_alloc(table.count, sizeof more[0]);
  assert_ok(gd_store_open(gd_test_path("last.h5"), NULL, 0, &s));
  assert_fails(gd_model_get(s, &wider, more, running), GD_ERR_FORMAT,
               "tensor weights/fc.0.weight is 8 x 2048, the network needs "
               "float32 16 x 2048");
  gd_store_close(s);
  free(more);
  gd_tensor_table_free(&table);
}

/* What comes before the head is read, the head stays as it was. */
static void head_that_does_not_fit_is_left_alone(void **state)
{
  (void)state;
  gd_resnet_config wider = info.network;
  gd_model_info found;
  gd_tensor_table table;
  wider.outputs = 6;
  assert_ok(gd_resnet_tables(&wider, &table, NULL));
  float *more = gd_alloc(table.count, sizeof more[0]);
  for (int64_t i = 0; i < table.count; i++)
    more[i] = 0.5f;
  assert_ok(
      gd_model_load(gd_test_path("last.h5"), &wider, more, running, &found));
  assert_false(gd_model_fits(&found, &wider));
  assert_true(gd_model_fits(&found, &info.network));
  const int64_t head = gd_tensor_table_find(&table, "fc.0.weight")->offset;
  assert_int_equal(memcmp(more, weights, (size_t)head * sizeof more[0]), 0);
  for (int64_t i = head; i < table.count; i++)
    assert_true(more[i] == 0.5f);
  free(more);
  gd_tensor_table_free(&table);
}

static void model_without_a_head_is_for_starting_from_alone(void **state)
{
  (void)state;
  gd_model_info backbone = {.network = info.network}, found;
  gd_model *m;
  gd_resnet *net;
  backbone.network.hidden = backbone.network.outputs = 0;
  const char *path = gd_test_path("backbone.h5");
  assert_ok(gd_model_write(path, DIGEST, &backbone, weights, running));
  assert_ok(gd_model_read(path, &m));
  assert_int_equal(m->info.network.outputs, 0);
  const int64_t head = gd_tensor_table_find(&w_table, "fc.0.weight")->offset;
  assert_int_equal(memcmp(m->weights, weights, (size_t)head * sizeof(float)),
                   0);
  assert_fails(gd_resnet_new(&m->info.network, 1, 0, &net), GD_ERR_USAGE,
               "without a head");
  gd_model_free(m);
  assert_ok(gd_model_load(path, &info.network, weights, running, &found));
  assert_false(gd_model_fits(&found, &info.network));
}

/* And a file that does not name one is of fp32, as all were once. */
static void precision_is_recorded(void **state)
{
  (void)state;
  const char *path = gd_test_path("bf16.h5");
  gd_model_info other = info, found;
  gd_store *s;
  other.network.precision = GD_BF16;
  assert_ok(gd_model_write(path, DIGEST, &other, weights, running));
  assert_ok(gd_model_read_info(path, &found));
  assert_int_equal(found.network.precision, GD_BF16);
  assert_true(gd_test_has(found.gemm, gd_gemm_bf16_way()));
  /* It is no property of the weights: they may go on in another one. */
  assert_ok(gd_model_load(path, &info.network, weights, running, &found));
  assert_ok(gd_store_open(gd_test_path("last.h5"), "gradus-model", 2, &s));
  assert_false(gd_store_has_attribute(s, "precision"));
  gd_store_close(s);
  assert_ok(gd_model_read_info(gd_test_path("last.h5"), &found));
  assert_int_equal(found.network.precision, GD_FP32);
}

static void network_of_another_profile_is_refused(void **state)
{
  (void)state;
  gd_resnet_config other = info.network;
  gd_model_info found;
  other.stride_on_3x3 = 0;
  assert_fails(
      gd_model_load(gd_test_path("last.h5"), &other, weights, running, &found),
      GD_ERR_USAGE, "stride is 3x3, wanted 1x1");
  other = info.network;
  other.bn_epsilon = 1e-3;
  assert_fails(
      gd_model_load(gd_test_path("last.h5"), &other, weights, running, &found),
      GD_ERR_USAGE, "epsilon is 1e-05, wanted 0.001");
  other = info.network;
  other.input.is_bgr = 1;
  assert_fails(
      gd_model_load(gd_test_path("last.h5"), &other, weights, running, &found),
      GD_ERR_USAGE, "channels is RGB, wanted BGR");
  /* The size of the input is free: the tensors do not depend on it. */
  other = info.network;
  other.height = other.width = 96;
  assert_ok(
      gd_model_load(gd_test_path("last.h5"), &other, weights, running, &found));
}

/* Truncated anywhere, it is refused, never read beyond its end. */
static void truncated_model_is_refused(void **state)
{
  (void)state;
  int64_t size_bytes;
  gd_model *m;
  assert_ok(gd_file_stat(gd_test_path("last.h5"), &size_bytes, NULL));
  for (int i = 0; i < 4; i++) {
    assert_int_equal(
        truncate(gd_test_path("last.h5"), (off_t)(size_bytes * (4 - i) / 5)),
        0);
    const gd_status st = gd_model_read(gd_test_path("last.h5"), &m);
    assert_true(st == GD_ERR_FORMAT || st == GD_ERR_IO);
    assert_true(gd_test_has(gd_reason(), "last.h5"));
    assert_null(m);
  }
  assert_fails(gd_model_read(gd_test_path("none.h5"), &m), GD_ERR_IO,
               "none.h5");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(model_reads_back_bit_for_bit),
    cmocka_unit_test(checkpoint_reads_back_in_any_parts),
    cmocka_unit_test(checkpoint_of_another_training_is_refused),
    cmocka_unit_test(tensor_of_another_shape_is_named_with_both_shapes),
    cmocka_unit_test(head_that_does_not_fit_is_left_alone),
    cmocka_unit_test(model_without_a_head_is_for_starting_from_alone),
    cmocka_unit_test(precision_is_recorded),
    cmocka_unit_test(network_of_another_profile_is_refused),
    cmocka_unit_test(truncated_model_is_refused),
};

int main(void)
{
  return gd_test_end(cmocka_run_group_tests(tests, write_checkpoint, free_all));
}
