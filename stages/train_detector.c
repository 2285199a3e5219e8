/* train-detector -- train a face detector on drawn images.
 *
 *   mtcnn.h5      P-, R- and O-Net, for the key `detector` of an align stage
 *   last.h5       checkpoint, to go on from after a stop or a failure
 *   metrics.csv   losses by net and step
 *   score.csv     what it finds in images that it was not trained on
 *
 * Images are drawn when they are needed and not kept: see gradus/scene.h.  All
 * ranks train one detector together: see gradus/detector_fit.h. */
#include <inttypes.h>
#include <math.h>

#include "gradus/agree.h"
#include "gradus/detector_fit.h"
#include "gradus/detector_score.h"
#include "gradus/log.h"
#include "gradus/scene.h"
#include "gradus/stage.h"
#include "gradus/text.h"

/* Images that it is judged by; how much larger than the smallest face that is
 * looked for a face must be to count, and how much of it must be seen. */
enum { JUDGED = 100 };
static const double LARGER = 1.2, VISIBLE = 0.75;

static gd_status draw(void *context, int64_t index, gd_labelled_image *out)
{
  const uint64_t *seed = context;
  return gd_scene_draw(*seed, index, out);
}

static void expect(void *env, int64_t n_images)
{
  gd_stage_expect(env, n_images, "images");
}

static gd_status tick(void *env, int64_t n_images)
{
  return gd_stage_tick(env, n_images);
}

/* A number that there is none of leaves its field empty. */
static void add_field(gd_text *t, double value)
{
  gd_text_add(t, ",");
  if (isfinite(value))
    gd_text_printf(t, "%.4f", value);
}

static gd_status write_score(const gd_stage_env *env, gd_detector_score *s)
{
  char path[GD_PATH_MAX];
  gd_text t = {0};
  const gd_detector_result r = gd_detector_score_sum(s);
  gd_text_printf(&t,
                 "images,faces,found,wrong,recall,precision,landmarks_mean,"
                 "landmarks_median,landmarks_95\n"
                 "%d,%" PRId64 ",%" PRId64 ",%" PRId64,
                 JUDGED, s->n_faces, s->n_found, s->n_wrong);
  const double fields[] = {r.recall, r.precision, r.mean, r.median, r.most};
  for (int i = 0; i < 5; i++)
    add_field(&t, fields[i]);
  gd_text_add(&t, "\n");
  gd_log(GD_LOG_INFO,
         "on %d other images: recall=%.4f precision=%.4f; landmarks, in "
         "distances of the eyes: mean=%.4f median=%.4f",
         JUDGED, r.recall, r.precision, r.mean, r.median);
  gd_status st = gd_text_status(&t);
  if (st == GD_OK)
    st = gd_stage_path(env, "score.csv", path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&t), t.length_bytes);
  gd_text_free(&t);
  return st;
}

/* Judge the detector by images `first` ... of the source. */
static gd_status judge(gd_stage_env *env, const gd_labelled_source *source,
                       int64_t first, double min_face_px)
{
  char path[GD_PATH_MAX];
  gd_mtcnn_config mtcnn = gd_mtcnn_defaults();
  gd_detector_score s = {.least_px = LARGER * min_face_px,
                         .least_visible = VISIBLE};
  gd_mtcnn *detector = NULL;
  mtcnn.min_face_px = min_face_px;
  gd_status st = gd_stage_path(env, "mtcnn.h5", path);
  if (st == GD_OK)
    st = gd_mtcnn_open(path, &mtcnn, &detector);
  for (int64_t i = first; st == GD_OK && i < first + JUDGED; i++) {
    gd_labelled_image image;
    const gd_face *found;
    int n;
    st = source->read(source->context, i, &image);
    if (st != GD_OK)
      break;
    st = gd_mtcnn_detect(detector, &image.image, &found, &n);
    if (st == GD_OK)
      st = gd_detector_score_add(&s, &image, found, n);
    gd_image_free(&image.image);
    if (st == GD_OK)
      st = gd_stage_tick(env, 0);
  }
  gd_mtcnn_close(detector);
  if (st == GD_OK)
    st = write_score(env, &s);
  gd_detector_score_free(&s);
  return st;
}

static gd_status run(gd_stage_env *env)
{
  const gd_instance *self = env->self;
  const double *images = gd_instance_reals(self, "images");
  int64_t n_images = 0;
  const double *rates = gd_instance_reals(self, "rates");
  uint64_t seed = (uint64_t)gd_instance_int(self, "seed");
  gd_detector_fit_config config = {
      .seed = seed,
      .batch = (int)gd_instance_int(self, "batch"),
      .microbatch = (int)gd_instance_int(self, "microbatch"),
      .min_face_px = (double)gd_instance_int(self, "min_face"),
      .checkpoint_every = gd_instance_int(self, "checkpoint_every"),
      .directory = env->directory,
      .digest = gd_instance_digest(self)};
  for (int i = 0; i < 3; i++) {
    config.n_images[i] = (int64_t)images[i];
    config.rates[i] = rates[i];
    n_images += config.n_images[i];
  }
  const gd_labelled_source source = {.context = &seed, .read = draw};
  const gd_fit_hooks hooks = {.context = env, .expect = expect, .tick = tick};
  gd_status st =
      gd_detector_fit(env->comm, env->rank, &config, &source, &hooks);
  if (st == GD_OK && env->rank == 0)
    st = judge(env, &source, n_images, config.min_face_px);
  return gd_agree(env->comm, st);
}

const gd_stage gd_stage_train_detector = {.kind = "train-detector", .run = run};
