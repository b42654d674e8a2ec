/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LB_RECORD_RECORD_H
#define LB_RECORD_RECORD_H

#include "core/error.h"
#include "core/number.h"
#include "record/published.h"
#include "record/spec.h"

#include <stddef.h>

/**
 * What an experiment leaves: typed numbers, tables that refer to them, the series behind each
 * figure, verdicts and provenance, as one HDF5 file data/results/<profile>/<name>.h5.
 *
 * The writer is sticky: after the first failure every call does nothing and lb_record_close()
 * reports that failure. Nothing reaches the disk before lb_record_close(), which writes "path.part"
 * and renames it: an interrupted run leaves no record.
 *
 * Keys are lower case and dotted, [a-z0-9_.], and start with the experiment ("e02."). The last part
 * may not be a field word of the condition language (lb_field_is() in record/condition.h).
 *
 * The file (format 2), made to be pleasant in h5py: pandas.DataFrame(f["numbers"][:]) is the table
 * of all numbers, one compound dataset, because thousands of one-number groups are slow and show
 * nothing at a glance. Strings are UTF-8 of variable length. No timestamps. Behind the HDF5 data a
 * last line seals the file with its SHA-256: who edits a record breaks it.
 *   /record     key value: format, experiment, name
 *   /numbers    key value ci_lo ci_hi se p_above boot_mean p_positive n seed digits oracle kind
 * unit rows protocol na /texts      key value /rowsets    name hash n /verdicts   id outcome metric
 * value ci_lo ci_hi se n digits kind unit na rule detail /figures    id stem /tables/ID  group:
 * columns (name, format) and cells (rows x columns of key, text; one is "") /series/... one dataset
 * of doubles a series /provenance key value: what was computed from what (same on every machine)
 *   /run        key value: how this run went (threads, CPU, seconds, memory); never in reports
 */
typedef struct lb_record lb_record;

/** @p experiment: "e02". @p spec is borrowed until lb_record_close(); NULL: no hypotheses. */
lb_record *lb_record_new(const char *experiment, const lb_spec *spec);

/**
 * Sticky errors: a bad or repeated key (LB_ENAME); NAN without a reason in na, an infinity, or a
 * value together with na (LB_ENUMERIC); half an interval or ci_lo > ci_hi (LB_EINVAL); a delta...,
 * share or retention that has a value but belongs to no row set (LB_EROWS; the kinds named
 * ..._unaligned are exempt, they exist to show the mistake).
 * When the record closes, each row set must be known by lb_record_rowset() and, if x.n is set, hold
 * x.n rows (LB_EROWS).
 */
void lb_record_number(lb_record *r, const char *key, lb_number x);
void lb_record_text(lb_record *r, const char *key, const char *value);

/** Name a row set; the same name and hash again are fine, another hash is LB_EROWS. */
void lb_record_rowset(lb_record *r, const char *name, const char *hash, size_t n);

/** A column: its heading and how the template language prints its keys ("+.4f", "ci", "" = as the
 * uncertainty supports). */
typedef struct lb_column {
    const char *name, *format;
} lb_column;

/** Tables are filled row by row, cell by cell, left to right. A cell is a key of this record or of
 * another experiment, with a field if wanted ("e02.delta_r2.p_above"), or plain text. At close
 * every row must be full and every own key known. */
void lb_record_table(lb_record *r, const char *id, size_t ncols, const lb_column *columns);
void lb_record_row(lb_record *r, const char *id);
void lb_record_cell_key(lb_record *r, const char *id, const char *key);
void lb_record_cell_text(lb_record *r, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The numbers a figure draws, under "F01.1/noise_0.2/r2" (copied). NAN marks a gap. */
void lb_record_series(lb_record *r, const char *name, const double *values, size_t n);
/** Figure "F01.1" was drawn to files with the stem "e01_r2_vs_alpha". */
void lb_record_figure(lb_record *r, const char *id, const char *stem);
/** All figures are drawn: keep the hash of each @p folder/STEM.svg, so that no other picture can
 * take its place. LB_EIO when one is not there. */
void lb_record_figure_files(lb_record *r, const char *folder);

/**
 * Judge every hypothesis of the spec, in its order, on the numbers recorded so far: the first true
 * rule of pass, partial and fail decides; none true is INCONCLUSIVE; a metric that is missing or
 * n/a, or a rule whose truth is unknown, is NOT RUN. Call once, after the last number.
 */
void lb_record_judge(lb_record *r);

/** A line of provenance ("data.train", "seed.bootstrap", "profile"). lb_record_close() adds
 * program, version, git commit (and the tree of src/, which a commit of reports does not change),
 * spec hash, compiler, and the versions of HDF5 and, where linked, GSL and OpenBLAS. */
void lb_record_provenance(lb_record *r, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** A line about this run ("seconds.fit"). lb_record_close() adds threads, cpu, the core OpenBLAS
 * chose, seconds since lb_record_new() and peak memory. */
void lb_record_run(lb_record *r, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Lines of the run that say what it computed from and what it drew: published.KEY, figure.ID. */
#define LB_RUN_PUBLISHED "published."
#define LB_RUN_FIGURE "figure."

/** The run computes from what was published under @p key (@p e NULL: nothing was). Kept among the
 * lines of the run, so that lb_archive_check_published() sees when the file has changed. Again is
 * fine. */
void lb_record_published(lb_record *r, const char *key, const lb_published_entry *e);

lb_status lb_record_status(const lb_record *r); /* LB_OK so far? */

/** Check, write, rename, free. Reports the first failure of all calls, or LB_EIO; then no file is
 * left under @p path by this run. */
lb_status lb_record_close(lb_record *r, const char *path, lb_error *err);
void lb_record_abandon(lb_record *r); /* free, write nothing; NULL is fine */

#endif
