/* SPDX-License-Identifier: GPL-3.0-or-later */
/* This package's own pages: what they print, against the records and against itself. */
#include "report/audit.h"

#include "core/memory.h"
#include "core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- pages -------------------------------------------------------------------------------------
 */

/* A printed number: its value, and how far a number may be off that prints like this. */
typedef struct printed {
    double value, half;
    const char *end;
    bool point; /* printed with one: no count, no name of a bin */
} printed;

static bool read_number(const char *s, printed *out)
{
    char plain[32];
    size_t n = 0, decimals = 0;
    bool point = false, digits = false;
    if (strncmp(s, "\u2212", 3) == 0) {
        plain[n++] = '-';
        s += 3;
    } else if (*s == '+' || *s == '-')
        plain[n++] = *s++;
    for (; n + 1 < sizeof plain && (isdigit((unsigned char)*s) || (*s == '.' && !point)); s++) {
        digits = digits || isdigit((unsigned char)*s);
        decimals += point;
        point = point || *s == '.';
        plain[n++] = *s;
    }
    plain[n] = '\0';
    double scale = 1;
    if (digits && *s == 'e' && strchr("+-", s[1]) && isdigit((unsigned char)s[2])) {
        char *end;
        scale = pow(10, (double)strtol(s + 1, &end, 10));
        s = end;
    }
    *out =
        (printed){strtod(plain, NULL) * scale, 0.5 * pow(10, -(double)decimals) * scale, s, point};
    return digits;
}

static bool read_printed(const char *s, printed *out)
{
    return read_number(s, out) && out->point;
}

/* "[0.0329, 0.0674]" */
static bool read_interval(const char *s, printed *low, printed *high)
{
    return *s == '[' && read_printed(s + 1, low) && strncmp(low->end, ", ", 2) == 0 &&
           read_printed(low->end + 2, high) && *high->end == ']';
}

/* Marks and the bar of a table that may stand between a value and its interval. */
static const char *skip_marks(const char *s)
{
    for (int i = 0; i < 12; i++) {
        if (strncmp(s, "†", strlen("†")) == 0)
            s += strlen("†");
        else if (*s == ' ' || *s == '*' || *s == '|' || *s == '%')
            s++;
        else
            break;
    }
    return s;
}

static bool near_to(const printed *p, double x)
{
    return fabs(p->value - x) <= p->half * (1 + 1e-6) ||
           fabs(p->value - 100 * x) <= p->half * (1 + 1e-6);
}

static bool stands_in(const printed p[3], const lb_archive *const *records, size_t n,
                      const lb_claims *published)
{
    for (size_t r = 0; r < n; r++) {
        for (size_t i = 0; i < lb_archive_count(records[r]); i++) {
            const lb_number *x = lb_archive_at(records[r], i);
            if (!isnan(x->ci_lo) && near_to(&p[0], x->value) && near_to(&p[1], x->ci_lo) &&
                near_to(&p[2], x->ci_hi))
                return true;
        }
    }
    for (size_t i = 0; i < published->n; i++) {
        const lb_published_entry *e = published->at[i].entry;
        if (near_to(&p[0], e->number) && near_to(&p[1], e->ci_lo) && near_to(&p[2], e->ci_hi))
            return true;
    }
    return false;
}

/* Does any number between @p line and its interval at @p at stand in a record beside it? A row of a
 * table may print a value, its resampled mean and the interval that belongs to the first. */
static bool is_backed(const char *line, const char *at, printed p[3],
                      const lb_archive *const *records, size_t n, const lb_claims *published)
{
    for (const char *s = line; s < at; s++) {
        if ((s == line || !isalnum((unsigned char)s[-1])) && read_printed(s, &p[0]) &&
            stands_in(p, records, n, published))
            return true;
    }
    return false;
}

/* The number right before the interval at @p at, marks and the bar of a table skipped. */
static const char *value_before(const char *line, const char *at, printed *value)
{
    const char *found = NULL;
    for (const char *s = line; s < at; s++) {
        printed p;
        if ((s > line && (isalnum((unsigned char)s[-1]) || strchr(".-+", s[-1]) || s[-1] & 0x80)) ||
            !read_printed(s, &p) || skip_marks(p.end) != at)
            continue;
        *value = p;
        found = s;
        break;
    }
    return found;
}

/* One interval at @p s of the line: whose value it is beside, and whether a record has both. */
static void check_quote(lb_audit *a, const char *path, size_t number, const char *line,
                        const char *s, const lb_archive *const *records, size_t n)
{
    printed p[3], value;
    const char *start = read_interval(s, &p[1], &p[2]) ? value_before(line, s, &value) : NULL;
    if (!start)
        return;
    a->own_quotes++;
    if (is_backed(line, s, p, records, n, &a->claims))
        return;
    const bool outside =
        value.value < p[1].value - value.half || value.value > p[2].value + value.half;
    lb_card *card = lb_audit_own(a, outside ? LB_CARD_INTERVAL : LB_CARD_UNBACKED, LB_CAUSE_DRIFT,
                                 LB_REMEDY_ISOLATE, path);
    lb_card_fact(card, 0, "%.*s", (int)(value.end - start), start);
    lb_card_fact(card, 1, "%.*s", (int)(p[2].end + 1 - s), s);
    card->own = lb_xprintf("| %s | %s | - | line %zu | `%s` |\n", card->facts[0], card->facts[1],
                           number, path);
}

/* --- a value beside its key
 * ----------------------------------------------------------------------- */

/* The number of a record whose key stands at @p s up to @p end, NULL if none does. */
static const lb_number *number_of(const char *s, const char *end, const lb_archive *const *records,
                                  size_t n)
{
    char *key = lb_xprintf("%.*s", (int)(end - s), s);
    const lb_number *found = NULL;
    for (size_t i = 0; i < n && !found; i++) {
        const char *id = lb_archive_experiment(records[i]);
        if (strncmp(key, id, strlen(id)) == 0 && key[strlen(id)] == '.')
            found = lb_archive_number(records[i], key);
    }
    free(key);
    return found;
}

/* Is one of the numbers between @p s and @p end @p x? Those in code are names. @p count and @p
 * first: of what could have been meant, numbers with a point. */
static bool prints(const char *s, const char *end, double x, size_t *count, printed *first)
{
    bool code = false;
    for (const char *start = s; s < end; s++) {
        printed p;
        code = code != (*s == '`');
        if (code || !read_number(s, &p) || p.end > end ||
            (s > start && (isalnum((unsigned char)s[-1]) || strchr(".-+", s[-1]))))
            continue;
        if (near_to(&p, x))
            return true;
        if (p.point)
            *first = (*count)++ == 0 ? p : *first;
        s = p.end - 1;
    }
    return false;
}

/* What was published under the key of a number may be printed beside it as well. */
static bool prints_published(const lb_audit *a, const char *s, const char *end, const char *key)
{
    size_t count = 0;
    printed first;
    for (size_t i = 0; i < a->claims.n; i++)
        if (strcmp(a->claims.at[i].entry->key, key) == 0 &&
            prints(s, end, a->claims.at[i].entry->number, &count, &first))
            return true;
    return false;
}

/* The key from @p key to @p end of the number @p x, and where its value may stand. */
static void check_key(lb_audit *a, const char *path, size_t number, const char *key,
                      const char *end, const char *from, const char *to, double x)
{
    size_t count = 0;
    printed first = {0};
    char *name = lb_xprintf("%.*s", (int)(end - key), key);
    a->own_keys++;
    if (!prints(from, to, x, &count, &first) && count > 0 && !prints_published(a, from, to, name)) {
        lb_card *card = lb_audit_own(a, LB_CARD_VALUES, LB_CAUSE_DRIFT, LB_REMEDY_ISOLATE, name);
        lb_card_fact(card, 0, "2");
        lb_card_fact(card, 1, "%.6g", first.value);
        lb_card_fact(card, 2, "%.6g", x);
        card->own =
            lb_xprintf("| %.6g | - | - | line %zu | `%s` |\n| %.6g | - | - | `%s` | record |\n",
                       first.value, number, path, x, name);
    }
    free(name);
}

/* "`e02.x` 0.81 [0.79, 0.83]; `e03.y` ...": up to the next key; in a row of a table with one key
 * the value may stand before it. */
static void check_keys(lb_audit *a, const char *path, size_t number, const char *line,
                       const lb_archive *const *records, size_t n)
{
    const char *stop = line + strcspn(line, "\n"), *next;
    size_t keys = 0;
    for (const char *s = line; s < stop && (s = strchr(s, '`')) && s < stop; s++)
        keys++;
    for (const char *s = memchr(line, '`', (size_t)(stop - line)); s; s = next) {
        const char *end = memchr(s + 1, '`', (size_t)(stop - s - 1));
        if (!end)
            return;
        next = memchr(end + 1, '`', (size_t)(stop - end - 1));
        const lb_number *x = number_of(s + 1, end, records, n);
        if (!x || isnan(x->value) || fabs(x->value) == floor(fabs(x->value)))
            continue;
        const bool alone = keys == 2 && *line == '|';
        check_key(a, path, number, s + 1, end, alone ? line : end + 1, next && !alone ? next : stop,
                  x->value);
    }
}

/* --- rows of one table --------------------------------------------------------------------------
 */

enum { MAX_ROWS = 400 };

/* The words of a row apart from its numbers in @p words, its numbers in @p numbers. The first cell
 * names the row, whatever is in it. */
static void take_apart(const char *line, lb_text *words, lb_text *numbers)
{
    const char *stop = line + strcspn(line, "\n");
    for (const char *cell = line + 1; cell < stop;) {
        const char *end = memchr(cell, '|', (size_t)(stop - cell));
        end = end ? end : stop;
        const char *s = cell + strspn(cell, " *");
        printed p;
        const bool number = cell > line + 1 && read_printed(s, &p);
        lb_text_addn(number ? numbers : words, cell, (size_t)(end - cell) + 1);
        cell = end + 1;
    }
}

/* Two rows that say the same and print different values: what tells them apart is missing. */
static void check_tables(lb_audit *a, const char *path, const char *text)
{
    lb_text words[MAX_ROWS], numbers[MAX_ROWS];
    size_t n = 0, number = 1;
    for (const char *line = text;; number++) {
        const bool in_table = *line == '|';
        if (in_table && n < MAX_ROWS) {
            words[n] = numbers[n] = (lb_text){0};
            take_apart(line, &words[n], &numbers[n]);
            for (size_t i = 0; i < n && numbers[n].s; i++) {
                if (!numbers[i].s || strcmp(words[i].s, words[n].s) != 0 ||
                    strcmp(numbers[i].s, numbers[n].s) == 0)
                    continue;
                lb_card *card =
                    lb_audit_own(a, LB_CARD_VALUES, LB_CAUSE_SCOPE, LB_REMEDY_SPLIT, path);
                lb_card_fact(card, 0, "2");
                lb_card_fact(card, 1, "%.60s", numbers[i].s);
                lb_card_fact(card, 2, "%.60s", numbers[n].s);
                card->own = lb_xprintf("| - | - | - | line %zu | `%s` |\n", number, path);
                break;
            }
            n++;
        }
        const char *end = line + strcspn(line, "\n");
        if (!in_table || !*end) {
            for (size_t i = 0; i < n; i++) {
                lb_text_free(&words[i]);
                lb_text_free(&numbers[i]);
            }
            n = 0;
        }
        if (!*end)
            return;
        line = end + 1;
    }
}

void lb_audit_page(lb_audit *a, const char *path, const char *text,
                   const lb_archive *const *records, size_t n)
{
    size_t number = 1;
    a->own_pages++;
    for (const char *line = text; *line; number++) {
        const char *end = line + strcspn(line, "\n");
        for (const char *s = line; s < end; s++)
            if (*s == '[')
                check_quote(a, path, number, line, s, records, n);
        check_keys(a, path, number, line, records, n);
        line = *end ? end + 1 : end;
    }
    check_tables(a, path, text);
}
