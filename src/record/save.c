/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happens when a record closes: provenance, the last checks, the file. */
#include "core/file.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/text.h"
#include "record/condition.h"
#include "record/git.h"
#include "record/state.h"

#include <errno.h>
#include <hdf5.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- provenance that every record has -------------------------------------------------------- */

static void add_git(lb_record *r)
{
    static const char *const head[] = {"rev-parse", "HEAD", NULL};
    static const char *const tree[] = {"rev-parse", "HEAD:src", NULL};
    static const char *const status[] = {"status", "--porcelain", "--", ":/src", NULL};
    lb_text commit = {0}, source = {0}, changes = {0};
    if (lb_git(head, &commit) && lb_git(tree, &source) && lb_git(status, &changes)) {
        lb_record_provenance(r, "git.commit", "%.40s", commit.s);
        lb_record_provenance(r, "git.source", "%.40s", source.s); /* changes only with src/ */
        lb_record_provenance(r, "git.state", "%s", changes.length ? "modified" : "clean");
    } else {
        lb_record_provenance(r, "git.commit", "unknown (no git, or not a repository)");
    }
    lb_text_free(&commit);
    lb_text_free(&source);
    lb_text_free(&changes);
}

static char *cpu_model(void)
{
    char line[512], *model = NULL;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && !model && fgets(line, sizeof line, f)) {
        char *value = strstr(line, ": ");
        if (strncmp(line, "model name", 10) || !value)
            continue;
        value[strcspn(value, "\n")] = '\0';
        model = lb_xstrdup(value + 2);
    }
    if (f)
        fclose(f);
    return model ? model : lb_xstrdup("unknown");
}

/* Present only in programs that link these libraries, which is every experiment; this layer does
 * not need them. */
extern const char *gsl_version __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));

static void add_libraries(lb_record *r)
{
    unsigned major, minor, release;
    H5get_libversion(&major, &minor, &release);
    lb_record_provenance(r, "hdf5.version", "%u.%u.%u", major, minor, release);
    if (&gsl_version)
        lb_record_provenance(r, "gsl.version", "%s", gsl_version);
    if (openblas_get_config) { /* "OpenBLAS 0.3.21 ...": what follows depends on the machine */
        const char *version = openblas_get_config();
        version += strcspn(version, "0123456789");
        lb_record_provenance(r, "openblas.version", "%.*s", (int)strcspn(version, " "), version);
    }
    if (openblas_get_corename)
        lb_record_run(r, "openblas.core", "%s", openblas_get_corename());
    lb_record_provenance(r, "compiler", "%s", __VERSION__);
}

static void add_provenance(lb_record *r)
{
    char *cpu = cpu_model();
    lb_record_provenance(r, "program", "%s", program_invocation_short_name);
    lb_record_provenance(r, "version", "%s", LB_VERSION);
    add_git(r);
    if (r->spec) {
        lb_record_provenance(r, "spec.path", "%s", lb_spec_path(r->spec));
        lb_record_provenance(r, "spec.hash", "%s", lb_spec_hash(r->spec));
    }
    add_libraries(r);
    lb_record_run(r, "cpu", "%s", cpu);
    lb_record_run(r, "threads", "%d", omp_get_max_threads());
    lb_record_run(r, "seconds", "%.2f", lb_clock() - r->started);
    lb_record_run(r, "peak_memory_bytes", "%zu", lb_peak_memory());
    free(cpu);
}

/* --- closing ------------------------------------------------------------------------------- */

static const lb_rowset_row *rowset_of(const lb_record *r, const char *hash)
{
    for (size_t i = 0; i < r->n_rowsets; i++)
        if (!strcmp(r->rowsets[i].hash, hash))
            return &r->rowsets[i];
    return NULL;
}

static void check_rowsets(lb_record *r)
{
    for (size_t i = 0; i < r->n_numbers; i++) {
        const lb_number *x = &r->numbers[i].number;
        const lb_rowset_row *rows = *x->rows ? rowset_of(r, x->rows) : NULL;
        if (*x->rows && !rows)
            FAIL(r, LB_EROWS, "%s stands on the row set %s, which lb_record_rowset() does not know",
                 r->numbers[i].key, x->rows);
        else if (rows && x->n && x->n != rows->n)
            FAIL(r, LB_EROWS, "%s says n = %zu, but its row set '%s' holds %zu rows",
                 r->numbers[i].key, x->n, rows->name, (size_t)rows->n);
    }
}

static void check_cell(lb_record *r, const table *t, const char *name)
{
    const size_t length = strlen(r->experiment);
    char key[256];
    size_t at;
    lb_error why = {0};
    if (strncmp(name, r->experiment, length) || name[length] != '.')
        return; /* a text, or another experiment's */
    lb_name_split(name, key, sizeof key);
    if (!lb_keys_find(&r->number_keys, key, &at) && !lb_keys_find(&r->text_keys, name, &at)) {
        lb_record_missing(r, key, &why);
        FAIL(r, LB_ENAME, "table %s: %s", t->id, why.text);
    }
}

static void check_tables(lb_record *r)
{
    for (size_t i = 0; i < r->n_tables; i++) {
        const table *t = &r->tables[i];
        if (!lb_record_row_is_full(r, t))
            return;
        for (size_t k = 0; k < t->n_cells; k++)
            check_cell(r, t, t->cells[k].key);
    }
}

static lb_status write_numbers(const lb_record *r, hid_t file, lb_error *err)
{
    lb_number_row *rows = lb_xcalloc(r->n_numbers + 1, sizeof *rows);
    for (size_t i = 0; i < r->n_numbers; i++)
        rows[i] = lb_number_row_of(r->numbers[i].key, &r->numbers[i].number);
    const lb_status st =
        lb_layout_write(file, "numbers", &lb_layout_numbers, rows, r->n_numbers, 0, err);
    free(rows);
    return st;
}

/* Make the group @p path and those above it. */
static lb_status make_group(hid_t file, const char *path, lb_error *err)
{
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t group = H5Gcreate2(file, path, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Pclose(links);
    if (group < 0)
        return LB_FAIL(err, LB_EIO, "HDF5 could not make the group '%s'", path);
    H5Gclose(group);
    return LB_OK;
}

static lb_status write_tables(const lb_record *r, hid_t file, lb_error *err)
{
    lb_status st = make_group(file, "tables", err);
    for (size_t i = 0; st == LB_OK && i < r->n_tables; i++) {
        const table *t = &r->tables[i];
        char *group = lb_xprintf("tables/%s", t->id), *columns = lb_xprintf("%s/columns", group);
        char *cells = lb_xprintf("%s/cells", group);
        st = make_group(file, group, err);
        if (st == LB_OK)
            st = lb_layout_write(file, columns, &lb_layout_columns, t->columns, t->n_columns, 0,
                                 err);
        if (st == LB_OK)
            st = lb_layout_write(file, cells, &lb_layout_cells, t->cells, t->n_cells, t->n_columns,
                                 err);
        free(group);
        free(columns);
        free(cells);
    }
    return st;
}

static lb_status write_series(const lb_record *r, hid_t file, lb_error *err)
{
    lb_status st = make_group(file, "series", err);
    const hid_t links = H5Pcreate(H5P_LINK_CREATE), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(plist, 0);
    for (size_t i = 0; st == LB_OK && i < r->n_series; i++) {
        const series *s = &r->series[i];
        const hsize_t n = s->n;
        char *name = lb_xprintf("series/%s", s->name);
        const hid_t space = H5Screate_simple(1, &n, NULL);
        const hid_t set = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, links, plist, H5P_DEFAULT);
        if (set < 0 ||
            (n && H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, s->values) < 0))
            st = LB_FAIL(err, LB_EIO, "HDF5 could not write the series '%s'", s->name);
        if (set >= 0)
            H5Dclose(set);
        H5Sclose(space);
        free(name);
    }
    H5Pclose(plist);
    H5Pclose(links);
    return st;
}

static lb_status write_head(const lb_record *r, hid_t file, lb_error *err)
{
    const char *name = r->spec ? lb_spec_name(r->spec) : "";
    lb_pair_row rows[] = {{(char *)"format", NULL},
                          {(char *)"experiment", r->experiment},
                          {(char *)"name", (char *)name}};
    rows[0].value = lb_xprintf("loggbook record %d", LB_RECORD_FORMAT);
    const lb_status st = lb_layout_write(file, "record", &lb_layout_pairs, rows, 3, 0, err);
    free(rows[0].value);
    return st;
}

static lb_status write_all(const lb_record *r, hid_t file, lb_error *err)
{
    const struct {
        const char *name;
        const lb_layout *layout;
        const void *rows;
        size_t n;
    } lists[] = {{"texts", &lb_layout_pairs, r->texts.rows, r->texts.n},
                 {"rowsets", &lb_layout_rowsets, r->rowsets, r->n_rowsets},
                 {"verdicts", &lb_layout_verdicts, r->verdicts, r->n_verdicts},
                 {"figures", &lb_layout_figures, r->figures.rows, r->figures.n},
                 {"provenance", &lb_layout_pairs, r->provenance.rows, r->provenance.n},
                 {"run", &lb_layout_pairs, r->run.rows, r->run.n}};
    lb_status st = write_head(r, file, err);
    if (st == LB_OK)
        st = write_numbers(r, file, err);
    for (size_t i = 0; st == LB_OK && i < sizeof lists / sizeof *lists; i++)
        st = lb_layout_write(file, lists[i].name, lists[i].layout, lists[i].rows, lists[i].n, 0,
                             err);
    if (st == LB_OK)
        st = write_tables(r, file, err);
    return st == LB_OK ? write_series(r, file, err) : st;
}

/* The file is made in memory and written in one piece, so that a full disk is one plain error of
 * lb_file_write() and no half-written HDF5 file can exist under any name but the .part. */
static lb_status write_record(const lb_record *r, const char *path, lb_error *err)
{
    lb_status st = LB_OK;
    char *image = NULL;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_fapl_core(access, 1 << 20, 0);
    H5Pset_obj_track_times(create, 0);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    if (file < 0) {
        st = LB_FAIL(err, LB_EIO, "HDF5 could not make a file in memory for %s", path);
        goto done;
    }
    if ((st = write_all(r, file, err)) != LB_OK)
        goto done;
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    const ssize_t got = H5Fget_file_image(file, NULL, 0);
    const size_t size = got > 0 ? (size_t)got : 0;
    image = lb_xcalloc(size + LB_SEAL_SIZE, 1);
    if (!size || H5Fget_file_image(file, image, size) != got) {
        st = LB_FAIL(err, LB_EIO, "HDF5 gave no image of %s", path);
        goto done;
    }
    lb_seal_make(image, size, image + size);
    st = lb_file_write(path, image, size + LB_SEAL_SIZE - 1, err);
done:
    if (file >= 0)
        H5Fclose(file);
    H5Pclose(create);
    H5Pclose(access);
    free(image);
    return st;
}

lb_status lb_record_close(lb_record *r, const char *path, lb_error *err)
{
    lb_status st;
    if (r->err.status == LB_OK && !r->judged && r->spec && lb_spec_has(r->spec, "hypotheses"))
        FAIL(r, LB_EINVAL, "the hypotheses of %s were not judged: call lb_record_judge()",
             r->experiment);
    if (r->err.status == LB_OK)
        check_rowsets(r);
    if (r->err.status == LB_OK)
        check_tables(r);
    if (r->err.status == LB_OK)
        add_provenance(r);
    if (r->err.status != LB_OK)
        st = LB_FAIL(err, r->err.status, "%s: %s", path, r->err.text);
    else
        st = write_record(r, path, err);
    lb_record_abandon(r);
    return st;
}
