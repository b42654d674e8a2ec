/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/diff.h"

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

/* --- lists -------------------------------------------------------------------------------------
 */

static lb_became *find(lb_became_list *l, const char *what)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i].what, what) == 0)
            return &l->at[i];
    l->at = lb_xrealloc(l->at, l->n + 1, sizeof *l->at);
    l->at[l->n] = (lb_became){.what = lb_xstrdup(what)};
    return &l->at[l->n++];
}

void lb_became_put(lb_became_list *l, const char *what, const char *value, bool now)
{
    lb_became *b = find(l, what);
    char **side = now ? &b->now : &b->was;
    free(*side);
    *side = lb_xstrdup(value);
}

static void free_became(lb_became *b)
{
    free(b->what);
    free(b->was);
    free(b->now);
}

static bool is_settled(const lb_became *b, bool both)
{
    if (!b->was || !b->now)
        return both || (!b->was && !b->now);
    return strcmp(b->was, b->now) == 0;
}

size_t lb_became_settle(lb_became_list *l, bool both)
{
    size_t kept = 0, known = 0;
    for (size_t i = 0; i < l->n; i++) {
        lb_became *b = &l->at[i];
        known += b->was && b->now;
        if (is_settled(b, both)) {
            free_became(b);
            continue;
        }
        b->was = b->was ? b->was : lb_xstrdup("");
        b->now = b->now ? b->now : lb_xstrdup("");
        l->at[kept++] = *b;
    }
    l->n = kept;
    return known;
}

void lb_became_free(lb_became_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free_became(&l->at[i]);
    free(l->at);
}

void lb_diff_record_inputs(const lb_archive *a, lb_became_list *out, bool now)
{
    static const char *const told[] = {"cpu", "openblas.core", "threads"};
    size_t n, m;
    const lb_pair *lines = lb_archive_provenances(a, &n), *run = lb_archive_run(a, &m);
    for (size_t i = 0; i < n + m; i++) {
        const lb_pair *p = i < n ? &lines[i] : &run[i - n];
        bool tell = i < n;
        for (size_t k = 0; k < 3; k++)
            tell = tell || strcmp(p->key, told[k]) == 0;
        tell = tell || strncmp(p->key, LB_RUN_PUBLISHED, strlen(LB_RUN_PUBLISHED)) == 0;
        if (tell)
            lb_became_put(out, p->key, p->value, now);
    }
}

static void change_free(lb_change *c)
{
    for (size_t i = 0; i < c->n_pages; i++) {
        lb_sentences_free(&c->pages[i].sentences);
        free(c->pages[i].path);
    }
    free(c->pages);
    lb_became_free(&c->figures);
    lb_became_free(&c->inputs);
    lb_became_free(&c->files);
    lb_moves_free(&c->moves);
    lb_ledger_free(c->was);
    lb_ledger_free(c->now);
    lb_spec_free(c->spec_was);
    lb_spec_free(c->spec);
    free(c->id);
    free(c->name);
    free(c->title);
    free(c->reasons);
    free(c->remark);
}

void lb_diff_free(lb_diff *d)
{
    for (size_t i = 0; i < d->n; i++)
        change_free(&d->at[i]);
    free(d->at);
    free(d->a);
    free(d->b);
    free(d->profile);
    free(d->remark);
    *d = (lb_diff){0};
}

/* --- the exit status ---------------------------------------------------------------------------
 */

lb_status lb_policy_parse(const char *word, lb_policy *out, lb_error *err)
{
    static const char *const words[] = {"never", "verdict", "drift", "any"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = (lb_policy)i;
            return LB_OK;
        }
    }
    return LB_FAIL(err, LB_EINVAL, "--fail-on is never, verdict, drift or any, not '%s'", word);
}

/* The weakest policy that forbids this. */
static lb_policy gravity(const lb_move *m)
{
    const bool verdict = (m->was ? m->was : m->now)->what == LB_LINE_VERDICT;
    if (m->kind == LB_MOVE_NEW)
        return LB_FAIL_ANY;
    if (verdict)
        return LB_FAIL_VERDICT;
    return m->beyond ? LB_FAIL_DRIFT : LB_FAIL_ANY;
}

bool lb_diff_fails(const lb_diff *d, lb_policy policy)
{
    for (size_t i = 0; i < d->n && policy != LB_FAIL_NEVER; i++) {
        const lb_change *c = &d->at[i];
        if (c->was && !c->now) /* a whole experiment with its verdicts */
            return true;
        for (size_t k = 0; k < c->moves.n; k++)
            if (gravity(&c->moves.at[k]) <= policy)
                return true;
        bool told = c->figures.n > 0 || (c->now && !c->was);
        for (size_t k = 0; k < c->n_pages; k++)
            told = told || c->pages[k].sentences.n > 0 || c->pages[k].was != c->pages[k].now;
        if (told && policy == LB_FAIL_ANY)
            return true;
    }
    return false;
}
