/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/yaml.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 32 };

typedef struct reader {
    yaml_parser_t parser;
    const char *name;
    lb_error *err;
} reader;

static lb_status fail_at(const reader *r, yaml_mark_t mark, const char *what)
{
    return LB_FAIL(r->err, LB_EFORMAT, "%s:%zu:%zu: %s", r->name, mark.line + 1, mark.column + 1,
                   what);
}

/* The next event; the caller deletes it when the call succeeds. */
static lb_status next(reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return LB_OK;
    if (r->parser.error == YAML_READER_ERROR)
        return LB_FAIL(r->err, LB_EFORMAT, "%s: byte %zu: %s (the file must be UTF-8)", r->name,
                       r->parser.problem_offset, r->parser.problem);
    return fail_at(r, r->parser.problem_mark,
                   r->parser.problem ? r->parser.problem : "not a YAML document");
}

static void free_node(lb_yaml_node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->n; i++) {
        free_node(node->items[i]);
        if (node->keys)
            free(node->keys[i]);
    }
    free(node->items);
    free(node->keys);
    free(node->text);
    free(node);
}

static lb_yaml_node *new_node(lb_yaml_kind kind, yaml_mark_t mark)
{
    lb_yaml_node *node = lb_xcalloc(1, sizeof *node);
    node->kind = kind;
    node->line = node->key_line = (int)mark.line + 1;
    node->column = node->key_column = (int)mark.column + 1;
    return node;
}

/* Room for one more entry; the entry is there (NULL) before it is read, so that free_node() always
 * finds a consistent tree. */
static size_t grow(lb_yaml_node *node)
{
    if ((node->n & (node->n - 1)) == 0) { /* full at 0, 1, 2, 4, 8, ... */
        const size_t capacity = node->n ? 2 * node->n : 1;
        node->items = lb_xrealloc(node->items, capacity, sizeof *node->items);
        if (node->kind == LB_YAML_MAP)
            node->keys = lb_xrealloc(node->keys, capacity, sizeof *node->keys);
    }
    node->items[node->n] = NULL;
    if (node->kind == LB_YAML_MAP)
        node->keys[node->n] = NULL;
    return node->n++;
}

static lb_status read_node(reader *r, const yaml_event_t *event, int depth, lb_yaml_node **out);

static lb_status read_list(reader *r, int depth, lb_yaml_node *list)
{
    for (;;) {
        yaml_event_t event;
        lb_status st = next(r, &event);
        if (st != LB_OK)
            return st;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return LB_OK;
        }
        const size_t i = grow(list);
        st = read_node(r, &event, depth, &list->items[i]);
        yaml_event_delete(&event);
        if (st != LB_OK)
            return st;
    }
}

/* One "key: value"; *end is set when the map is over instead. */
static lb_status read_entry(reader *r, int depth, lb_yaml_node *map, bool *end)
{
    yaml_event_t key, value;
    lb_status st = next(r, &key);
    if (st != LB_OK)
        return st;
    *end = key.type == YAML_MAPPING_END_EVENT;
    if (*end)
        goto done;
    if (key.type != YAML_SCALAR_EVENT || key.data.scalar.anchor || key.data.scalar.tag) {
        st = fail_at(r, key.start_mark, "a key must be a plain text, without anchor, alias or tag");
        goto done;
    }
    const char *word = (const char *)key.data.scalar.value;
    const lb_yaml_node *twin = lb_yaml_get(map, word);
    if (twin) {
        st = LB_FAIL(r->err, LB_EFORMAT, "%s:%zu:%zu: '%s' stands here twice, first in line %d",
                     r->name, key.start_mark.line + 1, key.start_mark.column + 1, word,
                     twin->key_line);
        goto done;
    }
    const size_t i = grow(map);
    map->keys[i] = lb_xstrdup(word);
    if ((st = next(r, &value)) != LB_OK)
        goto done;
    st = read_node(r, &value, depth, &map->items[i]);
    yaml_event_delete(&value);
    if (st == LB_OK) {
        map->items[i]->key_line = (int)key.start_mark.line + 1;
        map->items[i]->key_column = (int)key.start_mark.column + 1;
    }
done:
    yaml_event_delete(&key);
    return st;
}

static lb_status read_map(reader *r, int depth, lb_yaml_node *map)
{
    bool end = false;
    lb_status st = LB_OK;
    while (st == LB_OK && !end)
        st = read_entry(r, depth, map, &end);
    return st;
}

static lb_status read_node(reader *r, const yaml_event_t *event, int depth, lb_yaml_node **out)
{
    const yaml_mark_t at = event->start_mark;
    if (depth > MAX_DEPTH)
        return fail_at(r, at, "nested too deeply");
    if (event->type == YAML_ALIAS_EVENT)
        return fail_at(r, at, "aliases are not used here: write the value out");
    if (event->type == YAML_SCALAR_EVENT) {
        if (event->data.scalar.anchor || event->data.scalar.tag)
            return fail_at(r, at, "anchors and tags are not used here");
        *out = new_node(LB_YAML_SCALAR, at);
        (*out)->text = lb_xstrdup((const char *)event->data.scalar.value);
        (*out)->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        return LB_OK;
    }
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        if (event->data.sequence_start.anchor || event->data.sequence_start.tag)
            return fail_at(r, at, "anchors and tags are not used here");
        *out = new_node(LB_YAML_LIST, at);
        return read_list(r, depth + 1, *out);
    }
    if (event->data.mapping_start.anchor || event->data.mapping_start.tag)
        return fail_at(r, at, "anchors and tags are not used here");
    *out = new_node(LB_YAML_MAP, at);
    return read_map(r, depth + 1, *out);
}

static lb_status read_document(reader *r, lb_yaml_node **root)
{
    yaml_event_t event;
    lb_status st;
    do { /* stream start, document start, then the root */
        if ((st = next(r, &event)) != LB_OK)
            return st;
        const yaml_event_type_t type = event.type;
        if (type == YAML_STREAM_END_EVENT)
            st = LB_FAIL(r->err, LB_EFORMAT, "%s: the file is empty", r->name);
        else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT)
            st = read_node(r, &event, 0, root);
        yaml_event_delete(&event);
    } while (st == LB_OK && !*root);
    while (st == LB_OK) { /* document end, stream end */
        if ((st = next(r, &event)) != LB_OK)
            return st;
        const bool end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT)
            st = fail_at(r, event.start_mark, "a second document starts here: only one is read");
        yaml_event_delete(&event);
        if (end)
            break;
    }
    return st;
}

lb_status lb_yaml_parse(const char *text, size_t length, const char *name, lb_yaml **out,
                        lb_error *err)
{
    reader r = {.name = name, .err = err};
    lb_yaml *y = lb_xcalloc(1, sizeof *y);
    y->name = lb_xstrdup(name);
    if (!yaml_parser_initialize(&r.parser))
        abort(); /* out of memory */
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    const lb_status st = read_document(&r, &y->root);
    yaml_parser_delete(&r.parser);
    if (st == LB_OK)
        *out = y;
    else
        lb_yaml_free(y);
    return st;
}

lb_status lb_yaml_load(const char *path, lb_yaml **out, lb_error *err)
{
    char *text = NULL;
    size_t length = 0;
    lb_status st = lb_file_read(path, &text, &length, err);
    if (st == LB_OK)
        st = lb_yaml_parse(text, length, path, out, err);
    free(text);
    return st;
}

void lb_yaml_free(lb_yaml *y)
{
    if (!y)
        return;
    free_node(y->root);
    free(y->name);
    free(y);
}

const lb_yaml_node *lb_yaml_get(const lb_yaml_node *map, const char *key)
{
    if (!map || map->kind != LB_YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (!strcmp(map->keys[i], key))
            return map->items[i];
    return NULL;
}

const lb_yaml_node *lb_yaml_at(const lb_yaml_node *node, const char *path)
{
    if (!node || !*path)
        return node;
    if (node->kind == LB_YAML_LIST) {
        const size_t digits = strspn(path, "0123456789");
        const size_t i = digits && digits < 9 ? (size_t)atoi(path) : node->n;
        if (i >= node->n || (path[digits] && path[digits] != '.'))
            return NULL;
        return lb_yaml_at(node->items[i], path + digits + (path[digits] == '.'));
    }
    if (node->kind != LB_YAML_MAP)
        return NULL;
    for (size_t i = 0; i < node->n; i++) {
        const size_t length = strlen(node->keys[i]);
        if (strncmp(path, node->keys[i], length) || (path[length] && path[length] != '.'))
            continue;
        const lb_yaml_node *found =
            lb_yaml_at(node->items[i], path + length + (path[length] == '.'));
        if (found)
            return found;
    }
    return NULL;
}

bool lb_yaml_number(const lb_yaml_node *node, double *out)
{
    return node && node->kind == LB_YAML_SCALAR && !node->quoted &&
           lb_parse_double(node->text, out);
}

bool lb_yaml_bool(const lb_yaml_node *node, bool *out)
{
    if (!node || node->kind != LB_YAML_SCALAR || node->quoted)
        return false;
    *out = !strcmp(node->text, "true");
    return *out || !strcmp(node->text, "false");
}

static lb_status fail_text(const char *name, int line, int column, lb_status status, lb_error *err,
                           const char *format, va_list args)
{
    char text[sizeof err->text];
    vsnprintf(text, sizeof text, format, args);
    return LB_FAIL(err, status, "%s:%d:%d: %s", name, line, column, text);
}

lb_status lb_yaml_fail(const lb_yaml *y, const lb_yaml_node *node, lb_status status, lb_error *err,
                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    status = fail_text(y->name, node->line, node->column, status, err, format, args);
    va_end(args);
    return status;
}

lb_status lb_yaml_fail_key(const lb_yaml *y, const lb_yaml_node *node, lb_status status,
                           lb_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    status = fail_text(y->name, node->key_line, node->key_column, status, err, format, args);
    va_end(args);
    return status;
}
