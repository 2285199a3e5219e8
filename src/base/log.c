#include "gradus/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
  int rank;
  gd_log_level most;
  FILE *file;
  int progress_shown;
} sink = {.most = GD_LOG_INFO};

void gd_log_begin(int rank, gd_log_level most)
{
  sink.rank = rank;
  sink.most = most;
}

gd_status gd_log_file(const char *path)
{
  if (sink.file != NULL)
    fclose(sink.file);
  sink.file = NULL;
  if (path == NULL)
    return GD_OK;
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd >= 0)
    sink.file = fdopen(fd, "a");
  if (sink.file == NULL)
    return gd_fail(GD_ERR_IO, "%s: cannot append to the log: %s", path,
                   strerror(errno));
  return GD_OK;
}

int gd_log_is_terminal(void)
{
  return isatty(STDERR_FILENO);
}

void gd_log_progress(const char *line)
{
  if (!gd_log_is_terminal())
    return;
  if (line != NULL)
    fprintf(stderr, "\r\033[K%s", line);
  else if (sink.progress_shown)
    fputs("\r\033[K", stderr);
  fflush(stderr);
  sink.progress_shown = line != NULL;
}

void gd_log(gd_log_level level, const char *format, ...)
{
  static const char *const names[] = {"error", "warning", "info", "debug"};
  const int any_rank = level == GD_LOG_ERROR || level == GD_LOG_DEBUG;

  if (level > sink.most || (!any_rank && sink.rank != 0))
    return;

  char text[3072];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);

  char who[32] = "";
  if (any_rank && sink.rank != 0)
    snprintf(who, sizeof who, " rank=%d", sink.rank);

  gd_log_progress(NULL);
  /* At once: pieces of several ranks' lines would mix. */
  char line[sizeof text + 64];
  snprintf(line, sizeof line, "gradus: %s:%s %s\n", names[level], who, text);
  fputs(line, stderr);
  if (sink.file != NULL) {
    char when[32] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL)
      strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    fprintf(sink.file, "%s %s%s %s\n", when, names[level], who, text);
    fflush(sink.file);
  }
}
