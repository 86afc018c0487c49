#include "review/page/report.h"
#include "commands/command.h"
#include "commands/options.h"
#include "commands/report_memory.h"
#include "commands/report_repair.h"
#include "commands/terminal.h"
#include "config/units.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "review/analysis/analysis.h"
#include "review/evidence/evidence.h"
#include "review/store/store_backend.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct reporting {
    const char *folder, *baseline; /* baseline NULL: where the storage has it, */
    const char *baselines;         /* or in here, each below its id */
    size_t profile_bytes;          /* that they may inflate to */
    struct buf text;               /* incident.json as it was */
    struct evidence *evidence;
};

/* Says why on standard error; the text may quote what is in the folder. */
static int failed(const char *sentence)
{
    char *safe = terminal_safe(sentence);
    int status = command_failed(&command_report, "%s", safe);
    free(safe);
    return status;
}

static void tell_file(const char *folder, const char *file, const char *problem)
{
    char *sentence = xasprintf("%s/%s: %s", folder, file, problem);
    failed(sentence);
    free(sentence);
}

/* Files of one incident. Only regular ones are read: no link leads out of the folder. */
static int read_file(void *folder, const char *name, size_t max, struct buf *buf, struct error *err)
{
    return store_folder.read(folder, name, max, buf, err);
}

static struct evidence_place place_of(void *folder)
{
    return (struct evidence_place){.read = read_file, .arg = folder};
}

/* The path, which is freed when there is nothing. */
static char *if_there(char *path)
{
    if (fs_exists(path))
        return path;
    free(path);
    return NULL;
}

/* Where the storage has the baseline of the incident in this folder, when the folder is in a
 * storage at all: <place>/service=<service>/date=<date>/<id>. NULL else; the caller frees. */
static char *find_baseline(const char *folder, const struct incident *incident)
{
    char *path = realpath(folder, NULL), *found = NULL;
    if (!path)
        return NULL;
    char *own = incident_folder(incident->service, incident->id);
    size_t length = strlen(path), tail = strlen(own);
    if (length > tail && path[length - tail - 1] == '/' && !strcmp(path + length - tail, own)) {
        char *relative = incident_folder(incident->service, incident->baseline);
        found = xasprintf("%.*s%s", (int)(length - tail), path, relative);
        free(relative);
    }
    free(own);
    free(path);
    return found ? if_there(found) : NULL;
}

/* The folder of the baseline, opened; NULL: there is none. */
static void *open_baseline(const struct reporting *reporting, struct error *err)
{
    struct incident *incident = incident_from_text(reporting->text.data, reporting->text.size, err);
    if (!incident)
        return NULL;
    char *path = reporting->baseline ? xstrdup(reporting->baseline) : NULL;
    if (!path && incident->baseline && reporting->baselines)
        path = if_there(xasprintf("%s/%s", reporting->baselines, incident->baseline));
    if (!path && incident->baseline)
        path = find_baseline(reporting->folder, incident);
    incident_free(incident);
    void *folder = path ? store_folder_open(path, err) : NULL;
    free(path);
    return folder;
}

static int read_evidence(struct reporting *reporting, void *folder, struct error *err)
{
    if (read_file(folder, "incident.json", INCIDENT_TEXT_MAX, &reporting->text, err) < 0)
        return error_prefix(err, "%s is no incident", reporting->folder);
    report_repair(reporting->folder, folder, &reporting->text, reporting->profile_bytes);
    err->text[0] = '\0';
    void *baseline = open_baseline(reporting, err);
    if (!baseline && reporting->baseline)
        return error_set(err, "the baseline: %s", *err->text ? err->text : "it is not there");
    struct evidence_place place = place_of(folder), base = place_of(baseline);
    struct evidence_limits limits = {.inflated_bytes = reporting->profile_bytes};
    reporting->evidence = evidence_read(&place, baseline ? &base : NULL, &limits, err);
    if (baseline)
        store_folder.close(baseline);
    return reporting->evidence
               ? 0
               : error_prefix(err, "%s is no incident: its incident.json", reporting->folder);
}

/* The report first: incident.json tells what is complete. */
static int write_results(const struct reporting *reporting, struct error *err)
{
    struct buf page;
    buf_init(&page, REPORT_MAX);
    report_write(&page, reporting->evidence, NULL);
    int status = fs_write_in(reporting->folder, "report.html", page.data, page.size, err);
    buf_free(&page);
    if (status < 0)
        return -1;
    char *text = analysis_rewrite(&reporting->text, reporting->evidence, err);
    if (!text)
        return -1;
    size_t size = strlen(text);
    bool changed = size != reporting->text.size || memcmp(text, reporting->text.data, size) != 0;
    status = changed ? fs_write_in(reporting->folder, "incident.json", text, size, err) : 0;
    free(text);
    return status;
}

/* What is not as it was stored is told, and costs only itself. */
static void tell_damage(const struct reporting *reporting)
{
    const struct evidence *evidence = reporting->evidence;
    const struct incident *incident = evidence->incident;
    for (size_t i = 0; i < evidence->profile_count; i++) {
        const struct evidence_profile *profile = &evidence->profiles[i];
        if (*profile->damage.text)
            tell_file(
                reporting->folder, incident->profiles[profile->listed].file, profile->damage.text);
    }
    if (incident->metrics_file && *evidence->no_metrics.text)
        tell_file(reporting->folder, incident->metrics_file, evidence->no_metrics.text);
}

static int report(void *arg, size_t profile_bytes)
{
    struct reporting *reporting = arg;
    struct error err = {""};
    reporting->profile_bytes = profile_bytes;
    buf_init(&reporting->text, INCIDENT_TEXT_MAX);
    errno = 0; /* stays so when it is a file */
    void *folder = store_folder_open(reporting->folder, &err);
    int status = folder ? read_evidence(reporting, folder, &err)
                        : error_set(&err,
                              "%s is not the folder of one incident, which has an "
                              "incident.json: %s",
                              reporting->folder, strerror(errno == 0 ? ENOTDIR : errno));
    if (status == 0) {
        tell_damage(reporting);
        analysis_run(reporting->evidence);
        status = write_results(reporting, &err);
    }
    evidence_free(reporting->evidence);
    buf_free(&reporting->text);
    if (folder)
        store_folder.close(folder);
    return status < 0 ? failed(err.text) : EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct reporting reporting = {.folder = NULL};
    const char *memory = NULL;
    char *folder;
    const struct command_option options[] = {{.name = "baseline", .text = &reporting.baseline},
        {.name = "baselines", .text = &reporting.baselines}, {.name = "memory", .text = &memory},
        {.name = NULL}};
    if (options_read(&command_report, argc, argv, options, &folder) != EXIT_DONE)
        return EXIT_USAGE;
    if (!folder)
        return command_misused(
            &command_report, "which incident? Give its folder, in which incident.json lies");
    struct error err;
    int64_t bytes;
    if (memory &&
        (units_read_bytes(memory, &bytes, &err) < 0 || report_memory_limit(bytes, &err) < 0))
        return command_misused(&command_report, "--memory: %s", err.text);
    reporting.folder = folder;
    return report_memory_guard(report, &reporting);
}

const struct command command_report = {
    .name = "report",
    .usage = "[--baseline DIR | --baselines DIR] [--memory SIZE] DIR",
    .summary = "Writes report.html and the analysis into an incident's folder",
    .help =
        "DIR is the folder of one incident. report.html is one file that needs no other; the\n"
        "headline, the suspect and what else was found are written to incident.json as well.\n"
        "Doing it again gives the same again. A file that is damaged is told, and left out.\n\n"
        "  --baseline DIR   the folder of the calm-time incident to compare with; without it,\n"
        "                   the one that incident.json names, if it is stored beside this one\n"
        "  --baselines DIR  look for that one in here first, in a folder called by its id\n"
        "  --memory SIZE    what the process may take of memory: profiles for which that is too\n"
        "                   little are left out, and the report says so\n",
    .run = run,
};
