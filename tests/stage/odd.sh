#!/usr/bin/env bash
# All odd and broken videos in one corpus, through the program: each ends as
# its list says, none changes another, on any number of ranks the same bytes.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

odd=$GRADUS_SHARED/real/video-odd
if [ ! -s "$odd/manifest.json" ]; then
  echo "SKIPPED: no odd videos in the shared data"
  exit 77
fi
mkdir "$scratch/corpus"
find "$odd" -type f ! -name manifest.json -exec cp -t "$scratch/corpus" {} +
{
  echo "video,label,subject,partition"
  find "$scratch/corpus" -type f -printf '%f,3,%f,train\n' | sort
} >"$scratch/labels.csv"
mv "$scratch/labels.csv" "$scratch/corpus/labels.csv"
# Damaged frames are kept: of one video there are no others.
cat >"$scratch/job.yaml" <<JOB
job: odd
work: run
corpus: {layout: table, root: "$scratch/corpus"}
stages:
  frames:
    {stage: extract, from: corpus, every: 10, shard_bytes: 1MiB, damaged: keep}
JOB

# The list, one video a line: what is expected, and the frames that are kept.
awk -F '"' '
  /"file":/ { file = $4 }
  /"expect":/ { expect[file] = $4 }
  /"every10_frames":/ { gsub(/[^0-9]/, "", $3); frames[file] = $3 }
  END { for (f in expect) print expect[f] "\t" frames[f] + 0 "\t" f }
' "$odd/manifest.json" | sort -t $'\t' -k 3 >"$scratch/list"
count() { # expected outcome
  grep -c "^$1	" "$scratch/list"
}

for ranks in 1 2 3 5; do
  expect 3 "$scratch/np$ranks" "$ranks"
  [ "$ranks" -eq 1 ] || same "$scratch/np1" "$scratch/np$ranks"
  # As many as are skipped may be: the same results stand.
  expect 0 "$scratch/np$ranks" "$ranks" \
    --set "frames.max_skipped=$(count reject)"
done

directory=$(run_directory "$scratch/np1" frames)
grep -q 'huge_dims_16000.avi: pictures of 16000 x 16000' \
  "$directory/report.yaml" || fail "the size that is too large is not told"
report=$directory/report.yaml
grep -q "^n_skipped: $(count reject)\$" "$report" ||
  fail "not $(count reject) skipped: $(cat "$report")"
frames=$(awk -F '\t' '{ n += $2 } END { print n }' <(grep -v '^reject' "$scratch/list"))
grep -q "^  frames: $frames\$" "$report" ||
  fail "not $frames frames: $(cat "$report")"

# What the list of videos says of each, and how many frames were kept.
table=$directory/videos.csv
while IFS=$'\t' read -r expected frames file; do
  id=${file%.*}
  read -r status kept < <(awk -F , -v id="$id" \
    '$1 == id { print $2, $13 + 0 }' "$table")
  case $expected:$status in
    ok:ok | ok_or_reject:ok) ;;
    partial:partial)
      grep -qF " warning $id: " "$directory/log.txt" ||
        fail "nothing is said of $file: $(cat "$directory/log.txt")"
      ;;
    reject:skipped)
      # The reason names the file and says more than an error code.
      frames=0
      grep -F "{item: \"$id\", reason: \"" "$report" | grep -qF "$file: " ||
        fail "$file is skipped without a reason: $(cat "$report")"
      ;;
    *) fail "$file: $status, expected $expected: $(cat "$table")" ;;
  esac
  [ "$kept" -eq "$frames" ] || fail "$file: $kept frames, expected $frames"
done <"$scratch/list"
"$gradus" check "$scratch/np1/run" >"$scratch/check" || fail "$(cat "$scratch/check")"
