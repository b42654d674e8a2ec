/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figure/scale.h"

#include "core/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lb_ticks lb_ticks_linear(double lo, double hi, size_t most)
{
    static const double nice[] = {1, 2, 2.5, 5};
    lb_ticks t = {0};
    /* The finest step with few enough multiples inside the range. */
    double step = 0, first = 0, last = INFINITY;
    int power = (int)floor(log10((hi - lo) / (double)most)) - 1, i = 0;
    for (; last - first + 1 > (double)most; i++) {
        step = nice[i % 4] * pow(10, power + i / 4);
        first = ceil(lo / step - 1e-9);
        last = floor(hi / step + 1e-9);
    }
    i--;
    const int decimals = (i % 4 == 2) - (power + i / 4); /* 2.5 needs one more */
    for (double k = first; k <= last; k++) {
        t.at[t.n] = k == 0 ? 0 : k * step;
        snprintf(t.text[t.n], LB_TICK_TEXT, "%.*f", decimals > 0 ? decimals : 0, t.at[t.n]);
        t.n++;
    }
    return t;
}

lb_ticks lb_ticks_log(double lo, double hi, size_t most)
{
    lb_ticks t = {0};
    const int first = (int)ceil(log10(lo) - 1e-9), last = (int)floor(log10(hi) + 1e-9);
    if (last - first >= 1) {
        const int stride = (last - first) / (int)most + 1;
        for (int k = first; k <= last && t.n < LB_TICKS_MAX; k += stride) {
            t.at[t.n] = pow(10, k);
            snprintf(t.text[t.n], LB_TICK_TEXT, "10^{%d}", k);
            t.n++;
        }
        return t;
    }
    static const double mantissa[] = {1, 2, 5};
    for (int k = first - 1; k <= last + 1; k++)
        for (size_t m = 0; m < 3 && t.n < LB_TICKS_MAX; m++) {
            const double v = mantissa[m] * pow(10, k);
            if (v < lo * (1 - 1e-9) || v > hi * (1 + 1e-9))
                continue;
            t.at[t.n] = v;
            snprintf(t.text[t.n], LB_TICK_TEXT, "%g", v);
            t.n++;
        }
    return t;
}

char *lb_value_text(const char *format, double v)
{
    char *text = lb_xprintf(format, v);
    if (v < 0 && text[strcspn(text, "123456789")] == '\0') {
        free(text);
        text = lb_xprintf(format, 0.0);
    }
    return text;
}

bool lb_format_is_number(const char *format)
{
    size_t found = 0;
    for (const char *p = format; *p; p++) {
        if (*p != '%')
            continue;
        if (*++p == '%')
            continue;
        p += strspn(p, "+- 0#'");
        while (isdigit((unsigned char)*p))
            p++;
        if (*p == '.')
            for (p++; isdigit((unsigned char)*p); p++)
                ;
        if (!*p || !strchr("feEgG", *p))
            return false;
        found++;
    }
    return found == 1;
}
