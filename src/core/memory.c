/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

static void *checked(void *block, size_t n, size_t size)
{
    if (!block && n && size) {
        fprintf(stderr, "loggbook: out of memory (%zu x %zu bytes)\n", n, size);
        abort();
    }
    return block;
}

static size_t product(size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        checked(NULL, n, size);
    return n * size;
}

void *lb_xcalloc(size_t n, size_t size)
{
    return checked(calloc(n ? n : 1, size ? size : 1), n, size);
}

void *lb_xrealloc(void *block, size_t n, size_t size)
{
    const size_t bytes = product(n, size);
    return checked(realloc(block, bytes ? bytes : 1), n, size);
}

void *lb_xaligned(size_t n, size_t size)
{
    const size_t bytes = product(n, size);
    return checked(aligned_alloc(64, (bytes + 64) / 64 * 64), n, size);
}

void *lb_xlarge(size_t n, size_t size)
{
    char *block = lb_xaligned(n, size);
    const uintptr_t page = 4096, end = (uintptr_t)(block + n * size);
    const uintptr_t start = ((uintptr_t)block + page - 1) / page * page;
    if (end > start)
        madvise((void *)start, end - start,
                MADV_HUGEPAGE); /* a wish: its failure changes nothing */
    return memset(block, 0, n * size);
}

char *lb_xstrdup(const char *s)
{
    const size_t bytes = strlen(s) + 1;
    return memcpy(lb_xcalloc(bytes, 1), s, bytes);
}

char *lb_xprintf(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    char *s = lb_xcalloc((size_t)length + 1, 1);
    vsnprintf(s, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return s;
}

size_t lb_peak_memory(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (size_t)usage.ru_maxrss * 1024;
}
