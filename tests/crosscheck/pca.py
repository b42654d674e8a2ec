# SPDX-License-Identifier: GPL-3.0-or-later
"""Principal components, against the singular values of the centred rows and scikit-learn's randomised PCA."""
from witness import Witness, need

need("numpy", "sklearn")
import numpy as np  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402


def svd(x, k):
    """Mean, components (largest loading positive), variances, ratios."""
    mean = x.mean(axis=0, dtype=float)
    _, s, vt = np.linalg.svd(x - mean, full_matrices=False)
    v = vt[:k] * np.sign(vt[np.arange(k), np.abs(vt[:k]).argmax(axis=1)])[:, None]
    variance = s ** 2 / (len(x) - 1)
    return mean, v, variance[:k], variance[:k] / variance.sum()


def compare(name, x, k):
    mean, v, variance, ratio = svd(x, k)
    w.close(f"{name}: mean", w[name + "_mean"], mean, rtol=1e-12)
    w.close(f"{name}: components", w[name + "_components"], v, atol=1e-8)
    w.close(f"{name}: variance", w[name + "_variance"], variance, rtol=1e-11)
    w.close(f"{name}: ratio", w[name + "_ratio"], ratio, rtol=1e-11)
    return mean, v


def residual(name, x, mean):
    """|C v - lambda v| / lambda, C never formed."""
    v, variance = w[name + "_components"], w[name + "_variance"]
    product = np.zeros_like(v)
    for rows in np.array_split(x, 64):
        d = rows - mean
        product += (v @ d.T) @ d
    return np.linalg.norm(product / (len(x) - 1) - variance[:, None] * v, axis=1) / variance


w = Witness("pca")
train, test = w["train"], w["test"]
compare("few", w["few"].astype(float), 8)
if not w.full:
    compare("gram", train.astype(float), 4)
    mean, v = compare("stream", train.astype(float), 4)
    w.close("scores of other rows", w["scores"], (test - mean) @ v.T, atol=1e-8)
else:
    for _ in range(3):
        for task in ("PCA-4 of a stream", "PCA-4 by a float64 Gram", "PCA-4, the Gram exists"):
            with w.timed(task):
                theirs = PCA(4, svd_solver="randomized", random_state=0).fit(train)
    mean = train.mean(axis=0, dtype=float)
    for name in ("stream", "gram"):
        print(f"  {w[name + '_products'][0]} products with the block of vectors ({name})")
        w.close(f"{name}: residuals", residual(name, train, mean), np.zeros(4), atol=1e-9)
        w.close(f"{name}: ratio", w[name + "_ratio"], theirs.explained_variance_ratio_, rtol=1e-3)
    w.close("one way and the other", w["stream_components"], w["gram_components"], atol=1e-8)
    w.faster("PCA-4 of a stream", 1.0)
    w.faster("PCA-4, the Gram exists", 0.5)
    w.faster("PCA-4 by a float64 Gram", 3.0)
w.end()
