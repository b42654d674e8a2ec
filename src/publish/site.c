/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "publish/site.h"

#include "core/file.h"
#include "core/memory.h"
#include "publish/html.h"
#include "report/format.h"
#include "report/oracle.h"
#include "report/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const lb_language[LB_LANGUAGES] = {"en", "zh"};

/* --- words -------------------------------------------------------------------------------------
 */

typedef enum word {
    W_HTML_LANG,
    W_TITLE,
    W_LEAD,
    W_DOCUMENTS,
    W_COUNTS,
    W_SKIP,
    W_OTHER,
    W_STATUS,
    W_PHASE,
    W_UNPLACED,
    W_ANY,
    W_FIND,
    W_SHOWN,
    W_REPORT,
    W_RECORD,
    W_FROZEN_FILE,
    W_ALL_NUMBERS,
    W_EDITION,
    W_FILES,
    WORDS
} word;

static const char *const words[WORDS][LB_LANGUAGES] = {
    [W_HTML_LANG] = {"en", "zh-CN"},
    [W_TITLE] = {"Experiments", "全部实验"},
    [W_DOCUMENTS] = {"Documents above the reports", "报告之上的文档"},
    [W_LEAD] = {"Every number here was filled in from the record of the program that computed it, "
                "and leads to its trail: program, data, seed, commit and frozen value.",
                "这里的每个数都取自计算它的程序所留下的记录，点开即可看到它的来历："
                "程序、数据、种子、提交与冻结值。"},
    [W_COUNTS] = {"%zu experiments · %zu verdicts · %s numbers",
                  "%zu 个实验 · %zu 项判定 · %s 个数"},
    [W_SKIP] = {"Skip to the text", "跳到正文"},
    [W_OTHER] = {"中文", "English"},
    [W_STATUS] = {"Status", "状态"},
    [W_PHASE] = {"Phase", "阶段"},
    [W_UNPLACED] = {"not placed", "未列入计划"},
    [W_ANY] = {"all", "全部"},
    [W_FIND] = {"Find in titles, claims and keys", "在标题、主张与键中查找"},
    [W_SHOWN] = {"shown", "项"},
    [W_REPORT] = {"Report", "报告"},
    [W_RECORD] = {"Record", "记录"},
    [W_FROZEN_FILE] = {"Frozen values", "冻结值"},
    [W_ALL_NUMBERS] = {"All numbers", "全部数字"},
    [W_EDITION] = {"loggbook %s · profile %s", "loggbook %s · 配置 %s"},
    [W_FILES] = {"All numbers as JSON", "全部数字（JSON）"},
};

static const char *say(word w, int language)
{
    return words[w][language];
}

const char *lb_document_name(size_t i)
{
    return i < LB_VIEWS ? lb_view_name[i] : "audit";
}

const char *lb_document_title(size_t i, int language)
{
    static const char *const titles[LB_DOCUMENTS][LB_LANGUAGES] = {
        {"Summary", "摘要"}, {"Framework", "主框架"}, {"Hub", "枢纽"},  {"Roadmap", "路线图"},
        {"Kanban", "看板"},  {"Cards", "知识卡片"},   {"Audit", "审查"}};
    return titles[i][language];
}

/* What a document is for: shown under its name. */
static const char *document_purpose(size_t i, int language)
{
    static const char *const purposes[LB_DOCUMENTS][LB_LANGUAGES] = {
        {"Answers and the numbers that matter", "答案与关键数字"},
        {"Hypotheses, questions, results", "假设、问题与结果"},
        {"Consensus, protocol, insights", "共识、协议与洞见"},
        {"Phases, gates, what needs what", "阶段、关卡与依赖"},
        {"What is to do, running, done", "待办、进行与完成"},
        {"What is settled, one card each", "已定结论，每条一卡"},
        {"Contradictions among printed numbers", "已发表数字之间的矛盾"}};
    return purposes[i][language];
}

/* The outcomes of a verdict with the class that gives them their colour. */
static const struct outcome {
    const char *word, *class;
} outcomes[] = {{"PASS", "pass"},
                {"PARTIAL", "partial"},
                {"FAIL", "fail"},
                {"INCONCLUSIVE", "inconclusive"},
                {"NOT RUN", "not-run"}};
enum { OUTCOMES = sizeof outcomes / sizeof *outcomes };

static size_t outcome_index(const char *name)
{
    size_t i = 0;
    while (i < OUTCOMES - 1 && strcmp(outcomes[i].word, name) != 0)
        i++;
    return i;
}

/* --- pieces ------------------------------------------------------------------------------------
 */

void lb_site_frame(const lb_site *site, int language, const char *title, const char *bar,
                   const char *body, lb_text *out)
{
    char *edition = lb_xprintf(say(W_EDITION, language), site->version, site->profile);
    const struct {
        const char *word, *value;
    } parts[] = {{"@lang@", say(W_HTML_LANG, language)},
                 {"@title@", title},
                 {"@policy@", site->policy},
                 {"@style@", site->style},
                 {"@skip@", say(W_SKIP, language)},
                 {"@bar@", bar},
                 {"@body@", body},
                 {"@edition@", edition},
                 {"@script@", site->script}};
    enum { PARTS = sizeof parts / sizeof *parts };
    for (const char *s = site->frame; *s;) {
        const size_t run = strcspn(s, "@");
        lb_text_addn(out, s, run);
        s += run;
        size_t i = 0;
        while (*s && i < PARTS && strncmp(s, parts[i].word, strlen(parts[i].word)) != 0)
            i++;
        if (*s && i < PARTS) {
            lb_text_add(out, parts[i].value);
            s += strlen(parts[i].word);
        } else if (*s) {
            lb_text_addn(out, s++, 1);
        }
    }
    free(edition);
}

static void add_badge(lb_text *out, const char *class, const char *text)
{
    lb_text_printf(out, "<span class=\"verdict %s\">", class);
    lb_html_text(out, text);
    lb_text_add(out, "</span>");
}

static lb_status read_part(const char *templates, const char *name, char **out, lb_error *err)
{
    char *path = lb_xprintf("%s/%s", templates, name);
    const lb_status st = lb_file_read(path, out, NULL, err);
    free(path);
    return st;
}

lb_status lb_site_open(const char *templates, lb_site *site, lb_error *err)
{
    char *report = NULL, *own = NULL;
    lb_status st = read_part(templates, "pandoc/report.css", &report, err);
    if (st == LB_OK)
        st = read_part(templates, "site/site.css", &own, err);
    if (st == LB_OK)
        st = read_part(templates, "site/bar.css", &site->bar_style, err);
    if (st == LB_OK)
        st = read_part(templates, "site/filter.js", &site->script, err);
    if (st == LB_OK)
        st = read_part(templates, "site/policy.html", &site->policy, err);
    if (st == LB_OK)
        st = read_part(templates, "site/page.html", &site->frame, err);
    if (st == LB_OK)
        site->style = lb_xprintf("%s%s%s", report, site->bar_style, own);
    free(own);
    free(report);
    return st;
}

void lb_site_close(lb_site *site)
{
    for (size_t i = 0; i < site->n; i++)
        lb_ledger_free(site->items[i].frozen);
    free(site->items);
    free(site->style);
    free(site->bar_style);
    free(site->script);
    free(site->policy);
    free(site->frame);
    lb_published_free(site->published);
    lb_survey_close(&site->survey);
    *site = (lb_site){0};
}

/* --- the index ---------------------------------------------------------------------------------
 */

/* The phase the programme places the experiment in, "" if it does not. */
static const char *phase_of(const lb_exhibit *e)
{
    return e->member->entry ? lb_programme_text(e->member->entry, "phase") : "";
}

/* The hypothesis its status rests on, "" if the programme names none. */
static const char *deciding_of(const lb_exhibit *e)
{
    return e->member->entry ? lb_programme_text(e->member->entry, "decides") : "";
}

/* "P2 Noise" */
static void add_phase(lb_text *out, const lb_site *site, const char *phase, int language)
{
    const lb_yaml_node *entry = lb_yaml_get(site->survey.programme.phases, phase);
    if (!entry) {
        lb_text_add(out, say(W_UNPLACED, language));
        return;
    }
    lb_text_printf(out, "<b>%s</b> ", phase);
    lb_html_text(out, lb_programme_text(lb_yaml_get(entry, "title"), lb_language[language]));
}

/* A number that leads to its trail. */
static void add_linked(lb_text *out, const lb_exhibit *e, int language, const char *key,
                       const lb_number *x, const char *format)
{
    const lb_archive *a = e->record;
    const lb_line *frozen = lb_ledger_find(e->frozen, key);
    lb_text shown = {0};
    lb_html_number(&shown, x, format);
    if (shown.s) {
        lb_text_printf(out, "<a class=\"num\" href=\"numbers/%s.%s.html#", e->name,
                       lb_language[language]);
        lb_html_anchor(out, key);
        lb_text_printf(out, "\" title=\"%s", key);
        if (x->n)
            lb_text_printf(out, " · n %zu", x->n);
        if (x->seed)
            lb_text_printf(out, " · seed %llu", (unsigned long long)x->seed);
        lb_text_printf(out, " · %s %s · commit %.*s", lb_archive_provenance(a, "program"),
                       lb_archive_provenance(a, "version"), LB_SHORT_HASH,
                       lb_archive_provenance(a, "git.commit"));
        if (frozen && isfinite(frozen->value))
            lb_text_printf(out, " · frozen %.10g", frozen->value);
        lb_text_printf(out, "\">%s</a>", shown.s);
    }
    lb_text_free(&shown);
}

static lb_status add_finding(lb_text *out, const lb_exhibit *e, int language, const lb_verdict *v,
                             lb_error *err)
{
    lb_page page = {.facts = e->member->facts, .dialect = LB_CLEAN, .folder = ".", .err = err};
    char *path = lb_xprintf("hypotheses.%s.claim", v->id), *claim = NULL;
    char *label = lb_xprintf("%s %s", v->id, v->outcome);
    const lb_number *x = lb_archive_number(e->record, v->metric);
    const lb_status st = lb_page_sentence(&page, path, &claim);
    if (st == LB_OK) {
        lb_text_printf(out, "<li%s>",
                       strcmp(v->id, deciding_of(e)) == 0 ? " class=\"deciding\"" : "");
        add_badge(out, outcomes[outcome_index(v->outcome)].class, label);
        lb_text_add(out, "<span class=\"claim\">");
        lb_html_text(out, claim);
        lb_text_printf(out, " <code>%s</code></span><span class=\"value\">", v->metric);
        if (x) {
            add_linked(out, e, language, v->metric, x, "unit");
            if (isfinite(x->ci_lo))
                add_linked(out, e, language, v->metric, x, "ci");
        }
        lb_text_add(out, "</span></li>\n");
    }
    free(label);
    free(claim);
    free(path);
    return st;
}

/* "done": the word of a status without its icon, for style and filter. */
static char *state_class(lb_state state)
{
    const char *label = lb_state_word(state, "en");
    return lb_xprintf("%.*s", (int)strcspn(label, " "), label);
}

/* The files of an experiment, as links. */
static void add_forms(lb_text *out, const lb_exhibit *e, int language)
{
    const char *l = lb_language[language], *name = e->name;
    char count[LB_COUNT_SIZE];
    lb_text_printf(out,
                   "<p class=\"forms\"><a href=\"reports/%s.%s.html\">%s</a>"
                   "<a href=\"pdf/%s.%s.pdf\">PDF</a><a href=\"tex/%s.%s.tar.gz\">LaTeX</a>"
                   "<a href=\"markdown/%s.%s.md\">Markdown</a>",
                   name, l, say(W_REPORT, language), name, l, name, l, name, l);
    lb_text_printf(out, "<a href=\"numbers/%s.%s.html\">%s (%s)</a>", name, l,
                   say(W_ALL_NUMBERS, language), lb_count_text(lb_archive_count(e->record), count));
    lb_text_printf(out, "<a href=\"records/%s.h5\">%s</a><a href=\"frozen/%s.tsv\">%s</a>", name,
                   say(W_RECORD, language), name, say(W_FROZEN_FILE, language));
    lb_text_printf(out, "<a href=\"reports/%s.%s.html\" lang=\"%s\" hreflang=\"%s\">%s</a></p>\n",
                   name, lb_language[!language], say(W_HTML_LANG, !language),
                   lb_language[!language], say(W_OTHER, language));
}

static lb_status add_exhibit(lb_text *out, const lb_site *site, const lb_exhibit *e, int language,
                             lb_error *err)
{
    const char *l = lb_language[language];
    size_t n;
    const lb_verdict *verdicts = lb_archive_verdicts(e->record, &n);
    char *state = state_class(e->member->state);
    lb_facts_speak(e->member->facts, l);
    lb_text_printf(out,
                   "<article id=\"%s\" data-find data-status=\"%s\" data-phase=\"%s\">\n"
                   "<h2><a href=\"reports/%s.%s.html\">",
                   e->member->id, state, phase_of(e), e->name, l);
    lb_html_text(out, lb_spec_text(e->member->spec, "title", l));
    lb_text_add(out, "</a></h2>\n<p class=\"standing\">");
    add_badge(out, state, lb_state_word(e->member->state, l));
    lb_text_add(out, "<span>");
    add_phase(out, site, phase_of(e), language);
    lb_text_add(out, "</span><span>");
    lb_html_text(out, lb_spec_text(e->member->spec, "mvp", "en"));
    lb_text_add(out, "</span></p>\n<p class=\"question\">");
    lb_html_text(out, lb_spec_text(e->member->spec, "question", l));
    lb_text_add(out, "</p>\n<ul class=\"findings\">\n");
    lb_status st = LB_OK;
    for (size_t i = 0; i < n && st == LB_OK; i++)
        st = add_finding(out, e, language, &verdicts[i], err);
    lb_text_add(out, "</ul>\n");
    add_forms(out, e, language);
    lb_text_add(out, "</article>\n");
    free(state);
    return st;
}

static void add_choice(lb_text *out, const char *group, const char *value, const char *label,
                       bool checked)
{
    lb_text_printf(
        out, "<label><input type=\"radio\" name=\"%s\" value=\"%s\"%s><span>%s</span></label>\n",
        group, value, checked ? " checked" : "", label);
}

/* How many experiments have this status, or (NULL) this phase. */
static size_t count_items(const lb_site *site, const char *phase, lb_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < site->n; i++)
        n += phase ? strcmp(phase_of(&site->items[i]), phase) == 0
                   : site->items[i].member->state == state;
    return n;
}

static void add_states(const lb_site *site, int language, lb_text *out)
{
    for (int k = 0; k < LB_STATES; k++) {
        const size_t n = count_items(site, NULL, (lb_state)k);
        char *class = state_class((lb_state)k);
        char *label = lb_xprintf("%s <small>%zu</small>",
                                 lb_state_word((lb_state)k, lb_language[language]), n);
        if (n > 0)
            add_choice(out, "status", class, label, false);
        free(label);
        free(class);
    }
}

static void add_phases(const lb_site *site, int language, lb_text *out)
{
    const lb_yaml_node *phases = site->survey.programme.phases;
    for (size_t i = 0; i < phases->n; i++) {
        const size_t n = count_items(site, phases->keys[i], LB_STATES);
        lb_text label = {0};
        add_phase(&label, site, phases->keys[i], language);
        lb_text_printf(&label, " <small>%zu</small>", n);
        if (n > 0)
            add_choice(out, "phase", phases->keys[i], label.s, false);
        lb_text_free(&label);
    }
}

/* The choices that some experiment has, each once. The script shows the form. */
static void add_filter(const lb_site *site, int language, lb_text *out)
{
    lb_text_add(out, "<form class=\"filter\" role=\"search\" hidden>\n");
    lb_text_printf(out,
                   "<input type=\"search\" name=\"text\" aria-label=\"%s\" placeholder=\"%s\">\n",
                   say(W_FIND, language), say(W_FIND, language));
    lb_text_printf(out, "<fieldset><legend>%s</legend>", say(W_STATUS, language));
    add_choice(out, "status", "", say(W_ANY, language), true);
    add_states(site, language, out);
    lb_text_printf(out, "</fieldset>\n<fieldset><legend>%s</legend>", say(W_PHASE, language));
    add_choice(out, "phase", "", say(W_ANY, language), true);
    add_phases(site, language, out);
    lb_text_printf(out,
                   "</fieldset>\n<p aria-live=\"polite\"><output>%zu</output> %s</p>\n</form>\n",
                   site->n, say(W_SHOWN, language));
}

/* What the edition holds, and how its verdicts fell. */
static void add_counts(const lb_site *site, int language, lb_text *out)
{
    size_t fell[OUTCOMES] = {0}, verdicts = 0, numbers = 0;
    char count[LB_COUNT_SIZE];
    for (size_t i = 0; i < site->n; i++) {
        size_t n;
        const lb_verdict *v = lb_archive_verdicts(site->items[i].record, &n);
        verdicts += n;
        numbers += lb_archive_count(site->items[i].record);
        for (size_t k = 0; k < n; k++)
            fell[outcome_index(v[k].outcome)]++;
    }
    lb_text_add(out, "<p class=\"counts\">");
    lb_text_printf(out, say(W_COUNTS, language), site->n, verdicts, lb_count_text(numbers, count));
    lb_text_add(out, "</p>\n<p class=\"counts\">");
    for (size_t k = 0; k < OUTCOMES; k++) {
        char *text = lb_xprintf("%zu %s", fell[k], outcomes[k].word);
        if (fell[k])
            add_badge(out, outcomes[k].class, text);
        lb_text_add(out, fell[k] ? " " : "");
        free(text);
    }
    lb_text_add(out, "</p>\n");
}

static void add_documents(int language, lb_text *out)
{
    lb_text_printf(out, "<nav class=\"documents\" aria-label=\"%s\">\n<ul>\n",
                   say(W_DOCUMENTS, language));
    for (size_t i = 0; i < LB_DOCUMENTS; i++)
        lb_text_printf(out,
                       "<li><a href=\"reports/%s.%s.html\"><b>%s</b> <span>%s</span></a></li>\n",
                       lb_document_name(i), lb_language[language], lb_document_title(i, language),
                       document_purpose(i, language));
    lb_text_add(out, "</ul>\n</nav>\n");
}

/* The programme in its own words, then what this edition is. */
static void add_title(const lb_site *site, int language, lb_text *out)
{
    const lb_yaml_node *root = site->survey.programme.yaml->root;
    const char *l = lb_language[language];
    lb_text_add(out, "<header class=\"title\"><h1>");
    lb_html_text(out, lb_programme_text(lb_yaml_get(root, "title"), l));
    lb_text_add(out, "</h1>\n<p class=\"subtitle\">");
    lb_html_text(out, lb_programme_text(lb_yaml_get(root, "question"), l));
    lb_text_printf(out, "</p>\n<p class=\"lead\">%s</p>\n", say(W_LEAD, language));
    add_counts(site, language, out);
    lb_text_add(out, "</header>\n");
}

lb_status lb_site_index(const lb_site *site, int language, lb_text *out, lb_error *err)
{
    lb_text body = {0};
    lb_status st = LB_OK;
    char *bar =
        lb_xprintf("<a class=\"home\" href=\"%s\">loggbook</a><a href=\"numbers.json\">%s</a>"
                   "<a href=\"%s\" lang=\"%s\" hreflang=\"%s\">%s</a>",
                   language == LB_EN ? "index.html" : "index.zh.html", say(W_FILES, language),
                   language == LB_EN ? "index.zh.html" : "index.html", say(W_HTML_LANG, !language),
                   lb_language[!language], say(W_OTHER, language));
    add_title(site, language, &body);
    add_documents(language, &body);
    add_filter(site, language, &body);
    for (size_t i = 0; i < site->n && st == LB_OK; i++)
        st = add_exhibit(&body, site, &site->items[i], language, err);
    if (strstr(body.s, LB_ORACLE_MARK)) {
        lb_text_add(&body, "<p class=\"remark\">");
        lb_oracle_note(lb_language[language], &body);
        lb_text_add(&body, "</p>\n");
    }
    if (st == LB_OK)
        lb_site_frame(site, language, say(W_TITLE, language), bar, body.s, out);
    lb_text_free(&body);
    free(bar);
    return st;
}
