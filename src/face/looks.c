#include "face/looks.h"

#include <assert.h>
#include <math.h>

gd_look gd_look_at(const gd_box *face)
{
  const float(*p)[2] = face->landmarks;
  double along[2]; /* the lines through eyes and mouth corners, together */
  for (int c = 0; c < 2; c++)
    along[c] =
        (double)p[1][c] - (double)p[0][c] + (double)p[4][c] - (double)p[3][c];
  return (gd_look){.x = 0.5 * ((double)face->x1 + (double)face->x2),
                   .y = 0.5 * ((double)face->y1 + (double)face->y2),
                   .side = fmax((double)face->x2 - (double)face->x1,
                                (double)face->y2 - (double)face->y1),
                   .roll = atan2(along[1], along[0])};
}

int gd_look_is_sane(gd_look look)
{
  const double most = 1e6; /* px */
  return fabs(look.x) < most && fabs(look.y) < most && look.side >= 1 &&
         look.side < most && isfinite(look.roll);
}

/* From the look's own axes, in px from its centre, to the image's. */
static void turn(gd_look look, double across, double down, double out[2])
{
  const double c = cos(look.roll), s = sin(look.roll);
  out[0] = look.x + c * across - s * down;
  out[1] = look.y + s * across + c * down;
}

gd_look gd_look_beside(gd_look look, int k)
{
  /* To the right, down, larger; in sides. */
  static const double moves[GD_N_LOOKS][3] = {{0, 0, 0},
                                              {-0.03, -0.03, 0.04},
                                              {0.03, -0.03, -0.04},
                                              {-0.03, 0.03, -0.04},
                                              {0.03, 0.03, 0.04}};
  assert(k >= 0 && k < GD_N_LOOKS);
  double centre[2];
  turn(look, moves[k][0] * look.side, moves[k][1] * look.side, centre);
  return (gd_look){.x = centre[0],
                   .y = centre[1],
                   .side = look.side * (1 + moves[k][2]),
                   .roll = look.roll};
}

void gd_look_take(gd_look look, const gd_image *image, float offset,
                  float factor, float *crop)
{
  assert(gd_look_is_sane(look));
  uint8_t pixels[GD_LOOK_PX * GD_LOOK_PX * 3];
  const double scale = GD_LOOK_PX / look.side;
  gd_similarity to_crop = {.a = scale * cos(look.roll),
                           .b = -scale * sin(look.roll)};
  double centre[2];
  /* A look's edges lie between pixels; a similarity counts from the centre of
   * the first one. */
  gd_similarity_apply(&to_crop, look.x - 0.5, look.y - 0.5, centre);
  to_crop.tx = 0.5 * GD_LOOK_PX - 0.5 - centre[0];
  to_crop.ty = 0.5 * GD_LOOK_PX - 0.5 - centre[1];
  gd_image_warp(image, &to_crop, GD_LOOK_PX, pixels);
  for (int i = 0; i < GD_LOOK_PX * GD_LOOK_PX * 3; i++)
    crop[i] = ((float)pixels[i] - offset) * factor;
}

void gd_look_mirror(const float *from, float *to)
{
  enum { SIDE = GD_LOOK_PX };
  for (int r = 0; r < SIDE; r++)
    for (int s = 0; s < SIDE; s++)
      for (int c = 0; c < 3; c++)
        to[3 * (r * SIDE + s) + c] = from[3 * (r * SIDE + SIDE - 1 - s) + c];
}

/* What was told of one axis of a mirror image, in sides from the centre. */
static double unmirror(double told, int mirrored)
{
  return mirrored ? -told : told;
}

void gd_look_add(gd_look look, const float offset[4], const float *points,
                 int mirrored, gd_box *sum)
{
  static const int others[GD_N_LANDMARKS] = {1, 0, 2, 4, 3};
  const double half_width =
      0.5 * look.side * (1 + (double)offset[2] - (double)offset[0]);
  const double half_height =
      0.5 * look.side * (1 + (double)offset[3] - (double)offset[1]);
  double at[2];
  turn(look,
       look.side *
           unmirror(0.5 * ((double)offset[0] + (double)offset[2]), mirrored),
       look.side * 0.5 * ((double)offset[1] + (double)offset[3]), at);
  sum->x1 += (float)(at[0] - half_width);
  sum->y1 += (float)(at[1] - half_height);
  sum->x2 += (float)(at[0] + half_width);
  sum->y2 += (float)(at[1] + half_height);
  for (int i = 0; i < GD_N_LANDMARKS; i++) {
    const int from = mirrored ? others[i] : i;
    turn(look, look.side * unmirror((double)points[from] - 0.5, mirrored),
         look.side * ((double)points[GD_N_LANDMARKS + from] - 0.5), at);
    for (int c = 0; c < 2; c++)
      sum->landmarks[i][c] += (float)at[c];
  }
}

/* From the image's axes to the look's own, in sides from its centre. */
static void turn_back(gd_look look, double x, double y, double out[2])
{
  const double c = cos(look.roll), s = sin(look.roll);
  const double across = x - look.x, down = y - look.y;
  out[0] = (c * across + s * down) / look.side;
  out[1] = (c * down - s * across) / look.side;
}

void gd_look_want(gd_look look, const gd_box *face, float offset[4],
                  float points[2 * GD_N_LANDMARKS])
{
  const double low[2] = {(double)face->x1, (double)face->y1};
  const double high[2] = {(double)face->x2, (double)face->y2};
  double at[2];
  turn_back(look, 0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), at);
  for (int c = 0; c < 2; c++) {
    const double half = 0.5 * (high[c] - low[c]) / look.side;
    offset[c] = (float)(at[c] - half + 0.5);
    offset[2 + c] = (float)(at[c] + half - 0.5);
  }
  for (int i = 0; i < GD_N_LANDMARKS; i++) {
    turn_back(look, (double)face->landmarks[i][0],
              (double)face->landmarks[i][1], at);
    for (int c = 0; c < 2; c++)
      points[c * GD_N_LANDMARKS + i] = (float)(at[c] + 0.5);
  }
}
