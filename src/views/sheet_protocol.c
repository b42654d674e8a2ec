/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/sheet.h"

#include "core/file.h"
#include "core/hash.h"
#include "core/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- the frozen protocol -----------------------------------------------------------------------
 */

static const char *const data_parts[] = {"data.train", "data.val", "data.test"};

static const lb_member *reference_member(const lb_sheets *t)
{
    return lb_survey_find(t->survey,
                          lb_programme_text(t->survey->programme.yaml->root, "protocol"));
}

static const char *data_hash(const lb_member *m, const char *path)
{
    return m && m->facts ? lb_archive_provenance(lb_facts_record(m->facts), path) : "";
}

bool lb_sheet_is_stale(const lb_sheets *t, const lb_member *m)
{
    const lb_member *frozen = reference_member(t);
    for (size_t i = 0; i < 3; i++) {
        const char *ours = data_hash(m, data_parts[i]), *theirs = data_hash(frozen, data_parts[i]);
        if (*ours && *theirs && strcmp(ours, theirs) != 0)
            return true;
    }
    return false;
}

static char *protocol_value(const lb_member *m, const char *path)
{
    if (strncmp(path, "data.", 5) != 0)
        return lb_sheet_setting(m, path);
    const char *hash = data_hash(m, path);
    return *hash ? lb_xprintf("`%.19s`", hash) : lb_xstrdup("");
}

/* "E12: 4200, 4300; E13, E14: 42" of all whose value is neither the frozen one nor absent. */
static char *deviations(const lb_sheets *t, char *const *values, const char *frozen)
{
    lb_text out = {0};
    for (size_t i = 0; i < t->survey->n; i++) {
        size_t before = 0;
        for (size_t k = 0; k < i; k++)
            before += strcmp(values[k], values[i]) == 0;
        if (!*values[i] || before > 0 || strcmp(values[i], frozen) == 0)
            continue;
        lb_text_add(&out, out.length ? "; " : "");
        for (size_t k = i, n = 0; k < t->survey->n; k++)
            if (strcmp(values[k], values[i]) == 0) {
                char *name = lb_sheet_label(&t->survey->members[k]);
                lb_text_printf(&out, "%s%s", n++ ? ", " : "", name);
                free(name);
            }
        lb_text_printf(&out, ": %s", values[i]);
    }
    return lb_text_take(&out);
}

static void put_setting(lb_sheets *t, const char *what, const char *path, lb_text *hashed)
{
    const lb_survey *s = t->survey;
    char *frozen = protocol_value(reference_member(t), path);
    char **values = lb_xcalloc(s->n + 1, sizeof *values);
    for (size_t i = 0; i < s->n; i++)
        values[i] = protocol_value(&s->members[i], path);
    char *others = deviations(t, values, frozen);
    lb_sheet_row(t);
    lb_sheet_put(t, what);
    lb_sheet_put(t, frozen);
    lb_sheet_put(t, others);
    lb_text_printf(hashed, "%s=%s\n", path, frozen);
    for (size_t i = 0; i < s->n; i++)
        free(values[i]);
    free(others);
    free(values);
    free(frozen);
}

static void put_stale(lb_sheets *t)
{
    static const lb_column columns[] = {{"ref", NULL}, {"what", NULL}, {"value", NULL}};
    size_t n = 0;
    LB_BEGIN(t, "stale", columns);
    for (size_t i = 0; i < t->survey->n; i++) {
        const lb_member *m = &t->survey->members[i];
        if (!lb_sheet_is_stale(t, m))
            continue;
        n++;
        for (size_t k = 0; k < 3; k++)
            if (strcmp(data_hash(m, data_parts[k]),
                       data_hash(reference_member(t), data_parts[k])) != 0) {
                lb_sheet_row(t);
                lb_sheet_give(t, lb_sheet_reference(t, m));
                lb_sheet_put(t, data_parts[k]);
                lb_sheet_give(t, protocol_value(m, data_parts[k]));
            }
    }
    lb_sheet_count(t, "n_stale", n);
}

/* Each setting with its frozen value, that of the experiment the programme names, and who deviates
 * from it; the hash is that of the frozen values. */
void lb_make_protocol(lb_sheets *t)
{
    static const lb_column columns[] = {{"what", NULL}, {"value", NULL}, {"others", NULL}};
    static const struct {
        const char *path, *en, *zh;
    } parts[] = {{"data.train", "Training rows (hash)", "训练行（哈希）"},
                 {"data.val", "Validation rows (hash)", "验证行（哈希）"},
                 {"data.test", "Test rows (hash)", "测试行（哈希）"},
                 {"protocol.name", "Protocol", "协议"},
                 {"protocol.label", "Target", "目标量"},
                 {"protocol.edge_rule", "Edge rule", "边界规则"},
                 {"protocol.split_seeds", "Noise seeds, training / validation / test",
                  "噪声种子（训练 / 验证 / 测试）"},
                 {"bootstrap.resamples", "Resamples", "重采样次数"},
                 {"bootstrap.level", "Level of intervals", "区间水平"},
                 {"bootstrap.seed", "Seed of the resampling", "重采样种子"},
                 {"ridge.standardise", "Columns standardised", "各列标准化"}};
    const lb_yaml *yaml = t->survey->programme.yaml;
    lb_text hashed = {0};
    char hash[LB_HASH_SIZE];
    if (!reference_member(t)) {
        t->st = lb_yaml_fail(yaml, lb_yaml_get(yaml->root, "protocol"), LB_ENAME, t->err,
                             "there is no experiment '%s' whose protocol could be the frozen one",
                             lb_programme_text(yaml->root, "protocol"));
        return;
    }
    LB_BEGIN(t, "protocol", columns);
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        put_setting(t, lb_sheet_pick(t, parts[p].en, parts[p].zh), parts[p].path, &hashed);
    lb_hash_bytes(hashed.s, hashed.length, hash);
    lb_sheet_fact(t, "protocol_hash", lb_xprintf("%.19s", hash));
    lb_sheet_fact(t, "protocol_of", lb_sheet_reference(t, reference_member(t)));
    lb_text_free(&hashed);
    put_stale(t);
}

/* --- history ------------------------------------------------------------------------------------
 */

/* One freeze of one experiment. */
typedef struct freeze {
    const lb_member *member;
    char *text;              /* date, version, reason */
    lb_text verdicts, moved; /* what it changed in what is known */
    size_t measured;         /* numbers that were not there before */
} freeze;

typedef struct history {
    freeze *at;
    size_t n;
} history;

static void free_history(history *h)
{
    for (size_t i = 0; i < h->n; i++) {
        free(h->at[i].text);
        lb_text_free(&h->at[i].verdicts);
        lb_text_free(&h->at[i].moved);
    }
    free(h->at);
    *h = (history){0};
}

/* "moved e01.x: 0.1 -> 0.2 (1.50 s.e.)", kept as code since it is history: knowledge is a verdict,
 * a number that was not there, or one that moved by its standard error. */
static void read_detail(freeze *f, const char *line)
{
    const char *key = strchr(line, ' ') + 1, *arrow = strstr(key, " -> ");
    const char *colon = strstr(key, ": ");
    const char *errors = strrchr(line, '(');
    if (!arrow || !colon || colon > arrow)
        return;
    const char *was = colon + 2, *now = arrow + 4;
    const bool is_new = strncmp(line, "new ", 4) == 0 || strncmp(was, "not run", 7) == 0;
    if (strncmp(key, "verdict:", 8) == 0)
        lb_text_printf(&f->verdicts, "%s%.*s: %.*s → %s", f->verdicts.length ? "; " : "",
                       (int)(colon - key - 8), key + 8, (int)(arrow - was), was, now);
    else if (is_new && strncmp(key, "rowset:", 7) != 0 && strncmp(key, "table:", 6) != 0)
        f->measured++;
    else if (errors && strstr(errors, "s.e.)") && strtod(errors + 1, NULL) >= 1.0)
        lb_text_printf(&f->moved, "%s`%.*s: %.*s → %s`", f->moved.length ? "; " : "",
                       (int)(colon - key), key, (int)(arrow - was), was, now);
}

/* History lines: "#   DATE VERSION: REASON", each followed by its details, "#     ...". */
static void read_line(history *h, const lb_member *m, const char *line)
{
    line += strspn(line, "#");
    const size_t indent = strspn(line, " ");
    if (indent == 3 && isdigit((unsigned char)line[3])) {
        h->at = lb_xrealloc(h->at, h->n + 1, sizeof *h->at);
        h->at[h->n++] = (freeze){.member = m, .text = lb_xstrdup(line + indent)};
    } else if (indent > 3 && h->n > 0 && strchr(line + indent, ' ')) {
        read_detail(&h->at[h->n - 1], line + indent);
    }
}

static lb_status read_history(const lb_sheets *t, history *h)
{
    lb_status st = LB_OK;
    for (size_t i = 0; i < t->survey->n && st == LB_OK; i++) {
        const lb_member *m = &t->survey->members[i];
        lb_ledger *frozen = NULL;
        char *path = lb_xprintf("%s/%s.tsv", t->survey->places->frozen, lb_spec_name(m->spec));
        if (lb_file_exists(path))
            st = lb_ledger_load(path, &frozen, t->err);
        for (char *line = frozen ? strtok(frozen->history, "\n") : NULL; line;
             line = strtok(NULL, "\n"))
            read_line(h, m, line);
        lb_ledger_free(frozen);
        free(path);
    }
    return st;
}

/* Date, version and reason, three cells. */
static void put_event(lb_sheets *t, const char *text)
{
    const size_t date = strcspn(text, " "), rest = date + strspn(text + date, " ");
    const size_t version = strcspn(text + rest, ":");
    const char *reason = text + rest + version;
    lb_sheet_give(t, lb_xprintf("%.*s", (int)date, text));
    lb_sheet_give(t, lb_xprintf("%.*s", (int)version, text + rest));
    lb_sheet_put(t, reason + strspn(reason, ": "));
}

static int by_text(const void *a, const void *b)
{
    const freeze *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    return order ? order : strcmp(x->member->id, y->member->id);
}

/* Every freeze; the same reason on the same day is one line. */
static void put_changes(lb_sheets *t, const history *h)
{
    static const lb_column columns[] = {
        {"date", NULL}, {"version", NULL}, {"reason", NULL}, {"experiments", NULL}};
    size_t n = 0;
    LB_BEGIN(t, "changes", columns);
    for (size_t i = 0, end; i < h->n; i = end, n++) {
        lb_text users = {0};
        for (end = i; end < h->n && strcmp(h->at[end].text, h->at[i].text) == 0; end++) {
            char *name = lb_sheet_label(h->at[end].member);
            lb_text_printf(&users, "%s%s", end > i ? ", " : "", name);
            free(name);
        }
        lb_sheet_row(t);
        put_event(t, h->at[i].text);
        lb_sheet_give(t, lb_text_take(&users));
    }
    lb_sheet_count(t, "n_changes", n);
}

static void put_knowledge(lb_sheets *t, const history *h)
{
    static const lb_column columns[] = {{"date", NULL},    {"version", NULL},  {"reason", NULL},
                                        {"ref", NULL},     {"verdicts", NULL}, {"moved", NULL},
                                        {"measured", NULL}};
    size_t n = 0;
    LB_BEGIN(t, "knowledge", columns);
    for (size_t i = 0; i < h->n; i++) {
        const freeze *f = &h->at[i];
        if (!f->verdicts.length && !f->moved.length && !f->measured)
            continue;
        lb_sheet_row(t);
        put_event(t, f->text);
        lb_sheet_give(t, lb_sheet_reference(t, f->member));
        lb_sheet_put(t, f->verdicts.length ? f->verdicts.s : "");
        lb_sheet_put(t, f->moved.length ? f->moved.s : "");
        lb_sheet_give(t, lb_xprintf("%zu", f->measured));
        n++;
    }
    lb_sheet_count(t, "n_knowledge", n);
}

/* When each experiment was specified, first and last frozen. @p h is in the order of time. */
static void put_timeline(lb_sheets *t, const history *h)
{
    static const lb_column columns[] = {{"ref", NULL},   {"title", NULL}, {"specified", NULL},
                                        {"first", NULL}, {"last", NULL},  {"freezes", NULL},
                                        {"status", NULL}};
    LB_BEGIN(t, "timeline", columns);
    for (size_t i = 0; i < t->survey->n; i++) {
        const lb_member *m = &t->survey->members[i];
        const freeze *first = NULL, *last = NULL;
        size_t n = 0;
        for (size_t k = 0; k < h->n; k++) {
            if (h->at[k].member != m)
                continue;
            first = first ? first : &h->at[k];
            last = &h->at[k];
            n++;
        }
        lb_sheet_row(t);
        lb_sheet_give(t, lb_sheet_reference(t, m));
        lb_sheet_put(t, lb_spec_text(m->spec, "title", t->language));
        lb_sheet_put(t, lb_spec_text(m->spec, "date", "en"));
        lb_sheet_give(t, lb_xprintf("%.10s", first ? first->text : "—"));
        lb_sheet_give(t, lb_xprintf("%.10s", last ? last->text : "—"));
        lb_sheet_give(t, lb_xprintf("%zu", n));
        lb_sheet_put(t, lb_state_word(m->state, t->language));
    }
}

void lb_make_changes(lb_sheets *t)
{
    history h = {0};
    t->st = read_history(t, &h);
    if (h.n > 1)
        qsort(h.at, h.n, sizeof *h.at, by_text);
    put_changes(t, &h);
    put_knowledge(t, &h);
    put_timeline(t, &h);
    free_history(&h);
}
