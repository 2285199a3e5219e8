/* read_video -- what the extract stage does to one video, without MPI: index
 * it, read every N-th frame, and
 *   (nothing)      leave it there, as ffmpeg's null sink does
 *   --md5          print the digest of its planes, as ffmpeg's framemd5 does
 *   --store SHARD  keep it in a frame shard, lossless
 *
 *     read_video VIDEO N [--md5 | --store SHARD] */
#include <libavutil/imgutils.h>
#include <libavutil/md5.h>
#include <libavutil/pixdesc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/frames.h"
#include "gradus/memory.h"
#include "gradus/video_reader.h"

static gd_status print_md5(const gd_picture *p)
{
  const gd_picture_layout *l = &p->layout;
  const enum AVPixelFormat format = av_get_pix_fmt(l->pixel_format);
  const int size =
      av_image_get_buffer_size(format, l->width_px, l->height_px, 1);
  uint8_t digest[16], *planes = gd_alloc(size, 1);
  if (planes == NULL)
    return GD_ERR_NOMEM;
  av_image_copy_to_buffer(planes, size, p->planes, p->stride_bytes, format,
                          l->width_px, l->height_px, 1);
  av_md5_sum(digest, planes, (size_t)size);
  for (int i = 0; i < 16; i++)
    printf("%02x", digest[i]);
  printf("\n");
  free(planes);
  return GD_OK;
}

static gd_status read_frames(gd_video_reader *r, int prints, gd_frame_writer *w)
{
  for (;;) {
    gd_read_step step;
    gd_frame_info info;
    const gd_picture *picture;
    gd_status st = gd_video_reader_next(r, &step, &info, &picture);
    if (st == GD_OK && step == GD_READ_AGAIN)
      st = gd_fail(GD_ERR_DECODE, "the video is damaged");
    if (st == GD_OK && step == GD_READ_FRAME && prints)
      st = print_md5(picture);
    if (st == GD_OK && step == GD_READ_FRAME && w != NULL)
      st = gd_frame_writer_append(w, 0, &info, picture);
    if (st != GD_OK || step == GD_READ_END)
      return st;
  }
}

static gd_status store_frames(const gd_video_index *x, gd_video_reader *r,
                              const char *path)
{
  const gd_video row = {.id = "video",
                        .path = x->path,
                        .landmarks = "",
                        .subject = "",
                        .task = ""};
  const int32_t number = 0;
  const gd_video_table table = {
      .n_videos = 1, .index = &number, .videos = &row};
  const gd_frame_format format = {.height_px = x->height_px,
                                  .width_px = x->width_px,
                                  .storage = GD_FRAMES_LOSSLESS};
  gd_frame_writer *w;
  gd_status st =
      gd_frame_writer_create(path, (gd_digest){0}, &format, &table, &w);
  if (st != GD_OK)
    return st;
  st = read_frames(r, 0, w);
  if (st == GD_OK) {
    const gd_frame_reading reading = gd_video_reader_result(r);
    st = gd_frame_writer_note(w, &reading);
  }
  if (st == GD_OK)
    return gd_frame_writer_commit(w);
  gd_frame_writer_abandon(w);
  return st;
}

int main(int argc, char **argv)
{
  gd_video_index *index = NULL;
  gd_video_reader *r = NULL;
  const gd_sampling sampling = {.every = argc < 3 ? 0 : atoll(argv[2])};
  const int prints = argc == 4 && strcmp(argv[3], "--md5") == 0;
  const int stores = argc == 5 && strcmp(argv[3], "--store") == 0;
  if (argc < 3 || (argc > 3 && !prints && !stores) ||
      !gd_sampling_is_valid(&sampling)) {
    fprintf(stderr, "usage: read_video VIDEO N [--md5 | --store SHARD]\n");
    return 2;
  }
  gd_status st = gd_video_index_read(argv[1], NULL, &index);
  if (st == GD_OK)
    st = gd_video_reader_open(index, &sampling, NULL, NULL, &r);
  if (st == GD_OK)
    st =
        stores ? store_frames(index, r, argv[4]) : read_frames(r, prints, NULL);
  if (st != GD_OK)
    fprintf(stderr, "%s\n", gd_reason());
  gd_video_reader_close(r);
  gd_video_index_free(index);
  return st != GD_OK;
}
