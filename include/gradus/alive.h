/**
 * Signs of life: work that takes long says that it goes on, and whoever watches
 * this process (gradus/watchdog.h) hears it.  Rooms that know nothing of ranks
 * call it once for each file, video or row of a table.
 */
#ifndef GRADUS_ALIVE_H
#define GRADUS_ALIVE_H

/** Show a sign of life.  Cheap; heard from the listener's own thread alone. */
void gd_alive(void);
/**
 * Let the calling thread's signs of life be heard.
 * @param[in] listener  NULL: by nobody, as at first
 */
void gd_alive_listen(void (*listener)(void));

#endif
