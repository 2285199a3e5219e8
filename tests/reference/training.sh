#!/usr/bin/env bash
# Five epochs of a job against PyTorch: torchvision's ResNet-50 with the same
# head, the same initial weights, faces and order; the loss of every step agrees,
# and so do the gradients' norms.  Lines of JSON and TensorBoard's events tell
# the same as the CSV files.
#
# A training with the rate 0 leaves the initial weights in its model file.
set -euo pipefail
python=/usr/bin/python3 # the distribution's, which has its packages
if ! "$python" -c 'import h5py, torch, torchvision' 2>/dev/null; then
  echo "SKIPPED: python3-torch, python3-torchvision or python3-h5py is missing"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
cat >job.yaml <<'JOB'
job: curves
work: run
stages:
  corpus: {stage: synth, subjects: 6, videos_per_subject: 1, seconds: 2, fps: 10,
           width: 64, height: 64}
  frames: {stage: extract, from: corpus, every: 4}
  faces: {stage: align, from: frames, size: 32}
  model: {stage: train, from: faces, batch: 8, microbatch: 8, hidden: 16,
          flip: false, select: last}
sweep:
  model:
    zip:
      loss: [expectation, expectation, softmax, softmax, coral, coral]
      epochs: [1, 5, 1, 5, 1, 5]
      optimizer.kind: [adam, adam, sgd, sgd, adamw, adamw]
      optimizer.rate: [0, 1e-4, 0, 3e-3, 0, 1e-4]
      optimizer.weight_decay: [0, 0, 1e-4, 1e-4, 0.1, 0.1]
      clip: [0, 0, 2, 2, 0, 0]
JOB
"$GRADUS_BUILD/gradus" run job.yaml >log 2>&1 || { cat log; exit 1; }

PYTHONPATH="$GRADUS_SOURCE/tests/reference" PYTHONDONTWRITEBYTECODE=1 \
  "$python" - <<'PYTHON'
import csv, events, glob, h5py, json, re, sys, torch, torchvision
from torch.nn import functional as F

torch.set_num_threads(1)
K, BATCH, SEED = 64, 8, 1

# ---- the job's faces, and their order by include/gradus/random.h

faces, labels = [], []
for path in sorted(glob.glob("run/faces-*/faces-*.h5")):
    f = h5py.File(path, "r")
    train = [p == b"train" for p in f["videos/partition"][:]]
    for rgb, video in zip(f["faces"][:], f["video"][:]):
        if train[video]:
            faces.append(torch.tensor(rgb).permute(2, 0, 1).float())
            labels.append(f["videos/label"][int(video)])
x = (torch.stack(faces) - 127.5) / 128
y = torch.tensor(labels, dtype=torch.float32)
n = len(y)

MASK = (1 << 64) - 1
def mix(v):
    z = (v + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)

def order_of(epoch):
    start = mix(SEED)
    for name in 1, epoch, 0: # for order
        start = mix(start ^ name)
    order, draw = list(range(n)), 0
    for i in range(n - 1, 0, -1):
        bits = mix((start + 0x9E3779B97F4A7C15 * draw) & MASK)
        j, draw = (bits * (i + 1)) >> 64, draw + 1
        order[i], order[j] = order[j], order[i]
    return order

def steps_of(epoch):
    order = order_of(epoch)
    pieces = [order[i:i + BATCH] for i in range(0, n, BATCH)]
    if len(pieces[-1]) == 1 and len(pieces) > 1:
        pieces[-2:] = [pieces[-2] + pieces[-1]]
    return pieces

# ---- the same net in PyTorch

class SharedOutput(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1, hidden))
        self.bias = torch.nn.Parameter(torch.zeros(K - 1))
    def forward(self, h):
        return h @ self.weight.T + self.bias

def net_from(path, shared):
    file = h5py.File(path, "r")
    net = torchvision.models.resnet50(weights=None)
    output = SharedOutput(16) if shared else torch.nn.Linear(16, K)
    net.fc = torch.nn.Sequential(torch.nn.Linear(2048, 16), torch.nn.ReLU(),
                                 output)
    for name, parameter in net.named_parameters():
        parameter.data = torch.tensor(file["weights"][name][:])
    return net.train()

levels = torch.arange(K).float()
LOSSES = {
    "expectation": lambda z, y: F.mse_loss(
        (F.softmax(z, 1) * levels).sum(1), y) / 2,
    "softmax": lambda z, y: F.cross_entropy(z, y.long()),
    "coral": lambda z, y: F.binary_cross_entropy_with_logits(
        z, (y[:, None] > levels[:K - 1]).float(), reduction="sum") / len(y),
}
OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, lr=1e-4),
    "sgd": lambda p: torch.optim.SGD(p, lr=3e-3, momentum=0.9,
                                     weight_decay=1e-4),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-4, weight_decay=0.1),
}

models = {}
for path in glob.glob("run/model-*"):
    text = open(path + "/stage.yaml").read()
    get = lambda key: re.search(r"^  %s: (.*)$" % key, text, re.M).group(1)
    models[get("loss"), int(get("epochs"))] = (path, get("optimizer.kind"))

def same(a, b):
    return b is None and a == "" or abs(float(a) - b) <= 1e-6 * abs(b)

def check_journal(path):
    """All rows of both CSV files, in their order, in both other files."""
    lines = [json.loads(line) for line in open(path + "/metrics.jsonl")]
    told = events.read(path + "/events.out.tfevents.gradus")
    assert [line["step"] for line in lines] == [step for step, _ in told]
    steps = list(csv.DictReader(open(path + "/steps.csv")))
    epochs = list(csv.DictReader(open(path + "/metrics.csv")))
    for rows, lines_of in ((steps, [l for l in lines if l["split"] == "step"]),
                           (epochs, [l for l in lines if l["split"] != "step"])):
        assert len(rows) == len(lines_of)
        for row, line in zip(rows, lines_of):
            assert row.get("split", "step") == line["split"]
            for name in ("epoch", "step", "loss", "mae", "rmse", "rate"):
                assert same(row[name], line[name]), (name, row, line)
    for line, (_, values) in zip(lines, told):
        prefix = {"step": "train", "train": "epoch"}.get(line["split"], "dev")
        wanted = {f"{prefix}/{name}": line[name]
                  for name in ("loss", "mae", "rmse")
                  if line[name] is not None}
        if line["split"] == "step":
            wanted.update({"train/rate": line["rate"],
                           "train/gradient_norm": line["gradient_norm"],
                           "speed/images_per_s": line["images_per_s"],
                           "speed/exchanging": line["exchanging"],
                           "speed/waiting": line["waiting"]})
            assert line["images_per_s"] > 0 and 0 <= line["waiting"] <= 1
            assert 0 <= line["exchanging"] <= 1
        elif line["split"] == "train":
            wanted["epoch/images_per_s"] = line["images_per_s"]
        assert values.keys() == wanted.keys(), (values, wanted)
        for tag, value in values.items():
            assert same(value, wanted[tag]), (tag, value, wanted[tag])
    return [l["gradient_norm"] for l in lines if l["split"] == "step"]

failed = False
for loss in LOSSES:
    path, kind = models[loss, 5]
    net = net_from(models[loss, 1][0] + "/model.h5", loss == "coral")
    optimizer, wanted = OPTIMIZERS[kind](net.parameters()), []
    norms, wanted_norms = check_journal(path), []
    for epoch in range(5):
        for step in steps_of(epoch):
            optimizer.zero_grad()
            value = LOSSES[loss](net(x[step]), y[step])
            value.backward()
            wanted_norms.append(torch.nn.utils.clip_grad_norm_(
                net.parameters(), 2.0 if kind == "sgd" else 1e9).item())
            optimizer.step()
            wanted.append(value.item())
    rows = list(csv.DictReader(open(path + "/steps.csv")))
    found = [float(row["loss"]) for row in rows]
    assert len(found) == len(wanted), (len(found), len(wanted))
    off = [abs(a - b) / abs(b) for a, b in zip(found, wanted)]
    first = [o for o, row in zip(off, rows) if row["epoch"] == "1"]
    print("%-12s %-6s first epoch %.1e, all %.1e; loss %.4g to %.4g"
          % (loss, kind, max(first), max(off), found[0], found[-1]))
    off_norms = [abs(a - b) / b for a, b in zip(norms, wanted_norms)]
    print("%-12s %-6s gradient's norm: first step %.1e, first epoch %.1e"
          % (loss, kind, off_norms[0], max(off_norms[:len(first)])))
    failed |= max(first) > 1e-3 or max(off) > 5e-2
    failed |= len(norms) != len(wanted) or off_norms[0] > 1e-3
sys.exit(failed)
PYTHON
