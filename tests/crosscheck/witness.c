/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crosscheck/witness.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/text.h"
#include "crosscheck/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

witness witness_begin(int argc, char **argv)
{
    witness w = {.full = argc == 3 && !strcmp(argv[2], "--full"), .times = lb_xprintf("%s", "")};
    if (argc < 2 || argc > 3 || (argc == 3 && !w.full))
        w.status = LB_FAIL(&w.err, LB_EINVAL, "usage: %s DIR [--full]", argv[0]);
    else
        w.dir = argv[1];
    return w;
}

void witness_save(witness *w, const char *name, const double *data, size_t a, size_t b, size_t c)
{
    if (w->status == LB_OK)
        w->status = npy_doubles(w->dir, name, data, a, b, c, &w->err);
}

void witness_save_floats(witness *w, const char *name, const float *data, size_t a, size_t b)
{
    const size_t shape[] = {a, b};
    if (w->status == LB_OK)
        w->status = npy_save(w->dir, name, "<f4", sizeof *data, data, shape, b ? 2 : 1, &w->err);
}

void witness_save_ints(witness *w, const char *name, const int *data, size_t n)
{
    if (w->status == LB_OK)
        w->status = npy_save(w->dir, name, "<i4", sizeof *data, data, &n, 1, &w->err);
}

void witness_timed(witness *w, const char *task, double since)
{
    const double seconds = lb_clock() - since;
    char *more = lb_xprintf("%s%s\t%.6f\t%zu\n", w->times, task, seconds, lb_peak_memory());
    free(w->times);
    w->times = more;
}

int witness_end(witness *w)
{
    if (w->status == LB_OK) {
        char *path = lb_xprintf("%s/times.tsv", w->dir);
        w->status = lb_file_write(path, w->times, strlen(w->times), &w->err);
        free(path);
    }
    if (w->status != LB_OK)
        fprintf(stderr, "witness: %s\n", w->err.text);
    free(w->times);
    return lb_exit_status(w->status);
}
