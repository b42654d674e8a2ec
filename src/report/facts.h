/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_FACTS_H
#define LB_REPORT_FACTS_H

#include "core/text.h"
#include "record/archive.h"
#include "record/ledger.h"
#include "record/published.h"
#include "record/spec.h"

#include <stdbool.h>
#include <stddef.h>

/** Where things are; borrowed, all relative to the working directory unless absolute. */
typedef struct lb_places {
    const char *profile;   /* "standard" */
    const char *results;   /* folder of the records of this profile */
    const char *record;    /* that of the experiment itself, if it lies elsewhere, else NULL */
    const char *shared;    /* folder of included files */
    const char *frozen;    /* folder of frozen TSVs of this profile; NULL: none are shown */
    const char *published; /* published.tsv */
    const char *figures;   /* folder of the figure files */
    const char *sources;   /* root that {{ code FILE }} is relative to */
} lb_places;

/**
 * Everything one report may state: the spec, the record of its experiment, records of others
 * (opened when a key asks for them), published and frozen values. Remembers what was used, for the
 * dependency list and the appendix. Everything handed out is borrowed until lb_facts_close().
 */
typedef struct lb_facts lb_facts;

/**
 * @param folder    templates/experiments/<id>, which holds spec.yaml
 * @param language  "en" or "zh"
 * @return LB_OK; the failures of lb_spec_load(); of lb_archive_open() when the record is not there;
 *         LB_EFINDING when the record was made with another spec.yaml
 */
lb_status lb_facts_open(const lb_places *places, const char *folder, const char *language,
                        lb_facts **out, lb_error *err);
/**
 * The facts of a view, a page over all records: it has no experiment of its own, so "this.",
 * "spec." and the cards of an experiment mean nothing in it, and lb_facts_spec() and
 * lb_facts_record() are NULL.
 */
lb_facts *lb_facts_over_all(const lb_places *places, const char *language);

void lb_facts_close(lb_facts *f); /* NULL is fine */

const lb_places *lb_facts_places(const lb_facts *f);
const lb_spec *lb_facts_spec(const lb_facts *f);
const lb_archive *lb_facts_record(const lb_facts *f);
const char *lb_facts_language(const lb_facts *f);
void lb_facts_speak(lb_facts *f, const char *language); /* another language from now on */

/** What a key names: a number (with a field or NULL) or a text. */
typedef struct lb_fact {
    const char *key; /* without the field; borrowed from the record */
    const lb_archive *record;
    const lb_number *number; /* NULL for a text */
    const char *text;        /* NULL for a number */
    const char *field;       /* borrowed from the name asked for */
} lb_fact;

/** What was worked out for a view besides the records: facts under keys "view.NAME" and tables. */
typedef struct lb_lent {
    const lb_fact *facts;
    size_t n_facts;
    const lb_table *tables;
    size_t n_tables;
} lb_lent;

/** Show these as well; borrowed until lb_facts_close(). */
void lb_facts_lend(lb_facts *f, const lb_lent *lent);

/** Look up a key of any experiment, with or without a field; "this." stands for the own one.
 * LB_ENAME with the nearest match; the failures of lb_archive_open() for a record that is missing.
 * Marks the key as used. */
lb_status lb_facts_find(lb_facts *f, const char *name, lb_fact *out, lb_error *err);

/** Tables, figures and verdicts of this experiment, or of another when @p id is prefixed by it
 * ("e01:T01.1"). LB_ENAME with the nearest match. */
lb_status lb_facts_table(lb_facts *f, const char *id, const lb_table **out, lb_error *err);
lb_status lb_facts_verdict(lb_facts *f, const char *id, const lb_verdict **out, lb_error *err);

/** The published table; loaded when first asked for. */
lb_status lb_facts_published(lb_facts *f, const lb_published **out, lb_error *err);

/** Names for conditions: keys of every record, spec.path, verdicts. In a view, the keys of an
 * experiment without a record are unknown and its verdicts NOT RUN. */
lb_scope lb_facts_scope(lb_facts *f);

/** The frozen line of a key, NULL if there is none. */
const lb_line *lb_facts_frozen(lb_facts *f, const char *key);

/* What was used, each once, in order of first use. */
void lb_facts_depend(lb_facts *f, const char *path); /* a file the report was made from */
size_t lb_facts_dependencies(const lb_facts *f);
const char *lb_facts_dependency(const lb_facts *f, size_t i);
size_t lb_facts_used(const lb_facts *f); /* numbers and texts */
const lb_fact *lb_facts_use(const lb_facts *f, size_t i);

#endif
