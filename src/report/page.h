/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_PAGE_H
#define LB_REPORT_PAGE_H

#include "core/text.h"
#include "core/yaml.h"
#include "report/facts.h"
#include "report/prose.h"
#include "report/template.h"

#include <stdbool.h>

/** The page while it is written. The two dialects differ only in what surrounds a number. */
typedef enum lb_dialect {
    LB_CLEAN,     /* Markdown that reads well on a forge */
    LB_ANNOTATED, /* for pandoc: each number links to its line in the appendix of provenance */
} lb_dialect;

/** A {% for %} in progress. */
typedef struct lb_loop lb_loop;
struct lb_loop {
    const char *variable;
    const lb_table *table;
    size_t row;
    const lb_loop *outer;
};

typedef struct lb_page {
    lb_facts *facts;
    lb_dialect dialect;
    const char *folder; /* of the finished page: links to figures start there */
    const lb_loop *loop;
    lb_text out;
    lb_prose prose; /* scanner of @c out, up to @c scanned */
    size_t scanned;
    lb_position place; /* of the tag being filled, for messages */
    lb_error *err;
} lb_page;

/**
 * Fill the nodes of @p t in order, appending to @c out.
 * @return LB_OK; LB_ENAME for what does not exist; LB_ENUMERIC for a number that is none;
 *         LB_EFINDING for a false claim, with the values it was decided on; LB_EFORMAT; LB_EIO for
 *         a missing figure or record. All as "file:line:column: ...".
 */
lb_status lb_page_fill(lb_page *p, const lb_template *t);

/** The finished page: what was filled, with the marks of oracle numbers explained
 * (report/oracle.h). Leaves @p p empty; the caller frees the string. */
char *lb_page_finish(lb_page *p);

/** Where the next character of the page would stand. */
lb_prose_kind lb_page_here(lb_page *p);

/** Append a number or text to the page, linked where links are possible. */
lb_status lb_page_fact(lb_page *p, const lb_fact *fact, const char *format);

/** The same into two strings: what is written and what the reader sees. */
lb_status lb_page_fact_to(lb_page *p, const lb_fact *fact, const char *format, lb_text *markup,
                          lb_text *plain);

/** The anchor of a number in the appendix of provenance: "#n-e02-delta_r2" of e02.delta_r2. */
void lb_page_anchor(const char *key, lb_text *out);

/** Append @p text to @p out with an explanation that shows on hover (annotated, prose only). */
void lb_page_noted(lb_page *p, const char *text, const char *class, const char *note, lb_text *out);

/** Fill a sentence of spec.yaml (a caption, a claim): the entry of @p path in the page's language.
 * The caller frees *out. "" if there is none. */
lb_status lb_page_sentence(lb_page *p, const char *path, char **out);

/** Put the place of the present tag before the message in @c err. */
lb_status lb_page_fail(lb_page *p, lb_status st);

/** "PASS ✅": the word first, the icon second; annotated with the rule and the values behind it. */
void lb_page_verdict_to(lb_page *p, const lb_verdict *verdict, lb_text *out);

bool lb_page_is_chinese(const lb_page *p);

/** Level of the intervals, 0.95 unless the spec says otherwise. */
double lb_page_level(const lb_page *p);

#endif
