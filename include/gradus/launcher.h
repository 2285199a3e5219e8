/**
 * The launcher, as far as a rank must know it: mpirun, when a host is lost.
 *
 * Once a rank has failed, Open MPI's mpirun (4.1) orders all hosts to end and
 * waits for each to say so.  One that is lost never does: mpirun hangs until
 * TCP gives up, 15 minutes later.  Two settings of mpirun's own environment
 * spare that (keepalives); a rank can only look for them, and end mpirun where
 * it is a process of the same host.
 */
#ifndef GRADUS_LAUNCHER_H
#define GRADUS_LAUNCHER_H

#include "gradus/text.h"

/**
 * Compose one line, without its end, if this process was started by an mpirun
 * that would be late to notice a lost host; nothing otherwise, and nothing
 * under srun.
 * Collective: no
 */
void gd_launcher_judge(gd_text *out);
/**
 * Kill mpirun if it runs on this host, above this process.  Its daemons on the
 * hosts that it reaches, and the ranks there, end when they miss it.
 * @return 0: mpirun is on another host, or this is not its process
 * Collective: no
 */
int gd_launcher_end(void);

#endif
