/* report -- gather the scores of all models of a job into tables and a page.
 *
 *   results.csv       a line per model and slice, and the constant predictors'
 *   table.txt         the same for a terminal
 *   index.html        with charts, corpus audit and manifest: gradus/report.h
 *   tables/NAME.csv   every table of the page
 *   tables/NAME.tex   the same, to \input into a paper
 *   figures/NAME.svg  every figure of the page, .png likewise
 *   report-files.txt  the paths of these tables and figures, one a line: what
 *                     the next report here removes, and nothing else
 *
 * Small work on small files: rank 0 does it, the others wait.
 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/done.h"
#include "gradus/file.h"
#include "gradus/gemm.h"
#include "gradus/lock.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/stage.h"
#include "gradus/version.h"
#include "report_gather.h"

enum { MOST_TABLE_BYTES = 1 << 24 };

/* A report in the making. */
typedef struct {
  gd_report_gathering from;
  const char *title, *directory;
} report;

/* ------------------------------------------------------------------ write */

static gd_status write_text(const report *r, const char *name,
                            const gd_text *text)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_text_status(text);
  if (st == GD_OK)
    st = gd_path_join(r->directory, name, path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(text), text->length_bytes);
  return st;
}

static int is_drawn(const gd_report_source *s)
{
  return gd_instance_upstream(s->scores[0], "synth") != NULL;
}

/* The jobs, as the page shows them; returned for the caller to free. */
static gd_report_job *list_jobs(const gd_report_gathering *g)
{
  gd_report_job *jobs = gd_alloc(g->n_sources, sizeof *jobs);
  int first = 0;
  for (int i = 0; jobs != NULL && i < g->n_sources; i++) {
    const gd_report_source *s = &g->sources[i];
    const gd_corpus *corpus = gd_report_corpus_of(s);
    jobs[i] =
        (gd_report_job){.name = s->name,
                        .layout = s->source.layout,
                        .is_drawn = is_drawn(s),
                        .scores = g->scores[first],
                        .n_remarks = corpus == NULL ? 0 : corpus->n_warnings,
                        .remarks = corpus == NULL ? NULL : corpus->warnings,
                        .skips = &s->skips,
                        .manifest = gd_job_effective(s->job)};
    first += s->n;
  }
  return jobs;
}

static gd_status compose_page(const report *r, gd_text *page,
                              gd_report_files *files)
{
  const gd_report_gathering *g = &r->from;
  gd_report_job *jobs = list_jobs(g);
  const char *(*facts)[2] = gd_alloc(g->n + 3, sizeof *facts);
  gd_status st = jobs == NULL || facts == NULL ? GD_ERR_NOMEM : GD_OK;
  char gemm[GD_GEMM_TEXT];
  int n = 0;
  if (st == GD_OK) {
    gd_gemm_describe(GD_FP32, gemm);
    facts[n][0] = "gradus";
    facts[n++][1] = gd_version();
    facts[n][0] = "matrix kernels";
    facts[n++][1] = gemm;
    facts[n][0] = "libraries";
    facts[n++][1] = gd_version_libraries();
    for (int i = 0; i < g->n; i++, n++) {
      facts[n][0] = g->comparison->parts[i].label;
      facts[n][1] = gd_text_get(&g->members[i].origin);
    }
    st = gd_report_html(&(gd_report){.title = r->title,
                                     .comparison = g->comparison,
                                     .curves = g->curves,
                                     .attention = g->attention,
                                     .n_jobs = g->n_sources,
                                     .jobs = jobs,
                                     .n_facts = n,
                                     .facts = (const char *const(*)[2])facts},
                        page, files);
  }
  free(facts);
  free(jobs);
  return st;
}

/* ----------------------------------------------------- tables and figures */

static const char list_name[] = "report-files.txt";

/* A list may have been edited: nothing outside of the two folders goes. */
static int may_remove(const char *name)
{
  return (strncmp(name, "tables/", 7) == 0 ||
          strncmp(name, "figures/", 8) == 0) &&
         strstr(name, "..") == NULL;
}

/* An earlier report may have had files that this one has not.  Only what it
 * has listed goes: the folders may hold files of the user's own. */
static gd_status clear(const report *r)
{
  char path[GD_PATH_MAX], *list = NULL;
  gd_status st = gd_path_join(r->directory, list_name, path);
  if (st != GD_OK || !gd_path_exists(path))
    return st;
  st = gd_file_read(path, MOST_TABLE_BYTES, &list, NULL);
  for (char *rest = list, *name;
       st == GD_OK && (name = strtok_r(rest, "\n", &rest)) != NULL;) {
    if (!may_remove(name))
      continue;
    st = gd_path_join(r->directory, name, path);
    if (st == GD_OK)
      st = gd_file_remove(path);
  }
  free(list);
  return st;
}

static gd_status make_folder(const report *r, const char *name)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_path_join(r->directory, name, path);
  return st == GD_OK ? gd_directory_make(path) : st;
}

/* The list comes first: a report that is stopped leaves no file unlisted. */
static gd_status write_files(const report *r, const gd_report_files *list)
{
  gd_text names = {0};
  for (int64_t i = 0; i < list->n; i++)
    gd_text_printf(&names, "%s\n", list->files[i].path);
  gd_status st = clear(r);
  if (st == GD_OK)
    st = write_text(r, list_name, &names);
  if (st == GD_OK)
    st = make_folder(r, "tables");
  if (st == GD_OK)
    st = make_folder(r, "figures");
  for (int64_t i = 0; st == GD_OK && i < list->n; i++)
    st = write_text(r, list->files[i].path, &list->files[i].content);
  gd_text_free(&names);
  return st;
}

static gd_status write_results(const report *r)
{
  gd_text csv = {0}, table = {0}, page = {0};
  gd_report_files files = {0};
  gd_comparison_csv(r->from.comparison, &csv);
  gd_comparison_table(r->from.comparison, &table);
  gd_status st = write_text(r, "results.csv", &csv);
  if (st == GD_OK)
    st = write_text(r, "table.txt", &table);
  if (st == GD_OK)
    st = compose_page(r, &page, &files);
  if (st == GD_OK)
    st = write_text(r, "index.html", &page);
  if (st == GD_OK)
    st = write_files(r, &files);
  gd_report_files_free(&files);
  gd_text_free(&csv);
  gd_text_free(&table);
  gd_text_free(&page);
  return st;
}

static gd_bootstrap bootstrap_of(const gd_instance *self)
{
  return (gd_bootstrap){.seed =
                            (uint64_t)gd_instance_int(self, "bootstrap.seed"),
                        .draws = (int)gd_instance_int(self, "bootstrap.draws"),
                        .level = gd_instance_real(self, "bootstrap.level")};
}

/* `done`: the file that says that all is made, removed before that changes;
 * NULL: there is none. */
static gd_status make(const gd_job *job, const gd_instance *self,
                      const char *done)
{
  const gd_bootstrap b = bootstrap_of(self);
  const char *title = gd_instance_text(self, "title");
  report r = {.title = title[0] != '\0' ? title : gd_job_name(job),
              .directory = gd_instance_directory(self)};
  gd_status st = gd_report_sources(&r.from, 1, &job, NULL);
  if (st == GD_OK)
    st = gd_report_take(&r.from.sources[0], self);
  if (st == GD_OK)
    st = gd_report_gather(&r.from, &b);
  if (st == GD_OK && done != NULL)
    st = gd_file_remove(done);
  if (st == GD_OK)
    st = write_results(&r);
  gd_report_gathering_free(&r.from);
  return st;
}

static gd_status run(gd_stage_env *env)
{
  gd_status st = GD_OK;
  if (env->rank == 0) {
    st = make(env->job, env->self, NULL);
    gd_stage_count(env, "models", gd_instance_n_inputs(env->self));
  }
  return gd_agree(env->comm, st);
}

const gd_stage gd_stage_report = {.kind = "report", .run = run};

/* -------------------------------------------------------- for the program */

static int is_report(const gd_instance *s)
{
  return strcmp(gd_instance_kind(s), gd_stage_report.kind) == 0;
}

static gd_status refuse_without_report(const gd_job *job)
{
  return gd_fail(GD_ERR_USAGE, "job %s has no stage of kind report",
                 gd_job_name(job));
}

/* Compose a report again.  It is not done while files are written, and done
 * anew if it was before: they may differ from those that `done` tells of. */
static gd_status rebuild(const gd_job *job, const gd_instance *self)
{
  const char *directory = gd_instance_directory(self);
  char path[GD_PATH_MAX];
  gd_lock *lock = NULL;
  gd_done *before = NULL;
  gd_status st = gd_directory_make(directory);
  if (st == GD_OK)
    st = gd_lock_begin(directory, &lock);
  if (st == GD_OK)
    st = gd_path_join(directory, "done", path);
  if (st == GD_OK && gd_path_exists(path) &&
      gd_done_read(directory, &before) != GD_OK)
    gd_log(GD_LOG_WARNING, "%s", gd_reason());
  if (st == GD_OK)
    st = make(job, self, path);
  if (st == GD_OK && before != NULL)
    st = gd_done_make(directory, before->digest, before->n_items,
                      before->n_skipped);
  gd_done_free(before);
  gd_lock_end(lock);
  return st;
}

gd_status gd_report_rebuild(const gd_job *job)
{
  gd_status st = GD_OK;
  int n = 0;
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(job); i++)
    if (is_report(gd_job_instance(job, i))) {
      st = rebuild(job, gd_job_instance(job, i));
      n++;
    }
  return st == GD_OK && n == 0 ? refuse_without_report(job) : st;
}

/* Take what all reports of a job take; `first` is set to its first one. */
static gd_status take_all(gd_report_source *s, const gd_instance **first)
{
  gd_status st = GD_OK;
  *first = NULL;
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(s->job); i++) {
    const gd_instance *self = gd_job_instance(s->job, i);
    if (!is_report(self))
      continue;
    if (*first == NULL)
      *first = self;
    st = gd_report_take(s, self);
  }
  return st == GD_OK && *first == NULL ? refuse_without_report(s->job) : st;
}

gd_status gd_report_compare(int n, const gd_job *const *jobs,
                            const char *const *words, const char *directory)
{
  report r = {.directory = directory};
  gd_bootstrap b = {0};
  gd_text title = {0};
  gd_status st = gd_report_sources(&r.from, n, jobs, words);
  for (int i = 0; st == GD_OK && i < n; i++) {
    const gd_instance *first;
    st = take_all(&r.from.sources[i], &first);
    if (st == GD_OK && i == 0)
      b = bootstrap_of(first);
    gd_text_printf(&title, "%s%s", i == 0 ? "" : ", ", r.from.sources[i].name);
  }
  r.title = gd_text_get(&title);
  if (st == GD_OK)
    st = gd_report_gather(&r.from, &b);
  if (st == GD_OK)
    st = gd_directory_make(directory);
  if (st == GD_OK)
    st = write_results(&r);
  gd_report_gathering_free(&r.from);
  gd_text_free(&title);
  return st;
}

/* Add the table of a report and its place. */
static gd_status show(const char *directory, gd_text *out)
{
  char path[GD_PATH_MAX], *table = NULL;
  size_t size_bytes;
  gd_status st = gd_path_join(directory, "table.txt", path);
  if (st != GD_OK || !gd_path_exists(path))
    return st;
  st = gd_file_read(path, MOST_TABLE_BYTES, &table, &size_bytes);
  if (st == GD_OK)
    st = gd_path_join(directory, "index.html", path);
  if (st == GD_OK)
    gd_text_printf(out, "\n%s\nreport: %s\n", table, path);
  free(table);
  return st;
}

gd_status gd_report_show(const gd_job *job, gd_text *out)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(job); i++)
    if (is_report(gd_job_instance(job, i)))
      st = show(gd_instance_directory(gd_job_instance(job, i)), out);
  return st == GD_OK ? gd_text_status(out) : st;
}

gd_status gd_report_show_at(const char *directory, gd_text *out)
{
  const gd_status st = show(directory, out);
  return st == GD_OK ? gd_text_status(out) : st;
}
