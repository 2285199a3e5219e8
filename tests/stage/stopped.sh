#!/usr/bin/env bash
# A rank that is stopped, whichever it is, is named, and no other, and the run
# ends; nobody is named when all is well.
set -euo pipefail
limit=${GRADUS_SILENCE:-5} # s; nobody is silent that long but who is stopped
export ASAN_OPTIONS=detect_leaks=0:exitcode=99
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

run() { mpirun --oversubscribe -n 3 "$GRADUS_BUILD/tests/stopped" "$@"; }
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  cat "$scratch/said" >&2
  exit 1
}

run -1 60 >"$scratch/said" 2>&1 || fail "ended with $? when all was well"
! grep -q gradus: "$scratch/said" || fail "somebody is named when all is well"
for rank in 0 2; do
  if run "$rank" "$limit" >"$scratch/said" 2>&1; then
    fail "ended well without rank $rank"
  fi
  grep "gradus: error: rank $rank on .* not been heard of .*(stage model)" \
    "$scratch/said" || fail "rank $rank is not named"
  grep -q '^excused$' "$scratch/said" || fail "who names it takes the blame"
  # mpirun lets it go on at last: then its own alarm is due, too.
  ! grep 'gradus: error:' "$scratch/said" | grep -v ": rank $rank on " ||
    fail "another rank than $rank is named"
done
