/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two pages of a published edition: the trails of all numbers of a record, and a finished report or
 * view with its way there. */
#include "core/memory.h"
#include "publish/html.h"
#include "publish/site.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- the numbers of a record -------------------------------------------------------------------
 */

/* " · word value": a part of a trail, in the language of the page. */
static void add_part(lb_text *out, const char *word, const char *value)
{
    if (!*value)
        return;
    lb_text_printf(out, "<span>%s%s", word, *word ? " " : "");
    lb_html_text(out, value);
    lb_text_add(out, "</span>");
}

static void add_real(lb_text *out, const char *word, double x)
{
    char *text = isfinite(x) ? lb_xprintf("%.6g", x) : lb_xstrdup("");
    add_part(out, word, text);
    free(text);
}

/* What the number is: exact value, spread, rows, protocol, seed. */
static void add_nature(lb_text *out, const lb_archive *a, const lb_number *x, int language)
{
    const bool zh = language == LB_ZH;
    char *value = *x->na ? lb_xstrdup("") : lb_xprintf("%.17g", x->value);
    char *n = x->n ? lb_xprintf("%zu", x->n) : lb_xstrdup("");
    char *seed = x->seed ? lb_xprintf("%llu", (unsigned long long)x->seed) : lb_xstrdup("");
    lb_text_add(out, "<p>");
    add_part(out, zh ? "值" : "value", value);
    add_part(out, "", x->unit);
    add_part(out, zh ? "类型" : "kind", x->kind);
    add_real(out, zh ? "标准误" : "s.e.", x->se);
    add_real(out, zh ? "P(高于阈值)" : "P(above)", x->p_above);
    add_real(out, zh ? "重抽样均值" : "mean of resamples", x->boot_mean);
    add_real(out, zh ? "P(大于零)" : "P(> 0)", x->p_positive);
    add_part(out, "n", n);
    if (*x->rows) {
        lb_text_printf(out, "<span>%s ", zh ? "数据行" : "rows");
        lb_html_text(out, lb_archive_rowset_name(a, x->rows));
        lb_text_add(out, " ");
        lb_html_hash(out, x->rows);
        lb_text_add(out, "</span>");
    }
    add_part(out, zh ? "协议" : "protocol", x->protocol);
    add_part(out, zh ? "种子" : "seed", seed);
    if (x->oracle)
        add_part(out, "", zh ? "oracle：预测时使用了真实标签" : "oracle: given true labels");
    lb_text_add(out, "</p>");
    free(seed);
    free(n);
    free(value);
}

/* What it is held against: frozen and published value, verdicts that rest on it. */
static void add_standing(lb_text *out, const lb_site *site, const lb_exhibit *e, const char *key,
                         int language)
{
    const bool zh = language == LB_ZH;
    const lb_line *frozen = lb_ledger_find(e->frozen, key);
    const lb_published_entry *theirs =
        site->published ? lb_published_find(site->published, key) : NULL;
    size_t n;
    const lb_verdict *v = lb_archive_verdicts(e->record, &n);
    lb_text line = {0};
    lb_text_add(out, "<p>");
    if (frozen && isfinite(frozen->value))
        lb_text_printf(&line, "%.17g, ", frozen->value);
    else if (frozen)
        lb_text_printf(&line, "%s, ", frozen->text);
    if (frozen)
        lb_tolerance_write(&frozen->tolerance, &line);
    add_part(out, zh ? "冻结值" : "frozen", frozen ? line.s : zh ? "无" : "no");
    if (theirs)
        add_part(out, zh ? "已发表" : "published", theirs->value);
    for (size_t i = 0; i < n; i++) {
        char *verdict = lb_xprintf("%s %s", v[i].id, v[i].outcome);
        add_part(out, "", strcmp(v[i].metric, key) == 0 ? verdict : "");
        free(verdict);
    }
    lb_text_add(out, "</p>");
    lb_text_free(&line);
}

/* "program e02_piecewise 0.1.0 · commit 16491f969d95 · data train …": the same for every number of
 * a record, and said at each, so that a reader who lands on one has the whole trail. */
static void add_making(lb_text *out, const lb_archive *a, int language)
{
    const bool zh = language == LB_ZH;
    size_t n;
    const lb_pair *pairs = lb_archive_provenances(a, &n);
    lb_text_printf(out, "<p><span>%s %s %s</span><span>%s ", zh ? "程序" : "program",
                   lb_archive_provenance(a, "program"), lb_archive_provenance(a, "version"),
                   zh ? "提交" : "commit");
    lb_html_hash(out, lb_archive_provenance(a, "git.commit"));
    lb_text_add(out, "</span>");
    for (size_t i = 0; i < n; i++) {
        if (strncmp(pairs[i].key, "data.", 5) != 0)
            continue;
        lb_text_printf(out, "<span>%s %s ", zh ? "数据" : "data", pairs[i].key + 5);
        lb_html_hash(out, pairs[i].value);
        lb_text_add(out, "</span>");
    }
    lb_text_add(out, "</p>");
}

static void add_record(lb_text *out, const lb_exhibit *e, int language)
{
    const bool zh = language == LB_ZH;
    size_t n;
    const lb_pair *pairs = lb_archive_provenances(e->record, &n);
    lb_text_printf(out, "<details class=\"record\" id=\"record\"><summary>%s</summary>\n<dl>\n",
                   zh ? "来源：程序、数据与版本" : "Where they come from: program, data, versions");
    for (size_t i = 0; i < n; i++) {
        lb_text_printf(out, "<dt>%s</dt><dd><code>", pairs[i].key);
        lb_html_text(out, pairs[i].value);
        lb_text_add(out, "</code></dd>\n");
    }
    lb_text_printf(out,
                   "</dl>\n<p><a href=\"../records/%s.h5\">%s</a> · <a href=\"../frozen/%s.tsv\">",
                   e->name, zh ? "记录 (HDF5)" : "Record (HDF5)", e->name);
    lb_text_printf(out, "%s</a> · <a href=\"../specs/%s.yaml\">%s</a></p></details>\n",
                   zh ? "冻结值" : "Frozen values", e->name, zh ? "设置" : "Settings");
}

/* "loggbook", the index, whatever else; then the page in the other language. @p anchor: where in
 * the index */
static char *bar_of(const char *folder, const char *name, const char *anchor, int language,
                    const char *middle)
{
    const bool zh = language == LB_ZH;
    return lb_xprintf("<a class=\"home\" href=\"../index%s.html\">loggbook</a>"
                      "<a href=\"../index%s.html#%s\">%s</a>%s"
                      "<a href=\"../%s/%s.%s.html\" lang=\"%s\" hreflang=\"%s\">%s</a>",
                      zh ? ".zh" : "", zh ? ".zh" : "", anchor, zh ? "全部实验" : "Experiments",
                      middle, folder, name, lb_language[!language], zh ? "en" : "zh-CN",
                      lb_language[!language], zh ? "English" : "中文");
}

static void add_trail(lb_text *out, const lb_site *site, const lb_exhibit *e, size_t i,
                      int language)
{
    const lb_archive *a = e->record;
    const lb_number *x = lb_archive_at(a, i);
    const char *key = lb_archive_key(a, i);
    lb_text_add(out, "<li id=\"");
    lb_html_anchor(out, key);
    lb_text_printf(out, "\" data-find><p class=\"key\"><code>%s</code> <b>", key);
    lb_html_number(out, x, NULL);
    lb_text_add(out, "</b> ");
    if (isfinite(x->ci_lo) && !*x->na)
        lb_html_number(out, x, "ci");
    lb_text_add(out, "</p>");
    add_nature(out, a, x, language);
    add_standing(out, site, e, key, language);
    add_making(out, a, language);
    lb_text_add(out, "</li>\n");
}

void lb_site_numbers(const lb_site *site, const lb_exhibit *e, int language, lb_text *out)
{
    const bool zh = language == LB_ZH;
    const size_t n = lb_archive_count(e->record);
    const char *title = lb_spec_text(e->member->spec, "title", lb_language[language]);
    const char *find = zh ? "查找键" : "Find a key";
    lb_text body = {0};
    lb_text_add(&body, "<header class=\"title\"><h1>");
    lb_html_text(&body, title);
    lb_text_printf(&body, "</h1>\n<p class=\"subtitle\">%s</p></header>\n",
                   zh ? "记录中的每个数，以及它所依据的一切"
                      : "Every number of the record, and all it rests on");
    add_record(&body, e, language);
    lb_text_printf(&body,
                   "<form class=\"filter\" role=\"search\" hidden><input type=\"search\" "
                   "name=\"text\" aria-label=\"%s\" placeholder=\"%s\"><p><output>%zu</output> "
                   "%s</p></form>\n<ol class=\"trails\">\n",
                   find, find, n, zh ? "项" : "shown");
    for (size_t i = 0; i < n; i++)
        add_trail(&body, site, e, i, language);
    lb_text_add(&body, "</ol>\n");
    char *report = lb_xprintf("<a href=\"../reports/%s.%s.html\">%s</a>", e->name,
                              lb_language[language], zh ? "报告" : "Report");
    char *bar = bar_of("numbers", e->name, e->member->id, language, report);
    lb_site_frame(site, language, title, bar, body.s, out);
    free(bar);
    free(report);
    lb_text_free(&body);
}

/* --- a report ----------------------------------------------------------------------------------
 */

typedef struct adopting {
    const lb_site *site;
    const lb_finished *page;
    lb_text *out;
    lb_error *err;
} adopting;

/* The experiment of a key, "e02.r2"; NULL: none. */
static const lb_exhibit *item_of(const lb_site *site, const char *key)
{
    const size_t length = strcspn(key, ".");
    for (size_t i = 0; i < site->n; i++) {
        const char *own = site->items[i].member->id;
        if (strlen(own) == length && strncmp(own, key, length) == 0)
            return &site->items[i];
    }
    return NULL;
}

/* <span id="n-e02-r2"><code>e02.r2</code></span>: the code becomes a link to the trail. @return
 * what comes after it */
static const char *adopt_key(adopting *w, const char *s)
{
    const char *code = strstr(s, "<code>"), *end = code ? strstr(code, "</code>") : NULL;
    if (!end)
        return s;
    char *key = lb_xprintf("%.*s", (int)(end - code - 6), code + 6);
    const lb_exhibit *e = item_of(w->site, key);
    if (!w->page->item && strncmp(key, "e00.", 4) == 0) {
        /* a count of the audit, whose record is no experiment's: its trail ends on the page */
        lb_text_addn(w->out, s, (size_t)(end - s) + strlen("</code>"));
    } else if (!e || !lb_archive_number(e->record, key)) {
        LB_FAIL(w->err, LB_ENAME, "%s shows '%s', which no record holds: run `make html`",
                w->page->path, key);
    } else {
        lb_text_addn(w->out, s, (size_t)(code - s));
        lb_text_printf(w->out, "<a href=\"../numbers/%s.%s.html#", e->name,
                       lb_language[w->page->language]);
        lb_html_anchor(w->out, key);
        lb_text_printf(w->out, "\"><code>%s</code></a>", key);
    }
    free(key);
    return end + strlen("</code>");
}

/* Is "NAME.LANG.html" a page beside this one? */
static bool is_published(const adopting *w, const char *page)
{
    const lb_site *site = w->site;
    bool found = false;
    for (size_t i = 0; i < site->n + LB_DOCUMENTS && !found; i++) {
        char *own = lb_xprintf("%s.%s.html",
                               i < site->n ? site->items[i].name : lb_document_name(i - site->n),
                               lb_language[w->page->language]);
        found = strcmp(own, page) == 0;
        free(own);
    }
    return found;
}

/* href="e01_baseline.en.html": the goal must be in the edition. @return what comes after the quote
 */
static const char *adopt_link(adopting *w, const char *s)
{
    const char *to = s + strlen("href=\"");
    const size_t length = strcspn(to, "#\"");
    char *page = lb_xprintf("%.*s", (int)length, to);
    if (length > 0 && !strstr(page, "://") && strncmp(page, "mailto:", 7) != 0 &&
        !is_published(w, page))
        LB_FAIL(w->err, LB_ENAME, "%s links to %s, which is not published with it", w->page->path,
                page);
    lb_text_addn(w->out, s, (size_t)(to - s));
    free(page);
    return to;
}

/* The page from @p s on, up to @p end. */
static void adopt(adopting *w, const char *s, const char *end)
{
    static const char key[] = "<span id=\"n-", link[] = "href=\"";
    while (s < end && (!w->err || w->err->status == LB_OK)) {
        if (strncmp(s, key, strlen(key)) == 0)
            s = adopt_key(w, s);
        else if (strncmp(s, link, strlen(link)) == 0)
            s = adopt_link(w, s);
        else
            lb_text_addn(w->out, s++, 1);
    }
}

/* What the bar of a report holds: its other forms. */
static char *forms_of(const lb_finished *page)
{
    const char *l = lb_language[page->language];
    return lb_xprintf(
        "<a href=\"../pdf/%s.%s.pdf\">PDF</a><a href=\"../numbers/%s.%s.html\">%s</a>", page->name,
        l, page->name, l, page->language == LB_ZH ? "全部数字" : "All numbers");
}

/* What the bar of a document above the reports holds: the others. */
static char *siblings_of(const lb_finished *page)
{
    lb_text out = {0};
    for (size_t i = 0; i < LB_DOCUMENTS; i++) {
        const char *name = lb_document_name(i);
        lb_text_printf(&out, "<a href=\"%s.%s.html\"%s>%s</a>", name, lb_language[page->language],
                       strcmp(name, page->name) == 0 ? " aria-current=\"page\"" : "",
                       lb_document_title(i, page->language));
    }
    lb_text_printf(&out, "<a href=\"../pdf/%s.%s.pdf\">PDF</a>", page->name,
                   lb_language[page->language]);
    return lb_text_take(&out);
}

lb_status lb_site_adopt(const lb_site *site, const lb_finished *page, lb_text *out, lb_error *err)
{
    static const char head[] = "</head>", skip[] = "<a class=\"skip\"", tail[] = "</html>";
    const char *head_end = strstr(page->text, head);
    const char *body = head_end ? strstr(head_end, skip) : NULL;
    body = body ? strchr(body, '\n') : NULL; /* the bar comes after the way past it */
    const char *end = page->text + strlen(page->text);
    while (end > page->text && strchr(" \n", end[-1]))
        end--;
    if (!head_end || !body || end - page->text < (long)strlen(tail) ||
        strncmp(end - strlen(tail), tail, strlen(tail)) != 0)
        return LB_FAIL(err, LB_EFORMAT,
                       "%s is no whole page of a report: delete it and run `make html views`",
                       page->path);
    lb_error own = {0};
    adopting w = {site, page, out, &own};
    char *middle = page->item ? forms_of(page) : siblings_of(page);
    char *bar = bar_of("reports", page->name, page->item ? page->item->member->id : "text",
                       page->language, middle);
    lb_text_addn(out, page->text, (size_t)(head_end - page->text));
    lb_text_printf(out, "%s<style>\n%s</style>\n", site->policy, site->bar_style);
    adopt(&w, head_end, body);
    lb_text_printf(out, "\n<nav class=\"bar\" aria-label=\"loggbook\">%s</nav>", bar);
    adopt(&w, body, end);
    lb_text_add(out, "\n");
    free(bar);
    free(middle);
    return own.status == LB_OK ? LB_OK : LB_FAIL(err, own.status, "%s", own.text);
}
