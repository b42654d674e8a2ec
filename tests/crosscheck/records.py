#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do NumPy, scikit-learn and pandas come to the same numbers?

Reads the same shards with pandas and PyTables, draws the noise from its own Philox, fits the same
models with scikit-learn and compares with
  1. what the library hands out (build/bin/crosscheck_export), row by row and weight by weight;
  2. what the records of E01, E02 and E03 say (loggbook numbers), key by key.
Shares no code with the package. Prints one line a comparison and ends "N passed, N failed".
Exit status 0 all agree, 1 a disagreement, 2 could not do it (what to install is said, nothing is
installed).
"""
import os
import sys

from witness import need

need("numpy", "sklearn", "pandas", "tables")

import argparse  # noqa: E402
import glob  # noqa: E402
import json  # noqa: E402
import math  # noqa: E402
import subprocess  # noqa: E402
import warnings  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import tables  # noqa: E402
from sklearn.linear_model import LinearRegression, Ridge  # noqa: E402
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score  # noqa: E402

# --- the protocol, as written in spec.yaml of the three experiments ------------------------------
SEEDS = (42, 43, 44)  # noise of training, validation and test rows
BOOTSTRAP_SEED, RESAMPLES, VALUABLE = 20251203, 1000, 0.03
TEFF_EDGES, MH_EDGES = (3750, 4500, 5250, 6000), (-2.0, -1.0, 0.0, 0.5)
GRID = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]
GRID_E01 = GRID + [1000.0]
LEVELS, LEVELS_E01 = [0.0, 0.1, 0.2, 0.5, 1.0], [0.0, 0.1, 0.2, 0.5, 1.0, 2.0]
FOCUS, MULTI_SEEDS, MINIMUM_TRAIN = 0.2, [42, 123, 456, 789, 1024], 100
EXPORT_LEVELS = [0.0, 0.2, 1.0]

# --- what "agree" means --------------------------------------------------------------------------
TOL_NOISE = 1e-6   # of the noisy flux, relative: the package draws in single precision
TOL_R2 = 1e-6      # of a record, whose noise we drew ourselves; also MAE and RMSE, in dex
TOL_R2_SAME = 1e-8  # of the library, on the very same noisy rows
TOL_WEIGHT = 1e-7  # of the largest weight, or what the condition of the system allows
EPS = np.finfo(float).eps


class Table:
    """One printed line a comparison."""

    def __init__(self):
        self.passed = self.failed = 0

    def section(self, title):
        print(f"\n{title}")

    def line(self, what, ok, detail):
        self.passed, self.failed = self.passed + bool(ok), self.failed + (not ok)
        print(f"  {'ok  ' if ok else 'FAIL'} {what:<58} {detail}")

    def close(self, what, ours, theirs, allowed):
        """The largest difference of two arrays (or numbers) is at most @allowed."""
        ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
        if ours.shape != theirs.shape:
            self.line(what, False, f"shapes {ours.shape} and {theirs.shape}")
            return
        worst = float(np.max(np.abs(ours - theirs))) if ours.size else math.nan
        value = f"{float(ours):.9g}" if ours.ndim == 0 else f"{ours.size} values"
        self.line(what, worst <= allowed, f"{value:>16}  differ by {worst:.1e}, allowed {allowed:.0e}")

    def equal(self, what, ours, theirs):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        same = ours.shape == theirs.shape and bool(np.all(ours == theirs))
        self.line(what, same, f"{ours.size:>9} values  {'identical' if same else 'NOT identical'}")


# --- the same random numbers, from the paper -----------------------------------------------------
def philox(counter, key):
    """Philox4x32-10 (Salmon et al. 2011). counter: four uint64 arrays holding 32-bit words."""
    m0, m1, mask = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57), np.uint64(0xFFFFFFFF)
    c, (k0, k1) = list(counter), key
    for _ in range(10):
        a, b = m0 * c[0], m1 * c[2]
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), b & mask,
             (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), a & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def words(x):
    return x & 0xFFFFFFFF, x >> 32


def known_answers(table):
    """The vectors published with Random123, so that both sides are right and not merely equal."""
    cases = [((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
             ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
              (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1))]
    for counter, key, expected in cases:
        out = philox([np.array([c], np.uint64) for c in counter], key)
        table.equal(f"philox of counter {counter[0]:08x}", [int(v[0]) for v in out], expected)


def normals(seed, rows, pixels):
    """The noise contract of src/data/noise.h in double precision: (rows, pixels)."""
    rows = np.asarray(rows, np.uint64)
    blocks = 64 * -(-pixels // 256)
    shape = (len(rows), blocks)
    counter = [np.broadcast_to(np.arange(blocks, dtype=np.uint64), shape),
               np.full(shape, 0x6E6F6973, np.uint64),
               np.broadcast_to((rows & np.uint64(0xFFFFFFFF))[:, None], shape),
               np.broadcast_to((rows >> np.uint64(32))[:, None], shape)]
    w = [v.astype(np.float64) // 256 for v in philox(counter, words(seed))]  # the top 24 bits
    lanes = []
    for u, v in ((w[0], w[1]), (w[2], w[3])):
        radius = np.sqrt(-2.0 * np.log((u + 1.0) / 2**24))
        angle = 2.0 * np.pi * v / 2**24 - np.pi / 4.0
        lanes += [radius * np.cos(angle), radius * np.sin(angle)]
    # pixel 256 q + 64 lane + i comes from block 64 q + i
    z = np.stack([lane.reshape(len(rows), blocks // 64, 64) for lane in lanes], axis=2)
    return z.reshape(len(rows), -1)[:, :pixels]


def resamples(seed, draws, n):
    """Row numbers of every bootstrap draw: (draws, n). 64-bit words, low half first; a word at or
    above the largest multiple of n is skipped, the rest taken modulo n."""
    limit = 2**64 - 1 - (2**64 - 1) % n
    out = np.empty((draws, n), np.int64)
    for d in range(draws):
        blocks = n // 2 + 8
        lo, hi = words(d)
        c = [np.arange(blocks, dtype=np.uint64), np.zeros(blocks, np.uint64),
             np.full(blocks, lo, np.uint64), np.full(blocks, hi, np.uint64)]
        w = philox(c, words(seed))
        longs = np.stack([w[0] | w[1] << np.uint64(32), w[2] | w[3] << np.uint64(32)], 1).ravel()
        out[d] = (longs[longs < np.uint64(limit)] % np.uint64(n))[:n]
    return out


# --- data ----------------------------------------------------------------------------------------
class Split:
    """One of train, val, test: read by pandas and PyTables."""

    def __init__(self, root, name):
        files = sorted(glob.glob(os.path.join(root, name + "_*", "dataset.h5")))
        if not files:
            sys.exit(fail(f"no {name}_*/dataset.h5 in {root}: make the quick spectra first"))
        self.name = name
        self.frame = pd.concat([pd.read_hdf(f) for f in files], ignore_index=True)
        flux, error = [], []
        for f in files:
            with tables.open_file(f) as h5:
                flux.append(h5.get_node("/dataset/arrays/flux/value").read())
                error.append(h5.get_node("/dataset/arrays/error/value").read())
        self.flux, self.error = np.concatenate(flux), np.concatenate(error)
        self.y = self.frame["log_g"].to_numpy(float)
        self.bin = bins_of(self.frame["T_eff"].to_numpy(float), self.frame["M_H"].to_numpy(float))
        self.normal = {}

    def noisy(self, level, seed):
        """x + level * e * z; z is kept for the other levels of the same seed."""
        if level == 0.0:
            return self.flux
        if seed not in self.normal:
            z = normals(seed, np.arange(len(self.y)), self.flux.shape[1])
            self.normal = {seed: z.astype(np.float32)}
        size = np.where((self.error > 0) & np.isfinite(self.error), np.float32(level) * self.error, 0)
        return self.flux + size.astype(np.float32) * self.normal[seed]


def bins_of(teff, mh):
    """Lower edge closed, upper open, last closed; -1 outside."""
    def index(x, edges):
        i = np.searchsorted(edges, x, side="right") - 1
        i[x == edges[-1]] = len(edges) - 2
        return np.where((i >= 0) & (i < len(edges) - 1), i, -1)
    t, m = index(teff, TEFF_EDGES), index(mh, MH_EDGES)
    return np.where((t >= 0) & (m >= 0), 3 * t + m, -1)


def fail(sentence):
    print(f"crosscheck: {sentence}", file=sys.stderr)
    return 2


# --- models --------------------------------------------------------------------------------------
class MinimumNorm:
    """Least squares with fewer rows than columns. Not LinearRegression: it keeps the direction that
    centring has taken out of the rows, with a singular value of rounding errors."""

    def fit(self, x, y):
        mean = x.mean(0)
        self.coef_ = np.linalg.lstsq(x - mean, y - y.mean(), rcond=1e-10)[0]
        self.intercept_ = y.mean() - mean @ self.coef_
        return self

    def predict(self, x):
        return x @ self.coef_ + self.intercept_


def fit(x, y, alpha, solver="cholesky"):
    if alpha == 0.0:
        model = LinearRegression() if len(y) > x.shape[1] else MinimumNorm()
    else:
        model = Ridge(alpha=alpha, solver=solver)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of a poor condition and goes on
        return model.fit(x, y)


def choose(alphas, scores):
    """The best score; a tie goes to the larger penalty."""
    return max(range(len(alphas)), key=lambda i: (scores[i], alphas[i]))


class Selected:
    """A Ridge whose penalty was chosen on validation rows, the grid extended past an end by two
    decades when the optimum sits there."""

    def __init__(self, train, val, test_x, alphas):
        self.fits = {a: fit(*train, a) for a in alphas}
        score = {a: r2_score(val[1], m.predict(val[0])) for a, m in self.fits.items()}
        self.on_grid = alphas[choose(alphas, [score[a] for a in alphas])]
        beyond = []
        if self.on_grid == alphas[0]:
            beyond += [alphas[0] / 100, alphas[0] / 10]
        if self.on_grid == alphas[-1]:
            beyond += [alphas[-1] * 10, alphas[-1] * 100]
        for a in beyond:
            self.fits[a] = fit(*train, a)
            score[a] = r2_score(val[1], self.fits[a].predict(val[0]))
        tried = alphas + beyond
        self.alpha = tried[choose(tried, [score[a] for a in tried])]
        self.yhat = self.fits[self.alpha].predict(test_x)
        self.grid = alphas
        self.test_x = test_x

    def legacy(self, y, rows):
        """Predictions with the penalty that is best on the test rows themselves."""
        errors = [np.sum((y - self.fits[a].predict(self.test_x))[rows] ** 2) for a in self.grid]
        best = choose(self.grid, [-e for e in errors])
        return self.fits[self.grid[best]].predict(self.test_x)


class Cohort:
    """Three splits seen at one noise level with one set of seeds."""

    def __init__(self, splits, level, seeds):
        self.x = [s.noisy(level, seed).astype(float) for s, seed in zip(splits, seeds)]
        self.y = [s.y for s in splits]
        self.bin = [s.bin for s in splits]
        self.covered = self.bin[2] >= 0

    def select(self, rows_of, alphas):
        """A model for the rows @rows_of(bin) of every split; predictions for all test rows."""
        train, val = rows_of(self.bin[0]), rows_of(self.bin[1])
        return Selected((self.x[0][train], self.y[0][train]), (self.x[1][val], self.y[1][val]),
                        self.x[2], alphas)

    def everything(self, alphas):
        return self.select(lambda b: np.ones(len(b), bool), alphas)

    def experts(self, strip, n, alphas):
        """One model a strip; strip(k) says which strip bin k belongs to."""
        member = [lambda b, j=j: (b >= 0) & (strip(b) == j) for j in range(n)]
        models = [self.select(m, alphas) for m in member]
        yhat = np.full(len(self.y[2]), np.nan)
        for m, model in zip(member, models):
            yhat[m(self.bin[2])] = model.yhat[m(self.bin[2])]
        return models, yhat


def r2_draws(index, y, yhat):
    """R2 of every resample, with its own mean."""
    e = ((y - yhat) ** 2)[index].sum(1)
    yy = y[index]
    return 1.0 - e / ((yy - yy.mean(1, keepdims=True)) ** 2).sum(1)


# --- 1. the library ------------------------------------------------------------------------------
def run_export(binary, data, work, level):
    out = os.path.join(work, f"noise_{level:.1f}")
    command = [binary, data, out, repr(level), *map(str, SEEDS), str(BOOTSTRAP_SEED)]
    if subprocess.run(command).returncode:
        sys.exit(fail("the export failed: " + " ".join(command)))
    return {os.path.basename(f)[:-4]: np.load(f) for f in glob.glob(os.path.join(out, "*.npy"))}


def check_rows(table, ours, splits, level):
    for s, seed in zip(splits, SEEDS):
        x, y, group = (ours[f"{q}_{s.name}"] for q in ("x", "y", "group"))
        table.equal(f"{s.name}: log g as pandas.read_hdf gives it", y, s.y)
        table.equal(f"{s.name}: bin of every row", group, s.bin)
        if level == 0.0:
            table.equal(f"{s.name}: flux without noise, bit for bit", x.view(np.uint32),
                        s.flux.view(np.uint32))
        else:
            theirs = s.noisy(level, seed)
            scale = np.abs(s.flux) + level * s.error * np.abs(s.normal[seed])
            table.close(f"{s.name}: noisy flux, relative", (x - theirs.astype(float)) / scale,
                        np.zeros(x.shape), TOL_NOISE)
    if level == 0.0:
        z = normals(SEEDS[0], ours["normal_rows"], ours["normal"].shape[1])
        table.close("normals of rows up to 2^40", ours["normal"], z, TOL_NOISE * 5)


def check_model(table, name, ours, m, train, scored):
    """Weights and R2 of model @m for all penalties; @scored: (set, x, y) of its rows."""
    worst, compared, worst_r2 = 0.0, 0, 0.0
    for a, alpha in enumerate(ours["alphas"]):
        condition = ours["condition"][m, a]
        if condition > 1e10:  # least squares without noise: no 64-bit solution has these digits
            continue
        for solver in ["cholesky", "svd"] if alpha else ["least squares"]:
            model = fit(*train, alpha, solver)
            off = np.max(np.abs(ours["w"][m, a] - model.coef_)) / np.max(np.abs(model.coef_))
            worst = max(worst, off / max(TOL_WEIGHT, 4 * EPS * condition))
            compared += 1
            for which, x, y in scored:
                r2 = r2_score(y, model.predict(x))
                worst_r2 = max(worst_r2, abs(ours[f"r2_{which}"][m, a] - r2))
    table.line(f"{name}: weights of {compared} fits", compared >= 12 and worst <= 1.0,
               f"differ by {worst * TOL_WEIGHT:.1e} of the largest, allowed {TOL_WEIGHT:.0e}")
    table.line(f"{name}: R2 on its validation and test rows", worst_r2 <= TOL_R2_SAME,
               f"differ by {worst_r2:.1e}, allowed {TOL_R2_SAME:.0e}")


def check_models(table, ours):
    sets = ("train", "val", "test")
    x = {s: ours[f"x_{s}"].astype(float) for s in sets}
    rows = {s: [np.ones(len(x[s]), bool)] + [ours[f"group_{s}"] == k for k in range(9)]
            for s in sets}
    for m in range(10):
        train = tuple(v["train"][rows["train"][m]] for v in (x, {s: ours[f"y_{s}"] for s in sets}))
        scored = [(s, x[s][rows[s][m]], ours[f"y_{s}"][rows[s][m]]) for s in sets[1:]]
        check_model(table, "global" if m == 0 else f"expert {m - 1}", ours, m, train, scored)
    best = [1 + choose(list(ours["alphas"][1:]), list(ours["r2_val"][m, 1:])) for m in range(10)]
    table.equal("penalty of each model, by validation", ours["chosen"], best)


def check_bootstrap(table, ours):
    covered = ours["group_test"] >= 0
    y, n = ours["y_test"][covered], int(covered.sum())
    model = np.where(covered, ours["group_test"] + 1, 0)
    yhat = ours["yhat_test"]
    rows = np.arange(len(covered))
    mixture = yhat[model, rows, ours["chosen"][model]][covered]
    single = yhat[0, rows, ours["chosen"][0]][covered]
    for name, pred, s in (("global", single, ours["scores"][0]), ("mixture", mixture, ours["scores"][1])):
        theirs = [r2_score(y, pred), mean_absolute_error(y, pred),
                  math.sqrt(mean_squared_error(y, pred)), np.mean(pred - y)]
        table.close(f"{name}: R2, MAE, RMSE, bias on {n} covered rows", s, theirs, 1e-12)

    value, lo, hi, se, above = ours["delta"]
    index = resamples(BOOTSTRAP_SEED, len(ours["draws"]), n)
    draws = r2_draws(index, y, mixture) - r2_draws(index, y, single)
    table.close("gain in each of our resamples", ours["draws"], draws, 1e-11)
    table.close("interval: numpy.percentile of the draws", [lo, hi],
                np.percentile(ours["draws"], [2.5, 97.5]), 1e-14)
    table.close("standard error, P(gain > 0.03)", [se, above],
                [np.std(draws, ddof=1), np.mean(draws > VALUABLE)], 1e-11)
    # Another generator, more draws: only Monte Carlo error may differ. The standard error of a
    # 2.5 % quantile of B normal draws is 2.67 sd / sqrt(B).
    other = np.random.default_rng(1).integers(0, n, (4000, n))
    draws = r2_draws(other, y, mixture) - r2_draws(other, y, single)
    allowed = 4.5 * 2.67 * se * math.sqrt(1 / len(ours["draws"]) + 1 / len(other))
    table.close("interval against NumPy's own bootstrap", [lo, hi],
                np.percentile(draws, [2.5, 97.5]), allowed)
    table.close("gain", value, r2_score(y, mixture) - r2_score(y, single), 1e-12)


# --- 2. the records ------------------------------------------------------------------------------
def compare_r2(key, y, yhat, rows):
    return key, r2_score(y[rows], yhat[rows]), TOL_R2


def gain(c, rows, mixture, single):
    """The gain with its interval from the package's own resamples."""
    y = c.y[2][rows]
    index = resamples(BOOTSTRAP_SEED, RESAMPLES, len(y))
    draws = r2_draws(index, y, mixture[rows]) - r2_draws(index, y, single[rows])
    lo, hi = np.percentile(draws, [2.5, 97.5])
    return r2_score(y, mixture[rows]) - r2_score(y, single[rows]), lo, hi


def gain_keys(key, c, rows, mixture, single):
    value, lo, hi = gain(c, rows, mixture, single)
    return [(key, value, TOL_R2), (key + ".ci_lo", lo, TOL_R2), (key + ".ci_hi", hi, TOL_R2)]


def baseline(splits, more):
    """Keys of E01 and their independent values."""
    for level in LEVELS_E01:
        c = Cohort(splits, level, SEEDS)
        y, all_rows = c.y[2], np.ones(len(c.y[2]), bool)
        m = c.everything(GRID_E01)
        k = f"e01.noise_{level:.1f}"
        yield f"{k}.alpha.global", m.alpha, 1e-12 * m.alpha
        yield compare_r2(f"{k}.r2.global", y, m.yhat, all_rows)
        yield compare_r2(f"{k}.r2.global.covered", y, m.yhat, c.covered)
        yield f"{k}.mae.global", mean_absolute_error(y, m.yhat), TOL_R2
        yield f"{k}.rmse.global", math.sqrt(mean_squared_error(y, m.yhat)), TOL_R2
        if level > 0.0:  # without noise least squares is not determined to 1e-6
            ols = fit(c.x[0], c.y[0], 0.0).predict(c.x[2])
            yield compare_r2(f"e01.ridge_vs_ols.noise_{level:.1f}.r2.ols", y, ols, all_rows)
    for level in LEVELS_E01 if more else []:
        c = Cohort(more, level, SEEDS)
        m = c.everything(GRID_E01)
        yield compare_r2(f"e01.size.noise_{level:.1f}.r2_more", c.y[2], m.yhat,
                         np.ones(len(c.y[2]), bool))


def piecewise(splits, _):
    """Keys of E02."""
    for level in LEVELS:
        c = Cohort(splits, level, SEEDS)
        y, all_rows = c.y[2], np.ones(len(c.y[2]), bool)
        m = c.everything(GRID)
        experts, mixture = c.experts(lambda b: b, 9, GRID)
        k = f"e02.noise_{level:.1f}"
        yield compare_r2(f"{k}.r2.global", y, m.yhat, all_rows)
        yield compare_r2(f"{k}.r2.global.covered", y, m.yhat, c.covered)
        yield compare_r2(f"{k}.r2.moe", y, mixture, c.covered)
        yield f"{k}.mae.moe", mean_absolute_error(y[c.covered], mixture[c.covered]), TOL_R2
        yield from gain_keys(f"{k}.delta_r2.aligned", c, c.covered, mixture, m.yhat)
        yield f"e02.alpha.noise_{level:.1f}.global", m.alpha, 1e-12 * m.alpha
        for j, e in enumerate(experts):
            yield f"e02.alpha.noise_{level:.1f}.k{j}", e.alpha, 1e-12 * e.alpha
        worst = np.full(len(y), np.nan)  # the protocol of the first publication
        for j, e in enumerate(experts):
            rows = c.bin[2] == j
            worst[rows] = e.legacy(y, rows)[rows]
        unaligned = r2_score(y[c.covered], worst[c.covered]) - r2_score(y, m.legacy(y, all_rows))
        yield f"{k}.delta_r2", unaligned, TOL_R2
        if level == FOCUS:
            for j in range(9):
                yield compare_r2(f"e02.k{j}.r2.expert", y, mixture, c.bin[2] == j)
                yield compare_r2(f"e02.k{j}.r2.global", y, m.yhat, c.bin[2] == j)


def validation(splits, more):
    """Keys of E03."""
    gains = []
    for seed in MULTI_SEEDS:
        c = Cohort(splits, FOCUS, (seed, seed + 1, seed + 2))
        m = c.everything(GRID)
        _, mixture = c.experts(lambda b: b, 9, GRID)
        gains.append(gain(c, c.covered, mixture, m.yhat)[0])
        yield f"e03.seed_{seed}.delta_r2", gains[-1], TOL_R2
        if seed != SEEDS[0]:
            continue
        k = f"e03.small.noise_{FOCUS}"
        yield from gain_keys(f"{k}.delta_r2.val_alpha", c, c.covered, mixture, m.yhat)
        whole = np.where(c.covered, mixture, m.yhat)
        yield from gain_keys(f"{k}.delta_r2.fallback", c, np.ones(len(whole), bool), whole, m.yhat)
        for name, strip in (("mh_only", lambda b: b % 3), ("teff_only", lambda b: b // 3)):
            _, part = c.experts(strip, 3, GRID)
            yield from gain_keys(f"e03.ablation.{name}.delta_r2", c, c.covered, part, m.yhat)
    yield f"e03.small.noise_{FOCUS}.delta_r2.multiseed_mean", np.mean(gains), TOL_R2
    yield f"e03.small.noise_{FOCUS}.delta_r2.multiseed_std", np.std(gains), TOL_R2
    for level in [0.2, 0.5] if more else []:
        c = Cohort(more, level, SEEDS)
        m = c.everything(GRID)
        _, mixture = c.experts(lambda b: b, 9, GRID)
        yield from gain_keys(f"e03.large.noise_{level:.1f}.delta_r2", c, c.covered, mixture, m.yhat)


def recorded(loggbook, experiment, profile):
    run = subprocess.run([loggbook, "numbers", experiment, "--json", "--profile", profile],
                         capture_output=True, text=True)
    if run.returncode:
        sys.exit(fail(f"no record of {experiment}: {run.stderr.strip()}\n"
                      f"Run the experiments first, or ask for --library-only"))
    return json.loads(run.stdout)


def look_up(numbers, key):
    """The value of "key", or an end of its interval for "key.ci_lo" and "key.ci_hi"."""
    for end, i in ((".ci_lo", 0), (".ci_hi", 1)):
        if key.endswith(end):
            ci = numbers.get(key[:-len(end)], {}).get("ci")
            return None if ci is None else ci[i]
    return numbers.get(key, {}).get("value")


def check_record(table, experiment, numbers, expected):
    table.section(f"Record of {experiment}")
    for key, theirs, allowed in expected:
        ours = look_up(numbers, key)
        if ours is None:
            table.line(key, False, f"the record has no value, independent {theirs:.9g}")
        else:
            table.close(key, ours, theirs, allowed)


# --- the whole -----------------------------------------------------------------------------------
def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--data", default="data/spectra", help="holds <profile>/train_0/dataset.h5 ...")
    p.add_argument("--profile", default="quick")
    p.add_argument("--replication", default="quick_large", help="profile of the larger sample")
    p.add_argument("--export", default="build/bin/crosscheck_export")
    p.add_argument("--loggbook", default="build/bin/loggbook")
    p.add_argument("--work", default="build/crosscheck", help="receives the exported arrays")
    p.add_argument("--library-only", action="store_true", help="leave the records out")
    return p.parse_args()


def main():
    args, table = arguments(), Table()
    root = os.path.join(args.data, args.profile)
    splits = [Split(root, s) for s in ("train", "val", "test")]
    least = np.bincount(splits[0].bin[splits[0].bin >= 0], minlength=9).min()
    if least < MINIMUM_TRAIN:
        return fail(f"a bin of {root} has {least} training rows; bins would be merged, and this "
                    f"check does not merge")
    table.section("Random numbers")
    known_answers(table)
    for level in EXPORT_LEVELS:
        table.section(f"Library at noise {level:.1f}")
        ours = run_export(args.export, root, args.work, level)
        check_rows(table, ours, splits, level)
        check_models(table, ours)
        check_bootstrap(table, ours)
    if not args.library_only:
        more = os.path.join(args.data, args.replication)
        more = [Split(more, s) for s in ("train", "val", "test")] if os.path.isdir(more) else None
        for experiment, expected in (("e01", baseline), ("e02", piecewise), ("e03", validation)):
            numbers = recorded(args.loggbook, experiment, args.profile)
            check_record(table, experiment, numbers, expected(splits, more))
    print(f"\n{table.passed} passed, {table.failed} failed")
    return 1 if table.failed or not table.passed else 0


if __name__ == "__main__":
    sys.exit(main())
