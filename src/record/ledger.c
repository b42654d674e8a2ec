/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/ledger.h"

#include "core/file.h"
#include "core/hash.h"
#include "core/memory.h"
#include "record/keys.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char header[] = "key\tvalue\tci_lo\tci_hi\tse\tn\tkind\trows\ttolerance\toracle";
static const char early[] = "key\tvalue\tci_lo\tci_hi\tse\tn\tkind\trows\ttolerance";
enum { COLUMNS = 10 };
static const char *const oracle_words[] = {"?", "-", "yes"}; /* as in lb_oracle */

/* --- from a record ------------------------------------------------------------------------- */

static lb_line *add_line(lb_ledger *l, lb_line_kind what, char *key)
{
    lb_line *line = lb_push(&l->lines, &l->n, sizeof *line);
    line->what = what;
    line->key = key;
    line->value = line->ci_lo = line->ci_hi = line->se = NAN;
    line->tolerance.kind = LB_TOL_EXACT;
    line->oracle = LB_ORACLE_NO;
    return line;
}

static void add_texts(lb_line *line, const char *text, const char *kind, const char *rows)
{
    line->text = lb_xstrdup(text);
    line->kind = lb_xstrdup(kind);
    line->rows = lb_xstrdup(rows);
}

static void add_numbers(lb_ledger *l, const lb_archive *a, const lb_spec *spec)
{
    for (size_t i = 0; i < lb_archive_count(a); i++) {
        const lb_number *x = lb_archive_at(a, i);
        lb_line *line = add_line(l, LB_LINE_NUMBER, lb_xstrdup(lb_archive_key(a, i)));
        line->value = x->value;
        line->ci_lo = x->ci_lo;
        line->ci_hi = x->ci_hi;
        line->se = x->se;
        line->n = x->n;
        line->tolerance = lb_spec_tolerance(spec, x->kind);
        line->oracle = x->oracle ? LB_ORACLE_YES : LB_ORACLE_NO;
        add_texts(line, x->na, x->kind, *x->rows ? lb_archive_rowset_name(a, x->rows) : "");
    }
}

/* Which key stands in which cell. What is printed of it is frozen with the numbers, and words may
 * hold digits that another machine rounds otherwise. */
static void add_tables(lb_ledger *l, const lb_archive *a)
{
    size_t n;
    const lb_table *tables = lb_archive_tables(a, &n);
    for (size_t i = 0; i < n; i++) {
        const lb_table *t = &tables[i];
        char hash[LB_HASH_SIZE];
        lb_hash *h = lb_hash_new();
        for (size_t k = 0; k < t->rows * t->cols; k++) {
            const char *key = t->cells[k].key ? t->cells[k].key : "";
            lb_hash_add(h, key, strlen(key) + 1);
        }
        lb_hash_finish(h, hash);
        add_texts(add_line(l, LB_LINE_TEXT, lb_xprintf("table:%s", t->id)), hash, "table", "");
    }
}

lb_ledger *lb_ledger_of(const lb_archive *a, const lb_spec *spec)
{
    lb_ledger *l = lb_xcalloc(1, sizeof *l);
    size_t n;
    l->source = lb_xstrdup(lb_archive_path(a));
    l->experiment = lb_xstrdup(lb_archive_experiment(a));
    l->profile = lb_xstrdup(lb_archive_provenance(a, "profile"));
    l->version = lb_xstrdup(lb_archive_provenance(a, "version"));
    l->history = lb_xstrdup("");
    add_numbers(l, a, spec);
    const lb_pair *texts = lb_archive_texts(a, &n);
    for (size_t i = 0; i < n; i++)
        add_texts(add_line(l, LB_LINE_TEXT, lb_xstrdup(texts[i].key)), texts[i].value, "text", "");
    const lb_rowset_entry *rowsets = lb_archive_rowsets(a, &n);
    for (size_t i = 0; i < n; i++) {
        lb_line *line = add_line(l, LB_LINE_ROWSET, lb_xprintf("rowset:%s", rowsets[i].name));
        line->n = rowsets[i].n;
        add_texts(line, rowsets[i].hash, "rowset", "");
    }
    const lb_verdict *verdicts = lb_archive_verdicts(a, &n);
    for (size_t i = 0; i < n; i++)
        add_texts(add_line(l, LB_LINE_VERDICT, lb_xprintf("verdict:%s", verdicts[i].id)),
                  verdicts[i].outcome, "verdict", verdicts[i].metric);
    add_tables(l, a);
    return l;
}

void lb_ledger_free(lb_ledger *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++) {
        free(l->lines[i].key);
        free(l->lines[i].text);
        free(l->lines[i].kind);
        free(l->lines[i].rows);
    }
    free(l->lines);
    free(l->source);
    free(l->experiment);
    free(l->profile);
    free(l->version);
    free(l->history);
    free(l);
}

const lb_line *lb_ledger_find(const lb_ledger *l, const char *key)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->lines[i].key, key))
            return &l->lines[i];
    return NULL;
}

/* --- writing ------------------------------------------------------------------------------- */

void lb_tolerance_write(const lb_tolerance *t, lb_text *out)
{
    switch (t->kind) {
    case LB_TOL_EXACT:
        lb_text_add(out, "exact");
        break;
    case LB_TOL_MEASURED:
        lb_text_add(out, "measured");
        break;
    case LB_TOL_STATISTICAL:
        lb_text_printf(out, "se=%g", t->errors);
        break;
    case LB_TOL_NUMERIC:
        lb_text_printf(out, "rtol=%g atol=%g", t->rtol, t->atol);
        break;
    }
}

/* Texts may hold anything; a TSV field may not hold tabs and line ends. */
static void add_escaped(lb_text *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '\t')
            lb_text_add(out, "\\t");
        else if (*s == '\n')
            lb_text_add(out, "\\n");
        else if (*s == '\r')
            lb_text_add(out, "\\r");
        else if (*s == '\\')
            lb_text_add(out, "\\\\");
        else
            lb_text_addn(out, s, 1);
    }
}

static void add_number(lb_text *out, double x)
{
    lb_text_add(out, "\t");
    if (!isnan(x))
        lb_text_printf(out, "%.17g", x);
}

void lb_ledger_write(const lb_ledger *l, lb_text *out)
{
    lb_text_printf(out, "%s\n", header);
    for (size_t i = 0; i < l->n; i++) {
        const lb_line *line = &l->lines[i];
        lb_text_add(out, line->key);
        if (line->what == LB_LINE_NUMBER && !*line->text) {
            add_number(out, line->value);
        } else {
            lb_text_add(out, line->what == LB_LINE_NUMBER ? "\tn/a: " : "\t");
            add_escaped(out, line->text);
        }
        add_number(out, line->ci_lo);
        add_number(out, line->ci_hi);
        add_number(out, line->se);
        lb_text_add(out, "\t");
        if (line->n)
            lb_text_printf(out, "%zu", line->n);
        lb_text_printf(out, "\t%s\t%s\t", line->kind, line->rows);
        lb_tolerance_write(&line->tolerance, out);
        lb_text_printf(out, "\t%s\n", oracle_words[line->oracle]);
    }
}

/* --- parsing ------------------------------------------------------------------------------- */

typedef struct reader {
    lb_ledger *ledger;
    const char *name;
    size_t line;
    lb_keys keys;
    size_t columns; /* of the column line; 0 before it */
    lb_text history;
    lb_error *err;
} reader;

#define REFUSE(r, status, ...) refuse((r), (status), lb_xprintf(__VA_ARGS__))

static lb_status refuse(const reader *r, lb_status status, char *what)
{
    LB_FAIL(r->err, status, "%s:%zu: %s", r->name, r->line, what);
    free(what);
    return status;
}

static char *unescaped(const char *s)
{
    lb_text out = {0};
    for (; *s; s++) {
        char c = *s;
        if (c == '\\' && s[1]) {
            c = *++s;
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        lb_text_addn(&out, &c, 1);
    }
    return lb_text_take(&out);
}

static lb_status parse_number(const reader *r, const char *field, const char *what, double *out)
{
    *out = NAN;
    if (*field && !lb_parse_double(field, out))
        return REFUSE(r, LB_EFORMAT, "%s is '%s', which is no number", what, field);
    return LB_OK;
}

static lb_status parse_tolerance(const reader *r, const char *field, lb_tolerance *t)
{
    char rtol[64], atol[64];
    int end = 0;
    *t = (lb_tolerance){.kind = LB_TOL_EXACT};
    if (!strcmp(field, "exact"))
        return LB_OK;
    if (!strcmp(field, "measured")) {
        t->kind = LB_TOL_MEASURED;
        return LB_OK;
    }
    if (!strncmp(field, "se=", 3) && lb_parse_double(field + 3, &t->errors) && t->errors >= 0.0) {
        t->kind = LB_TOL_STATISTICAL;
        return LB_OK;
    }
    if (sscanf(field, "rtol=%63[^ ] atol=%63[^ ]%n", rtol, atol, &end) == 2 && !field[end] &&
        lb_parse_double(rtol, &t->rtol) && lb_parse_double(atol, &t->atol) && t->rtol >= 0.0 &&
        t->atol >= 0.0) {
        t->kind = LB_TOL_NUMERIC;
        return LB_OK;
    }
    return REFUSE(r, LB_EFORMAT,
                  "the tolerance is '%s', must be exact, measured, se=X or rtol=X atol=Y", field);
}

static lb_status parse_value(const reader *r, lb_line *line, const char *field)
{
    if (line->what != LB_LINE_NUMBER) {
        line->text = unescaped(field);
        return LB_OK;
    }
    if (!strncmp(field, "n/a: ", 5)) {
        line->text = unescaped(field + 5);
        return *line->text ? LB_OK : REFUSE(r, LB_EFORMAT, "n/a without a reason");
    }
    line->text = lb_xstrdup("");
    return *field ? parse_number(r, field, "the value", &line->value)
                  : REFUSE(r, LB_EFORMAT, "the value is empty");
}

static lb_status parse_oracle(const reader *r, const char *field, lb_oracle *out)
{
    for (int i = LB_ORACLE_UNKNOWN; i <= LB_ORACLE_YES; i++)
        if (!strcmp(field, oracle_words[i])) {
            *out = (lb_oracle)i;
            return LB_OK;
        }
    return REFUSE(r, LB_EFORMAT, "oracle is '%s', must be yes, - or ?", field);
}

static lb_status parse_fields(reader *r, char **field)
{
    static const char *const kinds[] = {"text", "rowset", "verdict"};
    lb_line *line = add_line(r->ledger, LB_LINE_NUMBER, lb_xstrdup(field[0]));
    lb_status st;
    line->kind = lb_xstrdup(field[6]);
    line->rows = lb_xstrdup(field[7]);
    for (size_t i = 0; i < 3; i++)
        if (!strcmp(field[6], kinds[i]))
            line->what = (lb_line_kind)(LB_LINE_TEXT + i);
    if (!strcmp(field[6], "table")) /* a text that only we read */
        line->what = LB_LINE_TEXT;
    if (!*field[0])
        return REFUSE(r, LB_EFORMAT, "the key is empty");
    if (!lb_keys_add(&r->keys, line->key, r->line))
        return REFUSE(r, LB_ENAME, "the key '%s' stands here twice", line->key);
    if (!*field[6])
        return REFUSE(r, LB_EFORMAT, "the kind is empty");
    if (*field[5] && !lb_parse_size(field[5], &line->n))
        return REFUSE(r, LB_EFORMAT, "n is '%s', which is no whole number", field[5]);
    if ((st = parse_value(r, line, field[1])) != LB_OK ||
        (st = parse_number(r, field[2], "ci_lo", &line->ci_lo)) != LB_OK ||
        (st = parse_number(r, field[3], "ci_hi", &line->ci_hi)) != LB_OK ||
        (st = parse_number(r, field[4], "se", &line->se)) != LB_OK ||
        (st = parse_oracle(r, field[9] ? field[9] : "?", &line->oracle)) != LB_OK)
        return st;
    return parse_tolerance(r, field[8], &line->tolerance);
}

/* "# experiment: e02": put the value into its place. */
static lb_status parse_comment(reader *r, const char *line)
{
    static const char format[] = "# loggbook frozen results, format ";
    lb_ledger *l = r->ledger;
    const struct {
        const char *word;
        char **place;
    } words[] = {{"# experiment: ", &l->experiment},
                 {"# profile: ", &l->profile},
                 {"# version: ", &l->version}};
    for (size_t i = 0; i < 3; i++)
        if (!strncmp(line, words[i].word, strlen(words[i].word))) {
            free(*words[i].place);
            *words[i].place = lb_xstrdup(line + strlen(words[i].word));
        }
    if (!strncmp(line, "#   ", 4))
        lb_text_printf(&r->history, "%s\n", line);
    if (!strncmp(line, format, strlen(format)) && atoi(line + strlen(format)) != 1)
        return REFUSE(r, LB_EFORMAT, "this program reads format 1 only, the file has format %s",
                      line + strlen(format));
    return LB_OK;
}

static lb_status parse_line(reader *r, char *line)
{
    char *field[COLUMNS] = {NULL};
    size_t n = 0;
    if (*line == '#')
        return parse_comment(r, line);
    if (!*line)
        return LB_OK;
    if (!r->columns) {
        r->columns = strcmp(line, early) == 0 ? COLUMNS - 1 : COLUMNS;
        return r->columns < COLUMNS || strcmp(line, header) == 0
                   ? LB_OK
                   : REFUSE(r, LB_EFORMAT,
                            "expected the column line 'key value ci_lo ci_hi se n "
                            "kind rows tolerance oracle', separated by tabs");
    }
    for (char *rest = line, *part; (part = strsep(&rest, "\t"));)
        if (n++ < COLUMNS)
            field[n - 1] = part;
    if (n != r->columns)
        return REFUSE(r, LB_EFORMAT, "%zu columns instead of %zu", n, r->columns);
    return parse_fields(r, field);
}

lb_status lb_ledger_parse(const char *text, const char *name, lb_ledger **out, lb_error *err)
{
    reader r = {.ledger = lb_xcalloc(1, sizeof *r.ledger), .name = name, .err = err};
    char *copy = lb_xstrdup(text), *rest = copy;
    lb_status st = LB_OK;
    r.ledger->source = lb_xstrdup(name);
    r.ledger->experiment = lb_xstrdup("");
    r.ledger->profile = lb_xstrdup("");
    r.ledger->version = lb_xstrdup("");
    for (char *line; st == LB_OK && (line = strsep(&rest, "\n"));) {
        r.line++;
        line[strcspn(line, "\r")] = '\0';
        st = parse_line(&r, line);
    }
    if (st == LB_OK && !r.columns)
        st = LB_FAIL(err, LB_EFORMAT, "%s: no column line: this is no list of results", name);
    r.ledger->history = lb_text_take(&r.history);
    lb_keys_free(&r.keys);
    free(copy);
    if (st == LB_OK)
        *out = r.ledger;
    else
        lb_ledger_free(r.ledger);
    return st;
}

lb_status lb_ledger_load(const char *path, lb_ledger **out, lb_error *err)
{
    char *text = NULL;
    lb_status st = lb_file_read(path, &text, NULL, err);
    if (st == LB_OK)
        st = lb_ledger_parse(text, path, out, err);
    free(text);
    return st;
}
