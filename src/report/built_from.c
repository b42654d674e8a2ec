/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/built_from.h"

#include "core/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void add(const lb_snapshot *s, const char *path, lb_names *out)
{
    if (!lb_snapshot_text(s, path, NULL))
        return;
    for (size_t i = 0; i < out->n; i++)
        if (strcmp(out->at[i], path) == 0)
            return;
    out->at = lb_xrealloc(out->at, out->n + 1, sizeof *out->at);
    out->at[out->n++] = lb_xstrdup(path);
}

static int folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash - path) + 1 : 0;
}

/* The path of the next #include "..." at or behind *@p text, which moves on; NULL: no more. The
 * caller frees it. */
static char *next_include(const lb_snapshot *s, const char *file, const char **text)
{
    static const char directive[] = "\n#include \"";
    const char *at = strstr(*text, directive);
    if (!at)
        return NULL;
    at += sizeof directive - 1;
    const int n = (int)strcspn(at, "\"\n");
    *text = at + n;
    char *path = lb_xprintf("src/%.*s", n, at);
    if (!lb_snapshot_text(s, path, NULL)) { /* beside the file itself */
        free(path);
        path = lb_xprintf("%.*s%.*s", folder_length(file), file, n, at);
    }
    return path;
}

/* The .c files that implement @p header. */
static void add_behind(const lb_snapshot *s, const char *header, lb_names *out)
{
    const int folder = folder_length(header);
    for (size_t i = 0; i < lb_snapshot_count(s); i++) {
        const char *path = lb_snapshot_path(s, i), *text = lb_snapshot_text(s, path, NULL);
        const size_t n = strlen(path);
        if (folder_length(path) != folder || strncmp(path, header, (size_t)folder) != 0 ||
            path[n - 1] != 'c')
            continue;
        char *first = next_include(s, path, &text);
        if (strncmp(path, header, n - 1) == 0 || (first && strcmp(first, header) == 0))
            add(s, path, out);
        free(first);
    }
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void lb_built_from(const lb_snapshot *s, const char *name, lb_names *out)
{
    char *program = lb_xprintf("src/experiments/%s.c", name),
         *parts = lb_xprintf("src/experiments/%s/", name);
    *out = (lb_names){0};
    add(s, program, out);
    for (size_t i = 0; i < lb_snapshot_count(s); i++)
        if (strncmp(lb_snapshot_path(s, i), parts, strlen(parts)) == 0)
            add(s, lb_snapshot_path(s, i), out);
    for (size_t i = 0; i < out->n; i++) { /* grows as it is walked */
        const char *path = out->at[i], *text = lb_snapshot_text(s, path, NULL);
        if (path[strlen(path) - 1] == 'h')
            add_behind(s, path, out);
        for (char *found; (found = next_include(s, path, &text));) {
            add(s, found, out);
            free(found);
        }
    }
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_bytes);
    free(program);
    free(parts);
}
