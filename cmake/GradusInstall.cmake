# Install the program, the library with its headers, and what find_package and
# pkg-config need to use it.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/gradus)

install(TARGETS gradus gd_outside_libraries EXPORT gradusTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT gradusTargets NAMESPACE gradus:: DESTINATION ${package_dir})
install(DIRECTORY include/gradus DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY jobs slurm DESTINATION ${CMAKE_INSTALL_DATADIR}/gradus)
if(TARGET gradus_program)
  install(TARGETS gradus_program DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(cmake/gradusConfig.cmake.in
  ${PROJECT_BINARY_DIR}/gradusConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/gradusConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/gradusConfig.cmake
  ${PROJECT_BINARY_DIR}/gradusConfigVersion.cmake
  cmake/GradusFind.cmake
  DESTINATION ${package_dir})

set(GRADUS_PC_LIBXSMM "")
if(GRADUS_HAVE_LIBXSMM)
  set(GRADUS_PC_LIBXSMM "-lxsmm")
endif()
list(JOIN MPI_C_LIBRARIES " " GRADUS_PC_MPI)
list(JOIN HDF5_C_LIBRARIES " " GRADUS_PC_HDF5)
list(TRANSFORM MPI_C_INCLUDE_DIRS PREPEND "-I" OUTPUT_VARIABLE mpi_includes)
list(JOIN mpi_includes " " GRADUS_PC_MPI_INCLUDES)
configure_file(cmake/gradus.pc.in ${PROJECT_BINARY_DIR}/gradus.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gradus.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
