/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * simulate: make the spectra of a profile
 *
 * Reads   data/grid/stellar_grid.h5, data/grid/sky_lines.tsv
 * Writes  data/spectra/PROFILE/{train_*,val_0,test_0}/dataset.h5
 */
#include "data/simulate.h"
#include "core/memory.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: simulate [OPTION]...\n"
    "Make simulated stellar spectra: labels drawn, a grid interpolated, sky and error added.\n"
    "A finished file made with the same settings is kept; an interrupted run can be repeated.\n"
    "\n"
    "  -p, --profile=NAME   quick (4,000/500/500 rows, 512 pixels), quick_large\n"
    "                       (12,500/1,250/1,250, 512 pixels), standard (32,000/1,000/1,000,\n"
    "                       4,096 pixels; the default), large (100,000/10,000/10,000) or\n"
    "                       million (5 x 200,000/10,000/10,000)\n"
    "  -o, --out=DIR        where to put train_0/dataset.h5 and so on\n"
    "                       (default: data/spectra/NAME)\n"
    "  -l, --labels=KIND    continuous (the default): labels uniform over the grid's box;\n"
    "                       grid_locked: two labels of each row sit on nodes of the grid\n"
    "  -s, --seed=N         seed of all draws (default: 20251203); equal seeds give equal bytes\n"
    "  -g, --grid=DIR       where stellar_grid.h5 and sky_lines.tsv are (default: data/grid)\n"
    "  -h, --help           this text\n"
    "  -V, --version        the version\n"
    "\n"
    "Prints what was made, with its signal to noise and its share in the nine bins.\n"
    "Exit status: 0 made or already there, 2 could not do it.\n";

typedef struct options {
    const char *profile, *out, *labels, *grid;
    size_t seed;
} options;

/* Returns -1 to go on, otherwise the exit status. */
static int parse(int argc, char **argv, options *o, lb_error *err)
{
    static const struct option names[] = {
        {"profile", required_argument, NULL, 'p'}, {"out", required_argument, NULL, 'o'},
        {"labels", required_argument, NULL, 'l'},  {"seed", required_argument, NULL, 's'},
        {"grid", required_argument, NULL, 'g'},    {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},       {0}};
    for (int c; (c = getopt_long(argc, argv, "p:o:l:s:g:hV", names, NULL)) != -1;) {
        switch (c) {
        case 'p':
            o->profile = optarg;
            break;
        case 'o':
            o->out = optarg;
            break;
        case 'l':
            o->labels = optarg;
            break;
        case 's':
            if (!lb_parse_size(optarg, &o->seed)) {
                LB_FAIL(err, LB_EINVAL, "the seed '%s' is not a whole number", optarg);
                return 2;
            }
            break;
        case 'g':
            o->grid = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        case 'V':
            puts("simulate (loggbook) " LB_VERSION);
            return 0;
        default:
            LB_FAIL(err, LB_EINVAL, "see simulate --help");
            return 2;
        }
    }
    if (optind < argc) {
        LB_FAIL(err, LB_EINVAL, "unexpected argument '%s', see simulate --help", argv[optind]);
        return 2;
    }
    return -1;
}

static lb_status run(const options *o, lb_text *report, lb_error *err)
{
    const bool locked = strcmp(o->labels, "grid_locked") == 0;
    if (!locked && strcmp(o->labels, "continuous") != 0)
        return LB_FAIL(err, LB_EINVAL, "labels can be continuous or grid_locked, not '%s'",
                       o->labels);
    const lb_profile *profile = lb_profile_find(o->profile, err);
    if (!profile)
        return err->status;
    char *out = o->out ? lb_xstrdup(o->out) : lb_xprintf("data/spectra/%s", profile->name);
    char *grid = lb_xprintf("%s/stellar_grid.h5", o->grid);
    char *sky = lb_xprintf("%s/sky_lines.tsv", o->grid);
    const lb_simulation sim = {.profile = profile,
                               .grid_path = grid,
                               .sky_path = sky,
                               .out = out,
                               .grid_locked = locked,
                               .seed = o->seed};
    const lb_status st = lb_simulate(&sim, report, err);
    free(sky);
    free(grid);
    free(out);
    return st;
}

int main(int argc, char **argv)
{
    options o = {.profile = "standard",
                 .labels = "continuous",
                 .grid = "data/grid",
                 .seed = LB_SIMULATION_SEED};
    lb_error err = {0};
    lb_text report = {0};
    int status = parse(argc, argv, &o, &err);
    if (status < 0)
        status = lb_exit_status(run(&o, &report, &err));
    if (report.s)
        fputs(report.s, stdout);
    if (err.status != LB_OK)
        fprintf(stderr, "simulate: %s\n", err.text);
    lb_text_free(&report);
    return status;
}
