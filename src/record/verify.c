/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/verify.h"

#include "core/file.h"
#include "core/memory.h"
#include "record/keys.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* In the order of the report. */
typedef enum word { FLIPPED, MISSING, NEW, CHANGED, MOVED } word;
static const char *const words[] = {"flipped", "missing", "new", "changed", "moved"};
enum { N_WORDS = 5, COLUMNS = 8 };

typedef struct finding {
    word word;
    const lb_line *was, *now; /* one may be NULL */
    double errors, relative;  /* how far a number moved; NAN if it did not */
    lb_text remark;
} finding;

typedef struct comparison {
    const lb_ledger *frozen, *now;
    bool to_the_digit; /* ignore the tolerances, except that measured entries may differ */
    finding *findings;
    size_t n, checked;
} comparison;

/* --- one entry ----------------------------------------------------------------------------- */

static void remark(finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void remark(finding *f, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lb_text_printf(&f->remark, "%s%s", f->remark.length ? "; " : "", text);
}

/* Standard error of a frozen number; from its 95 % interval if it has no other. */
static double standard_error(const lb_line *line)
{
    if (isfinite(line->se))
        return line->se;
    return (line->ci_hi - line->ci_lo) / (2.0 * 1.959963984540054);
}

static double allowance(const comparison *c, const lb_line *was, double x)
{
    const lb_tolerance *t = &was->tolerance;
    const double se = standard_error(was);
    if (c->to_the_digit || t->kind == LB_TOL_EXACT)
        return 0.0;
    if (t->kind == LB_TOL_STATISTICAL && isfinite(se))
        return t->errors * se;
    if (t->kind == LB_TOL_STATISTICAL) /* without an uncertainty nothing but rounding may move */
        return 1e-6 * fabs(x);
    return t->atol + t->rtol * fabs(x);
}

/* Did x become y within what is allowed? NAN (absent) agrees with NAN only. */
static bool agree(const comparison *c, const lb_line *was, double x, double y)
{
    if (isnan(x) || isnan(y))
        return isnan(x) && isnan(y);
    return fabs(y - x) <= allowance(c, was, x);
}

static void compare_numbers(const comparison *c, finding *f)
{
    const lb_line *was = f->was, *now = f->now;
    if (strcmp(was->text, now->text))
        remark(f, "was %s, is %s", *was->text ? was->text : "a value",
               *now->text ? now->text : "a value");
    if (strcmp(was->rows, now->rows))
        remark(f, "row set '%s' became '%s'", was->rows, now->rows);
    if (was->n != now->n)
        remark(f, "n %zu became %zu", was->n, now->n);
    if (was->oracle != LB_ORACLE_UNKNOWN && now->oracle != LB_ORACLE_UNKNOWN &&
        was->oracle != now->oracle)
        remark(f, now->oracle == LB_ORACLE_YES ? "became an oracle number: true labels were used"
                                               : "is no oracle number any more");
    if (was->tolerance.kind == LB_TOL_MEASURED)
        return;
    if (!f->remark.length && was->tolerance.kind != LB_TOL_EXACT)
        f->word = MOVED;
    const double move = now->value - was->value;
    if (!agree(c, was, was->value, now->value) && isfinite(move)) {
        f->errors = fabs(move) / standard_error(was);
        f->relative = was->value != 0.0 ? fabs(move / was->value) : INFINITY;
        remark(f, "%s", was->tolerance.kind == LB_TOL_EXACT ? "must be exact" : "value");
    }
    if (!agree(c, was, was->ci_lo, now->ci_lo) || !agree(c, was, was->ci_hi, now->ci_hi))
        remark(f, "interval [%.6g, %.6g] became [%.6g, %.6g]", was->ci_lo, was->ci_hi, now->ci_lo,
               now->ci_hi);
    if (!agree(c, was, was->se, now->se))
        remark(f, "standard error %.6g became %.6g", was->se, now->se);
}

/* A flip is worth more words when nothing else would have shown it. */
static void explain_flip(const comparison *c, finding *f)
{
    const lb_line *was = lb_ledger_find(c->frozen, f->was->rows);
    const lb_line *now = lb_ledger_find(c->now, f->now->rows);
    if (!was || !now || *was->text || *now->text)
        remark(f, "its metric is '%s'", f->now->rows);
    else
        remark(f, "its metric %s %s its tolerance: %.10g, was %.10g", now->key,
               agree(c, was, was->value, now->value) ? "stayed inside" : "left", now->value,
               was->value);
}

static void compare_entry(const comparison *c, finding *f)
{
    const lb_line *was = f->was, *now = f->now;
    f->word = CHANGED;
    if (was->what != now->what || strcmp(was->kind, now->kind)) {
        remark(f, "kind '%s' became '%s'", was->kind, now->kind);
    } else if (was->what == LB_LINE_NUMBER) {
        compare_numbers(c, f);
    } else if (strcmp(was->text, now->text)) {
        if (was->what == LB_LINE_VERDICT) {
            f->word = FLIPPED;
            explain_flip(c, f);
        } else {
            remark(f, was->what == LB_LINE_ROWSET       ? "these are other rows"
                      : strcmp(was->kind, "table") == 0 ? "other keys stand in its cells"
                                                        : "another text");
        }
    } else if (was->n != now->n) {
        remark(f, "n %zu became %zu", was->n, now->n);
    } else if (strcmp(was->rows, now->rows)) {
        remark(f, "metric '%s' became '%s'", was->rows, now->rows);
    }
}

/* --- all entries --------------------------------------------------------------------------- */

static finding *add_finding(comparison *c, word w, const lb_line *was, const lb_line *now)
{
    finding *f = lb_push(&c->findings, &c->n, sizeof *f);
    *f = (finding){.word = w, .was = was, .now = now, .errors = NAN, .relative = NAN};
    return f;
}

static int by_weight(const void *left, const void *right)
{
    const finding *a = left, *b = right;
    if (a->word != b->word)
        return a->word < b->word ? -1 : 1;
    const double x[2] = {isnan(a->errors) ? -1.0 : a->errors,
                         isnan(a->relative) ? -1.0 : a->relative};
    const double y[2] = {isnan(b->errors) ? -1.0 : b->errors,
                         isnan(b->relative) ? -1.0 : b->relative};
    for (size_t i = 0; i < 2; i++)
        if (x[i] != y[i])
            return x[i] > y[i] ? -1 : 1;
    return strcmp((a->was ? a->was : a->now)->key, (b->was ? b->was : b->now)->key);
}

/* Files frozen before tables were kept have none; what they do not say is not compared. */
static bool knows_tables(const lb_ledger *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->lines[i].kind, "table"))
            return true;
    return false;
}

static void compare_all(comparison *c)
{
    const bool tables = knows_tables(c->frozen);
    lb_keys was = {0}, now = {0};
    size_t at;
    for (size_t i = 0; i < c->frozen->n; i++)
        lb_keys_add(&was, c->frozen->lines[i].key, i);
    for (size_t i = 0; i < c->now->n; i++)
        lb_keys_add(&now, c->now->lines[i].key, i);
    for (size_t i = 0; i < c->frozen->n; i++) {
        const lb_line *line = &c->frozen->lines[i];
        c->checked += line->tolerance.kind != LB_TOL_MEASURED;
        if (!lb_keys_find(&now, line->key, &at)) {
            remark(add_finding(c, MISSING, line, NULL), "frozen, but no longer recorded");
            continue;
        }
        finding *f = add_finding(c, CHANGED, line, &c->now->lines[at]);
        compare_entry(c, f);
        if (!f->remark.length)
            c->n--; /* it agrees; its place is taken by the next */
    }
    for (size_t i = 0; i < c->now->n; i++)
        if (!lb_keys_find(&was, c->now->lines[i].key, &at) &&
            (tables || c->to_the_digit || strcmp(c->now->lines[i].kind, "table")))
            remark(add_finding(c, NEW, NULL, &c->now->lines[i]), "recorded, but not frozen");
    if (c->n)
        qsort(c->findings, c->n, sizeof *c->findings, by_weight);
    lb_keys_free(&was);
    lb_keys_free(&now);
}

static void free_comparison(comparison *c)
{
    for (size_t i = 0; i < c->n; i++)
        lb_text_free(&c->findings[i].remark);
    free(c->findings);
}

/* --- the report ---------------------------------------------------------------------------- */

static char *shown(const lb_line *line)
{
    if (!line)
        return lb_xstrdup("-");
    if (line->what == LB_LINE_NUMBER && !*line->text)
        return lb_xprintf("%.10g", line->value);
    char *text = line->what == LB_LINE_ROWSET ? lb_xprintf("%.15s…", line->text)
                                              : lb_xprintf("%.40s", line->text);
    for (char *p = text; *p; p++)
        if (*p == '\n' || *p == '\t' || *p == '\r')
            *p = ' ';
    return text;
}

static void make_row(const finding *f, char *cell[COLUMNS])
{
    const bool moved = isfinite(f->relative) || isfinite(f->errors);
    lb_text tolerance = {0};
    if (f->was)
        lb_tolerance_write(&f->was->tolerance, &tolerance);
    cell[0] = lb_xstrdup(words[f->word]);
    cell[1] = lb_xstrdup((f->was ? f->was : f->now)->key);
    cell[2] = shown(f->was);
    cell[3] = shown(f->now);
    cell[4] = moved ? lb_xprintf("%+.3g", f->now->value - f->was->value) : lb_xstrdup("-");
    cell[5] = isfinite(f->errors) ? lb_xprintf("%.2f", f->errors) : lb_xstrdup("-");
    cell[6] = f->was ? lb_text_take(&tolerance) : lb_xstrdup("-");
    cell[7] = lb_xstrdup(f->remark.s);
}

static void write_table(const comparison *c, lb_text *report)
{
    static const char *const heads[COLUMNS] = {"finding", "key",     "frozen",    "now",
                                               "move",    "in s.e.", "tolerance", "remark"};
    char *(*cells)[COLUMNS] = lb_xcalloc(c->n + 1, sizeof *cells);
    size_t width[COLUMNS] = {0};
    for (size_t k = 0; k < COLUMNS; k++)
        cells[0][k] = lb_xstrdup(heads[k]);
    for (size_t i = 0; i < c->n; i++)
        make_row(&c->findings[i], cells[i + 1]);
    for (size_t i = 0; i <= c->n; i++)
        for (size_t k = 0; k < COLUMNS; k++)
            if (lb_text_width(cells[i][k]) > width[k])
                width[k] = lb_text_width(cells[i][k]);
    for (size_t i = 0; i <= c->n; i++)
        for (size_t k = 0; k < COLUMNS; k++) {
            const size_t gap = width[k] - lb_text_width(cells[i][k]);
            const bool last = k + 1 == COLUMNS;
            lb_text_printf(report, "%s%*s%s", cells[i][k], last ? 0 : (int)gap, "",
                           last ? "\n" : "  ");
            free(cells[i][k]);
        }
    free(cells);
}

static void write_summary(const comparison *c, lb_text *report)
{
    size_t count[N_WORDS] = {0};
    lb_text_printf(report, "%s%s%s%s: ", c->frozen->experiment, *c->frozen->profile ? " (" : "",
                   c->frozen->profile, *c->frozen->profile ? ")" : "");
    if (!c->n) {
        lb_text_printf(report, "%zu entries agree with %s\n", c->checked, c->frozen->source);
        return;
    }
    for (size_t i = 0; i < c->n; i++)
        count[c->findings[i].word]++;
    lb_text_printf(report, "%zu of %zu entries differ from %s:", c->n, c->checked,
                   c->frozen->source);
    bool first = true;
    for (size_t k = 0; k < N_WORDS; k++)
        if (count[k]) {
            lb_text_printf(report, "%s %zu %s", first ? "" : ",", count[k], words[k]);
            first = false;
        }
    lb_text_add(report, "\n");
}

static bool differ(const char *a, const char *b)
{
    return *a && *b && strcmp(a, b);
}

static lb_status check_pair(const comparison *c, lb_error *err)
{
    const lb_ledger *a = c->frozen, *b = c->now;
    if (differ(a->experiment, b->experiment))
        return LB_FAIL(err, LB_EINVAL, "%s belongs to %s, %s to %s", a->source, a->experiment,
                       b->source, b->experiment);
    if (differ(a->profile, b->profile))
        return LB_FAIL(err, LB_EINVAL, "%s is of profile %s, %s of profile %s", a->source,
                       a->profile, b->source, b->profile);
    return LB_OK;
}

/* Compare and report; *c is freed by the caller with free_comparison(). */
static lb_status run(comparison *c, lb_text *report, lb_error *err)
{
    lb_status st = check_pair(c, err);
    if (st != LB_OK)
        return st;
    compare_all(c);
    if (!c->checked)
        return LB_FAIL(err, LB_ENAME, "%s holds nothing to check", c->frozen->source);
    if (c->n)
        write_table(c, report);
    write_summary(c, report);
    if (c->n)
        return LB_FAIL(err, LB_EFINDING, "%s: %zu of %zu entries differ from %s", c->now->source,
                       c->n, c->checked, c->frozen->source);
    return LB_OK;
}

lb_status lb_ledger_compare(const lb_ledger *frozen, const lb_ledger *now, lb_text *report,
                            lb_error *err)
{
    comparison c = {.frozen = frozen, .now = now};
    const lb_status st = run(&c, report, err);
    free_comparison(&c);
    return st;
}

lb_status lb_verify(const char *record, const char *frozen, lb_text *report, lb_error *err)
{
    lb_archive *a = NULL;
    lb_ledger *was = NULL, *now = NULL;
    lb_status st = lb_archive_open(record, &a, err);
    if (st == LB_OK && !lb_file_exists(frozen))
        st = LB_FAIL(err, LB_EIO,
                     "%s does not exist: nothing is frozen yet for %s; look at its "
                     "numbers, then run `make freeze REASON=...`",
                     frozen, lb_archive_experiment(a));
    if (st == LB_OK)
        st = lb_ledger_load(frozen, &was, err);
    if (st == LB_OK) {
        now = lb_ledger_of(a, NULL);
        st = lb_ledger_compare(was, now, report, err);
    }
    lb_ledger_free(was);
    lb_ledger_free(now);
    lb_archive_close(a);
    return st;
}

/* --- freezing ------------------------------------------------------------------------------ */

/* The day of SOURCE_DATE_EPOCH, or today, in UTC. */
static void today(char out[16])
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    size_t seconds;
    time_t t = epoch && lb_parse_size(epoch, &seconds) ? (time_t)seconds : time(NULL);
    struct tm date;
    gmtime_r(&t, &date);
    strftime(out, 16, "%Y-%m-%d", &date);
}

static void add_history(const comparison *c, const char *date, const char *reason, lb_text *out)
{
    enum { SHOWN = 20 };
    lb_text_printf(out, "#   %s %s: %s\n", date, c->now->version, reason);
    if (!c->frozen) {
        lb_text_printf(out, "#     first freeze, %zu entries\n", c->now->n);
        return;
    }
    if (!c->n)
        lb_text_add(out, "#     no result changed, only tolerances\n");
    for (size_t i = 0; i < c->n && i < SHOWN; i++) {
        const finding *f = &c->findings[i];
        char *was = shown(f->was), *now = shown(f->now);
        lb_text_printf(out, "#     %s %s: %s -> %s", words[f->word],
                       (f->was ? f->was : f->now)->key, was, now);
        if (isfinite(f->errors))
            lb_text_printf(out, " (%.2f s.e.)", f->errors);
        lb_text_add(out, "\n");
        free(was);
        free(now);
    }
    if (c->n > SHOWN)
        lb_text_printf(out, "#     and %zu more\n", c->n - SHOWN);
}

static lb_status write_frozen(const comparison *c, const char *path, const char *reason,
                              lb_error *err)
{
    char date[16], *one_line = lb_xstrdup(reason);
    lb_text out = {0};
    today(date);
    for (char *p = one_line; *p; p++)
        if (iscntrl((unsigned char)*p))
            *p = ' ';
    lb_text_printf(&out,
                   "# loggbook frozen results, format 1: written by `make freeze`, checked by "
                   "`make verify`\n"
                   "# experiment: %s\n# profile: %s\n# version: %s\n# date: %s\n# reason: %s\n"
                   "# history, newest last:\n%s",
                   c->now->experiment, c->now->profile, c->now->version, date, one_line,
                   c->frozen ? c->frozen->history : "");
    add_history(c, date, one_line, &out);
    lb_ledger_write(c->now, &out);
    const lb_status st = lb_file_write(path, out.s, out.length, err);
    lb_text_free(&out);
    free(one_line);
    return st;
}

static bool same_tolerances(const lb_ledger *a, const lb_ledger *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const lb_line *old = lb_ledger_find(a, b->lines[i].key);
        lb_text x = {0}, y = {0};
        if (old)
            lb_tolerance_write(&old->tolerance, &x);
        lb_tolerance_write(&b->lines[i].tolerance, &y);
        const bool same = old && !strcmp(x.s, y.s);
        lb_text_free(&x);
        lb_text_free(&y);
        if (!same)
            return false;
    }
    return true;
}

static bool is_blank(const char *s)
{
    return !s || !s[strspn(s, " \t\r\n")];
}

/* Report what freezing would change; *changed is whether it would change anything. */
static lb_status preview(comparison *c, lb_text *report, bool *changed, lb_error *err)
{
    *changed = true;
    if (!c->frozen) {
        lb_text_printf(report, "%s: nothing was frozen yet, %zu entries are new\n",
                       c->now->experiment, c->now->n);
        return LB_OK;
    }
    lb_error inner = {0};
    const lb_status st = run(c, report, &inner);
    if (st != LB_OK && st != LB_EFINDING && st != LB_ENAME)
        return LB_FAIL(err, st, "%s", inner.text);
    *changed = st != LB_OK || !same_tolerances(c->frozen, c->now);
    if (st == LB_OK && *changed)
        lb_text_add(report, "the tolerances change\n");
    return LB_OK;
}

lb_status lb_freeze(const char *record, const char *frozen, const lb_spec *spec, const char *reason,
                    lb_text *report, lb_error *err)
{
    comparison c = {.to_the_digit = true};
    lb_archive *a = NULL;
    lb_ledger *was = NULL, *now = NULL;
    bool changed = true;
    lb_status st = lb_archive_open(record, &a, err);
    if (st == LB_OK && spec)
        st = lb_archive_check_spec(a, spec, err);
    if (st == LB_OK && !lb_archive_count(a))
        st = LB_FAIL(err, LB_ENAME, "%s holds no numbers to freeze", record);
    if (st == LB_OK && lb_file_exists(frozen))
        st = lb_ledger_load(frozen, &was, err);
    if (st != LB_OK)
        goto done;
    c.frozen = was;
    c.now = now = lb_ledger_of(a, spec);
    if ((st = preview(&c, report, &changed, err)) != LB_OK || !changed)
        goto done;
    if (is_blank(reason))
        st = LB_FAIL(err, LB_EINVAL, "nothing was frozen: say why with REASON=\"...\"");
    else
        st = write_frozen(&c, frozen, reason, err);
done:
    free_comparison(&c);
    lb_ledger_free(was);
    lb_ledger_free(now);
    lb_archive_close(a);
    return st;
}
