# SPDX-License-Identifier: GPL-3.0-or-later
"""The information ceiling in NumPy: splines by SciPy, the bound as the diagonal of the inverse."""
from witness import Witness, need

need("numpy", "scipy")
import numpy as np  # noqa: E402
from scipy.interpolate import CubicSpline  # noqa: E402

w = Witness("fisher")
AXES = [w["teff"], w["logg"], w["mh"]]
SHAPE = tuple(len(a) for a in AXES)
STEP = np.array([np.median(np.diff(a)) for a in AXES])
REBIN = int(w["rebin"][0])
COMPONENTS = w["components"].reshape(-1, w["wave"].size)
CONT_COMPONENTS = w["cont_components"].reshape(-1, w["wave"].size)
LINES = len(COMPONENTS)
COEF = np.concatenate([w["coef"].reshape(*SHAPE, -1), w["cont_coef"].reshape(*SHAPE, -1)], -1)
VARIANCE = np.var(w["points"][:, 1])
SUBSETS = {1: [1], 2: [1, 0], 3: [1, 0, 2]}


def sky():
    wave = w["wave"]
    level = 1 + 0.3 * np.clip((wave - 7600) / 1200, 0, 1)
    for line in open("data/grid/sky_lines.tsv").read().split("\n")[1:]:
        if line:
            centre, strength = map(float, line.split("\t"))
            sigma = centre / 5000 / np.sqrt(8 * np.log(2))
            level += 2 * strength * np.exp(-0.5 * ((wave - centre) / sigma) ** 2)
    return level


NOISE = np.sqrt(sky())


def averaged(x):
    return x if REBIN == 1 else x.reshape(*x.shape[:-1], -1, REBIN).mean(-1)


def unpack(coef):
    line = w["mean"] + coef[..., :LINES] @ COMPONENTS
    cont = np.exp(w["cont_mean"] + coef[..., LINES:] @ CONT_COMPONENTS)
    return line, cont


def normalised(coef):
    line, cont = unpack(coef)
    flux = line * cont
    return np.maximum(flux / np.median(flux, -1, keepdims=True), 0)


def slopes_of(coef, dcoef):
    """Flux over its median at one point and its three slopes."""
    line, cont = unpack(coef)
    dflux = (dcoef[:, :LINES] @ COMPONENTS
             + line * (dcoef[:, LINES:] @ CONT_COMPONENTS)) * cont
    flux = line * cont
    middle = np.argsort(flux, kind="stable")[[(flux.size - 1) // 2, flux.size // 2]]
    median, dmedian = flux[middle].mean(), dflux[:, middle].mean(1, keepdims=True)
    mu = flux / median
    return np.maximum(mu, 0), np.where(mu > 0, (dflux - mu * dmedian) / median, 0)


def error_of(mu, magnitude):
    snr = 8.8 * 10 ** (-0.48 * (magnitude - 20.5))
    e = np.linalg.norm(mu) / (snr * np.linalg.norm(NOISE)) * NOISE
    return e if REBIN == 1 else np.sqrt((e ** 2).reshape(-1, REBIN).sum(1)) / REBIN


def spline_coefficients():
    """Derivatives of the packed coefficients at the nodes, along each axis."""
    return np.stack([CubicSpline(a, COEF, axis=i).derivative()(a) for i, a in enumerate(AXES)], -2)


def at(point):
    """Coefficients and their derivatives at any point: one axis after the other."""
    def through(order):
        c = COEF
        for axis in range(3):
            c = CubicSpline(AXES[axis], c, axis=0)(point[axis], nu=int(order == axis))
        return c
    return through(-1), np.stack([through(a) for a in range(3)])


def parabola(axis, i):
    """Three nodes around node i, and the weights of their values in the slope there."""
    x = AXES[axis]
    first = min(max(i - 1, 0), len(x) - 3)
    h = x[first:first + 3] - x[i]
    return first, np.linalg.solve(np.vander(h, 3, increasing=True).T, [0, 1, 0])


def difference(cube, node, axis):
    first, weight = parabola(axis, node[axis])
    at = list(node)
    at[axis] = slice(first, first + 3)
    return weight @ cube[tuple(at)]


def information(slopes, error):
    white = slopes / error
    return white @ white.T


def ceiling(points):
    """The loop a NumPy user writes: each magnitude, each node, one matrix. (mu, slopes) a node."""
    table = []
    for magnitude in w["magnitude"]:
        crlb = np.empty(len(points))
        for i, (mu, native, slopes) in enumerate(points):
            info = information(slopes, error_of(native, magnitude)) * np.outer(STEP, STEP)
            nuisance = info[np.ix_([0, 2], [0, 2])]
            left = info[1, 1] - info[1, [0, 2]] @ np.linalg.solve(nuisance, info[[0, 2], 1])
            crlb[i] = STEP[1] ** 2 / left
        r2 = np.clip(1 - crlb / VARIANCE, 0, 1)
        table.append([np.median(r2), r2.mean(), *np.percentile(r2, [10, 90])])
    return np.array(table)


def spline_points():
    dcoef = spline_coefficients()
    points = []
    for node in np.ndindex(SHAPE):
        mu, slopes = slopes_of(COEF[node], dcoef[node])
        points.append((averaged(mu), mu, averaged(slopes)))
    return points


def node_points():
    native = normalised(COEF)
    cube = averaged(native)
    return [(cube[node], native[node], np.stack([difference(cube, node, a) for a in range(3)]))
            for node in np.ndindex(SHAPE)]


def by_length(what, ours, theirs, rtol):
    """Slopes per K and per dex side by side: each in units of its own longest."""
    size = np.max(np.abs(theirs), axis=(0, 2), keepdims=True)
    w.close(what, ours / size, theirs / size, rtol=rtol)


def compare_summary(kind, k, crlb_at_1, decay, condition):
    rows = []
    for magnitude in w["magnitude"]:
        snr = 8.8 * 10 ** (-0.48 * (magnitude - 20.5))
        crlb = crlb_at_1 / snr ** 2
        r2 = np.clip(1 - crlb / VARIANCE, 0, 1)
        q = [10, 50, 90]
        rows.append([*(np.median(w["snr"], 0) * snr), *np.percentile(r2, q), r2.mean(), r2.std(),
                     np.mean(r2 == 0), 1 - crlb.mean() / VARIANCE, *np.percentile(crlb, q),
                     np.log10(crlb.max() / crlb.min()), *np.percentile(np.sqrt(crlb), q),
                     *np.percentile(decay, q), np.median(condition)])
    rows = np.array(rows)
    size = np.abs(rows).clip(1e-9)
    w.close(f"{kind}, k = {k}: table over magnitudes", w[f"summary_{kind}_{k}"] / size, rows / size,
            atol=1e-9)
    if kind == "spline" and k == 3:
        snr, median = rows[::-1, 1], rows[::-1, 3]
        w.close("critical SNR, cliff", w["critical"],
                [np.exp(np.interp(0.5, median, np.log(snr))), snr[median == 0].max()], rtol=1e-9)


def compare(kind, points):
    infos = np.array([information(s, error_of(native, 20.5 - np.log10(1 / 8.8) / 0.48))
                      for mu, native, s in points])
    scale = np.sqrt(np.einsum("nii->ni", infos))
    unit = scale[:, :, None] * scale[:, None, :]
    w.close(f"{kind}: information", w[f"information_{kind}"] / unit, infos / unit, rtol=1e-10)
    for k, chosen in SUBSETS.items():
        part = infos[:, chosen][:, :, chosen] * np.outer(STEP[chosen], STEP[chosen])
        crlb = np.linalg.inv(part)[:, 0, 0] * STEP[1] ** 2
        decay, condition = 1 / (crlb * infos[:, 1, 1]), np.linalg.cond(part)
        ours = w[f"bounds_{kind}_{k}"]
        theirs = np.stack([crlb, np.sqrt(crlb), decay, condition], 1)
        w.close(f"{kind}, k = {k}: CRLB, sigma, decay, condition", ours / theirs,
                np.ones_like(theirs), atol=1e-9)
        compare_summary(kind, k, crlb, decay, condition)


by_spline, by_nodes = spline_points(), node_points()
sample = w["sample"]
w.close("flux", w["flux"], [by_spline[i][0] for i in sample], rtol=1e-12)
w.close("error", w["error"], [error_of(by_spline[i][1], 21.5) for i in sample], rtol=1e-12)
by_length("slopes of the spline", w["slopes_spline"], np.array([by_spline[i][2] for i in sample]),
          1e-9)
by_length("slopes by differences", w["slopes_nodes"], np.array([by_nodes[i][2] for i in sample]),
          1e-9)
by_length("slopes between the nodes", w["slopes_between"],
          np.array([averaged(slopes_of(*at(p))[1]) for p in w["between"]]), 1e-9)
norm = [np.linalg.norm(mu) / np.linalg.norm(error_of(native, 20.5)) / 8.8
        for mu, native, _ in by_spline]
pixel = [np.median(mu / error_of(native, 20.5)) / 8.8 for mu, native, _ in by_spline]
w.close("SNR, norm ratio and median per pixel", w["snr"], np.stack([norm, pixel], 1), rtol=1e-10)
compare("spline", by_spline)
compare("nodes", by_nodes)

if w.full:
    for _ in range(2):
        with w.timed("spline"):
            ceiling(spline_points())
        with w.timed("nodes"):
            ceiling(node_points())
w.faster("spline", 0.5)
w.faster("nodes", 0.5)
w.end()
