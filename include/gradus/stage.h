/**
 * A stage: one kind of work between the corpus and the report, and what it is
 * given while it runs.
 *
 * The command line owns MPI, the manifest, run directories, progress, reports,
 * `done` and the exit code.  A stage has one function, run on every rank:
 *
 *     static gd_status run(gd_stage_env *env) { ... }
 *     const gd_stage gd_stage_align = {.kind = "align", .run = run, ...};
 *
 * Most stages are lists of independent work units, each of which makes one
 * file named after the work.  gd_stage_units() deals them to the ranks, skips
 * those whose file is there, and agrees at the end: kill any rank, run again,
 * and only what is missing is done.
 */
#ifndef GRADUS_STAGE_H
#define GRADUS_STAGE_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/file.h"
#include "gradus/job.h"
#include "gradus/status.h"

typedef struct gd_stage_state gd_stage_state;

typedef struct {
  MPI_Comm comm;  /**< the stage's own communicator */
  int rank, size; /**< in comm */
  int threads;    /**< OpenMP threads this rank may use */
  const gd_job *job;
  const gd_instance *self;
  const char *directory; /**< its run directory: exists */
  gd_stage_state *state; /**< progress, counts and skipped items: flow's own */
} gd_stage_env;

typedef struct {
  const char *kind;
  /**
   * Do the stage's work, resuming what an earlier run left.
   * Collective: yes. Every rank returns; all agree on success.
   */
  gd_status (*run)(gd_stage_env *env);
} gd_stage;

/** Write the path of `name` in the run directory into out. */
GD_NODISCARD gd_status gd_stage_path(const gd_stage_env *env, const char *name,
                                     char out[GD_PATH_MAX]);

/**
 * Announce how much all ranks together will tick.  Called by all ranks; rank
 * 0's number is used.  Stages made of units need not: gd_stage_units() counts
 * units.
 * @param[in] what  is counted: "images"; copied
 */
void gd_stage_expect(gd_stage_env *env, int64_t n, const char *what);
/**
 * Report `n` more done by this rank (0: only look around).  Progress is shown
 * by time, not by number: call it as often as is handy, at least once a second
 * where possible, since it also serves other ranks' requests for work.  Within
 * a unit of gd_stage_units(), n is 0.
 * Collective: no; never waits for another rank.  Ranks that must go on or end
 *             at the same step agree on what they got.
 * Errors: GD_ERR_STOPPED (a signal asks to stop: finish the step, return),
 *         GD_ERR_PEER (another rank has failed)
 */
GD_NODISCARD gd_status gd_stage_tick(gd_stage_env *env, int64_t n);
/** Say what holds the stage up, behind the progress line; "": nothing. */
void gd_stage_note(gd_stage_env *env, const char *text);
/**
 * Say how many input items ("videos") the stage has: what a `max_skipped` in
 * percent is a part of, and what report.yaml names.  Rank 0's counts.
 */
void gd_stage_items(gd_stage_env *env, int64_t n_items);
/**
 * Say, within the making of a unit, on which input item work begins now: should
 * it bring this rank down, the next runs know, and after the second time this
 * call refuses it (see gradus/attempts.h).
 * Collective: no
 * Errors: GD_ERR_DECODE (refused: skip it, the reason is set), GD_ERR_IO
 */
GD_NODISCARD gd_status gd_stage_attempt(gd_stage_env *env, const char *item);
/**
 * Say that this rank has survived the unit's items: what may still bring it
 * down, such as a disk that is waited for, is not their fault.
 * Errors: GD_ERR_IO
 */
GD_NODISCARD gd_status gd_stage_survived(gd_stage_env *env);
/** Add to a named count of report.yaml ("frames", "detected"); summed over
 * ranks.  `name` is static. */
void gd_stage_count(gd_stage_env *env, const char *name, int64_t n);
/** Skip an input item that no store notes as skipped. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_stage_skip(gd_stage_env *env, const char *item,
                                     const char *reason);

/** A list of independent pieces of work, the same on every rank. */
typedef struct {
  int64_t n_units;
  const double *cost; /**< per unit, any scale: longest first; NULL: equal */
  /** Write the unit's file name, relative to the run directory. */
  void (*name)(const void *context, int64_t unit, char out[GD_PATH_MAX]);
  /**
   * Make the unit's file at `path`, complete when this returns GD_OK.
   * An item within it that is broken is noted in the file, not returned.  Items
   * that may bring a rank down are announced by gd_stage_attempt().
   * Other files it makes come first and share its name up to the extension: if
   * one is damaged later, all of them are removed and made anew.
   */
  gd_status (*make)(void *context, gd_stage_env *env, int64_t unit,
                    const char *path);
  /** Count what a finished unit holds into report.yaml; NULL: nothing.  Called
   * for every unit on rank 0 at the end, in order, whoever made it and when. */
  gd_status (*count)(void *context, gd_stage_env *env, int64_t unit,
                     const char *path);
  void *context;
} gd_units;

/**
 * Do every unit whose file is not there yet.  A stage may have several lists,
 * one after the other: report.yaml has the units of all.
 * Units are taken from a shared queue, longest first; those on which a rank
 * came down earlier are made before all others, one after the other.  What the
 * units' stores note as skipped goes into report.yaml.
 * Collective: yes, same units on all ranks
 * Ranks:      one without work waits, and serves the others
 * Errors:     the first failure of this rank; GD_ERR_PEER, GD_ERR_STOPPED;
 *             no rank returns GD_OK when another does not
 */
GD_NODISCARD gd_status gd_stage_units(gd_stage_env *env, const gd_units *units);

#endif
