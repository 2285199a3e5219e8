#!/usr/bin/env bash
# compare.sh [PYTORCH_RESNET50.PY] -- gradus and PyTorch train and evaluate the
# same ResNet-50, in turns on the same cores; PyTorch in its best layout.
#
#   BATCHES (16 32), SIZE (224), THREADS (2), ROUNDS (3), STEPS (3 of a round)
#   MICROBATCH (16)   gradus's; a larger batch is computed in several, and its
#                     memory stands beside that of PyTorch's whole batch
#   PRECISIONS (fp32 bf16)
#
# Prints the medians of images per second, gradus's shares of the peak of fused
# multiply-adds (of what it computes, and of what the convolutions' definition
# would), and the peaks of memory; last the ratios of the largest batch.
# PyTorch's bf16 is its autocast.  Without instructions for bf16 both widen, and
# its ratios tell nothing about machines that have them.
set -euo pipefail
script=${1:-${GRADUS_SHARED:-../shared}/peers/pytorch_resnet50.py}
gradus=${GRADUS_BUILD:-build/release}/gradus
python=/usr/bin/python3
read -ra batches <<<"${BATCHES:-16 32}"
read -ra precisions <<<"${PRECISIONS:-fp32 bf16}"
size=${SIZE:-224} threads=${THREADS:-2} rounds=${ROUNDS:-3} steps=${STEPS:-3}
microbatch=${MICROBATCH:-16}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OMP_NUM_THREADS=$threads

median() { sort -g "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
ours() { # mode, batch, precision: images/s, two shares of the peak, megabytes
  local flag=(--precision "$3")
  [ "$1" = train ] || flag+=(--evaluate)
  [ "$2" -le "$microbatch" ] || flag+=(--microbatch "$microbatch")
  "$gradus" bench "${flag[@]}" --size "$size" --batch "$2" \
    --threads "$threads" --repeat "$steps" --json |
    "$python" -c 'import json, sys; b = json.load(sys.stdin)
print(b["images_per_s"], b["share_of_peak"], b["definition_share_of_peak"],
      b["peak_bytes"] / 1e6)'
}
theirs() { # mode, batch, precision: images/s, megabytes
  local flag=(--channels-last)
  [ "$3" = fp32 ] || flag+=(--bf16)
  "$python" "$script" "$1" "${flag[@]}" --size "$size" --batch "$2" \
    --threads "$threads" --repeat "$steps" |
    awk '{print $2, $NF}'
}

for precision in "${precisions[@]}"; do
  for batch in "${batches[@]}"; do
    for mode in train eval; do
      at=$scratch/$mode-$precision-$batch
      for ((i = 0; i < rounds; i++)); do
        read -r rate share whole megabytes \
          < <(ours "$mode" "$batch" "$precision")
        echo "$rate" >>"$at-ours" && echo "$share" >>"$at-share"
        echo "$whole" >>"$at-whole"
        echo "$megabytes" >>"$at-ours-mb"
        read -r rate megabytes < <(theirs "$mode" "$batch" "$precision")
        echo "$rate" >>"$at-theirs" && echo "$megabytes" >>"$at-theirs-mb"
      done
      printf '%s %s batch %d: gradus %.2f images/s (%.1f %% of peak, by definition %.1f %%, %.0f MB), PyTorch %.2f (%.0f MB)\n' \
        "$mode" "$precision" "$batch" "$(median "$at-ours")" \
        "$(median "$at-share" | awk '{print 100 * $1}')" \
        "$(median "$at-whole" | awk '{print 100 * $1}')" \
        "$(median "$at-ours-mb")" "$(median "$at-theirs")" "$(median "$at-theirs-mb")"
    done
  done
done
ratio() { awk -v a="$(median "$1")" -v b="$(median "$2")" 'BEGIN {printf "%.2f\n", a / b}'; }
last=${batches[-1]}
for precision in "${precisions[@]}"; do
  for mode in train eval; do
    at=$scratch/$mode-$precision-$last
    echo "ratio $mode $precision $(ratio "$at-ours" "$at-theirs")"
  done
done
for precision in "${precisions[@]}"; do
  at=$scratch/train-$precision-$last
  echo "memory train $precision $(ratio "$at-ours-mb" "$at-theirs-mb")"
done
