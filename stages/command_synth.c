/* gradus synth -- draw a corpus into a folder, without a manifest. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "gradus/file.h"
#include "gradus/log.h"
#include "gradus/synth.h"

static const gd_option options[] = {
    {"--layout", "LAYOUT", GD_OPTION_ONCE,
     "table, avec2013 or avec2014 (default table)."},
    {"--seed", "N", GD_OPTION_ONCE,
     "The same seed draws the same videos (default 1)."},
    {"--subjects", "N", GD_OPTION_ONCE,
     "Persons, dealt to the three partitions."},
    {"--videos-per-subject", "N", GD_OPTION_ONCE, "Sessions of each person."},
    {"--seconds", "S", GD_OPTION_ONCE, "Length of a video."},
    {"--levels", "K", GD_OPTION_ONCE, "Labels are 0 to K-1."},
    {"--label-noise", "LEVELS", GD_OPTION_ONCE,
     "Standard deviation of labels' errors."},
};

/* A number option, or its default if it was not given. */
static gd_status read_number(const gd_arguments *a, const char *name,
                             double *number)
{
  const char *text = gd_arguments_value(a, name);
  if (text == NULL)
    return GD_OK;
  char *end;
  errno = 0;
  *number = strtod(text, &end);
  if (end == text || *end != '\0' || errno != 0)
    return gd_fail(GD_ERR_USAGE, "%s: expected a number, got '%s'", name, text);
  return GD_OK;
}

static gd_status read_count(const gd_arguments *a, const char *name, int *count)
{
  double number = *count;
  gd_status st = read_number(a, name, &number);
  if (st == GD_OK &&
      !(number >= 0 && number <= 1e6 && number == (double)(int)number))
    st = gd_fail(GD_ERR_USAGE, "%s: expected a whole number up to 1000000",
                 name);
  if (st == GD_OK)
    *count = (int)number;
  return st;
}

static gd_status configure(const gd_arguments *a, gd_synth *s)
{
  *s = gd_synth_default();
  int seed = (int)s->seed;
  if (gd_arguments_value(a, "--layout") != NULL)
    s->layout = gd_arguments_value(a, "--layout");
  gd_status st = read_count(a, "--seed", &seed);
  if (st == GD_OK)
    st = read_count(a, "--subjects", &s->n_subjects);
  if (st == GD_OK)
    st = read_count(a, "--videos-per-subject", &s->n_sessions);
  if (st == GD_OK)
    st = read_count(a, "--levels", &s->n_levels);
  if (st == GD_OK)
    st = read_number(a, "--seconds", &s->seconds);
  if (st == GD_OK)
    st = read_number(a, "--label-noise", &s->label_noise);
  s->seed = (uint64_t)seed;
  return st == GD_OK ? gd_synth_check(s) : st;
}

static int run(const gd_arguments *a)
{
  const char *root = gd_arguments_operand(a, 0);
  gd_synth s;
  gd_status st = configure(a, &s);
  if (st == GD_OK)
    st = gd_directory_make(root);
  if (st == GD_OK)
    st = gd_synth_labels(&s, root);
  const int64_t n = st == GD_OK ? gd_synth_count(&s) : 0;
  for (int64_t i = 0; st == GD_OK && i < n; i++) {
    char line[80];
    snprintf(line, sizeof line, "synth: %" PRId64 "/%" PRId64 " videos", i, n);
    gd_log_progress(line);
    st = gd_synth_video(&s, i, root, NULL, NULL);
  }
  gd_log_progress(NULL);
  if (st != GD_OK)
    return gd_command_failed(st);
  gd_text said = {0};
  gd_text_printf(&said, "%" PRId64 " videos in %s, layout %s\n", n, root,
                 s.layout);
  return gd_command_print(&said);
}

const gd_command gd_command_synth = {
    .name = "synth",
    .operands = "DIR",
    .least = 1,
    .most = 1,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "draw a corpus of talking heads",
    .details =
        "Draws videos of faces whose level is known, with label files and\n"
        "landmarks, into the folder DIR in the layout of a corpus: to try a\n"
        "manifest before the real videos are there. In a manifest, a stage of\n"
        "kind synth does the same on all ranks.\n",
    .run = run,
};
