/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/yaml.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

static lb_status parse(const char *text, lb_yaml **out, lb_error *err)
{
    return lb_yaml_parse(text, strlen(text), "spec.yaml", out, err);
}

/* Parsing @p text must fail with a message that starts with @p start and holds @p part. */
static void refuse(const char *text, const char *start, const char *part)
{
    lb_error err = {0};
    lb_yaml *y = NULL;
    cr_expect(eq(int, parse(text, &y, &err), LB_EFORMAT), "%s", text);
    cr_expect(eq(int, strncmp(err.text, start, strlen(start)), 0), "%s -> %s", text, err.text);
    cr_expect(ne(ptr, strstr(err.text, part), NULL), "%s -> %s", text, err.text);
    cr_expect(eq(ptr, y, NULL));
}

Test(yaml, tree_keeps_order_kinds_and_positions)
{
    lb_yaml *y = NULL;
    cr_assert(eq(int, parse("b: [1, 2.5, x]\na:\n  q: \"7\"\n", &y, NULL), LB_OK));
    cr_expect(eq(int, y->root->kind, LB_YAML_MAP));
    cr_expect(eq(str, y->root->keys[0], "b"));
    cr_expect(eq(str, y->root->keys[1], "a"));
    const lb_yaml_node *list = lb_yaml_get(y->root, "b");
    cr_assert(eq(sz, list->n, 3));
    double x = 0;
    cr_expect(lb_yaml_number(list->items[1], &x));
    cr_expect(eq(dbl, x, 2.5));
    cr_expect(not(lb_yaml_number(list->items[2], &x)));
    const lb_yaml_node *q = lb_yaml_at(y->root, "a.q");
    cr_expect(eq(int, q->line, 3));
    cr_expect(eq(int, q->column, 6));
    cr_expect(eq(int, q->key_column, 3));
    cr_expect(not(lb_yaml_number(q, &x)), "a quoted number is text");
    lb_yaml_free(y);
}

Test(yaml, paths_may_cross_keys_that_hold_dots)
{
    lb_yaml *y = NULL;
    cr_assert(eq(int,
                 parse("H1: {2: no}\nH1.2: {claim: yes it is}\nl: [{a: 1}, {a: 5}]\n", &y, NULL),
                 LB_OK));
    cr_expect(eq(str, lb_yaml_at(y->root, "H1.2.claim")->text, "yes it is"));
    cr_expect(eq(str, lb_yaml_at(y->root, "l.1.a")->text, "5"));
    cr_expect(eq(ptr, (void *)lb_yaml_at(y->root, "l.2.a"), NULL));
    cr_expect(eq(ptr, (void *)lb_yaml_at(y->root, "l.1x"), NULL));
    cr_expect(eq(ptr, (void *)lb_yaml_at(y->root, "H1.3"), NULL));
    cr_expect(eq(ptr, (void *)lb_yaml_at(y->root, "l.99999999999999999999"), NULL));
    lb_yaml_free(y);
}

Test(yaml, numbers_are_strict_and_booleans_are_true_or_false)
{
    static const char *const not_numbers[] = {"1x", "0x10", "nan", "inf", "1e999", "1_000", "~"};
    for (size_t i = 0; i < sizeof not_numbers / sizeof *not_numbers; i++) {
        char text[64];
        double x;
        bool b;
        lb_yaml *y = NULL;
        snprintf(text, sizeof text, "a: %s\n", not_numbers[i]);
        cr_assert(eq(int, parse(text, &y, NULL), LB_OK));
        cr_expect(not(lb_yaml_number(lb_yaml_get(y->root, "a"), &x)), "%s", text);
        cr_expect(not(lb_yaml_bool(lb_yaml_get(y->root, "a"), &b)), "%s", text);
        lb_yaml_free(y);
    }
    lb_yaml *y = NULL;
    bool b = true;
    double x = 0;
    cr_assert(eq(int, parse("{a: false, b: true, c: yes, d: -1e-3}", &y, NULL), LB_OK));
    cr_expect(lb_yaml_bool(lb_yaml_get(y->root, "a"), &b));
    cr_expect(not(b));
    cr_expect(lb_yaml_bool(lb_yaml_get(y->root, "b"), &b));
    cr_expect(b);
    cr_expect(not(lb_yaml_bool(lb_yaml_get(y->root, "c"), &b)));
    cr_expect(lb_yaml_number(lb_yaml_get(y->root, "d"), &x));
    cr_expect(eq(dbl, x, -1e-3));
    lb_yaml_free(y);
}

Test(yaml, refuses_with_line_and_column)
{
    refuse("a: 1\nb: 2\na: 3\n", "spec.yaml:3:1: ", "twice, first in line 1");
    refuse("a: &x 1\nb: 2\n", "spec.yaml:1:4: ", "anchors");
    refuse("a: *x\n", "spec.yaml:1:4: ", "aliases");
    refuse("a: !!int 1\n", "spec.yaml:1:4: ", "tags");
    refuse("a: &l [1]\n", "spec.yaml:1:4: ", "anchors");
    refuse("a: !m {b: 1}\n", "spec.yaml:1:4: ", "anchors");
    refuse("? [1]\n: 2\n", "spec.yaml:1:3: ", "key");
    refuse("a: [1, 2\nb: 3\n", "spec.yaml:2:", "");
    refuse("a: 1\n---\nb: 2\n", "spec.yaml:2:1: ", "second document");
    refuse("", "spec.yaml: ", "empty");
    refuse("a: \xff\n", "spec.yaml: byte 3", "UTF-8");
}

Test(yaml, refuses_deep_nesting_instead_of_overflowing_the_stack)
{
    char text[4001];
    memset(text, '[', 4000);
    text[4000] = '\0';
    refuse(text, "spec.yaml:1:", "nested too deeply");
}

Test(yaml, complaints_point_at_value_or_key)
{
    lb_yaml *y = NULL;
    lb_error err = {0}, at_key = {0};
    cr_assert(eq(int, parse("a:\n  bcd: xyz\n", &y, NULL), LB_OK));
    const lb_yaml_node *node = lb_yaml_at(y->root, "a.bcd");
    lb_yaml_fail(y, node, LB_EINVAL, &err, "not %s", "nice");
    cr_expect(eq(str, err.text, "spec.yaml:2:8: not nice"));
    lb_yaml_fail_key(y, node, LB_ENAME, &at_key, "unknown");
    cr_expect(eq(str, at_key.text, "spec.yaml:2:3: unknown"));
    lb_yaml_free(y);
}

Test(yaml, missing_file_is_an_io_error_and_null_is_tolerated)
{
    lb_yaml *y = NULL;
    double x;
    cr_expect(eq(int, lb_yaml_load("/nonexistent/spec.yaml", &y, NULL), LB_EIO));
    cr_expect(eq(ptr, (void *)lb_yaml_get(NULL, "a"), NULL));
    cr_expect(eq(ptr, (void *)lb_yaml_at(NULL, "a"), NULL));
    cr_expect(not(lb_yaml_number(NULL, &x)));
    lb_yaml_free(NULL);
}
