#include "instance.h"

#include <stdio.h>
#include <string.h>

#include "gradus/drawn_detector.h"
#include "gradus/file.h"
#include "rules.h"

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
  return st == GD_OK ? gd_rules_apply(s, values) : st;
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
  const gd_value *layout = &m->corpus[gd_section_find(section, "layout")];
  const gd_value *root = &m->corpus[gd_section_find(section, "root")];
  const gd_value *levels = &m->corpus[gd_section_find(section, "levels")];
  return gd_node_blame(root->at,
                       gd_facts_corpus(m->facts, layout->text, root->text,
                                       (int)levels->integer, &job->corpus));
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
