#include "gradus/job.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "instance.h"
#include "override.h"

enum { MANIFEST_BYTES_MAX = 4 << 20 };

/* ----------------------------------------------------------------- loading */

static gd_status build(gd_job *job)
{
  gd_arena *a = job->facts.arena;
  gd_source *source = gd_arena_get(a, 1, sizeof *source);
  if (source == NULL)
    return GD_ERR_NOMEM;
  *source = (gd_source){.name = job->path, .text = job->text, .is_file = 1};
  gd_node *root = NULL;
  gd_status st = gd_node_parse(a, source, &root);
  if (st == GD_OK)
    st = gd_override_variables(a, &job->facts, root);
  for (int i = 0; st == GD_OK && i < job->n_sets; i++)
    st = gd_override_set(a, &job->facts, root, job->sets[i]);
  if (st == GD_OK)
    st = gd_manifest_check(a, &job->facts, root, &job->manifest);
  if (st == GD_OK)
    st = gd_instances_make(job);
  if (st != GD_OK)
    return st;
  gd_text effective = {0};
  gd_manifest_write(&job->manifest, &effective);
  st = gd_text_status(&effective);
  if (st == GD_OK)
    job->effective =
        gd_arena_copy(a, gd_text_get(&effective), effective.length_bytes);
  if (st == GD_OK && job->effective == NULL)
    st = GD_ERR_NOMEM;
  gd_text_free(&effective);
  return st;
}

static gd_status new_job(gd_job **out)
{
  gd_arena *arena;
  gd_status st = gd_arena_new(&arena);
  if (st != GD_OK)
    return st;
  *out = gd_arena_get(arena, 1, sizeof **out);
  if (*out == NULL) {
    gd_arena_free(arena);
    return GD_ERR_NOMEM;
  }
  (*out)->facts.arena = arena;
  return GD_OK;
}

static gd_status copy_sets(gd_job *job, const char *const *sets, int n_sets)
{
  gd_arena *a = job->facts.arena;
  const char **own = gd_arena_get(a, (size_t)n_sets, sizeof *own);
  if (own == NULL)
    return GD_ERR_NOMEM;
  job->sets = own;
  for (int i = 0; i < n_sets; i++) {
    own[i] = gd_arena_copy(a, sets[i], strlen(sets[i]));
    if (own[i] == NULL)
      return GD_ERR_NOMEM;
    job->n_sets++;
  }
  return GD_OK;
}

static gd_status read_text(gd_job *job, const char *path)
{
  gd_arena *a = job->facts.arena;
  char *text;
  size_t size;
  gd_status st = gd_file_read(path, MANIFEST_BYTES_MAX, &text, &size);
  st = gd_file_judge(st, path);
  if (st == GD_ERR_FORMAT && !gd_path_exists(path))
    return gd_fail(GD_ERR_USAGE, "%s: no such manifest", path);
  if (st == GD_ERR_FORMAT)
    return GD_ERR_USAGE;
  if (st != GD_OK)
    return st;
  job->path = gd_arena_copy(a, path, strlen(path));
  job->text = gd_arena_copy(a, text, size);
  free(text);
  if (job->path == NULL || job->text == NULL)
    return GD_ERR_NOMEM;
  if (strlen(job->text) != size)
    return gd_fail(GD_ERR_USAGE, "%s: no manifest: it has zero bytes", path);
  return GD_OK;
}

gd_status gd_job_load(const char *path, const char *const *sets, int n_sets,
                      gd_job **out)
{
  assert(path != NULL && out != NULL && n_sets >= 0);
  *out = NULL;
  gd_job *job;
  gd_status st = new_job(&job);
  if (st != GD_OK)
    return st;
  st = read_text(job, path);
  if (st == GD_OK)
    st = copy_sets(job, sets, n_sets);
  if (st == GD_OK)
    st = build(job);
  if (st == GD_OK)
    *out = job;
  else
    gd_job_free(job);
  return st;
}

void gd_job_free(gd_job *job)
{
  if (job == NULL)
    return;
  gd_corpus_free(job->facts.corpus);
  gd_arena_free(job->facts.arena);
}

/* A message is a row of zero-terminated texts: path, manifest, one per `--set`
 * after its mark, then questions and answers. */
static const char mark_set[] = "--set", mark_facts[] = "facts";

void gd_job_pack(const gd_job *job, gd_text *out)
{
  gd_text_bytes(out, job->path, strlen(job->path) + 1);
  gd_text_bytes(out, job->text, strlen(job->text) + 1);
  for (int i = 0; i < job->n_sets; i++) {
    gd_text_bytes(out, mark_set, sizeof mark_set);
    gd_text_bytes(out, job->sets[i], strlen(job->sets[i]) + 1);
  }
  gd_text_bytes(out, mark_facts, sizeof mark_facts);
  gd_facts_write(&job->facts, out);
}

typedef struct {
  const char *next, *end;
} message_reader;

static const char *next_text(message_reader *r)
{
  const char *text = r->next;
  const char *zero =
      text < r->end ? memchr(text, '\0', (size_t)(r->end - text)) : NULL;
  r->next = zero == NULL ? r->end : zero + 1;
  return zero == NULL ? NULL : text;
}

static gd_status read_message(gd_job *job, message_reader *r)
{
  gd_arena *a = job->facts.arena;
  const char *path = next_text(r), *text = next_text(r), *mark, *value;
  if (path == NULL || text == NULL)
    return gd_fail(GD_ERR_FORMAT, "not the message of a job");
  job->path = gd_arena_copy(a, path, strlen(path));
  job->text = gd_arena_copy(a, text, strlen(text));
  /* Two texts for each, of at least one byte. */
  const char **sets =
      gd_arena_get(a, (size_t)(r->end - r->next) / 2 + 1, sizeof *sets);
  if (job->path == NULL || job->text == NULL || sets == NULL)
    return GD_ERR_NOMEM;
  job->sets = sets;
  while ((mark = next_text(r)) != NULL && strcmp(mark, mark_set) == 0 &&
         (value = next_text(r)) != NULL) {
    sets[job->n_sets] = gd_arena_copy(a, value, strlen(value));
    if (sets[job->n_sets++] == NULL)
      return GD_ERR_NOMEM;
  }
  if (mark == NULL || strcmp(mark, mark_facts) != 0)
    return gd_fail(GD_ERR_FORMAT, "not the message of a job");
  gd_status st = GD_OK;
  const char *question;
  while (st == GD_OK && (question = next_text(r)) != NULL &&
         (value = next_text(r)) != NULL)
    st = gd_facts_note(&job->facts, question, value);
  job->facts.noted = 1;
  return st;
}

gd_status gd_job_unpack(const void *message, size_t size_bytes, gd_job **out)
{
  assert(out != NULL && (message != NULL || size_bytes == 0));
  *out = NULL;
  gd_job *job;
  gd_status st = new_job(&job);
  if (st != GD_OK)
    return st;
  message_reader r = {.next = message,
                      .end = (const char *)message + size_bytes};
  st = read_message(job, &r);
  if (st == GD_OK)
    st = build(job);
  if (st == GD_OK)
    *out = job;
  else
    gd_job_free(job);
  return st;
}

/* --------------------------------------------------------------- accessors */

const char *gd_job_name(const gd_job *job)
{
  return job->manifest.name;
}

const char *gd_job_work(const gd_job *job)
{
  return job->manifest.work;
}

const char *gd_job_effective(const gd_job *job)
{
  return job->effective;
}

const gd_corpus *gd_job_corpus(const gd_job *job)
{
  return job->facts.corpus;
}

int gd_job_n_instances(const gd_job *job)
{
  return job->n_instances;
}

const gd_instance *gd_job_instance(const gd_job *job, int i)
{
  assert(i >= 0 && i < job->n_instances);
  return &job->instances[i];
}

int gd_instance_index(const gd_instance *s)
{
  return (int)(s - s->job->instances);
}

const char *gd_instance_name(const gd_instance *s)
{
  return s->stage->name;
}

const char *gd_instance_kind(const gd_instance *s)
{
  return s->stage->section->kind;
}

const char *gd_instance_member(const gd_instance *s)
{
  return s->member;
}

const char *gd_instance_title(const gd_instance *s)
{
  return s->title;
}

const char *gd_instance_directory(const gd_instance *s)
{
  return s->directory;
}

gd_digest gd_instance_digest(const gd_instance *s)
{
  return s->digest;
}

int gd_instance_n_inputs(const gd_instance *s)
{
  return s->n_inputs;
}

const gd_instance *gd_instance_input(const gd_instance *s, int i)
{
  assert(i >= 0 && i < s->n_inputs);
  return s->inputs[i];
}

/* All paths to the inputs of a kind have the same length but where a stage
 * takes both a stage and that stage's own input: so going down level by level
 * is trying depths. */
static const gd_instance *upstream_at(const gd_instance *s, const char *kind,
                                      int depth)
{
  for (int i = 0; i < s->n_inputs; i++) {
    const gd_instance *found = s->inputs[i];
    if (depth > 1)
      found = upstream_at(found, kind, depth - 1);
    else if (strcmp(gd_instance_kind(found), kind) != 0)
      found = NULL;
    if (found != NULL)
      return found;
  }
  return NULL;
}

const gd_instance *gd_instance_upstream(const gd_instance *s, const char *kind)
{
  enum { DEEPEST = 8 };
  for (int depth = 1; depth <= DEEPEST; depth++) {
    const gd_instance *found = upstream_at(s, kind, depth);
    if (found != NULL)
      return found;
  }
  return NULL;
}

static const gd_value *parameter(const gd_instance *s, const char *key,
                                 gd_key_type type)
{
  const int i = gd_section_find(s->stage->section, key);
  assert(i >= 0 && "the kind has no such key");
  const gd_key_type found = s->stage->section->keys[i].type;
  assert(found == type || (type == GD_KEY_INT && found == GD_KEY_BYTES));
  (void)found;
  (void)type;
  return &s->values[i];
}

int64_t gd_instance_int(const gd_instance *s, const char *key)
{
  return parameter(s, key, GD_KEY_INT)->integer;
}

double gd_instance_real(const gd_instance *s, const char *key)
{
  return parameter(s, key, GD_KEY_REAL)->real;
}

int gd_instance_flag(const gd_instance *s, const char *key)
{
  return (int)parameter(s, key, GD_KEY_FLAG)->integer;
}

const double *gd_instance_reals(const gd_instance *s, const char *key)
{
  return parameter(s, key, GD_KEY_REALS)->reals;
}

int64_t gd_instance_max_skipped(const gd_instance *s, int64_t n_items)
{
  if (gd_section_find(s->stage->section, "max_skipped") < 0)
    return n_items;
  const gd_value *limit = parameter(s, "max_skipped", GD_KEY_LIMIT);
  if (limit->integer >= 0)
    return limit->integer;
  return (int64_t)floor(limit->real * (double)n_items / 100.0);
}

const char *gd_instance_text(const gd_instance *s, const char *key)
{
  const int i = gd_section_find(s->stage->section, key);
  assert(i >= 0 && "the kind has no such key");
  return s->values[i].text;
}

gd_digest gd_instance_content(const gd_instance *s, const char *key)
{
  return parameter(s, key, GD_KEY_FILE)->content;
}

gd_corpus_source gd_instance_corpus(const gd_instance *s)
{
  const gd_instance *synth = strcmp(gd_instance_kind(s), "synth") == 0
                                 ? s
                                 : gd_instance_upstream(s, "synth");
  if (synth != NULL)
    return (gd_corpus_source){.layout = gd_instance_text(synth, "layout"),
                              .root = gd_instance_directory(synth),
                              .n_levels =
                                  (int)gd_instance_int(synth, "levels")};

  const gd_section *section = gd_section_corpus();
  const gd_value *values = s->job->manifest.corpus;
  assert(values != NULL);
  return (gd_corpus_source){
      .layout = values[gd_section_find(section, "layout")].text,
      .root = values[gd_section_find(section, "root")].text,
      .n_levels = (int)values[gd_section_find(section, "levels")].integer,
      .digest = s->job->corpus};
}
