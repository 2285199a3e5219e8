#include "predict_job.h"

#include <string.h>

#include "gradus/calibration.h"
#include "gradus/file.h"
#include "gradus/model.h"
#include "gradus/text.h"

/* Lines of parameters; extract and align have half as many keys. */
enum { MOST_SETS = 64 };

static const char DETECTOR[] = "align.detector=";

/* A model, and what it was made with, line by line. */
typedef struct {
  gd_model_info info;
  const char *sets[MOST_SETS];
  int n_sets;
  int detector; /* the line that names it, -1: it was a file */
} recorded;

/* ------------------------------------------------------------------ the model
 */

/* Parameters are lines for `--set`, and of nothing but the two stages. */
static gd_status cut_parameters(const char *path, recorded *m)
{
  m->detector = -1;
  for (char *rest = m->info.made_with, *line;
       (line = strtok_r(rest, "\n", &rest));) {
    const int is_known =
        strncmp(line, "extract.", 8) == 0 || strncmp(line, "align.", 6) == 0;
    if (!is_known || m->n_sets == MOST_SETS)
      return gd_fail(GD_ERR_FORMAT, "%s: attribute settings: '%.60s' is none",
                     path, line);
    if (strncmp(line, DETECTOR, sizeof DETECTOR - 1) == 0)
      m->detector = m->n_sets;
    m->sets[m->n_sets++] = line;
  }
  if (m->detector < 0 && m->info.detector[0] == '\0')
    return gd_fail(GD_ERR_FORMAT, "%s: records no detector", path);
  return GD_OK;
}

static gd_status read_model(const char *path, recorded *m)
{
  gd_status st = gd_model_read_info(path, &m->info);
  if (st != GD_OK)
    return st;
  if (m->info.network.outputs == 0)
    return gd_fail(GD_ERR_USAGE,
                   "%s: is for training to start from: it has no head to "
                   "predict with",
                   path);
  if (m->info.made_with[0] == '\0')
    return gd_fail(GD_ERR_USAGE,
                   "%s: does not record how its frames and faces were made, "
                   "as models of this version do: train it again",
                   path);
  return cut_parameters(path, m);
}

/* Before anything is loaded, so that the message is about a file and not about
 * a line of a manifest that nobody wrote. */
static gd_status check_detector(const gd_predict_request *r, const recorded *m)
{
  if (r->detector == NULL && m->detector < 0)
    return gd_fail(GD_ERR_USAGE,
                   "%s: its faces were found by weights of digest %s: name "
                   "their file by --detector",
                   r->model, m->info.detector);
  if (r->detector == NULL || strcmp(r->detector, "landmarks") == 0)
    return GD_OK;
  if (m->info.detector[0] == '\0')
    return gd_fail(GD_ERR_USAGE,
                   "%s: its faces come from landmark CSVs beside the videos: "
                   "leave --detector out",
                   r->model);
  if (strcmp(r->detector, "drawn") != 0 && !gd_path_exists(r->detector))
    return gd_fail(GD_ERR_USAGE, "%s: no such file", r->detector);
  return GD_OK;
}

static gd_status compare_detector(const gd_predict_request *r,
                                  const gd_model_info *info, const gd_job *job)
{
  static const gd_digest none = {0, 0};
  char found[GD_DIGEST_HEX] = "";
  for (int i = 0; i < gd_job_n_instances(job); i++) {
    const gd_instance *s = gd_job_instance(job, i);
    if (strcmp(gd_instance_kind(s), "align") != 0)
      continue;
    const gd_digest content = gd_instance_content(s, "detector");
    if (!gd_digest_equal(content, none))
      gd_digest_hex(content, found);
  }
  if (strcmp(found, info->detector) == 0)
    return GD_OK;
  return gd_fail(GD_ERR_USAGE,
                 "%s: is not the detector that found the faces of %s: its "
                 "digest is %s, not %s",
                 r->detector != NULL ? r->detector : "drawn", r->model,
                 found[0] == '\0' ? "none" : found, info->detector);
}

static gd_status check_calibration(const gd_predict_request *r)
{
  gd_calibration c;
  gd_digest model;
  char hex[GD_DIGEST_HEX];
  gd_status st = gd_calibration_read(r->calibration, &c);
  if (st == GD_OK)
    st = gd_digest_of_file(r->model, &model);
  if (st != GD_OK)
    return st;
  gd_digest_hex(model, hex);
  if (strcmp(hex, c.model) != 0)
    return gd_fail(GD_ERR_USAGE,
                   "%s: is of another model than %s (digest %s, not %s)",
                   r->calibration, r->model, c.model, hex);
  return GD_OK;
}

/* --------------------------------------------------------------------- the job
 */

static void add_key(gd_text *out, const char *key, const char *text)
{
  gd_text_printf(out, "    %s: ", key);
  gd_job_quote(out, text);
  gd_text_add(out, "\n");
}

static void compose(const gd_predict_request *r, const gd_model_info *info,
                    const char *list, gd_text *out)
{
  gd_text_add(out, "job: predict\nwork: ");
  gd_job_quote(out, r->work);
  gd_text_printf(out, "\ncorpus:\n    layout: list\n    levels: %d\n",
                 info->n_levels);
  add_key(out, "root", list);
  /* A video that cannot be used keeps none of the others waiting. */
  gd_text_add(out, "stages:\n"
                   "  extract:\n"
                   "    stage: extract\n"
                   "    from: corpus\n"
                   "    max_skipped: 100%\n"
                   "  align:\n"
                   "    stage: align\n"
                   "    from: extract\n"
                   "    max_skipped: 100%\n"
                   "    sheets: 0\n");
  gd_text_printf(out, "    blur: %s\n", r->is_sharp ? "false" : "true");
  if (r->detector != NULL)
    add_key(out, "detector", r->detector);
  gd_text_add(out, "  predict:\n    stage: predict\n    from: align\n");
  add_key(out, "model", r->model);
  if (r->calibration != NULL)
    add_key(out, "calibration", r->calibration);
  if (r->is_film)
    gd_text_printf(out, "    film: true\n    blur: %s\n",
                   r->is_sharp ? "false" : "true");
}

static gd_status write_list(const gd_predict_request *r, const char *path)
{
  gd_text t = {0};
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < r->n_videos; i++) {
    if (r->videos[i][strcspn(r->videos[i], "\r\n")] != '\0' ||
        r->videos[i][0] == '\0')
      st = gd_fail(GD_ERR_USAGE,
                   "'%.200s': a video's path has neither line breaks nor "
                   "nothing in it",
                   r->videos[i]);
    gd_text_printf(&t, "%s\n", r->videos[i]);
  }
  if (st == GD_OK)
    st = gd_text_status(&t);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&t), t.length_bytes);
  gd_text_free(&t);
  return st;
}

/* What the user names stands before what the model records. */
static gd_status load(const gd_predict_request *r, const recorded *m,
                      const char *path, gd_job **out)
{
  const char *sets[MOST_SETS];
  int n = 0;
  for (int i = 0; i < m->n_sets; i++)
    if (r->detector == NULL || i != m->detector)
      sets[n++] = m->sets[i];
  gd_status st = gd_job_load(path, sets, n, out);
  return st == GD_OK ? compare_detector(r, &m->info, *out) : st;
}

gd_status gd_predict_load(const gd_predict_request *r, gd_job **out)
{
  *out = NULL;
  recorded m = {0};
  char list[GD_PATH_MAX], path[GD_PATH_MAX];
  gd_text manifest = {0};
  gd_status st = read_model(r->model, &m);
  if (st == GD_OK)
    st = check_detector(r, &m);
  if (st == GD_OK && r->calibration != NULL)
    st = check_calibration(r);
  if (st == GD_OK)
    st = gd_path_join(r->work, "videos.txt", list);
  if (st == GD_OK)
    st = gd_path_join(r->work, "job.yaml", path);
  if (st == GD_OK)
    st = write_list(r, list);
  if (st == GD_OK) {
    compose(r, &m.info, list, &manifest);
    st = gd_text_status(&manifest);
  }
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&manifest), manifest.length_bytes);
  gd_text_free(&manifest);
  if (st == GD_OK)
    st = load(r, &m, path, out);
  if (st != GD_OK) {
    gd_job_free(*out);
    *out = NULL;
  }
  return st;
}
