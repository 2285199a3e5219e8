#include "gradus/prefetch.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/clock.h"
#include "gradus/memory.h"

struct gd_prefetch {
  gd_prefetch_read *read;
  void *context;
  int64_t item_bytes, n_most;
  int n_ahead;
  char *buffers; /* (n_ahead, item_bytes); item i of a list is in i % n_ahead */
  int64_t *items;  /* (n_most) the list */
  double waited_s; /* the owner's */

  pthread_t thread;
  pthread_mutex_t mutex; /* for what follows */
  pthread_cond_t is_read, is_wanted;
  int64_t list; /* number of the list; what is read for an older one is void */
  int64_t n_items, n_read, n_taken; /* of the list */
  int ends;
  gd_status status; /* of reading item n_read, which then is the last */
  char reason[2048];
};

static int has_work(const gd_prefetch *f)
{
  return f->status == GD_OK && f->n_read < f->n_items &&
         f->n_read - f->n_taken < f->n_ahead;
}

static char *buffer_of(const gd_prefetch *f, int64_t i)
{
  return f->buffers + i % f->n_ahead * f->item_bytes;
}

/* Only this thread writes to buffers, and only to one that nobody takes. */
static void *read_ahead(void *prefetch)
{
  gd_prefetch *f = prefetch;
  pthread_mutex_lock(&f->mutex);
  while (!f->ends) {
    if (!has_work(f)) {
      pthread_cond_wait(&f->is_wanted, &f->mutex);
      continue;
    }
    const int64_t list = f->list, i = f->n_read, item = f->items[i];
    pthread_mutex_unlock(&f->mutex);
    const gd_status st = f->read(f->context, item, buffer_of(f, i));
    pthread_mutex_lock(&f->mutex);
    if (f->list != list)
      continue;
    f->status = st;
    if (st == GD_OK)
      f->n_read++;
    else
      snprintf(f->reason, sizeof f->reason, "%s", gd_reason());
    pthread_cond_signal(&f->is_read);
  }
  pthread_mutex_unlock(&f->mutex);
  return NULL;
}

static int start_thread(gd_prefetch *f)
{
  /* Signals are for the thread that does the work. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = pthread_create(&f->thread, NULL, read_ahead, f);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed;
}

static void release(gd_prefetch *f)
{
  pthread_mutex_destroy(&f->mutex);
  pthread_cond_destroy(&f->is_read);
  pthread_cond_destroy(&f->is_wanted);
  free(f->buffers);
  free(f->items);
  free(f);
}

gd_status gd_prefetch_new(int64_t item_bytes, int n_ahead, int64_t n_most,
                          gd_prefetch_read *read, void *context,
                          gd_prefetch **out)
{
  assert(item_bytes >= 1 && n_ahead >= 1 && n_most >= 0);
  assert(read != NULL && out != NULL);
  *out = NULL;
  gd_prefetch *f = gd_alloc(1, sizeof *f);
  if (f == NULL)
    return GD_ERR_NOMEM;
  f->read = read;
  f->context = context;
  f->item_bytes = item_bytes;
  f->n_ahead = n_ahead;
  f->n_most = n_most;
  pthread_mutex_init(&f->mutex, NULL);
  pthread_cond_init(&f->is_read, NULL);
  pthread_cond_init(&f->is_wanted, NULL);
  f->buffers = gd_alloc(n_ahead, (size_t)item_bytes);
  f->items = gd_alloc(n_most, sizeof f->items[0]);
  int failed = 0;
  gd_status st = f->buffers == NULL || f->items == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK && (failed = start_thread(f)) != 0)
    st = gd_fail(GD_ERR_NOMEM, "cannot start a thread: %s", strerror(failed));
  if (st != GD_OK) {
    release(f);
    return st;
  }
  *out = f;
  return GD_OK;
}

void gd_prefetch_free(gd_prefetch *f)
{
  if (f == NULL)
    return;
  pthread_mutex_lock(&f->mutex);
  f->ends = 1;
  pthread_cond_signal(&f->is_wanted);
  pthread_mutex_unlock(&f->mutex);
  pthread_join(f->thread, NULL);
  release(f);
}

void gd_prefetch_begin(gd_prefetch *f)
{
  assert(f != NULL);
  pthread_mutex_lock(&f->mutex);
  f->list++;
  f->n_items = f->n_read = f->n_taken = 0;
  f->status = GD_OK;
  pthread_mutex_unlock(&f->mutex);
}

void gd_prefetch_add(gd_prefetch *f, int64_t item)
{
  assert(f != NULL);
  pthread_mutex_lock(&f->mutex);
  assert(f->n_items < f->n_most);
  f->items[f->n_items++] = item;
  pthread_cond_signal(&f->is_wanted);
  pthread_mutex_unlock(&f->mutex);
}

gd_status gd_prefetch_take(gd_prefetch *f, int64_t item, void *out)
{
  assert(f != NULL && out != NULL);
  pthread_mutex_lock(&f->mutex);
  const int64_t i = f->n_taken;
  assert(i < f->n_items && f->items[i] == item);
  if (f->n_read <= i && f->status == GD_OK) {
    const double begun_s = gd_clock_s();
    while (f->n_read <= i && f->status == GD_OK)
      pthread_cond_wait(&f->is_read, &f->mutex);
    f->waited_s += gd_clock_s() - begun_s;
  }
  gd_status st = f->n_read > i ? GD_OK : f->status;
  if (st != GD_OK)
    st = gd_fail(st, "%s", f->reason);
  pthread_mutex_unlock(&f->mutex);
  if (st != GD_OK)
    return st;

  memcpy(out, buffer_of(f, i), (size_t)f->item_bytes);
  pthread_mutex_lock(&f->mutex);
  f->n_taken++;
  pthread_cond_signal(&f->is_wanted);
  pthread_mutex_unlock(&f->mutex);
  return GD_OK;
}

double gd_prefetch_waited_s(const gd_prefetch *f)
{
  return f->waited_s;
}
