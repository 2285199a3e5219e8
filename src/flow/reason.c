#include "reason.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/record.h"

/* More old results than this are not compared; more differences than this are
 * counted. */
enum { MOST_RECORDS = 512, MOST_SHOWN = 3 };

struct gd_reasons {
  int n;
  gd_record *records[MOST_RECORDS];
};

static int is_of_job(const gd_job *job, const char *directory)
{
  for (int i = 0; i < gd_job_n_instances(job); i++)
    if (strcmp(gd_path_base(gd_instance_directory(gd_job_instance(job, i))),
               directory) == 0)
      return 1;
  return 0;
}

gd_status gd_reasons_open(const gd_job *job, gd_reasons **out)
{
  *out = NULL;
  gd_reasons *r = gd_alloc(1, sizeof *r);
  if (r == NULL)
    return GD_ERR_NOMEM;
  DIR *work = opendir(gd_job_work(job));
  if (work == NULL && errno != ENOENT) {
    free(r);
    return gd_fail(GD_ERR_IO, "%s: cannot read: %s", gd_job_work(job),
                   strerror(errno));
  }
  const struct dirent *e;
  while (work != NULL && r->n < MOST_RECORDS && (e = readdir(work)) != NULL) {
    char directory[GD_PATH_MAX], path[GD_PATH_MAX];
    if (e->d_name[0] == '.' || is_of_job(job, e->d_name) ||
        gd_path_join(gd_job_work(job), e->d_name, directory) != GD_OK ||
        gd_path_join(directory, "stage.yaml", path) != GD_OK)
      continue;
    /* What cannot be read explains nothing. */
    if (gd_record_read(path, &r->records[r->n]) == GD_OK)
      r->n++;
  }
  if (work != NULL)
    closedir(work);
  *out = r;
  return GD_OK;
}

void gd_reasons_free(gd_reasons *r)
{
  if (r == NULL)
    return;
  for (int i = 0; i < r->n; i++)
    gd_record_free(r->records[i]);
  free(r);
}

static int begins(const char *text, const char *beginning)
{
  return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Say what differs between two descriptions; returns how many things do. */
static int compare(const gd_record *now, const gd_record *before, gd_text *out)
{
  int n = 0;
  for (int i = 0; i < gd_record_n(now); i++) {
    const char *key = gd_record_key(now, i), *text = gd_record_text(now, i);
    const char *old = gd_record_get(before, key);
    if (old != NULL && strcmp(old, text) == 0)
      continue;
    const char *name = strchr(key, '.');
    if (name == NULL || begins(key, "settings."))
      continue;
    name++;
    if (n++ >= MOST_SHOWN)
      continue;
    gd_text_add(out, n > 1 ? ", " : "");
    if (begins(key, "inputs."))
      gd_text_printf(out, "input %s changed", name);
    else if (begins(key, "files."))
      gd_text_printf(out, "content of %s changed", name);
    else if (old == NULL)
      gd_text_printf(out, "%s is new", name);
    else
      gd_text_printf(out, "%s changed from %s to %s", name,
                     old[0] == '\0' ? "empty" : old,
                     text[0] == '\0' ? "empty" : text);
  }
  if (n > MOST_SHOWN)
    gd_text_printf(out, " and %d more", n - MOST_SHOWN);
  return n;
}

gd_status gd_reasons_of(const gd_reasons *r, const gd_instance *s, gd_text *out)
{
  gd_text described = {0}, best = {0};
  gd_record *now = NULL;
  gd_instance_describe(s, &described);
  gd_status st = gd_text_status(&described);
  if (st == GD_OK && r->n > 0)
    st = gd_record_parse(gd_instance_title(s), gd_text_get(&described), &now);
  gd_text_free(&described);

  int fewest = 0;
  for (int i = 0; st == GD_OK && i < r->n; i++) {
    const char *name = gd_record_get(r->records[i], "name");
    const char *kind = gd_record_get(r->records[i], "kind");
    if (name == NULL || strcmp(name, gd_instance_name(s)) != 0 ||
        kind == NULL || strcmp(kind, gd_instance_kind(s)) != 0)
      continue;
    gd_text text = {0};
    const int n = compare(now, r->records[i], &text);
    if (best.data == NULL || n < fewest) {
      gd_text_free(&best);
      best = text;
      fewest = n;
    } else {
      gd_text_free(&text);
    }
    if (best.data == NULL) /* equal but for what gradus itself means by it */
      gd_text_add(&best, "made by another version of gradus");
  }
  gd_record_free(now);
  if (st == GD_OK)
    st = gd_text_status(&best);
  if (st == GD_OK)
    gd_text_add(out, best.data == NULL ? "never run" : gd_text_get(&best));
  gd_text_free(&best);
  return st;
}
