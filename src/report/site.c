/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/site.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/format.h"
#include "report/html.h"
#include "report/oracle.h"
#include "report/page.h"

#include <ctype.h>
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
    W_COUNTS,
    W_SKIP,
    W_OTHER,
    W_STATUS,
    W_PHASE,
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
    [W_TITLE] = {"The experiments", "全部实验"},
    [W_LEAD] = {"Every number on these pages was filled in from the record of the program that "
                "computed it. Follow a number to its trail: program, data, seed, commit and frozen "
                "value.",
                "页面上的每个数都取自计算它的程序所留下的记录。点开一个数即可看到它的来历："
                "程序、数据、种子、提交与冻结值。"},
    [W_COUNTS] = {"%zu experiments · %zu verdicts · %s numbers",
                  "%zu 个实验 · %zu 项判定 · %s 个数"},
    [W_SKIP] = {"Skip to the text", "跳到正文"},
    [W_OTHER] = {"中文", "English"},
    [W_STATUS] = {"Status", "状态"},
    [W_PHASE] = {"Phase", "阶段"},
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

/* The status of an experiment is the verdict on its first hypothesis. */
static const struct standing {
    const char *outcome, *class, *status[LB_LANGUAGES];
} standings[] = {{"PASS", "pass", {"done", "完成"}},
                 {"PARTIAL", "partial", {"partial", "部分成立"}},
                 {"FAIL", "fail", {"negative", "否定"}},
                 {"INCONCLUSIVE", "inconclusive", {"inconclusive", "未定"}},
                 {"NOT RUN", "not-run", {"not run", "未运行"}}};
enum { STANDINGS = sizeof standings / sizeof *standings };

static const struct standing *standing_of(const char *outcome)
{
    size_t i = 0;
    while (i < STANDINGS - 1 && strcmp(standings[i].outcome, outcome) != 0)
        i++;
    return &standings[i];
}

/* --- pieces ------------------------------------------------------------------------------------
 */

static const lb_archive *record_of(const lb_exhibit *e)
{
    return lb_facts_record(e->facts[LB_EN]);
}

static const lb_spec *spec_of(const lb_exhibit *e)
{
    return lb_facts_spec(e->facts[LB_EN]);
}

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

static void add_verdict(lb_text *out, const char *outcome, const char *text)
{
    lb_text_printf(out, "<span class=\"verdict %s\">", standing_of(outcome)->class);
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
    for (size_t i = 0; i < site->n; i++) {
        for (int l = 0; l < LB_LANGUAGES; l++)
            lb_facts_close(site->items[i].facts[l]);
        lb_ledger_free(site->items[i].frozen);
    }
    free(site->items);
    free(site->style);
    free(site->bar_style);
    free(site->script);
    free(site->policy);
    free(site->frame);
    lb_published_free(site->published);
    *site = (lb_site){0};
}

/* --- the index ---------------------------------------------------------------------------------
 */

/* "MVP-3.1" belongs to "MVP-3", "MVP-Next-A" to "MVP-Next". */
static char *phase_of(const lb_exhibit *e)
{
    const char *mvp = lb_spec_text(spec_of(e), "mvp", "en");
    const char *dash = strchr(mvp, '-');
    const char *start = dash ? dash + 1 : mvp, *end = start;
    const bool digit = isdigit((unsigned char)*start);
    while (digit ? isdigit((unsigned char)*end) : isalpha((unsigned char)*end))
        end++;
    return lb_xprintf("%.*s", (int)(end - mvp), mvp);
}

/* The verdict on the first hypothesis; NOT RUN when there is none. */
static const char *outcome_of(const lb_exhibit *e)
{
    size_t n;
    const lb_verdict *verdicts = lb_archive_verdicts(record_of(e), &n);
    return n ? verdicts[0].outcome : "NOT RUN";
}

/* A number that leads to its trail. */
static void add_linked(lb_text *out, const lb_exhibit *e, int language, const char *key,
                       const lb_number *x, const char *format)
{
    const lb_archive *a = record_of(e);
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
    lb_page page = {.facts = e->facts[language], .dialect = LB_CLEAN, .folder = ".", .err = err};
    char *path = lb_xprintf("hypotheses.%s.claim", v->id), *claim = NULL;
    char *label = lb_xprintf("%s %s", v->id, v->outcome);
    const lb_number *x = lb_archive_number(record_of(e), v->metric);
    const lb_status st = lb_page_sentence(&page, path, &claim);
    if (st == LB_OK) {
        lb_text_add(out, "<li>");
        add_verdict(out, v->outcome, label);
        lb_text_add(out, "<span class=\"claim\">");
        lb_html_text(out, claim);
        lb_text_printf(out, " <code>%s</code></span><span class=\"value\">", v->metric);
        if (x) {
            add_linked(out, e, language, v->metric, x, "unit");
            lb_text_add(out, " ");
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
                   say(W_ALL_NUMBERS, language),
                   lb_count_text(lb_archive_count(record_of(e)), count));
    lb_text_printf(out, "<a href=\"records/%s.h5\">%s</a><a href=\"frozen/%s.tsv\">%s</a>", name,
                   say(W_RECORD, language), name, say(W_FROZEN_FILE, language));
    lb_text_printf(out, "<a href=\"reports/%s.%s.html\" lang=\"%s\" hreflang=\"%s\">%s</a></p>\n",
                   name, lb_language[!language], say(W_HTML_LANG, !language),
                   lb_language[!language], say(W_OTHER, language));
}

static lb_status add_exhibit(lb_text *out, const lb_exhibit *e, int language, lb_error *err)
{
    size_t n;
    const lb_verdict *verdicts = lb_archive_verdicts(record_of(e), &n);
    const struct standing *s = standing_of(outcome_of(e));
    char *phase = phase_of(e);
    lb_text_printf(out,
                   "<article id=\"%s\" data-find data-status=\"%s\" data-phase=\"%s\">\n"
                   "<h2><a href=\"reports/%s.%s.html\">",
                   lb_archive_experiment(record_of(e)), s->class, phase, e->name,
                   lb_language[language]);
    lb_html_text(out, lb_spec_text(spec_of(e), "title", lb_language[language]));
    lb_text_add(out, "</a></h2>\n<p class=\"standing\">");
    add_verdict(out, s->outcome, s->status[language]);
    lb_text_add(out, "<span>");
    lb_html_text(out, lb_spec_text(spec_of(e), "mvp", "en"));
    lb_text_add(out, "</span></p>\n<p class=\"question\">");
    lb_html_text(out, lb_spec_text(spec_of(e), "question", lb_language[language]));
    lb_text_add(out, "</p>\n<ul class=\"findings\">\n");
    lb_status st = LB_OK;
    for (size_t i = 0; i < n && st == LB_OK; i++)
        st = add_finding(out, e, language, &verdicts[i], err);
    lb_text_add(out, "</ul>\n");
    add_forms(out, e, language);
    lb_text_add(out, "</article>\n");
    free(phase);
    return st;
}

static void add_choice(lb_text *out, const char *group, const char *value, const char *label,
                       bool checked)
{
    lb_text_printf(
        out, "<label><input type=\"radio\" name=\"%s\" value=\"%s\"%s><span>%s</span></label>",
        group, value, checked ? " checked" : "", label);
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
    for (size_t k = 0; k < STANDINGS; k++) {
        size_t i = 0;
        while (i < site->n && standing_of(outcome_of(&site->items[i])) != &standings[k])
            i++;
        if (i < site->n)
            add_choice(out, "status", standings[k].class, standings[k].status[language], false);
    }
    lb_text_printf(out, "</fieldset>\n<fieldset><legend>%s</legend>", say(W_PHASE, language));
    add_choice(out, "phase", "", say(W_ANY, language), true);
    lb_text seen = {0};
    lb_text_add(&seen, "\n");
    for (size_t i = 0; i < site->n; i++) {
        char *phase = phase_of(&site->items[i]), *line = lb_xprintf("\n%s\n", phase);
        if (!strstr(seen.s, line)) {
            add_choice(out, "phase", phase, phase, false);
            lb_text_add(&seen, line + 1);
        }
        free(line);
        free(phase);
    }
    lb_text_free(&seen);
    lb_text_printf(out, "</fieldset>\n<p><output>%zu</output> %s</p>\n</form>\n", site->n,
                   say(W_SHOWN, language));
}

/* What the edition holds, and how its verdicts fell. */
static void add_counts(const lb_site *site, int language, lb_text *out)
{
    size_t fell[STANDINGS] = {0}, verdicts = 0, numbers = 0;
    char count[LB_COUNT_SIZE];
    for (size_t i = 0; i < site->n; i++) {
        size_t n;
        const lb_verdict *v = lb_archive_verdicts(record_of(&site->items[i]), &n);
        verdicts += n;
        numbers += lb_archive_count(record_of(&site->items[i]));
        for (size_t k = 0; k < n; k++)
            fell[standing_of(v[k].outcome) - standings]++;
    }
    lb_text_add(out, "<p class=\"counts\">");
    lb_text_printf(out, say(W_COUNTS, language), site->n, verdicts, lb_count_text(numbers, count));
    lb_text_add(out, "</p>\n<p class=\"counts\">");
    for (size_t k = 0; k < STANDINGS; k++) {
        char *text = lb_xprintf("%zu %s", fell[k], standings[k].outcome);
        if (fell[k])
            add_verdict(out, standings[k].outcome, text);
        lb_text_add(out, fell[k] ? " " : "");
        free(text);
    }
    lb_text_add(out, "</p>\n");
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
    lb_text_printf(&body, "<header class=\"title\"><h1>%s</h1>\n<p class=\"subtitle\">%s</p>\n",
                   say(W_TITLE, language), say(W_LEAD, language));
    add_counts(site, language, &body);
    lb_text_add(&body, "</header>\n");
    add_filter(site, language, &body);
    for (size_t i = 0; i < site->n && st == LB_OK; i++)
        st = add_exhibit(&body, &site->items[i], language, err);
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
