#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bootstrap before SciPy's, both on the same resamples: our Philox draws them for SciPy too.

SciPy knows no nested draws; those are drawn here, and cut by the formula of Efron & Tibshirani
(1993), sec. 14.3. The benchmark is the plain loop one writes in NumPy.
"""
from records import philox, resamples, words
from witness import Witness, need

need("numpy", "scipy")
import numpy as np  # noqa: E402
from scipy.special import ndtr, ndtri  # noqa: E402
from scipy.stats import bootstrap  # noqa: E402

DRAWS, COLUMNS, THRESHOLD = 400, 5, 0.03


class Philox(np.random.Generator):
    """Gives SciPy our row numbers when it asks for random integers."""

    def __new__(cls, index):
        return super().__new__(cls, np.random.PCG64(0))

    def __init__(self, index):
        super().__init__(np.random.PCG64(0))
        self.index = index

    def integers(self, low, high=None, size=None, **_):
        assert low == 0 and tuple(size) == self.index.shape
        return self.index


def r2(y, yhat):
    return 1 - ((y - yhat) ** 2).sum(-1) / ((y - y.mean(-1, keepdims=True)) ** 2).sum(-1)


def statistics(r):
    """From the R2 of the models: one, a difference, a mean of two, a share. The share of a draw
    whose denominator is not positive is NaN: by the contract it is left out."""
    gain = np.where(r[0] > r[3], r[0] - r[3], np.nan)
    return [r[0], r[0] - r[1], (r[0] - r[1] + r[2] - r[3]) / 2, (r[1] - r[3]) / gain]


def summary(value, draws, lo, hi, number):
    above = np.mean(draws > THRESHOLD) if number in (1, 2) else -1
    return [value, lo, hi, np.std(draws, ddof=1), above]


def by_scipy(y, yhat, unit, index, method):
    """@unit: which rows every resampled unit has; @index: the units of every draw."""
    table = []
    for number in range(4):
        def value(picked):
            rows = np.concatenate([unit[int(g)] for g in picked])
            return statistics([r2(y[rows], m[rows]) for m in yhat[:4]])[number]
        everything = np.arange(len(unit))
        fit = bootstrap((everything,), value, n_resamples=len(index), method=method,
                        vectorized=False, random_state=Philox(index))
        ci = fit.confidence_interval
        draws = np.array([value(i) for i in index])
        assert np.isfinite(draws).all(), "SciPy leaves no draw out"
        assert np.isclose(fit.standard_error, draws.std(ddof=1))
        table.append(summary(value(everything), draws, ci.low, ci.high, number))
    return table


def columns_of(seed, draws, columns):
    """The first number of the streams 2^63 + d."""
    stream = np.arange(draws, dtype=np.uint64) + np.uint64(2**63)
    zero = np.zeros(draws, np.uint64)
    lo, hi = words(stream)
    w = philox([zero, zero, lo, hi], words(seed))
    return ((w[0] | w[1] << np.uint64(32)) % np.uint64(columns)).astype(int)


def cut(draws, value, jack, bca):
    z = ndtri([0.025, 0.975])
    if not bca:
        return np.percentile(draws, [2.5, 97.5])
    u = jack.mean() - jack
    a = (u**3).sum() / (6 * (u**2).sum() ** 1.5)
    z0 = ndtri(np.mean(draws < value) + np.mean(draws == value) / 2)
    return np.quantile(draws, ndtr(z0 + (z0 + z) / (1 - a * (z0 + z))))


def nested(y, yhat, seed):
    """Models as (4, columns, n). Draws of every model, then the numbers by both intervals."""
    n = len(y)
    index, column = resamples(seed, DRAWS, n), columns_of(seed, DRAWS, COLUMNS)
    draws = np.array([[r2(y[i], m[c][i]) for i, c in zip(index, column)] for m in yhat])
    whole = np.array([r2(y, m).mean() for m in yhat])
    left = np.array([np.delete(np.arange(n), i) for i in range(n)])
    jack = np.array([np.mean([r2(y[left], c[left]) for c in m], axis=0) for m in yhat])
    tables = []
    for bca in (False, True):
        parts = zip(statistics(whole), statistics(draws), statistics(jack))
        parts = [(v, d[np.isfinite(d)], j) for v, d, j in parts]
        tables.append([summary(v, d, *cut(d, v, j, bca), k) for k, (v, d, j) in enumerate(parts)])
    return draws, tables


def check(w):
    y, yhat, cluster = w["y"], w["yhat"], w["cluster"]
    rows = [np.array([i]) for i in range(len(y))]
    first = list(dict.fromkeys(cluster))  # in the order in which they appear
    stars = [np.flatnonzero(cluster == c) for c in first]
    for name, unit, seed in (("plain", rows, 20251203), ("clustered", stars, 43)):
        index = resamples(seed, DRAWS, len(unit))
        picked = [np.concatenate([unit[g] for g in i]) for i in index]
        draws = np.array([[r2(y[p], m[p]) for p in picked] for m in yhat[:10]])
        w.close(f"{name}, R2 of every draw", w[name + "_draws"], draws, atol=1e-10)
        for method in ("percentile", "bca"):
            theirs = by_scipy(y, yhat, unit, index, method)
            w.close(f"{name}, {method} of SciPy", w[f"{name}_{method}"], theirs, atol=1e-10)
    draws, tables = nested(y, yhat[:4 * COLUMNS].reshape(4, COLUMNS, -1), 44)
    w.close("nested, R2 of every draw", w["nested_draws"], draws, atol=1e-10)
    for method, theirs in zip(("percentile", "bca"), tables):
        w.close(f"nested, {method}", w["nested_" + method], theirs, atol=1e-10)


def plain_loop(y, yhat, draws, rng):
    out = np.empty((len(yhat), draws))
    for d in range(draws):
        i = rng.integers(0, len(y), len(y))
        yy = y[i]
        total = ((yy - yy.mean()) ** 2).sum()
        for k, m in enumerate(yhat):
            out[k, d] = 1 - ((yy - m[i]) ** 2).sum() / total
    return out


w = Witness("bootstrap")
if w.full:
    rng = np.random.default_rng(1)
    for _ in range(5):
        with w.timed("ten models"):
            plain_loop(w["y"], w["yhat"][:10], 1000, rng)
    w.faster("ten models", 0.25)
    seconds = w.ours["ten models"][0]
    w.line("ten models, 1,000 draws of 10,000 rows", seconds < 0.3, f"{seconds:.3f} s, at most 0.3")
else:
    check(w)
w.end()
