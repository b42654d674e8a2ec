/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/catalogue.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Files that match, each with its last @p cut characters taken off. */
static void list(const char *pattern, size_t cut, char ***out, size_t *n)
{
    glob_t found = {0};
    *n = 0;
    *out = NULL;
    if (glob(pattern, 0, NULL, &found) == 0) {
        *out = lb_xcalloc(found.gl_pathc, sizeof **out);
        for (; *n < found.gl_pathc; ++*n) {
            const char *path = found.gl_pathv[*n];
            (*out)[*n] = lb_xprintf("%.*s", (int)(strlen(path) - cut), path);
        }
    }
    globfree(&found);
}

lb_status lb_catalogue_read(const char *templates, lb_catalogue *out, lb_error *err)
{
    char *pattern = lb_xprintf("%s/experiments/*/spec.yaml", templates);
    list(pattern, strlen("/spec.yaml"), &out->folders, &out->n);
    free(pattern);
    if (out->n == 0)
        return LB_FAIL(err, LB_EIO, "no experiment under %s/experiments", templates);
    return LB_OK;
}

lb_status lb_catalogue_find(const lb_catalogue *c, const char *id, const char **out, lb_error *err)
{
    const char **names = lb_xcalloc(c->n + 1, sizeof *names);
    lb_status st = LB_OK;
    size_t n = strlen(id);
    while (n > 1 && id[n - 1] == '/')
        n--;
    *out = NULL;
    for (size_t i = 0; i < c->n && !*out; i++) {
        const char *folder = c->folders[i];
        names[i] = base_name(folder);
        const size_t m = strcspn(names[i], "_");
        if ((n == strlen(folder) && strncmp(id, folder, n) == 0) || strcmp(id, names[i]) == 0 ||
            (n == m && strncmp(id, names[i], m) == 0))
            *out = folder;
    }
    if (!*out) {
        const char *near = lb_nearest(id, names, c->n);
        st = LB_FAIL(err, LB_ENAME, "no experiment '%s'%s%s%s", id, near ? ": did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
    }
    free(names);
    return st;
}

void lb_catalogue_free(lb_catalogue *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->folders[i]);
    free(c->folders);
    *c = (lb_catalogue){0};
}

/* --- a new experiment --------------------------------------------------------------------------
 */

static bool is_experiment_name(const char *s)
{
    return s[0] == 'e' && isdigit((unsigned char)s[1]) && isdigit((unsigned char)s[2]) &&
           s[3] == '_' && islower((unsigned char)s[4]) &&
           strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s) && strlen(s) < 48;
}

static void today(char out[16])
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    const time_t now = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    struct tm t = {0};
    gmtime_r(&now, &t);
    strftime(out, 16, "%Y-%m-%d", &t);
}

/* @p text with its @words@ replaced. */
static char *substitute(const char *text, const char *name)
{
    char id[4] = {name[0], name[1], name[2]}, upper[4] = {'E', name[1], name[2]}, date[16];
    today(date);
    const struct {
        const char *word, *value;
    } words[] = {
        {"@name@", name}, {"@id@", id}, {"@ID@", upper}, {"@number@", id + 1}, {"@date@", date}};
    lb_text out = {0};
    for (const char *s = text; *s;) {
        size_t i = 0;
        while (i < 5 && strncmp(s, words[i].word, strlen(words[i].word)) != 0)
            i++;
        lb_text_addn(&out, i < 5 ? words[i].value : s, i < 5 ? strlen(words[i].value) : 1);
        s += i < 5 ? strlen(words[i].word) : 1;
    }
    return lb_text_take(&out);
}

/* Where the file @p from of templates/new goes. */
static char *target_of(const char *root, const char *name, const char *from)
{
    const char *base = base_name(from);
    if (strcmp(base, "program.c") == 0)
        return lb_xprintf("%s/src/experiments/%s.c", root, name);
    return lb_xprintf("%s/templates/experiments/%s/%s", root, name, base);
}

static lb_status make_one(const char *root, const char *name, const char *from, lb_error *err)
{
    char *text;
    lb_status st = lb_file_read(from, &text, NULL, err);
    if (st != LB_OK)
        return st;
    char *filled = substitute(text, name), *to = target_of(root, name, from);
    st = lb_file_write(to, filled, strlen(filled), err);
    free(to);
    free(filled);
    free(text);
    return st;
}

/* Nothing of that number may exist. */
static lb_status check_free(const char *root, const char *name, lb_error *err)
{
    static const char *const places[] = {"templates/experiments/", "src/experiments/"};
    lb_status st = LB_OK;
    for (size_t i = 0; i < 2 && st == LB_OK; i++) {
        char *pattern = lb_xprintf("%s/%s%.3s_*", root, places[i], name), **taken;
        size_t n;
        list(pattern, 0, &taken, &n);
        if (n > 0)
            st = LB_FAIL(err, LB_ENAME, "the number of '%s' is taken by %s", name, taken[0]);
        for (size_t k = 0; k < n; k++)
            free(taken[k]);
        free(taken);
        free(pattern);
    }
    return st;
}

lb_status lb_experiment_new(const char *root, const char *name, lb_error *err)
{
    if (!is_experiment_name(name))
        return LB_FAIL(err, LB_EINVAL,
                       "'%s' is no name for an experiment: use one such as e22_idea", name);
    lb_status st = check_free(root, name, err);
    char *pattern = lb_xprintf("%s/templates/new/*", root), **files = NULL;
    size_t n = 0;
    if (st == LB_OK) {
        list(pattern, 0, &files, &n);
        if (n == 0)
            st = LB_FAIL(err, LB_EIO, "no files %s to start from", pattern);
    }
    for (size_t i = 0; i < n; i++) {
        if (st == LB_OK)
            st = make_one(root, name, files[i], err);
        free(files[i]);
    }
    free(files);
    free(pattern);
    return st;
}
