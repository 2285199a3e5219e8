#include "gradus/version.h"

/* The definitions come from CMake: src/base/CMakeLists.txt. */

const char *gd_version(void)
{
  return GRADUS_VERSION;
}

const char *gd_version_libraries(void)
{
  return GRADUS_LIBRARIES;
}

const char *gd_version_build(void)
{
  return GRADUS_BUILD;
}
