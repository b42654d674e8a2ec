/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "data/rows.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* Element (i, j) of the base is 10 i + j; counts how often it is asked. */
static lb_status read_base(void *self, size_t first, lb_matf x, lb_error *err)
{
    (void)err;
    ++*(int *)self;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j++)
            x.data[i * x.stride + j] = (float)(10 * (first + i) + j);
    return LB_OK;
}

Test(rows, come_in_the_order_asked)
{
    int calls = 0;
    static const size_t rows[] = {7, 0, 4, 5, 6, 4};
    lb_stream_rows view = {{20, 3, read_base, &calls, false}, rows, 6};
    const lb_stream s = lb_stream_of_rows(&view);
    cr_expect(eq(sz, s.rows, 6));
    cr_expect(eq(sz, s.cols, 3));
    float x[5 * 4] = {0};
    cr_assert(s.read(s.self, 1, (lb_matf){x, 5, 3, 4}, NULL) == LB_OK);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 3; j++)
            cr_expect(eq(flt, x[i * 4 + j], (float)(10 * rows[i + 1] + j)));
    cr_expect(eq(int, calls, 3), "0; 4, 5, 6 together; 4");
}

Test(rows, beyond_the_selection_or_the_base_are_refused)
{
    int calls = 0;
    static const size_t rows[] = {1, 19, 20};
    lb_stream_rows view = {{20, 3, read_base, &calls, false}, rows, 3};
    const lb_stream s = lb_stream_of_rows(&view);
    float x[9];
    cr_expect(eq(int, s.read(s.self, 2, (lb_matf){x, 2, 3, 3}, NULL), LB_ESHAPE));
    cr_expect(eq(int, s.read(s.self, 1, (lb_matf){x, 2, 3, 3}, NULL), LB_ESHAPE));
    cr_expect(eq(int, s.read(s.self, 0, (lb_matf){x, 2, 3, 3}, NULL), LB_OK));
}

Test(rows, of_joined_streams_follow_one_another)
{
    int calls[3] = {0};
    const lb_stream parts[] = {{2, 3, read_base, &calls[0], false},
                               {0, 3, read_base, &calls[1], false},
                               {4, 3, read_base, &calls[2], false}};
    lb_joined joined = {parts, 3};
    const lb_stream s = lb_stream_joined(&joined);
    static const size_t expected[] = {0, 1, 0, 1, 2, 3};
    cr_expect(eq(sz, s.rows, 6));
    cr_expect(eq(sz, s.cols, 3));
    for (size_t first = 0; first < 6; first++)
        for (size_t n = 1; first + n <= 6; n++) {
            float x[6 * 4] = {0};
            cr_assert(s.read(s.self, first, (lb_matf){x, n, 3, 4}, NULL) == LB_OK);
            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < 3; j++)
                    cr_expect(eq(flt, x[i * 4 + j], (float)(10 * expected[first + i] + j)));
        }
    cr_expect(eq(int, calls[1], 0), "a part without rows is not asked");
    float x[9];
    cr_expect(eq(int, s.read(s.self, 4, (lb_matf){x, 3, 3, 3}, NULL), LB_ESHAPE));
}

static lb_status read_nothing(void *self, size_t first, lb_matf x, lb_error *err)
{
    (void)self;
    (void)x;
    return LB_FAIL(err, LB_EFORMAT, "row %zu is damaged", first);
}

Test(rows, of_joined_streams_fail_as_their_part_does)
{
    int calls = 0;
    const lb_stream parts[] = {{2, 3, read_base, &calls, false}, {4, 3, read_nothing, NULL, false}};
    lb_joined joined = {parts, 2};
    const lb_stream s = lb_stream_joined(&joined);
    float x[9];
    lb_error err = {0};
    cr_expect(eq(int, s.read(s.self, 1, (lb_matf){x, 3, 3, 3}, &err), LB_EFORMAT));
}
