#include "palette.h"

#include <stddef.h>
#include <stdio.h>

/*
 * Colours of series: Okabe and Ito's palette ("Color Universal Design", 2008),
 * which people with any colour vision tell apart; its yellow is darkened on
 * white, and all are lightened on black, to stay legible.
 */
static const struct {
  const char *name;
  uint32_t light, dark;
} tints[GD_N_TINTS] = {
    [GD_TINT_PAGE] = {"page", 0xffffff, 0x14181d},
    [GD_TINT_INK] = {"ink", 0x1b1f24, 0xe6e9ed},
    [GD_TINT_MUTED] = {"muted", 0x59636e, 0x9aa5b1},
    [GD_TINT_RULE] = {"rule", 0xd8dee4, 0x333b45},
    [GD_TINT_SOFT] = {"soft", 0xf5f7f9, 0x1c2229},
    [GD_TINT_ACCENT] = {"accent", 0x0a5a9c, 0x6cb6f0},
    [GD_TINT_WARN] = {"warn", 0x8a3b00, 0xffb77a},
    [GD_TINT_WARN_SOFT] = {"warn-soft", 0xfff3e8, 0x33240f},
    [GD_TINT_GREY] = {"grey", 0x767f8a, 0x8d97a3},
    [GD_TINT_PALE] = {"pale", 0xb9c0c8, 0x566170},
    [GD_TINT_S0] = {"s0", 0x0072b2, 0x4aa8e0},
    [GD_TINT_S0 + 1] = {"s1", 0xd55e00, 0xff8a3d},
    [GD_TINT_S0 + 2] = {"s2", 0x009e73, 0x2fc79b},
    [GD_TINT_S0 + 3] = {"s3", 0xb0589a, 0xe08fc4},
    [GD_TINT_S0 + 4] = {"s4", 0xc98a00, 0xf0b93a},
    [GD_TINT_S0 + 5] = {"s5", 0x3a9bd6, 0x95d4f7},
    [GD_TINT_S0 + 6] = {"s6", 0x7a5c2e, 0xc9a672},
    [GD_TINT_S0 + 7] = {"s7", 0x333a42, 0xd5dae0},
};

uint32_t gd_palette_light(gd_tint tint)
{
  return tints[tint].light;
}

void gd_palette_variables(gd_text *out, int dark)
{
  for (int i = 0; i < GD_N_TINTS; i++)
    gd_text_printf(out, "--%s:#%06x;", tints[i].name,
                   dark ? tints[i].dark : tints[i].light);
}

/* Add "SELECTOR{PROPERTY:COLOUR;REST}". */
static void add_rule(gd_text *out, int fixed, const char *selector,
                     const char *property, gd_tint tint, const char *rest)
{
  if (fixed)
    gd_text_printf(out, "%s{%s:#%06x%s}", selector, property, tints[tint].light,
                   rest);
  else
    gd_text_printf(out, "%s{%s:var(--%s)%s}", selector, property,
                   tints[tint].name, rest);
}

void gd_palette_chart_style(gd_text *out, int fixed)
{
  static const struct {
    const char *selector, *property;
    gd_tint tint;
    const char *rest;
  } rules[] = {
      {".chart text", "fill", GD_TINT_MUTED, ";font-size:11px"},
      {".chart .label", "fill", GD_TINT_INK, ""},
      {".grid", "stroke", GD_TINT_RULE, ";stroke-width:1"},
      {".axis", "stroke", GD_TINT_MUTED, ";stroke-width:1"},
      {".identity", "stroke", GD_TINT_MUTED,
       ";stroke-width:1;stroke-dasharray:5 4"},
      {".point", "stroke", GD_TINT_PAGE, ";stroke-width:.6"},
      {".heat", "fill", GD_TINT_S0, ";stroke:none"},
      {".curve.grey", "stroke", GD_TINT_GREY, ";stroke-dasharray:4 3"},
      {".curve.pale", "stroke", GD_TINT_PALE, ""},
      {".point.grey,.bar.grey", "fill", GD_TINT_GREY, ""},
      {".point.pale,.bar.pale", "fill", GD_TINT_PALE, ""},
  };
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    add_rule(out, fixed, rules[i].selector, rules[i].property, rules[i].tint,
             rules[i].rest);
  for (int i = 0; i < 8; i++) {
    const gd_tint tint = (gd_tint)(GD_TINT_S0 + i);
    char selector[64];
    snprintf(selector, sizeof selector, ".curve.s%d,.whisker.s%d", i, i);
    add_rule(out, fixed, selector, "stroke", tint, "");
    snprintf(selector, sizeof selector, ".point.s%d,.bar.s%d", i, i);
    add_rule(out, fixed, selector, "fill", tint, "");
  }
  gd_text_add(out, ".curve,.whisker{fill:none;stroke-width:1.8;"
                   "stroke-linejoin:round}.whisker{stroke-width:1.2}"
                   ".d1{stroke-dasharray:7 3}.d2{stroke-dasharray:2 3}"
                   ".d3{stroke-dasharray:9 3 2 3}"
                   ".point.d1,.point.d2,.point.d3,.whisker{"
                   "stroke-dasharray:none}");
}
