/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_TEMPLATE_H
#define LB_REPORT_TEMPLATE_H

#include "core/error.h"

#include <stddef.h>

/*
 * The template language: a small, strict subset of Jinja's syntax.
 *
 *   {{ e03.delta_r2 }}            a number of a record, formatted by what its uncertainty supports
 *   {{ e03.delta_r2 | +.4f }}     the same with a format (report/format.h)
 *   {{ e03.delta_r2.ci_lo }}      a field: value ci_lo ci_hi se n p_above ...
 *   {{ this.data.n_train }}       the same of the report's own experiment, for shared pages
 *   {{ spec.noise.focus }}        a setting of the experiment's spec.yaml
 *   {{ table T02.1 }}  {{ figure F02.1 }}  {{ verdict H1.2 }}  {{ code FILE#region }}
 *   {{ published e03.delta_r2 }}  the value published under that key; with "| ci" its interval
 *   {{ published }}  {{ differences }}  {{ hypotheses }}  {{ scope }}  {{ provenance }}
 *   {% if CONDITION %}..{% elif CONDITION %}..{% else %}..{% endif %}
 *   {% claim CONDITION %}..{% else %}..{% endclaim %}      no else: the build fails when false
 *   {% for row in table T02.1 %}..{{ row.column }}..{% endfor %}
 *   {% include NAME %}            NAME.<lang>.md of the shared folder, or FILE.md as it stands
 *   {# comment #}                 but {#id} without blanks is pandoc's attribute, and stays
 *
 * "@tbl:T02.1" and "@fig:F02.1" in text become "Table T02.1" and "Figure F02.1".
 *
 * A line that holds only block tags and comments leaves no line behind.
 */

typedef enum lb_node_kind {
    LB_NODE_TEXT,      /* text as it stands */
    LB_NODE_VALUE,     /* text: key, spec.path or variable.column; format: after the bar, or NULL */
    LB_NODE_TABLE,     /* text: the table's id */
    LB_NODE_FIGURE,    /* text: the figure's id */
    LB_NODE_VERDICT,   /* text: the hypothesis */
    LB_NODE_CODE,      /* text: FILE#region */
    LB_NODE_PUBLISHED, /* text: a key, or NULL for the whole there/here table */
    LB_NODE_DIFFERENCES, /* every difference of the record over its resamples */
    LB_NODE_HYPOTHESES,  /* the table of hypotheses, rules and verdicts */
    LB_NODE_SCOPE,       /* the scope card */
    LB_NODE_PROVENANCE,  /* text: one provenance entry, or NULL for the reproduction card */
    LB_NODE_IF,          /* body: branches */
    LB_NODE_CLAIM,       /* body: branches */
    LB_NODE_BRANCH,      /* text: condition, NULL for else; body: what it shows */
    LB_NODE_FOR,         /* text: table id; format: the variable's name; body */
} lb_node_kind;

/** Where something stands: file, line and column counted from 1, columns in characters. */
typedef struct lb_position {
    const char *file;
    int line, column;
} lb_position;

/** One piece of a template; siblings are linked by @c next. */
typedef struct lb_node lb_node;
struct lb_node {
    lb_node_kind kind;
    lb_position place;
    char *text, *format;
    lb_node *body, *next;
};

/** A parsed template, includes and all. Read-only once parsed. */
typedef struct lb_template lb_template;

/**
 * Parse the file @p path.
 * @param shared    folder of included files; NULL if includes are not allowed
 * @param language  "en" or "zh": {% include NAME %} reads NAME.<language>.md
 * @param out       the caller frees it with lb_template_free()
 * @return LB_OK; LB_EIO; LB_EFORMAT with file:line:column, pointing at the opener of a tag or block
 *         that is never closed and naming the nearest word for one that does not exist
 */
lb_status lb_template_load(const char *path, const char *shared, const char *language,
                           lb_template **out, lb_error *err);

/** The same for text in memory; @p name stands for the file, first line and column are @p line and
 * @p column (a caption inside spec.yaml). */
lb_status lb_template_parse(const char *text, lb_position start, const char *shared,
                            const char *language, lb_template **out, lb_error *err);

const lb_node *lb_template_nodes(const lb_template *t); /* first node; borrowed */

/** Files read besides the first one (includes); borrowed. */
size_t lb_template_files(const lb_template *t);
const char *lb_template_file(const lb_template *t, size_t i);

void lb_template_free(lb_template *t); /* NULL is fine */

/** Fail with "file:line:column: message". */
lb_status lb_fail_at(lb_error *err, lb_status status, lb_position place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** ": did you mean 'x'?" for the nearest candidate, or "" if none is near. The caller frees it. */
char *lb_suggestion(const char *word, const char *const *candidates, size_t n);

#endif
