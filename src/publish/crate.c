/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "publish/crate.h"

#include "core/hash.h"
#include "core/memory.h"
#include "record/export.h"
#include "report/folder.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CRATE "https://w3id.org/ro/crate/1.1"
#define WORKFLOW "workflow/Makefile"
static const struct {
    const char *id, *name, *version;
} profiles[] = {{"https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"},
                {"https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"},
                {"https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"}};
enum { PROFILES = sizeof profiles / sizeof *profiles, PREFIX = 7 /* "sha256:" */ };

static void add_dump(json_t *root, size_t flags, lb_text *out)
{
    char *text = json_dumps(root, flags | JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    if (!text)
        abort(); /* out of memory */
    lb_text_printf(out, "%s\n", text);
    free(text);
    json_decref(root);
}

void lb_crate_numbers(const lb_site *site, lb_text *out)
{
    json_t *all = json_object();
    for (size_t i = 0; i < site->n; i++) {
        lb_text text = {0};
        lb_export_json(site->items[i].record, site->items[i].member->spec, &text);
        json_object_set_new(all, site->items[i].name, json_loads(text.s, 0, NULL));
        lb_text_free(&text);
    }
    add_dump(all, JSON_SORT_KEYS, out);
}

/* --- the graph ---------------------------------------------------------------------------------
 */

static json_t *reference(const char *id)
{
    return json_pack("{s:s}", "@id", id);
}

/* {"@id": id, "@type": type, "name": name} in the graph; borrowed. */
static json_t *entity(json_t *graph, const char *id, const char *type, const char *name)
{
    json_t *e = json_pack("{s:s, s:s, s:s}", "@id", id, "@type", type, "name", name);
    json_array_append_new(graph, e);
    return e;
}

static void refer(json_t *list, const char *format, const char *a, const char *b)
{
    char *id = lb_xprintf("%s%s%s", format, a, b);
    json_array_append_new(list, reference(id));
    free(id);
}

static const char *media_type(const char *name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {{".html", "text/html"},          {".pdf", "application/pdf"},
                 {".tar.gz", "application/gzip"}, {".md", "text/markdown"},
                 {".svg", "image/svg+xml"},       {".h5", "application/x-hdf5"},
                 {".json", "application/json"},   {".tsv", "text/tab-separated-values"},
                 {".yaml", "application/yaml"}};
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const size_t m = strlen(types[i].ending);
        if (n > m && strcmp(name + n - m, types[i].ending) == 0)
            return types[i].type;
    }
    return "text/plain";
}

/* A file of the edition, its size and hash; the Makefile is also the workflow. */
static lb_status add_file(json_t *graph, const char *folder, const char *name, lb_error *err)
{
    char hash[LB_HASH_SIZE], *path = lb_xprintf("%s/%s", folder, name);
    struct stat info = {0};
    const lb_status st = lb_hash_file(path, hash, err);
    if (st == LB_OK && stat(path, &info) == 0) {
        json_t *e = entity(graph, name, "File", name);
        json_object_set_new(e, "encodingFormat", json_string(media_type(name)));
        json_object_set_new(e, "contentSize", json_integer(info.st_size));
        json_object_set_new(e, "sha256", json_string(hash + PREFIX));
        if (strcmp(name, WORKFLOW) == 0) {
            json_object_set_new(
                e, "@type",
                json_pack("[s,s,s]", "File", "SoftwareSourceCode", "ComputationalWorkflow"));
            json_object_set_new(e, "programmingLanguage", reference("#make"));
        }
    }
    free(path);
    return st;
}

/* The spectra a record was made from: not in the edition, known by their hashes. */
static void add_data(json_t *graph, const lb_archive *a, json_t *objects)
{
    size_t n;
    const lb_pair *pairs = lb_archive_provenances(a, &n);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(pairs[i].key, "data.", 5) != 0 || strncmp(pairs[i].value, "sha256:", 7) != 0)
            continue;
        char *id = lb_xprintf("#%s", pairs[i].value);
        size_t k = 0;
        json_t *other;
        json_array_foreach(graph, k, other)
        {
            if (strcmp(json_string_value(json_object_get(other, "@id")), id) == 0)
                break;
        }
        if (k == json_array_size(graph)) {
            json_t *e = entity(graph, id, "Dataset", pairs[i].key);
            json_object_set_new(e, "identifier", json_string(pairs[i].value));
        }
        json_array_append_new(objects, reference(id));
        free(id);
    }
}

static void add_run(json_t *graph, const lb_exhibit *e, json_t *runs)
{
    const lb_archive *a = e->record;
    json_t *objects = json_array(), *results = json_array();
    char *run = lb_xprintf("#run-%s", e->name), *tool = lb_xprintf("#program-%s", e->name);
    add_data(graph, a, objects);
    refer(objects, "specs/", e->name, ".yaml");
    refer(results, "records/", e->name, ".h5");
    for (int l = 0; l < LB_LANGUAGES; l++) {
        char *ending = lb_xprintf(".%s.html", lb_language[l]);
        refer(results, "reports/", e->name, ending);
        free(ending);
    }
    json_t *program =
        entity(graph, tool, "SoftwareApplication", lb_archive_provenance(a, "program"));
    json_object_set_new(program, "softwareVersion",
                        json_string(lb_archive_provenance(a, "version")));
    json_object_set_new(program, "identifier", json_string(lb_archive_provenance(a, "git.commit")));
    json_t *action = entity(graph, run, "CreateAction",
                            lb_spec_text(e->member->spec, "title", lb_language[LB_EN]));
    json_object_set_new(action, "instrument", reference(tool));
    json_object_set_new(action, "object", objects);
    json_object_set_new(action, "result", results);
    json_array_append_new(runs, reference(run));
    free(tool);
    free(run);
}

/* The run of the whole: make, from all settings to all that was published. */
static void add_whole_run(json_t *graph, const lb_site *site, const lb_names *names, json_t *runs)
{
    json_t *action = entity(graph, "#run", "CreateAction", "make reports publish");
    json_t *objects = json_array(), *results = json_array();
    for (size_t i = 0; i < site->n; i++)
        refer(objects, "specs/", site->items[i].name, ".yaml");
    for (size_t i = 0; i < names->n; i++) {
        if (strncmp(names->at[i], "specs/", 6) != 0 && strcmp(names->at[i], WORKFLOW) != 0)
            json_array_append_new(results, reference(names->at[i]));
    }
    json_object_set_new(action, "instrument", reference(WORKFLOW));
    json_object_set_new(action, "object", objects);
    json_object_set_new(action, "result", results);
    json_array_insert_new(runs, 0, reference("#run"));
}

static const char *newest_date(const lb_site *site)
{
    const char *newest = "";
    for (size_t i = 0; i < site->n; i++) {
        const char *date = lb_spec_text(site->items[i].member->spec, "date", "en");
        newest = strcmp(date, newest) > 0 ? date : newest;
    }
    return newest;
}

static void add_root(json_t *graph, const lb_site *site, const lb_names *names, json_t *runs)
{
    json_t *conforms = json_array(), *parts = json_array();
    json_t *about = entity(graph, "ro-crate-metadata.json", "CreativeWork", "RO-Crate metadata");
    json_object_set_new(about, "about", reference("./"));
    json_object_set_new(about, "conformsTo",
                        json_pack("[{s:s},{s:s}]", "@id", CRATE, "@id", profiles[PROFILES - 1].id));
    for (size_t i = 0; i < PROFILES; i++) {
        json_t *p = entity(graph, profiles[i].id, "CreativeWork", profiles[i].name);
        json_object_set_new(p, "version", json_string(profiles[i].version));
        json_array_append_new(conforms, reference(profiles[i].id));
    }
    for (size_t i = 0; i < names->n; i++)
        json_array_append_new(parts, reference(names->at[i]));
    char *name = lb_xprintf("loggbook %s, profile %s", site->version, site->profile);
    json_t *root = entity(graph, "./", "Dataset", name);
    free(name);
    json_object_set_new(
        root, "description",
        json_string("Reports on mixture-of-experts experiments with stellar spectra, "
                    "the records they were filled from, and their provenance."));
    json_object_set_new(root, "datePublished", json_string(newest_date(site)));
    json_object_set_new(root, "license", reference("https://spdx.org/licenses/GPL-3.0-or-later"));
    json_object_set_new(root, "author", reference("#authors"));
    json_object_set_new(root, "conformsTo", conforms);
    json_object_set_new(root, "hasPart", parts);
    json_object_set_new(root, "mainEntity", reference(WORKFLOW));
    json_object_set_new(root, "mentions", runs);
    entity(graph, "#authors", "Organization", "The loggbook authors");
    entity(graph, "https://spdx.org/licenses/GPL-3.0-or-later", "CreativeWork", "GPL-3.0-or-later");
    json_t *make = entity(graph, "#make", "ComputerLanguage", "GNU make");
    json_object_set_new(make, "url", json_string("https://www.gnu.org/software/make/"));
}

lb_status lb_crate_metadata(const lb_site *site, const char *folder, lb_text *out, lb_error *err)
{
    lb_names names = {0};
    json_t *graph = json_array(), *runs = json_array();
    lb_status st = lb_folder_list(folder, &names, err);
    for (size_t i = 0; i < names.n && st == LB_OK; i++)
        st = add_file(graph, folder, names.at[i], err);
    if (st == LB_OK) {
        for (size_t i = 0; i < site->n; i++)
            add_run(graph, &site->items[i], runs);
        add_whole_run(graph, site, &names, runs);
        add_root(graph, site, &names, json_incref(runs));
        add_dump(json_pack("{s:[s,s], s:O}", "@context", CRATE "/context",
                           "https://w3id.org/ro/terms/workflow-run/context", "@graph", graph),
                 0, out);
    }
    lb_names_free(&names);
    json_decref(runs);
    json_decref(graph);
    return st;
}
