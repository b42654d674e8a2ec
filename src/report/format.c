/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/format.h"

#include "record/condition.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a format asks for; style 0: by kind. */
typedef struct style {
    bool sign, thousands;
    int decimals; /* -1: from the uncertainty */
    char letter;  /* f e g d % of the numeric forms, c for ci, m for pm, p for pct, u for unit */
} style;

static lb_status parse_style(const char *format, style *out, lb_error *err)
{
    static const char *const words[] = {"ci", "pm", "pct", "unit"};
    *out = (style){.decimals = -1};
    if (!format || !*format)
        return LB_OK;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(format, words[i]) == 0) {
            out->letter = "cmpu"[i];
            return LB_OK;
        }
    }
    const char *s = format;
    out->sign = *s == '+';
    s += out->sign;
    out->thousands = *s == ',';
    s += out->thousands;
    if (s[0] == '.' && isdigit((unsigned char)s[1])) {
        out->decimals = s[1] - '0';
        s += 2;
    }
    if (!*s && s > format && out->decimals < 0) { /* "+" or "," alone */
        out->letter = 'f';
        return LB_OK;
    }
    if (!*s || !strchr("fegd%", *s) || s[1])
        return LB_FAIL(err, LB_EFORMAT,
                       "no format '%s': use [+][,][.N] with f, e, g, d or %%, or ci, pm, pct, unit",
                       format);
    out->letter = *s;
    if (*s == 'd')
        out->decimals = 0;
    return LB_OK;
}

lb_status lb_format_check(const char *format, lb_error *err)
{
    style ignored;
    return parse_style(format, &ignored, err);
}

static bool has_uncertainty(const lb_number *x)
{
    return (isfinite(x->se) && x->se > 0.0) || x->ci_hi > x->ci_lo;
}

/* Decimals for @p x when @p wanted are asked for (-1: nothing was asked). */
static int decimals_of(const lb_number *x, int wanted)
{
    lb_number y = *x;
    if (wanted >= 0)
        y.digits = wanted;
    if (has_uncertainty(x) || y.digits >= 0)
        return lb_number_decimals(&y);
    /* Nothing known: five significant digits, at most four decimals. */
    const double size = fabs(x->value);
    const int before = size >= 10.0 ? (int)floor(log10(size)) : 0;
    return before < 4 ? 4 - before : 0;
}

/* "1e+05" becomes "1e5". */
static void tidy_exponent(char *s)
{
    char *e = strchr(s, 'e');
    if (!e)
        return;
    char *to = e + 1, *from = e + 1;
    if (*from == '-')
        to++;
    from += *from == '-' || *from == '+';
    while (from[0] == '0' && from[1])
        from++;
    memmove(to, from, strlen(from) + 1);
}

/* A power of ten reads best as one: "0.001", "100", "1e5". */
static int alpha_digits(double value, char *letter)
{
    const double size = fabs(value);
    *letter = size > 0.0 && (size >= 1e5 || size < 1e-3) ? 'e' : 'g';
    if (*letter == 'g')
        return 6;
    for (int digits = 0; digits < 5; digits++) {
        char s[40];
        snprintf(s, sizeof s, "%.*e", digits, size);
        if (fabs(strtod(s, NULL) - size) <= 1e-9 * size)
            return digits;
    }
    return 5;
}

/* One printf conversion with our sign, minus and grouping. */
static void add_value(double value, char letter, int decimals, bool sign, bool thousands,
                      bool ascii, lb_text *out)
{
    char s[400]; /* %f of the largest double has 309 digits before the point */
    const double size = fabs(value);
    if (letter == 'e')
        snprintf(s, sizeof s, "%.*e", decimals, size);
    else if (letter == 'g')
        snprintf(s, sizeof s, "%.*g", decimals, size);
    else
        snprintf(s, sizeof s, "%.*f", decimals, size);
    tidy_exponent(s);
    const bool zero = strspn(s, "0.") == strlen(s);
    if (value < 0.0 && !zero)
        lb_text_add(out, ascii ? "-" : "\u2212");
    else if (sign && !zero)
        lb_text_add(out, "+");
    if (thousands)
        lb_text_add_grouped(out, s);
    else
        lb_text_add(out, s);
}

void lb_format_plain(double value, bool ascii, lb_text *out)
{
    add_value(value, 'g', 10, false, false, ascii, out);
}

bool lb_format_emphasises(const char *format)
{
    return format && (strcmp(format, "best") == 0 || strcmp(format, "diagonal") == 0);
}

/* A number as printed elsewhere, its sign a minus. */
static void add_printed(const char *s, bool ascii, lb_text *out)
{
    const bool minus = *s == '-' && !ascii;
    lb_text_printf(out, "%s%s", minus ? "\u2212" : "", s + minus);
}

void lb_format_published(const lb_published_entry *e, bool interval, bool ascii, lb_text *out)
{
    if (!interval) {
        add_printed(e->value, ascii, out);
        return;
    }
    lb_text_add(out, "[");
    add_printed(e->lo, ascii, out);
    lb_text_add(out, ", ");
    add_printed(e->hi, ascii, out);
    lb_text_add(out, "]");
}

void lb_format_count(size_t n, lb_text *out)
{
    char count[LB_COUNT_SIZE];
    lb_text_add(out, lb_count_text(n, count));
}

static bool is_kind(const lb_number *x, const char *kind)
{
    return strcmp(x->kind, kind) == 0;
}

/* The value in the way of its kind; @p base carries the uncertainty that limits the decimals. */
static void add_by_kind(double value, const lb_number *base, bool ascii, lb_text *out)
{
    char letter;
    const int digits = alpha_digits(value, &letter);
    if (is_kind(base, "count"))
        add_value(value, 'f', 0, false, true, ascii, out);
    else if (is_kind(base, "alpha") || is_kind(base, "threshold"))
        add_value(value, letter, digits, false, false, ascii, out);
    else if (is_kind(base, "seed"))
        add_value(value, 'f', 0, false, false, ascii, out);
    else if (value != 0.0 && fabs(value) < 1e-4 && base->digits < 0 && !has_uncertainty(base))
        add_value(value, 'e', 1, false, false, ascii, out);
    else
        add_value(value, 'f', decimals_of(base, -1),
                  strncmp(base->kind, "delta_", 6) == 0 || is_kind(base, "bias"), false, ascii,
                  out);
}

static lb_number times_hundred(lb_number x)
{
    x.value *= 100.0;
    x.ci_lo *= 100.0;
    x.ci_hi *= 100.0;
    x.se *= 100.0;
    x.digits = x.digits < 0 ? x.digits : x.digits > 2 ? x.digits - 2 : 0;
    if (x.digits < 0 && !has_uncertainty(&x))
        x.digits = 1;
    return x;
}

static lb_status add_interval(const lb_number *x, bool ascii, lb_text *out, lb_error *err)
{
    if (!isfinite(x->ci_lo) || !isfinite(x->ci_hi))
        return LB_FAIL(err, LB_ENUMERIC, "has no interval");
    const int decimals = decimals_of(x, -1);
    lb_text_add(out, "[");
    add_value(x->ci_lo, 'f', decimals, false, false, ascii, out);
    lb_text_add(out, ", ");
    add_value(x->ci_hi, 'f', decimals, false, false, ascii, out);
    lb_text_add(out, "]");
    return LB_OK;
}

static lb_status add_plus_minus(const lb_number *x, bool ascii, lb_text *out, lb_error *err)
{
    if (!isfinite(x->se))
        return LB_FAIL(err, LB_ENUMERIC, "has no standard error");
    const int decimals = decimals_of(x, -1);
    add_value(x->value, 'f', decimals, strncmp(x->kind, "delta_", 6) == 0, false, ascii, out);
    lb_text_add(out, ascii ? " +/- " : " ± ");
    add_value(x->se, 'f', decimals, false, false, ascii, out);
    return LB_OK;
}

/* The value of a number that has one, in any format. */
static lb_status add_number(const lb_number *x, const style *f, bool ascii, lb_text *out,
                            lb_error *err)
{
    const lb_number hundred = times_hundred(*x);
    switch (f->letter) {
    case 'c':
        return add_interval(x, ascii, out, err);
    case 'm':
        return add_plus_minus(x, ascii, out, err);
    case 'p':
        add_value(hundred.value, 'f', decimals_of(&hundred, -1), false, false, ascii, out);
        lb_text_add(out, "%");
        break;
    case '%':
        add_value(hundred.value, 'f', decimals_of(&hundred, f->decimals), f->sign, f->thousands,
                  ascii, out);
        lb_text_add(out, "%");
        break;
    case 'e':
    case 'g':
        add_value(x->value, f->letter,
                  f->decimals >= 0   ? f->decimals
                  : f->letter == 'e' ? 2
                                     : 6,
                  f->sign, f->thousands, ascii, out);
        break;
    case 'f':
    case 'd':
        add_value(x->value, 'f', decimals_of(x, f->decimals), f->sign, f->thousands, ascii, out);
        break;
    default:
        add_by_kind(x->value, x, ascii, out);
    }
    if (f->letter == 'u' && *x->unit)
        lb_text_printf(out, "%s%s",
                       strcmp(x->unit, "%") == 0 ? ""
                       : ascii                   ? " "
                                                 : "\u00a0",
                       x->unit);
    return LB_OK;
}

/* A part of a number, as a number of its own that keeps the uncertainty of the whole. */
static lb_number part_of(const lb_number *x, const char *field, double value)
{
    if (strcmp(field, "n") == 0)
        return lb_number_count(x->n);
    if (strcmp(field, "p_above") == 0 || strcmp(field, "p_positive") == 0) {
        lb_number p = lb_number_plain(value, "probability", "");
        p.digits = 3;
        return p;
    }
    lb_number part = *x;
    part.value = value;
    if (strcmp(field, "boot_mean") != 0) /* an end of a gain is no gain: no sign */
        snprintf(part.kind, sizeof part.kind, "%s", "part");
    return part;
}

lb_status lb_format_number(const lb_number *x, const char *field, const char *format, bool ascii,
                           lb_text *out, lb_error *err)
{
    style f;
    const lb_status st = parse_style(format, &f, err);
    if (st != LB_OK)
        return st;
    if (*x->na && !(field && strcmp(field, "n") == 0)) {
        lb_text_add(out, x->na);
        return LB_OK;
    }
    if (!field || strcmp(field, "value") == 0) {
        if (!isfinite(x->value))
            return LB_FAIL(err, LB_ENUMERIC, "is not a finite number");
        return add_number(x, &f, ascii, out, err);
    }
    if (f.letter == 'c' || f.letter == 'm')
        return LB_FAIL(err, LB_EFORMAT, "the format '%s' is for whole numbers, not for a field",
                       format);
    const lb_value value = lb_value_of(x, field);
    if (value.kind != LB_VALUE_NUMBER || !isfinite(value.number))
        return LB_FAIL(err, LB_ENUMERIC, "has no %s", field);
    const lb_number part = part_of(x, field, value.number);
    return add_number(&part, &f, ascii, out, err);
}
