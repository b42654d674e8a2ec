/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/layout.h"

#include "core/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(type, f)                                                                              \
    {                                                                                              \
#f, offsetof(type, f), LB_FIELD_TEXT                                                       \
    }
#define REAL(type, f)                                                                              \
    {                                                                                              \
#f, offsetof(type, f), LB_FIELD_DOUBLE                                                     \
    }
#define SIZE(type, f)                                                                              \
    {                                                                                              \
#f, offsetof(type, f), LB_FIELD_UINT64                                                     \
    }
#define INT(type, f)                                                                               \
    {                                                                                              \
#f, offsetof(type, f), LB_FIELD_INT                                                        \
    }
#define LAYOUT(type, fields)                                                                       \
    {                                                                                              \
        fields, sizeof fields / sizeof *fields, sizeof(type)                                       \
    }

static const lb_field number_fields[] = {
    TEXT(lb_number_row, key),       REAL(lb_number_row, value),      REAL(lb_number_row, ci_lo),
    REAL(lb_number_row, ci_hi),     REAL(lb_number_row, se),         REAL(lb_number_row, p_above),
    REAL(lb_number_row, boot_mean), REAL(lb_number_row, p_positive), SIZE(lb_number_row, n),
    SIZE(lb_number_row, seed),      INT(lb_number_row, digits),      INT(lb_number_row, oracle),
    TEXT(lb_number_row, kind),      TEXT(lb_number_row, unit),       TEXT(lb_number_row, rows),
    TEXT(lb_number_row, protocol),  TEXT(lb_number_row, na)};
static const lb_field rowset_fields[] = {TEXT(lb_rowset_row, name), TEXT(lb_rowset_row, hash),
                                         SIZE(lb_rowset_row, n)};
static const lb_field verdict_fields[] = {
    TEXT(lb_verdict_row, id),    TEXT(lb_verdict_row, outcome), TEXT(lb_verdict_row, metric),
    REAL(lb_verdict_row, value), REAL(lb_verdict_row, ci_lo),   REAL(lb_verdict_row, ci_hi),
    REAL(lb_verdict_row, se),    SIZE(lb_verdict_row, n),       INT(lb_verdict_row, digits),
    TEXT(lb_verdict_row, kind),  TEXT(lb_verdict_row, unit),    TEXT(lb_verdict_row, na),
    TEXT(lb_verdict_row, rule),  TEXT(lb_verdict_row, detail)};
static const lb_field pair_fields[] = {TEXT(lb_pair_row, key), TEXT(lb_pair_row, value)};
static const lb_field figure_fields[] = {{"id", offsetof(lb_pair_row, key), LB_FIELD_TEXT},
                                         {"stem", offsetof(lb_pair_row, value), LB_FIELD_TEXT}};
static const lb_field column_fields[] = {{"name", offsetof(lb_pair_row, key), LB_FIELD_TEXT},
                                         {"format", offsetof(lb_pair_row, value), LB_FIELD_TEXT}};
static const lb_field cell_fields[] = {{"key", offsetof(lb_pair_row, key), LB_FIELD_TEXT},
                                       {"text", offsetof(lb_pair_row, value), LB_FIELD_TEXT}};

const lb_layout lb_layout_numbers = LAYOUT(lb_number_row, number_fields);
const lb_layout lb_layout_rowsets = LAYOUT(lb_rowset_row, rowset_fields);
const lb_layout lb_layout_verdicts = LAYOUT(lb_verdict_row, verdict_fields);
const lb_layout lb_layout_pairs = LAYOUT(lb_pair_row, pair_fields);
const lb_layout lb_layout_figures = LAYOUT(lb_pair_row, figure_fields);
const lb_layout lb_layout_columns = LAYOUT(lb_pair_row, column_fields);
const lb_layout lb_layout_cells = LAYOUT(lb_pair_row, cell_fields);

enum { MAX_ROWS = 10000000 }; /* more is a damaged file */

/* The compound type of a row in memory; in the file its texts are UTF-8 of variable length. */
static hid_t row_type(const lb_layout *layout)
{
    const hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, H5T_VARIABLE);
    H5Tset_cset(text, H5T_CSET_UTF8);
    const hid_t row = H5Tcreate(H5T_COMPOUND, layout->size);
    for (size_t i = 0; i < layout->n; i++) {
        const lb_field *f = &layout->fields[i];
        const hid_t kinds[] = {text, H5T_NATIVE_DOUBLE, H5T_NATIVE_UINT64, H5T_NATIVE_INT};
        H5Tinsert(row, f->name, f->offset, kinds[f->kind]);
    }
    H5Tclose(text);
    return row;
}

static char **text_at(const lb_layout *layout, void *rows, size_t i, size_t field)
{
    return (char **)(void *)((char *)rows + i * layout->size + layout->fields[field].offset);
}

lb_status lb_layout_write(hid_t file, const char *name, const lb_layout *layout, const void *rows,
                          size_t n, size_t cols, lb_error *err)
{
    char empty[] = "";
    const hsize_t dims[2] = {cols ? n / cols : n, cols};
    void *copy = lb_xcalloc(n + 1, layout->size);
    const hid_t type = row_type(layout), space = H5Screate_simple(cols ? 2 : 1, dims, NULL);
    const hid_t packed = H5Tcopy(type), plist = H5Pcreate(H5P_DATASET_CREATE);
    lb_status st = LB_OK;

    if (n)
        memcpy(copy, rows, n * layout->size);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < layout->n; k++)
            if (layout->fields[k].kind == LB_FIELD_TEXT && !*text_at(layout, copy, i, k))
                *text_at(layout, copy, i, k) = empty;
    H5Tpack(packed);
    H5Pset_obj_track_times(plist, 0);
    const hid_t set = H5Dcreate2(file, name, packed, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    if (set < 0 || (n && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, copy) < 0))
        st = LB_FAIL(err, LB_EIO, "HDF5 could not write the dataset '%s'", name);
    if (set >= 0)
        H5Dclose(set);
    H5Pclose(plist);
    H5Tclose(packed);
    H5Sclose(space);
    H5Tclose(type);
    free(copy);
    return st;
}

/* Does the dataset hold compound rows with every field we need? */
static lb_status check_fields(hid_t set, const char *name, const lb_layout *layout, lb_error *err)
{
    const hid_t stored = H5Dget_type(set);
    lb_status st = LB_OK;
    if (H5Tget_class(stored) != H5T_COMPOUND)
        st = LB_FAIL(err, LB_EFORMAT, "the dataset '%s' does not hold rows", name);
    for (size_t i = 0; st == LB_OK && i < layout->n; i++)
        if (H5Tget_member_index(stored, layout->fields[i].name) < 0)
            st = LB_FAIL(err, LB_EFORMAT, "the dataset '%s' has no field '%s'", name,
                         layout->fields[i].name);
    H5Tclose(stored);
    return st;
}

static lb_status read_shape(hid_t set, const char *name, size_t *n, size_t *cols, lb_error *err)
{
    hsize_t dims[2] = {0, 0};
    const hid_t space = H5Dget_space(set);
    const int rank = H5Sget_simple_extent_ndims(space);
    const bool fits = rank == 1 || (rank == 2 && cols);
    if (fits)
        H5Sget_simple_extent_dims(space, dims, NULL);
    H5Sclose(space);
    if (!fits || dims[0] > MAX_ROWS || dims[1] > MAX_ROWS ||
        (rank == 2 && dims[0] * dims[1] > MAX_ROWS))
        return LB_FAIL(err, LB_EFORMAT, "the dataset '%s' has an unexpected shape", name);
    *n = (size_t)(rank == 2 ? dims[0] * dims[1] : dims[0]);
    if (cols)
        *cols = (size_t)dims[1];
    return LB_OK;
}

/* HDF5 clears a buffer of 1 MiB for every list unless told how little is needed: a report opens
 * hundreds of short ones. */
static hid_t buffer_for(const lb_layout *layout, size_t n)
{
    enum { DEFAULT_BUFFER = 1 << 20 };
    const hid_t list = H5Pcreate(H5P_DATASET_XFER);
    const size_t wanted = (n + 1) * (layout->size + 64 * layout->n); /* texts are longer on disk */
    if (list >= 0 && wanted < DEFAULT_BUFFER)
        H5Pset_buffer(list, wanted, NULL, NULL);
    return list;
}

lb_status lb_layout_read(hid_t file, const char *name, const lb_layout *layout, void **rows,
                         size_t *n, size_t *cols, lb_error *err)
{
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, transfer = H5I_INVALID_HID;
    char *block = NULL;
    lb_status st;

    if (set < 0)
        return LB_FAIL(err, LB_EFORMAT, "the dataset '%s' is missing", name);
    type = row_type(layout);
    space = H5Dget_space(set);
    if ((st = check_fields(set, name, layout, err)) != LB_OK ||
        (st = read_shape(set, name, n, cols, err)) != LB_OK)
        goto done;
    block = lb_xcalloc(*n + 1, layout->size);
    transfer = buffer_for(layout, *n);
    if (*n && H5Dread(set, type, H5S_ALL, H5S_ALL, transfer, block) < 0) {
        st = LB_FAIL(err, LB_EFORMAT, "the dataset '%s' cannot be read", name);
        goto done;
    }
    for (size_t i = 0; i < *n; i++) /* the texts become ours, so that free() suits all */
        for (size_t k = 0; k < layout->n; k++)
            if (layout->fields[k].kind == LB_FIELD_TEXT) {
                char **text = text_at(layout, block, i, k), *theirs = *text;
                *text = lb_xstrdup(theirs ? theirs : "");
                free(theirs); /* HDF5 takes it from malloc() */
            }
    *rows = block;
    block = NULL;
done:
    free(block);
    if (transfer >= 0)
        H5Pclose(transfer);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(set);
    return st;
}

void lb_layout_free(const lb_layout *layout, void *rows, size_t n)
{
    for (size_t i = 0; rows && i < n; i++)
        for (size_t k = 0; k < layout->n; k++)
            if (layout->fields[k].kind == LB_FIELD_TEXT)
                free(*text_at(layout, rows, i, k));
    free(rows);
}

static const char seal_word[] = "\nloggbook-seal ";

void lb_seal_make(const void *bytes, size_t n, char out[LB_SEAL_SIZE])
{
    char hash[LB_HASH_SIZE];
    lb_hash_bytes(bytes, n, hash);
    snprintf(out, LB_SEAL_SIZE, "%s%s", seal_word, hash);
}

lb_status lb_seal_check(const char *bytes, size_t n, size_t *payload, lb_error *err)
{
    char seal[LB_SEAL_SIZE];
    const size_t length = LB_SEAL_SIZE - 1;
    if (n < length || memcmp(bytes + n - length, seal_word, strlen(seal_word)) != 0)
        return LB_FAIL(
            err, LB_EFORMAT,
            "it does not end in a seal, so it is cut short, or no record of this program");
    lb_seal_make(bytes, n - length, seal);
    if (memcmp(bytes + n - length, seal, length) != 0)
        return LB_FAIL(err, LB_EFORMAT,
                       "its seal is broken: it is damaged, or was changed after "
                       "the run that wrote it");
    *payload = n - length;
    return LB_OK;
}

lb_number_row lb_number_row_of(const char *key, const lb_number *x)
{
    return (lb_number_row){.key = (char *)key,
                           .value = x->value,
                           .ci_lo = x->ci_lo,
                           .ci_hi = x->ci_hi,
                           .se = x->se,
                           .p_above = x->p_above,
                           .boot_mean = x->boot_mean,
                           .p_positive = x->p_positive,
                           .n = x->n,
                           .seed = x->seed,
                           .digits = x->digits,
                           .oracle = x->oracle,
                           .kind = (char *)x->kind,
                           .unit = (char *)x->unit,
                           .rows = (char *)x->rows,
                           .protocol = (char *)x->protocol,
                           .na = (char *)x->na};
}

lb_number lb_number_of_row(const lb_number_row *r)
{
    lb_number x = {.value = r->value,
                   .ci_lo = r->ci_lo,
                   .ci_hi = r->ci_hi,
                   .se = r->se,
                   .p_above = r->p_above,
                   .boot_mean = r->boot_mean,
                   .p_positive = r->p_positive,
                   .n = (size_t)r->n,
                   .seed = r->seed,
                   .digits = r->digits,
                   .oracle = r->oracle != 0};
    snprintf(x.kind, sizeof x.kind, "%s", r->kind);
    snprintf(x.unit, sizeof x.unit, "%s", r->unit);
    snprintf(x.rows, sizeof x.rows, "%s", r->rows);
    snprintf(x.protocol, sizeof x.protocol, "%s", r->protocol);
    snprintf(x.na, sizeof x.na, "%s", r->na);
    return x;
}
