/* The reference of all keys, from the table. */
#include <stdio.h>
#include <string.h>

#include "gradus/job.h"
#include "keys.h"
#include "value.h"

static const char introduction[] =
    "A manifest describes the whole dataflow of a job, from videos to tables.\n"
    "It is YAML:\n"
    "\n"
    "    job: avec2014                    # the job's name\n"
    "    work: runs/avec2014              # where results go; runs/<job>\n"
    "    corpus: {layout: avec2014, root: \"${AVEC2014}\"}\n"
    "    stages:\n"
    "      frames: {stage: extract, from: corpus, every: 10}\n"
    "      faces: {stage: align, from: frames, detector: mtcnn.h5}\n"
    "      model: {stage: train, from: faces, optimizer: {rate: 1e-4}}\n"
    "      scores: {stage: evaluate, from: [model, faces]}\n"
    "      report: {stage: report, from: scores}\n"
    "    sweep:\n"
    "      model: {loss: [softmax, expectation], seed: [1, 2, 3]}\n"
    "    slurm:\n"
    "      defaults: {time: \"02:00:00\"}\n"
    "      model: {nodes: 4, cpus-per-task: 16}\n"
    "\n"
    "Each stage has a name of its own, a kind (`stage`), its inputs (`from`)\n"
    "and the keys of its kind. Nested keys may be written with dots,\n"
    "`optimizer.rate: 1e-4`. A stage of kind `synth` stands in the place of\n"
    "`corpus`.\n"
    "\n"
    "Paths that do not begin with a slash are below the current directory of\n"
    "the program, not of the manifest.\n"
    "\n"
    "${NAME} in a value is replaced by the environment variable, which must\n"
    "be set; ${NAME:-default} gives the default where it is not set or\n"
    "empty; $${ is a plain ${.\n"
    "\n"
    "A sweep makes one member of a stage, and of all stages that depend on\n"
    "it, for each combination of the listed values; lists under `zip` are\n"
    "taken together, first with first; 1..5 is a list of whole numbers.\n"
    "Stages that do not depend on a swept key are shared by all members.\n"
    "Two members, not four:\n"
    "\n"
    "    model: {zip: {loss: [softmax, expectation], seed: [1, 2]}}\n"
    "\n"
    "--set STAGE.KEY=VALUE on the command line overrides a value of the\n"
    "manifest, and takes the key out of the sweep; so do --set work=DIR,\n"
    "--set corpus.KEY=VALUE and --set slurm.STAGE.KEY=VALUE;\n"
    "--set 'sweep.STAGE.KEY=[A, B]' replaces an axis of the sweep.\n";

/* The type of a value, and its unit, which that of a size names already. */
static void describe(const gd_key *key, char *out, size_t out_bytes)
{
  gd_key_describe(key, out, out_bytes);
  const size_t used = strlen(out);
  if (key->unit != NULL && key->type != GD_KEY_BYTES)
    snprintf(out + used, out_bytes - used, ", %s", key->unit);
}

static void add_fallback(gd_text *out, const gd_key *key)
{
  if (key->fallback == NULL)
    gd_text_add(out, "required");
  else if (strcmp(key->fallback, GD_FROM_CORPUS) == 0)
    gd_text_add(out, "the corpus's");
  else
    gd_text_add(out, key->fallback[0] == '\0' ? "empty" : key->fallback);
}

/* Bars part the cells of a Markdown table. */
static void add_cell(gd_text *out, const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (*c == '|')
      gd_text_add(out, "\\|");
    else
      gd_text_bytes(out, c, 1);
}

static void add_key_row(gd_text *out, const gd_key *key)
{
  char type[256];
  describe(key, type, sizeof type);
  gd_text_printf(out, "| `%s` | ", key->name);
  add_cell(out, type);
  gd_text_add(out, " | ");
  add_fallback(out, key);
  gd_text_add(out, " | ");
  add_cell(out, key->sentence);
  gd_text_add(out, " |\n");
}

static void add_key_lines(gd_text *out, const gd_key *key)
{
  char type[256];
  describe(key, type, sizeof type);
  gd_text_printf(out, "  %s: %s (", key->name, type);
  gd_text_add(out, key->fallback == NULL ? "" : "default ");
  add_fallback(out, key);
  gd_text_printf(out, ")\n      %s\n", key->sentence);
}

static void add_section(gd_text *out, const gd_section *s, int markdown)
{
  gd_text_printf(out, markdown ? "\n### %s\n\n" : "\n%s: ", s->kind);
  gd_text_printf(out, markdown ? "`%s`: %s" : "%.0s%s", s->kind, s->summary);
  for (int i = 0; i < 3 && s->inputs[i] != NULL; i++)
    gd_text_printf(out, "%s%s", i == 0 ? "; from: " : " and ", s->inputs[i]);
  if (s->gathers)
    gd_text_add(out, ", all members of a sweep");
  gd_text_add(out, markdown ? ".\n\n| key | value | default | meaning |\n"
                              "| --- | --- | --- | --- |\n"
                            : "\n");
  for (int i = 0; i < s->n_keys; i++)
    if (markdown)
      add_key_row(out, &s->keys[i]);
    else
      add_key_lines(out, &s->keys[i]);
}

void gd_keys_reference(gd_text *out, int markdown)
{
  int n;
  const gd_section *sections = gd_sections(&n);
  gd_text_add(out, markdown ? "# The manifest\n\n" : "");
  gd_text_add(out, introduction);
  add_section(out, gd_section_corpus(), markdown);
  for (int i = 0; i < n; i++)
    add_section(out, &sections[i], markdown);
  add_section(out, gd_section_slurm(), markdown);
  add_section(out, gd_section_site(), markdown);
}
