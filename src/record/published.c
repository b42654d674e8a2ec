/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/published.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "record/keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 8 };
static const char header[] =
    "key\tvalue\tunit_or_kind\tci_low\tci_high\tn_test\tconditions\tsource";

struct lb_published {
    char *text; /* the file; the entries point into it */
    lb_published_entry *entries;
    size_t n;
    lb_keys keys;
};

/* "81.6%" reads as 81.6; what is no number ("77.9k", "Cool") stays a text. */
static double number_of(const char *value)
{
    char digits[64];
    double x;
    const size_t n = strlen(value);
    if (n == 0 || n >= sizeof digits)
        return NAN;
    memcpy(digits, value, n + 1);
    if (digits[n - 1] == '%')
        digits[n - 1] = '\0';
    return lb_parse_double(digits, &x) ? x : NAN;
}

static lb_status read_line(lb_published *p, char *line, const char *path, size_t number,
                           lb_error *err)
{
    char *field[COLUMNS] = {NULL};
    size_t n = 0;
    for (char *rest = line, *part; (part = strsep(&rest, "\t"));)
        if (n++ < COLUMNS)
            field[n - 1] = part;
    if (n != COLUMNS || !*field[0] || !*field[1])
        return LB_FAIL(err, LB_EFORMAT, "%s:%zu: %s", path, number,
                       n != COLUMNS ? "a line needs 8 columns separated by tabs"
                                    : "key or value is empty");
    lb_published_entry *e = lb_push(&p->entries, &p->n, sizeof *e);
    *e = (lb_published_entry){.key = field[0],
                              .value = field[1],
                              .unit = field[2],
                              .lo = field[3],
                              .hi = field[4],
                              .ci_lo = number_of(field[3]),
                              .ci_hi = number_of(field[4]),
                              .n = field[5],
                              .conditions = field[6],
                              .source = field[7],
                              .number = number_of(field[1])};
    if (!lb_keys_add(&p->keys, e->key, p->n - 1))
        return LB_FAIL(err, LB_ENAME, "%s:%zu: the key '%s' stands here twice", path, number,
                       e->key);
    return LB_OK;
}

lb_status lb_published_load(const char *path, lb_published **out, lb_error *err)
{
    lb_published *p = lb_xcalloc(1, sizeof *p);
    lb_status st = lb_file_read(path, &p->text, NULL, err);
    size_t number = 0;
    for (char *rest = p->text, *line; st == LB_OK && (line = strsep(&rest, "\n"));) {
        line[strcspn(line, "\r")] = '\0';
        if (++number == 1 && strcmp(line, header))
            st = LB_FAIL(err, LB_EFORMAT,
                         "%s:1: the first line must name the columns key, value, "
                         "unit_or_kind, ci_low, ci_high, n_test, conditions, "
                         "source",
                         path);
        else if (number > 1 && *line)
            st = read_line(p, line, path, number, err);
    }
    if (st == LB_OK)
        *out = p;
    else
        lb_published_free(p);
    return st;
}

void lb_published_free(lb_published *p)
{
    if (!p)
        return;
    lb_keys_free(&p->keys);
    free(p->entries);
    free(p->text);
    free(p);
}

const lb_published_entry *lb_published_find(const lb_published *p, const char *key)
{
    size_t at;
    return lb_keys_find(&p->keys, key, &at) ? &p->entries[at] : NULL;
}

char *lb_published_line(const lb_published_entry *e)
{
    return e ? lb_xprintf("%s|%s|%s|%s|%s|%s", e->value, e->unit, e->lo, e->hi, e->n, e->conditions)
             : lb_xstrdup("");
}

const char *lb_published_nearest(const lb_published *p, const char *key)
{
    return lb_keys_nearest(&p->keys, key);
}

size_t lb_published_count(const lb_published *p)
{
    return p->n;
}

const lb_published_entry *lb_published_at(const lb_published *p, size_t i)
{
    return &p->entries[i];
}
