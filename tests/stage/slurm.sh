#!/usr/bin/env bash
# By a real Slurm of two nodes on this machine: a sweep that is interrupted,
# requeued and partly fails ends in the very results of one rank without Slurm.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

need_slurm

cat >>"$scratch/job.yaml" <<'JOB'
sweep:
  model: {seed: [1, 2]}
slurm:
  defaults: {nodes: 2, time: "00:30:00"}
JOB
# Long enough to be interrupted; a rank that is stopped shall stay so.
sed -i 's/checkpoint_every: 2/checkpoint_every: 1/; s/epochs: 2/epochs: 8/' \
  "$scratch/job.yaml"
export GRADUS_WATCHDOG=600
members=2
stages_in_all=$((4 + 2 * members))

# Nothing of its name may mean anything to bash, to sbatch or to a log's path.
cluster="$scratch/it's \$(touch canary) \`touch canary\` %a \"q\" #;"
mkdir "$cluster"
cd "$cluster"

# While the file `broken` is there, the second member fails as it begins.
cat >"$scratch/setup.sh" <<SETUP
[ ! -e "$scratch/broken" ] || [ "\${SLURM_ARRAY_TASK_ID-0}" -ne 1 ]
SETUP
printf 'launcher: srun\nsetup: %s\n' "$scratch/setup.sh" >"$scratch/srun.yaml"
printf 'launcher: mpirun\nlauncher_options: --oversubscribe\n' \
  >"$scratch/mpirun.yaml"

up=$("$GRADUS_SOURCE/slurm/local-cluster.sh" up --nodes 2 --cpus 4)
# shellcheck source=/dev/null
. "$up"
trap '"$GRADUS_SOURCE/slurm/local-cluster.sh" down || true; clean' EXIT

submit() {
  "$gradus" submit "$scratch/job.yaml" "$@" >"$scratch/submitted" ||
    fail "submit $*: $(cat "$scratch/submitted")"
}

status() {
  "$gradus" status "$scratch/job.yaml" >"$scratch/status"
}

# await SECONDS COMMAND... : until it holds, or fail with all that is known.
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      status || true
      cat "$scratch/status"
      tail -n 20 run/slurm/*.out
      fail "in vain: $*"
    fi
    sleep 0.2
  done
}

says() { # EXPRESSION : a line of `gradus status` matches
  status
  grep -qE "$1" "$scratch/status"
}

# Print the number of the job that was submitted for a stage.
job_of() {
  sed -nE "s/^job ([0-9]+) +$1(,.*)?\$/\1/p" "$scratch/submitted"
}

# Print how many jobs wait and run, and how many stages: "2 1".
in_squeue() {
  squeue -h -r -o %T | awk '$1 == "PENDING" { w++ } $1 == "RUNNING" { r++ }
    END { print w + 0, r + 0 }'
}
in_status() {
  awk '$1 == "queued" { w++ } $1 == "running" { r++ } END { print w + 0, r + 0 }' \
    "$scratch/status"
}

# As many stages wait and run as Slurm says, if it says the same before and
# after.  Between a stage's end and its job's, the two may differ.
agrees_with_squeue() {
  local before
  before=$(in_squeue)
  status
  [ "$(in_squeue)" = "$before" ] && [ "$(in_status)" = "$before" ]
}

has_begun() { # FOLDER TIMES : that often, and is at work
  [ ! -e "$1/done" ] &&
    [ "$({ grep 'next_step=' "$1/log.txt" 2>/dev/null || :; } | wc -l)" -ge "$2" ]
}

is_queued() { # MEMBER JOB
  says "^queued +model\[$1\].*Slurm job $2 waits"
}

# One rank without Slurm, meanwhile.
(expect 0 "$scratch/one" 1) &
one=$!

touch "$scratch/broken"
submit --site "$scratch/srun.yaml"
models=$(job_of model)
await 300 says '^not run +model\[seed=2\] .*no job|^failed +model\[seed=2\]|^stopped +model\[seed=2\]'
says '^(queued|running|done) +scores\[seed=1\]' || fail "a failed member holds another: $(cat "$scratch/status")"

# The time limit is near, in the middle of a step that takes long: the signal
# comes from Slurm itself, which looks every 30 s and counts in minutes.
first=$(sed -n 's/^member [^ ]* 0 \(model-.*\)/run\/\1/p' run/slurm/jobs.txt)
await 300 has_begun "$first" 1
scancel --signal=STOP "${models}_0"
# Back in the queue, it is to wait until this test looks at it again.
scontrol hold "${models}_0"
used=$(squeue -h -j "${models}_0" -o %M)
scontrol update "JobId=${models}_0" "TimeLimit=$((${used%:*} + 2))"
await 300 agrees_with_squeue
says '^running +model\[seed=1\].*, ([01]:[0-9]+|2:00) left' ||
  fail "not the time that is left: $(cat "$scratch/status")"
await 300 grep -q 'asked to stop' run/slurm/*model*-0.out
says '^running +model\[seed=1\]' || fail "it did not wait for its ranks"
scancel --signal=CONT "${models}_0"
await 300 is_queued seed=1 "${models}_0"
await 300 agrees_with_squeue
grep -q 'asked to stop' "$first/log.txt" || fail "it did not stop as asked"
scontrol update "JobId=${models}_0" TimeLimit=30

# What failed is added, by the other launcher; what waits is left alone.
rm "$scratch/broken"
submit --site "$scratch/mpirun.yaml"
grep -q "^job [0-9]* *model, an array of 1\$" "$scratch/submitted" ||
  fail "not one member anew: $(cat "$scratch/submitted")"
again=$(job_of model)
second=$(sed -n 's/^member [^ ]* 1 \(model-.*\)/run\/\1/p' \
  run/slurm/jobs.txt | tail -n 1)
await 300 has_begun "$second" 1
scontrol hold "${again}_1"
scontrol requeue "${again}_1"
await 300 agrees_with_squeue
submit --site "$scratch/mpirun.yaml"
grep -q ' 0 submitted ' "$scratch/submitted" ||
  fail "submitted twice: $(cat "$scratch/submitted")"

# Whoever signals a job reaches its ranks.
scontrol release "${models}_0"
await 300 has_begun "$first" 2
scancel --signal=TERM "${models}_0"
await 300 is_queued seed=1 "${models}_0"
await 300 agrees_with_squeue

# A node is lost with all that ran there, and comes back.
scontrol release "${again}_1"
await 300 has_begun "$second" 2
"$GRADUS_SOURCE/slurm/local-cluster.sh" crash node2
await 300 is_queued seed=2 "${again}_1"
"$GRADUS_SOURCE/slurm/local-cluster.sh" boot node2
await 300 agrees_with_squeue

await 300 says "^$stages_in_all stages in run: $stages_in_all done\$"
"$gradus" status --watch "$scratch/job.yaml" >/dev/null
wait "$one"
same "$scratch/one" "$cluster"
[ "$(grep -c 'back into the queue' run/slurm/*model*-0.out)" -ge 2 ] ||
  fail "the first member was not requeued twice"
[ -z "$(find "$scratch" -name canary)" ] || fail "a shell has read a name"
[ -z "$(find run/slurm -type f ! -perm 600)" ] || fail "others can read logs"

# 200 members that never start: one extraction, one alignment, a few seconds of
# computing.
scontrol update PartitionName=main State=DOWN
(
  ulimit -t 10
  submit --set work=many --set "sweep.model.seed=[$(seq -s , 200)]"
)
squeue -h -r -t PENDING -o %j | sed 's/-.*//' | sort | uniq -c | tr -s ' ' \
  >"$scratch/queued"
diff "$scratch/queued" - <<'END' || fail "not these jobs"
 1 tiny.corpus
 1 tiny.faces
 1 tiny.frames
 200 tiny.model
 1 tiny.report
 200 tiny.scores
END
