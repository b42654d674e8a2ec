/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_REPORT_SITE_H
#define LB_REPORT_SITE_H

#include "core/text.h"
#include "record/published.h"
#include "report/facts.h"

#include <stddef.h>

/**
 * The pages of a published edition, as text. They stand alone: style and script are inside, and a
 * policy in each page forbids it to ask anybody for anything. Folders of an edition:
 *   index.html index.zh.html   every experiment with status, verdicts and their numbers
 *   reports/NAME.LANG.html     the report, with a bar that leads to the rest
 *   numbers/NAME.LANG.html     every number of the record with its trail, one anchor a number
 */

enum { LB_EN, LB_ZH, LB_LANGUAGES };
extern const char *const lb_language[LB_LANGUAGES]; /* "en", "zh" */

/** One experiment of the edition. */
typedef struct lb_exhibit {
    const char *name; /* "e02_piecewise" */
    lb_facts *facts[LB_LANGUAGES];
    lb_ledger *frozen;
} lb_exhibit;

typedef struct lb_site {
    const char *profile, *version;
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

/** Every number of the record of item @p at. */
void lb_site_numbers(const lb_site *site, size_t at, int language, lb_text *out);

/**
 * A finished report page of item @p at with its bar; the keys in its table of provenance lead to
 * the trails. LB_EFORMAT when @p page is not whole or not made by templates/pandoc/html.sh;
 * LB_ENAME when it shows a number that no record holds or links to a report that is not in the
 * edition.
 * @param page  its text; @p path is its name in messages
 */
lb_status lb_site_report(const lb_site *site, size_t at, int language, const char *page,
                         const char *path, lb_text *out, lb_error *err);

#endif
