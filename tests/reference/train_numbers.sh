#!/usr/bin/env bash
# Losses and optimisers against PyTorch: autograd of the formulas on random
# outputs, and the trajectories of torch.optim.
set -euo pipefail
python=/usr/bin/python3 # the distribution's, which has its packages
if ! "$python" -c 'import torch' 2>/dev/null; then
  echo "SKIPPED: python3-torch is missing"
  exit 77
fi
"$python" - "$GRADUS_BUILD/tests/train_numbers" <<'PYTHON'
import subprocess, sys, torch
from torch.nn import functional as F

torch.manual_seed(1)
torch.set_num_threads(1)
K, N, MISSES = 64, 9, []

def ours(arguments, *tensors):
    text = "\n".join("%.9g" % v for t in tensors for v in t.flatten().tolist())
    out = subprocess.run([sys.argv[1]] + [str(a) for a in arguments], text=True,
                         input=text, stdout=subprocess.PIPE, check=True).stdout
    return torch.tensor([float(v) for v in out.split()], dtype=torch.float64)

def compare(what, found, wanted, tolerance):
    most = ((found - wanted).abs() / (1 + wanted.abs())).max().item()
    if not most <= tolerance:
        MISSES.append("%s: off by %.2g, allowed %.2g" % (what, most, tolerance))
    return most

# ---- losses: mean over the batch, in double

k = torch.arange(K, dtype=torch.float64)
def mean(z):
    return (F.softmax(z, 1) * k).sum(1)
def gaussian(y):
    return F.softmax(-(k - y[:, None]) ** 2 / (2 * 2.0 ** 2), 1)
def kl(z, y):
    return F.kl_div(F.log_softmax(z, 1), gaussian(y), reduction="batchmean")
def variance(z):
    return (F.softmax(z, 1) * (k - mean(z)[:, None]) ** 2).sum(1)
def above(y):
    return (y[:, None] > k[:K - 1]).double()
def corn(z, y):
    total = 0
    for j in range(K - 1):
        asked = y > j - 1
        total = total + F.binary_cross_entropy_with_logits(
            z[asked, j], (y[asked] > j).double(), reduction="sum")
    return total / N
def balanced(z, y):
    levels, inverse, counts = y.unique(return_inverse=True, return_counts=True)
    weight = N / (len(levels) * counts[inverse].double())
    return (weight * (z[:, 0] - y) ** 2).mean() / 2

LOSSES = {
    "expectation": lambda z, y: F.mse_loss(mean(z), y) / 2,
    "softmax": lambda z, y: F.cross_entropy(z, y.long()),
    "mean-variance": lambda z, y: F.cross_entropy(z, y.long())
        + 0.2 * F.mse_loss(mean(z), y) / 2 + 0.05 * variance(z).mean(),
    "dldl": kl,
    "dldl-v2": lambda z, y: kl(z, y) + F.l1_loss(mean(z), y),
    "sord": lambda z, y: F.cross_entropy(
        z, F.softmax(-(k - y[:, None]).abs(), 1)),
    "emd2": lambda z, y: ((F.softmax(z, 1).cumsum(1)
        - F.one_hot(y.long(), K).double().cumsum(1)) ** 2).sum(1).mean(),
    "coral": lambda z, y: F.binary_cross_entropy_with_logits(
        z, above(y), reduction="sum") / N,
    "corn": corn,
    "euclidean": lambda z, y: F.mse_loss(z[:, 0], y) / 2,
    "huber": lambda z, y: F.huber_loss(z[:, 0], y, delta=1.0),
    "l1": lambda z, y: F.l1_loss(z[:, 0], y),
    "balanced": balanced,
}
OUTPUTS = {"coral": K - 1, "corn": K - 1, "euclidean": 1, "huber": 1, "l1": 1,
           "balanced": 1}
LEVEL = {
    K: mean,
    1: lambda z: z[:, 0],
}
for name, loss in LOSSES.items():
    outputs = OUTPUTS.get(name, K)
    z = torch.randn(N, outputs)
    if outputs == 1:
        z = z * 20 + 30
    if name == "coral":
        z = z.sort(1, descending=True).values
    z = z.double().requires_grad_()
    y = torch.tensor([0, 1, 7, 7, 20, 31, 31, 50, 63]).double()
    if outputs == 1:
        z.data[0, 0], z.data[1, 0] = 0.25, 1.5
    wanted = loss(z, y)
    wanted.backward()
    found = ours(["loss", name, K, N], z.detach(), y)
    off = compare(name + ": loss", found[:1], wanted.detach()[None], 1e-9)
    off_slope = compare(name + ": gradient", found[1:1 + N * outputs],
                        z.grad.flatten(), 1e-6)
    if name == "coral":
        level = torch.sigmoid(z).sum(1)
    elif name == "corn":
        level = torch.sigmoid(z).cumprod(1).sum(1)
    else:
        level = LEVEL[outputs](z)
    compare(name + ": level", found[1 + N * outputs:], level.detach(), 1e-6)
    print("%-14s loss %.1e, gradient %.1e" % (name, off, off_slope))

# ---- optimisers: weights behind each of some steps, in float on both sides

COUNT, STEPS = 200, 60
OPTIMIZERS = {
    "adam": lambda p, r, d: torch.optim.Adam(p, lr=r, weight_decay=d),
    "adamw": lambda p, r, d: torch.optim.AdamW(p, lr=r, weight_decay=d),
    "sgd": lambda p, r, d: torch.optim.SGD(p, lr=r, momentum=0.9,
                                           weight_decay=d),
    "nesterov": lambda p, r, d: torch.optim.SGD(p, lr=r, momentum=0.9,
                                                weight_decay=d, nesterov=True),
}
for name, make in OPTIMIZERS.items():
    for decay in 0, 0.05:
        w, g = torch.randn(COUNT), torch.randn(STEPS, COUNT)
        p = torch.nn.Parameter(w.clone())
        optimizer, wanted = make([p], 1e-2, decay), []
        for t in range(STEPS):
            p.grad = g[t].clone()
            optimizer.step()
            wanted.append(p.detach().clone())
        found = ours(["optimizer", name, 1e-2, decay, COUNT, STEPS], w, g)
        off = compare("%s, decay %g" % (name, decay), found,
                      torch.cat(wanted).double(), 2e-6)
        print("%-14s decay %-4g %.1e" % (name, decay, off))

print("\n".join(MISSES))
sys.exit(bool(MISSES))
PYTHON
