/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/graph.h"

#include "core/memory.h"
#include "figure/inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 24 };
static const double bend = 0.30,
                    dummy_room = 0.30; /* share of a node's room a passing arrow takes */

/* A place in a column: a node, or (node = SIZE_MAX) where a long arrow passes. */
typedef struct spot {
    size_t node, rank;
    double order; /* position in its rank */
    double x, y;
} spot;

typedef struct step { /* of an arrow, from one rank to the next */
    size_t from, to;  /* spots */
    bool ends;        /* at a node: with a head */
} step;

struct lb_graph {
    size_t n, m, ranks;
    lb_graph_node *nodes;
    lb_graph_edge *edges; /* those drawn */
    size_t n_spots, n_steps;
    spot *spots; /* the first n are the nodes */
    step *steps;
};

void lb_graph_free(lb_graph *g)
{
    for (size_t i = 0; g && i < g->n; i++) {
        free((char *)g->nodes[i].name);
        free((char *)g->nodes[i].state);
    }
    if (g) {
        free(g->nodes);
        free(g->edges);
        free(g->spots);
        free(g->steps);
    }
    free(g);
}

/* --- ranks -------------------------------------------------------------------------------------
 */

/* Longest path from a start; false if there is a circle. */
static bool rank_nodes(lb_graph *g)
{
    bool moved = true;
    for (size_t pass = 0; moved; pass++) {
        if (pass > g->n)
            return false;
        moved = false;
        for (size_t i = 0; i < g->m; i++) {
            const size_t wanted = g->spots[g->edges[i].from].rank + 1;
            if (g->spots[g->edges[i].to].rank < wanted) {
                g->spots[g->edges[i].to].rank = wanted;
                moved = true;
            }
        }
    }
    for (size_t i = 0; i < g->n; i++)
        g->ranks = g->spots[i].rank + 1 > g->ranks ? g->spots[i].rank + 1 : g->ranks;
    return true;
}

/* Is there a way from @p from to @p to that does not take edge @p without? */
static bool reaches(const lb_graph *g, size_t from, size_t to, size_t without)
{
    for (size_t i = 0; i < g->m; i++) {
        if (i == without || g->edges[i].from != from)
            continue;
        if (g->edges[i].to == to || reaches(g, g->edges[i].to, to, without))
            return true;
    }
    return false;
}

static void drop_implied(lb_graph *g)
{
    for (size_t i = 0; i < g->m;) {
        if (reaches(g, g->edges[i].from, g->edges[i].to, i))
            memmove(&g->edges[i], &g->edges[i + 1], (--g->m - i) * sizeof *g->edges);
        else
            i++;
    }
}

/* --- order within a rank -----------------------------------------------------------------------
 */

/* A spot in every rank between the ends of each arrow. */
static void add_steps(lb_graph *g)
{
    for (size_t i = 0; i < g->m; i++) {
        size_t here = g->edges[i].from;
        const size_t last = g->spots[g->edges[i].to].rank;
        for (size_t r = g->spots[here].rank + 1; r <= last; r++) {
            size_t next = g->edges[i].to;
            if (r < last) {
                next = g->n_spots++;
                g->spots = lb_xrealloc(g->spots, g->n_spots, sizeof *g->spots);
                g->spots[next] = (spot){.node = (size_t)-1, .rank = r};
            }
            g->steps = lb_xrealloc(g->steps, g->n_steps + 1, sizeof *g->steps);
            g->steps[g->n_steps++] = (step){here, next, r == last};
            here = next;
        }
    }
}

/* The spots of a rank in their order; returns how many. */
static size_t rank_of(const lb_graph *g, size_t rank, size_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_spots; i++) {
        if (g->spots[i].rank != rank)
            continue;
        size_t k = n++;
        for (; k > 0 && g->spots[out[k - 1]].order > g->spots[i].order; k--)
            out[k] = out[k - 1];
        out[k] = i;
    }
    return n;
}

/* Positions from 0 to 1, so that ranks of different sizes compare. */
static void number_rank(lb_graph *g, const size_t *at, size_t n)
{
    for (size_t k = 0; k < n; k++)
        g->spots[at[k]].order = ((double)k + 0.5) / (double)n;
}

/* Mean position of the neighbours on one side; its own if there are none. */
static double barycentre(const lb_graph *g, size_t spot_, bool before)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < g->n_steps; i++) {
        const step *s = &g->steps[i];
        if ((before ? s->to : s->from) == spot_) {
            sum += g->spots[before ? s->from : s->to].order;
            n++;
        }
    }
    return n ? sum / (double)n : g->spots[spot_].order;
}

static size_t crossings(const lb_graph *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_steps; i++)
        for (size_t j = 0; j < i; j++) {
            const spot *a = &g->spots[g->steps[i].from], *b = &g->spots[g->steps[i].to];
            const spot *c = &g->spots[g->steps[j].from], *d = &g->spots[g->steps[j].to];
            n += a->rank == c->rank && (a->order - c->order) * (b->order - d->order) < 0;
        }
    return n;
}

static void sweep(lb_graph *g, bool forward, size_t *at)
{
    for (size_t k = 0; k < g->ranks; k++) {
        const size_t rank = forward ? k : g->ranks - 1 - k, n = rank_of(g, rank, at);
        double *wanted = lb_xcalloc(n + 1, sizeof *wanted);
        for (size_t i = 0; i < n; i++)
            wanted[i] = barycentre(g, at[i], forward);
        for (size_t i = 0; i < n; i++)
            g->spots[at[i]].order = wanted[i];
        free(wanted);
        const size_t same = rank_of(g, rank, at);
        number_rank(g, at, same);
    }
}

/* The order with the fewest crossings that the sweeps come by. */
static void order_spots(lb_graph *g)
{
    size_t *at = lb_xcalloc(g->n_spots, sizeof *at), fewest = (size_t)-1;
    double *best = lb_xcalloc(g->n_spots, sizeof *best);
    for (size_t i = 0; i < g->n_spots; i++)
        g->spots[i].order = (double)i;
    for (size_t r = 0; r < g->ranks; r++)
        number_rank(g, at, rank_of(g, r, at));
    for (size_t pass = 0; pass < SWEEPS && fewest > 0; pass++) {
        sweep(g, pass % 2 == 0, at);
        const size_t now = crossings(g);
        for (size_t i = 0; now < fewest && i < g->n_spots; i++)
            best[i] = g->spots[i].order;
        fewest = now < fewest ? now : fewest;
    }
    for (size_t i = 0; i < g->n_spots; i++)
        g->spots[i].order = best[i];
    free(best);
    free(at);
}

/* --- the call ----------------------------------------------------------------------------------
 */

void lb_plot_graph(lb_axes *a, const lb_graph_node *nodes, size_t n, const lb_graph_edge *edges,
                   size_t m)
{
    lb_figure *f = a->figure;
    if (f->err.status != LB_OK)
        return;
    for (size_t i = 0; i < m; i++)
        if (edges[i].from >= n || edges[i].to >= n) {
            LB_FAIL(&f->err, LB_EINVAL, "%s: an arrow of the graph leads to no node", f->stem);
            return;
        }
    if (n == 0) {
        LB_FAIL(&f->err, LB_EINVAL, "%s: the graph has no node", f->stem);
        return;
    }
    lb_graph *g = a->graph = lb_xcalloc(1, sizeof *g);
    g->n = g->n_spots = n;
    g->m = m;
    g->nodes = lb_xcalloc(n, sizeof *g->nodes);
    g->spots = lb_xcalloc(n, sizeof *g->spots);
    g->edges = lb_xcalloc(m + 1, sizeof *g->edges);
    for (size_t i = 0; i < n; i++) {
        g->nodes[i] = nodes[i];
        g->nodes[i].name = lb_xstrdup(nodes[i].name);
        g->nodes[i].state = lb_xstrdup(nodes[i].state);
        g->spots[i].node = i;
    }
    for (size_t i = 0; i < m; i++)
        g->edges[i] = edges[i];
    if (!rank_nodes(g)) {
        LB_FAIL(&f->err, LB_EINVAL, "%s: the graph goes in circles: some node needs itself",
                f->stem);
        return;
    }
    drop_implied(g);
    add_steps(g);
    order_spots(g);
}

/* --- drawing -----------------------------------------------------------------------------------
 */

/* Columns of equal width; in each, nodes share the height, arrows that pass take less of it. */
static void set_places(lb_graph *g, lb_box plot)
{
    size_t *at = lb_xcalloc(g->n_spots, sizeof *at);
    for (size_t r = 0; r < g->ranks; r++) {
        const size_t n = rank_of(g, r, at);
        double room = 0, y = 0;
        for (size_t k = 0; k < n; k++)
            room += at[k] < g->n ? 1 : dummy_room;
        for (size_t k = 0; k < n; k++) {
            const double own = (at[k] < g->n ? 1 : dummy_room) / room * plot.h;
            g->spots[at[k]].x = plot.x + plot.w * ((double)r + 0.5) / (double)g->ranks;
            g->spots[at[k]].y = plot.y + y + own / 2;
            y += own;
        }
    }
    free(at);
}

static lb_type name_type(double wrap)
{
    lb_type t = lb_type_make(LB_SIZE_SMALL, LB_INK);
    t.bold = true;
    t.wrap = wrap;
    t.align = PANGO_ALIGN_CENTER;
    return t;
}

static lb_type state_type(double wrap)
{
    lb_type t = lb_type_make(LB_SIZE_SMALL - 0.5, LB_INK);
    t.wrap = wrap;
    t.align = PANGO_ALIGN_CENTER;
    return t;
}

static lb_box box_of(const lb_graph *g, lb_canvas *c, size_t i, double width)
{
    const double name = lb_canvas_measure(c, g->nodes[i].name, name_type(width - 8)).h;
    const double state = lb_canvas_measure(c, g->nodes[i].state, state_type(width - 8)).h;
    const double h = name + state + 14;
    return (lb_box){g->spots[i].x - width / 2, g->spots[i].y - h / 2, width, h};
}

static void outline(cairo_t *cr, lb_box b, double cut)
{
    const double x[] = {b.x + cut,       b.x + b.w - cut, b.x + b.w, b.x + b.w,
                        b.x + b.w - cut, b.x + cut,       b.x,       b.x};
    const double y[] = {b.y,       b.y,       b.y + cut,       b.y + b.h - cut,
                        b.y + b.h, b.y + b.h, b.y + b.h - cut, b.y + cut};
    cairo_new_path(cr);
    for (size_t i = 0; i < 8; i++)
        cairo_line_to(cr, lb_round(x[i]), lb_round(y[i]));
    cairo_close_path(cr);
}

static void draw_node(const lb_graph *g, lb_canvas *c, size_t i, double width)
{
    const lb_graph_node *node = &g->nodes[i];
    const lb_box b = box_of(g, c, i, width);
    const lb_colour k = node->style.colour;
    outline(c->cr, b, node->gate ? 7 : 0);
    cairo_set_source_rgb(c->cr, 1 - 0.14 * (1 - k.r), 1 - 0.14 * (1 - k.g), 1 - 0.14 * (1 - k.b));
    cairo_fill_preserve(c->cr);
    lb_canvas_pen(c, k, node->style.width, node->style.dash);
    cairo_stroke(c->cr);
    lb_canvas_record(c, "node", b, NAN, NULL);
    lb_canvas_text(c, node->name, name_type(width - 8), g->spots[i].x, b.y + 5, 0.5, 0, false);
    lb_canvas_text(c, node->state, state_type(width - 8), g->spots[i].x, b.y + b.h - 5, 0.5, 1,
                   false);
}

static void head(lb_canvas *c, double x, double y)
{
    cairo_new_path(c->cr);
    cairo_move_to(c->cr, lb_round(x), lb_round(y));
    cairo_line_to(c->cr, lb_round(x - 5), lb_round(y - 2.4));
    cairo_line_to(c->cr, lb_round(x - 5), lb_round(y + 2.4));
    cairo_close_path(c->cr);
    cairo_fill(c->cr);
}

/* From the right side of one spot to the left side of the next; where it passes, straight on. */
static void draw_step(const lb_graph *g, lb_canvas *c, const step *s, double width)
{
    const spot *a = &g->spots[s->from], *b = &g->spots[s->to];
    const double x0 = a->x + width / 2, x1 = b->x - width / 2 - (s->ends ? 4 : 0);
    const double d = (x1 - x0) * (1 - bend);
    lb_canvas_pen(c, LB_INK_SOFT, 0.8, LB_SOLID);
    cairo_new_path(c->cr);
    if (a->node == (size_t)-1) {
        cairo_move_to(c->cr, lb_round(a->x - width / 2), lb_round(a->y));
        cairo_line_to(c->cr, lb_round(x0), lb_round(a->y));
    } else {
        cairo_move_to(c->cr, lb_round(x0), lb_round(a->y));
    }
    cairo_curve_to(c->cr, lb_round(x0 + d), lb_round(a->y), lb_round(x1 - d), lb_round(b->y),
                   lb_round(x1), lb_round(b->y));
    cairo_stroke(c->cr);
    if (s->ends)
        head(c, x1 + 4, b->y);
}

void lb_graph_draw(lb_axes *a, lb_canvas *c)
{
    lb_graph *g = a->graph;
    const double width = a->plot.w / (double)g->ranks * 0.70;
    set_places(g, a->plot);
    for (size_t i = 0; i < g->n_steps; i++)
        draw_step(g, c, &g->steps[i], width);
    for (size_t i = 0; i < g->n; i++)
        draw_node(g, c, i, width);
}
