/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/memory.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* AddressSanitizer's allocator would report a request this large before calloc can say no. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

Test(memory, calloc_is_zeroed_and_nothing_is_still_a_block)
{
    char *block = lb_xcalloc(100, 3), *none = lb_xcalloc(0, 8), *empty = lb_xcalloc(8, 0);
    for (int i = 0; i < 300; i++)
        cr_assert(eq(chr, block[i], 0));
    cr_expect(none != NULL && empty != NULL);
    free(block);
    free(none);
    free(empty);
}

Test(memory, realloc_keeps_what_was_there)
{
    char *block = lb_xrealloc(NULL, 4, 1);
    memcpy(block, "abc", 4);
    block = lb_xrealloc(block, 1000, 1000);
    cr_expect(eq(str, block, "abc"));
    block = lb_xrealloc(block, 0, 1);
    cr_expect(block != NULL);
    free(block);
}

Test(memory, aligned_blocks_start_on_64_bytes)
{
    for (size_t n = 0; n < 20; n++) {
        void *block = lb_xaligned(n, 7);
        cr_expect(eq(sz, (uintptr_t)block % 64, 0));
        memset(block, 1, 7 * n);
        free(block);
    }
}

Test(memory, strings)
{
    char *copy = lb_xstrdup("log g"), *made = lb_xprintf("%s_%03d", "train", 7);
    cr_expect(eq(str, copy, "log g"));
    cr_expect(eq(str, made, "train_007"));
    free(copy);
    free(made);
}

/* (2^62 + 1) * 4 wraps around to 4: it must not come back as a block of four bytes. */
enum { WRAPS_TO = 4 };
static const size_t too_many = SIZE_MAX / WRAPS_TO + 2;

Test(memory, an_overflowing_request_aborts, .signal = SIGABRT)
{
    free(lb_xrealloc(NULL, too_many, WRAPS_TO));
}

Test(memory, an_overflowing_aligned_request_aborts, .signal = SIGABRT)
{
    free(lb_xaligned(too_many, WRAPS_TO));
}

Test(memory, more_than_the_machine_has_aborts, .signal = SIGABRT)
{
    free(lb_xcalloc(SIZE_MAX / 16, 8));
}

Test(memory, peak_memory_sees_a_touched_block)
{
    const size_t before = lb_peak_memory(), bytes = (size_t)64 << 20;
    char *block = lb_xcalloc(bytes, 1);
    memset(block, 1, bytes);
    cr_expect(ge(sz, lb_peak_memory(), before + bytes / 2));
    cr_expect(block[bytes - 1] == 1);
    free(block);
}
