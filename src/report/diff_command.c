/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `loggbook diff`: which two things are meant, and what their difference is worth. */
#include "report/commands.h"

#include "core/file.h"
#include "core/memory.h"
#include "report/diff.h"

#include <stdlib.h>
#include <string.h>

static bool is_file_name(const char *s)
{
    const char *dot = strrchr(s, '.');
    return dot && (strcmp(dot, ".h5") == 0 || strcmp(dot, ".tsv") == 0);
}

/* The templates of the experiment whose result @p path holds; NULL if there are none. */
static lb_status folder_of_result(lb_job *j, const char *path, const char **folder, char **profile)
{
    lb_archive *a = NULL;
    lb_ledger *l = NULL;
    lb_status st = strcmp(strrchr(path, '.'), ".h5") == 0 ? lb_archive_open(path, &a, j->err)
                                                          : lb_ledger_load(path, &l, j->err);
    *folder = NULL;
    if (st == LB_OK) {
        const char *id = a ? lb_archive_experiment(a) : l->experiment;
        *profile = lb_xstrdup(a ? lb_archive_provenance(a, "profile") : l->profile);
        if (*id && lb_catalogue_read(j->o->templates, &j->all, NULL) == LB_OK)
            lb_catalogue_find(&j->all, id, folder, NULL);
    }
    lb_archive_close(a);
    lb_ledger_free(l);
    return st;
}

/* What a file quotes of other experiments comes from the records of its own profile. */
static lb_status diff_files(lb_job *j, const char *a, const char *b, lb_diff *out)
{
    const char *folder;
    char *profile = NULL, *results = NULL;
    lb_status st = LB_OK;
    if (j->n > 2)
        return LB_FAIL(j->err, LB_EINVAL, "two files are of one experiment: '%s' is too much",
                       j->args[2]);
    if (!is_file_name(a) || !is_file_name(b))
        return LB_FAIL(j->err, LB_EINVAL,
                       "'%s' and '%s': give two files (.h5 or .tsv), or two git revisions", a, b);
    st = folder_of_result(j, a, &folder, &profile);
    if (st == LB_OK) {
        lb_places places = j->places;
        results = lb_xprintf("data/results/%s", profile);
        places.profile = profile;
        places.results = j->o->results ? j->o->results : results;
        st = lb_diff_files_read(&places, folder, a, b, out, j->err);
    }
    free(results);
    free(profile);
    return st;
}

lb_status lb_command_diff(lb_job *j)
{
    const char *a = j->args[0], *b = j->n > 1 ? j->args[1] : "";
    const size_t named = j->n > 2 ? j->n - 2 : 0;
    lb_policy policy = LB_FAIL_DRIFT;
    lb_diff d = {0};
    lb_status st = j->o->fail_on ? lb_policy_parse(j->o->fail_on, &policy, j->err) : LB_OK;
    if (st == LB_OK && !*a)
        st = LB_FAIL(j->err, LB_EINVAL,
                     "from which revision? `make diff A=main`, or `loggbook "
                     "diff main`");
    if (st == LB_OK)
        st = is_file_name(a) || is_file_name(b)
                 ? diff_files(j, a, b, &d)
                 : lb_diff_revisions_read(&j->places, j->o->templates, j->reports, a, b,
                                          (const char *const *)j->args + 2, named, &d, j->err);
    if (st == LB_OK) {
        lb_diff_write(&d, &j->out);
        st = lb_diff_fails(&d, policy) ? LB_EFINDING : LB_OK;
    }
    lb_diff_free(&d);
    return st;
}
