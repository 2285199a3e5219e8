/* gradus predict -- score videos that nobody has labelled, with a model alone.
 *
 * It runs a job as `gradus run` does: what the stages do with a corpus, they do
 * with these videos.  Nothing is kept of it but what was asked for. */
#include <inttypes.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "gradus/agree.h"
#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/log.h"
#include "gradus/run.h"
#include "gradus/scores.h"
#include "gradus/skips.h"
#include "gradus/stop.h"
#include "gradus/temporary.h"
#include "predict_job.h"
#include "stages.h"

static const gd_option options[] = {
    {"--model", "FILE", GD_OPTION_NEEDED, "model.h5 of a training."},
    {"--calibration", "FILE", GD_OPTION_ONCE,
     "calibration.yaml of an evaluation of this model: average\n"
     "of frames and prediction intervals."},
    {"--detector", "FILE", GD_OPTION_ONCE,
     "The detector's weights, where the model was trained with\n"
     "weights from a file; `drawn` and `landmarks` it knows."},
    {"--json", NULL, GD_OPTION_ONCE, "One JSON object per video and line."},
    {"--out", "DIR", GD_OPTION_ONCE,
     "Write predictions.csv and frames.csv into DIR."},
    {"--sheet", NULL, GD_OPTION_ONCE,
     "Write sheet.png into DIR too: some of the faces, blurred."},
    {"--attention-video", "DIR", GD_OPTION_ONCE,
     "Write a film of each video into DIR: its faces, blurred,\n"
     "with what raises their level orange and what lowers it blue."},
    {"--no-blur", NULL, GD_OPTION_ONCE,
     "Show the faces of sheet and films as they are."},
    {"--work", "DIR", GD_OPTION_ONCE,
     "Keep frames and faces in DIR, and go on from there; default:\n"
     "a temporary folder below $TMPDIR, or /tmp, that you alone\n"
     "can read, removed at the end, or by the next `predict` of\n"
     "this user on this host if it was killed."},
};

/* ------------------------------------------------------------------- printing
 */

typedef struct {
  gd_scores *scores; /* NULL: no video has frames */
  gd_skips skips;    /* by item */
} outcome;

static int by_item(const void *a, const void *b)
{
  const gd_skip *x = a, *y = b;
  const int order = strcmp(x->item, y->item);
  /* What extraction says comes before what follows from it. */
  return order != 0 ? order : strcmp(y->stage, x->stage);
}

static int item_of(const void *key, const void *skip)
{
  return strcmp(key, ((const gd_skip *)skip)->item);
}

/* Return why a video was left out, or a piece of it; NULL: it was not. */
static const char *find_reason(const outcome *o, const char *video)
{
  const gd_skip *found =
      o->skips.n == 0 ? NULL
                      : bsearch(video, o->skips.skips, (size_t)o->skips.n,
                                sizeof *found, item_of);
  return found == NULL ? NULL : found->reason;
}

/* Return where a video is among those that have a score, or -1: they are in the
 * order of their names. */
static int64_t find_score(const outcome *o, const char *video)
{
  int64_t low = 0, high = o->scores == NULL ? 0 : o->scores->n_videos;
  const int64_t n = high;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (strcmp(gd_scores_video(o->scores, middle)->id, video) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low < n && strcmp(gd_scores_video(o->scores, low)->id, video) == 0
             ? low
             : -1;
}

/* Add the shortest number that reads back as the same; what is not finite is
 * null. */
static void add_number(gd_text *t, double value)
{
  char text[32] = "null";
  for (int digits = 1; isfinite(value) && digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value)
      break;
  }
  gd_text_add(t, text);
}

static void add_json(gd_text *t, const outcome *o, const char *video, int64_t v,
                     const char *reason)
{
  gd_text_add(t, "{\"video\": ");
  gd_text_json(t, video);
  if (v >= 0) {
    const gd_scores *s = o->scores;
    const struct {
      const char *name;
      double value;
    } numbers[] = {
        {"predicted", s->predicted[v]},
        {"low", s->low[v]},
        {"high", s->high[v]},
        {"interval", s->info.interval > 0 ? s->info.interval : NAN},
        {"within", s->within[v]},
        {"between", s->between[v]},
        {"frames", (double)(s->first_frame[v + 1] - s->first_frame[v])},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
      gd_text_printf(t, ", \"%s\": ", numbers[i].name);
      add_number(t, numbers[i].value);
    }
    gd_text_printf(t, ", \"average\": \"%s\"",
                   gd_average_name(s->info.average));
  }
  if (reason != NULL) {
    gd_text_add(t, v >= 0 ? ", \"warning\": " : ", \"error\": ");
    gd_text_json(t, reason);
  }
  gd_text_add(t, "}\n");
}

static void add_line(gd_text *t, const outcome *o, const char *video, int64_t v)
{
  const gd_scores *s = o->scores;
  gd_text_printf(t, "%s: %.2f", video, s->predicted[v]);
  if (s->info.interval > 0)
    gd_text_printf(t, ", %g %% interval %.2f to %.2f", 100 * s->info.interval,
                   s->low[v], s->high[v]);
  gd_text_printf(t, ", %s of %" PRId64 " frames\n",
                 gd_average_name(s->info.average),
                 s->first_frame[v + 1] - s->first_frame[v]);
}

/* An interval that was not measured is not made up. */
static void add_remark(gd_text *t, const outcome *o, int is_calibrated)
{
  const gd_scores_info *info = &o->scores->info;
  if (!is_calibrated)
    gd_text_add(t, "no intervals: they have to be measured; --calibration "
                   "takes the calibration.yaml of an evaluation\n");
  else if (info->interval == 0)
    gd_text_add(t, "no intervals: that evaluation has measured none\n");
  else if (isinf(info->half_width))
    gd_text_printf(t,
                   "intervals are the whole scale: %" PRId64
                   " development videos are too few for %g %%\n",
                   info->n_calibration, 100 * info->interval);
}

/* Say in the order of the arguments what came of each; what a video lacks goes
 * to stderr, unless programs read. */
static int print(const gd_arguments *a, const outcome *o)
{
  const int is_json = gd_arguments_count(a, "--json") > 0;
  gd_text said = {0};
  int code = GD_EXIT_DONE;
  for (int i = 0; i < gd_arguments_n_operands(a); i++) {
    const char *video = gd_arguments_operand(a, i);
    const int64_t v = find_score(o, video);
    const char *reason = find_reason(o, video);
    if (v < 0 && reason == NULL)
      reason = "has no frame to be used";
    if (reason != NULL)
      code = GD_EXIT_SKIPPED;
    if (is_json)
      add_json(&said, o, video, v, reason);
    else if (v >= 0)
      add_line(&said, o, video, v);
    if (reason != NULL && !is_json) {
      /* Most reasons begin with the path. */
      const size_t n = strlen(video);
      const int has_name = strncmp(reason, video, n) == 0 && reason[n] == ':';
      fprintf(stderr, "gradus: %s: %s: %s\n", v >= 0 ? "warning" : "error",
              video, has_name ? reason + n + 2 : reason);
    }
  }
  if (!is_json && o->scores != NULL && o->scores->n_videos > 0)
    add_remark(&said, o, gd_arguments_count(a, "--calibration") > 0);
  const int printed = gd_command_print(&said);
  return printed == GD_EXIT_DONE ? code : printed;
}

/* -------------------------------------------------------------------- results
 */

static const gd_instance *stage_of(const gd_job *job, const char *kind)
{
  for (int i = 0; i < gd_job_n_instances(job); i++)
    if (strcmp(gd_instance_kind(gd_job_instance(job, i)), kind) == 0)
      return gd_job_instance(job, i);
  return NULL;
}

static gd_status result_of(const gd_job *job, const char *kind,
                           const char *name, char out[GD_PATH_MAX])
{
  return gd_path_join(gd_instance_directory(stage_of(job, kind)), name, out);
}

static gd_status read_outcome(const gd_job *job, outcome *o)
{
  static const char *const kinds[] = {"extract", "align"};
  char path[GD_PATH_MAX];
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < 2; i++) {
    st = result_of(job, kinds[i], "report.yaml", path);
    if (st == GD_OK)
      st = gd_skips_add(&o->skips, path, kinds[i]);
  }
  if (o->skips.n > 1)
    qsort(o->skips.skips, (size_t)o->skips.n, sizeof *o->skips.skips, by_item);
  if (st == GD_OK)
    st = result_of(job, "predict", "scores.h5", path);
  if (st == GD_OK && gd_path_exists(path))
    st = gd_scores_read(path, &o->scores);
  return st;
}

/* Copy a result, if it is there. */
static gd_status copy_result(const gd_job *job, const char *kind,
                             const char *name, const char *path)
{
  enum { MOST_BYTES = 1 << 30 };
  char from[GD_PATH_MAX], *content = NULL;
  size_t size_bytes;
  gd_status st = result_of(job, kind, name, from);
  if (st != GD_OK || !gd_path_exists(from))
    return st;
  st = gd_file_read(from, MOST_BYTES, &content, &size_bytes);
  if (st == GD_OK)
    st = gd_file_write(path, content, size_bytes);
  free(content);
  return st;
}

/* The films are called after the videos, and numbered as these were named, for
 * those of one name in several folders. */
static gd_status copy_films(const gd_arguments *a, const gd_job *job,
                            const outcome *o, const char *to)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < gd_arguments_n_operands(a); i++) {
    const char *video = gd_arguments_operand(a, i);
    const int64_t v = find_score(o, video);
    char name[GD_PATH_MAX], from[64];
    if (v < 0)
      continue;
    snprintf(from, sizeof from, "attention-%05" PRId32 ".mp4",
             o->scores->videos->index[o->scores->row[v]]);
    gd_text text = {0};
    gd_text_printf(&text, "%04d-%s.mp4", i + 1, gd_path_base(video));
    st = gd_text_status(&text);
    if (st == GD_OK)
      st = gd_path_join(to, gd_text_get(&text), name);
    gd_text_free(&text);
    if (st == GD_OK)
      st = copy_result(job, "predict", from, name);
  }
  return st;
}

static gd_status copy_results(const gd_arguments *a, const gd_job *job,
                              const outcome *o)
{
  static const struct {
    const char *kind, *name;
  } results[] = {{"predict", "predictions.csv"},
                 {"predict", "frames.csv"},
                 {"align", "sheet.png"}};
  const char *to = gd_arguments_value(a, "--out");
  const char *films = gd_arguments_value(a, "--attention-video");
  const int n = to == NULL ? 0 : gd_arguments_count(a, "--sheet") > 0 ? 3 : 2;
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < n; i++) {
    char path[GD_PATH_MAX];
    st = gd_path_join(to, results[i].name, path);
    if (st == GD_OK)
      st = copy_result(job, results[i].kind, results[i].name, path);
  }
  return st == GD_OK && films != NULL ? copy_films(a, job, o, films) : st;
}

/* The levels are said first: a full disk shall not lose what took hours. */
static int show(const gd_arguments *a, const gd_job *job)
{
  outcome o = {0};
  int code = GD_EXIT_DONE;
  gd_status st = read_outcome(job, &o);
  if (st == GD_OK) {
    code = print(a, &o);
    st = copy_results(a, job, &o);
  }
  if (st != GD_OK)
    code = gd_command_failed(st);
  gd_scores_free(o.scores);
  gd_skips_free(&o.skips);
  return code;
}

/* -------------------------------------------------------------------- running
 */

/* `temporary` is made where no folder is named. */
static gd_status make_work(const gd_arguments *a, gd_temporary **temporary,
                           char work[GD_PATH_MAX])
{
  const char *own = gd_arguments_value(a, "--work");
  gd_status st = own == NULL ? gd_temporary_new(temporary) : GD_OK;
  if (st == GD_OK)
    st = gd_path_join("", own == NULL ? gd_temporary_path(*temporary) : own,
                      work);
  return st == GD_OK ? gd_directory_make(work) : st;
}

/* A sheet that an earlier run has left in the same folder may show what is to
 * be blurred now: without `done`, sheets are drawn again, and nothing else. */
static gd_status forget_sheet(const gd_job *job)
{
  char path[GD_PATH_MAX];
  gd_status st = result_of(job, "align", "done", path);
  return st == GD_OK ? gd_file_remove(path) : st;
}

/* Rank 0: what can be known to be wrong, and the job. */
static gd_status load(const gd_arguments *a, gd_temporary **temporary,
                      gd_job **job)
{
  char work[GD_PATH_MAX];
  const char *out = gd_arguments_value(a, "--out");
  if (gd_arguments_value(a, "--model") == NULL)
    return gd_fail(GD_ERR_USAGE, "--model is missing: the model.h5 that a "
                                 "training made");
  if (out == NULL && gd_arguments_count(a, "--sheet") > 0)
    return gd_fail(GD_ERR_USAGE, "--sheet: name a folder for it by --out");
  const char *films = gd_arguments_value(a, "--attention-video");
  gd_status st = out == NULL ? GD_OK : gd_directory_make(out);
  if (st == GD_OK && films != NULL)
    st = gd_directory_make(films);
  if (st == GD_OK)
    st = make_work(a, temporary, work);
  if (st != GD_OK)
    return st;
  const int n = gd_arguments_n_operands(a);
  const char **videos = malloc((size_t)n * sizeof *videos);
  if (videos == NULL)
    return gd_fail(GD_ERR_NOMEM, "out of memory for %d videos", n);
  for (int i = 0; i < n; i++)
    videos[i] = gd_arguments_operand(a, i);
  const gd_predict_request request = {
      .n_videos = n,
      .videos = videos,
      .model = gd_arguments_value(a, "--model"),
      .detector = gd_arguments_value(a, "--detector"),
      .calibration = gd_arguments_value(a, "--calibration"),
      .work = work,
      .is_film = films != NULL,
      .is_sharp = gd_arguments_count(a, "--no-blur") > 0};
  st = gd_predict_load(&request, job);
  free(videos);
  if (st == GD_OK && gd_arguments_count(a, "--sheet") > 0)
    st = forget_sheet(*job);
  return st;
}

/* Where ranks have disks of their own, a temporary folder is none for all. */
static gd_status check_work(const gd_job *job)
{
  gd_status st = GD_OK;
  if (!gd_path_exists(gd_job_work(job)))
    st = gd_fail(GD_ERR_USAGE,
                 "%s: is not seen by all ranks: name a folder that they share "
                 "by --work",
                 gd_job_work(job));
  return gd_agree(MPI_COMM_WORLD, st);
}

/* Nothing follows an extraction that got no frame at all. */
static int has_frames(const gd_job *job, int rank)
{
  int found = 0;
  if (rank == 0) {
    gd_folder *folder;
    const char *directory = gd_instance_directory(stage_of(job, "extract"));
    if (gd_folder_read(directory, &folder) == GD_OK)
      for (int64_t i = 0; i < folder->n_files; i++)
        found |= strncmp(folder->names[i], "frames-", 7) == 0;
    gd_folder_free(folder);
  }
  MPI_Bcast(&found, 1, MPI_INT, 0, MPI_COMM_WORLD);
  return found;
}

static int run_stages(const gd_job *job, int rank)
{
  gd_run_options how = {.stages = gd_stages, .stage = "extract"};
  int code = GD_EXIT_FAILED;
  gd_status st = gd_run_job(MPI_COMM_WORLD, job, &how, &code);
  if (st == GD_OK && code == GD_EXIT_DONE && has_frames(job, rank)) {
    how.stage = NULL;
    st = gd_run_job(MPI_COMM_WORLD, job, &how, &code);
  }
  /* What went wrong has been said in the log. */
  return st == GD_OK || code != GD_EXIT_DONE ? code : gd_exit_code(st);
}

static int run(const gd_arguments *a)
{
  int rank;
  gd_temporary *temporary = NULL;
  gd_job *job = NULL;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  gd_log_begin(rank, GD_LOG_ERROR);
  gd_stop_begin();

  gd_status st =
      gd_command_share(rank == 0 ? load(a, &temporary, &job) : GD_OK, &job);
  if (st == GD_OK)
    st = check_work(job);
  int code = gd_exit_code(st);
  if (st != GD_OK && rank == 0)
    code = gd_command_failed(st);
  if (st == GD_OK)
    code = run_stages(job, rank);
  if (code == GD_EXIT_DONE && rank == 0)
    code = show(a, job);
  if (code == GD_EXIT_STOPPED && rank == 0)
    fprintf(stderr, "gradus: stopped: repeat the same command%s\n",
            gd_arguments_value(a, "--work") != NULL
                ? " to go on"
                : "; with --work it would go on from there");
  /* The launcher takes any rank's code. */
  MPI_Bcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD);
  gd_job_free(job);
  if (temporary != NULL && gd_temporary_remove(temporary) != GD_OK)
    fprintf(stderr, "gradus: warning: %s\n", gd_reason());
  return code;
}

const gd_command gd_command_predict = {
    .name = "predict",
    .operands = "VIDEO...",
    .least = 1,
    .most = -1,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .parallel = 1,
    .summary = "score new videos with a trained model",
    .details =
        "Samples, finds, cuts and scores the faces of each VIDEO as the model\n"
        "records that it was done for training, with the same code, alone or\n"
        "under mpirun. A video of the corpus gets the score that `evaluate`\n"
        "gave it, bit for bit, unless that had a `precision` of its own, or "
        "an\n"
        "`average` that is not the mean and no --calibration says so. A level\n"
        "is printed for each video, and with --calibration its prediction\n"
        "interval, as wide as the development videos of that evaluation\n"
        "needed. Without, there is no interval.\n"
        "\n"
        "  gradus predict a.mp4 b.mp4 --model runs/x/model-1234abcd/model.h5 "
        "\\\n"
        "    --calibration runs/x/scores-5678cdef/calibration.yaml \\\n"
        "    --detector mtcnn.h5 --out found\n"
        "\n"
        "The weights of a detector are not in the model: name their file by\n"
        "--detector; that they are the same is checked. A model of landmark\n"
        "CSVs takes the one beside each video, clip.csv of clip.mp4. A video\n"
        "that cannot be read, or shows no face, gets a line that says so, the\n"
        "others are scored, and the exit code is 3.\n"
        "\n"
        "frames.csv has for each frame its time, how its face was found\n"
        "(detected, tracked, fallback, missing), the expected level and the\n"
        "standard deviation. --json has for each video what predictions.csv\n"
        "has: docs/evaluation.md explains it. On several nodes, --work names\n"
        "a folder that they share.\n",
    .run = run,
};
