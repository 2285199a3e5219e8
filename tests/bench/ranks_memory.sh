#!/usr/bin/env bash
# What each rank keeps in memory at most, by stage and number of ranks, and
# whether the results stay the same: does rank 0 grow with the others' number?
#
#   tests/bench/ranks_memory.sh [PROGRAM [RANKS...]]
#
# PROGRAM is build/release/gradus; RANKS are 1 8 16.  Each of 64 ranks that train
# a ResNet-18 takes 330 MB, each of 8 500: mind what there is.  The peak is VmHWM,
# looked at three times a second (-: a stage was over before).  Fails when results
# differ.
set -euo pipefail

program=$(realpath "${1:-build/release/gradus}")
shift || true
counts=("$@")
[ ${#counts[@]} -gt 0 ] || counts=(1 8 16)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_mpi_yield_when_idle=1 OMP_NUM_THREADS=1

job=$scratch/job.yaml
cat >"$job" <<'JOB'
job: ranks
work: run
stages:
  corpus: {stage: synth, subjects: 16, videos_per_subject: 2, seconds: 1,
           fps: 5, width: 64, height: 64}
  frames: {stage: extract, from: corpus, every: 1, shard_bytes: 64KiB}
  faces: {stage: align, from: frames, detector: drawn, min_face: 24, size: 32}
  model: {stage: train, from: faces, depth: 18, hidden: 8, batch: 128,
          microbatch: 2, epochs: 1}
  scores: {stage: evaluate, from: [model, faces]}
JOB

# peaks PID : the peaks of mpirun's ranks, "RANK KB" each, until it ends.
peaks() {
  local p kb
  declare -A rank peak
  while kill -0 "$1" 2>/dev/null; do
    for p in $(pgrep -P "$1"); do
      kb=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$p/status" 2>/dev/null) || :
      [ -n "${rank[$p]-}" ] || rank[$p]=$(tr '\0' '\n' 2>/dev/null <"/proc/$p/environ" |
        sed -n 's/^OMPI_COMM_WORLD_RANK=//p') || :
      [ -z "$kb" ] || [ -z "${rank[$p]-}" ] || peak[${rank[$p]}]=$kb
    done
    sleep 0.3
  done
  for p in "${!peak[@]}"; do
    echo "$p ${peak[$p]}"
  done
}

printf '%6s %-7s %10s %14s\n' ranks stage rank_0_mb largest_other
for n in "${counts[@]}"; do
  mkdir "$scratch/$n"
  cd "$scratch/$n"
  for stage in corpus frames faces model scores; do
    mpirun --oversubscribe -n "$n" "$program" run "$job" --stage $stage \
      2>"$scratch/log" &
    mpirun=$!
    peaks $mpirun >"$scratch/peaks"
    wait $mpirun || {
      cat "$scratch/log"
      exit 1
    }
    sort -n "$scratch/peaks" | awk -v n="$n" -v stage=$stage '
      $1 == 0 { first = $2 } $1 > 0 && $2 > most { most = $2 }
      function mb(kb) { return kb ? int(kb / 1024) : "-" }
      END { printf "%6d %-7s %10s %14s\n", n, stage, mb(first), mb(most) }'
  done
  sha256sum run/faces-*/*.h5 run/model-*/model.h5 run/scores-*/*.h5 >"$scratch/sums.$n"
  diff "$scratch/sums.${counts[0]}" "$scratch/sums.$n" || {
    echo "$n ranks make other results than ${counts[0]}"
    exit 1
  }
done
