/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_CORE_YAML_H
#define LB_CORE_YAML_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * One YAML 1.1 document as a tree that remembers where everything stood, so that a complaint can
 * name file, line and column. Read-only. Strict: duplicate keys, anchors, aliases, tags, a second
 * document and nesting deeper than 32 are errors.
 */
typedef enum lb_yaml_kind { LB_YAML_SCALAR, LB_YAML_LIST, LB_YAML_MAP } lb_yaml_kind;

typedef struct lb_yaml_node lb_yaml_node;
struct lb_yaml_node {
    lb_yaml_kind kind;
    int line, column;         /* of the value, from 1 */
    int key_line, key_column; /* of its key when it stands in a map, else as above */
    bool quoted;              /* a scalar in quotes or block style: text, whatever it looks like */
    char *text;               /* scalar only, UTF-8 */
    size_t n;                 /* entries of a list or a map */
    char **keys;              /* map only, in the order of the file */
    lb_yaml_node **items;     /* list elements or map values */
};

typedef struct lb_yaml {
    char *name; /* the file, for messages */
    lb_yaml_node *root;
} lb_yaml;

/** Read and parse a file. LB_EIO (unreadable), LB_EFORMAT "file:line:column: ..." (not our YAML).
 * The caller owns *out and frees it with lb_yaml_free(). */
lb_status lb_yaml_load(const char *path, lb_yaml **out, lb_error *err);

/** The same from memory; @p name stands for the file in messages. */
lb_status lb_yaml_parse(const char *text, size_t length, const char *name, lb_yaml **out,
                        lb_error *err);
void lb_yaml_free(lb_yaml *y); /* NULL is fine */

/** Value of @p key in a map; NULL if absent or if @p map is no map (or NULL). */
const lb_yaml_node *lb_yaml_get(const lb_yaml_node *map, const char *key);

/**
 * Walk a dotted path: "noise.levels.2" is the third element. A key may itself hold dots
 * ("hypotheses.H1.2.claim"); every way of cutting the path is tried. NULL if nothing is there.
 */
const lb_yaml_node *lb_yaml_at(const lb_yaml_node *node, const char *path);

/** A plain (unquoted) scalar whose whole text is a finite decimal number. */
bool lb_yaml_number(const lb_yaml_node *node, double *out);
bool lb_yaml_bool(const lb_yaml_node *node, bool *out); /* plain true or false only */

/** Fail with "file:line:column: message", pointing at the value. */
lb_status lb_yaml_fail(const lb_yaml *y, const lb_yaml_node *node, lb_status status, lb_error *err,
                       const char *format, ...) __attribute__((format(printf, 5, 6)));
/** The same, pointing at the key the value stands under. */
lb_status lb_yaml_fail_key(const lb_yaml *y, const lb_yaml_node *node, lb_status status,
                           lb_error *err, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
