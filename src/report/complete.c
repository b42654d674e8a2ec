/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/complete.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/lint.h"
#include "report/refs.h"

#include <stdlib.h>
#include <string.h>

static const char *const languages[] = {"en", "zh"};

/* The header of the report shows them; the schema of the spec leaves some to choice. */
static void check_fields(const lb_spec *spec, lb_findings *out)
{
    static const char *const fields[] = {"registry", "topic", "mvp", "priority", "hypotheses"};
    const lb_position place = {lb_spec_path(spec), 1, 1};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const lb_yaml_node *node = lb_spec_node(spec, fields[i]);
        if (!node || (node->kind == LB_YAML_SCALAR ? !*node->text : node->n == 0))
            lb_find(out, place, "the required field '%s' is empty", fields[i]);
    }
}

/* Every hypothesis has a verdict, and stands in the table of all of them or by itself. */
static void check_hypotheses(const lb_spec *spec, const lb_archive *a, const lb_refs *refs,
                             const char *page, lb_findings *out)
{
    const lb_yaml_node *all = lb_spec_node(spec, "hypotheses");
    for (size_t i = 0; all && i < all->n; i++) {
        const lb_position place = {lb_spec_path(spec), all->items[i]->key_line,
                                   all->items[i]->key_column};
        if (!lb_archive_verdict(a, all->keys[i]))
            lb_find(out, place, "hypothesis %s has no verdict in %s", all->keys[i],
                    lb_archive_path(a));
        if (!lb_refs_find(refs, LB_REF_CARD, "hypotheses") &&
            !lb_refs_find(refs, LB_REF_VERDICT, all->keys[i]))
            lb_find(out, place, "hypothesis %s is not used in %s", all->keys[i], page);
    }
}

/* Level of the heading that a line is, 0 for any other line. */
static size_t heading_of(const char *line)
{
    const size_t level = strspn(line, "#");
    return line[level] == ' ' ? level : 0;
}

/* "| Name | |": a row of two cells whose second is blank. */
static bool is_empty_field(const char *line)
{
    const char *cell = *line == '|' ? strchr(line + 1, '|') : NULL;
    if (!cell || cell > line + strcspn(line, "\n"))
        return false;
    cell += 1 + strspn(cell + 1, " ");
    return *cell == '|' && (cell[1] == '\n' || !cell[1]);
}

/* A section that says nothing, a field without a value. */
static void check_sections(const char *path, const char *text, lb_findings *out)
{
    const char *open = NULL; /* a heading behind which nothing has been said yet */
    bool code = false;
    lb_position heading = {path, 1, 1}, place = heading;
    for (const char *line = text; *line; place.line++) {
        const size_t length = strcspn(line, "\n");
        code = code != (strncmp(line, "```", 3) == 0);
        const size_t level = code ? 0 : heading_of(line);
        if (open && level && level <= heading_of(open))
            lb_find(out, heading, "the section '%.*s' is empty", (int)strcspn(open, "\n"), open);
        if (is_empty_field(line))
            lb_find(out, place, "the field '%.*s' is empty",
                    (int)(strcspn(line + 2, "|") - (line[2] != '|')), line + 2);
        if (level) {
            open = line;
            heading = place;
        } else if (strspn(line, " \t\r") < length) {
            open = NULL;
        }
        line += length + (line[length] == '\n');
    }
    if (open)
        lb_find(out, heading, "the section '%.*s' is empty", (int)strcspn(open, "\n"), open);
}

static lb_status check_page(const char *path, lb_findings *out, lb_error *err)
{
    char *text;
    lb_status st = lb_file_read(path, &text, NULL, err);
    if (st != LB_OK)
        return st;
    check_sections(path, text, out);
    free(text);
    st = lb_lint_page(path, out, err);
    return st == LB_EFINDING ? LB_OK : st;
}

static lb_status check_language(lb_facts *f, const char *folder, const char *pages,
                                const char *language, lb_findings *out, lb_error *err)
{
    const lb_spec *spec = lb_facts_spec(f);
    char *path = lb_xprintf("%s/report.%s.md", folder, language), *page = NULL;
    lb_template *t = NULL;
    lb_status st = lb_template_load(path, lb_facts_places(f)->shared, language, &t, err);
    if (st == LB_OK) {
        lb_refs refs = lb_refs_of(t, out);
        check_hypotheses(spec, lb_facts_record(f), &refs, path, out);
        lb_refs_free(&refs);
        if (pages)
            page = lb_xprintf("%s/%s.%s.md", pages, lb_spec_name(spec), language);
        if (page && !lb_file_exists(page))
            lb_find(out, (lb_position){page, 1, 1}, "no such page: fill the report first");
        else if (page)
            st = check_page(page, out, err);
    }
    lb_template_free(t);
    free(page);
    free(path);
    return st;
}

lb_status lb_report_complete(const lb_places *places, const char *folder, const char *pages,
                             lb_findings *out, lb_error *err)
{
    lb_facts *f = NULL;
    const size_t before = out->errors;
    lb_status st = lb_lint_experiment(places, folder, out, err);
    if (st == LB_OK || st == LB_EFINDING)
        st = lb_facts_open(places, folder, "en", &f, err);
    if (st == LB_OK)
        check_fields(lb_facts_spec(f), out);
    for (size_t i = 0; i < 2 && st == LB_OK; i++)
        st = check_language(f, folder, pages, languages[i], out, err);
    lb_facts_close(f);
    return st == LB_OK && out->errors > before ? LB_EFINDING : st;
}
