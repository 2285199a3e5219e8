#!/usr/bin/env bash
# Sourced by the tests of this folder: a job small enough for every test, and
# ways to run it, to kill it and to compare what it made.
set -euo pipefail

gradus=$GRADUS_BUILD/gradus
# shellcheck disable=SC2034 # for those who source this
stages=(corpus frames faces model scores report)
scratch=$(realpath "$(mktemp -d)")
# What was started may write there for a moment longer.
clean() {
  local try
  for ((try = 0; try < 300; try++)); do
    ! rm -rf "$scratch" 2>/dev/null || return 0
    sleep 0.01
  done
  rm -rf "$scratch" || true
}
trap clean EXIT
# Open MPI removes its folder when it is empty, under a job that is just
# beginning beside it.
if [ -n "${OMPI_MCA_orte_tmpdir_base-}" ]; then
  host=$(uname -n)
  mkdir -p "$OMPI_MCA_orte_tmpdir_base/ompi.${host%%.*}.$(id -u)/kept"
fi
# Open MPI's own leaks cannot be told apart in the program: the tests of the
# library look for ours.
export ASAN_OPTIONS=detect_leaks=0:exitcode=99
# A test that hangs says who hung before ctest ends it.
export GRADUS_WATCHDOG=${GRADUS_WATCHDOG:-100}

# Every stage has several units of work, and training several steps, with a
# checkpoint between epochs' ends.
cat >"$scratch/job.yaml" <<'JOB'
job: tiny
work: run
stages:
  corpus:
    stage: synth
    subjects: 6
    videos_per_subject: 1
    seconds: 2
    fps: 10
    width: 64
    height: 64
  frames: {stage: extract, from: corpus, every: 4, shard_bytes: 16KiB}
  faces: {stage: align, from: frames, size: 32}
  model:
    stage: train
    from: faces
    depth: 18
    batch: 8
    microbatch: 4
    epochs: 2
    hidden: 8
    checkpoint_every: 2
  scores: {stage: evaluate, from: [model, faces]}
  report: {stage: report, from: scores}
JOB

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# Skip the test where there is no Slurm.
need_slurm() {
  local program
  PATH=$PATH:/usr/sbin:/sbin
  for program in slurmctld slurmd munged sbatch; do
    if ! command -v "$program" >/dev/null; then
      echo "SKIPPED: no $program: apt-get install slurm-wlm munge"
      exit 77
    fi
  done
}

# Ranks that were killed there may outlive their mpirun for a moment.
await_ranks() {
  local try
  for ((try = 0; try < 6000; try++)); do
    # What is not ours cannot be looked into, and what ends is gone.
    [ -n "$(find /proc/[0-9]*/cwd -lname "$1" 2>/dev/null || true)" ] || return 0
    sleep 0.01
  done
  fail "$1: ranks are still there"
}

# start DIRECTORY RANKS ARGUMENT... : the job in a work directory of its own,
# by the same relative path as in every other.
start() {
  local directory=$1 ranks=$2
  shift 2
  mkdir -p "$directory"
  await_ranks "$directory"
  cd "$directory"
  exec mpirun --oversubscribe -n "$ranks" \
    "$gradus" run "$scratch/job.yaml" "$@" >>"$directory/log" 2>&1
}

# expect CODE DIRECTORY RANKS ARGUMENT... : run, and show the log if the program
# ends otherwise.
expect() {
  local code=0 expected=$1
  shift
  (start "$@") || code=$?
  if [ "$code" -ne "$expected" ]; then
    cat "$1/log"
    fail "exit code $code, expected $expected: $*"
  fi
}

# Print the digests of all results below a work directory.
results() {
  (
    cd "$1/run"
    find . -mindepth 2 -type f ! -path './slurm/*' \
      ! -regex '\./[^/]*/\(stage.yaml\|units\|report.yaml\|log.txt\|lock\|done\|attempts.txt\|metrics.jsonl\|events.out.tfevents.gradus\|index-[0-9]*.h5\)' \
      -print0 | sort -z | xargs -0 -r sha256sum
  )
}

# same DIRECTORY DIRECTORY : the results are equal, byte for byte.
same() {
  results "$1" >"$scratch/expected"
  results "$2" >"$scratch/found"
  [ -s "$scratch/expected" ] || fail "$1: no results"
  diff "$scratch/expected" "$scratch/found" || fail "$2 differs from $1"
}

# run_directory DIRECTORY STAGE : where a stage's results are.
run_directory() {
  local found
  found=$(find "$1/run" -mindepth 1 -maxdepth 1 -name "$2-*" 2>/dev/null)
  printf '%s\n' "$found"
}
