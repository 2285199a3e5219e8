#!/usr/bin/env bash
# Each public header compiles alone, and none needs an outside library's
# headers, MPI's excepted where ranks communicate.
set -uo pipefail
cd "$GRADUS_SOURCE" || exit 1
bad=0
mapfile -t mpi < <(sed -n 's/^MPI_C_HEADER_DIR:PATH=/-I/p' \
  "$GRADUS_BUILD/CMakeCache.txt")
for header in include/gradus/*.h; do
  if ! gcc -std=c17 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wshadow -pedantic \
    -Werror -fsyntax-only -x c -Iinclude "${mpi[@]}" "$header"; then
    echo "$header: does not compile alone"
    bad=1
  fi
  if grep -nE '#include <(hdf5|libav|libsw|cairo|fyaml|libfyaml|libxsmm|cblas|openblas|png|jpeglib|xxhash)' \
    "$header"; then
    echo "$header: shows an outside library to its users"
    bad=1
  fi
done
exit $bad
