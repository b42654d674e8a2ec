/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_PUBLISH_SITE_H
#define LB_PUBLISH_SITE_H

#include "core/text.h"
#include "record/published.h"
#include "views/survey.h"
#include "views/views.h"

#include <stddef.h>

/**
 * The pages of a published edition, as text. They stand alone: style and script are inside, and a
 * policy in each page forbids it to ask anybody for anything. Folders of an edition:
 *   index.html index.zh.html   the views, and every experiment with status, verdicts and their
 *                              numbers
 *   reports/NAME.LANG.html     a report or a view, with a bar that leads to the rest
 *   numbers/NAME.LANG.html     every number of the record with its trail, one anchor a number
 */

enum { LB_EN, LB_ZH, LB_LANGUAGES };
extern const char *const lb_language[LB_LANGUAGES]; /* "en", "zh" */

/** The documents above the reports: the views (views/views.h) and the audit. */
enum { LB_AUDIT = LB_VIEWS, LB_DOCUMENTS };
const char *lb_document_name(size_t i);                /* "summary" ... "audit" */
const char *lb_document_title(size_t i, int language); /* "Summary" */

/** One experiment of the edition. */
typedef struct lb_exhibit {
    const char *name;        /* "e02_piecewise" */
    const lb_member *member; /* its spec, facts and status */
    const lb_archive *record;
    lb_ledger *frozen;
} lb_exhibit;

typedef struct lb_site {
    const char *profile, *version;
    lb_survey survey; /* what the statuses come from */
    char *style, *bar_style, *script, *policy,
        *frame;              /* templates/pandoc/report.css, templates/site */
    lb_published *published; /* NULL: nothing published elsewhere */
    lb_exhibit *items;
    size_t n;
} lb_site;

/** Read style, script and frame from @p templates. LB_EIO. The rest of @p site is the caller's. */
lb_status lb_site_open(const char *templates, lb_site *site, lb_error *err);
void lb_site_close(lb_site *site); /* and what the caller put in */

/** A page of the edition around @p body; @p bar are the links at its top. */
void lb_site_frame(const lb_site *site, int language, const char *title, const char *bar,
                   const char *body, lb_text *out);

/** index.html in one language. The failures of lb_page_sentence(). */
lb_status lb_site_index(const lb_site *site, int language, lb_text *out, lb_error *err);

/** Every number of the record of @p e. */
void lb_site_numbers(const lb_site *site, const lb_exhibit *e, int language, lb_text *out);

/** A finished page that is taken into the edition. */
typedef struct lb_finished {
    const char *name;       /* "e02_piecewise", "hub" */
    const lb_exhibit *item; /* NULL: a document above the reports */
    int language;
    const char *path, *text; /* the file, for messages, and what is in it */
} lb_finished;

/**
 * The page with its bar; the keys in its table of provenance lead to the trails.
 * @return LB_OK; LB_EFORMAT when it is not whole or not made by templates/pandoc/html.sh; LB_ENAME
 *         when it shows a number that no record holds or links to a page that is not in the edition
 */
lb_status lb_site_adopt(const lb_site *site, const lb_finished *page, lb_text *out, lb_error *err);

#endif
