/* gradus help -- every page that the program can print about itself. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "gradus/nearest.h"
#include "gradus/run.h"
#include "gradus/version.h"

enum { MOST_TOPICS = 40, COLUMN = 28 };

static const gd_option options[] = {
    {"--man", NULL, GD_OPTION_ONCE,
     "Print the manual page gradus(1), in troff."},
    {"--markdown", NULL, GD_OPTION_ONCE,
     "Print `gradus help manifest` as Markdown."},
};

static const char exit_codes[] =
    "  0   done\n"
    "  1   failed: running the same command again may help\n"
    "  2   usage or manifest: it will not help\n"
    "  3   more items skipped than max_skipped: no later stage was begun;\n"
    "      or a video that `gradus predict` could not score\n"
    "  75  stopped on request: run the same command again. Ctrl-C, SIGTERM\n"
    "      and SIGUSR1 ask. Send an mpirun SIGUSR1: for the others it kills\n"
    "      its ranks (exit code 1)\n";

static const char environment[] =
    "  GRADUS_GEMM        libxsmm or openblas: which library multiplies\n"
    "  GRADUS_BF16        kernels or tiles: how numbers in bf16 are "
    "multiplied\n"
    "  GRADUS_OVERLAP     off: exchange gradients behind the backward pass, "
    "not\n"
    "                     within it; the same results\n"
    "  GRADUS_SITE        the site file of `gradus submit`\n"
    "  GRADUS_WATCHDOG    seconds without a sign of life after which a rank "
    "is\n"
    "                     named and the run ended (600); 0: never\n"
    "  GRADUS_HOSTS_WAIT  seconds for a host to see what another has written "
    "(60)\n"
    "  OMP_NUM_THREADS    threads of each rank; unset: the cores that it is\n"
    "                     bound to, else the node's cores over its ranks\n"
    "All ranks of a run take rank 0's GRADUS_*.\n";

/* ---------------------------------------------------------------- for people
 */

/* A sentence of several lines goes on in its column. */
static void add_indented(gd_text *out, const char *text, int indent)
{
  for (const char *c = text; *c != '\0'; c++) {
    gd_text_bytes(out, c, 1);
    if (*c == '\n' && c[1] != '\0')
      gd_text_printf(out, "%*s", indent, "");
  }
}

static void add_option(gd_text *out, const gd_option *o)
{
  char left[64];
  snprintf(left, sizeof left, "%s%s%s", o->name, o->value == NULL ? "" : " ",
           o->value == NULL ? "" : o->value);
  gd_text_printf(out, "  %-*s", COLUMN - 2, left);
  add_indented(out, o->sentence, COLUMN);
  gd_text_add(out, "\n");
}

static void add_usage(gd_text *out, const gd_command *c)
{
  gd_text_printf(out, "gradus %s", c->name);
  for (int i = 0; i < c->n_options; i++) {
    const gd_option *o = &c->options[i];
    const int is_needed = o->times == GD_OPTION_NEEDED;
    gd_text_printf(out, " %s%s%s%s%s%s", is_needed ? "" : "[", o->name,
                   o->value == NULL ? "" : " ",
                   o->value == NULL ? "" : o->value, is_needed ? "" : "]",
                   o->times == GD_OPTION_REPEATS ? "..." : "");
  }
  gd_text_printf(out, "%s%s", c->operands[0] == '\0' ? "" : " ", c->operands);
}

void gd_help_command(const gd_command *c, gd_text *out)
{
  gd_text_printf(out, "gradus %s: %s\n\nusage: ", c->name, c->summary);
  add_usage(out, c);
  gd_text_printf(out, "\n\n%s\noptions:\n", c->details);
  for (int i = 0; i < c->n_options; i++)
    add_option(out, &c->options[i]);
  add_option(out,
             &(gd_option){"--help", NULL, GD_OPTION_ONCE, "Print this page."});
}

void gd_help_program(gd_text *out)
{
  gd_text_printf(out,
                 "gradus %s: ordinal levels from face videos, at cluster "
                 "scale\n\ncommands:\n",
                 gd_version());
  for (int i = 0; gd_commands[i] != NULL; i++) {
    char left[64];
    snprintf(left, sizeof left, "%s %s", gd_commands[i]->name,
             gd_commands[i]->operands);
    gd_text_printf(out, "  %-*s%s\n", COLUMN - 2, left,
                   gd_commands[i]->summary);
  }
  gd_text_printf(out,
                 "  %-*s%s\n\n"
                 "help topics: manifest, and every command\n\n"
                 "exit codes:\n%s\nenvironment:\n%s",
                 COLUMN - 2, "--version", "version, GEMM backend, libraries",
                 exit_codes, environment);
}

/* ---------------------------------------------------------------- for man(1)
 */

/* Escape for troff: backslashes, hyphens that must stay, and a dot or quote
 * that begins a line. */
static void add_troff(gd_text *out, const char *text)
{
  int begins = 1;
  for (const char *c = text; *c != '\0'; c++) {
    if (begins && (*c == '.' || *c == '\''))
      gd_text_add(out, "\\&");
    if (*c == '\\')
      gd_text_add(out, "\\e");
    else if (*c == '-')
      gd_text_add(out, "\\-");
    else
      gd_text_bytes(out, c, 1);
    begins = *c == '\n';
  }
}

static void add_verbatim(gd_text *out, const char *text)
{
  gd_text_add(out, ".nf\n");
  add_troff(out, text);
  gd_text_add(out, ".fi\n");
}

static void add_manual_command(gd_text *out, const gd_command *c)
{
  gd_text usage = {0};
  add_usage(&usage, c);
  gd_text_add(out, ".SS ");
  add_troff(out, gd_text_get(&usage));
  gd_text_add(out, "\n");
  gd_text_free(&usage);
  add_verbatim(out, c->details);
  for (int i = 0; i < c->n_options; i++) {
    gd_text_add(out, ".TP\n.B ");
    add_troff(out, c->options[i].name);
    gd_text_printf(out, " %s\n",
                   c->options[i].value == NULL ? "" : c->options[i].value);
    add_troff(out, c->options[i].sentence);
    gd_text_add(out, "\n");
  }
}

static void add_manual(gd_text *out)
{
  gd_text_printf(
      out,
      ".TH GRADUS 1 \"\" \"gradus %s\" \"User Commands\"\n"
      ".SH NAME\n"
      "gradus \\- ordinal levels from face videos, at cluster scale\n"
      ".SH SYNOPSIS\n"
      ".B gradus\n.I COMMAND\n.RI [ ARGUMENT ...]\n"
      ".SH COMMANDS\n",
      gd_version());
  for (int i = 0; gd_commands[i] != NULL; i++)
    add_manual_command(out, gd_commands[i]);
  gd_text_add(out, ".SH MANIFEST\n");
  gd_text reference = {0};
  gd_keys_reference(&reference, 0);
  add_verbatim(out, gd_text_get(&reference));
  gd_text_free(&reference);
  gd_text_add(out, ".SH EXIT STATUS\n");
  add_verbatim(out, exit_codes);
  gd_text_add(out, ".SH ENVIRONMENT\n");
  add_verbatim(out, environment);
}

/* ------------------------------------------------------------------- command
 */

static int fail_topic(const char *topic)
{
  const char *names[MOST_TOPICS] = {"manifest"};
  int n = 1;
  for (int i = 0; n < MOST_TOPICS && gd_commands[i] != NULL; i++)
    names[n++] = gd_commands[i]->name;
  const char *nearest = gd_nearest(topic, names, n);
  return gd_command_failed(gd_fail(GD_ERR_USAGE, "no help on '%s'%s%s%s", topic,
                                   nearest == NULL ? "" : "; did you mean '",
                                   nearest == NULL ? "" : nearest,
                                   nearest == NULL ? "" : "'?"));
}

static int run(const gd_arguments *a)
{
  gd_text page = {0};
  const char *topic =
      gd_arguments_n_operands(a) > 0 ? gd_arguments_operand(a, 0) : NULL;
  if (gd_arguments_count(a, "--man") > 0) {
    add_manual(&page);
    return gd_command_print(&page);
  }
  if (topic == NULL) {
    gd_help_program(&page);
    return gd_command_print(&page);
  }
  if (strcmp(topic, "manifest") == 0) {
    gd_keys_reference(&page, gd_arguments_count(a, "--markdown") > 0);
    return gd_command_print(&page);
  }
  for (int i = 0; gd_commands[i] != NULL; i++)
    if (strcmp(gd_commands[i]->name, topic) == 0) {
      gd_help_command(gd_commands[i], &page);
      return gd_command_print(&page);
    }
  return fail_topic(topic);
}

const gd_command gd_command_help = {
    .name = "help",
    .operands = "[TOPIC]",
    .least = 0,
    .most = 1,
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .summary = "this page, a command's, or all keys of a manifest",
    .details =
        "TOPIC is a command, or `manifest` for the reference of all keys\n"
        "that a manifest may have.\n",
    .run = run,
};
