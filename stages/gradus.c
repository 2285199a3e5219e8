/* gradus -- the command line.
 *
 * Finds the command, checks its arguments, begins MPI for those that need it,
 * and hands over.  Everything that is printed for people to read as a result
 * goes to stdout; what went wrong goes to stderr. */
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "gradus/agree.h"
#include "gradus/gemm.h"
#include "gradus/nearest.h"
#include "gradus/processor.h"
#include "gradus/queue.h"
#include "gradus/run.h"
#include "gradus/share.h"
#include "gradus/store.h"
#include "gradus/version.h"

enum { MOST_COMMANDS = 32, MOST_OPTIONS = 16 };

const gd_command *const gd_commands[] = {
    &gd_command_run,     &gd_command_plan,   &gd_command_submit,
    &gd_command_status,  &gd_command_check,  &gd_command_report,
    &gd_command_synth,   &gd_command_frames, &gd_command_detect,
    &gd_command_predict, &gd_command_import, &gd_command_export,
    &gd_command_bench,   &gd_command_help,   NULL,
};

int gd_command_failed(gd_status st)
{
  /* A reason that begins with a place in a manifest stands alone, as editors
   * expect it. */
  const char *reason = gd_reason();
  const int has_place = strstr(reason, ": error: ") != NULL;
  fprintf(stderr, "%s%s\n", has_place ? "" : "gradus: error: ", reason);
  return gd_exit_code(st);
}

int gd_command_print(gd_text *text)
{
  gd_status st = gd_text_status(text);
  if (st == GD_OK &&
      (fputs(gd_text_get(text), stdout) < 0 || fflush(stdout) != 0))
    st = gd_fail(GD_ERR_IO, "cannot write to standard output");
  gd_text_free(text);
  return st == GD_OK ? GD_EXIT_DONE : gd_command_failed(st);
}

gd_status gd_command_load(const gd_arguments *a, gd_job **out)
{
  return gd_job_load(gd_arguments_operand(a, 0),
                     gd_arguments_values(a, "--set"),
                     gd_arguments_count(a, "--set"), out);
}

/* The others get what rank 0 found, and ask neither files nor environment. */
gd_status gd_command_share(gd_status mine, gd_job **job)
{
  gd_text message = {0};
  int rank, first = (int)mine;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 0 && mine == GD_OK) {
    gd_job_pack(*job, &message);
    first = (int)gd_text_status(&message);
  }
  MPI_Bcast(&first, 1, MPI_INT, 0, MPI_COMM_WORLD);
  gd_status st = (gd_status)first;
  if (st == GD_OK) {
    st = gd_share_text(MPI_COMM_WORLD, &message);
    if (st == GD_OK && rank != 0)
      st = gd_job_unpack(message.data, message.length_bytes, job);
    st = gd_agree(MPI_COMM_WORLD, st);
  }
  gd_text_free(&message);
  return st;
}

static const gd_command *find_command(const char *name)
{
  for (int i = 0; gd_commands[i] != NULL; i++)
    if (strcmp(gd_commands[i]->name, name) == 0)
      return gd_commands[i];
  return NULL;
}

static int fail_unknown(const char *word)
{
  const char *names[MOST_COMMANDS];
  int n = 0;
  for (; n < MOST_COMMANDS && gd_commands[n] != NULL; n++)
    names[n] = gd_commands[n]->name;
  const char *nearest = gd_nearest(word, names, n);
  fprintf(stderr, "gradus: error: unknown command '%s'", word);
  if (nearest != NULL)
    fprintf(stderr, "; did you mean '%s'?", nearest);
  fputs("\ngradus: 'gradus help' lists the commands\n", stderr);
  return GD_EXIT_USAGE;
}

static int print_version(void)
{
  gd_text t = {0};
  char gemm[GD_GEMM_TEXT];
  gd_gemm_describe(GD_FP32, gemm);
  gd_text_printf(
      &t, "gradus %s\nGEMM backend: %s; bf16: %s\nlibraries: %s\nbuild: %s\n",
      gd_version(), gemm, gd_gemm_bf16_way(), gd_version_libraries(),
      gd_version_build());
  return gd_command_print(&t);
}

static gd_status check_operands(const gd_command *c, const gd_arguments *a)
{
  const int n = gd_arguments_n_operands(a);
  if (n < c->least)
    return gd_fail(GD_ERR_USAGE, "%s is missing: gradus %s %s", c->operands,
                   c->name, c->operands);
  if (c->most >= 0 && n > c->most)
    return gd_fail(GD_ERR_USAGE, "'%s' is one word too many: gradus %s %s",
                   gd_arguments_operand(a, c->most), c->name, c->operands);
  return GD_OK;
}

/* Ranks that fail alike say so once. */
static int is_first_rank(const gd_command *c)
{
  int rank = 0;
  if (c->parallel)
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank == 0;
}

static int run_command(const gd_command *c, int n_words,
                       const char *const *words)
{
  gd_option options[MOST_OPTIONS + 1];
  int n = 0;
  for (; n < c->n_options && n < MOST_OPTIONS; n++)
    options[n] = c->options[n];
  options[n++] =
      (gd_option){"--help", NULL, GD_OPTION_ONCE, "Print this page."};

  gd_arguments *a;
  gd_status st = gd_arguments_parse(options, n, n_words, words, &a);
  int code = GD_EXIT_DONE;
  if (st == GD_OK && gd_arguments_count(a, "--help") > 0) {
    gd_text page = {0};
    gd_help_command(c, &page);
    if (is_first_rank(c))
      code = gd_command_print(&page);
    else
      gd_text_free(&page);
  } else {
    if (st == GD_OK)
      st = check_operands(c, a);
    if (st == GD_OK)
      code = c->run(a);
    else
      code = is_first_rank(c) ? gd_command_failed(st) : gd_exit_code(st);
  }
  gd_arguments_free(a);
  return code;
}

int main(int argc, char **argv)
{
  if (!gd_processor_suffices())
    return GD_EXIT_USAGE;
  /* Whoever ignores it leaves that to us, and Slurm's programs would not tell
   * how they ended. */
  signal(SIGCHLD, SIG_DFL);
  const char *name = argc < 2 ? "" : argv[1];
  if (strcmp(name, "--version") == 0)
    return print_version();
  if (argc < 2 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    gd_text page = {0};
    gd_help_program(&page);
    if (argc >= 2)
      return gd_command_print(&page);
    fputs(gd_text_get(&page), stderr);
    gd_text_free(&page);
    return GD_EXIT_USAGE;
  }
  const gd_command *command = find_command(name);
  if (command == NULL)
    return fail_unknown(name);

  if (command->parallel) {
    int provided;
    gd_store_begin();
    gd_queue_begin();
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  }
  const int code =
      run_command(command, argc - 2, (const char *const *)argv + 2);
  if (command->parallel)
    MPI_Finalize();
  return code;
}
