/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/error.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

Test(error, the_first_failure_wins)
{
    lb_error err = {0};
    cr_expect(eq(int, LB_FAIL(&err, LB_EIO, "cannot read %s", "a.h5"), LB_EIO));
    cr_expect(eq(int, LB_FAIL(&err, LB_EINVAL, "later"), LB_EIO), "the status of the first");
    cr_expect(eq(str, err.text, "cannot read a.h5"));
    cr_expect(eq(int, err.status, LB_EIO));
    cr_expect(strstr(err.file, "test_error.c") != NULL);
    cr_expect(gt(int, err.line, 0));
}

Test(error, nobody_has_to_listen)
{
    cr_expect(eq(int, LB_FAIL(NULL, LB_EROWS, "row %d", 3), LB_EROWS));
}

Test(error, context_goes_in_front)
{
    lb_error err = {0};
    LB_FAIL(&err, LB_ESHAPE, "flux is 3x4");
    lb_error_within(&err, "shard %d", 7);
    cr_expect(eq(int, err.status, LB_ESHAPE));
    cr_expect(eq(str, err.text, "shard 7: flux is 3x4"));
}

Test(error, long_messages_are_cut_and_stay_terminated)
{
    lb_error err = {0};
    char longer[3000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    LB_FAIL(&err, LB_EINVAL, "%s", longer);
    cr_expect(eq(sz, strlen(err.text), sizeof err.text - 1));
    lb_error_within(&err, "%s", longer);
    cr_expect(eq(sz, strlen(err.text), sizeof err.text - 1));
}

Test(error, context_without_a_failure_adds_nothing)
{
    lb_error err = {0};
    lb_error_within(&err, "shard");
    lb_error_within(NULL, "shard");
    cr_expect(eq(int, err.status, LB_OK));
    cr_expect(eq(str, err.text, ""));
}

/* 0 ok, 1 a finding, 2 could not do it. */
Test(error, exit_status_tells_a_finding_from_a_failure)
{
    cr_expect(eq(int, lb_exit_status(LB_OK), 0));
    cr_expect(eq(int, lb_exit_status(LB_EFINDING), 1));
    const lb_status failures[] = {LB_EIO,      LB_EFORMAT, LB_ESHAPE, LB_EINVAL,
                                  LB_ENUMERIC, LB_ENAME,   LB_EROWS};
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        cr_expect(eq(int, lb_exit_status(failures[i]), 2));
}
