/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/sentences.h"

#include "core/memory.h"
#include "core/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One sentence of a page. */
typedef struct unit {
    char *text;
    uint64_t mask;   /* hash of the text with its numbers masked */
    uint64_t *words; /* hashes, sorted */
    size_t n_words;
    size_t heading; /* unit it stands under; SIZE_MAX: none */
    bool row;
} unit;

typedef struct units {
    unit *at;
    size_t n, capacity, heading;
} units;

enum { NONE = -1 };

/* --- from Markdown to sentences ----------------------------------------------------------------
 */

/* FNV-1a. */
static uint64_t hash_of(const char *s, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 1099511628211u;
    return h;
}

static bool is_wide(char c)
{
    return (unsigned char)c >= 0x80;
}

/* Length of the number at @p s, sign and mark of an oracle included; 0: none. A digit within a word
 * or a key
 * ("E02", "noise_0.2") is none. */
static size_t number_length(const char *s, char before)
{
    static const char minus[] = "\xe2\x88\x92", oracle[] = " (oracle)";
    size_t n = 0;
    if (isalnum((unsigned char)before) || before == '_' || before == '.')
        return 0;
    if (*s == '+' || *s == '-')
        n = 1;
    else if (strncmp(s, minus, sizeof minus - 1) == 0)
        n = sizeof minus - 1;
    if (!isdigit((unsigned char)s[n]))
        return 0;
    while (isdigit((unsigned char)s[n]) ||
           ((s[n] == '.' || s[n] == ',') && isdigit((unsigned char)s[n + 1])))
        n++;
    if (s[n] == 'e' && (isdigit((unsigned char)s[n + 1]) || s[n + 1] == '+' || s[n + 1] == '-'))
        n += 1 + strspn(s + n + 1, "+-0123456789");
    return n + (strncmp(s + n, oracle, strlen(oracle)) == 0 ? strlen(oracle) : 0);
}

/* The hash of a sentence without its numbers and the daggers on them or their intervals; the first
 * @p kept characters stay as they are. */
static uint64_t mask_of(const char *s, size_t kept)
{
    static const char mark[] = "†";
    lb_text out = {0};
    const char *start = s;
    lb_text_addn(&out, s, kept);
    s += kept;
    while (*s) {
        size_t n = number_length(s, s == start ? ' ' : s[-1]);
        if (strncmp(s, "sha256:", 7) == 0)
            n = 7 + strspn(s + 7, "0123456789abcdef");
        lb_text_addn(&out, n ? "#" : s, 1);
        s += n ? n : 1;
        s += strncmp(s, mark, strlen(mark)) == 0 ? strlen(mark) : 0;
    }
    const uint64_t mask = hash_of(out.s ? out.s : "", out.length);
    lb_text_free(&out);
    return mask;
}

static int by_hash(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Words of letters and digits; each character of a script without blanks is one. */
static void split_words(unit *u)
{
    const char *s = u->text;
    u->words = lb_xcalloc(strlen(s) + 1, sizeof *u->words);
    while (*s) {
        size_t n = 0;
        while (isalnum((unsigned char)s[n]))
            n++;
        if (!n && is_wide(*s))
            for (n = 1; ((unsigned char)s[n] & 0xc0) == 0x80;)
                n++;
        if (n)
            u->words[u->n_words++] = hash_of(s, n);
        s += n ? n : 1;
    }
    qsort(u->words, u->n_words, sizeof *u->words, by_hash);
}

/* A row of a table is known by its first cell, also when that is a number. */
static size_t label_length(const unit *u)
{
    return u->row ? 1 + strcspn(u->text + 1, "|") : 0;
}

/* Add a sentence, its blanks made single. */
static void add_unit(units *all, const char *s, size_t n, bool row)
{
    lb_text text = {0};
    for (size_t i = 0; i < n; i++) {
        /* figure and punctuation space, which set decimal points under each other */
        const bool figure = n - i > 2 && (strncmp(s + i, "\xe2\x80\x87", 3) == 0 ||
                                          strncmp(s + i, "\xe2\x80\x88", 3) == 0);
        const bool blank = figure || isspace((unsigned char)s[i]);
        i += figure ? 2 : 0;
        if (!blank || (text.length && text.s[text.length - 1] != ' '))
            lb_text_addn(&text, blank ? " " : s + i, 1);
    }
    while (text.length && text.s[text.length - 1] == ' ')
        text.s[--text.length] = '\0';
    if (!text.length) {
        lb_text_free(&text);
        return;
    }
    if (all->n == all->capacity) {
        all->capacity = 2 * all->capacity + 64;
        all->at = lb_xrealloc(all->at, all->capacity, sizeof *all->at);
    }
    unit *u = &all->at[all->n++];
    *u = (unit){.text = lb_text_take(&text), .heading = all->heading, .row = row};
    u->mask = mask_of(u->text, label_length(u));
    split_words(u);
}

/* Length of the end of a sentence at @p s: a stop with what closes behind it; 0: none. An English
 * stop needs a blank and no lower case behind it ("e.g. this" goes on). */
static size_t sentence_end(const char *s)
{
    static const char *const wide[] = {"。", "！", "？"};
    size_t n = 0;
    for (size_t i = 0; i < 3; i++)
        if (strncmp(s, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    if (!strchr(".!?", *s))
        return 0;
    for (n = 1; s[n] && strchr("\"')*_", s[n]);)
        n++;
    if (s[n] != ' ')
        return 0;
    return islower((unsigned char)s[n + 1]) ? 0 : n;
}

static void add_prose(units *all, const char *s, size_t n)
{
    char *text = lb_xprintf("%.*s", (int)n, s);
    const char *start = text;
    for (const char *p = text + strspn(text, " >*-+.)0123456789"); *p;) {
        const size_t end = sentence_end(p);
        p += end ? end : 1;
        if (end) {
            add_unit(all, start, (size_t)(p - start), false);
            start = p;
        }
    }
    add_unit(all, start, strlen(start), false);
    free(text);
}

bool lb_page_input(const char *line, lb_input_row *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";
    const char *key = line + strspn(line, "| ");
    const size_t n = strspn(key, letters);
    const char *value = key + n + strspn(key + n, " ");
    if (*line != '|' || !n || *value != '|')
        return false;
    value += 1 + strspn(value + 1, " ");
    const size_t m = *value == '`' ? strcspn(value + 1, "`\n") : 0;
    if (!m || value[1 + m] != '`')
        return false;
    const char *rest = value + m + 2;
    *out = (lb_input_row){key, value + 1, (int)n, (int)m};
    return rest[strspn(rest, " ")] == '|' && strchr("\n", rest[strspn(rest, " ") + 1]);
}

static void add_row(units *all, const char *line, size_t n)
{
    lb_input_row input;
    if (strspn(line, "|-: ") < n && !lb_page_input(line, &input))
        add_unit(all, line, n, true);
}

static void read_page(const char *page, units *all)
{
    bool front = strncmp(page, "---\n", 4) == 0, code = false;
    *all = (units){.heading = SIZE_MAX};
    for (const char *line = front ? page + 4 : page; *line;) {
        const size_t n = strcspn(line, "\n");
        if (front) {
            front = strncmp(line, "---", 3) != 0;
        } else if (strncmp(line, "```", 3) == 0) {
            code = !code;
        } else if (!code && *line == '#') {
            all->heading = all->n;
            add_unit(all, line, n, false);
        } else if (!code && *line == '|') {
            add_row(all, line, n);
        } else if (!code) {
            add_prose(all, line, n);
        }
        line += n + (line[n] == '\n');
    }
}

static void free_units(units *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free(all->at[i].text);
        free(all->at[i].words);
    }
    free(all->at);
}

/* --- who became whom ---------------------------------------------------------------------------
 */

/* partner[i] is the unit of @p b that unit i of @p a became, or NONE: the longest common
 * subsequence of the masks, by dynamic programming from the end. */
static void match(const units *a, const units *b, long *partner)
{
    size_t first = 0, n = a->n, m = b->n;
    for (; first < n && first < m && a->at[first].mask == b->at[first].mask; first++)
        partner[first] = (long)first;
    for (; n > first && m > first && a->at[n - 1].mask == b->at[m - 1].mask; n--, m--)
        partner[n - 1] = (long)(m - 1);
    const size_t rows = n - first, cols = m - first, width = cols + 1;
    uint32_t *length = lb_xcalloc((rows + 1) * width, sizeof *length);
    for (size_t i = rows; i-- > 0;)
        for (size_t k = cols; k-- > 0;) {
            const uint32_t down = length[(i + 1) * width + k], right = length[i * width + k + 1];
            length[i * width + k] = a->at[first + i].mask == b->at[first + k].mask
                                        ? length[(i + 1) * width + k + 1] + 1
                                    : down > right ? down
                                                   : right;
        }
    for (size_t i = 0, k = 0; i < rows && k < cols;) {
        if (a->at[first + i].mask == b->at[first + k].mask)
            partner[first + i++] = (long)(first + k++);
        else if (length[(i + 1) * width + k] >= length[i * width + k + 1])
            i++;
        else
            k++;
    }
    free(length);
}

/* Share of words two sentences have in common (Dice); rows of one name are each other's. */
static double likeness(const unit *a, const unit *b)
{
    size_t common = 0;
    const size_t label = label_length(a);
    if (a->row && label == label_length(b) && strncmp(a->text, b->text, label) == 0)
        return 1.0;
    for (size_t i = 0, k = 0; i < a->n_words && k < b->n_words;) {
        const uint64_t x = a->words[i], y = b->words[k];
        common += x == y;
        i += x <= y;
        k += y <= x;
    }
    return a->n_words + b->n_words ? 2.0 * (double)common / (double)(a->n_words + b->n_words) : 0;
}

/* Between two matches: give each sentence of a[from, to) the most similar one of b[start, stop)
 * that is free. */
static void pair_gap(const units *a, size_t from, size_t to, const units *b, size_t start,
                     size_t stop, long *partner, bool *taken)
{
    for (size_t i = from; i < to; i++) {
        double best = 0.5;
        for (size_t k = start; k < stop; k++) {
            const double like =
                taken[k] || a->at[i].row != b->at[k].row ? 0.0 : likeness(&a->at[i], &b->at[k]);
            if (like > best) {
                best = like;
                partner[i] = (long)k;
            }
        }
        if (partner[i] != NONE)
            taken[partner[i]] = true;
    }
}

static void pair_gaps(const units *a, const units *b, long *partner, bool *taken)
{
    size_t from = 0, start = 0;
    for (size_t i = 0; i <= a->n; i++) {
        if (i < a->n && partner[i] == NONE)
            continue;
        const size_t stop = i < a->n ? (size_t)partner[i] : b->n;
        pair_gap(a, from, i, b, start, stop, partner, taken);
        from = i + 1;
        start = stop + 1;
    }
}

/* --- what is told ------------------------------------------------------------------------------
 */

static bool same_text(const char *told, const unit *u)
{
    return told && u ? strcmp(told, u->text) == 0 : !told && !u;
}

static void tell(const units *page, const unit *u, lb_rewording what, const unit *was,
                 const unit *now, lb_sentences *out)
{
    const char *heading = u->heading == SIZE_MAX ? "" : page->at[u->heading].text;
    for (size_t i = 0; i < out->n; i++) {
        lb_sentence *s = &out->at[i];
        if (same_text(s->was, was) && same_text(s->now, now)) {
            s->places++;
            return;
        }
    }
    out->at = lb_xrealloc(out->at, out->n + 1, sizeof *out->at);
    out->at[out->n++] = (lb_sentence){
        .what = what,
        .row = u->row,
        .places = 1,
        .heading = lb_xstrdup(heading + strspn(heading, "# ")),
        .was = was ? lb_xstrdup(was->text) : NULL,
        .now = now ? lb_xstrdup(now->text) : NULL,
    };
}

static void tell_all(const units *a, const units *b, const long *partner, const bool *taken,
                     lb_sentences *out)
{
    long *origin = lb_xcalloc(b->n + 1, sizeof *origin);
    for (size_t k = 0; k < b->n; k++)
        origin[k] = NONE;
    for (size_t i = 0; i < a->n; i++) {
        if (partner[i] != NONE)
            origin[partner[i]] = (long)i;
        else
            tell(a, &a->at[i], LB_REMOVED, &a->at[i], NULL, out);
    }
    for (size_t k = 0; k < b->n; k++) {
        const unit *now = &b->at[k], *was = taken[k] ? &a->at[origin[k]] : NULL;
        if (!was)
            tell(b, now, LB_ADDED, NULL, now, out);
        else if (strcmp(was->text, now->text) != 0)
            tell(b, now, was->mask == now->mask ? LB_RENUMBERED : LB_REWORDED, was, now, out);
    }
    free(origin);
}

void lb_sentences_compare(const char *was, const char *now, lb_sentences *out)
{
    units a, b;
    *out = (lb_sentences){0};
    read_page(was, &a);
    read_page(now, &b);
    long *partner = lb_xcalloc(a.n + 1, sizeof *partner);
    bool *taken = lb_xcalloc(b.n + 1, sizeof *taken);
    for (size_t i = 0; i < a.n; i++)
        partner[i] = NONE;
    match(&a, &b, partner);
    for (size_t i = 0; i < a.n; i++)
        if (partner[i] != NONE)
            taken[partner[i]] = true;
    pair_gaps(&a, &b, partner, taken);
    tell_all(&a, &b, partner, taken, out);
    free(partner);
    free(taken);
    free_units(&a);
    free_units(&b);
}

void lb_sentences_free(lb_sentences *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->at[i].heading);
        free(s->at[i].was);
        free(s->at[i].now);
    }
    free(s->at);
    *s = (lb_sentences){0};
}

size_t lb_sentences_count(const lb_sentences *s, lb_rewording what)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->at[i].what == what ? s->at[i].places : 0;
    return n;
}
