/* Frames as RGB, compared byte for byte with the ffmpeg program's, on clips
 * that it makes on the spot: every kind of colour a lab's videos have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/converter.h"
#include "gradus/memory.h"
#include "gradus/packing.h"
#include "gradus/video_index.h"
#include "gradus/video_reader.h"
#include "test.h"

typedef struct {
  const char *file;    /* its ending chooses the container */
  const char *size;    /* of the drawn picture */
  const char *encoder; /* ffmpeg's options */
  const char *filter;  /* what ffmpeg must be told to do as we do; "" */
} clip;

static const clip CLIPS[] = {
    {"untagged.mp4", "320x240", "-c:v libx264 -pix_fmt yuv420p", ""},
    {"709.mp4", "320x240",
     "-c:v libx264 -pix_fmt yuv420p -colorspace bt709 -color_range tv", ""},
    {"709full.mp4", "320x240",
     "-c:v libx264 -pix_fmt yuv420p -colorspace bt709 -color_range pc", ""},
    {"170m.mp4", "320x240",
     "-c:v libx264 -pix_fmt yuv420p -colorspace smpte170m", ""},
    {"240m.mp4", "320x240",
     "-c:v libx264 -pix_fmt yuv420p -colorspace smpte240m", ""},
    {"2020.mp4", "320x240",
     "-c:v libx264 -pix_fmt yuv420p10le -colorspace bt2020nc", ""},
    {"ycgco.mp4", "320x240", "-c:v libx264 -pix_fmt yuv444p -colorspace ycgco",
     ""},
    {"422.mp4", "320x240", "-c:v libx264 -pix_fmt yuv422p -colorspace bt709",
     ""},
    {"444.mp4", "320x240", "-c:v libx264 -pix_fmt yuv444p", ""},
    {"444ten.mp4", "320x240", "-c:v libx264 -pix_fmt yuv444p10le", ""},
    {"422ten.mkv", "320x240", "-c:v ffv1 -pix_fmt yuv422p10le", ""},
    {"420twelve.mkv", "320x240", "-c:v ffv1 -pix_fmt yuv420p12le", ""},
    {"440.mkv", "320x240", "-c:v ffv1 -pix_fmt yuv440p", ""},
    {"411.mkv", "320x240", "-c:v ffv1 -pix_fmt yuv411p", ""},
    {"410.mkv", "320x240", "-c:v ffv1 -pix_fmt yuv410p", ""},
    {"gray.mkv", "320x240", "-c:v ffv1 -pix_fmt gray", ""},
    {"gray.mp4", "320x240", "-c:v libx264 -pix_fmt gray", ""},
    {"gray10.mkv", "320x240", "-c:v ffv1 -pix_fmt gray10le", ""},
    {"gray16.mkv", "320x240", "-c:v ffv1 -pix_fmt gray16le", ""},
    {"gbr.mp4", "320x240", "-c:v libx264rgb -pix_fmt rgb24", ""},
    {"bgr.avi", "320x240", "-c:v rawvideo -pix_fmt bgr24", ""},
    {"bgra.mkv", "320x240", "-c:v ffv1 -pix_fmt bgra", ""},
    {"palette.mov", "320x240", "-c:v png -pix_fmt pal8", ""},
    {"yuyv.avi", "320x240", "-c:v rawvideo -pix_fmt yuyv422", ""},
    {"nv12.nut", "320x240", "-c:v rawvideo -pix_fmt nv12", ""},
    {"jpeg420.avi", "320x240", "-c:v mjpeg -pix_fmt yuvj420p -q:v 2", ""},
    {"jpeg422.avi", "320x240", "-c:v mjpeg -pix_fmt yuvj422p -q:v 2", ""},
    {"jpeg444.avi", "320x240", "-c:v mjpeg -pix_fmt yuvj444p -q:v 2", ""},
    {"dv.avi", "720x576", "-c:v dvvideo -pix_fmt yuv420p -r 25", ""},
    {"interlaced.mp4", "320x240",
     "-c:v libx264 -pix_fmt yuv420p -flags +ildct+ilme -top 1", ""},
    {"odd.avi", "321x239", "-c:v mpeg4 -q:v 2", ""},
    {"tiny.mkv", "18x10", "-c:v ffv1 -pix_fmt yuv420p", ""},
    {"wide.mp4", "352x288", "-vf setsar=16/11 -c:v libx264 -pix_fmt yuv420p",
     "scale=512:288"},
    {"narrow.mp4", "320x240", "-vf setsar=8/9 -c:v libx264 -pix_fmt yuv420p",
     "scale=320:270"},
    {"narrow709.mp4", "320x240",
     "-vf setsar=8/9 -c:v libx264 -pix_fmt yuv422p -colorspace bt709",
     "scale=320:270"},
};

/* Run a command of the shell; return whether it ended well. */
static int runs(const char *command)
{
  return system(command) == 0;
}

static int make(const clip *c, char path[GD_PATH_MAX])
{
  char command[3 * GD_PATH_MAX];
  snprintf(path, GD_PATH_MAX, "%s", gd_test_path(c->file));
  snprintf(command, sizeof command,
           "ffmpeg -v quiet -nostdin -y -f lavfi -i testsrc2=s=%s:r=25 "
           "-frames:v 4 %s '%s'",
           c->size, c->encoder, path);
  return runs(command);
}

/* What ffmpeg makes of the clip: its frames, one after the other. */
static FILE *open_reference(const clip *c, const char *path)
{
  char command[3 * GD_PATH_MAX];
  snprintf(command, sizeof command,
           "ffmpeg -v quiet -nostdin -noautorotate -threads 1 -i '%s' -vsync 0 "
           "%s%s -pix_fmt rgb24 -f rawvideo -",
           path, c->filter[0] == '\0' ? "" : "-vf ", c->filter);
  return popen(command, "r");
}

/* Pack, unpack, and convert: what a lossless shard gives. */
static void convert_packed(gd_packer *p, gd_unpacker *u, gd_converter *c,
                           const gd_picture *picture, uint8_t *rgb)
{
  gd_packed packed;
  gd_picture back;
  assert_ok(gd_packer_run(p, picture, &packed));
  assert_ok(gd_unpacker_run(u, &picture->layout, &packed, &back));
  assert_ok(gd_converter_run(c, &back, rgb));
}

static void compare(const clip *c, const char *path)
{
  const gd_sampling all = {.every = 1};
  gd_video_index *x;
  gd_video_reader *r;
  gd_converter *direct, *later;
  gd_packer *p;
  gd_unpacker *u;
  assert_ok(gd_video_index_read(path, NULL, &x));
  assert_ok(gd_video_reader_open(x, &all, NULL, NULL, &r));
  assert_ok(gd_converter_open(x->width_px, x->height_px, &direct));
  assert_ok(gd_converter_open(x->width_px, x->height_px, &later));
  assert_ok(gd_packer_new(&p));
  assert_ok(gd_unpacker_new(&u));
  const size_t size = (size_t)x->width_px * (size_t)x->height_px * 3;
  uint8_t *want = gd_alloc((int64_t)size, 1);
  uint8_t *rgb = gd_alloc((int64_t)size, 1);
  FILE *reference = open_reference(c, path);
  for (int f = 0; f < 4; f++) {
    gd_read_step step;
    gd_frame_info info;
    const gd_picture *picture;
    assert_ok(gd_video_reader_next(r, &step, &info, &picture));
    assert_int_equal(step, GD_READ_FRAME);
    if (fread(want, 1, size, reference) != size)
      fail_msg("%s: ffmpeg's frames are not %d x %d", c->file, x->width_px,
               x->height_px);
    assert_ok(gd_converter_run(direct, picture, rgb));
    if (memcmp(rgb, want, size) != 0)
      fail_msg("%s: frame %d is not as ffmpeg's", c->file, f);
    convert_packed(p, u, later, picture, rgb);
    if (memcmp(rgb, want, size) != 0)
      fail_msg("%s: frame %d is not as ffmpeg's when packed", c->file, f);
  }
  assert_int_equal(fgetc(reference), EOF);
  pclose(reference);
  free(want);
  free(rgb);
  gd_unpacker_free(u);
  gd_packer_free(p);
  gd_converter_close(direct);
  gd_converter_close(later);
  gd_video_reader_close(r);
  gd_video_index_free(x);
}

static void frames_are_those_of_ffmpeg_byte_for_byte(void **state)
{
  (void)state;
  if (!runs("ffmpeg -version >/dev/null 2>&1"))
    gd_test_skip("the program ffmpeg is not there");
  int n = 0;
  for (size_t i = 0; i < sizeof CLIPS / sizeof CLIPS[0]; i++) {
    char path[GD_PATH_MAX];
    if (!make(&CLIPS[i], path)) {
      print_message("%s: this ffmpeg cannot make it\n", CLIPS[i].file);
      assert_true(gd_test_has(CLIPS[i].encoder, "lib"));
      continue;
    }
    compare(&CLIPS[i], path);
    n++;
  }
  assert_true(n > 15);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(frames_are_those_of_ffmpeg_byte_for_byte),
};

gd_test_main(tests)
