/* Against ffmpeg: clips of many kinds, made and decoded by its program; what
 * the reader gives for every N must be, byte for byte, what the program's
 * decoder gave at that place.  Skipped where there is no ffmpeg. */
#include <libavutil/imgutils.h>
#include <libavutil/md5.h>
#include <libavutil/pixdesc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/video_reader.h"
#include "test.h"

enum { MOST = 400, MD5_ROOM = 33 };

typedef struct {
  const char *name;    /* the ending tells the container */
  const char *options; /* of the encoder */
  int is_exact;        /* the index knows the order */
  int least_cuts;
} kind;

#define X264 "-c:v libx264 -preset veryfast "
#define X265 "-c:v libx265 -preset ultrafast -x265-params log-level=error:"

static const kind kinds[] = {
    {"closed.mp4", X264 "-g 50 -bf 3", 1, 3},
    {"short.mp4", X264 "-g 9 -bf 2", 1, 14},
    {"open.mp4", X264 "-g 25 -bf 3 -x264-params open-gop=1", 1, 4},
    {"plain.mkv", X264 "-g 40 -bf 0", 1, 3},
    {"deep.mp4", X264 "-g 60 -bf 7 -refs 5 -x264-params b-pyramid=2", 1, 2},
    {"refresh.mp4", X264 "-g 30 -bf 0 -x264-params intra-refresh=1", 1, 1},
    {"intra.mp4", X264 "-g 1", 1, 130},
    {"high.mkv", X264 "-g 30 -bf 2 -pix_fmt yuv422p10le", 1, 4},
    {"fields.mp4", X264 "-g 30 -bf 2 -flags +ildct -x264-params tff=1", 1, 4},
    {"stream.ts", X264 "-g 30 -bf 3", 1, 4},
    {"flash.flv", X264 "-g 30 -bf 2", 1, 4},
    {"early.mp4", X264 "-g 30 -bf 3 -output_ts_offset -0.3", 1, 3},
    {"closed.265.mp4", X265 "keyint=50:bframes=4:open-gop=0", 1, 2},
    {"open.265.mkv", X265 "keyint=25:bframes=4:open-gop=1", 1, 4},
    {"layers.265.mp4", X265 "keyint=40:bframes=4:temporal-layers=1", 1, 3},
    {"types.avi", "-c:v mpeg4 -g 12 -bf 2 -q:v 5", 1, 10},
    {"stamps.mp4", "-c:v mpeg4 -g 12 -bf 2 -q:v 5", 1, 10},
    {"chain.avi", "-c:v mpeg4 -g 50 -q:v 5", 1, 3},
    {"moving.avi", "-c:v mjpeg -q:v 5", 1, 130},
    {"moving.mov", "-c:v mjpeg -q:v 5", 1, 130},
    /* so large that the reader jumps over what is not wanted */
    {"large.avi", "-s 960x720 -c:v mjpeg -q:v 1", 1, 130},
    {"large.mp4", "-s 960x720 -c:v mjpeg -q:v 1", 1, 130},
    {"large.mkv", "-s 960x720 -c:v mjpeg -q:v 1", 1, 130},
    {"nine.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 40", 1, 3},
    {"hidden.webm",
     "-c:v libvpx-vp9 -deadline good -cpu-used 5 -g 40 -auto-alt-ref 1 "
     "-lag-in-frames 16",
     1, 3},
    {"eight.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -g 40", 1, 3},
    {"two.mpg", "-c:v mpeg2video -g 12 -bf 2", 0, 1},
    {"one.avi", "-c:v mpeg1video -g 12 -bf 2", 0, 1},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static int run(const char *format, const char *a, const char *b)
{
  char command[2 * GD_PATH_MAX + 512];
  snprintf(command, sizeof command, format, a, b);
  return system(command); // NOLINT: fixed words and paths of this test
}

static int has_ffmpeg(void)
{
  return run("ffmpeg -version >%s%s 2>&1", "/dev/null", "") == 0;
}

/* Draw 130 frames; 0: this ffmpeg has no such encoder. */
static int make(const kind *k, const char *path)
{
  return run("ffmpeg -v error -nostdin -y -f lavfi -i "
             "testsrc2=s=160x112:r=25:d=5.2 -threads 1 %s 'file:%s' 2>&1",
             k->options, path) == 0;
}

/* Let ffmpeg decode all of a clip; one digest of a picture's planes a line. */
static int64_t reference(const char *path, char (*md5)[MD5_ROOM])
{
  char line[256];
  int64_t n = 0;
  const char *out = gd_test_path("reference.txt");
  assert_int_equal(
      run("ffmpeg -v error -nostdin -y -threads 1 -i 'file:%s' -an -vsync 0 "
          "-f framemd5 'file:%s'",
          path, out),
      0);
  FILE *in = fopen(out, "r");
  assert_non_null(in);
  while (fgets(line, sizeof line, in) != NULL)
    if (line[0] != '#' && strrchr(line, ',') != NULL && n < MOST)
      assert_int_equal(sscanf(strrchr(line, ',') + 1, " %32s", md5[n++]), 1);
  fclose(in);
  return n;
}

static void md5_of(const gd_picture *picture, char out[MD5_ROOM])
{
  uint8_t digest[16];
  const gd_picture_layout *l = &picture->layout;
  const enum AVPixelFormat format = av_get_pix_fmt(l->pixel_format);
  const int size =
      av_image_get_buffer_size(format, l->width_px, l->height_px, 1);
  uint8_t *planes = gd_alloc(size, 1);
  av_image_copy_to_buffer(planes, size, picture->planes, picture->stride_bytes,
                          format, l->width_px, l->height_px, 1);
  av_md5_sum(digest, planes, (size_t)size);
  for (int i = 0; i < 16; i++)
    snprintf(out + 2 * i, 3, "%02x", digest[i]);
  free(planes);
}

/* Read every N-th frame of a part; add how many pictures were decoded. */
static int64_t check(const gd_video_index *x, const char *name, int64_t every,
                     const gd_range *part, char (*md5)[MD5_ROOM], int64_t n)
{
  gd_video_reader *r;
  gd_read_step step;
  gd_frame_info info;
  const gd_picture *picture;
  char got[MD5_ROOM];
  const int64_t first = part == NULL ? 0 : part->first;
  const int64_t end = part == NULL ? n : part->end;
  int64_t expected = (first + every - 1) / every * every;
  assert_ok(
      gd_video_reader_open(x, &(gd_sampling){.every = every}, part, NULL, &r));
  for (;;) {
    assert_ok(gd_video_reader_next(r, &step, &info, &picture));
    if (step == GD_READ_END)
      break;
    if (step != GD_READ_FRAME || info.frame_index != expected)
      fail_msg("%s: every %d: step %d, frame %d after frame %d", name,
               (int)every, (int)step, (int)info.frame_index,
               (int)(expected - every));
    assert_int_equal(info.status, GD_FRAME_WHOLE);
    md5_of(picture, got);
    if (strcmp(got, md5[expected]) != 0)
      fail_msg("%s: frame %d of every %d differs", name, (int)expected,
               (int)every);
    expected += every;
  }
  assert_true(expected >= end && expected < end + every);
  const gd_frame_reading result = gd_video_reader_result(r);
  assert_false(gd_test_has(result.note, "decoded"));
  gd_video_reader_close(r);
  return result.n_decoded;
}

static void check_parts(const gd_video_index *x, const char *name,
                        int64_t every, char (*md5)[MD5_ROOM])
{
  const int64_t stride = x->n_cuts > 12 ? x->n_cuts / 12 : 1;
  for (int64_t c = 0; c < x->n_cuts; c += stride) {
    const gd_range part = {
        x->cuts[c], c + stride < x->n_cuts ? x->cuts[c + stride] : x->n_frames};
    (void)check(x, name, every, &part, md5, x->n_frames);
  }
}

/* False: it cannot be made here. */
static int check_kind(const kind *k)
{
  static char md5[MOST][MD5_ROOM];
  static const int64_t steps[] = {1, 7, 10, 83, 100};
  char path[GD_PATH_MAX];
  gd_video_index *x;
  snprintf(path, sizeof path, "%s", gd_test_path(k->name));
  if (!make(k, path)) {
    print_message("%s: this ffmpeg cannot make it\n", k->name);
    return 0;
  }
  const int64_t n = reference(path, md5);
  assert_in_range(n, 120, 140);
  assert_ok(gd_video_index_read(path, NULL, &x));
  if ((x->order == GD_ORDER_EXACT) != k->is_exact)
    fail_msg("%s: order %d: %s", k->name, (int)x->order, x->reason);
  if (x->n_cuts < k->least_cuts)
    fail_msg("%s: only %d cuts", k->name, (int)x->n_cuts);
  assert_int_equal(x->n_frames, n);
  int64_t n_all = 0;
  for (int s = 0; s < 5; s++) {
    const int64_t n_decoded = check(x, k->name, steps[s], NULL, md5, n);
    if (s == 0)
      n_all = n_decoded;
    assert_true(n_decoded <= n_all);
  }
  check_parts(x, k->name, 1, md5);
  check_parts(x, k->name, 7, md5);
  gd_video_index_free(x);
  return 1;
}

static void frames_are_those_of_ffmpegs_decoder(void **state)
{
  (void)state;
  if (!has_ffmpeg())
    gd_test_skip("there is no ffmpeg");
  /* What no library is needed for, every ffmpeg makes. */
  for (int i = 0; i < N_KINDS; i++)
    if (!check_kind(&kinds[i]) && strstr(kinds[i].options, "lib") == NULL)
      fail_msg("%s could not be made", kinds[i].name);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(frames_are_those_of_ffmpegs_decoder),
};

gd_test_main(tests)
