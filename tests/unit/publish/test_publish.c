/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folders, manifests, bundles and pages of a published edition; the whole is tests/publish.sh. */
#include "core/file.h"
#include "core/memory.h"
#include "publish/bundle.h"
#include "publish/html.h"
#include "publish/manifest.h"
#include "publish/site.h"
#include "report/folder.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/lb_publish_XXXXXX"; /* one a test: each is a process */

static void folder_make(void)
{
    cr_assert(mkdtemp(folder) != NULL);
}

static void folder_remove(void)
{
    cr_assert(eq(int, lb_folder_remove(folder, NULL), LB_OK));
}

TestSuite(publish, .init = folder_make, .fini = folder_remove);

/* PATH below the scratch folder; few at a time. */
static const char *at(const char *path)
{
    static char names[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(names[next], sizeof names[next], "%s/%s", folder, path);
    return names[next];
}

static void put(const char *path, const char *text)
{
    cr_assert(eq(int, lb_file_write(at(path), text, strlen(text), NULL), LB_OK));
}

static void make_edition(void)
{
    put("dist/index.html", "page");
    put("dist/b/two", "2");
    put("dist/a/one", "1");
}

Test(publish, a_folder_is_listed_in_the_order_of_bytes_wherever_its_files_lie)
{
    lb_names names = {0};
    make_edition();
    put("dist/B", "capital");
    cr_assert(eq(int, lb_folder_list(at("dist/"), &names, NULL), LB_OK));
    cr_assert(eq(sz, names.n, 4));
    cr_expect(eq(str, names.at[0], "B"));
    cr_expect(eq(str, names.at[1], "a/one"));
    cr_expect(eq(str, names.at[2], "b/two"));
    cr_expect(eq(str, names.at[3], "index.html"));
    lb_names_free(&names);
}

Test(publish, a_folder_that_is_not_there_cannot_be_listed_but_can_be_removed)
{
    lb_names names = {0};
    lb_error err = {0};
    cr_expect(eq(int, lb_folder_list(at("gone"), &names, &err), LB_EIO));
    cr_expect(strstr(err.text, "gone") != NULL);
    cr_expect(eq(int, lb_folder_remove(at("gone"), NULL), LB_OK));
}

Test(publish, one_folder_takes_the_place_of_another)
{
    make_edition();
    put("fresh/only", "new");
    cr_assert(eq(int, lb_folder_replace(at("fresh"), at("dist"), NULL), LB_OK));
    cr_expect(lb_file_exists(at("dist/only")));
    cr_expect(not(lb_file_exists(at("dist/index.html"))));
    cr_expect(not(lb_file_exists(at("dist.old"))));
}

Test(publish, a_folder_stays_when_there_is_nothing_to_take_its_place)
{
    lb_error err = {0};
    make_edition();
    cr_expect(eq(int, lb_folder_replace(at("gone"), at("dist"), &err), LB_EIO));
    cr_expect(lb_file_exists(at("dist/index.html")));
}

Test(publish, an_empty_file_is_not_copied)
{
    put("empty", "");
    cr_expect(eq(int, lb_file_copy(at("empty"), at("copy"), NULL), LB_EFORMAT));
    cr_expect(not(lb_file_exists(at("copy"))));
}

static lb_status check(char **report)
{
    lb_text out = {0};
    const lb_status st = lb_manifest_check(at("dist"), &out, NULL);
    *report = lb_text_take(&out);
    return st;
}

Test(publish, a_manifest_agrees_with_what_it_was_made_of)
{
    size_t files = 0;
    char *report;
    make_edition();
    cr_assert(eq(int, lb_manifest_write(at("dist"), &files, NULL), LB_OK));
    cr_expect(eq(sz, files, 3));
    cr_expect(eq(int, check(&report), LB_OK));
    free(report);
}

Test(publish, a_manifest_finds_what_is_missing_changed_and_extra_and_names_it)
{
    char *report;
    make_edition();
    cr_assert(eq(int, lb_manifest_write(at("dist"), NULL, NULL), LB_OK));
    unlink(at("dist/a/one"));
    put("dist/b/two", "3");
    put("dist/c", "more");
    cr_expect(eq(int, check(&report), LB_EFINDING));
    cr_expect(strstr(report, "missing  a/one\n") != NULL, "%s", report);
    cr_expect(strstr(report, "changed  b/two\n") != NULL, "%s", report);
    cr_expect(strstr(report, "extra    c\n") != NULL, "%s", report);
    cr_expect(strstr(report, "index.html") == NULL, "%s", report);
    free(report);
}

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(publish, a_manifest_that_names_what_is_outside_is_refused)
{
    static const char *const names[] = {"../x", "/etc/passwd", "a/../../x", "a//b", "./a",
                                        "",     "a/"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *text = lb_xprintf(DIGEST "  %s\n", names[i]), *report;
        put("dist/" LB_MANIFEST, text);
        cr_expect(eq(int, check(&report), LB_EFORMAT), "'%s'", names[i]);
        free(report);
        free(text);
    }
}

Test(publish, a_manifest_out_of_order_or_with_a_name_twice_is_refused)
{
    static const char *const texts[] = {DIGEST "  b\n" DIGEST "  a\n",
                                        DIGEST "  a\n" DIGEST "  a\n"};
    for (size_t i = 0; i < 2; i++) {
        char *report;
        put("dist/" LB_MANIFEST, texts[i]);
        cr_expect(eq(int, check(&report), LB_EFORMAT));
        free(report);
    }
}

static char *bundle(const char *name, size_t *length)
{
    char *data = NULL;
    lb_bundle *b = lb_bundle_new(at(name));
    lb_bundle_add(b, "paper.tex", "text", 4);
    lb_bundle_add(b, "figures/a.pdf", "figure", 6);
    cr_assert(eq(int, lb_bundle_close(b, NULL), LB_OK));
    cr_assert(eq(int, lb_file_read(at(name), &data, length, NULL), LB_OK));
    return data;
}

Test(publish, a_bundle_made_later_has_the_same_bytes)
{
    size_t n, m;
    char *a = bundle("a.tar.gz", &n);
    sleep(1); /* the clock of gzip and tar has seconds */
    char *b = bundle("b.tar.gz", &m);
    cr_expect(eq(sz, n, m));
    cr_expect(n == m && memcmp(a, b, n) == 0);
    free(b);
    free(a);
}

Test(publish, a_bundle_without_one_of_its_files_says_which)
{
    lb_error err = {0};
    lb_bundle *b = lb_bundle_new(at("c.tar.gz"));
    lb_bundle_add_file(b, "figures/x.pdf", at("no/x.pdf"));
    lb_bundle_add(b, "paper.tex", "text", 4);
    cr_expect(eq(int, lb_bundle_close(b, &err), LB_EIO));
    cr_expect(strstr(err.text, "no/x.pdf") != NULL, "%s", err.text);
}

Test(publish, text_cannot_leave_its_place_in_html)
{
    lb_text out = {0};
    lb_html_text(&out, "a < b & \"c\" > d");
    cr_expect(eq(str, out.s, "a &lt; b &amp; &quot;c&quot; &gt; d"));
    lb_text_free(&out);
    lb_html_anchor(&out, "e02.noise_0.2.r2");
    cr_expect(eq(str, out.s, "n-e02-noise_0-2-r2"));
    lb_text_free(&out);
}
