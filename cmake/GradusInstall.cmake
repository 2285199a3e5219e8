# Install the library, headers, program, and what find_package and pkg-config
# need.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS gradus EXPORT gradusTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/gradus DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
