/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/picture.h"

#include "core/memory.h"
#include "core/text.h"
#include "figure/graph.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const double width_in = 14.0, height_in = 8.5;

/* The graph while it is collected: members first, then gates, then plans. */
typedef struct sketch {
    const lb_survey *s;
    lb_graph_node *nodes;
    lb_graph_edge *edges;
    size_t n, m, gates_at, plans_at;
} sketch;

static void add_edge(sketch *k, size_t from, size_t to)
{
    k->edges = lb_xrealloc(k->edges, k->m + 1, sizeof *k->edges);
    k->edges[k->m++] = (lb_graph_edge){from, to};
}

/* The word of a state without its icon, which figures cannot show. */
static char *bare_word(lb_state state)
{
    const char *word = lb_state_word(state, "en");
    return lb_xprintf("%.*s", (int)(strrchr(word, ' ') - word), word);
}

/* Colour and dash by what became of it; the word in the node says the same. */
static lb_style style_of(lb_state state)
{
    lb_style style = lb_style_role(LB_NEUTRAL);
    switch (state) {
    case LB_STATE_DONE:
    case LB_STATE_GATE_PASSED:
        style = lb_style_role(LB_ORACLE);
        break;
    case LB_STATE_NEGATIVE:
    case LB_STATE_GATE_FAILED:
        style = lb_style_role(LB_GLOBAL);
        break;
    case LB_STATE_INCOMPLETE:
    case LB_STATE_GATE_MARGINAL:
        style = lb_style_role(LB_CONDITIONAL);
        break;
    case LB_STATE_READY:
    case LB_STATE_RUNNING:
    case LB_STATE_GATE_READY:
        style = lb_style_role(LB_MIXTURE);
        break;
    default:
        break;
    }
    style.dash = state == LB_STATE_PLANNED || state == LB_STATE_GATE_OPEN ||
                         state == LB_STATE_READY || state == LB_STATE_CANCELLED
                     ? LB_DASHED
                     : LB_SOLID;
    style.width = 1.2;
    return style;
}

static void add_node(sketch *k, char *name, char *state, lb_style style, bool gate)
{
    k->nodes = lb_xrealloc(k->nodes, k->n + 1, sizeof *k->nodes);
    k->nodes[k->n++] = (lb_graph_node){name, state, style, gate};
}

/* "E06 pseudo gate", and "done: NOT RUN" with the deciding verdict. */
static void add_members(sketch *k)
{
    for (size_t i = 0; i < k->s->n; i++) {
        const lb_member *m = &k->s->members[i];
        char *name = lb_xstrdup(lb_spec_name(m->spec)), *state = bare_word(m->state);
        name[0] = (char)toupper((unsigned char)name[0]);
        for (char *c = name; *c; c++)
            *c = *c == '_' ? ' ' : *c;
        char *shown = m->progress.outcome ? lb_xprintf("%s: %s", state, m->progress.outcome)
                                          : lb_xstrdup(state);
        add_node(k, name, shown, style_of(m->state), false);
        free(state);
    }
    for (size_t i = 0; i < k->s->n; i++) {
        const lb_yaml_node *up = lb_spec_node(k->s->members[i].spec, "upstream");
        for (size_t u = 0; up && u < up->n; u++)
            for (size_t from = 0; from < k->s->n; from++)
                if (strcmp(lb_programme_text(up->items[u], "type"), "prerequisite") == 0 &&
                    strcmp(lb_spec_name(k->s->members[from].spec),
                           lb_programme_text(up->items[u], "link")) == 0)
                    add_edge(k, from, i);
    }
}

static size_t index_of(const sketch *k, const char *id)
{
    const lb_yaml_node *plans = k->s->programme.planned;
    const lb_member *m = lb_survey_find(k->s, id);
    if (m)
        return (size_t)(m - k->s->members);
    for (size_t i = 0; i < plans->n; i++)
        if (strcmp(plans->keys[i], id) == 0)
            return k->plans_at + i;
    return k->n; /* the programme was checked: not reached */
}

static lb_status add_gates(sketch *k, lb_error *err)
{
    const lb_yaml_node *all = k->s->programme.gates;
    lb_status st = LB_OK;
    k->gates_at = k->n;
    for (size_t i = 0; i < all->n && st == LB_OK; i++) {
        const char *asks = lb_programme_text(all->items[i], "asks");
        lb_state state = LB_STATE_GATE_OPEN;
        st = lb_survey_gate(k->s, all->items[i], &state, err);
        char *word = bare_word(state);
        add_node(k, lb_xprintf("%s: %s", all->keys[i], strchr(asks, ':') + 1), word,
                 style_of(state), true);
    }
    return st;
}

static lb_status add_plans(sketch *k, lb_error *err)
{
    const lb_yaml_node *all = k->s->programme.planned;
    lb_status st = LB_OK;
    k->plans_at = k->n;
    for (size_t i = 0; i < all->n && st == LB_OK; i++) {
        lb_state state = LB_STATE_PLANNED;
        st = lb_survey_plan(k->s, i, &state, err);
        add_node(k, lb_xprintf("%s plan", all->keys[i]), bare_word(state), style_of(state), false);
    }
    return st;
}

/* Arrows through the gates, and those of the plans. */
static void add_arrows(sketch *k)
{
    const lb_programme *p = &k->s->programme;
    for (size_t i = 0; i < p->gates->n; i++) {
        const lb_yaml_node *opens = lb_yaml_get(p->gates->items[i], "opens");
        const char *asks = lb_programme_text(p->gates->items[i], "asks");
        char *id = lb_xprintf("%.*s", (int)strcspn(asks, ":"), asks);
        add_edge(k, index_of(k, id), k->gates_at + i);
        free(id);
        for (size_t j = 0; j < opens->n; j++)
            add_edge(k, k->gates_at + i, index_of(k, opens->items[j]->text));
    }
    for (size_t i = 0; i < p->planned->n; i++) {
        const lb_yaml_node *needs = lb_yaml_get(p->planned->items[i], "needs");
        for (size_t j = 0; j < needs->n; j++)
            add_edge(k, index_of(k, needs->items[j]->text), k->plans_at + i);
    }
}

lb_status lb_picture_draw(const lb_survey *s, const char *stem, lb_error *err)
{
    sketch k = {.s = s};
    add_members(&k);
    lb_status st = add_gates(&k, err);
    if (st == LB_OK)
        st = add_plans(&k, err);
    if (st == LB_OK) {
        add_arrows(&k);
        char *title = lb_xprintf("What needs what\nprofile %s; a box with cut corners is a gate, "
                                 "a dashed frame is not run or open; arrows that others imply are "
                                 "left out",
                                 s->places->profile);
        lb_figure *f = lb_figure_new(stem, width_in, height_in, title,
                                     "Dependency graph of the experiments, gates and plans; the "
                                     "table beside it lists the same.");
        lb_plot_graph(lb_figure_panel(f, 0, 0, 1, 1), k.nodes, k.n, k.edges, k.m);
        st = lb_figure_close(f, err);
        free(title);
    }
    for (size_t i = 0; i < k.n; i++) {
        free((char *)k.nodes[i].name);
        free((char *)k.nodes[i].state);
    }
    free(k.nodes);
    free(k.edges);
    return st;
}
