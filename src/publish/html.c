/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "publish/html.h"

#include "report/format.h"
#include "report/oracle.h"

#include <string.h>

void lb_html_text(lb_text *out, const char *s)
{
    for (; *s; s++) {
        const char *entity = *s == '&'   ? "&amp;"
                             : *s == '<' ? "&lt;"
                             : *s == '>' ? "&gt;"
                             : *s == '"' ? "&quot;"
                                         : NULL;
        lb_text_addn(out, entity ? entity : s, entity ? strlen(entity) : 1);
    }
}

void lb_html_anchor(lb_text *out, const char *key)
{
    lb_text_add(out, "n-");
    for (; *key; key++)
        lb_text_addn(out, *key == '.' ? "-" : key, 1);
}

void lb_html_hash(lb_text *out, const char *hash)
{
    const char *digits = strncmp(hash, "sha256:", 7) == 0 ? hash + 7 : hash;
    lb_text_printf(out, "<code title=\"%s\">%.*s</code>", hash, LB_SHORT_HASH, digits);
}

void lb_html_number(lb_text *out, const lb_number *x, const char *format)
{
    lb_text s = {0};
    if (lb_format_number(x, NULL, format, false, &s, NULL) == LB_OK) {
        lb_html_text(out, s.s);
        lb_text_add(out, lb_oracle_marks(x, NULL) ? LB_ORACLE_MARK : "");
    }
    lb_text_free(&s);
}
