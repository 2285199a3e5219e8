/* Gathering of what a report is made from. */
#include "report_gather.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/model.h"

/* Frames' distributions are a thousand times as large as what else is read of
 * a model: those of a thousand would not fit into memory. */
enum { MOST_WITH_FRAMES = 64 };

/* ------------------------------------------------------------------ names */

static const gd_instance *train_of(const gd_report_gathering *g, int i)
{
  return gd_instance_upstream(g->members[i].scores_of, "train");
}

/* Whether the models of a source were trained with different seeds: a corpus
 * has one too. */
static int seeds_vary(const gd_report_source *s)
{
  for (int i = 1; i < s->n; i++)
    if (gd_instance_int(gd_instance_upstream(s->scores[i], "train"), "seed") !=
        gd_instance_int(gd_instance_upstream(s->scores[0], "train"), "seed"))
      return 1;
  return 0;
}

/* Whether the scores are of several stages of the manifest: then each row says
 * whose it is. */
static int stages_vary(const gd_report_source *s)
{
  for (int i = 1; i < s->n; i++)
    if (strcmp(gd_instance_name(s->scores[i]),
               gd_instance_name(s->scores[0])) != 0)
      return 1;
  return 0;
}

/* Return the end of "key=value" in a row of them; a value may be a list, whose
 * commas no key follows. */
static const char *end_of_pair(const char *pair)
{
  for (const char *c = strchr(pair, ','); c != NULL; c = strchr(c + 1, ',')) {
    const size_t key = strspn(c + 1, "abcdefghijklmnopqrstuvwxyz_.0123456789"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
    if (key > 0 && c[1 + key] == '=')
      return c;
  }
  return pair + strlen(pair);
}

/* Whether "key=..." is a key of the train instance: "seed", or "model.seed"
 * where other stages sweep a key of that name. */
static int is_key(const char *pair, const gd_instance *train, const char *key)
{
  const char *name = gd_instance_name(train);
  const size_t length = strlen(name);
  if (strncmp(pair, name, length) == 0 && pair[length] == '.')
    pair += length + 1;
  return strncmp(pair, key, strlen(key)) == 0 && pair[strlen(key)] == '=';
}

/* Take the member's name apart: its fold, its seed, and the method, which is
 * the value where one more axis is swept, all of them where several are, and
 * the loss where none is.  Of a fold, only the test videos are its own: other
 * folds predict the others as well. */
static void name_member(const gd_report_gathering *g, int i)
{
  gd_report_member *m = &g->members[i];
  const gd_instance *train = train_of(g, i);
  const int has_fold = g->scores[i]->info.partition == GD_TEST;
  const char *pair = gd_instance_member(m->scores_of);
  gd_text others = {0};
  const char *only = NULL;
  int n_others = 0;
  for (const char *end; *pair != '\0'; pair = *end == ',' ? end + 1 : end) {
    end = end_of_pair(pair);
    const char *value = strchr(pair, '=') + 1;
    if (has_fold && is_key(pair, train, "fold")) {
      gd_text_bytes(&m->fold, value, (size_t)(end - value));
    } else if (is_key(pair, train, "seed") && seeds_vary(m->source)) {
      gd_text_bytes(&m->seed, value, (size_t)(end - value));
    } else {
      gd_text_add(&others, n_others++ > 0 ? "," : "");
      gd_text_bytes(&others, pair, (size_t)(end - pair));
      only = strchr(gd_text_get(&others), '=') + 1;
    }
  }
  if (m->source->name[0] != '\0')
    gd_text_printf(&m->method, "%s: ", m->source->name);
  if (stages_vary(m->source))
    gd_text_printf(&m->method, "%s: ", gd_instance_name(m->scores_of));
  if (n_others == 0)
    gd_text_add(&m->method, g->scores[i]->info.loss);
  else
    gd_text_add(&m->method,
                n_others == 1 && only[0] != '\0' ? only : gd_text_get(&others));
  if (others.status != GD_OK)
    m->method.status = others.status;
  gd_text_free(&others);
}

static gd_status read_training(gd_report_gathering *g, int i)
{
  gd_report_member *m = &g->members[i];
  char path[GD_PATH_MAX];
  gd_model_info info;
  const gd_instance *model = gd_instance_upstream(m->scores_of, "train");
  gd_status st = gd_path_join(gd_instance_directory(model), "model.h5", path);
  if (st == GD_OK)
    st = gd_model_read_info(path, &info);
  if (st == GD_OK) {
    gd_text_printf(&m->origin, "epoch %" PRId64 ", step %" PRId64, info.epoch,
                   info.step);
    m->dev_mae = info.dev_mae;
    if (info.dev_mae >= 0)
      gd_text_printf(&m->origin, ", development MAE %.3f", info.dev_mae);
    st = gd_text_status(&m->origin);
  }
  if (st == GD_OK)
    st = gd_path_join(gd_instance_directory(model), "metrics.csv", path);
  if (st == GD_OK)
    st = gd_curves_read(path, &g->curves[i]);
  return st;
}

static gd_status read_member(gd_report_gathering *g, int i)
{
  gd_report_member *m = &g->members[i];
  char path[GD_PATH_MAX];
  gd_status st =
      gd_path_join(gd_instance_directory(m->scores_of), "scores.h5", path);
  if (st == GD_OK)
    st = (g->n > MOST_WITH_FRAMES ? gd_scores_read_videos
                                  : gd_scores_read)(path, &g->scores[i]);
  if (st == GD_OK && gd_instance_int(m->scores_of, "attention") > 0) {
    st =
        gd_path_join(gd_instance_directory(m->scores_of), "attention.h5", path);
    if (st == GD_OK)
      st = gd_attention_set_read(path, &g->attention[i]);
  }
  if (st != GD_OK)
    return st;
  name_member(g, i);
  st = gd_text_status(&m->method);
  if (st == GD_OK)
    st = gd_text_status(&m->seed);
  if (st == GD_OK)
    st = gd_text_status(&m->fold);
  return st == GD_OK ? read_training(g, i) : st;
}

static int is_upstream(const gd_instance *of, const gd_instance *wanted)
{
  if (of == wanted)
    return 1;
  for (int i = 0; i < gd_instance_n_inputs(of); i++)
    if (is_upstream(gd_instance_input(of, i), wanted))
      return 1;
  return 0;
}

static int is_upstream_of_any(const gd_report_source *s,
                              const gd_instance *wanted)
{
  for (int i = 0; i < s->n; i++)
    if (is_upstream(s->scores[i], wanted))
      return 1;
  return 0;
}

/* What any stage before the report left out; each instance once, in the job's
 * order. */
static gd_status read_skips(gd_report_source *source)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(source->job); i++) {
    const gd_instance *s = gd_job_instance(source->job, i);
    char path[GD_PATH_MAX];
    if (!is_upstream_of_any(source, s))
      continue;
    st = gd_path_join(gd_instance_directory(s), "report.yaml", path);
    if (st == GD_OK)
      st = gd_skips_add(&source->skips, path, gd_instance_title(s));
  }
  return st;
}

/* What reading the corpus says beside its videos.  A drawn corpus is a result
 * like others; one that has been removed since has no remarks. */
static gd_status read_remarks(gd_report_source *s)
{
  s->source = gd_instance_corpus(s->scores[0]);
  if (gd_job_corpus(s->job) != NULL)
    return GD_OK;
  gd_status st = gd_corpus_read(s->source.layout, s->source.root,
                                s->source.n_levels, &s->corpus);
  return st == GD_ERR_NOMEM ? st : GD_OK;
}

const gd_corpus *gd_report_corpus_of(const gd_report_source *s)
{
  return gd_job_corpus(s->job) != NULL ? gd_job_corpus(s->job) : s->corpus;
}

static gd_status compare(gd_report_gathering *g, const gd_bootstrap *b)
{
  gd_comparison_member *members = gd_alloc(g->n, sizeof *members);
  if (members == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < g->n; i++)
    members[i] = (gd_comparison_member){
        gd_text_get(&g->members[i].method), gd_text_get(&g->members[i].seed),
        gd_text_get(&g->members[i].fold), g->scores[i], g->members[i].dev_mae};
  const gd_status st = gd_comparison_new(g->n, members, b, &g->comparison);
  free(members);
  return st;
}

static gd_status make_members(gd_report_gathering *g)
{
  for (int s = 0; s < g->n_sources; s++)
    g->n += g->sources[s].n;
  g->members = gd_alloc(g->n, sizeof *g->members);
  g->scores = gd_alloc(g->n, sizeof(gd_scores *));
  g->curves = gd_alloc(g->n, sizeof *g->curves);
  g->attention = gd_alloc(g->n, sizeof(gd_attention_set *));
  if (g->members == NULL || g->scores == NULL || g->curves == NULL ||
      g->attention == NULL)
    return GD_ERR_NOMEM;
  gd_report_member *m = g->members;
  for (int s = 0; s < g->n_sources; s++)
    for (int i = 0; i < g->sources[s].n; i++, m++) {
      m->source = &g->sources[s];
      m->scores_of = g->sources[s].scores[i];
    }
  return GD_OK;
}

gd_status gd_report_gather(gd_report_gathering *g, const gd_bootstrap *b)
{
  gd_status st = make_members(g);
  for (int i = 0; st == GD_OK && i < g->n; i++)
    st = read_member(g, i);
  for (int s = 0; st == GD_OK && s < g->n_sources; s++) {
    st = read_skips(&g->sources[s]);
    if (st == GD_OK)
      st = read_remarks(&g->sources[s]);
  }
  return st == GD_OK ? compare(g, b) : st;
}

void gd_report_gathering_free(gd_report_gathering *g)
{
  gd_comparison_free(g->comparison);
  for (int i = 0; i < g->n; i++) {
    if (g->members != NULL) {
      gd_text_free(&g->members[i].method);
      gd_text_free(&g->members[i].seed);
      gd_text_free(&g->members[i].fold);
      gd_text_free(&g->members[i].origin);
    }
    if (g->scores != NULL)
      gd_scores_free(g->scores[i]);
    if (g->curves != NULL)
      gd_curves_free(&g->curves[i]);
    if (g->attention != NULL)
      gd_attention_set_free(g->attention[i]);
  }
  for (int s = 0; s < g->n_sources; s++) {
    free(g->sources[s].scores);
    gd_skips_free(&g->sources[s].skips);
    gd_corpus_free(g->sources[s].corpus);
  }
  free(g->sources);
  free(g->members);
  free(g->scores);
  free(g->curves);
  free(g->attention);
  *g = (gd_report_gathering){0};
}

/* ---------------------------------------------------------------- sources */

static int names_differ(int n, const gd_job *const *jobs)
{
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++)
      if (strcmp(gd_job_name(jobs[i]), gd_job_name(jobs[j])) == 0)
        return 0;
  return 1;
}

gd_status gd_report_sources(gd_report_gathering *g, int n,
                            const gd_job *const *jobs, const char *const *words)
{
  *g = (gd_report_gathering){0};
  g->sources = gd_alloc(n, sizeof *g->sources);
  if (g->sources == NULL)
    return GD_ERR_NOMEM;
  g->n_sources = n;
  const int by_name = names_differ(n, jobs);
  for (int i = 0; i < n; i++) {
    g->sources[i].job = jobs[i];
    g->sources[i].name = n == 1    ? ""
                         : by_name ? gd_job_name(jobs[i])
                                   : words[i];
  }
  return GD_OK;
}

gd_status gd_report_take(gd_report_source *s, const gd_instance *report)
{
  const int n = gd_instance_n_inputs(report);
  const gd_instance **scores = gd_alloc(s->n + n, sizeof *scores);
  if (scores == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < s->n; i++)
    scores[i] = s->scores[i];
  free(s->scores);
  s->scores = scores;
  for (int i = 0; i < n; i++) {
    const gd_instance *input = gd_instance_input(report, i);
    int known = 0;
    for (int k = 0; k < s->n; k++)
      known |= scores[k] == input;
    if (!known)
      scores[s->n++] = input;
  }
  return GD_OK;
}
