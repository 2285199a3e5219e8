/* Any bytes at all as a video: index them, pack and unpack the index, read what
 * it allows, whole and in its last part.  Whatever the bytes are, each of these
 * succeeds or ends with the item's own failure and a reason.
 *
 * libFuzzer, to look for more:
 *   CC=clang cmake -B build/fuzz -DGRADUS_FUZZ=ON -DGRADUS_SANITIZE=ON
 *   cmake --build build/fuzz --target fuzz_video
 *   build/fuzz/tests/fuzz_video FOLDER_OF_VIDEOS
 * In ctest, driver.c calls it a fixed number of times. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/video_index.h"
#include "gradus/video_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Larger pictures cost time and show nothing that smaller ones do not. */
enum { MOST_PIXELS = 640 * 480, MOST_FRAMES = 10 };

static char path[64];

static void remove_file(void)
{
  unlink(path);
}

static void require(int holds, const char *what)
{
  if (holds)
    return;
  fprintf(stderr, "does not hold: %s (%s)\n", what, gd_reason());
  abort();
}

static int is_allowed(gd_status st)
{
  return st == GD_OK || (gd_status_is_item(st) && gd_reason()[0] != '\0');
}

/* Not gd_file_write(): a file on its way to a disk takes most of the time. */
static void write_input(const uint8_t *data, size_t size)
{
  FILE *file = fopen(path, "wb");
  require(file != NULL, "the input's file opens");
  require(fwrite(data, 1, size, file) == size, "the input is written");
  require(fclose(file) == 0, "the input is written");
}

static void read_part(const gd_video_index *x, const gd_range *part)
{
  const gd_patience patience = {.stall_s = 20};
  gd_video_reader *r;
  int64_t last = -1;
  const gd_sampling third = {.every = 3};
  gd_status st = gd_video_reader_open(x, &third, part, &patience, &r);
  require(is_allowed(st), "a reader opens, or refuses");
  for (int n = 0; st == GD_OK && n < MOST_FRAMES; n++) {
    gd_frame_info info;
    const gd_picture *picture;
    gd_read_step step;
    st = gd_video_reader_next(r, &step, &info, &picture);
    require(is_allowed(st), "a frame comes, or the end");
    if (st != GD_OK || step == GD_READ_END)
      break;
    if (step == GD_READ_AGAIN) {
      last = -1;
      continue;
    }
    require(info.frame_index > last, "frames ascend");
    require(part == NULL || (info.frame_index >= part->first &&
                             info.frame_index < part->end),
            "frames lie in their part");
    last = info.frame_index;
  }
  gd_video_reader_close(r);
}

static void check_packing(const gd_video_index *x)
{
  uint8_t *bytes;
  size_t n_bytes;
  gd_video_index *again;
  require(gd_video_index_pack(x, &bytes, &n_bytes) == GD_OK, "an index packs");
  require(gd_video_index_unpack(x->path, bytes, n_bytes, &again) == GD_OK,
          "a packed index unpacks");
  require(again->n_packets == x->n_packets && again->n_frames == x->n_frames &&
              again->n_cuts == x->n_cuts &&
              memcmp(again->cuts, x->cuts,
                     (size_t)x->n_cuts * sizeof *x->cuts) == 0,
          "an unpacked index is the one that was packed");
  gd_video_index_free(again);
  free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (path[0] == '\0') {
    snprintf(path, sizeof path, "/tmp/gradus-fuzz-%ld", (long)getpid());
    atexit(remove_file);
  }
  const gd_patience patience = {.stall_s = 20};
  gd_video_index *x;
  write_input(data, size);
  const gd_status st = gd_video_index_read(path, &patience, &x);
  require(is_allowed(st), "an index is made, or refused");
  if (st != GD_OK)
    return 0;
  require(x->n_frames >= 1 && x->n_cuts >= 1 && x->cuts[0] == 0,
          "an index has a frame and begins at the first");
  check_packing(x);
  if ((int64_t)x->width_px * x->height_px <= MOST_PIXELS) {
    const gd_range last = {x->cuts[x->n_cuts - 1], x->n_frames};
    read_part(x, NULL);
    if (last.first > 0)
      read_part(x, &last);
  }
  gd_video_index_free(x);
  return 0;
}
