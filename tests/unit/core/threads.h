/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a model shares its work among threads: OpenMP keeps those it has started, and Criterion
 * runs every test in a process of its own. */
#ifndef TESTS_CORE_THREADS_H
#define TESTS_CORE_THREADS_H

#include <dirent.h>
#include <stddef.h>

/** Threads of this process. */
static inline size_t threads_now(void)
{
    size_t n = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (const struct dirent *e = tasks ? readdir(tasks) : NULL; e; e = readdir(tasks))
        n += e->d_name[0] != '.';
    if (tasks)
        closedir(tasks);
    return n;
}

#endif
