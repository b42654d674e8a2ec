# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditional Ridge before scikit-learn on the design written out: weights, R2, predictions, folds.

Columns that carry no penalty (the intercept is scikit-learn's own; the plain conditions) are
projected out of the design and the label first, by least squares.
"""
from witness import Witness, need

need("numpy", "sklearn")
import numpy as np  # noqa: E402
from sklearn.linear_model import Ridge  # noqa: E402
from sklearn.metrics import r2_score  # noqa: E402
from sklearn.model_selection import PredefinedSplit, cross_val_score  # noqa: E402

w = Witness("conditional")
y, y_val = w["y_train"], w["y_val"]


def powers(which, k):
    return lambda v: np.stack([v[:, which] ** i for i in range(k)], axis=1)


def design(conditions, part, centre=0.0):
    """[c_1 x, c_2 x, ...]"""
    x, c = w["x_" + part].astype(float) - centre, conditions(w["variables_" + part])
    return np.concatenate([x * c[:, i:i + 1] for i in range(c.shape[1])], axis=1)


def compare(name, conditions, alphas, centre=0.0):
    train, val = design(conditions, "train", centre), design(conditions, "val", centre)
    for k, alpha in enumerate(alphas):
        model = Ridge(alpha=alpha, solver="cholesky").fit(train, y)
        yhat = model.predict(val)
        w.close(f"weights, {name}, alpha {alpha:g}", w["w_" + name][k], model.coef_, rtol=1e-6)
        w.close(f"predictions, {name}, alpha {alpha:g}", w["yhat_" + name][k], yhat, rtol=1e-8)
        w.close(f"R2, {name}, alpha {alpha:g}", [w["r2_" + name][k]], [r2_score(y_val, yhat)],
                atol=1e-9)


def compare_plain(name, conditions, alpha):
    """The conditions as unpenalised columns beside the design."""
    train, val = design(conditions, "train"), design(conditions, "val")
    z, z_val = conditions(w["variables_train"]), conditions(w["variables_val"])
    on_z = np.linalg.lstsq(z, np.column_stack([train, y]), rcond=None)[0]
    model = Ridge(alpha=alpha, solver="cholesky", fit_intercept=False)
    model.fit(train - z @ on_z[:, :-1], y - z @ on_z[:, -1])
    yhat = z_val @ (on_z[:, -1] - on_z[:, :-1] @ model.coef_) + val @ model.coef_
    w.close(f"weights, {name}", w["w_" + name][0], model.coef_, rtol=1e-6)
    w.close(f"predictions, {name}", w["yhat_" + name][0], yhat, rtol=1e-8)
    w.close(f"R2, {name}", w["r2_" + name], [r2_score(y_val, yhat)], atol=1e-9)


def m_and_t(v):
    return np.column_stack([np.ones(len(v)), v[:, :2]])


if not w.full:
    compare("literal", powers(0, 2), [0.01, 100.0])
    compare_plain("second", powers(0, 3), 1.0)
    compare("centred", m_and_t, [1.0], w["x_train"].astype(float).mean(axis=0))
    compare("levels", powers(2, 3), [1.0])
    phi = design(powers(0, 2), "train")
    theirs = [np.mean(cross_val_score(Ridge(alpha=a, solver="cholesky"), phi, y, scoring="r2",
                                      cv=PredefinedSplit(w["fold"]))) for a in (1.0, 100.0)]
    w.close("R2 of five folds", w["r2_folds"], theirs, atol=1e-9)
else:
    for task, alphas in (("one_penalty", [1.0]), ("six_penalties", [0.001, 0.01, 0.1, 1, 10, 100])):
        for repeat in range(2 if len(alphas) == 1 else 1):
            with w.timed(task):
                train = design(powers(0, 3), "train")
                models = [Ridge(alpha=a, solver="cholesky").fit(train, y) for a in alphas]
                val = design(powers(0, 3), "val")
                theirs = [r2_score(y_val, m.predict(val)) for m in models]
            del train
        w.close(f"R2, {task}", w["r2_" + task], theirs, atol=1e-6)
        w.faster(task, 0.8)
w.end()
