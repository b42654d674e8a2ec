/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_DIFF_WORDS_H
#define LB_REPORT_DIFF_WORDS_H

#include "report/diff.h"
#include "report/pipe.h"

/* What the parts of a diff's report share: how much changed, and how it is put. */

/** Counts over one change, or over all. */
typedef struct lb_tally {
    size_t compared, flipped, beyond, within, texts, rowsets, gone, added;
    size_t words[2], numbers[2]; /* sentences with other words, other numbers; English, Chinese */
    size_t figures;
    size_t experiments, changed; /* on both sides; of these, more than within the tolerance */
    size_t fresh, lost;          /* experiments on one side only */
    const lb_move *worst;        /* beyond its tolerance, by standard errors; NULL: none */
} lb_tally;

lb_tally lb_tally_of(const lb_change *c);
lb_tally lb_tally_all(const lb_diff *d);
/** Did more change than numbers within their tolerance? Those get a line, not a section. */
bool lb_is_worth_telling(const lb_change *c, const lb_tally *t);

/** A list in a sentence, "a; b; c". */
typedef struct lb_listing {
    lb_text *out;
    bool begun;
} lb_listing;
void lb_list_item(lb_listing *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *lb_plural(size_t n); /* "s", or "" for one */
bool lb_page_is_of(const lb_page_change *p, const char *language);
const char *lb_became_word(const lb_became *b); /* "new", "gone", "changed" */

/* What a cell shows; the caller frees it, or gives it to lb_put_cell(). */

/** The smaller of move and standard error of a pair of lines, one of which may be NULL. */
double lb_show_scale(const lb_line *was, const lb_line *now);
/** A number with the digits in which @p scale is seen, a text, a hash; "—" for NULL. */
char *lb_show_line(const lb_line *line, double scale);
char *lb_show_errors(double errors);      /* "—" if unknown */
char *lb_grouped(size_t n);               /* "7,484" */
void lb_put_cell(lb_pipe *t, char *text); /* takes @p text */

/** Append the experiments marked: "E02, E04 to E22". @p mark has a flag a change. */
void lb_diff_ids(const lb_diff *d, const bool *mark, lb_text *out);

/** How much of a long list is shown before it says "and N more". */
typedef struct lb_limits {
    size_t numbers, sentences; /* in sight; of an experiment, of a report */
    size_t folded, quoted;     /* as many below the fold; 0: nothing is folded */
    size_t names;              /* keys and pictures in a sentence */
} lb_limits;

/* Parts of the report. */
void lb_diff_write_inputs(const lb_diff *d, lb_text *out);                       /* diff_inputs.c */
void lb_diff_write_sections(const lb_diff *d, const lb_limits *k, lb_text *out); /* diff_section.c
                                                                                  */

#endif
