# shellcheck shell=bash disable=SC2154 # all are set above, in the script
# What every batch script of `gradus submit` does with the variables above it.
# A site's file may have switched more on than it meant to: `set -e` would end
# this script where a failed run is to go back into the queue.
set +e -uo pipefail

member=${members[${SLURM_ARRAY_TASK_ID:-0}]}
failures=$notes/$member.failures
log=$notes/$name${SLURM_ARRAY_TASK_ID+-$SLURM_ARRAY_TASK_ID}.out
# Of an array, SLURM_JOB_ID alone may mean all tasks.
self=${SLURM_ARRAY_JOB_ID+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
self=${self:-${SLURM_JOB_ID-none}}

say() {
  printf 'gradus: job %s: %s\n' "$self" "$*" >&2
}

# --------------------------------------------------------------- environment
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
# Within Slurm, Open MPI believes that each rank has a core of its own, and
# waits by computing: where ranks outnumber cores, a second becomes minutes.
export OMPI_MCA_mpi_yield_when_idle=1 OMP_WAIT_POLICY=passive
# A cut cable ends the job after 11 s instead of 8 minutes.
export OMPI_MCA_oob_tcp_keepalive_time=5 OMPI_MCA_oob_tcp_keepalive_intvl=2 \
  OMPI_MCA_oob_tcp_keepalive_probes=3
# In containers, one is root.
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# ------------------------------------------------------------------ launcher
case $launcher in
srun)
  # srun does not take --cpus-per-task over from the job since Slurm 22.05.
  launch=(srun "--mpi=$mpi" "--cpus-per-task=${SLURM_CPUS_PER_TASK:-1}"
    --kill-on-bad-exit=1)
  ;;
mpirun)
  # Slurm keeps the ranks to the job's cores; bound to one each by mpirun, a
  # rank's threads would share it.
  launch=(mpirun -n "${SLURM_NTASKS:-1}" --bind-to none)
  # With what PMIx 4.2 shares by itself, an mpirun whose ranks are killed soon
  # after their start may never end.
  export PMIX_MCA_gds=hash
  ;;
esac

# --------------------------------------------------------------- going on
# What the stage has made, as one word: runs that end with the same one got no
# further than each other.  Journals and results that each run writes anew are no
# progress.
point() {
  find "$work/$member" -type f ! -name '*.part' ! -name '*.attempt' \
    ! -name stage.yaml ! -name units ! -name report.yaml ! -name log.txt \
    ! -name lock ! -name metrics.jsonl ! -name 'events.out.*' \
    -printf '%P %s\n' 2>/dev/null | sort | cksum | tr ' ' -
}

# The first error that this run has left in its log: the others follow from it.
reason() {
  tail -c "+$((begun + 1))" "$log" 2>/dev/null | grep -m 1 'error: ' |
    tr '\t' ' '
}

# Have the ranks of this run begun, or is it a node or the launcher that failed?
# Errors of a manifest begin with their place, FILE:LINE:COLUMN; a launcher may
# label all lines.  No pipe: grep ends at once, which would kill tail in the
# middle of a long log, and under `pipefail` that is a failure.
has_started() {
  grep -qE '(gradus: (info|warning|error)|:[0-9]+:[0-9]+: error): ' \
    < <(tail -c "+$((begun + 1))" "$log" 2>/dev/null)
}

# Note how a run ended, and where: `asked` and `unstarted` are no points of it.
note() {
  local point
  point=${2-}
  if [ -z "$point" ]; then
    point=unstarted
    ! has_started || point=$(point)
  fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$(date +%Y-%m-%dT%H:%M:%S)" "$self" \
    "$(uname -n)" "$1" "$point" "$(reason)" >>"$failures"
}

# The points of the runs that ended of themselves.
points() {
  cut -f 5 "$failures" 2>/dev/null | grep -vx asked
}

# Have the last three runs that began ended at this point, or have the last ten
# not begun?  A node that is lost fails whatever is started on it, until Slurm
# notices.
is_stuck() {
  if [ "$(points | grep -vx unstarted | tail -n 3 |
    grep -cxF "$(point)")" -eq 3 ]; then
    stuck='three runs ended at the same point'
  elif [ "$(points | tail -n 10 | grep -cx unstarted)" -eq 10 ]; then
    stuck='ten runs could not be started'
  else
    return 1
  fi
}

give_up() {
  say "$member: $stuck, the last with exit code" \
    "$(tail -n 1 "$failures" | cut -f 4,6 | tr '\t' ' ');" \
    "see $work/$member/log.txt; 'gradus submit' tries again"
  exit 1
}

# Whoever cancels a job, or takes its nodes, does not want it back, or puts it
# back himself; a squeue that fails says nothing of that.
was_asked() {
  local state
  state=$(squeue -h -j "$self" -o %T) || state=
  [ "${state:-RUNNING}" != RUNNING ]
}

# End this job such that another goes on.
go_on() {
  local code=$1
  if [ "$restart" != chain ] && was_asked; then
    note "$code" asked
    say "$member: ended with exit code $code, as Slurm asked"
    exit "$code"
  fi
  note "$code"
  if is_stuck; then
    give_up
  fi
  if [ "$restart" = chain ]; then
    say "$member: ended with exit code $code; the next job of the chain goes on"
    exit "$code"
  fi
  say "$member: ended with exit code $code; back into the queue"
  # This ends the job: nothing is left to pass on.
  trap '' USR1 TERM
  scontrol requeue "$self" ||
    say "Slurm does not requeue this job: 'gradus submit' again, or" \
      "'restart: chain' in the site file"
  exit "$code"
}

# --------------------------------------------------------------------- the run
umask 077
begun=$(wc -c 2>/dev/null <"$log" || echo 0)
if is_stuck; then
  give_up
fi

# Time is nearly up, or another job needs the nodes: the ranks finish their
# step or item, keep what they have, and end with exit code 75.  To mpirun
# SIGTERM would mean to kill them; SIGUSR1 it passes on, as srun does.
caught=
child=
teller=
# One that is still starting its ranks may swallow a signal: it is repeated.
tell() {
  while kill -USR1 "$child"; do
    sleep 3
  done
}
# shellcheck disable=SC2317 # a signal calls it
pass_on() {
  caught=1
  say "$member: asked to stop; its ranks are told"
  if [ -n "$child" ] && [ -z "$teller" ]; then
    tell >/dev/null 2>&1 &
    teller=$!
  fi
}
trap pass_on USR1 TERM
if [ -n "${gd_caught-}" ]; then
  say "$member: asked to stop before it began"
  go_on 75
fi

say "$member on ${SLURM_JOB_NODELIST-$(uname -n)}," \
  "ranks: ${SLURM_NTASKS:-1}, threads each: $OMP_NUM_THREADS"
"${launch[@]}" ${launcher_options[@]+"${launcher_options[@]}"} \
  ${container[@]+"${container[@]}"} "$gradus" run "$manifest" \
  --stage "$member" &
child=$!
# A signal may have come before there was anybody to pass it on to.
[ -z "$caught" ] || pass_on
# A signal ends `wait` before its time.
while :; do
  caught=
  wait "$child"
  code=$?
  [ -n "$caught" ] || break
done
[ -z "$teller" ] || kill "$teller" 2>/dev/null

# 0: done; 3: done, but too much was skipped to go on; 2: a retry will not help,
# if it is gradus that says so: a launcher ends with 2 where a program is missing.
case $code in
0 | 3)
  rm -f "$failures"
  exit "$code"
  ;;
2)
  has_started || go_on "$code"
  note "$code"
  exit "$code"
  ;;
*)
  go_on "$code"
  ;;
esac
