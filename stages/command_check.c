/* gradus check -- verify files against the digests they were written with. */
#include <inttypes.h>
#include <stdio.h>

#include "command.h"
#include "gradus/check.h"
#include "gradus/run.h"

static void say_bad(void *context, const char *reason)
{
  (void)context;
  printf("bad: %s\n", reason);
}

static int run(const gd_arguments *a)
{
  gd_check check = {.bad = say_bad};
  for (int i = 0; i < gd_arguments_n_operands(a); i++) {
    const gd_status st = gd_check_path(&check, gd_arguments_operand(a, i));
    if (st != GD_OK)
      return gd_command_failed(st);
  }
  gd_text t = {0};
  gd_text_printf(&t, "%" PRId64 " files checked, %" PRId64 " bad\n",
                 check.n_files, check.n_bad);
  const int code = gd_command_print(&t);
  return check.n_bad > 0 ? GD_EXIT_FAILED : code;
}

const gd_command gd_command_check = {
    .name = "check",
    .operands = "PATH...",
    .least = 1,
    .most = -1,
    .summary = "verify result files",
    .details =
        "PATH is a result, a run directory, or a work directory. Everything\n"
        "in it is read and compared with its digests. One line for each bad\n"
        "file; `gradus run` makes it anew.\n",
    .run = run,
};
