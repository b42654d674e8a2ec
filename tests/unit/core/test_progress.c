/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/progress.h"

#include "core/file.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* stderr goes to a file here: a log must hold no bar and no escape sequences. */
Test(progress, draws_nothing_unless_stderr_is_a_terminal)
{
    char path[] = "/tmp/lb_progress_XXXXXX", *text = NULL;
    close(mkstemp(path));
    cr_assert(freopen(path, "w", stderr) != NULL);
    lb_progress p = lb_progress_start("reading", 3);
    for (int i = 0; i < 3; i++)
        lb_progress_step(&p, 1);
    lb_progress_end(&p);
    fflush(stderr);
    cr_assert(eq(int, lb_file_read(path, &text, NULL, NULL), LB_OK));
    cr_expect(eq(str, text, ""));
    cr_expect(eq(sz, p.done, 3));
    free(text);
    remove(path);
}

Test(progress, nothing_to_do_is_no_division_by_zero)
{
    lb_progress p = lb_progress_start("nothing", 0);
    lb_progress_step(&p, 0);
    lb_progress_end(&p);
    cr_expect(eq(sz, p.done, 0));
}

Test(progress, the_clock_runs_forward_in_seconds)
{
    const double before = lb_clock();
    usleep(20000);
    const double passed = lb_clock() - before;
    cr_expect(passed >= 0.019 && passed < 5.0, "%g s", passed);
}
