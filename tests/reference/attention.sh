#!/usr/bin/env bash
# Attention maps against Grad-CAM by PyTorch's hooks: torchvision's ResNet-50
# with the weights that `gradus export` wrote, the same faces, and the gradient
# of the level by what layer4 gives, for every head.
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
job: maps
work: run
stages:
  corpus: {stage: synth, subjects: 6, videos_per_subject: 1, seconds: 0.4, fps: 10,
           width: 96, height: 96}
  frames: {stage: extract, from: corpus, every: 2}
  faces: {stage: align, from: frames, size: 96}
  model: {stage: train, from: faces, batch: 6, microbatch: 3, hidden: 16,
          epochs: 1, optimizer.rate: 1e-3, select: last}
  scores: {stage: evaluate, from: [model, faces], attention: 6, blur: false,
           interval: 0}
sweep:
  model: {loss: [expectation, coral]}
JOB
"$GRADUS_BUILD/gradus" run job.yaml >log 2>&1 || { cat log; exit 1; }
for model in run/model-*; do
  "$GRADUS_BUILD/gradus" export --format pytorch-keys "$model/model.h5" \
    "$model/export.h5" >/dev/null
done

"$python" - <<'PYTHON'
import glob, h5py, numpy, re, torch, torchvision

torch.set_num_threads(1)
K = 64
levels = torch.arange(K).double()

class SharedOutput(torch.nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1, hidden))
        self.bias = torch.nn.Parameter(torch.zeros(K - 1))
    def forward(self, h):
        return h @ self.weight.T + self.bias

OUTPUTS = {"expectation": torch.nn.Linear(16, K),
           "euclidean": torch.nn.Linear(16, 1),
           "coral": SharedOutput(16),
           "corn": torch.nn.Linear(16, K - 1)}
LEVEL = {"expectation": lambda z: (torch.softmax(z, 1) * levels).sum(1),
         "euclidean": lambda z: z[:, 0],
         "coral": lambda z: torch.cummin(torch.sigmoid(z), 1).values.sum(1),
         "corn": lambda z: torch.cumprod(torch.sigmoid(z), 1).sum(1)}

def parameter(path, key):
    text = open(path + "/stage.yaml").read()
    return re.search(r"^  %s: (.*)$" % key, text, re.M).group(1)

def net_of(path, loss):
    net = torchvision.models.resnet50(weights=None)
    net.fc = torch.nn.Sequential(torch.nn.Linear(2048, 16), torch.nn.ReLU(),
                                 OUTPUTS[loss])
    file = h5py.File(path + "/export.h5", "r")
    state = {}
    file.visititems(lambda name, d: state.update(
        {name.replace("/", "."): torch.tensor(d[()])})
        if isinstance(d, h5py.Dataset) else None)
    missing, extra = net.load_state_dict(state, strict=False)
    assert not extra and all("num_batches" in m for m in missing), (missing,
                                                                    extra)
    return net.double().eval()

def grad_cam(net, loss, rgb):
    """Level, and sum_c a_c A_c before its ReLU, as Selvaraju et al. define."""
    kept = {}
    def forward(module, given, output):
        kept["A"] = output
        output.register_hook(lambda gradient: kept.update(dA=gradient))
    handle = net.layer4.register_forward_hook(forward)
    x = (torch.tensor(rgb).permute(2, 0, 1)[None].double() - 127.5) / 128
    level = LEVEL[loss](net(x))
    level.sum().backward()
    handle.remove()
    alpha = kept["dA"].mean((2, 3), keepdim=True)
    return level.item(), (alpha * kept["A"]).sum(1)[0].detach().numpy()

def correlation(a, b):
    return numpy.corrcoef(numpy.ravel(a), numpy.ravel(b))[0, 1]

faces = {}
for path in glob.glob("run/faces-*/faces-*.h5"):
    f = h5py.File(path, "r")
    for rgb, video, frame in zip(f["faces"], f["video"], f["frame_index"]):
        faces[video, frame] = rgb

seen = set()
for scores in sorted(glob.glob("run/scores-*")):
    found = h5py.File(scores + "/attention.h5", "r")
    loss = found.attrs["loss"]
    loss = loss.decode() if isinstance(loss, bytes) else loss
    model = next(m for m in glob.glob("run/model-*")
                 if parameter(m, "loss") == loss)
    net = net_of(model, loss)
    worst, off, pairs = 1, 0, []
    for i in range(len(found["map"])):
        key = found["video"][i], found["frame_index"][i]
        assert (found["face"][i] == faces[key]).all(), key
        level, wanted = grad_cam(net, loss, faces[key])
        assert abs(level - found["expected"][i]) < 1e-3, (level, key)
        worst = min(worst, correlation(found["map"][i], wanted))
        off = max(off, abs(found["map"][i] - wanted).max() / abs(wanted).max())
        pairs.append((numpy.maximum(found["map"][i], 0),
                      numpy.maximum(wanted, 0),
                      numpy.maximum(-found["map"][i], 0),
                      numpy.maximum(-wanted, 0)))
    up, want_up, down, want_down = map(numpy.array, zip(*pairs))
    rectified = min(correlation(a, b) for a, b in
                    ((up, want_up), (down, want_down)) if b.any())

    # The mean over the partition, from every face of it.
    s = h5py.File(scores + "/scores.h5", "r")
    means = []
    for video in s["video/video"]:
        mine = [grad_cam(net, loss, faces[video, frame])[1]
                for v, frame in zip(s["frame/video"], s["frame/frame_index"])
                if v == video]
        means.append(numpy.mean(mine, 0))
    mean = correlation(found["mean"], numpy.mean(means, 0))
    per_video = correlation(s["video/map"], means)
    print("%-12s %d maps of %s, correlation >= %.6f, rectified %.6f, largest "
          "difference %.1e; videos' means %.6f, mean map %.6f" %
          (loss, len(pairs), "x".join(map(str, found["map"].shape[1:])), worst,
           rectified, off, per_video, mean))
    assert min(worst, rectified, per_video, mean) > 0.999 and off < 1e-5
    seen.add(loss)
assert len(seen) == 2, seen
PYTHON
