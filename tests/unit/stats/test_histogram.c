/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/histogram.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

Test(histogram, lower_ends_are_closed_and_the_last_bin_holds_the_top)
{
    const double x[] = {0.0, 0.5, 1.0, 1.0, 2.999, 3.0, -0.1, 3.1, (double)NAN};
    double edges[4], counts[3];
    size_t outside;
    cr_assert(
        eq(int, lb_histogram((lb_cvec){x, 9}, 0.0, 3.0, 3, edges, counts, &outside, NULL), LB_OK));
    cr_expect(counts[0] == 2 && counts[1] == 2 && counts[2] == 2);
    cr_expect(eq(sz, outside, 3));
    cr_expect(edges[0] == 0.0 && edges[1] == 1.0 && edges[3] == 3.0);
}

/* 0.1 * 3 is not 0.3: a value equal to an edge must fall into the bin that starts there, the number
 * before it into the bin that ends there. In these ranges (x - lo) / width errs both ways. */
Test(histogram, the_printed_edges_decide)
{
    enum { MOST = 30 };
    const struct {
        double lo, hi;
        size_t bins;
    } ranges[] = {{0.0, 3.0, 30}, {0.3, 1.7, 13}, {1.1, 2.3, 12}, {-1.0, 2.0, 11}};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        const double lo = ranges[r].lo, hi = ranges[r].hi;
        const size_t bins = ranges[r].bins;
        double edges[MOST + 1], counts[MOST];
        lb_histogram((lb_cvec){NULL, 0}, lo, hi, bins, edges, counts, NULL, NULL);
        for (size_t k = 1; k < bins; k++) {
            const double two[] = {edges[k], nextafter(edges[k], lo)};
            lb_histogram((lb_cvec){two, 2}, lo, hi, bins, edges, counts, NULL, NULL);
            cr_expect(eq(dbl, counts[k], 1.0), "edge %zu of [%g, %g]", k, lo, hi);
            cr_expect(eq(dbl, counts[k - 1], 1.0), "below edge %zu of [%g, %g]", k, lo, hi);
        }
    }
}

Test(histogram, refuses_an_empty_range)
{
    double edges[2], counts[1];
    const lb_cvec none = {NULL, 0};
    cr_expect(eq(int, lb_histogram(none, 1, 1, 1, edges, counts, NULL, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_histogram(none, 0, (double)NAN, 1, edges, counts, NULL, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_histogram(none, (double)NAN, 1, 1, edges, counts, NULL, NULL), LB_EINVAL));
    cr_expect(
        eq(int, lb_histogram(none, 0, (double)INFINITY, 1, edges, counts, NULL, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_histogram(none, 0, 1, 0, edges, counts, NULL, NULL), LB_EINVAL));
    cr_expect(eq(int, lb_histogram(none, -1e308, 1e308, 1, edges, counts, NULL, NULL), LB_EINVAL));
}
