/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/quantile_bins.h"

#include "core/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Quantile k / K at the exact position k (n - 1) / K: on an atom it is the atom, to the last bit.
 */
static double quantile(const double *sorted, size_t n, size_t k, size_t of)
{
    const size_t i = k * (n - 1) / of;
    const double t = (double)(k * (n - 1) % of) / (double)of;
    return t > 0.0 ? sorted[i] + t * (sorted[i + 1] - sorted[i]) : sorted[i];
}

lb_status lb_quantile_bins_make(lb_cvec x, size_t k, lb_quantile_bins *out, lb_error *err)
{
    if (k == 0 || k > LB_QUANTILE_BINS_MAX)
        return LB_FAIL(err, LB_EINVAL, "%zu quantile bins, must be 1 to %d", k,
                       LB_QUANTILE_BINS_MAX);
    if (x.n == 0)
        return LB_FAIL(err, LB_EINVAL, "quantile bins of no value");
    for (size_t i = 0; i < x.n; i++)
        if (!isfinite(x.data[i]))
            return LB_FAIL(err, LB_ENUMERIC, "the label of row %zu is %g", i, x.data[i]);
    double *sorted = lb_xcalloc(x.n, sizeof *sorted);
    memcpy(sorted, x.data, x.n * sizeof *sorted);
    qsort(sorted, x.n, sizeof *sorted, by_value);
    *out = (lb_quantile_bins){.asked = k, .n = 1};
    double last = sorted[0];
    for (size_t j = 1; j < k; j++) {
        const double edge = quantile(sorted, x.n, j, k);
        if (edge > last) {
            out->edge[out->n - 1] = last = edge;
            out->n++;
        }
    }
    free(sorted);
    return LB_OK;
}

lb_status lb_quantile_bins_at(const double *edges, size_t n_edges, lb_quantile_bins *out,
                              lb_error *err)
{
    if (n_edges >= LB_QUANTILE_BINS_MAX)
        return LB_FAIL(err, LB_EINVAL, "%zu bins, must be at most %d", n_edges + 1,
                       LB_QUANTILE_BINS_MAX);
    *out = (lb_quantile_bins){.asked = n_edges + 1, .n = n_edges + 1};
    for (size_t j = 0; j < n_edges; j++) {
        if (!isfinite(edges[j]))
            return LB_FAIL(err, LB_ENUMERIC, "edge %zu is %g", j, edges[j]);
        if (j && !(edges[j] > edges[j - 1]))
            return LB_FAIL(err, LB_EINVAL, "edges must increase: %g comes before %g", edges[j - 1],
                           edges[j]);
        out->edge[j] = edges[j];
    }
    return LB_OK;
}

void lb_quantile_bins_assign(const lb_quantile_bins *b, lb_cvec x, int *bin)
{
    for (size_t i = 0; i < x.n; i++) {
        int k = 0;
        while ((size_t)k + 1 < b->n && x.data[i] >= b->edge[k])
            k++;
        bin[i] = isnan(x.data[i]) ? -1 : k;
    }
}

void lb_quantile_bins_count(const int *bin, size_t rows, size_t n, size_t *count)
{
    memset(count, 0, n * sizeof *count);
    for (size_t i = 0; i < rows; i++)
        if (bin[i] >= 0)
            count[bin[i]]++;
}

void lb_quantile_bins_interval(const lb_quantile_bins *b, size_t k, char out[LB_QUANTILE_BINS_TEXT])
{
    char lo[24] = "(−∞", hi[24] = "∞)";
    if (k > 0)
        snprintf(lo, sizeof lo, "[%.6g", b->edge[k - 1]);
    if (k + 1 < b->n)
        snprintf(hi, sizeof hi, "%.6g)", b->edge[k]);
    snprintf(out, LB_QUANTILE_BINS_TEXT, "%s, %s", lo, hi);
}

/* Join bin k with its upper neighbour: the edge between them goes. */
static void drop_edge(lb_quantile_bins *b, size_t *rows, size_t k)
{
    rows[k] += rows[k + 1];
    memmove(rows + k + 1, rows + k + 2, (b->n - k - 2) * sizeof *rows);
    memmove(b->edge + k, b->edge + k + 1, (b->n - k - 2) * sizeof *b->edge);
    b->n--;
}

static void log_merge(const lb_quantile_bins *b, const size_t *rows, size_t from, size_t into,
                      size_t minimum, lb_text *log)
{
    char a[LB_QUANTILE_BINS_TEXT], c[LB_QUANTILE_BINS_TEXT];
    if (!log)
        return;
    lb_quantile_bins_interval(b, from, a);
    lb_quantile_bins_interval(b, into, c);
    lb_text_printf(log, "bin %s has %zu rows, below %zu: merged with %s, %zu rows\n", a, rows[from],
                   minimum, c, rows[into]);
}

bool lb_quantile_bins_merge(const lb_quantile_bins *b, const size_t *n_rows, size_t minimum,
                            lb_quantile_bins *out, int *merged_to, lb_text *log)
{
    lb_quantile_bins left = *b;
    size_t rows[LB_QUANTILE_BINS_MAX];
    memcpy(rows, n_rows, b->n * sizeof *rows);
    for (size_t k = 0; k < b->n; k++)
        merged_to[k] = (int)k;
    while (left.n > 1) {
        size_t least = 0;
        for (size_t k = 1; k < left.n; k++)
            least = rows[k] < rows[least] ? k : least;
        if (rows[least] >= minimum)
            break;
        const bool up = least == 0 || (least + 1 < left.n && rows[least + 1] < rows[least - 1]);
        const size_t lower = up ? least : least - 1;
        log_merge(&left, rows, least, up ? least + 1 : least - 1, minimum, log);
        drop_edge(&left, rows, lower);
        for (size_t k = 0; k < b->n; k++)
            merged_to[k] -= merged_to[k] > (int)lower;
    }
    const bool merged = left.n < b->n;
    *out = left;
    return merged;
}
