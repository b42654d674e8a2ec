# SPDX-License-Identifier: GPL-3.0-or-later
"""The scikit-learn half of tests/bench/bench.sh: the same spectra, noise rule, models and scores.

bench_ridge.py DIR TASK    TASK: one, six (alphas) or bins (nine bins + global, six alphas)
The code is what one writes first, not tuned for memory: noise in one expression, a fit per model and
penalty. Prints "SECONDS PEAK_BYTES R2..." as bench_ridge run does; imports are not timed.
"""
import glob
import resource
import sys
import time

import numpy as np
import pandas
import tables
from sklearn.linear_model import Ridge

NOISE = 0.2
ALPHAS = {"one": [1.0]}
SIX = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]
TEFF = [3750.0, 4500.0, 5250.0, 6000.0]
MH = [-2.0, -1.0, 0.0, 0.5]


def load(root, split, seed):
    """Noisy spectra in float64, log g, and the bin of every row (-1 outside)."""
    path = glob.glob(f"{root}/{split}_*/dataset.h5")[0]
    with tables.open_file(path) as f:
        x = f.get_node("/dataset/arrays/flux/value")[:]
        error = f.get_node("/dataset/arrays/error/value")[:]
    labels = pandas.read_hdf(path, "dataset/params")
    t, m, y = (labels[name].to_numpy(dtype=np.float64) for name in ("T_eff", "M_H", "log_g"))
    x = x + NOISE * error * np.random.default_rng(seed).standard_normal(x.shape)
    del error
    # bins hold their lower edge; the last one of an axis holds its upper edge too
    teff = np.searchsorted(TEFF, t, side="right") - 1
    mh = np.searchsorted(MH, m, side="right") - 1
    teff[t == TEFF[-1]] = 2
    mh[m == MH[-1]] = 2
    inside = (teff >= 0) & (teff < 3) & (mh >= 0) & (mh < 3)
    return x, y, np.where(inside, 3 * teff + mh, -1)


def r2(y, yhat):
    return 1.0 - np.sum((y - yhat) ** 2) / np.sum((y - y.mean()) ** 2)


def main(root, task):
    start = time.monotonic()
    x, y, bin_of = load(root, "train", 42)
    x_test, y_test, bin_of_test = load(root, "test", 44)
    scores = []
    for k in [*range(9), -1] if task == "bins" else [-1]:
        rows = slice(None) if k < 0 else bin_of == k
        rows_test = slice(None) if k < 0 else bin_of_test == k
        xk, yk = x[rows], y[rows]
        for alpha in ALPHAS.get(task, SIX):
            model = Ridge(alpha=alpha).fit(xk, yk)
            yhat = model.predict(x_test[rows_test])
        scores.append(r2(y_test[rows_test], yhat))
    seconds = time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{seconds:.3f} {peak}", *(f"{s:.4f}" for s in scores))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
