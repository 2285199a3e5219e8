/* synth -- draw a corpus of talking heads with known levels.
 *
 *   labels.csv, or the label files of the layout, written by rank 0
 *   one video per unit of work, its landmarks in the CSV beside it
 *
 * Where everything lies is the layout's matter: see gradus/synth.h.  The run
 * directory is the corpus that the stages downstream read. */
#include "gradus/synth.h"
#include "gradus/agree.h"
#include "gradus/stage.h"

static gd_synth config_of(const gd_instance *self)
{
  return (gd_synth){.seed = (uint64_t)gd_instance_int(self, "seed"),
                    .layout = gd_instance_text(self, "layout"),
                    .n_subjects = (int)gd_instance_int(self, "subjects"),
                    .n_sessions =
                        (int)gd_instance_int(self, "videos_per_subject"),
                    .n_levels = (int)gd_instance_int(self, "levels"),
                    .seconds = gd_instance_real(self, "seconds"),
                    .fps = gd_instance_real(self, "fps"),
                    .width_px = (int)gd_instance_int(self, "width"),
                    .height_px = (int)gd_instance_int(self, "height"),
                    .label_noise = gd_instance_real(self, "label_noise")};
}

static void name_video(const void *context, int64_t unit, char out[GD_PATH_MAX])
{
  const gd_synth *s = context;
  const gd_synth_item item = gd_synth_item_of(s, unit);
  gd_synth_name(s, &item, out);
}

static gd_status tick(void *env)
{
  return gd_stage_tick(env, 0);
}

static gd_status make_video(void *context, gd_stage_env *env, int64_t unit,
                            const char *path)
{
  (void)path; /* what gd_synth_video() derives from the unit itself */
  return gd_synth_video(context, unit, env->directory, tick, env);
}

static gd_status count_video(void *context, gd_stage_env *env, int64_t unit,
                             const char *path)
{
  (void)unit;
  (void)path;
  gd_stage_count(env, "videos", 1);
  gd_stage_count(env, "frames", gd_synth_frames(context));
  return GD_OK;
}

static gd_status run(gd_stage_env *env)
{
  gd_synth s = config_of(env->self);
  gd_status st = gd_synth_check(&s);
  if (st == GD_OK && env->rank == 0)
    st = gd_synth_labels(&s, env->directory);
  st = gd_agree(env->comm, st);
  if (st != GD_OK)
    return st;
  const gd_units units = {.n_units = gd_synth_count(&s),
                          .name = name_video,
                          .make = make_video,
                          .count = count_video,
                          .context = &s};
  return gd_stage_units(env, &units);
}

const gd_stage gd_stage_synth = {.kind = "synth", .run = run};
