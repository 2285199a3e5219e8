#include "gradus/tally.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/memory.h"

typedef struct {
  char *name;
  int64_t n;
} count;

typedef struct {
  char *item, *reason;
} skipped;

struct gd_tally {
  count *counts;
  int64_t n_counts, count_room;
  skipped *skips;
  int64_t n_skips, skip_room;
};

gd_status gd_tally_new(gd_tally **out)
{
  assert(out != NULL);
  *out = gd_alloc(1, sizeof **out);
  return *out == NULL ? GD_ERR_NOMEM : GD_OK;
}

void gd_tally_free(gd_tally *t)
{
  if (t == NULL)
    return;
  for (int64_t i = 0; i < t->n_counts; i++)
    free(t->counts[i].name);
  for (int64_t i = 0; i < t->n_skips; i++) {
    free(t->skips[i].item);
    free(t->skips[i].reason);
  }
  free(t->counts);
  free(t->skips);
  free(t);
}

gd_status gd_tally_count(gd_tally *t, const char *name, int64_t n)
{
  assert(t != NULL && name != NULL);

  for (int64_t i = 0; i < t->n_counts; i++)
    if (strcmp(t->counts[i].name, name) == 0) {
      t->counts[i].n += n;
      return GD_OK;
    }
  gd_status st =
      gd_grow(&t->counts, t->n_counts + 1, &t->count_room, sizeof *t->counts);
  if (st != GD_OK)
    return st;
  char *copy = gd_strdup(name);
  if (copy == NULL)
    return GD_ERR_NOMEM;
  t->counts[t->n_counts++] = (count){copy, n};
  return GD_OK;
}

/* Tabs and line breaks separate what travels between ranks. */
static char *one_line(const char *text)
{
  char *copy = gd_strdup(text);
  for (char *c = copy; c != NULL && *c != '\0'; c++)
    if (*c == '\t' || *c == '\n' || *c == '\r')
      *c = ' ';
  return copy;
}

gd_status gd_tally_skip(gd_tally *t, const char *item, const char *reason)
{
  assert(t != NULL && item != NULL && reason != NULL);

  gd_status st =
      gd_grow(&t->skips, t->n_skips + 1, &t->skip_room, sizeof *t->skips);
  if (st != GD_OK)
    return st;
  skipped one = {one_line(item), one_line(reason)};
  if (one.item == NULL || one.reason == NULL) {
    free(one.item);
    free(one.reason);
    return GD_ERR_NOMEM;
  }
  t->skips[t->n_skips++] = one;
  return GD_OK;
}

static int by_item(const void *a, const void *b)
{
  const skipped *x = a, *y = b;
  const int order = strcmp(x->item, y->item);
  return order != 0 ? order : strcmp(x->reason, y->reason);
}

/* A video that lies in several files may be skipped in each of them. */
static void settle(gd_tally *t)
{
  if (t->n_skips > 1)
    qsort(t->skips, (size_t)t->n_skips, sizeof *t->skips, by_item);
  int64_t kept = 0;
  for (int64_t i = 0; i < t->n_skips; i++) {
    if (kept > 0 && strcmp(t->skips[kept - 1].item, t->skips[i].item) == 0) {
      free(t->skips[i].item);
      free(t->skips[i].reason);
    } else {
      t->skips[kept++] = t->skips[i];
    }
  }
  t->n_skips = kept;
}

/* ----------------------------------------------------------------- gather */

static void pack(const gd_tally *t, gd_text *out)
{
  for (int64_t i = 0; i < t->n_counts; i++)
    gd_text_printf(out, "%" PRId64 "\t%s\n", t->counts[i].n, t->counts[i].name);
  for (int64_t i = 0; i < t->n_skips; i++)
    gd_text_printf(out, "s\t%s\t%s\n", t->skips[i].item, t->skips[i].reason);
}

static gd_status unpack(char *text, gd_tally *t)
{
  gd_status st = GD_OK;
  for (char *line = text, *end; st == GD_OK && *line != '\0'; line = end + 1) {
    end = strchr(line, '\n');
    char *first = strchr(line, '\t');
    assert(end != NULL && first != NULL && first < end);
    *end = *first++ = '\0';
    char *second = strchr(first, '\t');
    if (second != NULL) {
      *second++ = '\0';
      st = gd_tally_skip(t, first, second);
    } else {
      st = gd_tally_count(t, first, strtoll(line, NULL, 10));
    }
  }
  return st;
}

gd_status gd_tally_gather(MPI_Comm comm, gd_tally *t)
{
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);

  gd_text text = {0};
  if (rank != 0)
    pack(t, &text);
  gd_status st = gd_text_status(&text);
  if (st == GD_OK && text.length_bytes > INT_MAX)
    st = gd_fail(GD_ERR_USAGE, "more skipped items than one message holds");

  int length = (int)text.length_bytes;
  int *lengths = NULL, *offsets = NULL;
  if (rank == 0 && st == GD_OK) {
    lengths = gd_alloc(size, sizeof *lengths);
    offsets = gd_alloc(size, sizeof *offsets);
    if (lengths == NULL || offsets == NULL)
      st = GD_ERR_NOMEM;
  }
  st = gd_agree(comm, st);
  char *all = NULL;
  if (st == GD_OK) {
    MPI_Gather(&length, 1, MPI_INT, lengths, 1, MPI_INT, 0, comm);
    int64_t total = 0;
    for (int r = 0; rank == 0 && r < size; r++) {
      offsets[r] = (int)total;
      total += lengths[r];
      if (total > INT_MAX)
        st = gd_fail(GD_ERR_USAGE, "more skipped items than one message holds");
    }
    if (rank == 0 && st == GD_OK && (all = gd_alloc(total + 1, 1)) == NULL)
      st = GD_ERR_NOMEM;
    st = gd_agree(comm, st);
  }
  if (st == GD_OK) {
    MPI_Gatherv(text.data, length, MPI_CHAR, all, lengths, offsets, MPI_CHAR, 0,
                comm);
    st = gd_agree(comm, rank == 0 ? unpack(all, t) : GD_OK);
  }
  free(all);
  free(lengths);
  free(offsets);
  gd_text_free(&text);
  return st;
}

/* ----------------------------------------------------------------- result */

int64_t gd_tally_n_skipped(gd_tally *t)
{
  settle(t);
  return t->n_skips;
}

void gd_tally_compose(gd_tally *t, gd_text *out)
{
  settle(t);
  gd_text_add(out, t->n_counts > 0 ? "counts:\n" : "counts: {}\n");
  for (int64_t i = 0; i < t->n_counts; i++)
    gd_text_printf(out, "  %s: %" PRId64 "\n", t->counts[i].name,
                   t->counts[i].n);
  gd_text_add(out, t->n_skips > 0 ? "skipped:\n" : "skipped: []\n");
  for (int64_t i = 0; i < t->n_skips; i++) {
    gd_text_add(out, "  - {item: ");
    gd_text_json(out, t->skips[i].item);
    gd_text_add(out, ", reason: ");
    gd_text_json(out, t->skips[i].reason);
    gd_text_add(out, "}\n");
  }
}
