#!/usr/bin/env bash
# Every shell script is clean for shellcheck.
set -euo pipefail
cd "$GRADUS_SOURCE"
if ! command -v shellcheck >/dev/null; then
  echo "SKIPPED: shellcheck is not installed"
  exit 77
fi
mapfile -t scripts < <(
  printf '%s\n' bootstrap .ci/run
  find tests slurm src -name '*.sh' -o -name '*.sbatch'
)
shellcheck "${scripts[@]}"
