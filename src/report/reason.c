/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/reason.h"

#include "core/memory.h"
#include "core/text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *en, *zh;
} known[] = {
    {"denominator not distinguishable from 0", "分母与零不可区分"},
    {"undefined: no headroom", "无定义：没有增益空间"},
    {"not covered", "不在光谱范围内"},
    {"not in every draw", "并非每次抽取都有"},
    {"no gain", "没有增益"},
    {"no ceiling", "没有上限"},
    {"ceiling is 0", "上限为零"},
    {"target met without", "无需此项已达目标"},
    {"zero target variance", "目标方差为零"},
    {"no rows", "没有行"},
    {"merged", "已合并"},
    {"n<10", "少于 10 行"},
    {"n<30", "少于 30 行"},
};

char *lb_reason(const char *na, bool chinese)
{
    const size_t n = strlen(na);
    if (strncmp(na, "n/a (", 5) != 0 || na[n - 1] != ')')
        return NULL;
    char *reason = lb_xprintf("%.*s", (int)(n - 6), na + 5);
    for (size_t i = 0; chinese && i < sizeof known / sizeof *known; i++) {
        if (strcmp(reason, known[i].en) == 0) {
            free(reason);
            return lb_xstrdup(known[i].zh);
        }
    }
    return reason;
}

char *lb_reason_phrase(const char *na, bool chinese)
{
    char *reason = lb_reason(na, chinese);
    if (!reason)
        return lb_xstrdup(na);
    char *phrase = lb_xprintf(chinese ? "n/a（%s）" : "n/a (%s)", reason);
    free(reason);
    return phrase;
}
