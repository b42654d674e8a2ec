/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_STATE_H
#define LB_RECORD_STATE_H

#include "record/keys.h"
#include "record/layout.h"
#include "record/record.h"

#include <stdbool.h>

/* The inside of a record being written, shared by record.c (recording), judge.c (verdicts) and
 * save.c (checking and writing). */

/* A table in the making: cells of all rows, one after the other. */
typedef struct table {
    char *id;
    lb_pair_row *columns, *cells;
    size_t n_columns, n_cells, rows;
} table;

typedef struct series {
    char *name;
    double *values;
    size_t n;
} series;

/* A list of rows that own their texts. */
typedef struct pairs {
    lb_pair_row *rows;
    size_t n;
} pairs;

struct lb_record {
    char *experiment;
    const lb_spec *spec;
    lb_error err;
    double started;
    bool judged;
    struct entry {
        char *key;
        lb_number number;
    } * numbers;
    size_t n_numbers;
    lb_keys number_keys, text_keys;
    pairs texts, figures, provenance, run;
    lb_rowset_row *rowsets;
    size_t n_rowsets;
    lb_verdict_row *verdicts;
    size_t n_verdicts;
    table *tables;
    size_t n_tables;
    series *series;
    size_t n_series;
};

/** Fail once: what comes later is ignored (the writer is sticky). */
#define FAIL(r, status, ...) ((void)LB_FAIL(&(r)->err, (status), __VA_ARGS__))

/** LB_ENAME: @p key was not recorded, with the nearest match. */
lb_status lb_record_missing(const lb_record *r, const char *key, lb_error *err);

/** Has the last row of @p t all its cells? Complains if not. */
bool lb_record_row_is_full(lb_record *r, const table *t);

#endif
