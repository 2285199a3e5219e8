/** What this program is made of. */
#ifndef GRADUS_VERSION_H
#define GRADUS_VERSION_H

/** Return "0.1.0"; static. */
const char *gd_version(void);
/** Return the outside libraries it was built with and their versions,
 * "HDF5 1.10.8, libavcodec 59.37.100, ..."; static. */
const char *gd_version_libraries(void);
/** Return compiler and instruction set: results are equal for equal ones. */
const char *gd_version_build(void);

#endif
