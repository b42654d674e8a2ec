/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The main of every unit-test program: a run that executed no test has failed, and the last line
 * counts. Criterion's own main passes when a filter matches nothing. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <criterion/internal/test.h>
#include <criterion/stats.h>
#include <stdio.h>

/* Fontconfig keeps its font list for the life of the process (a fixed size, whatever is drawn), and
 * LeakSanitizer cannot follow its pointers. Everything else counts as a leak. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}

static size_t passed, failed;

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    passed = stats->tests_passed;
    failed = stats->tests_failed;
}

int main(int argc, char **argv)
{
    struct criterion_test_set *tests = criterion_initialize();
    int status = 0;
    const int run = criterion_handle_args(argc, argv, true);
    if (run)
        status = !criterion_run_all_tests(tests);
    criterion_finalize(tests);
    if (!run)
        return 0;
    printf("%zu passed, %zu failed\n", passed, failed);
    return status || failed || passed == 0;
}
