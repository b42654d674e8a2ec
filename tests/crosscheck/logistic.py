# SPDX-License-Identifier: GPL-3.0-or-later
"""Multinomial logistic regression before scikit-learn: coefficients, probabilities, five folds."""
import warnings

from witness import Witness, need

need("numpy", "sklearn")
import numpy as np  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

warnings.simplefilter("ignore", ConvergenceWarning)
w = Witness("logistic")
x, label, fold = w["x"], w["label"], w["fold"]
scaler = StandardScaler().fit(x)
z = scaler.transform(x)
TIGHT = dict(solver="newton-cg", tol=1e-8, max_iter=10000)


def tight(rows, targets, C):
    return LogisticRegression(C=C, **TIGHT).fit(rows, targets)


def in_units_of_x(model):
    """Coefficients of a fit on standardised columns, per unit of x as it comes."""
    coef = model.coef_ / scaler.scale_
    return coef, model.intercept_ - coef @ scaler.mean_


# With --full the coefficients were compared at the small size already; one C is enough.
for name, C in [("", 1.0)] if w.full else [("", 1.0), ("_low", 0.01), ("_high", 100.0)]:
    theirs = tight(z, label, C)
    coef, intercept = in_units_of_x(theirs)
    w.close(f"coefficients, C = {C:g}", w["coef" + name] * scaler.scale_, coef * scaler.scale_,
            rtol=1e-6)
    w.close(f"coefficients per unit of x, C = {C:g}", w["coef" + name], coef, rtol=1e-6)
    w.close(f"intercepts, C = {C:g}", w["intercept" + name], intercept, rtol=1e-6)
    if not name:
        w.close("probabilities", w["proba"], theirs.predict_proba(z), atol=1e-8)

# Without scaling, newton-cg and lbfgs do not survive columns whose units span four decades; centring
# them, which only moves the intercepts, is what newton-cg needs.
if not w.full:
    theirs = tight(x - scaler.mean_, label, 1.0)
    w.close("coefficients, as the columns come", w["coef_raw"], theirs.coef_, rtol=1e-6)
    w.close("intercepts, as the columns come", w["intercept_raw"],
            theirs.intercept_ - theirs.coef_ @ scaler.mean_, rtol=1e-6)

folds = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(fold.max() + 1)]
if not w.full:
    loss, accuracy = [], []
    for C in w["grid"]:
        fits = [(tight(z[a], label[a], C), z[b], label[b]) for a, b in folds]
        loss.append(np.mean([-np.mean(m.predict_log_proba(r)[np.arange(len(t)), t])
                             for m, r, t in fits]))
        accuracy.append(np.mean([m.score(r, t) for m, r, t in fits]))
    w.close("log-loss of five folds", w["log_loss"], loss, rtol=1e-8)
    w.close("accuracy of five folds", w["accuracy"], accuracy, atol=1e-12)
    w.equal("C chosen", w["best"], [int(np.argmin(loss))])
    coef, intercept = in_units_of_x(tight(z, label, w["grid"][np.argmin(loss)]))
    w.close("coefficients of the chosen model", w["cv_coef"], coef, rtol=1e-6)
    w.close("intercepts of the chosen model", w["cv_intercept"], intercept, rtol=1e-6)
else:
    # Their times leave the scaling out, ours have it in.
    for _ in range(5):
        with w.timed("fit"):
            LogisticRegression(C=1.0).fit(z, label)
    for _ in range(3):
        with w.timed("cross-validation"):
            cv = LogisticRegressionCV(Cs=w["grid"], cv=folds, scoring="neg_log_loss").fit(z, label)
    w.close("log-loss of five folds", w["log_loss"],
            -np.mean(list(cv.scores_.values())[0], axis=0), rtol=1e-3)
    w.equal("C chosen", w["grid"][w["best"]], cv.C_[:1])
w.faster("fit", 0.5)
w.faster("cross-validation", 0.2)
w.end()
