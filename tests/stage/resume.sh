#!/usr/bin/env bash
# One training that everything happens to: it is asked to stop, its newest
# checkpoint is damaged, a rank is stopped for good, and it is killed at random
# moments, each time to go on with another number of ranks.  It ends with the
# files of a training that nobody disturbed.
#
#   GRADUS_KILLS=10 GRADUS_RANKS="2 5 1 16 3 4" GRADUS_EPOCHS=12 \
#     GRADUS_SEED=$RANDOM
#
# is the long version; the seed of the moments is printed.  On a machine that is
# busy otherwise, GRADUS_SILENCE=30 (s) lets slow ranks live.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

kills=${GRADUS_KILLS:-2}
epochs=${GRADUS_EPOCHS:-4}
read -ra ranks <<<"${GRADUS_RANKS:-5 1 4 2 3}"
seed=${GRADUS_SEED:-7}
RANDOM=$seed
echo "seed $seed, $kills kills, ranks ${ranks[*]}"
victim=$scratch/victim
sed -i "s/epochs: 2/epochs: $epochs/" "$scratch/job.yaml"

now_ms() { date +%s%3N; }

# The processes of mpirun's ranks.
ranks_of() {
  cat "/proc/$1/task"/*/children 2>/dev/null | tr ' ' '\n' | grep . || true
}

rank_number() {
  tr '\0' '\n' <"/proc/$1/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p'
}

checkpoints() {
  find "$victim/run" -path '*/model-*/checkpoint-*.h5' 2>/dev/null | sort
}

# Train on some ranks; $mpirun is the process to wait for.
begin() {
  : >"$victim/log"
  (start "$victim" "$1" --stage model) &
  mpirun=$!
}

# Wait until the command holds, or the training ends.
until_true() {
  while kill -0 "$mpirun" 2>/dev/null && ! "$@"; do
    sleep 0.01
  done
}
has_begun() { grep -q next_step= "$victim/log"; }
has_two() { [ "$(checkpoints | wc -l)" -ge 2 ]; }

# Wait for its end; it must be with this code, or "failure".  False if it ended
# well: it was quicker than we are.
ends_with() {
  local code=0
  wait "$mpirun" || code=$?
  [ "$code" -ne 0 ] || return 1
  [ "$1" = failure ] || [ "$code" = "$1" ] || {
    cat "$victim/log"
    fail "ended with $code, not $1"
  }
}

# Do it until it succeeds, each time from where the training stands now.
in_time() {
  local try
  cp -a "$victim" "$scratch/before"
  for try in 1 2 3 4 5 6 7 8 9 10; do
    if "$@"; then
      rm -rf "$scratch/before"
      return
    fi
    rm -rf "$victim"
    cp -a "$scratch/before" "$victim"
  done
  fail "$1: the training was quicker, $try times"
}

weights_of() {
  rm -f "$scratch/weights"
  "$gradus" export --format safetensors "$(run_directory "$1" model)/model.h5" \
    "$scratch/weights" >/dev/null
  sha256sum "$scratch/weights" | cut -d ' ' -f 1
}

expect 0 "$scratch/whole" 1
cp -a "$scratch/whole" "$victim"
rm -rf "$victim"/run/{model,scores,report}-*

# Asked to stop, by a signal to one rank.
ask_to_stop() {
  begin 2
  until_true has_two
  mapfile -t pids < <(ranks_of "$mpirun")
  [ ${#pids[@]} -ne 2 ] || kill -USR1 "${pids[1]}" 2>/dev/null || true
  ends_with 75
}
in_time ask_to_stop
echo "asked to stop: $(checkpoints | wc -l) checkpoints"

# The newest one is damaged: it is named, and the one before is used.
newest=$(checkpoints | tail -n 1)
at=$(($(stat -c %s "$newest") / 2))
printf 'damage' | dd of="$newest" bs=1 seek="$at" conv=notrunc status=none

# A rank that is stopped for good is named, and the run ends.
export GRADUS_WATCHDOG=${GRADUS_SILENCE:-15}
stop_a_rank() {
  number=
  begin 3
  until_true has_begun
  mapfile -t pids < <(ranks_of "$mpirun")
  if [ ${#pids[@]} -eq 3 ]; then
    stopped=${pids[$((RANDOM % 3))]}
    number=$(rank_number "$stopped") || true
    kill -STOP "$stopped" 2>/dev/null || true
  fi
  ends_with failure && [ -n "$number" ]
}
in_time stop_a_rank
grep -q "${newest##*/}.*damaged.*the checkpoint before is tried" "$victim/log" ||
  fail "the damaged checkpoint is not named: $(cat "$victim/log")"
grep -q 'next_epoch=1 next_step=1 ' "$victim/log" &&
  fail "training began anew: $(cat "$victim/log")"
grep -q "gradus: error: rank $number on .* has not been heard of" \
  "$victim/log" || fail "rank $number is not named: $(cat "$victim/log")"
grep 'gradus: error: ' "$victim/log" | grep -v ": rank $number on " &&
  fail "another rank than $number is named"
export GRADUS_WATCHDOG=100

# Killed at random moments: one rank, or all of them.
most_ms=${GRADUS_MOMENT:-1500}
for ((done = 0, try = 0; done < kills; try++)); do
  n=${ranks[$((try % ${#ranks[@]}))]}
  begin "$n"
  [ $((RANDOM % 4)) -eq 0 ] || until_true has_begun
  moment=$((RANDOM * most_ms / 32768))
  end=$(($(now_ms) + moment))
  while kill -0 "$mpirun" 2>/dev/null && [ "$(now_ms)" -lt "$end" ]; do
    sleep 0.01
  done
  mapfile -t pids < <(ranks_of "$mpirun")
  if [ ${#pids[@]} -gt 0 ]; then
    if [ $((RANDOM % 2)) -eq 0 ]; then
      pids=("${pids[$((RANDOM % ${#pids[@]}))]}")
    fi
    kill -9 "${pids[@]}" 2>/dev/null || true
  fi
  if wait "$mpirun"; then
    echo "$n ranks: had ended before it could be killed, all begins anew"
    rm -rf "$victim"/run/model-*
    continue
  fi
  done=$((done + 1))
  last=$(checkpoints | tail -n 1)
  echo "kill $done: $n ranks, ${#pids[@]} killed after $moment ms," \
    "newest is ${last##*/}"
done

expect 0 "$victim" 3
same "$scratch/whole" "$victim"
expected=$(weights_of "$scratch/whole")
found=$(weights_of "$victim")
[ "$expected" = "$found" ] || fail "weights $found, expected $expected"
echo "weights $found"
