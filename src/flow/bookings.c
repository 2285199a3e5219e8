#include "bookings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "rundir.h"

/* What a group waits for. */
struct gd_booking_dependency {
  int is_corresponding; /* task after task */
  int group;            /* of this submission, or -1 */
  int task;             /* one of its tasks, or -1: all */
  const char *id;       /* of a job in the queue: its number, its task too */
  size_t id_length;
};

/* ------------------------------------------------------------------- standing
 */

static int takes_from(const gd_bookings *s, const gd_instance *self,
                      gd_booked wanted)
{
  for (int i = 0; i < gd_instance_n_inputs(self); i++) {
    const int input = gd_instance_index(gd_instance_input(self, i));
    if (s->bookings[input].standing == wanted)
      return 1;
  }
  return 0;
}

/* Nothing is built upon a stage that skipped too much, as in `gradus run`; what
 * does not take from it goes on. */
static gd_status settle_standing(gd_bookings *s, int i)
{
  const gd_instance *self = gd_job_instance(s->job, i);
  gd_booking *b = &s->bookings[i];
  gd_standing files;
  const gd_status st = gd_rundir_look(self, &files);
  if (st != GD_OK)
    return st;
  b->errand = gd_ledger_find(s->ledger, self);
  b->standing = GD_BOOKED_NEW;
  if (files.done)
    b->standing =
        gd_standing_is_over(self, &files) ? GD_BOOKED_OVER : GD_BOOKED_DONE;
  else if (b->errand.phase == GD_ERRAND_RUNNING)
    b->standing = GD_BOOKED_KEPT;
  else if (takes_from(s, self, GD_BOOKED_OVER) ||
           takes_from(s, self, GD_BOOKED_HELD))
    b->standing = GD_BOOKED_HELD;
  else if (b->errand.phase == GD_ERRAND_QUEUED &&
           !takes_from(s, self, GD_BOOKED_NEW))
    b->standing = GD_BOOKED_KEPT;
  if (b->standing == GD_BOOKED_OVER && s->over < 0)
    s->over = i;
  return GD_OK;
}

/* When all others are submitted: say what stopped the rest. */
gd_status gd_bookings_tell_over(const gd_bookings *s)
{
  if (s->over < 0)
    return GD_OK;
  const gd_instance *self = gd_job_instance(s->job, s->over);
  gd_standing files;
  gd_status st = gd_rundir_look(self, &files);
  if (st != GD_OK)
    return st;
  gd_text line = {0};
  gd_standing_tell_over(self, &files, &line);
  st = gd_text_status(&line);
  if (st == GD_OK)
    st = gd_fail(GD_ERR_USAGE, "%s", gd_text_get(&line));
  gd_text_free(&line);
  return st;
}

/* Tasks are numbered alike in all stages of a sweep, whoever of its members is
 * submitted now. */
static gd_status settle_stage(gd_bookings *s, int first, int end)
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
static gd_booking_dependency on_kept(const gd_booking *input,
                                     int is_corresponding)
{
  const char *id = input->errand.jobs[input->errand.n_jobs - 1].id;
  return (gd_booking_dependency){
      .is_corresponding = is_corresponding,
      .group = -1,
      .task = -1,
      .id = id,
      .id_length = is_corresponding ? strcspn(id, "_") : strlen(id)};
}

static gd_booking_dependency
on_new(const gd_bookings *s, const gd_booking *input, int is_corresponding)
{
  const int all = is_corresponding ||
                  s->n_inputs_of[input->group] == s->groups[input->group].n;
  return (gd_booking_dependency){.is_corresponding = is_corresponding,
                                 .group = input->group,
                                 .task = all ? -1 : input->task};
}

static int is_same(const gd_booking_dependency *a,
                   const gd_booking_dependency *b)
{
  return a->is_corresponding == b->is_corresponding && a->group == b->group &&
         a->task == b->task && a->id_length == b->id_length &&
         (a->id == NULL || strncmp(a->id, b->id, a->id_length) == 0);
}

/* Several inputs may be the tasks of one array that is waited for as a whole,
 * or task after task. */
static int is_listed(const gd_booking_dependency *list, int n)
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
static void count_inputs(gd_bookings *s, const gd_instance *self, int step)
{
  for (int i = 0; i < gd_instance_n_inputs(self); i++) {
    const int input = gd_instance_index(gd_instance_input(self, i));
    if (s->bookings[input].standing == GD_BOOKED_NEW)
      s->n_inputs_of[s->bookings[input].group] += step;
  }
}

/* List what an instance waits for; returns how many. */
static int list_dependencies(gd_bookings *s, int i, gd_booking_dependency *out)
{
  const gd_instance *self = gd_job_instance(s->job, i);
  const int task = s->bookings[i].task;
  int n = 0;
  count_inputs(s, self, 1);
  for (int k = 0; k < gd_instance_n_inputs(self); k++) {
    const gd_booking *input =
        &s->bookings[gd_instance_index(gd_instance_input(self, k))];
    if (input->standing != GD_BOOKED_KEPT && input->standing != GD_BOOKED_NEW)
      continue;
    const int is_corresponding =
        task >= 0 && input->task == task && input->n_consumers == 1;
    out[n] = input->standing == GD_BOOKED_KEPT
                 ? on_kept(input, is_corresponding)
                 : on_new(s, input, is_corresponding);
    n += !is_listed(out, n);
  }
  count_inputs(s, self, -1);
  return n;
}

static void add_dependency(const gd_bookings *s, const gd_booking_dependency *d,
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
void gd_bookings_after(const gd_bookings *s, const gd_booking_group *g,
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

static int fits(const gd_booking_group *g, int chunk,
                const gd_booking_dependency *list, int n)
{
  if (g->chunk != chunk || g->n_dependencies != n)
    return 0;
  for (int i = 0; i < n; i++)
    if (!is_same(&g->dependencies[i], &list[i]))
      return 0;
  return 1;
}

static gd_status add_group(gd_bookings *s, int chunk,
                           const gd_booking_dependency *list, int n,
                           int most_members)
{
  gd_booking_group *g = &s->groups[s->n_groups];
  *g = (gd_booking_group){.chunk = chunk, .n_dependencies = n};
  g->members = gd_alloc(most_members, sizeof *g->members);
  g->dependencies = gd_alloc(n, sizeof *g->dependencies);
  s->n_groups++;
  if (g->members == NULL || g->dependencies == NULL)
    return GD_ERR_NOMEM;
  if (n > 0)
    memcpy(g->dependencies, list, (size_t)n * sizeof *list);
  return GD_OK;
}

static gd_status name_group(const gd_bookings *s, const char *work,
                            gd_booking_group *g)
{
  char hex[GD_DIGEST_HEX];
  gd_hasher *h;
  gd_status st = gd_hasher_new(&h);
  if (st != GD_OK)
    return st;
  gd_hasher_text(h, work);
  gd_hasher_int(h, gd_ledger_n_lines(s->ledger));
  for (int i = 0; i < g->n; i++)
    gd_hasher_digest(
        h, gd_instance_digest(gd_job_instance(s->job, g->members[i])));
  gd_digest_hex(gd_hasher_end(h), hex);
  snprintf(g->name, sizeof g->name, "%s.%s-%.8s", gd_job_name(s->job),
           gd_instance_name(gd_job_instance(s->job, g->members[0])), hex);
  return GD_OK;
}

static void count_consumers(gd_bookings *s, int first, int end)
{
  for (int i = 0; i < first; i++)
    s->bookings[i].n_consumers = 0;
  for (int i = first; i < end; i++) {
    const gd_instance *self = gd_job_instance(s->job, i);
    if (s->bookings[i].standing == GD_BOOKED_NEW)
      for (int k = 0; k < gd_instance_n_inputs(self); k++)
        s->bookings[gd_instance_index(gd_instance_input(self, k))]
            .n_consumers++;
  }
}

/* Put an instance into the group of its stage that waits for the same. */
static gd_status put(gd_bookings *s, int i, int first, int end, int first_group,
                     gd_booking_dependency *list)
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

static gd_status group_stage(gd_bookings *s, const char *work, int first,
                             int end)
{
  const int first_group = s->n_groups;
  gd_status st = GD_OK;
  count_consumers(s, first, end);
  for (int i = first; st == GD_OK && i < end; i++) {
    const int n = gd_instance_n_inputs(gd_job_instance(s->job, i));
    if (s->bookings[i].standing != GD_BOOKED_NEW)
      continue;
    gd_booking_dependency *list = gd_alloc(n, sizeof *list);
    st = list == NULL ? GD_ERR_NOMEM : put(s, i, first, end, first_group, list);
    free(list);
  }
  for (int g = first_group; st == GD_OK && g < s->n_groups; g++)
    st = name_group(s, work, &s->groups[g]);
  return st;
}

static gd_status book(gd_bookings *s, const char *work)
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
      st = group_stage(s, work, first, end);
  }
  return st;
}

gd_status gd_bookings_make(const gd_job *job, const gd_site *site,
                           const char *work, const gd_ledger *ledger,
                           gd_bookings *out)
{
  *out = (gd_bookings){.job = job, .site = site, .ledger = ledger, .over = -1};
  return book(out, work);
}

void gd_bookings_free(gd_bookings *b)
{
  for (int g = 0; g < b->n_groups; g++) {
    free(b->groups[g].members);
    free(b->groups[g].dependencies);
    gd_text_free(&b->groups[g].id);
  }
  free(b->groups);
  free(b->n_inputs_of);
  free(b->bookings);
}
