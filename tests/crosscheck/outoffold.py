# SPDX-License-Identifier: GPL-3.0-or-later
"""Folds by star and the out-of-fold Ridge predictor, by scikit-learn's cross_val_predict."""
from witness import Witness, need

need("numpy", "sklearn")
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict

w = Witness("outoffold")
x, y, fold, star, kind = w["x"].astype(float), w["y"], w["fold"], w["star"], w["class"]

pairs = np.unique(np.column_stack([star, fold]), axis=0)
w.line("a star is in one fold", len(pairs) == len(np.unique(star)), f"{len(pairs)} stars")
_, first = np.unique(star, return_index=True)
share = np.array([np.bincount(fold[first][kind[first] == c], minlength=5) for c in np.unique(kind)])
spread = [np.ptp(row) for row in [share.sum(axis=0), *share]]
w.line("folds differ by at most one star, in all and by class", max(spread) <= 1, f"{spread}")

held = []
with w.timed("out-of-fold Ridge"):
    for alpha in w["alphas"]:
        held.append(cross_val_predict(Ridge(alpha=alpha), x, y, cv=PredefinedSplit(fold)))
    r2 = np.array([r2_score(y, h) for h in held])
    best = len(r2) - 1 - int(np.argmax(r2[::-1]))
    test = Ridge(alpha=w["alphas"][best]).fit(x, y).predict(w["x_test"].astype(float))
w.close("out-of-fold R2 at every penalty", w["r2"], r2, atol=1e-8)
w.close("out-of-fold predictions", w["yhat_train"], held[best], atol=1e-8)
w.close("predictions of the test rows", w["yhat_test"], test, atol=1e-8)
w.close("R2 and RMSE of both sets, the penalty", w["scores"],
        [r2[best], mean_squared_error(y, held[best]) ** 0.5, r2_score(w["y_test"], test),
         mean_squared_error(w["y_test"], test) ** 0.5, w["alphas"][best]], atol=1e-8)
w.faster("out-of-fold Ridge", 0.5)
w.end()
