/** The colours of pages and charts, light and dark. */
#ifndef GRADUS_PLOT_PALETTE_H
#define GRADUS_PLOT_PALETTE_H

#include <stdint.h>

#include "gradus/text.h"

typedef enum {
  GD_TINT_PAGE,
  GD_TINT_INK,
  GD_TINT_MUTED,
  GD_TINT_RULE,
  GD_TINT_SOFT,
  GD_TINT_ACCENT,
  GD_TINT_WARN,
  GD_TINT_WARN_SOFT,
  GD_TINT_GREY,
  GD_TINT_PALE,
  GD_TINT_S0, /* of the first series; seven more follow */
  GD_N_TINTS = GD_TINT_S0 + 8
} gd_tint;

/** Return a tint on white paper, 0xRRGGBB. */
uint32_t gd_palette_light(gd_tint tint);
/** Add the style sheet's variables, "--page:#ffffff;" and so on. */
void gd_palette_variables(gd_text *out, int dark);
/**
 * Add the style of charts, of the classes that gradus/chart.h names.
 * @param[in] fixed  with the light colours themselves, for an SVG file, whose
 *                   readers may know no variables
 */
void gd_palette_chart_style(gd_text *out, int fixed);

#endif
