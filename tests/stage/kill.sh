#!/usr/bin/env bash
# kill -9 of one rank in the middle of each stage; then the same command again
# makes the same files as a run that nobody disturbed.
# shellcheck source=tests/stage/common.sh
. "$GRADUS_SOURCE/tests/stage/common.sh"

victim=$scratch/victim

# Print a rank's process below mpirun's, the last of them.
rank_of() {
  cat "/proc/$1/task"/*/children 2>/dev/null | tr ' ' '\n' | grep . | tail -n 1
}

# Has the stage begun to make results?
is_working() {
  local directory
  directory=$(run_directory "$victim" "$1")
  [ -n "$directory" ] && [ ! -e "$directory/done" ] &&
    [ -n "$(find "$directory" -type f \( -name '*.part' -o -name '*.h5' -o \
      -name '*.avi' -o -name '*.mp4' -o -name '*.csv' \) 2>/dev/null)" ]
}

# Start a stage on three ranks and kill one as soon as there is a first file.
# A stage that was quicker than we are is thrown away and tried again.
kill_in() {
  local stage=$1 mpirun rank try
  for ((try = 1; try <= 50; try++)); do
    (start "$victim" 3 --stage "$stage") &
    mpirun=$!
    while kill -0 "$mpirun" 2>/dev/null && ! is_working "$stage"; do
      sleep 0.002
    done
    rank=$(rank_of "$mpirun") || true
    if [ -n "$rank" ] && kill -9 "$rank" 2>/dev/null; then
      if ! wait "$mpirun"; then
        [ -e "$(run_directory "$victim" "$stage")/done" ] || return 0
      fi
    else
      wait "$mpirun" || true
    fi
    await_ranks "$victim"
    rm -rf "$(run_directory "$victim" "$stage")"
  done
  fail "stage $stage: could not be killed in its middle in 50 tries"
}

expect 0 "$scratch/whole" 1
for stage in "${stages[@]}"; do
  kill_in "$stage"
  echo "stage $stage: killed, $(find "$(run_directory "$victim" "$stage")" \
    -type f | wc -l) files left"
  # On another number of ranks than before.
  expect 0 "$victim" 2 --stage "$stage"
done
same "$scratch/whole" "$victim"
