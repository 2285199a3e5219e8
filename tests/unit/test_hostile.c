/* Videos whose headers lie: what they announce is more than there is, or lies
 * elsewhere.  Each must end soon, within bounds, and with a reason. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clip.h"
#include "gradus/video_index.h"
#include "gradus/video_reader.h"
#include "test.h"

enum { FRAMES = 30 };

typedef struct {
  unsigned char *data;
  size_t size_bytes;
} blob;

static blob clip_of(const char *name)
{
  blob b;
  char *data;
  gd_test_clip(gd_test_path(name), FRAMES);
  assert_ok(gd_file_read(gd_test_path(name), 1 << 24, &data, &b.size_bytes));
  b.data = (unsigned char *)data;
  return b;
}

/* Write the bytes under a clip's name, and give them back. */
static const char *end_as(blob *b, const char *name)
{
  const char *path = gd_test_path(name);
  assert_ok(gd_file_write(path, b->data, b->size_bytes));
  free(b->data);
  return path;
}

/* Find a box of an MP4 file by its four letters; return the place of what
 * follows them.  Four bytes of size precede them. */
static size_t find(const blob *b, const char *letters)
{
  for (size_t i = 0; i + 4 < b->size_bytes; i++)
    if (memcmp(b->data + i, letters, 4) == 0)
      return i + 4;
  fail_msg("no %s in the clip", letters);
  return 0;
}

static void put(blob *b, size_t at, uint32_t value)
{
  assert_true(at + 4 <= b->size_bytes);
  for (size_t i = 0; i < 4; i++)
    b->data[at + i] = (unsigned char)(value >> (24 - 8 * i));
}

static uint32_t get(const blob *b, size_t at)
{
  uint32_t value = 0;
  for (size_t i = 0; i < 4; i++)
    value = value << 8 | b->data[at + i];
  return value;
}

/* Index a file, and read all of it if that is possible. */
static gd_status read_all(const char *path, int64_t *n_frames)
{
  gd_video_index *x = NULL;
  gd_video_reader *r = NULL;
  *n_frames = 0;
  gd_status st = gd_video_index_read(path, NULL, &x);
  if (st == GD_OK)
    st = gd_video_reader_open(x, &(gd_sampling){.every = 1}, NULL, NULL, &r);
  while (st == GD_OK) {
    gd_frame_info info;
    const gd_picture *picture = NULL;
    gd_read_step step;
    st = gd_video_reader_next(r, &step, &info, &picture);
    if (st != GD_OK || step == GD_READ_END)
      break;
    *n_frames = step == GD_READ_AGAIN ? 0 : *n_frames + 1;
  }
  gd_video_reader_close(r);
  gd_video_index_free(x);
  return st;
}

/* stsz: version, size of every sample, their number. */
static void samples_without_end_are_refused_in_bounded_memory(void **state)
{
  (void)state;
  static const uint32_t numbers[] = {0x7fffffff, 60000000, 9000000};
  struct rusage use;
  for (int i = 0; i < 3; i++) {
    blob b = clip_of("samples.mp4");
    int64_t n_frames;
    put(&b, find(&b, "stsz") + 4, 1);
    put(&b, find(&b, "stsz") + 8, numbers[i]);
    put(&b, find(&b, "stts") + 8, numbers[i]);
    put(&b, find(&b, "stsc") + 12, numbers[i]);
    assert_fails(read_all(end_as(&b, "samples.mp4"), &n_frames), GD_ERR_DECODE,
                 "samples.mp4: ");
  }
  getrusage(RUSAGE_SELF, &use);
  assert_in_range(use.ru_maxrss, 1, 2 << 20); /* KiB */
}

/* Let every box around a place grow. */
static void grow(blob *b, const char *const *boxes, int n, size_t at,
                 size_t n_bytes)
{
  unsigned char *larger = realloc(b->data, b->size_bytes + n_bytes);
  assert_non_null(larger);
  b->data = larger;
  memmove(b->data + at + n_bytes, b->data + at, b->size_bytes - at);
  memset(b->data + at, 0, n_bytes);
  b->size_bytes += n_bytes;
  for (int i = 0; i < n; i++) {
    const size_t size = find(b, boxes[i]) - 8;
    put(b, size, get(b, size) + (uint32_t)n_bytes);
  }
}

/* A thousand packets, each of nearly the whole file: much to decode, and to
 * read, from a file of some kilobytes. */
static void packets_that_lie_upon_one_another_are_refused(void **state)
{
  (void)state;
  static const char *const around[] = {"moov", "trak", "mdia",
                                       "minf", "stbl", "stco"};
  enum { PACKETS = 1000 };
  blob b = clip_of("upon.mp4");
  const uint32_t size = (uint32_t)(find(&b, "moov") - find(&b, "mdat")) - 100;
  /* stco: version, number, places of the chunks; it comes last in its box. */
  const size_t stco = find(&b, "stco");
  const uint32_t n_before = get(&b, stco + 4), place = get(&b, stco + 8);
  grow(&b, around, 6, stco + 8 + 4 * n_before, 4 * (PACKETS - n_before));
  put(&b, stco + 4, PACKETS);
  for (size_t i = 0; i < PACKETS; i++)
    put(&b, stco + 8 + 4 * i, place);
  put(&b, find(&b, "stsz") + 4, size);
  put(&b, find(&b, "stsz") + 8, PACKETS);
  put(&b, find(&b, "stts") + 8, PACKETS);
  put(&b, find(&b, "stsc") + 12, 1);
  int64_t n_frames;
  assert_fails(read_all(end_as(&b, "upon.mp4"), &n_frames), GD_ERR_DECODE,
               "upon.mp4: its packets hold");
}

static void streams_without_end_are_refused(void **state)
{
  (void)state;
  enum { STREAMS = 200 };
  blob b = clip_of("streams.mp4");
  const char *const moov[] = {"moov"};
  const size_t trak = find(&b, "trak") - 8;
  const size_t size = get(&b, trak);
  grow(&b, moov, 1, trak + size, STREAMS * size);
  for (size_t i = 1; i <= STREAMS; i++)
    memcpy(b.data + trak + i * size, b.data + trak, size);
  int64_t n_frames;
  assert_fails(read_all(end_as(&b, "streams.mp4"), &n_frames), GD_ERR_DECODE,
               "streams.mp4: asks for more memory or streams");
}

/* Of the picture's size, the bitstream knows better than the container: it is
 * the decoder that must not be deceived. */
static void pictures_of_gigabytes_are_refused(void **state)
{
  (void)state;
  blob b = clip_of("huge.mp4");
  int64_t n_frames;
  memset(b.data + find(&b, "mp4v") + 24, 0xff, 4);
  memcpy(b.data + find(&b, "esds") - 4, "free", 4);
  assert_fails(read_all(end_as(&b, "huge.mp4"), &n_frames), GD_ERR_DECODE,
               "huge.mp4: its mpeg4 stream has no picture");
  assert_int_equal(n_frames, 0);
}

/* The data of an MP4 track may lie in another file, which its header names:
 * only this one is read. */
static void data_in_another_file_is_not_looked_for(void **state)
{
  (void)state;
  static const char *const around[] = {"moov", "trak", "mdia", "minf",
                                       "dinf", "dref", "url "};
  blob b = clip_of("refers.mp4");
  int64_t n_frames;
  char target[GD_PATH_MAX];
  gd_test_clip(gd_test_path("whole.mp4"), FRAMES);
  const size_t length = (size_t)snprintf(target, sizeof target, "file://%s",
                                         gd_test_path("whole.mp4")) +
                        1;
  /* dref: version, number, then a box of size, letters, flags; 1: this file. */
  const size_t url = find(&b, "url ");
  b.data[url + 3] = 0;
  grow(&b, around, 7, url + 4, length);
  memcpy(b.data + url + 4, target, length);
  /* What is in this file is nothing: any frame would be the other's. */
  const size_t mdat = find(&b, "mdat");
  memset(b.data + mdat, 0, get(&b, mdat - 8) - 8);
  const gd_status st = read_all(end_as(&b, "refers.mp4"), &n_frames);
  assert_true(st == GD_OK || st == GD_ERR_DECODE);
  assert_int_equal(n_frames, 0);
}

/* Noise that a container's mark begins, or that looks like packets. */
static void noise_in_a_containers_clothes_is_refused(void **state)
{
  (void)state;
  static const struct {
    const char *name, *head;
    size_t head_bytes;
    size_t every; /* so many bytes a mark stands */
  } cases[] = {{"noise.ts", "\x47", 1, 188},
               {"noise.mp4",
                "\0\0\0\x18"
                "ftypisom",
                12, 0},
               {"noise.avi",
                "RIFF\xff\xff\xff\x7f"
                "AVI LIST",
                16, 0},
               {"noise.mkv", "\x1a\x45\xdf\xa3", 4, 0},
               {"noise.flv", "FLV\1\5", 5, 0},
               {"noise.mpg", "\0\0\1\xba", 4, 0},
               {"noise.h264", "\0\0\0\1\x67", 5, 0},
               {"noise.mjpeg", "\xff\xd8\xff", 3, 0}};
  static unsigned char bytes[300000];
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    int64_t n_frames;
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
      bytes[i] = (unsigned char)((x = x * 1664525u + 1013904223u) >> 24);
    for (size_t i = 0; cases[c].every > 0 && i < sizeof bytes;
         i += cases[c].every)
      bytes[i] = (unsigned char)cases[c].head[0];
    memcpy(bytes, cases[c].head, cases[c].head_bytes);
    const char *path = gd_test_path(cases[c].name);
    assert_ok(gd_file_write(path, bytes, sizeof bytes));
    assert_fails(read_all(path, &n_frames), GD_ERR_DECODE, cases[c].name);
    assert_int_equal(n_frames, 0);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(samples_without_end_are_refused_in_bounded_memory),
    cmocka_unit_test(packets_that_lie_upon_one_another_are_refused),
    cmocka_unit_test(streams_without_end_are_refused),
    cmocka_unit_test(pictures_of_gigabytes_are_refused),
    cmocka_unit_test(data_in_another_file_is_not_looked_for),
    cmocka_unit_test(noise_in_a_containers_clothes_is_refused),
};

gd_test_main(tests)
