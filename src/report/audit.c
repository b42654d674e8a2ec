/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/audit.h"

#include "core/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *lb_card_word(lb_card_kind kind)
{
    static const char *const words[LB_CARD_KINDS] = {
        "values",    "rows",  "ratio",   "denominator", "counts", "pooled", "interval", "scope",
        "numbering", "parts", "percent", "lists",       "range",  "sign",   "oracle",   "unbacked"};
    return words[kind];
}

const char *lb_cause_word(lb_cause cause)
{
    static const char *const words[] = {"scope", "protocol", "drift", "leakage", "randomness"};
    return words[cause];
}

const char *lb_remedy_word(lb_remedy remedy)
{
    static const char *const words[] = {"isolate", "split", "standard", "suspect"};
    return words[remedy];
}

lb_card *lb_audit_card(lb_audit *a, lb_card_kind kind, lb_cause cause, lb_remedy remedy)
{
    a->cards = lb_xrealloc(a->cards, a->n + 1, sizeof *a->cards);
    lb_card *card = &a->cards[a->n++];
    *card = (lb_card){.kind = kind, .cause = cause, .remedy = remedy};
    return card;
}

lb_card *lb_audit_own(lb_audit *a, lb_card_kind kind, lb_cause cause, lb_remedy remedy,
                      const char *key)
{
    lb_card *card = lb_audit_card(a, kind, cause, remedy);
    snprintf(card->subject, sizeof card->subject, "%s", key);
    return card;
}

void lb_card_row(lb_card *card, const lb_claim *claim)
{
    for (size_t i = 0; i < card->n; i++) {
        if (card->rows[i] == claim)
            return;
    }
    card->rows = lb_xrealloc(card->rows, card->n + 1, sizeof *card->rows);
    card->rows[card->n++] = claim;
}

void lb_card_fact(lb_card *card, size_t i, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(card->facts[i], sizeof card->facts[i], format, args);
    va_end(args);
}

/* By kind; within a kind as they were found, which is the order of the file. */
static int by_kind(const void *a, const void *b)
{
    const lb_card *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->n == 0 || y->n == 0 || x->rows[0] == y->rows[0])
        return (x->n > y->n) - (x->n < y->n);
    return x->rows[0] < y->rows[0] ? -1 : 1;
}

void lb_audit_published(lb_audit *a)
{
    lb_audit_sums(a); /* first: it tells which model a gain belongs to */
    lb_audit_values(a);
    lb_audit_bins(a);
    if (a->n > 1) /* without a card there is no array */
        qsort(a->cards, a->n, sizeof *a->cards, by_kind);
}

void lb_audit_free(lb_audit *a)
{
    for (size_t i = 0; i < a->n; i++) {
        free(a->cards[i].rows);
        free(a->cards[i].own);
    }
    free(a->cards);
    lb_claims_free(&a->claims);
    *a = (lb_audit){0};
}
