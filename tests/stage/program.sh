#!/usr/bin/env bash
# The program's manners: what goes to which stream, exit codes, suggestions.
set -uo pipefail
gradus=$GRADUS_BUILD/gradus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# Open MPI and its plugins keep memory until the end.
export ASAN_OPTIONS=detect_leaks=0:exitcode=99
bad=0

# expect CODE STREAM TEXT ARGUMENT... : exit code, and a text on a stream while
# the other one stays empty.
expect() {
  local code=$1 stream=$2 text=$3 other=out
  shift 3
  [ "$stream" = out ] && other=err
  "$gradus" "$@" >out 2>err
  local got=$?
  if [ "$got" -ne "$code" ]; then
    echo "gradus $*: exit code $got, expected $code"
    bad=1
  fi
  if ! grep -qF -e "$text" "$stream"; then
    echo "gradus $*: no '$text' on std$stream:"
    cat "$stream"
    bad=1
  fi
  if [ -s "$other" ]; then
    echo "gradus $*: std$other is not empty:"
    cat "$other"
    bad=1
  fi
}

cat >job.yaml <<'END'
job: small
stages:
  corpus: {stage: synth, subjects: 3, seconds: 0.4}
  frames: {stage: extract, from: corpus, evry: 5}
END
sed 's/evry/every/' job.yaml >good.yaml

expect 2 err 'commands:'
expect 0 out 'commands:' --help
expect 0 out 'commands:' help
expect 0 out 'GEMM backend: ' --version
expect 0 out 'libfyaml' --version
for command in run plan status check frames report synth predict help; do
  expect 0 out "usage: gradus $command" "$command" --help
  expect 0 out "usage: gradus $command" help "$command"
  expect 2 err "unknown option '--sett'" "$command" --sett
done
expect 0 out 'gradus predict --model FILE [--calibration FILE] [' help predict
expect 0 out 'gradus detect --weights FILE [' help detect
expect 2 err "unknown command 'stauts'; did you mean 'status'?" stauts
expect 2 err "did you mean '--dry-run'?" run --dry-rnu good.yaml
expect 2 err 'JOB is missing: gradus plan JOB' plan
expect 2 err 'PATH... is missing' check
expect 2 err "'b.yaml' is one word too many" status good.yaml b.yaml
expect 2 err "did you mean 'manifest'?" help manifset
expect 0 out 'optimizer.rate: a number from 0' help manifest
expect 0 out "| \`optimizer.rate\` |" help manifest --markdown

expect 0 out '6 videos in corpus, layout avec2014' synth corpus \
  --layout avec2014 --subjects 3 --videos-per-subject 1 --seconds 0.2
[ -s corpus/Testing/Freeform/003_1_Freeform_video.mp4 ] ||
  { echo "synth drew no AVEC tree"; bad=1; }
expect 2 err "--subjects: expected a number, got 'x'" synth corpus --subjects x
expect 2 err 'must be table, avec2013 or avec2014' synth corpus --layout avec

fault="job.yaml:4:42: error: unknown key 'evry' of 'extract'; did you mean 'every'?"
expect 2 err "$fault" plan job.yaml
expect 2 err "$fault" status job.yaml
expect 2 err "$fault" run job.yaml
[ "$(wc -l <err)" -eq 3 ] || { echo "a fault takes three lines"; cat err; bad=1; }
expect 2 err "no stage 'frame'; did you mean 'frames'?" plan good.yaml \
  --set frame.every=2
expect 2 err 'none.yaml: no such manifest' plan none.yaml
# What a moment may mend is no fault of the manifest; a file that never answers
# is this process's memory, where there is none.
faces='  faces: {stage: align, from: frames, detector: /proc/self/mem}'
{ cat good.yaml && echo "$faces"; } >busy.yaml
if [ -e /proc/self/mem ]; then
  expect 1 err 'busy.yaml:5:49: error: /proc/self/mem: cannot read: ' run busy.yaml
fi
expect 1 err 'nowhere' check nowhere
expect 0 out 'run      frames  never run' plan good.yaml
expect 0 out 'not run  frames' status good.yaml
expect 0 out '2 stages in else/where: 0 done, 2 to run' plan good.yaml \
  --set=work=else/where
if [ -e runs ] || [ -e else ]; then
  echo "plan made a directory"
  bad=1
fi

# How fast it is here, for people and for programs; 2 ranks share the step.
expect 0 out 'backward weights' bench --size 32 --batch 4 --repeat 1
expect 0 out '"mode": "evaluate"' bench --size 32 --batch 1 --repeat 1 \
  --evaluate --json
bf16=(bench --depth 18 --size 32 --batch 2 --repeat 1 --precision bf16)
GRADUS_BF16=tiles expect 0 out 'training, bf16 (tiles widened to fp32), ' "${bf16[@]}"
GRADUS_BF16=kernels expect 0 out 'training, bf16 (bf16 kernels' "${bf16[@]}"
GRADUS_BF16=quick expect 2 err 'GRADUS_BF16=quick: no such way' "${bf16[@]}"
expect 2 err "--precision: 'fp16' is no precision" bench --precision fp16
expect 2 err '--batch: expected a whole number' bench --batch none
expect 0 out 'layer4.1.conv2' bench --depth 18 --size 32 --batch 2 --repeat 1
expect 2 err 'there are 18, 34, 50, 101 and 152' bench --depth 20
expect 2 err 'multiples of 32' bench --size 100
expect 2 err 'evaluation exchanges nothing' bench --evaluate --ranks
expect 2 err 'no such backend' bench --backend mkl
mpirun -n 2 --oversubscribe "$gradus" bench --size 32 --batch 4 --repeat 1 \
  --threads 1 --json >out 2>err
grep -qF '"microbatch": 2, "ranks": 2, "threads": 1' out ||
  { echo "mpirun gradus bench"; cat out err; bad=1; }

mpirun -n 2 --oversubscribe "$gradus" bench --ranks --size 32 --batch 4 \
  --repeat 1 --threads 1 >out 2>err
for part in 'rank 0 sends 98.6 MB in 28 messages a step' 'hidden, a step takes'; do
  grep -qF "$part" out ||
    { echo "mpirun gradus bench --ranks: no '$part'"; cat out err; bad=1; }
done

mpirun -n 2 --oversubscribe "$gradus" bench --ranks --depth 18 --size 32 \
  --batch 4 --repeat 1 --threads 1 --json >out 2>err
for part in '{"mode": "ranks", "precision": "fp32"' '"depth": 18, "size": 32' \
  '"hidden": {'; do
  grep -qF "$part" out ||
    { echo "gradus bench --ranks --json: no '$part'"; cat out err; bad=1; }
done

# Nothing is lost in silence when the page has no place to go.
if [ -w /dev/full ]; then
  "$gradus" help >/dev/full 2>err
  [ $? -eq 1 ] || { echo "a full standard output is not noticed"; bad=1; }
fi

# A wrong manifest is one message, however many ranks read it.
mpirun -n 3 --oversubscribe "$gradus" run job.yaml >out 2>err
[ $? -eq 2 ] || { echo "mpirun gradus run: not exit code 2"; bad=1; }
[ "$(grep -cF "$fault" err)" -eq 1 ] ||
  { echo "mpirun gradus run: not one message"; cat err; bad=1; }

# A stage that is done stays done; what changed is named.
"$gradus" run good.yaml --stage corpus >out 2>err ||
  { echo "gradus run failed"; cat err; bad=1; }
expect 0 out 'done     corpus' plan good.yaml
expect 0 out 'seconds changed from 0.4 to 0.5' plan good.yaml \
  --set corpus.seconds=0.5
expect 0 out 'files checked, 0 bad' check runs/small
exit $bad
