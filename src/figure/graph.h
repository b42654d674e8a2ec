/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_FIGURE_GRAPH_H
#define LB_FIGURE_GRAPH_H

#include "figure/figure.h"

#include <stdbool.h>
#include <stddef.h>

/** A thing that needs others: its name over a word about its state. */
typedef struct lb_graph_node {
    const char *name, *state; /* wrapped to the width of the node */
    lb_style style;           /* colour, width and dash of the frame */
    bool gate;                /* drawn with cut corners: a decision, not a piece of work */
} lb_graph_node;

/** @c to needs @c from: indices of nodes. */
typedef struct lb_graph_edge {
    size_t from, to;
} lb_graph_edge;

/**
 * Fill a panel with a directed graph, read from left to right: a node stands right of everything
 * it needs, and an arrow that others imply (a needs b needs c, so a needs c) is left out. The
 * layout is that of Sugiyama, Tagawa & Toda (1981): ranks by longest path, long arrows through
 * places of their own, order within a rank by barycentres. Copied; the panel shows nothing else.
 * Sticky errors: an edge to no node, a circle of needs, no node at all (LB_EINVAL).
 */
void lb_plot_graph(lb_axes *a, const lb_graph_node *nodes, size_t n, const lb_graph_edge *edges,
                   size_t m);

#endif
