#include "gradus/submit.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bookings.h"
#include "gradus/batch.h"
#include "gradus/file.h"
#include "gradus/ledger.h"
#include "gradus/lock.h"
#include "gradus/memory.h"
#include "gradus/slurm.h"

typedef struct {
  const gd_job *job;
  const gd_site *site;
  const char *program;
  char directory[GD_PATH_MAX], work[GD_PATH_MAX], notes[GD_PATH_MAX];
  char manifest[GD_PATH_MAX];
  gd_ledger *ledger;
  gd_bookings plan;
  gd_text *out;
} submission;

/* ----------------------------------------------------------------- submitting
 */

static gd_status compose_script(const submission *s, const gd_booking_group *g,
                                gd_text *out)
{
  const gd_instance **members = gd_alloc(g->n, sizeof *members);
  int *tasks = gd_alloc(g->n, sizeof *tasks);
  gd_status st = members == NULL || tasks == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < g->n; i++) {
    members[i] = gd_job_instance(s->job, g->members[i]);
    tasks[i] = s->plan.bookings[g->members[i]].task;
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

static gd_status script_path(const submission *s, const gd_booking_group *g,
                             char out[GD_PATH_MAX])
{
  char name[192];
  snprintf(name, sizeof name, "%s.sbatch", g->name);
  return gd_path_join(s->notes, name, out);
}

/* Whoever submits again wants another try: what failed before is forgotten. */
static gd_status note_members(const submission *s, const gd_booking_group *g)
{
  gd_text lines = {0};
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < g->n; i++) {
    const gd_instance *self = gd_job_instance(s->job, g->members[i]);
    char failures[GD_PATH_MAX];
    gd_text_printf(&lines, "member %s %d %s\n", g->name,
                   s->plan.bookings[g->members[i]].task,
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

static gd_status submit_one(const submission *s, gd_booking_group *g,
                            const char *script, const char *dependencies)
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
static gd_status submit_chain(const submission *s, gd_booking_group *g,
                              const char *script)
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

static void add_line(const submission *s, const gd_booking_group *g,
                     gd_text *out)
{
  const gd_instance *self = gd_job_instance(s->job, g->members[0]);
  gd_text_printf(out, "job %-8s ", gd_text_get(&g->id));
  if (s->plan.bookings[g->members[0]].task < 0)
    gd_text_add(out, gd_instance_title(self));
  else
    gd_text_printf(out, "%s, an array of %d", gd_instance_name(self), g->n);
  gd_text after = {0};
  gd_bookings_after(&s->plan, g, 0, &after);
  gd_text_printf(out, "%s%s\n", after.length_bytes > 0 ? ", " : "",
                 gd_text_get(&after));
  gd_text_free(&after);
}

static gd_status submit_group(const submission *s, gd_booking_group *g)
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
  gd_bookings_after(&s->plan, g, 0, &after);
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
    const gd_booking *b = &s->plan.bookings[i];
    for (int k = 0;
         st == GD_OK && b->standing == GD_BOOKED_NEW && k < b->errand.n_jobs;
         k++)
      st = gd_slurm_cancel(b->errand.jobs[k].id);
  }
  return st;
}

static gd_status submit_all(submission *s)
{
  const char *text = gd_job_effective(s->job);
  gd_status st = gd_file_write(s->manifest, text, strlen(text));
  if (st == GD_OK)
    st = cancel_stale(s);
  for (int g = 0; st == GD_OK && g < s->plan.n_groups; g++)
    st = submit_group(s, &s->plan.groups[g]);
  return st;
}

static gd_status show_group(const submission *s, const gd_booking_group *g)
{
  char path[GD_PATH_MAX];
  gd_text after = {0};
  gd_status st = script_path(s, g, path);
  gd_bookings_after(&s->plan, g, 1, &after);
  gd_text_printf(s->out, "==> %s\n==> sbatch --parsable%s%s\n", path,
                 after.length_bytes > 0 ? " --dependency=" : "",
                 gd_text_get(&after));
  gd_text_free(&after);
  return st == GD_OK ? compose_script(s, g, s->out) : st;
}

static gd_status show_all(const submission *s)
{
  gd_status st = GD_OK;
  for (int g = 0; st == GD_OK && g < s->plan.n_groups; g++)
    st = show_group(s, &s->plan.groups[g]);
  return st;
}

static void add_sum(const submission *s, int dry_run)
{
  int n[GD_BOOKED_NEW + 1] = {0};
  for (int i = 0; i < gd_job_n_instances(s->job); i++)
    n[s->plan.bookings[i].standing]++;
  gd_text_printf(s->out,
                 "%d stages in %s: %d done, %d queued or running before, "
                 "%d %s in %d scripts\n",
                 gd_job_n_instances(s->job), gd_job_work(s->job),
                 n[GD_BOOKED_DONE] + n[GD_BOOKED_OVER], n[GD_BOOKED_KEPT],
                 n[GD_BOOKED_NEW], dry_run ? "to submit" : "submitted",
                 s->plan.n_groups);
  if (n[GD_BOOKED_HELD] > 0)
    gd_text_printf(s->out, "%d held: they take from what skipped too much\n",
                   n[GD_BOOKED_HELD]);
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
  return st == GD_OK
             ? gd_bookings_make(s->job, s->site, s->work, s->ledger, &s->plan)
             : st;
}

gd_status gd_submit_job(const gd_job *job, const gd_site *site,
                        const char *program, int dry_run, gd_text *out)
{
  assert(job != NULL && site != NULL && program != NULL && out != NULL);

  submission s = {.job = job,
                  .site = site,
                  .program = program,
                  .plan.over = -1,
                  .out = out};
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
    st = gd_bookings_tell_over(&s.plan);
  gd_bookings_free(&s.plan);
  gd_ledger_free(s.ledger);
  gd_lock_end(lock);
  umask(before);
  return st == GD_OK ? gd_text_status(out) : st;
}
