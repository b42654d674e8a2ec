/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_VIEWS_SHEET_H
#define LB_VIEWS_SHEET_H

/*
 * How the tables of sheets.h are made; for the makers below alone. A table is begun with its
 * columns, each row is filled cell by cell from the left. Failures are sticky (t->st), so that a
 * maker checks once.
 */
#include "views/sheets.h"

/* --- cells and facts --------------------------------------------------------------------------*/

void lb_sheet_begin(lb_sheets *t, const char *id, const lb_column *columns, size_t n);
#define LB_BEGIN(t, id, columns) lb_sheet_begin(t, id, columns, sizeof(columns) / sizeof *(columns))
void lb_sheet_row(lb_sheets *t);
void lb_sheet_put(lb_sheets *t, const char *s); /* "" shows as a dash */
void lb_sheet_give(lb_sheets *t, char *s);      /* the same; takes @p s */
void lb_sheet_block(lb_sheets *t, char *lines); /* lines of Markdown as they are; takes them */
/** The number under @p key; false without a record. A key of no experiment, or that its record does
 * not have, is a failure at @p node. */
bool lb_sheet_find(lb_sheets *t, const char *key, const lb_yaml_node *node, lb_fact *out);
/** Two cells: the number under @p key and its interval; a dash for "", "not run" without a record.
 * A key that its record does not have is a failure at @p node. */
void lb_sheet_number(lb_sheets *t, const char *key, const lb_yaml_node *node);
void lb_sheet_fact(lb_sheets *t, const char *name, char *text); /* "view.NAME"; takes @p text */
void lb_sheet_count(lb_sheets *t, const char *name, size_t n);

/* --- words; the caller frees what is not const -------------------------------------------------*/

bool lb_sheet_is_chinese(const lb_sheets *t);
const char *lb_sheet_pick(const lb_sheets *t, const char *en, const char *zh);
/** Words of the programme in the language, filled. */
char *lb_sheet_words(lb_sheets *t, const lb_yaml_node *node);
/** @p which sentence of a hypothesis of the spec: "claim", "if_pass", ... */
char *lb_sheet_claim(lb_sheets *t, const lb_member *m, const char *id, const char *which);
/** What the outcome decides, by the spec. */
char *lb_sheet_decision(lb_sheets *t, const lb_member *m, const char *id, const char *outcome);
char *lb_sheet_question(lb_sheets *t, const lb_member *m); /* of the spec */
/** The one sentence of the key findings: the first quoted line of the report, filled. */
char *lb_sheet_finding(lb_sheets *t, const lb_member *m);
char *lb_sheet_report(lb_sheets *t, const lb_member *m); /* its template as it stands */
/** A line of it, filled from the record of @p m, which must be there. */
char *lb_sheet_line(lb_sheets *t, const lb_member *m, const char *line);
char *lb_sheet_setting(const lb_member *m, const char *path);     /* of the spec, lists by commas */
char *lb_sheet_label(const lb_member *m);                         /* "E02" */
char *lb_sheet_reference(const lb_sheets *t, const lb_member *m); /* a link where there is a page */
char *lb_sheet_labels(const lb_sheets *t, const lb_yaml_node *list); /* "E02, N1" */
char *lb_sheet_evidence(lb_sheets *t, const lb_yaml_node *list);     /* keys with values */
/** "PASS ✅" of a hypothesis, marked for pandoc as in the reports; NOT RUN without a record. */
char *lb_sheet_verdict(const lb_sheets *t, const lb_member *m, const char *id);
char *lb_sheet_quantity(lb_sheets *t, const char *key); /* what the programme calls it */
/** The number under @p key as text, its interval ("" without one) in @p interval. */
char *lb_sheet_value(lb_sheets *t, const char *key, const lb_yaml_node *node, char **interval);
/** "covered test rows (816)": on what it was measured, "" if it belongs to no rows. */
char *lb_sheet_rows(lb_sheets *t, const char *key, const lb_yaml_node *node);
/** A figure of @p m with the caption of the spec, as Markdown; NULL if it has not been drawn. */
char *lb_sheet_figure(lb_sheets *t, const lb_member *m, const char *id, const char *caption);
const char *lb_sheet_estimate(const lb_sheets *t, const char *word); /* of a plan: "days" */

/* --- what refers to what -----------------------------------------------------------------------*/

lb_member *lb_sheet_owner(const lb_sheets *t, const char *key); /* of "e02.x" or "e02:H1" */
const lb_yaml_node *lb_sheet_phase(const lb_sheets *t, const lb_member *m);
const char *lb_sheet_outcome(const lb_member *m, const char *id, const lb_verdict **v);
/** The entries of @p part whose list @p key holds @p word: "G1, G2". */
char *lb_sheet_holders(const lb_yaml_node *part, const char *key, const char *word);
bool lb_sheet_quotes(const lb_yaml_node *keys, const char *id); /* does one belong to it? */
char *lb_sheet_places(const lb_sheets *t, const lb_member *m);  /* where its result is used */
char *lb_sheet_proposers(const lb_sheets *t, const char *id);   /* whose section 5.6 led to it */
bool lb_sheet_is_carded(const lb_sheets *t, const lb_member *m);
/** Was the experiment measured on other spectra than the frozen protocol names? */
bool lb_sheet_is_stale(const lb_sheets *t, const lb_member *m);

/* --- the makers, each a few tables and facts ---------------------------------------------------*/

void lb_make_experiments(lb_sheets *t); /* experiments, specs, closed */
void lb_make_counts(lb_sheets *t);
void lb_make_hypotheses(lb_sheets *t); /* hypotheses */
void lb_make_gaps(lb_sheets *t);       /* gaps */
void lb_make_questions(lb_sheets *t);  /* main, questions */
void lb_make_relations(lb_sheets *t);  /* relations */
void lb_make_conflicts(lb_sheets *t);  /* conflicts, disagreements */
void lb_make_gates(lb_sheets *t);      /* gates, blocked */
void lb_make_phases(lb_sheets *t);     /* phases */
void lb_make_plans(lb_sheets *t);      /* plans, next, focus */
void lb_make_statements(lb_sheets *t); /* consensus, insight, principle, card */
void lb_make_numbers(lb_sheets *t);    /* numbers, models */
void lb_make_routes(lb_sheets *t);     /* routes */
void lb_make_protocol(lb_sheets *t);   /* protocol, stale */
void lb_make_ideas(lb_sheets *t);      /* ideas, taken */
void lb_make_kanban(lb_sheets *t);     /* inbox, todo, running, finished, archived */
void lb_make_changes(lb_sheets *t);    /* changes, knowledge, timeline */

#endif
