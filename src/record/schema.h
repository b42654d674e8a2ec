/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_SCHEMA_H
#define LB_RECORD_SCHEMA_H

#include "core/error.h"
#include "core/yaml.h"

#include <stdbool.h>
#include <stddef.h>

/* The shape of a YAML file as a table of rules, one for each path that may occur, and its check. */

typedef enum lb_rule_type {
    LB_T_MAP,   /* its entries have their own lines; "*" stands for any key or list element */
    LB_T_LIST,  /* of maps */
    LB_T_TEXT,  /* a scalar that is not empty */
    LB_T_WORDS, /* a text for readers, as a map of en and zh */
    LB_T_NUMBER,
    LB_T_SIZE,    /* a whole number >= 0 */
    LB_T_FLAG,    /* true or false */
    LB_T_NUMBERS, /* a list of numbers, not empty */
    LB_T_SIZES,
    LB_T_TEXTS,
    LB_T_CONDITION, /* of the language in condition.h */
    LB_T_FREE       /* a map with anything in it */
} lb_rule_type;

/** What a value must also be. */
enum {
    LB_CHECK_POSITIVE = 1,     /* > 0 */
    LB_CHECK_NOT_NEGATIVE = 2, /* >= 0 */
    LB_CHECK_FRACTION = 4,     /* between 0 and 1, both excluded */
    LB_CHECK_RISING = 8,       /* a list, each above the one before */
    LB_CHECK_EDGES = 16,       /* the same, at least two */
    LB_CHECK_OWN_KEY = 32,     /* a key of this experiment */
    LB_CHECK_DATE = 64
};

typedef struct lb_rule {
    const char *path;
    lb_rule_type type;
    bool required;     /* in the map it belongs to */
    int check;         /* flags above */
    double least;      /* the smallest number allowed, if above 0 */
    const char *among; /* words allowed, separated by '|' */
} lb_rule;

/** A whole file. */
typedef struct lb_schema {
    const lb_rule *rules;
    size_t n;
} lb_schema;

/**
 * Check the tree against the rules. Everything wrong is told as "file:line:column: ..." with a
 * nearest match: unknown or missing keys (LB_ENAME), wrong types and bad conditions (LB_EFORMAT),
 * values outside their domain or a text without its "en" or "zh" (LB_EINVAL).
 */
lb_status lb_schema_check(const lb_schema *schema, const lb_yaml *yaml, lb_error *err);

#endif
