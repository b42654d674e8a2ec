/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_TESTS_CROSSCHECK_WITNESS_H
#define LB_TESTS_CROSSCHECK_WITNESS_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * One module of the library before an independent witness. tests/crosscheck/NAME.c makes a problem,
 * solves it with the library and hands both out as .npy files; NAME.py solves the same problem with
 * NumPy, scikit-learn or PyTorch, compares, and times itself against the seconds given here.
 *
 *   witness_NAME DIR [--full]      --full: the size of the benchmark instead of that of the check
 *
 * Sticky: after a failure every call does nothing and witness_end() tells it.
 */
typedef struct witness {
    const char *dir;
    bool full;
    lb_status status;
    lb_error err;
    char *times; /* text of DIR/times.tsv so far */
} witness;

witness witness_begin(int argc, char **argv);

/** Arrays of doubles, shape as in npy_doubles(), and of ints. */
void witness_save(witness *w, const char *name, const double *data, size_t a, size_t b, size_t c);
void witness_save_floats(witness *w, const char *name, const float *data, size_t a, size_t b);
void witness_save_ints(witness *w, const char *name, const int *data, size_t n);

/** The task began at lb_clock() == @p since and ends now; the peak memory so far goes with it. */
void witness_timed(witness *w, const char *task, double since);

/** Exit status of the program. */
int witness_end(witness *w);

#endif
