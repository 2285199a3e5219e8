#include "gradus/calibration.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/record.h"
#include "gradus/text.h"

gd_status gd_calibration_write(const char *path, const gd_calibration *c)
{
  assert(path != NULL && c != NULL);

  gd_text t = {0};
  gd_text_add(&t, "# What `gradus predict --calibration` takes.\n");
  gd_text_printf(&t,
                 "model: \"%s\"\naverage: %s\ninterval: %.17g\n"
                 "half_width: %.17g\nn_calibration: %" PRId64 "\n",
                 c->model, gd_average_name(c->average), c->interval,
                 c->half_width, c->n_calibration);
  gd_status st = gd_text_status(&t);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&t), t.length_bytes);
  gd_text_free(&t);
  return st;
}

static gd_status read_text(const gd_record *r, const char *path,
                           const char *key, const char **out)
{
  *out = gd_record_get(r, key);
  if (*out == NULL)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: no '%s': this is no calibration.yaml of `evaluate`",
                   path, key);
  return GD_OK;
}

/* Read a number from 0 to `most`; NaN is in no range. */
static gd_status read_number(const gd_record *r, const char *path,
                             const char *key, double most, double *out)
{
  const char *text;
  char *end;
  gd_status st = read_text(r, path, key, &text);
  if (st != GD_OK)
    return st;
  *out = strtod(text, &end);
  if (end == text || *end != '\0' || !(*out >= 0 && *out <= most))
    return gd_fail(GD_ERR_FORMAT, "%s: '%s' is '%.40s'", path, key, text);
  return GD_OK;
}

static gd_status read_model(const gd_record *r, const char *path,
                            gd_calibration *out)
{
  const char *text;
  gd_status st = read_text(r, path, "model", &text);
  if (st != GD_OK)
    return st;
  if (strlen(text) != GD_DIGEST_HEX - 1 ||
      strspn(text, "0123456789abcdef") != GD_DIGEST_HEX - 1)
    return gd_fail(GD_ERR_FORMAT, "%s: 'model' is '%.40s', no digest", path,
                   text);
  snprintf(out->model, sizeof out->model, "%s", text);
  return GD_OK;
}

static gd_status read_keys(const gd_record *r, const char *path,
                           gd_calibration *out)
{
  const char *average;
  double n = 0;
  gd_status st = read_model(r, path, out);
  if (st == GD_OK)
    st = read_text(r, path, "average", &average);
  if (st == GD_OK && gd_average_of(average, &out->average) != GD_OK)
    st = gd_fail(GD_ERR_FORMAT, "%s: %s", path, gd_reason());
  if (st == GD_OK)
    st = read_number(r, path, "interval", 0.999, &out->interval);
  if (st == GD_OK)
    st = read_number(r, path, "half_width", INFINITY, &out->half_width);
  if (st == GD_OK)
    st = read_number(r, path, "n_calibration", 1e9, &n);
  out->n_calibration = (int64_t)n;
  return st;
}

gd_status gd_calibration_read(const char *path, gd_calibration *out)
{
  assert(path != NULL && out != NULL);

  gd_record *r;
  *out = (gd_calibration){0};
  gd_status st = gd_record_read(path, &r);
  if (st != GD_OK)
    return st;
  st = read_keys(r, path, out);
  gd_record_free(r);
  return st;
}
