/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The programme is read strictly: what is wrong is named with its place. */
#include "views/programme.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#define TOY "tests/golden/views/views/programme.yaml"

/* The toy programme with the first @p from replaced by @p to must fail so. */
static void refuses(const char *from, const char *to, lb_status st, const char *message)
{
    lb_error err = {0};
    lb_programme p;
    char *text;
    cr_assert(lb_file_read(TOY, &text, NULL, &err) == LB_OK);
    char *at = strstr(text, from);
    cr_assert(at != NULL, "no '%s' in " TOY, from);
    char *changed = lb_xprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    cr_expect(eq(int, lb_programme_parse(changed, "p.yaml", &p, &err), st), "%s", err.text);
    cr_expect(strstr(err.text, message) != NULL, "'%s' is not in: %s", message, err.text);
    cr_expect(strncmp(err.text, "p.yaml:", 7) == 0, "%s", err.text);
    free(changed);
    free(text);
}

Test(programme, of_the_toys_and_of_the_reports_can_be_read)
{
    lb_error err = {0};
    lb_programme p;
    cr_assert(lb_programme_load(TOY, &p, &err) == LB_OK, "%s", err.text);
    cr_expect(eq(sz, p.gates->n, 2));
    lb_programme_free(&p);
    cr_assert(lb_programme_load("templates/views/programme.yaml", &p, &err) == LB_OK, "%s",
              err.text);
    cr_expect(eq(sz, p.numbers->n, 20), "the one-page summary shows twenty numbers");
    lb_findings found = {0};
    lb_programme_lint(&p, &found);
    cr_expect(eq(sz, found.errors, 0), "%s", found.lines.s);
    lb_findings_free(&found);
    lb_programme_free(&p);
}

Test(programme, names_the_nearest_key_for_an_unknown_one)
{
    refuses("decided_by", "decided_bye", LB_ENAME, "did you mean 'decided_by'");
}

Test(programme, may_not_lack_a_translation)
{
    refuses("title: {en: \"Start\", zh: \"开始\"}", "title: {en: \"Start\"}", LB_EINVAL,
            "has no 'zh' text");
}

Test(programme, knows_every_phase_question_and_experiment_it_names)
{
    refuses("e90: {phase: P1", "e90: {phase: P2", LB_ENAME, "no phase 'P2'");
    refuses("question: Q1", "question: Q2", LB_ENAME, "no question 'Q2'");
    refuses("opens: [e91]", "opens: [e19]", LB_ENAME, "no experiment or plan 'e19'");
    refuses("needs: [e91]", "needs: [e19]", LB_ENAME, "no experiment 'e19'");
}

Test(programme, takes_statuses_from_nobody)
{
    refuses("priority: P1", "priority: P1\n    status: done", LB_ENAME, "unknown key 'status'");
}

Test(programme, has_conditions_that_can_be_read)
{
    refuses("e90.gain.ci_lo > 0", "e90.gain.ci_lo >", LB_EFORMAT, "condition");
    refuses("kind: insight", "kind: idea", LB_EINVAL, "must be one of");
}

Test(programme, words_a_consensus_without_numbers)
{
    refuses("The first gains.", "The first gains {{ e90.gain }}.", LB_EINVAL, "quotes no number");
}

Test(programme, finds_digits_typed_in_its_words)
{
    lb_error err = {0};
    lb_programme p;
    lb_findings found = {0};
    char *text;
    cr_assert(lb_file_read(TOY, &text, NULL, &err) == LB_OK);
    char *at = strstr(text, "The first gains.");
    char *changed = lb_xprintf("%.*sIt gains 0.05.%s", (int)(at - text), text, at + 16);
    cr_assert(lb_programme_parse(changed, "p.yaml", &p, &err) == LB_OK, "%s", err.text);
    lb_programme_lint(&p, &found);
    cr_expect(eq(sz, found.errors, 1));
    cr_expect(strstr(found.lines.s, "'0.05' is typed") != NULL, "%s", found.lines.s);
    lb_findings_free(&found);
    lb_programme_free(&p);
    free(changed);
    free(text);
}
