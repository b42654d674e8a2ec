/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/cards.h"

#include "core/memory.h"
#include "report/format.h"
#include "report/oracle.h"
#include "report/pipe.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_HASH = 7 + 12 }; /* "sha256:" and twelve digits */

/* Append a table without its last newline and free it. */
static void put_table(lb_page *p, lb_pipe *t)
{
    lb_pipe_write(t, p->dialect == LB_CLEAN, &p->out);
    p->out.s[--p->out.length] = '\0';
    lb_pipe_free(t);
}

/* A number or text into a cell. */
static lb_status put_fact(lb_page *p, lb_pipe *t, const lb_fact *fact, const char *format)
{
    lb_text markup = {0}, plain = {0};
    const lb_status st = lb_page_fact_to(p, fact, format, &markup, &plain);
    if (st == LB_OK)
        lb_pipe_cell(t, markup.s ? markup.s : "", plain.s ? plain.s : "",
                     fact->number && !*fact->number->na);
    lb_text_free(&markup);
    lb_text_free(&plain);
    return st;
}

/* A printed passage into a cell; takes @p s. */
static void put_owned(lb_pipe *t, char *s)
{
    lb_pipe_text(t, s);
    free(s);
}

/* A value as stored, of any magnitude: a column of them has no common point and reads from the
 * left. Takes @p s. */
static void put_stored(lb_pipe *t, char *s)
{
    lb_pipe_cell(t, s, s, false);
    free(s);
}

/* "95% CI". The caller frees it. */
static char *interval_heading(const lb_page *p)
{
    return lb_xprintf("%.6g%% CI", 100.0 * lb_page_level(p));
}

/* --- hypotheses --------------------------------------------------------------------------------
 */

/* What the outcome decides: if_pass for PASS, if_partial for PARTIAL, if_fail for FAIL. */
static lb_status put_decision(lb_page *p, lb_pipe *t, const lb_verdict *v)
{
    const char *which = strcmp(v->outcome, "PASS") == 0      ? "if_pass"
                        : strcmp(v->outcome, "PARTIAL") == 0 ? "if_partial"
                        : strcmp(v->outcome, "FAIL") == 0    ? "if_fail"
                                                             : NULL;
    if (!which) {
        lb_pipe_text(t, "—");
        return LB_OK;
    }
    char *path = lb_xprintf("hypotheses.%s.%s", v->id, which), *text = NULL;
    const lb_status st = lb_page_sentence(p, path, &text);
    if (st == LB_OK)
        lb_pipe_text(t, *text ? text : "—");
    free(text);
    free(path);
    return st;
}

static lb_status put_hypothesis(lb_page *p, lb_pipe *t, const lb_verdict *v)
{
    char *path = lb_xprintf("hypotheses.%s.claim", v->id), *claim = NULL;
    lb_fact metric;
    lb_pipe_text(t, v->id);
    lb_status st = lb_page_sentence(p, path, &claim);
    if (st == LB_OK)
        lb_pipe_text(t, claim);
    if (st == LB_OK && lb_facts_find(p->facts, v->metric, &metric, NULL) == LB_OK) {
        st = put_fact(p, t, &metric, NULL);
        if (st == LB_OK && metric.number && isfinite(metric.number->ci_lo))
            st = put_fact(p, t, &metric, "ci");
        else if (st == LB_OK)
            lb_pipe_text(t, "—");
    } else if (st == LB_OK) {
        lb_pipe_text(t, "—");
        lb_pipe_text(t, "—");
    }
    lb_text verdict = {0};
    lb_page_verdict_to(p, v, &verdict);
    put_owned(t, lb_text_take(&verdict));
    if (st == LB_OK)
        st = put_decision(p, t, v);
    free(claim);
    free(path);
    return st;
}

/* The rules as they were applied, one a line, under the table. */
static void put_rules(lb_page *p, const lb_verdict *verdicts, size_t n)
{
    static const char *const names[] = {"pass", "partial", "fail"};
    for (size_t i = 0; i < n; i++) {
        lb_text_printf(&p->out, "\n- **%s**", verdicts[i].id);
        for (size_t k = 0, shown = 0; k < 3; k++) {
            char *path = lb_xprintf("hypotheses.%s.%s", verdicts[i].id, names[k]);
            const char *rule = lb_spec_text(lb_facts_spec(p->facts), path, "en");
            if (*rule)
                lb_text_printf(&p->out, "%s %s `%s`", shown++ ? ";" : "", names[k], rule);
            free(path);
        }
        if (*verdicts[i].detail)
            lb_text_printf(&p->out, " → %s (`%s`)", verdicts[i].outcome, verdicts[i].detail);
    }
}

lb_status lb_card_hypotheses(lb_page *p)
{
    const char *en[] = {"Hypothesis", "Claim", "Result", NULL, "Verdict", "Decides"};
    const char *zh[] = {"假设", "主张", "结果", NULL, "判定", "决定"};
    size_t n;
    const lb_verdict *verdicts = lb_archive_verdicts(lb_facts_record(p->facts), &n);
    if (n == 0)
        return LB_FAIL(p->err, LB_ENAME, "the record holds no verdicts");
    char *interval = interval_heading(p);
    en[3] = zh[3] = interval;
    lb_pipe *t = lb_pipe_new(6, lb_page_is_chinese(p) ? zh : en);
    free(interval);
    lb_status st = LB_OK;
    for (size_t i = 0; i < n && st == LB_OK; i++)
        st = put_hypothesis(p, t, &verdicts[i]);
    if (st != LB_OK) {
        lb_pipe_free(t);
        return st;
    }
    put_table(p, t);
    lb_text_add(&p->out, "\n");
    put_rules(p, verdicts, n);
    return LB_OK;
}

/* --- scope -------------------------------------------------------------------------------------
 */

/* "alphas 0.001, 0.01; extend decades 2": a part of the spec in one line. */
static void flatten(const lb_yaml_node *node, const char *lang, lb_text *out)
{
    if (node->kind == LB_YAML_SCALAR) {
        lb_text_add(out, node->text);
        return;
    }
    if (lb_yaml_get(node, lang)) {
        flatten(lb_yaml_get(node, lang), lang, out);
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        if (node->kind == LB_YAML_LIST) {
            lb_text_add(out, i > 0 ? ", " : "");
        } else {
            lb_text_add(out, i > 0 ? "; " : "");
            for (const char *c = node->keys[i]; *c; c++)
                lb_text_addn(out, *c == '_' ? " " : c, 1);
            lb_text_add(out, " ");
        }
        flatten(node->items[i], lang, out);
    }
}

static void put_settings(lb_page *p, lb_pipe *t)
{
    static const struct {
        const char *path, *en, *zh;
    } parts[] = {{"protocol", "Protocol", "协议"},
                 {"noise", "Noise", "噪声"},
                 {"bins", "Bins", "分箱"},
                 {"ridge", "Ridge", "Ridge"},
                 {"bootstrap", "Bootstrap", "自助法"},
                 {"seeds", "Seeds", "随机种子"},
                 {"replication", "Replication", "重复"},
                 {"thresholds", "Thresholds", "阈值"},
                 {"settings", "Settings", "设置"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const lb_yaml_node *node = lb_spec_node(lb_facts_spec(p->facts), parts[i].path);
        lb_text line = {0};
        if (!node)
            continue;
        flatten(node, lb_facts_language(p->facts), &line);
        lb_pipe_text(t, lb_page_is_chinese(p) ? parts[i].zh : parts[i].en);
        put_owned(t, lb_text_take(&line));
    }
}

static void put_rowsets(lb_page *p, lb_pipe *t)
{
    size_t n;
    const lb_rowset_entry *sets = lb_archive_rowsets(lb_facts_record(p->facts), &n);
    for (size_t i = 0; i < n; i++) {
        lb_text line = {0};
        lb_text_add(&line, "n = ");
        lb_format_count(sets[i].n, &line);
        lb_text_printf(&line, " · `%.19s`", sets[i].hash); /* "sha256:" and twelve digits */
        put_owned(t, lb_xprintf("%s%s", lb_page_is_chinese(p) ? "数据行 " : "Rows ", sets[i].name));
        put_owned(t, lb_text_take(&line));
    }
}

/* "e02.scope.mean_snr" -> "Mean snr" */
static char *label_of(const char *key)
{
    char *label = lb_xstrdup(strrchr(key, '.') + 1);
    label[0] = (char)toupper((unsigned char)label[0]);
    for (char *c = label; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    return label;
}

static lb_status put_scope_keys(lb_page *p, lb_pipe *t)
{
    const lb_archive *a = lb_facts_record(p->facts);
    char *prefix = lb_xprintf("%s.scope.", lb_archive_experiment(a));
    size_t n_texts;
    const lb_pair *texts = lb_archive_texts(a, &n_texts);
    const size_t n = n_texts + lb_archive_count(a);
    lb_status st = LB_OK;
    for (size_t i = 0; i < n && st == LB_OK; i++) {
        const char *key = i < n_texts ? texts[i].key : lb_archive_key(a, i - n_texts);
        lb_fact fact;
        if (strncmp(key, prefix, strlen(prefix)) != 0)
            continue;
        put_owned(t, label_of(key));
        st = lb_facts_find(p->facts, key, &fact, p->err);
        if (st == LB_OK)
            st = put_fact(p, t, &fact, fact.number ? "unit" : NULL);
    }
    free(prefix);
    return st;
}

lb_status lb_card_scope(lb_page *p)
{
    static const char *const en[] = {"Scope", "Value"}, *const zh[] = {"范围", "取值"};
    const char *profile = lb_archive_provenance(lb_facts_record(p->facts), "profile");
    lb_pipe *t = lb_pipe_new(2, lb_page_is_chinese(p) ? zh : en);
    if (*profile) {
        lb_pipe_text(t, lb_page_is_chinese(p) ? "配置" : "Profile");
        lb_pipe_text(t, profile);
    }
    const lb_status st = put_scope_keys(p, t);
    if (st != LB_OK) {
        lb_pipe_free(t);
        return st;
    }
    put_rowsets(p, t);
    put_settings(p, t);
    put_table(p, t);
    return LB_OK;
}

/* --- provenance --------------------------------------------------------------------------------
 */

static lb_status one_provenance(lb_page *p, const char *entry)
{
    size_t n;
    const lb_archive *a = lb_facts_record(p->facts);
    const lb_pair *pairs = lb_archive_provenances(a, &n);
    const char **keys = lb_xcalloc(n + 1, sizeof *keys);
    for (size_t i = 0; i < n; i++) {
        keys[i] = pairs[i].key;
        if (strcmp(pairs[i].key, entry) == 0) {
            lb_text_add(&p->out, pairs[i].value);
            free(keys);
            return LB_OK;
        }
    }
    const char *near = lb_nearest(entry, keys, n);
    const lb_status st =
        LB_FAIL(p->err, LB_ENAME, "no provenance '%s' in %s%s%s%s", entry, lb_archive_path(a),
                near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
    free(keys);
    return st;
}

lb_status lb_card_provenance(lb_page *p, const char *entry)
{
    static const char *const en[] = {"Reproduce", "Value"}, *const zh[] = {"复现", "取值"};
    if (entry)
        return one_provenance(p, entry);
    size_t n;
    const lb_archive *a = lb_facts_record(p->facts);
    const lb_pair *pairs = lb_archive_provenances(a, &n);
    lb_pipe *t = lb_pipe_new(2, lb_page_is_chinese(p) ? zh : en);
    lb_pipe_text(t, lb_page_is_chinese(p) ? "命令" : "Command");
    char *origin = lb_xprintf("%s.data.origin", lb_archive_experiment(a));
    const char *from = lb_archive_text(a, origin);
    put_owned(t, lb_xprintf("`make %s PROFILE=%s%s`", lb_archive_experiment(a),
                            lb_facts_places(p->facts)->profile,
                            from && strcmp(from, "own") == 0 ? " DATA=DIR" : ""));
    free(origin);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(pairs[i].key, "git", 3) == 0 && p->dialect == LB_CLEAN)
            continue;
        lb_pipe_text(t, pairs[i].key);
        put_owned(t, lb_xprintf("`%s`", pairs[i].value));
    }
    put_table(p, t);
    return LB_OK;
}

/* --- published there, found here ---------------------------------------------------------------
 */

static const char *yes_no(const lb_page *p, bool yes)
{
    return lb_page_is_chinese(p) ? (yes ? "是" : "否") : (yes ? "yes" : "no");
}

static void put_published_value(const lb_published_entry *theirs, lb_pipe *t)
{
    lb_text s = {0};
    lb_format_published(theirs, false, false, &s);
    put_owned(t, lb_text_take(&s));
    if (!isfinite(theirs->ci_lo) || !isfinite(theirs->ci_hi)) {
        lb_pipe_text(t, "—");
        return;
    }
    lb_format_published(theirs, true, false, &s);
    put_owned(t, lb_text_take(&s));
}

/* Sign and side of the threshold, where both sides have a number. */
static void put_agreement(lb_page *p, lb_pipe *t, const lb_published_entry *theirs,
                          const lb_fact *ours, const char *threshold)
{
    const bool known = ours->number && isfinite(ours->number->value) && isfinite(theirs->number);
    char *path = lb_xprintf("thresholds.%s", threshold);
    const double limit = lb_spec_number(lb_facts_spec(p->facts), path);
    free(path);
    if (known)
        lb_pipe_text(t, yes_no(p, (theirs->number > 0.0) == (ours->number->value > 0.0)));
    else
        lb_pipe_text(t, "—");
    if (known && *threshold && isfinite(limit))
        lb_pipe_text(t, yes_no(p, (theirs->number >= limit) == (ours->number->value >= limit)));
    else
        lb_pipe_text(t, "—");
}

static lb_status put_comparison(lb_page *p, lb_pipe *t, const lb_yaml_node *row,
                                const lb_published *published)
{
    const lb_yaml_node *ours = lb_yaml_get(row, "ours"), *theirs = lb_yaml_get(row, "theirs");
    const lb_yaml_node *threshold = lb_yaml_get(row, "threshold");
    lb_fact fact;
    lb_status st = lb_facts_find(p->facts, ours->text, &fact, p->err);
    if (st != LB_OK)
        return st;
    const char *key = theirs ? theirs->text : ours->text;
    const lb_published_entry *entry = lb_published_find(published, key);
    if (!entry) {
        const char *near = lb_published_nearest(published, key);
        return LB_FAIL(p->err, LB_ENAME, "%s:%d:%d: nothing published under '%s'%s%s%s",
                       lb_spec_path(lb_facts_spec(p->facts)), row->line, row->column, key,
                       near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    put_owned(t, lb_xprintf("`%s`", ours->text));
    put_published_value(entry, t);
    st = put_fact(p, t, &fact, NULL);
    if (st == LB_OK && fact.number && isfinite(fact.number->ci_lo))
        st = put_fact(p, t, &fact, "ci");
    else if (st == LB_OK)
        lb_pipe_text(t, "—");
    put_agreement(p, t, entry, &fact, threshold ? threshold->text : "");
    lb_pipe_text(t, entry->source);
    return st;
}

lb_status lb_card_published(lb_page *p)
{
    static const char *const en[] = {"Quantity", "Published", "CI there",     "Here",
                                     "CI here",  "Same sign", "Same verdict", "Source"};
    static const char *const zh[] = {"量",       "已发表",   "其区间",   "本次",
                                     "本次区间", "符号一致", "判定一致", "出处"};
    const lb_yaml_node *rows = lb_spec_node(lb_facts_spec(p->facts), "published");
    const lb_published *published;
    if (!rows || rows->n == 0)
        return LB_FAIL(p->err, LB_ENAME,
                       "%s lists nothing under published:", lb_spec_path(lb_facts_spec(p->facts)));
    lb_status st = lb_facts_published(p->facts, &published, p->err);
    if (st != LB_OK)
        return st;
    lb_pipe *t = lb_pipe_new(8, lb_page_is_chinese(p) ? zh : en);
    for (size_t i = 0; i < rows->n && st == LB_OK; i++)
        st = put_comparison(p, t, rows->items[i], published);
    if (st == LB_OK)
        put_table(p, t);
    else
        lb_pipe_free(t);
    return st;
}

/* --- differences over the resamples ------------------------------------------------------------
 */

/* A number of the record by its name, a field of it maybe, into a cell. */
static lb_status put_named(lb_page *p, lb_pipe *t, const char *key, const char *field,
                           const char *format)
{
    char *name = lb_xprintf("%s%s%s", key, *field ? "." : "", field);
    lb_fact fact;
    lb_status st = lb_facts_find(p->facts, name, &fact, p->err);
    if (st == LB_OK)
        st = put_fact(p, t, &fact, format);
    free(name);
    return st;
}

static lb_status put_difference(lb_page *p, lb_pipe *t, const char *key)
{
    put_owned(t, lb_xprintf("`%s`", key));
    lb_status st = put_named(p, t, key, "", NULL);
    if (st == LB_OK)
        st = put_named(p, t, key, "", "ci");
    if (st == LB_OK)
        st = put_named(p, t, key, "boot_mean", NULL);
    if (st == LB_OK)
        st = put_named(p, t, key, "p_positive", NULL);
    if (st == LB_OK)
        st = put_named(p, t, key, "n", NULL);
    return st;
}

lb_status lb_card_differences(lb_page *p)
{
    const char *en[] = {"Difference", "ΔR²", NULL, "mean of resamples", "P(ΔR² > 0)", "n"};
    const char *zh[] = {"差值", "ΔR²", NULL, "重抽样均值", "P(ΔR² > 0)", "n"};
    const lb_archive *record = lb_facts_record(p->facts);
    char *interval = interval_heading(p);
    en[2] = zh[2] = interval;
    lb_pipe *t = lb_pipe_new(6, lb_page_is_chinese(p) ? zh : en);
    lb_status st = LB_OK;
    size_t shown = 0;
    for (size_t i = 0; i < lb_archive_count(record) && st == LB_OK; i++) {
        if (!isfinite(lb_archive_at(record, i)->boot_mean))
            continue;
        st = put_difference(p, t, lb_archive_key(record, i));
        shown++;
    }
    if (st == LB_OK && shown > 0) {
        lb_text_add(&p->out,
                    lb_page_is_chinese(p)
                        ? "**全部差值的重抽样。** 配对：每次重抽样中两个模型使用相同的行；"
                          "P 为差值大于零的重抽样所占比例。\n\n"
                        : "**Every difference over its resamples.** Paired: both models on "
                          "the same rows of every resample; P is the share of resamples "
                          "in which the difference is above zero.\n\n");
        put_table(p, t);
    } else {
        lb_pipe_free(t);
    }
    free(interval);
    return st;
}

/* --- the appendix ------------------------------------------------------------------------------
 */

/* "covered test rows sha256:1234" */
static void add_rows(const lb_fact *fact, lb_text *out)
{
    const char *rows = fact->number->rows;
    if (*rows)
        lb_text_printf(out, "%s %.*s", lb_archive_rowset_name(fact->record, rows), SHORT_HASH,
                       rows);
}

/* What hovering over the number says, free of quotes: "e03.delta_r2 · 95% CI [..] · n 816 · rows
 * covered sha256:1234 · seed 42 · clean". The page's pandoc filter takes it to every place. */
static void add_note(const lb_page *p, const lb_fact *fact, lb_text *out)
{
    const lb_number *x = fact->number;
    lb_text_add(out, fact->key);
    if (*x->na)
        return;
    if (isfinite(x->ci_lo)) {
        lb_text_printf(out, " · %.6g%% CI ", 100.0 * lb_page_level(p));
        lb_format_number(x, NULL, "ci", false, out, NULL);
    }
    if (x->n > 0)
        lb_text_printf(out, " · n %zu", x->n);
    if (*x->rows) {
        lb_text_add(out, " · rows ");
        add_rows(fact, out);
    }
    if (x->seed)
        lb_text_printf(out, " · seed %llu", (unsigned long long)x->seed);
    if (*x->protocol)
        lb_text_printf(out, " · %s", x->protocol);
    if (x->oracle)
        lb_text_add(out, " · oracle");
}

static void put_entry(lb_page *p, lb_pipe *t, const lb_fact *fact)
{
    const lb_number *x = fact->number;
    const lb_line *frozen = lb_facts_frozen(p->facts, fact->key);
    lb_text anchor = {0};
    lb_text_printf(&anchor, "[`%s`]{", fact->key);
    lb_page_anchor(fact->key, &anchor);
    lb_text_add(&anchor, " title=\"");
    add_note(p, fact, &anchor);
    lb_text_add(&anchor, "\"}");
    char *markup = lb_text_take(&anchor);
    lb_pipe_cell(t, markup, fact->key, false);
    free(markup);
    const char *mark = lb_oracle_marks(x, NULL) ? LB_ORACLE_MARK : "";
    put_stored(t, *x->na ? lb_xstrdup(x->na) : lb_xprintf("%.10g%s", x->value, mark));
    put_owned(t, isfinite(x->ci_lo) ? lb_xprintf("[%.6g, %.6g]%s", x->ci_lo, x->ci_hi, mark)
                                    : lb_xstrdup(""));
    put_owned(t, x->n > 0 ? lb_xprintf("%zu", x->n) : lb_xstrdup(""));
    lb_text rows = {0};
    add_rows(fact, &rows);
    put_owned(t, lb_text_take(&rows));
    put_owned(t, x->seed ? lb_xprintf("%llu", (unsigned long long)x->seed) : lb_xstrdup(""));
    put_stored(t, frozen && isfinite(frozen->value) ? lb_xprintf("%.10g", frozen->value)
                                                    : lb_xstrdup(""));
}

/* What left the record: "e02: program `e02_piecewise`, version `0.1.0`, git.commit `16491f96…`,
 * ..." */
static void put_record(lb_page *p, const lb_archive *a)
{
    static const char *const parts[] = {"program", "version", "git.commit", "data.", "spec.hash"};
    size_t n, shown = 0;
    const lb_pair *pairs = lb_archive_provenances(a, &n);
    lb_text_printf(&p->out, "\n- [**%s**]{#record-%s}: ", lb_archive_experiment(a),
                   lb_archive_experiment(a));
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        const size_t length = strlen(parts[k]);
        for (size_t i = 0; i < n; i++) {
            const bool whole = parts[k][length - 1] != '.';
            if (strncmp(pairs[i].key, parts[k], length) == 0 && !(whole && pairs[i].key[length]))
                lb_text_printf(&p->out, "%s%s `%.*s`", shown++ ? ", " : "", pairs[i].key,
                               strncmp(pairs[i].value, "sha256:", 7) == 0 ? SHORT_HASH : 48,
                               pairs[i].value);
        }
    }
}

/* The records the numbers above come from, each once. */
static void put_records(lb_page *p)
{
    const size_t n = lb_facts_used(p->facts);
    lb_text_add(&p->out, "\n\n");
    for (size_t i = 0; i < n; i++) {
        const lb_archive *a = lb_facts_use(p->facts, i)->record;
        size_t k = 0;
        while (lb_facts_use(p->facts, k)->record != a)
            k++;
        if (k == i)
            put_record(p, a);
    }
}

lb_status lb_card_appendix(lb_page *p)
{
    static const char *const en[] = {"Key", "Value", "Interval", "n", "Rows", "Seed", "Frozen"};
    static const char *const zh[] = {"键", "值", "区间", "n", "数据行", "种子", "冻结值"};
    lb_pipe *t = lb_pipe_new(7, lb_page_is_chinese(p) ? zh : en);
    size_t shown = 0;
    for (size_t i = 0; i < lb_facts_used(p->facts); i++) {
        const lb_fact *fact = lb_facts_use(p->facts, i);
        if (fact->number) {
            put_entry(p, t, fact);
            shown++;
        }
    }
    if (shown == 0) {
        lb_pipe_free(t);
        return LB_OK;
    }
    lb_text_add(&p->out, "\n## Provenance of numbers {#provenance-of-numbers}\n\n");
    put_table(p, t);
    put_records(p);
    lb_text_add(&p->out, "\n");
    return LB_OK;
}
