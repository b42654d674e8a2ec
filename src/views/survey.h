/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_VIEWS_SURVEY_H
#define LB_VIEWS_SURVEY_H

#include "report/catalogue.h"
#include "report/facts.h"
#include "views/programme.h"
#include "views/status.h"

#include <stdbool.h>
#include <stddef.h>

/** An experiment as it stands today. */
typedef struct lb_member {
    const char *id;     /* "e02" */
    const char *folder; /* of its templates */
    lb_spec *spec;
    lb_facts *facts;           /* of its record; NULL without one */
    const lb_yaml_node *entry; /* in the programme; NULL: not placed */
    lb_progress_facts progress;
    lb_state state;
    char *lacks; /* what its report lacks, one line each; "" if nothing */
} lb_member;

/** Everything the views are made of: the programme, all specs and records, and what follows. */
typedef struct lb_survey {
    const lb_places *places;
    lb_programme programme;
    lb_catalogue all;
    lb_facts *facts; /* over all records */
    lb_member *members;
    size_t n;
} lb_survey;

/**
 * @param templates  holds experiments/ and views/programme.yaml
 * @param pages      folder of the finished reports; a report without its page is not complete
 * @return LB_OK; the failures of lb_programme_load(), lb_catalogue_read() and lb_spec_load(); for a
 *         record LB_EIO, LB_EFORMAT (cut short or edited), LB_EINVAL (of another profile or
 *         another experiment), LB_EFINDING (made with another spec.yaml)
 */
lb_status lb_survey_open(const lb_places *places, const char *templates, const char *pages,
                         lb_survey *out, lb_error *err);
void lb_survey_close(lb_survey *s);

lb_member *lb_survey_find(const lb_survey *s, const char *id); /* "e02"; NULL if there is none */

/**
 * The verdict of "e02:H1.2", NULL without a record; LB_ENAME when experiment or hypothesis does
 * not exist. @p place: the node that asks, for messages.
 */
lb_status lb_survey_verdict(const lb_survey *s, const lb_yaml_node *place, const char *reference,
                            lb_member **owner, const lb_verdict **out, lb_error *err);

/** Truth of the condition in @p node over all records: unknown when one of them is missing. NULL
 * is unknown. */
lb_status lb_survey_truth(const lb_survey *s, const lb_yaml_node *node, lb_truth *out,
                          lb_error *err);

/** The gate's status. */
lb_status lb_survey_gate(const lb_survey *s, const lb_yaml_node *gate, lb_state *out,
                         lb_error *err);

/** The status of the @p i-th plan. */
lb_status lb_survey_plan(const lb_survey *s, size_t i, lb_state *out, lb_error *err);

/** Does the list @p node hold @p word? */
bool lb_list_holds(const lb_yaml_node *node, const char *word);

#endif
