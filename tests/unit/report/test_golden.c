/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tests/golden/template: NAME.template.md with NAME.expected.md (clean), NAME.annotated.md (for
 * pandoc), NAME.zh.md (clean, Chinese) or NAME.error.txt, at least one of them. After a wanted
 * change, LB_GOLDEN=write writes what came out; read the diff before it is committed.
 */
#include "fixture.h"

#include "core/file.h"
#include "core/memory.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(golden, .init = fixture_make, .fini = fixture_remove);

static const struct {
    const char *ending, *language;
    lb_dialect dialect;
} kinds[] = {{"expected.md", "en", LB_CLEAN},
             {"annotated.md", "en", LB_ANNOTATED},
             {"zh.md", "zh", LB_CLEAN},
             {"error.txt", "en", LB_CLEAN}};

/* One template against one expectation; 0 if that file does not exist. */
static size_t compare(const char *template, size_t kind)
{
    lb_error err = {0}, io = {0};
    const size_t stem = strlen(template) - strlen("template.md");
    char *path = lb_xprintf("%.*s%s", (int)stem, template, kinds[kind].ending);
    const bool wants_error = strcmp(kinds[kind].ending, "error.txt") == 0;
    if (!lb_file_exists(path)) {
        free(path);
        return 0;
    }
    char *got = fill_file(template, kinds[kind].language, kinds[kind].dialect, &err), *want;
    cr_expect((got == NULL) == wants_error, "%s: %s", template, got ? "was filled" : err.text);
    if (!got)
        got = lb_xprintf("%s\n", err.text);
    got = without_scratch(got);
    if (getenv("LB_GOLDEN"))
        lb_file_write(path, got, strlen(got), &io);
    cr_assert(lb_file_read(path, &want, NULL, &io) == LB_OK, "%s", io.text);
    cr_expect(*want != '\0', "%s is empty", path);
    cr_expect(strcmp(got, want) == 0, "%s:\n--- want\n%s--- got\n%s", path, want, got);
    free(want);
    free(got);
    free(path);
    return 1;
}

Test(golden, every_template_becomes_what_stands_beside_it)
{
    glob_t found = {0};
    cr_assert(glob("tests/golden/template/*.template.md", 0, NULL, &found) == 0, "no templates");
    size_t checked = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t here = 0;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            here += compare(found.gl_pathv[i], k);
        cr_expect(here > 0, "%s has nothing to be compared with", found.gl_pathv[i]);
        checked += here;
    }
    cr_expect(checked >= 40, "only %zu comparisons: are files missing?", checked);
    globfree(&found);
}
