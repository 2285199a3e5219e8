#!/usr/bin/env bash
# A full disk in any stage is a clear error, exit code 1, and nothing unfinished
# under a final name; with room again, the same command ends the job.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

disk=$scratch/disk
mkdir "$disk"
if ! mount -t tmpfs -o size=1m gradus-test "$disk" 2>/dev/null; then
  echo "SKIPPED: cannot mount a small file system here (not root?)"
  exit 77
fi
trap 'umount -l "$disk"; rm -rf "$scratch"' EXIT

expect 0 "$scratch/whole" 1
failures=0
# The disk grows by little and little: each stage meets its end.
for size in 40k 120k 240k 400k 700k 1200k 3m 20m 150m 210m 600m 2000m; do
  mount -o "remount,size=$size" "$disk"
  : >"$scratch/log"
  code=0
  (
    cd "$disk"
    mpirun --oversubscribe -n 2 "$gradus" run "$scratch/job.yaml" \
      >"$scratch/log" 2>&1
  ) || code=$?
  [ "$code" -eq 0 ] && break
  failures=$((failures + 1))
  [ "$code" -eq 1 ] || fail "size $size: exit code $code: $(cat "$scratch/log")"
  [ "$(grep -c '^gradus: error: ' "$scratch/log")" -eq 1 ] ||
    fail "size $size: not one line of error: $(cat "$scratch/log")"
  grep '^gradus: error: ' "$scratch/log"
done
[ "$code" -eq 0 ] || fail "never enough room: $(cat "$scratch/log")"
[ "$failures" -ge 3 ] || fail "the disk was full only $failures times"
same "$scratch/whole" "$disk"
