/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Per-bin tables. Counts of one run must agree with each other and with the rows of the score they
 * stand beside; the n-weighted mean of the R2 of the bins must be near the pooled R2 of the same
 * rows (specification 0.4).
 */
#include "report/audit.h"

#include "core/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 9, SNR_BINS = 4 };
static const double suspicious_gap = 0.02;

/* One column: the same quantity in every bin of one table of one document. */
typedef struct column {
    const lb_claim *at[BINS];
    size_t k; /* bins it must have */
    double sum;
} column;

typedef struct columns {
    column *at;
    size_t n;
} columns;

static bool same_column(const lb_claim *a, const lb_claim *b)
{
    return strcmp(a->group, b->group) == 0 && strcmp(a->metric, b->metric) == 0 &&
           strcmp(a->model, b->model) == 0 && strcmp(a->what, b->what) == 0 &&
           (a->bin >= 100) == (b->bin >= 100) && (isnan(a->noise) || a->noise == b->noise);
}

/* The bins of the columns that are complete. */
static columns read_columns(const lb_claims *all)
{
    columns out = {0};
    for (size_t i = 0; i < all->n; i++) {
        const lb_claim *c = &all->at[i];
        const int at = c->bin >= 100 ? c->bin - 100 : c->bin;
        if (c->bin < 0 || at >= BINS || c->intent)
            continue;
        column *col = NULL;
        for (size_t k = 0; k < out.n && !col; k++) {
            const lb_claim *first = NULL;
            for (size_t b = 0; b < BINS && !first; b++)
                first = out.at[k].at[b];
            if (same_column(first, c) && !out.at[k].at[at])
                col = &out.at[k];
        }
        if (!col) {
            out.at = lb_xrealloc(out.at, out.n + 1, sizeof *out.at);
            col = &out.at[out.n++];
            *col = (column){.k = c->bin >= 100 ? SNR_BINS : BINS};
        }
        col->at[at] = c;
        col->sum += c->value;
    }
    size_t kept = 0;
    for (size_t i = 0; i < out.n; i++) {
        bool whole = true;
        for (size_t b = 0; b < out.at[i].k; b++)
            whole = whole && out.at[i].at[b];
        if (whole)
            out.at[kept++] = out.at[i];
    }
    out.n = kept;
    return out;
}

static bool counts_rows(const column *c)
{
    return lb_claim_is(c->at[0], "count") &&
           (strcmp(c->at[0]->what, "n") == 0 || strcmp(c->at[0]->what, "n train") == 0);
}

static bool same_prefix(const lb_claim *a, const lb_claim *b)
{
    const size_t n = strcspn(a->entry->key, ".");
    return strcspn(b->entry->key, ".") == n && strncmp(a->entry->key, b->entry->key, n) == 0;
}

/* Both tables cut the same rows of the same run into the same boxes. */
static bool same_run(const column *a, const column *b)
{
    const lb_claim *x = a->at[0], *y = b->at[0];
    return a->k == b->k && (x->bin >= 100) == (y->bin >= 100) && lb_claims_one_run(x, y) &&
           strcmp(x->layout, y->layout) == 0 &&
           (same_prefix(x, y) || (x->n_train && x->n_train == y->n_train && x->noise == y->noise));
}

static size_t differing(const column *a, const column *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->k; i++)
        n += !lb_claims_agree(a->at[i], b->at[i]);
    return n;
}

static void add_column(lb_card *card, const column *c)
{
    for (size_t i = 0; i < c->k; i++)
        lb_card_row(card, c->at[i]);
}

/* --- counts against counts ---------------------------------------------------------------------
 */

static bool was_told(const lb_audit *a, lb_card_kind kind, const lb_claim *x, const lb_claim *y)
{
    for (size_t i = 0; i < a->n; i++) {
        bool has_x = false, has_y = false;
        for (size_t k = 0; k < a->cards[i].n && a->cards[i].kind == kind; k++) {
            has_x = has_x || strcmp(a->cards[i].rows[k]->entry->source, x->entry->source) == 0;
            has_y = has_y || strcmp(a->cards[i].rows[k]->entry->source, y->entry->source) == 0;
        }
        if (has_x && has_y && strcmp(a->cards[i].rows[0]->what, x->what) == 0)
            return true;
    }
    return false;
}

static void compare_counts(lb_audit *a, const column *x, const column *y)
{
    const size_t differ = differing(x, y);
    const bool shifted = x->at[0]->bin_printed != y->at[0]->bin_printed;
    if (differ == 0 && shifted && !was_told(a, LB_CARD_NUMBERING, x->at[0], y->at[0])) {
        lb_card *card = lb_audit_card(a, LB_CARD_NUMBERING, LB_CAUSE_PROTOCOL, LB_REMEDY_STANDARD);
        snprintf(card->subject, sizeof card->subject, "%s / %s", x->at[0]->entry->key,
                 y->at[0]->entry->key);
        lb_card_fact(card, 0, "%d", x->at[0]->bin_printed);
        lb_card_fact(card, 1, "%d", y->at[0]->bin_printed);
        add_column(card, x);
        add_column(card, y);
    }
    if (differ == 0 || was_told(a, LB_CARD_COUNTS, x->at[0], y->at[0]))
        return;
    lb_card *card = lb_audit_card(a, LB_CARD_COUNTS, LB_CAUSE_DRIFT, LB_REMEDY_ISOLATE);
    snprintf(card->subject, sizeof card->subject, "%s / %s", x->at[0]->entry->key,
             y->at[0]->entry->key);
    lb_card_fact(card, 0, "%.10g", x->sum);
    lb_card_fact(card, 1, "%.10g", y->sum);
    lb_card_fact(card, 2, "%zu", differ);
    add_column(card, x);
    add_column(card, y);
}

/* --- pooled against weighted -------------------------------------------------------------------
 */

/* Sum n_k R_k / sum n_k, with the counts of a column or, without one, printed beside the bins. */
static double weighted(const column *scores, const column *counts, double *rows)
{
    double sum = 0;
    *rows = 0;
    for (size_t i = 0; i < scores->k; i++) {
        const double n = counts ? counts->at[i]->value : (double)scores->at[i]->n;
        if (n <= 0)
            return NAN;
        sum += n * scores->at[i]->value;
        *rows += n;
    }
    return sum / *rows;
}

static bool is_figure(const lb_claim *c)
{
    return strstr(c->entry->source, ".png") != NULL;
}

/* The pooled score that a table of bins belongs to: same document, or a figure of the same run. */
static const lb_claim *pooled_of(const lb_claims *all, const lb_claim *bin)
{
    for (size_t i = 0; i < all->n; i++) {
        const lb_claim *c = &all->at[i];
        if (lb_claim_is(c, "r2") && !c->intent && c->bin < 0 && *c->model && isnan(c->alpha) &&
            strcmp(c->model, bin->model) == 0 && strcmp(c->what, bin->what) == 0 &&
            lb_claims_one_run(c, bin) && same_prefix(c, bin) &&
            (strcmp(c->group, bin->group) == 0 || is_figure(bin)))
            return c;
    }
    return NULL;
}

/* The counts a table of bins belongs to; those of the larger set when two tables were printed. */
static const column *counts_of(const columns *all, const column *scores)
{
    const column *best = NULL;
    for (size_t i = 0; i < all->n; i++) {
        const column *c = &all->at[i];
        if (counts_rows(c) && strcmp(c->at[0]->what, "n") == 0 && same_run(c, scores) &&
            (!best || c->sum > best->sum))
            best = c;
    }
    return best;
}

static lb_card *pooled_card(lb_audit *a, const lb_claim *bin)
{
    for (size_t i = 0; i < a->n; i++) {
        if (a->cards[i].kind == LB_CARD_POOLED && same_prefix(a->cards[i].rows[0], bin))
            return &a->cards[i];
    }
    return NULL;
}

/* Weighted means of all three models on the rows of the bins: the gain and what the gate keeps. */
static void fair_gain(const columns *all, const column *counts, lb_card *card)
{
    double mean[3] = {NAN, NAN, NAN}, rows;
    static const char *const model[3] = {"global", "oracle", "soft"};
    for (size_t i = 0; i < all->n; i++) {
        const column *c = &all->at[i];
        for (int m = 0; m < 3; m++) {
            if (lb_claim_is(c->at[0], "r2") && strcmp(c->at[0]->model, model[m]) == 0 &&
                same_prefix(c->at[0], card->rows[0]) && same_run(c, counts) && isnan(mean[m]))
                mean[m] = weighted(c, counts, &rows);
        }
    }
    if (!isnan(mean[0]) && !isnan(mean[1]))
        lb_card_fact(card, 4, "%.3f", mean[1] - mean[0]);
    if (!isnan(mean[0]) && !isnan(mean[1]) && !isnan(mean[2]))
        lb_card_fact(card, 5, "%.2f", (mean[2] - mean[0]) / (mean[1] - mean[0]));
}

static void compare_pooled(lb_audit *a, const columns *all, const column *scores)
{
    const lb_claim *pooled = pooled_of(&a->claims, scores->at[0]);
    if (!pooled)
        return;
    double rows, own_rows;
    const column *counts = counts_of(all, scores);
    const double own = weighted(scores, NULL, &own_rows);
    double mean = own;
    rows = own_rows;
    if (isnan(own) && counts)
        mean = weighted(scores, counts, &rows);
    const double gap = mean - pooled->value;
    const bool rows_differ = pooled->n && rows > 0 && fabs(rows - (double)pooled->n) > 0.5;
    if (isnan(mean) || (!rows_differ && fabs(gap) <= suspicious_gap))
        return;
    lb_card *card = pooled_card(a, scores->at[0]);
    if (!card) {
        card = lb_audit_card(a, LB_CARD_POOLED, LB_CAUSE_SCOPE, LB_REMEDY_ISOLATE);
        snprintf(card->subject, sizeof card->subject, "%s", pooled->entry->key);
    }
    char line[120];
    snprintf(line, sizeof line, "%s%s: %.3f / %s", *card->facts[0] ? "; " : "",
             *pooled->model ? pooled->model : "-", mean, pooled->entry->value);
    strncat(card->facts[0], line, sizeof card->facts[0] - strlen(card->facts[0]) - 1);
    lb_card_fact(card, 1, "%.0f", rows);
    if (pooled->n)
        lb_card_fact(card, 2, "%zu", pooled->n);
    if (!*card->facts[3] || fabs(gap) > strtod(card->facts[3], NULL))
        lb_card_fact(card, 3, "%.3f", fabs(gap));
    lb_card_row(card, pooled);
    add_column(card, scores);
    if (counts && isnan(own))
        add_column(card, counts);
    if (counts)
        fair_gain(all, counts, card);
    for (size_t i = 0; i < a->claims.n; i++) { /* gains and shares that rest on the pooled score */
        const lb_claim *c = &a->claims.at[i];
        if (!c->intent && c->bin < 0 && same_prefix(c, pooled) && lb_claims_one_run(c, pooled) &&
            ((lb_claim_is(c, "delta_r2") && (!*c->model || strcmp(c->model, pooled->model) == 0 ||
                                             strcmp(pooled->model, "global") == 0)) ||
             (lb_claim_is(c, "retention") && *c->model)))
            lb_card_row(card, c);
    }
}

void lb_audit_bins(lb_audit *a)
{
    const columns all = read_columns(&a->claims);
    for (size_t i = 0; i < all.n; i++) {
        const column *x = &all.at[i];
        if (lb_claim_is(x->at[0], "r2"))
            compare_pooled(a, &all, x);
        for (size_t k = i + 1; k < all.n && counts_rows(x); k++) {
            const column *y = &all.at[k];
            if (counts_rows(y) && strcmp(x->at[0]->what, y->at[0]->what) == 0 && same_run(x, y))
                compare_counts(a, x, y);
        }
    }
    free(all.at);
}
