#include "commands/command.h"
#include "commands/terminal.h"
#include "commands/view.h"
#include "commands/where.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/store/store.h"

#include <stdlib.h>
#include <string.h>

struct options {
    struct where where;
    bool json, markdown;
    char *place; /* NULL: the configuration's */
    const char *id;
};

/* Takes "/NAME=..." off the end of a path. */
static void strip_level(char *path, const char *name)
{
    char *slash = strrchr(path, '/');
    size_t length = strlen(name);
    if (slash && !strncmp(slash + 1, name, length) && slash[1 + length] == '=')
        *slash = '\0';
}

/* [WHERE/]ID, also as the path of the incident's own folder, which is what `show` prints. Cuts
 * `argument` to the id. */
static void split_argument(char *argument, struct options *options)
{
    size_t length = strlen(argument);
    while (length > 1 && argument[length - 1] == '/')
        argument[--length] = '\0';
    char *slash = strrchr(argument, '/');
    options->id = slash ? slash + 1 : argument;
    if (!slash)
        return;
    options->place = xstrndup(argument, (size_t)(slash - argument));
    strip_level(options->place, "date");
    strip_level(options->place, "service");
    if (!*options->place) {
        free(options->place);
        options->place = xstrdup("/");
    }
}

static int print_incident(const struct options *options)
{
    struct error err;
    struct store_incident *stored = store_find(options->where.store, options->id, &err);
    if (!stored) {
        char *reason = terminal_safe(err.text);
        command_failed(&command_show, "%s", reason);
        free(reason);
        return EXIT_FAILED;
    }
    if (options->json) {
        terminal_print_json(stdout, stored->text.data, stored->text.size);
        bool ended = stored->text.size > 0 && stored->text.data[stored->text.size - 1] == '\n';
        fputs(ended ? "" : "\n", stdout);
    } else {
        struct view view;
        view_init(&view, stored, options->where.s3.endpoint);
        if (options->markdown)
            view_print_markdown(&view, stdout);
        else
            view_print_text(&view, stdout);
        view_free(&view);
    }
    store_incident_free(stored);
    if (fflush(stdout) != 0 || ferror(stdout))
        return command_failed(&command_show, "cannot write to standard output");
    return EXIT_DONE;
}

static int read_options(int argc, char **argv, struct options *options)
{
    char *argument;
    const struct command_option table[] = {WHERE_OPTIONS(&options->where),
        {.name = "json", .flag = &options->json}, {.name = "markdown", .flag = &options->markdown},
        {.name = NULL}};
    if (options_read(&command_show, argc, argv, table, &argument) != EXIT_DONE)
        return EXIT_USAGE;
    if (options->json && options->markdown)
        return command_misused(&command_show, "--json and --markdown exclude each other");
    if (!argument)
        return command_misused(
            &command_show, "which incident? Give its id; `stakeout list` shows them");
    split_argument(argument, options);
    if (!incident_id_valid(options->id))
        return command_misused(&command_show,
            "that is not the id of an incident, which looks like "
            "20261123T150401Z-cpu-high-1a2b3c; `stakeout list` shows them");
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    int status = read_options(argc, argv, &options);
    if (status == EXIT_DONE)
        status = where_open(&options.where, &command_show, options.place);
    if (status == EXIT_DONE)
        status = print_incident(&options);
    where_close(&options.where);
    free(options.place);
    return status;
}

const struct command command_show = {
    .name = "show",
    .usage = "[-c FILE] [--json | --markdown] [WHERE/]ID",
    .summary = "Shows one incident: what fired and why, its profiles, its peaks",
    .help =
        "WHERE is a folder or s3://bucket/prefix; without it, the first directory or s3 exporter\n"
        "of the configuration.\n\n"
        "  --json             incident.json as it is stored\n"
        "  --markdown         to paste into an issue\n" WHERE_HELP,
    .run = run,
};
