# The build options of every target of ours, and the functions that add
# programs and tests.

# Nobody asks for the exceptions that arithmetic could raise, or for errno after
# a root: so what stands behind a comparison may be computed for both outcomes,
# as vector code.  No result changes.
add_library(gd_build_options INTERFACE)
target_compile_options(gd_build_options INTERFACE
  -fno-trapping-math -fno-math-errno
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wvla
  $<$<BOOL:${GRADUS_WERROR}>:-Werror>
  $<$<CONFIG:Release>:-O3>)
if(GRADUS_ARCH AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|aarch64")
  target_compile_options(gd_build_options INTERFACE -march=${GRADUS_ARCH})
endif()
if(GRADUS_SANITIZE)
  target_compile_options(gd_build_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer)
  target_link_options(gd_build_options INTERFACE -fsanitize=address,undefined)
endif()
if(GRADUS_FUZZ)
  target_compile_options(gd_build_options INTERFACE
    -fsanitize=fuzzer-no-link)
endif()

# gd_add_program(NAME SOURCE LIBRARY ...) : a program that a test's script or a
# benchmark starts, in tests/ of the build.
function(gd_add_program name source)
  add_executable(${name} ${source})
  target_link_libraries(${name}
    PRIVATE gradus::gradus gd_build_options ${ARGN})
  target_compile_definitions(${name} PRIVATE _POSIX_C_SOURCE=200809L)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
endfunction()

# gd_isolate_test(TEST) : whatever else runs, and whoever starts it.
#
# Open MPI removes its folder of a host and user when the last job there ends,
# and another that is just beginning fails (open-mpi/ompi#8510): each test has
# one of its own.
function(gd_isolate_test test)
  set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT
    "OMPI_MCA_orte_tmpdir_base=${PROJECT_BINARY_DIR}/tests/sessions/${test}")
  set_property(TEST ${test} PROPERTY ENVIRONMENT_MODIFICATION
    "GRADUS_GEMM=unset:;GRADUS_OVERLAP=unset:;GRADUS_BF16=unset:;\
GRADUS_HOSTS_WAIT=unset:;LIBXSMM_TARGET=unset:")
endfunction()

# gd_add_mpi_run(TEST PROGRAM NP ...) : one test that starts a program by MPI.
#
#   gd_add_mpi_run(mpi.queue.pt2pt test_mpi_queue 3 ENVIRONMENT OMPI_MCA_osc=pt2pt)
function(gd_add_mpi_run test program np)
  cmake_parse_arguments(arg "" "TIMEOUT" "ENVIRONMENT" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  # Whole call stacks, or Open MPI's own blocks cannot be told from ours.
  list(TRANSFORM GD_TEST_ENVIRONMENT REPLACE "detect_leaks=1"
    "detect_leaks=1:fast_unwind_on_malloc=0" OUTPUT_VARIABLE environment)
  add_test(NAME ${test} COMMAND ${MPIEXEC_EXECUTABLE}
    ${MPIEXEC_NUMPROC_FLAG} ${np} --oversubscribe $<TARGET_FILE:${program}>)
  set_tests_properties(${test} PROPERTIES
    LABELS mpi PROCESSORS 2 RESOURCE_LOCK mpi
    TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT} SKIP_RETURN_CODE 77
    ENVIRONMENT "${environment};${arg_ENVIRONMENT}")
  gd_isolate_test(${test})
endfunction()

# gd_add_test(NAME room/file ... ) : one CMocka program of the tests.
#
#   gd_add_test(range)                       tests/unit/test_range.c, unit.range
#   gd_add_test(agree MPI NP 1 2 3 4)        tests/mpi/test_agree.c, mpi.agree.npN
#   gd_add_test(conv TIMEOUT 600)            seconds until ctest gives up
#   gd_add_test(drawn_detector PLAIN)        not under the sanitizers, see below
#
# One that needs what is in GRADUS_SHARED skips without it (exit code 77).
# Under the sanitizers, of several numbers of ranks only the last.
# What may take long begins first, here and below: COST is the time limit.
function(gd_add_test name)
  cmake_parse_arguments(arg "MPI;PLAIN" "TIMEOUT" "NP" ${ARGN})
  if(arg_PLAIN AND GRADUS_SANITIZE)
    return()
  endif()
  set(folder unit)
  if(arg_MPI)
    set(folder mpi)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set(program test_${folder}_${name})
  add_executable(${program}
    ${PROJECT_SOURCE_DIR}/tests/${folder}/test_${name}.c)
  target_link_libraries(${program} PRIVATE
    gradus::gradus gd_build_options gd_test_support)
  set_target_properties(${program} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  if(arg_MPI)
    if(GRADUS_SANITIZE)
      list(GET arg_NP -1 arg_NP)
    endif()
    foreach(np IN LISTS arg_NP)
      gd_add_mpi_run(${folder}.${name}.np${np} ${program} ${np}
        TIMEOUT ${arg_TIMEOUT})
    endforeach()
  else()
    set(test ${folder}.${name})
    add_test(NAME ${test} COMMAND ${program})
    set_tests_properties(${test} PROPERTIES
      LABELS unit TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT}
      SKIP_RETURN_CODE 77
      ENVIRONMENT "${GD_TEST_ENVIRONMENT}")
    gd_isolate_test(${test})
  endif()
endfunction()

# What every test's process gets.  Leaks: Open MPI, OpenBLAS and Cairo keep
# memory until the end; suppressions name them.
set(GD_TEST_ENVIRONMENT
  "OMPI_ALLOW_RUN_AS_ROOT=1" "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
  "OMPI_MCA_mpi_yield_when_idle=1" "OMPI_MCA_rmaps_base_oversubscribe=1"
  "OMPI_MCA_btl_vader_single_copy_mechanism=none"
  "PMIX_MCA_gds=hash" # docs/cluster.md says why
  "OMP_NUM_THREADS=1"
  # 1 would be a refusal of the program's own.
  "UBSAN_OPTIONS=print_stacktrace=1:exitcode=99"
  "ASAN_OPTIONS=detect_leaks=1:exitcode=99"
  "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/leaks.supp:print_suppressions=0"
  "GRADUS_SOURCE=${PROJECT_SOURCE_DIR}" "GRADUS_BUILD=${PROJECT_BINARY_DIR}")
if(DEFINED ENV{GRADUS_SHARED})
  list(APPEND GD_TEST_ENVIRONMENT "GRADUS_SHARED=$ENV{GRADUS_SHARED}")
else()
  list(APPEND GD_TEST_ENVIRONMENT
    "GRADUS_SHARED=${PROJECT_SOURCE_DIR}/../shared")
endif()

# gd_add_script_test(lint rooms) : tests/lint/rooms.sh as the test lint.rooms.
#
# PLAIN: not under the sanitizers, which see its code elsewhere: lints, numbers
# compared with a reference's, and runs that are killed, spread over hosts, within
# Slurm, or only longer.
#
#   gd_add_script_test(stage demo TIMEOUT 600)   seconds until ctest gives up
#   gd_add_script_test(stage demo MPI)           starts ranks: takes two cores
#   gd_add_script_test(stage slurm WAITS)        starts ranks, but leaves two cores
#                                                idle for most of its time
#
# Of each kind one runs at a time.
#
# The script finds GRADUS_SOURCE, GRADUS_BUILD and GRADUS_SHARED in its
# environment; exit code 77 means skipped.
function(gd_add_script_test folder name)
  cmake_parse_arguments(arg "MPI;PLAIN;WAITS" "TIMEOUT" "" ${ARGN})
  if(arg_PLAIN AND GRADUS_SANITIZE)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set(test ${folder}.${name})
  add_test(NAME ${test} COMMAND
    ${PROJECT_SOURCE_DIR}/tests/${folder}/${name}.sh)
  set_tests_properties(${test} PROPERTIES
    LABELS ${folder} TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT}
    SKIP_RETURN_CODE 77
    ENVIRONMENT "${GD_TEST_ENVIRONMENT}")
  gd_isolate_test(${test})
  if(arg_MPI)
    set_tests_properties(${test} PROPERTIES RESOURCE_LOCK mpi PROCESSORS 2)
  elseif(arg_WAITS)
    set_tests_properties(${test} PROPERTIES RESOURCE_LOCK waits)
  endif()
endfunction()
