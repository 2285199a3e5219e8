#!/usr/bin/env bash
# gradus frames: what was extracted is listed and shown, whatever the store.
set -uo pipefail
gradus=$GRADUS_BUILD/gradus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
# Open MPI and its plugins keep memory until the end.
export ASAN_OPTIONS=detect_leaks=0:exitcode=99
bad=0
fail() {
  echo "$*"
  bad=1
}

cat >job.yaml <<'END'
job: kept
work: runs
stages:
  corpus: {stage: synth, subjects: 3, seconds: 1.0}
  lossless: {stage: extract, from: corpus, every: 5}
  raw: {stage: extract, from: corpus, every: 5, store: raw}
  jpeg: {stage: extract, from: corpus, every: 5, store: jpeg, quality: 90}
END
"$gradus" run job.yaml >out 2>err || fail "run: $(cat err)"
"$gradus" check runs >out 2>err || fail "check: $(cat out err)"

for store in lossless raw jpeg; do
  "$gradus" frames runs/$store-* --png "$store" >"$store.csv" 2>err ||
    fail "frames $store: $(cat err)"
  [ "$(head -1 "$store.csv")" = "video,frame,time_s,status" ] ||
    fail "$store: no head"
done
n=$(($(wc -l <lossless.csv) - 1))
[ "$n" -ge 10 ] || fail "only $n frames"
[ "$(find lossless -name '*.png' | wc -l)" -eq "$n" ] || fail "not all images"
[ -z "$(find lossless -name '*.png' ! -perm 600)" ] || fail "images of all"
cmp -s lossless.csv raw.csv || fail "another list for raw"
cmp -s lossless.csv jpeg.csv || fail "another list for jpeg"
diff -r lossless raw >out || fail "lossless is not raw: $(head -3 out)"
diff -qr lossless jpeg >/dev/null
[ $? -eq 1 ] || fail "jpeg without any loss"
size() { du -cb "$@" | tail -1 | cut -f1; }
[ "$(size runs/lossless-*/frames-*.h5)" -lt "$(size runs/raw-*/frames-*.h5)" ] ||
  fail "lossless is larger than raw"

# A part of them; one shard alone; and what cannot be.
shard=$(find runs/lossless-* -name 'frames-*.h5' | sort | head -1)
"$gradus" frames "$shard" >part.csv 2>err || fail "one shard: $(cat err)"
"$gradus" frames runs/lossless-* --first 3 --count 4 --png some >some.csv 2>err
sed -n '5,8p' lossless.csv | cmp -s - <(tail -n +2 some.csv) ||
  fail "not frames 3 to 6"
[ "$(find some -name '*.png' | wc -l)" -eq 4 ] || fail "not four images"
"$gradus" frames "$shard" --first x >out 2>err
[ $? -eq 2 ] || fail "--first x is no usage error"
"$gradus" frames nowhere.h5 >out 2>err
[ $? -eq 1 ] || fail "nowhere.h5 does not fail"
grep -q nowhere.h5 err || fail "nowhere.h5: $(cat err)"

# Shards of another plan, as after a video was repaired that could not be
# indexed: they go, and what is made is what a first run makes.
raw=$(echo runs/raw-*)
sha256sum "$raw"/frames-*.h5 "$raw/plan" >before
cp "$shard" "$raw/frames-00099.h5"
echo other >"$raw/plan"
rm "$raw/done"
"$gradus" run job.yaml >out 2>err || fail "run again: $(cat err)"
grep -q 'extracted anew' err || fail "another plan: $(cat err)"
sha256sum --quiet -c before || fail "another plan changed the frames"
[ ! -e "$raw/frames-00099.h5" ] || fail "a shard of another plan is left"

printf x | dd of="$shard" bs=1 seek=3000 conv=notrunc 2>/dev/null
"$gradus" frames "$shard" --png other >out 2>err && "$gradus" check "$shard" \
  >out 2>err && fail "a changed shard is not noticed"
exit $bad
