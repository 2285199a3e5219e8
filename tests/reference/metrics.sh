#!/usr/bin/env bash
# Metrics, half-widths and bootstrap intervals against NumPy and SciPy, on random
# numbers with ties.
set -euo pipefail
python=/usr/bin/python3 # the distribution's, which has its packages
if ! "$python" -c 'import numpy, scipy' 2>/dev/null; then
  echo "SKIPPED: python3-numpy or python3-scipy is missing"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/compare.py" <<'PYTHON'
import subprocess
import sys

import numpy as np
from scipy import stats


def lin(t, p):
    """Lin's concordance, with population moments."""
    return (2 * np.cov(t, p, bias=True)[0, 1]
            / (t.var() + p.var() + (t.mean() - p.mean()) ** 2))


def band(x):
    return np.digitize(np.floor(x + 0.5), [14, 20, 29])


def errors(t, p):
    return np.array([abs(p - t).mean(), np.sqrt(((p - t) ** 2).mean()),
                     lin(t, p)])


def intervals(t, p, person, rng):
    """Bias-corrected, accelerated and widened, resampling persons."""
    groups = [np.flatnonzero(person == k) for k in range(person.max() + 1)]
    n = len(groups)
    whole = errors(t, p)
    draws = []
    for _ in range(4000):
        rows = np.concatenate([groups[k] for k in rng.integers(n, size=n)])
        draws.append(errors(t[rows], p[rows]))
    draws = np.array(draws)
    without = np.array([errors(np.delete(t, g), np.delete(p, g))
                        for g in groups])
    d = without.mean(0) - without
    bend = (d ** 3).sum(0) / (6 * (d ** 2).sum(0) ** 1.5)
    bias = stats.norm.ppf((draws < whole).mean(0))
    width = np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1)
    out = []
    for k in range(3):
        for side in (-width, width):
            z = bias[k] + side
            q = stats.norm.cdf(bias[k] + z / (1 - bend[k] * z))
            out.append(np.quantile(draws[:, k], q))
    return out


for seed, persons in ((1, 60), (2, 25)):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(persons), rng.integers(1, 4, persons))
    n = len(person)
    t = rng.integers(0, 46, n).astype(float)
    p = np.round(t + rng.normal(0, 6, n) + rng.normal(0, 5, persons)[person], 1)
    text = "".join(f"{a!r} {b!r} {c}\n" for a, b, c in
                   zip(t.tolist(), p.tolist(), person.tolist()))
    found = dict(line.split() for line in subprocess.run(
        [sys.argv[1]], input=text, capture_output=True, text=True,
        check=True).stdout.splitlines())
    mae, rmse, ccc = errors(t, p)
    k = int(np.ceil((n + 1) * 0.9))
    expected = {
        "mae": mae, "rmse": rmse, "ccc": ccc, "bias": (p - t).mean(),
        "pearson": stats.pearsonr(t, p)[0],
        "spearman": stats.spearmanr(t, p)[0],
        "accuracy": (band(t) == band(p)).mean(),
        "half_width": np.sort(abs(t - p))[k - 1],
    }
    for name, value in expected.items():
        assert abs(float(found[name]) - value) < 1e-9, (name, found, value)
    names = ["mae_low", "mae_high", "rmse_low", "rmse_high", "ccc_low",
             "ccc_high"]
    ends = intervals(t, p, person, rng)
    for i, name in enumerate(names):
        # Other draws: as far as 4000 of them tell.
        tolerance = 0.1 * abs(ends[i | 1] - ends[i & ~1])
        assert abs(float(found[name]) - ends[i]) < tolerance, (
            name, found[name], ends[i], tolerance)
    print(f"{n} videos of {persons} persons: equal; MAE",
          found["mae_low"][:5], "to", found["mae_high"][:5], "there",
          f"{ends[0]:.3f} to {ends[1]:.3f}")
PYTHON
"$python" "$scratch/compare.py" "$GRADUS_BUILD/tests/metrics_of"
