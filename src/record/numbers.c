/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/numbers.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- export -------------------------------------------------------------------------------- */

void lb_numbers_tsv(const lb_archive *a, lb_text *out)
{
    lb_ledger *l = lb_ledger_of(a, NULL);
    lb_ledger_write(l, out);
    lb_ledger_free(l);
}

/* --- the trail ----------------------------------------------------------------------------- */

static void say(lb_text *out, const char *what, const char *value)
{
    if (*value)
        lb_text_printf(out, "  %-12s %s\n", what, value);
}

static void say_number(lb_text *out, const lb_archive *a, const lb_number *x)
{
    if (*x->na)
        lb_text_printf(out, "  %-12s %s\n", "value", x->na);
    else
        lb_text_printf(out, "  %-12s %.17g%s%s\n", "value", x->value, *x->unit ? " " : "", x->unit);
    if (isfinite(x->ci_lo))
        lb_text_printf(out, "  %-12s [%.10g, %.10g]\n", "interval", x->ci_lo, x->ci_hi);
    if (isfinite(x->se))
        lb_text_printf(out, "  %-12s %.6g\n", "s.e.", x->se);
    if (isfinite(x->p_above))
        lb_text_printf(out, "  %-12s %.6g\n", "P(above)", x->p_above);
    if (isfinite(x->boot_mean))
        lb_text_printf(out, "  %-12s mean %.6g, P(> 0) %.6g\n", "resamples", x->boot_mean,
                       x->p_positive);
    say(out, "kind", x->kind);
    if (x->n)
        lb_text_printf(out, "  %-12s %zu\n", "n", x->n);
    if (*x->rows)
        lb_text_printf(out, "  %-12s %s (%s)\n", "row set", lb_archive_rowset_name(a, x->rows),
                       x->rows);
    say(out, "protocol", x->protocol);
    if (x->seed)
        lb_text_printf(out, "  %-12s %llu\n", "seed", (unsigned long long)x->seed);
    if (x->oracle)
        say(out, "oracle", "yes: a model behind it was given true labels");
}

static void say_verdicts(lb_text *out, const lb_archive *a, const char *key)
{
    size_t n;
    const lb_verdict *v = lb_archive_verdicts(a, &n);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(v[i].metric, key))
            lb_text_printf(out, "  %-12s %s %s (%s)\n", "verdict", v[i].id, v[i].outcome,
                           *v[i].rule ? v[i].rule : v[i].detail);
}

static void say_frozen(lb_text *out, const char *key, const lb_ledger *frozen)
{
    if (!frozen)
        return;
    const lb_line *line = lb_ledger_find(frozen, key);
    lb_text text = {0};
    if (line && (*line->text || line->what != LB_LINE_NUMBER))
        lb_text_add(&text, line->text);
    else if (line)
        lb_text_printf(&text, "%.17g", line->value);
    if (line) {
        lb_text_add(&text, ", tolerance ");
        lb_tolerance_write(&line->tolerance, &text);
    } else {
        lb_text_add(&text, "no");
    }
    lb_text_printf(&text, " (%s)", frozen->source);
    say(out, "frozen", text.s);
    lb_text_free(&text);
}

static void say_published(lb_text *out, const char *key, const lb_published *published)
{
    const lb_published_entry *e = published ? lb_published_find(published, key) : NULL;
    if (!e)
        return;
    lb_text text = {0};
    lb_text_add(&text, e->value);
    if (isfinite(e->ci_lo))
        lb_text_printf(&text, " [%g, %g]", e->ci_lo, e->ci_hi);
    lb_text_printf(&text, "%s%s, %s (%s)", *e->n ? ", n " : "", e->n, e->conditions, e->source);
    say(out, "published", text.s);
    lb_text_free(&text);
}

lb_status lb_why(const lb_archive *a, const char *key, const lb_ledger *frozen,
                 const lb_published *published, lb_text *out, lb_error *err)
{
    const lb_number *x = lb_archive_number(a, key);
    const char *text = lb_archive_text(a, key);
    size_t n;
    if (!x && !text) {
        const char *near = lb_archive_nearest(a, key);
        return LB_FAIL(err, LB_ENAME, "%s has no key '%s'%s%s%s", lb_archive_path(a), key,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    lb_text_printf(out, "%s\n", key);
    if (x)
        say_number(out, a, x);
    else
        say(out, "text", text);
    say_verdicts(out, a, key);
    say_frozen(out, key, frozen);
    say_published(out, key, published);
    lb_text_printf(out, "recorded in %s\n", lb_archive_path(a));
    const lb_pair *provenance = lb_archive_provenances(a, &n);
    for (size_t i = 0; i < n; i++)
        lb_text_printf(out, "  %-16s %s\n", provenance[i].key, provenance[i].value);
    return LB_OK;
}
