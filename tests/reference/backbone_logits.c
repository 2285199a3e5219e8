/* backbone_logits BACKBONE HEAD IMAGES SIZE MODEL -- print what a network
 * computes that begins with an imported backbone: a line of outputs for each
 * image.
 *
 * HEAD holds fc.0.* and fc.2.*; IMAGES is (n, SIZE, SIZE, 3) bytes, RGB.  The
 * whole network is written to MODEL, for export. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/augment.h"
#include "gradus/evaluator.h"
#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/weights.h"

static void must(gd_status st)
{
  if (st != GD_OK) {
    fprintf(stderr, "backbone_logits: %s\n", gd_reason());
    exit(1);
  }
}

static void *need(void *memory)
{
  if (memory == NULL)
    must(GD_ERR_NOMEM);
  return memory;
}

static int64_t rows_of(gd_weights *w, const char *name)
{
  for (int i = 0; i < gd_weights_n(w); i++)
    if (strcmp(gd_weights_at(w, i).name, name) == 0)
      return gd_weights_at(w, i).shape[0];
  must(gd_fail(GD_ERR_FORMAT, "the head has no %s", name));
  return 0;
}

/* A network of the backbone's profile, random yet. */
static void make_model(const char *backbone, gd_weights *head, int size_px,
                       gd_model *m)
{
  gd_tensor_table table, running;
  gd_resnet_config *c = &m->info.network;
  must(gd_model_read_info(backbone, &m->info));
  c->height = c->width = size_px;
  c->hidden = (int)rows_of(head, "fc.0.weight");
  c->outputs = m->info.n_levels = (int)rows_of(head, "fc.2.weight");
  m->info.loss = GD_LOSS_SOFTMAX;
  m->info.dev_mae = -1;
  must(gd_resnet_tables(c, &table, &running));
  m->weights = need(gd_alloc(table.count, sizeof(float)));
  m->running = need(gd_alloc(running.count, sizeof(float)));
  for (int i = table.n_entries - 4; i < table.n_entries; i++) {
    const gd_tensor_entry *e = &table.entries[i];
    const int64_t shape[2] = {e->shape[0], e->shape[1]};
    must(
        gd_weights_read(head, e->name, e->rank, shape, m->weights + e->offset));
  }
  gd_tensor_table_free(&table);
  gd_tensor_table_free(&running);
}

int main(int argc, char **argv)
{
  if (argc != 6) {
    fputs("usage: backbone_logits BACKBONE HEAD IMAGES SIZE MODEL\n", stderr);
    return 2;
  }
  gd_model m = {0};
  gd_weights *head;
  gd_model_info found;
  gd_resnet *net;
  char *images;
  size_t n_bytes;
  const int size_px = (int)strtol(argv[4], NULL, 10);
  const int64_t n_values = (int64_t)size_px * size_px * 3;
  must(gd_weights_open(argv[2], &head));
  make_model(argv[1], head, size_px, &m);
  must(gd_model_load(argv[1], &m.info.network, m.weights, m.running, &found));
  must(gd_model_write(argv[5], (gd_digest){0}, &m.info, m.weights, m.running));
  must(gd_resnet_new(&m.info.network, 1, 0, &net));
  gd_resnet_pack(net, m.weights);
  must(gd_file_read(argv[3], 1 << 24, &images, &n_bytes));
  float *x = need(gd_alloc(n_values, sizeof *x));
  float *logits = need(gd_alloc(m.info.network.outputs, sizeof *logits));
  for (size_t i = 0; i < n_bytes / (size_t)n_values; i++) {
    gd_augment_apply(&(gd_augment_draw){0}, &m.info.network.input, size_px,
                     (const uint8_t *)images + i * (size_t)n_values, x);
    must(gd_resnet_forward(net, GD_RESNET_EVALUATE, m.running, x, 1, logits));
    for (int k = 0; k < m.info.network.outputs; k++)
      printf("%.9g%c", (double)logits[k],
             k < m.info.network.outputs - 1 ? ' ' : '\n');
  }
  free(x);
  free(logits);
  free(images);
  free(m.weights);
  free(m.running);
  gd_resnet_free(net);
  gd_weights_close(head);
  return 0;
}
