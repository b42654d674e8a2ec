/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_SENTENCES_H
#define LB_REPORT_SENTENCES_H

#include <stdbool.h>
#include <stddef.h>

/** What became of a sentence. */
typedef enum lb_rewording {
    LB_REWORDED,   /* other words */
    LB_RENUMBERED, /* the same words around other numbers, or other marks (†) on them */
    LB_ADDED,
    LB_REMOVED
} lb_rewording;

typedef struct lb_sentence {
    lb_rewording what;
    bool row;        /* the row of a table */
    char *heading;   /* the section it stands in first, "" above all */
    char *was, *now; /* NULL where it is not */
    size_t places;   /* how often the page has this very change */
} lb_sentence;

/** The sentences of a page that changed, in the order of the page. */
typedef struct lb_sentences {
    lb_sentence *at;
    size_t n;
} lb_sentences;

/**
 * Compare two states of a finished Markdown page, English or Chinese, sentence by sentence; a
 * heading, an item and the row of a table count as one each. Not compared: front matter, quoted
 * code, how a table is padded, and the table of provenance, which lb_page_input() reads.
 * Method: longest common subsequence of the sentences with their numbers masked; what stands
 * between two matches is paired when more than half of the words agree.
 */
void lb_sentences_compare(const char *was, const char *now, lb_sentences *out);
void lb_sentences_free(lb_sentences *s);
/** All places counted. */
size_t lb_sentences_count(const lb_sentences *s, lb_rewording what);

/** If @p line is a row of a report's table of provenance, "| key | `value` |", where key and value
 * stand and how long they are. */
typedef struct lb_input_row {
    const char *key, *value;
    int key_length, value_length;
} lb_input_row;
bool lb_page_input(const char *line, lb_input_row *out);

#endif
