#include "gradus/submit.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gradus/batch.h"
#include "gradus/file.h"
#include "gradus/ledger.h"
#include "gradus/lock.h"
#include "gradus/memory.h"
#include "gradus/slurm.h"
#include "rundir.h"

typedef enum {
  IS_DONE,
  IS_OVER, /* done, but too much was skipped to build on */
  IS_HELD, /* takes from such a one, or from what that holds */
  IS_KEPT,
  IS_NEW
} standing;

/* An instance on its way into the queue. */
typedef struct {
  standing standing;
  int task;         /* in its array, -1: none */
  int group;        /* new: of its script */
  gd_errand errand; /* kept: its jobs */
  int n_consumers;  /* new ones of the stage in hand that take from it */
} booking;

/* What a group waits for. */
typedef struct {
  int is_corresponding; /* task after task */
  int group;            /* of this submission, or -1 */
  int task;             /* one of its tasks, or -1: all */
  const char *id;       /* of a job in the queue: its number, its task too */
  size_t id_length;
} dependency;

/* One script. */
typedef struct {
  char name[160];
  int chunk; /* arrays larger than the site likes are cut */
  int n;
  int *members; /* instances */
  int n_dependencies;
  dependency *dependencies;
  gd_text id; /* of its job, the last one of a chain */
} group;

typedef struct {
  const gd_job *job;
  const gd_site *site;
  const char *program;
  char directory[GD_PATH_MAX], work[GD_PATH_MAX], notes[GD_PATH_MAX];
  char manifest[GD_PATH_MAX];
  gd_ledger *ledger;
  booking *bookings; /* per instance */
  int n_groups;
  group *groups;
  int *n_inputs_of; /* per group, scratch */
  int over;         /* the first instance that skipped too much, or -1 */
  gd_text *out;
} submission;

/* ------------------------------------------------------------------- standing
 */

static int takes_from(const submission *s, const gd_instance *self,
                      standing wanted)
{
  for (int i = 0; i < gd_instance_n_inputs(self); i++) {
    const int input = gd_instance_index(gd_instance_input(self, i));
    if (s->bookings[input].standing == wanted)
      return 1;
  }
  return 0;
}

static int is_over(const gd_instance *self, const gd_standing *files)
{
  return files->n_skipped > gd_instance_max_skipped(self, files->n_items);
}

/* Nothing is built upon a stage that skipped too much, as in `gradus run`; what
 * does not take from it goes on. */
static gd_status settle_standing(submission *s, int i)
{
  const gd_instance *self = gd_job_instance(s->job, i);
  booking *b = &s->bookings[i];
  gd_standing files;
  const gd_status st = gd_rundir_look(self, &files);
  if (st != GD_OK)
    return st;
  b->errand = gd_ledger_find(s->ledger, self);
  b->standing = IS_NEW;
  if (files.done)
    b->standing = is_over(self, &files) ? IS_OVER : IS_DONE;
  else if (b->errand.phase == GD_ERRAND_RUNNING)
    b->standing = IS_KEPT;
  else if (takes_from(s, self, IS_OVER) || takes_from(s, self, IS_HELD))
    b->standing = IS_HELD;
  else if (b->errand.phase == GD_ERRAND_QUEUED && !takes_from(s, self, IS_NEW))
    b->standing = IS_KEPT;
  if (b->standing == IS_OVER && s->over < 0)
    s->over = i;
  return GD_OK;
}

/* When all others are submitted: say what stopped the rest. */
static gd_status tell_over(const submission *s)
{
  if (s->over < 0)
    return GD_OK;
  const gd_instance *self = gd_job_instance(s->job, s->over);
  gd_standing files;
  const gd_status st = gd_rundir_look(self, &files);
  return st != GD_OK
             ? st
             : gd_fail(GD_ERR_USAGE,
                       "stage %s: %" PRId64 " of %" PRId64 " items skipped, "
                       "max_skipped allows %" PRId64
                       "; see %s/report.yaml, or allow more",
                       gd_instance_title(self), files.n_skipped, files.n_items,
                       gd_instance_max_skipped(self, files.n_items),
                       gd_instance_directory(self));
}

/* Tasks are numbered alike in all stages of a sweep, whoever of its members is
 * submitted now. */
static gd_status settle_stage(submission *s, int first, int end)
{
  const int size = (int)gd_site_int(s->site, "array_size");
  gd_status st = GD_OK;
  for (int i = first; st == GD_OK && i < end; i++) {
    s->bookings[i].task = end - first > 1 ? (i - first) % size : -1;
    st = settle_standing(s, i);
  }
  return st;
}

/* --------------------------------------------------------------- dependencies
 */

/* Of a kept input the last of its jobs counts: a chain's others only begin. */
static dependency on_kept(const booking *input, int is_corresponding)
{
  const char *id = input->errand.jobs[input->errand.n_jobs - 1].id;
  return (dependency){.is_corresponding = is_corresponding,
                      .group = -1,
                      .task = -1,
                      .id = id,
                      .id_length =
                          is_corresponding ? strcspn(id, "_") : strlen(id)};
}

static dependency on_new(const submission *s, const booking *input,
                         int is_corresponding)
{
  const int all = is_corresponding ||
                  s->n_inputs_of[input->group] == s->groups[input->group].n;
  return (dependency){.is_corresponding = is_corresponding,
                      .group = input->group,
                      .task = all ? -1 : input->task};
}

static int is_same(const dependency *a, const dependency *b)
{
  return a->is_corresponding == b->is_corresponding && a->group == b->group &&
         a->task == b->task && a->id_length == b->id_length &&
         (a->id == NULL || strncmp(a->id, b->id, a->id_length) == 0);
}

/* Several inputs may be the tasks of one array that is waited for as a whole,
 * or task after task. */
static int is_listed(const dependency *list, int n)
{
  if (list[n].task >= 0 || (list[n].group < 0 && !list[n].is_corresponding))
    return 0;
  for (int i = 0; i < n; i++)
    if (is_same(&list[i], &list[n]))
      return 1;
  return 0;
}

/* How many of its inputs are of each new group: one that takes from all its
 * members waits for the group as a whole. */
static void count_inputs(submission *s, const gd_instance *self, int step)
{
  for (int i = 0; i < gd_instance_n_inputs(self); i++) {
    const int input = gd_instance_index(gd_instance_input(self, i));
    if (s->bookings[input].standing == IS_NEW)
      s->n_inputs_of[s->bookings[input].group] += step;
  }
}

/* List what an instance waits for; returns how many. */
static int list_dependencies(submission *s, int i, dependency *out)
{
  const gd_instance *self = gd_job_instance(s->job, i);
  const int task = s->bookings[i].task;
  int n = 0;
  count_inputs(s, self, 1);
  for (int k = 0; k < gd_instance_n_inputs(self); k++) {
    const booking *input =
        &s->bookings[gd_instance_index(gd_instance_input(self, k))];
    if (input->standing != IS_KEPT && input->standing != IS_NEW)
      continue;
    const int is_corresponding =
        task >= 0 && input->task == task && input->n_consumers == 1;
    out[n] = input->standing == IS_KEPT ? on_kept(input, is_corresponding)
                                        : on_new(s, input, is_corresponding);
    n += !is_listed(out, n);
  }
  count_inputs(s, self, -1);
  return n;
}

static void add_dependency(const submission *s, const dependency *d,
                           int with_names, gd_text *out)
{
  gd_text_add(out, ":");
  if (d->group < 0)
    gd_text_bytes(out, d->id, d->id_length);
  else if (with_names)
    gd_text_printf(out, "<%s>", s->groups[d->group].name);
  else
    gd_text_add(out, gd_text_get(&s->groups[d->group].id));
  if (d->group >= 0 && d->task >= 0)
    gd_text_printf(out, "_%d", d->task);
}

/* "afterok:12:13_4,aftercorr:14". */
static void add_dependencies(const submission *s, const group *g,
                             int with_names, gd_text *out)
{
  static const char *const words[] = {"afterok", "aftercorr"};
  for (int kind = 0; kind < 2; kind++) {
    int n = 0;
    for (int i = 0; i < g->n_dependencies; i++) {
      if (g->dependencies[i].is_corresponding != kind)
        continue;
      if (n++ == 0)
        gd_text_printf(out, "%s%s", out->length_bytes > 0 ? "," : "",
                       words[kind]);
      add_dependency(s, &g->dependencies[i], with_names, out);
    }
  }
}

/* --------------------------------------------------------------------- groups
 */

static int fits(const group *g, int chunk, const dependency *list, int n)
{
  if (g->chunk != chunk || g->n_dependencies != n)
    return 0;
  for (int i = 0; i < n; i++)
    if (!is_same(&g->dependencies[i], &list[i]))
      return 0;
  return 1;
}

static gd_status add_group(submission *s, int chunk, const dependency *list,
                           int n, int most_members)
{
  group *g = &s->groups[s->n_groups];
  *g = (group){.chunk = chunk, .n_dependencies = n};
  g->members = gd_alloc(most_members, sizeof *g->members);
  g->dependencies = gd_alloc(n, sizeof *g->dependencies);
  s->n_groups++;
  if (g->members == NULL || g->dependencies == NULL)
    return GD_ERR_NOMEM;
  if (n > 0)
    memcpy(g->dependencies, list, (size_t)n * sizeof *list);
  return GD_OK;
}

static gd_status name_group(const submission *s, group *g)
{
  char hex[GD_DIGEST_HEX];
  gd_hasher *h;
  gd_status st = gd_hasher_new(&h);
  if (st != GD_OK)
    return st;
  gd_hasher_text(h, s->work);
  gd_hasher_int(h, gd_ledger_n_lines(s->ledger));
  for (int i = 0; i < g->n; i++)
    gd_hasher_digest(
        h, gd_instance_digest(gd_job_instance(s->job, g->members[i])));
  gd_digest_hex(gd_hasher_end(h), hex);
  snprintf(g->name, sizeof g->name, "%s.%s-%.8s", gd_job_name(s->job),
           gd_instance_name(gd_job_instance(s->job, g->members[0])), hex);
  return GD_OK;
}

static void count_consumers(submission *s, int first, int end)
{
  for (int i = 0; i < first; i++)
    s->bookings[i].n_consumers = 0;
  for (int i = first; i < end; i++) {
    const gd_instance *self = gd_job_instance(s->job, i);
    if (s->bookings[i].standing == IS_NEW)
      for (int k = 0; k < gd_instance_n_inputs(self); k++)
        s->bookings[gd_instance_index(gd_instance_input(self, k))]
            .n_consumers++;
  }
}

/* Put an instance into the group of its stage that waits for the same. */
static gd_status put(submission *s, int i, int first, int end, int first_group,
                     dependency *list)
{
  const int chunk = (i - first) / (int)gd_site_int(s->site, "array_size");
  const int n = list_dependencies(s, i, list);
  int g = first_group;
  gd_status st = GD_OK;
  while (g < s->n_groups && !fits(&s->groups[g], chunk, list, n))
    g++;
  if (g == s->n_groups)
    st = add_group(s, chunk, list, n, end - i);
  if (st != GD_OK)
    return st;
  s->bookings[i].group = g;
  s->groups[g].members[s->groups[g].n++] = i;
  return GD_OK;
}

static gd_status group_stage(submission *s, int first, int end)
{
  const int first_group = s->n_groups;
  gd_status st = GD_OK;
  count_consumers(s, first, end);
  for (int i = first; st == GD_OK && i < end; i++) {
    const int n = gd_instance_n_inputs(gd_job_instance(s->job, i));
    if (s->bookings[i].standing != IS_NEW)
      continue;
    dependency *list = gd_alloc(n, sizeof *list);
    st = list == NULL ? GD_ERR_NOMEM : put(s, i, first, end, first_group, list);
    free(list);
  }
  for (int g = first_group; st == GD_OK && g < s->n_groups; g++)
    st = name_group(s, &s->groups[g]);
  return st;
}

static gd_status book(submission *s)
{
  const int n = gd_job_n_instances(s->job);
  gd_status st = GD_OK;
  s->bookings = gd_alloc(n, sizeof *s->bookings);
  s->groups = gd_alloc(n, sizeof *s->groups);
  s->n_inputs_of = gd_alloc(n, sizeof *s->n_inputs_of);
  if (s->bookings == NULL || s->groups == NULL || s->n_inputs_of == NULL)
    return GD_ERR_NOMEM;
  /* The members of a stage stand together, behind those they take from. */
  for (int first = 0, end; st == GD_OK && first < n; first = end) {
    const char *name = gd_instance_name(gd_job_instance(s->job, first));
    for (end = first + 1;
         end < n &&
         strcmp(gd_instance_name(gd_job_instance(s->job, end)), name) == 0;
         end++)
      ;
    st = settle_stage(s, first, end);
    if (st == GD_OK)
      st = group_stage(s, first, end);
  }
  return st;
}

/* ----------------------------------------------------------------- submitting
 */

static gd_status compose_script(const submission *s, const group *g,
                                gd_text *out)
{
  const gd_instance **members = gd_alloc(g->n, sizeof *members);
  int *tasks = gd_alloc(g->n, sizeof *tasks);
  gd_status st = members == NULL || tasks == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < g->n; i++) {
    members[i] = gd_job_instance(s->job, g->members[i]);
    tasks[i] = s->bookings[g->members[i]].task;
  }
  if (st == GD_OK) {
    const gd_batch batch = {.site = s->site,
                            .name = g->name,
                            .program = s->program,
                            .directory = s->directory,
                            .work = s->work,
                            .notes = s->notes,
                            .manifest = s->manifest,
                            .n_members = g->n,
                            .members = members,
                            .tasks = tasks[0] < 0 ? NULL : tasks};
    st = gd_batch_compose(&batch, out);
  }
  free(members);
  free(tasks);
  return st;
}

static gd_status script_path(const submission *s, const group *g,
                             char out[GD_PATH_MAX])
{
  char name[192];
  snprintf(name, sizeof name, "%s.sbatch", g->name);
  return gd_path_join(s->notes, name, out);
}

/* Whoever submits again wants another try: what failed before is forgotten. */
static gd_status note_members(const submission *s, const group *g)
{
  gd_text lines = {0};
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < g->n; i++) {
    const gd_instance *self = gd_job_instance(s->job, g->members[i]);
    char failures[GD_PATH_MAX];
    gd_text_printf(&lines, "member %s %d %s\n", g->name,
                   s->bookings[g->members[i]].task,
                   gd_path_base(gd_instance_directory(self)));
    st = gd_ledger_failures(s->notes, self, failures);
    if (st == GD_OK)
      st = gd_file_remove(failures);
  }
  if (st == GD_OK)
    st = gd_ledger_append(s->notes, &lines);
  gd_text_free(&lines);
  return st;
}

static gd_status submit_one(const submission *s, group *g, const char *script,
                            const char *dependencies)
{
  gd_text line = {0};
  gd_text_free(&g->id);
  gd_status st = gd_slurm_submit(script, dependencies, &g->id);
  if (st != GD_OK)
    return st;
  gd_text_printf(&line, "job %s %s\n", g->name, gd_text_get(&g->id));
  st = gd_ledger_append(s->notes, &line);
  gd_text_free(&line);
  return st;
}

/* Where nothing may be requeued: more jobs, each after the one before, however
 * that ended; those that find the work done end at once. */
static gd_status submit_chain(const submission *s, group *g, const char *script)
{
  gd_status st = GD_OK;
  if (strcmp(gd_site_text(s->site, "restart"), "chain") != 0)
    return GD_OK;
  const int64_t n = gd_site_int(s->site, "links");
  for (int64_t i = 1; st == GD_OK && i < n; i++) {
    gd_text after = {0};
    gd_text_printf(&after, "afterany:%s", gd_text_get(&g->id));
    st = gd_text_status(&after);
    if (st == GD_OK)
      st = submit_one(s, g, script, gd_text_get(&after));
    gd_text_free(&after);
  }
  return st;
}

static void add_line(const submission *s, const group *g, gd_text *out)
{
  const gd_instance *self = gd_job_instance(s->job, g->members[0]);
  gd_text_printf(out, "job %-8s ", gd_text_get(&g->id));
  if (s->bookings[g->members[0]].task < 0)
    gd_text_add(out, gd_instance_title(self));
  else
    gd_text_printf(out, "%s, an array of %d", gd_instance_name(self), g->n);
  gd_text after = {0};
  add_dependencies(s, g, 0, &after);
  gd_text_printf(out, "%s%s\n", after.length_bytes > 0 ? ", " : "",
                 gd_text_get(&after));
  gd_text_free(&after);
}

static gd_status submit_group(const submission *s, group *g)
{
  gd_text script = {0}, after = {0};
  char path[GD_PATH_MAX];
  gd_status st = script_path(s, g, path);
  if (st == GD_OK)
    st = compose_script(s, g, &script);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&script), script.length_bytes);
  if (st == GD_OK)
    st = note_members(s, g);
  add_dependencies(s, g, 0, &after);
  if (st == GD_OK)
    st = gd_text_status(&after);
  if (st == GD_OK)
    st = submit_one(s, g, path, gd_text_get(&after));
  if (st == GD_OK)
    st = submit_chain(s, g, path);
  if (st == GD_OK)
    add_line(s, g, s->out);
  gd_text_free(&script);
  gd_text_free(&after);
  return st;
}

/* What waits for something that is submitted anew would wait in vain. */
static gd_status cancel_stale(const submission *s)
{
  gd_status st = GD_OK;
  for (int i = 0; i < gd_job_n_instances(s->job); i++) {
    const booking *b = &s->bookings[i];
    for (int k = 0;
         st == GD_OK && b->standing == IS_NEW && k < b->errand.n_jobs; k++)
      st = gd_slurm_cancel(b->errand.jobs[k].id);
  }
  return st;
}

static gd_status submit_all(const submission *s)
{
  const char *text = gd_job_effective(s->job);
  gd_status st = gd_file_write(s->manifest, text, strlen(text));
  if (st == GD_OK)
    st = cancel_stale(s);
  for (int g = 0; st == GD_OK && g < s->n_groups; g++)
    st = submit_group(s, &s->groups[g]);
  return st;
}

static gd_status show_group(const submission *s, const group *g)
{
  char path[GD_PATH_MAX];
  gd_text after = {0};
  gd_status st = script_path(s, g, path);
  add_dependencies(s, g, 1, &after);
  gd_text_printf(s->out, "==> %s\n==> sbatch --parsable%s%s\n", path,
                 after.length_bytes > 0 ? " --dependency=" : "",
                 gd_text_get(&after));
  gd_text_free(&after);
  return st == GD_OK ? compose_script(s, g, s->out) : st;
}

static gd_status show_all(const submission *s)
{
  gd_status st = GD_OK;
  for (int g = 0; st == GD_OK && g < s->n_groups; g++)
    st = show_group(s, &s->groups[g]);
  return st;
}

static void add_sum(const submission *s, int dry_run)
{
  int n[IS_NEW + 1] = {0};
  for (int i = 0; i < gd_job_n_instances(s->job); i++)
    n[s->bookings[i].standing]++;
  gd_text_printf(s->out,
                 "%d stages in %s: %d done, %d queued or running before, "
                 "%d %s in %d scripts\n",
                 gd_job_n_instances(s->job), gd_job_work(s->job),
                 n[IS_DONE] + n[IS_OVER], n[IS_KEPT], n[IS_NEW],
                 dry_run ? "to submit" : "submitted", s->n_groups);
  if (n[IS_HELD] > 0)
    gd_text_printf(s->out, "%d held: they take from what skipped too much\n",
                   n[IS_HELD]);
}

/* -------------------------------------------------------------------- the job
 */

static gd_status find_places(submission *s)
{
  char folder[GD_PATH_MAX], name[80], hex[GD_DIGEST_HEX];
  const char *text = gd_job_effective(s->job);
  if (getcwd(s->directory, sizeof s->directory) == NULL)
    return gd_fail(GD_ERR_IO, "the current directory cannot be told: %s",
                   strerror(errno));
  gd_digest_hex(gd_digest_of(text, strlen(text)), hex);
  snprintf(name, sizeof name, "%s-%.8s.yaml", gd_job_name(s->job), hex);
  gd_status st = gd_path_join(s->directory, gd_job_work(s->job), s->work);
  if (st == GD_OK)
    st = gd_ledger_folder(s->job, folder);
  if (st == GD_OK)
    st = gd_path_join(s->directory, folder, s->notes);
  if (st == GD_OK)
    st = gd_path_join(s->notes, name, s->manifest);
  return st;
}

/* Without knowing what is queued, a stage might be submitted twice. */
static gd_status look(submission *s)
{
  gd_status st = gd_ledger_open(s->notes, &s->ledger);
  if (st == GD_OK && gd_ledger_silence(s->ledger)[0] != '\0')
    st = gd_fail(GD_ERR_IO, "what is queued already cannot be told: %s",
                 gd_ledger_silence(s->ledger));
  return st == GD_OK ? book(s) : st;
}

static void free_all(submission *s)
{
  for (int g = 0; g < s->n_groups; g++) {
    free(s->groups[g].members);
    free(s->groups[g].dependencies);
    gd_text_free(&s->groups[g].id);
  }
  free(s->groups);
  free(s->n_inputs_of);
  free(s->bookings);
  gd_ledger_free(s->ledger);
}

gd_status gd_submit_job(const gd_job *job, const gd_site *site,
                        const char *program, int dry_run, gd_text *out)
{
  assert(job != NULL && site != NULL && program != NULL && out != NULL);

  submission s = {
      .job = job, .site = site, .program = program, .over = -1, .out = out};
  gd_lock *lock = NULL;
  gd_status st = find_places(&s);
  /* Slurm makes logs, and starts scripts, as sbatch's own files would be. */
  const mode_t before = umask(S_IRWXG | S_IRWXO);
  if (st == GD_OK && !dry_run)
    st = gd_directory_make(s.notes);
  if (st == GD_OK && !dry_run)
    st = gd_lock_begin(s.notes, &lock);
  if (st == GD_OK)
    st = look(&s);
  if (st == GD_OK)
    st = dry_run ? show_all(&s) : submit_all(&s);
  if (st == GD_OK)
    add_sum(&s, dry_run);
  if (st == GD_OK)
    st = tell_over(&s);
  free_all(&s);
  gd_lock_end(lock);
  umask(before);
  return st == GD_OK ? gd_text_status(out) : st;
}
