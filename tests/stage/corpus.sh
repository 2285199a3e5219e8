#!/usr/bin/env bash
# What can happen to a lab's videos: damaged, vanished, not readable, replaced
# between two runs.  All of it is found out and said, nothing stale is used.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

corpus=$scratch/corpus
"$gradus" synth "$corpus" --subjects 3 --videos-per-subject 2 --seconds 1 \
  >/dev/null
videos=$corpus/videos
cat >"$scratch/job.yaml" <<JOB
job: tiny
work: run
corpus: {layout: table, root: "$corpus"}
stages:
  frames: {stage: extract, from: corpus, every: 2}
  faces: {stage: align, from: frames, size: 32}
JOB

# count DIRECTORY STAGE NAME : a count of a stage's report.
count() {
  awk -v name="$3:" '$1 == name { print $2 }' "$1"/run/"$2"-*/report.yaml
}

# forecast DIRECTORY : what the plan says of videos and frames, by another step.
forecast() {
  mkdir -p "$1"
  (cd "$1" && "$gradus" plan "$scratch/job.yaml" --set frames.every=3) |
    grep '^frames .* videos, '
}

# Videos are opened, and later looked up; the plan says the same.
forecast "$scratch/whole" >"$scratch/opened"
expect 0 "$scratch/whole" 2
forecast "$scratch/whole" >"$scratch/stored"
diff "$scratch/opened" "$scratch/stored" || fail "plans differ"
grep -q '^frames   6 videos, .* kept' "$scratch/opened" || fail "not 6 videos"
all=$(count "$scratch/whole" faces frames)

# A shard that is gone is one to make: told as a run would see it.
(cd "$scratch/whole" && "$gradus" plan "$scratch/job.yaml") >"$scratch/plan"
! grep -q '^frames .* kept' "$scratch/plan" || fail "done, and yet planned"
rm "$scratch"/whole/run/frames-*/frames-00000.h5
(cd "$scratch/whole" && "$gradus" plan "$scratch/job.yaml") >"$scratch/plan"
grep -q '^partial *frames' "$scratch/plan" ||
  fail "a shard is gone: $(cat "$scratch/plan")"
grep -q '^frames .* kept' "$scratch/plan" ||
  fail "nothing is told of what is to be made: $(cat "$scratch/plan")"
expect 0 "$scratch/whole" 2
: >"$scratch/whole/log"
[ "$(count "$scratch/whole" frames frames)" -eq "$all" ] || fail "frames lack"

# What is odd about it is told once, and not at length.
cp "$corpus/labels.csv" "$scratch/labels.csv"
for _ in 1 2; do
  tail -n +2 "$scratch/labels.csv" >>"$corpus/labels.csv"
done
expect 0 "$scratch/odd" 2 --stage frames
mv "$scratch/labels.csv" "$corpus/labels.csv"
[ "$(grep -c 'warning: corpus: ' "$scratch/odd/log")" -eq 11 ] ||
  fail "not ten remarks and their rest: $(cat "$scratch/odd/log")"
grep -q 'corpus: 2 more remarks: gradus plan shows them' "$scratch/odd/log" ||
  fail "the rest of the remarks is not told of"

# Some bytes in the middle of one video: its damaged frames are stored, and by
# default nobody uses them.
cp -p "$videos/s001_1.avi" "$scratch/good.avi"
size=$(stat -c %s "$videos/s001_1.avi")
for part in 40 45 50; do
  head -c 60 /dev/zero | tr '\0' '\252' | dd of="$videos/s001_1.avi" bs=1 \
    seek=$((size * part / 100)) conv=notrunc status=none
done
expect 0 "$scratch/drop" 2
expect 0 "$scratch/keep" 2 --set frames.damaged=keep
damaged=$(count "$scratch/drop" frames damaged)
[ "$damaged" -ge 1 ] || fail "no frame is damaged"
[ "$(count "$scratch/keep" frames damaged)" -eq "$damaged" ] ||
  fail "keep and drop disagree on what is damaged"
kept=$(count "$scratch/keep" frames frames)
[ "$(count "$scratch/drop" frames frames)" -eq "$kept" ] ||
  fail "damaged frames are not stored with drop"
[ "$(count "$scratch/keep" faces frames)" -eq "$kept" ] ||
  fail "with keep, damaged frames are not used"
[ "$(count "$scratch/drop" faces frames)" -eq $((kept - damaged)) ] ||
  fail "with drop, damaged frames are used"
grep -q 'warning: .*s001_1: .*pictures damaged' "$scratch/drop/log" ||
  fail "nothing is said of the damage: $(cat "$scratch/drop/log")"

# A truncated video gives what is whole, and says how much is missing.
head -c $((size * 6 / 10)) "$scratch/good.avi" >"$videos/s001_1.avi"
expect 0 "$scratch/drop" 2
grep -qE 'warning: .*s001_1: only [0-9]+ of [0-9]+ announced frames are there' \
  "$scratch/drop/log" || fail "nothing is said of what is missing"

# The same size, other content, an older time: a new result, not the stale one.
cp -p "$scratch/good.avi" "$videos/s001_1.avi"
expect 0 "$scratch/whole" 2
[ "$(grep -c 'done before' "$scratch/whole/log")" -eq 2 ] ||
  fail "the corpus is the same again, its results are made anew"
cp -p "$scratch/good.avi" "$scratch/other.avi"
head -c 200 /dev/zero | tr '\0' '\125' | dd of="$scratch/other.avi" bs=1 \
  seek=$((size / 2)) conv=notrunc status=none
touch -d '2001-01-01' "$scratch/other.avi"
mv "$scratch/other.avi" "$videos/s001_1.avi"
(cd "$scratch/whole" && "$gradus" plan "$scratch/job.yaml") >"$scratch/plan"
grep -qE '^run +frames' "$scratch/plan" ||
  fail "a replaced video is not seen: $(cat "$scratch/plan")"
expect 0 "$scratch/whole" 2
expect 0 "$scratch/fresh" 1
for stage in frames faces; do
  newest=$(cd "$scratch/fresh/run" && echo "$stage"-*)
  for file in "$scratch/fresh/run/$newest"/*.h5; do
    cmp "$file" "$scratch/whole/run/$newest/${file##*/}" ||
      fail "a stale result was used"
  done
done
cp -p "$scratch/good.avi" "$videos/s001_1.avi"

# Another time alone: still done, but said.
expect 0 "$scratch/whole" 2
touch -r "$videos/s002_2.avi" "$scratch/time"
touch "$videos/s002_2.avi"
for command in plan status; do
  (cd "$scratch/whole" && "$gradus" "$command" "$scratch/job.yaml") \
    >"$scratch/page"
  grep -qE '^done +frames' "$scratch/page" || fail "a touch undoes results"
  grep -q '1 video has changed in time .*(videos/s002_2)' "$scratch/page" ||
    fail "$command does not tell of a touched video: $(cat "$scratch/page")"
done
: >"$scratch/whole/log"
expect 0 "$scratch/whole" 2
grep -q 'warning: .*changed in time' "$scratch/whole/log" ||
  fail "run does not tell of a touched video"
touch -r "$scratch/time" "$videos/s002_2.avi"

# Vanished: skipped with its name, and too many of them end with 3.
mv "$videos/s002_1.avi" "$scratch/away.avi"
expect 3 "$scratch/gone" 2
grep -q 's002_1.avi: cannot open: No such file' \
  "$scratch"/gone/run/frames-*/report.yaml || fail "the vanished is not named"
expect 0 "$scratch/gone" 2 --set frames.max_skipped=1
mv "$scratch/away.avi" "$videos/s002_1.avi"
expect 0 "$scratch/gone" 2

# No landmarks: the video is skipped, and has a line in the table all the same.
mv "$videos/s002_1.csv" "$scratch/away.csv"
expect 3 "$scratch/faceless" 2
grep -qE '^videos/s002_1,([0-9]+),0,0,0,\1,0,0,0,,,,,,,.*no landmark CSV' \
  "$scratch"/faceless/run/faces-*/faces.csv ||
  fail "faces.csv: $(cat "$scratch"/faceless/run/faces-*/faces.csv)"
mv "$scratch/away.csv" "$videos/s002_1.csv"

# A folder that may not be read, seen by one who is not root.
as_other=()
if [ "$(id -u)" -eq 0 ]; then
  command -v setpriv >/dev/null || {
    echo "SKIPPED: root may read everything, and there is no setpriv"
    exit 77
  }
  as_other=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
mkdir "$videos/closed" "$scratch/other"
mv "$videos/s003_1.avi" "$videos/closed/"
sed -i 's|videos/s003_1|videos/closed/s003_1|' "$corpus/labels.csv"
chmod 755 "$scratch"
chmod -R a+rX "$corpus"
chmod 777 "$scratch/other"
chmod 000 "$videos/closed"
cp "$gradus" "$scratch/gradus" # where another may reach it
chmod 755 "$scratch/gradus"
chmod 644 "$scratch/job.yaml"
"${as_other[@]}" test -r "$scratch/job.yaml" || {
  echo "SKIPPED: $scratch is not for others to see"
  exit 77
}
code=0
(
  cd "$scratch/other"
  "${as_other[@]}" env HOME="$scratch/other" TMPDIR="$scratch/other" \
    OMPI_MCA_orte_tmpdir_base="$scratch/other" \
    "$scratch/gradus" run "$scratch/job.yaml" >log 2>&1
) || code=$?
[ "$code" -eq 3 ] || fail "exit code $code: $(cat "$scratch/other/log")"
grep -q 'closed/s003_1.avi: cannot open: Permission denied' \
  "$scratch"/other/run/frames-*/report.yaml ||
  fail "the closed folder is not named: $(cat "$scratch/other/log")"
chmod 755 "$videos/closed"
