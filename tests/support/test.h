/** What every test needs: CMocka, a scratch directory, the shared data. */
#ifndef GRADUS_TEST_H
#define GRADUS_TEST_H

#include <math.h>
#include <mpi.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* CMocka needs the four above first. */
#include <cmocka.h>

#include "gradus/file.h"
#include "gradus/status.h"

/** Assert that a call succeeds, and show its reason if not. */
#define assert_ok(call)                                                        \
  do {                                                                         \
    gd_status st_ = (call);                                                    \
    if (st_ != GD_OK)                                                          \
      fail_msg("%s: %s: %s", #call, gd_status_text(st_), gd_reason());         \
  } while (0)

/** CMocka's compares in float, and takes NaN for any number. */
#undef assert_float_equal
#define assert_float_equal(found, expected, epsilon)                           \
  do {                                                                         \
    const double found_ = (double)(found), expected_ = (double)(expected);     \
    if (!(found_ == expected_ ||                                               \
          fabs(found_ - expected_) <= (double)(epsilon)))                      \
      fail_msg("%s is %.17g, not %.17g", #found, found_, expected_);           \
  } while (0)

/** Assert that a failure has `code` and that the last reason has `part`. */
#define assert_failed(st, code, part)                                          \
  do {                                                                         \
    const gd_status st_ = (st);                                                \
    if (st_ != (code) || !gd_test_has(gd_reason(), part))                      \
      fail_msg("%s: got %s (%s), expected %s with \"%s\"", #st,                \
               gd_status_text(st_), gd_reason(), gd_status_text(code), part);  \
  } while (0)
/** Assert that a call fails with `code` and gives a reason that has `part`. */
#define assert_fails(call, code, part)                                         \
  do {                                                                         \
    (void)!gd_fail(GD_ERR_USAGE, "no reason was given");                       \
    assert_failed(call, code, part);                                           \
  } while (0)

int gd_test_has(const char *text, const char *part);
/** Let this process open no more files, or as many as before. */
void gd_test_forbid_files(int forbidden);

/**
 * Return a fresh empty directory of this process (rank); removed at the end of
 * the program.  Borrowed.
 */
const char *gd_test_directory(void);
/** Return `<gd_test_directory()>/<name>`; borrowed until the eighth next call.
 */
const char *gd_test_path(const char *name);
/**
 * Return the path of `name` in the shared data (GRADUS_SHARED), or NULL after
 * saying on stdout that the test skips.  Borrowed like gd_test_path().
 */
const char *gd_test_shared(const char *name);

/**
 * The program of a group of tests: gd_test_main() without MPI, under unit/;
 * gd_test_mpi_main() with MPI_Init and MPI_Finalize around it, where a failed
 * assertion ends the whole job instead of leaving the other ranks waiting.
 * Exit code: 0, 1 after a failure, 77 if a test was skipped.
 */
#define gd_test_main(tests)                                                    \
  int main(void)                                                               \
  {                                                                            \
    return gd_test_end(cmocka_run_group_tests(tests, NULL, NULL));             \
  }
#define gd_test_mpi_main(tests)                                                \
  int main(int argc, char **argv)                                              \
  {                                                                            \
    gd_test_begin_mpi(&argc, &argv);                                           \
    return gd_test_end(cmocka_run_group_tests(tests, NULL, NULL));             \
  }
void gd_test_begin_mpi(int *argc, char ***argv);
int gd_test_end(int failed);
/** Skip this test, and say what is missing. */
#define gd_test_skip(what)                                                     \
  do {                                                                         \
    gd_test_say_skip(what);                                                    \
    skip();                                                                    \
  } while (0)
void gd_test_say_skip(const char *what);

/** Assert on every rank that `cond` holds on every rank. */
#define gd_assert_all(comm, cond)                                              \
  do {                                                                         \
    int all_ = (cond) ? 1 : 0;                                                 \
    MPI_Allreduce(MPI_IN_PLACE, &all_, 1, MPI_INT, MPI_MIN, comm);             \
    if (!all_)                                                                 \
      fail_msg("does not hold on every rank: %s", #cond);                      \
  } while (0)

#endif
