#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixtures whose experts and gate learn together, in float64 NumPy, step by step from the same
initial weights, order of rows and dropout masks: losses of every epoch; what mixture, gate and each
expert say of every row at the best. The loss alone by derivatives of complex step. With --full:
E15's size, and the clock beside the same network in float32 NumPy."""
import os

from witness import Witness, need

need("numpy")
import numpy as np  # noqa: E402
from networks import Net  # noqa: E402

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as mlp.h advises where others compute too
w = Witness("nn_mixture")
x, gate, y, val = w["x"], w["gate"], w["y"], w["all_val"]


def softmax(z):
    p = np.exp(z - z.real.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def loss_of(target, outputs, logits, balance):
    """mean (target - sum_k p_k o_k)^2 - balance H(mean p)"""
    p = softmax(logits)
    mean = p.mean(axis=0)
    return ((target - (p * outputs).sum(axis=1)) ** 2).mean() + balance * (mean * np.log(mean)).sum()


def slopes_of(target, outputs, logits, balance):
    """The same by outputs and logits, and the sum of squared errors: the Jacobian of the softmax as
    a matrix a row."""
    n, k = outputs.shape
    p = softmax(logits)
    error = (p * outputs).sum(axis=1) - target
    by_p = (2 / n) * error[:, None] * outputs + balance / n * (1 + np.log(p.mean(axis=0)))
    jacobian = p[:, :, None] * (np.eye(k, dtype=p.dtype) - p[:, None, :])
    return (2 / n) * error[:, None] * p, np.einsum("nj,njk->nk", by_p, jacobian), float(error @ error)


class Mixture:
    """Standardised rows in, one Net an expert and one for the gate."""

    def __init__(self, starts, gate_start, hidden, gate_hidden, kind):
        self.experts = [Net(s.astype(kind), (x.shape[1], *hidden, 1)) for s in starts]
        self.gate = Net(gate_start.astype(kind), (gate.shape[1], *gate_hidden, len(starts)))

    def forward(self, rows, features, masks):
        kept = [net.forward(rows, m) for net, m in zip(self.experts, masks)]
        return kept, self.gate.forward(features)

    def learn(self, rows, features, target, masks, balance, rate):
        kept, gate_kept = self.forward(rows, features, masks)
        outputs = np.hstack([k[-1] for k in kept])
        by_outputs, by_logits, squares = slopes_of(target, outputs, gate_kept[-1], balance)
        for j, net in enumerate(self.experts):
            net.step(kept[j], by_outputs[:, j:j + 1], masks[j], rate)
        self.gate.step(gate_kept, by_logits, None, rate)
        return squares

    def predict(self, rows, features):
        kept, gate_kept = self.forward(rows, features, [None] * len(self.experts))
        return softmax(gate_kept[-1]), np.hstack([k[-1] for k in kept])


def carried_over(name, j, hidden, mean, sd):
    """Expert @j for rows standardised by @mean and @sd instead of its own, and the label likewise:
    as a map of the raw rows, and back."""
    units, inputs = (*hidden, 1), x.shape[1]
    block, (y_mean, y_sd) = np.array(w[f"{name}_given{j}"]), w[f"{name}_y{j}"]
    first, last = inputs * units[0], units[-2] + 1
    raw = block[:first].reshape(inputs, -1) / w[f"{name}_sd{j}"][:, None]
    bias = block[first:first + units[0]] - w[f"{name}_mean{j}"] @ raw
    block[:first], block[first:first + units[0]] = (raw * sd[:, None]).ravel(), bias + mean @ raw
    block[-last:] *= y_sd
    block[-1] += y_mean - yt.mean()
    block[-last:] /= yt.std()
    return block


def train(name, hidden, gate_hidden, batch, balance, kind=float, rate=3e-3):
    """Losses of every epoch and (yhat, p, o) of the best."""
    epochs, count = len(w[name + "_val_loss"]), sum(f"{name}_start{j}" in w.arrays for j in range(9))
    order = w[name + "_order"].reshape(-1, len(y) - len(val))
    starts = [w[f"{name}_start{j}"] for j in range(count)]
    if f"{name}_given0" in w.arrays:
        starts = [carried_over(name, j, hidden, xt.mean(axis=0), xt.std(axis=0)) for j in range(count)]
    m = Mixture(starts, w[name + "_start15"], hidden, gate_hidden, kind)
    rows, features = scaled.astype(kind), scaled_gate.astype(kind)
    target = ((y - yt.mean()) / yt.std()).astype(kind)
    masks = w[name + "_masks"].astype(kind).reshape(*order.shape, -1) if name + "_masks" in w.arrays else None
    ends = np.cumsum(hidden * count)[:-1]
    train_loss, val_loss, best = [], [], None
    for e in range(epochs):
        squares = 0.0
        for first in range(0, order.shape[1], batch):
            i, of_expert = order[e, first:first + batch], [None] * count
            if masks is not None:
                layers = np.split(masks[e, first:first + batch], ends, axis=1)
                of_expert = [layers[j * len(hidden):(j + 1) * len(hidden)] for j in range(count)]
            squares += m.learn(rows[i], features[i], target[i], of_expert, balance, rate)
        train_loss.append(squares * yt.var() / order.shape[1])
        p, o = m.predict(rows, features) if kind is float else m.predict(rows[val], features[val])
        yhat = yt.mean() + yt.std() * (p * o).sum(axis=1)
        val_loss.append(np.mean(((yhat[val] if kind is float else yhat) - y[val]) ** 2))
        if val_loss[-1] == min(val_loss):
            best = yhat, p, yt.mean() + yt.std() * o
    return train_loss, val_loss, best


def compare(name, hidden, gate_hidden, batch, balance):
    train_loss, val_loss, (yhat, p, o) = train(name, hidden, gate_hidden, batch, balance)
    w.close(f"{name}, loss of training rows", w[name + "_train_loss"], train_loss, rtol=RTOL)
    w.close(f"{name}, loss of validation rows", w[name + "_val_loss"], val_loss, rtol=RTOL)
    w.equal(f"{name}, best epoch", w[name + "_best_epoch"], [1 + int(np.argmin(val_loss))])
    w.close(f"{name}, predictions", w[name + "_yhat"], yhat, rtol=RTOL)
    w.close(f"{name}, weights of the gate", w[name + "_weights"], p, rtol=RTOL)
    w.close(f"{name}, each expert", w[name + "_experts"], o, rtol=RTOL)
    w.line(f"{name}, learns", min(val_loss) < 0.5 * y[val].var(), f"{min(val_loss):.4f} of {y[val].var():.4f}")
    return train_loss


def standardised(a):
    """In float32, as the library holds its inputs: else two parts in a million of a pixel near 1 now
    and then put a unit on the other side of its ReLU, and the weights drift apart from there."""
    a = a.astype(np.float32)
    rows = a[trained].astype(float)
    return (a - rows.mean(axis=0).astype(np.float32)) * (1 / rows.std(axis=0)).astype(np.float32)


trained = np.setdiff1d(np.arange(len(y)), val)
xt, yt = x[trained].astype(float), y[trained]
scaled, scaled_gate = standardised(x), standardised(gate)
RTOL = 1e-6  # products of the library are float32, 6e-8; some twenty of them add up in a unit

if not w.full:
    target, o, z = w["loss_y"], w["loss_outputs"], w["loss_logits"]
    p = softmax(z)
    w.close("the loss and its squares", w["loss_values"],
            [loss_of(target, o, z, 0.37), ((target - (p * o).sum(axis=1)) ** 2).sum()], rtol=1e-14)
    for what, slopes in (("outputs", w["loss_slope_outputs"]), ("logits", w["loss_slope_logits"])):
        theirs = np.zeros_like(o)
        for at in np.ndindex(o.shape):
            bump = np.zeros(o.shape, complex)
            bump[at] = 1e-30j
            step = (bump, 0) if what == "outputs" else (0, bump)
            theirs[at] = loss_of(target, o + step[0], z + step[1], 0.37).imag / 1e-30
        w.close(f"slopes by the {what}, complex step", slopes, theirs, rtol=1e-13)
    curve = compare("balanced", (12, 7), (5,), 32, 0.05)
    without = train("balanced", (12, 7), (5,), 32, 0.0)[0]
    apart = max(abs(a / b - 1) for a, b in zip(curve, without))
    w.line("the entropy term counts", apart > 1e3 * RTOL, f"losses differ by {apart:.1e} without it")
    compare("linear", (9,), (), 48, 0.0)
    compare("started", (12, 7), (16,), 32, 0.02)
else:
    plan = "fit", (64, 64), (16,), 256, 0.05
    with w.timed("fit"):
        train(*plan, np.float32, 1e-3)
    # In time some unit falls on the other side of its ReLU all the same; until then, every digit.
    for what, theirs in zip(("train", "val"), train(*plan, float, 1e-3)):
        ours = w[f"fit_{what}_loss"]
        w.close(f"{what} loss, epochs 1 to 3", ours[:3], theirs[:3], rtol=1e-5)
        w.close(f"{what} loss, later epochs", ours[3:], theirs[3:], rtol=0.1)
    w.faster("fit", 0.8)
w.end()
