#include "gradus/prefetch.h"
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { AHEAD = 3, N = 40, ITEM = 16, SLOW_MS = 4 };

static double now_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A source that counts, fails at an item, takes its time, or waits at a gate.
 */
typedef struct {
  atomic_int n_read, n_taken, n_begun;
  int64_t bad;
  double seconds;
  pthread_mutex_t gate; /* held by the test: reading waits */
  atomic_int too_far;
} source;

static gd_status read_item(void *context, int64_t item, void *out)
{
  source *s = context;
  s->n_begun++;
  if (s->n_read - s->n_taken >= AHEAD)
    s->too_far = 1;
  pthread_mutex_lock(&s->gate);
  pthread_mutex_unlock(&s->gate);
  for (const double end_s = now_s() + s->seconds; now_s() < end_s;)
    ;
  if (item == s->bad)
    return gd_fail(GD_ERR_FORMAT, "item %d is broken", (int)item);
  memset(out, (int)item, ITEM);
  s->n_read++;
  return GD_OK;
}

static gd_prefetch *feed_of(source *s)
{
  gd_prefetch *f;
  *s = (source){.bad = -1};
  pthread_mutex_init(&s->gate, NULL);
  assert_ok(gd_prefetch_new(ITEM, AHEAD, N, read_item, s, &f));
  return f;
}

static void end(gd_prefetch *f, source *s)
{
  gd_prefetch_free(f);
  pthread_mutex_destroy(&s->gate);
}

static void take(gd_prefetch *f, source *s, int64_t item)
{
  unsigned char found[ITEM], wanted[ITEM];
  memset(wanted, (int)item, ITEM);
  s->n_taken++; /* at the latest: from now on there is room for one more */
  assert_ok(gd_prefetch_take(f, item, found));
  assert_memory_equal(found, wanted, ITEM);
}

static void items_come_in_the_order_of_the_list(void **state)
{
  (void)state;
  source s;
  gd_prefetch *f = feed_of(&s);
  for (int list = 1; list <= 3; list++) {
    gd_prefetch_begin(f);
    s.n_read = s.n_taken = 0;
    for (int i = 0; i < N; i++)
      gd_prefetch_add(f, i * 7 * list % 100);
    for (int i = 0; i < N; i++)
      take(f, &s, i * 7 * list % 100);
  }
  end(f, &s);
}

static void reading_stays_within_its_buffers(void **state)
{
  (void)state;
  source s;
  gd_prefetch *f = feed_of(&s);
  gd_prefetch_begin(f);
  for (int i = 0; i < N; i++)
    gd_prefetch_add(f, i);
  for (int i = 0; i < N; i++) {
    while (s.n_read < (i + AHEAD < N ? i + AHEAD : N))
      ; /* it reads as far as it may, */
    take(f, &s, i);
    if (i == N - 2) /* all was there when it was taken */
      assert_true(gd_prefetch_waited_s(f) == 0);
  }
  assert_false(s.too_far); /* and no further */
  assert_int_equal(s.n_read, N);
  end(f, &s);
}

/* One item is being read for the old list when the new one begins. */
static void new_list_drops_the_old_one(void **state)
{
  (void)state;
  source s;
  gd_prefetch *f = feed_of(&s);
  s.bad = 1;
  pthread_mutex_lock(&s.gate);
  gd_prefetch_begin(f);
  gd_prefetch_add(f, 50);
  while (s.n_begun == 0)
    ;
  gd_prefetch_begin(f);
  for (int i = 60; i < 65; i++)
    gd_prefetch_add(f, i);
  pthread_mutex_unlock(&s.gate);
  s.n_read = 0;
  for (int i = 60; i < 65; i++)
    take(f, &s, i);
  end(f, &s);
}

static void failure_comes_at_its_item_with_its_reason(void **state)
{
  (void)state;
  source s;
  gd_prefetch *f = feed_of(&s);
  unsigned char out[ITEM];
  s.bad = 2;
  gd_prefetch_begin(f);
  for (int i = 0; i < 5; i++)
    gd_prefetch_add(f, i);
  take(f, &s, 0);
  take(f, &s, 1);
  for (int again = 0; again < 2; again++)
    assert_fails(gd_prefetch_take(f, 2, out), GD_ERR_FORMAT,
                 "item 2 is broken");
  gd_prefetch_begin(f);
  gd_prefetch_add(f, 9);
  take(f, &s, 9);
  end(f, &s);
}

/* Nothing is done between takes: all the time that reading takes is waited.
 * Return the share that was measured. */
static double waited_share(void)
{
  enum { ITEMS = 10 };
  source s;
  gd_prefetch *f = feed_of(&s);
  s.seconds = SLOW_MS * 1e-3;
  pthread_mutex_lock(&s.gate);
  gd_prefetch_begin(f);
  for (int i = 0; i < ITEMS; i++)
    gd_prefetch_add(f, i);
  const double begun_s = now_s();
  pthread_mutex_unlock(&s.gate);
  for (int i = 0; i < ITEMS; i++)
    take(f, &s, i);
  const double took_s = now_s() - begun_s;
  assert_true(took_s >= ITEMS * SLOW_MS * 1e-3);
  const double waited_s = gd_prefetch_waited_s(f);
  end(f, &s);
  return waited_s / took_s;
}

/* Whoever does not get the processor does not wait for the source: again. */
static void waiting_for_a_slow_source_is_measured(void **state)
{
  (void)state;
  double share = 0;
  for (int i = 0; i < 50 && share < 0.5; i++)
    share = waited_share();
  assert_true(share >= 0.5 && share <= 1);
}

static void feed_ends_with_much_unread(void **state)
{
  (void)state;
  source s;
  gd_prefetch *f = feed_of(&s);
  gd_prefetch_begin(f);
  for (int i = 0; i < N; i++)
    gd_prefetch_add(f, i);
  end(f, &s);
  assert_true(s.n_read <= AHEAD);
  gd_prefetch_free(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(items_come_in_the_order_of_the_list),
    cmocka_unit_test(reading_stays_within_its_buffers),
    cmocka_unit_test(new_list_drops_the_old_one),
    cmocka_unit_test(failure_comes_at_its_item_with_its_reason),
    cmocka_unit_test(waiting_for_a_slow_source_is_measured),
    cmocka_unit_test(feed_ends_with_much_unread),
};

gd_test_main(tests)
