#include "gradus/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

typedef struct {
  pid_t process;
  int out, err; /* our ends of its pipes; -1 when it has closed them */
} running;

static int64_t now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void close_end(int *fd)
{
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

/* A pipe whose ends no other child of ours inherits. */
static int open_pipe(int ends[2])
{
  if (pipe(ends) != 0)
    return -1;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return 0;
}

static int spawn(const char *const *words, int out, int err, pid_t *process)
{
  posix_spawn_file_actions_t actions;
  int code = posix_spawn_file_actions_init(&actions);
  if (code != 0)
    return code;
  code =
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (code == 0)
    code = posix_spawn_file_actions_adddup2(&actions, out, 1);
  if (code == 0)
    code = posix_spawn_file_actions_adddup2(&actions, err, 2);
  /* posix_spawnp() changes no word: its type is older than const. */
  if (code == 0)
    code = posix_spawnp(process, words[0], &actions, NULL,
                        (char *const *)(uintptr_t)words, environ);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

static gd_status start(const char *const *words, running *r)
{
  int out[2] = {-1, -1}, err[2] = {-1, -1};
  int code = open_pipe(out) == 0 && open_pipe(err) == 0 ? 0 : errno;
  if (code == 0)
    code = spawn(words, out[1], err[1], &r->process);
  close_end(&out[1]);
  close_end(&err[1]);
  r->out = out[0];
  r->err = err[0];
  if (code == 0)
    return GD_OK;
  close_end(&r->out);
  close_end(&r->err);
  return gd_fail(GD_ERR_IO, "%s: cannot be started: %s", words[0],
                 strerror(code));
}

static void read_some(int *fd, gd_text *to)
{
  char bytes[4096];
  const ssize_t n = read(*fd, bytes, sizeof bytes);
  if (n > 0)
    gd_text_bytes(to, bytes, (size_t)n);
  else if (n == 0 || errno != EINTR)
    close_end(fd);
}

/* Take what it writes until it has closed both pipes; 0: it took too long. */
static int listen_to(running *r, int64_t end_ms, gd_child *result)
{
  while (r->out >= 0 || r->err >= 0) {
    struct pollfd ends[2] = {{.fd = r->out, .events = POLLIN},
                             {.fd = r->err, .events = POLLIN}};
    const int64_t left_ms = end_ms - now_ms();
    if (left_ms <= 0)
      return 0;
    if (poll(ends, 2, (int)left_ms) <= 0)
      continue; /* a signal, or time is up */
    if (ends[0].revents != 0)
      read_some(&r->out, &result->out);
    if (ends[1].revents != 0)
      read_some(&r->err, &result->err);
  }
  return 1;
}

/* Wait for its end, which may come long after that of its pipes; 0: it took too
 * long.  Whoever ignores SIGCHLD is not told how it ended. */
static int await_end(pid_t process, int64_t end_ms, int *how, int *is_known)
{
  const struct timespec nap = {.tv_nsec = 1000000};
  for (;;) {
    const pid_t ended = waitpid(process, how, WNOHANG);
    *is_known = ended == process;
    if (*is_known || (ended < 0 && errno != EINTR))
      return 1;
    if (now_ms() >= end_ms)
      return 0;
    nanosleep(&nap, NULL);
  }
}

gd_status gd_child_run(const char *const *words, int limit_s, gd_child *result)
{
  assert(words != NULL && words[0] != NULL && limit_s > 0 && result != NULL);

  *result = (gd_child){0};
  running r;
  gd_status st = start(words, &r);
  if (st != GD_OK)
    return st;
  int how = 0, is_known = 0;
  const int64_t end_ms = now_ms() + (int64_t)limit_s * 1000;
  const int in_time = listen_to(&r, end_ms, result) &&
                      await_end(r.process, end_ms, &how, &is_known);
  if (!in_time)
    kill(r.process, SIGKILL);
  close_end(&r.out);
  close_end(&r.err);
  while (!in_time && waitpid(r.process, &how, 0) < 0 && errno == EINTR)
    ;
  if (!in_time)
    st = gd_fail(GD_ERR_IO, "%s: no answer for %d s", words[0], limit_s);
  else if (!is_known)
    st =
        gd_fail(GD_ERR_IO, "%s: nobody tells how it ended: is SIGCHLD ignored?",
                words[0]);
  else if (!WIFEXITED(how))
    st = gd_fail(GD_ERR_IO, "%s: ended by signal %d", words[0], WTERMSIG(how));
  else
    result->exit_code = WEXITSTATUS(how);
  if (st == GD_OK)
    st = gd_text_status(&result->out);
  if (st == GD_OK)
    st = gd_text_status(&result->err);
  if (st != GD_OK)
    gd_child_free(result);
  return st;
}

void gd_child_free(gd_child *result)
{
  gd_text_free(&result->out);
  gd_text_free(&result->err);
}
