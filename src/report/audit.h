/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_AUDIT_H
#define LB_REPORT_AUDIT_H

#include "record/archive.h"
#include "report/catalogue.h"
#include "report/claim.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Contradictions among printed numbers, found by rules that know no answers: every rule compares
 * claims (report/claim.h) or numbers of records by their keys, by arithmetic, or by counting rows.
 */
typedef enum lb_card_kind {
    LB_CARD_VALUES,      /* one key, several values that no rounding explains */
    LB_CARD_ROWS,        /* a difference between scores on different rows */
    LB_CARD_RATIO,       /* a share or retention of scores on different rows */
    LB_CARD_DENOMINATOR, /* a share of a gain too small to divide by */
    LB_CARD_COUNTS,      /* per-bin counts of one run that do not agree or do not add up */
    LB_CARD_POOLED,      /* a pooled score that its own bins do not support */
    LB_CARD_INTERVAL,    /* an interval beside a value it does not hold */
    LB_CARD_SCOPE,       /* one value printed for two row sets */
    LB_CARD_NUMBERING,   /* one table with its bins numbered in two ways */
    LB_CARD_PARTS,       /* shares of one whole that add up to more than the whole */
    LB_CARD_PERCENT,     /* a count that is not the percentage it is said to be */
    LB_CARD_LISTS,       /* one list printed with different members */
    LB_CARD_RANGE,       /* a range that leaves out one of the values it sums up */
    LB_CARD_SIGN,        /* one gain, positive here and negative there */
    LB_CARD_ORACLE,      /* a model that takes true labels, printed without saying so */
    LB_CARD_UNBACKED,    /* own pages: a value with its interval that no record holds */
    LB_CARD_KINDS
} lb_card_kind;

/** The fixed list of causes (documents.md, section 12). */
typedef enum lb_cause {
    LB_CAUSE_SCOPE,
    LB_CAUSE_PROTOCOL,
    LB_CAUSE_DRIFT,
    LB_CAUSE_LEAKAGE,
    LB_CAUSE_RANDOMNESS
} lb_cause;

/** Remedies in the order in which they are tried. */
typedef enum lb_remedy {
    LB_REMEDY_ISOLATE,
    LB_REMEDY_SPLIT,
    LB_REMEDY_STANDARD,
    LB_REMEDY_SUSPECT
} lb_remedy;

enum { LB_CARD_FACTS = 6 };

/** One finding. @c facts are what its sentence needs, numbers already printed; "" if unused. */
typedef struct lb_card {
    lb_card_kind kind;
    lb_cause cause;
    lb_remedy remedy;
    char subject[96]; /* the claim key in words */
    char facts[LB_CARD_FACTS][160];
    const lb_claim **rows; /* published rows involved; borrowed */
    size_t n;
    char *own; /* or Markdown lines on records and pages of this package; NULL for published ones */
} lb_card;

typedef struct lb_audit {
    lb_claims claims; /* published */
    lb_card *cards;
    size_t n;
    size_t own_numbers, own_compared, own_pages, own_quotes, own_keys; /* what was looked at */
} lb_audit;

const char *lb_card_word(lb_card_kind kind); /* "values", "rows", ... */
const char *lb_cause_word(lb_cause cause);   /* "scope", "protocol", ... */
const char *lb_remedy_word(lb_remedy remedy);

/** Apply every rule to the published claims of @p a; cards in order of kind, then of the file. */
void lb_audit_published(lb_audit *a);
/** One record: differences and their rows, counts, intervals, oracle marks. */
void lb_audit_record(lb_audit *a, const lb_archive *record);
/** Two records: one key (name behind the experiment, rows, protocol, seed, penalty), two values. */
void lb_audit_pair(lb_audit *a, const lb_archive *one, const lb_archive *other);
/**
 * What several records state under names of their own, declared in @p path (templates/views/audit/
 * same.yaml): the values must be one, on the same rows. Records that are not there are left out.
 * @param all  the experiments there are
 * @return LB_OK; LB_ENAME for a key of no experiment, or that its record, of simulated spectra,
 *         does not have (any more); the failures of lb_yaml_load() and lb_schema_check()
 */
lb_status lb_audit_same(lb_audit *a, const char *path, const lb_catalogue *all,
                        const lb_archive *const *records, size_t n, lb_error *err);
/** A page of this package: each "value [low, high]" must hold its value and stand in a record; a
 * value beside the key of a number must be that number; rows of one table that print different
 * values must say what differs. */
void lb_audit_page(lb_audit *a, const char *path, const char *text,
                   const lb_archive *const *records, size_t n);
void lb_audit_free(lb_audit *a);

/* --- for the rules ---------------------------------------------------------------------------- */

lb_card *lb_audit_card(lb_audit *a, lb_card_kind kind, lb_cause cause, lb_remedy remedy);
/** A finding on records and pages of this package; @p subject is cut to fit. */
lb_card *lb_audit_own(lb_audit *a, lb_card_kind kind, lb_cause cause, lb_remedy remedy,
                      const char *subject);
void lb_card_row(lb_card *card, const lb_claim *claim); /* each once */
void lb_card_line(lb_card *card, const lb_archive *record, const char *key, const lb_number *x);
void lb_card_fact(lb_card *card, size_t i, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void lb_audit_values(lb_audit *a); /* audit_values.c: keys against values */
void lb_audit_sums(lb_audit *a);   /* audit_sums.c: differences, ratios, intervals, percentages */
void lb_audit_bins(lb_audit *a);   /* audit_bins.c: per-bin tables */

#endif
