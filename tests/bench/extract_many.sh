#!/usr/bin/env bash
# Many small videos: what indexing, planning and extracting take for each as
# their number grows, and whether the number of files depends on that of ranks.
#
#   tests/bench/extract_many.sh [PROGRAM [NUMBER...]]
#
# PROGRAM is build/release/gradus; NUMBERs are 2500 5000 10000 20000.  The videos
# are links to a few drawn ones of five frames, in folders of 500.  Times are
# wall seconds of two ranks; the plan is made alone, before anything is stored.
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
  local n=$1 i folder root=$scratch/corpus-$1
  mkdir -p "$root"
  {
    echo "video,label,subject,partition"
    for ((i = 0; i < n; i++)); do
      printf '%03d/%05d.avi,%d,s%05d,train\n' $((i / 500)) "$i" $((i % 60)) "$i"
    done
  } >"$root/labels.csv"
  for ((i = 0; i < n; i++)); do
    printf -v folder '%s/%03d' "$root" $((i / 500))
    [ $((i % 500)) -ne 0 ] || mkdir "$folder"
    printf '%s\0%s/%05d.avi\0' "${clips[i % ${#clips[@]}]}" "$folder" "$i"
  done | xargs -0 -n 2 -P 2 ln
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
  mpirun --oversubscribe -n "$1" "$program" run "$2" --set "work=$3" \
    2>"$scratch/log" || {
    cat "$scratch/log"
    exit 1
  }
}

printf '%8s %10s %10s %12s %12s %8s\n' videos plan_s run_s \
  plan_us_each run_us_each files
for n in "${numbers[@]}"; do
  make_corpus "$n"
  job=$scratch/corpus-$n.yaml
  began=$(now)
  "$program" plan "$job" >"$scratch/plan"
  plan_s=$(since "$began")
  began=$(now)
  run 2 "$job" "$scratch/two"
  run_s=$(since "$began")
  files=$(find "$scratch/two" -type f | wc -l)
  printf '%8d %10s %10s %12.0f %12.0f %8d\n' "$n" "$plan_s" "$run_s" \
    "$(awk -v s="$plan_s" -v n="$n" 'BEGIN { print 1e6 * s / n }')" \
    "$(awk -v s="$run_s" -v n="$n" 'BEGIN { print 1e6 * s / n }')" "$files"
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
awk 'NR == 1 { each = $3 / $1 } { last = $3 / $1 }
  END { if (last > 2 * each) { print "not linear"; exit 1 } }' "$scratch/table"
