/* gradus report -- compose the report again from results that are there, or one
 * of several jobs. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/memory.h"
#include "report.h"

static const gd_option options[] = {
    {"--to", "DIR", GD_OPTION_ONCE,
     "Folder of a report on several jobs (default comparison)."},
    GD_OPTION_SET,
};

static int is_manifest(const char *name)
{
  return strchr(name, '/') == NULL && gd_path_ends_with(name, ".yaml");
}

/* Find the manifest that a run keeps in its work directory. */
static gd_status find_manifest(const char *directory, char out[GD_PATH_MAX])
{
  gd_folder *folder;
  const char *name = NULL;
  gd_status st = gd_folder_read(directory, &folder);
  if (st != GD_OK)
    return st;
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++) {
    if (!is_manifest(folder->names[i]))
      continue;
    if (name != NULL)
      st = gd_fail(GD_ERR_USAGE, "%s: holds both %s and %s: name one of them",
                   directory, name, folder->names[i]);
    name = folder->names[i];
  }
  if (st == GD_OK && name == NULL)
    st = gd_fail(GD_ERR_USAGE,
                 "%s: no manifest is in it: a work directory of `gradus run` "
                 "is wanted, or a manifest",
                 directory);
  if (st == GD_OK)
    st = gd_path_join(directory, name, out);
  gd_folder_free(folder);
  return st;
}

/* Load a manifest, or that of a work directory, wherever it has been moved. */
static gd_status load(const gd_arguments *a, const char *word, gd_job **out)
{
  const int n = gd_arguments_count(a, "--set");
  struct stat info;
  if (stat(word, &info) != 0 || !S_ISDIR(info.st_mode))
    return gd_job_load(word, gd_arguments_values(a, "--set"), n, out);
  char path[GD_PATH_MAX];
  gd_text work = {0};
  const char **sets = gd_alloc(n + 1, sizeof *sets);
  gd_status st = sets == NULL ? GD_ERR_NOMEM : find_manifest(word, path);
  gd_text_printf(&work, "work=%s", word);
  for (int i = 0; st == GD_OK && i < n; i++)
    sets[i] = gd_arguments_values(a, "--set")[i];
  if (st == GD_OK) {
    sets[n] = gd_text_get(&work);
    st = gd_job_load(path, sets, n + 1, out);
  }
  free(sets);
  gd_text_free(&work);
  return st;
}

static gd_status rebuild(const gd_job *job, gd_text *shown)
{
  const gd_status st = gd_report_rebuild(job);
  return st == GD_OK ? gd_report_show(job, shown) : st;
}

static gd_status compare(const gd_arguments *a, const gd_job *const *jobs,
                         int n, gd_text *shown)
{
  const char *to = gd_arguments_value(a, "--to");
  const char **words = gd_alloc(n, sizeof *words);
  gd_status st = words == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < n; i++)
    words[i] = gd_arguments_operand(a, i);
  to = to == NULL ? "comparison" : to;
  if (st == GD_OK)
    st = gd_report_compare(n, jobs, words, to);
  if (st == GD_OK)
    st = gd_report_show_at(to, shown);
  free(words);
  return st;
}

static int run(const gd_arguments *a)
{
  const int n = gd_arguments_n_operands(a);
  gd_text shown = {0};
  gd_job **jobs = gd_alloc(n, sizeof(gd_job *));
  gd_status st = jobs == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK && n == 1 && gd_arguments_value(a, "--to") != NULL)
    st = gd_fail(GD_ERR_USAGE, "--to is for a report on several jobs; that of "
                               "one goes into its own directory");
  for (int i = 0; st == GD_OK && i < n; i++)
    st = load(a, gd_arguments_operand(a, i), &jobs[i]);
  if (st == GD_OK)
    st = n == 1 ? rebuild(jobs[0], &shown)
                : compare(a, (const gd_job *const *)jobs, n, &shown);
  for (int i = 0; jobs != NULL && i < n; i++)
    gd_job_free(jobs[i]);
  free(jobs);
  if (st == GD_OK)
    return gd_command_print(&shown);
  gd_text_free(&shown);
  return gd_command_failed(st);
}

const gd_command gd_command_report = {
    .name = "report",
    .operands = "JOB...",
    .least = 1,
    .most = -1,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "compose the report again, or one that compares several jobs",
    .details =
        "Writes results.csv, table.txt, index.html, tables/ and figures/ of\n"
        "every report stage of the manifest JOB anew, from the scores and\n"
        "models of a finished run; nothing is trained or scored. Of several\n"
        "jobs it writes one report, in the folder --to: their rows stand in\n"
        "the same tables and charts, and those that predicted the same videos\n"
        "are compared in pairs. JOB may also be a work directory, wherever it\n"
        "has been moved to: it holds its manifest. What an earlier report "
        "left\n"
        "in tables/ and figures/ is removed by its list, report-files.txt;\n"
        "other files there stay.\n",
    .run = run,
};
