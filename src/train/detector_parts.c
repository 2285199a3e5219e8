#include "train/detector_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/gather.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/store.h"
#include "gradus/text.h"

static const char FORMAT[] = "gradus-detector-training";
enum { VERSION = 2, EXCHANGE_BYTES = 8 << 20 };

const gd_cascade_spec *const gd_detector_specs[GD_N_DETECTOR_NETS] = {
    &gd_pnet_spec, &gd_rnet_spec, &gd_onet_spec};

static int64_t pieces(int64_t whole, int64_t part)
{
  return (whole + part - 1) / part;
}

int64_t gd_detector_n_steps(const gd_detector_parts *f, int net)
{
  return pieces(f->config->n_images[net], f->config->batch);
}

/* Samples of a leaf, at most. */
static int64_t most_of_leaf(const gd_detector_parts *f, int net)
{
  return (int64_t)f->config->microbatch * gd_detector_most_samples(net);
}

int64_t gd_detector_n_weights(const gd_detector_parts *f, int net)
{
  return gd_cascade_trainer_weights(f->trainers[net])->count;
}

/* ------------------------------------------------------------------- set-up */

gd_status gd_detector_begin(gd_detector_parts *f)
{
  const gd_detector_fit_config *c = f->config;
  int64_t n_all = 0;
  gd_status st = gd_path_join(c->directory, "last.h5", f->last);
  for (int i = 0; st == GD_OK && i < GD_N_DETECTOR_NETS; i++) {
    st = gd_cascade_trainer_new(gd_detector_specs[i], gd_detector_crop_px(i),
                                (int)most_of_leaf(f, i), &f->trainers[i]);
    if (st != GD_OK)
      break;
    f->weights[i] =
        gd_alloc(gd_detector_n_weights(f, i), sizeof *f->weights[i]);
    if (f->weights[i] == NULL)
      st = GD_ERR_NOMEM;
    n_all += gd_detector_n_steps(f, i);
  }
  if (st == GD_OK && (f->rows = gd_alloc(n_all, sizeof *f->rows)) == NULL)
    st = GD_ERR_NOMEM;
  return st;
}

void gd_detector_end_net(gd_detector_parts *f)
{
  gd_mtcnn_close(f->before);
  f->before = NULL;
  gd_reduce_free(f->reduce);
  f->reduce = NULL;
  for (int i = 0; i < GD_OPTIMIZER_MOST_STATES; i++) {
    free(f->states[i]);
    f->states[i] = NULL;
  }
  gd_detector_samples_end(&f->samples);
  free(f->stock.ends);
  f->stock = (gd_detector_stock){0};
  free(f->dy);
  f->dy = NULL;
  free(f->scratch);
  f->scratch = NULL;
}

void gd_detector_end(gd_detector_parts *f)
{
  gd_detector_end_net(f);
  for (int i = 0; i < GD_N_DETECTOR_NETS; i++) {
    gd_cascade_trainer_free(f->trainers[i]);
    free(f->weights[i]);
  }
  free(f->rows);
}

static gd_status allocate_net(gd_detector_parts *f)
{
  const int64_t most = most_of_leaf(f, f->net);
  const int64_t n_leaves =
      GD_DETECTOR_STOCK * pieces(f->config->batch, f->config->microbatch);
  f->dy = gd_alloc(most * gd_cascade_trainer_channels(f->trainers[f->net]),
                   sizeof *f->dy);
  f->scratch = gd_alloc(most, sizeof *f->scratch);
  f->stock.ends = gd_alloc(n_leaves, sizeof *f->stock.ends);
  int failed = f->dy == NULL || f->scratch == NULL || f->stock.ends == NULL;
  for (int i = 0; i < gd_optimizer_n_states(f->optimizer.kind); i++) {
    f->states[i] =
        gd_alloc(gd_detector_n_weights(f, f->net), sizeof *f->states[i]);
    failed |= f->states[i] == NULL;
  }
  return failed ? GD_ERR_NOMEM
                : gd_detector_samples_begin(&f->samples, f->net,
                                            f->config->microbatch);
}

/* Prepare the net that comes next; the nets before it are in the checkpoint. */
gd_status gd_detector_begin_net(gd_detector_parts *f)
{
  gd_mtcnn_config mtcnn = gd_mtcnn_defaults();
  mtcnn.min_face_px = f->config->min_face_px;
  f->optimizer = gd_optimizer_default(GD_OPTIMIZER_ADAM);
  gd_status st = gd_reduce_new(f->comm, gd_detector_n_weights(f, f->net),
                               EXCHANGE_BYTES, &f->reduce);
  if (st == GD_OK)
    st = allocate_net(f);
  if (st == GD_OK && f->net > 0)
    st = gd_mtcnn_open_nets(f->last, &mtcnn, f->net, &f->before);
  return gd_agree(f->comm, st);
}

/* -------------------------------------------------------------- checkpoints */

static gd_status write_metrics(const gd_detector_parts *f)
{
  char path[GD_PATH_MAX];
  gd_text t = {0};
  gd_text_add(&t, "net,step,images,loss,class,box,landmarks,rate\n");
  for (int64_t i = 0; i < f->n_rows; i++) {
    const double *v = f->rows[i].value;
    gd_text_printf(&t, "%s,%.0f,%.0f",
                   gd_detector_specs[(int)v[GD_COLUMN_NET]]->name,
                   v[GD_COLUMN_STEP], v[GD_COLUMN_IMAGES]);
    for (int k = GD_COLUMN_LOSS; k < GD_N_COLUMNS; k++)
      gd_text_printf(&t, ",%.9g", v[k]);
    gd_text_add(&t, "\n");
  }
  gd_status st = gd_text_status(&t);
  if (st == GD_OK)
    st = gd_path_join(f->config->directory, "metrics.csv", path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&t), t.length_bytes);
  gd_text_free(&t);
  return st;
}

static gd_dataset rows_dataset(int64_t n)
{
  return (gd_dataset){
      .name = "metrics", .dtype = GD_F64, .rank = 2, .dims = {n, GD_N_COLUMNS}};
}

static gd_dataset state_dataset(const gd_detector_parts *f, int i,
                                char name[GD_STORE_NAME_MAX])
{
  snprintf(name, GD_STORE_NAME_MAX, "optimizer/%s",
           gd_optimizer_state_name(f->optimizer.kind, i));
  return (gd_dataset){.name = name,
                      .dtype = GD_F32,
                      .rank = 1,
                      .dims = {gd_detector_n_weights(f, f->net)}};
}

/* Write nets 0 .. n - 1, and how they see boxes: see GD_MTCNN_FRAMED. */
static gd_status put_nets(const gd_detector_parts *f, int n, gd_store_writer *w)
{
  const gd_dataset framed = {
      .name = "cascade/framed", .dtype = GD_F32, .rank = 1, .dims = {1}};
  gd_status st = gd_store_put(w, &framed, (float[]){1});
  for (int i = 0; st == GD_OK && i < n; i++)
    st = gd_cascade_trainer_put(f->trainers[i], f->weights[i], w);
  return st;
}

/* Write what there is: nets, those before f->net complete; with the optimiser's
 * states if f->net has begun. */
static gd_status write_checkpoint(const gd_detector_parts *f)
{
  gd_store_writer *w;
  gd_status st =
      gd_store_create(f->last, FORMAT, VERSION, f->config->digest, &w);
  if (st != GD_OK)
    return st;
  const gd_dataset rows = rows_dataset(f->n_rows);
  st = gd_store_set_int(w, "net", f->net);
  if (st == GD_OK)
    st = gd_store_set_int(w, "step", f->step);
  if (st == GD_OK)
    st = put_nets(f, f->net + (f->step > 0), w);
  for (int i = 0; st == GD_OK && f->step > 0 &&
                  i < gd_optimizer_n_states(f->optimizer.kind);
       i++) {
    char name[GD_STORE_NAME_MAX];
    const gd_dataset d = state_dataset(f, i, name);
    st = gd_store_put(w, &d, f->states[i]);
  }
  if (st == GD_OK)
    st = gd_store_put(w, &rows, f->rows);
  return gd_store_end(w, st);
}

/* Collective. */
gd_status gd_detector_save(gd_detector_parts *f)
{
  for (int i = 0; f->step > 0 && i < gd_optimizer_n_states(f->optimizer.kind);
       i++)
    gd_gather_parts(f->comm, gd_detector_n_weights(f, f->net),
                    gd_reduce_buckets(f->reduce), f->states[i]);
  gd_status st = GD_OK;
  if (f->rank == 0)
    st = write_checkpoint(f);
  if (f->rank == 0 && st == GD_OK)
    st = write_metrics(f);
  return gd_agree(f->comm, st);
}

static gd_status read_checkpoint(gd_detector_parts *f, gd_store *s)
{
  int64_t net, step, n_rows = 0;
  gd_dataset rows;
  gd_status st = gd_store_get_int(s, "net", &net);
  if (st == GD_OK)
    st = gd_store_get_int(s, "step", &step);
  if (st == GD_OK)
    st = gd_store_describe(s, "metrics", &rows);
  if (st != GD_OK)
    return st;
  if (net < 0 || net > GD_N_DETECTOR_NETS || step < 0 ||
      (net < GD_N_DETECTOR_NETS ? step > gd_detector_n_steps(f, (int)net)
                                : step > 0))
    return gd_fail(GD_ERR_FORMAT, "%s: is of another training", f->last);
  n_rows = step;
  for (int i = 0; i < net; i++)
    n_rows += gd_detector_n_steps(f, i);
  rows = rows_dataset(n_rows);
  if (n_rows > 0)
    st = gd_store_read(s, &rows, 0, n_rows, f->rows);
  for (int i = 0; st == GD_OK && i < net + (step > 0); i++)
    st = gd_cascade_trainer_get(f->trainers[i], s, f->weights[i]);
  if (st != GD_OK)
    return st;
  f->net = (int)net;
  f->step = step;
  f->n_rows = n_rows;
  return GD_OK;
}

/* Read the checkpoint, up to the states. */
static gd_status resume(gd_detector_parts *f)
{
  gd_store *s;
  gd_status st = gd_store_open(f->last, FORMAT, VERSION, &s);
  if (st != GD_OK)
    return st;
  if (!gd_digest_equal(gd_store_digest(s), f->config->digest))
    st = gd_fail(GD_ERR_FORMAT, "%s: is of another instance", f->last);
  if (st == GD_OK)
    st = read_checkpoint(f, s);
  gd_store_close(s);
  return st;
}

/* On rank 0: take up the checkpoint and tell whether there is one to go on
 * from. */
static gd_status resume_first(gd_detector_parts *f, double *go_on)
{
  if (!gd_path_exists(f->last))
    return errno == ENOENT
               ? GD_OK
               : gd_fail(GD_ERR_IO, "%s: %s", f->last, strerror(errno));
  gd_status st = gd_store_verify(f->last);
  if (st == GD_OK)
    st = resume(f);
  *go_on = st == GD_OK;
  if (st != GD_ERR_FORMAT)
    return st;
  gd_log(GD_LOG_WARNING, "training starts anew: %s", gd_reason());
  return GD_OK;
}

gd_status gd_detector_restore(gd_detector_parts *f)
{
  double go_on = 0;
  gd_status st = f->rank == 0 ? resume_first(f, &go_on) : GD_OK;
  gd_gather_add(f->comm, 1, &go_on);
  if (st == GD_OK && go_on > 0 && f->rank != 0)
    st = resume(f);
  return gd_agree(f->comm, st);
}

gd_status gd_detector_read_states(gd_detector_parts *f)
{
  gd_store *s;
  gd_status st = gd_store_open(f->last, FORMAT, VERSION, &s);
  if (st != GD_OK)
    return st;
  for (int i = 0; st == GD_OK && i < gd_optimizer_n_states(f->optimizer.kind);
       i++) {
    char name[GD_STORE_NAME_MAX];
    const gd_dataset d = state_dataset(f, i, name);
    st = gd_store_read(s, &d, 0, d.dims[0], f->states[i]);
  }
  gd_store_close(s);
  return st;
}

gd_status gd_detector_write(const gd_detector_parts *f)
{
  char path[GD_PATH_MAX];
  gd_store_writer *w;
  gd_status st = gd_path_join(f->config->directory, "mtcnn.h5", path);
  if (st == GD_OK)
    st = gd_store_create(path, "gradus-detector", 1, f->config->digest, &w);
  if (st != GD_OK)
    return st;
  st = gd_store_end(w, put_nets(f, GD_N_DETECTOR_NETS, w));
  return st == GD_OK ? write_metrics(f) : st;
}
