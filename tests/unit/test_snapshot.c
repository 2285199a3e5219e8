#include "train/snapshot.h"

#include <math.h>

#include "test.h"

/* Tensors with and without whole blocks, and a state over all of them. */
enum { N_WEIGHTS = 5000, N_RUNNING = 7, N_PLACES = 5 };
static gd_tensor_entry entries[] = {
    {.name = "a", .rank = 1, .shape = {3000}, .offset = 0, .count = 3000},
    {.name = "b", .rank = 1, .shape = {1}, .offset = 3000, .count = 1},
    {.name = "c", .rank = 2, .shape = {1999, 1}, .offset = 3001, .count = 1999},
};
static gd_tensor_entry running_entry = {
    .name = "r", .rank = 1, .shape = {N_RUNNING}, .count = N_RUNNING};
static gd_tensor_table weights, running;
static float block[N_WEIGHTS + N_RUNNING], state_m[N_WEIGHTS];

static void make_values(void)
{
  weights =
      (gd_tensor_table){.entries = entries, .n_entries = 3, .count = N_WEIGHTS};
  running = (gd_tensor_table){
      .entries = &running_entry, .n_entries = 1, .count = N_RUNNING};
  for (int i = 0; i < N_WEIGHTS + N_RUNNING; i++)
    block[i] = (float)i;
  for (int i = 0; i < N_WEIGHTS; i++)
    state_m[i] = -(float)i;
}

static void write_frame(const char *path, gd_store_place places[N_PLACES])
{
  const gd_dataset datasets[N_PLACES] = {
      {.name = "a", .dtype = GD_F32, .rank = 1, .dims = {3000}},
      {.name = "b", .dtype = GD_F32, .rank = 1, .dims = {1}},
      {.name = "c", .dtype = GD_F32, .rank = 2, .dims = {1999, 1}},
      {.name = "r", .dtype = GD_F32, .rank = 1, .dims = {N_RUNNING}},
      {.name = "m", .dtype = GD_F32, .rank = 1, .dims = {N_WEIGHTS}},
  };
  gd_store_writer *w;
  assert_ok(gd_store_create(path, "gradus-test", 1, (gd_digest){1, 2}, &w));
  assert_ok(gd_store_expect_blocks(w, 3 + 1 + 2 + 1 + 5));
  for (int i = 0; i < N_PLACES; i++)
    assert_ok(gd_store_reserve(w, &datasets[i], &places[i]));
  assert_ok(gd_store_finish(w));
}

/* The share of one of `size` ranks, as training has it: parts of a block that
 * is cut twice.  `state` must live as long. */
static gd_snapshot *new_snapshot(int rank, int size, float state[N_WEIGHTS])
{
  enum { ALIGN = GD_STORE_BLOCK_BYTES / sizeof(float), HALF = 2 * ALIGN };
  float *states[1] = {state};
  gd_range parts[2] = {gd_range_of(HALF / ALIGN, rank, size),
                       gd_range_of(3, rank, size)};
  int64_t n = 0;
  for (int i = 0; i < 2; i++) {
    gd_range *p = &parts[i];
    p->first = p->first * ALIGN + i * HALF;
    p->end = p->end * ALIGN + i * HALF;
    p->end = p->end < N_WEIGHTS ? p->end : N_WEIGHTS;
    for (int64_t k = p->first; k < p->end; k++)
      state[n++] = state_m[k];
  }
  const gd_snapshot_source source = {.weights = &weights,
                                     .running = &running,
                                     .block = block,
                                     .n_parts = 2,
                                     .parts = parts,
                                     .n_states = 1,
                                     .states = states};
  gd_snapshot *s;
  assert_ok(gd_snapshot_new(&source, rank, size, &s));
  assert_int_equal(gd_snapshot_n_places(s), N_PLACES);
  gd_snapshot_take(s);
  return s;
}

static void shares_of_any_number_of_ranks_make_the_same_file(void **unused)
{
  (void)unused;
  gd_digest first, digest;
  make_values();
  for (int size = 1; size <= 16; size++) {
    gd_store_place places[N_PLACES];
    const char *path = gd_test_path("shared.h5");
    int64_t bytes = 0;
    write_frame(path, places);
    for (int rank = size - 1; rank >= 0; rank--) {
      float state[N_WEIGHTS];
      gd_snapshot *s = new_snapshot(rank, size, state);
      bytes += gd_snapshot_bytes(s);
      /* What comes after the copy is not in it. */
      block[rank] += 100;
      assert_ok(gd_snapshot_start(s, path, places));
      assert_ok(gd_snapshot_wait(s));
      assert_true(gd_snapshot_is_written(s));
      block[rank] -= 100;
      gd_snapshot_free(s);
    }
    assert_int_equal(bytes, (2 * N_WEIGHTS + N_RUNNING) * sizeof(float));
    assert_ok(gd_file_publish(path));
    assert_ok(gd_store_verify(path));
    assert_ok(gd_digest_of_file(path, &digest));
    first = size == 1 ? digest : first;
    assert_true(gd_digest_equal(first, digest));
  }
  float read[3000];
  float m[N_WEIGHTS];
  const gd_dataset a = {.name = "a", .dtype = GD_F32, .rank = 1};
  gd_store *store;
  assert_ok(gd_store_open(gd_test_path("shared.h5"), NULL, 0, &store));
  assert_ok(gd_store_read(store, &a, 0, 3000, read));
  assert_memory_equal(read, block, sizeof read);
  const gd_dataset d = {.name = "m", .dtype = GD_F32, .rank = 1};
  assert_ok(gd_store_read(store, &d, 0, N_WEIGHTS, m));
  assert_memory_equal(m, state_m, sizeof m);
  gd_store_close(store);
}

static void state_that_is_not_finite_is_not_written(void **state)
{
  (void)state;
  float values[N_WEIGHTS];
  gd_store_place places[N_PLACES];
  const char *path = gd_test_path("bad.h5");
  make_values();
  write_frame(path, places);
  state_m[4999] = INFINITY;
  gd_snapshot *s = new_snapshot(0, 1, values);
  assert_ok(gd_snapshot_start(s, path, places));
  assert_fails(gd_snapshot_wait(s), GD_ERR_NUMERIC, "bad.h5");
  gd_snapshot_free(s);
}

static void file_that_is_gone_is_an_error(void **state)
{
  (void)state;
  float values[N_WEIGHTS];
  gd_store_place places[N_PLACES] = {0};
  make_values();
  gd_snapshot *s = new_snapshot(0, 1, values);
  assert_ok(gd_snapshot_start(s, gd_test_path("gone.h5"), places));
  assert_fails(gd_snapshot_wait(s), GD_ERR_IO, "gone.h5");
  gd_snapshot_free(s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(shares_of_any_number_of_ranks_make_the_same_file),
    cmocka_unit_test(state_that_is_not_finite_is_not_written),
    cmocka_unit_test(file_that_is_gone_is_an_error),
};

gd_test_main(tests)
