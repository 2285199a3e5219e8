#include "gradus/digest.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "gradus/alive.h"

static gd_digest from_xxh(XXH128_hash_t h)
{
  return (gd_digest){.high = h.high64, .low = h.low64};
}

gd_status gd_hasher_new(gd_hasher **out)
{
  assert(out != NULL);
  /* The opaque type is XXH3's own state: no second allocation. */
  XXH3_state_t *state = XXH3_createState();
  *out = (gd_hasher *)state;
  if (state == NULL)
    return gd_fail(GD_ERR_NOMEM, "cannot allocate a digest");
  XXH3_128bits_reset(state);
  return GD_OK;
}

void gd_hasher_bytes(gd_hasher *h, const void *data, size_t size_bytes)
{
  assert(h != NULL && (data != NULL || size_bytes == 0));
  if (size_bytes > 0)
    XXH3_128bits_update((XXH3_state_t *)h, data, size_bytes);
}

void gd_hasher_int(gd_hasher *h, int64_t value)
{
  unsigned char bytes[8];
  for (int i = 0; i < 8; i++)
    bytes[i] = (unsigned char)((uint64_t)value >> (8 * i));
  gd_hasher_bytes(h, bytes, sizeof bytes);
}

void gd_hasher_text(gd_hasher *h, const char *text)
{
  assert(text != NULL);
  const size_t length = strlen(text);
  gd_hasher_int(h, (int64_t)length);
  gd_hasher_bytes(h, text, length);
}

void gd_hasher_digest(gd_hasher *h, gd_digest value)
{
  gd_hasher_int(h, (int64_t)value.high);
  gd_hasher_int(h, (int64_t)value.low);
}

gd_digest gd_hasher_value(const gd_hasher *h)
{
  assert(h != NULL);
  return from_xxh(XXH3_128bits_digest((const XXH3_state_t *)h));
}

void gd_hasher_copy(gd_hasher *to, const gd_hasher *from)
{
  assert(to != NULL && from != NULL);
  XXH3_copyState((XXH3_state_t *)to, (const XXH3_state_t *)from);
}

gd_digest gd_hasher_end(gd_hasher *h)
{
  if (h == NULL)
    return (gd_digest){0, 0};
  gd_digest value = gd_hasher_value(h);
  XXH3_freeState((XXH3_state_t *)h);
  return value;
}

gd_digest gd_digest_of(const void *data, size_t size_bytes)
{
  return from_xxh(XXH3_128bits(data, size_bytes));
}

gd_status gd_digest_of_file(const char *path, gd_digest *out)
{
  assert(path != NULL && out != NULL);
  *out = (gd_digest){0, 0};
  gd_alive();

  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return gd_fail(GD_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
  gd_hasher *h;
  gd_status st = gd_hasher_new(&h);
  if (st == GD_OK) {
    static _Thread_local unsigned char buffer[1 << 16];
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
      gd_hasher_bytes(h, buffer, n);
    *out = gd_hasher_end(h);
    if (ferror(file))
      st = gd_fail(GD_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
  }
  fclose(file);
  return st;
}

void gd_digest_hex(gd_digest d, char hex[GD_DIGEST_HEX])
{
  snprintf(hex, GD_DIGEST_HEX, "%016" PRIx64 "%016" PRIx64, d.high, d.low);
}

int gd_digest_of_hex(const char *hex, gd_digest *out)
{
  enum { DIGITS = GD_DIGEST_HEX - 1 };
  *out = (gd_digest){0, 0};
  if (strlen(hex) != DIGITS || strspn(hex, "0123456789abcdef") != DIGITS)
    return 0;
  char half[DIGITS / 2 + 1];
  snprintf(half, sizeof half, "%.16s", hex);
  *out = (gd_digest){.high = strtoull(half, NULL, 16),
                     .low = strtoull(hex + DIGITS / 2, NULL, 16)};
  return 1;
}

int gd_digest_equal(gd_digest a, gd_digest b)
{
  return a.high == b.high && a.low == b.low;
}
