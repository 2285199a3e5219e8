#include "gradus/evaluator.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/augment.h"
#include "gradus/loss.h"
#include "gradus/memory.h"
#include "gradus/resnet.h"

struct gd_evaluator {
  const gd_model *model;
  gd_resnet *net;
  float *x;      /* (H, W, 3) */
  float *logits; /* (outputs) */
};

gd_status gd_evaluator_new(const gd_model *model, gd_evaluator **out)
{
  assert(model != NULL && out != NULL);

  *out = NULL;
  const gd_resnet_config *config = &model->info.network;
  gd_evaluator *e = gd_alloc(1, sizeof *e);
  if (e == NULL)
    return GD_ERR_NOMEM;
  e->model = model;
  e->x = gd_alloc((int64_t)config->height * config->width * 3, sizeof(float));
  e->logits = gd_alloc(config->outputs, sizeof(float));
  gd_status st = e->x == NULL || e->logits == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK)
    st = gd_resnet_new(config, 1, 0, &e->net);
  if (st != GD_OK) {
    gd_evaluator_free(e);
    return st;
  }
  gd_resnet_pack(e->net, model->weights);
  *out = e;
  return GD_OK;
}

void gd_evaluator_free(gd_evaluator *e)
{
  if (e == NULL)
    return;
  gd_resnet_free(e->net);
  free(e->x);
  free(e->logits);
  free(e);
}

int gd_evaluator_levels(const gd_evaluator *e)
{
  assert(e != NULL);
  const gd_model_info *info = &e->model->info;
  return gd_loss_has_distribution(info->loss) ? info->n_levels : 0;
}

gd_status gd_evaluator_face(gd_evaluator *e, const uint8_t *rgb,
                            double *expected, double *sigma,
                            float *distribution)
{
  assert(e != NULL && rgb != NULL && expected != NULL && sigma != NULL);
  assert(distribution == NULL || gd_evaluator_levels(e) > 0);

  const gd_model_info *info = &e->model->info;
  const gd_augment_draw unchanged = {0};
  float mean = 0, deviation = 0;
  gd_augment_apply(&unchanged, &info->network.input, info->network.height, rgb,
                   e->x);
  gd_status st = gd_resnet_forward(e->net, GD_RESNET_EVALUATE,
                                   e->model->running, e->x, 1, e->logits);
  if (st == GD_OK)
    st = gd_loss_predict(info->loss, info->n_levels, e->logits, 1, distribution,
                         &mean, &deviation);
  *expected = mean;
  *sigma = deviation;
  return st;
}
