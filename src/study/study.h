/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_STUDY_STUDY_H
#define LB_STUDY_STUDY_H

#include "core/number.h"
#include "record/record.h"
#include "study/cohort.h"

/**
 * One run of one experiment: its spec, its data, its record. Sticky like the writers: after the
 * first failure every call below does nothing, and lb_study_main() reports it; a loop asks
 * lb_study_ok(). So an experiment reads like a method section.
 */
typedef struct lb_study {
    const char *id;      /* "e02": prefix of every key */
    const char *profile; /* "standard", ... */
    const char *figures; /* directory the figures go to */
    lb_spec *spec;
    lb_record *record;
    lb_cohort data; /* the data set of the profile */
    lb_cohort more; /* the larger replication set; see has_more */
    bool has_more;
    bool own_data;           /* not the simulated spectra of the profile */
    double median_snr;       /* |flux| / |error| of the test rows, at noise level 1 */
    lb_published *published; /* loaded when first asked for */
    lb_status status;
    lb_error *err;
} lb_study;

/** What a program is: a name ("e02_piecewise"), a sentence for --help and the run itself. */
typedef struct lb_experiment {
    const char *name, *summary;
    void (*run)(lb_study *s);
    bool replicates; /* also on the larger set, which is opened only then */
} lb_experiment;

/**
 * The main() of an experiment program: options --profile, --data, --replication, --spec, --results,
 * --figures, --help, --version; opens everything, records the data and the provenance, runs, judges
 * the hypotheses and writes the record.
 * @return exit status: 0, or 2 with one message on stderr
 */
int lb_study_main(int argc, char **argv, const lb_experiment *e);

bool lb_study_ok(const lb_study *s);
void lb_study_take(lb_study *s, lb_status status); /* of a library call that was given s->err */

/** Record a number; the key is "<id>." + the formatted rest. */
void lb_study_put(lb_study *s, lb_number x, const char *key, ...)
    __attribute__((format(printf, 3, 4)));
void lb_study_put_text(lb_study *s, const char *value, const char *key, ...)
    __attribute__((format(printf, 3, 4)));
/**
 * A table and its columns, parted by '|', each with its format after a ':' if it has one (see
 * lb_column): lb_study_table(s, "T02.1", "noise|R² global|ΔR²:+|95 % CI:ci").
 */
void lb_study_table(lb_study *s, const char *table, const char *columns);

/**
 * A row of a table, its cells parted by '|': "=text" is shown as it stands, anything else is the
 * key of a number or text under "<id>.", as in lb_study_row(s, "T02.1",
 * "=%1$.1f|noise_%1$.1f.r2.global|noise_%1$.1f.r2.moe", noise);
 */
void lb_study_row(lb_study *s, const char *table, const char *cells, ...)
    __attribute__((format(printf, 3, 4)));

/** The penalty of a model: KEY (chosen), KEY.on_grid, KEY.edge (an arrow or "") and KEY.marked (the
 * chosen one with its arrow, for tables). */
void lb_study_put_alpha(lb_study *s, const lb_sweep_model *m, const char *key, ...)
    __attribute__((format(printf, 3, 4)));

/** Whether the rows are made as they are read (data/source.h), and the wall time that has taken so
 * far. What a pass costs beyond it is the difference of two clocks less that of two of these. */
bool lb_study_is_streamed(const lb_study *s);
double lb_study_seconds_simulating(const lb_study *s); /* 0 for shards */

/** What was published elsewhere under a key (record/published.h), to compute from; the record keeps
 * it, and is stale once the file reads otherwise. NULL: nothing was, or the file cannot be read. */
const lb_published_entry *lb_study_published(lb_study *s, const char *key, ...)
    __attribute__((format(printf, 2, 3)));
/** Its value. The study fails (and this is 0) where it is absent (LB_ENAME) or no number
 * (LB_EFORMAT). */
double lb_study_published_number(lb_study *s, const char *key, ...)
    __attribute__((format(printf, 2, 3)));

/** A stopwatch that leaves the simulation of rows out. */
typedef struct lb_cost {
    double clock, simulating;
} lb_cost;
lb_cost lb_cost_start(const lb_study *s);

/** Seconds since then go into the facts of the run as seconds.NAME; if the rows are streamed also
 * into the record, as cost.NAME, for reports of other profiles to quote: numbers that differ from
 * run to run stay out of the records whose reports must come out the same. */
void lb_cost_put(lb_study *s, lb_cost since, const char *name);
/** Streamed rows only: cost.simulation [s] and cost.memory [GB], the peak so far. */
void lb_cost_put_totals(lb_study *s);

/** Path stem of a figure, "figures/e02_bins", by its id in the spec; also records the figure.
 * The caller frees it. */
char *lb_study_figure(lb_study *s, const char *figure_id);

#endif
