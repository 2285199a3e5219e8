#include "gradus/report.h"

#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
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

static void make(made_up *m, const char *const labels[MODELS])
{
  static const char *const losses[MODELS] = {"expectation", "softmax",
                                             "euclidean"};
  for (int i = 0; i < MODELS; i++) {
    gd_scored_write(gd_test_path("s.h5"), losses[i], 40, 1, 3 + 2 * i);
    assert_ok(gd_scores_read(gd_test_path("s.h5"), &m->scores[i]));
    make_curves(i, &m->curves[i]);
  }
  assert_ok(gd_comparison_new(
      MODELS, labels, (const gd_scores *const *)m->scores, &m->comparison));
}

static void drop(made_up *m)
{
  gd_comparison_free(m->comparison);
  for (int i = 0; i < MODELS; i++) {
    gd_scores_free(m->scores[i]);
    gd_curves_free(&m->curves[i]);
  }
}

/* GRADUS_KEEP names a file to look at in a browser. */
static void keep(const gd_text *page)
{
  const char *path = getenv("GRADUS_KEEP");
  if (path != NULL)
    assert_ok(gd_file_write(path, page->data, page->length_bytes));
}

static void report_is_well_formed_and_needs_no_network(void **state)
{
  (void)state;
  made_up m = {0};
  make(&m, (const char *[]){"expectation", "softmax", "euclidean"});
  gd_text out = {0};
  static const char *const facts[][2] = {{"gradus", "0.1.0"},
                                         {"GEMM", "libxsmm"}};
  assert_ok(gd_report_html(
      &(gd_report){.title = "demo",
                   .comparison = m.comparison,
                   .curves = m.curves,
                   .skips = &(gd_skips){0},
                   .manifest = "job: demo\nstages:\n  frames: {every: 10}\n",
                   .n_facts = 2,
                   .facts = facts},
      &out));
  const char *page = gd_text_get(&out);
  gd_markup_check(page);
  static const char *const parts[] = {"not a diagnosis",
                                      ">constant</td>",
                                      "Predicted against true",
                                      "Error by severity",
                                      "Training loss: softmax",
                                      "Development MAE",
                                      "not person-disjoint",
                                      "No input was left out",
                                      "frames: {every: 10}",
                                      "prefers-color-scheme:dark",
                                      "@media print"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!gd_test_has(page, parts[i]))
      fail_msg("the page lacks \"%s\"", parts[i]);
  assert_false(gd_test_has(page, "http"));
  assert_false(gd_test_has(page, "<script"));
  assert_false(gd_test_has(page, "nan"));
  keep(&out);
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
  gd_text out = {0};
  assert_ok(gd_report_html(&(gd_report){.title = evil,
                                        .comparison = m.comparison,
                                        .curves = m.curves,
                                        .skips = &skips,
                                        .manifest = evil,
                                        .n_facts = 1,
                                        .facts = facts},
                           &out));
  gd_markup_check(gd_text_get(&out));
  assert_false(gd_test_has(gd_text_get(&out), "<script"));
  video->subject = subject; /* owned by the table */
  gd_text_free(&out);
  drop(&m);
}

/* One model that was never trained here, and one video: nothing to draw. */
static void
report_without_curves_and_with_one_video_is_still_a_page(void **state)
{
  (void)state;
  gd_scored_write(gd_test_path("s.h5"), "softmax", 1, 0, 3);
  gd_scores *s = NULL;
  assert_ok(gd_scores_read(gd_test_path("s.h5"), &s));
  const char *label = "softmax";
  gd_comparison *c = NULL;
  assert_ok(gd_comparison_new(1, &label, (const gd_scores *[]){s}, &c));
  const gd_curves none = {0};
  gd_text out = {0};
  assert_ok(gd_report_html(&(gd_report){.title = "t",
                                        .comparison = c,
                                        .curves = &none,
                                        .skips = &(gd_skips){0},
                                        .manifest = ""},
                           &out));
  gd_markup_check(gd_text_get(&out));
  assert_true(gd_test_has(gd_text_get(&out), "no training partition"));
  gd_text_free(&out);
  gd_comparison_free(c);
  gd_scores_free(s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(report_is_well_formed_and_needs_no_network),
    cmocka_unit_test(report_escapes_what_comes_from_outside),
    cmocka_unit_test(report_without_curves_and_with_one_video_is_still_a_page),
};

gd_test_main(tests)
