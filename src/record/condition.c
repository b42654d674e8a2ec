/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/condition.h"

#include "core/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

typedef enum op {
    OP_NUMBER,
    OP_TEXT,
    OP_TRUTH,
    OP_NAME,
    OP_VERDICT,
    OP_DEFINED,
    OP_NEGATE,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_NOT,
    OP_AND,
    OP_OR
} op;

typedef struct node {
    op op;
    int column;
    double number; /* OP_NUMBER; 0 or 1 for OP_TRUTH */
    char *text;    /* OP_TEXT, OP_NAME, OP_VERDICT, OP_DEFINED */
    struct node *left, *right;
} node;

typedef struct list {
    char **items;
    size_t n;
} list;

struct lb_condition {
    char *text;
    node *root;
    list names, verdicts;
};

typedef enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_TEXT,
    TOKEN_NAME,
    TOKEN_SIGN /* an operator or a parenthesis, spelt as in the text */
} token_kind;

typedef struct parser {
    lb_condition *c;
    const char *next;  /* unread rest */
    token_kind kind;   /* the token looked at */
    const char *start; /* its first character */
    size_t length;     /* its length; of a text: without the quotes */
    double number;
    int depth;
    lb_error *err;
} parser;

/* --- words --------------------------------------------------------------------------------- */

/* The fields of a number that are numbers themselves; "n", a count, is the one besides. */
static const struct {
    const char *word;
    size_t at;
} fields[] = {
    {"value", offsetof(lb_number, value)},          {"ci_lo", offsetof(lb_number, ci_lo)},
    {"ci_hi", offsetof(lb_number, ci_hi)},          {"se", offsetof(lb_number, se)},
    {"p_above", offsetof(lb_number, p_above)},      {"boot_mean", offsetof(lb_number, boot_mean)},
    {"p_positive", offsetof(lb_number, p_positive)}};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static size_t field_at(const char *word)
{
    size_t i = 0;
    while (i < N_FIELDS && strcmp(word, fields[i].word) != 0)
        i++;
    return i;
}

bool lb_field_is(const char *word)
{
    return strcmp(word, "n") == 0 || field_at(word) < N_FIELDS;
}

const char *lb_name_split(const char *name, char *key, size_t size)
{
    const char *dot = strrchr(name, '.');
    const char *field = dot && lb_field_is(dot + 1) ? dot + 1 : NULL;
    snprintf(key, size, "%.*s", (int)(field ? dot - name : (ptrdiff_t)strlen(name)), name);
    return field;
}

lb_value lb_value_of(const lb_number *x, const char *field)
{
    const size_t i = field ? field_at(field) : N_FIELDS;
    const bool counts = field && !strcmp(field, "n");
    const double number = counts         ? (double)x->n
                          : i < N_FIELDS ? *(const double *)((const char *)x + fields[i].at)
                                         : x->value;
    const bool oracle = x->oracle && !counts;
    return isfinite(number)
               ? (lb_value){.kind = LB_VALUE_NUMBER, .number = number, .oracle = oracle}
               : (lb_value){.kind = LB_VALUE_UNKNOWN};
}

static void remember(list *l, const char *word)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(l->items[i], word))
            return;
    l->items = lb_xrealloc(l->items, l->n + 1, sizeof *l->items);
    l->items[l->n++] = lb_xstrdup(word);
}

static void free_list(list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->items[i]);
    free(l->items);
}

/* --- tokens -------------------------------------------------------------------------------- */

/* Column of @p at in characters, not bytes, from 1. */
static int column_of(const parser *p, const char *at)
{
    int column = 1;
    for (const char *s = p->c->text; s < at; s++)
        column += (*s & 0xC0) != 0x80;
    return column;
}

static lb_status refuse(parser *p, const char *what)
{
    if (p->kind == TOKEN_END && p->start == p->next)
        return LB_FAIL(p->err, LB_EFORMAT, "column %d: %s, but the condition ends here",
                       column_of(p, p->start), what);
    return LB_FAIL(p->err, LB_EFORMAT, "column %d: %s, not '%.*s'", column_of(p, p->start), what,
                   (int)p->length, p->start);
}

/* Signs that other languages use, and what to write here. */
static lb_status bad_sign(parser *p)
{
    static const char *const hints[][2] = {{"&&", "and"}, {"||", "or"}, {"=", "=="},
                                           {"!", "not"},  {"≥", ">="},  {"≤", "<="}};
    const int column = column_of(p, p->start);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (!strncmp(p->start, hints[i][0], strlen(hints[i][0])))
            return LB_FAIL(p->err, LB_EFORMAT, "column %d: '%s' is written '%s' here", column,
                           hints[i][0], hints[i][1]);
    size_t length = 1; /* the whole UTF-8 character */
    while ((p->start[length] & 0xC0) == 0x80)
        length++;
    return LB_FAIL(p->err, LB_EFORMAT, "column %d: unexpected '%.*s'", column, (int)length,
                   p->start);
}

static lb_status read_number(parser *p)
{
    char digits[64], *end;
    p->kind = TOKEN_NUMBER;
    p->number = strtod(p->start, &end);
    p->length = (size_t)(end - p->start);
    while (isalnum((unsigned char)p->start[p->length]) || p->start[p->length] == '.' ||
           p->start[p->length] == '_')
        p->length++; /* trailing junk belongs to the token, and spoils it */
    p->next = p->start + p->length;
    snprintf(digits, sizeof digits, "%.*s", (int)p->length, p->start);
    if (p->length >= sizeof digits || strspn(digits, "0123456789.eE+-") != p->length ||
        end != p->next || !isfinite(p->number))
        return LB_FAIL(p->err, LB_EFORMAT, "column %d: '%.*s' is not a number",
                       column_of(p, p->start), (int)p->length, p->start);
    return LB_OK;
}

static lb_status read_text(parser *p)
{
    const char quote = *p->start++;
    const char *end = strchr(p->start, quote);
    if (!end)
        return LB_FAIL(p->err, LB_EFORMAT, "column %d: the closing %c is missing",
                       column_of(p, p->start - 1), quote);
    p->kind = TOKEN_TEXT;
    p->length = (size_t)(end - p->start);
    p->next = end + 1;
    return LB_OK;
}

static lb_status advance(parser *p)
{
    static const char *const signs[] = {"<=", ">=", "==", "!=", "<", ">",
                                        "(",  ")",  "+",  "-",  "*", "/"};
    p->next += strspn(p->next, " \t\r\n");
    p->start = p->next;
    p->length = 0;
    p->kind = TOKEN_END;
    const unsigned char first = (unsigned char)*p->start;
    if (!first)
        return LB_OK;
    if (isdigit(first) || (first == '.' && isdigit((unsigned char)p->start[1])))
        return read_number(p);
    if (first == '"' || first == '\'')
        return read_text(p);
    if (isalpha(first)) {
        p->kind = TOKEN_NAME;
        while (isalnum((unsigned char)*p->next) || *p->next == '_' || *p->next == '.')
            p->next++;
        p->length = (size_t)(p->next - p->start);
        return LB_OK;
    }
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        const size_t length = strlen(signs[i]);
        if (!strncmp(p->start, signs[i], length)) {
            p->kind = TOKEN_SIGN;
            p->length = length;
            p->next += length;
            return LB_OK;
        }
    }
    return bad_sign(p);
}

static bool looking_at(const parser *p, const char *word)
{
    return (p->kind == TOKEN_SIGN || p->kind == TOKEN_NAME) && p->length == strlen(word) &&
           !strncmp(p->start, word, p->length);
}

/* --- grammar: each reads one level and leaves the parser at the token behind it --------------- */

static void free_node(node *n)
{
    if (!n)
        return;
    free_node(n->left);
    free_node(n->right);
    free(n->text);
    free(n);
}

static node *leaf(op o, const parser *p, bool with_text)
{
    node *n = lb_xcalloc(1, sizeof *n);
    n->op = o;
    n->column = column_of(p, p->start);
    n->number = p->number;
    if (with_text)
        n->text = lb_xprintf("%.*s", (int)p->length, p->start);
    return n;
}

static lb_status parse_or(parser *p, node **out);

static lb_status parse_parenthesis(parser *p, node **out)
{
    lb_status st = advance(p);
    if (st == LB_OK && ++p->depth > MAX_DEPTH)
        st = refuse(p, "nested too deeply");
    if (st == LB_OK)
        st = parse_or(p, out);
    p->depth--;
    if (st == LB_OK && !looking_at(p, ")"))
        st = refuse(p, "expected ')'");
    return st == LB_OK ? advance(p) : st;
}

/* verdict(ID), where ID is any text without spaces and parentheses: H1.2, E01-a. */
static lb_status parse_verdict(parser *p, node **out)
{
    lb_status st = advance(p);
    if (st != LB_OK)
        return st;
    if (!looking_at(p, "("))
        return refuse(p, "expected '(' after verdict");
    p->next += strspn(p->next, " \t");
    p->start = p->next;
    p->length = strcspn(p->next, " \t()\"'");
    p->kind = TOKEN_NAME;
    if (p->length == 0)
        return LB_FAIL(p->err, LB_EFORMAT, "column %d: verdict() needs the id of a hypothesis",
                       column_of(p, p->start));
    p->next += p->length;
    *out = leaf(OP_VERDICT, p, true);
    remember(&p->c->verdicts, (*out)->text);
    if ((st = advance(p)) != LB_OK)
        return st;
    return looking_at(p, ")") ? advance(p) : refuse(p, "expected ')' after the id");
}

static lb_status read_name(parser *p, op o, node **out)
{
    if (p->kind != TOKEN_NAME)
        return refuse(p, "expected a name");
    if (p->start[p->length - 1] == '.' || memmem(p->start, p->length, "..", 2))
        return refuse(p, "expected a name without empty parts");
    *out = leaf(o, p, true);
    remember(&p->c->names, (*out)->text);
    return advance(p);
}

static lb_status parse_defined(parser *p, node **out)
{
    lb_status st = advance(p);
    if (st == LB_OK)
        st = looking_at(p, "(") ? advance(p) : refuse(p, "expected '(' after defined");
    if (st == LB_OK)
        st = read_name(p, OP_DEFINED, out);
    if (st == LB_OK)
        st = looking_at(p, ")") ? advance(p) : refuse(p, "expected ')' after the name");
    return st;
}

static lb_status parse_factor(parser *p, node **out)
{
    if (looking_at(p, "(")) /* sets *out only to a whole condition or a part to be freed */
        return parse_parenthesis(p, out);
    if (looking_at(p, "-")) {
        *out = leaf(OP_NEGATE, p, false);
        lb_status st = advance(p);
        if (st == LB_OK && ++p->depth > MAX_DEPTH)
            st = refuse(p, "nested too deeply");
        if (st == LB_OK)
            st = parse_factor(p, &(*out)->left);
        p->depth--;
        return st;
    }
    if (looking_at(p, "verdict"))
        return parse_verdict(p, out);
    if (looking_at(p, "defined"))
        return parse_defined(p, out);
    if (looking_at(p, "true") || looking_at(p, "false")) {
        p->number = looking_at(p, "true");
        *out = leaf(OP_TRUTH, p, false);
        return advance(p);
    }
    if (looking_at(p, "and") || looking_at(p, "or") || looking_at(p, "not"))
        return refuse(p, "expected a value");
    if (p->kind == TOKEN_NAME)
        return read_name(p, OP_NAME, out);
    if (p->kind == TOKEN_NUMBER || p->kind == TOKEN_TEXT) {
        *out = leaf(p->kind == TOKEN_NUMBER ? OP_NUMBER : OP_TEXT, p, p->kind == TOKEN_TEXT);
        return advance(p);
    }
    return refuse(p, "expected a value");
}

/* One left-associative level: operand { sign operand }. */
typedef struct level {
    const char *sign;
    op op;
} level;

static lb_status parse_level(parser *p, const level *levels, size_t n,
                             lb_status (*operand)(parser *, node **), node **out)
{
    lb_status st = operand(p, out);
    while (st == LB_OK) {
        size_t i = 0;
        while (i < n && !looking_at(p, levels[i].sign))
            i++;
        if (i == n)
            break;
        node *both = leaf(levels[i].op, p, false);
        both->left = *out;
        *out = both;
        st = advance(p);
        if (st == LB_OK)
            st = operand(p, &both->right);
    }
    return st;
}

static lb_status parse_product(parser *p, node **out)
{
    static const level products[] = {{"*", OP_MULTIPLY}, {"/", OP_DIVIDE}};
    return parse_level(p, products, 2, parse_factor, out);
}

static lb_status parse_sum(parser *p, node **out)
{
    static const level sums[] = {{"+", OP_ADD}, {"-", OP_SUBTRACT}};
    return parse_level(p, sums, 2, parse_product, out);
}

static const level *comparison_at(const parser *p)
{
    static const level comparisons[] = {{"<=", OP_LESS_EQUAL},    {"<", OP_LESS},
                                        {">=", OP_GREATER_EQUAL}, {">", OP_GREATER},
                                        {"==", OP_EQUAL},         {"!=", OP_NOT_EQUAL}};
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        if (looking_at(p, comparisons[i].sign))
            return &comparisons[i];
    return NULL;
}

static lb_status parse_comparison(parser *p, node **out)
{
    lb_status st = parse_sum(p, out);
    const level *sign = comparison_at(p);
    if (st != LB_OK || !sign)
        return st;
    node *both = leaf(sign->op, p, false);
    both->left = *out;
    *out = both;
    if ((st = advance(p)) == LB_OK)
        st = parse_sum(p, &both->right);
    if (st == LB_OK && comparison_at(p))
        return LB_FAIL(p->err, LB_EFORMAT,
                       "column %d: comparisons do not chain: write 'a < b and b < c'",
                       column_of(p, p->start));
    return st;
}

static lb_status parse_not(parser *p, node **out)
{
    if (!looking_at(p, "not"))
        return parse_comparison(p, out);
    *out = leaf(OP_NOT, p, false);
    lb_status st = advance(p);
    if (st == LB_OK && ++p->depth > MAX_DEPTH)
        st = refuse(p, "nested too deeply");
    if (st == LB_OK)
        st = parse_not(p, &(*out)->left);
    p->depth--;
    return st;
}

static lb_status parse_and(parser *p, node **out)
{
    static const level ands[] = {{"and", OP_AND}};
    return parse_level(p, ands, 1, parse_not, out);
}

static lb_status parse_or(parser *p, node **out)
{
    static const level ors[] = {{"or", OP_OR}};
    return parse_level(p, ors, 1, parse_and, out);
}

lb_status lb_condition_parse(const char *text, lb_condition **out, lb_error *err)
{
    lb_condition *c = lb_xcalloc(1, sizeof *c);
    c->text = lb_xstrdup(text);
    parser p = {.c = c, .next = c->text, .start = c->text, .err = err};
    lb_status st = advance(&p);
    if (st == LB_OK)
        st = parse_or(&p, &c->root);
    if (st == LB_OK && p.kind != TOKEN_END)
        st = refuse(&p, "expected an operator or the end");
    if (st == LB_OK)
        *out = c;
    else
        lb_condition_free(c);
    return st;
}

void lb_condition_free(lb_condition *c)
{
    if (!c)
        return;
    free_node(c->root);
    free_list(&c->names);
    free_list(&c->verdicts);
    free(c->text);
    free(c);
}

const char *const *lb_condition_names(const lb_condition *c, size_t *n)
{
    *n = c->names.n;
    return (const char *const *)c->names.items;
}

const char *const *lb_condition_verdicts(const lb_condition *c, size_t *n)
{
    *n = c->verdicts.n;
    return (const char *const *)c->verdicts.items;
}

const char *lb_condition_text(const lb_condition *c)
{
    return c->text;
}

/* --- meaning ------------------------------------------------------------------------------- */

typedef struct machine {
    const lb_scope *scope;
    lb_error *err;
} machine;

static lb_status evaluate(const machine *m, const node *n, lb_value *out);

static lb_value truth(lb_truth t)
{
    return t == LB_UNKNOWN ? (lb_value){.kind = LB_VALUE_UNKNOWN}
                           : (lb_value){.kind = LB_VALUE_TRUTH, .truth = t == LB_TRUE};
}

static lb_status look_up(const machine *m, const node *n, lb_value *out)
{
    lb_error inner = {0};
    const lb_status st = n->op == OP_VERDICT
                             ? m->scope->verdict(m->scope->self, n->text, out, &inner)
                             : m->scope->name(m->scope->self, n->text, out, &inner);
    if (st == LB_OK || (st == LB_ENAME && n->op == OP_DEFINED))
        return st;
    return LB_FAIL(m->err, st, "column %d: %s", n->column, inner.text);
}

static lb_status evaluate_defined(const machine *m, const node *n, lb_value *out)
{
    lb_value value = {.kind = LB_VALUE_UNKNOWN};
    const lb_status st = look_up(m, n, &value);
    if (st != LB_OK && st != LB_ENAME)
        return st;
    *out = truth(st == LB_OK && value.kind != LB_VALUE_UNKNOWN ? LB_TRUE : LB_FALSE);
    return LB_OK;
}

static lb_status evaluate_truth(const machine *m, const node *n, lb_truth *out)
{
    lb_value value;
    const lb_status st = evaluate(m, n, &value);
    if (st != LB_OK)
        return st;
    if (value.kind == LB_VALUE_NUMBER || value.kind == LB_VALUE_TEXT)
        return LB_FAIL(m->err, LB_EFORMAT,
                       "column %d: a %s is neither true nor false: compare it with something",
                       n->column, value.kind == LB_VALUE_NUMBER ? "number" : "text");
    *out = value.kind == LB_VALUE_UNKNOWN ? LB_UNKNOWN : value.truth ? LB_TRUE : LB_FALSE;
    return LB_OK;
}

static lb_status evaluate_logic(const machine *m, const node *n, lb_value *out)
{
    lb_truth left = LB_UNKNOWN, right = LB_UNKNOWN;
    lb_status st = evaluate_truth(m, n->left, &left);
    if (st != LB_OK)
        return st;
    if (n->op == OP_NOT) {
        *out = truth(left == LB_UNKNOWN ? LB_UNKNOWN : left == LB_TRUE ? LB_FALSE : LB_TRUE);
        return LB_OK;
    }
    const lb_truth decisive = n->op == OP_AND ? LB_FALSE : LB_TRUE;
    if (left == decisive) {
        *out = truth(decisive);
        return LB_OK;
    }
    if ((st = evaluate_truth(m, n->right, &right)) != LB_OK)
        return st;
    if (right == decisive)
        *out = truth(decisive);
    else
        *out = truth(left == LB_UNKNOWN || right == LB_UNKNOWN ? LB_UNKNOWN : right);
    return LB_OK;
}

static double arithmetic(op o, double a, double b)
{
    switch (o) {
    case OP_ADD:
        return a + b;
    case OP_SUBTRACT:
        return a - b;
    case OP_MULTIPLY:
        return a * b;
    default:
        return a / b;
    }
}

static bool compare(op o, double a, double b)
{
    switch (o) {
    case OP_LESS:
        return a < b;
    case OP_LESS_EQUAL:
        return a <= b;
    case OP_GREATER:
        return a > b;
    case OP_GREATER_EQUAL:
        return a >= b;
    case OP_EQUAL:
        return a == b;
    default:
        return a != b;
    }
}

static lb_status evaluate_numbers(const machine *m, const node *n, lb_value a, lb_value b,
                                  lb_value *out)
{
    if (a.kind != LB_VALUE_NUMBER || b.kind != LB_VALUE_NUMBER)
        return LB_FAIL(m->err, LB_EFORMAT, "column %d: only two numbers can be put together here",
                       n->column);
    if (n->op >= OP_LESS) {
        *out = truth(compare(n->op, a.number, b.number) ? LB_TRUE : LB_FALSE);
        return LB_OK;
    }
    const double x = arithmetic(n->op, a.number, b.number);
    *out = isfinite(x) ? (lb_value){.kind = LB_VALUE_NUMBER, .number = x}
                       : (lb_value){.kind = LB_VALUE_UNKNOWN}; /* division by zero */
    return LB_OK;
}

static lb_status evaluate_pair(const machine *m, const node *n, lb_value *out)
{
    lb_value a, b = {.kind = LB_VALUE_NUMBER, .number = 0.0};
    lb_status st = evaluate(m, n->left, &a);
    if (st == LB_OK && n->right)
        st = evaluate(m, n->right, &b);
    if (st != LB_OK)
        return st;
    if (a.kind == LB_VALUE_UNKNOWN || b.kind == LB_VALUE_UNKNOWN) {
        *out = truth(LB_UNKNOWN);
        return LB_OK;
    }
    if (n->op == OP_NEGATE && a.kind == LB_VALUE_NUMBER) {
        *out = (lb_value){.kind = LB_VALUE_NUMBER, .number = -a.number};
        return LB_OK;
    }
    const bool equality = n->op == OP_EQUAL || n->op == OP_NOT_EQUAL;
    if (equality && a.kind == b.kind && a.kind != LB_VALUE_NUMBER) {
        const bool same = a.kind == LB_VALUE_TEXT ? !strcmp(a.text, b.text) : a.truth == b.truth;
        *out = truth(same == (n->op == OP_EQUAL) ? LB_TRUE : LB_FALSE);
        return LB_OK;
    }
    return evaluate_numbers(m, n, a, b, out);
}

static lb_status evaluate(const machine *m, const node *n, lb_value *out)
{
    switch (n->op) {
    case OP_NUMBER:
        *out = (lb_value){.kind = LB_VALUE_NUMBER, .number = n->number};
        return LB_OK;
    case OP_TEXT:
        *out = (lb_value){.kind = LB_VALUE_TEXT, .text = n->text};
        return LB_OK;
    case OP_TRUTH:
        *out = truth(n->number != 0.0 ? LB_TRUE : LB_FALSE);
        return LB_OK;
    case OP_NAME:
    case OP_VERDICT:
        return look_up(m, n, out);
    case OP_DEFINED:
        return evaluate_defined(m, n, out);
    case OP_NOT:
    case OP_AND:
    case OP_OR:
        return evaluate_logic(m, n, out);
    default:
        return evaluate_pair(m, n, out);
    }
}

lb_status lb_condition_evaluate(const lb_condition *c, const lb_scope *scope, lb_truth *out,
                                lb_error *err)
{
    const machine m = {scope, err};
    return evaluate_truth(&m, c->root, out);
}

static void explain_value(lb_text *out, const char *before, const char *name, const char *after,
                          lb_status st, const lb_value *value)
{
    lb_text_printf(out, "%s%s%s%s = ", out->length ? ", " : "", before, name, after);
    if (st != LB_OK)
        lb_text_add(out, "missing");
    else if (value->kind == LB_VALUE_NUMBER)
        lb_text_printf(out, "%.6g%s", value->number, value->oracle ? " (oracle)" : "");
    else if (value->kind == LB_VALUE_TEXT)
        lb_text_printf(out, "%s", value->text);
    else
        lb_text_add(out, value->kind == LB_VALUE_UNKNOWN ? "n/a" : value->truth ? "true" : "false");
}

void lb_condition_explain(const lb_condition *c, const lb_scope *scope, lb_text *out)
{
    lb_text line = {0};
    for (size_t i = 0; i < c->names.n; i++) {
        lb_value value = {.kind = LB_VALUE_UNKNOWN};
        const lb_status st = scope->name(scope->self, c->names.items[i], &value, NULL);
        explain_value(&line, "", c->names.items[i], "", st, &value);
    }
    for (size_t i = 0; i < c->verdicts.n; i++) {
        lb_value value = {.kind = LB_VALUE_UNKNOWN};
        const lb_status st = scope->verdict(scope->self, c->verdicts.items[i], &value, NULL);
        explain_value(&line, "verdict(", c->verdicts.items[i], ")", st, &value);
    }
    if (line.length)
        lb_text_addn(out, line.s, line.length);
    lb_text_free(&line);
}
