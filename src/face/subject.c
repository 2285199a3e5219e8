#include "gradus/subject.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/alignment.h"
#include "gradus/memory.h"

struct gd_subject {
  gd_face *faces; /* of all frames, one after the other */
  int64_t n_faces, room_faces;
  int64_t *first; /* (n_frames + 1): where the faces of each frame begin */
  int64_t n_frames, room_frames;
  double *score;     /* (n_faces): of the best chain that ends here */
  int64_t *previous; /* (n_faces): the face before, or -1 */
};

gd_status gd_missing_policy_of(const char *name, gd_missing_policy *out)
{
  static const char *const names[] = {"drop", "previous", "centre"};
  assert(name != NULL && out != NULL);
  for (int i = 0; i < 3; i++)
    if (strcmp(name, names[i]) == 0) {
      *out = (gd_missing_policy)i;
      return GD_OK;
    }
  return gd_fail(GD_ERR_USAGE,
                 "'%s' is no policy for frames without a face / drop, "
                 "previous or centre",
                 name);
}

/* Make an array longer; content is kept. */
static gd_status grow(void *array, int64_t n, int64_t room, size_t item_bytes)
{
  void **at = array;
  void *longer = gd_alloc(room, item_bytes);
  if (longer == NULL)
    return GD_ERR_NOMEM;
  if (n > 0)
    memcpy(longer, *at, (size_t)n * item_bytes);
  free(*at);
  *at = longer;
  return GD_OK;
}

gd_status gd_subject_new(gd_subject **out)
{
  assert(out != NULL);
  gd_subject *s = gd_alloc(1, sizeof *s);
  *out = s;
  if (s == NULL)
    return GD_ERR_NOMEM;
  s->room_frames = 1024;
  gd_status st = grow(&s->first, 0, s->room_frames + 1, sizeof *s->first);
  if (st != GD_OK) {
    gd_subject_free(s);
    *out = NULL;
  }
  return st;
}

void gd_subject_clear(gd_subject *s)
{
  assert(s != NULL);
  s->n_frames = s->n_faces = 0;
}

static gd_status grow_faces(gd_subject *s, int64_t need)
{
  int64_t room = s->room_faces == 0 ? 1024 : s->room_faces;
  while (room < need)
    room *= 2;
  if (room == s->room_faces)
    return GD_OK;
  gd_status st = grow(&s->faces, s->n_faces, room, sizeof *s->faces);
  if (st == GD_OK)
    st = grow(&s->score, 0, room, sizeof *s->score);
  if (st == GD_OK)
    st = grow(&s->previous, 0, room, sizeof *s->previous);
  if (st == GD_OK)
    s->room_faces = room;
  return st;
}

gd_status gd_subject_append(gd_subject *s, const gd_face *faces, int n)
{
  assert(s != NULL && n >= 0 && (faces != NULL || n == 0));

  gd_status st = grow_faces(s, s->n_faces + n);
  if (st == GD_OK && s->n_frames == s->room_frames) {
    st = grow(&s->first, s->n_frames + 1, 2 * s->room_frames + 1,
              sizeof *s->first);
    if (st == GD_OK)
      s->room_frames *= 2;
  }
  if (st != GD_OK)
    return st;
  if (n > 0)
    memcpy(s->faces + s->n_faces, faces, (size_t)n * sizeof *faces);
  s->n_faces += n;
  s->first[++s->n_frames] = s->n_faces;
  return GD_OK;
}

static double size_of(const gd_face *face)
{
  const double w = (double)face->box[2] - face->box[0];
  const double h = (double)face->box[3] - face->box[1];
  return w > 0 && h > 0 ? sqrt(w * h) : 0;
}

/* Best chain by dynamic programming over the frames that have faces; of equal
 * ones, the face that was offered first.  Returns its last face, or -1. */
static int64_t best_chain(gd_subject *s)
{
  double largest = 0;
  int64_t before = 0, before_end = 0; /* faces of the last frame with any */
  for (int64_t i = 0; i < s->n_faces; i++)
    largest = fmax(largest, size_of(&s->faces[i]));
  for (int64_t frame = 0; frame < s->n_frames; frame++) {
    const int64_t first = s->first[frame], end = s->first[frame + 1];
    for (int64_t i = first; i < end; i++) {
      double most = 0;
      s->previous[i] = -1;
      for (int64_t k = before; k < before_end; k++) {
        const double score =
            s->score[k] + gd_face_overlap(&s->faces[k], &s->faces[i]);
        if (s->previous[i] < 0 || score > most) {
          most = score;
          s->previous[i] = k;
        }
      }
      const double size = largest > 0 ? size_of(&s->faces[i]) / largest : 0;
      s->score[i] = most + (double)s->faces[i].confidence * size;
    }
    if (first < end) {
      before = first;
      before_end = end;
    }
  }
  int64_t best = before_end > before ? before : -1;
  for (int64_t i = before; i < before_end; i++)
    if (s->score[i] > s->score[best])
      best = i;
  return best;
}

static void put_face(gd_face_info *info, const gd_face *face,
                     gd_face_status status)
{
  memcpy(info->box, face->box, sizeof info->box);
  memcpy(info->landmarks, face->landmarks, sizeof info->landmarks);
  info->confidence = face->confidence;
  info->status = status;
}

/* A face that fills the frame's centred square as the template does. */
static gd_face centred_face(int width_px, int height_px)
{
  const int side = width_px < height_px ? width_px : height_px;
  const float x = (float)(width_px - side) / 2,
              y = (float)(height_px - side) / 2;
  gd_face face = {.box = {x, y, x + (float)side, y + (float)side}};
  gd_template_points(side, face.landmarks);
  for (int i = 0; i < GD_N_LANDMARKS; i++) {
    face.landmarks[i][0] += x;
    face.landmarks[i][1] += y;
  }
  return face;
}

void gd_subject_choose(gd_subject *s, gd_missing_policy policy, int width_px,
                       int height_px, gd_face_info *out)
{
  assert(s != NULL && (out != NULL || s->n_frames == 0));

  gd_face stand_in = centred_face(width_px, height_px);
  int64_t next = best_chain(s), first_face = -1;
  for (int64_t frame = s->n_frames - 1; frame >= 0; frame--) {
    out[frame].status = GD_FACE_MISSING;
    if (s->first[frame] == s->first[frame + 1])
      continue;
    put_face(&out[frame], &s->faces[next], GD_FACE_DETECTED);
    first_face = next;
    next = s->previous[next];
  }
  int known = policy == GD_MISSING_CENTRE;
  if (policy == GD_MISSING_PREVIOUS && first_face >= 0) {
    stand_in = s->faces[first_face];
    known = 1;
  }
  stand_in.confidence = 0;
  for (int64_t frame = 0; known && frame < s->n_frames; frame++) {
    if (out[frame].status == GD_FACE_MISSING) {
      put_face(&out[frame], &stand_in, GD_FACE_FALLBACK);
    } else if (policy == GD_MISSING_PREVIOUS) {
      memcpy(stand_in.box, out[frame].box, sizeof stand_in.box);
      memcpy(stand_in.landmarks, out[frame].landmarks,
             sizeof stand_in.landmarks);
    }
  }
  for (int64_t frame = 0; frame < s->n_frames; frame++)
    if (out[frame].status == GD_FACE_MISSING)
      put_face(&out[frame], &(gd_face){0}, GD_FACE_MISSING);
}

void gd_subject_free(gd_subject *s)
{
  if (s == NULL)
    return;
  free(s->faces);
  free(s->first);
  free(s->score);
  free(s->previous);
  free(s);
}
