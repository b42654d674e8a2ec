/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/bins.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

lb_bins lb_bins_nine(void)
{
    return (lb_bins){.n_teff = 3,
                     .n_mh = 3,
                     .teff = {3750.0, 4500.0, 5250.0, 6000.0},
                     .mh = {-2.0, -1.0, 0.0, 0.5}};
}

static lb_status check_axis(const char *name, const double *edges, size_t n, lb_error *err)
{
    if (n < 1 || n + 1 > LB_BINS_EDGES)
        return LB_FAIL(err, LB_EINVAL, "%zu bins in %s, must be 1 to %d", n, name,
                       LB_BINS_EDGES - 1);
    for (size_t i = 0; i <= n; i++)
        if (!isfinite(edges[i]) || (i > 0 && !(edges[i] > edges[i - 1])))
            return LB_FAIL(err, LB_EINVAL,
                           "edge %zu of the %s bins is %g after %g; edges must increase, or bins "
                           "overlap",
                           i, name, edges[i], i ? edges[i - 1] : NAN);
    return LB_OK;
}

lb_status lb_bins_check(const lb_bins *b, lb_error *err)
{
    lb_status st = check_axis("T_eff", b->teff, b->n_teff, err);
    if (st == LB_OK)
        st = check_axis("[M/H]", b->mh, b->n_mh, err);
    if (st == LB_OK && b->seed_text && b->n_mh != 3)
        st = LB_FAIL(err, LB_EINVAL,
                     "the edge rule seed_text is written for 3 [M/H] bins, here are %zu; use code",
                     b->n_mh);
    return st;
}

size_t lb_bins_count(const lb_bins *b)
{
    return b->n_teff * b->n_mh;
}

/* Index of x among n bins, -1 outside; an inner edge belongs to the bin above it, except the last
 * inner one if @p last_below. */
static int locate(const double *edges, size_t n, bool last_below, double x)
{
    if (!(x >= edges[0] && x <= edges[n]))
        return -1;
    size_t i = 0;
    while (i + 1 < n && (x > edges[i + 1] || (x == edges[i + 1] && !(last_below && i + 2 == n))))
        i++;
    return (int)i;
}

void lb_bins_assign(const lb_bins *b, lb_cvec teff, lb_cvec mh, int *group)
{
    for (size_t i = 0; i < teff.n; i++) {
        const int t = locate(b->teff, b->n_teff, false, teff.data[i]);
        const int m = locate(b->mh, b->n_mh, b->seed_text, mh.data[i]);
        group[i] = t < 0 || m < 0 ? -1 : t * (int)b->n_mh + m;
    }
}

static bool is_edge(const double *edges, size_t n, double x)
{
    for (size_t i = 0; i <= n; i++)
        if (x == edges[i])
            return true;
    return false;
}

size_t lb_bins_on_edge(const lb_bins *b, lb_cvec teff, lb_cvec mh)
{
    size_t count = 0;
    for (size_t i = 0; i < teff.n; i++)
        count += is_edge(b->teff, b->n_teff, teff.data[i]) || is_edge(b->mh, b->n_mh, mh.data[i]);
    return count;
}

void lb_bins_name(const lb_bins *b, int k, char out[32])
{
    static const char *const teff[] = {"Cool", "Mid", "Hot"};
    static const char *const mh[] = {"Metal-poor", "Solar", "Metal-rich"};
    const size_t t = (size_t)k / b->n_mh, m = (size_t)k % b->n_mh;
    if (b->n_teff == 3 && b->n_mh == 3)
        snprintf(out, 32, "%s %s", teff[t], mh[m]);
    else
        snprintf(out, 32, "T%zu M%zu", t, m);
}

/* --- merging -------------------------------------------------------------------------------------
 */

/* Bins served by one expert are a group, named after one of them. */
typedef struct merging {
    const lb_bins *bins;
    size_t count, rows[LB_BINS_MAX]; /* training rows of the group named k; 0 if there is none */
    int *to;                         /* group of each bin */
    bool tried_teff[LB_BINS_MAX];    /* the group has had its merge along T_eff */
    bool stuck[LB_BINS_MAX];         /* nothing left to join */
} merging;

/* The smallest group below the minimum that can still be joined; -1 if none. */
static int smallest(const merging *m, size_t minimum)
{
    int best = -1;
    for (size_t k = 0; k < m->count; k++)
        if (m->rows[k] > 0 && m->rows[k] < minimum && !m->stuck[k] &&
            (best < 0 || m->rows[k] < m->rows[best]))
            best = (int)k;
    return best;
}

/* Among the groups next to a bin of group @p g along T_eff (or [M/H]), the one with fewest rows. */
static int neighbour(const merging *m, int g, bool along_teff)
{
    const int n_mh = (int)m->bins->n_mh, n_teff = (int)m->bins->n_teff;
    int best = -1;
    for (int k = 0; k < (int)m->count; k++) {
        if (m->to[k] != g)
            continue;
        for (int step = -1; step <= 1; step += 2) {
            const int t = k / n_mh + (along_teff ? step : 0),
                      j = k % n_mh + (along_teff ? 0 : step);
            if (t < 0 || t >= n_teff || j < 0 || j >= n_mh)
                continue;
            const int other = m->to[t * n_mh + j];
            if (other >= 0 && other != g && (best < 0 || m->rows[other] < m->rows[best]))
                best = other;
        }
    }
    return best;
}

static void join(merging *m, int g, int target, const char *axis, size_t minimum, lb_text *log)
{
    char from[32], into[32];
    lb_bins_name(m->bins, g, from);
    lb_bins_name(m->bins, target, into);
    lb_text_printf(log,
                   "bin %d (%s) has %zu training rows, below %zu: merged along %s with bin %d (%s, "
                   "%zu rows)\n",
                   g, from, m->rows[g], minimum, axis, target, into, m->rows[target]);
    m->rows[target] += m->rows[g];
    m->rows[g] = 0;
    for (size_t k = 0; k < m->count; k++)
        if (m->to[k] == g)
            m->to[k] = target;
}

static void merge_one(merging *m, int g, size_t minimum, lb_text *log)
{
    const bool teff_first = !m->tried_teff[g];
    int target = neighbour(m, g, teff_first);
    bool along_teff = teff_first;
    if (target < 0) {
        along_teff = !teff_first;
        target = neighbour(m, g, along_teff);
    }
    if (target < 0) {
        char name[32];
        lb_bins_name(m->bins, g, name);
        lb_text_printf(log,
                       "bin %d (%s) stays at %zu training rows, below %zu: no neighbour left\n", g,
                       name, m->rows[g], minimum);
        m->stuck[g] = true;
        return;
    }
    join(m, g, target, along_teff ? "T_eff" : "[M/H]", minimum, log);
    m->tried_teff[target] = m->tried_teff[target] || along_teff;
}

lb_status lb_bins_merge(const lb_bins *b, const size_t *n_train, size_t minimum, int *merged_to,
                        lb_text *log, lb_error *err)
{
    const lb_status st = lb_bins_check(b, err);
    if (st != LB_OK)
        return st;
    merging m = {.bins = b, .count = lb_bins_count(b), .to = merged_to};
    for (size_t k = 0; k < m.count; k++) {
        m.rows[k] = n_train[k];
        m.to[k] = n_train[k] > 0 ? (int)k : -1;
        if (n_train[k] == 0) {
            char name[32];
            lb_bins_name(b, (int)k, name);
            lb_text_printf(log,
                           "bin %zu (%s) has no training rows: no expert, its rows are not "
                           "covered\n",
                           k, name);
        }
    }
    for (int g; (g = smallest(&m, minimum)) >= 0;)
        merge_one(&m, g, minimum, log);
    return LB_OK;
}
