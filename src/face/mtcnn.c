#include "gradus/mtcnn.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "face/boxes.h"
#include "face/cascade_net.h"
#include "face/looks.h"
#include "face/mtcnn_parts.h"
#include "gradus/drawn_detector.h"
#include "gradus/memory.h"
#include "gradus/resample.h"

enum { PNET, RNET, ONET, N_NETS };
enum { BATCH = 64 /* crops per call of R-Net and O-Net */ };
const int gd_mtcnn_crop_px[N_NETS] = {GD_CELL_PX, 24, GD_LOOK_PX};
const float gd_mtcnn_offset = 127.5f, gd_mtcnn_factor = 0.0078125f;

/* Which boxes become what their crops show, before R-Net or O-Net judges. */
typedef enum { FRAME_NONE, FRAME_CUT_OFF, FRAME_ALL } framing;

struct gd_mtcnn {
  gd_mtcnn_config config;
  int n_nets; /* the first so many */
  int framed; /* see GD_MTCNN_FRAMED */
  framing framing;
  gd_cascade_net *nets[N_NETS];
  gd_cascade_buffers layers; /* of the nets */
  gd_floats input;           /* of a net */
  uint32_t *scratch;         /* of resizing */
  int64_t scratch_room;
  double flop; /* of the last image */
  gd_boxes boxes;
  gd_face *faces;
  int faces_room;
};

gd_mtcnn_config gd_mtcnn_defaults(void)
{
  return (gd_mtcnn_config){
      .min_face_px = 20, .factor = 0.709, .thresholds = {0.6, 0.7, 0.7}};
}

static gd_status check_config(const gd_mtcnn_config *c)
{
  int fine = c->min_face_px >= GD_CELL_PX && c->min_face_px <= 1e6 &&
             c->factor >= 0.1 && c->factor <= 0.95;
  for (int i = 0; i < N_NETS; i++)
    fine = fine && c->thresholds[i] >= 0 && c->thresholds[i] <= 1;
  if (fine)
    return GD_OK;
  return gd_fail(GD_ERR_USAGE,
                 "detector: smallest face %g px (at least %d), factor %g (0.1 "
                 "to 0.95), thresholds %g %g %g (0 to 1)",
                 c->min_face_px, GD_CELL_PX, c->factor, c->thresholds[0],
                 c->thresholds[1], c->thresholds[2]);
}

gd_status gd_mtcnn_open(const char *path, const gd_mtcnn_config *config,
                        gd_mtcnn **out)
{
  return gd_mtcnn_open_nets(path, config, N_NETS, out);
}

/* Tell whether the weights are of boxes that are framed. */
static gd_status read_framed(gd_weights *w, int *framed)
{
  float value = 0;
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < gd_weights_n(w); i++)
    if (strcmp(gd_weights_at(w, i).name, GD_MTCNN_FRAMED) == 0)
      st = gd_weights_read(w, GD_MTCNN_FRAMED, 1, (int64_t[]){1}, &value);
  *framed = value != 0;
  return st;
}

gd_status gd_mtcnn_open_nets(const char *path, const gd_mtcnn_config *config,
                             int n_nets, gd_mtcnn **out)
{
  static const gd_cascade_spec *const specs[N_NETS] = {
      &gd_pnet_spec, &gd_rnet_spec, &gd_onet_spec};

  assert(path != NULL && config != NULL && out != NULL);
  assert(n_nets >= 1 && n_nets <= N_NETS);
  *out = NULL;

  gd_status st = check_config(config);
  if (st != GD_OK)
    return st;
  gd_weights *weights = NULL;
  gd_mtcnn *m = gd_alloc(1, sizeof *m);
  if (m == NULL)
    return GD_ERR_NOMEM;
  m->config = *config;
  m->n_nets = n_nets;
  if (strcmp(path, GD_DETECTOR_DRAWN) == 0)
    st = gd_drawn_detector_open(&weights);
  else
    st = gd_weights_open(path, &weights);
  for (int i = 0; st == GD_OK && i < n_nets; i++)
    st = gd_cascade_net_read(specs[i], weights, &m->nets[i]);
  if (st == GD_OK)
    st = read_framed(weights, &m->framed);
  gd_weights_close(weights);
  if (st == GD_OK)
    *out = m;
  else
    gd_mtcnn_close(m);
  return st;
}

void gd_mtcnn_close(gd_mtcnn *m)
{
  if (m == NULL)
    return;
  for (int i = 0; i < N_NETS; i++)
    gd_cascade_net_free(m->nets[i]);
  gd_cascade_buffers_free(&m->layers);
  free(m->input.values);
  gd_boxes_free(&m->boxes);
  free(m->scratch);
  free(m->faces);
  free(m);
}

/* Make room for resizing an image's whole width, to at most one pixel more or
 * to a crop. */
static gd_status grow_scratch(gd_mtcnn *m, int width_px)
{
  const int most = width_px + 1 > gd_mtcnn_crop_px[ONET]
                       ? width_px + 1
                       : gd_mtcnn_crop_px[ONET];
  const int64_t room = gd_area_scratch(width_px, most);
  if (room <= m->scratch_room)
    return GD_OK;
  free(m->scratch);
  m->scratch_room = 0;
  m->scratch = gd_alloc(room, sizeof *m->scratch);
  if (m->scratch == NULL)
    return GD_ERR_NOMEM;
  m->scratch_room = room;
  return GD_OK;
}

/* Softmax over (no face, face): the probability of a face. */
static float face_probability(const float *logits)
{
  const float most = fmaxf(logits[0], logits[1]);
  const float no = expf(logits[0] - most), yes = expf(logits[1] - most);
  return yes / (no + yes);
}

gd_box gd_cell_box(int x, int y, float by)
{
  return (gd_box){.x1 = floorf((float)(x + 1) / by),
                  .y1 = floorf((float)(y + 1) / by),
                  .x2 = floorf((float)(x + GD_CELL_PX) / by),
                  .y2 = floorf((float)(y + GD_CELL_PX) / by)};
}

static gd_status add_cell(gd_mtcnn *m, int x, int y, float by, float score,
                          const float *offsets)
{
  gd_box *box;
  gd_status st = gd_boxes_add(&m->boxes, &box);
  if (st != GD_OK)
    return st;
  *box = gd_cell_box(GD_CELL_STRIDE_PX * x, GD_CELL_STRIDE_PX * y, by);
  box->score = score;
  memcpy(box->offset, offsets, sizeof box->offset);
  return GD_OK;
}

/* Append the cells of P-Net's output that may be faces.  The corners are
 * divided by the scale as float32: so the reference rounds.  Nearly all cells
 * are far from being a face, which their logits tell without a softmax. */
static gd_status add_cells(gd_mtcnn *m, gd_cascade_shape grid, const float *out,
                           double scale)
{
  const double p = m->config.thresholds[PNET];
  const float least = (float)p;
  const float apart = p > 0 && p < 1 ? (float)(log(p / (1 - p)) - 0.01)
                      : p > 0        ? 0
                                     : -INFINITY;
  for (int y = 0; y < grid.H; y++)
    for (int x = 0; x < grid.W; x++, out += 6) {
      if (out[1] - out[0] < apart)
        continue;
      const float score = face_probability(out);
      if (!(score >= least))
        continue;
      gd_status st = add_cell(m, x, y, (float)scale, score, out + 2);
      if (st != GD_OK)
        return st;
    }
  return GD_OK;
}

/* Run a net on its input, and count. */
static gd_status run_net(gd_mtcnn *m, int net, gd_cascade_shape in,
                         gd_cascade_shape *shape, const float **out)
{
  m->flop += gd_cascade_net_flop(m->nets[net], in);
  return gd_cascade_net_forward(m->nets[net], &m->layers, in, m->input.values,
                                shape, out);
}

/* P-Net over one level of the pyramid. */
static gd_status search_level(gd_mtcnn *m, const gd_image *image, double scale)
{
  const gd_cascade_shape in = {.N = 1,
                               .H = (int)(image->height_px * scale + 1),
                               .W = (int)(image->width_px * scale + 1)};
  const gd_window whole = {0, 0, image->width_px, image->height_px};
  const int first = m->boxes.n;
  gd_cascade_shape grid;
  const float *out;
  gd_status st = gd_floats_grow(&m->input, (int64_t)in.H * in.W * 3);
  if (st != GD_OK)
    return st;
  gd_area_resize(image, whole, in.W, in.H, gd_mtcnn_offset, gd_mtcnn_factor,
                 m->scratch, m->input.values);
  st = run_net(m, PNET, in, &grid, &out);
  if (st == GD_OK)
    st = add_cells(m, grid, out, scale);
  if (st == GD_OK)
    gd_boxes_suppress(&m->boxes, first, GD_BY_UNION, 0.5f);
  return st;
}

double gd_mtcnn_flop(const gd_mtcnn *m)
{
  assert(m != NULL);
  return m->flop;
}

/* First stage: candidates from all levels whose shorter side holds a cell. */
static gd_status propose(gd_mtcnn *m, const gd_image *image)
{
  const int side =
      image->width_px < image->height_px ? image->width_px : image->height_px;
  const double min_face = m->config.min_face_px, factor = m->config.factor;
  double scale = GD_CELL_PX / min_face, least = side * GD_CELL_PX / min_face;
  for (; least >= GD_CELL_PX; scale *= factor, least *= factor) {
    const gd_status st = search_level(m, image, scale);
    if (st != GD_OK)
      return st;
  }
  gd_boxes_suppress(&m->boxes, 0, GD_BY_UNION, 0.7f);
  gd_boxes_calibrate(&m->boxes, 0);
  gd_boxes_square(&m->boxes);
  return GD_OK;
}

/* O-Net's points are fractions of the box that it saw, 1-based. */
static void place_landmarks(gd_box *box, const float *points)
{
  const float w = box->x2 - box->x1 + 1, h = box->y2 - box->y1 + 1;
  for (int i = 0; i < GD_N_LANDMARKS; i++) {
    box->landmarks[i][0] = w * points[i] + box->x1 - 1;
    box->landmarks[i][1] = h * points[GD_N_LANDMARKS + i] + box->y1 - 1;
  }
}

/* Judge boxes first .. first + n - 1 of the list, whose crops are the input. */
static gd_status judge_batch(gd_mtcnn *m, int net, int first, int n)
{
  const int channels = net == ONET ? 16 : 6;
  const gd_cascade_shape in = {
      .N = n, .H = gd_mtcnn_crop_px[net], .W = gd_mtcnn_crop_px[net]};
  gd_cascade_shape shape;
  const float *out;
  gd_status st = run_net(m, net, in, &shape, &out);
  for (int i = 0; st == GD_OK && i < n; i++, out += channels) {
    gd_box *box = &m->boxes.items[first + i];
    box->score = face_probability(out);
    for (int k = 0; k < 4; k++)
      box->offset[k] = out[2 + k];
    if (net == ONET)
      place_landmarks(box, out + 6);
  }
  return st;
}

static void drop_outside(gd_boxes *b, const gd_image *image)
{
  gd_window window;
  int kept = 0;
  for (int i = 0; i < b->n; i++)
    if (gd_box_window(&b->items[i], image->width_px, image->height_px, &window))
      b->items[kept++] = b->items[i];
  b->n = kept;
}

static void keep_likely(gd_boxes *b, float least)
{
  int kept = 0;
  for (int i = 0; i < b->n; i++)
    if (b->items[i].score > least)
      b->items[kept++] = b->items[i];
  b->n = kept;
}

/* Does the image's border cut off what a box would crop? */
static int is_cut_off(const gd_box *b, const gd_image *image)
{
  return b->x1 < 1 || b->y1 < 1 || b->x2 >= (float)(image->width_px + 1) ||
         b->y2 >= (float)(image->height_px + 1);
}

/* Second and third stage: crop every box, judge it, keep the likely ones. */
static gd_status judge(gd_mtcnn *m, const gd_image *image, int net)
{
  const int side = gd_mtcnn_crop_px[net];
  const int64_t crop = (int64_t)side * side * 3;
  gd_status st = gd_floats_grow(&m->input, BATCH * crop);
  drop_outside(&m->boxes, image);
  for (int first = 0; st == GD_OK && first < m->boxes.n; first += BATCH) {
    const int left = m->boxes.n - first, n = left < BATCH ? left : BATCH;
    for (int i = 0; i < n; i++) {
      gd_box *box = &m->boxes.items[first + i];
      gd_window window;
      (void)gd_box_window(box, image->width_px, image->height_px, &window);
      if (m->framing == FRAME_ALL ||
          (m->framing == FRAME_CUT_OFF && is_cut_off(box, image)))
        gd_box_frame(box, window);
      gd_area_resize(image, window, side, side, gd_mtcnn_offset,
                     gd_mtcnn_factor, m->scratch, m->input.values + i * crop);
    }
    st = judge_batch(m, net, first, n);
  }
  keep_likely(&m->boxes, (float)m->config.thresholds[net]);
  return st;
}

/* Show O-Net looks and their mirror images: the mean of the boxes and landmarks
 * that it tells, and how sure it is by its mean logits. */
static gd_status show(gd_mtcnn *m, const gd_image *image, const gd_look *looks,
                      int n, gd_box *mean)
{
  enum { SIDE = GD_LOOK_PX, CROP = SIDE * SIDE * 3 };
  const gd_cascade_shape in = {.N = 2 * n, .H = SIDE, .W = SIDE};
  gd_cascade_shape shape;
  const float *out;
  gd_status st = gd_floats_grow(&m->input, (int64_t)in.N * CROP);
  if (st != GD_OK)
    return st;
  for (int i = 0; i < n; i++) {
    float *crop = m->input.values + (int64_t)2 * i * CROP;
    gd_look_take(looks[i], image, gd_mtcnn_offset, gd_mtcnn_factor, crop);
    gd_look_mirror(crop, crop + CROP);
  }
  st = run_net(m, ONET, in, &shape, &out);
  if (st != GD_OK)
    return st;
  gd_box sum = {0};
  float logits[2] = {0};
  for (int i = 0; i < in.N; i++, out += 16) {
    for (int k = 0; k < 2; k++)
      logits[k] += out[k] / (float)in.N;
    gd_look_add(looks[i / 2], out + 2, out + 6, i % 2, &sum);
  }
  const float share = 1.0f / (float)in.N;
  *mean = (gd_box){.score = face_probability(logits),
                   .x1 = share * sum.x1,
                   .y1 = share * sum.y1,
                   .x2 = share * sum.x2,
                   .y2 = share * sum.y2};
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    for (int c = 0; c < 2; c++)
      mean->landmarks[i][c] = share * sum.landmarks[i][c];
  return GD_OK;
}

/* Give a face the landmarks of several looks at it, and their probability:
 * first one that stands it upright, then those beside what that one has shown.
 * What cannot be looked at keeps what it has. */
static gd_status look_again(gd_mtcnn *m, const gd_image *image, gd_box *face)
{
  gd_look looks[GD_N_LOOKS] = {gd_look_at(face)};
  gd_box seen;
  if (!gd_look_is_sane(looks[0]))
    return GD_OK;
  gd_status st = show(m, image, looks, 1, &seen);
  if (st != GD_OK)
    return st;
  const gd_look upright = gd_look_at(&seen);
  if (!gd_look_is_sane(upright))
    return GD_OK;
  for (int k = 0; k < GD_N_LOOKS; k++)
    looks[k] = gd_look_beside(upright, k);
  st = show(m, image, looks, GD_N_LOOKS, &seen);
  if (st != GD_OK)
    return st;
  memcpy(face->landmarks, seen.landmarks, sizeof face->landmarks);
  face->score = seen.score;
  return GD_OK;
}

/* Sort what is left by area and hand it out. */
static gd_status give_faces(gd_mtcnn *m, const gd_face **faces, int *n)
{
  gd_boxes *b = &m->boxes;
  for (int i = 0; i < b->n; i++)
    b->items[i].key =
        (b->items[i].x2 - b->items[i].x1) * (b->items[i].y2 - b->items[i].y1);
  gd_boxes_sort(b, 0);
  if (b->n > m->faces_room) {
    free(m->faces);
    m->faces_room = 0;
    m->faces = gd_alloc(b->room, sizeof *m->faces);
    if (m->faces == NULL)
      return GD_ERR_NOMEM;
    m->faces_room = b->room;
  }
  for (int i = 0; i < b->n; i++) {
    const gd_box *box = &b->items[i];
    gd_face *face = &m->faces[i];
    *face = (gd_face){.box = {box->x1, box->y1, box->x2, box->y2},
                      .confidence = box->score};
    for (int k = 0; k < GD_N_LANDMARKS; k++)
      for (int c = 0; c < 2; c++)
        face->landmarks[k][c] = box->landmarks[k][c];
  }
  *faces = m->faces;
  *n = b->n;
  return GD_OK;
}

/* Begin with an image: no boxes yet. */
static gd_status take_image(gd_mtcnn *m, const gd_image *image, framing how)
{
  assert(m != NULL && image != NULL && image->rgb != NULL);
  m->boxes.n = 0;
  m->flop = 0;
  m->framing = m->framed ? FRAME_ALL : how;
  return grow_scratch(m, image->width_px);
}

/* Run the first `n_nets` (1 or 2): what the next net is to judge. */
static gd_status find_candidates(gd_mtcnn *m, const gd_image *image, int n_nets)
{
  assert(n_nets >= 1 && n_nets <= RNET + 1 && n_nets <= m->n_nets);
  gd_status st = take_image(m, image, FRAME_NONE);
  if (st == GD_OK)
    st = propose(m, image);
  if (st != GD_OK || n_nets <= RNET)
    return st;
  st = judge(m, image, RNET);
  if (st != GD_OK)
    return st;
  gd_boxes_suppress(&m->boxes, 0, GD_BY_UNION, 0.7f);
  gd_boxes_calibrate(&m->boxes, 1);
  gd_boxes_square(&m->boxes);
  return GD_OK;
}

/* Third stage: make faces of what O-Net is to judge. */
static gd_status find_faces(gd_mtcnn *m, const gd_image *image,
                            const gd_face **faces, int *n)
{
  gd_status st = judge(m, image, ONET);
  if (st != GD_OK)
    return st;
  gd_boxes_calibrate(&m->boxes, 1);
  gd_boxes_suppress(&m->boxes, 0, GD_BY_SMALLER, 0.7f);
  for (int i = 0; st == GD_OK && m->framed && i < m->boxes.n; i++)
    st = look_again(m, image, &m->boxes.items[i]);
  if (m->framed)
    keep_likely(&m->boxes, (float)m->config.thresholds[ONET]);
  return st == GD_OK ? give_faces(m, faces, n) : st;
}

gd_status gd_mtcnn_detect(gd_mtcnn *m, const gd_image *image,
                          const gd_face **faces, int *n)
{
  assert(m != NULL && m->n_nets == N_NETS && faces != NULL && n != NULL);
  *faces = NULL;
  *n = 0;
  const gd_status st = find_candidates(m, image, RNET + 1);
  return st == GD_OK ? find_faces(m, image, faces, n) : st;
}

static void drop_small(gd_boxes *b, double least_px)
{
  int kept = 0;
  for (int i = 0; i < b->n; i++)
    if ((double)(b->items[i].x2 - b->items[i].x1) >= least_px)
      b->items[kept++] = b->items[i];
  b->n = kept;
}

/* Boxes that the border cuts off become what their crops show: taken for whole
 * squares, as a search with the reference's weights takes them, they would
 * creep out of the image from frame to frame. */
gd_status gd_mtcnn_follow(gd_mtcnn *m, const gd_image *image,
                          const gd_face *before, int n_before,
                          const gd_face **faces, int *n)
{
  assert(m != NULL && m->n_nets == N_NETS && faces != NULL && n != NULL);
  assert(n_before == 0 || before != NULL);
  gd_status st = take_image(m, image, FRAME_CUT_OFF);
  for (int i = 0; st == GD_OK && i < n_before; i++) {
    const float *corners = before[i].box;
    gd_box *box;
    st = gd_boxes_add(&m->boxes, &box);
    if (st == GD_OK)
      *box = (gd_box){.x1 = corners[0],
                      .y1 = corners[1],
                      .x2 = corners[2],
                      .y2 = corners[3]};
  }
  *faces = NULL;
  *n = 0;
  gd_boxes_square(&m->boxes);
  if (st == GD_OK)
    st = judge(m, image, ONET);
  if (st != GD_OK)
    return st;
  gd_boxes_calibrate(&m->boxes, 1);
  gd_boxes_square(&m->boxes);
  drop_small(&m->boxes, m->config.min_face_px * m->config.factor);
  return find_faces(m, image, faces, n);
}

gd_status gd_mtcnn_candidates(gd_mtcnn *m, const gd_image *image, int n_nets,
                              const gd_boxes **out)
{
  *out = &m->boxes;
  return find_candidates(m, image, n_nets);
}
