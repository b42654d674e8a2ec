/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/audit_write.h"

#include "core/hash.h"
#include "core/memory.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void count(lb_record *out, const char *key, size_t n)
{
    lb_record_number(out, key, lb_number_count(n));
}

static void count_of(lb_record *out, const char *part, const char *word, size_t n)
{
    char *key = lb_xprintf("e00.%s.%s", part, word);
    count(out, key, n);
    free(key);
}

static void add_cell(lb_record *out, const char *table, const char *text)
{
    lb_record_cell_text(out, table, "%s", *text ? text : "-");
}

/* What a document printed, made harmless inside a row of a table. */
static void add_printed(lb_text *t, const char *s)
{
    for (; *s; s++) {
        if (*s == '|')
            lb_text_add(t, "\\|");
        else if (strchr("*_<>$[]{}~^`", *s))
            lb_text_printf(t, "\\%c", *s);
        else
            lb_text_addn(t, s, 1);
    }
}

/* The rows of a card: value, interval, rows, key, source. Long tables are cut, and say so. */
static char *markdown_rows(const lb_card *card)
{
    enum { MOST = 24 };
    lb_text t = {0};
    if (card->own)
        return lb_xprintf("%.*s", (int)strlen(card->own) - 1, card->own);
    for (size_t i = 0; i < card->n && i < MOST; i++) {
        const lb_published_entry *e = card->rows[i]->entry;
        lb_text_add(&t, i ? "\n| " : "| ");
        add_printed(&t, e->value);
        if (e->ci_lo == e->ci_lo && e->ci_hi == e->ci_hi)
            lb_text_printf(&t, " | [%g, %g] | ", e->ci_lo, e->ci_hi);
        else
            lb_text_add(&t, " | | ");
        add_printed(&t, e->n);
        lb_text_printf(&t, " | `%s` | ", e->key);
        add_printed(&t, e->source);
        lb_text_add(&t, " |");
    }
    if (card->n > MOST)
        lb_text_printf(&t, "\n| … | | | + %zu | |", card->n - MOST);
    return lb_text_take(&t);
}

static void write_cards(const lb_audit *a, const lb_register *r, bool own, lb_record *out)
{
    static const lb_column columns[] = {
        {"card", ""}, {"kind", ""}, {"cause", ""},   {"remedy", ""}, {"subject", ""},
        {"a", ""},    {"b", ""},    {"c", ""},       {"d", ""},      {"e", ""},
        {"f", ""},    {"rows", ""}, {"register", ""}};
    const char *table = own ? "own" : "cards";
    lb_record_table(out, table, sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < a->n; i++) {
        const lb_card *card = &a->cards[i];
        if ((card->own != NULL) != own)
            continue;
        char number[24];
        snprintf(number, sizeof number, "%zu", i + 1);
        char *rows = markdown_rows(card);
        lb_text ids = {0};
        for (size_t k = 0; k < r->n; k++) {
            if (r->at[k].state == LB_REGISTER_FOUND && r->at[k].card == i)
                lb_text_printf(&ids, "%s%s", ids.s ? ", " : "", r->at[k].id);
        }
        lb_record_row(out, table);
        add_cell(out, table, number);
        add_cell(out, table, lb_card_word(card->kind));
        add_cell(out, table, lb_cause_word(card->cause));
        add_cell(out, table, lb_remedy_word(card->remedy));
        add_cell(out, table, card->subject);
        for (size_t k = 0; k < LB_CARD_FACTS; k++)
            add_cell(out, table, card->facts[k]);
        add_cell(out, table, rows);
        add_cell(out, table, ids.s ? ids.s : "");
        lb_text_free(&ids);
        free(rows);
    }
}

static void write_register(const lb_register *r, lb_record *out)
{
    static const char *const states[] = {"found", "missed", "absent"};
    static const lb_column columns[] = {
        {"id", ""}, {"a", ""}, {"b", ""}, {"state", ""}, {"card", ""}};
    lb_record_table(out, "register", sizeof columns / sizeof *columns, columns);
    for (size_t i = 0; i < r->n; i++) {
        const lb_register_entry *e = &r->at[i];
        char number[24] = "";
        if (e->state == LB_REGISTER_FOUND)
            snprintf(number, sizeof number, "%zu", e->card + 1);
        lb_record_row(out, "register");
        add_cell(out, "register", e->id);
        add_cell(out, "register", e->value_a);
        add_cell(out, "register", e->value_b);
        add_cell(out, "register", states[e->state]);
        add_cell(out, "register", number);
    }
    count(out, "e00.register.total", r->n);
    count(out, "e00.register.found", r->found);
    count(out, "e00.register.missed", r->missed);
    count(out, "e00.register.absent", r->absent);
}

static void write_counts(const lb_audit *a, lb_record *out)
{
    size_t published = 0, own = 0, rows = 0;
    for (size_t i = 0; i < a->n; i++) {
        own += a->cards[i].own != NULL;
        published += a->cards[i].own == NULL;
    }
    for (size_t i = 0; i < a->claims.n; i++)
        rows += !a->claims.at[i].intent;
    count(out, "e00.published.claims", a->claims.n);
    count(out, "e00.published.measured", rows);
    count(out, "e00.published.cards", published);
    count(out, "e00.own.cards", own);
    count(out, "e00.own.numbers", a->own_numbers);
    count(out, "e00.own.compared", a->own_compared);
    count(out, "e00.own.pages", a->own_pages);
    count(out, "e00.own.quotes", a->own_quotes);
    count(out, "e00.own.keys", a->own_keys);
    for (int kind = 0; kind < LB_CARD_KINDS; kind++) {
        size_t n = 0;
        for (size_t i = 0; i < a->n; i++)
            n += (int)a->cards[i].kind == kind && !a->cards[i].own;
        count_of(out, "kind", lb_card_word((lb_card_kind)kind), n);
    }
    for (int cause = LB_CAUSE_SCOPE; cause <= LB_CAUSE_RANDOMNESS; cause++) {
        size_t n = 0;
        for (size_t i = 0; i < a->n; i++)
            n += (int)a->cards[i].cause == cause && !a->cards[i].own;
        count_of(out, "cause", lb_cause_word((lb_cause)cause), n);
    }
}

lb_status lb_audit_write(const lb_audit *a, const lb_register *r, const char *folder,
                         const lb_places *places, const char *path, lb_error *err)
{
    lb_spec *spec = NULL;
    char *file = lb_xprintf("%s/spec.yaml", folder), published[LB_HASH_SIZE];
    lb_status st = lb_hash_file(places->published, published, err);
    if (st == LB_OK)
        st = lb_spec_load(file, &spec, err);
    free(file);
    if (st != LB_OK)
        return st;
    lb_record *out = lb_record_new(lb_spec_experiment(spec), spec);
    lb_record_provenance(out, "profile", "%s", places->profile);
    lb_record_provenance(out, "data.published", "%s", published);
    write_counts(a, out);
    write_cards(a, r, false, out);
    write_cards(a, r, true, out);
    write_register(r, out);
    st = lb_record_close(out, path, err);
    lb_spec_free(spec);
    return st;
}
