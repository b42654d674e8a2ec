# SPDX-License-Identifier: GPL-3.0-or-later
"""Line features, error features and scatter, recomputed with NumPy from the definitions."""
from witness import Witness

import numpy as np


def vacuum(air):
    """Ciddor 1996 by bisection: where is the vacuum wavelength over its index the one in air?"""
    def index(w):
        s2 = (1e4 / w) ** 2
        return 1 + 0.05792105 / (238.0185 - s2) + 0.00167917 / (57.362 - s2)
    lo, hi = air * 1.0, air * 1.001
    for _ in range(80):
        middle = 0.5 * (lo + hi)
        low = middle / index(middle) < air
        lo, hi = np.where(low, middle, lo), np.where(low, hi, middle)
    return lo


def windows(flux, wave, edges, quantile, three):
    """mean, depth, EW: (3, rows, windows). Vectorised over the rows."""
    out = np.zeros((3, len(flux), len(edges)))
    for k, (lo, hi, llo, lhi, rlo, rhi) in enumerate(edges):
        core = flux[:, (wave >= lo) & (wave < hi)]
        side = flux[:, ((wave >= llo) & (wave < lhi)) | ((wave >= rlo) & (wave < rhi))]
        c = np.median(side, axis=1) if quantile == 0.5 else np.percentile(side, 100 * quantile, axis=1)
        good = c > 1e-6
        c = np.where(good, c, 1.0)[:, None]
        deepest = core
        if three:
            at = np.flatnonzero((wave >= lo) & (wave < hi))
            deepest = np.median(np.stack([flux[:, at + d] for d in (-1, 0, 1)]), axis=0)
        out[0, :, k] = core.mean(axis=1)
        out[1, :, k] = np.where(good, 1 - (deepest / c).min(axis=1), 0)
        out[2, :, k] = np.where(good, (1 - core / c).sum(axis=1), 0)
    return out


def four(m):
    _, d, e = m
    return np.column_stack([d[:, 0], e[:, 0], d[:, 1], e[:, 1], d[:, 2], e[:, 2], e[:, :3].sum(1), d[:, 3], e[:, 3]])


def eight(m):
    _, _, e = m
    parts = m.transpose(1, 2, 0).reshape(m.shape[1], -1)
    return np.column_stack([parts, e[:, :3].sum(1), e[:, 3:5].sum(1), e[:, 5:].sum(1)])


def ten(e):
    mean = e.mean(axis=1, dtype=float)
    d = e - mean[:, None]
    m2, m3, m4 = (d ** 2).mean(axis=1), (d ** 2 * d).mean(axis=1), ((d ** 2) ** 2).mean(axis=1)
    q25, q50, q75 = np.percentile(e, [25, 50, 75], axis=1)
    return np.column_stack([mean, np.sqrt(m2), e.min(axis=1), e.max(axis=1), q50, e.sum(axis=1, dtype=float), q25, q75,
                            m3 / m2 ** 1.5, m4 / m2 ** 2 - 3])


def scattered(x, e):
    """Noise level from fourth differences, those without a usable error left out."""
    c = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
    e = np.where((e > 0) & np.isfinite(e), e, np.nan)
    n = x.shape[1] - 4
    d = sum(c[k] * x[:, k:k + n] for k in range(5))
    s = np.sqrt(sum((c[k] * e[:, k:k + n]) ** 2 for k in range(5)))
    return np.nanmedian(np.abs(d) / s, axis=1) / 0.6744897501960817


w = Witness("features")
flux, error, wave = w["flux"], w["error"], w["wave"]
edges4, edges8 = vacuum(w["edges4"]), vacuum(w["edges8"])
rows = slice(0, 300)
f64 = flux[rows].astype(float)
e64 = error[rows].astype(float)
w.close("4 windows, median continuum", w["four"][rows], four(windows(f64, wave, edges4, 0.5, False)), atol=1e-12)
w.close("4 windows, 90th percentile, median of 3", w["four_p90"][rows], four(windows(f64, wave, edges4, 0.9, True)), atol=1e-12)
w.close("8 windows", w["eight"][rows], eight(windows(f64, wave, edges8, 0.5, False)), atol=1e-12)
w.equal("a row without a continuum", w["four"][1], np.zeros(9))
reference = ten(e64)
for k, name in enumerate(["mean", "std", "min", "max", "median", "sum", "q25", "q75", "skewness", "kurtosis"]):
    w.close(f"error features: {name}", w["ten"][rows, k], reference[:, k], rtol=1e-13 if k in (2, 3, 4, 6, 7) else 1e-11)
w.close("21 quantiles of the error", w["quantiles"][rows], np.percentile(e64, np.linspace(0, 100, 21), axis=1).T, rtol=1e-13)
w.close("norms", w["norms"][rows], np.linalg.norm(e64, axis=1), rtol=1e-13)
e0 = error.mean(axis=0, dtype=float)
scale = e64 @ e0 / (e0 @ e0)
w.close("scale and residual", w["shape"][rows],
        np.column_stack([scale, np.linalg.norm(e64 - np.outer(scale, e0), axis=1)]), rtol=1e-12)
w.close("scatter from pixel to pixel", w["scatter"][rows], scattered(f64, e64), rtol=1e-12)
if not w.full:
    over = np.median(f64, axis=1)
    good = (over > 1e-6)[:, None]
    w.close("error / median(flux)", w["over_median"], np.where(good, e64 / np.where(good[:, 0], over, 1)[:, None], 0), rtol=1e-7)
    over = np.linalg.norm(f64, axis=1)[:, None]
    w.close("error / |flux|", w["over_norm"], np.where(over > 1e-6, e64 / np.maximum(over, 1e-6), 0), rtol=1e-7)
else:
    for _ in range(3):
        with w.timed("4 windows"):
            four(windows(flux, wave, edges4, 0.5, False))
        with w.timed("8 windows"):
            eight(windows(flux, wave, edges8, 0.5, False))
        with w.timed("quality features"):
            ten(error)
        with w.timed("scatter"):
            scattered(flux.astype(float), error.astype(float))
    w.faster("4 windows", 0.3)
    w.faster("8 windows", 0.3)
    w.faster("quality features", 0.3)
    w.faster("scatter", 1.0)
w.end()
