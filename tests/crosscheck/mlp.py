#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multilayer perceptron in float64 NumPy, step by step from the same initial weights, order of
rows and dropout masks: losses of every epoch and the predictions of the best. With --full:
scikit-learn's MLPRegressor, same sizes, batches and epochs, for the clock."""
import os

from witness import Witness, need

need("numpy", "sklearn")
import numpy as np  # noqa: E402
from networks import Net  # noqa: E402

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as mlp.h advises where others compute too
w = Witness("mlp")
x, y = w["x"], w["y"]


if not w.full:
    sizes, batch, rate = (x.shape[1], 16, 9, 1), 32, 3e-3
    epochs, val = len(w["val_loss"]), w["val"]
    order = w["order"].reshape(epochs, -1)
    masks = w["masks"].astype(float).reshape(epochs, order.shape[1], -1)
    xt, yt = x[order[0]].astype(float), y[order[0]]
    mean, sd = xt.mean(axis=0), xt.std(axis=0)
    scaled, target = (x.astype(float) - mean) / sd, (y - yt.mean()) / yt.std()
    net, train_loss, val_loss, best = Net(w["weights"], sizes), [], [], None
    for e in range(epochs):
        squares = 0.0
        for first in range(0, order.shape[1], batch):
            rows, mask = order[e, first:first + batch], masks[e, first:first + batch]
            mask = [mask[:, :16], mask[:, 16:]]
            kept = net.forward(scaled[rows], mask)
            error = kept[-1][:, 0] - target[rows]
            net.step(kept, (2 * error / len(error))[:, None], mask, rate)
            squares += float(error @ error)
        yhat = yt.mean() + yt.std() * net.forward(scaled)[-1][:, 0]
        train_loss.append(squares * yt.var() / order.shape[1])
        val_loss.append(np.mean((yhat[val] - y[val]) ** 2))
        if val_loss[-1] == min(val_loss):
            best = yhat
    w.close("loss of training rows, every epoch", w["train_loss"], train_loss, rtol=1e-5)
    w.close("loss of validation rows, every epoch", w["val_loss"], val_loss, rtol=1e-5)
    w.equal("best epoch", w["best_epoch"], [1 + int(np.argmin(val_loss))])
    w.close("predictions of the best epoch", w["yhat"], best, rtol=1e-5)
    w.line("the network learns", min(val_loss) < 0.5 * y[val].var(), f"{min(val_loss):.4f} of {y[val].var():.4f}")
    share = float(np.mean(masks == 0))
    w.line("dropout drops a fifth", abs(share - 0.2) < 0.01, f"{share:.4f}")
else:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor
    warnings.simplefilter("ignore", ConvergenceWarning)
    train = np.setdiff1d(np.arange(len(y)), w["val"])
    theirs = MLPRegressor((256, 256), batch_size=256, max_iter=len(w["val_loss"]), alpha=0.0, tol=0.0,
                          n_iter_no_change=1000, random_state=1)
    with w.timed("fit"):  # both from rows as they were read
        rows = x[train]
        mean, sd = rows.mean(axis=0), rows.std(axis=0)
        rows -= mean
        rows /= sd
        theirs.fit(rows, ((y[train] - y[train].mean()) / y[train].std()).astype(np.float32))
    yhat = theirs.predict((x[w["val"]] - mean) / sd) * y[train].std() + y[train].mean()
    loss = float(np.mean((yhat - y[w["val"]]) ** 2))
    ours = float(np.min(w["val_loss"]))
    w.line("the loss is at most twice scikit-learn's", ours <= 2 * loss, f"{ours:.5f} : {loss:.5f}")
    w.faster("fit", 0.6)
    w.within("28,800 rows", 3e9)
w.end()
