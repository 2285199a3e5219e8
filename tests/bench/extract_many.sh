#!/usr/bin/env bash
# Many small videos: what indexing, planning and extracting take for each as
# their number grows, and whether the number of files depends on that of ranks.
#
#   tests/bench/extract_many.sh [PROGRAM [NUMBER...]]
#
# PROGRAM is build/release/gradus; NUMBERs are 2500 5000 10000 20000, multiples
# of 500.  The videos are links to a few drawn ones of five frames, in folders of
# 500.  Times are wall seconds of two ranks; plan, status and dry run are made
# alone, before anything is stored, the dry run is of `gradus run`.  The peak is
# rank 0's memory in extraction (GNU time tells it).
# Fails when a video in the largest corpus takes twice what it takes in the
# smallest.
set -euo pipefail

program=$(realpath "${1:-build/release/gradus}")
shift || true
numbers=("$@")
[ ${#numbers[@]} -gt 0 ] || numbers=(2500 5000 10000 20000)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_mpi_yield_when_idle=1

cat >"$scratch/draw.yaml" <<JOB
job: draw
work: $scratch/drawn
stages:
  corpus: {stage: synth, subjects: 8, videos_per_subject: 1, seconds: 0.5,
           fps: 10, width: 64, height: 64}
JOB
"$program" run "$scratch/draw.yaml" 2>"$scratch/log" || {
  cat "$scratch/log"
  exit 1
}
mapfile -t clips < <(find "$scratch/drawn" -path '*/videos/*.avi' | sort)

# make_corpus NUMBER : a corpus of links, and a job for it.
make_corpus() {
  local n=$1 i root=$scratch/corpus-$1
  mkdir -p "$root/000"
  {
    echo "video,label,subject,partition"
    for ((i = 0; i < n; i++)); do
      printf '%03d/%03d.avi,%d,s%05d,train\n' $((i / 500)) $((i % 500)) \
        $((i % 60)) "$i"
    done
  } >"$root/labels.csv"
  for ((i = 0; i < 500; i++)); do
    ln "${clips[i % ${#clips[@]}]}" "$(printf '%s/000/%03d.avi' "$root" "$i")"
  done
  for ((i = 1; i < n / 500; i++)); do
    cp -al "$root/000" "$(printf '%s/%03d' "$root" "$i")"
  done
  cat >"$root.yaml" <<JOB
job: many
work: $root-work
corpus: {layout: table, root: "$root"}
stages:
  frames: {stage: extract, from: corpus, every: 2}
JOB
}

now() { date +%s.%N; }
# since TIME : seconds that have passed.
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }
run() { # ranks, job, work directory
  # shellcheck disable=SC2016 # each rank's shell expands it
  mpirun --oversubscribe -n "$1" bash -c \
    'exec /usr/bin/time -f %M -o "$0.$OMPI_COMM_WORLD_RANK" "$@"' \
    "$scratch/peak_kb" "$program" run "$2" --set "work=$3" 2>"$scratch/log" || {
    cat "$scratch/log"
    exit 1
  }
}

row='%8s %8s %8s %8s %8s %12s %12s %8s %8s\n'
# shellcheck disable=SC2059 # the same for all lines
printf "$row" videos plan_s status_s dry_s run_s plan_us_each run_us_each files \
  peak_mb
for n in "${numbers[@]}"; do
  make_corpus "$n"
  job=$scratch/corpus-$n.yaml
  began=$(now)
  "$program" plan "$job" >"$scratch/plan"
  plan_s=$(since "$began")
  began=$(now)
  "$program" status "$job" >"$scratch/status"
  status_s=$(since "$began")
  began=$(now)
  "$program" run --dry-run "$job" >"$scratch/dry" 2>&1
  dry_s=$(since "$began")
  began=$(now)
  run 2 "$job" "$scratch/two"
  run_s=$(since "$began")
  files=$(find "$scratch/two" -type f | wc -l)
  # shellcheck disable=SC2059 # the same for all lines
  printf "$row" "$n" "$plan_s" "$status_s" "$dry_s" "$run_s" \
    "$(awk -v s="$plan_s" -v n="$n" 'BEGIN { print int(1e6 * s / n) }')" \
    "$(awk -v s="$run_s" -v n="$n" 'BEGIN { print int(1e6 * s / n) }')" "$files" \
    "$(($(cat "$scratch/peak_kb.0") / 1024))"
  echo "$n $plan_s $run_s" >>"$scratch/table"
  if [ "$n" = "${numbers[0]}" ]; then
    run 5 "$job" "$scratch/five"
    others=$(find "$scratch/five" -type f | wc -l)
    [ "$others" -eq "$files" ] || {
      echo "5 ranks made $others files, 2 made $files"
      exit 1
    }
  fi
  rm -rf "$scratch/two" "$scratch/five"
done
# Of fewer, a pause of the machine would be seen instead.
awk 'NR == 1 { each = $3 / $1 } { last = $3 / $1; n = $1 }
  END { if (n >= 2000 && last > 2 * each) { print "not linear"; exit 1 } }' \
  "$scratch/table"
