#include "commands/command.h"
#include "commands/history_view.h"
#include "commands/show_evidence.h"
#include "commands/terminal.h"
#include "commands/view.h"
#include "commands/where.h"
#include "commands/where_incident.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/analysis/analysis.h"
#include "review/analysis/reanalysis.h"
#include "review/evidence/evidence.h"
#include "review/history/group.h"
#include "review/history/marking.h"
#include "review/store/store.h"

#include <stdlib.h>
#include <string.h>

struct options {
    struct where where;
    bool json, markdown;
    const char *id;
};

/* incident.json as it is stored; with what was found here where that is more, and with what is
 * noted. */
static void print_json(
    const struct store_incident *stored, const struct evidence *evidence, const struct mark *mark)
{
    char *rewritten = evidence ? analysis_rewrite(&stored->text, evidence, NULL) : NULL;
    const char *text = rewritten ? rewritten : stored->text.data;
    size_t size = rewritten ? strlen(rewritten) : stored->text.size;
    const struct history_view_added added = {.mark = mark};
    if (mark_is_empty(mark))
        terminal_print_json(stdout, text, size);
    else
        history_view_json(text, size, &added, stdout);
    bool ended = mark_is_empty(mark) && size > 0 && text[size - 1] == '\n';
    fputs(ended ? "" : "\n", stdout);
    free(rewritten);
}

static void print_view(const struct options *options, const struct store_incident *stored,
    const struct evidence *evidence, const struct mark *mark)
{
    struct view view;
    struct history history;
    char group[GROUP_SIZE];
    group_as_stored(evidence ? evidence->incident : stored->incident, group);
    show_evidence_history(options->where.store, stored, group, &history);
    const struct view_extras extras = {.endpoint = options->where.s3.endpoint,
        .evidence = evidence,
        .history = &history,
        .mark = mark};
    view_init(&view, stored, &extras);
    if (options->markdown)
        view_print_markdown(&view, stdout);
    else
        view_print_text(&view, stdout);
    view_free(&view);
    history_free(&history);
}

static int print_incident(const struct options *options)
{
    struct error err;
    struct store_incident *stored = where_find_incident(
        &options->where, &command_show, options->id);
    if (!stored)
        return EXIT_FAILED;
    const struct reanalysis_wish wish = {.baseline = true, .inflated_bytes = REANALYSIS_MAX};
    bool analysed = false, needed = !options->json || reanalysis_helps(stored->incident);
    struct evidence *evidence =
        needed ? reanalysis_read(options->where.store, stored, &wish, &analysed, &err) : NULL;
    struct mark mark;
    marking_read(options->where.store, stored, &mark, NULL); /* what cannot be read says nothing */
    if (options->json)
        print_json(stored, analysed ? evidence : NULL, &mark);
    else
        print_view(options, stored, evidence, &mark);
    mark_free(&mark);
    evidence_free(evidence);
    store_incident_free(stored);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options options = {.json = false};
    char *argument;
    const struct command_option table[] = {WHERE_OPTIONS(&options.where),
        {.name = "json", .flag = &options.json}, {.name = "markdown", .flag = &options.markdown},
        {.name = NULL}};
    if (options_read(&command_show, argc, argv, table, &argument) != EXIT_DONE)
        return EXIT_USAGE;
    if (options.json && options.markdown)
        return command_misused(&command_show, "--json and --markdown exclude each other");
    int status = where_open_incident(&options.where, &command_show, argument, &options.id);
    if (status == EXIT_DONE)
        status = print_incident(&options);
    where_close(&options.where);
    return status;
}

const struct command command_show = {
    .name = "show",
    .usage = "[-c FILE] [--json | --markdown] [WHERE/]ID",
    .summary = "Shows one incident: what fired and why, the suspect, what grew, its history",
    .help =
        "WHERE is a folder or s3://bucket/prefix; without it, the first directory or s3 exporter\n"
        "of the configuration.\n\n"
        "  --json             incident.json as it is stored; analysed here if it was not before,\n"
        "                     or if something was too large for who did;\n"
        "                     with what is noted about it as `review`\n"
        "  --markdown         to paste into an issue\n" WHERE_HELP,
    .run = run,
};
