#include "gradus/launcher.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ancestors to look at: a container or a script may stand between. */
enum { MOST_ANCESTORS = 8, NAME_BYTES = 64 };

void gd_launcher_judge(gd_text *out)
{
  if (getenv("OMPI_COMM_WORLD_SIZE") != NULL &&
      getenv("OMPI_MCA_oob_tcp_keepalive_time") == NULL)
    gd_text_printf(out,
                   "this mpirun would not notice for 8 minutes that a host is "
                   "lost: before it, 'export OMPI_MCA_oob_tcp_keepalive_time=5 "
                   "OMPI_MCA_oob_tcp_keepalive_intvl=2 "
                   "OMPI_MCA_oob_tcp_keepalive_probes=3'");
}

/* Read a process's name and its parent; 0: it is not to be seen. */
static int look_at(pid_t pid, char name[NAME_BYTES], pid_t *parent)
{
  char path[64], line[512] = "";
  snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
  FILE *f = fopen(path, "r");
  if (f == NULL)
    return 0;
  /* "PID (NAME) STATE PARENT ...", and a name may hold what it likes. */
  const char *got = fgets(line, sizeof line, f);
  fclose(f);
  const char *begin = strchr(line, '('), *end = strrchr(line, ')');
  if (got == NULL || begin == NULL || end == NULL || end - begin > NAME_BYTES)
    return 0;
  snprintf(name, NAME_BYTES, "%.*s", (int)(end - begin - 1), begin + 1);
  long above = 0;
  if (sscanf(end + 1, " %*c %ld", &above) != 1)
    return 0;
  *parent = (pid_t)above;
  return 1;
}

static int is_one_of(const char *name, const char *const *names)
{
  for (; *names != NULL; names++)
    if (strncmp(name, *names, strlen(*names)) == 0)
      return 1;
  return 0;
}

/* mpirun's process number, or 0.  Its daemon stands between it and the ranks of
 * every other host. */
static pid_t find(void)
{
  static const char *const launchers[] = {"mpirun", "mpiexec", "orterun", NULL};
  static const char *const daemons[] = {"orted", "slurmstepd", NULL};
  char name[NAME_BYTES];
  pid_t pid = getppid(), parent = 0;
  for (int i = 0; i < MOST_ANCESTORS && pid > 1; i++, pid = parent) {
    if (!look_at(pid, name, &parent) || is_one_of(name, daemons))
      return 0;
    if (is_one_of(name, launchers))
      return pid;
  }
  return 0;
}

int gd_launcher_end(void)
{
  const pid_t launcher = getenv("OMPI_COMM_WORLD_SIZE") == NULL ? 0 : find();
  return launcher != 0 && kill(launcher, SIGKILL) == 0;
}
