/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "views/survey.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/complete.h"

#include <stdlib.h>
#include <string.h>

enum { ID_SIZE = 16 };

bool lb_list_holds(const lb_yaml_node *node, const char *word)
{
    for (size_t i = 0; node && i < node->n; i++)
        if (strcmp(node->items[i]->text, word) == 0)
            return true;
    return false;
}

lb_member *lb_survey_find(const lb_survey *s, const char *id)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->members[i].id, id) == 0)
            return &s->members[i];
    return NULL;
}

/* The experiment in front of the dot or colon; NULL if that is none. */
static lb_member *member_of(const lb_survey *s, const char *name)
{
    char id[ID_SIZE];
    const size_t n = strcspn(name, ".:");
    if (n >= sizeof id || !name[n])
        return NULL;
    memcpy(id, name, n);
    id[n] = '\0';
    return lb_survey_find(s, id);
}

/* --- records -----------------------------------------------------------------------------------
 */

static lb_status check_record(const lb_survey *s, const lb_member *m, const lb_archive *a,
                              lb_error *err)
{
    const char *profile = lb_archive_provenance(a, "profile");
    if (strcmp(lb_archive_experiment(a), m->id) != 0 ||
        strcmp(lb_archive_name(a), lb_spec_name(m->spec)) != 0)
        return LB_FAIL(err, LB_EINVAL,
                       "%s holds the record of %s, not of %s: delete it and run `make %s`",
                       lb_archive_path(a), lb_archive_name(a), lb_spec_name(m->spec), m->id);
    if (strcmp(profile, s->places->profile) != 0)
        return LB_FAIL(err, LB_EINVAL,
                       "%s is of profile %s, but profile %s was asked for: run `make %s "
                       "PROFILE=%s`",
                       lb_archive_path(a), *profile ? profile : "unknown", s->places->profile,
                       m->id, s->places->profile);
    return LB_OK;
}

/* A record that the spec does not explain is refused; whose it is comes before what changed. */
static lb_status open_record(const lb_survey *s, lb_member *m, const char *path, lb_error *err)
{
    lb_archive *a = NULL;
    lb_status st = lb_facts_open(s->places, m->folder, "en", &m->facts, err);
    if (st == LB_OK)
        return check_record(s, m, lb_facts_record(m->facts), err);
    if (st != LB_EFINDING)
        return st;
    lb_error why = {0};
    const lb_status other =
        lb_archive_open(path, &a, &why) == LB_OK ? check_record(s, m, a, &why) : LB_OK;
    if (other != LB_OK)
        *err = why;
    lb_archive_close(a);
    err->status = LB_EINVAL; /* views could not be made: that is no finding about them */
    return LB_EINVAL;
}

/* The record of a member, if it is there, and what its report lacks. */
static lb_status read_record(lb_survey *s, lb_member *m, const char *pages, lb_error *err)
{
    char *path = lb_xprintf("%s/%s.h5", s->places->results, lb_spec_name(m->spec));
    char *part = lb_file_part(path);
    lb_findings found = {0};
    lb_status st = LB_OK;
    m->progress.recorded = lb_file_exists(path);
    m->progress.writing = lb_file_exists(part);
    if (m->progress.recorded) {
        st = open_record(s, m, path, err);
        if (st == LB_OK)
            st = lb_report_complete(s->places, m->folder, pages, &found, err);
        m->progress.complete = st == LB_OK;
        if (st == LB_EFINDING && found.errors > 0) {
            *err = (lb_error){0};
            st = LB_OK;
        }
    }
    lb_text lacks = {0};
    for (const char *line = found.lines.s; line && *line; line = strchr(line, '\n') + 1)
        if (!strstr(line, "warning: ") || strstr(line, "warning: ") > strchr(line, '\n'))
            lb_text_addn(&lacks, line, strcspn(line, "\n") + 1);
    m->lacks = lb_text_take(&lacks);
    lb_findings_free(&found);
    free(part);
    free(path);
    return st;
}

static lb_status read_member(lb_survey *s, size_t i, const char *pages, lb_error *err)
{
    lb_member *m = &s->members[i];
    m->folder = s->all.folders[i];
    char *path = lb_xprintf("%s/spec.yaml", m->folder);
    lb_status st = lb_spec_load(path, &m->spec, err);
    if (st == LB_OK) {
        m->id = lb_spec_experiment(m->spec);
        m->entry = lb_yaml_get(s->programme.experiments, m->id);
        st = read_record(s, m, pages, err);
    }
    free(path);
    return st;
}

/* --- what follows ------------------------------------------------------------------------------
 */

lb_status lb_survey_verdict(const lb_survey *s, const lb_yaml_node *place, const char *reference,
                            lb_member **owner, const lb_verdict **out, lb_error *err)
{
    *out = NULL;
    *owner = member_of(s, reference);
    const char *colon = strchr(reference, ':');
    const lb_yaml_node *known = *owner ? lb_spec_node((*owner)->spec, "hypotheses") : NULL;
    if (!known || !colon)
        return lb_yaml_fail(s->programme.yaml, place, LB_ENAME, err,
                            "'%s' names no hypothesis of an experiment, as e02:H1.2 does",
                            reference);
    if (!lb_yaml_get(known, colon + 1)) {
        const char *near = lb_nearest(colon + 1, (const char *const *)known->keys, known->n);
        return lb_yaml_fail(s->programme.yaml, place, LB_ENAME, err,
                            "%s has no hypothesis '%s'%s%s%s", lb_spec_name((*owner)->spec),
                            colon + 1, near ? ": did you mean '" : "", near ? near : "",
                            near ? "'?" : "");
    }
    if ((*owner)->facts)
        *out = lb_archive_verdict(lb_facts_record((*owner)->facts), colon + 1);
    return LB_OK;
}

lb_status lb_survey_truth(const lb_survey *s, const lb_yaml_node *node, lb_truth *out,
                          lb_error *err)
{
    lb_condition *c = NULL;
    size_t n_names, n_ids;
    *out = LB_UNKNOWN;
    if (!node)
        return LB_OK;
    lb_status st = lb_condition_parse(node->text, &c, err);
    if (st != LB_OK)
        return st;
    const char *const *names = lb_condition_names(c, &n_names);
    const char *const *ids = lb_condition_verdicts(c, &n_ids);
    for (size_t i = 0; i < n_names + n_ids && st == LB_OK; i++) {
        const char *name = i < n_names ? names[i] : ids[i - n_names];
        if (!member_of(s, name))
            st = LB_FAIL(err, LB_ENAME, "'%s' belongs to no experiment", name);
    }
    const lb_scope scope = lb_facts_scope(s->facts);
    if (st == LB_OK)
        st = lb_condition_evaluate(c, &scope, out, err);
    if (st != LB_OK)
        lb_error_within(err, "%s:%d:%d", s->programme.yaml->name, node->line, node->column);
    lb_condition_free(c);
    return st;
}

/* Does everything that @p m builds on have a record? */
static bool needs_met(const lb_survey *s, const lb_member *m)
{
    const lb_yaml_node *up = lb_spec_node(m->spec, "upstream");
    for (size_t i = 0; up && i < up->n; i++) {
        const char *link = lb_programme_text(up->items[i], "link");
        if (strcmp(lb_programme_text(up->items[i], "type"), "prerequisite") != 0)
            continue;
        for (size_t k = 0; k < s->n; k++)
            if (strcmp(lb_spec_name(s->members[k].spec), link) == 0 &&
                !s->members[k].progress.recorded)
                return false;
    }
    return true;
}

lb_status lb_survey_gate(const lb_survey *s, const lb_yaml_node *gate, lb_state *out, lb_error *err)
{
    const lb_yaml_node *asks = lb_yaml_get(gate, "asks");
    lb_member *m;
    const lb_verdict *v;
    const lb_status st = lb_survey_verdict(s, asks, asks->text, &m, &v, err);
    if (st == LB_OK)
        *out = lb_state_of_gate(v ? v->outcome : NULL, needs_met(s, m));
    return st;
}

/* Are all gates before "e06" or "N1" passed? */
static lb_status gates_passed(const lb_survey *s, const char *id, bool *out, lb_error *err)
{
    lb_status st = LB_OK;
    *out = true;
    for (size_t i = 0; i < s->programme.gates->n && st == LB_OK; i++) {
        const lb_yaml_node *gate = s->programme.gates->items[i];
        lb_state state = LB_STATE_GATE_PASSED;
        if (lb_list_holds(lb_yaml_get(gate, "opens"), id))
            st = lb_survey_gate(s, gate, &state, err);
        *out = *out && state == LB_STATE_GATE_PASSED;
    }
    return st;
}

lb_status lb_survey_plan(const lb_survey *s, size_t i, lb_state *out, lb_error *err)
{
    const lb_yaml_node *plans = s->programme.planned;
    lb_truth when = LB_UNKNOWN;
    bool passed = false;
    lb_status st = lb_survey_truth(s, lb_yaml_get(plans->items[i], "when"), &when, err);
    if (st == LB_OK)
        st = gates_passed(s, plans->keys[i], &passed, err);
    *out = lb_state_of_plan(when, passed);
    return st;
}

static lb_status set_state(const lb_survey *s, lb_member *m, lb_error *err)
{
    m->progress.needs_met = needs_met(s, m);
    lb_status st = gates_passed(s, m->id, &m->progress.gates_passed, err);
    if (st == LB_OK && m->entry) {
        const lb_yaml_node *decides = lb_yaml_get(m->entry, "decides");
        char *reference = lb_xprintf("%s:%s", m->id, decides->text);
        const lb_verdict *v;
        lb_member *owner;
        st = lb_survey_verdict(s, decides, reference, &owner, &v, err);
        m->progress.outcome = v ? v->outcome : NULL;
        free(reference);
    }
    m->state = lb_state_of_experiment(&m->progress);
    return st;
}

/* An experiment of the programme that has no spec. */
static lb_status check_members(const lb_survey *s, lb_error *err)
{
    const lb_yaml_node *listed = s->programme.experiments;
    for (size_t i = 0; i < listed->n; i++)
        if (!lb_survey_find(s, listed->keys[i]))
            return lb_yaml_fail_key(s->programme.yaml, listed->items[i], LB_ENAME, err,
                                    "there is no experiment '%s' under templates/experiments",
                                    listed->keys[i]);
    return LB_OK;
}

lb_status lb_survey_open(const lb_places *places, const char *templates, const char *pages,
                         lb_survey *out, lb_error *err)
{
    char *path = lb_xprintf("%s/views/programme.yaml", templates);
    *out = (lb_survey){.places = places};
    lb_status st = lb_programme_load(path, &out->programme, err);
    if (st == LB_OK)
        st = lb_catalogue_read(templates, &out->all, err);
    out->members = lb_xcalloc(out->all.n + 1, sizeof *out->members);
    out->facts = lb_facts_over_all(places, "en");
    for (; out->n < out->all.n && st == LB_OK; out->n++)
        st = read_member(out, out->n, pages, err);
    if (st == LB_OK)
        st = check_members(out, err);
    for (size_t i = 0; i < out->n && st == LB_OK; i++)
        st = set_state(out, &out->members[i], err);
    free(path);
    if (st != LB_OK)
        lb_survey_close(out);
    return st;
}

void lb_survey_close(lb_survey *s)
{
    for (size_t i = 0; i < s->n; i++) {
        lb_facts_close(s->members[i].facts);
        lb_spec_free(s->members[i].spec);
        free(s->members[i].lacks);
    }
    free(s->members);
    lb_facts_close(s->facts);
    lb_catalogue_free(&s->all);
    lb_programme_free(&s->programme);
    *s = (lb_survey){0};
}
