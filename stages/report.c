/* report -- gather the scores of all models of a job into tables and a page.
 *
 *   results.csv       a line per model and slice, and the constant predictors'
 *   table.txt         the same for a terminal
 *   index.html        with charts, corpus audit and manifest: gradus/report.h
 *   tables/NAME.csv   every table of the page
 *   tables/NAME.tex   the same, to \input into a paper
 *   figures/NAME.svg  every figure of the page, .png likewise
 *
 * Small work on small files: rank 0 does it, the others wait.
 */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/attention_set.h"
#include "gradus/comparison.h"
#include "gradus/corpus.h"
#include "gradus/curves.h"
#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/gemm.h"
#include "gradus/memory.h"
#include "gradus/model.h"
#include "gradus/report.h"
#include "gradus/scores.h"
#include "gradus/skips.h"
#include "gradus/stage.h"
#include "gradus/version.h"

enum { MOST_TABLE_BYTES = 1 << 24 };

/* One model: what its stages left. */
typedef struct {
  const gd_instance *scores_of; /* the evaluate instance */
  gd_text method, seed, fold;
  gd_text origin; /* "epoch 12, step 340, development MAE 6.12" */
  double dev_mae; /* < 0: not known */
} member;

typedef struct {
  const gd_job *job;
  const gd_instance *self;
  int n;
  member *members;
  gd_scores **scores;           /* (n) */
  gd_curves *curves;            /* (n) */
  gd_attention_set **attention; /* (n) NULL: no maps */
  gd_skips skips;
  gd_corpus_source source;
  gd_corpus *corpus; /* read again here; NULL: the job's own, or gone */
  gd_comparison *comparison;
} gathering;

/* ----------------------------------------------------------------- gather */

static const gd_instance *train_of(const gathering *g, int i)
{
  return gd_instance_upstream(gd_instance_input(g->self, i), "train");
}

/* Whether models were trained with different seeds: a corpus has one too. */
static int seeds_vary(const gathering *g)
{
  for (int i = 1; i < g->n; i++)
    if (gd_instance_int(train_of(g, i), "seed") !=
        gd_instance_int(train_of(g, 0), "seed"))
      return 1;
  return 0;
}

/* Whether the scores are of several stages of the manifest: then each row says
 * whose it is. */
static int stages_vary(const gathering *g)
{
  for (int i = 1; i < g->n; i++)
    if (strcmp(gd_instance_name(gd_instance_input(g->self, i)),
               gd_instance_name(gd_instance_input(g->self, 0))) != 0)
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
static void name_member(const gathering *g, int i)
{
  member *m = &g->members[i];
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
    } else if (is_key(pair, train, "seed") && seeds_vary(g)) {
      gd_text_bytes(&m->seed, value, (size_t)(end - value));
    } else {
      gd_text_add(&others, n_others++ > 0 ? "," : "");
      gd_text_bytes(&others, pair, (size_t)(end - pair));
      only = strchr(gd_text_get(&others), '=') + 1;
    }
  }
  if (stages_vary(g))
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

static gd_status read_training(gathering *g, int i)
{
  member *m = &g->members[i];
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

static gd_status read_member(gathering *g, int i)
{
  member *m = &g->members[i];
  char path[GD_PATH_MAX];
  m->scores_of = gd_instance_input(g->self, i);
  gd_status st =
      gd_path_join(gd_instance_directory(m->scores_of), "scores.h5", path);
  if (st == GD_OK)
    st = gd_scores_read_videos(path, &g->scores[i]);
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

/* What any stage before this report left out; each instance once, in the job's
 * order. */
static gd_status read_skips(gathering *g)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(g->job); i++) {
    const gd_instance *s = gd_job_instance(g->job, i);
    char path[GD_PATH_MAX];
    if (s == g->self || !is_upstream(g->self, s))
      continue;
    st = gd_path_join(gd_instance_directory(s), "report.yaml", path);
    if (st == GD_OK)
      st = gd_skips_add(&g->skips, path, gd_instance_title(s));
  }
  return st;
}

/* What reading the corpus says beside its videos.  A drawn corpus is a result
 * like others; one that has been removed since has no remarks. */
static gd_status read_remarks(gathering *g)
{
  g->source = gd_instance_corpus(g->members[0].scores_of);
  if (gd_job_corpus(g->job) != NULL)
    return GD_OK;
  gd_status st = gd_corpus_read(g->source.layout, g->source.root,
                                g->source.n_levels, &g->corpus);
  return st == GD_ERR_NOMEM ? st : GD_OK;
}

static gd_status compare(gathering *g)
{
  const gd_bootstrap b = {
      .seed = (uint64_t)gd_instance_int(g->self, "bootstrap.seed"),
      .draws = (int)gd_instance_int(g->self, "bootstrap.draws"),
      .level = gd_instance_real(g->self, "bootstrap.level")};
  gd_comparison_member *members = gd_alloc(g->n, sizeof *members);
  if (members == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < g->n; i++)
    members[i] = (gd_comparison_member){
        gd_text_get(&g->members[i].method), gd_text_get(&g->members[i].seed),
        gd_text_get(&g->members[i].fold), g->scores[i], g->members[i].dev_mae};
  const gd_status st = gd_comparison_new(g->n, members, &b, &g->comparison);
  free(members);
  return st;
}

static gd_status gather(gathering *g)
{
  g->n = gd_instance_n_inputs(g->self);
  g->members = gd_alloc(g->n, sizeof *g->members);
  g->scores = gd_alloc(g->n, sizeof(gd_scores *));
  g->curves = gd_alloc(g->n, sizeof *g->curves);
  g->attention = gd_alloc(g->n, sizeof(gd_attention_set *));
  if (g->members == NULL || g->scores == NULL || g->curves == NULL ||
      g->attention == NULL)
    return GD_ERR_NOMEM;
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < g->n; i++)
    st = read_member(g, i);
  if (st == GD_OK)
    st = read_skips(g);
  if (st == GD_OK)
    st = read_remarks(g);
  return st == GD_OK ? compare(g) : st;
}

static void drop(gathering *g)
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
  gd_skips_free(&g->skips);
  gd_corpus_free(g->corpus);
  free(g->members);
  free(g->scores);
  free(g->curves);
  free(g->attention);
}

/* ------------------------------------------------------------------ write */

static gd_status write_text(const gathering *g, const char *name,
                            const gd_text *text)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_text_status(text);
  if (st == GD_OK)
    st = gd_path_join(gd_instance_directory(g->self), name, path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(text), text->length_bytes);
  return st;
}

static gd_status compose_page(const gathering *g, gd_text *page,
                              gd_report_files *files)
{
  const gd_corpus *corpus =
      gd_job_corpus(g->job) != NULL ? gd_job_corpus(g->job) : g->corpus;
  const char *title = gd_instance_text(g->self, "title");
  const char *(*facts)[2] = gd_alloc(g->n + 3, sizeof *facts);
  if (facts == NULL)
    return GD_ERR_NOMEM;
  int n = 0;
  facts[n][0] = "gradus";
  facts[n++][1] = gd_version();
  facts[n][0] = "matrix kernels";
  facts[n++][1] = gd_gemm_backend();
  facts[n][0] = "libraries";
  facts[n++][1] = gd_version_libraries();
  for (int i = 0; i < g->n; i++, n++) {
    facts[n][0] = g->comparison->parts[i].label;
    facts[n][1] = gd_text_get(&g->members[i].origin);
  }
  const gd_status st = gd_report_html(
      &(gd_report){.title = title[0] != '\0' ? title : gd_job_name(g->job),
                   .comparison = g->comparison,
                   .curves = g->curves,
                   .attention = g->attention,
                   .layout = g->source.layout,
                   .is_drawn = gd_instance_upstream(g->self, "synth") != NULL,
                   .n_remarks = corpus == NULL ? 0 : corpus->n_warnings,
                   .remarks = corpus == NULL ? NULL : corpus->warnings,
                   .skips = &g->skips,
                   .manifest = gd_job_effective(g->job),
                   .n_facts = n,
                   .facts = (const char *const(*)[2])facts},
      page, files);
  free(facts);
  return st;
}

/* An earlier report may have had files that this one has not. */
static gd_status clear(const gathering *g, const char *name)
{
  char directory[GD_PATH_MAX], path[GD_PATH_MAX];
  gd_folder *folder;
  gd_status st = gd_path_join(gd_instance_directory(g->self), name, directory);
  if (st == GD_OK)
    st = gd_directory_make(directory);
  if (st == GD_OK)
    st = gd_folder_read(directory, &folder);
  if (st != GD_OK)
    return st;
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++) {
    st = gd_path_join(directory, folder->names[i], path);
    if (st == GD_OK)
      st = gd_file_remove(path);
  }
  gd_folder_free(folder);
  return st;
}

static gd_status write_files(const gathering *g, const gd_report_files *list)
{
  gd_status st = clear(g, "tables");
  if (st == GD_OK)
    st = clear(g, "figures");
  for (int64_t i = 0; st == GD_OK && i < list->n; i++)
    st = write_text(g, list->files[i].path, &list->files[i].content);
  return st;
}

static gd_status write_results(const gathering *g)
{
  gd_text csv = {0}, table = {0}, page = {0};
  gd_report_files files = {0};
  gd_comparison_csv(g->comparison, &csv);
  gd_comparison_table(g->comparison, &table);
  gd_status st = write_text(g, "results.csv", &csv);
  if (st == GD_OK)
    st = write_text(g, "table.txt", &table);
  if (st == GD_OK)
    st = compose_page(g, &page, &files);
  if (st == GD_OK)
    st = write_text(g, "index.html", &page);
  if (st == GD_OK)
    st = write_files(g, &files);
  gd_report_files_free(&files);
  gd_text_free(&csv);
  gd_text_free(&table);
  gd_text_free(&page);
  return st;
}

static gd_status make(const gd_job *job, const gd_instance *self)
{
  gathering g = {.job = job, .self = self};
  gd_status st = gather(&g);
  if (st == GD_OK)
    st = write_results(&g);
  drop(&g);
  return st;
}

static gd_status run(gd_stage_env *env)
{
  gd_status st = GD_OK;
  if (env->rank == 0) {
    st = make(env->job, env->self);
    gd_stage_count(env, "models", gd_instance_n_inputs(env->self));
  }
  return gd_agree(env->comm, st);
}

const gd_stage gd_stage_report = {
    .kind = "report",
    .summary = "gather scores into tables and a page",
    .run = run,
};

/* -------------------------------------------------------- for the program */

static int is_report(const gd_instance *s)
{
  return strcmp(gd_instance_kind(s), gd_stage_report.kind) == 0;
}

gd_status gd_report_rebuild(const gd_job *job)
{
  gd_status st = GD_OK;
  int n = 0;
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(job); i++)
    if (is_report(gd_job_instance(job, i))) {
      st = gd_directory_make(gd_instance_directory(gd_job_instance(job, i)));
      if (st == GD_OK)
        st = make(job, gd_job_instance(job, i));
      n++;
    }
  if (st == GD_OK && n == 0)
    return gd_fail(GD_ERR_USAGE, "job %s has no stage of kind report",
                   gd_job_name(job));
  return st;
}

gd_status gd_report_show(const gd_job *job, gd_text *out)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(job); i++) {
    const gd_instance *s = gd_job_instance(job, i);
    char path[GD_PATH_MAX], *table = NULL;
    size_t size_bytes;
    if (!is_report(s))
      continue;
    st = gd_path_join(gd_instance_directory(s), "table.txt", path);
    if (st != GD_OK || !gd_path_exists(path))
      continue;
    st = gd_file_read(path, MOST_TABLE_BYTES, &table, &size_bytes);
    if (st == GD_OK)
      st = gd_path_join(gd_instance_directory(s), "index.html", path);
    if (st == GD_OK)
      gd_text_printf(out, "\n%s\nreport: %s\n", table, path);
    free(table);
  }
  return st == GD_OK ? gd_text_status(out) : st;
}
