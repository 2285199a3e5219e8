#!/usr/bin/env bash
# Two hosts by mpirun over TCP, without Slurm: the results of one host; a cable
# cut in training ends the job and names the host, and the same command goes on
# to the same model; a directory that one host does not share is named.
#
# With the demo instead of the tests' small job, from the build directory's
# parents, as root; it takes 25 minutes on two slow cores:
#   GRADUS_SOURCE=$PWD GRADUS_BUILD=$PWD/build/release \
#     GRADUS_HOSTS_JOB=jobs/demo.yaml tests/stage/hosts.sh
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

PATH=$PATH:/usr/sbin:/sbin
hosts=$GRADUS_SOURCE/slurm/local-hosts.sh
if [ "$(id -u)" -ne 0 ] || ! command -v ip >/dev/null; then
  echo "SKIPPED: network namespaces need root and iproute2"
  exit 77
fi
# Names and addresses of hosts are the machine's: one test at a time.
exec 9>/tmp/gradus-hosts.lock
flock 9
ours=/tmp/gradus-hosts.up # left behind by a test that was killed
[ ! -e "$ours" ] || "$hosts" down
"$hosts" up 3 || {
  echo "SKIPPED: no network namespaces here"
  exit 77
}
: >"$ours"
# shellcheck disable=SC2317 # called by the trap
tidy() {
  "$hosts" down || true
  rm -f "$ours"
  clean
}
trap tidy EXIT
eval "$("$hosts" env)"

sed -i 's/subjects: 6/subjects: 3/; s/seconds: 2/seconds: 1/
  s/checkpoint_every: 2/checkpoint_every: 1/; s/epochs: 2/epochs: 5/' "$scratch/job.yaml"

limit_s=280
if [ -n "${GRADUS_HOSTS_JOB-}" ]; then
  cp "$GRADUS_HOSTS_JOB" "$scratch/job.yaml"
  limit_s=5400
fi

# What mpirun does by itself: no setting of ours, and nobody is to wait for the
# host that is lost.  mpirun runs on h1, it is a rank on h3 that misses h2.
# shellcheck disable=SC2016 # h1's shell expands it
plain=$(printf 'eval "$(%q env)" && exec mpirun -H h1:1,h2:1,h3:1 %q -2 10' \
  "$hosts" "$GRADUS_BUILD/tests/stopped")
timeout "$limit_s" "$hosts" agent h1 "$plain" >"$scratch/plain" 2>&1 9>&- &
plain=$!
until grep -q 'under way' "$scratch/plain"; do
  kill -0 "$plain" 2>/dev/null || fail "no ranks: $(cat "$scratch/plain")"
  sleep 0.02
done
"$hosts" cut h2
cut=$SECONDS
! wait "$plain" || fail "the ranks did not notice"
[ $((SECONDS - cut)) -le 120 ] ||
  fail "plain mpirun took $((SECONDS - cut)) s: $(cat "$scratch/plain")"
grep -q 'gradus: error: rank 1 on h2 has not been heard of' "$scratch/plain" ||
  fail "h2 is not named: $(cat "$scratch/plain")"
# Daemons and ranks go when they miss mpirun.
until [ -z "$(ip netns pids h1)$(ip netns pids h3)" ]; do
  [ $((SECONDS - cut)) -le 240 ] || fail "left behind: $("$hosts" status)"
  sleep 0.02
done
"$hosts" crash h2
"$hosts" heal h2

# A lost host is found out after 3 s.
on_hosts() { # DIRECTORY ARGUMENT... : a rank on each host
  local directory=$1
  shift
  mkdir -p "$directory"
  cd "$directory"
  exec timeout "$limit_s" mpirun -H h1:1,h2:1 -x GRADUS_WATCHDOG -x OMP_NUM_THREADS \
    -x GRADUS_HOSTS_WAIT --mca oob_tcp_keepalive_time 1 \
    --mca oob_tcp_keepalive_intvl 1 --mca oob_tcp_keepalive_probes 2 \
    "$gradus" run "$@" >>"$directory/log" 2>&1 9>&-
}

# One rank without a network, meanwhile.
(expect 0 "$scratch/one" 1 --set work=run) &
one=$!

# Not shared: nothing runs, and host and path are said.
export GRADUS_HOSTS_WAIT=1
code=0
mkdir "$scratch/own" "$scratch/corpus"
(LOCAL_HOSTS_PRIVATE=h2:$scratch/own on_hosts "$scratch/work" \
  "$scratch/job.yaml" --set "work=$scratch/own/run") || code=$?
grep -q "$scratch/own/run: host h2 cannot see there what host h1 wrote" \
  "$scratch/work/log" || fail "work: $(cat "$scratch/work/log")"
[ "$code" -eq 2 ] || fail "exit code $code where the work is not shared"
[ -z "$(find "$scratch/own" -mindepth 2 ! -name '*.yaml')" ] ||
  fail "left behind: $(find "$scratch/own")"

"$gradus" synth "$scratch/corpus/drawn" --subjects 3 --videos-per-subject 1 --seconds 0.2 \
  2>"$scratch/synth" || fail "synth: $(cat "$scratch/synth")"
cat >"$scratch/table.yaml" <<JOB
job: table
work: run
corpus: {layout: table, root: "$scratch/corpus/drawn"}
stages:
  frames: {stage: extract, from: corpus}
JOB
code=0
(LOCAL_HOSTS_PRIVATE=h2:$scratch/corpus on_hosts "$scratch/table" \
  "$scratch/table.yaml") || code=$?
grep -q "$scratch/corpus/drawn/.*: host h2 cannot see this file" \
  "$scratch/table/log" || fail "corpus: $(cat "$scratch/table/log")"
[ "$code" -eq 2 ] || fail "exit code $code where the corpus is not shared"
export GRADUS_HOSTS_WAIT=60

# The cable, after a step that is kept.  A training that was quicker than we are
# is thrown away.
two=$scratch/two
for try in 1 2 3 4 5 6 7 8 9 10; do
  began=$SECONDS
  (on_hosts "$two" "$scratch/job.yaml" --set work=run) &
  mpirun=$!
  until compgen -G "$two/run/model-*/checkpoint-*.h5" >/dev/null; do
    kill -0 "$mpirun" 2>/dev/null || fail "no training: $(cat "$two/log")"
    sleep 0.02
  done
  "$hosts" cut h2
  cut=$SECONDS
  noticed=false
  wait "$mpirun" || noticed=true
  ended_s=$((SECONDS - cut))
  compgen -G "$two/run/model-*/done" >/dev/null || break
  [ "$try" -lt 10 ] || fail "the training was over before the cut, $try times"
  "$hosts" crash h2
  "$hosts" heal h2
  rm -rf "$two"
done
$noticed || fail "the job did not notice"
[ "$ended_s" -le 120 ] || fail "it took $ended_s s"
grep -q 'on node h2' "$two/log" || fail "h2 is not named: $(cat "$two/log")"
"$hosts" heal h2
(on_hosts "$two" "$scratch/job.yaml" --set work=run) || fail "again: $(cat "$two/log")"
last=$(grep -o 'next_epoch=[0-9]* next_step=[0-9]*' "$two/log" | tail -n 1) ||
  fail "no training: $(cat "$two/log")"
[ "$last" != 'next_epoch=1 next_step=1' ] ||
  fail "training began anew: $(cat "$two/log")"
wait "$one"
same "$scratch/one" "$two"
# For whoever has asked for this job.
if [ -n "${GRADUS_HOSTS_JOB-}" ]; then
  grep -h 'on node h2\|next_step=\|: done in' "$two/log"
  echo "cut $((cut - began)) s after the start, ended $ended_s s after the cut"
  echo "results of one rank, and as many of two hosts with the same SHA-256:"
  grep -E 'model\.h5|scores' "$scratch/expected"
fi
