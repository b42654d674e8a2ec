/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_SPEC_H
#define LB_RECORD_SPEC_H

#include "core/error.h"
#include "core/hash.h"
#include "core/yaml.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * The settings of one experiment, templates/experiments/<id>/spec.yaml: the single source of every
 * choice that a run, a report and a verdict share. Read-only once loaded. The shape is the table
 * `schema` in spec.c; what only one experiment knows goes under `settings:`, a free map.
 *
 * Paths are dotted: "noise.levels", "thresholds.valuable", "hypotheses.H1.2.claim".
 */
typedef struct lb_spec lb_spec;

/**
 * Load and check. Everything wrong is told as "file:line:column: ..." with a nearest match:
 * unknown or missing keys (LB_ENAME), wrong types and bad syntax, also of a verdict rule
 * (LB_EFORMAT), values outside their domain such as unsorted bin edges, alpha <= 0, fewer than 100
 * resamples or a text without its "en" or "zh" (LB_EINVAL); LB_EIO if the file cannot be read.
 * The caller owns *out.
 */
lb_status lb_spec_load(const char *path, lb_spec **out, lb_error *err);
lb_status lb_spec_parse(const char *text, const char *name, lb_spec **out, lb_error *err);
void lb_spec_free(lb_spec *s); /* NULL is fine */

const char *lb_spec_path(const lb_spec *s);       /* the file it came from */
const char *lb_spec_hash(const lb_spec *s);       /* "sha256:..." of its bytes */
const char *lb_spec_experiment(const lb_spec *s); /* "e02", the prefix of every key */
const char *lb_spec_name(const lb_spec *s);       /* "e02_piecewise" */

/* Getters. They do not fail: what is absent or of another type comes back as "", NAN, 0, false or
 * NULL, and everything is absent from a spec that is NULL. An experiment states what it cannot do
 * without in one call of lb_spec_require(). */

bool lb_spec_has(const lb_spec *s, const char *path);
/** Text of a scalar, or of the @p lang ("en", "zh") entry of a bilingual map. Borrowed. */
const char *lb_spec_text(const lb_spec *s, const char *path, const char *lang);
double lb_spec_number(const lb_spec *s, const char *path);
size_t lb_spec_size(const lb_spec *s, const char *path); /* a whole number >= 0 */
bool lb_spec_flag(const lb_spec *s, const char *path);
/** A list of numbers: borrowed until lb_spec_free(); *n = 0 and NULL if it is none. */
const double *lb_spec_numbers(const lb_spec *s, const char *path, size_t *n);

/** The tree itself; "" gives the root. NULL if nothing is there. */
const lb_yaml_node *lb_spec_node(const lb_spec *s, const char *path);
/** The path nearest to a misspelt one, for "did you mean"; NULL if none is near. Borrowed. */
const char *lb_spec_nearest(const lb_spec *s, const char *path);

/** LB_ENAME naming the file and the first path of @p paths that is not there. */
lb_status lb_spec_require(const lb_spec *s, const char *const *paths, size_t n, lb_error *err);

/** How closely a number must agree with its frozen value. */
typedef enum lb_tolerance_kind {
    LB_TOL_EXACT,       /* same bits: counts, choices, texts, row sets */
    LB_TOL_NUMERIC,     /* |a - b| <= atol + rtol |frozen| */
    LB_TOL_STATISTICAL, /* |a - b| <= errors * frozen standard error */
    LB_TOL_MEASURED     /* differs from run to run (seconds, bytes): only its presence is checked */
} lb_tolerance_kind;

typedef struct lb_tolerance {
    lb_tolerance_kind kind;
    double rtol, atol; /* numeric */
    double errors;     /* statistical: how many standard errors */
} lb_tolerance;

/**
 * Tolerance of numbers of @p number_kind ("r2", "count", ...): `tolerance.<kind>` of the spec, such
 * as {kind: numeric, rtol: 1e-6, atol: 1e-9} or {kind: statistical, se: 0.5}, else
 * exact for count, alpha and seed, measured for seconds and bytes, else `tolerance.default`, else
 * numeric with rtol 1e-6 and atol 1e-9. @p s may be NULL.
 */
lb_tolerance lb_spec_tolerance(const lb_spec *s, const char *number_kind);

#endif
