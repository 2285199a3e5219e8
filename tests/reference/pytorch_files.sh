#!/usr/bin/env bash
# Files that PyTorch itself writes, in both of its forms, hold the tensors that
# the same network has in safetensors; and a pickle that would run a program is
# refused, by name, without running it.
set -euo pipefail
python=/usr/bin/python3 # the distribution's, which has its packages
if ! "$python" -c 'import numpy, torch' 2>/dev/null; then
  echo "SKIPPED: python3-torch or python3-numpy is missing"
  exit 77
fi
equal=$GRADUS_BUILD/tests/weights_equal
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

"$python" - <<'PYTHON'
import collections, json, os, struct, torch, zipfile

torch.manual_seed(1)
net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 10, 3), torch.nn.PReLU(10), torch.nn.BatchNorm2d(10),
    torch.nn.Linear(10, 4))
state = net.state_dict()

def safetensors(tensors, path):
    header, data = {}, b""
    kinds = {torch.float32: "F32", torch.int64: "I64"}
    for name, t in tensors.items():
        raw = t.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": kinds[t.dtype], "shape": list(t.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)

safetensors(state, "flat.safetensors")
torch.save(state, "zip.pt")
torch.save(state, "legacy.pt", _use_new_zipfile_serialization=False)
torch.save(dict(state), "plain.pt", pickle_protocol=4)
safetensors({"state_dict." + k: v for k, v in state.items()},
            "nested.safetensors")
torch.save({"epoch": 3, "rate": 0.1, "state_dict": state, "note": None,
            "history": [1, 2.5, "x"]}, "nested.pth")

# Views of one storage, each from its own place in it.
whole = torch.arange(24, dtype=torch.float32)
views = collections.OrderedDict(a=whole[3:9].view(2, 3), b=whole[20:])
safetensors(views, "views.safetensors")
torch.save(views, "views.pt")
torch.save(views, "views_legacy.pt", _use_new_zipfile_serialization=False)

# Axes in another order are put back; values with holes between are refused.
turned = {"w": torch.arange(24, dtype=torch.float32).view(2, 3, 4)
                    .permute(2, 0, 1)}
safetensors(turned, "turned.safetensors")
torch.save(turned, "turned.pt")
torch.save({"w": torch.ones(3, 4)[:, ::2]}, "holes.pt")

class Evil:
    def __reduce__(self):
        return os.system, ("touch ran",)

torch.save({"w": torch.ones(2), "x": Evil()}, "evil.pt")
torch.save({"w": torch.ones(2), "x": Evil()}, "evil_legacy.pt",
           _use_new_zipfile_serialization=False)
torch.save(net, "whole_net.pt")
torch.save([1, 2], "list.pt")

# One list of a million pairs, which many dictionaries are made of.
pairs = b"\x80\x02K\x01K\x02\x86q\x00]q\x01(" + b"h\x00" * (1 << 20) + b"e"
many = b"ccollections\nOrderedDict\nh\x01\x85R" * 1000
with zipfile.ZipFile("many.pt", "w") as z:
    z.writestr("many/data.pkl", pairs + many + b".")
PYTHON

for file in zip.pt legacy.pt plain.pt; do
  "$equal" flat.safetensors "$file"
done
"$equal" nested.safetensors nested.pth
"$equal" views.safetensors views.pt
"$equal" views.safetensors views_legacy.pt
"$equal" turned.safetensors turned.pt

refuses() { # file, what its reason must say
  local said
  if said=$("$equal" "$1" "$1" 2>&1); then
    echo "$1: was read" >&2
    exit 1
  fi
  grep -qF -- "$2" <<<"$said" || {
    echo "$1: said: $said" >&2
    exit 1
  }
}
refuses evil.pt 'system`'
refuses evil_legacy.pt 'system`'
[ ! -e ran ]
refuses whole_net.pt 'save a state_dict'
refuses holes.pt 'tensor w do not lie side by side'
refuses list.pt 'pickle'
refuses many.pt 'more items than any network has'

# Damage anywhere ends in a reason, not in a crash.
for file in zip.pt legacy.pt; do
  size=$(stat -c %s "$file")
  for part in 10 30 60 90 99; do
    head -c $((size * part / 100)) "$file" >cut.pt
    refuses cut.pt cut.pt
  done
done
"$python" - "$equal" <<'PYTHON'
import random, subprocess, sys
random.seed(7)
for name in ("zip.pt", "legacy.pt"):
    whole = open(name, "rb").read()
    for _ in range(25):
        data = bytearray(whole)
        for _ in range(4):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        open("bad.pt", "wb").write(data)
        code = subprocess.run([sys.argv[1], "flat.safetensors", "bad.pt"],
                              capture_output=True).returncode
        assert code in (0, 1, 2), (name, code)
PYTHON
echo "all as expected"
