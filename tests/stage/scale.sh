#!/usr/bin/env bash
# A sweep of a thousand members, and a corpus of 20,000 videos: planned, told
# of and turned into scripts in seconds of the processor's time.  And 64 ranks on
# this machine, however few its cores: the results of one.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

members=1000
videos=20000
cd "$scratch"

# Ends a command that computes for longer: on a busy machine, clocks tell less.
quick() { # OUTPUT COMMAND...
  local out=$1
  shift
  (
    ulimit -t 5
    exec "$@" >"$out"
  ) || fail "$*: exit code $?: $(tail -n 3 "$out")"
}

says() { # FILE EXPRESSION
  grep -qE "$2" "$1" || fail "$1 does not say $2: $(tail -n 20 "$1")"
}

cp job.yaml sweep.yaml
printf 'sweep:\n  model: {seed: [%s]}\n' "$(seq -s , $members)" >>sweep.yaml
stages_in_all=$((4 + 2 * members))
quick plan "$gradus" plan sweep.yaml
says plan "^run +model\[\.\.\.\] +$members of $members members: never run"
says plan "^$stages_in_all stages in run: 0 done, $stages_in_all to run"
quick status "$gradus" status sweep.yaml
says status "^$stages_in_all stages in run: 0 done, $stages_in_all not run"
quick scripts "$gradus" submit --dry-run sweep.yaml
says scripts "$stages_in_all to submit in 6 scripts\$"
says scripts "^#SBATCH --array=0-$((members - 1))\$"
[ "$(grep -c '^==> sbatch' scripts)" -eq 6 ] || fail "not six scripts"

# Links to one file: folders of 25, copied 20 times, and that 40 times.
mkdir -p corpus/00/00
printf 'no video' >corpus/video
for i in {00..24}; do
  ln corpus/video "corpus/00/00/$i.avi"
done
for i in {01..19}; do
  cp -al corpus/00/00 "corpus/00/$i"
done
for i in {01..39}; do
  cp -al corpus/00 "corpus/$i"
done
awk -v n=$videos 'BEGIN {
  print "video,label,subject,partition"
  split("train,dev,test", of, ",")
  for (i = 0; i < n; i++)
    printf "%02d/%02d/%02d.avi,%d,s%05d,%s\n", i / 500, i / 25 % 20, i % 25,
      i % 60, i, of[i % 3 + 1]
}' >corpus/labels.csv
sed -e '/^  corpus:/,/height:/d' -e 's/^work: run/work: many/
  /^work:/a corpus: {layout: table, root: corpus}' sweep.yaml >many.yaml
quick plan "$gradus" plan many.yaml
says plan "table: $videos videos of $videos persons"
says plan "^run +scores\[\.\.\.\] +$members of $members members"
quick status "$gradus" status many.yaml
quick scripts "$gradus" submit --dry-run many.yaml
says scripts "to submit in 5 scripts\$"

# Extraction has more units than ranks, alignment has fewer; the corpus is one.
sed -e '/^  model:/,$d' -e 's/every: 4, shard_bytes: 16KiB/every: 1, shard_bytes: 4KiB/' \
  -e 's/subjects: 6/subjects: 36/; s/seconds: 2/seconds: 1/' job.yaml >few.yaml
mv few.yaml job.yaml
OMP_NUM_THREADS=1 expect 0 "$scratch/one" 1
mkdir -p "$scratch/many/run"
cp -a "$scratch/one/run/"corpus-* "$scratch/many/run"
OMP_NUM_THREADS=1 expect 0 "$scratch/many" 64
grep -q 'stage faces: align, ranks: 64,' "$scratch/many/log" ||
  fail "not 64 ranks: $(cat "$scratch/many/log")"
same "$scratch/one" "$scratch/many"
