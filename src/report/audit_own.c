/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * This package's own records and pages. A record keeps every number in full, with the hash of its
 * rows, so arithmetic is exact here: a difference equals that of two scores to the last bits, or it
 * is not theirs.
 */
#include "report/audit.h"

#include "core/memory.h"
#include "core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double last_bits = 1e-12;

static bool is_kind(const lb_number *x, const char *kind)
{
    return strcmp(x->kind, kind) == 0 && !isnan(x->value);
}

static void add_line(lb_card *card, const lb_archive *r, const char *key, const lb_number *x)
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

static lb_card *own_card(lb_audit *a, lb_card_kind kind, lb_cause cause, lb_remedy remedy,
                         const char *key)
{
    lb_card *card = lb_audit_card(a, kind, cause, remedy);
    snprintf(card->subject, sizeof card->subject, "%s", key);
    return card;
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
    lb_card *card =
        own_card(a, mute ? LB_CARD_ORACLE : LB_CARD_ROWS, mute ? LB_CAUSE_LEAKAGE : LB_CAUSE_SCOPE,
                 mute ? LB_REMEDY_SPLIT : LB_REMEDY_ISOLATE, lb_archive_key(r, at));
    lb_card_fact(card, 0, "%.6g", d->value);
    lb_card_fact(card, 1, "%.6g − %.6g", of->value, against->value);
    lb_card_fact(card, 2, "%zu", of->n);
    lb_card_fact(card, 3, "%zu", against->n);
    add_line(card, r, lb_archive_key(r, at), d);
    add_line(card, r, lb_archive_key(r, i_of), of);
    add_line(card, r, lb_archive_key(r, i_against), against);
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
            card = own_card(a, LB_CARD_COUNTS, LB_CAUSE_DRIFT, LB_REMEDY_ISOLATE, key);
            lb_card_fact(card, 0, "%.0f", sum);
        }
        for (size_t i = 0; i < lb_archive_count(r); i++) {
            const char *k = lb_archive_key(r, i), *b = bin_of(k, &other_length);
            if (!b || b - k != bin - key || strncmp(k, key, (size_t)(bin - key)) != 0 ||
                strcmp(b + other_length, bin + length) != 0)
                continue;
            if (card) {
                add_line(card, r, k, lb_archive_at(r, i));
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
        own_card(a, LB_CARD_INTERVAL, LB_CAUSE_DRIFT, LB_REMEDY_ISOLATE, lb_archive_key(r, at));
    lb_card_fact(card, 0, "%.6g", x->value);
    lb_card_fact(card, 1, "[%.6g, %.6g]", x->ci_lo, x->ci_hi);
    add_line(card, r, lb_archive_key(r, at), x);
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
                own_card(a, LB_CARD_VALUES, LB_CAUSE_DRIFT, LB_REMEDY_SUSPECT, suffix + 1);
            lb_card_fact(card, 0, "2");
            lb_card_fact(card, 1, "%.6g", fmin(x->value, y->value));
            lb_card_fact(card, 2, "%.6g", fmax(x->value, y->value));
            lb_card_fact(card, 3, "yes");
            add_line(card, one, lb_archive_key(one, at), x);
            add_line(card, other, key, y);
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

/* --- pages -------------------------------------------------------------------------------------
 */

/* A printed number: its value, and how far a number may be off that prints like this. */
typedef struct printed {
    double value, half;
    const char *end;
} printed;

static bool read_printed(const char *s, printed *out)
{
    char plain[32];
    size_t n = 0, decimals = 0;
    bool point = false, digits = false;
    if (strncmp(s, "\u2212", 3) == 0) {
        plain[n++] = '-';
        s += 3;
    } else if (*s == '+' || *s == '-')
        plain[n++] = *s++;
    for (; n + 1 < sizeof plain && (isdigit((unsigned char)*s) || (*s == '.' && !point)); s++) {
        digits = digits || isdigit((unsigned char)*s);
        decimals += point;
        point = point || *s == '.';
        plain[n++] = *s;
    }
    plain[n] = '\0';
    *out = (printed){strtod(plain, NULL), 0.5 * pow(10, -(double)decimals), s};
    return digits && point;
}

/* "[0.0329, 0.0674]" */
static bool read_interval(const char *s, printed *low, printed *high)
{
    return *s == '[' && read_printed(s + 1, low) && strncmp(low->end, ", ", 2) == 0 &&
           read_printed(low->end + 2, high) && *high->end == ']';
}

/* Marks and the bar of a table that may stand between a value and its interval. */
static const char *skip_marks(const char *s)
{
    for (int i = 0; i < 12; i++) {
        if (strncmp(s, "†", strlen("†")) == 0)
            s += strlen("†");
        else if (*s == ' ' || *s == '*' || *s == '|' || *s == '%')
            s++;
        else
            break;
    }
    return s;
}

static bool near_to(const printed *p, double x)
{
    return fabs(p->value - x) <= p->half * (1 + 1e-6) ||
           fabs(p->value - 100 * x) <= p->half * (1 + 1e-6);
}

static bool stands_in(const printed p[3], const lb_archive *const *records, size_t n,
                      const lb_claims *published)
{
    for (size_t r = 0; r < n; r++) {
        for (size_t i = 0; i < lb_archive_count(records[r]); i++) {
            const lb_number *x = lb_archive_at(records[r], i);
            if (!isnan(x->ci_lo) && near_to(&p[0], x->value) && near_to(&p[1], x->ci_lo) &&
                near_to(&p[2], x->ci_hi))
                return true;
        }
    }
    for (size_t i = 0; i < published->n; i++) {
        const lb_published_entry *e = published->at[i].entry;
        if (near_to(&p[0], e->number) && near_to(&p[1], e->ci_lo) && near_to(&p[2], e->ci_hi))
            return true;
    }
    return false;
}

/* Does any number between @p line and its interval at @p at stand in a record beside it? A row of a
 * table may print a value, its resampled mean and the interval that belongs to the first. */
static bool is_backed(const char *line, const char *at, printed p[3],
                      const lb_archive *const *records, size_t n, const lb_claims *published)
{
    for (const char *s = line; s < at; s++) {
        if ((s == line || !isalnum((unsigned char)s[-1])) && read_printed(s, &p[0]) &&
            stands_in(p, records, n, published))
            return true;
    }
    return false;
}

/* The number right before the interval at @p at, marks and the bar of a table skipped. */
static const char *value_before(const char *line, const char *at, printed *value)
{
    const char *found = NULL;
    for (const char *s = line; s < at; s++) {
        printed p;
        if ((s > line && (isalnum((unsigned char)s[-1]) || strchr(".-+", s[-1]) || s[-1] & 0x80)) ||
            !read_printed(s, &p) || skip_marks(p.end) != at)
            continue;
        *value = p;
        found = s;
        break;
    }
    return found;
}

void lb_audit_page(lb_audit *a, const char *path, const char *text,
                   const lb_archive *const *records, size_t n)
{
    size_t number = 1;
    const char *line = text;
    a->own_pages++;
    for (const char *s = text; *s; s++) {
        printed p[3], value;
        if (*s == '\n') {
            line = s + 1;
            number++;
        }
        const char *start = read_interval(s, &p[1], &p[2]) ? value_before(line, s, &value) : NULL;
        if (!start)
            continue;
        a->own_quotes++;
        if (is_backed(line, s, p, records, n, &a->claims))
            continue;
        const bool outside =
            value.value < p[1].value - value.half || value.value > p[2].value + value.half;
        lb_card *card = own_card(a, outside ? LB_CARD_INTERVAL : LB_CARD_UNBACKED, LB_CAUSE_DRIFT,
                                 LB_REMEDY_ISOLATE, path);
        lb_card_fact(card, 0, "%.*s", (int)(value.end - start), start);
        lb_card_fact(card, 1, "%.*s", (int)(p[2].end + 1 - s), s);
        card->own = lb_xprintf("| %s | %s | - | line %zu | `%s` |\n", card->facts[0],
                               card->facts[1], number, path);
    }
}
