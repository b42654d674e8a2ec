/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/claim.h"

#include "core/memory.h"
#include "core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- words -------------------------------------------------------------------------------------
 */

enum { MAX_WORDS = 24, WORD_SIZE = 32 };

typedef struct words {
    char at[MAX_WORDS][WORD_SIZE];
    int segment[MAX_WORDS]; /* which dotted part of the key it stands in */
    size_t n;
} words;

/* The words of a key, split at '.' and '_'; the point of "noise_0.2" splits nothing. */
static void split(const char *key, words *w)
{
    int segment = 0;
    size_t length = 0;
    *w = (words){0};
    for (const char *s = key; w->n < MAX_WORDS; s++) {
        const bool decimal = *s == '.' && segment > 0 && s > key && isdigit((unsigned char)s[-1]) &&
                             isdigit((unsigned char)s[1]);
        if (*s && !decimal && *s != '.' && *s != '_') {
            if (length + 1 < WORD_SIZE)
                w->at[w->n][length++] = *s;
            continue;
        }
        if (decimal) {
            w->at[w->n][length++] = '.';
            continue;
        }
        if (length > 0)
            w->segment[w->n++] = segment;
        length = 0;
        segment += *s == '.';
        if (!*s)
            break;
    }
}

static bool among(const char *word, const char *list) /* list: "|a|b|" */
{
    char wanted[WORD_SIZE + 2];
    snprintf(wanted, sizeof wanted, "|%s|", word);
    return strstr(list, wanted) != NULL;
}

/* Model words with the name they are kept under. */
static const char *const models[][2] = {
    {"global", "global"},     {"baseline", "global"},   {"ridge", "global"},
    {"oracle", "oracle"},     {"oracle9", "oracle"},    {"moe", "moe"},
    {"moe9", "oracle"},       {"local", "oracle"},      {"soft", "soft"},
    {"hard", "hard"},         {"fallback", "fallback"}, {"pseudo", "pseudo"},
    {"cond", "cond1"},        {"1st", "cond1"},         {"step0", "cond1"},
    {"2nd", "cond2"},         {"mlp", "mlp"},           {"linear", "linear"},
    {"classify", "classify"}, {"expert", "expert"},     {"mixed", "mixed"},
    {"phys", "phys"},         {"dual", "dual"},         {"deployed", "deployed"},
    {"hybrid", "hybrid"},     {"uncal", "uncal"},       {"uncalibrated", "uncal"},
    {"calibrated", "cal"},    {"cal", "cal"},
};

static const char metrics[] = "|r2|dr2|delta|rho|retention|mae|rmse|accuracy|alpha|perbin|";
/* Where or how it was printed, and words that name a series of reports. */
static const char ornaments[] =
    "|text|fig|figure|src|prior|prior4|ref|reference|printed|rounded|exact|4dp|ctx|context|"
    "canonical|"
    "tracking|seed|quoted|report|table|own|regress|small|large|big|upstream|gate|aligned|covered|"
    "full|ci|max|16g|noise|ridge|test|changelog|original|uncorrected|alpha|order|bin|k|ablation|"
    "base|pct|alt|best|series|gain|";
static const char estimators[] = "|mean|multiseed|boot|bootstrap|";
static const char intents[] =
    "|threshold|target|plan|planned|expected|grid|epsilon|min|claim|floor|";

static bool number_in(const char *s, double *x)
{
    return lb_parse_double(s, x);
}

/* "32k", "1M" as a number of rows; 0 if it is none. */
static size_t rows_in(const char *s)
{
    char *end;
    const double x = strtod(s, &end);
    if (end == s || x <= 0)
        return 0;
    const double scale = *end == 'k' ? 1e3 : *end == 'M' || *end == 'm' ? 1e6 : 0;
    const bool size = scale > 0 && !isalpha((unsigned char)end[1]);
    return size && x * scale > 2e3 ? (size_t)(x * scale + 0.5) : 0; /* "1k" is a test set */
}

/* What no longer fits is left out: keys are at most a few words. */
static void add_word(char *to, size_t size, const char *word, char join)
{
    const size_t n = strlen(to), room = size - n, length = strnlen(word, WORD_SIZE);
    if (length + 2 > room)
        return;
    to[n] = join;
    memcpy(to + n + (n > 0), word, length);
    to[n + (n > 0) + length] = '\0';
}

static const char *model_of(const char *word)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (strcmp(models[i][0], word) == 0)
            return models[i][1];
    }
    return NULL;
}

/* --- the key -----------------------------------------------------------------------------------
 */

/* "0.2" of noise_0.2, n0.2, noise1, noise02. */
static bool noise_word(const words *w, size_t *i, double *noise)
{
    const char *s = w->at[*i];
    if (strcmp(s, "noise") == 0 && *i + 1 < w->n && number_in(w->at[*i + 1], noise)) {
        ++*i;
        return true;
    }
    if (s[0] == 'n' && isdigit((unsigned char)s[1]) && number_in(s + 1, noise))
        return true;
    if (strncmp(s, "noise", 5) == 0 && number_in(s + 5, noise)) {
        *noise = s[5] == '0' && s[6] && s[6] != '.' ? *noise / 10 : *noise;
        return true;
    }
    return false;
}

static bool bin_word(const words *w, size_t *i, int *bin)
{
    static const char snr_bins[] = "HMLX";
    const char *s = w->at[*i];
    double x;
    if (strcmp(s, "bin") == 0 && *i + 1 < w->n && number_in(w->at[*i + 1], &x)) {
        *bin = (int)x;
        ++*i;
        return true;
    }
    if (strncmp(s, "bin", 3) == 0 && isdigit((unsigned char)s[3]) && number_in(s + 3, &x)) {
        *bin = (int)x;
        return true;
    }
    if (s[0] && !s[1] && strchr(snr_bins, s[0]) && *bin < 0) {
        *bin = 100 + (int)(strchr(snr_bins, s[0]) - snr_bins);
        return true;
    }
    return among(s, "|cool|mid|hot|poor|solar|rich|") && *bin >= 0;
}

static bool setting_word(const words *w, size_t *i, lb_claim *c)
{
    double x;
    const char *s = w->at[*i];
    const bool number = *i + 1 < w->n && number_in(w->at[*i + 1], &x);
    if (number && strcmp(s, "alpha") == 0)
        c->alpha = x;
    else if (number && strcmp(s, "seed") == 0)
        c->seed = (size_t)x;
    else if (number && strcmp(s, "order") == 0)
        add_word(c->model, sizeof c->model, x == 0 ? "global" : x == 1 ? "cond1" : "cond2", '+');
    else if (number && strcmp(s, "k") == 0) {
        add_word(c->what, sizeof c->what, "k", ' ');
        add_word(c->what, sizeof c->what, w->at[*i + 1], ' ');
    } else
        return false;
    ++*i;
    return true;
}

/* "full" words after vs, minus, of belong to what the value is compared with. */
static void skip_rest(const words *w, size_t *i)
{
    const int segment = w->segment[*i];
    while (*i + 1 < w->n && w->segment[*i + 1] == segment)
        ++*i;
}

static void read_word(const words *w, size_t *i, bool dim, lb_claim *c)
{
    const char *s = w->at[*i];
    const char *model = model_of(s);
    const size_t rows = rows_in(s);
    if (strcmp(s, "bin") == 0 &&
        c->bin_printed >= 0) /* of two bins: the first is part of the name */
        snprintf(c->what, sizeof c->what, "with bin %d", c->bin_printed);
    if (noise_word(w, i, &c->noise) || bin_word(w, i, &c->bin_printed) || setting_word(w, i, c))
        return;
    if (among(s, "|vs|minus|of|"))
        skip_rest(w, i);
    else if (strcmp(s, "val") == 0 && *i + 1 < w->n && strcmp(w->at[*i + 1], "alpha") == 0)
        ++*i; /* how the penalty was chosen: protocol, not quantity */
    else if (rows)
        c->n_train = rows;
    else if (among(s, estimators))
        c->estimator = true;
    else if (among(s, intents))
        c->intent = true;
    else if (model && !(strcmp(s, "ridge") == 0 && *c->model)) {
        if (!strstr(c->model, model))
            add_word(c->model, sizeof c->model, model, '+');
        if (strcmp(model, "global") == 0)
            snprintf(c->model, sizeof c->model, "global");
        else if (strncmp(c->model, "global+", 7) == 0)
            memmove(c->model, c->model + 7, strlen(c->model + 7) + 1);
    } else if (!among(s, metrics) && (!among(s, ornaments) || (dim && among(s, "|gate|16g|"))) &&
               !(strlen(s) > 4 && strstr(s, "test") && !strchr(s, '.')) && strcmp(s, "1k") != 0 &&
               strncmp(s, "sweep", 5) != 0 && !(strncmp(s, "first", 5) == 0 && s[5]) &&
               strncmp(s, "leaf", 4) != 0)
        add_word(c->what, sizeof c->what, s, ' ');
}

static void read_metric(const words *w, const lb_published_entry *e, lb_claim *c)
{
    static const char *const units[][2] = {
        {"r2", "r2"},
        {"R2", "r2"},
        {"dR2", "delta_r2"},
        {"delta_r2", "delta_r2"},
        {"rho", "retention"},
        {"alpha", "alpha"},
        {"count", "count"},
        {"thousand", "count"},
        {"accuracy", "accuracy"},
    };
    bool retention = false, alpha = false, mae = false, rmse = false, accuracy = false;
    for (size_t i = 1; i < w->n; i++) {
        const char *s = w->at[i];
        retention = retention || among(s, "|rho|retention|share|");
        alpha = alpha || strcmp(s, "alpha") == 0;
        mae = mae || strcmp(s, "mae") == 0;
        rmse = rmse || strcmp(s, "rmse") == 0;
        accuracy = accuracy || strcmp(s, "accuracy") == 0;
    }
    const char *metric = e->unit;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i][0], e->unit) == 0)
            metric = units[i][1];
    }
    if (among(e->unit, "|percent|share|ratio|") && (retention || accuracy))
        metric = retention ? "retention" : "accuracy";
    if (strcmp(e->unit, "hyper") == 0 && alpha)
        metric = "alpha";
    if (among(e->unit, "|dex|scaled|") && (mae || rmse))
        metric = mae ? "mae" : "rmse";
    if (strncmp(e->unit, "threshold", 9) == 0)
        c->intent = true;
    if (strstr(c->what, "dim")) /* the same whatever is planned, whatever the noise */
        c->intent = false;
    snprintf(c->metric, sizeof c->metric, "%s", metric);
}

static void read_key(const lb_published_entry *e, lb_claim *c)
{
    words w;
    split(e->key, &w);
    for (size_t i = 1; i < w.n; i++)
        read_word(&w, &i, strstr(e->key, "dim") != NULL, c);
    read_metric(&w, e, c);
    if (lb_claim_is(c, "delta_r2") && strcmp(c->model, "global") == 0)
        c->model[0] = '\0'; /* the global model is what a gain is measured against */
    if (strcmp(c->model, "moe+oracle") == 0)
        snprintf(c->model, sizeof c->model, "oracle");
}

/* --- the other columns -------------------------------------------------------------------------
 */

/* "2,910", "62.7k", "+0.050", "~5,800", "81.6%": the number and half a unit of its last digit. */
static bool read_value(const lb_published_entry *e, lb_claim *c)
{
    char plain[64];
    size_t n = 0;
    const char *s = e->value;
    bool point = false;
    int decimals = 0;
    double scale = 1;
    s += *s == '~' || *s == '+';
    for (; (isdigit((unsigned char)*s) || strchr(".,-", *s)) && *s && n + 1 < sizeof plain; s++) {
        if (*s == ',')
            continue;
        decimals += point && *s != '.';
        point = point || *s == '.';
        plain[n++] = *s;
    }
    plain[n] = '\0';
    if (!lb_parse_double(plain, &c->value)) /* ranges, lists, words */
        return false;
    if (*s == 'e' || *s == 'E') {
        if (!lb_parse_double(e->value, &c->value))
            return false;
        c->half = 0;
        return true;
    }
    if (*s == 'k' || strcmp(e->unit, "thousand") == 0)
        scale = 1e3;
    if (*s == 'M')
        scale = 1e6;
    const bool percent = *s == '%' || strcmp(e->unit, "percent") == 0;
    if (*s && *s != '%' && *s != 'k' && *s != 'M')
        return false;
    if (percent && (lb_claim_is(c, "retention") || lb_claim_is(c, "accuracy")))
        scale = 0.01;
    c->half = 0.5 * pow(10, -decimals) * scale;
    if (*e->value == '~')
        c->half *= 10;
    c->value *= scale;
    return true;
}

/* "816", "10k", "816/1000", "1000 vs 816", "10000 total"; "1000 or 835 (unstated)" says nothing. */
static void read_rows(const char *s, lb_claim *c)
{
    char *end;
    if (strstr(s, " or "))
        return;
    c->n = (size_t)strtoul(s, &end, 10);
    if (*end == 'k')
        c->n *= 1000;
    if (*end == '/')
        c->n_other = (size_t)strtoul(end + 1, NULL, 10);
    else if (strncmp(end, " vs ", 4) == 0)
        c->n_other = (size_t)strtoul(end + 4, NULL, 10);
}

static const char *after(const char *text, const char *word)
{
    for (const char *s = strstr(text, word); s; s = strstr(s + 1, word)) {
        if (s == text || !isalnum((unsigned char)s[-1]))
            return s + strlen(word);
    }
    return NULL;
}

static void read_conditions(const char *s, lb_claim *c)
{
    static const char *const noises[] = {"noise ", "n="};
    static const char *const sizes[][2] = {{"D32", "32k"},         {"D100", "100k"},
                                           {"D1M", "1M"},          {"32k", "32k"},
                                           {"100k train", "100k"}, {"1M train", "1M"}};
    const char *t;
    for (size_t i = 0; i < 2 && isnan(c->noise); i++) {
        t = after(s, noises[i]);
        if (t && isdigit((unsigned char)*t))
            c->noise = strtod(t, NULL);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && !c->n_train; i++) {
        if (after(s, sizes[i][0])) {
            c->n_train = rows_in(sizes[i][1]);
            break;
        }
    }
    t = after(s, "seed ");
    if (t && isdigit((unsigned char)*t) && !c->seed)
        c->seed = strtoul(t, NULL, 10);
    for (t = strchr(s, ' '); t; t = strchr(t + 1, ' ')) {
        if (t > s && isdigit((unsigned char)t[-1]) && t[-1] != '9' &&
            (t - 1 == s || !isalnum((unsigned char)t[-2])) &&
            (strncmp(t, " experts", 8) == 0 || strncmp(t, " hand", 5) == 0))
            snprintf(c->layout, sizeof c->layout, "%c", t[-1]);
    }
    t = strstr(s, "K=");
    if (t && isdigit((unsigned char)t[2]) && !strstr(c->what, "k ")) {
        char k[8];
        snprintf(k, sizeof k, "k %c", t[2]);
        add_word(c->what, sizeof c->what, k, ' ');
    }
    c->true_labels = c->true_labels || after(s, "true m") || after(s, "true [M/H]");
    if (!*c->model && lb_claim_is(c, "delta_r2") && after(s, "MoE"))
        snprintf(c->model, sizeof c->model, "moe");
}

/* What the learner or the split is, where only the document's name says it. */
static void read_source(const char *s, lb_claim *c)
{
    static const char *const tags[] = {"nn", "snr", "quantile", "err", "fisher"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        const char *t = strstr(s, tags[i]);
        const size_t n = strlen(tags[i]);
        if (t && t > s && t[-1] == '_' && t[n] == '_' &&
            (i == 0 || strcmp(c->model, "global") != 0))
            add_word(c->layout, sizeof c->layout, tags[i], ' ');
    }
    if (!*c->model && c->bin_printed < 0 && strstr(s, "_ridge_") && !strstr(s, "moe") &&
        lb_claim_is(c, "r2"))
        snprintf(c->model, sizeof c->model, "global"); /* a document on Ridge alone */
}

static void read_group(const lb_published_entry *e, lb_claim *c)
{
    unsigned long hash = 5381;
    for (const char *s = e->source; *s; s++)
        hash = hash * 33 + (unsigned char)*s;
    snprintf(c->group, sizeof c->group, "%.*s@%lx", (int)(strcspn(e->key, ".") % 12), e->key,
             hash & 0xffffffffUL);
}

/* --- all rows ----------------------------------------------------------------------------------
 */

/* A document that states one noise level, or one training set, states it for all its rows. */
static void inherit(lb_claims *all)
{
    for (size_t i = 0; i < all->n; i++) {
        double noise = NAN;
        size_t n_train = 0;
        bool one_noise = true, one_train = true;
        for (size_t k = 0; k < all->n; k++) {
            const lb_claim *c = &all->at[k];
            if (c->intent || strcmp(c->group, all->at[i].group) != 0)
                continue;
            one_noise = one_noise && (isnan(noise) || isnan(c->noise) || noise == c->noise);
            one_train = one_train && (!n_train || !c->n_train || n_train == c->n_train);
            noise = isnan(c->noise) ? noise : c->noise;
            n_train = c->n_train ? c->n_train : n_train;
        }
        if (one_noise && isnan(all->at[i].noise) && !isnan(noise))
            all->at[i].noise = noise;
        if (one_train && !all->at[i].n_train)
            all->at[i].n_train = n_train;
    }
}

static bool names_oracle(const lb_claims *all, const char *group)
{
    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(all->at[i].group, group) == 0 && strstr(all->at[i].entry->key, "oracle"))
            return true;
    }
    return false;
}

/* A mixture is routed by true labels unless its document sets an oracle apart from it. A table of
 * mixtures with one layout has that layout throughout; the global model has none. */
static void settle_models(lb_claims *all)
{
    for (size_t i = 0; i < all->n; i++) {
        lb_claim *c = &all->at[i];
        if (strcmp(c->model, "moe") == 0 && !names_oracle(all, c->group))
            snprintf(c->model, sizeof c->model, "oracle");
        if (strcmp(c->model, "global") == 0)
            snprintf(c->layout, sizeof c->layout, "%s", strstr(c->layout, "nn") ? "nn" : "");
        if (!*c->model && lb_claim_is(c, "r2") && c->bin >= 0)
            snprintf(c->model, sizeof c->model,
                     strstr(c->entry->key, "_gate") ? "soft" : "oracle"); /* the bin's own expert */
        c->true_labels = c->true_labels || strstr(c->model, "oracle");
    }
    for (size_t i = 0; i < all->n; i++) {
        lb_claim *c = &all->at[i];
        const char *layout = NULL;
        bool one = true;
        for (size_t k = 0; k < all->n && one; k++) {
            const lb_claim *o = &all->at[k];
            if (!lb_claim_is(o, "r2") || strcmp(o->model, "global") == 0 || o->intent ||
                strcmp(o->group, c->group) != 0)
                continue;
            one = !layout || strcmp(layout, o->layout) == 0;
            layout = o->layout;
        }
        if (one && layout && !*c->layout && strcmp(c->model, "global") != 0)
            snprintf(c->layout, sizeof c->layout, "%s", layout);
    }
}

/* Where one value is printed for two row sets, most rows decide; a tie leaves what is printed. A
 * row that says nothing takes what its look-alikes say with one voice. */
static void count_votes(lb_claims *all)
{
    for (size_t i = 0; i < all->n; i++) {
        lb_claim *c = &all->at[i];
        size_t mine = 0, theirs = 0, other = 0;
        const bool silent = !c->n && !*c->entry->n;
        c->votes = c->n;
        for (size_t k = 0; k < all->n && (c->n || silent); k++) {
            const lb_claim *o = &all->at[k];
            if (!o->n || !lb_claims_alike(c, o) || strlen(c->entry->value) < 6)
                continue;
            mine += o->n == c->n;
            theirs += o->n != c->n;
            mine += silent && other && o->n != other; /* two voices */
            other = o->n != c->n ? o->n : other;
        }
        if (silent ? theirs && !mine : theirs > mine)
            c->votes = other;
    }
}

/* Tables whose bins start at 1 count from 1; in @c bin all count from 0. */
static void number_bins(lb_claims *all)
{
    for (size_t i = 0; i < all->n; i++) {
        lb_claim *c = &all->at[i];
        const size_t prefix = strcspn(c->entry->key, ".") + 1;
        int least = c->bin_printed;
        for (size_t k = 0; k < all->n && least > 0 && least < 100; k++) {
            const lb_claim *o = &all->at[k];
            if (o->bin_printed >= 0 && o->bin_printed < least &&
                strncmp(o->entry->key, c->entry->key, prefix) == 0)
                least = o->bin_printed;
        }
        c->bin = c->bin_printed - (least > 0 && least < 100);
        if (c->bin_printed < 0)
            c->bin = -1;
    }
}

void lb_claims_read(const lb_published *p, lb_claims *out)
{
    const size_t n = lb_published_count(p);
    out->at = lb_xrealloc(out->at, out->n + n, sizeof *out->at);
    for (size_t i = 0; i < n; i++) {
        lb_claim c = {
            .entry = lb_published_at(p, i), .noise = NAN, .alpha = NAN, .bin_printed = -1};
        read_key(c.entry, &c);
        if (!read_value(c.entry, &c))
            continue;
        read_rows(c.entry->n, &c);
        read_conditions(c.entry->conditions, &c);
        read_source(c.entry->source, &c);
        read_group(c.entry, &c);
        out->at[out->n++] = c;
    }
    inherit(out);
    number_bins(out);
    settle_models(out);
    count_votes(out);
}

void lb_claims_free(lb_claims *c)
{
    free(c->at);
    *c = (lb_claims){0};
}

bool lb_claims_agree(const lb_claim *a, const lb_claim *b)
{
    return fabs(a->value - b->value) <= fmax(a->half, b->half) * (1 + 1e-6) + 1e-12;
}

bool lb_claims_alike(const lb_claim *a, const lb_claim *b)
{
    const char *x = a->entry->value, *y = b->entry->value;
    return strcmp(x + (*x == '+'), y + (*y == '+')) == 0 && strcmp(a->metric, b->metric) == 0 &&
           a->bin == b->bin && lb_claims_one_run(a, b) &&
           (!*a->model || !*b->model || strcmp(a->model, b->model) == 0);
}

bool lb_claim_is(const lb_claim *c, const char *metric)
{
    return strcmp(c->metric, metric) == 0;
}

bool lb_claims_one_run(const lb_claim *a, const lb_claim *b)
{
    return (isnan(a->noise) || isnan(b->noise) || a->noise == b->noise) &&
           (!a->n_train || !b->n_train || a->n_train == b->n_train) &&
           (!a->seed || !b->seed || a->seed == b->seed);
}
