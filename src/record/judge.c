/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Verdicts: the rules of the spec applied to the numbers of a record. */
#include "core/memory.h"
#include "core/text.h"
#include "record/archive.h"
#include "record/condition.h"
#include "record/state.h"

#include <stdlib.h>
#include <string.h>

static lb_status rule_name(void *self, const char *name, lb_value *out, lb_error *err)
{
    const lb_record *r = self;
    char key[256];
    size_t at;
    if (!strncmp(name, "spec.", 5))
        return lb_spec_value(r->spec, name + 5, out, err);
    const char *field = lb_name_split(name, key, sizeof key);
    if (lb_keys_find(&r->number_keys, key, &at)) {
        *out = lb_value_of(&r->numbers[at].number, field);
        return LB_OK;
    }
    if (!lb_keys_find(&r->text_keys, name, &at))
        return lb_record_missing(r, key, err);
    *out = (lb_value){.kind = LB_VALUE_TEXT, .text = r->texts.rows[at].value};
    return LB_OK;
}

static lb_status rule_verdict(void *self, const char *id, lb_value *out, lb_error *err)
{
    const lb_record *r = self;
    for (size_t i = 0; i < r->n_verdicts; i++)
        if (!strcmp(r->verdicts[i].id, id)) {
            *out = (lb_value){.kind = LB_VALUE_TEXT, .text = r->verdicts[i].outcome};
            return LB_OK;
        }
    return LB_FAIL(err, LB_ENAME, "hypothesis %s has no verdict yet", id);
}

typedef struct judgement {
    const char *outcome;
    char *rule, *detail;
} judgement;

static void decide(judgement *j, const char *outcome, const char *rule, const char *detail)
{
    free(j->rule);
    free(j->detail);
    *j = (judgement){outcome, lb_xstrdup(rule), lb_xstrdup(detail)};
}

/* Try one rule. @return true when it settles the matter. */
static bool try_rule(lb_record *r, const char *text, const char *outcome, judgement *j)
{
    const lb_scope scope = {rule_name, rule_verdict, r};
    lb_condition *c = NULL;
    lb_truth truth = LB_UNKNOWN;
    lb_text values = {0};
    lb_error why = {0};
    lb_status st = lb_condition_parse(text, &c, &why);
    if (st == LB_OK)
        st = lb_condition_evaluate(c, &scope, &truth, &why);
    if (st == LB_OK) {
        lb_condition_explain(c, &scope, &values);
        if (truth == LB_TRUE)
            decide(j, outcome, text, values.s ? values.s : "");
        else if (truth == LB_UNKNOWN)
            decide(j, "NOT RUN", text, values.s ? values.s : "");
        else if (!j->detail || !*j->detail) /* kept in case no rule is true */
            decide(j, "INCONCLUSIVE", "", values.s ? values.s : "");
    } else if (st == LB_ENAME) {
        decide(j, "NOT RUN", text, why.text);
    } else {
        FAIL(r, st, "the rule '%s' for %s: %s", text, outcome, why.text);
    }
    lb_text_free(&values);
    lb_condition_free(c);
    return st != LB_OK || truth != LB_FALSE;
}

static void judge(lb_record *r, const char *id, const lb_yaml_node *hypothesis)
{
    static const char *const rules[][2] = {
        {"pass", "PASS"}, {"partial", "PARTIAL"}, {"fail", "FAIL"}};
    const char *metric = lb_yaml_get(hypothesis, "metric")->text;
    judgement j = {"INCONCLUSIVE", lb_xstrdup(""), lb_xstrdup("")};
    size_t at;
    const bool known = lb_keys_find(&r->number_keys, metric, &at);
    const lb_number value = known ? r->numbers[at].number : lb_number_na("", "not recorded");
    bool settled = *value.na;

    if (!known) {
        lb_error why = {0};
        lb_record_missing(r, metric, &why);
        decide(&j, "NOT RUN", "", why.text);
    } else if (*value.na) {
        char *why = lb_xprintf("%s is %s", metric, value.na);
        decide(&j, "NOT RUN", "", why);
        free(why);
    }
    for (size_t k = 0; k < 3 && !settled; k++) {
        const lb_yaml_node *rule = lb_yaml_get(hypothesis, rules[k][0]);
        settled = rule && try_rule(r, rule->text, rules[k][1], &j);
    }
    lb_verdict_row *v = lb_push(&r->verdicts, &r->n_verdicts, sizeof *v);
    *v = (lb_verdict_row){.id = lb_xstrdup(id),
                          .outcome = lb_xstrdup(j.outcome),
                          .metric = lb_xstrdup(metric),
                          .value = value.value,
                          .ci_lo = value.ci_lo,
                          .ci_hi = value.ci_hi,
                          .se = value.se,
                          .n = value.n,
                          .digits = value.digits,
                          .kind = lb_xstrdup(value.kind),
                          .unit = lb_xstrdup(value.unit),
                          .na = lb_xstrdup(value.na),
                          .rule = j.rule,
                          .detail = j.detail};
}

void lb_record_judge(lb_record *r)
{
    if (r->err.status != LB_OK)
        return;
    if (r->judged) {
        FAIL(r, LB_EINVAL, "the hypotheses of %s were judged twice", r->experiment);
        return;
    }
    r->judged = true;
    const lb_yaml_node *all = r->spec ? lb_spec_node(r->spec, "hypotheses") : NULL;
    for (size_t i = 0; all && i < all->n && r->err.status == LB_OK; i++)
        judge(r, all->keys[i], all->items[i]);
}
