#!/usr/bin/env bash
# The demo's own manifest, cut to a size for tests: all three losses, the same
# bits on one, two and three ranks, and a table that has every row.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

cp "$GRADUS_SOURCE/jobs/demo.yaml" "$scratch/job.yaml"
cut=(--set work=run --set corpus.subjects=6 --set corpus.videos_per_subject=1
  --set corpus.seconds=0.4 --set faces.size=32 --set model.depth=18
  --set model.hidden=8 --set model.batch=6 --set model.microbatch=2
  --set model.epochs=1)
for ranks in 1 2 3; do
  expect 0 "$scratch/np$ranks" "$ranks" "${cut[@]}"
done
same "$scratch/np1" "$scratch/np2"
same "$scratch/np1" "$scratch/np3"
for name in model.h5 predictions.csv; do
  [ "$(grep -c "/$name\$" "$scratch/expected")" -eq 3 ] ||
    fail "not one $name for each loss"
done
for row in expectation softmax euclidean constant; do
  grep -q "^$row " "$scratch"/np2/run/report-*/table.txt ||
    fail "the table has no row $row"
done
