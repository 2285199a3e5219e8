#include "gradus/image.h"

#include <png.h>
#include <stdio.h>
/* libjpeg needs FILE before it. */
#include <jpeglib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gradus/random.h"
#include "test.h"

enum { WIDTH = 23, HEIGHT = 17 };

/* Without waiting for the disk, as hundreds of files are written. */
static void write_quickly(const char *path, const void *data, size_t size_bytes)
{
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size_bytes, file), size_bytes);
  assert_int_equal(fclose(file), 0);
}

static gd_image drawn(void)
{
  gd_image image;
  assert_ok(gd_image_new(WIDTH, HEIGHT, &image));
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++) {
      uint8_t *pixel = image.rgb + 3 * (y * WIDTH + x);
      pixel[0] = (uint8_t)(10 * x);
      pixel[1] = (uint8_t)(15 * y);
      pixel[2] = (uint8_t)(x * y);
    }
  return image;
}

/* A JPEG of `components` channels (1 grey, 3 RGB, 4 CMYK). */
static void write_jpeg(const char *path, int components)
{
  struct jpeg_compress_struct jpeg;
  struct jpeg_error_mgr errors;
  JSAMPLE line[WIDTH * 4];
  JSAMPROW row = line;
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  jpeg_stdio_dest(&jpeg, file);
  jpeg.image_width = WIDTH;
  jpeg.image_height = HEIGHT;
  jpeg.input_components = components;
  jpeg.in_color_space = components == 1   ? JCS_GRAYSCALE
                        : components == 3 ? JCS_RGB
                                          : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 95, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  for (int y = 0; y < HEIGHT; y++) {
    for (int i = 0; i < WIDTH * components; i++)
      line[i] = (JSAMPLE)(8 * (i / components) + 4 * y);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  fclose(file);
}

/* A PNG of one colour: 0x4080.. in each channel, alpha a quarter. */
static void write_png(const char *path, int bits, int type)
{
  FILE *file = fopen(path, "wb");
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  png_byte row[8 * 4] = {0};
  const png_color palette[2] = {{1, 2, 3}, {0x40, 0x40, 0x40}};
  const png_byte transparent[2] = {0, 100};
  const int channels = type == PNG_COLOR_TYPE_RGB_ALPHA    ? 4
                       : type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                       : type == PNG_COLOR_TYPE_RGB        ? 3
                                                           : 1;
  assert_non_null(file);
  png_init_io(png, file);
  png_set_IHDR(png, info, 4, 2, bits, type, PNG_INTERLACE_ADAM7,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (type == PNG_COLOR_TYPE_PALETTE) {
    png_set_PLTE(png, info, palette, 2);
    png_set_tRNS(png, info, transparent, 2, NULL);
    memset(row, bits == 8 ? 1 : 0xff, sizeof row);
  } else {
    for (int i = 0; i < 4 * channels; i++)
      if (bits == 16)
        row[2 * i] = 0x40, row[2 * i + 1] = 0xff;
      else
        row[i] = 0x40;
  }
  png_write_info(png, info);
  png_byte *rows[2] = {row, row};
  png_write_image(png, rows);
  png_write_end(png, NULL);
  png_destroy_write_struct(&png, &info);
  fclose(file);
}

static void written_png_reads_back_equal_and_is_private(void **state)
{
  (void)state;
  gd_image image = drawn(), back;
  const char *path = gd_test_path("drawn.png");
  assert_ok(gd_image_write_png(path, &image));
  assert_ok(gd_image_read(path, &back));
  assert_int_equal(back.width_px, WIDTH);
  assert_int_equal(back.height_px, HEIGHT);
  assert_memory_equal(back.rgb, image.rgb, 3 * WIDTH * HEIGHT);
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  gd_image_free(&back);
  gd_image_free(&image);
  assert_null(image.rgb);
}

static void every_kind_of_png_becomes_rgb(void **state)
{
  (void)state;
  static const struct {
    int bits, type;
  } kinds[] = {{8, PNG_COLOR_TYPE_GRAY},       {16, PNG_COLOR_TYPE_GRAY},
               {8, PNG_COLOR_TYPE_GRAY_ALPHA}, {16, PNG_COLOR_TYPE_RGB},
               {8, PNG_COLOR_TYPE_RGB_ALPHA},  {16, PNG_COLOR_TYPE_RGB_ALPHA},
               {8, PNG_COLOR_TYPE_PALETTE},    {1, PNG_COLOR_TYPE_PALETTE}};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    gd_image image;
    write_png(gd_test_path("kind.png"), kinds[i].bits, kinds[i].type);
    assert_ok(gd_image_read(gd_test_path("kind.png"), &image));
    assert_int_equal(image.width_px, 4);
    assert_int_equal(image.height_px, 2);
    for (int k = 0; k < 3 * 4 * 2; k++)
      assert_int_equal(image.rgb[k], 0x40);
    gd_image_free(&image);
  }
}

static void jpeg_grey_and_colour_are_read_and_cmyk_is_refused(void **state)
{
  (void)state;
  const char *path = gd_test_path("some.jpg");
  gd_image image;
  for (int components = 1; components <= 3; components += 2) {
    write_jpeg(path, components);
    assert_ok(gd_image_read(path, &image));
    assert_int_equal(image.width_px, WIDTH);
    assert_int_equal(image.height_px, HEIGHT);
    for (int y = 0; y < HEIGHT; y++)
      for (int i = 0; i < 3 * WIDTH; i++)
        assert_in_range(
            image.rgb[y * 3 * WIDTH + i] + 6 - (8 * (i / 3) + 4 * y), 0, 12);
    gd_image_free(&image);
  }
  write_jpeg(path, 4);
  assert_fails(gd_image_read(path, &image), GD_ERR_FORMAT, "CMYK");
  assert_null(image.rgb);
}

static void truncated_image_is_refused_at_every_length(void **state)
{
  (void)state;
  gd_image image = drawn();
  assert_ok(gd_image_write_png(gd_test_path("whole.png"), &image));
  gd_image_free(&image);
  write_jpeg(gd_test_path("whole.jpg"), 3);
  static const char *const names[] = {"whole.png", "whole.jpg"};
  for (int i = 0; i < 2; i++) {
    char *data;
    size_t size;
    assert_ok(gd_file_read(gd_test_path(names[i]), 1 << 20, &data, &size));
    for (size_t n = 0; n < size; n++) {
      write_quickly(gd_test_path("part"), data, n);
      assert_fails(gd_image_read(gd_test_path("part"), &image), GD_ERR_FORMAT,
                   "part: n");
      assert_null(image.rgb);
    }
    free(data);
  }
}

static void flipped_bytes_never_crash(void **state)
{
  (void)state;
  gd_image image = drawn();
  assert_ok(gd_image_write_png(gd_test_path("whole.png"), &image));
  gd_image_free(&image);
  write_jpeg(gd_test_path("whole.jpg"), 3);
  static const char *const names[] = {"whole.png", "whole.jpg"};
  gd_random random = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < 2; i++) {
    char *data;
    size_t size;
    int refused = 0;
    assert_ok(gd_file_read(gd_test_path(names[i]), 1 << 20, &data, &size));
    for (int k = 0; k < 300; k++) {
      const int64_t at = gd_random_below(&random, (int64_t)size);
      const char kept = data[at];
      data[at] ^= (char)(1 << gd_random_below(&random, 8));
      write_quickly(gd_test_path("flipped"), data, size);
      if (gd_image_read(gd_test_path("flipped"), &image) == GD_OK)
        gd_image_free(&image);
      else
        refused++;
      data[at] = kept;
    }
    assert_true(refused > 50);
    free(data);
  }
}

/* The check of a PNG's chunk, over its name and data. */
static uint32_t crc_of(const unsigned char *data, size_t size)
{
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

static void put_size(char *at, uint32_t value, int n_bytes)
{
  for (int i = 0; i < n_bytes; i++)
    at[i] = (char)(value >> 8 * (n_bytes - 1 - i));
}

/* Headers that promise no pixel, or more than there is memory for. */
static void headers_of_no_or_endless_size_are_refused(void **state)
{
  (void)state;
  static const uint32_t sizes[][2] = {
      {0, 0}, {0, 5}, {5, 0}, {65535, 65535}, {0x7fffffff, 0x7fffffff}};
  char *png, *jpeg, *sof;
  size_t png_size, jpeg_size;
  gd_image image = drawn();
  assert_ok(gd_image_write_png(gd_test_path("whole.png"), &image));
  gd_image_free(&image);
  write_jpeg(gd_test_path("whole.jpg"), 3);
  assert_ok(gd_file_read(gd_test_path("whole.png"), 1 << 20, &png, &png_size));
  assert_ok(
      gd_file_read(gd_test_path("whole.jpg"), 1 << 20, &jpeg, &jpeg_size));
  for (sof = jpeg; memcmp(sof, "\xff\xc0", 2) != 0; sof++)
    assert_true(sof + 10 < jpeg + jpeg_size);
  for (int i = 0; i < 5; i++) {
    put_size(png + 16, sizes[i][0], 4); /* IHDR: behind 8 + 8 bytes */
    put_size(png + 20, sizes[i][1], 4);
    put_size(png + 29, crc_of((unsigned char *)png + 12, 17), 4);
    write_quickly(gd_test_path("lies.png"), png, png_size);
    assert_fails(gd_image_read(gd_test_path("lies.png"), &image), GD_ERR_FORMAT,
                 "lies.png");
    put_size(sof + 5, sizes[i][1], 2);
    put_size(sof + 7, sizes[i][0], 2);
    write_quickly(gd_test_path("lies.jpg"), jpeg, jpeg_size);
    assert_fails(gd_image_read(gd_test_path("lies.jpg"), &image), GD_ERR_FORMAT,
                 "lies.jpg");
    assert_null(image.rgb);
  }
  free(png);
  free(jpeg);
}

static void other_files_and_sizes_are_refused(void **state)
{
  (void)state;
  gd_image image;
  assert_fails(gd_image_read("/nonexistent.png", &image), GD_ERR_IO,
               "/nonexistent.png");
  assert_ok(gd_file_write(gd_test_path("text"), "hello, image", 12));
  assert_fails(gd_image_read(gd_test_path("text"), &image), GD_ERR_FORMAT,
               "neither PNG nor JPEG");
  assert_fails(gd_image_new(0, 5, &image), GD_ERR_USAGE, "0 x 5");
  assert_fails(gd_image_new(60000, 60000, &image), GD_ERR_USAGE, "megapixels");
  assert_ok(gd_image_new(20000, 1, &image));
  assert_fails(gd_image_write_png("/nonexistent/x.png", &image), GD_ERR_IO,
               "/nonexistent/x.png");
  gd_image_free(&image);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(written_png_reads_back_equal_and_is_private),
    cmocka_unit_test(every_kind_of_png_becomes_rgb),
    cmocka_unit_test(jpeg_grey_and_colour_are_read_and_cmyk_is_refused),
    cmocka_unit_test(truncated_image_is_refused_at_every_length),
    cmocka_unit_test(flipped_bytes_never_crash),
    cmocka_unit_test(headers_of_no_or_endless_size_are_refused),
    cmocka_unit_test(other_files_and_sizes_are_refused),
};

gd_test_main(tests)
