#!/usr/bin/env bash
# A ResNet-50 in every format that groups have, and a ResNet-18 and 34 in
# PyTorch's, compute in gradus what they compute in PyTorch; what gradus exports,
# PyTorch takes and computes the same; and files that do not fit, or mean ill,
# are refused by the tensor or opcode.
set -euo pipefail
python=/usr/bin/python3 # the distribution's, which has its packages
if ! "$python" -c 'from importlib.util import find_spec as find
assert find("h5py") and find("torch") and find("torchvision")' 2>/dev/null; then
  echo "SKIPPED: python3-torch, python3-torchvision or python3-h5py is missing"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
gradus() { "$GRADUS_BUILD/gradus" "$@"; }
make_backbones() {
  "$python" "$GRADUS_SOURCE/tests/reference/make_backbones.py" "$@"
}
make_backbones make

# The same weights, whatever the file: the same model, bit for bit.
import_to() { # model, file, profile
  gradus import resnet "$2" --profile "$3" --to "$1" >said
}
import_to torchvision.h5 zip.pth torchvision
grep -qF 'a ResNet-50 without a head, 265 tensors' said
grep -qF 'left out: fc.bias, fc.weight' said
for file in legacy.pth net.safetensors; do
  import_to again.h5 "$file" torchvision
  cmp torchvision.h5 again.h5
  rm again.h5
done
gradus check torchvision.h5 >/dev/null
import_to vggface2-bgr.h5 net.caffemodel vggface2-bgr
import_to keras-vggface.h5 net.h5 keras-vggface
grep -qF 'pooling=valid conv1=same channels=BGR' said
for profile in torchvision vggface2-bgr keras-vggface; do
  "$GRADUS_BUILD/tests/backbone_logits" "$profile.h5" head.safetensors \
    images.u8 64 "$profile-model.h5" >"$profile.txt"
done

gradus export torchvision-model.h5 exported.safetensors >said
grep -qF 'a ResNet-50 with a head, 269 tensors' said
gradus export --format pytorch-keys torchvision-model.h5 exported_keys.h5 >said
gradus export --format keras torchvision-model.h5 exported_keras.h5 >said
for depth in 18 34; do
  import_to basic.h5 "basic$depth.pth" torchvision
  grep -qF "a ResNet-$depth without a head" said
  "$GRADUS_BUILD/tests/backbone_logits" basic.h5 "head$depth.safetensors" \
    images.u8 64 "basic$depth-model.h5" >"basic$depth.txt"
  gradus export "basic$depth-model.h5" "exported$depth.safetensors" >/dev/null
  rm basic.h5
done
import_to basic.h5 basic18.safetensors torchvision
if gradus export --format keras basic18-model.h5 no.h5 2>said || [ -e no.h5 ]; then
  echo "a ResNet-18 was exported by names that Keras has not" >&2
  exit 1
fi
grep -qF "no names for a ResNet-18's tensors" said
make_backbones compare
for file in exported_keys.h5 exported_keras.h5; do
  import_to again.h5 "$file" torchvision
  cmp torchvision.h5 again.h5
  rm again.h5
done

refuses() { # exit code, what its reason must say, file, options
  local code=0 said
  said=$(gradus import resnet "${@:3}" --to new.h5 2>&1) || code=$?
  if [ "$code" -ne "$1" ] || ! grep -qF -- "$2" <<<"$said"; then
    echo "import resnet ${*:3}: ended with $code and said: $said" >&2
    exit 1
  fi
  [ ! -e new.h5 ] && [ ! -e new.h5.part ]
}
as=(--profile torchvision)
refuses 2 'say it with --profile' zip.pth
refuses 2 "'resnet50' is no profile" zip.pth --profile resnet50
refuses 2 'one file' zip.pth zip.pth "${as[@]}"
refuses 2 'channels=GBR: takes RGB or BGR' zip.pth "${as[@]}" --set channels=GBR
refuses 2 'basic18.pth: a ResNet-18 has no 1x1 convolution to stride on' \
  basic18.pth --profile vggface2-bgr
gradus import resnet basic18.pth --profile vggface2-bgr --set stride=3x3 \
  --to again.h5 >said
grep -qF 'stride=3x3 epsilon=1e-05 pooling=ceil conv1=pad channels=BGR' said
rm again.h5
for file in missing.{pth,safetensors} missing_legacy.pth; do
  refuses 1 "$file: has no tensor layer1.0.bn1.weight" "$file" "${as[@]}"
done
refuses 1 'has no tensor conv2_1_1x1_reduce.bn.conv2_1_1x1_reduce.bn.gamma:0' \
  missing.h5 "${as[@]}"
refuses 1 'has no tensor model_weights.conv2_1_1x1_reduce.bn.gamma:0' \
  missing_once.h5 "${as[@]}"
refuses 1 'has no tensor conv2_1_1x1_reduce/bn/scale.0' missing.caffemodel \
  "${as[@]}"
refuses 1 'tensor conv1.weight is F32 (3, 64, 7, 7), expected F32 (64, 3' \
  shape.pth "${as[@]}"
refuses 1 'kernel:0 is F32 (7, 7, 64, 3), expected F32 (7, 7, 3, 64)' \
  shape.h5 "${as[@]}"
refuses 1 'tensor bn1.bias has a value that is not finite' nan.pth "${as[@]}"
refuses 1 'beta:0 has a value that is not finite' nan.h5 "${as[@]}"
refuses 1 'bn/scale.1 has a value that is not finite' nan.caffemodel \
  "${as[@]}"
refuses 1 'tensor bn1.weight is F16 (64)' half.safetensors "${as[@]}"
alter() { # the file's header or one value of a tensor, in place
  "$python" - "$@" <<'PYTHON'
import json, struct, sys
with open("net.safetensors", "r+b") as f:
    n = struct.unpack("<Q", f.read(8))[0]
    text = f.read(n)
    f.seek(8)
    f.write(text.replace(b'"fc.weight"', b'"se.weight"'))
    if len(sys.argv) > 1:
        f.seek(8 + n + json.loads(text)[sys.argv[1]]["data_offsets"][0])
        f.write(struct.pack("<f", -0.5))
PYTHON
}
alter
refuses 1 'tensor se.weight has no place in a ResNet-50' net.safetensors \
  "${as[@]}"
alter layer4.2.bn3.running_var
refuses 1 'tensor layer4.2.bn3.running_var has a variance below 0' \
  net.safetensors "${as[@]}"
refuses 2 "--prefix 'ema.' or --prefix 'model.'" two.pth "${as[@]}"
refuses 1 'has no tensor ema.layer1.0.bn1.weight' two.pth "${as[@]}" \
  --prefix ema.
refuses 1 'system`' evil.pth "${as[@]}"
refuses 1 'system`' evil_legacy.pth "${as[@]}"
[ ! -e ran ]
refuses 1 'truncated or damaged' cut.safetensors "${as[@]}"
refuses 1 'does not fit the file' long.safetensors "${as[@]}"
refuses 1 'cut.pth' cut.pth "${as[@]}"
refuses 1 'no model file of Caffe, or truncated' cut.caffemodel "${as[@]}"
refuses 1 'no HDF5 file, or truncated' cut.h5 "${as[@]}"
refuses 1 'the values of /conv1/7x7_s2/kernel:0 lie in another file' \
  external.h5 "${as[@]}"
refuses 1 'has no tensor conv1.7x7_s2.kernel:0' linked.h5 "${as[@]}"
refuses 1 '(for a ResNet-101)' deep.safetensors "${as[@]}"
refuses 2 'is a model of gradus already' torchvision.h5 "${as[@]}"
refuses 1 'holds no ResNet' head.safetensors "${as[@]}"

"$GRADUS_BUILD/tests/fuzz_import" 16 missing.{pth,safetensors,h5,caffemodel} \
  missing_legacy.pth
echo "all as expected"
