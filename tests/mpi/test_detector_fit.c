#include "gradus/detector_fit.h"

#include <stdio.h>

#include "gradus/agree.h"
#include "gradus/mtcnn.h"
#include "gradus/scene.h"
#include "test.h"

/* ---------------------------------------------------------------- training */

typedef struct {
  int64_t n_done;
  int64_t stop_after; /* images of this rank; < 0: never */
} ticks;

static void expect(void *context, int64_t n)
{
  (void)context;
  (void)n;
}

static gd_status tick(void *context, int64_t n)
{
  ticks *t = context;
  t->n_done += n;
  if (t->stop_after >= 0 && t->n_done >= t->stop_after)
    return gd_fail(GD_ERR_STOPPED, "asked to stop");
  return GD_OK;
}

static gd_status draw(void *context, int64_t index, gd_labelled_image *out)
{
  (void)context;
  return gd_scene_draw(5, index, out);
}

/* Seven leaves, or as many as are left: their number is no power of two, and
 * the last step's is another than that of the steps before. */
static gd_detector_fit_config config_for(const char *directory)
{
  return (gd_detector_fit_config){.seed = 5,
                                  .n_images = {14, 9, 20},
                                  .batch = 7,
                                  .microbatch = 1,
                                  .min_face_px = 40,
                                  .rates = {1e-3, 1e-3, 1e-3},
                                  .directory = directory,
                                  .digest = {11, 12}};
}

/* Train on the first `size` ranks; the others wait. */
static gd_status train(const char *name, int size, int64_t stop_after,
                       double rate)
{
  int rank;
  char directory[GD_PATH_MAX] = "";
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
    gd_detector_fit_config config = config_for(directory);
    ticks t = {.stop_after = rank == size - 1 ? stop_after : -1};
    const gd_fit_hooks hooks = {.context = &t, .expect = expect, .tick = tick};
    const gd_labelled_source source = {.read = draw};
    for (int i = 0; i < 3; i++)
      config.rates[i] = rate;
    st = gd_detector_fit(comm, rank, &config, &source, &hooks);
  }
  MPI_Comm_free(&comm);
  MPI_Barrier(MPI_COMM_WORLD);
  return st;
}

static int same_files(const char *a, const char *b)
{
  static const char *const names[] = {"mtcnn.h5", "metrics.csv", "last.h5"};
  for (int i = 0; i < 3; i++) {
    char path[64];
    gd_digest first, second;
    snprintf(path, sizeof path, "%s/%s", a, names[i]);
    assert_ok(gd_digest_of_file(gd_test_path(path), &first));
    snprintf(path, sizeof path, "%s/%s", b, names[i]);
    assert_ok(gd_digest_of_file(gd_test_path(path), &second));
    if (!gd_digest_equal(first, second))
      return 0;
  }
  return 1;
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

static void trained_detector_is_one_that_detection_opens(void **state)
{
  (void)state;
  assert_ok(train("one", 1, -1, 1e-3));
  if (!is_first())
    return;
  gd_mtcnn *m;
  const gd_mtcnn_config config = gd_mtcnn_defaults();
  assert_ok(gd_mtcnn_open(gd_test_path("one/mtcnn.h5"), &config, &m));
  gd_mtcnn_close(m);
}

static void result_does_not_depend_on_the_number_of_ranks(void **state)
{
  (void)state;
  if (world_size() == 1)
    return;
  assert_ok(train("all", world_size(), -1, 1e-3));
  if (is_first())
    assert_true(same_files("one", "all"));
}

/* Stopped by its last rank within a net, then again with another number of
 * ranks: as if nothing had happened. */
static void stopped_training_goes_on_exactly_on_other_ranks(void **state)
{
  (void)state;
  const int fewer = world_size() > 1 ? world_size() - 1 : 1;
  assert_int_equal(train("stopped", world_size(), 0, 1e-3), GD_ERR_STOPPED);
  assert_true(!is_first() || gd_path_exists(gd_test_path("stopped/last.h5")));
  assert_true(!is_first() || !gd_path_exists(gd_test_path("stopped/mtcnn.h5")));
  /* The second step of P-Net ends it; what comes next is R-Net's. */
  assert_int_equal(train("stopped", world_size(), 7 / world_size() + 1, 1e-3),
                   GD_ERR_STOPPED);
  assert_ok(train("stopped", fewer, -1, 1e-3));
  if (is_first())
    assert_true(same_files("one", "stopped"));
}

/* Nor does it stay without the rows that were not written any more. */
static void finished_training_is_not_done_again(void **state)
{
  (void)state;
  ticks t = {.stop_after = -1};
  gd_detector_fit_config config = config_for(gd_test_path("one"));
  const gd_fit_hooks hooks = {.context = &t, .expect = expect, .tick = tick};
  const gd_labelled_source source = {.read = draw};
  if (is_first()) {
    gd_digest whole, again;
    assert_ok(gd_digest_of_file(gd_test_path("one/metrics.csv"), &whole));
    assert_int_equal(remove(gd_test_path("one/metrics.csv")), 0);
    assert_ok(gd_detector_fit(MPI_COMM_SELF, 0, &config, &source, &hooks));
    assert_ok(gd_digest_of_file(gd_test_path("one/metrics.csv"), &again));
    assert_true(gd_digest_equal(whole, again));
  }
  assert_int_equal(t.n_done, 0);
  MPI_Barrier(MPI_COMM_WORLD);
}

/* A folder cannot be read as a file, whoever asks. */
static void checkpoint_that_cannot_be_read_now_is_no_fresh_start(void **state)
{
  (void)state;
  if (is_first())
    assert_ok(gd_directory_make(gd_test_path("unreadable/last.h5")));
  const gd_status st = train("unreadable", world_size(), -1, 1e-3);
  assert_int_equal(st, is_first() ? GD_ERR_IO : GD_ERR_PEER);
  assert_true(gd_test_has(gd_reason(), "last.h5: "));
}

static void loss_that_is_not_finite_names_net_and_step(void **state)
{
  (void)state;
  const gd_status st = train("overflow", 1, -1, 1e38);
  if (!is_first())
    return;
  assert_int_equal(st, GD_ERR_NUMERIC);
  assert_true(gd_test_has(gd_reason(), "pnet, step 2"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(trained_detector_is_one_that_detection_opens),
    cmocka_unit_test(result_does_not_depend_on_the_number_of_ranks),
    cmocka_unit_test(stopped_training_goes_on_exactly_on_other_ranks),
    cmocka_unit_test(finished_training_is_not_done_again),
    cmocka_unit_test(checkpoint_that_cannot_be_read_now_is_no_fresh_start),
    cmocka_unit_test(loss_that_is_not_finite_names_net_and_step),
};

gd_test_mpi_main(tests)
