/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_LAYOUT_H
#define LB_RECORD_LAYOUT_H

#include "core/error.h"
#include "core/number.h"

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

/* How the lists of a record lie in HDF5: each is one dataset of compound rows. Writer (record.c)
 * and reader (archive.c) share these row types and the descriptions of their fields. */

enum { LB_RECORD_FORMAT = 2 };

typedef struct lb_number_row {
    char *key;
    double value, ci_lo, ci_hi, se, p_above, boot_mean, p_positive;
    uint64_t n, seed;
    int digits, oracle;
    char *kind, *unit, *rows, *protocol, *na;
} lb_number_row;

typedef struct lb_pair_row {
    char *key, *value;
} lb_pair_row;

typedef struct lb_rowset_row {
    char *name, *hash;
    uint64_t n;
} lb_rowset_row;

typedef struct lb_verdict_row {
    char *id, *outcome, *metric;
    double value, ci_lo, ci_hi, se;
    uint64_t n;
    int digits;
    char *kind, *unit, *na, *rule, *detail;
} lb_verdict_row;

typedef enum lb_field_kind {
    LB_FIELD_TEXT,
    LB_FIELD_DOUBLE,
    LB_FIELD_UINT64,
    LB_FIELD_INT
} lb_field_kind;

typedef struct lb_field {
    const char *name;
    size_t offset;
    lb_field_kind kind;
} lb_field;

typedef struct lb_layout {
    const lb_field *fields;
    size_t n, size; /* fields, bytes of a row */
} lb_layout;

extern const lb_layout lb_layout_numbers, lb_layout_rowsets, lb_layout_verdicts;
/* Two texts a row, differing in the names of the fields. */
extern const lb_layout lb_layout_pairs;   /* key value */
extern const lb_layout lb_layout_figures; /* id stem */
extern const lb_layout lb_layout_columns; /* name format */
extern const lb_layout lb_layout_cells;   /* key text */

/** Write @p rows as dataset @p name; cols = 0: one-dimensional, else n / cols by cols. Texts may
 * be NULL (stored as ""). LB_EIO. */
lb_status lb_layout_write(hid_t file, const char *name, const lb_layout *layout, const void *rows,
                          size_t n, size_t cols, lb_error *err);

/** Read a dataset back: *rows is one block the caller frees with lb_layout_free(); texts are never
 * NULL. *cols (may be NULL) is 0 for a one-dimensional dataset. LB_EFORMAT. */
lb_status lb_layout_read(hid_t file, const char *name, const lb_layout *layout, void **rows,
                         size_t *n, size_t *cols, lb_error *err);
void lb_layout_free(const lb_layout *layout, void *rows, size_t n);

/**
 * The seal: a line with the SHA-256 of all bytes before it, at the end of the file, where HDF5 does
 * not look. It tells a truncated, damaged or hand-edited record from a whole one before HDF5, which
 * can crash on damaged files, sees it.
 */
enum { LB_SEAL_SIZE = 87 }; /* characters with the NUL */
void lb_seal_make(const void *bytes, size_t n, char out[LB_SEAL_SIZE]);
/** LB_EFORMAT unless @p bytes ends in the seal of the rest, whose length goes to *payload. */
lb_status lb_seal_check(const char *bytes, size_t n, size_t *payload, lb_error *err);

/** Number to row and back; the row's texts point into @p x, or are read from the row. */
lb_number_row lb_number_row_of(const char *key, const lb_number *x);
lb_number lb_number_of_row(const lb_number_row *r);

#endif
