#include "gradus/trainer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "gradus/dropout.h"
#include "gradus/memory.h"
#include "gradus/random.h"

struct gd_trainer {
  gd_trainer_config config;
  int most;
  gd_prefetch *prefetch;
  gd_resnet *net;
  gd_tensor_table weights, running;
  uint8_t *rgb;     /* two faces: one, and scratch to change it */
  float *x;         /* (most, H, W, 3) */
  float *labels;    /* (most) */
  float *logits;    /* (most, K) */
  float *gradients; /* (most, K), by the logits */
  float *expected;  /* (most) */
  int n_features;   /* inputs of the first dense layer */
  float *factors;   /* dropout: (most, n_features), (most, hidden); or NULL */
};

static int64_t face_items(const gd_trainer *t)
{
  return (int64_t)t->config.network.height * t->config.network.width * 3;
}

static gd_status allocate_factors(gd_trainer *t)
{
  const int n_hidden = t->config.network.hidden;
  t->n_features = gd_tensor_table_find(&t->weights, "fc.0.weight")->shape[1];
  t->factors = gd_alloc((int64_t)t->most * (t->n_features + n_hidden),
                        sizeof t->factors[0]);
  if (t->factors == NULL)
    return GD_ERR_NOMEM;
  gd_resnet_multiply(t->net, t->factors,
                     t->factors + (int64_t)t->most * t->n_features);
  return GD_OK;
}

static gd_status allocate(gd_trainer *t)
{
  const int64_t n = t->most, outputs = t->config.network.outputs;
  gd_status st = gd_resnet_tables(&t->config.network, &t->weights, &t->running);
  if (st == GD_OK)
    st = gd_resnet_new(&t->config.network, t->most, 1, &t->net);
  if (st != GD_OK)
    return st;
  t->rgb = gd_alloc(2 * face_items(t), 1);
  t->x = gd_alloc(n * face_items(t), sizeof t->x[0]);
  t->labels = gd_alloc(n, sizeof t->labels[0]);
  t->logits = gd_alloc(n * outputs, sizeof t->logits[0]);
  t->gradients = gd_alloc(n * outputs, sizeof t->gradients[0]);
  t->expected = gd_alloc(n, sizeof t->expected[0]);
  if (t->config.dropout > 0 && allocate_factors(t) != GD_OK)
    return GD_ERR_NOMEM;
  return t->rgb == NULL || t->x == NULL || t->labels == NULL ||
                 t->logits == NULL || t->gradients == NULL ||
                 t->expected == NULL
             ? GD_ERR_NOMEM
             : GD_OK;
}

gd_status gd_trainer_new(const gd_trainer_config *config, int most,
                         gd_prefetch *prefetch, gd_trainer **out)
{
  assert(config != NULL && most >= 1 && prefetch != NULL && out != NULL);
  assert(config->network.height == config->network.width);
  assert(config->network.outputs ==
         gd_loss_outputs(config->loss, config->n_levels));
  assert(config->network.shared_output == gd_loss_shares_weights(config->loss));
  *out = NULL;
  gd_trainer *t = gd_alloc(1, sizeof *t);
  if (t == NULL)
    return GD_ERR_NOMEM;
  t->config = *config;
  t->most = most;
  t->prefetch = prefetch;
  gd_status st = allocate(t);
  if (st != GD_OK) {
    gd_trainer_free(t);
    return st;
  }
  *out = t;
  return GD_OK;
}

void gd_trainer_free(gd_trainer *t)
{
  if (t == NULL)
    return;
  gd_resnet_free(t->net);
  gd_tensor_table_free(&t->weights);
  gd_tensor_table_free(&t->running);
  free(t->rgb);
  free(t->x);
  free(t->labels);
  free(t->logits);
  free(t->gradients);
  free(t->expected);
  free(t->factors);
  free(t);
}

const gd_tensor_table *gd_trainer_weights(const gd_trainer *t)
{
  return &t->weights;
}

const gd_tensor_table *gd_trainer_running(const gd_trainer *t)
{
  return &t->running;
}

int64_t gd_trainer_bytes(const gd_trainer *t)
{
  return gd_resnet_bytes(t->net) +
         t->most * face_items(t) * (int64_t)sizeof t->x[0];
}

void gd_trainer_pack(gd_trainer *t, const float *weights)
{
  gd_resnet_pack(t->net, weights);
}

/* Take one sample into place `i` of the microbatch. */
static gd_status load(gd_trainer *t, const gd_samples *samples, int64_t sample,
                      const gd_augment_draw *draw, int i)
{
  assert(sample >= 0 && sample < samples->n);
  gd_status st = gd_prefetch_take(t->prefetch, samples->face[sample], t->rgb);
  if (st != GD_OK)
    return st;
  gd_augment_change(draw, t->config.network.height, t->rgb,
                    t->rgb + face_items(t));
  gd_augment_apply(draw, &t->config.network.input, t->config.network.height,
                   t->rgb, t->x + i * face_items(t));
  t->labels[i] = samples->label[sample];
  return GD_OK;
}

/* Draw what is left out of sample i of a microbatch. */
static void drop(gd_trainer *t, int64_t epoch, int64_t sample, int i)
{
  const int n_hidden = t->config.network.hidden;
  gd_random r = gd_random_of(t->config.seed, GD_FOR_DROPOUT, epoch, sample);
  float *features = t->factors + (int64_t)i * t->n_features;
  float *hidden =
      t->factors + (int64_t)t->most * t->n_features + (int64_t)i * n_hidden;
  gd_dropout_draw(t->config.dropout, &r, t->n_features, features);
  gd_dropout_draw(t->config.dropout, &r, n_hidden, hidden);
}

static gd_status name_samples(gd_status st, const gd_samples *samples,
                              const gd_microbatch *m)
{
  char names[512];
  gd_samples_name(samples, m->samples, m->n, names, sizeof names);
  return gd_fail(st, "%s (faces %s)", gd_reason(), names);
}

/* Put the statistics behind the gradient, as a part of the leaves' mean. */
static void add_statistics(const gd_trainer *t, int64_t n_leaves, float *leaf)
{
  const float *statistics = gd_resnet_statistics(t->net);
  float *to = leaf + t->weights.count;
  for (int64_t i = 0; i < t->running.count; i++)
    to[i] = statistics[i] / (float)n_leaves;
}

gd_status gd_trainer_forward(gd_trainer *t, const gd_samples *samples,
                             const gd_microbatch *m, float *leaf,
                             double *tallies)
{
  assert(t != NULL && m->n >= 1 && m->n <= t->most && m->batch >= m->n);
  const double waited_s = gd_prefetch_waited_s(t->prefetch);
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < m->n; i++) {
    /* A sample's second turn is, for what is drawn, another sample. */
    const int64_t drawn = m->samples[i] + m->turns[i] * samples->n;
    const gd_augment_draw draw =
        gd_augment_of(&t->config.augment, t->config.seed, m->epoch, drawn);
    st = load(t, samples, m->samples[i], &draw, i);
    if (t->factors != NULL)
      drop(t, m->epoch, drawn, i);
  }
  tallies[GD_TALLY_WAITED] = gd_prefetch_waited_s(t->prefetch) - waited_s;
  if (st == GD_OK)
    st =
        gd_resnet_forward(t->net, GD_RESNET_TRAIN, NULL, t->x, m->n, t->logits);
  if (st == GD_OK)
    st = gd_loss_forward_backward(t->config.loss, &t->config.loss_options,
                                  t->config.n_levels, t->logits, t->labels,
                                  m->n, m->batch, t->gradients, t->expected,
                                  &tallies[GD_TALLY_LOSS]);
  if (st != GD_OK)
    return name_samples(st, samples, m);

  add_statistics(t, m->n_leaves, leaf);
  tallies[GD_TALLY_ABSOLUTE] = tallies[GD_TALLY_SQUARED] = 0;
  for (int i = 0; i < m->n; i++) {
    const double error = (double)t->expected[i] - (double)t->labels[i];
    tallies[GD_TALLY_ABSOLUTE] += fabs(error);
    tallies[GD_TALLY_SQUARED] += error * error;
  }
  return GD_OK;
}

void gd_trainer_backward(gd_trainer *t, float *leaf, gd_resnet_hear *hear,
                         void *context)
{
  gd_resnet_tell(t->net, hear, context);
  gd_resnet_backward(t->net, t->gradients, leaf);
  gd_resnet_tell(t->net, NULL, NULL);
}

gd_status gd_trainer_predict(gd_trainer *t, const gd_samples *samples,
                             gd_range places, const float *running,
                             float *expected)
{
  const int n = (int)(places.end - places.first);
  assert(t != NULL && n >= 1 && n <= t->most);
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < n; i++)
    st = load(t, samples, places.first + i, &(gd_augment_draw){0}, i);
  if (st == GD_OK)
    st = gd_resnet_forward(t->net, GD_RESNET_EVALUATE, running, t->x, n,
                           t->logits);
  if (st == GD_OK)
    st = gd_loss_predict(t->config.loss, t->config.n_levels, t->logits, n, NULL,
                         expected, NULL);
  return st;
}
