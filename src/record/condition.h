/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_CONDITION_H
#define LB_RECORD_CONDITION_H

#include "core/error.h"
#include "core/number.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * The one language of conditions: verdict rules in spec.yaml, {% if %} and {% claim %} in
 * templates.
 *
 *   condition  := conjunction { "or" conjunction }
 *   conjunction:= negation { "and" negation }
 *   negation   := "not" negation | comparison
 *   comparison := sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum ]       (no chains)
 *   sum        := product { ("+" | "-") product }
 *   product    := factor { ("*" | "/") factor }
 *   factor     := "-" factor | number | "text" | 'text' | true | false | "(" condition ")"
 *               | name | "verdict(" id ")" | "defined(" name ")"
 *   name       := letter { letter | digit | "_" | "." }      e02.noise_0.2.r2.global.ci_lo
 *
 * Three-valued: a number that is n/a (or a division by zero) is unknown, and so is what is computed
 * from it; "false and unknown" is false, "true or unknown" is true (Kleene 1952). `and` and `or`
 * do not look at their right side when the left decides. defined(name) is true only for a name
 * that exists and has a value.
 */
typedef enum lb_truth { LB_FALSE = 0, LB_TRUE = 1, LB_UNKNOWN = 2 } lb_truth;

typedef enum lb_value_kind {
    LB_VALUE_UNKNOWN,
    LB_VALUE_NUMBER,
    LB_VALUE_TEXT,
    LB_VALUE_TRUTH
} lb_value_kind;

typedef struct lb_value {
    lb_value_kind kind;
    double number;
    const char *text; /* borrowed for the length of the evaluation */
    bool truth;
    bool oracle; /* a number with a model behind it that was given true labels */
} lb_value;

/** What names mean. Both calls return LB_OK and a value (kind LB_VALUE_UNKNOWN for n/a), or fail
 * with LB_ENAME and a sentence with the nearest match when there is no such name. */
typedef struct lb_scope {
    lb_status (*name)(void *self, const char *name, lb_value *out, lb_error *err);
    lb_status (*verdict)(void *self, const char *id, lb_value *out, lb_error *err); /* a text */
    void *self;
} lb_scope;

typedef struct lb_condition lb_condition;

/** LB_EFORMAT "column N: ..." (columns of @p text, from 1). The caller owns *out. */
lb_status lb_condition_parse(const char *text, lb_condition **out, lb_error *err);
void lb_condition_free(lb_condition *c); /* NULL is fine */

/**
 * The truth of @p c. LB_ENAME from the scope; LB_EFORMAT "column N: ..." when the kinds do not fit
 * (a text compared by size, a number used as a truth value).
 */
lb_status lb_condition_evaluate(const lb_condition *c, const lb_scope *scope, lb_truth *out,
                                lb_error *err);

/** Every name used (also inside defined()), each once, in order; verdict ids apart. Borrowed. */
const char *const *lb_condition_names(const lb_condition *c, size_t *n);
const char *const *lb_condition_verdicts(const lb_condition *c, size_t *n);
const char *lb_condition_text(const lb_condition *c); /* as parsed */

/** Append "e02.r2 = 0.9116 (oracle), spec.thresholds.useful = 0.99" for the names used, for
 * messages and the details of verdicts. */
void lb_condition_explain(const lb_condition *c, const lb_scope *scope, lb_text *out);

/**
 * Cut the field off a name: "e02.r2.ci_lo" gives "e02.r2" and "ci_lo"; fields are value, ci_lo,
 * ci_hi, se, n, p_above, boot_mean, p_positive. @return the field (borrowed from @p name), or NULL
 * if the last part is none; then @p key receives the whole name.
 */
const char *lb_name_split(const char *name, char *key, size_t size);
bool lb_field_is(const char *word); /* one of the field words */

/** A number, or one field of it (NULL: its value), as a value of the language. */
lb_value lb_value_of(const lb_number *x, const char *field);

#endif
