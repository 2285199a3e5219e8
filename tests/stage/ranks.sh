#!/usr/bin/env bash
# The same bits on one, two and three ranks, and a finished job stays finished.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

for ranks in 1 2 3; do
  expect 0 "$scratch/np$ranks" "$ranks"
done
same "$scratch/np1" "$scratch/np2"
same "$scratch/np1" "$scratch/np3"
for name in model.h5 predictions.csv index.html; do
  grep -q "/$name\$" "$scratch/expected" || fail "the job made no $name"
done

: >"$scratch/np2/log"
expect 0 "$scratch/np2" 2
[ "$(grep -c 'done before' "$scratch/np2/log")" -eq "${#stages[@]}" ] ||
  fail "a finished job was worked on again: $(cat "$scratch/np2/log")"
same "$scratch/np1" "$scratch/np2"
"$gradus" check "$scratch/np3/run" || fail "check finds fault with a whole job"
