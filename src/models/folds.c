/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/folds.h"

#include "core/memory.h"
#include "core/random.h"

#include <stdlib.h>

enum { FOLD_STREAM = 0x666F6C64 }; /* of core/random.h: apart from other uses of the same seed */

/* A row with what it is sorted by. */
typedef struct entry {
    uint64_t group;
    size_t row;
    int class_of;
} entry;

/* A group: its entries, and where the shuffle put it. */
typedef struct deal {
    size_t first, last; /* entries first .. last-1 */
    size_t place;
    int class_of;
} deal;

static int by_group(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int by_class(const void *a, const void *b)
{
    const deal *x = a, *y = b;
    if (x->class_of != y->class_of)
        return x->class_of < y->class_of ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* The rows that take part, group by group. */
static lb_status collect(const lb_folds *f, size_t n, entry *entries, size_t *used, lb_error *err)
{
    *used = 0;
    for (size_t i = 0; i < n; i++) {
        const int c = f->class_of ? f->class_of[i] : 0;
        if (c < -1)
            return LB_FAIL(err, LB_EINVAL, "row %zu is of class %d", i, c);
        if (c >= 0)
            entries[(*used)++] = (entry){f->group ? f->group[i] : i, i, c};
    }
    qsort(entries, *used, sizeof *entries, by_group);
    return LB_OK;
}

static lb_status gather_groups(const entry *entries, size_t used, deal *deals, size_t *groups,
                               lb_error *err)
{
    *groups = 0;
    for (size_t first = 0, last; first < used; first = last) {
        const entry *e = &entries[first];
        for (last = first; last < used && entries[last].group == e->group; last++)
            if (entries[last].class_of != e->class_of)
                return LB_FAIL(err, LB_EINVAL,
                               "rows %zu and %zu are of group %llu but of classes %d and %d",
                               e->row, entries[last].row, (unsigned long long)e->group, e->class_of,
                               entries[last].class_of);
        deals[(*groups)++] = (deal){first, last, 0, e->class_of};
    }
    return LB_OK;
}

/* Shuffle the groups, order them by class and deal them out. */
static void deal_out(const lb_folds *f, const entry *entries, deal *deals, size_t groups, int *fold)
{
    lb_rng r = lb_rng_make(f->seed, FOLD_STREAM);
    size_t *order = lb_xcalloc(groups, sizeof *order);
    for (size_t g = 0; g < groups; g++)
        order[g] = g;
    lb_rng_shuffle(&r, order, groups);
    for (size_t g = 0; g < groups; g++)
        deals[order[g]].place = g;
    qsort(deals, groups, sizeof *deals, by_class);
    for (size_t g = 0; g < groups; g++)
        for (size_t i = deals[g].first; i < deals[g].last; i++)
            fold[entries[i].row] = (int)(g % f->k);
    free(order);
}

lb_status lb_folds_make(lb_folds f, size_t n, int *fold, lb_error *err)
{
    if (f.k < 2)
        return LB_FAIL(err, LB_EINVAL, "%zu folds, must be at least 2", f.k);
    entry *entries = lb_xcalloc(n + 1, sizeof *entries);
    deal *deals = lb_xcalloc(n + 1, sizeof *deals);
    size_t used = 0, groups = 0;
    lb_status st;

    for (size_t i = 0; i < n; i++)
        fold[i] = -1;
    if ((st = collect(&f, n, entries, &used, err)) != LB_OK ||
        (st = gather_groups(entries, used, deals, &groups, err)) != LB_OK)
        goto done;
    if (groups < f.k) {
        st = LB_FAIL(err, LB_EINVAL, "%zu groups of rows cannot fill %zu folds", groups, f.k);
        goto done;
    }
    deal_out(&f, entries, deals, groups, fold);
done:
    free(entries);
    free(deals);
    return st;
}
