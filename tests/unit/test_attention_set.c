#include "gradus/attention_set.h"

#include <stdio.h>
#include <stdlib.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/store.h"
#include "test.h"

enum { N = 3, SIZE = 5, ROWS = 2, COLUMNS = 3, CELLS = ROWS * COLUMNS };

static gd_attention_set *make(void)
{
  gd_attention_set *s;
  assert_ok(gd_attention_set_new(N, SIZE, ROWS, COLUMNS, &s));
  s->partition = GD_DEV;
  s->n_levels = 64;
  s->is_exact = s->is_blurred = 1;
  s->n_videos = 77;
  snprintf(s->loss, sizeof s->loss, "euclidean");
  snprintf(s->face_template, sizeof s->face_template, "crop 1.3");
  for (int i = 0; i < N; i++) {
    gd_attention_case *one = &s->cases[i];
    char id[32];
    snprintf(id, sizeof id, "video %d", i);
    one->id = gd_strdup(id);
    one->reason = gd_strdup(i == 1 ? "largest error" : "");
    one->video = 3 * i;
    one->frame_index = 1000000000000 + i;
    one->label = i;
    one->predicted = i + 0.25;
    one->expected = i + 0.5;
    for (int c = 0; c < CELLS; c++)
      one->map[c] = (float)(i - c) / 8;
    for (int b = 0; b < SIZE * SIZE * 3; b++)
      one->rgb[b] = (uint8_t)(i + b);
  }
  for (int c = 0; c < CELLS; c++)
    s->mean[c] = (float)c;
  return s;
}

static void set_comes_back_as_it_was_written(void **state)
{
  (void)state;
  const char *path = gd_test_path("attention.h5");
  gd_attention_set *s = make(), *t;
  assert_ok(gd_attention_set_write(path, (gd_digest){1, 2}, s));
  assert_ok(gd_store_verify(path));
  assert_ok(gd_attention_set_read(path, &t));
  assert_int_equal(t->n, N);
  assert_int_equal(t->size_px, SIZE);
  assert_int_equal(t->rows, ROWS);
  assert_int_equal(t->columns, COLUMNS);
  assert_int_equal(t->partition, GD_DEV);
  assert_int_equal(t->n_levels, 64);
  assert_int_equal(t->n_videos, 77);
  assert_true(t->is_exact && t->is_blurred);
  assert_string_equal(t->loss, "euclidean");
  assert_string_equal(t->face_template, "crop 1.3");
  assert_memory_equal(t->mean, s->mean, CELLS * sizeof(float));
  for (int i = 0; i < N; i++) {
    const gd_attention_case *a = &s->cases[i], *b = &t->cases[i];
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->reason, b->reason);
    assert_int_equal(a->video, b->video);
    assert_true(a->frame_index == b->frame_index && a->label == b->label);
    assert_true(a->predicted == b->predicted && a->expected == b->expected);
    assert_memory_equal(a->map, b->map, CELLS * sizeof(float));
    assert_memory_equal(a->rgb, b->rgb, SIZE * SIZE * 3);
  }
  gd_attention_set_free(t);
  gd_attention_set_free(s);
}

static void set_that_is_cut_or_foreign_is_refused(void **state)
{
  (void)state;
  const char *path = gd_test_path("whole.h5");
  gd_attention_set *s = make(), *t;
  char *content;
  size_t size;
  assert_ok(gd_attention_set_write(path, (gd_digest){1, 2}, s));
  gd_attention_set_free(s);
  assert_ok(gd_file_read(gd_test_path("whole.h5"), 1 << 24, &content, &size));
  for (size_t cut = 0; cut < size; cut += size / 7) {
    assert_ok(gd_file_write(gd_test_path("cut.h5"), content, cut));
    assert_fails(gd_attention_set_read(gd_test_path("cut.h5"), &t),
                 GD_ERR_FORMAT, "cut.h5");
    assert_null(t);
  }
  free(content);
  gd_store_writer *w;
  assert_ok(gd_store_create(gd_test_path("other.h5"), "gradus-scores", 1,
                            (gd_digest){0, 0}, &w));
  assert_ok(gd_store_commit(w));
  assert_fails(gd_attention_set_read(gd_test_path("other.h5"), &t),
               GD_ERR_FORMAT, "gradus-scores");
}

/* A store that verifies, but whose sizes make no sense. */
static void set_whose_sizes_disagree_is_refused(void **state)
{
  (void)state;
  static const float numbers[64];
  static const struct {
    int64_t n, rows, columns, size_px;
    const char *reason;
  } cases[] = {{0, 1, 1, 8, "is no list"},
               {1, 9, 1, 8, "is no list"},
               {1, 1, 1, 0, "size_px is 0"},
               {65, 1, 1, 8, "is no list"},
               {1, 1, 1, 8, "partition"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    gd_store_writer *w;
    gd_attention_set *t;
    const char *path = gd_test_path("odd.h5");
    gd_dataset d = {.name = "map",
                    .dtype = GD_F32,
                    .rank = 3,
                    .dims = {0, cases[i].rows, cases[i].columns}};
    assert_ok(
        gd_store_create(path, "gradus-attention", 1, (gd_digest){0, 0}, &w));
    assert_ok(gd_store_set_int(w, "size_px", cases[i].size_px));
    assert_ok(gd_store_declare(w, &d, 64));
    for (int64_t row = 0; row < cases[i].n; row++)
      assert_ok(gd_store_append(w, "map", 1, numbers));
    assert_ok(gd_store_commit(w));
    assert_fails(gd_attention_set_read(gd_test_path("odd.h5"), &t),
                 GD_ERR_FORMAT, cases[i].reason);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(set_comes_back_as_it_was_written),
    cmocka_unit_test(set_that_is_cut_or_foreign_is_refused),
    cmocka_unit_test(set_whose_sizes_disagree_is_refused),
};

gd_test_main(tests)
