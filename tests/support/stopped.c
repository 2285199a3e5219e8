/* stopped RANK LIMIT : ranks that agree again and again, under a watchdog of
 * LIMIT seconds; RANK stops itself on the way, -1: none does; -2: nor do they
 * end. */
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gradus/agree.h"
#include "gradus/watchdog.h"

/* The rank that names another is not to blame. */
static void excuse(void)
{
  const ssize_t n = write(STDERR_FILENO, "excused\n", 8);
  (void)n;
}

int main(int argc, char **argv)
{
  int rank, whom;
  if (argc != 3)
    return 2;
  whom = (int)strtol(argv[1], NULL, 10);
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  gd_watchdog_begin(rank, (int)strtol(argv[2], NULL, 10));
  gd_watchdog_excuse(excuse);
  gd_watchdog_join(MPI_COMM_WORLD);
  gd_watchdog_name("stage model");
  gd_status st = GD_OK;
  for (int64_t turn = 0; st == GD_OK && (turn < 1000 || whom == -2); turn++) {
    st = gd_agree(MPI_COMM_WORLD, GD_OK);
    if (turn == 500 && rank == whom)
      raise(SIGSTOP);
    if (turn == 500 && rank == 0) {
      puts("under way");
      fflush(stdout);
    }
  }
  gd_watchdog_end();
  MPI_Finalize();
  return st != GD_OK;
}
