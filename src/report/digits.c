/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/digits.h"

#include "core/memory.h"
#include "report/prose.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct scan {
    const lb_spec *spec;
    lb_findings *out;
    lb_prose prose;
} scan;

/* One stretch of characters that may be a number or a name. */
typedef struct token {
    const char *line; /* the text it stands in */
    size_t at, n;
} token;

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-' || c == '+';
}

/* --- what may stand ----------------------------------------------------------------------------
 */

/* Digits in groups with points between: "1", "01.3". Returns what follows. */
static const char *skip_groups(const char *s, const char *end)
{
    while (s < end && isdigit((unsigned char)*s)) {
        while (s < end && isdigit((unsigned char)*s))
            s++;
        if (s + 1 < end && *s == '.' && isdigit((unsigned char)s[1]))
            s++;
    }
    return s;
}

static bool is_name(const token *t)
{
    const char *s = t->line + t->at, *end = s + t->n;
    if (!isalpha((unsigned char)*s))
        return false;
    if (!memchr(s, '.', t->n))
        return true;
    return isupper((unsigned char)*s) && skip_groups(s + 1, end) == end;
}

/* Does @p text stand in the line so that it covers the token, and not inside a longer word? */
static bool covered_by(const token *t, const char *text)
{
    const size_t n = strlen(text);
    for (const char *s = n ? strstr(t->line, text) : NULL; s; s = strstr(s + 1, text)) {
        const size_t first = (size_t)(s - t->line);
        const bool left = first == 0 || !isalnum((unsigned char)s[-1]);
        const bool right = !isalnum((unsigned char)s[n]) &&
                           !((s[n] == '.' || s[n] == ',') && isdigit((unsigned char)s[n + 1]));
        if (left && right && first <= t->at && first + n >= t->at + t->n)
            return true;
    }
    return false;
}

static bool is_literal(const token *t, const lb_spec *spec)
{
    const lb_yaml_node *literals = lb_spec_node(spec, "literals");
    for (size_t i = 0; literals && i < literals->n; i++) {
        if (literals->items[i]->text && covered_by(t, literals->items[i]->text))
            return true;
    }
    return covered_by(t, lb_spec_text(spec, "mvp", "en")) ||
           covered_by(t, lb_spec_text(spec, "registry", "en"));
}

/* The number of a heading, a list item, a footnote, a section, a character reference. */
static bool is_counter(const token *t)
{
    const char *s = t->line + t->at, *lead = t->line + strspn(t->line, " \t>");
    const char *end = s + t->n;
    if (skip_groups(s, end) != end)
        return false;
    if (*lead == '#') {
        lead += strspn(lead, "#");
        return lead + strspn(lead, " ") == s;
    }
    if (lead == s && t->n <= 3 && (*end == '.' || *end == ')') && end[1] == ' ')
        return true;
    const size_t blank = t->at > 0 && s[-1] == ' ';
    const char *before = s - blank;
    const size_t room = t->at - blank;
    return (room >= 2 && strncmp(before - 2, "§", 2) == 0) ||
           (t->at >= 2 && (strncmp(s - 2, "[^", 2) == 0 || strncmp(s - 2, "&#", 2) == 0));
}

/* --- finding -----------------------------------------------------------------------------------
 */

static lb_position place_of(lb_position line, const char *text, size_t at)
{
    for (size_t i = 0; i < at; i++)
        line.column += ((unsigned char)text[i] & 0xC0) != 0x80;
    return line;
}

/* "T02.9" in a text of e02 whose spec declares no such table. */
static void check_reference(scan *c, const token *t, lb_position place)
{
    const char *s = t->line + t->at, *id = lb_spec_experiment(c->spec);
    if (!*id) /* a view: it has no tables and figures of its own */
        return;
    const size_t n = strlen(id) - 1; /* digits of the experiment */
    if ((*s != 'T' && *s != 'F') || t->n < n + 3 || strncmp(s + 1, id + 1, n) != 0 ||
        s[1 + n] != '.')
        return;
    char *name = lb_xprintf("%.*s", (int)t->n, s);
    char *path = lb_xprintf("%s.%s", *s == 'T' ? "tables" : "figures", name);
    if (!lb_spec_has(c->spec, path))
        lb_find(c->out, place, "%s is not declared in %s", name, lb_spec_path(c->spec));
    free(path);
    free(name);
}

static void check_prose(scan *c, const token *t, lb_position place)
{
    if (is_name(t))
        check_reference(c, t, place);
    else if (!is_literal(t, c->spec) && !is_counter(t))
        lb_find(c->out, place,
                "the number '%.*s' is typed: take it from a key, the spec or its literals",
                (int)t->n, t->line + t->at);
}

/* In math single digits stand; anything longer is a typed number. */
static void check_math(scan *c, const token *t, lb_position place)
{
    if (t->n > 1 && !is_literal(t, c->spec))
        lb_find(c->out, place, "the number '%.*s' is typed in a formula", (int)t->n,
                t->line + t->at);
}

/* The digits and points from @p at on. */
static token number_at(const char *line, const lb_prose_kind *kinds, size_t at)
{
    size_t n = 0;
    while (line[at + n] && kinds[at + n] == kinds[at] &&
           (isdigit((unsigned char)line[at + n]) ||
            (line[at + n] == '.' && isdigit((unsigned char)line[at + n + 1]))))
        n++;
    return (token){line, at, n};
}

/* The comma of "32,000". */
static bool is_thousands(const char *s, size_t i)
{
    return s[i] == ',' && i > 0 && isdigit((unsigned char)s[i - 1]) &&
           isdigit((unsigned char)s[i + 1]);
}

/* The word around @p at that holds a digit, without points and dashes at its end. */
static token word_at(const char *line, const lb_prose_kind *kinds, size_t at)
{
    size_t n = 0;
    while (line[at + n] && kinds[at + n] == kinds[at] &&
           (is_word(line[at + n]) || is_thousands(line + at, n)))
        n++;
    while (n > 0 && strchr(".-+_", line[at + n - 1]))
        n--;
    return (token){line, at, n};
}

static bool has_digit(const token *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (isdigit((unsigned char)t->line[t->at + i]))
            return true;
    }
    return false;
}

/* Digits of full width, which East Asian keyboards type. */
static bool is_wide_digit(const char *s)
{
    return strncmp(s, "\uff10", 2) == 0 && (unsigned char)s[2] >= 0x90 &&
           (unsigned char)s[2] <= 0x99;
}

static void check_line(scan *c, const char *line, lb_position place)
{
    const size_t n = strlen(line);
    lb_prose_kind *kinds = lb_xcalloc(n + 1, sizeof *kinds);
    for (size_t i = 0; i < n; i++)
        kinds[i] = lb_prose_step(&c->prose, line + i);
    for (size_t i = 0; i < n;) {
        token t = {line, i, 1};
        if (kinds[i] == LB_PROSE && is_wide_digit(line + i)) {
            lb_find(c->out, place_of(place, line, i), "a digit of full width is typed");
        } else if (kinds[i] == LB_PROSE && is_word(line[i])) {
            t = word_at(line, kinds, i);
            if (t.n > 0 && has_digit(&t))
                check_prose(c, &t, place_of(place, line, i));
        } else if (kinds[i] == LB_PROSE_MATH && isdigit((unsigned char)line[i])) {
            t = number_at(line, kinds, i);
            check_math(c, &t, place_of(place, line, i));
        }
        i += t.n > 0 ? t.n : 1;
    }
    free(kinds);
}

/* Sentences of a spec hold several lines in one node. */
static void check_text(scan *c, const char *text, lb_position place)
{
    while (*text) {
        const size_t n = strcspn(text, "\n") + 1;
        const size_t length = strlen(text) < n ? n - 1 : n;
        char *line = lb_xprintf("%.*s", (int)length, text);
        check_line(c, line, place);
        free(line);
        text += length;
    }
}

static void check_nodes(scan *c, const lb_node *node)
{
    for (; node; node = node->next) {
        if (node->kind == LB_NODE_TEXT)
            check_text(c, node->text, node->place);
        else if (node->body)
            check_nodes(c, node->body);
        else
            lb_prose_step(&c->prose, "x"); /* whatever it becomes, it is no markup */
    }
}

void lb_lint_digits(const lb_template *t, const lb_spec *spec, lb_findings *out)
{
    scan c = {.spec = spec, .out = out};
    check_nodes(&c, lb_template_nodes(t));
}

/* --- the spec's own sentences ------------------------------------------------------------------
 */

static void check_sentence(const lb_spec *spec, const lb_yaml_node *node, lb_findings *out)
{
    lb_error err = {0};
    lb_template *t;
    const lb_position start = {lb_spec_path(spec), node->line, node->column};
    if (lb_template_parse(node->text, start, NULL, "", &t, &err) != LB_OK) {
        lb_find_text(out, err.text);
        return;
    }
    lb_lint_digits(t, spec, out);
    lb_template_free(t);
}

/* Every scalar that stands under "en" or "zh". */
static void check_languages(const lb_spec *spec, const lb_yaml_node *node, lb_findings *out)
{
    for (size_t i = 0; node && node->kind != LB_YAML_SCALAR && i < node->n; i++) {
        const lb_yaml_node *item = node->items[i];
        const bool sentence =
            node->kind == LB_YAML_MAP && item->kind == LB_YAML_SCALAR &&
            (strcmp(node->keys[i], "en") == 0 || strcmp(node->keys[i], "zh") == 0);
        if (sentence)
            check_sentence(spec, item, out);
        else
            check_languages(spec, item, out);
    }
}

void lb_lint_spec_digits(const lb_spec *spec, lb_findings *out)
{
    static const char *const parts[] = {"hypotheses", "tables", "figures"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        check_languages(spec, lb_spec_node(spec, parts[i]), out);
}
