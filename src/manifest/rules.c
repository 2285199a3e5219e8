#include "rules.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/profile.h"

static gd_value *value_of(const gd_section *section, gd_value *values,
                          const char *key)
{
  const int i = gd_section_find(section, key);
  assert(i >= 0);
  return &values[i];
}

static gd_status set_int(gd_arena *a, gd_value *value, int64_t number)
{
  char text[24];
  const int length = snprintf(text, sizeof text, "%" PRId64, number);
  value->integer = number;
  value->text = gd_arena_copy(a, text, (size_t)length);
  return value->text == NULL ? GD_ERR_NOMEM : GD_OK;
}

/* Point at what was written; a default is nowhere. */
static const gd_node *place_of(const gd_instance *s, const gd_value *value)
{
  return value->at != NULL ? value->at : s->stage->at;
}

/* What a training starts from. */
typedef struct {
  int depth; /* 0: from random weights */
  const char *profile;
} origin;

static gd_status find_origin(const gd_instance *s, gd_value *values, origin *o)
{
  const gd_section *section = s->stage->section;
  *o = (origin){0};
  if (gd_section_find(section, "init") < 0)
    return GD_OK;
  const gd_value *init = value_of(section, values, "init");
  if (!init->is_file)
    return GD_OK;
  return gd_node_blame(place_of(s, init),
                       gd_facts_model(s->job->manifest.facts, init->text,
                                      &o->depth, &o->profile));
}

/* Settle a key that follows others, where it was not written. */
static gd_status settle(const gd_instance *s, const gd_key *key,
                        gd_value *values, const origin *o, gd_value *value)
{
  gd_arena *a = s->job->manifest.arena;
  const gd_section *section = s->stage->section;
  if (strcmp(key->name, "profile") == 0) {
    value->text = o->depth > 0 ? o->profile : key->fallback;
    return GD_OK;
  }
  if (strcmp(key->fallback, GD_FROM_CORPUS) == 0)
    return set_int(a, value, gd_instance_corpus(s).n_levels);
  const int64_t usual = strtoll(key->fallback, NULL, 10);
  if (strcmp(key->name, "depth") == 0)
    return set_int(a, value, o->depth > 0 ? o->depth : usual);
  if (strcmp(key->name, "every") == 0)
    return set_int(a, value,
                   value_of(section, values, "rate")->real > 0 ? 0 : usual);
  assert(strcmp(key->name, "microbatch") == 0);
  const int64_t batch = value_of(section, values, "batch")->integer;
  return set_int(a, value, usual < batch ? usual : batch);
}

/* What an imported model is, no key may contradict; and there is no such
 * network of every depth and profile. */
static gd_status check_origin(const gd_instance *s, gd_value *values,
                              const origin *o, gd_resnet_config *network)
{
  const gd_section *section = s->stage->section;
  const gd_value *depth = value_of(section, values, "depth");
  const gd_value *profile = value_of(section, values, "profile");
  const char *init = value_of(section, values, "init")->text;
  if (o->depth > 0 && depth->integer != o->depth)
    return gd_node_fail(place_of(s, depth), NULL,
                        "'depth' is %s, but %s has %d layers: leave the key "
                        "out",
                        depth->text, init, o->depth);
  if (o->depth > 0 && strcmp(profile->text, o->profile) != 0)
    return gd_node_fail(place_of(s, profile), NULL,
                        "'profile' is %s, but the weights of %s are of %s: "
                        "leave the key out",
                        profile->text, init, o->profile);
  *network = gd_resnet_config_default();
  gd_status st = gd_profile_of(profile->text, network);
  network->depth = (int)depth->integer;
  if (st == GD_OK)
    st = gd_resnet_config_check(network);
  if (st != GD_OK)
    return gd_node_fail(place_of(s, profile), NULL, "'profile' is %s: %s",
                        profile->text, gd_reason());
  return GD_OK;
}

static gd_status check_folds(const gd_instance *s, gd_value *values)
{
  const gd_section *section = s->stage->section;
  const gd_corpus *corpus = s->job->facts.corpus;
  const gd_value *folds = value_of(section, values, "folds");
  const gd_value *fold = value_of(section, values, "fold");
  if (folds->integer == 1 || folds->integer == 2)
    return gd_node_fail(folds->at, NULL,
                        "'folds' is %s: there have to be 3 or more, to test, "
                        "for development and to train on",
                        folds->text);
  if (fold->integer > 1 && fold->integer > folds->integer)
    return gd_node_fail(fold->at, NULL, "'fold' is %s, but 'folds' is %s",
                        fold->text, folds->text);
  /* Ranks that did not read the corpus are told by the one that did. */
  const int named = corpus == NULL || gd_instance_upstream(s, "synth") != NULL
                        ? 0
                        : gd_corpus_n_folds(corpus);
  if (folds->integer > 0 && named > 0 && folds->integer != named)
    return gd_node_fail(folds->at, NULL,
                        "'folds' is %s, but the corpus's column `fold` names "
                        "%d: write so, or take the column out",
                        folds->text, named);
  return GD_OK;
}

static gd_status check_microbatch(const gd_section *section, gd_value *values)
{
  const gd_value *micro = value_of(section, values, "microbatch");
  const gd_value *batch = value_of(section, values, "batch");
  if (micro->integer > batch->integer)
    return gd_node_fail(micro->at, NULL,
                        "'microbatch' is %s, more than 'batch', %s",
                        micro->text, batch->text);
  return GD_OK;
}

static gd_status check_train_detector(const gd_instance *s, gd_value *values)
{
  const gd_value *images = value_of(s->stage->section, values, "images");
  for (int i = 0; i < 3; i++)
    if (images->reals[i] != floor(images->reals[i]))
      return gd_node_fail(place_of(s, images), NULL,
                          "'images' takes whole numbers, not %s", images->text);
  return GD_OK;
}

/* What the training would refuse is refused here: it comes behind frames and
 * faces. */
static gd_status check_freeze(const gd_instance *s, const gd_value *freeze,
                              const gd_resnet_config *network)
{
  gd_tensor_table weights;
  gd_status st = gd_resnet_tables(network, &weights, NULL);
  if (st != GD_OK)
    return st;
  unsigned char *frozen = gd_alloc(weights.n_entries, 1);
  st = frozen == NULL ? GD_ERR_NOMEM
                      : gd_resnet_freeze(&weights, freeze->text, frozen);
  free(frozen);
  gd_tensor_table_free(&weights);
  return gd_node_blame(place_of(s, freeze), st);
}

/* Who asks for labels must not get a list of videos without, nor the other way
 * round: labelled videos have partitions, which are not to be mixed. */
static gd_status check_labels(const gd_instance *s, const gd_instance *faces,
                              int wanted)
{
  const int are_there = strcmp(gd_instance_corpus(faces).layout, "list") != 0;
  if (are_there == wanted)
    return GD_OK;
  if (wanted)
    return gd_node_fail(s->stage->at, NULL,
                        "'%s' needs labels: a corpus of layout 'list' has none",
                        s->stage->name);
  return gd_node_fail(s->stage->at, NULL,
                      "'%s' scores a corpus of layout 'list'; for labelled "
                      "videos there is 'evaluate'",
                      s->stage->name);
}

static gd_status check_train(const gd_instance *s, gd_value *values,
                             const origin *o)
{
  const gd_section *section = s->stage->section;
  const gd_value *patience = value_of(section, values, "patience");
  if (patience->integer > 0 &&
      strcmp(value_of(section, values, "select")->text, "dev") != 0)
    return gd_node_fail(place_of(s, patience), NULL,
                        "'patience' waits for a lower development MAE: it "
                        "needs 'select: dev'");
  gd_resnet_config network;
  gd_status st = check_labels(s, s, 1);
  if (st == GD_OK)
    st = check_origin(s, values, o, &network);
  if (st == GD_OK)
    st = check_freeze(s, value_of(section, values, "freeze"), &network);
  return st == GD_OK ? check_folds(s, values) : st;
}

/* Folds are dealt over the videos that the model's faces show; with others, a
 * person could be trained on and tested. */
static gd_status check_evaluate(const gd_instance *s)
{
  const gd_instance *train = gd_instance_upstream(s, "train");
  const gd_instance *align = gd_instance_upstream(s, "align");
  gd_status st = check_labels(s, align, 1);
  if (st != GD_OK)
    return st;
  if (gd_instance_int(train, "folds") == 0 ||
      gd_instance_upstream(train, "align") == align)
    return GD_OK;
  return gd_node_fail(s->stage->at, NULL,
                      "'%s' takes its faces from '%s', but the folds of '%s' "
                      "were dealt over those of '%s': evaluate these",
                      s->stage->name, gd_instance_title(align),
                      gd_instance_title(train),
                      gd_instance_title(gd_instance_upstream(train, "align")));
}

static gd_status check_extract(const gd_instance *s, gd_value *values)
{
  const gd_section *section = s->stage->section;
  const gd_value *every = value_of(section, values, "every");
  const gd_value *rate = value_of(section, values, "rate");
  const gd_value *start = value_of(section, values, "start");
  const gd_value *stop = value_of(section, values, "stop");
  if (every->integer > 0 && rate->real > 0)
    return gd_node_fail(place_of(s, rate), NULL,
                        "'rate' and 'every' both say which frames to keep: "
                        "leave one of them out, or set it to 0");
  if (every->integer == 0 && rate->real == 0)
    return gd_node_fail(place_of(s, every), NULL,
                        "'every' and 'rate' are both 0: one of them has to say "
                        "which frames to keep");
  if (stop->real > 0 && stop->real <= start->real)
    return gd_node_fail(place_of(s, stop), NULL,
                        "'stop' is %s s, not after 'start', %s s", stop->text,
                        start->text);
  return GD_OK;
}

gd_status gd_rules_apply(const gd_instance *s, gd_value *values)
{
  const gd_section *section = s->stage->section;
  origin o;
  gd_status st = find_origin(s, values, &o);
  for (int i = 0; st == GD_OK && i < section->n_keys; i++)
    if (values[i].text == NULL)
      st = settle(s, &section->keys[i], values, &o, &values[i]);
  if (st == GD_OK && gd_section_find(section, "microbatch") >= 0)
    st = check_microbatch(section, values);
  if (st == GD_OK && strcmp(section->kind, "train") == 0)
    st = check_train(s, values, &o);
  if (st == GD_OK && strcmp(section->kind, "train-detector") == 0)
    st = check_train_detector(s, values);
  if (st == GD_OK && strcmp(section->kind, "extract") == 0)
    st = check_extract(s, values);
  if (st == GD_OK && strcmp(section->kind, "evaluate") == 0)
    st = check_evaluate(s);
  if (st == GD_OK && strcmp(section->kind, "predict") == 0)
    st = check_labels(s, s, 0);
  return st;
}
