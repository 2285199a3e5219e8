#!/usr/bin/env bash
# The same bits on one, two and three ranks, on two threads each, with and
# without hiding the exchange, and a finished job stays finished.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

export OMP_NUM_THREADS=1
expect 0 "$scratch/np1" 1
OMP_NUM_THREADS=2 expect 0 "$scratch/np2" 2
grep -q 'train, ranks: 2, threads each: 2' "$scratch/np2/log" ||
  fail "two threads were not taken: $(cat "$scratch/np2/log")"
GRADUS_OVERLAP=off expect 0 "$scratch/np3" 3
same "$scratch/np1" "$scratch/np2"
same "$scratch/np1" "$scratch/np3"
for name in faces.csv sheet.png model.h5 predictions.csv index.html; do
  grep -q "/$name\$" "$scratch/expected" || fail "the job made no $name"
done
for kind in svg png; do
  grep -q "/figures/expectation-reliability.$kind\$" "$scratch/expected" ||
    fail "the report has no $kind of its figures"
done

# What ranks on unlike processors cost is said before anything is computed.
if "$gradus" --version | grep 'backend: libxsmm' >/dev/null; then
  (cd "$scratch" && mpirun --oversubscribe \
    -n 2 "$gradus" run job.yaml --set work=unlike --stage corpus : \
    -n 1 -x LIBXSMM_TARGET=wsm \
    "$gradus" run job.yaml --set work=unlike --stage corpus) 2>"$scratch/said" ||
    fail "ranks on unlike processors: $(cat "$scratch/said")"
  grep -qE 'warning: rank 0 on .* by libxsmm for .*, rank 2 on .* for wsm: ' \
    "$scratch/said" || fail "no warning: $(cat "$scratch/said")"
fi
! grep 'computes by' "$scratch"/np?/log || fail "ranks alike are warned of"

# One report on two work directories: equal models do not differ.
(cd "$scratch" && "$gradus" report np1/run np2/run --to both) >"$scratch/both.txt"
for row in 'np1/run: expectation' 'np2/run: expectation' constant; do
  grep -q "^$row " "$scratch/both/table.txt" || fail "no row of $row"
done
grep -q '^np1/run: expectation,np2/run: expectation,0,' \
  "$scratch/both/tables/pairs.csv" ||
  fail "equal models differ: $(cat "$scratch/both/tables/pairs.csv")"
grep -q 'The same videos, persons and labels as np1/run' \
  "$scratch/both/index.html" || fail "the corpus was audited twice"

# A later report there removes what an earlier one has listed, and no other file.
both=$scratch/both
touch "$both"/figures/own.svg "$both"/tables/own.csv "$both"/own.txt
printf '%s\n' own.txt tables/../own.txt >>"$both/report-files.txt"
[ -f "$both/figures/np1-run-expectation-reliability.png" ] ||
  fail "no figure is named after np1/run: $(ls "$both/figures")"
(cd "$scratch" && "$gradus" report np2/run np3/run --to both) >/dev/null
for name in figures/own.svg tables/own.csv own.txt; do
  [ -f "$both/$name" ] || fail "a report removed a file of the user's: $name"
done
left=$(find "$both" -path '*/np1-run*')
[ -z "$left" ] || fail "files of an earlier report stay: $left"
[ "$(cd "$both" && find figures tables -type f ! -name 'own.*' | sort)" = \
  "$(sort "$both/report-files.txt")" ] ||
  fail "report-files.txt does not list what was written"

# The table has a line for each video; its counts are those of report.yaml.
faces=$(run_directory "$scratch/np1" faces)
[ "$(wc -l <"$faces/faces.csv")" -eq 7 ] || fail "faces.csv: not six videos"
frames=$(awk -F, 'NR > 1 {n += $2} END {print n}' "$faces/faces.csv")
grep -q "frames: $frames\$" "$faces/report.yaml" ||
  fail "faces.csv counts $frames frames: $(cat "$faces/report.yaml")"
[ "$(find "$faces" -name 'sheet-*.png' | wc -l)" -eq 6 ] ||
  fail "not every one of few videos has a sheet"

: >"$scratch/np2/log"
expect 0 "$scratch/np2" 2
[ "$(grep -c 'done before' "$scratch/np2/log")" -eq "${#stages[@]}" ] ||
  fail "a finished job was worked on again: $(cat "$scratch/np2/log")"
same "$scratch/np1" "$scratch/np2"
"$gradus" check "$scratch/np3/run" || fail "check finds fault with a whole job"

# A report that is made again is as whole as before, whatever it was then.
report=$(run_directory "$scratch/np3" report)
sed -i 's/^file [0-9]* \(.* index.html\)$/file 1 \1/' "$report/done"
if "$gradus" check "$report"; then
  fail "check does not read what $report/done says"
fi
"$gradus" report "$scratch/np3/run" >/dev/null
"$gradus" check "$report" || fail "check finds fault with a report made again"
