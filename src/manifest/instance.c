#include "instance.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/drawn_detector.h"
#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/profile.h"

enum { MOST_INSTANCES = 100000 };

/* Raise it when the composition of digests itself changes. */
enum { DIGEST_VERSION = 1 };

/* What making the instances needs besides the job. */
typedef struct {
  gd_job *job;
  gd_manifest *m;
  int *first; /* per stage: index of its first instance */
} maker;

/* --------------------------------------------------------------- members */

/* A stage varies with its own axes and with those of its inputs; one that
 * gathers, with its own only. */
static gd_status find_axes(gd_manifest *m)
{
  for (int o = 0; o < m->n_stages; o++) {
    gd_declared *s = &m->stages[m->order[o]];
    s->varies = gd_arena_get(m->arena, (size_t)m->n_axes, 1);
    if (s->varies == NULL)
      return GD_ERR_NOMEM;
    for (int a = 0; a < m->n_axes; a++) {
      s->varies[a] = m->axes[a].stage == m->order[o];
      for (int i = 0; i < s->n_from && !s->section->gathers; i++)
        if (s->from[i] >= 0 && m->stages[s->from[i]].varies[a])
          s->varies[a] = 1;
    }
  }
  return GD_OK;
}

static int64_t n_members(const gd_manifest *m, const gd_declared *s)
{
  int64_t n = 1;
  for (int a = 0; a < m->n_axes && n <= MOST_INSTANCES; a++)
    if (s->varies[a])
      n *= m->axes[a].n_values;
  return n;
}

/* The number of the member of `s` that an assignment of values belongs to; the
 * last axis changes fastest. */
static int member_of(const gd_manifest *m, const gd_declared *s,
                     const int *choice)
{
  int number = 0;
  for (int a = 0; a < m->n_axes; a++)
    if (s->varies[a])
      number = number * m->axes[a].n_values + choice[a];
  return number;
}

static void choose(const gd_manifest *m, const gd_declared *s, int number,
                   int *choice)
{
  for (int a = m->n_axes - 1; a >= 0; a--) {
    choice[a] = -1;
    if (s->varies[a]) {
      choice[a] = number % m->axes[a].n_values;
      number /= m->axes[a].n_values;
    }
  }
}

/* A key that two stages sweep is called by both names: "faces.seed". */
static int is_ambiguous(const gd_manifest *m, int stage, const char *key)
{
  for (int a = 0; a < m->n_axes; a++)
    for (int k = 0; k < m->axes[a].n_keys; k++)
      if (m->axes[a].stage != stage &&
          strcmp(m->stages[m->axes[a].stage]
                     .section->keys[m->axes[a].keys[k]]
                     .name,
                 key) == 0)
        return 1;
  return 0;
}

static gd_status name_member(const gd_manifest *m, gd_instance *s)
{
  gd_text member = {0}, title = {0};
  for (int a = 0; a < m->n_axes; a++) {
    const gd_axis *axis = &m->axes[a];
    const gd_section *section = m->stages[axis->stage].section;
    if (s->choice[a] < 0)
      continue;
    const gd_value *row =
        axis->values + (size_t)s->choice[a] * (size_t)section->n_keys;
    for (int k = 0; k < axis->n_keys; k++) {
      const char *key = section->keys[axis->keys[k]].name;
      gd_text_add(&member, member.length_bytes > 0 ? "," : "");
      if (is_ambiguous(m, axis->stage, key))
        gd_text_printf(&member, "%s.", m->stages[axis->stage].name);
      gd_text_printf(&member, "%s=%s", key, row[k].text);
    }
  }
  gd_text_add(&title, s->stage->name);
  if (member.length_bytes > 0)
    gd_text_printf(&title, "[%s]", gd_text_get(&member));
  gd_status st = gd_text_status(&member);
  if (st == GD_OK)
    st = gd_text_status(&title);
  if (st == GD_OK) {
    s->member =
        gd_arena_copy(m->arena, gd_text_get(&member), member.length_bytes);
    s->title = gd_arena_copy(m->arena, gd_text_get(&title), title.length_bytes);
    if (s->member == NULL || s->title == NULL)
      st = GD_ERR_NOMEM;
  }
  gd_text_free(&member);
  gd_text_free(&title);
  return st;
}

/* ---------------------------------------------------------------- inputs */

static gd_status connect(maker *k, gd_instance *s)
{
  const gd_manifest *m = k->m;
  int room = 0;
  for (int i = 0; i < s->stage->n_from; i++)
    if (s->stage->from[i] >= 0)
      room += s->stage->section->gathers
                  ? (int)n_members(m, &m->stages[s->stage->from[i]])
                  : 1;
  s->inputs = gd_arena_get(m->arena, (size_t)room, sizeof *s->inputs);
  if (s->inputs == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < s->stage->n_from; i++) {
    const int from = s->stage->from[i];
    if (from < 0) {
      s->takes_corpus = 1;
      continue;
    }
    const gd_declared *input = &m->stages[from];
    const int gathers = s->stage->section->gathers;
    const int first = gathers ? 0 : member_of(m, input, s->choice);
    const int end = gathers ? (int)n_members(m, input) : first + 1;
    for (int member = first; member < end; member++)
      s->inputs[s->n_inputs++] = &k->job->instances[k->first[from] + member];
  }
  return GD_OK;
}

/* ------------------------------------------------------------ parameters */

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

/* Defaults that depend on other values, and values that do not go together. */
static gd_status settle_values(gd_instance *s, gd_value *values)
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

/* A word that stands for a file which is part of the program. */
static int is_shipped(const gd_key *key, const gd_value *value)
{
  return key->type == GD_KEY_FILE && !value->is_file &&
         strcmp(value->text, GD_DETECTOR_DRAWN) == 0;
}

/* Content of the files that parameters name. */
static gd_status read_files(gd_instance *s, gd_value *values)
{
  gd_facts *facts = s->job->manifest.facts;
  const gd_section *section = s->stage->section;
  for (int i = 0; i < section->n_keys; i++) {
    if (is_shipped(&section->keys[i], &values[i]))
      values[i].content = gd_drawn_detector_digest();
    if (!values[i].is_file)
      continue;
    gd_status st = gd_node_blame(
        values[i].at, gd_facts_file(facts, values[i].text, &values[i].content));
    if (st != GD_OK)
      return st;
  }
  return GD_OK;
}

static gd_status set_values(gd_instance *s)
{
  const gd_manifest *m = &s->job->manifest;
  const size_t n_keys = (size_t)s->stage->section->n_keys;
  gd_value *values = gd_arena_get(m->arena, n_keys, sizeof *values);
  if (values == NULL)
    return GD_ERR_NOMEM;
  if (n_keys > 0)
    memcpy(values, s->stage->values, n_keys * sizeof *values);
  for (int a = 0; a < m->n_axes; a++) {
    const gd_axis *axis = &m->axes[a];
    if (&m->stages[axis->stage] != s->stage)
      continue;
    for (int k = 0; k < axis->n_keys; k++)
      values[axis->keys[k]] =
          axis->values[(size_t)s->choice[a] * n_keys + (size_t)k];
  }
  s->values = values;
  gd_status st = read_files(s, values);
  return st == GD_OK ? settle_values(s, values) : st;
}

/* --------------------------------------------------------------- digests */

static gd_status set_digest(gd_instance *s)
{
  const gd_section *section = s->stage->section;
  gd_hasher *h;
  gd_status st = gd_hasher_new(&h);
  if (st != GD_OK)
    return st;
  gd_hasher_text(h, "gradus instance");
  gd_hasher_int(h, DIGEST_VERSION);
  gd_hasher_text(h, section->kind);
  gd_hasher_int(h, section->version);
  for (int i = 0; i < section->n_keys; i++) {
    const gd_key *key = &section->keys[i];
    if (key->neutral ||
        (key->late && strcmp(s->values[i].text, key->fallback) == 0))
      continue;
    gd_hasher_text(h, key->name);
    if (s->values[i].is_file || is_shipped(key, &s->values[i]))
      gd_hasher_digest(h, s->values[i].content);
    else
      gd_hasher_text(h, s->values[i].text);
  }
  if (s->takes_corpus)
    gd_hasher_digest(h, s->job->corpus);
  gd_hasher_int(h, s->n_inputs);
  for (int i = 0; i < s->n_inputs; i++)
    gd_hasher_digest(h, s->inputs[i]->digest);
  s->digest = gd_hasher_end(h);
  return GD_OK;
}

static gd_status set_directory(gd_instance *s)
{
  char hex[GD_DIGEST_HEX], name[80], path[GD_PATH_MAX];
  gd_digest_hex(s->digest, hex);
  snprintf(name, sizeof name, "%s-%.8s", s->stage->name, hex);
  gd_status st = gd_path_join(s->job->manifest.work, name, path);
  if (st != GD_OK)
    return st;
  s->directory = gd_arena_copy(s->job->manifest.arena, path, strlen(path));
  return s->directory == NULL ? GD_ERR_NOMEM : GD_OK;
}

/* ---------------------------------------------------------------- making */

static gd_status make_one(maker *k, gd_declared *stage, int number,
                          gd_instance *s)
{
  int *choice = gd_arena_get(k->m->arena, (size_t)k->m->n_axes, sizeof *choice);
  if (choice == NULL)
    return GD_ERR_NOMEM;
  choose(k->m, stage, number, choice);
  *s = (gd_instance){.job = k->job, .stage = stage, .choice = choice};
  gd_status st = name_member(k->m, s);
  if (st == GD_OK)
    st = connect(k, s);
  if (st == GD_OK)
    st = set_values(s);
  if (st == GD_OK)
    st = set_digest(s);
  if (st == GD_OK)
    st = set_directory(s);
  return st;
}

static gd_status count_instances(maker *k)
{
  int64_t n = 0;
  for (int o = 0; o < k->m->n_stages; o++) {
    const gd_declared *s = &k->m->stages[k->m->order[o]];
    k->first[k->m->order[o]] = (int)n;
    n += n_members(k->m, s);
    if (n > MOST_INSTANCES)
      return gd_node_fail(s->at, NULL,
                          "the sweep makes more than %d stages to run",
                          MOST_INSTANCES);
  }
  k->job->instances =
      gd_arena_get(k->m->arena, (size_t)n, sizeof *k->job->instances);
  return k->job->instances == NULL ? GD_ERR_NOMEM : GD_OK;
}

static gd_status digest_corpus(gd_job *job)
{
  const gd_manifest *m = &job->manifest;
  if (m->corpus == NULL)
    return GD_OK;
  const gd_section *section = gd_section_corpus();
  const gd_value *root = value_of(section, m->corpus, "root");
  return gd_node_blame(
      root->at,
      gd_facts_corpus(
          m->facts, value_of(section, m->corpus, "layout")->text, root->text,
          (int)value_of(section, m->corpus, "levels")->integer, &job->corpus));
}

gd_status gd_instances_make(gd_job *job)
{
  maker k = {.job = job, .m = &job->manifest};
  k.first = gd_arena_get(k.m->arena, (size_t)k.m->n_stages, sizeof *k.first);
  if (k.first == NULL)
    return GD_ERR_NOMEM;
  gd_status st = digest_corpus(job);
  if (st == GD_OK)
    st = find_axes(k.m);
  if (st == GD_OK)
    st = count_instances(&k);
  for (int o = 0; st == GD_OK && o < k.m->n_stages; o++) {
    gd_declared *s = &k.m->stages[k.m->order[o]];
    const int n = (int)n_members(k.m, s);
    for (int i = 0; st == GD_OK && i < n; i++)
      st = make_one(&k, s, i, &job->instances[job->n_instances++]);
  }
  return st;
}
