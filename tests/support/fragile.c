/* The program as it would be with a decoder that some videos bring down: the
 * linker puts these two in place of the library's (see tests/CMakeLists.txt).
 * By a video's name: crash-index, crash-decode, kill-decode, hang-decode. */
#include <signal.h>
#include <string.h>

#include "video/decode.h"
#include "video/demux.h"

/* Of the type that they stand in for, or this does not compile. */
__typeof__(gd_demux_open) __real_gd_demux_open, __wrap_gd_demux_open;
__typeof__(gd_decoder_open) __real_gd_decoder_open, __wrap_gd_decoder_open;

gd_status __wrap_gd_demux_open(const char *path, const gd_patience *patience,
                               gd_demux **out)
{
  if (strstr(path, "crash-index") != NULL)
    raise(SIGSEGV);
  return __real_gd_demux_open(path, patience, out);
}

gd_status __wrap_gd_decoder_open(const char *path, const gd_stream *stream,
                                 int is_sparse, gd_decoder **out)
{
  if (strstr(path, "crash-decode") != NULL)
    raise(SIGABRT);
  if (strstr(path, "kill-decode") != NULL)
    raise(SIGKILL);
  for (volatile int turn = 0; strstr(path, "hang-decode") != NULL;)
    turn ^= 1;
  return __real_gd_decoder_open(path, stream, is_sparse, out);
}
