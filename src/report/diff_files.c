/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two files of one experiment: records, frozen values, or one of each. */
#include "report/diff.h"

#include "core/memory.h"
#include "report/fill.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_record(const char *path)
{
    const size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".h5") == 0;
}

/* *archive stays NULL for a frozen file. */
static lb_status open_side(const char *path, const lb_spec *spec, lb_archive **archive,
                           lb_ledger **ledger, lb_error *err)
{
    if (!is_record(path))
        return lb_ledger_load(path, ledger, err);
    const lb_status st = lb_archive_open(path, archive, err);
    if (st == LB_OK)
        *ledger = lb_ledger_of(*archive, spec);
    return st;
}

/* --- figures -----------------------------------------------------------------------------------
 */

static bool same_series(const lb_archive *a, const lb_archive *b, const char *name)
{
    size_t n, m;
    const double *x = lb_archive_series(a, name, &n), *y = lb_archive_series(b, name, &m);
    if (!x || !y || n != m)
        return false;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i] && !(isnan(x[i]) && isnan(y[i])))
            return false;
    return true;
}

/* Is a series of figure @p id other in b, or not there? */
static bool series_differ(const lb_archive *a, const lb_archive *b, const char *id)
{
    const size_t n = strlen(id);
    for (size_t i = 0; i < lb_archive_series_count(a); i++) {
        const char *name = lb_archive_series_name(a, i);
        if (strncmp(name, id, n) == 0 && name[n] == '/' && !same_series(a, b, name))
            return true;
    }
    return false;
}

/* By the hash of its picture, or where one side kept none by its series. */
static void compare_figures(const lb_archive *a, const lb_archive *b, lb_became_list *out)
{
    size_t n, m;
    const lb_pair *was = lb_archive_figures(a, &n), *now = lb_archive_figures(b, &m);
    for (size_t i = 0; i < n; i++)
        lb_became_put(out, was[i].key, lb_archive_figure_hash(a, was[i].key), false);
    for (size_t i = 0; i < m; i++) {
        const char *id = now[i].key;
        const bool hashed = *lb_archive_figure_hash(a, id) && *lb_archive_figure_hash(b, id);
        if (!hashed && lb_archive_figure(a, id)) {
            const bool other = series_differ(a, b, id) || series_differ(b, a, id);
            lb_became_put(out, id, "series", false);
            lb_became_put(out, id, other ? "other series" : "series", true);
        } else {
            lb_became_put(out, id, lb_archive_figure_hash(b, id), true);
        }
    }
    lb_became_settle(out, false);
}

/* --- sentences ---------------------------------------------------------------------------------
 */

static lb_status fill_from(const lb_places *places, const char *folder, const char *language,
                           const char *record, lb_text *out, lb_error *err)
{
    lb_places other = *places;
    other.record = record;
    return lb_fill(&other, folder, language, &(lb_fill_outputs){.home = "reports"}, out, err);
}

/* Today's templates filled from either record. A record that they do not fit is told about. */
static void compare_pages(const lb_places *places, const char *folder, const char *a, const char *b,
                          lb_change *c)
{
    static const char *const languages[] = {"en", "zh"};
    c->pages = lb_xcalloc(2, sizeof *c->pages);
    for (size_t k = 0; k < 2 && !c->remark; k++) {
        lb_text was = {0}, now = {0};
        lb_error why = {0};
        if (fill_from(places, folder, languages[k], a, &was, &why) == LB_OK &&
            fill_from(places, folder, languages[k], b, &now, &why) == LB_OK) {
            lb_page_change *p = &c->pages[c->n_pages++];
            *p = (lb_page_change){.path = lb_xprintf("%s/report.%s.md", folder, languages[k]),
                                  .was = true,
                                  .now = true};
            lb_sentences_compare(was.s, now.s, &p->sentences);
        } else {
            c->remark = lb_xprintf("Sentences are not compared: %s.", why.text);
        }
        lb_text_free(&was);
        lb_text_free(&now);
    }
}

/* --- both files --------------------------------------------------------------------------------
 */

static void compare_records(const lb_places *places, const char *folder, const lb_archive *a,
                            const lb_archive *b, lb_change *c)
{
    compare_figures(a, b, &c->figures);
    lb_diff_record_inputs(a, &c->inputs, false);
    lb_diff_record_inputs(b, &c->inputs, true);
    c->inputs_known = lb_became_settle(&c->inputs, false);
    if (folder)
        compare_pages(places, folder, lb_archive_path(a), lb_archive_path(b), c);
}

lb_status lb_diff_files_read(const lb_places *places, const char *folder, const char *a,
                             const char *b, lb_diff *out, lb_error *err)
{
    lb_archive *left = NULL, *right = NULL;
    char *spec = folder ? lb_xprintf("%s/spec.yaml", folder) : NULL;
    *out = (lb_diff){.a = lb_xstrdup(a),
                     .b = lb_xstrdup(b),
                     .remark = lb_xstrdup(""),
                     .at = lb_xcalloc(1, sizeof *out->at),
                     .n = 1};
    lb_change *c = out->at;
    lb_status st = spec ? lb_spec_load(spec, &c->spec, err) : LB_OK;
    if (st == LB_OK)
        st = open_side(a, c->spec, &left, &c->was, err);
    if (st == LB_OK)
        st = open_side(b, c->spec, &right, &c->now, err);
    if (st == LB_OK)
        st = lb_moves_find(c->was, c->now, &c->moves, err);
    if (st == LB_OK && c->moves.compared == 0 && c->moves.n == 0)
        st = LB_FAIL(err, LB_ENAME, "neither %s nor %s holds anything to compare", a, b);
    if (st == LB_OK) {
        c->id = lb_xstrdup(c->was->experiment);
        c->name = lb_xstrdup(c->spec ? lb_spec_name(c->spec) : c->id);
        c->title = lb_xstrdup(lb_spec_text(c->spec, "title", "en"));
        c->reasons = lb_xstrdup("");
        out->profile = lb_xstrdup(*c->was->profile ? c->was->profile : places->profile);
        if (left && right)
            compare_records(places, folder, left, right, c);
    }
    lb_archive_close(left);
    lb_archive_close(right);
    free(spec);
    return st;
}
