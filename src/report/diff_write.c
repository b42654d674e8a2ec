/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A diff as Markdown for a pull request: the summary first, then only what changed. */
#include "report/diff_words.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- the summary -------------------------------------------------------------------------------
 */

static void summarise_numbers(const lb_tally *t, lb_listing *l)
{
    char *compared = lb_grouped(t->compared), *beyond = lb_grouped(t->beyond),
         *within = lb_grouped(t->within);
    const size_t others = t->texts + t->rowsets;
    if (t->flipped)
        lb_list_item(l, "%zu verdict%s flipped", t->flipped, lb_plural(t->flipped));
    if (t->beyond) {
        lb_list_item(l, "%s of %s values moved beyond their tolerance", beyond, compared);
        if (t->worst) {
            char *by = lb_show_errors(t->worst->errors);
            lb_text_printf(l->out, ", the most by %s s.e. (`%s`)", by, t->worst->was->key);
            free(by);
        }
    }
    if (t->within && t->beyond)
        lb_list_item(l, "%s moved within it", within);
    else if (t->within)
        lb_list_item(l, "%s of %s values moved, all within their tolerance", within, compared);
    if (others)
        lb_list_item(l, "%zu text%s, table%s or row set%s changed", others, lb_plural(others),
                     lb_plural(others), lb_plural(others));
    if (t->gone)
        lb_list_item(l, "%zu key%s gone", t->gone, t->gone == 1 ? " is" : "s are");
    if (t->added)
        lb_list_item(l, "%zu key%s new", t->added, t->added == 1 ? " is" : "s are");
    free(compared);
    free(beyond);
    free(within);
}

static void write_summary(const lb_diff *d, const lb_tally *t, lb_text *out)
{
    lb_listing l = {.out = out};
    char *compared = lb_grouped(t->compared);
    lb_text_add(out, "**");
    summarise_numbers(t, &l);
    if (!l.begun && t->experiments)
        lb_list_item(&l, "No result moved: %s values of %zu experiment%s agree to the last digit",
                     compared, t->experiments, lb_plural(t->experiments));
    if (t->words[0] || t->words[1])
        lb_list_item(&l, "sentences with other words: %zu English, %zu Chinese", t->words[0],
                     t->words[1]);
    else if (t->numbers[0] || t->numbers[1])
        lb_list_item(&l, "no sentence with other words");
    if (t->figures)
        lb_list_item(&l, "%zu figure%s differ%s", t->figures, lb_plural(t->figures),
                     t->figures == 1 ? "s" : "");
    if (t->fresh)
        lb_list_item(&l, "%zu experiment%s new", t->fresh, t->fresh == 1 ? " is" : "s are");
    if (t->lost)
        lb_list_item(&l, "%zu experiment%s gone", t->lost, t->lost == 1 ? " is" : "s are");
    lb_text_add(out, ".**\n\n");
    lb_text_printf(out, "From %s%s%s to %s%s%s, profile %s.", d->revisions ? "" : "`", d->a,
                   d->revisions ? "" : "`", d->revisions ? "" : "`", d->b, d->revisions ? "" : "`",
                   d->profile);
    if (t->experiments > 1)
        lb_text_printf(out, " %zu of the %zu experiments on both sides changed.", t->changed,
                       t->experiments);
    lb_text_printf(out, "%s\n", d->remark);
    free(compared);
}

/* --- verdicts ----------------------------------------------------------------------------------
 */

static void verdict_row(const lb_change *c, const lb_move *m, lb_pipe *t)
{
    const char *id = m->was->key + strlen("verdict:"), *metric = m->now->rows;
    const lb_line *was = lb_ledger_find(c->was, metric), *now = lb_ledger_find(c->now, metric);
    const double se = was ? lb_line_error(was) : NAN,
                 move = was && now ? now->value - was->value : NAN;
    lb_put_cell(t, lb_xprintf("E%s %s", c->id + 1, id));
    lb_put_cell(t, lb_xprintf("%s → **%s**", m->was->text, m->now->text));
    lb_put_cell(t, lb_xprintf("`%s`", metric));
    lb_put_cell(t, lb_show_line(was, lb_show_scale(was, now)));
    lb_put_cell(t, lb_show_line(now, lb_show_scale(was, now)));
    lb_put_cell(t, lb_show_errors(fabs(move) / se));
}

/* hypotheses.ID.FIELD; "" without. */
static const char *words_of(const lb_spec *s, const char *id, const char *field)
{
    char *path = lb_xprintf("hypotheses.%s.%s", id, field);
    const char *text = lb_spec_text(s, path, "en");
    free(path);
    return text;
}

/* Settings that a rule names and that are not what they were. */
static void tell_settings(const lb_change *c, const char *rule, lb_text *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";
    for (const char *at = rule; c->spec_was && (at = strstr(at, "spec."));) {
        at += strlen("spec.");
        char *path = lb_xprintf("%.*s", (int)strspn(at, letters), at);
        const char *was = lb_spec_text(c->spec_was, path, "en"),
                   *now = lb_spec_text(c->spec, path, "en");
        char *told = lb_xprintf(" `spec.%s` was %s, is %s.", path, was, now);
        if (strcmp(was, now) != 0 && !(out->s && strstr(out->s, told)))
            lb_text_add(out, told);
        free(told);
        free(path);
    }
}

/* The claim, its rule, and what made the difference: the metric, the rule or a setting in it. */
static void verdict_words(const lb_change *c, const lb_move *m, lb_text *out)
{
    static const char *const outcomes[] = {"pass", "partial", "fail"};
    const char *id = m->was->key + strlen("verdict:");
    lb_text settings = {0}, rules = {0};
    bool other = false, within = false;
    for (size_t k = 0; k < 3; k++) {
        const char *rule = words_of(c->spec, id, outcomes[k]);
        if (*rule)
            lb_text_printf(&rules, "%s %s `%s`", rules.length ? ";" : " Rule:", outcomes[k], rule);
        other = other || (c->spec_was && strcmp(rule, words_of(c->spec_was, id, outcomes[k])) != 0);
        tell_settings(c, rule, &settings);
    }
    const lb_line *metric = lb_ledger_find(c->was, m->now->rows);
    within = metric != NULL;
    for (size_t i = 0; i < c->moves.n && within; i++)
        within = c->moves.at[i].was != metric || !c->moves.at[i].beyond;
    lb_text_printf(out, "- **E%s %s** %s%s%s%s%s%s\n", c->id + 1, id,
                   words_of(c->spec, id, "claim"), rules.s ? rules.s : "", rules.s ? "." : "",
                   other ? " **The rule changed.**" : "", settings.s ? settings.s : "",
                   within ? " The metric stayed inside its tolerance." : "");
    lb_text_free(&rules);
    lb_text_free(&settings);
}

static void write_verdicts(const lb_diff *d, lb_text *out)
{
    static const char *const heads[] = {"hypothesis", "verdict", "metric", "was", "now", "in s.e."};
    lb_pipe *t = lb_pipe_new(6, heads);
    lb_text words = {0};
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->at[i].moves.n; k++) {
            const lb_move *m = &d->at[i].moves.at[k];
            if (m->kind == LB_MOVE_VERDICT) {
                verdict_row(&d->at[i], m, t);
                verdict_words(&d->at[i], m, &words);
            }
        }
    if (words.length) {
        lb_text_add(out, "\n## Verdicts that flipped\n\n");
        lb_pipe_write(t, true, out);
        lb_text_printf(out, "\n%s", words.s);
    }
    lb_text_free(&words);
    lb_pipe_free(t);
}

/* --- the table of experiments ------------------------------------------------------------------
 */

static void overview_row(const lb_change *c, const lb_tally *t, lb_pipe *p)
{
    lb_put_cell(p, lb_xprintf("E%s", c->id + 1));
    lb_put_cell(p, lb_xprintf("%zu", t->flipped));
    lb_put_cell(p, lb_xprintf("%zu", t->beyond));
    lb_put_cell(p, t->worst ? lb_show_errors(t->worst->errors) : lb_xstrdup("—"));
    lb_put_cell(p, lb_xprintf("%zu", t->within));
    lb_put_cell(p, lb_xprintf("%zu / %zu", t->gone, t->added));
    lb_put_cell(p, lb_xprintf("%zu / %zu", t->words[0], t->words[1]));
    lb_put_cell(p, lb_xprintf("%zu", t->figures));
}

static void write_overview(const lb_diff *d, lb_text *out)
{
    static const char *const heads[] = {"experiment",        "flipped", "beyond tolerance",
                                        "worst, s.e.",       "within",  "keys gone / new",
                                        "sentences en / zh", "figures"};
    lb_pipe *t = lb_pipe_new(8, heads);
    size_t rows = 0;
    lb_text quiet = {0};
    for (size_t i = 0; i < d->n; i++) {
        const lb_tally n = lb_tally_of(&d->at[i]);
        if (!d->at[i].was || !d->at[i].now)
            continue;
        if (lb_is_worth_telling(&d->at[i], &n)) {
            overview_row(&d->at[i], &n, t);
            rows++;
        } else if (n.within) {
            lb_text_printf(&quiet, "%sE%s (%zu)", quiet.length ? ", " : "", d->at[i].id + 1,
                           n.within);
        }
    }
    if (rows > 1) {
        lb_text_add(out, "\n");
        lb_pipe_write(t, true, out);
    }
    if (quiet.length)
        lb_text_printf(out, "\nOnly moves within the tolerance: %s.\n", quiet.s);
    lb_text_free(&quiet);
    lb_pipe_free(t);
}

/* Experiments that only one side has. */
static void write_newcomers(const lb_diff *d, bool fresh, lb_text *out)
{
    static const char *const heads[] = {"experiment", "entries", "verdicts"};
    lb_pipe *t = lb_pipe_new(3, heads);
    size_t rows = 0;
    for (size_t i = 0; i < d->n; i++) {
        const lb_change *c = &d->at[i];
        const lb_ledger *l = fresh ? c->now : c->was;
        lb_text verdicts = {0};
        if (!l || (fresh ? c->was : c->now))
            continue;
        for (size_t k = 0; k < l->n; k++)
            if (l->lines[k].what == LB_LINE_VERDICT)
                lb_text_printf(&verdicts, "%s%s %s", verdicts.length ? ", " : "",
                               l->lines[k].key + strlen("verdict:"), l->lines[k].text);
        lb_put_cell(t, *c->title ? lb_xstrdup(c->title) : lb_xstrdup(c->name));
        lb_put_cell(t, lb_xprintf("%zu", l->n));
        lb_put_cell(t, lb_text_take(&verdicts));
        rows++;
    }
    if (rows) {
        lb_text_printf(out, "\n## %s experiments\n\n", fresh ? "New" : "Lost");
        lb_pipe_write(t, true, out);
    }
    lb_pipe_free(t);
}

static void write_all(const lb_diff *d, const lb_limits *limits, lb_text *out)
{
    const lb_tally t = lb_tally_all(d);
    write_summary(d, &t, out);
    write_overview(d, out);
    write_verdicts(d, out);
    write_newcomers(d, true, out);
    write_newcomers(d, false, out);
    lb_diff_write_inputs(d, out);
    lb_diff_write_sections(d, limits, out);
}

/* GitHub refuses a longer comment: "body is too long (maximum is 65536 characters)". */
enum { COMMENT = 65536 };

void lb_diff_write(const lb_diff *d, lb_text *out)
{
    static const lb_limits full = {10, 4, 30, 15, 30}, brief = {3, 2, 0, 0, 4};
    lb_text report = {0};
    write_all(d, &full, &report);
    if (report.length >= COMMENT) {
        lb_text_free(&report);
        write_all(d, &brief, &report);
        lb_text_add(&report, "\nShortened, so that a comment can hold it; "
                             "`loggbook diff A B EXPERIMENT` tells more of one.\n");
    }
    lb_text_add(out, report.s);
    lb_text_free(&report);
}
