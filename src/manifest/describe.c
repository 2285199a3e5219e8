/* Jobs and instances as YAML again: the effective manifest, stage.yaml. */
#include <string.h>

#include "instance.h"

void gd_job_quote(gd_text *out, const char *text)
{
  gd_text plain = {0};
  for (const char *c = text; *c != '\0'; c++) {
    gd_text_add(&plain, strncmp(c, "${", 2) == 0 ? "$" : "");
    gd_text_bytes(&plain, c, 1);
  }
  gd_text_json(out, gd_text_get(&plain));
  if (plain.status != GD_OK)
    out->status = plain.status;
  gd_text_free(&plain);
}

void gd_value_write(const gd_key *key, const gd_value *value, gd_text *out)
{
  if (key->type != GD_KEY_TEXT && key->type != GD_KEY_LINE &&
      key->type != GD_KEY_FILE) {
    gd_text_add(out, value->text);
    return;
  }
  gd_job_quote(out, value->text);
}

static void write_digest(gd_text *out, gd_digest d)
{
  char hex[GD_DIGEST_HEX];
  gd_digest_hex(d, hex);
  /* In quotes: digits alone, or with one 'e', would read as a number. */
  gd_text_printf(out, "\"%s\"\n", hex);
}

/* Parameters that decide the results, or those that do not. */
static void write_parameters(const gd_instance *s, int neutral, gd_text *out)
{
  const gd_section *section = s->stage->section;
  for (int i = 0; i < section->n_keys; i++) {
    if (section->keys[i].neutral != neutral)
      continue;
    gd_text_printf(out, "  %s: ", section->keys[i].name);
    gd_value_write(&section->keys[i], &s->values[i], out);
    gd_text_add(out, "\n");
  }
}

static void write_files(const gd_instance *s, gd_text *out)
{
  const gd_section *section = s->stage->section;
  for (int i = 0; i < section->n_keys; i++)
    if (s->values[i].is_file) {
      gd_text_printf(out, "  %s: ", section->keys[i].name);
      write_digest(out, s->values[i].content);
    }
}

void gd_instance_describe(const gd_instance *s, gd_text *out)
{
  gd_text_printf(out, "name: %s\nkind: %s\nmember: ", s->stage->name,
                 s->stage->section->kind);
  gd_text_json(out, s->member);
  gd_text_add(out, "\ndigest: ");
  write_digest(out, s->digest);
  gd_text_add(out, "parameters: # these decide the results\n");
  write_parameters(s, 0, out);
  gd_text_add(out, "settings: # these do not\n");
  write_parameters(s, 1, out);
  gd_text_add(out, "files: # digests of the files named above\n");
  write_files(s, out);
  gd_text_add(out, "inputs: # their digests\n");
  if (s->takes_corpus) {
    gd_text_add(out, "  corpus: ");
    write_digest(out, s->job->corpus);
  }
  for (int i = 0; i < s->n_inputs; i++) {
    gd_text_add(out, "  ");
    gd_text_json(out, s->inputs[i]->title);
    gd_text_add(out, ": ");
    write_digest(out, s->inputs[i]->digest);
  }
}

void gd_instance_parameters(const gd_instance *s, gd_text *out)
{
  const gd_section *section = s->stage->section;
  for (int i = 0; i < section->n_keys; i++) {
    if (section->keys[i].neutral || s->values[i].is_file)
      continue;
    gd_text_printf(out, "%s.%s=", section->kind, section->keys[i].name);
    gd_value_write(&section->keys[i], &s->values[i], out);
    gd_text_add(out, "\n");
  }
}

static void write_keys(const gd_section *section, const gd_value *values,
                       const unsigned char *given, const char *indent,
                       gd_text *out)
{
  for (int i = 0; i < section->n_keys; i++) {
    if ((given != NULL && !given[i]) || values[i].text == NULL)
      continue;
    gd_text_printf(out, "%s%s: ", indent, section->keys[i].name);
    gd_value_write(&section->keys[i], &values[i], out);
    gd_text_add(out, "\n");
  }
}

static void write_stage(const gd_manifest *m, const gd_declared *s,
                        gd_text *out)
{
  gd_text_printf(out, "  %s:\n    stage: %s\n", s->name, s->section->kind);
  for (int i = 0; i < s->n_from; i++)
    gd_text_printf(out, "%s%s", i == 0 ? "    from: [" : ", ",
                   s->from[i] < 0 ? "corpus" : m->stages[s->from[i]].name);
  gd_text_add(out, s->n_from > 0 ? "]\n" : "");
  write_keys(s->section, s->values, NULL, "    ", out);
}

static void write_axis(const gd_manifest *m, const gd_axis *axis, gd_text *out)
{
  const gd_section *section = m->stages[axis->stage].section;
  const char *indent = axis->zipped ? "      " : "    ";
  gd_text_add(out, axis->zipped ? "    zip:\n" : "");
  for (int k = 0; k < axis->n_keys; k++) {
    const gd_key *key = &section->keys[axis->keys[k]];
    gd_text_printf(out, "%s%s: [", indent, key->name);
    for (int i = 0; i < axis->n_values; i++) {
      gd_text_add(out, i == 0 ? "" : ", ");
      gd_value_write(
          key, &axis->values[(size_t)i * (size_t)section->n_keys + (size_t)k],
          out);
    }
    gd_text_add(out, "]\n");
  }
}

static void write_sweep(const gd_manifest *m, gd_text *out)
{
  int stage = -1;
  gd_text_add(out, m->n_axes > 0 ? "sweep:\n" : "");
  /* Axes of a stage stand together: a stage is there once under `sweep`. */
  for (int a = 0; a < m->n_axes; a++) {
    if (m->axes[a].stage != stage)
      gd_text_printf(out, "  %s:\n", m->stages[m->axes[a].stage].name);
    stage = m->axes[a].stage;
    write_axis(m, &m->axes[a], out);
  }
}

static void write_slurm(const gd_manifest *m, gd_text *out)
{
  int begun = 0;
  for (int i = m->n_stages; m->slurm != NULL && i >= 0; i--) {
    if (m->slurm[i] == NULL)
      continue;
    gd_text_printf(out, "%s  %s:", begun++ ? "" : "slurm:\n",
                   i == m->n_stages ? "defaults" : m->stages[i].name);
    const size_t length_bytes = out->length_bytes;
    gd_text_add(out, "\n");
    write_keys(gd_section_slurm(), m->slurm[i], m->slurm_given[i], "    ", out);
    if (out->length_bytes == length_bytes + 1)
      gd_text_add(out, "    {}\n");
  }
}

void gd_manifest_write(const gd_manifest *m, gd_text *out)
{
  gd_text_printf(out, "job: %s\nwork: ", m->name);
  gd_job_quote(out, m->work);
  gd_text_add(out, "\n");
  if (m->corpus != NULL) {
    gd_text_add(out, "corpus:\n");
    write_keys(gd_section_corpus(), m->corpus, NULL, "  ", out);
  }
  gd_text_add(out, "stages:\n");
  for (int i = 0; i < m->n_stages; i++)
    write_stage(m, &m->stages[i], out);
  write_sweep(m, out);
  write_slurm(m, out);
}
