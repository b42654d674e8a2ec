/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STATS_VERDICT_H
#define LB_STATS_VERDICT_H

#include "core/number.h"

/**
 * The ladder for a difference of R2 with an interval [lo, hi] and a threshold t (0.03 in the
 * programme). The three questions of the specification are
 *   valuable     value >= t
 *   significant  lo > 0
 *   robust       lo > t
 * on unrounded numbers; since the value lies in its interval, robust implies the other two. Each
 * combination has one word:
 *
 *   robust  significant  valuable   word
 *   yes     yes          yes        "robust"
 *   no      yes          yes        "valuable, significant"
 *   no      yes          no         "significant"
 *   no      no           yes        "valuable, not significant"
 *   no      no           no         "worse" if hi < 0, else "not distinguishable from 0"
 *   no interval given               "valuable, no interval" or "below the threshold, no interval"
 *   n/a number                      "n/a"
 *   kind is not delta_r2            "not judged": an unaligned difference has no rung
 */
typedef enum lb_rung {
    LB_RUNG_NOT_JUDGED,
    LB_RUNG_NA,
    LB_RUNG_WORSE,
    LB_RUNG_NOISE,
    LB_RUNG_BELOW_NO_INTERVAL,
    LB_RUNG_VALUABLE_NO_INTERVAL,
    LB_RUNG_VALUABLE_ONLY,
    LB_RUNG_SIGNIFICANT,
    LB_RUNG_VALUABLE,
    LB_RUNG_ROBUST,
} lb_rung;

lb_rung lb_ladder(const lb_number *delta, double threshold);
const char *lb_rung_word(lb_rung rung); /* static text from the table above */

#endif
