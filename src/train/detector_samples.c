#include "train/detector_samples.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "face/looks.h"
#include "gradus/memory.h"

enum { N_KINDS = 3, MOST_KEPT = 32 };
enum { MOST_LEVELS = 5 /* of P-Net's: about four faces, and a random one */ };

/* Kept of an image, or of a level of its pyramid: negatives, parts,
 * positives. */
static const int quotas[GD_N_DETECTOR_NETS][N_KINDS] = {
    [GD_PNET] = {8, 3, 6}, [GD_RNET] = {16, 6, 12}, [GD_ONET] = {6, 2, 4}};

/* The share of images that the nets before are run on: R-Net learns from what
 * P-Net takes for a face; O-Net needs few mistakes, and many faces. */
static const double searched[GD_N_DETECTOR_NETS] = {
    [GD_RNET] = 1, [GD_ONET] = 0.1};

/* O-Net's looks at each face, and at all of an image; and, for their squares,
 * how far they are off, in sides, in the logarithm of the side, in radians. */
enum { N_LOOKS = 2, MOST_LOOKS = 4 };
static const double look_shift = 0.05, look_scale = 0.06, look_roll = 0.08;

/* A fair choice of at most `quota` of the boxes that are offered (Vitter 1985,
 * algorithm R). */
typedef struct {
  int quota, n_offered, n;
  gd_box boxes[MOST_KEPT];
  const gd_face *faces[MOST_KEPT]; /* the nearest one */
} choice;

int gd_detector_crop_px(int net)
{
  return gd_mtcnn_crop_px[net];
}

int gd_detector_most_samples(int net)
{
  const int n_choices = net == GD_PNET ? MOST_LEVELS : 1;
  int n = 0;
  for (int k = 0; k < N_KINDS; k++)
    n += n_choices * quotas[net][k];
  return net == GD_ONET ? n + MOST_LOOKS : n;
}

static int64_t crop_floats(const gd_detector_samples *s)
{
  return 3 * (int64_t)s->size_px * s->size_px;
}

/* Make room for `most` samples. */
static gd_status grow(gd_detector_samples *s, int64_t most)
{
  const size_t crop_bytes = (size_t)crop_floats(s) * sizeof *s->x;
  if (most <= s->room)
    return GD_OK;
  float *x = gd_alloc(most, crop_bytes);
  gd_detector_target *targets = gd_alloc(most, sizeof *targets);
  if (x == NULL || targets == NULL) {
    free(x);
    free(targets);
    return GD_ERR_NOMEM;
  }
  if (s->n > 0) {
    memcpy(x, s->x, (size_t)s->n * crop_bytes);
    memcpy(targets, s->targets, (size_t)s->n * sizeof *targets);
  }
  free(s->x);
  free(s->targets);
  s->x = x;
  s->targets = targets;
  s->room = most;
  return GD_OK;
}

gd_status gd_detector_samples_begin(gd_detector_samples *s, int net,
                                    int n_images)
{
  *s = (gd_detector_samples){.size_px = gd_detector_crop_px(net)};
  return grow(s, (int64_t)n_images * gd_detector_most_samples(net));
}

void gd_detector_samples_end(gd_detector_samples *s)
{
  free(s->x);
  free(s->targets);
  free(s->level.values);
  free(s->scratch);
  *s = (gd_detector_samples){0};
}

static gd_status grow_scratch(gd_detector_samples *s, int width_px)
{
  const int most = width_px + 1 > s->size_px ? width_px + 1 : s->size_px;
  const int64_t n = gd_area_scratch(width_px, most);
  if (n <= s->scratch_room)
    return GD_OK;
  free(s->scratch);
  s->scratch_room = 0;
  s->scratch = gd_alloc(n, sizeof *s->scratch);
  if (s->scratch == NULL)
    return GD_ERR_NOMEM;
  s->scratch_room = n;
  return GD_OK;
}

/* ---------------------------------------------------------------- judgement */

static gd_box box_of(const gd_face *face)
{
  gd_box box = {.x1 = face->box[0],
                .y1 = face->box[1],
                .x2 = face->box[2],
                .y2 = face->box[3]};
  memcpy(box.landmarks, face->landmarks, sizeof box.landmarks);
  return box;
}

static double overlap(const gd_box *box, const gd_face *face)
{
  const gd_face as_face = {.box = {box->x1, box->y1, box->x2, box->y2}};
  return gd_face_overlap(&as_face, face);
}

/* Tell what a box is and the face it is nearest to; -1: none of the kinds. */
static int judge(const gd_labelled_image *image, const gd_box *box,
                 const gd_face **nearest)
{
  double most = 0;
  *nearest = NULL;
  for (int i = 0; i < image->n_faces; i++) {
    const double share = overlap(box, &image->faces[i]);
    if (share > most) {
      most = share;
      *nearest = &image->faces[i];
    }
  }
  if (most > 0 && (*nearest)->confidence < GD_LABELLED_VISIBLE)
    return -1;
  return most >= 0.65  ? GD_SAMPLE_POSITIVE
         : most >= 0.4 ? GD_SAMPLE_PART
         : most < 0.3  ? GD_SAMPLE_NEGATIVE
                       : -1;
}

static void begin_choice(int net, choice choices[N_KINDS])
{
  for (int k = 0; k < N_KINDS; k++) {
    choices[k].quota = quotas[net][k];
    choices[k].n_offered = choices[k].n = 0;
  }
}

static void offer(choice choices[N_KINDS], const gd_labelled_image *image,
                  const gd_box *box, gd_random *r)
{
  const gd_face *face;
  const int kind = judge(image, box, &face);
  if (kind < 0)
    return;
  choice *c = &choices[kind];
  int64_t at = c->n_offered++;
  if (at >= c->quota)
    at = gd_random_below(r, c->n_offered);
  if (at >= c->quota)
    return;
  c->boxes[at] = *box;
  c->faces[at] = face;
  c->n += at == c->n;
}

/* What detection would have to add to a box to get the face's: the inverse of
 * gd_boxes_calibrate(), and of placing landmarks. */
static void want(const gd_box *box, const gd_face *face, int kind, float plus,
                 gd_detector_target *out)
{
  *out = (gd_detector_target){.kind = kind};
  if (kind == GD_SAMPLE_NEGATIVE)
    return;
  const float side[2] = {box->x2 - box->x1 + plus, box->y2 - box->y1 + plus};
  const float corner[4] = {box->x1, box->y1, box->x2, box->y2};
  for (int k = 0; k < 4; k++)
    out->box[k] = (face->box[k] - corner[k]) / side[k % 2];
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    for (int k = 0; k < 2; k++)
      out->points[k * GD_N_LANDMARKS + i] =
          (face->landmarks[i][k] - corner[k] + 1) /
          (corner[2 + k] - corner[k] + 1);
}

/* ------------------------------------------------------------------- P-Net */

/* Take the chosen cells out of the level. */
static void take_cells(gd_detector_samples *s, const choice choices[N_KINDS],
                       int width_px)
{
  const size_t row = 3 * GD_CELL_PX;
  for (int kind = 0; kind < N_KINDS; kind++)
    for (int i = 0; i < choices[kind].n; i++) {
      const gd_box *box = &choices[kind].boxes[i];
      /* Where the cell lies was noted in what is not used otherwise. */
      const int x = (int)box->offset[0], y = (int)box->offset[1];
      float *to = s->x + (size_t)s->n * GD_CELL_PX * row;
      for (int r = 0; r < GD_CELL_PX; r++)
        memcpy(to + (size_t)r * row,
               s->level.values + 3 * ((int64_t)(y + r) * width_px + x),
               row * sizeof *to);
      want(box, choices[kind].faces[i], kind, 0, &s->targets[s->n++]);
    }
}

/* Cells of one level of the pyramid, at which 12 px are `window_px`. */
static gd_status add_level(gd_detector_samples *s,
                           const gd_labelled_image *labelled, double window_px,
                           gd_random *r)
{
  const gd_image *image = &labelled->image;
  const double scale = GD_CELL_PX / window_px;
  const int W = (int)(image->width_px * scale + 1);
  const int H = (int)(image->height_px * scale + 1);
  const gd_window whole = {0, 0, image->width_px, image->height_px};
  choice choices[N_KINDS];
  assert(W <= image->width_px + 1); /* for which there is scratch memory */
  if (W < GD_CELL_PX || H < GD_CELL_PX)
    return GD_OK;
  gd_status st = gd_floats_grow(&s->level, (int64_t)W * H * 3);
  if (st != GD_OK)
    return st;
  gd_area_resize(image, whole, W, H, gd_mtcnn_offset, gd_mtcnn_factor,
                 s->scratch, s->level.values);
  begin_choice(GD_PNET, choices);
  const float by = (float)scale;
  for (int y = 0; y + GD_CELL_PX <= H; y += GD_CELL_STRIDE_PX)
    for (int x = 0; x + GD_CELL_PX <= W; x += GD_CELL_STRIDE_PX) {
      gd_box cell = gd_cell_box(x, y, by);
      cell.offset[0] = (float)x;
      cell.offset[1] = (float)y;
      offer(choices, labelled, &cell, r);
    }
  take_cells(s, choices, W);
  return GD_OK;
}

static double longer_side(const float box[4])
{
  return fmax((double)box[2] - box[0], (double)box[3] - box[1]);
}

static gd_status add_levels(gd_detector_samples *s,
                            const gd_labelled_image *image, gd_random *r)
{
  const double shorter =
      fmax(fmin(image->image.width_px, image->image.height_px), GD_CELL_PX);
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < image->n_faces && i < MOST_LEVELS - 1;
       i++) {
    const double window = longer_side(image->faces[i].box) *
                          exp(gd_random_between(r, log(0.78), log(1.28)));
    st = add_level(s, image, fmax(window, GD_CELL_PX), r);
  }
  if (st == GD_OK)
    st = add_level(s, image,
                   GD_CELL_PX * pow(shorter / GD_CELL_PX, gd_random_uniform(r)),
                   r);
  return st;
}

/* ----------------------------------------------------------- R-Net and O-Net
 */

static void take_crops(gd_detector_samples *s, const choice choices[N_KINDS],
                       const gd_image *image)
{
  const size_t crop = 3 * (size_t)(s->size_px * s->size_px);
  gd_window window;
  for (int kind = 0; kind < N_KINDS; kind++)
    for (int i = 0; i < choices[kind].n; i++) {
      const gd_box *box = &choices[kind].boxes[i];
      if (!gd_box_window(box, image->width_px, image->height_px, &window))
        continue;
      gd_area_resize(image, window, s->size_px, s->size_px, gd_mtcnn_offset,
                     gd_mtcnn_factor, s->scratch, s->x + (size_t)s->n * crop);
      gd_box seen = *box;
      gd_box_frame(&seen, window);
      want(&seen, choices[kind].faces[i], kind, 1, &s->targets[s->n++]);
    }
}

/* How boxes about a face or a decoy are shifted and scaled, in its longer side,
 * and how many of them are offered: about as the nets before leave them. */
static const struct {
  double shift, scale;
  int n_face, n_decoy;
} jitters[GD_N_DETECTOR_NETS] = {
    [GD_RNET] = {0.22, 0.25, 6, 2}, [GD_ONET] = {0.08, 0.12, 2, 1}};

static gd_box shift_about(const float box[4], int net, gd_random *r)
{
  const double scale = jitters[net].scale, shift = jitters[net].shift;
  const double side =
      longer_side(box) * exp(gd_random_between(r, -scale, scale));
  const double x =
      0.5 * (box[0] + box[2]) + side * gd_random_between(r, -shift, shift);
  const double y =
      0.5 * (box[1] + box[3]) + side * gd_random_between(r, -shift, shift);
  return (gd_box){.x1 = (float)(x - 0.5 * side),
                  .y1 = (float)(y - 0.5 * side),
                  .x2 = (float)(x + 0.5 * side),
                  .y2 = (float)(y + 0.5 * side)};
}

static void offer_about(choice choices[N_KINDS], const gd_labelled_image *image,
                        const float box[4], int n, int net, gd_random *r)
{
  for (int k = 0; k < n; k++) {
    const gd_box shifted = shift_about(box, net, r);
    offer(choices, image, &shifted, r);
  }
}

/* Look at a face, off by a fair share of what the detector's first look is. */
static void add_look(gd_detector_samples *s, const gd_labelled_image *image,
                     const gd_face *face, gd_random *r)
{
  const gd_box box = box_of(face);
  gd_look look = gd_look_at(&box);
  look.x += look.side * gd_random_between(r, -look_shift, look_shift);
  look.y += look.side * gd_random_between(r, -look_shift, look_shift);
  look.side *= exp(gd_random_between(r, -look_scale, look_scale));
  look.roll += gd_random_between(r, -look_roll, look_roll);
  float *crop = s->x + s->n * crop_floats(s);
  gd_detector_target *target = &s->targets[s->n++];
  gd_look_take(look, &image->image, gd_mtcnn_offset, gd_mtcnn_factor, crop);
  target->kind = GD_SAMPLE_POSITIVE;
  gd_look_want(look, &box, target->box, target->points);
}

/* Look at the faces in turn, from any one on: images with many of them would
 * keep the other ranks waiting. */
static void add_looks(gd_detector_samples *s, const gd_labelled_image *image,
                      gd_random *r)
{
  const gd_face *seen[GD_LABELLED_MOST];
  int n = 0;
  for (int i = 0; i < image->n_faces; i++)
    if (image->faces[i].confidence >= GD_LABELLED_VISIBLE)
      seen[n++] = &image->faces[i];
  if (n == 0)
    return;
  const int first = (int)gd_random_below(r, n);
  for (int k = 0; k < N_LOOKS * n && k < MOST_LOOKS; k++)
    add_look(s, image, seen[(first + k) % n], r);
}

static gd_status add_crops(gd_detector_samples *s, int net, gd_mtcnn *before,
                           const gd_labelled_image *image, gd_random *r)
{
  const gd_boxes *boxes = NULL;
  choice choices[N_KINDS];
  if (gd_random_uniform(r) < searched[net]) {
    gd_status st = gd_mtcnn_candidates(before, &image->image, net, &boxes);
    if (st != GD_OK)
      return st;
  }
  begin_choice(net, choices);
  for (int i = 0; boxes != NULL && i < boxes->n; i++)
    offer(choices, image, &boxes->items[i], r);
  for (int i = 0; i < image->n_faces; i++)
    offer_about(choices, image, image->faces[i].box, jitters[net].n_face, net,
                r);
  for (int i = 0; i < image->n_decoys; i++)
    offer_about(choices, image, image->decoys[i], jitters[net].n_decoy, net, r);
  take_crops(s, choices, &image->image);
  if (net == GD_ONET)
    add_looks(s, image, r);
  return GD_OK;
}

gd_status gd_detector_samples_add(gd_detector_samples *s, int net,
                                  gd_mtcnn *before,
                                  const gd_labelled_image *image, gd_random *r)
{
  assert(s != NULL && image != NULL && r != NULL);
  assert(net >= GD_PNET && net <= GD_ONET &&
         (net == GD_PNET || before != NULL));
  gd_status st = grow_scratch(s, image->image.width_px);
  if (st != GD_OK)
    return st;
  const int64_t most = s->n + gd_detector_most_samples(net);
  if (most > s->room)
    st = grow(s, 2 * most);
  if (st != GD_OK)
    return st;
  return net == GD_PNET ? add_levels(s, image, r)
                        : add_crops(s, net, before, image, r);
}
