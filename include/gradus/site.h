/**
 * A site: what a cluster wants that no manifest should have to know.
 *
 * Modules, launcher, container, queue and account stand in one YAML file, read
 * with the manifest's parser and checked against its table of keys:
 *
 *     launcher: srun
 *     modules: gcc openmpi hdf5-parallel
 *     slurm: {partition: cpu, account: ab123, time: "04:00:00"}
 *
 * A resource is what the manifest says for the stage, else for all stages
 * (`slurm.defaults`), else the site's `slurm`, else the table's default.
 */
#ifndef GRADUS_SITE_H
#define GRADUS_SITE_H

#include <stdint.h>

#include "gradus/job.h"

typedef struct gd_site gd_site;

/**
 * Load a site file.
 * @param[in]  path  NULL: $GRADUS_SITE if it is set, else the first that exists
 *                   of $XDG_CONFIG_HOME/gradus/site.yaml (or
 *                   ~/.config/gradus/site.yaml) and /etc/gradus/site.yaml, else
 *                   none: all keys have their defaults
 * @param[out] out   ends with gd_site_free(); NULL on failure
 * Errors: GD_ERR_USAGE (no such file; place, line and caret), GD_ERR_IO,
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_site_load(const char *path, gd_site **out);
void gd_site_free(gd_site *site); /**< NULL is allowed */

/** Return a key of the site, as it is written; borrowed. */
const char *gd_site_text(const gd_site *site, const char *key);
int64_t gd_site_int(const gd_site *site, const char *key);
/** Return a key of the section `slurm` for an instance, as it is written. */
const char *gd_site_resource(const gd_site *site, const gd_instance *s,
                             const char *key);

#endif
