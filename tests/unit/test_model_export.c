#include "gradus/model_export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/backbone_import.h"
#include "gradus/memory.h"
#include "gradus/model.h"
#include "gradus/random.h"
#include "test.h"

/* A model with a head, of random weights, written once. */
static const char *model_path(void)
{
  static char path[GD_PATH_MAX];
  if (path[0] != '\0')
    return path;
  gd_model_info info = {.network = gd_resnet_config_default(),
                        .loss = GD_LOSS_SOFTMAX,
                        .n_levels = 3};
  gd_tensor_table table, running_table;
  info.network.hidden = 4;
  info.network.outputs = 3;
  assert_ok(gd_resnet_tables(&info.network, &table, &running_table));
  float *weights = gd_alloc(table.count, sizeof *weights);
  float *running = gd_alloc(running_table.count, sizeof *running);
  gd_random r = gd_random_of(9, GD_FOR_TESTS, 0, 0);
  for (int64_t i = 0; i < table.count; i++) /* each its own value */
    weights[i] = (float)i / 16;
  for (int64_t i = 0; i < running_table.count; i++)
    running[i] = (float)gd_random_between(&r, 0.5, 1.5);
  snprintf(path, sizeof path, "%s", gd_test_path("model.h5"));
  assert_ok(gd_model_write(path, (gd_digest){0}, &info, weights, running));
  free(weights);
  free(running);
  gd_tensor_table_free(&table);
  gd_tensor_table_free(&running_table);
  return path;
}

static void exported_model_is_imported_bit_for_bit(void **state)
{
  (void)state;
  static const char *const formats[] = {"safetensors", "pytorch-keys", "keras"};
  const gd_backbone_wish wish = {.profile = "vggface2-bgr"};
  gd_model *before, *after;
  assert_ok(gd_model_read(model_path(), &before));
  for (int i = 0; i < 3; i++) {
    const char *file = gd_test_path("exported"),
               *back = gd_test_path("back.h5");
    gd_text said = {0};
    assert_ok(gd_model_export(model_path(), formats[i], file, &said));
    assert_ok(gd_backbone_import(file, &wish, back, &said));
    assert_true(gd_test_has(gd_text_get(&said), "269 tensors"));
    assert_true(gd_test_has(gd_text_get(&said), "265 tensors"));
    assert_true(gd_test_has(gd_text_get(&said), "left out: fc.0."));
    assert_ok(gd_model_read(back, &after));
    assert_int_equal(after->info.network.outputs, 0);
    gd_tensor_table table, running;
    assert_ok(gd_resnet_tables(&after->info.network, &table, &running));
    assert_int_equal(memcmp(before->weights, after->weights,
                            (size_t)table.count * sizeof(float)),
                     0);
    assert_int_equal(memcmp(before->running, after->running,
                            (size_t)running.count * sizeof(float)),
                     0);
    gd_tensor_table_free(&table);
    gd_tensor_table_free(&running);
    gd_model_free(after);
    gd_text_free(&said);
    assert_ok(gd_file_remove(file));
    assert_ok(gd_file_remove(back));
  }
  gd_model_free(before);
}

static void unknown_format_is_refused(void **state)
{
  (void)state;
  gd_text said = {0};
  assert_fails(gd_model_export("none.h5", "onnx", gd_test_path("x"), &said),
               GD_ERR_USAGE, "there are safetensors, pytorch-keys and keras");
  assert_fails(gd_model_export("none.h5", "keras", gd_test_path("x"), &said),
               GD_ERR_IO, "none.h5");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(exported_model_is_imported_bit_for_bit),
    cmocka_unit_test(unknown_format_is_refused),
};

gd_test_main(tests)
