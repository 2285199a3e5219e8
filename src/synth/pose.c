#include "pose.h"

#include <math.h>

static const double TWO_PI = 6.283185307179586;

/* A smooth wandering in about -1 .. 1: three slow sines. */
static double wander(gd_random *r, double time_s, double hz)
{
  double sum = 0.0;
  for (int i = 0; i < 3; i++) {
    const double rate = hz * gd_random_between(r, 0.5, 1.6);
    const double phase = TWO_PI * gd_random_uniform(r);
    sum += sin(TWO_PI * rate * time_s + phase);
  }
  return sum / 2.2;
}

/* How far a blink has closed the lids, 0 .. 1: about one in three seconds. */
static double blink(const gd_random *r, double time_s)
{
  const double period_s = 2.9, half_s = 0.16;
  double most = 0.0;
  const int64_t now = (int64_t)floor(time_s / period_s);
  for (int64_t k = now - 1; k <= now + 1; k++) {
    gd_random one = {.start = gd_random_mix(r->start + (uint64_t)k)};
    const double at_s =
        period_s * ((double)k + gd_random_between(&one, 0.2, 0.8));
    const double near = 1.0 - fabs(time_s - at_s) / half_s;
    if (near > most)
      most = near;
  }
  return most < 0.6 ? most / 0.6 : 1.0;
}

/* The mouth's opening in speech, 0 .. 1: syllables in phrases with pauses. */
static double speech(gd_random *r, double time_s)
{
  const double rate = gd_random_between(r, 2.6, 4.2);
  const double pace = gd_random_between(r, 0.25, 0.5);
  const double phase = TWO_PI * gd_random_uniform(r);
  const double phrase = sin(TWO_PI * pace * time_s + phase) + 0.55;
  const double syllable =
      0.5 - 0.5 * cos(TWO_PI * rate * time_s + 1.3 * sin(5.1 * time_s + phase));
  return phrase <= 0.0 ? 0.0 : syllable * fmin(1.0, 1.5 * phrase);
}

gd_pose gd_pose_of(uint64_t seed, int64_t video, const gd_look *look,
                   double sad, double time_s)
{
  gd_random stream = gd_random_of(seed, GD_FOR_SYNTH, GD_SYNTH_POSE, video);
  gd_random *r = &stream;
  const double energy = 1.0 - 0.55 * sad;
  gd_pose p;
  /* Where the person sits is drawn before, and without, the level. */
  const double seat_x = gd_random_between(r, -0.35, 0.35);
  const double seat_y = gd_random_between(r, -0.12, 0.12);
  p.scale = gd_random_between(r, 0.92, 1.08);
  p.lean = seat_x + 0.05 * wander(r, time_s, 0.15);
  p.x = p.lean + 0.09 * energy * wander(r, time_s, 0.22);
  p.y = seat_y + 0.05 * energy * wander(r, time_s, 0.3) + 0.07 * sad;
  p.scale *= 1.0 + 0.02 * wander(r, time_s, 0.12);
  p.yaw = gd_random_between(r, -0.12, 0.12);
  p.yaw += 0.15 * energy * wander(r, time_s, 0.25);
  p.pitch = 0.07 * energy * wander(r, time_s, 0.35) - 0.03 + 0.15 * sad;
  p.roll = gd_random_between(r, -0.06, 0.06);
  p.roll += 0.10 * energy * wander(r, time_s, 0.2);
  p.gaze_x = 0.35 * wander(r, time_s, 0.3) - 1.2 * p.yaw;
  p.gaze_y = 0.10 * wander(r, time_s, 0.3) + 0.25 * sad;
  const double open = look->eye_open * (1.10 - 0.60 * sad);
  p.lids = open * (1.0 - blink(r, time_s));
  p.brows = sad + 0.05 * wander(r, time_s, 0.4);
  p.corners =
      1.0 - 2.0 * sad + 0.06 * wander(r, time_s, 0.3) + look->mouth_bias * 4.0;
  p.mouth = speech(r, time_s) * (0.9 - 0.55 * sad);
  return p;
}
