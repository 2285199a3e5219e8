#!/usr/bin/env bash
# The manifests for AVEC on drawn trees of the same names, and cross-validation:
# cut to a size for tests, as their comments say, they run to their tables.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

export VGGFACE2=
cut=(--set faces.size=32 --set model.depth=18 --set model.hidden=8
  --set model.batch=6 --set model.microbatch=2 --set model.epochs=1)
for year in 2013 2014; do
  "$gradus" synth "$scratch/drawn$year" --layout "avec$year" --subjects 6 \
    --videos-per-subject 1 --seconds 0.4 >/dev/null
done

# job NAME : the house's manifest of that name is what is run next.
job() {
  cp "$GRADUS_SOURCE/jobs/$1.yaml" "$scratch/job.yaml"
}

# has FILE TEXT... : every text is in the file.
has() {
  local file=$1 text
  shift
  for text in "$@"; do
    grep -qF -- "$text" "$file" || {
      cat "$file"
      fail "$file lacks: $text"
    }
  done
}

# The paper's table: three losses, mean and deviation over seeds, beside the
# published rows.
job table1
export WORK=run LAYOUT=avec2013 CORPUS=$scratch/drawn2013 EVERY=5
(cd "$scratch" && "$gradus" plan job.yaml --set faces.detector=landmarks) \
  >"$scratch/plan"
has "$scratch/plan" 'corpus   avec2013: 6 videos of 6 persons' \
  'label files with carriage returns' '0 of 1 test persons are also in'
expect 0 "$scratch/table1" 2 "${cut[@]}" --set faces.detector=landmarks \
  --set work=run --set 'sweep.model.seed=1..2'
tables=$(ls -d "$scratch"/table1/run/report-*/tables)
number='[0-9]*\.[0-9][0-9]'
for loss in softmax euclidean expectation; do
  grep -qE "^ *$loss & this job, per video & $number \\\$.pm\\\$ $number & " \
    "$tables/published.tex" ||
    fail "no row of $loss: $(cat "$tables/published.tex")"
done
has "$tables/published.tex" \
  'ResNet-50, expectation (de Melo) & published & 8.25 & 6.30' '\bottomrule'
has "$tables/seeds-per-video.csv" 'softmax,2,'
has "$tables/../table.txt" 'median' 'softmax, seed 2' 'over seeds'

# One model by the paper's settings: both protocols are named, and both tasks.
job avec2014
export AVEC2014=$scratch/drawn2014
expect 0 "$scratch/avec2014" 2 "${cut[@]}" --set faces.detector=landmarks \
  --set frames.every=5
has "$scratch"/avec2014/run/report-*/tables/published.csv \
  'four DCNN (Zhou),published,8.39,6.21' 'expectation,"this job, per video",' \
  'expectation,"this job, per session",'
has "$scratch"/avec2014/run/report-*/table.txt 'per video' 'per session'
has "$scratch"/avec2014/run/report-*/results.csv ',video,Freeform,1,' \
  ',video,Northwind,1,'

# Folds: each person is tested once, and the pooled row has them all.
job cross-validation
folds=(--set work=run --set corpus.subjects=6 --set corpus.videos_per_subject=1
  --set corpus.seconds=0.4 --set model.folds=3 --set 'sweep.model.fold=1..3')
expect 0 "$scratch/folds" 2 "${cut[@]}" "${folds[@]}"
tested=$(cat "$scratch"/folds/run/scores-*/predictions.csv | grep -v '^video,' |
  cut -d, -f1 | sort)
for count in "$(uniq <<<"$tested" | wc -l)" "$(wc -l <<<"$tested")"; do
  [ "$count" -eq 6 ] || fail "not every video is tested once: $tested"
done
has "$scratch"/folds/run/report-*/results.csv 'expectation,test,video,,6,6,'
has "$scratch"/folds/run/report-*/tables/folds.csv '"expectation, fold 3",2,'
