# SPDX-License-Identifier: GPL-3.0-or-later
"""Routing, the scores of a gate, analysis of variance, quantile bins and gate noise, by NumPy and scikit-learn."""
from witness import Witness, need

need("numpy", "scipy", "sklearn")
import numpy as np
from scipy import stats
from sklearn import metrics
from sklearn.feature_selection import f_classif

K, TAU, BINS = 9, 0.5, 7
w = Witness("routing")
p, expert, world, truth = w["p"], w["expert"], w["global"], w["truth"]
rows, here = np.arange(len(p)), np.array([k for k in range(K) if not np.isnan(expert[:, k]).all()])

# Routing: an absent expert gets nothing, the others share what it had.
given = np.where(np.isin(truth, here), expert[rows, truth], world)
w.close("routed by the given bin", w["given"], given)
hard = expert[rows, here[np.argmax(p[:, here], axis=1)]]
w.close("routed by the largest probability", w["hard"], hard)
with w.timed("soft mixture"):
    soft = np.average(expert[:, here], axis=1, weights=p[:, here])
w.close("soft mixture", w["soft"], soft, rtol=1e-13)
doubt = p[:, here].max(axis=1) < TAU
w.close("soft with fallback", w["fallback"], np.where(doubt, world, soft), rtol=1e-13)
lost = np.delete(p, here, axis=1).sum(axis=1).mean()
w.close("rows that fell back, probability lost", w["counts"],
        [(~np.isin(truth, here)).sum(), lost, doubt.sum()], rtol=1e-13)

# The gate as a classifier.
called = p.argmax(axis=1)
with w.timed("confusion and macro F1"):
    confusion = metrics.confusion_matrix(truth, called, labels=range(K))
    f1 = metrics.f1_score(truth, called, labels=range(K), average="macro", zero_division=0)
w.equal("confusion", w["confusion"], confusion)
w.close("normalised by row", w["normalised"],
        metrics.confusion_matrix(truth, called, labels=range(K), normalize="true"), rtol=1e-14)
recall = metrics.recall_score(truth, called, labels=range(K), average=None, zero_division=0)
w.close("accuracy, macro F1, recall", w["scores"],
        [metrics.accuracy_score(truth, called), f1, *recall], rtol=1e-14)


def reliability(confidence, hit):
    at = np.clip(np.digitize(confidence, np.arange(11) / 10) - 1, 0, 9)
    n = np.bincount(at, minlength=10)
    with np.errstate(invalid="ignore"):
        mean, share = (np.bincount(at, v, minlength=10) / n for v in (confidence, hit))
    return np.column_stack([n, mean, share]), np.nansum(n / n.sum() * np.abs(share - mean))


for name, confidence, hit in (("top", p.max(axis=1), called == truth), ("2", p[:, 2], truth == 2)):
    table, ece = reliability(confidence, hit)
    w.close(f"reliability, class {name}", np.nan_to_num(w[f"reliability_{name}"], nan=-1),
            np.nan_to_num(table, nan=-1), rtol=1e-14)
    w.close(f"calibration error, class {name}", w[f"ece_{name}"], [ece], rtol=1e-12)
w.close("entropy of the weights", w["entropy"], stats.entropy(p, axis=1) / np.log(K), rtol=1e-13)
w.close("mean probability by true class", w["mean_probability"],
        [p[truth == t].mean(axis=0) for t in range(K)], rtol=1e-12)

f = f_classif(p, truth)[0]
between, within = len(np.unique(truth)) - 1, len(p) - len(np.unique(truth))
w.close("F of each weight over the classes", w["anova_f"], f, rtol=1e-10)
w.close("share of variance between classes", w["anova_share"],
        f * between / (f * between + within), rtol=1e-10)

# Labels on a grid: quantiles without doubles, the smallest value is no edge.
mh = w["mh"]
edges = np.unique(np.quantile(mh, np.arange(1, BINS) / BINS))
edges = edges[edges > mh.min()]
w.close("edges of the quantile bins", w["edges"], edges, atol=1e-15)
w.equal("bins", w["bin"], np.searchsorted(edges, mh, side="right"))

# What a gate is told: normal errors of the width asked for, independent of the label.
error = (w["told"] - mh) / 0.3
w.line("gate noise is normal", stats.kstest(error, "norm").pvalue > 0.01,
       f"Kolmogorov-Smirnov p = {stats.kstest(error, 'norm').pvalue:.2f}")
w.line("gate noise ignores the label", abs(np.corrcoef(error, mh)[0, 1]) < 3 / np.sqrt(len(mh)),
       f"correlation {np.corrcoef(error, mh)[0, 1]:+.4f}")

w.faster("soft mixture", 1.0)
w.faster("confusion and macro F1", 0.2)
w.end()
