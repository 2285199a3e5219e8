/* Events: scalars by step, as records of TensorBoard's event files.
 *
 *   record   length uint64, masked CRC32C of it uint32, data, masked CRC32C of
 *            the data uint32; all little-endian
 *   data     an Event of events.proto; the first of a file has the version only
 *   masked   (crc >> 15 | crc << 17) + 0xa282ead8
 *
 * Source: TensorFlow, tensorflow/core/lib/io/record_writer.h and
 * core/util/event.proto; CRC32C: Castagnoli's polynomial, RFC 3720, B.4. */
#ifndef GRADUS_TRAIN_EVENTS_H
#define GRADUS_TRAIN_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/text.h"

typedef struct {
  const char *tag;
  double value; /* not finite: left out */
} gd_scalar;

enum { GD_EVENTS_MOST_SCALARS = 16 };

/* Add the record that a file begins with. */
void gd_events_begin(double wall_s, gd_text *out);
/* Add a record of n scalars at a step. */
void gd_events_add(double wall_s, int64_t step, int n, const gd_scalar *scalars,
                   gd_text *out);
/* Look at the record at the beginning of n bytes.
 * step: of its scalars; -1: it has none
 * tag:  of the first scalar, or "" */
/* Return its length in bytes; 0: there is no whole and sound record. */
size_t gd_events_look(const char *bytes, size_t n_bytes, int64_t *step,
                      char tag[64]);

#endif
