/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats/rowset.h"

#include "core/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lb_rowset {
    char *name, *dataset;
    size_t *rows, n;
    char hash[LB_HASH_SIZE];
    lb_rowset *older; /* the chain of living sets */
};

/* The living sets, newest first: only so that a message can give a hash its name. */
static lb_rowset *newest;

static void enlist(lb_rowset *r)
{
#pragma omp critical(lb_rowset_chain)
    {
        r->older = newest;
        newest = r;
    }
}

static void delist(lb_rowset *r)
{
#pragma omp critical(lb_rowset_chain)
    {
        lb_rowset **link = &newest;
        while (*link && *link != r)
            link = &(*link)->older;
        if (*link)
            *link = r->older;
    }
}

static void add_u64(lb_hash *h, uint64_t x)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(x >> (8 * i));
    lb_hash_add(h, bytes, sizeof bytes);
}

/* Takes over @p rows. */
static lb_rowset *make(const char *name, const char *dataset_hash, size_t *rows, size_t n)
{
    lb_rowset *r = lb_xcalloc(1, sizeof *r);
    r->name = lb_xstrdup(name);
    r->dataset = lb_xstrdup(dataset_hash);
    r->rows = rows;
    r->n = n;
    lb_hash *h = lb_hash_new();
    lb_hash_add(h, r->dataset, strlen(r->dataset) + 1);
    add_u64(h, n);
    for (size_t i = 0; i < n; i++)
        add_u64(h, rows[i]);
    lb_hash_finish(h, r->hash);
    enlist(r);
    return r;
}

lb_rowset *lb_rowset_new(const char *name, const char *dataset_hash, const size_t *rows, size_t n)
{
    size_t *copy = lb_xcalloc(n, sizeof *copy);
    if (n)
        memcpy(copy, rows, n * sizeof *copy);
    return make(name, dataset_hash, copy, n);
}

lb_rowset *lb_rowset_all(const char *name, const char *dataset_hash, size_t n)
{
    size_t *rows = lb_xcalloc(n, sizeof *rows);
    for (size_t i = 0; i < n; i++)
        rows[i] = i;
    return make(name, dataset_hash, rows, n);
}

lb_rowset *lb_rowset_where(const lb_rowset *parent, const char *name, const bool *keep)
{
    size_t *rows = lb_xcalloc(parent->n, sizeof *rows), n = 0;
    for (size_t i = 0; i < parent->n; i++)
        if (keep[i])
            rows[n++] = parent->rows[i];
    return make(name, parent->dataset, rows, n);
}

static int by_size(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

lb_status lb_rowset_common(const lb_rowset *a, const lb_rowset *b, const char *name,
                           lb_rowset **out, lb_error *err)
{
    if (strcmp(a->dataset, b->dataset))
        return LB_FAIL(err, LB_EROWS,
                       "row sets '%s' (data %.19s) and '%s' (data %.19s) number the rows of "
                       "different data; they have no row in common",
                       a->name, a->dataset, b->name, b->dataset);
    size_t *sorted = lb_xcalloc(b->n, sizeof *sorted);
    bool *keep = lb_xcalloc(a->n, sizeof *keep);
    memcpy(sorted, b->rows, b->n * sizeof *sorted);
    qsort(sorted, b->n, sizeof *sorted, by_size);
    for (size_t i = 0; i < a->n; i++)
        keep[i] = bsearch(&a->rows[i], sorted, b->n, sizeof *sorted, by_size) != NULL;
    *out = lb_rowset_where(a, name, keep);
    free(sorted);
    free(keep);
    return LB_OK;
}

void lb_rowset_free(lb_rowset *r)
{
    if (!r)
        return;
    delist(r);
    free(r->name);
    free(r->dataset);
    free(r->rows);
    free(r);
}

const char *lb_rowset_name(const lb_rowset *r)
{
    return r->name;
}

const char *lb_rowset_hash(const lb_rowset *r)
{
    return r->hash;
}

const char *lb_rowset_dataset(const lb_rowset *r)
{
    return r->dataset;
}

const size_t *lb_rowset_index(const lb_rowset *r)
{
    return r->rows;
}

size_t lb_rowset_size(const lb_rowset *r)
{
    return r->n;
}

bool lb_rowset_same(const lb_rowset *a, const lb_rowset *b)
{
    return strcmp(a->hash, b->hash) == 0;
}

void lb_rowset_describe(const char *hash, size_t n, char out[LB_ROWSET_TEXT])
{
    char name[64] = "";
#pragma omp critical(lb_rowset_chain)
    for (const lb_rowset *r = newest; r && !name[0]; r = r->older)
        if (strcmp(r->hash, hash) == 0)
            snprintf(name, sizeof name, "'%.60s' ", r->name);
    if (hash[0])
        snprintf(out, LB_ROWSET_TEXT, "%s(%zu rows, %.19s)", name, n, hash);
    else
        snprintf(out, LB_ROWSET_TEXT, "no row set at all");
}

lb_status lb_rowset_require_same(const char *what, const char *hash_a, size_t n_a,
                                 const char *hash_b, size_t n_b, lb_error *err)
{
    if (hash_a[0] && strcmp(hash_a, hash_b) == 0)
        return LB_OK;
    char a[LB_ROWSET_TEXT], b[LB_ROWSET_TEXT];
    lb_rowset_describe(hash_a, n_a, a);
    lb_rowset_describe(hash_b, n_b, b);
    return LB_FAIL(err, LB_EROWS,
                   "%s needs scores on the same rows, but the first is on %s and the second on %s. "
                   "Restrict both outcomes to their common rows (lb_rowset_common, "
                   "lb_outcome_on) and score them again",
                   what, a, b);
}
