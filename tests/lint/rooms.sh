#!/usr/bin/env bash
# The house's rules that a machine can see: who may include what, who may call
# what.  Prints each breach as file:line.
set -uo pipefail
cd "$GRADUS_SOURCE" || exit 1
shopt -s lastpipe # so that breach, at the end of a pipe, can set what it finds
bad=0
breach() { # text on stdin is a list of breaches
  local found
  found=$(cat)
  if [ -n "$found" ]; then
    printf '%s\n%s\n' "$1:" "$found"
    bad=1
  fi
}

# One outside library, one room that includes it, and within it one file.
one_file() { # name, pattern of the include, most files
  local files
  files=$(grep -rlE "#include <$2" src stages include)
  if [ "$(printf '%s\n' "$files" | grep -c .)" -gt "$3" ]; then
    printf '%s\n' "$files" | breach "$1 is included by more than $3 file(s)"
  fi
}
one_file HDF5 'hdf5' 1
one_file Cairo 'cairo' 1
one_file libfyaml '(lib)?fyaml' 1
one_file LIBXSMM 'libxsmm' 1
one_file OpenBLAS '(cblas|openblas)' 1
one_file libpng 'png\.h' 1
one_file libjpeg 'jpeglib' 1
one_file xxHash 'xxhash' 1
one_file libzip 'zip\.h' 1
one_file protobuf-c 'protobuf-c' 1
grep -rnE '#include <lib(av|sw)' src stages include |
  grep -vE '^src/(video|image)/' | breach "FFmpeg outside src/video and src/image"

# Ranks talk to one another in par and flow, and where a stage starts.
grep -rnE '\bMPI_[A-Z][a-z]+(_[a-z]+)*\(' src include |
  grep -vE '^src/(par|flow)/|:[0-9]+: \* ' | breach "MPI call outside src/par and src/flow"

# Dependencies point down: a room includes the headers of rooms below it only.
declare -A level=(
  [base]=0 [image]=1 [shard]=1 [net]=1
  [manifest]=2 [par]=2
  [video]=2 [face]=2 [train]=3 [eval]=3 [plot]=3 [synth]=3 [weights]=2
  [flow]=4 [stages]=5)
# Headers of several files, or of none.
declare -A room_of=([faces]=shard [frames]=shard [labelled_image]=face
  [patience]=video)
for file in src/*/*.c; do
  room=$(basename "$(dirname "$file")")
  room_of[$(basename "$file" .c)]=$room
done
for file in src/*/*.[ch] stages/*.c; do
  room=$(basename "$(dirname "$file")")
  while IFS=: read -r line header; do
    other=${room_of[$header]:-}
    if [ -z "$other" ]; then
      echo "$file:$line: nobody knows the room of gradus/$header.h"
    elif [ "${level[$other]}" -gt "${level[$room]}" ]; then
      echo "$file:$line: $room includes gradus/$header.h of $other above it"
    fi
  done < <(grep -noE '#include "gradus/[a-z_0-9]+\.h"' "$file" |
    sed -E 's/:#include "gradus\/([a-z_0-9]+)\.h"/:\1/')
done | breach "dependency that points up"

# The library never ends the program and never prints.
grep -rnE '(^|[^_a-z>.])(exit|abort|printf|puts|putchar)[[:space:]]*\(' src |
  breach "exit, abort or print in the library"
grep -rnE '\b(strcpy|strcat|sprintf|gets|atoi|atof|atol|system|popen|tmpnam|mktemp)[[:space:]]*\(' \
  src stages include | breach "unsafe or unchecked call"
grep -rnE '\brealloc[[:space:]]*\(' src stages include | grep -v '^src/base/memory\.c:' |
  breach "an array that grows without gd_grow()"
grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' src stages include tests jobs slurm cmake \
  bootstrap --include='*' | grep -v '^tests/lint/' | grep -v 'XXXXXX' |
  breach "left to do"
exit $bad
