#include "commands/command.h"
#include "commands/list_rows.h"
#include "commands/terminal.h"
#include "commands/where.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "core/known.h"
#include "review/history/marking.h"
#include "review/store/store.h"

#include <stdlib.h>
#include <string.h>

struct listing {
    struct where where;
    struct store_filter filter;
    bool json, all, groups;
    size_t duplicates; /* that are not shown */
    const char *group;
    struct list_rows *rows;
};

static void report_broken(const struct store_incident *stored)
{
    char *problem = terminal_safe(stored->problem.text);
    char *location = terminal_safe(stored->location);
    command_failed(&command_list, "skipped %s/incident.json: %s", location, problem);
    free(problem);
    free(location);
}

static int take(void *arg, const struct store_incident *stored)
{
    struct listing *listing = arg;
    bool hides = !listing->json && !listing->all && !listing->group;
    if (stored->incident && stored->incident->fleet.duplicate && hides)
        listing->duplicates++;
    else if (stored->incident)
        list_rows_add(listing->rows, stored, listing->json);
    else
        report_broken(stored);
    return 0;
}

/* What cannot be read leaves nothing known: the list is no worse for it. */
static void read_known(struct listing *listing)
{
    const char *service;
    for (size_t i = 0; (service = list_rows_service(listing->rows, i)); i++) {
        struct known known;
        struct error err;
        if (marking_read_known(listing->where.store, service, &known, &err) < 0) {
            char *problem = terminal_safe(err.text);
            command_failed(&command_list, "nothing counts as known: %s", problem);
            free(problem);
        }
        list_rows_set_known(listing->rows, i, &known);
    }
}

/* On a terminal the same spike is one row; a script gets every incident. */
static size_t print_rows(const struct listing *listing)
{
    bool terminal = terminal_columns(stdout) > 0;
    const struct list_style style = {
        .grouped = !listing->all && !listing->group && (listing->groups || terminal),
        .group = listing->group,
        .colour = terminal_colour(stdout),
        .unicode = terminal_unicode(),
        .columns = terminal_columns(stdout)};
    int64_t now_ms = clock_wall_ms();
    return listing->json ? list_rows_print_json(listing->rows, listing->group, now_ms, stdout)
                         : list_rows_print(listing->rows, &style, now_ms, stdout);
}

/* Counts, and has none read. */
static bool count_hidden(void *arg, const char *service, const char *id, uint64_t stamp)
{
    size_t *count = arg;
    (void)service;
    (void)id;
    (void)stamp;
    ++*count;
    return false;
}

static int take_none(void *arg, const struct store_incident *stored)
{
    (void)arg;
    (void)stored;
    return 0;
}

/* Nothing is there, or the filter hides what is. */
static void say_nothing_found(const struct listing *listing)
{
    size_t hidden = 0;
    const struct store_filter *given = &listing->filter;
    const struct store_filter all = {.since_ms = INT64_MIN, .wanted = count_hidden, .arg = &hidden};
    char *place = terminal_safe(listing->where.place);
    bool filtered = given->service || given->trigger || given->since_ms != INT64_MIN ||
                    listing->group;
    if (filtered)
        store_list(listing->where.store, &all, take_none, NULL, NULL);
    fprintf(stderr, "stakeout list: no incidents found in %s", place);
    if (hidden > 0)
        fprintf(stderr, ": the filter hides %zu", hidden);
    putc('\n', stderr);
    free(place);
}

static int print_all(struct listing *listing)
{
    struct error err;
    listing->rows = list_rows_new();
    int status = store_list(listing->where.store, &listing->filter, take, listing, &err);
    read_known(listing);
    size_t printed = print_rows(listing);
    list_rows_free(listing->rows);
    if (fflush(stdout) != 0 || ferror(stdout))
        return command_failed(&command_list, "cannot write to standard output");
    if (status < 0)
        return command_failed(&command_list, "%s", err.text);
    if (printed == 0)
        say_nothing_found(listing);
    if (listing->duplicates > 0)
        fprintf(stderr, "stakeout list: %zu duplicate%s of a fleet %s not shown; --all shows %s\n",
            listing->duplicates, listing->duplicates == 1 ? "" : "s",
            listing->duplicates == 1 ? "is" : "are", listing->duplicates == 1 ? "it" : "them");
    return EXIT_DONE;
}

static int read_filter(
    struct store_filter *filter, const char *service, const char *trigger, const char *since)
{
    struct error err;
    filter->service = service;
    filter->trigger = trigger;
    filter->since_ms = INT64_MIN;
    if (service && !incident_name_valid(service))
        return command_misused(&command_list, "--service: a name has letters, digits, . _ - only");
    if (since && where_read_since(since, clock_wall_ms(), &filter->since_ms, &err) < 0)
        return command_misused(&command_list, "--since: %s", err.text);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct listing listing = {.json = false};
    const char *service = NULL, *trigger = NULL, *since = NULL;
    char *place;
    const struct command_option options[] = {WHERE_OPTIONS(&listing.where),
        {.name = "service", .text = &service}, {.name = "trigger", .text = &trigger},
        {.name = "since", .text = &since}, {.name = "group", .text = &listing.group},
        {.name = "groups", .flag = &listing.groups}, {.name = "all", .flag = &listing.all},
        {.name = "json", .flag = &listing.json}, {.name = NULL}};
    int status = options_read(&command_list, argc, argv, options, &place);
    if (status == EXIT_DONE)
        status = read_filter(&listing.filter, service, trigger, since);
    if (status == EXIT_DONE && listing.group && !known_group_valid(listing.group))
        status = command_misused(&command_list,
            "--group: a group has 16 hex digits; --json says which an incident is of");
    if (status == EXIT_DONE && listing.groups && listing.all)
        status = command_misused(&command_list, "--groups and --all exclude each other");
    listing.filter.marks = listing.json;
    if (status == EXIT_DONE)
        status = where_open(&listing.where, &command_list, place);
    if (status == EXIT_DONE)
        status = print_all(&listing);
    where_close(&listing.where);
    return status;
}

const struct command command_list = {
    .name = "list",
    .usage = "[-c FILE] [--service NAME] [--trigger NAME] [--since TIME] [--group GROUP]\n"
             "                     [--groups | --all] [--json] [WHERE]",
    .summary = "Lists incidents, newest first",
    .help =
        "WHERE is a folder or s3://bucket/prefix; without it, the first directory or s3 exporter\n"
        "of the configuration. On a terminal the same spike is one row, with the newest of its\n"
        "incidents, how often it was seen among those that are listed, and a verdict: new, seen,\n"
        "known (folded), worse, gone. What does not fit the terminal is left out. Elsewhere there\n"
        "is a row for each.\n\n"
        "  --service NAME     only this service's\n"
        "  --trigger NAME     only this trigger's\n"
        "  --since TIME       only those that fired within a time (7d, 12h), since a date\n"
        "                     (2026-11-23, UTC) or since an RFC 3339 time\n"
        "  --group GROUP      only the incidents of this group, a row each\n"
        "  --groups, --all    one row a group; a row for each incident, also for duplicates of a\n"
        "                     fleet, which are not shown otherwise\n"
        "  --json             the incident.json objects in one array, each with its "
        "history\n"
        "                     and, as `review`, what is noted about it\n" WHERE_HELP,
    .run = run,
};
