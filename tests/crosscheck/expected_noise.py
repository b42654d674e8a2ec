# SPDX-License-Identifier: GPL-3.0-or-later
"""Ridge on noise in expectation before its closed form in NumPy, and before many noisy draws."""
from witness import Witness, need

need("numpy")
import numpy as np  # noqa: E402

w = Witness("expected_noise")
LEVELS, ALPHAS = [0.0, 0.1, 0.2, 0.5, 1.0], [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]
MODELS = [[0, 1, 2], [1]]
y, group = w["y"], w["group"]


def closed_form(rows):
    """Weights (levels, alphas, p) and intercepts from the clean spectra and the squared errors."""
    x, error = w["x"][rows].astype(float), w["error"][rows].astype(float)
    squares = np.where(np.isfinite(error) & (error > 0), error, 0.0) ** 2
    mean, t = x.mean(axis=0), y[rows] - y[rows].mean()
    x -= mean
    gram, xy = x.T @ x, x.T @ t
    weights = np.array([[np.linalg.solve(gram + np.diag(level**2 * squares.sum(axis=0) + alpha), xy)
                         for alpha in ALPHAS] for level in LEVELS])
    return weights, y[rows].mean() - weights @ mean


with w.timed("levels"):
    theirs = [closed_form(np.isin(group, use)) for use in MODELS]
for m, (weights, intercepts) in enumerate(theirs):
    for k, level in enumerate(LEVELS):
        # One draw of the clean spectra is all but singular at the smallest alpha.
        tolerance = 1e-6 if level == 0 else 1e-9
        w.close(f"weights, model {m}, level {level:g}", w[f"w_{m}_{k}"], weights[k], rtol=tolerance)
        w.close(f"intercepts, model {m}, level {level:g}", w[f"b_{m}_{k}"], intercepts[k],
                rtol=tolerance)

if not w.full:  # the limit of M stacked draws with M alpha, the noise drawn here
    rows, alpha, random = np.isin(group, [1]), 1.0, np.random.default_rng(5)
    x, size = w["x"][rows].astype(float), np.maximum(w["error"][rows].astype(float), 0.0)
    away = []
    for draws in (1, 4, 16, 64):
        gram, xy, total = 0.0, 0.0, 0.0
        noisy = [x + size * random.standard_normal(x.shape) for _ in range(draws)]
        mean = sum(n.sum(axis=0) for n in noisy) / (draws * len(x))
        for n in noisy:
            gram, xy = gram + (n - mean).T @ (n - mean), xy + (n - mean).T @ (y[rows] - y[rows].mean())
        stacked = np.linalg.solve(gram + draws * alpha * np.eye(len(mean)), xy)
        ours = w["w_1_4"][ALPHAS.index(alpha)]
        away.append(np.linalg.norm(stacked - ours) / np.linalg.norm(ours))
    ratios = np.array(away[:-1]) / np.array(away[1:])
    w.line("four times the draws come twice as near", np.all((ratios > 1.6) & (ratios < 3.2)),
           "distances " + ", ".join(f"{a:.3f}" for a in away))
w.faster("levels", 0.8)
w.end()
