#include "commands/command.h"
#include "commands/table.h"
#include "commands/terminal.h"
#include "commands/where.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/store/store.h"

#include <stdlib.h>
#include <string.h>

/* Rows that are looked at before the first is printed: they set the columns. */
enum { BATCH_ROWS = 20 };

static const char *const titles[] = {
    "FIRED (UTC)", "ID", "SERVICE", "TRIGGER", "KIND", "PROFILES", "REASON"};

enum { COLUMNS = sizeof titles / sizeof *titles };

struct listing {
    struct where where;
    struct store_filter filter;
    bool json;
    size_t count;
    struct table table;
    struct table_style style;
};

static void report_broken(const struct store_incident *stored)
{
    char *problem = terminal_safe(stored->problem.text);
    char *location = terminal_safe(stored->location);
    command_failed(&command_list, "skipped %s/incident.json: %s", location, problem);
    free(problem);
    free(location);
}

static void print_object(struct listing *listing, const struct store_incident *stored)
{
    size_t size = stored->text.size;
    while (size > 0 && strchr(" \t\r\n", stored->text.data[size - 1]))
        size--;
    fputs(listing->count ? ",\n" : "[\n", stdout);
    terminal_print_json(stdout, stored->text.data, size);
}

static void print_row(struct listing *listing, const struct incident *incident)
{
    char fired[RFC3339_SIZE], profiles[32];
    rfc3339_format(incident->fired_ms, fired);
    fired[10] = ' ';
    fired[19] = '\0'; /* whole seconds */
    size_t ok = 0;
    for (size_t i = 0; i < incident->profile_count; i++)
        ok += incident->profiles[i].status == PROFILE_OK;
    snprintf(profiles, sizeof profiles, "%zu/%zu", ok, incident->profile_count);
    const char *const cells[COLUMNS] = {fired, incident->id, incident->service,
        incident->trigger.name, incident->kind, profiles, incident->trigger.reason};
    table_add(&listing->table, cells);
    if (listing->table.rows == BATCH_ROWS || listing->table.headed)
        table_flush(&listing->table, stdout, &listing->style);
}

static int print_stored(void *arg, const struct store_incident *stored)
{
    struct listing *listing = arg;
    if (!stored->incident) {
        report_broken(stored);
        return 0;
    }
    if (listing->json)
        print_object(listing, stored);
    else
        print_row(listing, stored->incident);
    listing->count++;
    return ferror(stdout); /* nobody reads any more */
}

static int print_all(struct listing *listing)
{
    struct error err;
    table_init(&listing->table, COLUMNS, titles);
    listing->style = (struct table_style){
        .columns = terminal_columns(stdout), .colour = terminal_colour(stdout)};
    int status = store_list(listing->where.store, &listing->filter, print_stored, listing, &err);
    if (listing->table.rows > 0)
        table_flush(&listing->table, stdout, &listing->style);
    table_free(&listing->table);
    if (listing->json)
        fputs(listing->count ? "\n]\n" : "[]\n", stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        return command_failed(&command_list, "cannot write to standard output");
    if (status < 0)
        return command_failed(&command_list, "%s", err.text);
    if (listing->count == 0)
        fprintf(stderr, "stakeout list: no incidents found in %s\n", listing->where.place);
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
        {.name = "since", .text = &since}, {.name = "json", .flag = &listing.json}, {.name = NULL}};
    int status = options_read(&command_list, argc, argv, options, &place);
    if (status == EXIT_DONE)
        status = read_filter(&listing.filter, service, trigger, since);
    if (status == EXIT_DONE)
        status = where_open(&listing.where, &command_list, place);
    if (status == EXIT_DONE)
        status = print_all(&listing);
    where_close(&listing.where);
    return status;
}

const struct command command_list = {
    .name = "list",
    .usage = "[-c FILE] [--service NAME] [--trigger NAME] [--since TIME] [--json] [WHERE]",
    .summary = "Lists incidents, newest first",
    .help =
        "WHERE is a folder or s3://bucket/prefix; without it, the first directory or s3 exporter\n"
        "of the configuration.\n\n"
        "  --service NAME     only this service's\n"
        "  --trigger NAME     only this trigger's\n"
        "  --since TIME       only those that fired within a time (7d, 12h), since a date\n"
        "                     (2026-11-23, UTC) or since an RFC 3339 time\n"
        "  --json             the incident.json objects in one array\n" WHERE_HELP,
    .run = run,
};
