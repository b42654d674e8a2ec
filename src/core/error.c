/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

lb_status lb_fail(lb_error *err, lb_status status, const char *file, int line, const char *format,
                  ...)
{
    if (!err)
        return status;
    if (err->status != LB_OK)
        return err->status;
    err->status = status;
    err->file = file;
    err->line = line;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}

void lb_error_within(lb_error *err, const char *format, ...)
{
    if (!err || err->status == LB_OK)
        return;
    char context[512], whole[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    const int head = snprintf(whole, sizeof whole, "%s: ", context);
    snprintf(whole + head, sizeof whole - (size_t)head, "%.*s",
             (int)(sizeof whole - (size_t)head - 1), err->text);
    memcpy(err->text, whole, sizeof whole);
}

int lb_exit_status(lb_status status)
{
    return status == LB_OK ? 0 : status == LB_EFINDING ? 1 : 2;
}
