# Every outside library, in one INTERFACE target that only the library sees.
# architecture: each is included by one source file.

include(GradusFind)

add_library(gd_outside_libraries INTERFACE)
target_link_libraries(gd_outside_libraries INTERFACE
  MPI::MPI_C HDF5::HDF5 OpenMP::OpenMP_C PNG::PNG JPEG::JPEG
  PkgConfig::OPENBLAS PkgConfig::FFMPEG PkgConfig::FYAML PkgConfig::CAIRO
  PkgConfig::XXHASH PkgConfig::ZIP PkgConfig::PROTOBUF_C Threads::Threads m)

if(GRADUS_LIBXSMM AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # Debian's pkg-config file lacks the include path: look for the files.
  find_path(LIBXSMM_INCLUDE libxsmm.h PATH_SUFFIXES libxsmm)
  find_library(LIBXSMM_LIBRARY xsmm)
endif()
if(LIBXSMM_INCLUDE AND LIBXSMM_LIBRARY)
  set(GRADUS_HAVE_LIBXSMM ON)
  target_include_directories(gd_outside_libraries SYSTEM INTERFACE
    ${LIBXSMM_INCLUDE})
  target_link_libraries(gd_outside_libraries INTERFACE
    ${LIBXSMM_LIBRARY} ${CMAKE_DL_LIBS} m)
  target_compile_definitions(gd_outside_libraries INTERFACE
    GRADUS_HAVE_LIBXSMM)
else()
  set(GRADUS_HAVE_LIBXSMM OFF)
  message(STATUS "LIBXSMM not used: the portable OpenBLAS backend is built")
endif()
