/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_VIEWS_PICTURE_H
#define LB_VIEWS_PICTURE_H

#include "views/survey.h"

/**
 * Draw what needs what: experiments with their status, the gates between them, and what is
 * planned, to @p stem.svg, .pdf and .png.
 * @return LB_OK; the failures of lb_survey_gate() and lb_figure_close()
 */
lb_status lb_picture_draw(const lb_survey *s, const char *stem, lb_error *err);

#endif
