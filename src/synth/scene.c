#include "gradus/scene.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "gradus/jpeg.h"
#include "gradus/memory.h"
#include "portrait.h"

/* The corpus's subjects have smaller numbers: none of them is met here. */
enum { FIRST_SUBJECT = 1000 };
enum { LEAST_SIDE_PX = 112, MOST_SIDE_PX = 256 };
enum { MOST_PERSONS = 5, MOST_THINGS = 4, MOST_COVERS = 12 };

/* Smallest half width of a face, and how far heads keep from one another, in
 * their own half widths. */
static const double LEAST_UNIT_PX = 6.2, APART = 1.75;

/* A place on the page that is taken: a circle. */
typedef struct {
  double x, y, radius;
} place;

/* What covers a face: a rectangle or an ellipse, turned. */
typedef struct {
  double x, y, half_width, half_height, angle;
  int is_round;
} cover;

typedef struct {
  gd_canvas *c;
  gd_random *r;
  uint64_t seed;
  double width, height;
  place places[MOST_PERSONS + MOST_THINGS];
  int n_places;
  cover covers[MOST_COVERS];
  int n_covers;
} page;

static int chance(gd_random *r, double share)
{
  return gd_random_uniform(r) < share;
}

static double around(gd_random *r, double spread)
{
  return gd_random_between(r, -spread, spread);
}

static gd_colour any_colour(gd_random *r)
{
  const double red = gd_random_uniform(r);
  const double green = gd_random_uniform(r);
  const double blue = gd_random_uniform(r);
  const gd_colour c = {red, green, blue, 1.0};
  const double grey = (c.r + c.g + c.b) / 3.0;
  return gd_colour_mix(c, (gd_colour){grey, grey, grey, 1.0},
                       gd_random_uniform(r));
}

static gd_look any_look(const page *p)
{
  return gd_look_of(p->seed,
                    FIRST_SUBJECT + (int)gd_random_below(p->r, 1 << 30));
}

static gd_room any_room(const page *p)
{
  gd_room room =
      gd_room_of(p->seed, FIRST_SUBJECT + gd_random_below(p->r, 1 << 30));
  room.contrast = gd_random_between(p->r, 0.1, 0.75);
  return room;
}

static void ellipse(gd_canvas *c, double x, double y, double rx, double ry,
                    gd_colour colour)
{
  gd_canvas_path(c);
  gd_canvas_ellipse(c, x, y, rx, ry);
  gd_canvas_fill(c, gd_paint_flat(colour));
}

/* Take a place of the page, if it is free. */
static int take_place(page *p, place at)
{
  for (int i = 0; i < p->n_places; i++) {
    const place *other = &p->places[i];
    if (hypot(at.x - other->x, at.y - other->y) < at.radius + other->radius)
      return 0;
  }
  p->places[p->n_places++] = at;
  return 1;
}

/* ------------------------------------------------------------- background */

static void draw_clutter(page *p)
{
  const int n = (int)gd_random_below(p->r, 16);
  for (int i = 0; i < n; i++) {
    const double x = p->width * gd_random_uniform(p->r);
    const double y = p->height * gd_random_uniform(p->r);
    const double a = p->width * 0.25 * gd_random_uniform(p->r) + 1.0;
    const double b = p->height * 0.25 * gd_random_uniform(p->r) + 1.0;
    const double opacity = gd_random_between(p->r, 0.3, 1.0);
    const gd_colour colour = gd_colour_fade(any_colour(p->r), opacity);
    gd_canvas_begin(p->c);
    gd_canvas_translate(p->c, x, y);
    gd_canvas_rotate(p->c, around(p->r, 1.6));
    gd_canvas_path(p->c);
    switch (gd_random_below(p->r, 4)) {
    case 0:
      gd_canvas_ellipse(p->c, 0.0, 0.0, a, b);
      gd_canvas_fill(p->c, gd_paint_flat(colour));
      break;
    case 1:
      gd_canvas_rectangle(p->c, -a, -b, 2.0 * a, 2.0 * b);
      gd_canvas_fill(p->c, gd_paint_flat(colour));
      break;
    case 2:
      gd_canvas_rectangle(p->c, -a, -b, 2.0 * a, 2.0 * b);
      gd_canvas_stroke(p->c, (gd_stroke){.width = 1.0 + 0.1 * a},
                       gd_paint_flat(colour));
      break;
    default:
      for (double at = -a; at < a; at += 0.25 * a + 1.0)
        gd_canvas_rectangle(p->c, at, -b, 0.12 * a + 0.5, 2.0 * b);
      gd_canvas_fill(p->c, gd_paint_flat(colour));
      break;
    }
    gd_canvas_end(p->c);
  }
}

static void draw_background(page *p)
{
  if (chance(p->r, 0.5)) {
    const gd_room room = any_room(p);
    gd_room_draw(p->c, &room);
    if (chance(p->r, 0.4))
      draw_clutter(p);
    return;
  }
  const double angle = around(p->r, 3.1);
  gd_paint wall =
      gd_paint_linear(0.0, 0.0, p->width * cos(angle), p->height * sin(angle));
  gd_paint_stop(&wall, 0.0, any_colour(p->r));
  gd_paint_stop(&wall, 1.0, any_colour(p->r));
  gd_canvas_cover(p->c, wall);
  draw_clutter(p);
}

/* ------------------------------------------------------------------ persons */

static gd_pose any_pose(gd_random *r)
{
  gd_pose pose = {.scale = 1.0};
  const double yaw = chance(r, 0.5) ? 0.25 : 0.6;
  pose.yaw = around(r, yaw);
  pose.pitch = around(r, 0.35);
  pose.roll = around(r, chance(r, 0.6) ? 0.15 : 0.5);
  pose.gaze_x = around(r, 0.6);
  pose.gaze_y = around(r, 0.3);
  pose.lids = chance(r, 0.1) ? 0.0 : gd_random_between(r, 0.3, 1.15);
  pose.brows = gd_random_uniform(r);
  pose.corners = around(r, 1.0);
  pose.mouth = chance(r, 0.5) ? 0.0 : gd_random_uniform(r);
  return pose;
}

/* Something like a head or a face that is none, of half width `unit`. */
static void draw_thing(page *p, place at, double unit)
{
  gd_canvas *c = p->c;
  const gd_look look = any_look(p);
  const gd_room room = any_room(p);
  const gd_colour one = chance(p->r, 0.5) ? look.skin : any_colour(p->r);
  const gd_colour other = any_colour(p->r);
  const gd_pose pose = any_pose(p->r);
  double points[GD_SYNTH_POINTS][2];
  gd_canvas_begin(c);
  gd_canvas_translate(c, at.x, at.y);
  gd_canvas_rotate(c, around(p->r, 0.6));
  gd_canvas_scale(c, unit, unit);
  switch (gd_random_below(p->r, 6)) {
  case 0:
    gd_canvas_translate(c, 0.0, -0.5);
    gd_person_draw(c, &look, &room, &pose, GD_PERSON_FACELESS, points);
    break;
  case 1: /* skin */
    ellipse(c, 0.0, 0.0, 0.9, gd_random_between(p->r, 0.5, 1.3), look.skin);
    ellipse(c, 0.2, 0.1, 0.4, 0.4, look.light);
    break;
  case 2: /* two dots on a disc, or one more */
    ellipse(c, 0.0, 0.0, 1.0, 1.15, one);
    ellipse(c, -0.4, around(p->r, 0.6), 0.15, 0.12, other);
    ellipse(c, 0.4, around(p->r, 0.6), 0.15, 0.12, other);
    break;
  case 3: /* a wheel, a clock, a target */
    for (double radius = 1.1; radius > 0.1; radius -= 0.3) {
      ellipse(c, 0.0, 0.0, radius, radius, one);
      ellipse(c, 0.0, 0.0, radius - 0.12, radius - 0.12, other);
    }
    break;
  case 4: /* a board of dark squares */
    for (int i = 0; i < 9; i++) {
      gd_canvas_path(c);
      gd_canvas_rectangle(c, -1.0 + 0.7 * (i % 3), -1.0 + 0.7 * (i / 3), 0.5,
                          0.5);
      gd_canvas_fill(c, gd_paint_flat(i % 2 == 0 ? one : other));
    }
    break;
  default: { /* a ball */
    gd_paint ball = gd_paint_radial(-0.3, -0.3, 0.1, 1.4);
    gd_paint_stop(&ball, 0.0, gd_colour_mix(one, gd_colour_hex(0xffffff), 0.5));
    gd_paint_stop(&ball, 1.0, gd_colour_mix(one, gd_colour_hex(0x000000), 0.6));
    gd_canvas_path(c);
    gd_canvas_ellipse(c, 0.0, 0.0, 1.0, 1.0);
    gd_canvas_fill(c, ball);
    break;
  }
  }
  gd_canvas_end(c);
}

/* Half the width of a face, px: as many of each octave. */
static double any_unit(const page *p, int n)
{
  const double side = fmin(p->width, p->height);
  const double most = (n == 1 ? 0.43 : n == 2 ? 0.25 : 0.16) * side;
  return LEAST_UNIT_PX * pow(most / LEAST_UNIT_PX, gd_random_uniform(p->r));
}

static void add_cover(page *p, cover what, gd_colour colour)
{
  if (p->n_covers == MOST_COVERS)
    return;
  p->covers[p->n_covers++] = what;
  gd_canvas_begin(p->c);
  gd_canvas_translate(p->c, what.x, what.y);
  gd_canvas_rotate(p->c, what.angle);
  gd_canvas_path(p->c);
  if (what.is_round)
    gd_canvas_ellipse(p->c, 0.0, 0.0, what.half_width, what.half_height);
  else
    gd_canvas_rectangle(p->c, -what.half_width, -what.half_height,
                        2.0 * what.half_width, 2.0 * what.half_height);
  gd_canvas_fill(p->c, gd_paint_flat(colour));
  gd_canvas_end(p->c);
}

/* A bar across a face, or a hand's fingers up from below it. */
static void cover_face(page *p, const gd_face *face, gd_colour skin)
{
  const double unit = 0.5 * (face->box[2] - face->box[0]);
  const double x = 0.5 * (face->box[0] + face->box[2]);
  const double y = 0.5 * (face->box[1] + face->box[3]);
  if (chance(p->r, 0.5)) {
    const double side = chance(p->r, 0.5) ? 1.0 : -1.0;
    const double off = side * gd_random_between(p->r, 0.3, 1.2) * unit;
    const double angle = around(p->r, 3.14159);
    const gd_colour colour = any_colour(p->r);
    const double half_height = gd_random_between(p->r, 0.06, 0.3) * unit;
    add_cover(p,
              (cover){.x = x - off * sin(angle),
                      .y = y + off * cos(angle),
                      .half_width = 3.0 * unit,
                      .half_height = half_height,
                      .angle = angle},
              colour);
    return;
  }
  const double lean = around(p->r, 0.7);
  const double left = x + around(p->r, 1.0) * unit;
  const int n = 2 + (int)gd_random_below(p->r, 3);
  for (int i = 0; i < n; i++)
    add_cover(p,
              (cover){.x = left + 0.28 * unit * i,
                      .y = y + gd_random_between(p->r, 0.7, 1.1) * unit,
                      .half_width = 0.14 * unit,
                      .half_height = 0.75 * unit,
                      .angle = lean,
                      .is_round = 1},
              gd_colour_mix(skin, gd_colour_hex(0x301008), 0.1 + 0.06 * i));
}

static int is_covered(const page *p, double x, double y)
{
  if (x < 0.0 || y < 0.0 || x > p->width || y > p->height)
    return 1;
  for (int i = 0; i < p->n_covers; i++) {
    const cover *o = &p->covers[i];
    const double dx = x - o->x, dy = y - o->y;
    const double u = (dx * cos(o->angle) + dy * sin(o->angle)) / o->half_width;
    const double v = (dy * cos(o->angle) - dx * sin(o->angle)) / o->half_height;
    if (o->is_round ? u * u + v * v < 1.0 : fabs(u) < 1.0 && fabs(v) < 1.0)
      return 1;
  }
  return 0;
}

/* The share of a face's box that is to be seen. */
static float visible_share(const page *p, const gd_face *face)
{
  enum { N = 16 };
  int n = 0;
  for (int i = 0; i < N * N; i++) {
    const double u = (i % N + 0.5) / N, v = (i / N + 0.5) / N;
    n += !is_covered(p, face->box[0] + u * (face->box[2] - face->box[0]),
                     face->box[1] + v * (face->box[3] - face->box[1]));
  }
  return (float)n / (N * N);
}

typedef struct {
  place at;
  double unit;
  int is_person;
} figure;

static int is_higher(const void *a, const void *b)
{
  const figure *f = a, *g = b;
  return f->at.y < g->at.y ? -1 : f->at.y > g->at.y;
}

/* Find places for persons and things.  They come in order from above to below:
 * so no body lies over a face. */
static int place_figures(page *p, figure *figures)
{
  const double roll = gd_random_uniform(p->r);
  const int n_persons = roll < 0.12   ? 0
                        : roll < 0.55 ? 1
                        : roll < 0.8  ? 2
                                      : 3 + (int)gd_random_below(p->r, 3);
  const int n_things = n_persons == 1
                           ? (int)gd_random_below(p->r, 3)
                           : (int)gd_random_below(p->r, MOST_THINGS + 1);
  int n = 0;
  for (int i = 0; i < n_persons + n_things; i++) {
    const int is_person = i < n_persons;
    const double unit = any_unit(p, is_person ? n_persons : 2);
    const double margin = chance(p->r, 0.2) ? 0.3 * unit : 1.1 * unit;
    for (int attempt = 0; attempt < 8; attempt++) {
      /* Between the eyes and the chin: the middle of the box. */
      const double x = gd_random_between(p->r, margin, p->width - margin);
      const double y = gd_random_between(p->r, margin, p->height - margin);
      const place at = {x, y, APART * unit};
      if (!take_place(p, at))
        continue;
      figures[n++] = (figure){at, unit, is_person};
      break;
    }
  }
  qsort(figures, (size_t)n, sizeof *figures, is_higher);
  return n;
}

static void draw_person(page *p, const figure *f, gd_face *face)
{
  const gd_look look = any_look(p);
  const gd_room room = any_room(p);
  gd_pose pose = any_pose(p->r);
  double points[GD_SYNTH_POINTS][2];
  gd_canvas_begin(p->c);
  gd_canvas_translate(p->c, f->at.x, f->at.y);
  gd_canvas_scale(p->c, f->unit, f->unit);
  gd_canvas_translate(p->c, 0.0, -0.55);
  gd_person_draw(p->c, &look, &room, &pose,
                 chance(p->r, 0.8) ? GD_PERSON_WHOLE : GD_PERSON_HEAD, points);
  gd_canvas_end(p->c);
  gd_synth_face(points, face);
  if (chance(p->r, 0.2))
    cover_face(p, face, look.skin);
}

static void draw_decoy(page *p, const figure *f, float box[4])
{
  draw_thing(p, f->at, f->unit);
  box[0] = (float)(f->at.x - f->unit);
  box[1] = (float)(f->at.y - f->unit);
  box[2] = (float)(f->at.x + f->unit);
  box[3] = (float)(f->at.y + f->unit);
}

static void draw_light(page *p)
{
  const double angle = around(p->r, 3.14159);
  const double x = 0.5 * p->width * (1.0 + cos(angle));
  const double y = 0.5 * p->height * (1.0 + sin(angle));
  const gd_colour colour =
      chance(p->r, 0.7) ? gd_colour_hex(0x000000) : gd_colour_hex(0xfff4e0);
  gd_paint shade = gd_paint_linear(x, y, p->width - x, p->height - y);
  gd_paint_stop(&shade, 0.0,
                gd_colour_fade(colour, gd_random_between(p->r, 0.1, 0.5)));
  gd_paint_stop(&shade, gd_random_between(p->r, 0.4, 1.0),
                gd_colour_fade(colour, 0.0));
  gd_canvas_cover(p->c, shade);
}

/* ------------------------------------------------------------------- camera */

static uint8_t clamp(float value)
{
  return value <= 0.0f ? 0 : value >= 255.0f ? 255 : (uint8_t)(value + 0.5f);
}

/* One pass of (1 2 1) / 4 along lines of n values, `step` apart. */
static void smooth_line(uint8_t *x, int n, int64_t step)
{
  int before = x[0];
  for (int i = 0; i < n; i++) {
    const int here = x[i * step];
    const int after = i + 1 < n ? x[(i + 1) * step] : here;
    x[i * step] = (uint8_t)((before + 2 * here + after + 2) / 4);
    before = here;
  }
}

static void smooth(const gd_image *image)
{
  const int64_t row = 3 * (int64_t)image->width_px;
  for (int y = 0; y < image->height_px; y++)
    for (int k = 0; k < 3; k++)
      smooth_line(image->rgb + y * row + k, image->width_px, 3);
  for (int i = 0; i < 3 * image->width_px; i++)
    smooth_line(image->rgb + i, image->height_px, row);
}

/* Exposure, contrast, tint, lost colour, noise. */
static void expose(gd_random *r, const gd_image *image)
{
  const float gain = (float)gd_random_between(r, 0.65, 1.3);
  const float contrast = (float)gd_random_between(r, 0.7, 1.25);
  const float grey =
      chance(r, 0.12) ? 1.0f : (float)(0.4 * gd_random_uniform(r));
  const double most_noise = chance(r, 0.3) ? 10.0 : 4.0;
  const float noise = (float)(most_noise * gd_random_uniform(r) / 147.8);
  float tint[3];
  for (int k = 0; k < 3; k++)
    tint[k] = gain * (float)gd_random_between(r, 0.88, 1.12);
  uint64_t next = gd_random_bits(r);
  const int64_t n = (int64_t)image->width_px * image->height_px;
  uint8_t *rgb = image->rgb;
  for (int64_t i = 0; i < n; i++, rgb += 3) {
    const uint64_t bits = gd_random_mix(next++);
    const float grain =
        noise *
        (float)((int)(bits & 255) + (int)(bits >> 8 & 255) +
                (int)(bits >> 16 & 255) + (int)(bits >> 24 & 255) - 510);
    const float mean = (float)(rgb[0] + rgb[1] + rgb[2]) * 0.33333334f;
    for (int k = 0; k < 3; k++) {
      const float own =
          noise * (float)((int)(bits >> (32 + 8 * k) & 255) - 128);
      const float colour = (float)rgb[k] + grey * (mean - (float)rgb[k]);
      rgb[k] = clamp(tint[k] * ((colour - 128.0f) * contrast + 128.0f) + grain +
                     own);
    }
  }
}

static gd_status compress(gd_random *r, const gd_image *image)
{
  gd_jpeg *j;
  const uint8_t *bytes;
  size_t size_bytes;
  gd_status st = gd_jpeg_new(&j);
  if (st != GD_OK)
    return st;
  st = gd_jpeg_encode(j, image, 20 + (int)gd_random_below(r, 76), &bytes,
                      &size_bytes);
  if (st == GD_OK)
    st = gd_jpeg_decode_into("a drawn scene", bytes, size_bytes, image);
  gd_jpeg_free(j);
  return st;
}

static gd_status photograph(gd_random *r, const gd_image *image)
{
  const int n_smooth = chance(r, 0.35) ? 1 + (int)gd_random_below(r, 3) : 0;
  for (int i = 0; i < n_smooth; i++)
    smooth(image);
  expose(r, image);
  return chance(r, 0.4) ? compress(r, image) : GD_OK;
}

/* -------------------------------------------------------------------- scene */

static void compose(page *p, gd_labelled_image *out)
{
  figure figures[MOST_PERSONS + MOST_THINGS];
  draw_background(p);
  const int n = place_figures(p, figures);
  for (int i = 0; i < n; i++)
    if (figures[i].is_person)
      draw_person(p, &figures[i], &out->faces[out->n_faces++]);
    else
      draw_decoy(p, &figures[i], out->decoys[out->n_decoys++]);
  if (chance(p->r, 0.3))
    draw_light(p);
  for (int i = 0; i < out->n_faces; i++)
    out->faces[i].confidence = visible_share(p, &out->faces[i]);
}

gd_status gd_scene_draw(uint64_t seed, int64_t index, gd_labelled_image *out)
{
  assert(index >= 0 && out != NULL);
  _Static_assert((int)MOST_PERSONS <= (int)GD_LABELLED_MOST, "too many faces");

  gd_random r = gd_random_of(seed, GD_FOR_SYNTH, GD_SYNTH_SCENE, index);
  const int width_px =
      LEAST_SIDE_PX + (int)gd_random_below(&r, MOST_SIDE_PX - LEAST_SIDE_PX);
  const int height_px =
      LEAST_SIDE_PX + (int)gd_random_below(&r, MOST_SIDE_PX - LEAST_SIDE_PX);
  page p = {.r = &r, .seed = seed, .width = width_px, .height = height_px};
  *out = (gd_labelled_image){.n_faces = 0};
  gd_status st = gd_canvas_new(GD_CANVAS_PIXELS, width_px, height_px, &p.c);
  if (st == GD_OK)
    st = gd_image_new(width_px, height_px, &out->image);
  if (st == GD_OK) {
    compose(&p, out);
    st = gd_canvas_rgb(p.c, out->image.rgb);
  }
  if (st == GD_OK)
    st = photograph(&r, &out->image);
  gd_canvas_free(p.c);
  if (st != GD_OK) {
    gd_image_free(&out->image);
    out->n_faces = out->n_decoys = 0;
  }
  return st;
}
