#include "gradus/site.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "instance.h"

enum { SITE_BYTES_MAX = 1 << 20 };

struct gd_site {
  gd_arena *arena;
  char path[GD_PATH_MAX];
  gd_value *values;
  gd_value *slurm; /* the block `slurm` */
  unsigned char *slurm_given;
};

/* ----------------------------------------------------------------- finding */

static gd_status join_below(const char *folder, const char *name,
                            char out[GD_PATH_MAX], int *found)
{
  out[0] = '\0';
  *found = 0;
  if (folder == NULL || folder[0] == '\0')
    return GD_OK;
  gd_status st = gd_path_join(folder, name, out);
  *found = st == GD_OK && gd_path_exists(out);
  return st;
}

/* Leaves the path empty where there is no site file. */
static gd_status find_file(char out[GD_PATH_MAX])
{
  const char *named = getenv("GRADUS_SITE");
  const char *config = getenv("XDG_CONFIG_HOME");
  int found = 0;
  if (named != NULL && named[0] != '\0')
    return gd_path_join("", named, out);
  gd_status st;
  if (config != NULL && config[0] != '\0')
    st = join_below(config, "gradus/site.yaml", out, &found);
  else
    st = join_below(getenv("HOME"), ".config/gradus/site.yaml", out, &found);
  if (st == GD_OK && !found)
    st = join_below("/etc", "gradus/site.yaml", out, &found);
  if (!found)
    out[0] = '\0';
  return st;
}

/* ----------------------------------------------------------------- reading */

static gd_status parse(gd_site *site, gd_node **root)
{
  gd_source *source = gd_arena_get(site->arena, 1, sizeof *source);
  char *text = NULL, *own = NULL;
  size_t size = 0;
  gd_status st = gd_file_read(site->path, SITE_BYTES_MAX, &text, &size);
  st = gd_file_judge(st, site->path);
  if (st == GD_ERR_FORMAT && !gd_path_exists(site->path))
    return gd_fail(GD_ERR_USAGE, "%s: no such site file", site->path);
  if (st != GD_OK)
    return st == GD_ERR_FORMAT ? GD_ERR_USAGE : st;
  own = gd_arena_copy(site->arena, text, size);
  free(text);
  if (source == NULL || own == NULL)
    return GD_ERR_NOMEM;
  if (strlen(own) != size)
    return gd_fail(GD_ERR_USAGE, "%s: no site file: it has zero bytes",
                   site->path);
  *source = (gd_source){.name = site->path, .text = own, .is_file = 1};
  return gd_node_parse(site->arena, source, root);
}

static gd_status fill(gd_site *site)
{
  static const gd_source nowhere = {.name = "", .text = ""};
  gd_node none = {.kind = GD_NODE_MAP, .source = &nowhere};
  gd_node *root = &none, *slurm;
  gd_status st = site->path[0] == '\0' ? GD_OK : parse(site, &root);
  if (st == GD_OK && root->kind != GD_NODE_MAP)
    st = gd_node_fail(root, NULL, "a site file takes a map, not %s",
                      gd_node_kind_text(root));
  if (st != GD_OK)
    return st;
  slurm = gd_node_get(root, "slurm");
  if (slurm != NULL && slurm->kind != GD_NODE_MAP)
    return gd_node_fail(slurm, NULL, "'slurm' takes a map, not %s",
                        gd_node_kind_text(slurm));
  st = gd_manifest_section(site->arena, gd_section_site(), root, root, "slurm",
                           &site->values, NULL);
  if (st == GD_OK)
    st = gd_manifest_section(site->arena, gd_section_slurm(),
                             slurm == NULL ? &none : slurm, root, NULL,
                             &site->slurm, &site->slurm_given);
  return st;
}

gd_status gd_site_load(const char *path, gd_site **out)
{
  assert(out != NULL);
  *out = NULL;
  gd_arena *arena;
  gd_status st = gd_arena_new(&arena);
  if (st != GD_OK)
    return st;
  gd_site *site = gd_arena_get(arena, 1, sizeof *site);
  st = site == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK) {
    site->arena = arena;
    st = path == NULL ? find_file(site->path)
                      : gd_path_join("", path, site->path);
  }
  if (st == GD_OK)
    st = fill(site);
  if (st == GD_OK)
    *out = site;
  else
    gd_arena_free(arena);
  return st;
}

void gd_site_free(gd_site *site)
{
  if (site != NULL)
    gd_arena_free(site->arena);
}

/* --------------------------------------------------------------- accessors */

static const gd_value *value_of(const gd_site *site, const char *key)
{
  const int i = gd_section_find(gd_section_site(), key);
  assert(i >= 0 && "a site has no such key");
  return &site->values[i];
}

const char *gd_site_text(const gd_site *site, const char *key)
{
  return value_of(site, key)->text;
}

int64_t gd_site_int(const gd_site *site, const char *key)
{
  return value_of(site, key)->integer;
}

const char *gd_site_resource(const gd_site *site, const gd_instance *s,
                             const char *key)
{
  const gd_manifest *m = &s->job->manifest;
  const int i = gd_section_find(gd_section_slurm(), key);
  const int places[] = {(int)(s->stage - m->stages), m->n_stages};
  assert(i >= 0 && "the section slurm has no such key");
  for (int p = 0; p < 2 && m->slurm != NULL; p++)
    if (m->slurm[places[p]] != NULL && m->slurm_given[places[p]][i])
      return m->slurm[places[p]][i].text;
  return site->slurm[i].text;
}
