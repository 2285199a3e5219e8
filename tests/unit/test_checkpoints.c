#include "train/checkpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/folder.h"
#include "gradus/memory.h"
#include "test.h"

/* Epochs of two steps.  Only the frames are written: who keeps and drops reads
 * no more, and who verifies finds them damaged. */
static gd_checkpoints files = {
    .digest = {3, 4}, .optimizer = "sgd", .steps_per_epoch = 2, .keep = 2};
static gd_tensor_table weights, running;
static gd_model_info info;
static char directory[GD_PATH_MAX];

static void begin(const char *name, int64_t keep)
{
  snprintf(directory, sizeof directory, "%s", gd_test_path(name));
  assert_ok(gd_directory_make(directory));
  files.directory = directory;
  files.keep = keep;
  info.network = gd_resnet_config_default();
  info.network.height = info.network.width = 32;
  info.network.hidden = 8;
  info.network.outputs = 5;
  info.loss = GD_LOSS_SOFTMAX;
  info.n_levels = 5;
  if (weights.entries == NULL)
    assert_ok(gd_resnet_tables(&info.network, &weights, &running));
}

/* Write one, and drop what is not kept any more. */
static void save(int64_t step, int64_t best_epoch)
{
  gd_publisher *publisher;
  char path[GD_PATH_MAX];
  const gd_checkpoint_frame frame = {.info = info,
                                     .weights = &weights,
                                     .running = &running,
                                     .where = {.next_epoch = step / 2,
                                               .next_step = step % 2,
                                               .best_epoch = best_epoch},
                                     .optimizer = "sgd"};
  gd_store_place *places =
      gd_alloc(weights.n_entries + running.n_entries, sizeof *places);
  assert_ok(gd_publisher_new(&publisher));
  assert_ok(gd_checkpoints_path(&files, step, path));
  assert_ok(gd_checkpoint_write_frame(path, files.digest, &frame, places));
  assert_ok(gd_publisher_add(publisher, path));
  assert_ok(gd_checkpoints_thin(
      &files, step, gd_checkpoints_best(&files, &frame.where), publisher));
  assert_ok(gd_publisher_start(publisher));
  assert_ok(gd_publisher_wait(publisher));
  gd_publisher_free(publisher);
  free(places);
}

/* "2 4 5": the steps of those that are there. */
static void expect(const char *steps)
{
  char found[200] = "";
  gd_folder *folder;
  assert_ok(gd_folder_read(directory, &folder));
  for (int64_t i = 0; i < folder->n_files; i++) {
    const size_t n = strlen(found);
    assert_true(gd_test_has(folder->names[i], "checkpoint-"));
    snprintf(found + n, sizeof found - n, "%s%ld", n == 0 ? "" : " ",
             strtol(folder->names[i] + 11, NULL, 10));
  }
  gd_folder_free(folder);
  assert_string_equal(found, steps);
}

static void last_ones_and_the_selected_epochs_are_kept(void **state)
{
  (void)state;
  begin("kept", 2);
  save(1, -1);
  save(2, 0);
  expect("1 2");
  save(3, 0);
  expect("2 3");
  save(4, 0);
  expect("2 3 4"); /* 2 ended the selected epoch */
  save(5, 0);
  save(6, 2);
  expect("2 5 6"); /* 5 could not be gone on from without 2 */
  save(7, 2);
  expect("6 7");
  assert_ok(gd_checkpoints_leave(&files, 7, 6));
  expect("6 7");
  assert_ok(gd_checkpoints_leave(&files, 7, 7));
  expect("7");
}

/* What tells of a selected epoch that could not be written is worth nothing: it
 * takes no place of those that training could go on from. */
static void what_lacks_its_selected_epoch_drops_no_other(void **state)
{
  (void)state;
  begin("lacking", 2);
  save(2, 0);
  save(3, 0);
  expect("2 3");
  save(5, 1); /* 4 was the best epoch's end, and the disk was full */
  expect("2 3 5");
  save(7, 1);
  expect("2 3 7");
  save(8, 3);
  expect("2 3 8");
  save(9, 3);
  expect("8 9");
}

static void one_alone_can_be_kept(void **state)
{
  (void)state;
  begin("alone", 1);
  save(1, -1);
  save(2, 0);
  expect("2");
  save(3, 0);
  save(4, 0);
  expect("2 4");
}

static void other_files_are_left_alone(void **state)
{
  (void)state;
  char path[GD_PATH_MAX];
  begin("others", 1);
  assert_ok(gd_path_join(directory, "checkpoint-7.h5", path));
  assert_ok(gd_file_write(path, "x", 1));
  save(9, -1);
  assert_ok(gd_checkpoints_leave(&files, 10, 10));
  expect("7");
}

static void damaged_ones_are_removed_and_none_is_found(void **state)
{
  (void)state;
  int64_t step = 5;
  begin("damaged", 2);
  assert_ok(gd_checkpoints_find(&files, &step));
  assert_int_equal(step, -1);
  save(1, -1);
  save(2, 0);
  assert_ok(gd_checkpoints_find(&files, &step));
  assert_int_equal(step, -1);
  expect("");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(last_ones_and_the_selected_epochs_are_kept),
    cmocka_unit_test(what_lacks_its_selected_epoch_drops_no_other),
    cmocka_unit_test(one_alone_can_be_kept),
    cmocka_unit_test(other_files_are_left_alone),
    cmocka_unit_test(damaged_ones_are_removed_and_none_is_found),
};

gd_test_main(tests)
