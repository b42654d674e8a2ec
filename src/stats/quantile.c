/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/quantile.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void lb_sort(double *x, size_t n)
{
    if (n)
        qsort(x, n, sizeof *x, by_value);
}

double lb_quantile(const double *sorted, size_t n, double q)
{
    if (!n)
        return NAN;
    const double position = q * (double)(n - 1);
    const size_t i = (size_t)position;
    if (i + 1 >= n)
        return sorted[n - 1];
    /* From the nearer end, as NumPy does, so that t = 1 gives b exactly. */
    const double a = sorted[i], b = sorted[i + 1], t = position - (double)i;
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1.0 - t);
}

double lb_mean(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n ? sum / (double)n : NAN;
}

double lb_std(const double *x, size_t n, size_t ddof)
{
    if (n <= ddof)
        return NAN;
    const double mean = lb_mean(x, n);
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / (double)(n - ddof));
}
