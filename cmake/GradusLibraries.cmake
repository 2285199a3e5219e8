# Every outside library, in one INTERFACE target that only the library sees.
# architecture: each is included by one source file.

set(HDF5_PREFER_PARALLEL ON)
find_package(MPI REQUIRED COMPONENTS C)
find_package(HDF5 REQUIRED COMPONENTS C)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "gradus needs HDF5 built for MPI "
    "(Debian: libhdf5-openmpi-dev, Spack: hdf5 +mpi)")
endif()
find_package(OpenMP REQUIRED COMPONENTS C)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET
  libavformat libavcodec libavutil libswscale)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

add_library(gd_outside_libraries INTERFACE)
target_link_libraries(gd_outside_libraries INTERFACE
  MPI::MPI_C HDF5::HDF5 OpenMP::OpenMP_C PNG::PNG JPEG::JPEG
  PkgConfig::OPENBLAS PkgConfig::FFMPEG PkgConfig::FYAML PkgConfig::CAIRO
  PkgConfig::XXHASH m)

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
    ${LIBXSMM_LIBRARY} ${CMAKE_DL_LIBS})
  target_compile_definitions(gd_outside_libraries INTERFACE
    GRADUS_HAVE_LIBXSMM)
else()
  set(GRADUS_HAVE_LIBXSMM OFF)
  message(STATUS "LIBXSMM not used: the portable OpenBLAS backend is built")
endif()
