/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes and arrows: laws of the layout, and what is no graph. */
#include "figure/graph.h"

#include <criterion/criterion.h>
#include <string.h>

enum { NODES = 4 };

static lb_status measure(const lb_graph_edge *edges, size_t m, const lb_ink **ink, size_t *n,
                         lb_figure **out, lb_error *err)
{
    lb_graph_node nodes[NODES];
    static const char *const names[] = {"A", "B", "C", "D"};
    for (size_t i = 0; i < NODES; i++)
        nodes[i] = (lb_graph_node){names[i], "done", lb_style_role(LB_NEUTRAL), i == 1};
    *out = lb_figure_new("/tmp/none", 8, 5, "Graph", "A graph.");
    lb_plot_graph(lb_figure_panel(*out, 0, 0, 1, 1), nodes, NODES, edges, m);
    return lb_figure_measure(*out, ink, n, err);
}

Test(graph, puts_every_node_right_of_what_it_needs)
{
    static const lb_graph_edge edges[] = {{0, 1}, {1, 2}, {0, 2}, {2, 3}, {0, 3}};
    const lb_ink *ink, *node[NODES] = {0};
    lb_figure *f;
    lb_error err = {0};
    size_t n, found = 0;
    cr_assert(measure(edges, 5, &ink, &n, &f, &err) == LB_OK, "%s", err.text);
    for (size_t i = 0; i < n && found < NODES; i++)
        if (strcmp(ink[i].what, "node") == 0)
            node[found++] = &ink[i];
    cr_assert(found == NODES);
    for (size_t i = 0; i < 5; i++)
        cr_expect(node[edges[i].to]->x > node[edges[i].from]->x + node[edges[i].from]->w);
    lb_figure_abandon(f);
}

Test(graph, refuses_circles_and_arrows_to_nowhere)
{
    static const lb_graph_edge circle[] = {{0, 1}, {1, 2}, {2, 0}}, nowhere[] = {{0, NODES}};
    const lb_ink *ink;
    lb_figure *f;
    lb_error err = {0};
    size_t n;
    cr_expect(measure(circle, 3, &ink, &n, &f, &err) == LB_EINVAL);
    cr_expect(strstr(err.text, "circles") != NULL, "%s", err.text);
    lb_figure_abandon(f);
    err = (lb_error){0};
    cr_expect(measure(nowhere, 1, &ink, &n, &f, &err) == LB_EINVAL);
    cr_expect(strstr(err.text, "leads to no node") != NULL, "%s", err.text);
    lb_figure_abandon(f);
}
