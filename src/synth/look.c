#include "look.h"

#define COUNT(a) ((int64_t)(sizeof(a) / sizeof(a)[0]))

static const uint32_t SKIN[] = {0xf2d0b8, 0xeac0a0, 0xdcaa84, 0xcc9468,
                                0xb27a50, 0x93603c, 0x7d4f32, 0x644029};
static const uint32_t HAIR[] = {0x1d1715, 0x2c1f18, 0x463022, 0x6b4a2e,
                                0xa9834f, 0x7d3c20, 0x8f8d8a, 0xcbc7c0};
static const uint32_t IRIS[] = {0x3d2616, 0x5a3a1e, 0x6b5a2c,
                                0x4f6b4a, 0x45698c, 0x6d7f8b};
static const uint32_t CLOTH[] = {0x2f3f5f, 0x6b2f35, 0x35523f, 0x8a8f98,
                                 0x3a3a3f, 0xb9a58a, 0x4f6f8f, 0x74506f,
                                 0xa8553a, 0xd5d3cc, 0x27474b, 0x8b7a3f};
static const uint32_t WALL[] = {0xc9c4b8, 0xaeb8bd, 0xb9ad9b, 0x8f9a94,
                                0xd6d2c8, 0x9c93a0, 0x7e8a98, 0xbfc7b4,
                                0x6f6a66, 0xcbb8ae};

static double around(gd_random *r, double middle, double spread)
{
  return middle + spread * (2.0 * gd_random_uniform(r) - 1.0);
}

static gd_colour pick(gd_random *r, const uint32_t *from, int64_t n)
{
  const gd_colour c = gd_colour_hex(from[gd_random_below(r, n)]);
  const gd_colour other = gd_colour_hex(from[gd_random_below(r, n)]);
  return gd_colour_mix(c, other, 0.25 * gd_random_uniform(r));
}

static void choose_colours(gd_look *look, gd_random *r)
{
  const double tone = (double)(COUNT(SKIN) - 1) * gd_random_uniform(r);
  const int at = (int)tone;
  look->skin = gd_colour_mix(gd_colour_hex(SKIN[at]),
                             gd_colour_hex(SKIN[at + 1]), tone - at);
  look->skin.r *= around(r, 1.0, 0.03);
  look->skin.g *= around(r, 1.0, 0.02);
  look->shade = gd_colour_mix(look->skin, gd_colour_hex(0x301008), 0.45);
  look->light = gd_colour_mix(look->skin, gd_colour_hex(0xfff2e0), 0.42);
  look->lips =
      gd_colour_mix(look->skin, gd_colour_hex(0xa03038), around(r, 0.42, 0.14));
  look->lips = gd_colour_mix(look->lips, look->shade, 0.18);
  /* Fair hair is rare on dark skin. */
  const int64_t n_hair = tone > 4.0 ? 3 : COUNT(HAIR);
  look->hair_colour = pick(r, HAIR, n_hair);
  if (tone > 4.0 && gd_random_uniform(r) < 0.15)
    look->hair_colour = gd_colour_hex(0x8f8d8a);
  look->iris = pick(r, IRIS, tone > 3.5 ? 2 : COUNT(IRIS));
  look->frame_colour =
      gd_colour_mix(gd_colour_hex(0x201c1a), pick(r, CLOTH, COUNT(CLOTH)), 0.3);
}

static void choose_style(gd_look *look, gd_random *r)
{
  const int is_bearded_kind = gd_random_uniform(r) < 0.5;
  static const gd_hair short_kinds[] = {GD_HAIR_BALD,    GD_HAIR_CROPPED,
                                        GD_HAIR_CROPPED, GD_HAIR_SIDE_PART,
                                        GD_HAIR_CURLS,   GD_HAIR_RECEDING};
  static const gd_hair other_kinds[] = {GD_HAIR_SIDE_PART, GD_HAIR_CURLS,
                                        GD_HAIR_LONG,      GD_HAIR_LONG,
                                        GD_HAIR_FRINGE,    GD_HAIR_BUN};
  if (is_bearded_kind) {
    look->hair = short_kinds[gd_random_below(r, COUNT(short_kinds))];
    look->beard = (gd_beard)gd_random_below(r, GD_N_BEARD);
  } else {
    look->hair = other_kinds[gd_random_below(r, COUNT(other_kinds))];
    look->beard = GD_BEARD_NONE;
  }
  look->glasses = gd_random_uniform(r) < 0.3
                      ? (gd_glasses)(1 + gd_random_below(r, GD_N_GLASSES - 1))
                      : GD_GLASSES_NONE;
  look->part = around(r, 0.0, 0.5);
  look->jaw_square =
      is_bearded_kind ? around(r, 0.72, 0.10) : around(r, 0.84, 0.10);
  look->brow_thick =
      is_bearded_kind ? around(r, 0.075, 0.018) : around(r, 0.055, 0.015);
  look->neck_width =
      is_bearded_kind ? around(r, 0.66, 0.06) : around(r, 0.54, 0.05);
  look->shoulder =
      is_bearded_kind ? around(r, 2.35, 0.2) : around(r, 2.05, 0.15);
}

gd_look gd_look_of(uint64_t seed, int subject)
{
  gd_random stream = gd_random_of(seed, GD_FOR_SYNTH, GD_SYNTH_LOOK, subject);
  gd_random *r = &stream;
  gd_look look = {0};
  choose_colours(&look, r);
  choose_style(&look, r);
  look.chin_y = around(r, 1.56, 0.11);
  look.top_y = around(r, -1.42, 0.08);
  look.width = around(r, 1.0, 0.06);
  look.eye_x = around(r, 0.445, 0.03);
  look.eye_size = around(r, 0.215, 0.02);
  look.eye_open = around(r, 1.0, 0.09);
  look.eye_tilt = around(r, 0.02, 0.03);
  look.brow_y = around(r, -0.335, 0.03);
  look.brow_arch = around(r, 0.05, 0.025);
  look.nose_y = around(r, 0.57, 0.05);
  look.nose_width = around(r, 0.235, 0.04);
  look.mouth_y = around(r, 1.0, 0.035);
  look.mouth_width = around(r, 0.375, 0.03);
  look.lip_upper = around(r, 0.075, 0.02);
  look.lip_lower = around(r, 0.105, 0.025);
  look.mouth_bias = around(r, 0.0, 0.012);
  look.ear_size = around(r, 0.27, 0.03);
  look.age = gd_random_uniform(r);
  look.curls = gd_random_bits(r);
  return look;
}

gd_room gd_room_of(uint64_t seed, int64_t session)
{
  gd_random stream = gd_random_of(seed, GD_FOR_SYNTH, GD_SYNTH_ROOM, session);
  gd_random *r = &stream;
  gd_room room = {0};
  room.kind = (gd_room_kind)gd_random_below(r, GD_N_ROOMS);
  room.top = (gd_top)gd_random_below(r, GD_TOP_HOOD + 1);
  room.wall = pick(r, WALL, COUNT(WALL));
  room.floor = gd_colour_mix(room.wall, gd_colour_hex(0x1c1a20), 0.45);
  room.thing = pick(r, CLOTH, COUNT(CLOTH));
  room.cloth = pick(r, CLOTH, COUNT(CLOTH));
  room.cloth_dark = gd_colour_mix(room.cloth, gd_colour_hex(0x100c10), 0.45);
  room.thing_x = gd_random_uniform(r);
  room.light_x = around(r, 0.0, 1.0);
  room.contrast = around(r, 0.42, 0.16);
  const double exposure = around(r, 0.98, 0.12), warmth = around(r, 0.0, 0.06);
  room.gain[0] = exposure * (1.0 + warmth);
  room.gain[1] = exposure;
  room.gain[2] = exposure * (1.0 - warmth);
  room.flicker = 0.06 * gd_random_uniform(r);
  room.flicker_hz = around(r, 0.35, 0.25);
  room.flicker_phase = around(r, 0.0, 3.14159);
  room.noise = around(r, 2.6, 1.2);
  return room;
}
