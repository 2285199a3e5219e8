#include "gradus/attempts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/watchdog.h"

/* A note's first field has one width, so that a signal handler can overwrite
 * it in place. */
enum { HOW_BYTES = 9, MOST_FALLS = 2, MOST_BYTES = 1 << 26 };
static const char WORKING[] = "working  ";
static const char STOPPED[] = "stopped  ";
static const char HUNG[] = "hung     "; /* ended by the watchdog */

static const char HISTORY[] = "attempts.txt";
static const char SUFFIX[] = ".attempt";

struct gd_attempts {
  char directory[GD_PATH_MAX];
  char *falls;
  char note[GD_PATH_MAX]; /* path of the open note, "" if there is none */
};

/* ------------------------------------------------------------------- signals
 */

static const struct {
  int number;
  int is_request; /* or else a crash */
} SIGNALS[] = {{SIGHUP, 1},  {SIGINT, 1},  {SIGQUIT, 1}, {SIGTERM, 1},
               {SIGUSR1, 1}, {SIGUSR2, 1}, {SIGXCPU, 1}, {SIGSEGV, 0},
               {SIGBUS, 0},  {SIGFPE, 0},  {SIGILL, 0},  {SIGABRT, 0},
               {SIGTRAP, 0}, {SIGSYS, 0},  {SIGALRM, 0}};
enum { N_SIGNALS = sizeof SIGNALS / sizeof SIGNALS[0] };

/* Signals belong to the process, and so does what they mark. */
static struct {
  volatile sig_atomic_t file; /* the note, or -1 */
  volatile sig_atomic_t was_stopped;
  struct sigaction before[N_SIGNALS];
} mark = {.file = -1};

/* Only what a signal handler may do. */
static void write_mark(const char how[HOW_BYTES])
{
  if (mark.file >= 0) {
    const ssize_t n = pwrite((int)mark.file, how, HOW_BYTES, 0);
    (void)n;
  }
}

static void on_signal(int number)
{
  const int error = errno;
  int i = 0;
  while (SIGNALS[i].number != number)
    i++;
  const struct sigaction *before = &mark.before[i];
  if (SIGNALS[i].is_request) {
    mark.was_stopped = 1;
    write_mark(STOPPED);
  } else if (number == SIGALRM) {
    write_mark(HUNG);
  } else {
    char how[] = "signal 00";
    how[7] = (char)('0' + number / 10);
    how[8] = (char)('0' + number % 10);
    write_mark(how);
  }
  if (SIGNALS[i].is_request && (before->sa_flags & SA_SIGINFO) == 0 &&
      before->sa_handler != SIG_DFL) {
    before->sa_handler(number);
  } else {
    /* It comes again when this handler returns, to whom it was meant for. */
    sigaction(number, before, NULL);
    raise(number);
  }
  errno = error;
}

/* The run is ended for another rank's sake. */
static void excuse(void)
{
  mark.was_stopped = 1;
  write_mark(STOPPED);
}

static void take_signals(void)
{
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < N_SIGNALS; i++) {
    struct sigaction *before = &mark.before[i];
    sigaction(SIGNALS[i].number, NULL, before);
    if ((before->sa_flags & SA_SIGINFO) != 0 || before->sa_handler != SIG_IGN)
      sigaction(SIGNALS[i].number, &action, NULL);
  }
}

static void give_signals_back(void)
{
  for (int i = 0; i < N_SIGNALS; i++)
    sigaction(SIGNALS[i].number, &mark.before[i], NULL);
}

/* --------------------------------------------------------------------- lines
 */

/* Add a field whose own tabs and line ends cannot be taken for ours. */
static void add_field(gd_text *line, const char *text)
{
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
    if (*c < ' ' || *c == '%' || *c == 127)
      gd_text_printf(line, "%%%02X", *c);
    else
      gd_text_bytes(line, c, 1);
  }
}

/* Compose a line of which two fields are given: they stand in this form in
 * every line about them. */
static void add_place(gd_text *line, const char *unit, const char *item)
{
  gd_text_add(line, "\t");
  add_field(line, unit);
  gd_text_add(line, "\t");
  add_field(line, item);
  gd_text_add(line, "\t");
}

static void compose(gd_text *line, const char *unit, const char *item)
{
  char host[128] = "", when[32] = "";
  const time_t now = time(NULL);
  struct tm utc;
  gethostname(host, sizeof host - 1);
  if (gmtime_r(&now, &utc) != NULL)
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
  gd_text_add(line, mark.was_stopped ? STOPPED : WORKING);
  add_place(line, unit, item);
  add_field(line, host);
  gd_text_printf(line, "\t%ld\t%s\n", (long)getpid(), when);
}

/* Return the line behind this one, NULL at the end. */
static const char *next_line(const char *line)
{
  const char *end = strchr(line, '\n');
  return end == NULL || end[1] == '\0' ? NULL : end + 1;
}

/* Point to a field of a line, from 0; NULL when it has fewer. */
static const char *field_of(const char *line, int field, int *length)
{
  *length = 0;
  for (; field > 0; field--) {
    line += strcspn(line, "\t\n");
    if (*line != '\t')
      return NULL;
    line++;
  }
  *length = (int)strcspn(line, "\t\n");
  return line;
}

/* Count the falls of an item in the unit that a line tells of. */
static int count_alike(const char *falls, const char *line)
{
  int n = 0, at_length, item_length;
  const char *place = field_of(line, 1, &at_length);
  const char *item = field_of(line, 2, &item_length);
  if (place == NULL || item == NULL)
    return 0;
  const size_t length = (size_t)(item + item_length - place);
  for (const char *other = falls; other != NULL; other = next_line(other)) {
    const char *found = field_of(other, 1, &at_length);
    n += found != NULL && strncmp(found, place, length) == 0 &&
         (found[length] == '\t' || found[length] == '\n');
  }
  return n;
}

/* --------------------------------------------------------- what dead ranks
 * left
 */

/* Visit the notes of a run directory. */
static gd_status visit_notes(const char *directory, const gd_folder *folder,
                             gd_status (*visit)(const char *path, void *to),
                             void *to)
{
  gd_status st = GD_OK;
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++) {
    char path[GD_PATH_MAX];
    if (!gd_path_ends_with(folder->names[i], SUFFIX))
      continue;
    st = gd_path_join(directory, folder->names[i], path);
    if (st == GD_OK)
      st = visit(path, to);
  }
  return st;
}

/* Add a note to the lines; one that its rank did not come to write whole tells
 * of nothing that had begun. */
static gd_status read_note(const char *path, void *lines)
{
  char *text;
  int length;
  gd_status st = gd_file_read(path, 8 * GD_PATH_MAX, &text, NULL);
  if (st == GD_ERR_FORMAT)
    return GD_OK;
  if (st != GD_OK)
    return st;
  if (field_of(text, 5, &length) != NULL && strchr(text, '\n') != NULL)
    gd_text_bytes(lines, text, strcspn(text, "\n") + 1);
  free(text);
  return gd_text_status(lines);
}

static gd_status remove_note(const char *path, void *unused)
{
  (void)unused;
  return gd_file_remove(path);
}

static void tell(const char *falls, const char *line)
{
  int unit_length, item_length, how_length, host_length;
  const char *how = strncmp(line, WORKING, HOW_BYTES) == 0 ? "killed\t" : line;
  const char *unit = field_of(line, 1, &unit_length);
  const char *item = field_of(line, 2, &item_length);
  const char *host = field_of(line, 3, &host_length);
  const int n = count_alike(falls, line);
  how_length = (int)strcspn(how, "\t");
  while (how_length > 0 && how[how_length - 1] == ' ')
    how_length--;
  gd_log(GD_LOG_WARNING,
         "%.*s: a rank came down on it (%.*s, on %.*s, in %.*s)%s", item_length,
         item, how_length, how, host_length, host, unit_length, unit,
         n >= MOST_FALLS ? " again: it is skipped" : "; it is tried once more");
}

static int is_crash(const char *line)
{
  return strncmp(line, WORKING, HOW_BYTES) != 0 &&
         strncmp(line, STOPPED, HOW_BYTES) != 0;
}

/* Of the notes of one run, those of crashes are the cause; where there is none,
 * any of those that were at work may be. */
static int is_fall(const char *line, int has_crash)
{
  return has_crash ? is_crash(line) : strncmp(line, WORKING, HOW_BYTES) == 0;
}

static int has_line(const char *lines, const char *line)
{
  const size_t length = strcspn(line, "\n");
  for (const char *l = lines; l != NULL; l = next_line(l))
    if (strncmp(l, line, length + 1) == 0)
      return 1;
  return 0;
}

/* Add the falls among the notes to the history. */
static gd_status add_falls(const char *notes, gd_text *falls)
{
  int has_crash = 0;
  for (const char *l = notes; l != NULL; l = next_line(l))
    has_crash |= is_crash(l);
  for (const char *l = notes; l != NULL; l = next_line(l))
    if (is_fall(l, has_crash) && !has_line(gd_text_get(falls), l)) {
      gd_text_bytes(falls, l, strcspn(l, "\n") + 1);
      if (gd_text_status(falls) == GD_OK)
        tell(gd_text_get(falls), l);
    }
  return gd_text_status(falls);
}

static gd_status read_history(const char *path, gd_text *falls)
{
  char *text;
  if (!gd_path_exists(path)) {
    gd_text_add(falls, "");
    return gd_text_status(falls);
  }
  gd_status st = gd_file_read(path, MOST_BYTES, &text, NULL);
  if (st == GD_OK) {
    gd_text_add(falls, text);
    if (text[0] != '\0' && text[strlen(text) - 1] != '\n')
      gd_text_add(falls, "\n");
    free(text);
  }
  return st == GD_OK ? gd_text_status(falls) : st;
}

gd_status gd_attempts_collect(const char *directory, gd_text *falls)
{
  assert(directory != NULL && falls != NULL);

  char path[GD_PATH_MAX];
  gd_folder *folder = NULL;
  gd_text notes = {0};
  gd_status st = gd_path_join(directory, HISTORY, path);
  if (st == GD_OK)
    st = read_history(path, falls);
  const size_t before = falls->length_bytes;
  if (st == GD_OK)
    st = gd_folder_read(directory, &folder);
  if (st == GD_OK)
    st = visit_notes(directory, folder, read_note, &notes);
  if (st == GD_OK && notes.length_bytes > 0)
    st = add_falls(gd_text_get(&notes), falls);
  if (st == GD_OK && falls->length_bytes > before)
    st = gd_file_write(path, gd_text_get(falls), falls->length_bytes);
  /* Only now: what is noted twice is told from what happened twice. */
  if (st == GD_OK)
    st = visit_notes(directory, folder, remove_note, NULL);
  gd_text_free(&notes);
  gd_folder_free(folder);
  return st;
}

/* ------------------------------------------------------------------- attempts
 */

gd_status gd_attempts_new(const char *directory, const char *falls,
                          gd_attempts **out)
{
  assert(directory != NULL && falls != NULL && out != NULL);
  assert(mark.file == -1);

  *out = NULL;
  gd_attempts *a = gd_alloc(1, sizeof *a);
  if (a == NULL || (a->falls = gd_strdup(falls)) == NULL) {
    free(a);
    return GD_ERR_NOMEM;
  }
  gd_status st = gd_path_join(directory, "", a->directory);
  if (st != GD_OK) {
    free(a->falls);
    free(a);
    return st;
  }
  take_signals();
  gd_watchdog_excuse(excuse);
  *out = a;
  return GD_OK;
}

void gd_attempts_free(gd_attempts *a)
{
  if (a == NULL)
    return;
  (void)!gd_attempts_end(a);
  gd_watchdog_excuse(NULL);
  give_signals_back();
  mark.was_stopped = 0;
  free(a->falls);
  free(a);
}

int gd_attempts_is_suspect(const gd_attempts *a, const char *unit)
{
  assert(a != NULL && unit != NULL);

  for (const char *l = a->falls; l != NULL; l = next_line(l)) {
    int length;
    const char *found = field_of(l, 1, &length);
    if (found != NULL && strlen(unit) == (size_t)length &&
        strncmp(found, unit, (size_t)length) == 0 &&
        count_alike(a->falls, l) < MOST_FALLS)
      return 1;
  }
  return 0;
}

/* Refuse an item that fell twice in one unit, this or another. */
static gd_status refuse(const gd_attempts *a, const char *item)
{
  gd_text wanted = {0};
  gd_status st = GD_OK;
  add_field(&wanted, item);
  st = gd_text_status(&wanted);
  for (const char *l = a->falls; st == GD_OK && l != NULL; l = next_line(l)) {
    int length, unit_length;
    const char *found = field_of(l, 2, &length);
    if (found == NULL || wanted.length_bytes != (size_t)length ||
        strncmp(found, gd_text_get(&wanted), (size_t)length) != 0 ||
        count_alike(a->falls, l) < MOST_FALLS)
      continue;
    const char *unit = field_of(l, 1, &unit_length);
    st = gd_fail(GD_ERR_DECODE,
                 "%s: brought a rank down twice, in %.*s; to try again remove "
                 "%s and the results beside it",
                 item, unit_length, unit, HISTORY);
  }
  gd_text_free(&wanted);
  return st;
}

/* Begin a unit's note. */
static gd_status open_note(gd_attempts *a, const char *unit)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_path_join(a->directory, unit, path);
  if (st != GD_OK)
    return st;
  if (snprintf(a->note, sizeof a->note, "%s%s", path, SUFFIX) >= GD_PATH_MAX) {
    a->note[0] = '\0';
    return gd_fail(GD_ERR_USAGE, "%s: path too long", path);
  }
  const int file =
      open(a->note, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) {
    st = gd_fail(GD_ERR_IO, "%s: cannot create: %s", a->note, strerror(errno));
    a->note[0] = '\0';
    return st;
  }
  mark.file = file;
  return GD_OK;
}

static gd_status write_note(gd_attempts *a, const char *unit, const char *item)
{
  gd_text line = {0};
  compose(&line, unit, item);
  gd_status st = gd_text_status(&line);
  const int file = (int)mark.file;
  if (st == GD_OK &&
      (ftruncate(file, 0) != 0 || pwrite(file, line.data, line.length_bytes,
                                         0) != (ssize_t)line.length_bytes))
    st = gd_fail(GD_ERR_IO, "%s: cannot write: %s", a->note, strerror(errno));
  gd_text_free(&line);
  /* A signal in between marked what was overwritten. */
  if (mark.was_stopped)
    write_mark(STOPPED);
  return st;
}

gd_status gd_attempts_begin(gd_attempts *a, const char *unit, const char *item)
{
  assert(a != NULL && unit != NULL && item != NULL);

  gd_status st = refuse(a, item);
  if (st == GD_OK && a->note[0] == '\0')
    st = open_note(a, unit);
  if (st == GD_OK)
    st = write_note(a, unit, item);
  return st;
}

gd_status gd_attempts_end(gd_attempts *a)
{
  assert(a != NULL);

  if (a->note[0] == '\0')
    return GD_OK;
  const int file = (int)mark.file;
  write_mark(STOPPED); /* to remove it may take a disk long */
  mark.file = -1;
  close(file);
  gd_status st = gd_file_remove(a->note);
  a->note[0] = '\0';
  return st;
}
