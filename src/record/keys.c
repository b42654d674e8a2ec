/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/keys.h"

#include "core/memory.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

void *lb_push(void *items, size_t *n, size_t size)
{
    char *block;
    memcpy(&block, items, sizeof block);
    if ((*n & (*n - 1)) == 0) { /* full at 0, 1, 2, 4, 8, ... */
        block = lb_xrealloc(block, *n ? 2 * *n : 1, size);
        memcpy(items, &block, sizeof block);
    }
    return memset(block + (*n)++ * size, 0, size);
}

/* The first position whose key is not below @p key (binary search). */
static size_t lower_bound(const lb_keys *k, const char *key)
{
    size_t lo = 0, hi = k->n;
    while (lo < hi) {
        const size_t mid = (lo + hi) / 2;
        if (strcmp(k->items[mid].key, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool lb_keys_find(const lb_keys *k, const char *key, size_t *at)
{
    const size_t i = lower_bound(k, key);
    if (i == k->n || strcmp(k->items[i].key, key))
        return false;
    *at = k->items[i].at;
    return true;
}

bool lb_keys_add(lb_keys *k, const char *key, size_t at)
{
    const size_t i = lower_bound(k, key);
    if (i < k->n && !strcmp(k->items[i].key, key))
        return false;
    lb_push(&k->items, &k->n, sizeof *k->items);
    memmove(&k->items[i + 1], &k->items[i], (k->n - 1 - i) * sizeof *k->items);
    k->items[i] = (struct lb_key){key, at};
    return true;
}

const char *lb_keys_nearest(const lb_keys *k, const char *key)
{
    const char **words = lb_xcalloc(k->n + 1, sizeof *words);
    for (size_t i = 0; i < k->n; i++)
        words[i] = k->items[i].key;
    const char *near = lb_nearest(key, words, k->n);
    free(words);
    return near;
}

void lb_keys_free(lb_keys *k)
{
    free(k->items);
    *k = (lb_keys){0};
}
