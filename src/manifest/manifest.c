#include "manifest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gradus/nearest.h"

enum { KEY_LENGTH_MAX = 128, NAME_LENGTH_MAX = 48 };

#define BLOCKS "job|work|corpus|stages|sweep|slurm"

int gd_manifest_stage(const gd_manifest *m, const char *name)
{
  for (int i = 0; i < m->n_stages; i++)
    if (strcmp(m->stages[i].name, name) == 0)
      return i;
  return -1;
}

gd_status gd_manifest_no_stage(const gd_manifest *m, const gd_node *at)
{
  const char *names[256];
  int n = 0;
  for (; n < m->n_stages && n < 255; n++)
    names[n] = m->stages[n].name;
  if (strcmp(at->text, "corpus") == 0)
    return gd_node_fail(at, NULL,
                        "there is no `corpus:` block and no stage 'corpus'");
  return gd_node_fail(at, gd_nearest(at->text, names, n), "no stage '%s'",
                      at->text);
}

/* Names become parts of directories and of Slurm's job names. */
static gd_status check_name(const gd_node *at, const char *what)
{
  static const char allowed[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  if (at->kind != GD_NODE_SCALAR)
    return gd_node_fail(at, NULL, "%s is a word, not %s", what,
                        gd_node_kind_text(at));
  const size_t length = strlen(at->text);
  if (length == 0 || at->text[0] == '-' ||
      strspn(at->text, allowed) != length || length > NAME_LENGTH_MAX)
    return gd_node_fail(
        at, NULL, "%s is 1 to %d letters, digits, '_' and '-', not '%.60s'",
        what, NAME_LENGTH_MAX, at->text);
  return GD_OK;
}

static gd_status expect_map(const gd_node *node, const char *what)
{
  if (node->kind == GD_NODE_MAP)
    return GD_OK;
  return gd_node_fail(node, NULL, "%s takes a map, not %s", what,
                      node->text != NULL && node->text[0] == '\0'
                          ? "nothing"
                          : gd_node_kind_text(node));
}

/* ------------------------------------------------------------------ keys */

typedef struct {
  gd_arena *arena;
  const gd_section *section;
  const char *others;
  gd_key_visit *visit;
  void *context;
  const gd_node **seen; /* per key: where it was written */
} walk;

/* "stage|from" and the section's keys: what an unknown key is compared with. */
static gd_status fail_unknown(const walk *w, const gd_node *at,
                              const char *full)
{
  const char *nearest = gd_section_nearest(w->section, full);
  if (nearest == NULL && w->others != NULL) {
    char *copy = gd_arena_copy(w->arena, w->others, strlen(w->others));
    if (copy == NULL)
      return GD_ERR_NOMEM;
    for (char *rest = copy, *word; (word = strtok_r(rest, "|", &rest));)
      if (nearest == NULL)
        nearest = gd_nearest(full, (const char *const[]){word}, 1);
  }
  return gd_node_fail(at, nearest, "unknown key '%.100s' of '%s'", full,
                      w->section->kind);
}

static int is_group(const gd_section *section, const char *full)
{
  const size_t length = strlen(full);
  for (int i = 0; i < section->n_keys; i++)
    if (strncmp(section->keys[i].name, full, length) == 0 &&
        section->keys[i].name[length] == '.')
      return 1;
  return 0;
}

static gd_status walk_map(walk *w, gd_node *map, const char *prefix)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < map->n; i++) {
    const gd_node *at = map->keys[i];
    gd_node *value = map->items[i];
    char full[KEY_LENGTH_MAX];
    snprintf(full, sizeof full, "%s%s", prefix, at->text);
    if (prefix[0] == '\0' && gd_words_have(w->others, full))
      continue;
    const int key = gd_section_find(w->section, full);
    if (key >= 0 && w->seen[key] != NULL)
      return gd_node_fail(at, NULL, "key '%s' twice; first on line %d", full,
                          w->seen[key]->line);
    if (key >= 0) {
      w->seen[key] = at;
      st = w->visit(w->context, key, at, value);
    } else if (is_group(w->section, full)) {
      char inner[KEY_LENGTH_MAX + 1];
      snprintf(inner, sizeof inner, "%s.", full);
      st = expect_map(value, at->text);
      if (st == GD_OK)
        st = walk_map(w, value, inner);
    } else {
      st = fail_unknown(w, at, full);
    }
  }
  return st;
}

gd_status gd_manifest_walk(gd_arena *a, const gd_section *section, gd_node *map,
                           const char *others, gd_key_visit *visit,
                           void *context)
{
  walk w = {.arena = a,
            .section = section,
            .others = others,
            .visit = visit,
            .context = context,
            .seen = gd_arena_get(a, (size_t)section->n_keys,
                                 sizeof(const gd_node *))};
  if (w.seen == NULL)
    return GD_ERR_NOMEM;
  return walk_map(&w, map, "");
}

typedef struct {
  gd_arena *arena;
  const gd_section *section;
  gd_value *values;
  unsigned char *given;
} reading;

static gd_status read_key(void *context, int key, const gd_node *at,
                          gd_node *value)
{
  reading *r = context;
  (void)at;
  r->given[key] = 1;
  return gd_value_read(r->arena, &r->section->keys[key], value,
                       &r->values[key]);
}

static gd_status read_fallback(gd_arena *a, const gd_key *key, gd_value *out)
{
  static const gd_source source = {.name = "default of", .text = ""};
  if (key->follows)
    return GD_OK; /* filled in when the values beside it are known */
  gd_source *own = gd_arena_get(a, 1, sizeof *own);
  if (own == NULL)
    return GD_ERR_NOMEM;
  *own = (gd_source){.name = source.name, .text = key->fallback};
  gd_node *node = NULL;
  if (key->type == GD_KEY_REALS) {
    gd_status st = gd_node_parse(a, own, &node);
    if (st != GD_OK)
      return st;
  } else {
    node = gd_node_scalar(a, own, 1, key->fallback, strlen(key->fallback));
    if (node == NULL)
      return GD_ERR_NOMEM;
    node->quoted = 1;
  }
  gd_status st = gd_value_read(a, key, node, out);
  out->at = NULL;
  return st;
}

gd_status gd_manifest_section(gd_arena *a, const gd_section *section,
                              gd_node *map, const gd_node *missing,
                              const char *others, gd_value **values,
                              unsigned char **given)
{
  const size_t n = (size_t)section->n_keys;
  reading r = {.arena = a,
               .section = section,
               .values = gd_arena_get(a, n, sizeof(gd_value)),
               .given = gd_arena_get(a, n, 1)};
  if (r.values == NULL || r.given == NULL)
    return GD_ERR_NOMEM;
  gd_status st = gd_manifest_walk(a, section, map, others, read_key, &r);
  for (int i = 0; st == GD_OK && i < section->n_keys; i++) {
    const gd_key *key = &section->keys[i];
    if (r.given[i])
      continue;
    if (key->fallback == NULL)
      return gd_node_fail(missing, NULL, "'%s' of '%s' is missing: %s",
                          key->name, section->kind, key->sentence);
    st = read_fallback(a, key, &r.values[i]);
  }
  *values = r.values;
  if (given != NULL)
    *given = r.given;
  return st;
}

/* ---------------------------------------------------------------- stages */

static gd_status read_kind(gd_manifest *m, gd_node *map, gd_declared *s)
{
  const gd_node *kind = gd_node_get(map, "stage");
  if (kind == NULL)
    return gd_node_fail(s->at, NULL, "'%s' has no `stage:`, its kind", s->name);
  if (kind->kind == GD_NODE_SCALAR)
    s->section = gd_section_of(kind->text);
  if (s->section != NULL)
    return gd_manifest_section(m->arena, s->section, map, s->at, "stage|from",
                               &s->values, NULL);
  int n;
  const char *kinds[16];
  const gd_section *sections = gd_sections(&n);
  assert(n <= 16);
  for (int i = 0; i < n; i++)
    kinds[i] = sections[i].kind;
  if (kind->kind != GD_NODE_SCALAR)
    return gd_node_fail(kind, NULL, "'stage' takes a word, not %s",
                        gd_node_kind_text(kind));
  return gd_node_fail(kind, gd_nearest(kind->text, kinds, n),
                      "unknown stage kind '%.60s'", kind->text);
}

static gd_status read_stages(gd_manifest *m, gd_node *stages)
{
  gd_status st = expect_map(stages, "'stages'");
  if (st != GD_OK)
    return st;
  if (stages->n == 0)
    return gd_node_fail(stages, NULL, "there are no stages");
  m->stages = gd_arena_get(m->arena, (size_t)stages->n, sizeof *m->stages);
  if (m->stages == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; st == GD_OK && i < stages->n; i++) {
    gd_declared *s = &m->stages[i];
    s->at = stages->keys[i];
    s->name = s->at->text;
    st = check_name(s->at, "a stage's name");
    if (st == GD_OK && gd_words_have("defaults|" BLOCKS, s->name) &&
        (strcmp(s->name, "corpus") != 0 || m->corpus != NULL))
      return gd_node_fail(s->at, NULL, "the name '%s' is taken", s->name);
    if (st == GD_OK)
      st = expect_map(stages->items[i], s->name);
    if (st == GD_OK)
      st = read_kind(m, stages->items[i], s);
    m->n_stages++;
  }
  return st;
}

/* ---------------------------------------------------------------- inputs */

static void list_inputs(const gd_section *section, char *out, size_t out_bytes)
{
  size_t used = 0;
  out[0] = '\0';
  for (int i = 0; i < 3 && section->inputs[i] != NULL; i++) {
    const int n = snprintf(out + used, out_bytes - used, "%s%s",
                           i == 0 ? "" : " and ", section->inputs[i]);
    used += n > 0 ? (size_t)n : 0;
  }
}

/* Which of its section's inputs a `from` entry serves, or -1. */
static int role_of(const gd_manifest *m, const gd_section *section, int from)
{
  const char *kind =
      from == GD_FROM_BLOCK ? "corpus" : m->stages[from].section->kind;
  if (strcmp(kind, "synth") == 0)
    kind = "corpus";
  for (int i = 0; i < 3 && section->inputs[i] != NULL; i++)
    if (strcmp(section->inputs[i], kind) == 0)
      return i;
  return -1;
}

/* Find out which stage each entry of `from` names. */
static gd_status read_inputs(gd_manifest *m, gd_node *map, gd_declared *s)
{
  gd_node *from = gd_node_get(map, "from");
  gd_node *const *items = &from;
  s->n_from = from != NULL;
  if (from != NULL && from->kind == GD_NODE_LIST) {
    items = from->items;
    s->n_from = from->n;
  }
  s->from = gd_arena_get(m->arena, (size_t)s->n_from, sizeof *s->from);
  s->from_at = gd_arena_get(m->arena, (size_t)s->n_from, sizeof *s->from_at);
  if (s->from == NULL || s->from_at == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < s->n_from; i++) {
    const gd_node *at = items[i];
    if (at->kind != GD_NODE_SCALAR)
      return gd_node_fail(at, NULL, "'from' takes names of stages, not %s",
                          gd_node_kind_text(at));
    s->from_at[i] = at;
    s->from[i] = gd_manifest_stage(m, at->text);
    if (s->from[i] < 0 && (strcmp(at->text, "corpus") != 0 || !m->corpus))
      return gd_manifest_no_stage(m, at);
    for (int j = 0; j < i; j++)
      if (s->from[j] == s->from[i])
        return gd_node_fail(at, NULL, "input '%s' twice", at->text);
  }
  return GD_OK;
}

/* Put a stage behind its inputs; `state` is 0 new, 1 on the way here, 2 done.
 */
static gd_status put_in_order(gd_manifest *m, int stage, char *state, int *n)
{
  gd_declared *s = &m->stages[stage];
  state[stage] = 1;
  for (int i = 0; i < s->n_from; i++) {
    const int from = s->from[i];
    if (from < 0 || state[from] == 2)
      continue;
    if (state[from] == 1)
      return gd_node_fail(s->from_at[i], NULL,
                          "a cycle: '%s' takes from '%s', which depends on it",
                          s->name, m->stages[from].name);
    gd_status st = put_in_order(m, from, state, n);
    if (st != GD_OK)
      return st;
  }
  state[stage] = 2;
  m->order[(*n)++] = stage;
  return GD_OK;
}

static gd_status fail_role(const gd_manifest *m, const gd_declared *s, int i)
{
  const gd_node *at = s->from_at[i];
  const int from = s->from[i];
  char wanted[64];
  list_inputs(s->section, wanted, sizeof wanted);
  if (wanted[0] == '\0')
    return gd_node_fail(at, NULL, "'%s' takes no input", s->section->kind);
  return gd_node_fail(at, NULL, "'%s' is of kind '%s'; '%s' takes %s", at->text,
                      from < 0 ? "corpus" : m->stages[from].section->kind,
                      s->section->kind, wanted);
}

/* Order the inputs of a stage as its section lists them, and see that each is
 * there once (a stage that gathers: at least once). */
static gd_status settle_inputs(gd_manifest *m, gd_node *map, gd_declared *s)
{
  const size_t room = (size_t)s->n_from;
  int *from = gd_arena_get(m->arena, room, sizeof *from);
  const gd_node **from_at = gd_arena_get(m->arena, room, sizeof *from_at);
  if (from == NULL || from_at == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < s->n_from; i++)
    if (role_of(m, s->section, s->from[i]) < 0)
      return fail_role(m, s, i);
  int n = 0;
  for (int r = 0; r < 3 && s->section->inputs[r] != NULL; r++) {
    const int n_before = n;
    for (int i = 0; i < s->n_from; i++) {
      if (role_of(m, s->section, s->from[i]) != r)
        continue;
      if (n > n_before && !s->section->gathers)
        return gd_node_fail(s->from_at[i], NULL,
                            "'%s' takes one input of kind '%s', not two",
                            s->section->kind, s->section->inputs[r]);
      from[n] = s->from[i];
      from_at[n++] = s->from_at[i];
    }
    const gd_node *at = gd_node_get(map, "from");
    if (n == n_before)
      return gd_node_fail(at == NULL ? s->at : at, NULL,
                          "'%s' needs an input of kind '%s': add it to 'from'",
                          s->name, s->section->inputs[r]);
  }
  s->from = from;
  s->from_at = from_at;
  return GD_OK;
}

static gd_status read_graph(gd_manifest *m, gd_node *stages)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < m->n_stages; i++)
    st = read_inputs(m, stages->items[i], &m->stages[i]);
  const size_t n_stages = (size_t)m->n_stages;
  char *state = gd_arena_get(m->arena, n_stages, 1);
  m->order = gd_arena_get(m->arena, n_stages, sizeof *m->order);
  if (state == NULL || m->order == NULL)
    return GD_ERR_NOMEM;
  int n = 0;
  for (int i = 0; st == GD_OK && i < m->n_stages; i++)
    if (state[i] == 0)
      st = put_in_order(m, i, state, &n);
  for (int i = 0; st == GD_OK && i < m->n_stages; i++)
    st = settle_inputs(m, stages->items[i], &m->stages[i]);
  return st;
}

/* ---------------------------------------------------------------- blocks */

static gd_status read_slurm(gd_manifest *m, const gd_node *slurm)
{
  gd_status st = expect_map(slurm, "'slurm'");
  const size_t n = (size_t)m->n_stages + 1;
  m->slurm = gd_arena_get(m->arena, n, sizeof *m->slurm);
  m->slurm_given = gd_arena_get(m->arena, n, sizeof *m->slurm_given);
  if (m->slurm == NULL || m->slurm_given == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; st == GD_OK && i < slurm->n; i++) {
    const gd_node *name = slurm->keys[i];
    int stage = gd_manifest_stage(m, name->text);
    if (strcmp(name->text, "defaults") == 0)
      stage = m->n_stages;
    if (stage < 0)
      return gd_manifest_no_stage(m, name);
    st = expect_map(slurm->items[i], name->text);
    if (st == GD_OK)
      st = gd_manifest_section(m->arena, gd_section_slurm(), slurm->items[i],
                               name, NULL, &m->slurm[stage],
                               &m->slurm_given[stage]);
  }
  return st;
}

static gd_status check_blocks(const gd_node *root)
{
  static const char *const blocks[] = {"job",    "work",  "corpus",
                                       "stages", "sweep", "slurm"};
  gd_status st = expect_map(root, "a manifest");
  for (int i = 0; st == GD_OK && i < root->n; i++) {
    const gd_node *key = root->keys[i];
    if (!gd_words_have(BLOCKS, key->text))
      st = gd_node_fail(key, gd_nearest(key->text, blocks, 6),
                        "unknown key '%.100s' of a manifest", key->text);
  }
  return st;
}

static gd_status read_job(gd_manifest *m, const gd_node *root)
{
  const gd_node *job = gd_node_get(root, "job");
  const gd_node *work = gd_node_get(root, "work");
  if (job == NULL)
    return gd_node_fail(root, NULL, "'job', the job's name, is missing");
  gd_status st = check_name(job, "'job'");
  if (st != GD_OK)
    return st;
  m->name = job->text;
  if (work != NULL && (work->kind != GD_NODE_SCALAR || work->text[0] == '\0'))
    return gd_node_fail(work, NULL, "'work' takes a folder");
  if (work != NULL) {
    m->work = work->text;
    return GD_OK;
  }
  char path[NAME_LENGTH_MAX + 8];
  snprintf(path, sizeof path, "runs/%s", m->name);
  m->work = gd_arena_copy(m->arena, path, strlen(path));
  return m->work == NULL ? GD_ERR_NOMEM : GD_OK;
}

gd_status gd_manifest_check(gd_arena *arena, gd_facts *facts,
                            const gd_node *root, gd_manifest *m)
{
  *m = (gd_manifest){.arena = arena, .facts = facts, .root = root};
  gd_status st = check_blocks(root);
  if (st == GD_OK)
    st = read_job(m, root);
  if (st != GD_OK)
    return st;

  const int corpus = gd_node_find(root, "corpus");
  gd_node *stages = gd_node_get(root, "stages");
  const gd_node *sweep = gd_node_get(root, "sweep");
  const gd_node *slurm = gd_node_get(root, "slurm");
  if (corpus >= 0) {
    m->corpus_at = root->keys[corpus];
    st = expect_map(root->items[corpus], "'corpus'");
    if (st == GD_OK)
      st = gd_manifest_section(arena, gd_section_corpus(), root->items[corpus],
                               m->corpus_at, NULL, &m->corpus, NULL);
  }
  if (st == GD_OK && stages == NULL)
    st = gd_node_fail(root, NULL, "'stages' is missing");
  if (st == GD_OK)
    st = read_stages(m, stages);
  if (st == GD_OK)
    st = read_graph(m, stages);
  if (st == GD_OK && sweep != NULL)
    st = gd_manifest_sweep(m, sweep);
  if (st == GD_OK && slurm != NULL)
    st = read_slurm(m, slurm);
  return st;
}
