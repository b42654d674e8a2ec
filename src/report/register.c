/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/register.h"

#include "core/file.h"
#include "core/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 5 };
static const char header[] = "id\tvalue_a\tvalue_b\tkeys_a\tkeys_b";

/* The next key of a list with commas, of @p n characters; NULL at its end. */
static const char *next_key(const char **list, size_t *n)
{
    const char *key = *list;
    *n = strcspn(key, ",");
    *list = key + *n + (key[*n] == ',');
    return *n ? key : NULL;
}

static lb_status check_keys(const char *keys, const lb_published *p, const char *path, size_t line,
                            lb_error *err)
{
    size_t n;
    for (const char *key; (key = next_key(&keys, &n));) {
        char *name = lb_xprintf("%.*s", (int)n, key);
        const bool known = lb_published_find(p, name) != NULL;
        lb_status st = LB_OK;
        if (!known)
            st = LB_FAIL(err, LB_ENAME, "%s:%zu: no published key '%s'", path, line, name);
        free(name);
        if (st != LB_OK)
            return st;
    }
    return LB_OK;
}

static lb_status read_line(lb_register *r, char *line, const lb_published *p, const char *path,
                           size_t number, lb_error *err)
{
    char *field[COLUMNS] = {NULL};
    size_t n = 0;
    for (char *rest = line, *part; (part = strsep(&rest, "\t"));)
        if (n++ < COLUMNS)
            field[n - 1] = part;
    if (n != COLUMNS || !*field[0])
        return LB_FAIL(err, LB_EFORMAT, "%s:%zu: a line needs 5 columns separated by tabs", path,
                       number);
    r->at = lb_xrealloc(r->at, r->n + 1, sizeof *r->at);
    r->at[r->n++] = (lb_register_entry){.id = field[0],
                                        .value_a = field[1],
                                        .value_b = field[2],
                                        .keys_a = field[3],
                                        .keys_b = field[4]};
    const lb_status st = check_keys(field[3], p, path, number, err);
    return st != LB_OK ? st : check_keys(field[4], p, path, number, err);
}

lb_status lb_register_load(const char *path, const lb_published *published, lb_register *out,
                           lb_error *err)
{
    *out = (lb_register){0};
    lb_status st = lb_file_read(path, &out->text, NULL, err);
    size_t number = 0;
    for (char *rest = out->text, *line; st == LB_OK && (line = strsep(&rest, "\n"));) {
        line[strcspn(line, "\r")] = '\0';
        if (++number == 1 && strcmp(line, header) != 0)
            st = LB_FAIL(err, LB_EFORMAT,
                         "%s:1: the first line must name the columns id, value_a, value_b, keys_a, "
                         "keys_b",
                         path);
        else if (number > 1 && *line)
            st = read_line(out, line, published, path, number, err);
    }
    return st;
}

static bool is_among(const char *row, const char *keys)
{
    size_t n;
    for (const char *key; (key = next_key(&keys, &n));) {
        if (strncmp(row, key, n) == 0 && row[n] == '\0')
            return true;
    }
    return false;
}

/* Does the card set a row of either side against one of the other? On a card of values they must
 * also disagree; a card on true labels lists every row of a model and sets none against another. */
static bool joins(const lb_card *card, const lb_register_entry *e)
{
    for (size_t i = 0; i < card->n && card->kind != LB_CARD_ORACLE; i++) {
        if (!is_among(card->rows[i]->entry->key, e->keys_a))
            continue;
        for (size_t k = 0; k < card->n; k++) {
            if (is_among(card->rows[k]->entry->key, e->keys_b) &&
                (card->kind != LB_CARD_VALUES || !lb_claims_agree(card->rows[i], card->rows[k])))
                return true;
        }
    }
    return false;
}

void lb_register_score(lb_register *r, const lb_audit *a)
{
    r->found = r->missed = r->absent = 0;
    for (size_t i = 0; i < r->n; i++) {
        lb_register_entry *e = &r->at[i];
        e->state = *e->keys_a && *e->keys_b ? LB_REGISTER_MISSED : LB_REGISTER_ABSENT;
        for (size_t k = 0; k < a->n && e->state == LB_REGISTER_MISSED; k++) {
            if (joins(&a->cards[k], e)) {
                e->state = LB_REGISTER_FOUND;
                e->card = k;
            }
        }
        r->found += e->state == LB_REGISTER_FOUND;
        r->missed += e->state == LB_REGISTER_MISSED;
        r->absent += e->state == LB_REGISTER_ABSENT;
    }
}

void lb_register_free(lb_register *r)
{
    free(r->at);
    free(r->text);
    *r = (lb_register){0};
}
