/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Derived numbers against what they can be derived from. A printed difference is taken apart: which
 * two printed scores of the same run give it, to rounding? If two scores on the same rows do, it is
 * clean. If only scores on different rows do, it was formed across row sets.
 */
#include "report/audit.h"

#include "core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How sure it is that scores stand on the same rows; the better ones first. */
typedef enum match { SAME_ROWS, OTHER_ROWS, ROWS_UNSTATED, NOTHING } match;

static size_t prefix_of(const lb_claim *c)
{
    return strcspn(c->entry->key, ".");
}

/* Printed in the same document, or for the same experiment. */
static bool near(const lb_claim *a, const lb_claim *b)
{
    const size_t n = prefix_of(a);
    return strcmp(a->entry->source, b->entry->source) == 0 ||
           (prefix_of(b) == n && strncmp(a->entry->key, b->entry->key, n) == 0);
}

static bool is_score(const lb_claim *c)
{
    return lb_claim_is(c, "r2") && !c->intent && !c->estimator && isnan(c->alpha);
}

static match rows_of(const lb_claim *a, const lb_claim *b)
{
    if (!a->votes || !b->votes)
        return ROWS_UNSTATED;
    return a->votes == b->votes ? SAME_ROWS : OTHER_ROWS;
}

static match worse(match a, match b)
{
    return a > b ? a : b;
}

/* --- differences -------------------------------------------------------------------------------
 */

typedef struct operands {
    const lb_claim *of, *against;
    match rows;
    int distance; /* how far from the difference they are printed */
} operands;

/* A document's own numbers come first; then those with the row counts that are printed with d. */
static int distance(const lb_claim *d, const lb_claim *a, const lb_claim *b)
{
    const bool counts = !d->n_other || (a->votes + b->votes == d->n + d->n_other);
    return 2 * (strcmp(a->entry->source, d->entry->source) != 0) +
           2 * (strcmp(b->entry->source, d->entry->source) != 0) + !counts;
}

static bool fits_left(const lb_claim *d, const lb_claim *a)
{
    return is_score(a) && near(d, a) && lb_claims_one_run(d, a) && a->bin == d->bin &&
           strcmp(a->model, "global") != 0 && strcmp(a->what, d->what) == 0 &&
           (!*d->model || strcmp(d->model, a->model) == 0);
}

static bool fits_right(const lb_claim *d, const lb_claim *a, const lb_claim *b)
{
    return is_score(b) && b != a && lb_claims_one_run(d, b) && lb_claims_one_run(a, b) &&
           (b->bin == d->bin || b->bin < 0) &&
           (strcmp(b->model, "global") == 0 || (near(d, b) && strcmp(a->model, b->model) != 0));
}

static operands take_apart(const lb_claims *all, const lb_claim *d)
{
    operands best = {.rows = NOTHING};
    for (size_t i = 0; i < all->n; i++) {
        const lb_claim *a = &all->at[i];
        if (!fits_left(d, a))
            continue;
        for (size_t k = 0; k < all->n; k++) {
            const lb_claim *b = &all->at[k];
            const double reach = d->half + a->half + b->half;
            if (fabs(a->value - b->value - d->value) > reach + 1e-9 || !fits_right(d, a, b))
                continue;
            const int far = distance(d, a, b);
            if (!best.of || far < best.distance ||
                (far == best.distance && rows_of(a, b) < best.rows))
                best = (operands){a, b, rows_of(a, b), far};
        }
    }
    return best;
}

/* The same two models where both were scored on @p n rows. */
static operands on_rows(const lb_claims *all, const lb_claim *d, const lb_claim *of, size_t n)
{
    for (size_t i = 0; i < all->n && n; i++) {
        const lb_claim *a = &all->at[i];
        if (!is_score(a) || strcmp(a->model, of->model) != 0 || a->bin != of->bin ||
            a->votes != n || a->noise != of->noise || !lb_claims_one_run(d, a) ||
            strcmp(a->layout, of->layout) || strcmp(a->what, of->what) != 0)
            continue;
        for (size_t k = 0; k < all->n; k++) {
            const lb_claim *b = &all->at[k];
            if (is_score(b) && strcmp(b->model, "global") == 0 && b->votes == n && !*b->layout &&
                b->bin == a->bin && b->noise == a->noise && lb_claims_one_run(a, b))
                return (operands){a, b, SAME_ROWS, 0};
        }
    }
    return (operands){.rows = NOTHING};
}

/* On the smaller of the two row sets, or else on the larger. */
static operands on_equal_rows(const lb_claims *all, const lb_claim *d, const lb_claim *of,
                              const lb_claim *against)
{
    const size_t x = of->votes, y = against->votes;
    const operands small = on_rows(all, d, of, x < y ? x : y);
    return small.of ? small : on_rows(all, d, of, x < y ? y : x);
}

/* Other rows that print the same contradicted number on. */
static void carried_on(lb_audit *a, lb_card *card, const lb_claim *d)
{
    for (size_t i = 0; i < a->claims.n; i++) {
        const lb_claim *c = &a->claims.at[i];
        if (c == d || c->intent || strcmp(c->metric, d->metric) != 0 || c->bin != d->bin ||
            strcmp(c->model, d->model) != 0 || !lb_claims_one_run(c, d) ||
            fabs(c->value - d->value) > fmax(c->half, d->half) + 1e-9)
            continue;
        const operands o = take_apart(&a->claims, c);
        if (!lb_claim_is(d, "delta_r2") || o.rows != SAME_ROWS)
            lb_card_row(card, c);
    }
}

/* Is this row on a card of that kind already, because it prints the same number on? */
static bool was_told(const lb_audit *a, lb_card_kind kind, const lb_claim *row)
{
    for (size_t i = 0; i < a->n; i++) {
        for (size_t k = 0; k < a->cards[i].n && a->cards[i].kind == kind; k++) {
            if (a->cards[i].rows[k] == row)
                return true;
        }
    }
    return false;
}

/* The card of the same document, reference rows and kind of table, so that nine bins make one. */
static lb_card *card_for(lb_audit *a, const lb_claim *d, const operands *o)
{
    for (size_t i = 0; i < a->n; i++) {
        lb_card *card = &a->cards[i];
        if (card->kind == LB_CARD_ROWS &&
            strcmp(card->rows[0]->entry->source, d->entry->source) == 0 &&
            (card->rows[0]->bin < 0) == (d->bin < 0) && d->bin >= 0)
            return card;
    }
    lb_card *card = lb_audit_card(a, LB_CARD_ROWS, LB_CAUSE_SCOPE, LB_REMEDY_ISOLATE);
    snprintf(card->subject, sizeof card->subject, "%s", d->entry->key);
    lb_card_fact(card, 0, "%s", d->entry->value);
    lb_card_fact(card, 1, "%s − %s", o->of ? o->of->entry->value : "?",
                 o->against ? o->against->entry->value : "?");
    lb_card_fact(card, 2, "%zu", o->of && o->of->votes ? o->of->votes : d->n);
    lb_card_fact(card, 3, "%zu", o->against && o->against->votes ? o->against->votes : d->n_other);
    return card;
}

static void check_difference(lb_audit *a, lb_claim *d)
{
    const operands o = take_apart(&a->claims, d);
    if (o.of && !*d->model)
        snprintf(d->model, sizeof d->model, "%s", o.of->model);
    const bool said = d->n && d->n_other && d->n != d->n_other;
    if ((!said && o.rows != OTHER_ROWS) || was_told(a, LB_CARD_ROWS, d))
        return;
    lb_card *card = card_for(a, d, &o);
    lb_card_row(card, d);
    if (o.of)
        lb_card_row(card, o.of);
    if (o.against)
        lb_card_row(card, o.against);
    if (!o.of)
        return;
    const operands fair = on_equal_rows(&a->claims, d, o.of, o.against);
    if (fair.of) {
        lb_card_row(card, fair.of);
        lb_card_row(card, fair.against);
        if (!*card->facts[4]) {
            lb_card_fact(card, 4, "%+.4f", fair.of->value - fair.against->value);
            lb_card_fact(card, 5, "%zu", fair.of->votes);
        }
    }
    if (d->bin < 0)
        carried_on(a, card, d);
}

/* --- ratios ------------------------------------------------------------------------------------
 */

/* Does (a - b) / (c - b) come to r, given how each was rounded? */
static bool is_ratio(const lb_claim *r, const lb_claim *a, const lb_claim *b, const lb_claim *c)
{
    const double top = a->value - b->value, bottom = c->value - b->value;
    const double dt = a->half + b->half, db = c->half + b->half;
    if (bottom - db <= 0)
        return false;
    const double low = (top - dt) / (top > 0 ? bottom + db : bottom - db);
    const double high = (top + dt) / (top > 0 ? bottom - db : bottom + db);
    return r->value >= low - r->half && r->value <= high + r->half;
}

typedef struct triple {
    const lb_claim *gate, *global, *oracle;
    match rows;
    int distance;
} triple;

static bool plays(const lb_claim *r, const lb_claim *c, const char *model)
{
    return is_score(c) && strcmp(c->model, model) == 0 && c->bin == r->bin &&
           lb_claims_one_run(r, c);
}

static triple take_ratio_apart(const lb_claims *all, const lb_claim *r)
{
    triple best = {.rows = NOTHING};
    for (size_t i = 0; i < all->n; i++) {
        const lb_claim *a = &all->at[i];
        if (!plays(r, a, r->model) || !near(r, a))
            continue;
        for (size_t j = 0; j < all->n; j++) {
            const lb_claim *b = &all->at[j];
            if (!plays(r, b, "global") || !lb_claims_one_run(a, b))
                continue;
            for (size_t k = 0; k < all->n; k++) {
                const lb_claim *c = &all->at[k];
                if (!plays(r, c, "oracle") || !lb_claims_one_run(a, c) ||
                    (strcmp(c->layout, a->layout) != 0 && !near(r, c)) || !is_ratio(r, a, b, c))
                    continue;
                const match m = worse(worse(rows_of(a, b), rows_of(c, b)), rows_of(a, c));
                const int far = distance(r, a, b) + distance(r, a, c);
                if (!best.gate || far < best.distance || (far == best.distance && m < best.rows))
                    best = (triple){a, b, c, m, far};
            }
        }
    }
    return best;
}

static void check_ratio(lb_audit *a, const lb_claim *r)
{
    enum { COARSE = 4 }; /* per cent and more of rounding: anything would fit */
    if (r->half > COARSE * 1e-3 || !*r->model || r->estimator)
        return;
    const triple t = take_ratio_apart(&a->claims, r);
    if (t.rows != OTHER_ROWS || was_told(a, LB_CARD_RATIO, r))
        return;
    lb_card *card = lb_audit_card(a, LB_CARD_RATIO, LB_CAUSE_SCOPE, LB_REMEDY_ISOLATE);
    snprintf(card->subject, sizeof card->subject, "%s", r->entry->key);
    lb_card_fact(card, 0, "%s", r->entry->value);
    lb_card_fact(card, 1, "(%s − %s) / (%s − %s)", t.gate->entry->value, t.global->entry->value,
                 t.oracle->entry->value, t.global->entry->value);
    lb_card_fact(card, 2, "%zu, %zu, %zu", t.gate->votes, t.global->votes, t.oracle->votes);
    lb_card_row(card, r);
    lb_card_row(card, t.gate);
    lb_card_row(card, t.global);
    lb_card_row(card, t.oracle);
    /* What the gate keeps where all three stand on the gate's own rows. */
    const operands gate = on_equal_rows(&a->claims, r, t.gate, t.gate);
    if (gate.of) {
        lb_claim stand = *gate.of;
        snprintf(stand.model, sizeof stand.model, "oracle");
        operands oracle = {.of = t.oracle}; /* the printed one, if it stands on these rows */
        if (t.oracle->votes != gate.of->votes)
            oracle = on_rows(&a->claims, r, &stand, gate.of->votes);
        lb_card_row(card, gate.against);
        if (oracle.of) {
            const double whole = oracle.of->value - gate.against->value;
            lb_card_row(card, oracle.of);
            lb_card_fact(card, 3, "%.3f", (gate.of->value - gate.against->value) / whole);
            lb_card_fact(card, 4, "%zu", gate.of->votes);
        } else
            lb_card_fact(card, 5, "%+.4f", gate.of->value - gate.against->value);
    }
    carried_on(a, card, r);
}

/* A share of a gain: two printed gains of one document give it, and the lower one is too small to
 * divide by (the specification prints no retention below this). */
static void check_denominator(lb_audit *a, const lb_claim *r)
{
    const double least = 0.01;
    for (size_t i = 0; i < a->claims.n; i++) {
        const lb_claim *top = &a->claims.at[i];
        if (!lb_claim_is(top, "delta_r2") || top->intent || !near(r, top) || top->n != r->n)
            continue;
        for (size_t k = 0; k < a->claims.n; k++) {
            const lb_claim *whole = &a->claims.at[k];
            if (whole == top || !lb_claim_is(whole, "delta_r2") || whole->intent ||
                strcmp(whole->group, top->group) != 0 || strcmp(whole->what, top->what) != 0 ||
                whole->bin != top->bin || fabs(whole->value) >= least ||
                fabs(whole->value) <= whole->half || whole->n != top->n)
                continue;
            const double low = (top->value - top->half) / (whole->value + whole->half);
            const double high = (top->value + top->half) / (whole->value - whole->half);
            if (r->value < low - r->half || r->value > high + r->half)
                continue;
            lb_card *card =
                lb_audit_card(a, LB_CARD_DENOMINATOR, LB_CAUSE_RANDOMNESS, LB_REMEDY_SUSPECT);
            snprintf(card->subject, sizeof card->subject, "%s", r->entry->key);
            lb_card_fact(card, 0, "%s", r->entry->value);
            lb_card_fact(card, 1, "%s / %s", top->entry->value, whole->entry->value);
            lb_card_fact(card, 2, "%.1f", 100 * low);
            lb_card_fact(card, 3, "%.1f", 100 * high);
            lb_card_row(card, r);
            lb_card_row(card, top);
            lb_card_row(card, whole);
            carried_on(a, card, r);
            return;
        }
    }
}

/* --- intervals ---------------------------------------------------------------------------------
 */

static bool same_interval(const lb_claim *a, const lb_claim *b)
{
    return a->entry->ci_lo == b->entry->ci_lo && a->entry->ci_hi == b->entry->ci_hi;
}

static bool holds(const lb_claim *c)
{
    return c->value >= c->entry->ci_lo - c->half && c->value <= c->entry->ci_hi + c->half;
}

static void check_interval(lb_audit *a, const lb_claim *c)
{
    if (isnan(c->entry->ci_lo) || isnan(c->entry->ci_hi) || holds(c))
        return;
    lb_card *card = lb_audit_card(a, LB_CARD_INTERVAL, LB_CAUSE_DRIFT, LB_REMEDY_ISOLATE);
    snprintf(card->subject, sizeof card->subject, "%s", c->entry->key);
    lb_card_fact(card, 0, "%s", c->entry->value);
    lb_card_fact(card, 1, "[%g, %g]", c->entry->ci_lo, c->entry->ci_hi);
    lb_card_row(card, c);
    for (size_t i = 0; i < a->claims.n; i++) { /* whose is it? */
        const lb_claim *o = &a->claims.at[i];
        if (o == c || !same_interval(o, c) || !holds(o))
            continue;
        lb_card_row(card, o);
        lb_card_fact(card, 2, "%s", o->entry->key);
        lb_card_fact(card, 3, "%s", o->entry->value);
    }
}

/* --- percentages -------------------------------------------------------------------------------
 */

/* "20% of covered train", "16.8% of 32k": the base, with the row it came from (NULL: said there) */
static bool base_of(const lb_claims *all, const char *said, double *base, const lb_claim **row)
{
    char *end;
    const double x = strtod(said, &end);
    *row = NULL;
    *base = x * (*end == 'k' ? 1e3 : 1);
    if (end != said)
        return true;
    if (strncmp(said, "covered train", 13) != 0)
        return false;
    for (size_t i = 0; i < all->n; i++) {
        const lb_claim *c = &all->at[i];
        if (lb_claim_is(c, "count") && c->bin < 0 && strstr(c->entry->key, "covered") &&
            strstr(c->entry->key, "train")) {
            *base = c->value;
            *row = c;
            return true;
        }
    }
    return false;
}

static void check_percentage(lb_audit *a, const lb_claim *c)
{
    const char *said = strstr(c->entry->conditions, "% of ");
    if (!lb_claim_is(c, "count") || !said)
        return;
    const char *start = said;
    while (start > c->entry->conditions && (isdigit((unsigned char)start[-1]) || start[-1] == '.'))
        start--;
    double base;
    const lb_claim *row;
    const double percent = strtod(start, NULL);
    const double half = memchr(start, '.', (size_t)(said - start)) ? 0.05 : 0.5;
    if (!base_of(&a->claims, said + 5, &base, &row) ||
        fabs(c->value - percent * base / 100) <= half * base / 100 + c->half)
        return;
    lb_card *card = lb_audit_card(a, LB_CARD_PERCENT, LB_CAUSE_DRIFT, LB_REMEDY_ISOLATE);
    snprintf(card->subject, sizeof card->subject, "%s", c->entry->key);
    lb_card_fact(card, 0, "%s", c->entry->value);
    lb_card_fact(card, 1, "%.*s", (int)strcspn(start, ";,"), start);
    lb_card_fact(card, 2, "%.0f", percent * base / 100);
    lb_card_row(card, c);
    if (row)
        lb_card_row(card, row);
}

/* Shares "of the 9-expert gain", each of another part. */
static void check_parts(lb_audit *a, const lb_claim *c)
{
    if (strncmp(c->entry->conditions, "share of ", 9) != 0 || !lb_claim_is(c, "retention"))
        return;
    double sum = 0;
    const lb_claim *part[16];
    size_t n = 0;
    for (size_t i = 0; i < a->claims.n && n < 16; i++) {
        const lb_claim *o = &a->claims.at[i];
        if (strcmp(o->group, c->group) != 0 || strcmp(o->entry->conditions, c->entry->conditions))
            continue;
        if (o < c)
            return; /* told when its first part was looked at */
        part[n++] = o;
        sum += o->value;
    }
    if (n < 2 || sum <= 1.0 + c->half * (double)n)
        return;
    lb_card *card = lb_audit_card(a, LB_CARD_PARTS, LB_CAUSE_PROTOCOL, LB_REMEDY_SUSPECT);
    snprintf(card->subject, sizeof card->subject, "%s", c->entry->conditions);
    lb_card_fact(card, 0, "%.1f", 100 * sum);
    lb_card_fact(card, 1, "%zu", n);
    for (size_t i = 0; i < n; i++)
        lb_card_row(card, part[i]);
}

/* A key that goes on where the key of a gain ends is about the same model. */
static void name_estimator(const lb_claims *all, lb_claim *c)
{
    for (size_t i = 0; i < all->n && !*c->model; i++) {
        const lb_claim *o = &all->at[i];
        const size_t n = strlen(o->entry->key);
        if (lb_claim_is(o, "delta_r2") && *o->model &&
            strncmp(c->entry->key, o->entry->key, n) == 0 && c->entry->key[n] == '.')
            snprintf(c->model, sizeof c->model, "%s", o->model);
    }
}

void lb_audit_sums(lb_audit *a)
{
    for (size_t i = 0; i < a->claims.n; i++) {
        lb_claim *c = &a->claims.at[i];
        if (lb_claim_is(c, "delta_r2") && !c->intent && !c->estimator)
            check_difference(a, c);
        if (lb_claim_is(c, "delta_r2") && c->estimator)
            name_estimator(&a->claims, c);
    }
    for (size_t i = 0; i < a->claims.n; i++) {
        const lb_claim *c = &a->claims.at[i];
        if (lb_claim_is(c, "retention") && !c->intent) {
            check_ratio(a, c);
            check_denominator(a, c);
            check_parts(a, c);
        }
        check_interval(a, c);
        check_percentage(a, c);
    }
}
