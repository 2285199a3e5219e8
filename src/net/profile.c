#include "gradus/profile.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* VGGFace2's mean is published as of blue, green, red. */
#define VGGFACE2(is_bgr_)                                                      \
  {                                                                            \
    .is_bgr = is_bgr_, .mean = {131.0912, 103.8827, 91.4953}, .deviation = {   \
      1,                                                                       \
      1,                                                                       \
      1                                                                        \
    }                                                                          \
  }

static const struct {
  const char *name;
  gd_resnet_config config; /* its profile alone */
} presets[] = {
    {"gradus",
     {.stride_on_3x3 = 1,
      .bn_epsilon = 1e-5,
      .pooling = GD_RESNET_POOL_PAD,
      .input = {.mean = {127.5, 127.5, 127.5}, .deviation = {128, 128, 128}}}},
    {"torchvision",
     {.stride_on_3x3 = 1,
      .bn_epsilon = 1e-5,
      .pooling = GD_RESNET_POOL_PAD,
      .input = {.mean = {123.675, 116.28, 103.53},
                .deviation = {58.395, 57.12, 57.375}}}},
    {"vggface2-bgr",
     {.bn_epsilon = 1e-5,
      .pooling = GD_RESNET_POOL_CEIL,
      .input = VGGFACE2(1)}},
    {"vggface2-rgb",
     {.bn_epsilon = 1e-5,
      .pooling = GD_RESNET_POOL_CEIL,
      .input = VGGFACE2(0)}},
    {"keras-vggface",
     {.bn_epsilon = 1e-3,
      .pooling = GD_RESNET_POOL_VALID,
      .conv1_same = 1,
      .input = VGGFACE2(1)}},
};
enum { N_PRESETS = sizeof presets / sizeof presets[0] };

/* Settings in the order of their text.  Those with words count them from 0. */
typedef enum {
  STRIDE,
  EPSILON,
  POOLING,
  CONV1,
  CHANNELS,
  MEAN,
  DEVIATION,
  N_SETTINGS
} setting;

static const struct {
  const char *name;
  const char *words[3];
} settings[N_SETTINGS] = {[STRIDE] = {"stride", {"1x1", "3x3"}},
                          [EPSILON] = {"epsilon", {NULL}},
                          [POOLING] = {"pooling", {"pad", "ceil", "valid"}},
                          [CONV1] = {"conv1", {"pad", "same"}},
                          [CHANNELS] = {"channels", {"RGB", "BGR"}},
                          [MEAN] = {"mean", {NULL}},
                          [DEVIATION] = {"deviation", {NULL}}};

static void copy_profile(const gd_resnet_config *from, gd_resnet_config *to)
{
  to->stride_on_3x3 = from->stride_on_3x3;
  to->bn_epsilon = from->bn_epsilon;
  to->pooling = from->pooling;
  to->conv1_same = from->conv1_same;
  to->input = from->input;
}

/* ---------------------------------------------------------------- writing */

/* The shortest text that reads as the same number. */
static int write_number(double value, char *out, size_t out_bytes)
{
  int n = 0;
  for (int digits = 6; digits <= 17; digits++) {
    n = snprintf(out, out_bytes, "%.*g", digits, value);
    if (strtod(out, NULL) == value)
      break;
  }
  return n;
}

static void write_numbers(const double *values, int n, char out[96])
{
  int at = 0;
  for (int i = 0; i < n; i++) {
    at += snprintf(out + at, 96 - (size_t)at, "%s", i == 0 ? "" : ",");
    at += write_number(values[i], out + at, 96 - (size_t)at);
  }
}

static void write_value(const gd_resnet_config *c, setting s, char out[96])
{
  int word = 0;
  switch (s) {
  case EPSILON:
    write_numbers(&c->bn_epsilon, 1, out);
    return;
  case MEAN:
    write_numbers(c->input.mean, 3, out);
    return;
  case DEVIATION:
    write_numbers(c->input.deviation, 3, out);
    return;
  case STRIDE:
    word = c->stride_on_3x3 != 0;
    break;
  case POOLING:
    word = (int)c->pooling;
    break;
  case CONV1:
    word = c->conv1_same != 0;
    break;
  default:
    word = c->input.is_bgr != 0;
  }
  snprintf(out, 96, "%s", settings[s].words[word]);
}

void gd_profile_write(const gd_resnet_config *config, char out[GD_PROFILE_TEXT])
{
  assert(config != NULL && out != NULL);
  int at = 0;
  for (int s = 0; s < N_SETTINGS; s++) {
    char value[96];
    write_value(config, (setting)s, value);
    at += snprintf(out + at, (size_t)(GD_PROFILE_TEXT - at), "%s%s=%s",
                   s == 0 ? "" : " ", settings[s].name, value);
    assert(at < GD_PROFILE_TEXT);
  }
}

int gd_profile_differs(const gd_resnet_config *found,
                       const gd_resnet_config *wanted,
                       char out[GD_PROFILE_TEXT])
{
  for (int s = 0; s < N_SETTINGS; s++) {
    char is[96], want[96];
    write_value(found, (setting)s, is);
    write_value(wanted, (setting)s, want);
    if (strcmp(is, want) == 0)
      continue;
    snprintf(out, GD_PROFILE_TEXT, "%s is %s, wanted %s", settings[s].name, is,
             want);
    return 1;
  }
  return 0;
}

const char *gd_profile_name(const gd_resnet_config *config)
{
  char unused[GD_PROFILE_TEXT];
  for (int i = 0; i < N_PRESETS; i++)
    if (!gd_profile_differs(config, &presets[i].config, unused))
      return presets[i].name;
  return NULL;
}

/* ---------------------------------------------------------------- reading */

static gd_status refuse(setting s, const char *value)
{
  const char *const *w = settings[s].words;
  if (w[0] == NULL)
    return gd_fail(GD_ERR_USAGE, "%s=%s: takes %s", settings[s].name, value,
                   s == EPSILON ? "a number between 0 and 1"
                   : s == MEAN  ? "three numbers, of red, green and blue"
                                : "three numbers above 0, of red, green and "
                                  "blue");
  return gd_fail(GD_ERR_USAGE, "%s=%s: takes %s%s%s%s%s", settings[s].name,
                 value, w[0], w[2] == NULL ? " or " : ", ", w[1],
                 w[2] == NULL ? "" : " or ", w[2] == NULL ? "" : w[2]);
}

static int read_numbers(const char *text, int n, double *out)
{
  for (int i = 0; i < n; i++) {
    char *end;
    out[i] = strtod(text, &end);
    if (end == text || !isfinite(out[i]) || *end != (i < n - 1 ? ',' : '\0'))
      return 0;
    text = end + 1;
  }
  return 1;
}

static gd_status read_value(setting s, const char *text, gd_resnet_config *c)
{
  double n[3];
  int word = 0;
  if (settings[s].words[0] != NULL) {
    while (word < 3 && (settings[s].words[word] == NULL ||
                        strcmp(settings[s].words[word], text) != 0))
      word++;
    if (word == 3)
      return refuse(s, text);
  } else if (!read_numbers(text, s == EPSILON ? 1 : 3, n) ||
             (s == EPSILON && !(n[0] > 0 && n[0] < 1)) ||
             (s == DEVIATION && !(n[0] > 0 && n[1] > 0 && n[2] > 0))) {
    return refuse(s, text);
  }
  switch (s) {
  case STRIDE:
    c->stride_on_3x3 = word;
    break;
  case EPSILON:
    c->bn_epsilon = n[0];
    break;
  case POOLING:
    c->pooling = (gd_resnet_pooling)word;
    break;
  case CONV1:
    c->conv1_same = word;
    break;
  case CHANNELS:
    c->input.is_bgr = word;
    break;
  case MEAN:
    memcpy(c->input.mean, n, sizeof n);
    break;
  default:
    memcpy(c->input.deviation, n, sizeof n);
  }
  return GD_OK;
}

/* Read "name=value", length bytes; *which is told. */
static gd_status read_setting(const char *text, size_t length,
                              gd_resnet_config *c, setting *which)
{
  char copy[128];
  if (length >= sizeof copy)
    return gd_fail(GD_ERR_USAGE, "setting %.40s... of a profile is too long",
                   text);
  snprintf(copy, sizeof copy, "%.*s", (int)length, text);
  char *value = strchr(copy, '=');
  if (value != NULL)
    *value++ = '\0';
  for (int s = 0; value != NULL && s < N_SETTINGS; s++)
    if (strcmp(settings[s].name, copy) == 0) {
      *which = (setting)s;
      return read_value(*which, value, c);
    }
  return gd_fail(GD_ERR_USAGE,
                 "'%s' is no setting of a profile; there are stride=, "
                 "epsilon=, pooling=, conv1=, channels=, mean= and deviation=",
                 copy);
}

gd_status gd_profile_set(const char *setting_text, gd_resnet_config *config)
{
  assert(setting_text != NULL && config != NULL);
  setting which;
  return read_setting(setting_text, strlen(setting_text), config, &which);
}

gd_status gd_profile_of(const char *text, gd_resnet_config *out)
{
  assert(text != NULL && out != NULL);
  for (int i = 0; i < N_PRESETS; i++)
    if (strcmp(presets[i].name, text) == 0) {
      copy_profile(&presets[i].config, out);
      return GD_OK;
    }
  if (strchr(text, '=') == NULL)
    return gd_fail(GD_ERR_USAGE,
                   "'%s' is no profile; there are gradus, torchvision, "
                   "vggface2-bgr, vggface2-rgb and keras-vggface",
                   text);
  gd_resnet_config c = {0};
  int seen[N_SETTINGS] = {0};
  for (const char *next = text; *next != '\0';) {
    const size_t length = strcspn(next, " ");
    setting which = STRIDE;
    gd_status st = read_setting(next, length, &c, &which);
    if (st != GD_OK)
      return st;
    if (seen[which]++)
      return gd_fail(GD_ERR_USAGE, "a profile says %s= twice",
                     settings[which].name);
    next += length + (next[length] == ' ');
  }
  for (int s = 0; s < N_SETTINGS; s++)
    if (!seen[s])
      return gd_fail(GD_ERR_USAGE,
                     "a profile does not say %s=", settings[s].name);
  copy_profile(&c, out);
  return GD_OK;
}
