#include "train/events.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "events.pb-c.h"

enum { HEAD_BYTES = 12, TAIL_BYTES = 4, MOST_BYTES = 1 << 16 };

static uint32_t crc32c(const uint8_t *bytes, size_t n)
{
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < n; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
  }
  return ~crc;
}

static uint32_t masked(const uint8_t *bytes, size_t n)
{
  const uint32_t crc = crc32c(bytes, n);
  return (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
}

static void put(uint64_t value, int n_bytes, uint8_t *out)
{
  for (int i = 0; i < n_bytes; i++)
    out[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *bytes, int n_bytes)
{
  uint64_t value = 0;
  for (int i = n_bytes - 1; i >= 0; i--)
    value = value << 8 | bytes[i];
  return value;
}

static void add_record(const Gd__Events__Event *event, gd_text *out)
{
  uint8_t data[MOST_BYTES], head[HEAD_BYTES], tail[TAIL_BYTES];
  assert(gd__events__event__get_packed_size(event) <= sizeof data);
  const size_t n = gd__events__event__pack(event, data);
  put(n, 8, head);
  put(masked(head, 8), 4, head + 8);
  put(masked(data, n), 4, tail);
  gd_text_bytes(out, head, sizeof head);
  gd_text_bytes(out, data, n);
  gd_text_bytes(out, tail, sizeof tail);
}

void gd_events_begin(double wall_s, gd_text *out)
{
  char version[] = "brain.Event:2";
  Gd__Events__Event event = GD__EVENTS__EVENT__INIT;
  event.has_wall_time = 1;
  event.wall_time = wall_s;
  event.file_version = version;
  add_record(&event, out);
}

void gd_events_add(double wall_s, int64_t step, int n, const gd_scalar *scalars,
                   gd_text *out)
{
  assert(n <= GD_EVENTS_MOST_SCALARS);
  Gd__Events__Event event = GD__EVENTS__EVENT__INIT;
  Gd__Events__Summary summary = GD__EVENTS__SUMMARY__INIT;
  Gd__Events__Value values[GD_EVENTS_MOST_SCALARS];
  Gd__Events__Value *pointers[GD_EVENTS_MOST_SCALARS];
  for (int i = 0; i < n; i++) {
    if (!isfinite(scalars[i].value))
      continue;
    Gd__Events__Value *v = pointers[summary.n_value] = &values[summary.n_value];
    summary.n_value++;
    gd__events__value__init(v);
    v->tag = (char *)scalars[i].tag; /* packing leaves it as it is */
    v->has_simple_value = 1;
    v->simple_value = (float)scalars[i].value;
  }
  summary.value = pointers;
  event.has_wall_time = event.has_step = 1;
  event.wall_time = wall_s;
  event.step = step;
  event.summary = &summary;
  add_record(&event, out);
}

size_t gd_events_look(const char *text, size_t n_bytes, int64_t *step,
                      char tag[64])
{
  const uint8_t *bytes = (const uint8_t *)text;
  if (n_bytes < HEAD_BYTES + TAIL_BYTES ||
      get(bytes + 8, 4) != masked(bytes, 8))
    return 0;
  const uint64_t n = get(bytes, 8);
  if (n > MOST_BYTES || n > n_bytes - HEAD_BYTES - TAIL_BYTES ||
      get(bytes + HEAD_BYTES + n, 4) != masked(bytes + HEAD_BYTES, n))
    return 0;
  Gd__Events__Event *event =
      gd__events__event__unpack(NULL, n, bytes + HEAD_BYTES);
  if (event == NULL)
    return 0;
  const Gd__Events__Summary *s = event->summary;
  const int has_tag = s != NULL && s->n_value > 0 && s->value[0]->tag != NULL;
  *step = s == NULL ? -1 : event->step;
  snprintf(tag, 64, "%s", has_tag ? s->value[0]->tag : "");
  gd__events__event__free_unpacked(event, NULL);
  return HEAD_BYTES + (size_t)n + TAIL_BYTES;
}
