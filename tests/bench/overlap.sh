#!/usr/bin/env bash
# What hiding the exchange behind the backward pass is worth over a network:
# two ranks in two network namespaces with a limited link between them, steps
# without and with it in turn (`gradus bench --ranks`).
#
#   tests/bench/overlap.sh              as root
#
#   RATE (1gbit)   of the link, as tc wants it
#   SIZE (128), BATCH (8), REPEAT (5 pairs of steps)   for `gradus bench`
#
# GRADUS_SHARED has cluster/netns-hosts.sh, GRADUS_BUILD is the build
# (build/release).  Exit code 1: hidden, a step is no shorter.
set -euo pipefail
cd "$(dirname "$0")/../.."
rate=${RATE:-1gbit}
gradus=$(realpath "${GRADUS_BUILD:-build/release}/gradus")
hosts=$(realpath "${GRADUS_SHARED:-../shared}/cluster/netns-hosts.sh")
[ "$(id -u)" = 0 ] || { echo "overlap.sh: must be root" >&2; exit 2; }

"$hosts" up 2
trap '"$hosts" down' EXIT
eval "$("$hosts" env)"
for host in h1 h2; do
  "$hosts" rate "$host" "$rate"
done
out=$(mktemp)
trap '"$hosts" down; rm -f "$out"' EXIT
echo "link of $rate"
mpirun -H h1:1,h2:1 -x OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" \
  "$gradus" bench --ranks --size "${SIZE:-128}" --batch "${BATCH:-8}" \
  --repeat "${REPEAT:-5}" | tee "$out"
awk '/^hidden, a step takes/ {shorter = $5 < 1} END {exit !shorter}' "$out"
