/* What differs and what is within noise: verdicts on pairs, and sentences. */
#include <math.h>

#include "comparison_parts.h"
#include "student.h"

/* --------------------------------------------------------------- verdicts */

/* Welch's interval; his degrees of freedom are rounded down, which widens. */
static gd_interval seeds_interval(const gd_comparison *c,
                                  const gd_comparison_pair *pair)
{
  const int methods[2] = {pair->first, pair->second};
  double variance = 0, below = 0;
  for (int i = 0; i < 2; i++) {
    const gd_comparison_method *m = &c->methods[methods[i]];
    if (m->kind != GD_ROW_MODEL)
      continue;
    if (m->n_runs < 2)
      return (gd_interval){NAN, NAN};
    const double d = m->slices[0].mae.deviation;
    const double own = d * d / m->n_runs;
    variance += own;
    below += own * own / (m->n_runs - 1);
  }
  const double middle = pair->difference.mae;
  if (!(variance > 0))
    return (gd_interval){middle, middle};
  const double freedom = variance * variance / below;
  const double half =
      sqrt(variance) *
      gd_student_within(c->bootstrap.level,
                        (int64_t)fmax(1, floor(freedom + 1e-9)));
  return (gd_interval){middle - half, middle + half};
}

static int leaves_out_0(gd_interval i)
{
  return i.low > 0 || i.high < 0;
}

void gd_comparison_judge(const gd_comparison *c, gd_comparison_pair *pair)
{
  const gd_interval persons = pair->difference.mae_interval;
  pair->seeds_interval = seeds_interval(c, pair);
  if (!isfinite(persons.low) || !isfinite(persons.high))
    pair->verdict = GD_VERDICT_UNKNOWN;
  else if (!leaves_out_0(persons))
    pair->verdict = GD_VERDICT_PERSONS;
  else if (isfinite(pair->seeds_interval.low) &&
           !leaves_out_0(pair->seeds_interval))
    pair->verdict = GD_VERDICT_SEEDS;
  else
    pair->verdict = GD_VERDICT_CLEAR;
}

/* -------------------------------------------------------------- sentences */

/* The error of method m minus that of the reference, where they were paired. */
static int find_pair(const gd_comparison *c, int reference, int m,
                     gd_verdict *verdict, double *difference)
{
  for (int i = 0; i < c->n_pairs; i++) {
    const gd_comparison_pair *p = &c->pairs[i];
    const int is_first = p->first == m && p->second == reference;
    if (!is_first && !(p->second == m && p->first == reference))
      continue;
    *verdict = p->verdict;
    *difference = is_first ? p->difference.mae : -p->difference.mae;
    return 1;
  }
  return 0;
}

static void add_signed(gd_text *out, double value)
{
  const char *sign = value < 0 ? "\xe2\x88\x92" : "+";
  gd_text_printf(out, "%s%.2f", sign, fabs(value));
}

typedef int wanted(gd_verdict verdict, double difference);

static int is_better(gd_verdict v, double d)
{
  return v == GD_VERDICT_CLEAR && d < 0;
}

static int is_worse(gd_verdict v, double d)
{
  return v == GD_VERDICT_CLEAR && d > 0;
}

static int is_within_persons(gd_verdict v, double d)
{
  (void)d;
  return v == GD_VERDICT_PERSONS;
}

static int is_within_seeds(gd_verdict v, double d)
{
  (void)d;
  return v == GD_VERDICT_SEEDS;
}

/* Append the methods of a kind of row that are so beside the reference, as
 * "softmax (+8.12), l1 (+0.20)", to those listed before.  Returns how many. */
static int list_methods(const gd_comparison *c, int reference, int constants,
                        wanted *is_wanted, gd_text *out)
{
  int n = 0;
  for (int m = 0; m < c->n_methods; m++) {
    gd_verdict verdict;
    double difference;
    if ((c->methods[m].kind != GD_ROW_MODEL) != constants ||
        !find_pair(c, reference, m, &verdict, &difference) ||
        !is_wanted(verdict, difference))
      continue;
    gd_text_printf(out, "%s%s (", out->length_bytes > 0 ? ", " : "",
                   c->methods[m].label);
    add_signed(out, difference);
    gd_text_add(out, ")");
    n++;
  }
  return n;
}

static void add_list(const gd_comparison *c, int reference, const char *before,
                     wanted *is_wanted, int *n_lists, gd_text *out)
{
  gd_text list = {0};
  if (list_methods(c, reference, 0, is_wanted, &list) > 0)
    gd_text_printf(out, "%s %s: %s", (*n_lists)++ > 0 ? ";" : "", before,
                   gd_text_get(&list));
  if (list.status != GD_OK)
    out->status = list.status;
  gd_text_free(&list);
}

static int count_pairs(const gd_comparison *c, int reference)
{
  int n = 0;
  for (int m = 0; m < c->n_methods; m++) {
    gd_verdict verdict;
    double difference;
    n += c->methods[m].kind == GD_ROW_MODEL &&
         find_pair(c, reference, m, &verdict, &difference) &&
         verdict != GD_VERDICT_UNKNOWN;
  }
  return n;
}

static void say_reference(const gd_comparison *c, int reference, gd_text *out)
{
  const gd_comparison_method *m = &c->methods[reference];
  const gd_spread *mae = &m->slices[0].mae;
  gd_text_printf(out, "Beside %s, %s, MAE %.2f", m->label,
                 c->chosen_method >= 0
                     ? "which has the least MAE on the development videos"
                     : "which has the least MAE on these very videos",
                 mae->mean);
  if (isfinite(mae->deviation))
    gd_text_printf(out, " \xc2\xb1 %.2f over %d seeds", mae->deviation,
                   m->n_runs);
  gd_text_printf(out, " (in brackets, by how many levels the MAE is larger):");
}

/* How to read it: what was asked of a difference, and how many of so many
 * differ by chance. */
static void say_limits(const gd_comparison *c, int n, gd_text *out)
{
  const double level = 100 * c->bootstrap.level;
  int n_single = 0, n_models = 0;
  for (int m = 0; m < c->n_methods; m++) {
    n_models += c->methods[m].kind == GD_ROW_MODEL;
    n_single += c->methods[m].kind == GD_ROW_MODEL && c->methods[m].n_runs < 2;
  }
  gd_text_printf(out,
                 "Clear: the %g %% interval of the difference over persons "
                 "leaves 0 out%s.",
                 level,
                 c->has_seeds
                     ? ", and so does that over seeds, where both have "
                       "several"
                     : "");
  if (n_single > 0)
    gd_text_printf(out,
                   " %d of %d methods were trained with one seed: how far "
                   "another one would move their errors is not known.",
                   n_single, n_models);
  if (n > 1)
    gd_text_printf(out,
                   " Of %d such comparisons about %.1f would look clear if no "
                   "method differed.",
                   n, n * (1 - c->bootstrap.level));
  gd_text_add(out, "\n");
}

/* Which models the constant predictors leave behind, as a whole. */
static void say_constants(const gd_comparison *c, int reference, gd_text *out)
{
  gd_text list = {0};
  if (list_methods(c, reference, 1, is_worse, &list) > 0)
    gd_text_printf(out, " Constant predictors are clearly worse: %s.",
                   gd_text_get(&list));
  gd_text_free(&list);
  if (list_methods(c, reference, 1, is_within_persons, &list) +
          list_methods(c, reference, 1, is_within_seeds, &list) >
      0)
    gd_text_printf(out,
                   " It is not clearly better than constant predictors: %s.",
                   gd_text_get(&list));
  gd_text_free(&list);
  if (list_methods(c, reference, 1, is_better, &list) > 0)
    gd_text_printf(out, " Constant predictors are clearly better: %s.",
                   gd_text_get(&list));
  gd_text_free(&list);
}

void gd_comparison_findings(const gd_comparison *c, gd_text *out)
{
  const int reference = gd_comparison_reference(c);
  const int n = count_pairs(c, reference);
  if (n == 0)
    return;
  say_reference(c, reference, out);
  int n_lists = 0;
  add_list(c, reference, "clearly better", is_better, &n_lists, out);
  add_list(c, reference, "clearly worse", is_worse, &n_lists, out);
  add_list(c, reference, "within noise, as other persons could turn the order",
           is_within_persons, &n_lists, out);
  add_list(c, reference, "within noise, as other seeds could turn the order",
           is_within_seeds, &n_lists, out);
  gd_text_add(out, ".");
  say_constants(c, reference, out);
  gd_text_add(out, "\n");
  say_limits(c, n, out);
}
