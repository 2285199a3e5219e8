#!/usr/bin/env bash
# The detector's own manifest, cut to a size for tests: the same bits on one
# and two ranks, and weights that detection takes.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

cp "$GRADUS_SOURCE/jobs/detector.yaml" "$scratch/job.yaml"
cut=(--set work=run --set 'detector.images=[6, 3, 3]' --set detector.min_face=48)
for ranks in 1 2; do
  expect 0 "$scratch/np$ranks" "$ranks" "${cut[@]}"
done
same "$scratch/np1" "$scratch/np2"
for name in mtcnn.h5 metrics.csv score.csv; do
  grep -q "/$name\$" "$scratch/expected" || fail "no $name"
done
score="$(run_directory "$scratch/np1" detector)/score.csv"
! grep -i nan "$score" || fail "a field of score.csv should be empty"
"$gradus" check "$(run_directory "$scratch/np1" detector)/mtcnn.h5" >/dev/null ||
  fail "check refuses the weights"
"$gradus" detect --json --weights "$(run_directory "$scratch/np1" detector)/mtcnn.h5" \
  --min-face 40 "$GRADUS_SOURCE/docs/faces.png" | grep -q '"file": "faces.png"' ||
  fail "detect does not take the weights"
# Two images of one name have two pictures, or none.
mkdir "$scratch/left" "$scratch/right"
cp "$GRADUS_SOURCE/docs/faces.png" "$scratch/left"
cp "$GRADUS_SOURCE/docs/faces.png" "$scratch/right"
code=0
"$gradus" detect --weights drawn --draw "$scratch/drawn" \
  "$scratch"/{left,right}/faces.png 2>"$scratch/said" >"$scratch/found" || code=$?
[ "$code" -eq 2 ] || fail "two images of one name: exit code $code"
grep -q 'right/faces.png: their pictures would have one name' "$scratch/said" ||
  fail "no reason: $(cat "$scratch/said")"
{ [ ! -s "$scratch/found" ] && [ ! -e "$scratch/drawn" ]; } ||
  fail "faces were looked for"
# What ships is found from anywhere.
cd "$scratch"
"$gradus" detect --json --weights drawn "$GRADUS_SOURCE/docs/faces.png" |
  grep -q '"boxes": \[\[' || fail "no drawn face in docs/faces.png"
