/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/frame.h"

#include "core/memory.h"
#include "core/text.h"
#include "data/h5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a column lives: element `index` of `width` in the member or dataset `holder`. */
typedef struct column {
    char *name, *holder;
    size_t index, width;
    bool numeric, array;
} column;

typedef enum layout { COMPOUND, FIXED, PLAIN } layout;

struct lb_frame {
    char *path, *node; /* for messages */
    hid_t object;      /* the compound dataset, or the group that holds the blocks */
    layout layout;
    size_t rows, n_columns;
    column *columns;
};

static bool is_numeric(hid_t type)
{
    const H5T_class_t class = H5Tget_class(type);
    return class == H5T_FLOAT || class == H5T_INTEGER;
}

static void add_column(lb_frame *f, const char *name, const char *holder, size_t index,
                       size_t width, bool numeric, bool array)
{
    f->columns = lb_xrealloc(f->columns, f->n_columns + 1, sizeof *f->columns);
    f->columns[f->n_columns++] =
        (column){lb_xstrdup(name), lb_xstrdup(holder), index, width, numeric, array};
}

static const column *find(const lb_frame *f, const char *name)
{
    for (size_t i = 0; i < f->n_columns; i++)
        if (strcmp(f->columns[i].name, name) == 0)
            return &f->columns[i];
    return NULL;
}

/* --- pickles ---------------------------------------------------------------------------------- */

static void add_utf8(lb_text *t, unsigned c)
{
    char s[4];
    size_t n = 0;
    if (c < 0x80) {
        s[n++] = (char)c;
    } else if (c < 0x800) {
        s[n++] = (char)(0xC0 | c >> 6);
        s[n++] = (char)(0x80 | (c & 0x3F));
    } else {
        s[n++] = (char)(0xE0 | c >> 12);
        s[n++] = (char)(0x80 | (c >> 6 & 0x3F));
        s[n++] = (char)(0x80 | (c & 0x3F));
    }
    lb_text_addn(t, s, n);
}

/* Python's raw-unicode-escape: \uXXXX, and bytes from 0x80 on as Latin-1. */
static char *unescape(const char *s, size_t n)
{
    lb_text out = {0};
    for (size_t i = 0; i < n; i++) {
        unsigned c = (unsigned char)s[i];
        if (c == '\\' && i + 5 < n && s[i + 1] == 'u' && sscanf(s + i + 2, "%4x", &c) == 1)
            i += 5;
        add_utf8(&out, c);
    }
    return lb_text_take(&out);
}

/*
 * The items of a list of texts pickled with protocol 0, which is how PyTables keeps the column
 * names of a block: "(lp0", then a line "V<name>" or "aV<name>" (Python 2: "S'<name>'") for each
 * item, and memo ("p1") and append ("a", ".") lines between. Anything else is not such a list.
 */
static bool unpickle_names(const char *pickle, char ***names, size_t *n)
{
    *names = NULL;
    *n = 0;
    if (!pickle || strncmp(pickle, "(l", 2) != 0)
        return false;
    for (const char *line = pickle; *line;
         line += strcspn(line, "\n") + (strchr(line, '\n') != 0)) {
        const char *item = *line == 'a' ? line + 1 : line;
        const size_t length = strcspn(item, "\n");
        const bool quoted = *item == 'S' && length > 3;
        if (*item != 'V' && !quoted)
            continue;
        *names = lb_xrealloc(*names, *n + 1, sizeof **names);
        (*names)[(*n)++] = quoted ? unescape(item + 2, length - 3) : unescape(item + 1, length - 1);
    }
    return true;
}

/* --- opening: list the columns of each layout ---------------------------------------------------
 */

/* A block of columns of one type in one member: the names are in the attribute MEMBER_kind. */
static bool list_block(lb_frame *f, const char *member, hid_t type)
{
    char *attribute = lb_xprintf("%s_kind", member), *pickle = lb_h5_text(f->object, attribute);
    char **names;
    size_t n;
    hsize_t width = 1;
    const bool array = H5Tget_class(type) == H5T_ARRAY && H5Tget_array_ndims(type) == 1;
    const hid_t base = array ? H5Tget_super(type) : H5Tcopy(type);
    if (array)
        H5Tget_array_dims2(type, &width);
    const bool listed = unpickle_names(pickle, &names, &n);
    for (size_t i = 0; i < n; i++) {
        if (i < width)
            add_column(f, names[i], member, i, width, is_numeric(base), array);
        free(names[i]);
    }
    free(names);
    H5Tclose(base);
    free(pickle);
    free(attribute);
    return listed;
}

static lb_status list_compound(lb_frame *f, lb_error *err)
{
    const hid_t type = H5Dget_type(f->object);
    hsize_t rows = 0;
    lb_status st = LB_OK;
    if (H5Tget_class(type) != H5T_COMPOUND || lb_h5_extent(f->object, 1, &rows) != 1) {
        st = LB_FAIL(err, LB_EFORMAT, "%s: '%s' is not a table of named columns", f->path, f->node);
        goto done;
    }
    f->rows = rows;
    const int members = H5Tget_nmembers(type);
    for (int i = 0; i < members && st == LB_OK; i++) {
        char *name = H5Tget_member_name(type, (unsigned)i);
        const hid_t member = H5Tget_member_type(type, (unsigned)i);
        if (strncmp(name, "values_block_", 13) != 0)
            add_column(f, name, name, 0, 1, is_numeric(member), false);
        else if (!list_block(f, name, member))
            st = LB_FAIL(
                err, LB_EFORMAT,
                "%s: cannot read the column names of '%s' in '%s'; write the DataFrame again "
                "with to_hdf(..., format='table', data_columns=True)",
                f->path, name, f->node);
        H5Tclose(member);
        H5free_memory(name);
    }
done:
    H5Tclose(type);
    return st;
}

/* blockK_items: the names, as fixed-size strings padded with NUL; blockK_values: the numbers. */
static void list_fixed_block(lb_frame *f, const char *items, const char *values)
{
    const hid_t set = H5Dopen2(f->object, items, H5P_DEFAULT);
    const hid_t data = H5Dopen2(f->object, values, H5P_DEFAULT);
    const hid_t type = H5Dget_type(set), value_type = H5Dget_type(data);
    const size_t size = H5Tget_size(type);
    hsize_t n = 0, extent[2];
    if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
        lb_h5_extent(set, 1, &n) == 1) {
        const bool numeric = is_numeric(value_type) && lb_h5_extent(data, 2, extent) == 2;
        char *names = lb_xcalloc(n, size);
        if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, names) >= 0)
            for (size_t i = 0; i < n; i++) {
                char *name = lb_xprintf("%.*s", (int)size, names + i * size);
                add_column(f, name, values, i, n, numeric, false);
                free(name);
            }
        free(names);
    }
    H5Tclose(value_type);
    H5Tclose(type);
    H5Dclose(data);
    H5Dclose(set);
}

static lb_status list_fixed(lb_frame *f, lb_error *err)
{
    for (int block = 0;; block++) {
        char items[32], values[32];
        snprintf(items, sizeof items, "block%d_items", block);
        snprintf(values, sizeof values, "block%d_values", block);
        if (!lb_h5_has(f->object, items) || !lb_h5_has(f->object, values))
            break;
        list_fixed_block(f, items, values);
    }
    return lb_h5_count(f->object, f->path, "axis1", &f->rows, err);
}

static herr_t list_dataset(hid_t group, const char *name, const H5L_info_t *info, void *frame)
{
    lb_frame *f = frame;
    hsize_t rows = 0;
    (void)info;
    const hid_t set = H5Dopen2(group, name, H5P_DEFAULT);
    if (set < 0)
        return 0; /* a group: no column */
    const hid_t type = H5Dget_type(set);
    if (lb_h5_extent(set, 1, &rows) == 1 && (f->n_columns == 0 || rows == f->rows)) {
        f->rows = rows;
        add_column(f, name, name, 0, 1, is_numeric(type), false);
    }
    H5Tclose(type);
    H5Dclose(set);
    return 0;
}

static lb_status list_columns(lb_frame *f, lb_error *err)
{
    if (H5Iget_type(f->object) == H5I_DATASET)
        return list_compound(f, err);
    if (lb_h5_has(f->object, "table")) {
        const hid_t table = H5Dopen2(f->object, "table", H5P_DEFAULT);
        H5Oclose(f->object);
        f->object = table;
        if (table < 0)
            return LB_FAIL(err, LB_EFORMAT, "%s: '%s/table' cannot be opened", f->path, f->node);
        return list_compound(f, err);
    }
    if (lb_h5_has(f->object, "axis1")) {
        f->layout = FIXED;
        return list_fixed(f, err);
    }
    f->layout = PLAIN;
    H5Literate(f->object, H5_INDEX_NAME, H5_ITER_INC, NULL, list_dataset, f);
    return LB_OK;
}

lb_status lb_frame_open(hid_t file, const char *path, const char *node, lb_frame **out,
                        lb_error *err)
{
    *out = NULL;
    if (!lb_h5_has(file, node))
        return LB_FAIL(err, LB_ENAME,
                       "%s has no '%s'; labels are a pandas DataFrame written with "
                       "to_hdf(FILE, key='%s', format='table')",
                       path, node, node);
    lb_frame *f = lb_xcalloc(1, sizeof *f);
    f->path = lb_xstrdup(path);
    f->node = lb_xstrdup(node);
    f->object = H5Oopen(file, node, H5P_DEFAULT);
    lb_status st = f->object < 0 ? LB_FAIL(err, LB_EFORMAT, "%s: '%s' cannot be opened", path, node)
                                 : list_columns(f, err);
    if (st == LB_OK && f->n_columns == 0)
        st = LB_FAIL(err, LB_EFORMAT,
                     "%s: '%s' holds no columns this program can read; write it again with "
                     "to_hdf(FILE, key='%s', format='table')",
                     path, node, node);
    if (st == LB_OK)
        *out = f;
    else
        lb_frame_close(f);
    return st;
}

void lb_frame_close(lb_frame *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n_columns; i++) {
        free(f->columns[i].name);
        free(f->columns[i].holder);
    }
    free(f->columns);
    if (f->object >= 0)
        H5Oclose(f->object);
    free(f->path);
    free(f->node);
    free(f);
}

size_t lb_frame_rows(const lb_frame *f)
{
    return f->rows;
}

bool lb_frame_has(const lb_frame *f, const char *name)
{
    return find(f, name) != NULL;
}

/* --- reading ------------------------------------------------------------------------------------
 */

/* Through a memory type with this member alone; HDF5 converts the numbers. */
static lb_status read_compound(const lb_frame *f, const column *c, double *out, lb_error *err)
{
    enum { BLOCK = 16384 }; /* rows at a time */
    const hsize_t width = c->width;
    const hid_t value =
        c->array ? H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &width) : H5Tcopy(H5T_NATIVE_DOUBLE);
    const hid_t memory = H5Tcreate(H5T_COMPOUND, c->width * sizeof(double));
    const hid_t space = H5Dget_space(f->object);
    double *block = lb_xcalloc(BLOCK * c->width, sizeof *block);
    lb_status st = LB_OK;
    H5Tinsert(memory, c->holder, 0, value);
    for (hsize_t first = 0; first < f->rows && st == LB_OK; first += BLOCK) {
        const hsize_t k = f->rows - first < BLOCK ? f->rows - first : BLOCK;
        const hid_t part = H5Screate_simple(1, &k, NULL);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &k, NULL);
        if (H5Dread(f->object, memory, part, space, H5P_DEFAULT, block) < 0)
            st = lb_h5_unreadable(f->object, f->path, f->node, err);
        H5Sclose(part);
        for (hsize_t i = 0; i < k && st == LB_OK; i++)
            out[first + i] = block[i * c->width + c->index];
    }
    free(block);
    H5Sclose(space);
    H5Tclose(memory);
    H5Tclose(value);
    return st;
}

/* pandas stores the block as rows x columns and says so by a true attribute "transposed". */
static bool stored_by_row(hid_t set, const hsize_t dims[2], size_t columns)
{
    if (dims[0] != dims[1])
        return dims[1] == columns;
    unsigned char transposed = 1;
    if (H5Aexists(set, "transposed") > 0) {
        const hid_t a = H5Aopen(set, "transposed", H5P_DEFAULT);
        H5Aread(a, H5T_NATIVE_B8, &transposed);
        H5Aclose(a);
    }
    return transposed != 0;
}

static lb_status read_fixed(const lb_frame *f, const column *c, double *out, lb_error *err)
{
    hsize_t dims[2];
    const hid_t set = H5Dopen2(f->object, c->holder, H5P_DEFAULT);
    const hid_t space = H5Dget_space(set);
    const hsize_t rows = f->rows;
    const hid_t memory = H5Screate_simple(1, &rows, NULL);
    lb_status st = LB_OK;
    lb_h5_extent(set, 2, dims);
    const bool by_row = stored_by_row(set, dims, c->width);
    const hsize_t start[2] = {by_row ? 0 : c->index, by_row ? c->index : 0};
    const hsize_t count[2] = {by_row ? rows : 1, by_row ? 1 : rows};
    if (dims[by_row ? 0 : 1] != rows || dims[by_row ? 1 : 0] != c->width) {
        st = LB_FAIL(err, LB_ESHAPE, "%s: '%s/%s' is %zux%zu, the frame has %zu rows, %zu columns",
                     f->path, f->node, c->holder, (size_t)dims[0], (size_t)dims[1], f->rows,
                     c->width);
        goto done;
    }
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    if (H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, out) < 0)
        st = lb_h5_unreadable(set, f->path, c->holder, err);
done:
    H5Sclose(memory);
    H5Sclose(space);
    H5Dclose(set);
    return st;
}

static lb_status fail_absent(const lb_frame *f, const char *name, lb_error *err)
{
    lb_text list = {0};
    const char **names = lb_xcalloc(f->n_columns, sizeof *names);
    for (size_t i = 0; i < f->n_columns; i++) {
        names[i] = f->columns[i].name;
        if (list.length < 300)
            lb_text_printf(&list, "%s%s", i ? ", " : "", names[i]);
        else if (i + 1 == f->n_columns)
            lb_text_add(&list, ", ...");
    }
    const char *near = lb_nearest(name, names, f->n_columns);
    const lb_status st =
        LB_FAIL(err, LB_ENAME, "%s: '%s' has no column '%s'%s%s%s; it has %s", f->path, f->node,
                name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "", list.s);
    free(names);
    lb_text_free(&list);
    return st;
}

lb_status lb_frame_read(const lb_frame *f, const char *name, double *out, lb_error *err)
{
    const column *c = find(f, name);
    if (!c)
        return fail_absent(f, name, err);
    if (!c->numeric)
        return LB_FAIL(err, LB_EFORMAT, "%s: column '%s' of '%s' is not numeric", f->path, name,
                       f->node);
    if (f->layout == COMPOUND)
        return read_compound(f, c, out, err);
    if (f->layout == FIXED)
        return read_fixed(f, c, out, err);
    return lb_h5_read_doubles(f->object, f->path, c->holder, f->rows, out, err);
}

/* --- writing ------------------------------------------------------------------------------------
 */

/* The names as a protocol-0 pickle of a list, memo numbers from @p memo on, without the final stop.
 */
static void pickle_names(lb_text *t, const char *const *names, size_t n, int memo)
{
    lb_text_printf(t, "(lp%d\n", memo);
    for (size_t i = 0; i < n; i++)
        lb_text_printf(t, "%sV%s\np%d\n", i ? "a" : "", names[i], memo + 1 + (int)i);
    lb_text_add(t, "a");
}

/* What pandas looks for on the group: one block of floats over a plain integer index. */
static bool describe_group(hid_t group, const char *const *columns, size_t n)
{
    lb_text axes = {0};
    lb_text_add(&axes, "(lp0\n(I1\n");
    pickle_names(&axes, columns, n, 1);
    lb_text_printf(&axes, "tp%zu\na.", n + 2);
    const int64_t levels = 1;
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t a = H5Acreate2(group, "levels", H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = a >= 0 && H5Awrite(a, H5T_NATIVE_INT64, &levels) >= 0;
    if (a >= 0)
        H5Aclose(a);
    H5Sclose(space);
    const struct {
        const char *name, *text;
        H5T_cset_t charset;
    } attributes[] = {
        {"CLASS", "GROUP", H5T_CSET_UTF8},
        {"TITLE", "", H5T_CSET_UTF8},
        {"VERSION", "1.0", H5T_CSET_UTF8},
        {"data_columns", "(lp0\n.", H5T_CSET_ASCII},
        {"encoding", "UTF-8", H5T_CSET_UTF8},
        {"errors", "strict", H5T_CSET_UTF8},
        {"index_cols", "(lp0\n(I0\nVindex\np1\ntp2\na.", H5T_CSET_ASCII},
        {"info",
         "(dp0\nI1\n(dp1\nVnames\np2\n(lp3\nNasVtype\np4\nVIndex\np5\nssVindex\np6\n(dp7\n"
         "sVvalues_block_0\np8\n(dp9\ns.",
         H5T_CSET_ASCII},
        {"nan_rep", "nan", H5T_CSET_UTF8},
        {"non_index_axes", axes.s, H5T_CSET_ASCII},
        {"pandas_type", "frame_table", H5T_CSET_UTF8},
        {"pandas_version", "0.15.2", H5T_CSET_UTF8},
        {"table_type", "appendable_frame", H5T_CSET_UTF8},
        {"values_cols", "(lp0\nVvalues_block_0\np1\na.", H5T_CSET_ASCII},
    };
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        ok = ok &&
             lb_h5_put_text(group, attributes[i].name, attributes[i].text, attributes[i].charset);
    lb_text_free(&axes);
    return ok;
}

static bool describe_table(hid_t table, const char *const *columns, size_t n)
{
    lb_text kind = {0};
    pickle_names(&kind, columns, n, 0);
    lb_text_add(&kind, ".");
    const struct {
        const char *name, *text;
        H5T_cset_t charset;
    } attributes[] = {
        {"CLASS", "TABLE", H5T_CSET_UTF8},
        {"VERSION", "2.7", H5T_CSET_UTF8},
        {"TITLE", "", H5T_CSET_UTF8},
        {"FIELD_0_NAME", "index", H5T_CSET_UTF8},
        {"FIELD_1_NAME", "values_block_0", H5T_CSET_UTF8},
        {"index_kind", "integer", H5T_CSET_UTF8},
        {"values_block_0_kind", kind.s, H5T_CSET_ASCII},
        {"values_block_0_dtype", "float64", H5T_CSET_UTF8},
        {"values_block_0_meta", "N.", H5T_CSET_ASCII},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        ok = ok &&
             lb_h5_put_text(table, attributes[i].name, attributes[i].text, attributes[i].charset);
    lb_text_free(&kind);
    return ok;
}

/* A row of the table: the index, then the values (file and memory alike, little endian). */
static hid_t row_type(size_t n)
{
    const hsize_t width = n;
    const hid_t block = H5Tarray_create2(H5T_IEEE_F64LE, 1, &width);
    const hid_t row = H5Tcreate(H5T_COMPOUND, 8 * (1 + n));
    H5Tinsert(row, "index", 0, H5T_STD_I64LE);
    H5Tinsert(row, "values_block_0", 8, block);
    H5Tclose(block);
    return row;
}

static hid_t make_table(hid_t group, hid_t type, hsize_t rows)
{
    const hsize_t chunk = rows < 4096 ? (rows ? rows : 1) : 4096, unlimited = H5S_UNLIMITED;
    const hid_t space = H5Screate_simple(1, &rows, &unlimited);
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 1, &chunk); /* PyTables only appends to chunked tables */
    H5Pset_obj_track_times(plist, false);
    const hid_t table = H5Dcreate2(group, "table", type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Pclose(plist);
    H5Sclose(space);
    return table;
}

lb_status lb_frame_write(hid_t file, const char *path, const char *node, const char *const *columns,
                         lb_cmat values, lb_error *err)
{
    const size_t n = values.cols;
    const hid_t type = row_type(n), group = lb_h5_group(file, node);
    const hid_t table = make_table(group, type, values.rows);
    union {
        int64_t index;
        double value;
    } *rows = lb_xcalloc(values.rows * (1 + n), sizeof *rows);
    for (size_t i = 0; i < values.rows; i++) {
        rows[i * (1 + n)].index = (int64_t)i;
        for (size_t j = 0; j < n; j++)
            rows[i * (1 + n) + 1 + j].value = values.data[i * values.stride + j];
    }
    const bool ok = table >= 0 && describe_group(group, columns, n) &&
                    describe_table(table, columns, n) &&
                    H5Dwrite(table, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows) >= 0;
    free(rows);
    if (table >= 0)
        H5Dclose(table);
    if (group >= 0)
        H5Gclose(group);
    H5Tclose(type);
    return ok ? LB_OK : LB_FAIL(err, LB_EIO, "cannot write '%s' into %s: disk full?", node, path);
}
