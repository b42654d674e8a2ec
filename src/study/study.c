/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "study/study.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/profile.h"
#include "data/source.h"

#include <ctype.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- sticky study ------------------------------------------------------------------------------
 */

bool lb_study_ok(const lb_study *s)
{
    return s->status == LB_OK && lb_record_status(s->record) == LB_OK;
}

void lb_study_take(lb_study *s, lb_status status)
{
    if (s->status == LB_OK)
        s->status = status;
}

enum { KEY_SIZE = 160 };

static void make_key(const lb_study *s, char key[KEY_SIZE], const char *format, va_list args)
{
    const int head = snprintf(key, KEY_SIZE, "%s.", s->id);
    vsnprintf(key + head, (size_t)(KEY_SIZE - head), format, args);
}

void lb_study_put(lb_study *s, lb_number x, const char *format, ...)
{
    char key[KEY_SIZE];
    va_list args;
    va_start(args, format);
    make_key(s, key, format, args);
    va_end(args);
    if (!*x.protocol)
        snprintf(x.protocol, sizeof x.protocol, "%s", lb_spec_text(s->spec, "protocol.name", "en"));
    if (lb_study_ok(s))
        lb_record_number(s->record, key, x);
}

void lb_study_put_text(lb_study *s, const char *value, const char *format, ...)
{
    char key[KEY_SIZE];
    va_list args;
    va_start(args, format);
    make_key(s, key, format, args);
    va_end(args);
    if (lb_study_ok(s))
        lb_record_text(s->record, key, value);
}

void lb_study_table(lb_study *s, const char *table, const char *columns)
{
    enum { MOST = 32 };
    char *text = lb_xstrdup(columns);
    lb_column column[MOST];
    size_t n = 0;
    for (char *rest = text, *part; (part = strsep(&rest, "|")) && n < MOST; n++) {
        char *format = strchr(part, ':');
        if (format)
            *format++ = '\0';
        column[n] = (lb_column){part, format ? format : ""};
    }
    if (lb_study_ok(s))
        lb_record_table(s->record, table, n, column);
    free(text);
}

/* A cell that is no key; the hyphen of a number is printed as a minus sign. */
static void put_words(lb_record *record, const char *table, const char *words)
{
    lb_text cell = {0};
    for (const char *p = words; *p; p++) {
        const bool minus =
            *p == '-' && (p == words || p[-1] == ' ') && isdigit((unsigned char)p[1]);
        lb_text_addn(&cell, minus ? "\u2212" : p, minus ? strlen("\u2212") : 1);
    }
    lb_record_cell_text(record, table, "%s", cell.s ? cell.s : "");
    lb_text_free(&cell);
}

void lb_study_row(lb_study *s, const char *table, const char *format, ...)
{
    char cells[2048], key[sizeof cells + KEY_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(cells, sizeof cells, format, args);
    va_end(args);
    if (!lb_study_ok(s))
        return;
    lb_record_row(s->record, table);
    for (char *cell = cells, *end; cell; cell = end) {
        if ((end = strchr(cell, '|')))
            *end++ = '\0';
        snprintf(key, sizeof key, "%s.%s", s->id, cell);
        if (*cell == '=')
            put_words(s->record, table, cell + 1);
        else
            lb_record_cell_key(s->record, table, key);
    }
}

void lb_study_put_alpha(lb_study *s, const lb_sweep_model *m, const char *format, ...)
{
    char key[KEY_SIZE];
    const int edge = m->on_grid.edge;
    const char *mark = edge < 0 ? "↓" : edge > 0 ? "↑" : "";
    va_list args;
    va_start(args, format);
    vsnprintf(key, sizeof key, format, args);
    va_end(args);
    char *marked = lb_xprintf("%g%s", m->chosen.alpha, mark), *e = strstr(marked, "e-0");
    if (e) /* 1e-5, as everywhere else in a report */
        memmove(e + 2, e + 3, strlen(e + 3) + 1);
    lb_study_put(s, lb_number_plain(m->chosen.alpha, "alpha", ""), "%s", key);
    lb_study_put(s, lb_number_plain(m->on_grid.alpha, "alpha", ""), "%s.on_grid", key);
    lb_study_put_text(s, mark, "%s.edge", key);
    lb_study_put_text(s, marked, "%s.marked", key);
    free(marked);
}

const lb_published_entry *lb_study_published(lb_study *s, const char *format, ...)
{
    char key[KEY_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(key, sizeof key, format, args);
    va_end(args);
    if (lb_study_ok(s) && !s->published)
        lb_study_take(s, lb_published_load(LB_PUBLISHED, &s->published, s->err));
    if (!lb_study_ok(s))
        return NULL;
    const lb_published_entry *e = lb_published_find(s->published, key);
    lb_record_published(s->record, key, e);
    return e;
}

double lb_study_published_number(lb_study *s, const char *format, ...)
{
    char key[KEY_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(key, sizeof key, format, args);
    va_end(args);
    const lb_published_entry *e = lb_study_published(s, "%s", key);
    if (!e && lb_study_ok(s)) {
        const char *near = lb_published_nearest(s->published, key);
        lb_study_take(s,
                      LB_FAIL(s->err, LB_ENAME, "nothing is published under '%s'%s%s%s", key,
                              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : ""));
    } else if (e && isnan(e->number)) {
        lb_study_take(
            s, LB_FAIL(s->err, LB_EFORMAT, "the published '%s' is '%s', no number", key, e->value));
    }
    return e && !isnan(e->number) ? e->number : 0.0;
}

bool lb_study_is_streamed(const lb_study *s)
{
    return lb_spectra_is_made(s->data.split.train);
}

double lb_study_seconds_simulating(const lb_study *s)
{
    const lb_split *d = &s->data.split;
    return lb_spectra_seconds_making(d->train) + lb_spectra_seconds_making(d->test) +
           (d->val ? lb_spectra_seconds_making(d->val) : 0.0);
}

lb_cost lb_cost_start(const lb_study *s)
{
    return (lb_cost){lb_clock(), lb_study_seconds_simulating(s)};
}

static void put_measured(lb_study *s, double value, const char *kind, const char *unit,
                         const char *name)
{
    lb_number x = lb_number_plain(value, kind, unit);
    x.digits = strcmp(kind, "seconds") == 0 ? 0 : 2;
    if (lb_study_is_streamed(s))
        lb_study_put(s, x, "cost.%s", name);
}

void lb_cost_put(lb_study *s, lb_cost since, const char *name)
{
    if (!lb_study_ok(s))
        return;
    const lb_cost now = lb_cost_start(s);
    const double seconds = now.clock - since.clock - (now.simulating - since.simulating);
    char *key = lb_xprintf("seconds.%s", name);
    lb_record_run(s->record, key, "%.2f", seconds);
    put_measured(s, seconds, "seconds", "s", name);
    free(key);
}

void lb_cost_put_totals(lb_study *s)
{
    if (!lb_study_ok(s))
        return;
    put_measured(s, lb_study_seconds_simulating(s), "seconds", "s", "simulation");
    put_measured(s, (double)lb_peak_memory() / 1e9, "bytes", "GB", "memory");
}

char *lb_study_figure(lb_study *s, const char *figure_id)
{
    char *path = lb_xprintf("figures.%s.file", figure_id);
    const char *stem = lb_spec_text(s->spec, path, "en");
    char *out = lb_xprintf("%s/%s", s->figures, stem);
    if (lb_study_ok(s))
        lb_record_figure(s->record, figure_id, stem);
    free(path);
    return out;
}

/* --- what is said about the data, whatever the experiment --------------------------------------
 */

static lb_number range_of(const double *x, size_t n, bool largest, const char *unit)
{
    double best = NAN;
    for (size_t i = 0; i < n; i++)
        if (isnan(best) || (largest ? x[i] > best : x[i] < best))
            best = x[i];
    lb_number out = lb_number_plain(best, "range", unit);
    out.digits = fabs(best) >= 100.0 ? 0 : 2;
    return out;
}

static void put_range(lb_study *s, const lb_side *side, const double *x, const char *name,
                      const char *unit)
{
    lb_study_put(s, range_of(x, side->n, false, unit), "data.%s_min", name);
    lb_study_put(s, range_of(x, side->n, true, unit), "data.%s_max", name);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static lb_number median_of(double *x, size_t n)
{
    qsort(x, n, sizeof *x, by_value);
    lb_number out = lb_number_plain(n ? (x[(n - 1) / 2] + x[n / 2]) / 2.0 : NAN, "snr", "");
    out.digits = 2;
    out.n = n;
    return out;
}

static void put_snr(lb_study *s, lb_spectra *test)
{
    const size_t n = lb_spectra_rows(test);
    double *norm = lb_xcalloc(n, sizeof *norm), *pixel = lb_xcalloc(n, sizeof *pixel);
    lb_study_take(s, lb_spectra_snr(test, (lb_vec){norm, n}, (lb_vec){pixel, n}, s->err));
    if (lb_study_ok(s)) {
        const lb_number ratio = median_of(norm, n);
        s->median_snr = ratio.value;
        lb_study_put(s, ratio, "data.snr_norm_ratio_median");
        lb_study_put(s, median_of(pixel, n), "data.snr_per_pixel_median");
    }
    free(norm);
    free(pixel);
}

static lb_number percent(size_t part, size_t whole)
{
    lb_number x = lb_number_plain(100.0 * (double)part / (double)whole, "percent", "%");
    x.digits = 1;
    x.n = whole;
    return x;
}

static void put_rows(lb_study *s, const lb_cohort *c, const char *which)
{
    const lb_split *d = &c->split;
    const size_t out_train = c->n_train[c->outside], out_test = c->n_test[c->outside];
    lb_study_put(s, lb_number_count(c->train.n), "%s.n_train", which);
    lb_study_put(s, lb_number_count(c->val.n), "%s.n_val", which);
    lb_study_put(s, lb_number_count(c->test.n), "%s.n_test", which);
    lb_study_put(s, lb_number_count(c->train.n - out_train), "%s.n_train_covered", which);
    lb_study_put(s, lb_number_count(c->test.n - out_test), "%s.n_test_covered", which);
    lb_study_put(
        s,
        lb_number_count(d->train_screen.refused + d->val_screen.refused + d->test_screen.refused),
        "%s.n_refused", which);
    lb_study_put(s,
                 lb_number_count(d->train_screen.error_nonpositive_pixels +
                                 d->val_screen.error_nonpositive_pixels +
                                 d->test_screen.error_nonpositive_pixels),
                 "%s.n_pixels_without_error", which);
    lb_study_put(s, percent(c->train.n - out_train, c->train.n), "%s.coverage_train", which);
    lb_study_put(s, percent(c->test.n - out_test, c->test.n), "%s.coverage_test", which);
    lb_study_put_text(s, d->validation_was_cut ? "cut from the training rows" : "a set of its own",
                      "%s.validation", which);
}

static void put_data(lb_study *s, bool replicates)
{
    const lb_cohort *c = &s->data;
    const lb_cvec wave = lb_spectra_wave(c->split.test);
    put_rows(s, c, "data");
    lb_study_put_text(s, s->own_data ? "own" : "simulated", "data.origin");
    lb_study_put(s, lb_number_count(wave.n), "data.pixels");
    lb_number edge = lb_number_plain(wave.data[0], "range", "A");
    edge.digits = 1;
    lb_study_put(s, edge, "data.wave_min");
    edge.value = wave.data[wave.n - 1];
    lb_study_put(s, edge, "data.wave_max");
    lb_study_put_text(s, lb_spectra_medium(c->split.test), "data.medium");
    put_range(s, &c->train, c->train.target, "target", "dex");
    put_range(s, &c->train, c->train.teff, "teff", "K");
    put_range(s, &c->train, c->train.mh, "mh", "dex");
    put_snr(s, c->split.test);
    lb_study_put_text(s, c->merges.s ? c->merges.s : "none", "data.merged_bins");
    lb_study_put(s,
                 lb_number_count(lb_bins_on_edge(&c->bins, (lb_cvec){c->train.teff, c->train.n},
                                                 (lb_cvec){c->train.mh, c->train.n})),
                 "data.n_on_edge");
    lb_record_rowset(s->record, lb_rowset_name(c->all), lb_rowset_hash(c->all),
                     lb_rowset_size(c->all));
    lb_record_provenance(s->record, "profile", "%s", s->profile);
    lb_record_provenance(s->record, "data.train", "%s", lb_spectra_hash(c->split.train));
    if (lb_study_is_streamed(s))
        lb_record_provenance(s->record, "data.source", "%s",
                             "simulator, row by row; hashes are of its settings");
    if (c->split.val)
        lb_record_provenance(s->record, "data.val", "%s", lb_spectra_hash(c->split.val));
    lb_record_provenance(s->record, "data.test", "%s", lb_spectra_hash(c->split.test));
    if (replicates && !s->has_more) {
        static const char *const counts[] = {"n_train", "n_val", "n_test", "n_test_covered"};
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            lb_study_put(s, lb_number_na("count", "not run"), "more.%s", counts[i]);
    } else if (s->has_more) {
        put_rows(s, &s->more, "more");
        lb_record_provenance(s->record, "more.train", "%s", lb_spectra_hash(s->more.split.train));
        lb_record_provenance(s->record, "more.test", "%s", lb_spectra_hash(s->more.split.test));
    }
}

/* --- the program -------------------------------------------------------------------------------
 */

typedef struct arguments {
    char *profile, *data, *replication, *spec, *results, *figures;
} arguments;

static void free_arguments(arguments *a)
{
    free(a->profile);
    free(a->data);
    free(a->replication);
    free(a->spec);
    free(a->results);
    free(a->figures);
}

static void print_help(const lb_experiment *e)
{
    printf("Usage: %s [OPTION]...\n%s\n\n"
           "  --profile NAME     quick, standard, large, million, or a name for your own data\n"
           "                     (default standard)\n"
           "  --data DIR         spectra: DIR/train_*/dataset.h5, val_*, test_*\n"
           "                     (default data/spectra/PROFILE), or simulate:PROFILE, which\n"
           "                     makes the same rows as they are read (default for million)\n"
           "  --replication DIR  the larger set of the replication; without it, not run\n"
           "  --spec FILE        settings (default templates/experiments/%s/spec.yaml)\n"
           "  --results DIR      where the record goes (default data/results/PROFILE)\n"
           "  --figures DIR      where the figures go (default figures for standard,\n"
           "                     else build/PROFILE/figures)\n"
           "  --help, --version\n",
           e->name, e->summary, e->name);
}

/* Where the spectra of a profile are, unless told otherwise; the caller frees it. */
static char *default_data(const char *profile)
{
    const lb_profile *p = lb_profile_find(profile, NULL);
    return p && lb_profile_is_streamed(p) ? lb_xprintf(LB_SOURCE_SIMULATE "%s", profile)
                                          : lb_xprintf("data/spectra/%s", profile);
}

/* @return -1 to go on, else the exit status */
static int parse_arguments(int argc, char **argv, const lb_experiment *e, arguments *a)
{
    static const struct option options[] = {{"profile", required_argument, NULL, 'p'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"replication", required_argument, NULL, 'm'},
                                            {"spec", required_argument, NULL, 's'},
                                            {"results", required_argument, NULL, 'r'},
                                            {"figures", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        char **field = c == 'p'   ? &a->profile
                       : c == 'd' ? &a->data
                       : c == 'm' ? &a->replication
                       : c == 's' ? &a->spec
                       : c == 'r' ? &a->results
                       : c == 'f' ? &a->figures
                                  : NULL;
        if (c == 'h') {
            print_help(e);
            return 0;
        }
        if (c == 'v') {
            printf("%s (loggbook) %s\n", e->name, LB_VERSION);
            return 0;
        }
        if (!field)
            return 2; /* getopt has said why */
        free(*field);
        *field = lb_xstrdup(optarg);
    }
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected argument '%s', see --help\n", e->name, argv[optind]);
        return 2;
    }
    if (!a->profile)
        a->profile = lb_xstrdup("standard");
    if (!a->data)
        a->data = default_data(a->profile);
    if (!a->spec)
        a->spec = lb_xprintf("templates/experiments/%s/spec.yaml", e->name);
    if (!a->results)
        a->results = lb_xprintf("data/results/%s", a->profile);
    if (!a->figures)
        a->figures = strcmp(a->profile, "standard") == 0
                         ? lb_xstrdup("figures")
                         : lb_xprintf("build/%s/figures", a->profile);
    return -1;
}

static lb_status run_study(const lb_experiment *e, const arguments *a, lb_error *err)
{
    lb_study s = {.profile = a->profile, .figures = a->figures, .err = err};
    char *usual = default_data(a->profile);
    s.own_data = strcmp(a->data, usual) != 0 && !lb_source_is_simulated(a->data);
    free(usual);
    char *path = lb_xprintf("%s/%s.h5", a->results, e->name);

    lb_study_take(&s, lb_spec_load(a->spec, &s.spec, err));
    if (s.status == LB_OK)
        lb_study_take(&s, lb_cohort_open(a->data, "", s.spec, &s.data, err));
    if (s.status == LB_OK && a->replication && e->replicates) {
        lb_study_take(&s, lb_cohort_open(a->replication, "larger set: ", s.spec, &s.more, err));
        s.has_more = s.status == LB_OK;
    }
    if (s.status == LB_OK) /* before minutes of work, not after */
        lb_study_take(&s, lb_make_dirs(a->results, err));
    if (s.status == LB_OK)
        lb_study_take(&s, lb_make_dirs(a->figures, err));
    if (s.status == LB_OK) {
        s.id = lb_spec_experiment(s.spec);
        s.record = lb_record_new(s.id, s.spec);
        put_data(&s, e->replicates);
        e->run(&s);
    }
    if (s.status == LB_OK && lb_study_is_streamed(&s))
        lb_record_run(s.record, "seconds.simulation", "%.2f", lb_study_seconds_simulating(&s));
    if (s.status == LB_OK) {
        lb_record_judge(s.record);
        lb_record_figure_files(s.record, s.figures);
        lb_study_take(&s, lb_record_close(s.record, path, err));
        s.record = NULL;
    }
    lb_record_abandon(s.record);
    lb_cohort_close(&s.data);
    lb_cohort_close(&s.more);
    lb_published_free(s.published);
    lb_spec_free(s.spec);
    free(path);
    return s.status;
}

int lb_study_main(int argc, char **argv, const lb_experiment *e)
{
    arguments a = {0};
    lb_error err = {0};
    int status = parse_arguments(argc, argv, e, &a);
    if (status < 0) {
        const lb_status st = run_study(e, &a, &err);
        if (st != LB_OK)
            fprintf(stderr, "%s: %s\n", e->name, err.text);
        status = lb_exit_status(st);
    }
    free_arguments(&a);
    return status;
}
