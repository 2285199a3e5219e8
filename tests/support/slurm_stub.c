#include "slurm_stub.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gradus/text.h"
#include "test.h"

/* Without other programs: the tests call it often. */
static const char sbatch[] =
    "for word; do case $word in\n"
    "  --dependency=*) after=${word#*=} ;; *) script=$word ;;\n"
    "esac; done\n"
    "[ ! -e submitted ] || mapfile -t lines <submitted\n"
    "id=$((${#lines[@]} + 1))\n"
    "while read -r line; do case $line in\n"
    "  '#SBATCH --job-name='*) name=${line#*=\\\"} name=${name%\\\"} ;;\n"
    "  '#SBATCH --array='*) array=${line#*=} ;;\n"
    "  '') break ;;\n"
    "esac; done <\"$script\"\n"
    "echo \"$id $name $after\" >>submitted\n"
    "for part in ${array//,/ }; do\n"
    "  for ((task = ${part%-*}; task <= ${part#*-}; task++)); do\n"
    "    echo \"${id}_$task|PENDING|$name|1:00||Dependency\"\n"
    "  done\n"
    "done >>queue\n"
    "[ -n \"$array\" ] || echo \"$id|PENDING|$name|1:00||Dependency\" >>queue\n"
    "echo \"$id\"\n";

static const char scancel[] = "echo \"$1\" >>cancelled\n"
                              "grep -v \"^$1|\" queue >left\n"
                              "mv left queue\n";

const char *gd_slurm_stub_path(const char *name)
{
  char path[GD_PATH_MAX];
  assert_ok(gd_path_join("slurm", name, path));
  return gd_test_path(path);
}

void gd_slurm_stub_put(const char *name, const char *script)
{
  gd_text text = {0};
  char bin[GD_PATH_MAX];
  gd_text_printf(&text, "#!/usr/bin/env bash\ncd '%s' || exit 9\n%s",
                 gd_test_path("slurm"), script);
  assert_ok(gd_path_join("bin", name, bin));
  const char *path = gd_slurm_stub_path(bin);
  assert_ok(gd_file_write(path, gd_text_get(&text), text.length_bytes));
  assert_int_equal(chmod(path, 0700), 0);
  gd_text_free(&text);
}

void gd_slurm_stub(void)
{
  static const char *const files[] = {"submitted", "queue",   "cancelled",
                                      "requeued",  "started", "work"};
  static int is_first = 1;
  /* What a shell says or does by itself stands between its answers. */
  setenv("LC_ALL", "C", 1);
  unsetenv("BASH_ENV");
  unsetenv("ENV");
  unsetenv("BASH_FUNC_module%%");
  /* A shell cannot trap what was ignored when it began. */
  signal(SIGUSR1, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  assert_ok(gd_directory_make(gd_slurm_stub_path("bin")));
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    assert_ok(gd_file_remove(gd_slurm_stub_path(files[i])));
  gd_slurm_stub_put("sbatch", sbatch);
  gd_slurm_stub_put("squeue", "[ ! -e queue ] || cat queue\n");
  gd_slurm_stub_put("scancel", scancel);
  gd_slurm_stub_put("scontrol", "echo \"$*\" >>requeued\n");
  gd_slurm_stub_put("srun", "printf '%s\\n' \"$@\" >>started\n"
                            "[ ! -e work ] || . ./work\n");
  if (is_first) {
    gd_text path = {0};
    gd_text_printf(&path, "%s:%s", gd_slurm_stub_path("bin"), getenv("PATH"));
    assert_int_equal(setenv("PATH", gd_text_get(&path), 1), 0);
    gd_text_free(&path);
  }
  is_first = 0;
}

char *gd_slurm_stub_read(const char *name)
{
  const char *path = gd_slurm_stub_path(name);
  char *text = NULL;
  if (!gd_path_exists(path)) {
    text = calloc(1, 1);
    assert_non_null(text);
    return text;
  }
  assert_ok(gd_file_read(path, 1 << 20, &text, NULL));
  return text;
}
