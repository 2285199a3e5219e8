#!/usr/bin/env bash
# gradus predict: the scores of `evaluate`, bit for bit, from the model alone,
# on any number of ranks; and what it says of videos that it cannot score.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

# Nothing is as the defaults have it.
cat >"$scratch/job.yaml" <<'JOB'
job: small
work: run
stages:
  corpus:
    stage: synth
    subjects: 7
    videos_per_subject: 1
    seconds: 2
    fps: 10
    width: 160
    height: 128
  frames: {stage: extract, from: corpus, rate: 2.5, start: 0.3}
  faces: {stage: align, from: frames, size: 32, detector: found.h5, min_face: 66}
  model: {stage: train, from: faces, batch: 8, microbatch: 4, epochs: 1, depth: 18, hidden: 8}
  scores: {stage: evaluate, from: [model, faces], average: median, interval: 0.5}
JOB
mkdir "$scratch/a"
cp "$GRADUS_SOURCE/models/mtcnn-drawn.h5" "$scratch/a/found.h5"
expect 0 "$scratch/a" 1
cd "$scratch/a"
scores=$(run_directory "$scratch/a" scores)
model=$(run_directory "$scratch/a" model)/model.h5
corpus=$(run_directory "$scratch/a" corpus)

# The corpus is gone: what follows knows the model, the calibration, the videos.
mv "$corpus/videos" new
rm -r "$corpus" "$(run_directory "$scratch/a" frames)" \
  "$(run_directory "$scratch/a" faces)"
rm new/*.csv
mapfile -t ids < <(sed -n '2,$s/,.*//p' "$scores/predictions.csv")
[ "${#ids[@]}" -ge 2 ] || fail "too few test videos"
videos=()
for id in "${ids[@]}"; do
  videos+=("new/${id##*/}.avi")
done
tell=(--model "$model" --calibration "$scores/calibration.yaml"
  --detector found.h5)

# predict CODE NAME RANKS ARGUMENT... : NAME.out and NAME.err.
predict() {
  local code=0 expected=$1 name=$2 ranks=$3
  shift 3
  TMPDIR=$scratch mpirun --oversubscribe -q -n "$ranks" "$gradus" predict "$@" \
    >"$name.out" 2>"$name.err" || code=$?
  [ "$code" -eq "$expected" ] || {
    cat "$name.out" "$name.err"
    fail "exit code $code, expected $expected: predict $*"
  }
  ! compgen -G "$scratch/gradus-*" || fail "a temporary folder is left"
}
# has NAME TEXT : a text in what was said.
has() {
  grep -qF -e "$2" "$1.out" "$1.err" || {
    cat "$1.out" "$1.err"
    fail "no '$2'"
  }
}

predict 0 one 1 "${videos[@]}" "${tell[@]}" --work kept --out one --sheet
for id in "${ids[@]}"; do
  "$GRADUS_BUILD/tests/scores_equal" "$scores/scores.h5" "$id" \
    kept/predict-*/scores.h5 "new/${id##*/}.avi" || fail "$id: other scores"
done
has one "${videos[0]}: "
has one ', 50 % interval '
has one ', median of 5 frames'
[ "$(wc -l <one.out)" -eq "${#ids[@]}" ] || fail "not a line for each video"
[ "$(wc -l <one/frames.csv)" -eq $((5 * ${#ids[@]} + 1)) ] ||
  fail "not a row for each frame"
grep -qE "^${videos[0]},[0-9]+,0\.[0-9]+,detected,[0-9.]+,[0-9.]+$" \
  one/frames.csv || fail "frames.csv"
[ -s one/sheet.png ] || fail "no sheet"
# Nothing is done twice, and nothing is others' to read.
predict 0 again 1 "${videos[@]}" "${tell[@]}" --work kept
diff one.out again.out || fail "it says something else the second time"
[ -z "$(find one kept ! -type d -perm /077)" ] || fail "others may read it"

# What cannot be written costs no level.
mkdir -p full/predictions.csv
predict 1 full 1 "${videos[@]}" "${tell[@]}" --work kept --out full
diff one.out full.out || fail "levels are lost with a folder that is full"
has full 'predictions.csv: '

# A sheet that was not blurred is not passed on as one that is.
predict 0 sharp 1 "${videos[@]}" "${tell[@]}" --work kept --out sharp --sheet \
  --no-blur
[ -s sharp/sheet.png ] || fail "no sharp sheet"
! cmp -s one/sheet.png sharp/sheet.png || fail "the sheet is not blurred"
predict 0 blurred 1 "${videos[@]}" "${tell[@]}" --work kept --out sharp --sheet
cmp one/sheet.png sharp/sheet.png || fail "the sheet is not blurred again"

# On three ranks, in another order, beside videos that cannot be scored.
head -c 100 "${videos[0]}" >cut.avi
cat >tiny.yaml <<'JOB'
job: tiny
work: tiny
stages:
  corpus:
    {stage: synth, subjects: 3, videos_per_subject: 1, width: 64, height: 64}
JOB
"$gradus" run tiny.yaml 2>/dev/null || fail "no small faces"
# Whichever it is: no window of `min_face` fits its pictures.
faceless=$(find tiny -name '*.avi' | head -n 1)
bad=(cut.avi none.avi "$faceless")
predict 3 three 3 "${bad[@]}" "${videos[@]}" "${tell[@]}" --out three
diff one.out three.out || fail "another number of ranks says something else"
for csv in predictions.csv frames.csv; do
  [ -s "three/$csv" ] || fail "no $csv"
  diff "one/$csv" <(grep -vF "$faceless" "three/$csv") || fail "$csv differs"
done
has three 'gradus: error: cut.avi: '
has three 'gradus: error: none.avi: cannot open: No such file'
has three "gradus: error: $faceless: no face"
[ "$(grep -c 'error: ' three.err)" -eq 3 ] || fail "not one line for each"

# Without any video that has frames, or a face.
predict 3 none 2 cut.avi none.avi "${tell[@]}" --json
has none '{"video": "none.avi", "error": "none.avi: cannot open'
[ "$(wc -l <none.out)" -eq 2 ] || fail "not a line for each"
predict 3 faceless 1 "$faceless" "${tell[@]}"

# As JSON; and an interval that nobody has measured is not made up.
predict 0 json 1 "${videos[0]}" --model "$model" --detector found.h5 --json
has json '"low": null, "high": null, "interval": null'
has json '"frames": 5, "average": "mean"}'
predict 0 plain 1 "${videos[0]}" --model "$model" --detector found.h5
has plain 'no intervals: they have to be measured; --calibration takes'

# What a killed one has left, the next removes: see predict().
is_left=false
for try in 1 2 3 4 5; do
  TMPDIR=$scratch "$gradus" predict "${videos[@]}" "${tell[@]}" \
    >/dev/null 2>&1 &
  killed=$!
  until compgen -G "$scratch/gradus-*" >/dev/null || ! kill -0 "$killed"; do
    sleep 0.01
  done 2>/dev/null
  kill -9 "$killed" 2>/dev/null || true
  wait "$killed" || true
  if compgen -G "$scratch/gradus-*" >/dev/null; then
    is_left=true
    break
  fi
done
$is_left || fail "could not be killed in its middle, $try times"
predict 0 plain 1 "${videos[0]}" --model "$model" --detector found.h5

# Films: as long as what was sampled, and blurred unless one asks.
predict 0 film 2 "${videos[0]}" "${tell[@]}" --work kept --attention-video film
predict 0 sharp 1 "${videos[0]}" "${tell[@]}" --work kept \
  --attention-video sharp --no-blur
name="0001-${videos[0]##*/}.mp4"
for dir in film sharp; do
  [ -s "$dir/$name" ] || fail "no film in $dir"
  (echo "job: look"
    echo "work: look-$dir"
    echo "corpus: {layout: list, root: $dir.txt}"
    echo "stages: {frames: {stage: extract, from: corpus, every: 1}}") >"$dir.yaml"
  echo "$dir/$name" >"$dir.txt"
  "$gradus" run "$dir.yaml" 2>/dev/null || fail "$dir: no video"
  [ "$(awk '$1 == "frames:" { print $2 }' look-"$dir"/frames-*/report.yaml)" \
    -eq 5 ] || fail "$dir: not a picture for each face"
done
! cmp -s "film/$name" "sharp/$name" || fail "a film is not blurred"

# What can be known to be wrong is known at once.
predict 2 fault 2 "${videos[0]}"
has fault '--model is missing'
predict 2 fault 2 "${videos[0]}" --model "$model"
has fault 'name their file by --detector'
predict 2 fault 1 "${videos[0]}" --model "$model" --detector landmarks
has fault 'landmarks: is not the detector that found the faces'
predict 2 fault 1 "${videos[0]}" --model "$model" --sheet
has fault '--sheet: name a folder for it by --out'
predict 1 fault 1 "${videos[0]}" --model "${videos[0]}"
has fault 'no HDF5 file'
