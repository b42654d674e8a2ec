/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/path.h"

#include "core/memory.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Absolute, without "." and ".." and without a slash at the end: "/a/b". */
static char *normal(const char *path)
{
    char here[4096];
    char *whole = *path == '/' || !getcwd(here, sizeof here) ? lb_xstrdup(path)
                                                             : lb_xprintf("%s/%s", here, path);
    lb_text out = {0};
    lb_text_add(&out, "");
    char *rest = NULL;
    for (char *part = strtok_r(whole, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
        if (strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0) {
            char *slash = strrchr(out.s, '/');
            out.length = slash ? (size_t)(slash - out.s) : 0;
            out.s[out.length] = '\0';
        } else {
            lb_text_printf(&out, "/%s", part);
        }
    }
    free(whole);
    return lb_text_take(&out);
}

char *lb_relative_path(const char *folder, const char *file)
{
    char *from = normal(folder), *to = normal(file);
    size_t shared = 0; /* characters of the folders both have */
    for (size_t i = 0;; i++) {
        const bool ends = (from[i] == '\0' || from[i] == '/') && (to[i] == '\0' || to[i] == '/');
        if (ends)
            shared = i;
        if (from[i] != to[i] || from[i] == '\0')
            break;
    }
    lb_text out = {0};
    for (const char *s = from + shared; *s; s++)
        lb_text_add(&out, *s == '/' ? "../" : "");
    lb_text_add(&out, to[shared] == '/' ? to + shared + 1 : to + shared);
    free(from);
    free(to);
    return lb_text_take(&out);
}

char *lb_folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    if (!slash)
        return lb_xstrdup(".");
    return slash == file ? lb_xstrdup("/") : lb_xprintf("%.*s", (int)(slash - file), file);
}
