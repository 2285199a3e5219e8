/**
 * What a person looks like: all that stays while the face moves.
 *
 * Lengths are in units of the head: half the width of the face at the
 * cheekbones; x to the right, y down, the origin between the eyes.
 */
#ifndef GRADUS_SYNTH_LOOK_H
#define GRADUS_SYNTH_LOOK_H

#include <stdint.h>

#include "gradus/canvas.h"
#include "gradus/random.h"

typedef enum {
  GD_HAIR_BALD,
  GD_HAIR_CROPPED,
  GD_HAIR_SIDE_PART,
  GD_HAIR_CURLS,
  GD_HAIR_LONG,
  GD_HAIR_FRINGE,
  GD_HAIR_BUN,
  GD_HAIR_RECEDING,
  GD_N_HAIR
} gd_hair;

typedef enum {
  GD_BEARD_NONE,
  GD_BEARD_STUBBLE,
  GD_BEARD_MOUSTACHE,
  GD_BEARD_GOATEE,
  GD_BEARD_FULL,
  GD_N_BEARD
} gd_beard;

typedef enum {
  GD_GLASSES_NONE,
  GD_GLASSES_ROUND,
  GD_GLASSES_WIDE,
  GD_N_GLASSES
} gd_glasses;

/** A person: a pure function of (seed, subject). */
typedef struct {
  gd_colour skin, shade, light, lips, hair_colour, iris, frame_colour;
  gd_hair hair;
  gd_beard beard;
  gd_glasses glasses;
  double part;       /**< where the hair parts, -0.5 .. 0.5 */
  double jaw_square; /**< exponent of the jaw's curve: small is square */
  double chin_y, top_y;
  double width;    /**< of the whole head, about 1 */
  double eye_x;    /**< half the distance of the eyes */
  double eye_size; /**< half the width of an eye */
  double eye_open; /**< how far the lids open at rest, about 1 */
  double eye_tilt;
  double brow_y, brow_thick, brow_arch;
  double nose_y, nose_width;
  double mouth_y, mouth_width, lip_upper, lip_lower;
  double mouth_bias; /**< of the corners at rest: faces differ */
  double ear_size, neck_width, shoulder;
  double age;     /**< 0 smooth .. 1 folds and lines */
  uint64_t curls; /**< names the stream of its curls */
} gd_look;

gd_look gd_look_of(uint64_t seed, int subject);

typedef enum { GD_TOP_ROUND, GD_TOP_V, GD_TOP_COLLAR, GD_TOP_HOOD } gd_top;
typedef enum {
  GD_ROOM_WALL,
  GD_ROOM_WINDOW,
  GD_ROOM_SHELF,
  GD_ROOM_PICTURE,
  GD_N_ROOMS
} gd_room_kind;

/** Clothes, room and light of one session: a function of (seed, session). */
typedef struct {
  gd_room_kind kind;
  gd_top top;
  gd_colour wall, floor, thing, cloth, cloth_dark;
  double thing_x;  /**< where the window, shelf or picture is, 0 .. 1 */
  double light_x;  /**< the lamp: -1 left .. 1 right */
  double contrast; /**< of light and shade on the face, 0.2 .. 0.6 */
  double gain[3];  /**< of the camera, R G B */
  double flicker, flicker_hz, flicker_phase; /**< slow change of the light */
  double noise;                              /**< deviation, of 255 */
} gd_room;

gd_room gd_room_of(uint64_t seed, int64_t session);

/** Purposes of the corpus's streams of random numbers. */
enum {
  GD_SYNTH_LOOK,
  GD_SYNTH_ROOM,
  GD_SYNTH_POSE,
  GD_SYNTH_NOISE,
  GD_SYNTH_LEVEL,
  GD_SYNTH_SCENE,
  GD_SYNTH_LABEL
};

#endif
