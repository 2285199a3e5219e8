/* train -- fit a network to the faces of the training partition.
 *
 *   model.h5      weights of the epoch with the least development MAE, or of
 *                 the last one
 *   checkpoint-<steps>.h5   to go on from after a stop or a failure
 *   metrics.csv   loss and error by epoch; steps.csv by step
 *
 * All ranks train one model together: see gradus/fit.h. */
#include "train.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/fit.h"
#include "gradus/folds.h"
#include "gradus/memory.h"
#include "gradus/model.h"
#include "gradus/profile.h"
#include "gradus/stage.h"

static gd_status optimizer_of(const gd_instance *self, gd_optimizer *out)
{
  gd_optimizer_kind kind;
  gd_status st =
      gd_optimizer_kind_of(gd_instance_text(self, "optimizer.kind"), &kind);
  if (st != GD_OK)
    return st;
  *out = (gd_optimizer){
      .kind = kind,
      .rate = gd_instance_real(self, "optimizer.rate"),
      .beta1 = gd_instance_real(self, "optimizer.beta1"),
      .beta2 = gd_instance_real(self, "optimizer.beta2"),
      .epsilon = gd_instance_real(self, "optimizer.epsilon"),
      .momentum = gd_instance_real(self, "optimizer.momentum"),
      .weight_decay = gd_instance_real(self, "optimizer.weight_decay"),
      .trust = gd_instance_real(self, "optimizer.trust")};
  const int64_t meant_for = gd_instance_int(self, "optimizer.rate_batch");
  if (meant_for > 0)
    out->rate *= (double)gd_instance_int(self, "batch") / (double)meant_for;
  return GD_OK;
}

static gd_status schedule_of(const gd_instance *self, gd_schedule *out)
{
  *out = (gd_schedule){.warmup = gd_instance_real(self, "schedule.warmup"),
                       .every = gd_instance_int(self, "schedule.every"),
                       .factor = gd_instance_real(self, "schedule.factor"),
                       .epochs = gd_instance_int(self, "epochs")};
  return gd_schedule_kind_of(gd_instance_text(self, "schedule.kind"),
                             &out->kind);
}

static gd_status trainer_of(const gd_instance *self, int size_px,
                            gd_trainer_config *out)
{
  gd_resnet_config network = gd_resnet_config_default();
  *out = (gd_trainer_config){
      .n_levels = (int)gd_instance_int(self, "levels"),
      .augment = {.flip = gd_instance_flag(self, "flip"),
                  .rotate = gd_instance_real(self, "augment.rotate"),
                  .scale = gd_instance_real(self, "augment.scale"),
                  .shift = gd_instance_real(self, "augment.shift"),
                  .brightness = gd_instance_real(self, "augment.brightness"),
                  .contrast = gd_instance_real(self, "augment.contrast"),
                  .grey = gd_instance_real(self, "augment.grey"),
                  .erase = gd_instance_real(self, "augment.erase")},
      .dropout = gd_instance_real(self, "dropout"),
      .seed = (uint64_t)gd_instance_int(self, "seed")};
  out->loss_options =
      (gd_loss_options){.sigma = gd_instance_real(self, "loss_sigma"),
                        .mean = gd_instance_real(self, "loss_mean"),
                        .variance = gd_instance_real(self, "loss_variance"),
                        .delta = gd_instance_real(self, "loss_delta")};
  gd_status st = gd_loss_of(gd_instance_text(self, "loss"), &out->loss);
  if (st != GD_OK)
    return st;
  network.depth = (int)gd_instance_int(self, "depth");
  network.height = network.width = size_px;
  network.hidden = (int)gd_instance_int(self, "hidden");
  network.outputs = gd_loss_outputs(out->loss, out->n_levels);
  network.shared_output = gd_loss_shares_weights(out->loss);
  st = gd_profile_of(gd_instance_text(self, "profile"), &network);
  if (st == GD_OK)
    st = gd_precision_of(gd_instance_text(self, "precision"),
                         &network.precision);
  out->network = network;
  return st == GD_OK ? gd_resnet_config_check(&network) : st;
}

static gd_status config_of(const gd_stage_env *env, int size_px,
                           gd_fit_config *out)
{
  const gd_instance *self = env->self;
  *out = (gd_fit_config){
      .batch = (int)gd_instance_int(self, "batch"),
      .microbatch = (int)gd_instance_int(self, "microbatch"),
      .select_dev = strcmp(gd_instance_text(self, "select"), "dev") == 0,
      .clip = gd_instance_real(self, "clip"),
      .average = gd_instance_real(self, "average"),
      .freeze = gd_instance_text(self, "freeze"),
      .patience = gd_instance_int(self, "patience"),
      .checkpoint_every = gd_instance_int(self, "checkpoint_every"),
      .keep_checkpoints = gd_instance_int(self, "keep_checkpoints"),
      .init = gd_instance_text(self, "init"),
      .directory = env->directory,
      .digest = gd_instance_digest(self)};
  gd_status st = trainer_of(self, size_px, &out->trainer);
  if (st == GD_OK)
    st = optimizer_of(self, &out->optimizer);
  if (st == GD_OK)
    st = gd_balance_of(gd_instance_text(self, "balance"), &out->balance);
  if (st == GD_OK)
    st = schedule_of(self, &out->schedule);
  return st;
}

gd_status gd_train_divide(const gd_instance *self, gd_face_set *faces)
{
  const int n_folds = (int)gd_instance_int(self, "folds");
  const int tested = (int)gd_instance_int(self, "fold") - 1;
  const uint64_t seed = (uint64_t)gd_instance_int(self, "fold_seed");
  const gd_video_table *table = gd_face_set_videos(faces);
  if (n_folds == 0)
    return GD_OK;
  int *fold = gd_alloc(table->n_videos, sizeof *fold);
  gd_partition *partition = gd_alloc(table->n_videos, sizeof *partition);
  gd_status st = fold == NULL || partition == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK)
    st = gd_folds_deal(table->n_videos, table->videos, n_folds, seed, fold);
  if (st == GD_OK) {
    for (int64_t v = 0; v < table->n_videos; v++)
      partition[v] = gd_folds_partition(fold[v], n_folds, tested);
    gd_face_set_divide(faces, partition);
  }
  free(fold);
  free(partition);
  return st;
}

/* How the faces were made, for whoever has the model and other videos. */
typedef struct {
  gd_text made_with;
  char detector[GD_DIGEST_HEX];
} origin;

static gd_status tell_origin(const gd_instance *align, origin *o)
{
  static const gd_digest none = {0, 0};
  const gd_digest detector = gd_instance_content(align, "detector");
  gd_instance_parameters(gd_instance_upstream(align, "extract"), &o->made_with);
  gd_instance_parameters(align, &o->made_with);
  o->detector[0] = '\0';
  if (!gd_digest_equal(detector, none))
    gd_digest_hex(detector, o->detector);
  assert(o->made_with.length_bytes < GD_MODEL_MADE_WITH);
  return gd_text_status(&o->made_with);
}

static void expect(void *env, int64_t n_samples)
{
  gd_stage_expect(env, n_samples, "images");
}

static gd_status tick(void *env, int64_t n_samples)
{
  return gd_stage_tick(env, n_samples);
}

static void note(void *env, const char *text)
{
  gd_stage_note(env, text);
}

static gd_status run(gd_stage_env *env)
{
  gd_face_set *faces = NULL;
  gd_fit_config config;
  origin o = {0};
  const gd_instance *align = gd_instance_upstream(env->self, "align");
  gd_status st = gd_face_set_open(gd_instance_directory(align), &faces);
  if (st == GD_OK)
    st = gd_train_divide(env->self, faces);
  if (st == GD_OK)
    st = config_of(env, gd_face_set_size_px(faces), &config);
  if (st == GD_OK)
    st = tell_origin(align, &o);
  config.made_with = gd_text_get(&o.made_with);
  config.detector = o.detector;
  st = gd_agree(env->comm, st);
  if (st == GD_OK) {
    const gd_fit_hooks hooks = {
        .context = env, .expect = expect, .tick = tick, .note = note};
    st = gd_fit(env->comm, env->rank, env->size, &config, faces, &hooks);
  }
  gd_face_set_close(faces);
  gd_text_free(&o.made_with);
  return st;
}

const gd_stage gd_stage_train = {.kind = "train", .run = run};
