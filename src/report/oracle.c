/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/oracle.h"

#include "report/prose.h"

#include <string.h>

bool lb_oracle_marks(const lb_number *x, const char *field)
{
    return x->oracle && !*x->na && !(field && strcmp(field, "n") == 0);
}

void lb_oracle_note(const char *language, lb_text *out)
{
    lb_text_add(out, strcmp(language, "zh") == 0 ? LB_ORACLE_MARK
                         " 该数字背后的模型在预测时使用了真实标签（oracle）：使用时"
                         "并没有这些标签，因此不是可部署的成绩。\n"
                                                 : LB_ORACLE_MARK
                         " A model behind this number was given true labels when "
                         "it predicted (oracle): nobody has them in use, so it "
                         "is no deployable score.\n");
}

/* A page walked line by line, always knowing whether it is inside code. */
typedef struct walk {
    const char *at;
    lb_prose scanner;
} walk;

static const char *line_end(const char *s)
{
    const char *end = strchr(s, '\n');
    return end ? end + 1 : s + strlen(s);
}

/* Pass one line. @return whether it holds the mark outside code */
static bool pass(walk *w)
{
    const char *end = line_end(w->at);
    bool marked = false;
    for (; w->at < end; w->at++) {
        const bool mark = strncmp(w->at, LB_ORACLE_MARK, strlen(LB_ORACLE_MARK)) == 0;
        if (lb_prose_step(&w->scanner, w->at) != LB_PROSE_CODE && mark)
            marked = true;
    }
    return marked;
}

static bool at_row(const walk *w)
{
    return *w->at == '|' && w->scanner.kind == LB_PROSE;
}

/* pandoc's caption: ": words" after a blank line that follows the table. */
static bool at_caption(const walk *w)
{
    return w->at[0] == '\n' && w->at[1] == ':' && w->at[2] == ' ';
}

void lb_oracle_explain(const char *page, const char *language, lb_text *out)
{
    walk w = {.at = page};
    bool in_sentences = false, explained = false;
    while (*w.at) {
        const char *start = w.at;
        if (!at_row(&w)) {
            in_sentences = pass(&w) || in_sentences;
            lb_text_addn(out, start, (size_t)(w.at - start));
            continue;
        }
        bool marked = false;
        while (at_row(&w))
            marked = pass(&w) || marked;
        if (marked && at_caption(&w)) {
            pass(&w);
            pass(&w);
        }
        lb_text_addn(out, start, (size_t)(w.at - start));
        if (marked) {
            lb_text_add(out, w.at[-1] == '\n' ? "\n" : "\n\n");
            lb_oracle_note(language, out);
            lb_text_add(out, *w.at && *w.at != '\n' ? "\n" : "");
        }
        explained = explained || marked;
    }
    if (in_sentences && !explained) {
        lb_text_add(out, "\n");
        lb_oracle_note(language, out);
    }
}
