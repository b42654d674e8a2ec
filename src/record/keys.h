/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_KEYS_H
#define LB_RECORD_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/** Positions by key, sorted; the keys are borrowed. Zero-initialise. Used inside this layer. */
typedef struct lb_keys {
    struct lb_key {
        const char *key;
        size_t at;
    } * items;
    size_t n;
} lb_keys;

bool lb_keys_add(lb_keys *k, const char *key, size_t at); /* false: the key is there already */
bool lb_keys_find(const lb_keys *k, const char *key, size_t *at);
const char *lb_keys_nearest(const lb_keys *k, const char *key); /* NULL if none is near */
void lb_keys_free(lb_keys *k);

/** One more zeroed item of @p size bytes at the end of the array *items; returns it. */
void *lb_push(void *items, size_t *n, size_t size);

#endif
