#!/usr/bin/env bash
# A truncated shard, a flipped byte and a missing result: `check` names them,
# `run` makes them anew, and the job ends with the files it had.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

job=$scratch/job
expect 0 "$job" 2
cp -a "$job" "$scratch/whole"

# flip FILE : turn all bits of the byte in the middle.
flip() {
  local at byte
  at=$(($(stat -c %s "$1") / 2))
  byte=$(od -An -tu1 -j "$at" -N 1 "$1" | tr -d ' ')
  # shellcheck disable=SC2059 # the format is the byte
  printf "\\x$(printf %x $((byte ^ 255)))" |
    dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# bad FILE... : `check` ends with 1 and names each of them.
bad() {
  local code=0 file
  "$gradus" check "$job/run" >"$scratch/check" 2>&1 || code=$?
  [ "$code" -eq 1 ] || fail "check ended with $code: $(cat "$scratch/check")"
  for file in "$@"; do
    grep -q "${file##*/}" "$scratch/check" || fail "check does not name $file"
  done
  [ "$(grep -c '^bad' "$scratch/check")" -eq $# ] ||
    fail "check names others: $(cat "$scratch/check")"
}

mapfile -t frames < <(find "$job/run" -name 'frames-*.h5' | sort)
mapfile -t faces < <(find "$job/run" -name 'faces-*.h5' | sort)
truncate -s 3000 "${frames[1]}"
flip "${faces[0]}"
bad "${frames[1]}" "${faces[0]}"
expect 0 "$job" 2
same "$scratch/whole" "$job"
"$gradus" check "$job/run" >"$scratch/check" || fail "still bad after the run"

# Bits that rot leave the time alone: who reads them fails and names the file,
# and the next run makes it anew.
touch -r "${frames[0]}" "$scratch/time"
flip "${frames[0]}"
touch -r "$scratch/time" "${frames[0]}"
rm -rf "$(run_directory "$job" faces)"
: >"$job/log"
expect 1 "$job" 2
grep -q "gradus: error: stage faces: .*${frames[0]##*/}" "$job/log" ||
  fail "the damaged shard is not named: $(cat "$job/log")"
expect 0 "$job" 2
same "$scratch/whole" "$job"

model=$(find "$job/run" -name model.h5)
rm "$model"
expect 0 "$job" 3
same "$scratch/whole" "$job"
