#!/usr/bin/env bash
# Cases that are in no stored file: PyTorch computes their reference numbers here
# and now, and the checker compares both backends with them.
set -euo pipefail
oracle=$GRADUS_SHARED/reference/resnet50/make_resnet_oracle.py
python=/usr/bin/python3 # the distribution's, which has its packages
if [ ! -r "$oracle" ]; then
  echo "SKIPPED: $oracle is not there (set GRADUS_SHARED)"
  exit 77
fi
if ! "$python" -c 'import h5py, torch, torchvision' 2>/dev/null; then
  echo "SKIPPED: python3-torch, python3-torchvision or python3-h5py is missing"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$python" "$oracle" "$scratch/fresh.h5" --salt 271828 --batch 3 --size 64x96 \
  --stride-on 3x3 --loss expectation --optim sgd --steps 2
(cd "$scratch" && "$python" \
  "$GRADUS_SOURCE/tests/reference/make_basic_cases.py" "$oracle")
for backend in libxsmm openblas; do
  GRADUS_GEMM=$backend "$GRADUS_BUILD/tests/reference_resnet" \
    "$scratch/fresh.h5" "$scratch/basic18.h5"
done
"$GRADUS_BUILD/tests/reference_resnet" "$scratch/basic34.h5"
