/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

lb_progress lb_progress_start(const char *what, size_t total)
{
    return (lb_progress){.what = what, .total = total ? total : 1, .shown = -1};
}

void lb_progress_step(lb_progress *p, size_t steps)
{
    p->done += steps;
    const int percent = (int)(100 * p->done / p->total);
    if (percent == p->shown || !isatty(STDERR_FILENO))
        return;
    enum { WIDTH = 30 };
    p->shown = percent;
    fprintf(stderr, "\r%-28.28s [", p->what);
    for (int i = 0; i < WIDTH; i++)
        fputc(i * 100 < percent * WIDTH ? '#' : '.', stderr);
    fprintf(stderr, "] %3d%%", percent);
}

void lb_progress_end(lb_progress *p)
{
    if (p->shown >= 0)
        fprintf(stderr, "\r\033[K");
    p->shown = -1;
}

double lb_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
