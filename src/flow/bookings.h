/**
 * Bookings: which instances of a job go into Slurm's queue, together in which
 * scripts, and what each script waits for.
 *
 * The members of a stage that wait for the same make a group: one script, one
 * array.  What is done, or queued and worth waiting for, is left alone.
 */
#ifndef GRADUS_FLOW_BOOKINGS_H
#define GRADUS_FLOW_BOOKINGS_H

#include "gradus/job.h"
#include "gradus/ledger.h"
#include "gradus/site.h"
#include "gradus/status.h"
#include "gradus/text.h"

typedef enum {
  GD_BOOKED_DONE,
  GD_BOOKED_OVER, /* done, but too much was skipped to build on */
  GD_BOOKED_HELD, /* takes from such a one, or from what that holds */
  GD_BOOKED_KEPT, /* queued or running, and stays there */
  GD_BOOKED_NEW
} gd_booked;

/* An instance on its way into the queue. */
typedef struct {
  gd_booked standing;
  int task;         /* in its array, -1: none */
  int group;        /* new: of its script */
  gd_errand errand; /* its jobs before */
  int n_consumers;  /* new ones of the stage in hand that take from it */
} gd_booking;

typedef struct gd_booking_dependency gd_booking_dependency;

/* One script. */
typedef struct {
  char name[160];
  int chunk; /* arrays larger than the site likes are cut */
  int n;
  int *members; /* instances */
  int n_dependencies;
  gd_booking_dependency *dependencies;
  gd_text id; /* of its job, the last one of a chain: the submitter's to set */
} gd_booking_group;

typedef struct {
  const gd_job *job;
  const gd_site *site;
  const gd_ledger *ledger;
  gd_booking *bookings; /* per instance */
  int n_groups;
  gd_booking_group *groups; /* those that others wait for come first */
  int *n_inputs_of;         /* per group, scratch */
  int over; /* the first instance that skipped too much, or -1 */
} gd_bookings;

/**
 * Book every instance of a job.
 * @param[in] work    its work directory; with the ledger's length, part of the
 *                    scripts' names, so that none is used twice
 * @param[in] ledger  kept until gd_bookings_free(), as job and site are
 * Ends with: gd_bookings_free(), also after a failure
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (a `done` of something else), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_bookings_make(const gd_job *job, const gd_site *site,
                                        const char *work,
                                        const gd_ledger *ledger,
                                        gd_bookings *out);
void gd_bookings_free(gd_bookings *b);

/**
 * Compose what a group waits for: "afterok:12:13_4,aftercorr:14".
 * @param[in] with_names  "<name>" of a new group instead of its job's number
 */
void gd_bookings_after(const gd_bookings *b, const gd_booking_group *g,
                       int with_names, gd_text *out);

/**
 * When all others are submitted: say what stopped the rest.
 * Errors: GD_ERR_USAGE (a stage skipped too much), those of reading its `done`
 */
GD_NODISCARD gd_status gd_bookings_tell_over(const gd_bookings *b);

#endif
