#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Affine calibration before numpy.polyfit, the textbook F test and the sandwich in matrices."""
from witness import Witness, need

need("numpy", "scipy")
import numpy as np  # noqa: E402
from scipy.stats import f as f_distribution  # noqa: E402


def textbook(x, y):
    """Ordinary least squares of y on x as statistics programs print it."""
    (a, b), cov = np.polyfit(x, y, 1, cov=True)
    n, rss = len(x), np.sum((y - a * x - b) ** 2)
    test = (np.sum((y - x) ** 2) - rss) / 2 / (rss / (n - 2))
    return [a, b, np.sqrt(cov[0, 0]), np.sqrt(cov[1, 1]), cov[0, 1], np.sqrt(rss / (n - 2)), test,
            n - 2, f_distribution.sf(test, 2, n - 2), n]


def sandwich(x, y, w):
    """Weights of attention, noise the same for every row: everything by matrices."""
    design = np.column_stack([x, np.ones_like(x)])
    bread = np.linalg.inv(design.T @ (w[:, None] * design))
    beta = np.polyfit(x, y, 1, w=np.sqrt(w))
    meat = design.T @ ((w * w)[:, None] * design)
    s2 = np.sum(w * (y - design @ beta) ** 2) / (np.sum(w) - np.trace(bread @ meat))
    cov = s2 * bread @ meat @ bread
    d = beta - [1, 0]
    test, n = d @ np.linalg.solve(cov, d) / 2, np.sum(w) ** 2 / np.sum(w * w)
    return [*beta, np.sqrt(cov[0, 0]), np.sqrt(cov[1, 1]), cov[0, 1], np.sqrt(s2), test, n - 2,
            f_distribution.sf(test, 2, n - 2), n]


def columns(w, what, ours, theirs, rtol=1e-10):
    names = ["a", "b", "error of a", "error of b", "covariance", "residual sd", "F", "df",
             "p-value", "effective rows"]
    for c, name in enumerate(names):
        w.close(f"{what}, {name}", ours[:, c], np.array(theirs)[:, c], rtol=rtol)


w = Witness("affine")
y, yhat, p, own = w["y"], w["yhat"], w["p"], w["bin"]
experts = range(yhat.shape[1])
for _ in range(5):
    with w.timed("nine experts"):
        plain = [textbook(yhat[own == k, k], y[own == k]) for k in experts]
columns(w, "by bin", w["bins"], plain)
columns(w, "swapped", w["swapped"], [textbook(y[own == k], yhat[own == k, k]) for k in experts])
soft = np.array([sandwich(yhat[:, k], y, p[:, k]) for k in experts])
columns(w, "soft gate", w["gate"], soft, rtol=1e-9)
keep = np.maximum(0, 1 - 1 / soft[:, 6])
shrunk = yhat + keep * ((soft[:, 0] - 1) * yhat + soft[:, 1])
w.close("shrunk and applied", w["calibrated"], shrunk, rtol=1e-10)
w.faster("nine experts", 1.0)
w.end()
