/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/findings.h"

#include <stdarg.h>
#include <stdio.h>

static void add(lb_findings *f, lb_position place, const char *kind, const char *format,
                va_list args)
{
    char message[900];
    vsnprintf(message, sizeof message, format, args);
    lb_text_printf(&f->lines, "%s:%d:%d: %s%s\n", place.file, place.line, place.column, kind,
                   message);
}

void lb_find(lb_findings *f, lb_position place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(f, place, "", format, args);
    va_end(args);
    f->errors++;
}

void lb_find_warning(lb_findings *f, lb_position place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(f, place, "warning: ", format, args);
    va_end(args);
    f->warnings++;
}

void lb_find_text(lb_findings *f, const char *message)
{
    lb_text_printf(&f->lines, "%s\n", message);
    f->errors++;
}

void lb_findings_free(lb_findings *f)
{
    lb_text_free(&f->lines);
    *f = (lb_findings){0};
}
