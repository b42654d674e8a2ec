/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/record.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/text.h"
#include "record/archive.h"
#include "record/condition.h"
#include "record/git.h"
#include "record/keys.h"
#include "record/layout.h"

#include <errno.h>
#include <hdf5.h>
#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define FAIL(r, status, ...) ((void)LB_FAIL(&(r)->err, (status), __VA_ARGS__))

lb_record *lb_record_new(const char *experiment, const lb_spec *spec)
{
    lb_record *r = lb_xcalloc(1, sizeof *r);
    r->experiment = lb_xstrdup(experiment);
    r->spec = spec;
    r->started = lb_clock();
    if (spec && strcmp(lb_spec_experiment(spec), experiment))
        FAIL(r, LB_ENAME, "the record of %s was given the spec of %s (%s)", experiment,
             lb_spec_experiment(spec), lb_spec_path(spec));
    return r;
}

lb_status lb_record_status(const lb_record *r)
{
    return r->err.status;
}

static void free_pairs(pairs *p)
{
    lb_layout_free(&lb_layout_pairs, p->rows, p->n);
}

void lb_record_abandon(lb_record *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_numbers; i++)
        free(r->numbers[i].key);
    for (size_t i = 0; i < r->n_series; i++) {
        free(r->series[i].name);
        free(r->series[i].values);
    }
    for (size_t i = 0; i < r->n_tables; i++) {
        free(r->tables[i].id);
        lb_layout_free(&lb_layout_pairs, r->tables[i].columns, r->tables[i].n_columns);
        lb_layout_free(&lb_layout_pairs, r->tables[i].cells, r->tables[i].n_cells);
    }
    lb_layout_free(&lb_layout_rowsets, r->rowsets, r->n_rowsets);
    lb_layout_free(&lb_layout_verdicts, r->verdicts, r->n_verdicts);
    free_pairs(&r->texts);
    free_pairs(&r->figures);
    free_pairs(&r->provenance);
    free_pairs(&r->run);
    lb_keys_free(&r->number_keys);
    lb_keys_free(&r->text_keys);
    free(r->numbers);
    free(r->series);
    free(r->tables);
    free(r->experiment);
    free(r);
}

/* --- numbers and texts --------------------------------------------------------------------- */

/* Is @p key well formed and new? Complains if not. */
static bool check_key(lb_record *r, const char *key)
{
    const size_t length = strlen(r->experiment), size = strlen(key);
    const char *last = strrchr(key, '.');
    size_t at;
    if (strncmp(key, r->experiment, length) || key[length] != '.')
        FAIL(r, LB_ENAME, "the key '%s' must start with '%s.'", key, r->experiment);
    else if (strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_.") != size)
        FAIL(r, LB_ENAME, "the key '%s' may hold only a-z, 0-9, '_' and '.'", key);
    else if (strstr(key, "..") || key[size - 1] == '.')
        FAIL(r, LB_ENAME, "the key '%s' has an empty part", key);
    else if (lb_field_is(last + 1))
        FAIL(r, LB_ENAME, "the key '%s' ends in '%s', which names a field of a number", key,
             last + 1);
    else if (lb_keys_find(&r->number_keys, key, &at) || lb_keys_find(&r->text_keys, key, &at))
        FAIL(r, LB_ENAME, "the key '%s' was recorded twice", key);
    return r->err.status == LB_OK;
}

/* Is it built from two scores? Only the legacy kind may say openly that their rows differ. */
static bool needs_rows(const lb_number *x)
{
    return (!strncmp(x->kind, "delta", 5) && !strstr(x->kind, "_unaligned")) ||
           !strcmp(x->kind, "share") || !strcmp(x->kind, "retention");
}

static bool check_number(lb_record *r, const char *key, const lb_number *x)
{
    if (!*x->kind)
        FAIL(r, LB_EINVAL, "%s has no kind", key);
    else if (isnan(x->value) && !*x->na)
        FAIL(r, LB_ENUMERIC,
             "%s is NaN and gives no reason: a number without a value is "
             "lb_number_na(kind, reason)",
             key);
    else if (isinf(x->value))
        FAIL(r, LB_ENUMERIC, "%s is infinite", key);
    else if (*x->na && !isnan(x->value))
        FAIL(r, LB_ENUMERIC, "%s is %g and also n/a (%s)", key, x->value, x->na);
    else if (isinf(x->ci_lo) || isinf(x->ci_hi) || isinf(x->se) || isinf(x->p_above))
        FAIL(r, LB_ENUMERIC, "%s has an infinite uncertainty", key);
    else if (isnan(x->ci_lo) != isnan(x->ci_hi) || x->ci_lo > x->ci_hi)
        FAIL(r, LB_EINVAL, "%s has the interval [%g, %g]", key, x->ci_lo, x->ci_hi);
    else if (x->se < 0.0)
        FAIL(r, LB_EINVAL, "%s has the standard error %g", key, x->se);
    else if (needs_rows(x) && !*x->rows && !*x->na)
        FAIL(r, LB_EROWS,
             "%s is a %s of no row set: build it with stats/score.h or "
             "stats/bootstrap.h from two scores on the same rows",
             key, x->kind);
    return r->err.status == LB_OK;
}

void lb_record_number(lb_record *r, const char *key, lb_number x)
{
    if (r->err.status != LB_OK || !check_key(r, key) || !check_number(r, key, &x))
        return;
    struct entry *e = lb_push(&r->numbers, &r->n_numbers, sizeof *e);
    *e = (struct entry){lb_xstrdup(key), x};
    lb_keys_add(&r->number_keys, e->key, r->n_numbers - 1);
}

static lb_pair_row *add_pair(pairs *p, const char *key, const char *value)
{
    lb_pair_row *row = lb_push(&p->rows, &p->n, sizeof *row);
    *row = (lb_pair_row){lb_xstrdup(key), lb_xstrdup(value)};
    return row;
}

void lb_record_text(lb_record *r, const char *key, const char *value)
{
    if (r->err.status != LB_OK || !check_key(r, key))
        return;
    const lb_pair_row *row = add_pair(&r->texts, key, value);
    lb_keys_add(&r->text_keys, row->key, r->texts.n - 1);
}

void lb_record_rowset(lb_record *r, const char *name, const char *hash, size_t n)
{
    if (r->err.status != LB_OK)
        return;
    if (!*name || strpbrk(name, "\t\r\n") || strncmp(hash, "sha256:", 7)) {
        FAIL(r, LB_EINVAL, "a row set needs a name and a hash, not '%s' and '%s'", name, hash);
        return;
    }
    for (size_t i = 0; i < r->n_rowsets; i++) {
        const lb_rowset_row *known = &r->rowsets[i];
        if (strcmp(known->name, name))
            continue;
        if (strcmp(known->hash, hash) || known->n != n)
            FAIL(r, LB_EROWS, "two row sets are called '%s': %s with %zu rows and %s with %zu",
                 name, known->hash, (size_t)known->n, hash, n);
        return;
    }
    lb_rowset_row *row = lb_push(&r->rowsets, &r->n_rowsets, sizeof *row);
    *row = (lb_rowset_row){lb_xstrdup(name), lb_xstrdup(hash), n};
}

/* --- tables -------------------------------------------------------------------------------- */

static bool is_id(const char *id)
{
    const char *const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return *id && *id != '.' && strspn(id, allowed) == strlen(id);
}

static table *find_table(lb_record *r, const char *id)
{
    if (r->err.status != LB_OK)
        return NULL;
    for (size_t i = 0; i < r->n_tables; i++)
        if (!strcmp(r->tables[i].id, id))
            return &r->tables[i];
    FAIL(r, LB_ENAME, "no table '%s' was started with lb_record_table()", id);
    return NULL;
}

static bool row_is_full(lb_record *r, const table *t)
{
    if (t->n_cells != t->rows * t->n_columns)
        FAIL(r, LB_ESHAPE, "row %zu of table %s has %zu cells for %zu columns", t->rows, t->id,
             t->n_cells - (t->rows - 1) * t->n_columns, t->n_columns);
    return r->err.status == LB_OK;
}

void lb_record_table(lb_record *r, const char *id, size_t ncols, const lb_column *columns)
{
    if (r->err.status != LB_OK)
        return;
    for (size_t i = 0; i < r->n_tables; i++)
        if (!strcmp(r->tables[i].id, id))
            FAIL(r, LB_ENAME, "table '%s' was started twice", id);
    if (!is_id(id))
        FAIL(r, LB_ENAME, "'%s' is no id for a table", id);
    if (!ncols)
        FAIL(r, LB_EINVAL, "table '%s' has no columns", id);
    if (r->err.status != LB_OK)
        return;
    table *t = lb_push(&r->tables, &r->n_tables, sizeof *t);
    t->id = lb_xstrdup(id);
    t->n_columns = ncols;
    t->columns = lb_xcalloc(ncols, sizeof *t->columns);
    for (size_t i = 0; i < ncols; i++)
        t->columns[i] = (lb_pair_row){lb_xstrdup(columns[i].name), lb_xstrdup(columns[i].format)};
}

void lb_record_row(lb_record *r, const char *id)
{
    table *t = find_table(r, id);
    if (t && row_is_full(r, t))
        t->rows++;
}

static void add_cell(lb_record *r, const char *id, const char *key, const char *text)
{
    table *t = find_table(r, id);
    if (!t)
        return;
    if (t->n_cells == t->rows * t->n_columns) {
        FAIL(r, LB_ESHAPE,
             "table %s: the cell '%s' belongs to no row, or to a row that has its "
             "%zu cells",
             id, *key ? key : text, t->n_columns);
        return;
    }
    lb_pair_row *cell = lb_push(&t->cells, &t->n_cells, sizeof *cell);
    *cell = (lb_pair_row){lb_xstrdup(key), lb_xstrdup(text)};
}

void lb_record_cell_key(lb_record *r, const char *id, const char *key)
{
    if (r->err.status == LB_OK && !*key)
        FAIL(r, LB_ENAME, "table %s: a cell has an empty key", id);
    add_cell(r, id, key, "");
}

/* The formatted text, of any length; the caller frees it. */
static char *format_text(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        abort(); /* out of memory */
    return text;
}

void lb_record_cell_text(lb_record *r, const char *id, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = format_text(format, args);
    va_end(args);
    add_cell(r, id, "", text);
    free(text);
}

/* --- figures and what they draw ------------------------------------------------------------- */

/* Would one name be both a dataset and a group, or the same dataset? */
static bool collide(const char *a, const char *b)
{
    const size_t m = strlen(a), n = strlen(b), shorter = m < n ? m : n;
    return !strncmp(a, b, shorter) && (m == n || (m < n ? b : a)[shorter] == '/');
}

static bool is_series_name(const char *name)
{
    char *copy = lb_xstrdup(name), *rest = copy;
    bool good = *name && name[strlen(name) - 1] != '/';
    for (char *part; good && (part = strsep(&rest, "/"));)
        good = is_id(part);
    free(copy);
    return good;
}

void lb_record_series(lb_record *r, const char *name, const double *values, size_t n)
{
    if (r->err.status != LB_OK)
        return;
    if (!is_series_name(name)) {
        FAIL(r, LB_ENAME, "'%s' is no name for a series: it looks like F01.1/noise_0.2/r2", name);
        return;
    }
    for (size_t i = 0; i < r->n_series; i++)
        if (collide(r->series[i].name, name)) {
            FAIL(r, LB_ENAME, "the series '%s' and '%s' exclude each other", r->series[i].name,
                 name);
            return;
        }
    series *s = lb_push(&r->series, &r->n_series, sizeof *s);
    *s = (series){lb_xstrdup(name), lb_xcalloc(n + 1, sizeof *values), n};
    if (n)
        memcpy(s->values, values, n * sizeof *values);
}

/* Add a pair whose key must be new. */
static void add_unique(lb_record *r, pairs *p, const char *what, const char *key, const char *value)
{
    if (r->err.status != LB_OK)
        return;
    for (size_t i = 0; i < p->n; i++)
        if (!strcmp(p->rows[i].key, key)) {
            FAIL(r, LB_ENAME, "%s '%s' was recorded twice", what, key);
            return;
        }
    if (!is_id(key)) {
        FAIL(r, LB_ENAME, "'%s' is no name for %s", key, what);
        return;
    }
    add_pair(p, key, value);
}

void lb_record_figure(lb_record *r, const char *id, const char *stem)
{
    if (r->err.status == LB_OK && !is_id(stem))
        FAIL(r, LB_ENAME, "figure %s: '%s' is no file name", id, stem);
    add_unique(r, &r->figures, "figure", id, stem);
}

static void add_formatted(lb_record *r, pairs *p, const char *what, const char *key,
                          const char *format, va_list args)
{
    char *value = format_text(format, args);
    add_unique(r, p, what, key, value);
    free(value);
}

void lb_record_provenance(lb_record *r, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(r, &r->provenance, "provenance", key, format, args);
    va_end(args);
}

void lb_record_run(lb_record *r, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_formatted(r, &r->run, "run", key, format, args);
    va_end(args);
}

/* --- verdicts ------------------------------------------------------------------------------ */

static lb_status missing(const lb_record *r, const char *key, lb_error *err)
{
    const char *near = lb_keys_nearest(&r->number_keys, key);
    return LB_FAIL(err, LB_ENAME, "%s was not recorded%s%s%s", key, near ? "; did you mean " : "",
                   near ? near : "", near ? "?" : "");
}

static lb_status rule_name(void *self, const char *name, lb_value *out, lb_error *err)
{
    const lb_record *r = self;
    char key[256];
    size_t at;
    if (!strncmp(name, "spec.", 5))
        return lb_spec_value(r->spec, name + 5, out, err);
    const char *field = lb_name_split(name, key, sizeof key);
    if (lb_keys_find(&r->number_keys, key, &at)) {
        *out = lb_value_of(&r->numbers[at].number, field);
        return LB_OK;
    }
    if (!lb_keys_find(&r->text_keys, name, &at))
        return missing(r, key, err);
    *out = (lb_value){.kind = LB_VALUE_TEXT, .text = r->texts.rows[at].value};
    return LB_OK;
}

static lb_status rule_verdict(void *self, const char *id, lb_value *out, lb_error *err)
{
    const lb_record *r = self;
    for (size_t i = 0; i < r->n_verdicts; i++)
        if (!strcmp(r->verdicts[i].id, id)) {
            *out = (lb_value){.kind = LB_VALUE_TEXT, .text = r->verdicts[i].outcome};
            return LB_OK;
        }
    return LB_FAIL(err, LB_ENAME, "hypothesis %s has no verdict yet", id);
}

typedef struct judgement {
    const char *outcome;
    char *rule, *detail;
} judgement;

static void decide(judgement *j, const char *outcome, const char *rule, const char *detail)
{
    free(j->rule);
    free(j->detail);
    *j = (judgement){outcome, lb_xstrdup(rule), lb_xstrdup(detail)};
}

/* Try one rule. @return true when it settles the matter. */
static bool try_rule(lb_record *r, const char *text, const char *outcome, judgement *j)
{
    const lb_scope scope = {rule_name, rule_verdict, r};
    lb_condition *c = NULL;
    lb_truth truth = LB_UNKNOWN;
    lb_text values = {0};
    lb_error why = {0};
    lb_status st = lb_condition_parse(text, &c, &why);
    if (st == LB_OK)
        st = lb_condition_evaluate(c, &scope, &truth, &why);
    if (st == LB_OK) {
        lb_condition_explain(c, &scope, &values);
        if (truth == LB_TRUE)
            decide(j, outcome, text, values.s ? values.s : "");
        else if (truth == LB_UNKNOWN)
            decide(j, "NOT RUN", text, values.s ? values.s : "");
        else if (!j->detail || !*j->detail) /* kept in case no rule is true */
            decide(j, "INCONCLUSIVE", "", values.s ? values.s : "");
    } else if (st == LB_ENAME) {
        decide(j, "NOT RUN", text, why.text);
    } else {
        FAIL(r, st, "the rule '%s' for %s: %s", text, outcome, why.text);
    }
    lb_text_free(&values);
    lb_condition_free(c);
    return st != LB_OK || truth != LB_FALSE;
}

static void judge(lb_record *r, const char *id, const lb_yaml_node *hypothesis)
{
    static const char *const rules[][2] = {
        {"pass", "PASS"}, {"partial", "PARTIAL"}, {"fail", "FAIL"}};
    const char *metric = lb_yaml_get(hypothesis, "metric")->text;
    judgement j = {"INCONCLUSIVE", lb_xstrdup(""), lb_xstrdup("")};
    size_t at;
    const bool known = lb_keys_find(&r->number_keys, metric, &at);
    const lb_number value = known ? r->numbers[at].number : lb_number_na("", "not recorded");
    bool settled = *value.na;

    if (!known) {
        lb_error why = {0};
        missing(r, metric, &why);
        decide(&j, "NOT RUN", "", why.text);
    } else if (*value.na) {
        char *why = lb_xprintf("%s is n/a: %s", metric, value.na);
        decide(&j, "NOT RUN", "", why);
        free(why);
    }
    for (size_t k = 0; k < 3 && !settled; k++) {
        const lb_yaml_node *rule = lb_yaml_get(hypothesis, rules[k][0]);
        settled = rule && try_rule(r, rule->text, rules[k][1], &j);
    }
    lb_verdict_row *v = lb_push(&r->verdicts, &r->n_verdicts, sizeof *v);
    *v = (lb_verdict_row){.id = lb_xstrdup(id),
                          .outcome = lb_xstrdup(j.outcome),
                          .metric = lb_xstrdup(metric),
                          .value = value.value,
                          .ci_lo = value.ci_lo,
                          .ci_hi = value.ci_hi,
                          .se = value.se,
                          .n = value.n,
                          .digits = value.digits,
                          .kind = lb_xstrdup(value.kind),
                          .unit = lb_xstrdup(value.unit),
                          .na = lb_xstrdup(value.na),
                          .rule = j.rule,
                          .detail = j.detail};
}

void lb_record_judge(lb_record *r)
{
    if (r->err.status != LB_OK)
        return;
    if (r->judged) {
        FAIL(r, LB_EINVAL, "the hypotheses of %s were judged twice", r->experiment);
        return;
    }
    r->judged = true;
    const lb_yaml_node *all = r->spec ? lb_spec_node(r->spec, "hypotheses") : NULL;
    for (size_t i = 0; all && i < all->n && r->err.status == LB_OK; i++)
        judge(r, all->keys[i], all->items[i]);
}

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
        missing(r, key, &why);
        FAIL(r, LB_ENAME, "table %s: %s", t->id, why.text);
    }
}

static void check_tables(lb_record *r)
{
    for (size_t i = 0; i < r->n_tables; i++) {
        const table *t = &r->tables[i];
        if (!row_is_full(r, t))
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
