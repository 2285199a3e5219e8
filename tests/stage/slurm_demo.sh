#!/usr/bin/env bash
# The demo by a real Slurm of two nodes on this machine: one job a stage, each
# over both nodes, the sweep as an array; the results are those of one rank
# without Slurm.  It is cut to a size for tests; as it is, from the build
# directory's parents, half an hour on two slow cores:
#   GRADUS_SOURCE=$PWD GRADUS_BUILD=$PWD/build/release \
#     GRADUS_DEMO=whole tests/stage/slurm_demo.sh
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

need_slurm

cp "$GRADUS_SOURCE/jobs/demo.yaml" "$scratch/job.yaml"
options=(--set work=run)
if [ "${GRADUS_DEMO-}" != whole ]; then
  options+=(--set corpus.subjects=6 --set corpus.videos_per_subject=1
    --set corpus.seconds=0.4 --set faces.size=32 --set model.depth=18
    --set model.hidden=8 --set model.batch=6 --set model.microbatch=2
    --set model.epochs=1)
fi
printf 'launcher: mpirun\nlauncher_options: --oversubscribe\n' >"$scratch/site.yaml"

up=$("$GRADUS_SOURCE/slurm/local-cluster.sh" up --nodes 2 --cpus 4)
# shellcheck source=/dev/null
. "$up"
trap '"$GRADUS_SOURCE/slurm/local-cluster.sh" down || true; clean' EXIT

# One rank without Slurm, meanwhile.
(expect 0 "$scratch/one" 1 "${options[@]}") &
one=$!

two=$scratch/two
mkdir "$two"
cd "$two"
"$gradus" submit "$scratch/job.yaml" --site "$scratch/site.yaml" "${options[@]}" \
  >"$scratch/submitted" || fail "submit: $(cat "$scratch/submitted")"
arrays=$(grep -cE "^job [0-9]+ +(model|scores), an array of 3," \
  "$scratch/submitted") || :
[ "$arrays" -eq 2 ] || fail "the sweep is no array: $(cat "$scratch/submitted")"

until jobs=$(squeue -h -r) && [ -z "$jobs" ]; do
  sleep 1
done
"$gradus" status "$scratch/job.yaml" "${options[@]}" >"$scratch/status"
tail -n 1 "$scratch/status" | grep -q '^10 stages in run: 10 done$' ||
  fail "not all are done: $(cat "$scratch/status") $(tail -n 5 run/slurm/*.out)"
wait "$one"
same "$scratch/one" "$two"

# Each stage ran once, on both nodes.
for log in run/*/log.txt; do
  [ "$(grep -c 'ranks: 2, ' "$log")" -eq 1 ] ||
    fail "not one run of two ranks: $(cat "$log")"
done
for script in run/slurm/*.sbatch; do
  grep -qE '^#SBATCH --nodes=[^0-9]?2[^0-9]?$' "$script" || fail "$script: not over both nodes"
done

# For whoever has asked for the whole.
if [ "${GRADUS_DEMO-}" = whole ]; then
  cat "$scratch/submitted" "$scratch/status" run/report-*/table.txt
  echo "$(wc -l <"$scratch/expected") files with the same SHA-256 as by one rank, as:"
  grep -E 'model\.h5|scores\.h5|table\.txt' "$scratch/expected"
fi
