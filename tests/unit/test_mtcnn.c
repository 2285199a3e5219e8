/* The detector against the reference: real weights, every activation that
 * matters, and photographs with stored detections. */
#include "gradus/mtcnn.h"
#include "gradus/quality.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/face/cascade_net.h"
#include "gradus/detector_import.h"
#include "gradus/random.h"
#include "gradus/resample.h"
#include "gradus/store.h"
#include "reference_faces.h"
#include "test.h"

static const char *weights_file(void)
{
  return gd_test_shared("reference/mtcnn/weights/mtcnn.safetensors");
}

/* ------------------------------------------------------------------ tensors */

static float *read_tensor(gd_store *s, const char *group, const char *name,
                          gd_dataset *d)
{
  char path[GD_STORE_NAME_MAX];
  snprintf(path, sizeof path, "%s/%s", group, name);
  assert_ok(gd_store_describe(s, path, d));
  int64_t count = 1;
  for (int i = 0; i < d->rank; i++)
    count *= d->dims[i];
  void *raw = calloc((size_t)count, d->dtype == GD_F64 ? 8 : 4);
  assert_ok(gd_store_read(s, d, 0, d->dims[0], raw));
  if (d->dtype == GD_F64) {
    float *values = calloc((size_t)count, sizeof *values);
    for (int64_t i = 0; i < count; i++)
      values[i] = (float)((double *)raw)[i];
    free(raw);
    return values;
  }
  return raw;
}

/* Compare channels first .. of the net's output with a tensor (N, K, H, W) or
 * (N, K), relative to the tensor's largest value. */
static void compare_tensor(gd_store *s, const char *group, const char *name,
                           const float *out, gd_cascade_shape shape,
                           int channels, int first, int softmax)
{
  gd_dataset d;
  float *want = read_tensor(s, group, name, &d);
  const int64_t K = d.dims[1], pixels = (int64_t)shape.H * shape.W;
  double largest = 0, worst = 0;
  assert_int_equal(d.dims[0], shape.N);
  for (int64_t i = 0; i < d.dims[0] * K * pixels; i++)
    largest = fmax(largest, fabs(want[i]));
  for (int64_t n = 0; n < shape.N; n++)
    for (int64_t k = 0; k < K; k++)
      for (int64_t p = 0; p < pixels; p++) {
        const float *x = out + (n * pixels + p) * channels + first;
        double value = x[k];
        if (softmax)
          value = 1 / (1 + exp((double)x[!k] - x[k]));
        worst = fmax(worst, fabs(value - want[(n * K + k) * pixels + p]));
      }
  if (worst > 1e-5 * largest)
    fail_msg("%s/%s: distance %g of %g", group, name, worst, largest);
  free(want);
}

static void compare_net(gd_store *s, gd_weights *w, const gd_cascade_spec *spec,
                        const char *group, const char *suffix)
{
  gd_cascade_net *net;
  gd_cascade_buffers buffers = {0};
  gd_dataset d;
  gd_cascade_shape shape;
  const float *out;
  char name[32];
  assert_ok(gd_cascade_net_read(spec, w, &net));
  float *input = read_tensor(s, group, "input", &d);
  const int H = (int)d.dims[2], W = (int)d.dims[3];
  float *x = calloc((size_t)(d.dims[0] * 3 * H * W), sizeof *x);
  for (int64_t n = 0; n < d.dims[0]; n++)
    for (int c = 0; c < 3; c++)
      for (int p = 0; p < H * W; p++)
        x[(n * H * W + p) * 3 + c] = input[(n * 3 + c) * H * W + p];
  assert_ok(gd_cascade_net_forward(
      net, &buffers, (gd_cascade_shape){.N = (int)d.dims[0], .H = H, .W = W}, x,
      &shape, &out));
  const int channels = spec == &gd_onet_spec ? 16 : 6;
  snprintf(name, sizeof name, "prob%s", suffix);
  compare_tensor(s, group, name, out, shape, channels, 0, 1);
  snprintf(name, sizeof name, "box_reg%s", suffix);
  compare_tensor(s, group, name, out, shape, channels, 2, 0);
  snprintf(name, sizeof name, "landmarks%s", suffix);
  if (channels == 16)
    compare_tensor(s, group, name, out, shape, channels, 6, 0);
  free(x);
  free(input);
  gd_cascade_buffers_free(&buffers);
  gd_cascade_net_free(net);
}

static void nets_compute_the_reference_tensors(void **state)
{
  (void)state;
  const char *path = gd_test_shared("reference/mtcnn/nets.h5");
  const char *weights = weights_file();
  if (path == NULL || weights == NULL)
    skip();
  gd_store *s;
  gd_weights *w;
  assert_ok(gd_store_open(path, NULL, 0, &s));
  assert_ok(gd_weights_open(weights, &w));
  compare_net(s, w, &gd_pnet_spec, "pnet/rand2_12x12", "_f64");
  compare_net(s, w, &gd_pnet_spec, "pnet/rand1_24x13", "_f64");
  compare_net(s, w, &gd_pnet_spec, "pnet/rand1_37x61", "_f64");
  compare_net(s, w, &gd_rnet_spec, "rnet/rand2_24x24", "_f64");
  compare_net(s, w, &gd_rnet_spec, "rnet/astronaut3", "");
  compare_net(s, w, &gd_onet_spec, "onet/rand2_48x48", "_f64");
  compare_net(s, w, &gd_onet_spec, "onet/astronaut3", "");
  gd_weights_close(w);
  gd_store_close(s);
}

/* To 1 x 1 the reference takes another path, which divides once. */
static void area_resize_computes_the_reference_bit_for_bit(void **state)
{
  (void)state;
  const char *path = gd_test_shared("reference/mtcnn/nets.h5");
  if (path == NULL)
    skip();
  static const char *const sizes[] = {"12x17", "1x1",   "24x24", "33x53",
                                      "47x53", "48x48", "60x80"};
  gd_store *s;
  gd_dataset d = {
      .name = "area/src_u8_hwc", .dtype = GD_U8, .rank = 3, .dims = {0, 53, 3}};
  gd_image image;
  uint32_t *scratch = malloc((size_t)gd_area_scratch(53, 80) * sizeof *scratch);
  assert_ok(gd_store_open(path, NULL, 0, &s));
  assert_ok(gd_image_new(53, 47, &image));
  assert_ok(gd_store_read(s, &d, 0, 47, image.rgb));
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    gd_dataset found;
    float *want = read_tensor(s, "area", sizes[i], &found);
    const int H = (int)found.dims[1], W = (int)found.dims[2];
    float *out = calloc((size_t)(3 * H * W), sizeof *out);
    gd_area_resize(&image, (gd_window){0, 0, 53, 47}, W, H, 0, 1, scratch, out);
    for (int p = 0; p < H * W; p++)
      for (int c = 0; c < 3; c++)
        assert_true(fabsf(out[3 * p + c] - want[c * H * W + p]) <=
                    (H * W == 1 ? 2e-5f : 0));
    free(out);
    free(want);
  }
  free(scratch);
  gd_image_free(&image);
  gd_store_close(s);
}

/* -------------------------------------------------------------- photographs */

typedef struct {
  double *distances; /* of faces whose pixels are the reference's */
  int n, other_pixels;
} tally;

/* Compare one image at one smallest face with what stands at `at`. */
static void compare_image(gd_mtcnn *m, const gd_image *image, const char *name,
                          const char *at, int same_pixels, tally *t)
{
  static gd_face want[GD_REFERENCE_FACES];
  const gd_face *found;
  int n_found;
  const int n_want = gd_reference_faces(at, want);
  assert_ok(gd_mtcnn_detect(m, image, &found, &n_found));
  for (int i = 0; i < n_want; i++) {
    const int k = gd_reference_match(&want[i], found, n_found);
    if (k < 0 || gd_face_overlap(&want[i], &found[k]) <= 0.9) {
      if (want[i].confidence > 0.9f)
        fail_msg("%s: face %d of %d was not found", name, i, n_want);
      continue;
    }
    const double distance = gd_reference_distance(&want[i], &found[k]);
    if (distance > (same_pixels ? 1 : 3))
      fail_msg("%s: face %d is %g px away", name, i, distance);
    if (same_pixels)
      t->distances[t->n++] = distance;
    else
      t->other_pixels++;
  }
  for (int k = 0; k < n_found; k++) {
    const int i = gd_reference_match(&found[k], want, n_want);
    if (found[k].confidence > 0.9f &&
        (i < 0 || gd_face_overlap(&found[k], &want[i]) <= 0.9))
      fail_msg("%s: face %d of %d is not in the reference", name, k, n_found);
  }
}

static int compare_doubles(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int is_json(const struct dirent *entry)
{
  const char *dot = strrchr(entry->d_name, '.');
  return dot != NULL && strcmp(dot, ".json") == 0;
}

/* Every image of a folder that has a JSON of detections beside it. */
static void compare_folder(const char *folder, int min_face)
{
  gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_mtcnn *m;
  tally t = {.distances = calloc(100000, sizeof(double))};
  struct dirent **names;
  char key[32];
  config.min_face_px = min_face;
  snprintf(key, sizeof key, "\"min_face_%d\"", min_face);
  assert_ok(gd_mtcnn_open(weights_file(), &config, &m));
  const int n = scandir(folder, &names, is_json, alphasort);
  assert_true(n > 0);
  for (int i = 0; i < n; i++) {
    char path[GD_PATH_MAX], file[256], *text;
    gd_image image;
    assert_ok(gd_path_join(folder, names[i]->d_name, path));
    assert_ok(gd_file_read(path, 1 << 24, &text, NULL));
    assert_int_equal(
        sscanf(strstr(text, "\"file\""), "\"file\": \"%255[^\"]\"", file), 1);
    assert_ok(gd_path_join(folder, file, path));
    assert_ok(gd_image_read(path, &image));
    const char *at = strstr(text, key);
    assert_non_null(at);
    compare_image(m, &image, file, at, gd_reference_pixels(text, &image), &t);
    gd_image_free(&image);
    free(text);
    free(names[i]);
  }
  free(names);
  qsort(t.distances, (size_t)t.n, sizeof *t.distances, compare_doubles);
  assert_true(t.n > 0);
  print_message("smallest face %d: %d faces, median %.2g px, worst %.2g px; %d "
                "faces in other pixels\n",
                min_face, t.n, t.distances[t.n / 2], t.distances[t.n - 1],
                t.other_pixels);
  assert_true(t.distances[t.n / 2] <= 0.01);
  free(t.distances);
  gd_mtcnn_close(m);
}

static void photographs_give_the_reference_detections(void **state)
{
  (void)state;
  const char *folder = gd_test_shared("reference/mtcnn/open");
  if (folder == NULL || weights_file() == NULL)
    skip();
  char kept[GD_PATH_MAX];
  snprintf(kept, sizeof kept, "%s", folder);
  compare_folder(kept, 20);
  compare_folder(kept, 60);
}

/* Follow faces that stood elsewhere before, by some of their size: they are
 * found where a search finds them, but for those that the border cuts, about
 * which a search is wrong.  Returns how many were compared. */
static int follow_moved(gd_mtcnn *m, const gd_image *image,
                        const gd_face *whole, int n_whole, float by)
{
  static gd_face before[GD_REFERENCE_FACES];
  const gd_face *faces;
  int n, n_compared = 0;
  for (int i = 0; i < n_whole; i++) {
    before[i] = whole[i];
    const float shift = by * (float)gd_face_size_px(&whole[i]);
    for (int k = 0; k < 4; k++)
      before[i].box[k] += i % 2 == k % 2 ? shift : shift / 2;
  }
  assert_ok(gd_mtcnn_follow(m, image, before, n_whole, &faces, &n));
  assert_true(n <= n_whole);
  for (int i = 0; i < n_whole; i++) {
    const int found = gd_reference_match(&whole[i], faces, n);
    if (gd_face_is_partial(whole[i].box, image->width_px, image->height_px) ||
        whole[i].confidence < 0.99f)
      continue;
    assert_true(found >= 0);
    assert_true(gd_face_overlap(&whole[i], &faces[found]) > 0.8);
    assert_true(gd_reference_distance(&whole[i], &faces[found]) <
                0.12 * gd_face_size_px(&whole[i]));
    n_compared++;
  }
  return n_compared;
}

/* A face that the image's upper border cuts off is not lost, and stays where it
 * is, however often it is followed. */
static void follow_cut_off(gd_mtcnn *m, const gd_image *image,
                           const gd_face *whole)
{
  const float height = whole->box[3] - whole->box[1];
  const int cut = (int)(whole->box[1] + 0.2f * height);
  const gd_image rest = {.rgb = image->rgb + 3 * image->width_px * cut,
                         .width_px = image->width_px,
                         .height_px = image->height_px - cut};
  gd_face first = *whole;
  first.box[1] -= (float)cut;
  first.box[3] -= (float)cut;
  const gd_face *faces = &first;
  int n = 1;
  for (int i = 0; i < 20; i++) {
    assert_ok(gd_mtcnn_follow(m, &rest, faces, n, &faces, &n));
    assert_int_equal(n, 1);
    assert_true(gd_face_overlap(&first, &faces[0]) > (i == 0 ? 0.7 : 0.9));
    first = i == 0 ? faces[0] : first;
  }
}

/* Faces are found again near where they were, each once, and none where none
 * was. */
static void followed_faces_are_those_of_the_whole_search(void **state)
{
  (void)state;
  if (weights_file() == NULL)
    skip();
  static const char *const names[] = {"fr_two_people.jpg", "vm_solvay1927.jpg",
                                      "fr_obama.jpg"};
  static gd_face whole[GD_REFERENCE_FACES];
  gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_mtcnn *m;
  int n_compared = 0;
  config.min_face_px = 40;
  assert_ok(gd_mtcnn_open(weights_file(), &config, &m));
  for (int k = 0; k < 3; k++) {
    char path[GD_PATH_MAX];
    gd_image image;
    const gd_face *faces;
    int n_whole, n;
    snprintf(path, sizeof path, "reference/mtcnn/open/%s", names[k]);
    assert_ok(gd_image_read(gd_test_shared(path), &image));
    assert_ok(gd_mtcnn_detect(m, &image, &faces, &n_whole));
    memcpy(whole, faces, (size_t)n_whole * sizeof *faces);
    n_compared += follow_moved(m, &image, whole, n_whole, 0);
    n_compared += follow_moved(m, &image, whole, n_whole, 0.1f);
    n_compared += follow_moved(m, &image, whole, n_whole, -0.1f);
    follow_cut_off(m, &image, &whole[0]);
    const gd_face twice[] = {whole[0], whole[0]};
    assert_ok(gd_mtcnn_follow(m, &image, twice, 2, &faces, &n));
    assert_int_equal(n, 1);
    const gd_face nowhere[] = {{.box = {1e9f, 0, 2e9f, 50}},
                               {.box = {-90, -90, -5, -5}},
                               {.box = {0, 0, 30, 30}},
                               {.box = {NAN, 0, 30, 30}}};
    assert_ok(gd_mtcnn_follow(m, &image, nowhere, 4, &faces, &n));
    assert_int_equal(n, 0);
    assert_ok(gd_mtcnn_follow(m, &image, NULL, 0, &faces, &n));
    assert_int_equal(n, 0);
    gd_image_free(&image);
  }
  assert_true(n_compared >= 60);
  gd_mtcnn_close(m);
}

static void odd_images_give_no_face_and_no_crash(void **state)
{
  (void)state;
  if (weights_file() == NULL)
    skip();
  static const int sizes[][2] = {{1, 1},   {20000, 1}, {1, 3000}, {19, 200},
                                 {20, 20}, {21, 300},  {64, 64},  {300, 21}};
  const gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_mtcnn *m;
  assert_ok(gd_mtcnn_open(weights_file(), &config, &m));
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    gd_image image;
    const gd_face *faces;
    int n;
    assert_ok(gd_image_new(sizes[i][0], sizes[i][1], &image));
    assert_ok(gd_mtcnn_detect(m, &image, &faces, &n));
    assert_int_equal(n, 0);
    gd_image_free(&image);
  }
  gd_mtcnn_close(m);
}

/* Noise, and what is nearly black or white: whatever is found lies in numbers
 * that are finite. */
static void noise_gives_finite_faces_or_none(void **state)
{
  (void)state;
  if (weights_file() == NULL)
    skip();
  static const int ranges[][2] = {{0, 256}, {0, 2}, {254, 256}, {100, 140}};
  const gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_mtcnn *m;
  gd_image image;
  gd_random random = gd_random_of(11, GD_FOR_TESTS, 0, 0);
  assert_ok(gd_mtcnn_open(weights_file(), &config, &m));
  assert_ok(gd_image_new(211, 97, &image));
  for (int k = 0; k < 4; k++) {
    const gd_face *faces;
    int n;
    for (int i = 0; i < 3 * 211 * 97; i++)
      image.rgb[i] =
          (uint8_t)(ranges[k][0] +
                    gd_random_below(&random, ranges[k][1] - ranges[k][0]));
    assert_ok(gd_mtcnn_detect(m, &image, &faces, &n));
    for (int i = 0; i < n; i++)
      for (int c = 0; c < 4; c++)
        assert_true(isfinite(faces[i].box[c]));
  }
  gd_image_free(&image);
  gd_mtcnn_close(m);
}

/* Import the detector's files, the first of which is damaged: a detector comes
 * of it that can be used, or a reason. */
static int import_damaged(const char *data, size_t size, int n_paths,
                          const char *const *others)
{
  const char *paths[3] = {gd_test_path("damaged"), others[0], others[1]};
  const char *to = gd_test_path("imported.h5");
  const gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_mtcnn *m = NULL;
  FILE *file = fopen(paths[0], "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  fclose(file);
  gd_status st = gd_detector_import(n_paths, paths, to);
  assert_true(st == GD_OK || st == GD_ERR_FORMAT || st == GD_ERR_IO ||
              st == GD_ERR_NUMERIC);
  if (st == GD_OK)
    assert_ok(gd_mtcnn_open(to, &config, &m));
  gd_mtcnn_close(m);
  (void)remove(to);
  return st == GD_OK;
}

static void damage_file(const char *name, int n_paths,
                        const char *const *others)
{
  char path[GD_PATH_MAX], *data;
  size_t size;
  snprintf(path, sizeof path, "reference/mtcnn/weights/%s", name);
  assert_ok(gd_file_read(gd_test_shared(path), 1 << 24, &data, &size));
  gd_random random = gd_random_of(12, GD_FOR_TESTS, (int64_t)size, 0);
  for (int i = 1; i < 4; i++)
    assert_false(import_damaged(data, size * (size_t)i / 4, n_paths, others));
  for (int i = 0; i < 16; i++) { /* what tells of tensors stands at the ends */
    const int64_t from = i % 2 == 0 ? 0 : (int64_t)size - 512;
    const int64_t at = from + gd_random_below(&random, 512);
    const char kept = data[at];
    data[at] ^= (char)(1 << gd_random_below(&random, 8));
    (void)import_damaged(data, size, n_paths, others);
    data[at] = kept;
  }
  free(data);
}

static void damaged_weights_give_a_detector_or_a_reason(void **state)
{
  (void)state;
  if (weights_file() == NULL)
    skip();
  char rest[4][GD_PATH_MAX];
  static const char *const names[] = {"rnet.pt", "onet.pt", "det2.caffemodel",
                                      "det3.caffemodel"};
  for (int i = 0; i < 4; i++) {
    char path[GD_PATH_MAX];
    snprintf(path, sizeof path, "reference/mtcnn/weights/%s", names[i]);
    snprintf(rest[i], GD_PATH_MAX, "%s", gd_test_shared(path));
  }
  const char *const torch[2] = {rest[0], rest[1]};
  const char *const caffe[2] = {rest[2], rest[3]};
  damage_file("pnet.pt", 3, torch);
  damage_file("det1.caffemodel", 3, caffe);
  damage_file("mtcnn.safetensors", 1, torch);
  damage_file("mtcnn.h5", 1, torch);
}

static void wrong_weights_and_settings_are_refused(void **state)
{
  (void)state;
  gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_mtcnn *m;
  const char *path = gd_test_path("other.h5");
  const float values[28] = {0};
  const gd_dataset d = {
      .name = "pnet/conv1/bias", .dtype = GD_F32, .rank = 1, .dims = {28}};
  gd_store_writer *w;
  assert_ok(gd_store_create(path, "some", 1, (gd_digest){0, 0}, &w));
  assert_ok(gd_store_put(w, &d, values));
  assert_ok(gd_store_commit(w));
  assert_fails(gd_mtcnn_open(path, &config, &m), GD_ERR_FORMAT,
               "pnet.conv1.bias is F32 (28), expected F32 (10)");
  assert_null(m);
  assert_fails(gd_mtcnn_open("/nonexistent", &config, &m), GD_ERR_IO,
               "/nonexistent");
  config.min_face_px = 3;
  assert_fails(gd_mtcnn_open(path, &config, &m), GD_ERR_USAGE,
               "smallest face 3 px");
  config = gd_mtcnn_defaults();
  config.factor = 1;
  assert_fails(gd_mtcnn_open(path, &config, &m), GD_ERR_USAGE, "factor 1");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nets_compute_the_reference_tensors),
    cmocka_unit_test(area_resize_computes_the_reference_bit_for_bit),
    cmocka_unit_test(photographs_give_the_reference_detections),
    cmocka_unit_test(followed_faces_are_those_of_the_whole_search),
    cmocka_unit_test(odd_images_give_no_face_and_no_crash),
    cmocka_unit_test(noise_gives_finite_faces_or_none),
    cmocka_unit_test(damaged_weights_give_a_detector_or_a_reason),
    cmocka_unit_test(wrong_weights_and_settings_are_refused),
};

gd_test_main(tests)
