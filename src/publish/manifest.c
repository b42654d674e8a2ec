/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "publish/manifest.h"

#include "core/file.h"
#include "core/hash.h"
#include "core/memory.h"
#include "report/folder.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DIGITS = 64, PREFIX = 7 }; /* a digest, and "sha256:" before it in lb_hash */

static lb_status digest(const char *folder, const char *name, char out[LB_HASH_SIZE], lb_error *err)
{
    char *path = lb_xprintf("%s/%s", folder, name);
    const lb_status st = lb_hash_file(path, out, err);
    free(path);
    return st;
}

lb_status lb_manifest_write(const char *folder, size_t *files, lb_error *err)
{
    lb_names names = {0};
    lb_text out = {0};
    char hash[LB_HASH_SIZE];
    char *path = lb_xprintf("%s/" LB_MANIFEST, folder);
    size_t n = 0;
    lb_status st = lb_folder_list(folder, &names, err);
    for (size_t i = 0; i < names.n && st == LB_OK; i++) {
        if (strcmp(names.at[i], LB_MANIFEST) == 0)
            continue;
        st = digest(folder, names.at[i], hash, err);
        lb_text_printf(&out, "%s  %s\n", hash + PREFIX, names.at[i]);
        n++;
    }
    if (st == LB_OK)
        st = lb_file_write(path, out.s ? out.s : "", out.length, err);
    if (st == LB_OK && files)
        *files = n;
    free(path);
    lb_text_free(&out);
    lb_names_free(&names);
    return st;
}

/* --- checking ----------------------------------------------------------------------------------
 */

typedef struct entry {
    const char *name, *digest; /* into the text of the manifest */
} entry;

/* A name that could lead out of the folder is none. */
static bool is_inside(const char *name)
{
    if (*name == '/' || *name == '\0')
        return false;
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        const size_t n = strcspn(part, "/");
        if (n == 0 || (n <= 2 && strspn(part, ".") >= n))
            return false;
    }
    return true;
}

/* One line of the manifest, cut up in place: 64 hex digits, two blanks, a name that comes after the
 * one before. */
static bool read_line(char *line, const char *before, entry *out)
{
    if (strspn(line, "0123456789abcdef") != DIGITS || strncmp(line + DIGITS, "  ", 2) != 0)
        return false;
    line[DIGITS] = '\0';
    *out = (entry){line + DIGITS + 2, line};
    return is_inside(out->name) && strcmp(before, out->name) < 0;
}

static lb_status read_manifest(const char *path, char *text, size_t length, entry **out, size_t *n,
                               lb_error *err)
{
    if (length == 0 || strlen(text) != length || text[length - 1] != '\n')
        return LB_FAIL(err, LB_EFORMAT, "%s %s: this is no whole manifest", path,
                       length ? "is cut short" : "is empty");
    char *rest = text;
    while (*rest) {
        char *line = strsep(&rest, "\n");
        *out = lb_xrealloc(*out, *n + 1, sizeof **out);
        if (!read_line(line, *n ? (*out)[*n - 1].name : "", &(*out)[*n]))
            return LB_FAIL(err, LB_EFORMAT,
                           "%s:%zu: not a line of a manifest: a SHA-256, two blanks, and the name "
                           "of a file in this folder, in order",
                           path, *n + 1);
        ++*n;
    }
    return LB_OK;
}

/* NULL, or what is wrong with the file. */
static const char *compare(const char *folder, const entry *e)
{
    struct stat info;
    char hash[LB_HASH_SIZE], *path = lb_xprintf("%s/%s", folder, e->name);
    const bool there = lstat(path, &info) == 0;
    free(path);
    if (!there)
        return "missing";
    if (!S_ISREG(info.st_mode))
        return "changed";
    if (digest(folder, e->name, hash, NULL) != LB_OK)
        return "unreadable";
    return strcmp(hash + PREFIX, e->digest) == 0 ? NULL : "changed";
}

static int by_name(const void *key, const void *item)
{
    return strcmp(key, ((const entry *)item)->name);
}

static lb_status check_files(const char *folder, const entry *entries, size_t n, lb_text *report,
                             lb_error *err)
{
    lb_names names = {0};
    size_t found = 0;
    lb_status st = lb_folder_list(folder, &names, err);
    if (st != LB_OK)
        return st;
    for (size_t i = 0; i < n; i++) {
        const char *fault = compare(folder, &entries[i]);
        found += fault != NULL;
        if (fault)
            lb_text_printf(report, "%-8s %s\n", fault, entries[i].name);
    }
    for (size_t i = 0; i < names.n; i++) {
        if (strcmp(names.at[i], LB_MANIFEST) == 0 ||
            bsearch(names.at[i], entries, n, sizeof *entries, by_name))
            continue;
        lb_text_printf(report, "%-8s %s\n", "extra", names.at[i]);
        found++;
    }
    lb_names_free(&names);
    if (found == 0)
        lb_text_printf(report, "%s: %zu files, as the manifest says\n", folder, n);
    else
        lb_text_printf(report, "%s: %zu of its files are not as the manifest says\n", folder,
                       found);
    return found ? LB_EFINDING : LB_OK;
}

lb_status lb_manifest_check(const char *folder, lb_text *report, lb_error *err)
{
    char *path = lb_xprintf("%s/" LB_MANIFEST, folder), *text = NULL;
    entry *entries = NULL;
    size_t length, n = 0;
    lb_status st =
        lb_file_exists(path)
            ? lb_file_read(path, &text, &length, err)
            : LB_FAIL(err, LB_EIO, "%s does not exist: %s is not what `make publish` makes", path,
                      folder);
    if (st == LB_OK)
        st = read_manifest(path, text, length, &entries, &n, err);
    if (st == LB_OK)
        st = check_files(folder, entries, n, report, err);
    free(entries);
    free(text);
    free(path);
    return st;
}
