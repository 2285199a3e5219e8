#include "gradus/samples.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/memory.h"

static gd_status check_label(const gd_video *video, gd_loss loss, int n_levels)
{
  /* Written so that NaN is out of range too. */
  if (!(video->label >= 0 && video->label <= n_levels - 1))
    return gd_fail(GD_ERR_USAGE, "video %s: label %g is not in 0 .. %d",
                   video->id, video->label, n_levels - 1);
  if (gd_loss_needs_whole(loss) && video->label != floor(video->label))
    return gd_fail(GD_ERR_USAGE,
                   "video %s: label %g is no whole level, as loss %s needs",
                   video->id, video->label, gd_loss_name(loss));
  return GD_OK;
}

static gd_status allocate(gd_samples *s, int64_t n)
{
  s->face = gd_alloc(n, sizeof s->face[0]);
  s->label = gd_alloc(n, sizeof s->label[0]);
  s->video = gd_alloc(n, sizeof s->video[0]);
  return s->face == NULL || s->label == NULL || s->video == NULL ? GD_ERR_NOMEM
                                                                 : GD_OK;
}

static gd_status fill(gd_samples *s, gd_partition partition, gd_loss loss,
                      int n_levels)
{
  const gd_video_table *videos = gd_face_set_videos(s->faces);
  const int64_t n_faces = gd_face_set_n_faces(s->faces);
  int64_t checked = -1;
  for (int64_t i = 0; i < n_faces; i++) {
    const int64_t row = gd_face_set_video_row(s->faces, i);
    const gd_video *video = &videos->videos[row];
    if (video->partition != partition)
      continue;
    if (row != checked) {
      gd_status st = check_label(video, loss, n_levels);
      if (st != GD_OK)
        return st;
      checked = row;
    }
    s->face[s->n] = i;
    s->label[s->n] = (float)video->label;
    s->video[s->n++] = row;
  }
  return GD_OK;
}

gd_status gd_samples_of(gd_face_set *faces, gd_partition partition,
                        gd_loss loss, int n_levels, gd_samples **out)
{
  assert(faces != NULL && out != NULL);
  *out = NULL;
  gd_samples *s = gd_alloc(1, sizeof *s);
  if (s == NULL)
    return GD_ERR_NOMEM;
  s->faces = faces;
  gd_status st = allocate(s, gd_face_set_n_faces(faces));
  if (st == GD_OK)
    st = fill(s, partition, loss, n_levels);
  if (st != GD_OK) {
    gd_samples_free(s);
    return st;
  }
  *out = s;
  return GD_OK;
}

void gd_samples_free(gd_samples *s)
{
  if (s == NULL)
    return;
  free(s->face);
  free(s->label);
  free(s->video);
  free(s);
}

void gd_samples_name(const gd_samples *s, const int64_t *samples, int64_t n,
                     char *out, size_t out_bytes)
{
  assert(s != NULL && samples != NULL && out_bytes > 0);
  const gd_video_table *videos = gd_face_set_videos(s->faces);
  size_t length = 0;
  out[0] = '\0';
  for (int64_t i = 0; i < n && length < out_bytes; i++) {
    const int64_t sample = samples[i];
    const gd_face_info info = gd_face_set_info(s->faces, s->face[sample]);
    const int more = snprintf(
        out + length, out_bytes - length, "%s%s#%" PRId64, i == 0 ? "" : ", ",
        videos->videos[s->video[sample]].id, info.frame_index);
    length += more > 0 ? (size_t)more : 0;
  }
}
