#!/usr/bin/env bash
# MTCNN's published weights, in the three forms that groups have, become one and
# the same file; damaged and exchanged files are refused with their names.
set -euo pipefail
weights=$GRADUS_SHARED/reference/mtcnn/weights
if [ ! -r "$weights/pnet.pt" ]; then
  echo "SKIPPED: $weights is not there (set GRADUS_SHARED)"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
gradus() { "$GRADUS_BUILD/gradus" "$@"; }

gradus import mtcnn "$weights"/{p,r,o}net.pt --to pytorch.h5
gradus import mtcnn "$weights"/det{1,2,3}.caffemodel --to caffe.h5
gradus import mtcnn "$weights/mtcnn.safetensors" --to safetensors.h5
gradus import mtcnn "$weights/mtcnn.h5"
for file in caffe.h5 safetensors.h5 mtcnn.h5; do
  cmp pytorch.h5 "$file"
done
"$GRADUS_BUILD/tests/weights_equal" "$weights/mtcnn.h5" pytorch.h5
[ "$(stat -c %a pytorch.h5)" = 600 ]

refuses() { # exit code, what its reason must say, arguments
  local code=0 said
  said=$(gradus import "${@:3}" --to new.h5 2>&1) || code=$?
  if [ "$code" -ne "$1" ] || ! grep -qF -- "$2" <<<"$said"; then
    echo "import ${*:3}: ended with $code and said: $said" >&2
    exit 1
  fi
  [ ! -e new.h5 ] && [ ! -e new.h5.part ]
}
refuses 1 'r.pt: tensor conv1.weight is F32 (28, 3, 3, 3), expected F32 (10' \
  mtcnn "$(ln -s "$weights/rnet.pt" r.pt && echo r.pt)" "$weights"/{r,o}net.pt
refuses 2 'one file of all nets, or three' mtcnn "$weights"/{p,r}net.pt
refuses 2 "'vgg' is not a kind" vgg "$weights/pnet.pt"
refuses 1 'gone.pt' mtcnn gone.pt
head -c 5000 "$weights/det1.caffemodel" >cut.caffemodel
refuses 1 'cut.caffemodel: no model file of Caffe, or truncated' \
  mtcnn cut.caffemodel "$weights"/det{2,3}.caffemodel
if gradus import mtcnn "$weights/mtcnn.h5" 2>said; then
  echo "a file was overwritten" >&2
  exit 1
fi
grep -qF 'mtcnn.h5: exists' said
echo "all as expected"
