#include "head.h"

#include <assert.h>
#include <math.h>

static const double PI = 3.14159265358979323846;

gd_spot gd_head_in(const gd_head *h, double x, double y, double z)
{
  const double depth = z * h->cos_yaw - x * h->sin_yaw;
  return (gd_spot){.x = x * h->cos_yaw + z * h->sin_yaw,
                   .y = y * h->cos_pitch + depth * h->sin_pitch};
}

gd_spot gd_head_at(const gd_head *h, double x, double y, double lift)
{
  const double across = x / (1.2 * h->look->width), down = (y - 0.1) / 2.0;
  const double rest = 1.0 - across * across - down * down;
  return gd_head_in(h, x, y, sqrt(fmax(rest, 0.02)) + lift);
}

void gd_head_spots(gd_canvas *c, int n, const gd_spot *spots, int closed)
{
  double xy[2 * 40];
  assert(n <= 40);
  for (int i = 0; i < n; i++) {
    xy[2 * i] = spots[i].x;
    xy[2 * i + 1] = spots[i].y;
  }
  gd_canvas_smooth(c, n, xy, closed);
}

void gd_head_curve(const gd_head *h, gd_canvas *c, int n, const double *xy,
                   double lift, int closed)
{
  gd_spot spots[40];
  assert(n <= 40);
  for (int i = 0; i < n; i++)
    spots[i] = gd_head_at(h, xy[2 * i], xy[2 * i + 1], lift);
  gd_head_spots(c, n, spots, closed);
}

/* 0..16: from the left ear along the jaw to the right one. */
static void place_jaw(gd_head *h)
{
  const gd_look *look = h->look;
  const double chin = look->chin_y + 0.07 * h->pose->mouth;
  for (int i = 0; i <= 16; i++) {
    const double angle = PI * i / 16.0;
    const double side = cos(angle), below = sin(angle);
    const double x = copysign(pow(fabs(side), look->jaw_square), -side);
    const double y = 0.05 + (chin - 0.05) * pow(below, 0.92);
    h->point[i] = gd_head_in(h, look->width * (i == 8 ? 0.0 : x), y,
                             0.75 * below * below);
  }
}

/* 17..26: both brows from left to right. */
static void place_brows(gd_head *h)
{
  const gd_look *look = h->look;
  const double sad = h->pose->brows;
  for (int i = 0; i < 5; i++) {
    const double t = i / 4.0; /* 0 at the outer end, 1 at the inner one */
    const double x = look->eye_x + 0.28 - 0.545 * t - 0.045 * sad * t;
    const double arch =
        look->brow_arch * (1.0 - (2.0 * t - 0.7) * (2.0 * t - 0.7));
    const double y =
        look->brow_y - arch + 0.095 * sad * (1.0 - t) - 0.15 * sad * t * t;
    h->point[17 + i] = gd_head_at(h, -x, y, 0.06);
    h->point[26 - i] = gd_head_at(h, x, y, 0.06);
  }
}

/* 27..35: down the bridge to the tip, then along the nostrils. */
static void place_nose(gd_head *h)
{
  const gd_look *look = h->look;
  for (int i = 0; i < 4; i++)
    h->point[27 + i] = gd_head_at(
        h, 0.0, -0.02 + (look->nose_y + 0.02) * i / 3.0, 0.10 + 0.075 * i);
  for (int i = -2; i <= 2; i++)
    h->point[33 + i] =
        gd_head_at(h, look->nose_width * i / 2.2,
                   look->nose_y + 0.115 - 0.018 * i * i, 0.17 - 0.04 * i * i);
}

/* 36..47: both eyes, from the left corner over the upper lid. */
static void place_eyes(gd_head *h)
{
  const gd_look *look = h->look;
  const double size = look->eye_size, lids = h->pose->lids;
  const double tilt = look->eye_tilt - 0.035 * h->pose->brows;
  const double upper = size * (0.22 - 0.72 * lids);
  const double lower = size * (0.24 + 0.02 * lids);
  const double outer[6][2] = {{size, -tilt},         {0.36 * size, upper},
                              {-0.36 * size, upper}, {-size, 0.5 * tilt},
                              {-0.36 * size, lower}, {0.36 * size, lower}};
  static const int right[6] = {45, 44, 43, 42, 47, 46};
  for (int i = 0; i < 6; i++) {
    const double x = look->eye_x + outer[i][0], y = outer[i][1];
    h->point[36 + i] = gd_head_at(h, -x, y, 0.0);
    h->point[right[i]] = gd_head_at(h, x, y, 0.0);
  }
}

/* 48..67: the lips' outer border clockwise from the left corner, then their
 * inner border likewise. */
static void place_mouth(gd_head *h)
{
  static const struct {
    int at;
    double x, lip, open; /* of the half width, of the lips, of the opening */
  } border[20] = {{48, -1.0, 0, 0},        {49, -0.62, -0.62, -0.12},
                  {50, -0.2, -1.05, -0.2}, {51, 0, -0.85, -0.2},
                  {52, 0.2, -1.05, -0.2},  {53, 0.62, -0.62, -0.12},
                  {54, 1.0, 0, 0},         {55, 0.6, 0.68, 0.6},
                  {56, 0.25, 1.02, 0.8},   {57, 0, 1.08, 0.85},
                  {58, -0.25, 1.02, 0.8},  {59, -0.6, 0.68, 0.6},
                  {60, -0.86, 0, 0},       {61, -0.3, -0.06, -0.2},
                  {62, 0, -0.02, -0.2},    {63, 0.3, -0.06, -0.2},
                  {64, 0.86, 0, 0},        {65, 0.3, 0.06, 0.8},
                  {66, 0, 0.06, 0.85},     {67, -0.3, 0.06, 0.8}};
  const gd_look *look = h->look;
  const double up = h->pose->corners;
  const double half = look->mouth_width * (1.0 + 0.11 * up);
  const double bend = -0.145 * up, opening = 0.19 * h->pose->mouth;
  for (int i = 0; i < 20; i++) {
    const double x = border[i].x, lip = border[i].lip;
    const double line = look->mouth_y + bend * (x * x - 0.4);
    const double y = line + border[i].open * opening +
                     lip * (lip < 0.0 ? look->lip_upper : look->lip_lower);
    h->point[border[i].at] = gd_head_at(h, half * x, y, 0.10 - 0.08 * x * x);
  }
}

void gd_head_turn(const gd_look *look, const gd_pose *pose, gd_head *out)
{
  assert(look != NULL && pose != NULL && out != NULL);
  out->look = look;
  out->pose = pose;
  out->sin_yaw = sin(pose->yaw);
  out->cos_yaw = cos(pose->yaw);
  out->sin_pitch = sin(pose->pitch);
  out->cos_pitch = cos(pose->pitch);
  place_jaw(out);
  place_brows(out);
  place_nose(out);
  place_eyes(out);
  place_mouth(out);
}

void gd_head_outline(const gd_head *h, gd_canvas *c)
{
  static const double skull[9][2] = {
      {0.99, -0.30},  {0.95, -0.62},  {0.84, -0.95},  {0.5, -0.985}, {0.0, 0.0},
      {-0.5, -0.985}, {-0.84, -0.95}, {-0.95, -0.62}, {-0.99, -0.30}};
  gd_spot spots[26];
  for (int i = 0; i <= 16; i++)
    spots[i] = h->point[i];
  for (int i = 0; i < 9; i++) {
    /* The three topmost follow the height of the skull. */
    const double top = h->look->top_y;
    const double y = i == 4 ? top : i == 3 || i == 5 ? 0.92 * top : skull[i][1];
    spots[17 + i] = gd_head_in(h, h->look->width * skull[i][0], y, 0.0);
  }
  gd_head_spots(c, 26, spots, 1);
}
