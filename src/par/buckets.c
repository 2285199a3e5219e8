#include "gradus/buckets.h"

#include <assert.h>
#include <string.h>

enum { ALIGN = GD_BUCKETS_ALIGN, PART = 4096, EIGHTHS = 3 };

static int64_t aligned(int64_t n)
{
  return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static int64_t larger(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

gd_buckets gd_buckets_cut(int64_t count, size_t bucket_bytes, int size)
{
  assert(count >= 1 && size >= 1);
  gd_buckets b = {.n = 0, .size = size};
  int64_t usual = aligned((int64_t)(bucket_bytes / sizeof(float)));
  usual = larger(usual, aligned(count / (GD_BUCKETS_MOST - EIGHTHS - 1)));
  usual = larger(usual, (int64_t)size * PART);
  /* An eighth, a quarter, a half, then whole ones; a short rest joins the last
   * one. */
  for (int64_t at = 0; at < count; b.n++) {
    assert(b.n < GD_BUCKETS_MOST);
    const int shift = b.n < EIGHTHS ? EIGHTHS - b.n : 0;
    const int64_t n = aligned(usual >> shift);
    b.first[b.n] = at;
    at = count - at < n + n / 2 ? count : at + n;
    b.first[b.n + 1] = at;
  }
  return b;
}

gd_range gd_buckets_at(const gd_buckets *b, int i)
{
  assert(i >= 0 && i < b->n);
  return (gd_range){b->first[i], b->first[i + 1]};
}

gd_range gd_buckets_part(const gd_buckets *b, int i, int rank)
{
  const gd_range all = gd_buckets_at(b, i);
  gd_range part =
      gd_range_of(aligned(all.end - all.first) / ALIGN, rank, b->size);
  part.first = all.first + part.first * ALIGN;
  part.end = all.first + part.end * ALIGN;
  part.first = part.first < all.end ? part.first : all.end;
  part.end = part.end < all.end ? part.end : all.end;
  return part;
}

gd_range gd_buckets_within(const gd_buckets *b, int i, int rank, int64_t count)
{
  gd_range part = gd_buckets_part(b, i, rank);
  part.first = part.first < count ? part.first : count;
  part.end = part.end < count ? part.end : count;
  return part;
}

int64_t gd_buckets_owned(const gd_buckets *b, int rank, int64_t count)
{
  int64_t n = 0;
  for (int i = 0; i < b->n; i++) {
    const gd_range part = gd_buckets_within(b, i, rank, count);
    n += part.end - part.first;
  }
  return n;
}

int64_t gd_buckets_place(const gd_buckets *b, int rank, int64_t at)
{
  int64_t before = 0;
  for (int i = 0;; i++) {
    const gd_range part = gd_buckets_part(b, i, rank);
    if (at < b->first[i + 1]) {
      assert(at >= part.first && at < part.end);
      return before + at - part.first;
    }
    before += part.end - part.first;
  }
}

void gd_buckets_pack(const gd_buckets *b, int rank, int64_t count,
                     const float *block, float *packed)
{
  for (int i = 0; i < b->n; i++) {
    const gd_range part = gd_buckets_within(b, i, rank, count);
    const int64_t n = part.end - part.first;
    memcpy(packed, block + part.first, (size_t)n * sizeof *packed);
    packed += n;
  }
}

void gd_buckets_unpack(const gd_buckets *b, int rank, int64_t count,
                       const float *packed, float *block)
{
  for (int i = 0; i < b->n; i++) {
    const gd_range part = gd_buckets_within(b, i, rank, count);
    const int64_t n = part.end - part.first;
    memcpy(block + part.first, packed, (size_t)n * sizeof *packed);
    packed += n;
  }
}
