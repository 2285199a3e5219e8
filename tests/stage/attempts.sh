#!/usr/bin/env bash
# Videos that bring their rank down, by a crash, by being killed and by
# computing for ever: each does so twice, then it is skipped with that reason;
# the other videos come out as if nothing had happened.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

# The program, but with a decoder that these bring down (support/fragile.c).
# They are larger than the others: frames of one size share shards.
fragile=$GRADUS_BUILD/tests/gradus_fragile
bad=(1-crash-decode 2-kill-decode 3-hang-decode 4-crash-index)

cat >"$scratch/draw.yaml" <<JOB
job: draw
work: $scratch/drawn
stages:
  corpus: {stage: synth, subjects: 3, videos_per_subject: 2, seconds: 1,
           width: 64, height: 64}
JOB
"$gradus" run "$scratch/draw.yaml" >/dev/null 2>&1 || fail "no corpus"
mv "$scratch"/drawn/corpus-* "$scratch/corpus"
"$gradus" synth "$scratch/large" --subjects 3 --videos-per-subject 1 \
  --seconds 1 >/dev/null
for name in "${bad[@]}"; do
  cp "$scratch/large/videos/s001_1.avi" "$scratch/corpus/videos/$name.avi"
  echo "videos/$name.avi,7,$name,train,talk" >>"$scratch/corpus/labels.csv"
done
cat >"$scratch/job.yaml" <<JOB
job: tiny
work: run
corpus: {layout: table, root: "$scratch/corpus"}
stages:
  frames: {stage: extract, from: corpus, every: 3, max_skipped: 4}
JOB

expect 0 "$scratch/whole" 2

victim=$scratch/victim
runs=0
code=1
while [ "$code" -ne 0 ]; do
  runs=$((runs + 1))
  [ "$runs" -le 12 ] || fail "still coming down: $(tail -n 30 "$victim/log")"
  code=0
  (gradus=$fragile GRADUS_WATCHDOG=10 start "$victim" 3) || code=$?
done
# A machine that is busy may silence a rank that did nothing wrong: one more run.
[ "$runs" -ge 9 ] || fail "$runs runs instead of two for each, and the last:
$(grep -E 'error:|came down|signal' "$victim/log")"

directory=$(run_directory "$victim" frames)
history=$directory/attempts.txt
for name in "${bad[@]}"; do
  [ "$(awk -F '\t' -v item="videos/$name" '$3 == item' "$history" | wc -l)" \
    -eq 2 ] || fail "$name did not fall twice: $(cat "$history")"
  grep -q "item: \"videos/$name\", reason: \".*brought a rank down twice" \
    "$directory/report.yaml" || fail "$name: $(cat "$directory/report.yaml")"
done
# Of the others, a rank on a busy machine may fall once, and is forgiven.
[ -z "$(cut -f 3 "$history" | grep -v '^videos/[1-4]-' | sort | uniq -d)" ] ||
  fail "others fell twice: $(cat "$history")"
grep -q '^n_skipped: 4$' "$directory/report.yaml" ||
  fail "not four are skipped: $(cat "$directory/report.yaml")"
[ -z "$(find "$directory" -name '*.attempt')" ] || fail "a note is left"

compared=0
for shard in "$scratch"/whole/run/frames-*/frames-*.h5; do
  grep -qaE 'crash-|kill-|hang-' "$shard" && continue
  compared=$((compared + 1))
  cmp "$shard" "$directory/${shard##*/}" || fail "other videos came out changed"
done
[ "$compared" -ge 1 ] || fail "no shard without a bad video"
"$gradus" check "$victim/run" >"$scratch/check" || fail "$(cat "$scratch/check")"
