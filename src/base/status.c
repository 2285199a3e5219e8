#include "gradus/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char reason[2048];

gd_status gd_fail(gd_status code, const char *format, ...)
{
  assert(code != GD_OK && format != NULL);

  /* The old reason may be an argument of the new one: format beside it. */
  char text[sizeof reason];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  snprintf(reason, sizeof reason, "%s", text);
  return code;
}

const char *gd_reason(void)
{
  return reason;
}

const char *gd_status_text(gd_status code)
{
#define GD_AS_CASE(name, text)                                                 \
  case name:                                                                   \
    return text;
  switch (code) {
    GD_STATUS_LIST(GD_AS_CASE)
  }
#undef GD_AS_CASE
  return "unknown status";
}

int gd_status_is_item(gd_status code)
{
  return code == GD_ERR_DECODE || code == GD_ERR_FORMAT;
}
