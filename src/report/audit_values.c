/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Claims with the same key, or parts of it, and what they say. */
#include "report/audit.h"

#include "core/memory.h"
#include "core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- one key, several values -------------------------------------------------------------------
 */

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same_experiment(const lb_claim *a, const lb_claim *b)
{
    const size_t n = strcspn(a->entry->key, ".");
    return strcspn(b->entry->key, ".") == n && strncmp(a->entry->key, b->entry->key, n) == 0;
}

/* Within an experiment a row that names no training set can have the one of its neighbour. */
static bool same_training(const lb_claim *a, const lb_claim *b)
{
    return a->n_train == b->n_train || ((!a->n_train || !b->n_train) && same_experiment(a, b));
}

/* All parts of the key but the rows, the seed and the protocol: those are what may explain it. */
static bool same_key(const lb_claim *a, const lb_claim *b)
{
    return strcmp(a->metric, b->metric) == 0 && strcmp(a->model, b->model) == 0 &&
           strcmp(a->layout, b->layout) == 0 && strcmp(a->what, b->what) == 0 && a->bin == b->bin &&
           (strstr(a->what, "dim") || (same_number(a->noise, b->noise) &&
                                       same_number(a->alpha, b->alpha) && same_training(a, b)));
}

/* A key that names nothing but a metric is no key: that row can only be compared in its table. */
static bool has_key(const lb_claim *c)
{
    return !c->intent && (*c->model || *c->what) && strcmp(c->metric, "seed") != 0 &&
           !(lb_claim_is(c, "count") && c->bin >= 0); /* audit_bins.c compares whole tables */
}

/* Inside one document the key of the table tells rows apart that the parts above do not. */
static bool comparable(const lb_claim *a, const lb_claim *b)
{
    if (!isnan(a->noise) && a->n_train && *a->model)
        return true;
    return same_experiment(a, b) || strcmp(a->entry->source, b->entry->source) == 0 ||
           lb_claim_is(a, "count");
}

/* Words that say how it was done. Two claims whose words differ follow two protocols. */
static unsigned protocol_of(const lb_claim *c)
{
    static const char *const words[] = {"alpha on test",
                                        "alpha chosen on test",
                                        "alpha still on test",
                                        "val alpha",
                                        "CV",
                                        "standardised",
                                        "digitised",
                                        "legacy",
                                        "pre-noised",
                                        "clip",
                                        "legend"};
    unsigned bits = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        bits |= strstr(c->entry->conditions, words[i]) ? 1U << (i < 3 ? 0 : i) : 0;
    return bits;
}

/* Does the mean over resamples stand where it should, next to its point estimate? */
static bool is_resampling(const lb_claim *a, const lb_claim *b)
{
    const double near = 0.05; /* of the interval: half of the scatter of a mean of a few hundred */
    const lb_claim *mean = a->estimator ? a : b;
    const double width = mean->entry->ci_hi - mean->entry->ci_lo;
    return a->estimator != b->estimator && fabs(a->value - b->value) <= near * width;
}

/* "linear loses 0.018" and a gain of -0.018 say the same. */
static bool is_magnitude(const lb_claim *a, const lb_claim *b)
{
    const lb_claim *bare = isdigit((unsigned char)*a->entry->value) ? a : b;
    return lb_claim_is(a, "delta_r2") && isdigit((unsigned char)*bare->entry->value) &&
           fabs(a->value + b->value) <= fmax(a->half, b->half);
}

/* Two values of one key that nothing printed beside them explains. A draw with a seed of its own is
 * a claim of its own. */
static bool contradicts(const lb_claim *a, const lb_claim *b)
{
    return !lb_claims_agree(a, b) && a->seed == b->seed && !is_resampling(a, b) &&
           !is_magnitude(a, b);
}

/* Keep the rows that contradict another one; their number. */
static size_t keep_contradicting(const lb_claim **rows, size_t n)
{
    bool *kept = lb_xcalloc(n + 1, sizeof *kept);
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n && !kept[i]; k++)
            kept[i] = contradicts(rows[i], rows[k]);
    for (size_t i = 0; i < n; i++)
        if (kept[i])
            rows[left++] = rows[i];
    free(kept);
    return left;
}

/* What differs between the claims of a card, strongest explanation last. */
static void explain(lb_card *card)
{
    bool drift = false, protocol = false, random = false, sets = false, unstated = false;
    for (size_t i = 0; i < card->n; i++) {
        for (size_t k = 0; k < i; k++) {
            const lb_claim *a = card->rows[k], *b = card->rows[i];
            if (lb_claims_agree(a, b))
                continue;
            unstated = unstated || !a->n || !b->n;
            if (!a->n || !b->n || a->n != b->n || a->n_other || b->n_other)
                sets = true;
            else if (a->seed != b->seed || a->estimator != b->estimator)
                random = true;
            else if (protocol_of(a) != protocol_of(b))
                protocol = true;
            else
                drift = true;
        }
    }
    card->cause = drift             ? LB_CAUSE_DRIFT
                  : protocol        ? LB_CAUSE_PROTOCOL
                  : random && !sets ? LB_CAUSE_RANDOMNESS
                                    : LB_CAUSE_SCOPE;
    card->remedy = drift || random ? LB_REMEDY_SUSPECT
                   : protocol      ? LB_REMEDY_STANDARD
                                   : LB_REMEDY_SPLIT;
    if (sets)
        card->remedy = LB_REMEDY_SPLIT;
    lb_card_fact(card, 3, "%s", drift ? "yes" : "no");
    lb_card_fact(card, 4, "%s", sets ? "yes" : "no");
    lb_card_fact(card, 5, "%s", unstated ? "yes" : "no");
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Number of values among @p n that no rounding explains, and the ends. */
static size_t distinct(const lb_claim *const *rows, size_t n, double *low, double *high)
{
    size_t values = 0;
    *low = INFINITY;
    *high = -INFINITY;
    double *kept = lb_xcalloc(n, sizeof *kept);
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++)
            known = k != i && lb_claims_agree(rows[i], rows[k]) &&
                    (rows[k]->half < rows[i]->half || (rows[k]->half == rows[i]->half && k < i));
        *low = fmin(*low, rows[i]->value);
        *high = fmax(*high, rows[i]->value);
        if (!known)
            kept[values++] = rows[i]->value;
    }
    qsort(kept, values, sizeof *kept, by_value);
    free(kept);
    return values;
}

static void describe(const lb_claim *c, char *out, size_t size)
{
    lb_text t = {0};
    lb_text_printf(&t, "%s", c->metric);
    for (const char *part[] = {c->model, c->what, c->layout, NULL}, **s = part; *s; s++) {
        if (**s)
            lb_text_printf(&t, " %s", *s);
    }
    if (!isnan(c->noise))
        lb_text_printf(&t, ", noise %g", c->noise);
    if (c->n_train)
        lb_text_printf(&t, ", %zu training rows", c->n_train);
    if (c->bin >= 0)
        lb_text_printf(&t, ", bin %d", c->bin);
    snprintf(out, size, "%s", t.s);
    lb_text_free(&t);
}

/* A value whose key lacks parts belongs to the look-alike that has the same value, if one has. */
static void attach_strays(lb_audit *a, lb_card *card)
{
    const lb_claim *first = card->rows[0];
    const size_t n = card->n;
    for (size_t i = 0; i < a->claims.n; i++) {
        const lb_claim *c = &a->claims.at[i];
        if (c->intent || strcmp(c->metric, first->metric) || strcmp(c->model, first->model) ||
            strcmp(c->what, first->what) || c->bin != first->bin ||
            strcmp(c->layout, first->layout) || !same_number(c->alpha, first->alpha) ||
            same_key(c, first) || !*c->model || !lb_claims_one_run(c, first) ||
            (!isnan(c->noise) && c->n_train))
            continue;
        for (size_t k = 0; k < n; k++) {
            if (!lb_claims_agree(c, card->rows[k]) || c->half > 0.0006)
                continue;
            lb_card_row(card, c);
            break;
        }
    }
}

/* Nine bins with the same trouble are one card. */
static lb_card *same_table(lb_audit *a, const lb_claim *c)
{
    for (size_t i = 0; i < a->n && c->bin >= 0; i++) {
        const lb_claim *f = a->cards[i].rows ? a->cards[i].rows[0] : NULL;
        if (a->cards[i].kind == LB_CARD_VALUES && f && f->bin >= 0 && f->bin != c->bin &&
            strcmp(f->metric, c->metric) == 0 && strcmp(f->model, c->model) == 0 &&
            strcmp(f->what, c->what) == 0 && strcmp(f->layout, c->layout) == 0 &&
            same_number(f->noise, c->noise) && f->n_train == c->n_train)
            return &a->cards[i];
    }
    return NULL;
}

/* A document that prints both sides by side, each with its own number of rows, hides nothing. */
static bool is_open(const lb_claim *const *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i]->entry->source, rows[0]->entry->source) != 0 || !rows[i]->n)
            return false;
        for (size_t k = 0; k < i; k++) {
            if (rows[i]->n == rows[k]->n && !lb_claims_agree(rows[i], rows[k]))
                return false;
        }
    }
    return true;
}

static void check_key(lb_audit *a, size_t i, bool *seen)
{
    const lb_claim *c = &a->claims.at[i];
    const lb_claim **rows = lb_xcalloc(a->claims.n, sizeof *rows);
    size_t n = 0;
    double low, high;
    if (has_key(c)) {
        for (size_t k = i; k < a->claims.n; k++) {
            const lb_claim *o = &a->claims.at[k];
            if (seen[k] || o->intent || !same_key(c, o) || !comparable(c, o))
                continue;
            seen[k] = true;
            rows[n++] = o;
        }
    }
    n = keep_contradicting(rows, n);
    const size_t values = n > 1 ? distinct(rows, n, &low, &high) : 0;
    if (values > 1 && !is_open(rows, n)) {
        lb_card *card = same_table(a, c);
        const bool more = card != NULL;
        const size_t end = more ? strlen(card->subject) : 0;
        if (more && strcmp(card->subject + end - 4, " ff.") != 0)
            snprintf(card->subject + end, sizeof card->subject - end, " ff.");
        if (!card)
            card = lb_audit_card(a, LB_CARD_VALUES, LB_CAUSE_DRIFT, LB_REMEDY_SUSPECT);
        for (size_t k = 0; k < n; k++)
            lb_card_row(card, rows[k]);
        if (!more) {
            describe(c, card->subject, sizeof card->subject);
            lb_card_fact(card, 0, "%zu", values);
            lb_card_fact(card, 1, "%.4g", low);
            lb_card_fact(card, 2, "%.4g", high);
            explain(card);
            attach_strays(a, card);
        }
    }
    free(rows);
}

/* --- one value, two row sets -------------------------------------------------------------------
 */

/* Digits from the first that is not zero on. */
static size_t digits_of(const lb_claim *c)
{
    const char *s = c->entry->value;
    size_t n = 0;
    for (s += strcspn(s, "123456789"); *s; s++)
        n += isdigit((unsigned char)*s) != 0;
    return n;
}

static void check_scope(lb_audit *a, size_t i, bool *seen)
{
    enum { LEAST = 4 }; /* "0.5087": four digits do not agree by chance, those of "+0.050" may */
    const lb_claim *c = &a->claims.at[i], *other = NULL;
    if (seen[i] || c->intent || !c->n || c->n_other || digits_of(c) < LEAST)
        return;
    for (size_t k = i; k < a->claims.n; k++) {
        const lb_claim *o = &a->claims.at[k];
        if (o->n && !o->n_other && !o->intent && lb_claims_alike(c, o)) {
            seen[k] = true;
            other = o->n != c->n && !other ? o : other;
        }
    }
    if (!other)
        return;
    lb_card *card = lb_audit_card(a, LB_CARD_SCOPE, LB_CAUSE_SCOPE, LB_REMEDY_SPLIT);
    describe(c, card->subject, sizeof card->subject);
    lb_card_fact(card, 0, "%s", c->entry->value);
    lb_card_fact(card, 1, "%zu", c->n);
    lb_card_fact(card, 2, "%zu", other->n);
    for (size_t k = i; k < a->claims.n; k++) {
        const lb_claim *o = &a->claims.at[k];
        if (o->n && !o->n_other && !o->intent && lb_claims_alike(c, o))
            lb_card_row(card, o);
    }
}

/* --- one gain, two signs -----------------------------------------------------------------------
 */

static void check_sign(lb_audit *a, size_t i, bool *seen)
{
    const lb_claim *c = &a->claims.at[i];
    lb_card *card = NULL;
    if (seen[i] || c->intent || !lb_claim_is(c, "delta_r2") || !*c->model || isnan(c->noise) ||
        c->bin >= 0)
        return;
    for (size_t k = i + 1; k < a->claims.n; k++) {
        const lb_claim *o = &a->claims.at[k];
        if (o->intent || !lb_claim_is(o, "delta_r2") || strcmp(o->model, c->model) ||
            strcmp(o->what, c->what) || strcmp(o->layout, c->layout) || o->noise != c->noise ||
            o->bin >= 0)
            continue;
        seen[k] = true;
        if ((o->value * c->value >= 0 || fabs(o->value + c->value) <= fmax(o->half, c->half)) &&
            !card)
            continue; /* "a drop of 0.018" is no gain */
        if (!card) {
            card = lb_audit_card(a, LB_CARD_SIGN, LB_CAUSE_PROTOCOL, LB_REMEDY_SPLIT);
            snprintf(card->subject, sizeof card->subject, "%s %s, noise %g", c->metric, c->model,
                     c->noise);
            lb_card_fact(card, 0, "%s", c->entry->value);
            lb_card_fact(card, 1, "%s", o->entry->value);
            lb_card_row(card, c);
        }
        lb_card_row(card, o);
    }
}

/* --- lists -------------------------------------------------------------------------------------
 */

/* "e10.sigma_grid_upstream.3" -> "e10.sigma_grid"; false if it is no member of a list. */
static bool list_of(const lb_claim *c, char *name, size_t size, size_t *plain)
{
    static const char *const ornaments[] = {"_upstream", "_text", "_printed"};
    const char *key = c->entry->key, *dot = strrchr(key, '.');
    size_t at;
    if (!dot || !lb_parse_size(dot + 1, &at) || (size_t)(dot - key) >= size)
        return false;
    snprintf(name, size, "%.*s", (int)(dot - key), key);
    *plain = strlen(name);
    for (size_t i = 0; i < sizeof ornaments / sizeof *ornaments; i++) {
        char *tail = strstr(name, ornaments[i]);
        if (tail)
            *tail = '\0';
    }
    return true;
}

static void check_list(lb_audit *a, size_t i)
{
    char name[128], other[128];
    size_t length, length2, mine = 0, theirs = 0;
    const lb_claim *c = &a->claims.at[i], *rival = NULL;
    if (!list_of(c, name, sizeof name, &length) || strcmp(strrchr(c->entry->key, '.'), ".0") != 0)
        return;
    for (size_t k = 0; k < a->claims.n; k++) {
        const lb_claim *o = &a->claims.at[k];
        if (!list_of(o, other, sizeof other, &length2) || strcmp(name, other) != 0)
            continue;
        mine += length2 == length;
        theirs += length2 != length;
        rival = length2 != length && !rival ? o : rival;
    }
    if (!rival || mine == theirs || rival < c)
        return;
    lb_card *card = lb_audit_card(a, LB_CARD_LISTS, LB_CAUSE_PROTOCOL, LB_REMEDY_STANDARD);
    snprintf(card->subject, sizeof card->subject, "%.95s", name);
    lb_card_fact(card, 0, "%zu", mine);
    lb_card_fact(card, 1, "%zu", theirs);
    for (size_t k = 0; k < a->claims.n; k++) {
        if (list_of(&a->claims.at[k], other, sizeof other, &length2) && strcmp(name, other) == 0)
            lb_card_row(card, &a->claims.at[k]);
    }
}

/* --- ranges ------------------------------------------------------------------------------------
 */

/* Third of the metallicities a range speaks of; -1 if of none. */
static int third_of(const char *key)
{
    static const char *const words[][2] = {
        {"low_mh", "metal_poor"}, {"mid_mh", "solar"}, {"high_mh", "metal_rich"}};
    for (int i = 0; i < 3; i++) {
        if (strstr(key, words[i][0]) || strstr(key, words[i][1]))
            return i;
    }
    return -1;
}

/* "….top10_low" and "….top10_high" against the bins that have "top10" in their keys. */
static void check_range(lb_audit *a, size_t i)
{
    const lb_claim *low = &a->claims.at[i], *high = NULL;
    const char *key = low->entry->key;
    const size_t n = strlen(key), prefix = strcspn(key, ".") + 1;
    const int third = third_of(key);
    if (n < 5 || strcmp(key + n - 4, "_low") != 0 || third < 0 || low->intent)
        return;
    for (size_t k = 0; k < a->claims.n; k++) {
        const char *o = a->claims.at[k].entry->key;
        if (strlen(o) == n + 1 && strncmp(o, key, n - 3) == 0 && strcmp(o + n - 3, "high") == 0)
            high = &a->claims.at[k];
    }
    const char *word = key + n - 4;
    while (word > key && word[-1] != '.' && word[-1] != '_')
        word--;
    char quantity[32];
    snprintf(quantity, sizeof quantity, "%.*s", (int)(key + n - 4 - word) % 31, word);
    lb_card *card = NULL;
    for (size_t k = 0; high && k < a->claims.n; k++) {
        const lb_claim *c = &a->claims.at[k];
        if (c->bin < 0 || c->bin > 8 || c->bin % 3 != third ||
            strcmp(c->entry->unit, low->entry->unit) || strncmp(c->entry->key, key, prefix) ||
            !strstr(c->entry->key, quantity))
            continue;
        if (c->entry->number >= low->value - low->half - 1e-9 &&
            c->entry->number <= high->value + high->half + 1e-9)
            continue;
        if (!card) {
            card = lb_audit_card(a, LB_CARD_RANGE, LB_CAUSE_DRIFT, LB_REMEDY_ISOLATE);
            snprintf(card->subject, sizeof card->subject, "%s", key);
            lb_card_fact(card, 0, "%s", low->entry->value);
            lb_card_fact(card, 1, "%s", high->entry->value);
            lb_card_fact(card, 2, "%s", c->entry->value);
            lb_card_row(card, low);
            lb_card_row(card, high);
        }
        lb_card_row(card, c);
    }
}

/* --- oracle inputs -----------------------------------------------------------------------------
 */

/* A model that says somewhere that true labels go in must say so, or be called oracle, everywhere.
 */
static void check_oracle(lb_audit *a, size_t i)
{
    const lb_claim *said = &a->claims.at[i];
    if (!said->true_labels || !*said->model || strstr(said->model, "oracle"))
        return;
    for (size_t k = 0; k < i; k++) {
        if (a->claims.at[k].true_labels && strcmp(a->claims.at[k].model, said->model) == 0)
            return;
    }
    lb_card *card = NULL;
    size_t silent = 0;
    for (size_t k = 0; k < a->claims.n; k++) {
        const lb_claim *c = &a->claims.at[k];
        if (c->true_labels || c->intent || strcmp(c->model, said->model) ||
            !(lb_claim_is(c, "r2") || lb_claim_is(c, "delta_r2") || lb_claim_is(c, "retention")))
            continue;
        if (!card) {
            card = lb_audit_card(a, LB_CARD_ORACLE, LB_CAUSE_LEAKAGE, LB_REMEDY_SPLIT);
            snprintf(card->subject, sizeof card->subject, "%s", said->model);
            lb_card_fact(card, 0, "%s", said->entry->conditions);
            lb_card_row(card, said);
        }
        lb_card_row(card, c);
        lb_card_fact(card, 1, "%zu", ++silent);
    }
}

/* Is the row, or one that prints the same, on the earlier card? */
static bool stands_on(const lb_card *earlier, const lb_claim *row)
{
    for (size_t i = 0; i < earlier->n; i++)
        if (earlier->rows[i] == row || (lb_claims_agree(earlier->rows[i], row) &&
                                        strcmp(earlier->rows[i]->metric, row->metric) == 0 &&
                                        strcmp(earlier->rows[i]->model, row->model) == 0))
            return true;
    return false;
}

/* A key that names fewer parts finds again what the full key has found: one card is enough. */
static void drop_echoes(lb_audit *a)
{
    size_t left = 0;
    for (size_t i = 0; i < a->n; i++) {
        lb_card *card = &a->cards[i];
        bool echo = false;
        for (size_t k = 0; k < left && !echo && card->kind == LB_CARD_VALUES; k++) {
            const lb_card *earlier = &a->cards[k];
            echo = earlier->kind == LB_CARD_VALUES;
            for (size_t r = 0; r < card->n && echo; r++)
                echo = stands_on(earlier, card->rows[r]);
        }
        if (echo)
            free(card->rows);
        else
            a->cards[left++] = *card;
    }
    a->n = left;
}

void lb_audit_values(lb_audit *a)
{
    bool *seen = lb_xcalloc(3 * (a->claims.n + 1), sizeof *seen);
    for (size_t i = 0; i < a->claims.n; i++) {
        if (!seen[i])
            check_key(a, i, seen);
        check_scope(a, i, seen + a->claims.n);
        check_sign(a, i, seen + 2 * a->claims.n);
        check_list(a, i);
        check_range(a, i);
        check_oracle(a, i);
    }
    drop_echoes(a);
    free(seen);
}
