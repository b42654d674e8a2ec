/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loggbook: fill reports from records, check them, freeze and compare results.
 * Data on stdout, messages on stderr. Exit 0 ok, 1 a finding, 2 could not do it.
 */
#include "core/memory.h"
#include "data/describe.h"
#include "publish/publish.h"
#include "report/commands.h"
#include "report/template.h"
#include "views/views.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct command {
    const char *name, *arguments, *summary, *help;
    size_t least, most; /* arguments */
    lb_status (*run)(lb_job *j);
} command;

enum { ANY = 999 };

static lb_status run_info(lb_job *j)
{
    lb_status st = LB_OK;
    for (size_t i = 0; i < j->n && st == LB_OK; i++)
        st = lb_describe(j->args[i], j->o->keys, &j->out, j->err);
    return st;
}

static const command commands[] = {
    {"fill", "EXPERIMENT", "Fill a report from its record",
     "Fills templates/experiments/EXPERIMENT/report.LANG.md. Without --out the Markdown goes to\n"
     "standard output. --annotated writes the form for pandoc, in which each number leads to its\n"
     "provenance; --depfile what both were made from, as a rule of make.\n",
     1, 1, lb_command_fill},
    {"verify", "[EXPERIMENT...]", "Compare records with their frozen values",
     "Prints what moved, by how many standard errors, and every verdict that flipped.\n", 0, ANY,
     lb_command_verify},
    {"freeze", "--reason TEXT [EXPERIMENT...]", "Make today's results the reference",
     "Shows what differs first; without --reason it stops there.\n", 0, ANY, lb_command_freeze},
    {"diff", "A [B [EXPERIMENT...]]", "Tell what changed between two states of the results",
     "Markdown for a pull request: numbers by standard errors, verdicts, sentences, figures, and\n"
     "the inputs that differ. A and B are git revisions, or two files of one experiment (.h5 or\n"
     ".tsv). Without B, or with \"\" for it: the working tree, its records before its frozen "
     "files,\n"
     "its finished pages as they stand.\n",
     1, ANY, lb_command_diff},
    {"numbers", "EXPERIMENT", "Print the numbers of a record",
     "As JSON (--json, the default; with all else a page may state) or tab-separated (--tsv).\n", 1,
     1, lb_command_numbers},
    {"import", "FILE.json --as EXPERIMENT", "Make a record of numbers another program computed",
     "FILE.json is what `loggbook numbers` prints, or as little of it as\n"
     "{\"e23.r2\": {\"value\": 0.91, \"kind\": \"r2\"}}; src/record/import.h documents it. The "
     "record "
     "says\nwhere it came from.\n",
     1, 1, lb_command_import},
    {"why", "KEY", "Print the trail of one number",
     "Program, data, seed, commit, frozen and published value, verdicts that rest on it.\n", 1, 1,
     lb_command_why},
    {"lint", "[EXPERIMENT|PAGE.md...]", "Check templates and finished pages",
     "Digits typed in prose, unknown and unused keys, figures, both languages; in a finished page\n"
     "tags, TODO and NaN that were left.\n",
     0, ANY, lb_command_lint},
    {"audit", "", "Find contradictions among all numbers that were printed",
     "Compares the published numbers with each other, the records with each other, and the pages\n"
     "with the records, and writes audit.en.md and audit.zh.md. Contradictions of others are what\n"
     "it reports; those of our own end it with 1.\n",
     0, 0, lb_command_audit},
    {"views", "--out DIR", "Write the documents above the reports",
     "Fills templates/views from all records of the profile: summary, framework, hub, roadmap,\n"
     "kanban and cards, in both languages, into DIR, where the finished reports are; the graph of\n"
     "dependencies goes to the figures.\n",
     0, 0, lb_command_views},
    {"new", "NAME", "Start a new experiment",
     "Writes a program, a spec and two reports that already build; NAME is like e22_idea.\n", 1, 1,
     lb_command_new},
    {"publish", "DIR", "Gather the finished reports and views in one folder",
     "Site, PDFs, LaTeX, records, numbers.json, RO-Crate metadata and a manifest, from what `make\n"
     "reports views audit` made. DIR is replaced at the end, or left as it was.\n",
     1, 1, lb_command_publish},
    {"publish-check", "DIR", "Compare a published folder with its manifest",
     "Prints every file that is missing, changed or extra; DIR may lie anywhere.\n", 1, 1,
     lb_command_publish_check},
    {"info", "FILE...", "Describe spectra in HDF5",
     "Rows, pixels, wavelengths, labels, signal to noise, bad rows; --keys for programs.\n", 1, ANY,
     run_info},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* --- the command line --------------------------------------------------------------------------
 */

/* Each option with the commands it belongs to; NULL: all of them. */
static const struct {
    const char *commands, *line;
} options_help[] = {
    {"fill", "  --lang LANG       en (default) or zh"},
    {"fill", "  --out FILE        the Markdown for readers"},
    {"audit", "  --out DIR         where the two reports go   [reports, or build/PROFILE]"},
    {"fill", "  --annotated FILE  the Markdown for pandoc, each number linked to its provenance"},
    {"fill", "  --depfile FILE    what both were made from, as a rule of make"},
    {"audit", "  --annotated DIR   the same for pandoc, each number linked to its provenance"},
    {"views", "  --out DIR         the folder of the finished reports"},
    {"views", "  --annotated DIR   the same for pandoc, each number linked to its provenance"},
    {"freeze", "  --reason TEXT     why the reference changes; kept in its history"},
    {"diff",
     "  --fail-on WHAT    exit 1 on: drift (default: a number beyond its tolerance, a flipped\n"
     "                    verdict, a key that is gone), verdict (flips alone), any (whatever\n"
     "                    differs in numbers, sentences or figures), never"},
    {"numbers", "  --json, --tsv     format of the output"},
    {"import", "  --as EXPERIMENT   whose record it becomes; its spec.yaml must be there"},
    {"info", "  --keys            key and value, a line each"},
    {NULL,
     "  --profile NAME    quick, standard (default), large, million, or that of your own data"},
    {NULL, "  --results DIR     records           [data/results/PROFILE]"},
    {NULL, "  --frozen DIR      frozen values     [data/frozen/PROFILE]"},
    {NULL, "  --figures DIR     figures           [figures, or build/PROFILE/figures]"},
    {"diff", "  --reports DIR     finished reports  [reports, or build/PROFILE/reports]"},
    {"publish", "  --reports DIR     finished reports  [reports, or build/PROFILE/reports]"},
    {NULL, "  --published FILE  published values  [data/published/published.tsv]"},
    {NULL, "  --templates DIR   templates         [templates]"},
    {NULL, "  --help, --version"},
};

static void print_help(const command *c)
{
    if (c) {
        printf("Usage: loggbook %s [OPTION...] %s\n\n%s.\n%s\n", c->name, c->arguments, c->summary,
               c->help);
    } else {
        puts("Usage: loggbook COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:");
        for (size_t i = 0; i < N_COMMANDS; i++)
            printf("  %-13s %-30s %s\n", commands[i].name, commands[i].arguments,
                   commands[i].summary);
        puts("\n`loggbook COMMAND --help` says more.\n");
    }
    puts("Options:");
    for (size_t i = 0; i < sizeof options_help / sizeof *options_help; i++) {
        const char *owner = options_help[i].commands;
        if (!owner || (c && strcmp(owner, c->name) == 0))
            puts(options_help[i].line);
    }
    puts("Exit status: 0 ok, 1 a finding (drift, lint, a false claim), 2 could not do it.");
}

static int usage(const char *message, const char *word)
{
    fprintf(stderr, "loggbook: %s%s\nTry 'loggbook --help'.\n", message, word);
    return 2;
}

static const struct option long_options[] = {{"profile", required_argument, NULL, 'p'},
                                             {"results", required_argument, NULL, 'r'},
                                             {"templates", required_argument, NULL, 't'},
                                             {"frozen", required_argument, NULL, 'z'},
                                             {"figures", required_argument, NULL, 'f'},
                                             {"reports", required_argument, NULL, 'e'},
                                             {"published", required_argument, NULL, 'P'},
                                             {"lang", required_argument, NULL, 'l'},
                                             {"out", required_argument, NULL, 'o'},
                                             {"annotated", required_argument, NULL, 'a'},
                                             {"depfile", required_argument, NULL, 'd'},
                                             {"reason", required_argument, NULL, 'R'},
                                             {"as", required_argument, NULL, 'A'},
                                             {"fail-on", required_argument, NULL, 'F'},
                                             {"json", no_argument, NULL, 'j'},
                                             {"tsv", no_argument, NULL, 'T'},
                                             {"keys", no_argument, NULL, 'k'},
                                             {"help", no_argument, NULL, 'h'},
                                             {"version", no_argument, NULL, 'V'},
                                             {NULL, 0, NULL, 0}};

/* The field an option with an argument sets. */
static const char **field_of(lb_options *o, int letter)
{
    switch (letter) {
    case 'p':
        return &o->profile;
    case 'r':
        return &o->results;
    case 't':
        return &o->templates;
    case 'z':
        return &o->frozen;
    case 'f':
        return &o->figures;
    case 'e':
        return &o->reports;
    case 'P':
        return &o->published;
    case 'l':
        return &o->language;
    case 'o':
        return &o->out;
    case 'a':
        return &o->annotated;
    case 'd':
        return &o->depfile;
    case 'A':
        return &o->as;
    case 'F':
        return &o->fail_on;
    default:
        return &o->reason;
    }
}

static int run(const command *c, const lb_options *o, char **args, size_t n)
{
    lb_error err = {0};
    const bool standard = strcmp(o->profile, "standard") == 0;
    char *results = o->results ? lb_xstrdup(o->results) : lb_xprintf("data/results/%s", o->profile);
    char *frozen = o->frozen ? lb_xstrdup(o->frozen) : lb_xprintf("data/frozen/%s", o->profile);
    char *figures = o->figures ? lb_xstrdup(o->figures)
                    : standard ? lb_xstrdup("figures")
                               : lb_xprintf("build/%s/figures", o->profile);
    char *reports = o->reports ? lb_xstrdup(o->reports)
                    : standard ? lb_xstrdup("reports")
                               : lb_xprintf("build/%s/reports", o->profile);
    char *shared = lb_xprintf("%s/views", o->templates);
    lb_job j = {.o = o, .args = args, .n = n, .reports = reports, .err = &err};
    j.places = (lb_places){.profile = o->profile,
                           .results = results,
                           .shared = shared,
                           .frozen = frozen,
                           .published = o->published,
                           .figures = figures,
                           .sources = "."};
    lb_status st = c->run(&j);
    if (j.out.s)
        fputs(j.out.s, stdout);
    if (fflush(stdout) != 0 && (st == LB_OK || st == LB_EFINDING)) {
        err = (lb_error){0};
        st = LB_FAIL(&err, LB_EIO, "cannot write to standard output");
    }
    if (st != LB_OK && err.text[0]) {
        const bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
        fprintf(stderr, "%sloggbook:%s %s\n", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "",
                err.text);
    }
    lb_text_free(&j.out);
    lb_catalogue_free(&j.all);
    free(results);
    free(frozen);
    free(figures);
    free(reports);
    free(shared);
    return lb_exit_status(st);
}

static const command *find_command(const char *word)
{
    for (size_t i = 0; word && i < N_COMMANDS; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int no_command(const char *word)
{
    const char *names[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i].name;
    char *hint = lb_suggestion(word, names, N_COMMANDS);
    fprintf(stderr, "loggbook: no command '%s'%s\n", word, hint);
    free(hint);
    return 2;
}

int main(int argc, char **argv)
{
    lb_options o = {.profile = "standard",
                    .templates = "templates",
                    .published = "data/published/published.tsv",
                    .language = "en"};
    bool help = false;
    for (int letter; (letter = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (letter == '?')
            return 2; /* getopt has said why */
        if (letter == 'V') {
            puts("loggbook " LB_VERSION);
            return 0;
        }
        if (letter == 'h')
            help = true;
        else if (letter == 'T')
            o.tsv = true;
        else if (letter == 'k')
            o.keys = true;
        else if (letter != 'j') /* JSON is what there is without --tsv */
            *field_of(&o, letter) = optarg;
    }
    const char *word = optind < argc ? argv[optind++] : NULL;
    const command *c = find_command(word);
    if (help && (c || !word)) {
        print_help(c);
        return 0;
    }
    if (!word)
        return usage("no command given", "");
    if (!c)
        return no_command(word);
    const size_t n = (size_t)(argc - optind);
    if (n < c->least || n > c->most)
        return usage("expected: ", c->arguments);
    return run(c, &o, argv + optind, n);
}
