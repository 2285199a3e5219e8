#include "gradus/evaluator.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/attention.h"
#include "gradus/augment.h"
#include "gradus/loss.h"
#include "gradus/memory.h"
#include "gradus/resnet.h"

struct gd_evaluator {
  const gd_model *model;
  gd_resnet *net;
  float *x;                  /* (H, W, 3) */
  float *logits;             /* (outputs) */
  const float *first, *last; /* fc.0.weight, fc.2.weight; the model's */
  double *dlogits;           /* (outputs) */
  double *dhidden;           /* (hidden) */
  double *dfeatures;         /* (C) */
  float *block;              /* (rows, columns, C) what the last block gave */
};

static gd_status find_head(gd_evaluator *e)
{
  const gd_model *m = e->model;
  gd_tensor_table table;
  gd_status st = gd_resnet_tables(&m->info.network, &table, NULL);
  if (st != GD_OK)
    return st;
  const gd_tensor_entry *first = gd_tensor_table_find(&table, "fc.0.weight");
  e->first = m->weights + first->offset;
  e->last = m->weights + gd_tensor_table_find(&table, "fc.2.weight")->offset;
  e->dlogits = gd_alloc(m->info.network.outputs, sizeof(double));
  e->dhidden = gd_alloc(first->shape[0], sizeof(double));
  e->dfeatures = gd_alloc(first->shape[1], sizeof(double));
  gd_tensor_table_free(&table);
  return e->dlogits == NULL || e->dhidden == NULL || e->dfeatures == NULL
             ? GD_ERR_NOMEM
             : GD_OK;
}

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
    st = find_head(e);
  if (st == GD_OK)
    st = gd_resnet_new(config, 1, 0, &e->net);
  if (st == GD_OK) {
    const gd_resnet_tail tail = gd_resnet_last(e->net);
    e->block = gd_alloc((int64_t)tail.P * tail.Q * tail.C, sizeof(float));
    st = e->block == NULL ? GD_ERR_NOMEM : GD_OK;
  }
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
  free(e->dlogits);
  free(e->dhidden);
  free(e->dfeatures);
  free(e->block);
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

void gd_evaluator_map_size(const gd_evaluator *e, int *rows, int *columns)
{
  assert(e != NULL && rows != NULL && columns != NULL);
  const gd_resnet_tail tail = gd_resnet_last(e->net);
  *rows = tail.P;
  *columns = tail.Q;
}

void gd_evaluator_map(gd_evaluator *e, float *map)
{
  assert(e != NULL && map != NULL);
  const gd_model_info *info = &e->model->info;
  const gd_resnet_config *config = &info->network;
  const gd_resnet_tail tail = gd_resnet_last(e->net);
  int n_outputs = config->outputs;
  const gd_status st =
      gd_loss_slope(info->loss, info->n_levels, e->logits, e->dlogits);
  assert(st == GD_OK); /* the outputs gave a level */
  if (config->shared_output) {
    for (int k = 1; k < n_outputs; k++)
      e->dlogits[0] += e->dlogits[k];
    n_outputs = 1;
  }
  gd_attention_back(n_outputs, config->hidden, e->last, e->dlogits, tail.hidden,
                    e->dhidden);
  gd_attention_back(config->hidden, tail.C, e->first, e->dhidden, NULL,
                    e->dfeatures);
  const int n_pixels = tail.P * tail.Q;
  gd_precision_read(config->precision, tail.block, (int64_t)n_pixels * tail.C,
                    e->block);
  gd_attention_map(n_pixels, tail.C, e->block, e->dfeatures, map);
}
