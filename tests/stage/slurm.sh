#!/usr/bin/env bash
# By a real Slurm of two nodes on this machine: a sweep that is interrupted,
# requeued and partly fails ends in the very results of one rank without Slurm.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

PATH=$PATH:/usr/sbin:/sbin
for program in slurmctld slurmd munged sbatch; do
  if ! command -v "$program" >/dev/null; then
    echo "SKIPPED: no $program: apt-get install slurm-wlm munge"
    exit 77
  fi
done

cat >>"$scratch/job.yaml" <<'JOB'
sweep:
  model: {seed: [1, 2]}
slurm:
  defaults: {nodes: 2, time: "00:30:00"}
JOB
sed -i 's/epochs: 2/epochs: 1/; s/checkpoint_every: 2/checkpoint_every: 1/' \
  "$scratch/job.yaml"
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
trap '"$GRADUS_SOURCE/slurm/local-cluster.sh" down; rm -rf "$scratch"' EXIT

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

# As many stages wait as Slurm says, if it says the same before and after.
agrees_with_squeue() {
  local before found
  before=$(squeue -h -r -t PENDING | wc -l)
  status
  [ "$(squeue -h -r -t PENDING | wc -l)" -eq "$before" ] || return 1
  found=$(grep -cE '^queued ' "$scratch/status" || true)
  [ "$found" -eq "$before" ] || fail "$before wait, not $found:
$(cat "$scratch/status")"
}

is_training() { # FOLDER
  [ ! -e "$1/done" ] && grep -q 'next_step=1 ' "$1/log.txt" 2>/dev/null
}

# One rank without Slurm, meanwhile.
(expect 0 "$scratch/one" 1) &
one=$!

touch "$scratch/broken"
submit --site "$scratch/srun.yaml"
models=$(job_of model)
await 60 says '^not run +model\[seed=2\] .*no job|^failed +model\[seed=2\]|^stopped +model\[seed=2\]'
says '^(queued|done) +scores\[seed=1\]' || fail "a failed member holds another: $(cat "$scratch/status")"

# As when the time limit is near: the script hears it, and passes it on.
first=$(sed -n 's/^member [^ ]* 0 \(model-.*\)/run\/\1/p' run/slurm/jobs.txt)
await 60 is_training "$first"
await 20 agrees_with_squeue
scancel --batch --signal=USR1 "${models}_0"
await 60 says "^queued +model\[seed=1\].*Slurm job ${models}_0 waits"
grep -q 'asked to stop' "$first/log.txt" || fail "it did not stop as asked"

# What failed is added, by the other launcher; what waits is left alone.
rm "$scratch/broken"
submit --site "$scratch/mpirun.yaml"
grep -q "^job [0-9]* *model, an array of 1\$" "$scratch/submitted" ||
  fail "not one member anew: $(cat "$scratch/submitted")"
again=$(job_of model)
second=$(sed -n 's/^member [^ ]* 1 \(model-.*\)/run\/\1/p' \
  run/slurm/jobs.txt | tail -n 1)
await 60 is_training "$second"
scontrol requeue "${again}_1"
submit --site "$scratch/mpirun.yaml"
grep -q ' 0 submitted ' "$scratch/submitted" ||
  fail "submitted twice: $(cat "$scratch/submitted")"

await 200 says "^$stages_in_all stages in run: $stages_in_all done\$"
"$gradus" status --watch "$scratch/job.yaml" >/dev/null
wait "$one"
same "$scratch/one" "$cluster"
[ "$(grep -c 'SLURM\|back into the queue' run/slurm/*model*-0.out)" -eq 1 ] ||
  fail "the first member was not requeued once"
[ -z "$(find "$scratch" -name canary)" ] || fail "a shell has read a name"
[ -z "$(find run/slurm -type f ! -perm 600)" ] || fail "others can read logs"

# 200 members that never start: one extraction, one alignment, a few seconds.
scontrol update PartitionName=main State=DOWN
began=$SECONDS
submit --set work=many --set "sweep.model.seed=[$(seq -s , 200)]"
[ $((SECONDS - began)) -le 10 ] || fail "submitting took $((SECONDS - began)) s"
squeue -h -r -o %j | sed 's/-.*//' | sort | uniq -c | tr -s ' ' \
  >"$scratch/queued"
diff "$scratch/queued" - <<'END' || fail "not these jobs"
 1 tiny.corpus
 1 tiny.faces
 1 tiny.frames
 200 tiny.model
 1 tiny.report
 200 tiny.scores
END
