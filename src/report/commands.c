/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/commands.h"

#include "core/file.h"
#include "core/memory.h"
#include "record/export.h"
#include "record/import.h"
#include "record/numbers.h"
#include "record/verify.h"
#include "report/fill.h"
#include "report/lint.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- experiments -------------------------------------------------------------------------------
 */

/* An experiment with the files that belong to it. */
typedef struct entry {
    const char *folder;
    lb_spec *spec;
    char *record, *frozen;
} entry;

static void entry_close(entry *e)
{
    lb_spec_free(e->spec);
    free(e->record);
    free(e->frozen);
}

static lb_status entry_open(lb_job *j, const char *id, entry *e)
{
    *e = (entry){0};
    lb_status st = j->all.n ? LB_OK : lb_catalogue_read(j->o->templates, &j->all, j->err);
    if (st == LB_OK)
        st = lb_catalogue_find(&j->all, id, &e->folder, j->err);
    if (st != LB_OK)
        return st;
    char *path = lb_xprintf("%s/spec.yaml", e->folder);
    st = lb_spec_load(path, &e->spec, j->err);
    free(path);
    if (st == LB_OK) {
        e->record = lb_xprintf("%s/%s.h5", j->places.results, lb_spec_name(e->spec));
        e->frozen = lb_xprintf("%s/%s.tsv", j->places.frozen, lb_spec_name(e->spec));
    }
    return st;
}

/* Do @p each for the experiments named, or for all. The worst status counts: a finding does not
 * stop the rest, a failure does. */
static lb_status for_each(lb_job *j, lb_status (*each)(lb_job *j, const entry *e))
{
    bool found = false;
    lb_status st = lb_catalogue_read(j->o->templates, &j->all, j->err);
    const size_t n = j->n ? j->n : j->all.n;
    for (size_t i = 0; i < n && st == LB_OK; i++) {
        entry e;
        st = entry_open(j, j->n ? j->args[i] : j->all.folders[i], &e);
        if (st == LB_OK)
            st = each(j, &e);
        entry_close(&e);
        if (st == LB_EFINDING) { /* its message joins the report; the last word is the status */
            if (j->err->text[0])
                lb_text_printf(&j->out, "%s\n", j->err->text);
            *j->err = (lb_error){0};
            found = true;
            st = LB_OK;
        }
    }
    return st == LB_OK && found ? LB_EFINDING : st;
}

/* --- commands ----------------------------------------------------------------------------------
 */

lb_status lb_command_fill(lb_job *j)
{
    entry e;
    const lb_fill_outputs outputs = {
        .clean = j->o->out, .annotated = j->o->annotated, .depfile = j->o->depfile};
    if (strcmp(j->o->language, "en") != 0 && strcmp(j->o->language, "zh") != 0)
        return LB_FAIL(j->err, LB_EINVAL, "--lang is en or zh, not '%s'", j->o->language);
    lb_status st = entry_open(j, j->args[0], &e);
    if (st == LB_OK)
        st = lb_fill(&j->places, e.folder, j->o->language, &outputs, &j->out, j->err);
    entry_close(&e);
    return st;
}

static lb_status verify_one(lb_job *j, const entry *e)
{
    return lb_verify(e->record, e->frozen, &j->out, j->err);
}

lb_status lb_command_verify(lb_job *j)
{
    return for_each(j, verify_one);
}

static lb_status freeze_one(lb_job *j, const entry *e)
{
    return lb_freeze(e->record, e->frozen, e->spec, j->o->reason, &j->out, j->err);
}

lb_status lb_command_freeze(lb_job *j)
{
    return for_each(j, freeze_one);
}

lb_status lb_command_numbers(lb_job *j)
{
    entry e;
    lb_archive *a = NULL;
    lb_status st = entry_open(j, j->args[0], &e);
    if (st == LB_OK)
        st = lb_archive_open(e.record, &a, j->err);
    if (st == LB_OK && lb_archive_count(a) == 0)
        st = LB_FAIL(j->err, LB_ENAME, "%s holds no numbers", e.record);
    else if (st == LB_OK && j->o->tsv)
        lb_numbers_tsv(a, &j->out);
    else if (st == LB_OK)
        lb_export_json(a, lb_archive_check_spec(a, e.spec, NULL) == LB_OK ? e.spec : NULL, &j->out);
    lb_archive_close(a);
    entry_close(&e);
    return st;
}

lb_status lb_command_import(lb_job *j)
{
    entry e;
    if (!j->o->as)
        return LB_FAIL(j->err, LB_EINVAL, "import needs --as EXPERIMENT, such as --as e23");
    lb_status st = entry_open(j, j->o->as, &e);
    if (st == LB_OK)
        st = lb_import(j->args[0], e.spec, j->places.profile, j->places.figures, e.record, j->err);
    if (st == LB_OK)
        lb_text_printf(&j->out, "%s\n", e.record);
    entry_close(&e);
    return st;
}

lb_status lb_command_why(lb_job *j)
{
    entry e;
    lb_archive *a = NULL;
    lb_ledger *frozen = NULL;
    lb_published *published = NULL;
    const char *key = j->args[0];
    char *id = lb_xprintf("%.*s", (int)strcspn(key, "."), key);
    lb_status st = entry_open(j, id, &e);
    if (st == LB_OK)
        st = lb_archive_open(e.record, &a, j->err);
    if (st == LB_OK && lb_file_exists(e.frozen))
        st = lb_ledger_load(e.frozen, &frozen, j->err);
    if (st == LB_OK && lb_file_exists(j->places.published))
        st = lb_published_load(j->places.published, &published, j->err);
    if (st == LB_OK)
        st = lb_why(a, key, frozen, published, &j->out, j->err);
    lb_published_free(published);
    lb_ledger_free(frozen);
    lb_archive_close(a);
    entry_close(&e);
    free(id);
    return st;
}

static bool is_page(const char *path)
{
    const size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".md") == 0;
}

/* A finished page; "NAME.LANG.md" of an experiment with a record is also filled anew and compared.
 */
static lb_status lint_page(lb_job *j, const char *path, lb_findings *found)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strchr(base, '.');
    lb_status st = lb_lint_page(path, found, j->err);
    if ((st != LB_OK && st != LB_EFINDING) || !dot)
        return st;
    char *name = lb_xprintf("%.*s", (int)(dot - base), base);
    const char *language = strcmp(dot, ".zh.md") == 0   ? "zh"
                           : strcmp(dot, ".en.md") == 0 ? "en"
                                                        : NULL;
    lb_catalogue all = {0};
    const char *folder;
    entry e = {0};
    if (language && lb_catalogue_read(j->o->templates, &all, NULL) == LB_OK &&
        lb_catalogue_find(&all, name, &folder, NULL) == LB_OK) {
        const lb_status opened = entry_open(j, name, &e);
        const lb_status compared =
            opened != LB_OK ? opened
            : lb_file_exists(e.record)
                ? lb_fill_compare(&j->places, e.folder, language, path, j->err)
                : LB_OK;
        st = compared == LB_OK ? st : compared;
    }
    entry_close(&e);
    lb_catalogue_free(&all);
    free(name);
    return st;
}

/* Finished pages by path, experiments by id; all experiments when nothing is named. */
lb_status lb_command_lint(lb_job *j)
{
    lb_findings found = {0};
    lb_status st = j->n ? LB_OK : lb_catalogue_read(j->o->templates, &j->all, j->err);
    const size_t n = j->n ? j->n : j->all.n;
    for (size_t i = 0; i < n && st == LB_OK; i++) {
        const char *what = j->n ? j->args[i] : j->all.folders[i];
        entry e = {0};
        if (is_page(what)) {
            st = lint_page(j, what, &found);
        } else {
            st = entry_open(j, what, &e);
            if (st == LB_OK)
                st = lb_lint_experiment(&j->places, e.folder, &found, j->err);
        }
        entry_close(&e);
        if (st == LB_EFINDING) { /* told below, after the rest was looked at */
            if (j->err->text[0])
                lb_find_text(&found, j->err->text);
            *j->err = (lb_error){0};
            st = LB_OK;
        }
    }
    if (found.lines.s)
        lb_text_add(&j->out, found.lines.s);
    if (st == LB_OK)
        lb_text_printf(&j->out, "%zu checked, %zu errors, %zu warnings\n", n, found.errors,
                       found.warnings);
    const bool bad = found.errors > 0;
    lb_findings_free(&found);
    return st == LB_OK && bad ? LB_EFINDING : st;
}

lb_status lb_command_new(lb_job *j)
{
    const lb_status st = lb_experiment_new(".", j->args[0], j->err);
    if (st == LB_OK)
        lb_text_printf(&j->out,
                       "src/experiments/%s.c\ntemplates/experiments/%s/{spec.yaml,report.en.md,"
                       "report.zh.md}\n",
                       j->args[0], j->args[0]);
    return st;
}
