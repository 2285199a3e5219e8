#include "gradus/batch.h"

#include <assert.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/version.h"

extern const char gd_batch_site[]; /* batch_site.sh, by CMake */
extern const char gd_batch_body[]; /* batch_body.sh */

/* ------------------------------------------------------------- sbatch's lines
 */

/* sbatch reads its lines itself: within double quotes only these two are
 * special. */
static void add_directive(gd_text *out, const char *option, const char *value)
{
  gd_text_printf(out, "#SBATCH --%s=\"", option);
  for (const char *c = value; *c != '\0'; c++) {
    gd_text_add(out, *c == '"' || *c == '\\' ? "\\" : "");
    gd_text_bytes(out, c, 1);
  }
  gd_text_add(out, "\"\n");
}

/* "0-199", "0,2,5-7": runs of tasks. */
static void add_array(const gd_batch *b, gd_text *out)
{
  gd_text_add(out, "#SBATCH --array=");
  for (int i = 0, end; i < b->n_members; i = end) {
    for (end = i + 1;
         end < b->n_members && b->tasks[end] == b->tasks[end - 1] + 1; end++)
      ;
    gd_text_printf(out, "%s%d", i == 0 ? "" : ",", b->tasks[i]);
    if (end > i + 1)
      gd_text_printf(out, "-%d", b->tasks[end - 1]);
  }
  const int running = (int)gd_site_int(b->site, "array_running");
  if (running > 0)
    gd_text_printf(out, "%%%d", running);
  gd_text_add(out, "\n");
}

/* In the pattern of a log's path, '%' stands for something. */
static void add_log(const gd_batch *b, gd_text *out)
{
  gd_text path = {0};
  for (const char *c = b->notes; *c != '\0'; c++) {
    gd_text_add(&path, *c == '%' ? "%" : "");
    gd_text_bytes(&path, c, 1);
  }
  gd_text_printf(&path, "/%s%s.out", b->name, b->tasks == NULL ? "" : "-%a");
  add_directive(out, "output", gd_text_get(&path));
  if (path.status != GD_OK)
    out->status = path.status;
  gd_text_free(&path);
}

static void add_resources(const gd_batch *b, gd_text *out)
{
  static const char *const keys[] = {
      "nodes",     "ntasks-per-node", "cpus-per-task", "time",      "mem",
      "partition", "account",         "qos",           "constraint"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    const char *value = gd_site_resource(b->site, b->members[0], keys[i]);
    if (value[0] != '\0')
      add_directive(out, keys[i], value);
  }
  const char *exclusive = gd_site_resource(b->site, b->members[0], "exclusive");
  if (strcmp(exclusive, "true") == 0)
    gd_text_add(out, "#SBATCH --exclusive\n");
}

static void add_directives(const gd_batch *b, gd_text *out)
{
  add_directive(out, "job-name", b->name);
  if (b->tasks != NULL)
    add_array(b, out);
  add_resources(b, out);
  add_directive(out, "chdir", b->directory);
  add_log(b, out);
  /* A signal for this script alone (B:), which passes it on: without it, only
   * the ranks on other nodes than mpirun's would hear of it. */
  gd_text_printf(out,
                 "#SBATCH --open-mode=append\n"
                 "#SBATCH --requeue\n"
                 "#SBATCH --signal=B:USR1@%s\n"
                 "#SBATCH --kill-on-invalid-dep=yes\n",
                 gd_site_text(b->site, "notice"));
}

/* ------------------------------------------------------------------ variables
 */

static void add_variable(gd_text *out, const char *name, const char *value)
{
  gd_text_printf(out, "%s=", name);
  gd_text_shell(out, value);
  gd_text_add(out, "\n");
}

/* Words parted by blanks, each quoted on its own. */
static void add_words(gd_text *out, const char *name, const char *words)
{
  gd_text_printf(out, "%s=(", name);
  int n = 0;
  for (const char *c = words + strspn(words, " "); *c != '\0';) {
    const size_t length = strcspn(c, " ");
    gd_text word = {0};
    gd_text_bytes(&word, c, length);
    gd_text_add(out, n++ > 0 ? " " : "");
    gd_text_shell(out, gd_text_get(&word));
    if (word.status != GD_OK)
      out->status = word.status;
    gd_text_free(&word);
    c += length;
    c += strspn(c, " ");
  }
  gd_text_add(out, ")\n");
}

static void add_members(const gd_batch *b, gd_text *out)
{
  gd_text_add(out, "members=(");
  for (int i = 0; i < b->n_members; i++) {
    const char *folder = gd_path_base(gd_instance_directory(b->members[i]));
    gd_text_printf(out, "%s[%d]=", i == 0 ? "" : "\n  ",
                   b->tasks == NULL ? 0 : b->tasks[i]);
    gd_text_shell(out, folder);
  }
  gd_text_add(out, ")\n");
}

static void add_site(const gd_batch *b, gd_text *out)
{
  add_words(out, "gd_modules", gd_site_text(b->site, "modules"));
  add_variable(out, "gd_setup", gd_site_text(b->site, "setup"));
  gd_text_add(out, "\n");
  gd_text_add(out, gd_batch_site);
  gd_text_add(out, "\n");
}

static void add_variables(const gd_batch *b, gd_text *out)
{
  const char *launcher = gd_site_text(b->site, "launcher");
  add_variable(out, "name", b->name);
  add_variable(out, "gradus", b->program);
  add_variable(out, "manifest", b->manifest);
  add_variable(out, "work", b->work);
  add_variable(out, "notes", b->notes);
  add_members(b, out);
  add_words(out, "container", gd_site_text(b->site, "container"));
  add_variable(out, "launcher", launcher);
  add_variable(out, "mpi", gd_site_text(b->site, "mpi"));
  add_words(out, "launcher_options", gd_site_text(b->site, "launcher_options"));
  add_variable(out, "restart", gd_site_text(b->site, "restart"));
}

/* sbatch reads its lines one by one, and takes backslashes out of a log's path
 * with all that they were before. */
static gd_status check_path(const char *path)
{
  for (const char *c = path; *c != '\0'; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '\\')
      return gd_fail(GD_ERR_USAGE,
                     "%s: Slurm takes no path with a line break, another "
                     "control character or a backslash: use another folder",
                     path);
  return GD_OK;
}

gd_status gd_batch_compose(const gd_batch *b, gd_text *out)
{
  assert(b != NULL && out != NULL && b->n_members > 0);
  assert(b->tasks != NULL || b->n_members == 1);

  gd_status st = check_path(b->directory);
  if (st == GD_OK)
    st = check_path(b->notes);
  if (st != GD_OK)
    return st;
  gd_text_add(out, "#!/usr/bin/env bash\n");
  add_directives(b, out);
  gd_text_printf(out, "# Written by gradus %s submit: %d of stage %s.\n",
                 gd_version(), b->n_members, gd_instance_name(b->members[0]));
  add_site(b, out);
  add_variables(b, out);
  gd_text_add(out, "\n");
  gd_text_add(out, gd_batch_body);
  return gd_text_status(out);
}
