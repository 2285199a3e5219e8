#include "gradus/sheet.h"

#include <string.h>
#include <sys/stat.h>

#include "gradus/image.h"
#include "test.h"

enum { SIZE = 8, GAP = 2, PITCH = SIZE + GAP, N_FACES = 6 };

static const gd_video videos[1] = {
    {.id = "a", .path = "a.avi", .landmarks = "", .subject = "1", .task = ""}};
static const int32_t indices[1] = {0};
static const gd_video_table corpus = {
    .n_videos = 1, .index = indices, .videos = videos};

/* Face i: one half is 10 i bright, the other 10 i + 100; faces 2 and 3 were not
 * detected. */
static gd_face_set *six_faces(void)
{
  const char *directory = gd_test_path("six");
  char path[GD_PATH_MAX];
  gd_face_writer *w;
  gd_face_set *s;
  assert_ok(gd_directory_make(directory));
  assert_ok(gd_path_join(directory, "faces-00000.h5", path));
  assert_ok(
      gd_face_writer_create(path, (gd_digest){1, 2}, SIZE, "t", &corpus, &w));
  for (int i = 0; i < N_FACES; i++) {
    uint8_t rgb[3 * SIZE * SIZE];
    const gd_face_info info = {.frame_index = i,
                               .status = i == 2   ? GD_FACE_TRACKED
                                         : i == 3 ? GD_FACE_FALLBACK
                                                  : GD_FACE_DETECTED};
    memset(rgb, 10 * i, sizeof rgb / 2);
    memset(rgb + sizeof rgb / 2, 10 * i + 100, sizeof rgb / 2);
    assert_ok(gd_face_writer_append(w, &info, rgb));
  }
  assert_ok(gd_face_writer_commit(w));
  assert_ok(gd_face_set_open(directory, &s));
  return s;
}

static gd_image draw(gd_face_set *s, const gd_sheet *sheet)
{
  gd_image image;
  assert_ok(gd_sheet_write(s, sheet, gd_test_path("sheet.png")));
  assert_ok(gd_image_read(gd_test_path("sheet.png"), &image));
  return image;
}

static const uint8_t *at(const gd_image *image, int column, int row, int x,
                         int y)
{
  return image->rgb + 3 * ((GAP + row * PITCH + y) * image->width_px + GAP +
                           column * PITCH + x);
}

/* Of five faces from the second on, the first, second and fourth. */
static void sheet_shows_a_sample_in_order_and_is_private(void **state)
{
  (void)state;
  struct stat info;
  gd_face_set *s = six_faces();
  const gd_sheet sheet = {.faces = {1, N_FACES}, .most = 3};
  gd_image image = draw(s, &sheet);
  assert_int_equal(image.width_px, GAP + 2 * PITCH);
  assert_int_equal(image.height_px, GAP + 2 * PITCH);
  assert_int_equal(*at(&image, 0, 0, 0, 0), 10);
  assert_int_equal(*at(&image, 1, 0, 0, 0), 20);
  assert_int_equal(*at(&image, 0, 1, SIZE - 1, SIZE - 1), 140);
  assert_int_equal(*at(&image, 1, 1, 0, 0), 0);
  assert_int_equal(stat(gd_test_path("sheet.png"), &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  gd_image_free(&image);
  gd_face_set_close(s);
}

static void faces_that_were_not_detected_are_framed(void **state)
{
  (void)state;
  gd_face_set *s = six_faces();
  const gd_sheet sheet = {.faces = {0, N_FACES}, .most = N_FACES};
  gd_image image = draw(s, &sheet);
  const uint8_t *plain = at(&image, 0, 0, 3, -1);
  const uint8_t *amber = at(&image, 2, 0, 3, -1);
  const uint8_t *red = at(&image, 0, 1, -1, 3);
  assert_int_equal(plain[0] + plain[1] + plain[2], 0);
  assert_true(amber[0] > 200 && amber[1] > 100 && amber[2] < 50);
  assert_true(red[0] > 200 && red[1] < 50 && red[2] < 50);
  gd_image_free(&image);
  gd_face_set_close(s);
}

/* The edge within a face is gone; faces do not run into each other. */
static void blurred_sheet_shows_no_edge_within_a_face(void **state)
{
  (void)state;
  gd_face_set *s = six_faces();
  const gd_sheet sheet = {.faces = {0, 1}, .most = 1, .is_blurred = 1};
  gd_image image = draw(s, &sheet);
  for (int y = 1; y < SIZE; y++)
    assert_true(*at(&image, 0, 0, 4, y) - *at(&image, 0, 0, 4, y - 1) < 40);
  assert_true(*at(&image, 0, 0, 4, SIZE - 1) > 50);
  gd_image_free(&image);
  gd_face_set_close(s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sheet_shows_a_sample_in_order_and_is_private),
    cmocka_unit_test(faces_that_were_not_detected_are_framed),
    cmocka_unit_test(blurred_sheet_shows_no_edge_within_a_face),
};

gd_test_main(tests)
