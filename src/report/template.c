/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/template.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "report/lexer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 40 }; /* blocks and includes inside each other */

struct lb_template {
    lb_node *nodes;
    char **names; /* of the files read; places borrow them; the first is the template itself */
    size_t n_names;
};

typedef struct parser {
    lb_template *template;
    const char *shared, *language;
    const lb_tokens *tokens;
    size_t next;
    int depth;
    lb_position opener; /* of the block that is open ... */
    const char *what;   /* ... and its word, NULL outside all blocks */
    lb_error *err;
} parser;

/* The words that may open {{ .. }}; whether a word asks for an argument, may have one, or not. */
static const struct {
    const char *word;
    lb_node_kind kind;
    enum { NEEDS, TAKES, REFUSES } argument;
} outputs[] = {
    {"table", LB_NODE_TABLE, NEEDS},
    {"figure", LB_NODE_FIGURE, NEEDS},
    {"verdict", LB_NODE_VERDICT, NEEDS},
    {"code", LB_NODE_CODE, NEEDS},
    {"published", LB_NODE_PUBLISHED, TAKES},
    {"hypotheses", LB_NODE_HYPOTHESES, REFUSES},
    {"scope", LB_NODE_SCOPE, REFUSES},
    {"provenance", LB_NODE_PROVENANCE, TAKES},
    {"differences", LB_NODE_DIFFERENCES, REFUSES},
};
enum { N_OUTPUTS = sizeof outputs / sizeof *outputs };

static const char *const blocks[] = {"if",       "elif", "else",   "endif",  "claim",
                                     "endclaim", "for",  "endfor", "include"};
enum { N_BLOCKS = sizeof blocks / sizeof *blocks };

lb_status lb_fail_at(lb_error *err, lb_status status, lb_position place, const char *format, ...)
{
    char message[800];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return LB_FAIL(err, status, "%s:%d:%d: %s", place.file, place.line, place.column, message);
}

char *lb_suggestion(const char *word, const char *const *candidates, size_t n)
{
    const char *near = lb_nearest(word, candidates, n);
    return near ? lb_xprintf(": did you mean '%s'?", near) : lb_xstrdup("");
}

static char *copy(const char *s, size_t n)
{
    char *out = lb_xcalloc(n + 1, 1);
    memcpy(out, s, n);
    return out;
}

/* The first word of @p s; @p rest receives what follows it, trimmed on the left. */
static char *first_word(const char *s, const char **rest)
{
    const size_t n = strcspn(s, " \t\r\n");
    *rest = s + n + strspn(s + n, " \t\r\n");
    return copy(s, n);
}

static lb_node *node_new(lb_node_kind kind, lb_position place, char *text, char *format)
{
    lb_node *node = lb_xcalloc(1, sizeof *node);
    *node = (lb_node){.kind = kind, .place = place, .text = text, .format = format};
    return node;
}

static void nodes_free(lb_node *node)
{
    while (node) {
        lb_node *next = node->next;
        nodes_free(node->body); /* not deeper than MAX_DEPTH */
        free(node->text);
        free(node->format);
        free(node);
        node = next;
    }
}

/* --- {{ .. }} ----------------------------------------------------------------------------------
 */

static lb_status unknown_output(parser *p, lb_position place, const char *word)
{
    const char *words[N_OUTPUTS];
    for (size_t i = 0; i < N_OUTPUTS; i++)
        words[i] = outputs[i].word;
    char *hint = lb_suggestion(word, words, N_OUTPUTS);
    const lb_status st = lb_fail_at(p->err, LB_EFORMAT, place, "unknown word '%s'%s", word, hint);
    free(hint);
    return st;
}

/* What stands before the bar, without the blanks around it, for the caller to free; @p format
 * receives what follows the bar, NULL without one. */
static char *before_bar(const char *inside, const char **format)
{
    const char *bar = strchr(inside, '|');
    size_t n = bar ? (size_t)(bar - inside) : strlen(inside);
    while (n > 0 && isspace((unsigned char)inside[n - 1]))
        n--;
    *format = bar ? bar + 1 + strspn(bar + 1, " \t\r\n") : NULL;
    return copy(inside, n);
}

/* A word of the table with its argument; a published number may be followed by "| ci". */
static lb_status parse_named(parser *p, lb_position place, size_t which, const char *argument,
                             lb_node **out)
{
    const char *word = outputs[which].word;
    if (outputs[which].argument == NEEDS && !*argument)
        return lb_fail_at(p->err, LB_EFORMAT, place, "'%s' needs a name after it", word);
    if (outputs[which].argument == REFUSES && *argument)
        return lb_fail_at(p->err, LB_EFORMAT, place, "'%s' takes no name, found '%s'", word,
                          argument);
    const char *format;
    char *name = before_bar(argument, &format);
    const bool interval =
        outputs[which].kind == LB_NODE_PUBLISHED && *name && format && strcmp(format, "ci") == 0;
    if (strpbrk(name, " \t\r\n") || (format && !interval)) {
        free(name);
        return lb_fail_at(p->err, LB_EFORMAT, place, "'%s' takes one name, found '%s'", word,
                          argument);
    }
    char *text = *name ? lb_xstrdup(name) : NULL;
    free(name);
    *out = node_new(outputs[which].kind, place, text, interval ? lb_xstrdup(format) : NULL);
    return LB_OK;
}

/* A key or path with an optional "| format". */
static lb_status parse_value(parser *p, lb_position place, const char *inside, lb_node **out)
{
    const char *format;
    char *key = before_bar(inside, &format);
    lb_status st = LB_OK;
    if (!*key || strpbrk(key, " \t\r\n"))
        st = !*key ? lb_fail_at(p->err, LB_EFORMAT, place, "nothing to show in '{{ }}'")
                   : unknown_output(p, place, key);
    else if (format && !*format)
        st = lb_fail_at(p->err, LB_EFORMAT, place, "no format after the '|' of '%s'", key);
    else if (!strchr(key, '.'))
        st = unknown_output(p, place, key);
    if (st == LB_OK)
        *out = node_new(LB_NODE_VALUE, place, lb_xstrdup(key), format ? lb_xstrdup(format) : NULL);
    free(key);
    return st;
}

static lb_status parse_output(parser *p, const lb_token *token, lb_node **out)
{
    char *inside = copy(token->s, token->length);
    const char *argument;
    char *word = first_word(inside, &argument);
    size_t which = 0;
    while (which < N_OUTPUTS && strcmp(word, outputs[which].word) != 0)
        which++;
    lb_status st;
    if (which < N_OUTPUTS)
        st = parse_named(p, token->place, which, argument, out);
    else if (*argument && *argument != '|' && !strchr(word, '|'))
        st = unknown_output(p, token->place, word);
    else
        st = parse_value(p, token->place, inside, out);
    free(word);
    free(inside);
    return st;
}

/* --- {% .. %} ----------------------------------------------------------------------------------
 */

static lb_status parse_nodes(parser *p, const char *const *ends, lb_position opener,
                             const char *what, lb_node **out, char **end, lb_position *end_place);

/* The branches of if and claim, from the condition of the first to the closing tag. */
static lb_status parse_branches(parser *p, lb_node *block, const char *word, const char *condition)
{
    static const char *const if_ends[] = {"elif", "else", "endif", NULL};
    static const char *const claim_ends[] = {"else", "endclaim", NULL};
    static const char *const last[2][2] = {{"endif", NULL}, {"endclaim", NULL}};
    const bool is_if = block->kind == LB_NODE_IF;
    const char *const *ends = is_if ? if_ends : claim_ends;
    lb_node **tail = &block->body;
    lb_position place = block->place;
    char *text = lb_xstrdup(condition);
    for (;;) {
        if (text && !*text) {
            free(text);
            return lb_fail_at(p->err, LB_EFORMAT, place, "no condition after '%s'", word);
        }
        lb_node *branch = node_new(LB_NODE_BRANCH, place, text, NULL);
        *tail = branch;
        tail = &branch->next;
        char *end = NULL;
        const lb_status st = parse_nodes(p, text ? ends : last[!is_if], block->place,
                                         is_if ? "if" : "claim", &branch->body, &end, &place);
        if (st != LB_OK)
            return st;
        const char *rest;
        char *keyword = first_word(end, &rest);
        const bool more = strncmp(keyword, "end", 3) != 0;
        word = strcmp(keyword, "elif") == 0 ? "elif" : "else";
        text = strcmp(keyword, "elif") == 0 ? lb_xstrdup(rest) : NULL;
        const bool surplus = !text && *rest;
        free(keyword);
        free(end);
        if (surplus)
            return lb_fail_at(p->err, LB_EFORMAT, place, "only 'elif' takes a condition here");
        if (!more)
            return LB_OK;
    }
}

/* for VARIABLE in table ID */
static lb_status parse_for(parser *p, lb_node *block, const char *header)
{
    static const char *const ends[] = {"endfor", NULL};
    char variable[64], in[8], table[8], id[64], extra[2];
    if (sscanf(header, "%63s %7s %7s %63s %1s", variable, in, table, id, extra) != 4 ||
        strcmp(in, "in") != 0 || strcmp(table, "table") != 0 || strchr(variable, '.'))
        return lb_fail_at(p->err, LB_EFORMAT, block->place,
                          "expected 'for row in table ID', found 'for %s'", header);
    block->text = lb_xstrdup(id);
    block->format = lb_xstrdup(variable);
    char *end = NULL;
    lb_position place;
    const lb_status st = parse_nodes(p, ends, block->place, "for", &block->body, &end, &place);
    free(end);
    return st;
}

static lb_status parse_file(parser *p, const char *path, lb_node **out);

static lb_status parse_include(parser *p, lb_position place, const char *name, lb_node **out)
{
    if (!p->shared)
        return lb_fail_at(p->err, LB_EFORMAT, place, "no include here");
    if (!*name || strpbrk(name, " \t\r\n"))
        return lb_fail_at(p->err, LB_EFORMAT, place, "expected 'include NAME', found 'include %s'",
                          name);
    const size_t n = strlen(name);
    const bool is_file = n > 3 && strcmp(name + n - 3, ".md") == 0;
    char *path = is_file ? lb_xprintf("%s/%s", p->shared, name)
                         : lb_xprintf("%s/%s.%s.md", p->shared, name, p->language);
    lb_status st;
    if (lb_file_exists(path)) {
        parser inner = {.template = p->template,
                        .shared = p->shared,
                        .language = p->language,
                        .depth = p->depth + 1,
                        .err = p->err};
        st = parse_file(&inner, path, out);
    } else {
        st = lb_fail_at(p->err, LB_EFORMAT, place, "no file %s to include", path);
    }
    free(path);
    return st;
}

static lb_status unknown_block(parser *p, lb_position place, const char *word)
{
    for (size_t i = 0; i < N_BLOCKS; i++) {
        if (strcmp(word, blocks[i]) != 0)
            continue;
        if (p->what)
            return lb_fail_at(p->err, LB_EFORMAT, place,
                              "'%s' does not fit the '%s' that was opened at %d:%d", word, p->what,
                              p->opener.line, p->opener.column);
        return lb_fail_at(p->err, LB_EFORMAT, place, "'%s' closes or continues nothing here", word);
    }
    char *hint = lb_suggestion(word, blocks, N_BLOCKS);
    const lb_status st = lb_fail_at(p->err, LB_EFORMAT, place, "unknown block '%s'%s", word, hint);
    free(hint);
    return st;
}

/* A block whose opening tag holds @p inside; the list it stands for goes to @p out. */
static lb_status parse_block(parser *p, lb_position place, const char *inside, lb_node **out)
{
    const char *rest;
    char *word = first_word(inside, &rest);
    lb_status st;
    if (p->depth >= MAX_DEPTH) {
        st = lb_fail_at(p->err, LB_EFORMAT, place, "more than %d blocks inside each other",
                        MAX_DEPTH);
    } else if (strcmp(word, "if") == 0 || strcmp(word, "claim") == 0) {
        *out = node_new(*word == 'i' ? LB_NODE_IF : LB_NODE_CLAIM, place, NULL, NULL);
        st = parse_branches(p, *out, *word == 'i' ? "if" : "claim", rest);
    } else if (strcmp(word, "for") == 0) {
        *out = node_new(LB_NODE_FOR, place, NULL, NULL);
        st = parse_for(p, *out, rest);
    } else if (strcmp(word, "include") == 0) {
        st = parse_include(p, place, rest, out);
    } else {
        st = unknown_block(p, place, word);
    }
    free(word);
    return st;
}

/* --- sequences ---------------------------------------------------------------------------------
 */

static bool is_end(const char *inside, const char *const *ends)
{
    const char *rest;
    char *word = first_word(inside, &rest);
    bool found = false;
    for (; ends && *ends && !found; ends++)
        found = strcmp(word, *ends) == 0;
    free(word);
    return found;
}

/* One token that is not the end of the sequence, as a list of nodes (NULL for a comment). */
static lb_status parse_token(parser *p, const lb_token *token, const char *inside, lb_node **out)
{
    lb_status st = LB_OK;
    switch (token->kind) {
    case LB_TOKEN_TEXT:
        if (token->length > 0)
            *out = node_new(LB_NODE_TEXT, token->place, copy(token->s, token->length), NULL);
        break;
    case LB_TOKEN_OUTPUT:
        st = parse_output(p, token, out);
        break;
    case LB_TOKEN_BLOCK:
        p->depth++;
        st = parse_block(p, token->place, inside, out);
        p->depth--;
        break;
    case LB_TOKEN_COMMENT:
        break;
    }
    return st;
}

/*
 * Nodes up to a block tag that is one of @p ends, whose inside goes to @p end; NULL ends: up to the
 * end of the text. @p opener and @p what tell which block is open.
 */
static lb_status parse_nodes(parser *p, const char *const *ends, lb_position opener,
                             const char *what, lb_node **out, char **end, lb_position *end_place)
{
    const parser outer = *p;
    p->opener = opener;
    p->what = what;
    lb_node **tail = out;
    while (p->next < p->tokens->n) {
        const lb_token *token = &p->tokens->at[p->next++];
        char *inside = copy(token->s, token->length);
        if (token->kind == LB_TOKEN_BLOCK && is_end(inside, ends)) {
            *end = inside;
            *end_place = token->place;
            p->opener = outer.opener;
            p->what = outer.what;
            return LB_OK;
        }
        const lb_status st = parse_token(p, token, inside, tail);
        free(inside);
        if (st != LB_OK)
            return st;
        while (*tail)
            tail = &(*tail)->next;
    }
    if (!ends)
        return LB_OK;
    return lb_fail_at(p->err, LB_EFORMAT, opener, "this '%s' is never closed", what);
}

static lb_status parse_source(parser *p, const char *source, lb_position start, lb_node **out)
{
    lb_template *t = p->template;
    t->names = lb_xrealloc(t->names, t->n_names + 1, sizeof *t->names);
    t->names[t->n_names] = lb_xstrdup(start.file);
    start.file = t->names[t->n_names++];
    lb_tokens tokens;
    lb_status st = lb_tokens_of(source, start, &tokens, p->err);
    if (st != LB_OK)
        return st;
    p->tokens = &tokens;
    st = parse_nodes(p, NULL, start, NULL, out, NULL, NULL);
    lb_tokens_free(&tokens);
    return st;
}

static lb_status parse_file(parser *p, const char *path, lb_node **out)
{
    char *source;
    lb_status st = lb_file_read(path, &source, NULL, p->err);
    if (st != LB_OK)
        return st;
    st = parse_source(p, source, (lb_position){path, 1, 1}, out);
    free(source);
    return st;
}

static lb_status finish(lb_template *t, lb_status st, lb_template **out)
{
    if (st != LB_OK) {
        lb_template_free(t);
        t = NULL;
    }
    *out = t;
    return st;
}

lb_status lb_template_load(const char *path, const char *shared, const char *language,
                           lb_template **out, lb_error *err)
{
    lb_template *t = lb_xcalloc(1, sizeof *t);
    parser p = {.template = t, .shared = shared, .language = language, .err = err};
    return finish(t, parse_file(&p, path, &t->nodes), out);
}

lb_status lb_template_parse(const char *text, lb_position start, const char *shared,
                            const char *language, lb_template **out, lb_error *err)
{
    lb_template *t = lb_xcalloc(1, sizeof *t);
    parser p = {.template = t, .shared = shared, .language = language, .err = err};
    return finish(t, parse_source(&p, text, start, &t->nodes), out);
}

const lb_node *lb_template_nodes(const lb_template *t)
{
    return t->nodes;
}

size_t lb_template_files(const lb_template *t)
{
    return t->n_names > 0 ? t->n_names - 1 : 0;
}

const char *lb_template_file(const lb_template *t, size_t i)
{
    return t->names[i + 1];
}

void lb_template_free(lb_template *t)
{
    if (!t)
        return;
    nodes_free(t->nodes);
    for (size_t i = 0; i < t->n_names; i++)
        free(t->names[i]);
    free(t->names);
    free(t);
}
