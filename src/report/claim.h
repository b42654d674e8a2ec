/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_CLAIM_H
#define LB_REPORT_CLAIM_H

#include "record/published.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * A printed number with the parts of its claim key: what was measured, of which model, at which
 * noise, on which rows, under which protocol. The parts are read from the words of the key and from
 * the columns beside the value, never from what anybody says about the number being right.
 *
 * Words of a key fall into kinds (the vocabulary is the table in claim.c): metric, model, noise,
 * bin, size of the training set, hyper-parameter, ornament ("fig", "text": where it was printed,
 * not what it is). What is left stays in @c what and is part of the key. A condition that a
 * document states once, and never otherwise, holds for the rows of that document that are silent.
 */
typedef struct lb_claim {
    const lb_published_entry *entry; /* borrowed: key, printed value, conditions, source */
    double value, half;              /* half a unit of the last printed digit */
    char metric[16];     /* r2 delta_r2 retention mae rmse accuracy alpha count, or the unit */
    char model[48];      /* "global", "oracle", "fallback+soft"; "" if none is named */
    char layout[32];     /* of the experts or the learner: "3", "nn", "snr"; "" is the nine boxes */
    char what[80];       /* remaining words */
    char group[32];      /* first words of the key and the document: one table of one document */
    double noise, alpha; /* NAN: not stated */
    size_t n_train;      /* 0: not stated */
    size_t n, n_other;   /* rows scored, and a second number of rows when two are printed */
    size_t votes;        /* rows by most of the look-alikes with the same value; n if they agree */
    size_t seed;         /* 0: not stated */
    int bin, bin_printed; /* from 0 in the order of the nine boxes; -1: no bin */
    bool intent;          /* a threshold, a plan, a target: nobody measured it */
    bool estimator;       /* a mean over seeds or resamples, not the point estimate */
    bool true_labels;     /* says itself that true labels go in, or has "oracle" in its name */
} lb_claim;

typedef struct lb_claims {
    lb_claim *at;
    size_t n;
} lb_claims;

/** Read every row of @p p that holds a number; adds to @p out. @p p must outlive it. */
void lb_claims_read(const lb_published *p, lb_claims *out);
void lb_claims_free(lb_claims *c);

/** Can both printed values be roundings of one number? */
bool lb_claims_agree(const lb_claim *a, const lb_claim *b);
bool lb_claim_is(const lb_claim *c, const char *metric);
/** The same value of the same metric in the same bin, of models and runs that may be the same. */
bool lb_claims_alike(const lb_claim *a, const lb_claim *b);
/** Same noise, training set and layout, as far as both say. */
bool lb_claims_one_run(const lb_claim *a, const lb_claim *b);

#endif
