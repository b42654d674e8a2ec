/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * This package's own records and pages. A record keeps every number in full, with the hash of its
 * rows, so arithmetic is exact here: a difference equals that of two scores to the last bits, or it
 * is not theirs.
 */
#include "report/audit.h"

#include "core/memory.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double last_bits = 1e-12;

static bool is_kind(const lb_number *x, const char *kind)
{
    return strcmp(x->kind, kind) == 0 && !isnan(x->value);
}

void lb_card_line(lb_card *card, const lb_archive *r, const char *key, const lb_number *x)
{
    const char *rows = lb_archive_rowset_name(r, x->rows);
    char *old = card->own ? card->own : lb_xstrdup("");
    char interval[64] = "";
    if (!isnan(x->ci_lo))
        snprintf(interval, sizeof interval, "[%.6g, %.6g]", x->ci_lo, x->ci_hi);
    card->own = lb_xprintf("%s| %.6g | %s | %s (%zu) | `%s` | `%s` |\n", old, x->value, interval,
                           *rows ? rows : "-", x->n, key, lb_archive_name(r));
    free(old);
}

/* --- differences -------------------------------------------------------------------------------
 */

typedef struct score {
    double value;
    size_t at; /* in the record */
} score;

static int by_score(const void *a, const void *b)
{
    const score *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->at > y->at) - (x->at < y->at);
}

/* The first of the sorted scores that is not below @p value. */
static size_t first_from(const score *s, size_t n, double value)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (s[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void check_gain(lb_audit *a, const lb_archive *r, size_t at, const score *s, size_t n)
{
    const lb_number *d = lb_archive_at(r, at), *of = NULL, *against = NULL;
    size_t i_of = 0, i_against = 0;
    bool mute = false; /* same rows, but true labels went in and it does not say so */
    for (size_t i = 0; i < n; i++) {
        const double wanted = s[i].value - d->value;
        for (size_t k = first_from(s, n, wanted - last_bits); k < n; k++) {
            const lb_number *x = lb_archive_at(r, s[i].at), *y = lb_archive_at(r, s[k].at);
            if (s[k].value > wanted + last_bits)
                break;
            const bool fair = strcmp(x->rows, y->rows) == 0 && strcmp(x->rows, d->rows) == 0;
            if (i == k || (of && !fair))
                continue;
            mute = mute || fair;
            of = x;
            against = y;
            i_of = s[i].at;
            i_against = s[k].at;
            if (fair && (d->oracle || (!x->oracle && !y->oracle)))
                return; /* same rows, and labelled like its scores */
        }
    }
    if (!of || d->value == 0)
        return;
    lb_card *card = lb_audit_own(a, mute ? LB_CARD_ORACLE : LB_CARD_ROWS,
                                 mute ? LB_CAUSE_LEAKAGE : LB_CAUSE_SCOPE,
                                 mute ? LB_REMEDY_SPLIT : LB_REMEDY_ISOLATE, lb_archive_key(r, at));
    lb_card_fact(card, 0, "%.6g", d->value);
    lb_card_fact(card, 1, "%.6g − %.6g", of->value, against->value);
    lb_card_fact(card, 2, "%zu", of->n);
    lb_card_fact(card, 3, "%zu", against->n);
    lb_card_line(card, r, lb_archive_key(r, at), d);
    lb_card_line(card, r, lb_archive_key(r, i_of), of);
    lb_card_line(card, r, lb_archive_key(r, i_against), against);
}

/* --- counts ------------------------------------------------------------------------------------
 */

/* Where the bin of a key stands ("e02.k3.n_test": at "k3"), NULL if it names none. */
static const char *bin_of(const char *key, size_t *length)
{
    for (const char *s = strstr(key, ".k"); s; s = strstr(s + 1, ".k")) {
        const size_t n = strspn(s + 2, "0123456789");
        if (n && s[2 + n] == '.') {
            *length = n + 1;
            return s + 1;
        }
    }
    return NULL;
}

static bool counts_rows(const char *key)
{
    const char *last = strrchr(key, '.');
    return last && (strcmp(last, ".n_test") == 0 || strcmp(last, ".n_train") == 0);
}

/* Is @p sum one of the row counts the record declares for the set that @p key counts? */
static bool is_declared(const lb_archive *r, double sum)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%s.data.n_", lb_archive_experiment(r));
    for (size_t i = 0; i < lb_archive_count(r); i++) {
        if (strncmp(lb_archive_key(r, i), prefix, strlen(prefix)) == 0 &&
            lb_archive_at(r, i)->value == sum)
            return true;
    }
    return false;
}

static void check_counts(lb_audit *a, const lb_archive *r, size_t at)
{
    size_t length = 0, other_length = 0, bins = 0;
    double sum = 0;
    const char *key = lb_archive_key(r, at), *bin = bin_of(key, &length);
    if (!counts_rows(key) || !bin || strncmp(bin, "k0.", 3) != 0)
        return;
    for (size_t pass = 0; pass < 2; pass++) {
        lb_card *card = NULL;
        if (pass == 1 && (bins < 2 || is_declared(r, sum)))
            return;
        if (pass == 1) {
            card = lb_audit_own(a, LB_CARD_COUNTS, LB_CAUSE_DRIFT, LB_REMEDY_ISOLATE, key);
            lb_card_fact(card, 0, "%.0f", sum);
        }
        for (size_t i = 0; i < lb_archive_count(r); i++) {
            const char *k = lb_archive_key(r, i), *b = bin_of(k, &other_length);
            if (!b || b - k != bin - key || strncmp(k, key, (size_t)(bin - key)) != 0 ||
                strcmp(b + other_length, bin + length) != 0)
                continue;
            if (card) {
                lb_card_line(card, r, k, lb_archive_at(r, i));
            } else {
                sum += lb_archive_at(r, i)->value;
                bins++;
            }
        }
    }
}

/* A percentile interval need not hold the value it was resampled around, but it does unless the
 * value moved away from it. */
static void check_interval(lb_audit *a, const lb_archive *r, size_t at)
{
    const lb_number *x = lb_archive_at(r, at);
    if (isnan(x->ci_lo) || isnan(x->value) || (x->value >= x->ci_lo && x->value <= x->ci_hi))
        return;
    lb_card *card =
        lb_audit_own(a, LB_CARD_INTERVAL, LB_CAUSE_DRIFT, LB_REMEDY_ISOLATE, lb_archive_key(r, at));
    lb_card_fact(card, 0, "%.6g", x->value);
    lb_card_fact(card, 1, "[%.6g, %.6g]", x->ci_lo, x->ci_hi);
    lb_card_line(card, r, lb_archive_key(r, at), x);
}

void lb_audit_record(lb_audit *a, const lb_archive *r)
{
    const size_t count = lb_archive_count(r);
    score *scores = lb_xcalloc(count + 1, sizeof *scores);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_kind(lb_archive_at(r, i), "r2"))
            scores[n++] = (score){lb_archive_at(r, i)->value, i};
    }
    qsort(scores, n, sizeof *scores, by_score);
    for (size_t i = 0; i < count; i++) {
        if (is_kind(lb_archive_at(r, i), "delta_r2"))
            check_gain(a, r, i, scores, n);
        check_counts(a, r, i);
        check_interval(a, r, i);
    }
    a->own_numbers += count;
    free(scores);
}

/* --- two records -------------------------------------------------------------------------------
 */

/* Rows, protocol and seed of the key; the name behind the experiment is the same already. */
static bool same_claim(const lb_number *x, const lb_number *y)
{
    return *x->rows && strcmp(x->rows, y->rows) == 0 && strcmp(x->protocol, y->protocol) == 0 &&
           is_kind(x, "r2") && is_kind(y, "r2") && x->seed == y->seed;
}

static bool same_value(double a, double b)
{
    return fabs(a - b) <= 1e-6 * fmax(fabs(a), fabs(b)) + 1e-9;
}

/* The penalty a record kept for its global model, NULL if none: it belongs to the key, and without
 * it a model that is called global need not be Ridge. */
static const lb_number *penalty_of(const lb_archive *r, const char *suffix)
{
    const int level = (int)(strstr(suffix, ".r2.global") - suffix);
    const lb_number *found = NULL;
    for (size_t i = 0; i < 2 && !found; i++) {
        char *key =
            i == 0 ? lb_xprintf("%s%.*s.alpha.global", lb_archive_experiment(r), level, suffix)
                   : lb_xprintf("%s.alpha%.*s.global", lb_archive_experiment(r), level, suffix);
        found = lb_archive_number(r, key);
        free(key);
    }
    return found;
}

/* Only the global model is named alike everywhere; the experts of two experiments are not. */
static bool names_global(const char *suffix)
{
    const char *s = strstr(suffix, ".r2.global");
    return s && (s[10] == '\0' || strcmp(s + 10, ".covered") == 0);
}

static void compare(lb_audit *a, const lb_archive *one, size_t at, const lb_archive *other)
{
    const char *suffix = strchr(lb_archive_key(one, at), '.');
    char *key = lb_xprintf("%s%s", lb_archive_experiment(other), suffix);
    const lb_number *x = lb_archive_at(one, at), *y = lb_archive_number(other, key);
    const lb_number *p = penalty_of(one, suffix), *q = penalty_of(other, suffix);
    if (y && same_claim(x, y) && p && q && p->value == q->value) {
        a->own_compared++;
        if (!same_value(x->value, y->value)) {
            lb_card *card =
                lb_audit_own(a, LB_CARD_VALUES, LB_CAUSE_DRIFT, LB_REMEDY_SUSPECT, suffix + 1);
            lb_card_fact(card, 0, "2");
            lb_card_fact(card, 1, "%.6g", fmin(x->value, y->value));
            lb_card_fact(card, 2, "%.6g", fmax(x->value, y->value));
            lb_card_fact(card, 3, "yes");
            lb_card_line(card, one, lb_archive_key(one, at), x);
            lb_card_line(card, other, key, y);
        }
    }
    free(key);
}

void lb_audit_pair(lb_audit *a, const lb_archive *one, const lb_archive *other)
{
    for (size_t i = 0; i < lb_archive_count(one); i++) {
        const char *suffix = strchr(lb_archive_key(one, i), '.');
        if (suffix && names_global(suffix))
            compare(a, one, i, other);
    }
}
