/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/refs.h"

#include "core/memory.h"
#include "record/condition.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct collector {
    lb_refs refs;
    lb_findings *out;
    bool in_fence; /* '#' opens no heading inside a fenced block */
    bool mid_line; /* the text node does not start a line */
} collector;

const char *lb_ref_word(lb_ref_kind kind)
{
    static const char *const words[] = {"key",  "setting",         "table", "figure", "verdict",
                                        "code", "published value", "claim", "card",   "heading"};
    return words[kind];
}

const lb_ref *lb_refs_find(const lb_refs *r, lb_ref_kind kind, const char *name)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->at[i].kind == kind && strcmp(r->at[i].name, name) == 0)
            return &r->at[i];
    }
    return NULL;
}

/* Takes @p name. Headings may repeat; everything else is kept once. */
static void add(collector *c, lb_ref_kind kind, char *name, lb_position place)
{
    lb_refs *r = &c->refs;
    if (kind != LB_REF_HEADING && lb_refs_find(r, kind, name)) {
        free(name);
        return;
    }
    if (r->n == r->capacity) {
        r->capacity = 2 * r->capacity + 64;
        r->at = lb_xrealloc(r->at, r->capacity, sizeof *r->at);
    }
    r->at[r->n++] = (lb_ref){kind, name, place};
}

static void show(collector *c, const lb_node *node)
{
    lb_refs *r = &c->refs;
    if (r->n_shown == r->shown_capacity) {
        r->shown_capacity = 2 * r->shown_capacity + 64;
        r->shown = lb_xrealloc(r->shown, r->shown_capacity, sizeof *r->shown);
    }
    r->shown[r->n_shown++] = (lb_shown){node->kind, node->text, node->place};
}

static char *single_blanks(const char *s)
{
    char *out = lb_xcalloc(strlen(s) + 1, 1), *to = out;
    for (; *s; s++) {
        if (!isspace((unsigned char)*s))
            *to++ = *s;
        else if (to > out && to[-1] != ' ')
            *to++ = ' ';
    }
    return out;
}

/* A key of a record or a setting; variables of loops are neither. */
static void add_name(collector *c, const char *name, lb_position place)
{
    if (strncmp(name, "spec.", 5) == 0) {
        add(c, LB_REF_SPEC, lb_xstrdup(name + 5), place);
    } else if ((name[0] == 'e' && isdigit((unsigned char)name[1])) ||
               strncmp(name, "this.", 5) == 0 || strncmp(name, "view.", 5) == 0) {
        char key[256];
        lb_name_split(name, key, sizeof key);
        add(c, LB_REF_KEY, lb_xstrdup(key), place);
    }
}

static void add_condition(collector *c, const char *text, lb_position place)
{
    lb_error err = {0};
    lb_condition *condition;
    if (lb_condition_parse(text, &condition, &err) != LB_OK) {
        lb_find(c->out, place, "in the condition '%s': %s", text, err.text);
        return;
    }
    size_t n;
    const char *const *names = lb_condition_names(condition, &n);
    for (size_t i = 0; i < n; i++)
        add_name(c, names[i], place);
    const char *const *verdicts = lb_condition_verdicts(condition, &n);
    for (size_t i = 0; i < n; i++)
        add(c, LB_REF_VERDICT, lb_xstrdup(verdicts[i]), place);
    lb_condition_free(condition);
}

/* Headings and fences of a piece of text, which holds at most one line. */
static void scan_text(collector *c, const lb_node *node)
{
    const char *s = node->text;
    const size_t n = strlen(s);
    if (!c->mid_line && (strncmp(s, "```", 3) == 0 || strncmp(s, "~~~", 3) == 0))
        c->in_fence = !c->in_fence;
    const size_t level = strspn(s, "#");
    if (!c->mid_line && !c->in_fence && level > 0 && s[level] == ' ') {
        char *heading = single_blanks(s);
        const size_t m = strlen(heading);
        if (m > 0 && heading[m - 1] == ' ')
            heading[m - 1] = '\0';
        add(c, LB_REF_HEADING, heading, node->place);
    }
    c->mid_line = n == 0 || s[n - 1] != '\n';
}

static void collect(collector *c, const lb_node *node)
{
    static const struct {
        lb_node_kind node;
        lb_ref_kind ref;
        const char *name; /* of a card; NULL: the node's text */
    } direct[] = {
        {LB_NODE_TABLE, LB_REF_TABLE, NULL},
        {LB_NODE_FOR, LB_REF_TABLE, NULL},
        {LB_NODE_FIGURE, LB_REF_FIGURE, NULL},
        {LB_NODE_VERDICT, LB_REF_VERDICT, NULL},
        {LB_NODE_CODE, LB_REF_CODE, NULL},
        {LB_NODE_HYPOTHESES, LB_REF_CARD, "hypotheses"},
        {LB_NODE_SCOPE, LB_REF_CARD, "scope"},
        {LB_NODE_PROVENANCE, LB_REF_CARD, "provenance"},
        {LB_NODE_DIFFERENCES, LB_REF_CARD, "differences"},
    };
    for (; node; node = node->next) {
        for (size_t i = 0; i < sizeof direct / sizeof *direct; i++) {
            if (direct[i].node == node->kind)
                add(c, direct[i].ref, lb_xstrdup(direct[i].name ? direct[i].name : node->text),
                    node->place);
        }
        if (node->text && (node->kind == LB_NODE_VALUE || node->kind == LB_NODE_VERDICT ||
                           node->kind == LB_NODE_PUBLISHED))
            show(c, node);
        if (node->kind == LB_NODE_PUBLISHED)
            add(c, node->text ? LB_REF_PUBLISHED : LB_REF_CARD,
                lb_xstrdup(node->text ? node->text : "published"), node->place);
        else if (node->kind == LB_NODE_VALUE)
            add_name(c, node->text, node->place);
        else if (node->kind == LB_NODE_BRANCH && node->text)
            add_condition(c, node->text, node->place);
        else if (node->kind == LB_NODE_CLAIM && node->body && node->body->text)
            add(c, LB_REF_CLAIM, single_blanks(node->body->text), node->place);
        if (node->kind == LB_NODE_TEXT)
            scan_text(c, node);
        else if (!node->body)
            c->mid_line = true;
        collect(c, node->body);
    }
}

lb_refs lb_refs_of(const lb_template *t, lb_findings *out)
{
    collector c = {.out = out};
    collect(&c, lb_template_nodes(t));
    return c.refs;
}

void lb_refs_free(lb_refs *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->at[i].name);
    free(r->at);
    free(r->shown);
    *r = (lb_refs){0};
}

/* --- parity ------------------------------------------------------------------------------------
 */

static void find_missing(const lb_refs *a, const lb_refs *b, const char *b_name, lb_findings *out)
{
    for (size_t i = 0; i < a->n; i++) {
        const lb_ref *r = &a->at[i];
        if (r->kind != LB_REF_HEADING && !lb_refs_find(b, r->kind, r->name))
            lb_find(out, r->place, "the %s '%s' is not in %s", lb_ref_word(r->kind), r->name,
                    b_name);
    }
}

static const lb_ref *next_heading(const lb_refs *r, size_t *i)
{
    while (*i < r->n && r->at[*i].kind != LB_REF_HEADING)
        ++*i;
    return *i < r->n ? &r->at[(*i)++] : NULL;
}

/* The first place where the headings part. */
static void compare_headings(const lb_refs *a, const char *a_name, const lb_refs *b,
                             const char *b_name, lb_findings *out)
{
    size_t i = 0, j = 0;
    for (;;) {
        const lb_ref *x = next_heading(a, &i), *y = next_heading(b, &j);
        if (!x && !y)
            return;
        if (!x || !y) {
            const lb_ref *more = x ? x : y;
            lb_find(out, more->place, "the heading '%s' is not in %s", more->name,
                    x ? b_name : a_name);
            return;
        }
        if (strcmp(x->name, y->name) != 0) {
            lb_find(out, y->place, "the heading '%s' stands where %s has '%s'", y->name, a_name,
                    x->name);
            return;
        }
    }
}

void lb_lint_parity(const lb_refs *a, const char *a_name, const lb_refs *b, const char *b_name,
                    lb_findings *out)
{
    find_missing(a, b, b_name, out);
    find_missing(b, a, a_name, out);
    compare_headings(a, a_name, b, b_name, out);
}

/* --- line by line ------------------------------------------------------------------------------
 */

/* The values of one language that count, in the order of the text. */
typedef struct column {
    const lb_shown **at;
    size_t n;
} column;

static column column_of(const lb_refs *r, bool (*is_text)(void *self, const lb_shown *value),
                        void *self)
{
    column c = {lb_xcalloc(r->n_shown + 1, sizeof(lb_shown *)), 0};
    for (size_t i = 0; i < r->n_shown; i++) {
        if (!is_text(self, &r->shown[i]))
            c.at[c.n++] = &r->shown[i];
    }
    return c;
}

/* Where the line that starts at value @p i ends. */
static size_t end_of_line(const column *c, size_t i)
{
    const lb_position line = c->at[i]->place;
    while (i < c->n && c->at[i]->place.line == line.line &&
           strcmp(c->at[i]->place.file, line.file) == 0)
        i++;
    return i;
}

static size_t count_in(const column *c, size_t from, size_t to, const lb_shown *value)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        n += c->at[i]->kind == value->kind && strcmp(c->at[i]->name, value->name) == 0;
    return n;
}

/* A value of [i, m) in @p a that [j, n) in @p b shows another number of times; NULL if none. */
static const lb_shown *surplus(const column *a, size_t i, size_t m, const column *b, size_t j,
                               size_t n)
{
    for (size_t k = i; k < m; k++) {
        if (count_in(a, i, m, a->at[k]) != count_in(b, j, n, a->at[k]))
            return a->at[k];
    }
    return NULL;
}

void lb_lint_lines(const lb_refs *a, const char *a_name, const lb_refs *b,
                   bool (*is_text)(void *self, const lb_shown *value), void *self, lb_findings *out)
{
    const column x = column_of(a, is_text, self), y = column_of(b, is_text, self);
    const lb_shown *odd = NULL;
    for (size_t i = 0, j = 0; (i < x.n || j < y.n) && !odd;) {
        const size_t m = i < x.n ? end_of_line(&x, i) : i, n = j < y.n ? end_of_line(&y, j) : j;
        odd = surplus(&y, j, n, &x, i, m);
        if (!odd)
            odd = surplus(&x, i, m, &y, j, n);
        if (odd)
            lb_find(out, j < y.n ? y.at[j]->place : odd->place,
                    "this line and line %d of %s do not show the same values: see '%s'",
                    i < x.n ? x.at[i]->place.line
                    : x.n   ? x.at[x.n - 1]->place.line
                            : 1,
                    a_name, odd->name);
        i = m;
        j = n;
    }
    free(x.at);
    free(y.at);
}
