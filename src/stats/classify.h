/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_CLASSIFY_H
#define LB_STATS_CLASSIFY_H

#include "core/error.h"
#include "core/number.h"
#include "linalg/mat.h"
#include "stats/rowset.h"

#include <stdbool.h>
#include <stddef.h>

/* How well a gate names the bin of a row. Everything is scored on a row set, as the regression
 * scores are (stats/score.h): numbers carry its hash. A row without a true class cannot be scored;
 * make a row set without it. */

/**
 * Confusion counts: element (t, c) is how many rows of true class t were called c. Example:
 *
 *   lb_confusion *c;
 *   lb_confusion_make(covered, true_bin, called, 9, &c, err);
 *   lb_number accuracy = lb_confusion_accuracy(c), poor = lb_confusion_recall(c, 3);
 */
typedef struct lb_confusion lb_confusion;

/**
 * @param truth, called  [lb_rowset_size(rows)] classes 0 .. classes-1
 * @return LB_OK; LB_EINVAL (no class; a label out of range, the row is named). A row set without
 *         rows is fine.
 */
lb_status lb_confusion_make(const lb_rowset *rows, const int *truth, const int *called,
                            size_t classes, lb_confusion **out, lb_error *err);
void lb_confusion_free(lb_confusion *c); /* NULL is fine */

size_t lb_confusion_classes(const lb_confusion *c);
size_t lb_confusion_count(const lb_confusion *c, size_t truth, size_t called);
size_t lb_confusion_rows(const lb_confusion *c, size_t truth); /* of that true class */

/** Every row divided by its sum; a class without rows gives zeros. @param out (classes, classes) */
lb_status lb_confusion_normalised(const lb_confusion *c, lb_mat out, lb_error *err); /* LB_ESHAPE */

/** Share of rows called what they are, kind "accuracy", with its binomial standard error.
 * "n/a (no rows)". */
lb_number lb_confusion_accuracy(const lb_confusion *c);

/** The same among the rows of one true class, kind "recall"; "n/a (no rows)" for an empty one. */
lb_number lb_confusion_recall(const lb_confusion *c, size_t truth);

/**
 * Mean over all classes of F1 = 2 tp / (2 tp + fp + fn), kind "macro_f1". A class that neither
 * occurs nor is called counts as 0 and stays in the mean: scikit-learn's f1_score(labels=all,
 * average="macro", zero_division=0). So an empty bin lowers it: print the counts beside it.
 * "n/a (no rows)". Source: Sokolova & Lapalme 2009, Inf. Process. Manag. 45, 427, table 3.
 */
lb_number lb_confusion_macro_f1(const lb_confusion *c);

/** One interval of a reliability diagram. Lower ends closed, upper open, the last one closed. */
typedef struct lb_reliability_bin {
    double lo, hi;
    size_t n;
    double confidence, accuracy; /* means over its rows; NAN without rows */
} lb_reliability_bin;

/**
 * Does a gate that says 0.8 hit in 8 of 10 cases? Rows are sorted by confidence into n equal
 * intervals of [0, 1]; ece = sum over intervals of n_b / n |accuracy_b - confidence_b|.
 * @param p         (rows, classes) probabilities (linalg/probability.h)
 * @param truth     [rows]
 * @param class_of  that class: confidence p(i, class_of), a hit when truth[i] is it. -1: the class
 *                  with the largest probability, the first of equals
 * @param bins      out [n_bins]
 * @param ece       out: expected calibration error, kind "ece"; "n/a (no rows)"
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (no interval, no such class, a label out of range); what
 *         lb_probability_check() says
 * Source: Guo et al. 2017, ICML, "On calibration of modern neural networks", eq. 3.
 */
lb_status lb_reliability(const lb_rowset *rows, lb_cmat p, const int *truth, int class_of,
                         lb_reliability_bin *bins, size_t n_bins, lb_number *ece, lb_error *err);

/**
 * Entropy of each row of weights, - sum p ln p (0 ln 0 = 0): 0 for a gate that is sure, ln K for
 * one that knows nothing.
 * @param normalise  divide by ln K, so that K does not matter; 0 for K = 1. Otherwise in nats
 * @param out        (rows)
 * @return LB_OK; LB_ESHAPE; what lb_probability_check() says
 */
lb_status lb_weights_entropy(lb_cmat p, bool normalise, lb_vec out, lb_error *err);

/**
 * Mean probability given to each class by the rows of each true class: what a confusion matrix is
 * to a hard gate. With one true class for all rows it is the mean weight of every expert.
 * @param truth   [p.rows] 0 .. out.rows-1
 * @param out     (true classes, p.cols); NAN for a class without rows
 * @param counts  out [out.rows] rows a true class; may be NULL
 * @return LB_OK; LB_ESHAPE; LB_EINVAL (a label out of range); what lb_probability_check() says
 */
lb_status lb_weights_mean(lb_cmat p, const int *truth, lb_mat out, size_t *counts, lb_error *err);

#endif
