#!/usr/bin/env bash
# killed_ranks.sh BUILD [TIMES] : how often an mpirun of five ranks does not end
# when one of them is killed at a random moment of its first second, with what
# PMIx shares by itself and with PMIX_MCA_gds=hash, in turns.  The more the
# machine has to do, the more often; three of these at once are about right.
set -uo pipefail

stopped=$1/tests/stopped
times=${2:-100}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_mpi_yield_when_idle=1
unset PMIX_MCA_gds
OMPI_MCA_orte_tmpdir_base=$(mktemp -d)
export OMPI_MCA_orte_tmpdir_base
trap 'rm -rf "$OMPI_MCA_orte_tmpdir_base"' EXIT

children() {
  cat "/proc/$1/task/"*/children 2>/dev/null | tr ' ' '\n' | grep .
}

# Start, kill, and say whether it has not ended 20 s later.
hangs() {
  local mpirun pids try
  mpirun --oversubscribe -n 5 "$stopped" -2 600 >/dev/null 2>&1 &
  mpirun=$!
  sleep "0.$((RANDOM % 9))"
  mapfile -t pids < <(children "$mpirun")
  pids=("${pids[@]:-$mpirun}")
  kill -9 "${pids[RANDOM % ${#pids[@]}]}" 2>/dev/null
  for ((try = 0; try < 200; try++)); do
    kill -0 "$mpirun" 2>/dev/null || break
    sleep 0.1
  done
  local code=1
  if kill -9 "$mpirun" 2>/dev/null; then
    code=0
  fi
  wait "$mpirun" 2>/dev/null
  return "$code"
}

own=0
hash=0
for ((i = 0; i < times; i++)); do
  hangs && own=$((own + 1))
  PMIX_MCA_gds="hash" hangs && hash=$((hash + 1))
done 2>/dev/null
echo "of $times each: $own never ended, with PMIX_MCA_gds=hash $hash"
