/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_MOVES_H
#define LB_REPORT_MOVES_H

#include "record/ledger.h"

#include <stdbool.h>
#include <stddef.h>

/** In the order of a report. */
typedef enum lb_move_kind {
    LB_MOVE_VERDICT, /* flipped, whatever its metric did */
    LB_MOVE_NUMBER,
    LB_MOVE_TEXT,   /* a text, or the keys in the cells of a table */
    LB_MOVE_ROWSET, /* other rows under the same name */
    LB_MOVE_GONE,
    LB_MOVE_NEW
} lb_move_kind;

/** What became of one key. */
typedef struct lb_move {
    lb_move_kind kind;
    const lb_line *was, *now; /* borrowed; NULL: new, gone */
    double errors;   /* standard errors a number moved (if it stood still: its interval); NAN: none
                        is known, or no move */
    double relative; /* |move / old value|, INFINITY from zero; NAN without a move of the value */
    bool beyond;     /* more than the tolerance of the old side allows */
    char *remark; /* what a number is besides its value, if that changed: n, rows, kind, oracle */
} lb_move;

typedef struct lb_moves {
    lb_move *at;
    size_t n, compared; /* compared: keys on both sides, measured ones not counted */
} lb_moves;

/**
 * Everything that differs between two ledgers, to the last digit, sorted: kinds in their order,
 * numbers by standard errors, then by relative move. Measured entries (seconds, bytes) may differ.
 * The standard error is that of the old number, or of its 95 % interval, else of the new one.
 * @return LB_OK; LB_EINVAL when the two belong to different experiments or profiles
 */
lb_status lb_moves_find(const lb_ledger *was, const lb_ledger *now, lb_moves *out, lb_error *err);
void lb_moves_free(lb_moves *m);

/** Standard error of a line, or half its 95 % interval in normal units; NAN if it has neither. */
double lb_line_error(const lb_line *line);

#endif
