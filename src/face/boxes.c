#include "face/boxes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

gd_status gd_boxes_add(gd_boxes *b, gd_box **out)
{
  *out = NULL;
  if (b->n == b->room) {
    const int room = b->room == 0 ? 1024 : 2 * b->room;
    gd_box *items = gd_alloc(room, sizeof *items);
    gd_box *spare = gd_alloc(room, sizeof *spare);
    if (items == NULL || spare == NULL) {
      free(items);
      free(spare);
      return GD_ERR_NOMEM;
    }
    if (b->n > 0)
      memcpy(items, b->items, (size_t)b->n * sizeof *items);
    free(b->items);
    free(b->spare);
    *b = (gd_boxes){.items = items, .spare = spare, .n = b->n, .room = room};
  }
  *out = &b->items[b->n++];
  memset(*out, 0, sizeof **out);
  return GD_OK;
}

void gd_boxes_free(gd_boxes *b)
{
  free(b->items);
  free(b->spare);
  *b = (gd_boxes){0};
}

/* Merge the sorted runs from[a..m) and from[m..e) into to[a..e). */
static void merge_runs(const gd_box *from, gd_box *to, int a, int m, int e)
{
  int left = a, right = m;
  for (int i = a; i < e; i++)
    to[i] = left < m && (right >= e || from[left].key >= from[right].key)
                ? from[left++]
                : from[right++];
}

/* The library's qsort() is not stable and may allocate. */
void gd_boxes_sort(gd_boxes *b, int first)
{
  const int n = b->n - first;
  gd_box *from = b->items + first, *to = b->spare + first;
  for (int run = 1; run < n; run *= 2) {
    for (int a = 0; a < n; a += 2 * run) {
      const int m = a + run < n ? a + run : n;
      const int e = a + 2 * run < n ? a + 2 * run : n;
      merge_runs(from, to, a, m, e);
    }
    gd_box *swap = from;
    from = to;
    to = swap;
  }
  if (n > 0 && from != b->items + first)
    memcpy(b->items + first, from, (size_t)n * sizeof *from);
}

static float overlap(const gd_box *a, const gd_box *b, gd_overlap_kind kind)
{
  const float plus = kind == GD_BY_SMALLER ? 1.0f : 0.0f;
  const float area_a = (a->x2 - a->x1 + plus) * (a->y2 - a->y1 + plus);
  const float area_b = (b->x2 - b->x1 + plus) * (b->y2 - b->y1 + plus);
  const float w = fmaxf(0, fminf(a->x2, b->x2) - fmaxf(a->x1, b->x1) + plus);
  const float h = fmaxf(0, fminf(a->y2, b->y2) - fmaxf(a->y1, b->y1) + plus);
  const float both = w * h;
  return both / (kind == GD_BY_SMALLER ? fminf(area_a, area_b)
                                       : area_a + area_b - both);
}

void gd_boxes_suppress(gd_boxes *b, int first, gd_overlap_kind kind,
                       float threshold)
{
  assert(first >= 0 && first <= b->n);
  for (int i = first; i < b->n; i++)
    b->items[i].key = b->items[i].score;
  gd_boxes_sort(b, first);
  int kept = first;
  for (int i = first; i < b->n; i++) {
    int k = first;
    while (k < kept && !(overlap(&b->items[k], &b->items[i], kind) > threshold))
      k++;
    if (k == kept)
      b->items[kept++] = b->items[i];
  }
  b->n = kept;
}

void gd_boxes_calibrate(gd_boxes *b, float plus)
{
  for (int i = 0; i < b->n; i++) {
    gd_box *box = &b->items[i];
    const float w = box->x2 - box->x1 + plus, h = box->y2 - box->y1 + plus;
    box->x1 += box->offset[0] * w;
    box->y1 += box->offset[1] * h;
    box->x2 += box->offset[2] * w;
    box->y2 += box->offset[3] * h;
  }
}

void gd_boxes_square(gd_boxes *b)
{
  for (int i = 0; i < b->n; i++) {
    gd_box *box = &b->items[i];
    const float w = box->x2 - box->x1, h = box->y2 - box->y1;
    const float side = fmaxf(w, h);
    box->x1 += w * 0.5f - side * 0.5f;
    box->y1 += h * 0.5f - side * 0.5f;
    box->x2 = box->x1 + side;
    box->y2 = box->y1 + side;
  }
}

int gd_box_window(const gd_box *b, int width_px, int height_px, gd_window *out)
{
  const float most = 1e6f; /* beyond any image: the casts below are defined */
  if (!(fabsf(b->x1) < most && fabsf(b->y1) < most && fabsf(b->x2) < most &&
        fabsf(b->y2) < most))
    return 0;
  const int x1 = (int)b->x1, y1 = (int)b->y1;
  const int x2 = (int)b->x2, y2 = (int)b->y2;
  *out = (gd_window){.x0 = (x1 > 1 ? x1 : 1) - 1,
                     .y0 = (y1 > 1 ? y1 : 1) - 1,
                     .x1 = x2 < width_px ? x2 : width_px,
                     .y1 = y2 < height_px ? y2 : height_px};
  return out->x0 < out->x1 && out->y0 < out->y1;
}

void gd_box_frame(gd_box *b, gd_window window)
{
  b->x1 = (float)(window.x0 + 1);
  b->y1 = (float)(window.y0 + 1);
  b->x2 = (float)window.x1;
  b->y2 = (float)window.y1;
}
