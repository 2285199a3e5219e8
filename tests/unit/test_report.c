#include "gradus/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/image.h"
#include "gradus/memory.h"
#include "markup.h"
#include "scored.h"
#include "test.h"

enum { MODELS = 3 };

typedef struct {
  gd_scores *scores[MODELS];
  gd_curves curves[MODELS];
  gd_comparison *comparison;
} made_up;

static void make_curves(int model, gd_curves *out)
{
  gd_text csv = {0};
  gd_text_add(&csv, "epoch,step,split,loss,mae,rmse\n");
  for (int epoch = 1; epoch <= 6; epoch++) {
    gd_text_printf(&csv, "%d,%d,train,%g,,\n", epoch, epoch * 120,
                   (model == 1 ? 4.2 : 90.0) / epoch);
    gd_text_printf(&csv, "%d,%d,dev,%g,%g,%g\n", epoch, epoch * 120,
                   3.0 / epoch, 4 + model + 8.0 / epoch, 5 + 10.0 / epoch);
  }
  const char *path = gd_test_path("metrics.csv");
  assert_ok(gd_file_write(path, gd_text_get(&csv), strlen(gd_text_get(&csv))));
  assert_ok(gd_curves_read(path, out));
  gd_text_free(&csv);
}

static const gd_bootstrap few = {1, 200, 0.95};

static void make(made_up *m, const char *const labels[MODELS])
{
  static const char *const losses[MODELS] = {"expectation", "softmax",
                                             "euclidean"};
  for (int i = 0; i < MODELS; i++) {
    gd_scored_write(gd_test_path("s.h5"), losses[i], 40, 1, 3 + 2 * i);
    assert_ok(gd_scores_read(gd_test_path("s.h5"), &m->scores[i]));
    make_curves(i, &m->curves[i]);
  }
  gd_comparison_member members[MODELS];
  for (int i = 0; i < MODELS; i++)
    members[i] = (gd_comparison_member){labels[i], "", "", m->scores[i], 0};
  assert_ok(gd_comparison_new(MODELS, members, &few, &m->comparison));
}

static void drop(made_up *m)
{
  gd_comparison_free(m->comparison);
  for (int i = 0; i < MODELS; i++) {
    gd_scores_free(m->scores[i]);
    gd_curves_free(&m->curves[i]);
  }
}

/* Maps of a made-up face; `id` is the video's. */
static gd_attention_set *make_maps(const char *id, int is_exact)
{
  gd_attention_set *s;
  assert_ok(gd_attention_set_new(2, 16, 2, 3, &s));
  s->partition = GD_TEST;
  s->is_blurred = 1;
  s->is_exact = is_exact;
  s->n_videos = 40;
  for (int i = 0; i < 2; i++) {
    s->cases[i].id = gd_strdup(id);
    s->cases[i].reason = gd_strdup(i == 0 ? "smallest error" : id);
    s->cases[i].frame_index = 120;
    s->cases[i].label = 23.25;
    s->cases[i].predicted = 21.37;
    for (int c = 0; c < 6; c++)
      s->cases[i].map[c] = s->mean[c] = (float)(c - 4 * i);
  }
  return s;
}

/* GRADUS_KEEP names a file to look at in a browser. */
static void keep(const gd_text *page)
{
  const char *path = getenv("GRADUS_KEEP");
  if (path != NULL)
    assert_ok(gd_file_write(path, page->data, page->length_bytes));
}

/* Braces and environments of LaTeX are in order, its special characters are
 * escaped, and every row of the table ends. */
static void check_latex(const char *name, const char *text)
{
  static const char *const ends[] = {"\\end{tabular}", "\\end{table}",
                                     "\\bottomrule", "\\toprule", "\\midrule"};
  int depth = 0, n_columns = -1, n_ampersands = 0;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (!gd_test_has(text, ends[i]))
      fail_msg("%s.tex lacks %s", name, ends[i]);
  for (const char *c = strchr(text, '\n'); *c != '\0'; c++) {
    if (*c == '\\' && c[1] == '\\') { /* the end of a row */
      if (n_columns < 0)
        n_columns = n_ampersands;
      if (n_ampersands != n_columns)
        fail_msg("%s.tex: rows of %d and %d", name, n_columns, n_ampersands);
      n_ampersands = 0;
      c++;
      continue;
    }
    if (*c == '\\' && c[1] != '\0') {
      c++; /* an escaped character, or the first of a command */
      continue;
    }
    if (*c == '$') { /* only as $-$, $\pm$, $\rho$ */
      if (strncmp(c, "$-$", 3) != 0 && strncmp(c, "$\\pm$", 5) != 0 &&
          strncmp(c, "$\\rho$", 6) != 0)
        fail_msg("%s.tex: a bare $", name);
      c = strchr(c + 1, '$');
    } else if (strchr("#%_^~<>", *c) != NULL) {
      fail_msg("%s.tex: a bare %c", name, *c);
    }
    n_ampersands += *c == '&';
    depth += (*c == '{') - (*c == '}');
    assert_true(depth >= 0);
  }
  assert_int_equal(depth, 0);
}

static int64_t count(const char *text, const char *part)
{
  int64_t n = 0;
  for (const char *c = text; (c = strstr(c, part)) != NULL; c++)
    n++;
  return n;
}

/* A figure's pixels: something of a colour is drawn, and nothing beyond. */
static void check_png(const char *path, const gd_text *content)
{
  gd_image image;
  int64_t n_coloured = 0;
  const char *file = gd_test_path("figure.png");
  assert_ok(gd_file_write(file, content->data, content->length_bytes));
  assert_ok(gd_image_read(file, &image));
  const int64_t n = (int64_t)image.width_px * image.height_px;
  for (int64_t i = 0; i < n; i++) {
    const uint8_t *rgb = image.rgb + 3 * i;
    n_coloured += abs(rgb[0] - rgb[2]) > 40;
  }
  if (n_coloured < 40)
    fail_msg("%s is blank: %d coloured pixels", path, (int)n_coloured);
  gd_image_free(&image);
}

/* Every table and figure of the page is there in the other forms, under a name
 * of its own, and every figure has its numbers behind it. */
static void check_files(const gd_report_files *list, const char *page)
{
  int64_t n_csv = 0, n_tex = 0, n_svg = 0, n_png = 0;
  for (int64_t i = 0; i < list->n; i++) {
    const char *path = list->files[i].path;
    const gd_text *content = &list->files[i].content;
    assert_int_equal(strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789-/."),
                     strlen(path));
    for (int64_t j = 0; j < i; j++)
      assert_string_not_equal(path, list->files[j].path);
    if (gd_path_ends_with(path, ".csv")) {
      assert_false(gd_test_has(gd_text_get(content), "nan"));
      n_csv++;
    } else if (gd_path_ends_with(path, ".tex")) {
      check_latex(path, gd_text_get(content));
      n_tex++;
    } else if (gd_path_ends_with(path, ".svg")) {
      const char *markup = strchr(gd_text_get(content), '\n') + 1;
      gd_markup_check(markup);
      assert_false(gd_test_has(markup, "var("));
      assert_false(gd_test_has(markup, "nan"));
      n_svg++;
    } else {
      assert_true(gd_path_ends_with(path, ".png"));
      check_png(path, content);
      n_png++;
    }
  }
  assert_int_equal(n_csv, count(page, "<table>"));
  assert_int_equal(n_tex, n_csv);
  /* Maps are pictures beside the scores, and their table stands behind all. */
  static const char map[] = "<figure class=\"map\"";
  assert_int_equal(n_svg, count(page, "<figure") - count(page, map));
  assert_int_equal(n_png, n_svg);
  for (const char *c = page; (c = strstr(c, "<figure")) != NULL; c++) {
    const char *table = strstr(c, "<table>"), *end = strstr(c, "</figure>");
    assert_true(table != NULL);
    assert_true(strncmp(c, map, strlen(map)) == 0 || table < end);
  }
}

/* The page without the bytes of its pictures, where any letters may stand. */
static void add_words(const char *page, gd_text *out)
{
  static const char begin[] = ";base64,";
  for (const char *at; (at = strstr(page, begin)) != NULL;) {
    at += strlen(begin);
    gd_text_bytes(out, page, (size_t)(at - page));
    page = at + strcspn(at, "\"");
  }
  gd_text_add(out, page);
}

static void report_is_well_formed_and_needs_no_network(void **state)
{
  (void)state;
  made_up m = {0};
  make(&m, (const char *[]){"expectation", "softmax", "euclidean"});
  gd_text out = {0};
  gd_report_files files = {0};
  gd_attention_set *maps[MODELS] = {make_maps("test/7", 0), NULL,
                                    make_maps("test/7", 1)};
  static const char *const facts[][2] = {{"gradus", "0.1.0"},
                                         {"GEMM", "libxsmm"}};
  const gd_report_job job = {
      .name = "",
      .layout = "avec2014",
      .is_drawn = 1,
      .scores = m.scores[0],
      .n_remarks = 1,
      .remarks = (const char *const[]){"a label without a video"},
      .skips = &(gd_skips){0},
      .manifest = "job: demo\nstages:\n  frames: {every: 10}\n"};
  assert_ok(gd_report_html(&(gd_report){.title = "demo",
                                        .comparison = m.comparison,
                                        .curves = m.curves,
                                        .attention = maps,
                                        .n_jobs = 1,
                                        .jobs = &job,
                                        .n_facts = 2,
                                        .facts = facts},
                           &out, &files));
  const char *page = gd_text_get(&out);
  gd_markup_check(page);
  static const char *const parts[] = {
      "not a diagnosis",
      "the smallest of 3 models on these very",
      ">constant</td>",
      "Predicted against true",
      "Error by severity",
      "expectation: reliability",
      "softmax: mean distribution by band",
      "the one of the median absolute error",
      "within noise",
      "Beside expectation, which has the least",
      "Training loss: softmax",
      "Development MAE",
      "not person-disjoint",
      ">median</td>",
      "Errors per session, test partition",
      "task Northwind",
      ">yes</td>",
      "split-conformal",
      "four DCNN (Zhou)</td><td>published<",
      "this job, per session",
      "The videos of this report are drawn",
      "a label without a video",
      "predicted band: softmax",
      "No input was left out",
      "frames: {every: 10}",
      "<a href=\"#attention\">",
      "frame 120 of test/7: label 23.25, predicted "
      "21.4. The level is raised most in row 2, "
      "column 3 of 2 by 3, by 5 levels. Nothing "
      "lowers it.",
      "lowered most in row 1, column 1 of 2 by "
      "3, by 4 levels.",
      "src=\"data:image/png;base64,iVBORw0KGgo",
      "label 23.25 / predicted 21.4</span>",
      "<td class=\"n\">23.25</td><td class=\"n\">21.37</td>",
      "Maps of euclidean</summary>",
      "CAM, Zhou et al. 2016",
      "in levels: euclidean</caption>",
      "prefers-color-scheme:dark",
      "@media print"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!gd_test_has(page, parts[i]))
      fail_msg("the page lacks \"%s\"", parts[i]);
  gd_text words = {0};
  add_words(page, &words);
  assert_false(gd_test_has(gd_text_get(&words), "http"));
  assert_false(gd_test_has(gd_text_get(&words), "<script"));
  assert_false(gd_test_has(gd_text_get(&words), "nan"));
  assert_false(gd_test_has(gd_text_get(&words), "Maps of softmax"));
  gd_text_free(&words);
  keep(&out);
  for (int i = 0; i < MODELS; i++)
    gd_attention_set_free(maps[i]);
  check_files(&files, page);
  gd_report_files_free(&files);
  gd_text_free(&out);
  drop(&m);
}

static void report_escapes_what_comes_from_outside(void **state)
{
  (void)state;
  static const char evil[] = "</pre><script>alert('x')</script>\"&";
  made_up m = {0};
  make(&m, (const char *[]){evil, "b", "c"});
  gd_video *video = (gd_video *)&m.scores[0]->videos->videos[45];
  const char *subject = video->subject;
  video->subject = evil;
  gd_skip skip = {(char *)evil, (char *)evil, (char *)evil};
  const gd_skips skips = {1, 1, &skip};
  const char *const facts[][2] = {{evil, evil}};
  const gd_report_job job = {.name = evil,
                             .layout = "table",
                             .scores = m.scores[0],
                             .n_remarks = 1,
                             .remarks = (const char *const[]){evil},
                             .skips = &skips,
                             .manifest = evil};
  const gd_report_job jobs[] = {job, job};
  gd_report_files files = {0};
  gd_text out = {0};
  gd_attention_set *maps[MODELS] = {make_maps(evil, 0), NULL, NULL};
  maps[0]->is_blurred = 0;
  assert_ok(gd_report_html(&(gd_report){.title = evil,
                                        .comparison = m.comparison,
                                        .curves = m.curves,
                                        .attention = maps,
                                        .n_jobs = 2,
                                        .jobs = jobs,
                                        .n_facts = 1,
                                        .facts = facts},
                           &out, &files));
  gd_markup_check(gd_text_get(&out));
  assert_false(gd_test_has(gd_text_get(&out), "<script"));
  assert_true(gd_test_has(gd_text_get(&out), "The faces are not blurred"));
  gd_attention_set_free(maps[0]);
  check_files(&files, gd_text_get(&out));
  gd_report_files_free(&files);
  video->subject = subject; /* owned by the table */
  gd_text_free(&out);
  drop(&m);
}

/* The page of models that were never trained here. */
static void compose(int n, const gd_comparison_member *members, gd_text *out)
{
  gd_comparison *c = NULL;
  gd_curves *none = gd_alloc(n, sizeof *none);
  const gd_report_job job = {.name = "",
                             .layout = "table",
                             .scores = members[0].scores,
                             .skips = &(gd_skips){0},
                             .manifest = ""};
  assert_ok(gd_comparison_new(n, members, &few, &c));
  assert_ok(gd_report_html(&(gd_report){.title = "t",
                                        .comparison = c,
                                        .curves = none,
                                        .n_jobs = 1,
                                        .jobs = &job},
                           out, NULL));
  gd_markup_check(gd_text_get(out));
  gd_comparison_free(c);
  free(none);
}

static gd_scores *scored(int n_test, double error)
{
  gd_scores *s = NULL;
  gd_scored_write(gd_test_path("s.h5"), "softmax", n_test, 0, error);
  assert_ok(gd_scores_read(gd_test_path("s.h5"), &s));
  return s;
}

static gd_video *videos_of(gd_scores *s)
{
  return (gd_video *)s->videos->videos;
}

/* One video: nothing to draw. */
static void
report_without_curves_and_with_one_video_is_still_a_page(void **state)
{
  (void)state;
  gd_scores *s = scored(1, 3);
  gd_text out = {0};
  compose(1, &(gd_comparison_member){"softmax", "", "", s, 0}, &out);
  assert_true(gd_test_has(gd_text_get(&out), "no training partition"));
  assert_false(gd_test_has(gd_text_get(&out), "attention"));
  gd_text_free(&out);
  gd_scores_free(s);
}

/* Say who is in a video: person `number`. */
static void set_person(gd_scores *s, int v, int number)
{
  gd_text name = {0};
  gd_text_printf(&name, "person %d", number);
  free((char *)videos_of(s)[v].subject);
  videos_of(s)[v].subject = gd_strdup(gd_text_get(&name));
  gd_text_free(&name);
}

/* A model of `n_test` test videos; every video shows another person. */
static gd_scores *scored_of_persons(int n_test, double error)
{
  gd_scores *s = scored(n_test, error);
  for (int v = 0; v < s->videos->n_videos; v++)
    set_person(s, v, v);
  return s;
}

static void partitions_are_disjoint_only_if_development_is_new_too(void **state)
{
  (void)state;
  gd_scores *s = scored_of_persons(8, 3);
  const gd_comparison_member member = {"softmax", "", "", s, 0};
  gd_text out = {0};
  compose(1, &member, &out);
  assert_true(gd_test_has(gd_text_get(&out),
                          "are person-disjoint: none of the 8 test persons"));
  gd_text_free(&out);

  set_person(s, 4, 0); /* of dev and of train */
  compose(1, &member, &out);
  assert_true(gd_test_has(gd_text_get(&out),
                          "1 of 4 development persons are also in the train"));
  assert_false(gd_test_has(gd_text_get(&out), "are person-disjoint"));
  gd_text_free(&out);

  /* Without test videos, nothing is said of their persons. */
  set_person(s, 4, 4);
  for (int v = 8; v < 16; v++)
    videos_of(s)[v].partition = GD_DEV;
  s->info.partition = GD_DEV;
  compose(1, &member, &out);
  assert_true(gd_test_has(gd_text_get(&out), "are person-disjoint.<"));
  assert_false(gd_test_has(gd_text_get(&out), "test persons"));
  gd_text_free(&out);
  gd_scores_free(s);
}

static void labels_that_are_not_whole_are_not_rounded(void **state)
{
  (void)state;
  gd_scores *s = scored(8, 3);
  gd_text out = {0};
  for (int v = 0; v < 4; v++)
    videos_of(s)[v].label = 0.25 + 0.5 * v;
  compose(1, &(gd_comparison_member){"softmax", "", "", s, 0}, &out);
  assert_true(gd_test_has(gd_text_get(&out),
                          "<td class=\"n\">0.25</td><td class=\"n\">1.00</td>"
                          "<td class=\"n\">1</td><td class=\"n\">1.75</td>"));
  gd_text_free(&out);
  gd_scores_free(s);
}

/* Keep every other scored video of some scores. */
static void halve(gd_scores *s, int odd)
{
  s->n_videos /= 2;
  for (int64_t v = 0; v < s->n_videos; v++) {
    s->row[v] = s->row[2 * v + odd];
    s->predicted[v] = s->predicted[2 * v + odd];
  }
}

/* What the page says of the first fold does not speak for the second. */
static void folds_are_called_disjoint_only_if_all_are(void **state)
{
  (void)state;
  gd_scores *s[2] = {scored_of_persons(8, 3), scored_of_persons(8, 3)};
  const gd_comparison_member members[] = {{"softmax", "", "1", s[0], 0},
                                          {"softmax", "", "2", s[1], 0}};
  gd_text out = {0};
  halve(s[0], 0);
  halve(s[1], 1);
  compose(2, members, &out);
  assert_true(gd_test_has(gd_text_get(&out), "no model has a test person"));
  gd_text_free(&out);
  set_person(s[1], 15, 0); /* of test and of train */
  compose(2, members, &out);
  assert_false(gd_test_has(gd_text_get(&out), "no model has a test person"));
  assert_true(
      gd_test_has(gd_text_get(&out), "1 of 2 models have test persons in"));
  gd_text_free(&out);
  set_person(s[1], 1, 0); /* of development and of train */
  videos_of(s[1])[1].partition = GD_DEV;
  compose(2, members, &out);
  assert_true(gd_test_has(gd_text_get(&out),
                          "1 of 2 models have development persons in"));
  gd_text_free(&out);
  gd_scores_free(s[0]);
  gd_scores_free(s[1]);
}

/* A constant is hard to beat where labels are alike.  The second model is
 * tested on such videos and does worse than their constant, but better than
 * that of the first model's. */
static void model_is_compared_with_the_constant_of_its_own_videos(void **state)
{
  (void)state;
  gd_scores *s[2] = {scored(20, 1), scored(12, 1)};
  const gd_comparison_member members[] = {{"a", "", "", s[0], 0},
                                          {"b", "", "", s[1], 0}};
  gd_text out = {0};
  for (int v = 0; v < 24; v++)
    videos_of(s[1])[v].label = 10;
  for (int64_t v = 0; v < s[1]->n_videos; v++)
    s[1]->predicted[v] = 11;
  compose(2, members, &out);
  assert_true(gd_test_has(gd_text_get(&out),
                          "1 of 2 models do not beat a constant predictor"));
  gd_text_free(&out);
  gd_scores_free(s[0]);
  gd_scores_free(s[1]);
}

/* What is said of the first model's intervals holds for all, or tells how far
 * they differ. */
static void intervals_are_told_of_all_models(void **state)
{
  (void)state;
  gd_scores *s[2] = {scored(16, 1), scored(16, 2)};
  const gd_comparison_member members[] = {{"a", "", "", s[0], 0},
                                          {"b", "", "", s[1], 0}};
  const struct {
    double interval[2], half_width[2];
    int64_t n[2];
    const char *said, *unsaid;
  } known[] = {
      {{0.9, 0.9},
       {5, 5},
       {8, 8},
       "the 8 development videos for a level of 90 %",
       "whole scale"},
      {{0.9, 0.8},
       {5, 5},
       {30, 8},
       "the 8 to 30 development videos for levels of 80 to 90 %",
       "no interv"},
      {{0.9, 0.9},
       {INFINITY, INFINITY},
       {8, 7},
       "7 to 8 development videos are too few for a level of 90 %",
       "of 2 mod"},
      {{0.9, 0.9},
       {5, INFINITY},
       {8, 7},
       "1 of 2 models have too few development videos for their level",
       "are too few"},
      {{0, 0.9},
       {0, 5},
       {0, 8},
       "1 of 2 models have no intervals",
       "No prediction intervals"},
      {{0, 0.9},
       {0, 5},
       {0, 8},
       "the 8 development videos for a level of 90 %",
       "0 to 8"},
      {{0, 0}, {0, 0}, {0, 0}, "No prediction intervals", "split-conformal"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    gd_text out = {0};
    for (int m = 0; m < 2; m++) {
      s[m]->info.interval = known[i].interval[m];
      s[m]->info.half_width = known[i].half_width[m];
      s[m]->info.n_calibration = known[i].n[m];
    }
    compose(2, members, &out);
    const char *section = strstr(gd_text_get(&out), "id=\"intervals\"");
    assert_non_null(section);
    char *own = gd_strdup(section);
    *strstr(own, "<table") = '\0';
    if (!gd_test_has(own, known[i].said) || gd_test_has(own, known[i].unsaid))
      fail_msg("case %zu: %s", i, own);
    free(own);
    gd_text_free(&out);
  }
  gd_scores_free(s[0]);
  gd_scores_free(s[1]);
}

/* A swept list makes a label that no file system takes whole for a name. */
static void files_of_long_labels_have_names_that_fit(void **state)
{
  (void)state;
  char labels[MODELS][400];
  made_up m = {0};
  gd_report_files files = {0};
  gd_text out = {0};
  for (int i = 0; i < MODELS; i++) {
    memset(labels[i], 'x', sizeof labels[i] - 1);
    labels[i][sizeof labels[i] - 2] = (char)('0' + i);
    labels[i][sizeof labels[i] - 1] = '\0';
  }
  make(&m, (const char *[]){labels[0], labels[1], labels[2]});
  const gd_report_job job = {.name = "",
                             .layout = "table",
                             .scores = m.scores[0],
                             .skips = &(gd_skips){0},
                             .manifest = ""};
  assert_ok(gd_report_html(&(gd_report){.title = "t",
                                        .comparison = m.comparison,
                                        .curves = m.curves,
                                        .n_jobs = 1,
                                        .jobs = &job},
                           &out, &files));
  check_files(&files, gd_text_get(&out));
  for (int64_t i = 0; i < files.n; i++)
    assert_true(strlen(gd_path_base(files.files[i].path)) < 200);
  gd_report_files_free(&files);
  gd_text_free(&out);
  drop(&m);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(report_is_well_formed_and_needs_no_network),
    cmocka_unit_test(report_escapes_what_comes_from_outside),
    cmocka_unit_test(report_without_curves_and_with_one_video_is_still_a_page),
    cmocka_unit_test(partitions_are_disjoint_only_if_development_is_new_too),
    cmocka_unit_test(labels_that_are_not_whole_are_not_rounded),
    cmocka_unit_test(folds_are_called_disjoint_only_if_all_are),
    cmocka_unit_test(files_of_long_labels_have_names_that_fit),
    cmocka_unit_test(model_is_compared_with_the_constant_of_its_own_videos),
    cmocka_unit_test(intervals_are_told_of_all_models),
};

gd_test_main(tests)
