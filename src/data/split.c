/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/split.h"

#include "core/memory.h"
#include "core/random.h"
#include "data/source.h"

#include <stdlib.h>

enum { CUT_STREAM = 0x637574 }; /* of core/random.h: apart from other uses of the same seed */

static lb_status open_sets(const char *root, lb_split *s, lb_error *err)
{
    lb_status st = lb_source_open(root, "train", &s->train, err);
    if (st == LB_OK)
        st = lb_source_open(root, "val", &s->val, err);
    if (st == LB_OK)
        st = lb_source_open(root, "test", &s->test, err);
    if (st == LB_OK)
        st = lb_spectra_check_same_grid(s->train, s->test, err);
    if (st == LB_OK && s->val)
        st = lb_spectra_check_same_grid(s->train, s->val, err);
    return st;
}

static lb_status check_sets(lb_split *s, lb_error *err)
{
    lb_status st = lb_spectra_screen(s->train, &s->train_screen, err);
    if (st == LB_OK && s->val)
        st = lb_spectra_screen(s->val, &s->val_screen, err);
    if (st == LB_OK)
        st = lb_spectra_screen(s->test, &s->test_screen, err);
    if (st == LB_OK)
        st = lb_spectra_check_disjoint(s->train, &s->train_screen, s->test, &s->test_screen, err);
    if (st == LB_OK && s->val)
        st = lb_spectra_check_disjoint(s->train, &s->train_screen, s->val, &s->val_screen, err);
    if (st == LB_OK && s->val)
        st = lb_spectra_check_disjoint(s->val, &s->val_screen, s->test, &s->test_screen, err);
    return st;
}

static lb_part kept_rows(lb_spectra *spectra, const lb_screening *screen)
{
    lb_part part = {spectra, lb_xcalloc(screen->rows, sizeof(size_t)), 0};
    for (size_t i = 0; i < screen->rows; i++)
        if (screen->keep[i])
            part.rows[part.n++] = i;
    return part;
}

static int ascending(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* Move a random fifth of the core to the validation part; both stay in increasing order. */
static void cut_validation(lb_split *s, uint64_t seed)
{
    lb_rng r = lb_rng_make(seed, CUT_STREAM);
    const size_t n = s->core.n, cut = n < 10 ? 1 : (n + 2) / 5; /* a fifth, rounded */
    lb_rng_shuffle(&r, s->core.rows, n);
    s->validation = (lb_part){s->train, lb_xcalloc(cut, sizeof(size_t)), cut};
    for (size_t i = 0; i < cut; i++)
        s->validation.rows[i] = s->core.rows[n - cut + i];
    s->core.n = n - cut;
    qsort(s->core.rows, s->core.n, sizeof(size_t), ascending);
    qsort(s->validation.rows, cut, sizeof(size_t), ascending);
    s->validation_was_cut = true;
}

static lb_status divide(lb_split *s, uint64_t seed, lb_error *err)
{
    s->cut_seed = seed;
    s->core = kept_rows(s->train, &s->train_screen);
    s->kept_test = kept_rows(s->test, &s->test_screen);
    if (s->val)
        s->validation = kept_rows(s->val, &s->val_screen);
    else if (s->core.n > 1)
        cut_validation(s, seed);
    if (s->core.n == 0 || s->validation.n == 0 || s->kept_test.n == 0)
        return LB_FAIL(err, LB_EINVAL,
                       "too few rows: %zu to train on, %zu for validation, %zu to test", s->core.n,
                       s->validation.n, s->kept_test.n);
    s->n_core = s->core.n;
    s->is_core = lb_xcalloc(lb_spectra_rows(s->train), sizeof *s->is_core);
    for (size_t i = 0; i < s->core.n; i++)
        s->is_core[s->core.rows[i]] = true;
    return LB_OK;
}

lb_status lb_split_open(const char *root, uint64_t cut_seed, lb_split *out, lb_error *err)
{
    lb_split s = {0};
    *out = s;
    lb_status st = open_sets(root, &s, err);
    if (st == LB_OK)
        st = check_sets(&s, err);
    if (st == LB_OK)
        st = divide(&s, cut_seed, err);
    if (st == LB_OK)
        *out = s;
    else
        lb_split_close(&s);
    return st;
}

void lb_split_close(lb_split *s)
{
    free(s->is_core);
    free(s->core.rows);
    free(s->validation.rows);
    free(s->kept_test.rows);
    lb_screening_free(&s->train_screen);
    lb_screening_free(&s->val_screen);
    lb_screening_free(&s->test_screen);
    lb_spectra_close(s->train);
    lb_spectra_close(s->val);
    lb_spectra_close(s->test);
    *s = (lb_split){0};
}
