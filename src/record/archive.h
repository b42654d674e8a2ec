/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_ARCHIVE_H
#define LB_RECORD_ARCHIVE_H

#include "core/error.h"
#include "core/number.h"
#include "record/condition.h"
#include "record/record.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * A record read back (see record.h), whole, in memory. Read-only; everything handed out is borrowed
 * until lb_archive_close(). Lists keep the order of recording.
 */
typedef struct lb_archive lb_archive;

typedef struct lb_pair {
    const char *key, *value;
} lb_pair;

typedef struct lb_cell {
    const char *key;  /* NULL for a text cell */
    const char *text; /* NULL for a key cell */
} lb_cell;

typedef struct lb_table {
    const char *id;
    size_t rows, cols;
    const lb_column *columns;
    const lb_cell *cells; /* rows x cols */
} lb_table;

typedef struct lb_verdict {
    const char *id;      /* "H1.2" */
    const char *outcome; /* PASS, PARTIAL, FAIL, INCONCLUSIVE, NOT RUN */
    const char *metric;  /* key */
    lb_number value;     /* of the metric when it was judged */
    const char *rule;    /* the condition that decided; "" if none was true */
    const char *detail;  /* the values it was decided on, or why it was not run */
} lb_verdict;

typedef struct lb_rowset_entry {
    const char *name, *hash;
    size_t n;
} lb_rowset_entry;

/**
 * LB_EIO: no such file ("... run `make e02`"); LB_EFORMAT: not a record, cut short, edited or
 * of another format ("... delete it and run `make e02`").
 */
lb_status lb_archive_open(const char *path, lb_archive **out, lb_error *err);
void lb_archive_close(lb_archive *a); /* NULL is fine */

const char *lb_archive_path(const lb_archive *a);
const char *lb_archive_experiment(const lb_archive *a); /* "e02" */
const char *lb_archive_name(const lb_archive *a);       /* "e02_piecewise", "" without a spec */

/* Numbers: by key (NULL if absent) and by position. */
const lb_number *lb_archive_number(const lb_archive *a, const char *key);
size_t lb_archive_count(const lb_archive *a);
const char *lb_archive_key(const lb_archive *a, size_t i);
const lb_number *lb_archive_at(const lb_archive *a, size_t i);
const char *lb_archive_nearest(const lb_archive *a, const char *key); /* number or text key, NULL */

const char *lb_archive_text(const lb_archive *a, const char *key); /* NULL if absent */
const lb_pair *lb_archive_texts(const lb_archive *a, size_t *n);

const lb_table *lb_archive_table(const lb_archive *a, const char *id); /* NULL if absent */
const lb_table *lb_archive_tables(const lb_archive *a, size_t *n);

const lb_verdict *lb_archive_verdict(const lb_archive *a, const char *id); /* NULL if absent */
const lb_verdict *lb_archive_verdicts(const lb_archive *a, size_t *n);

const char *lb_archive_figure(const lb_archive *a, const char *id); /* stem, NULL if absent */
const lb_pair *lb_archive_figures(const lb_archive *a, size_t *n);  /* id, stem */
/** Hash of the SVG the run drew, "" in a record that did not keep it. */
const char *lb_archive_figure_hash(const lb_archive *a, const char *id);

const lb_rowset_entry *lb_archive_rowsets(const lb_archive *a, size_t *n);
const char *lb_archive_rowset_name(const lb_archive *a, const char *hash); /* "" if unknown */

const double *lb_archive_series(const lb_archive *a, const char *name, size_t *n); /* NULL */
size_t lb_archive_series_count(const lb_archive *a);
const char *lb_archive_series_name(const lb_archive *a, size_t i);

const char *lb_archive_provenance(const lb_archive *a, const char *key); /* "" if absent */
const lb_pair *lb_archive_provenances(const lb_archive *a, size_t *n);
const lb_pair *lb_archive_run(const lb_archive *a, size_t *n);

/** LB_EFINDING ("... run `make e02`") when the record was made with another spec.yaml. */
lb_status lb_archive_check_spec(const lb_archive *a, const lb_spec *spec, lb_error *err);

/** LB_EFINDING ("... delete it and run `make e02`") when the run computed from a published value
 * that reads otherwise now; whether it computed from any. */
lb_status lb_archive_check_published(const lb_archive *a, const lb_published *now, lb_error *err);
bool lb_archive_asked_published(const lb_archive *a);

/** Names for conditions: keys of @p a with their fields, and spec.path when @p spec is not NULL. A
 * plain value; @p a and @p spec must outlive @p self, which the scope points to. */
typedef struct lb_archive_names {
    const lb_archive *archive;
    const lb_spec *spec;
} lb_archive_names;
lb_scope lb_archive_scope(lb_archive_names *self);

/** spec.path as a value of the condition language, for other scopes. @p path without "spec.". */
lb_status lb_spec_value(const lb_spec *spec, const char *path, lb_value *out, lb_error *err);

#endif
