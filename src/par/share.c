#include "gradus/share.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "gradus/agree.h"
#include "gradus/memory.h"

/* A message has an int of bytes. */
enum { PIECE_BYTES = 1 << 28 };

gd_status gd_share_text(MPI_Comm comm, gd_text *text)
{
  assert(text != NULL);

  int rank;
  MPI_Comm_rank(comm, &rank);
  int64_t size_bytes = (int64_t)text->length_bytes;
  MPI_Bcast(&size_bytes, 1, MPI_INT64_T, 0, comm);
  char *copy = NULL;
  if (rank != 0)
    copy = gd_alloc(size_bytes, 1);
  gd_status st =
      gd_agree(comm, rank != 0 && copy == NULL ? GD_ERR_NOMEM : GD_OK);
  char *bytes = rank == 0 ? text->data : copy;
  for (int64_t at = 0; st == GD_OK && at < size_bytes; at += PIECE_BYTES) {
    const int64_t left = size_bytes - at;
    MPI_Bcast(bytes + at, (int)(left < PIECE_BYTES ? left : PIECE_BYTES),
              MPI_BYTE, 0, comm);
  }
  if (st == GD_OK && rank != 0) {
    gd_text_free(text);
    *text = (gd_text){0};
    gd_text_bytes(text, copy, (size_t)size_bytes);
  }
  free(copy);
  return gd_agree(comm, st == GD_OK ? gd_text_status(text) : st);
}

void gd_share_ints(MPI_Comm comm, int64_t n, int64_t *values)
{
  assert(n >= 0 && n <= INT_MAX && (values != NULL || n == 0));
  MPI_Request request;
  MPI_Ibcast(values, (int)n, MPI_INT64_T, 0, comm, &request);
  gd_wait(&request);
}
