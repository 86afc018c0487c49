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

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Rows with all that there is to say of them: how often each was seen needs all of them. More are
 * printed as they are read. A terminal gets no more unless more is asked for. */
enum { AT_ONCE = 200 };

/* Whoever waits for what cannot be printed yet is told how far it is this often. */
static const int64_t progress_ms = 500;

struct listing {
    struct where where;
    struct store_filter filter;
    bool json, all, groups, verbose;
    bool shortened;    /* the limit is not the user's */
    size_t duplicates; /* that are not shown */
    const char *group;
    struct list_style style;
    struct list_rows *rows;
    struct list_table *table; /* of those that are printed as they are read; NULL: not yet */
    size_t read, printed;
    int64_t began_ms;       /* monotonic */
    int64_t progress_at_ms; /* monotonic; 0: nothing of it is on the terminal */
    struct error problem;   /* that ended it; "": none */
};

static void clear_progress(struct listing *listing)
{
    if (listing->progress_at_ms > 0)
        fputs("\r\x1b[K", stderr);
    listing->progress_at_ms = 0;
}

static void tell_progress(struct listing *listing)
{
    int64_t now_ms = clock_mono_ms();
    int64_t last_ms = listing->progress_at_ms > 0 ? listing->progress_at_ms : listing->began_ms;
    if (listing->table || now_ms - last_ms < progress_ms || terminal_columns(stderr) == 0)
        return;
    fprintf(stderr, "\rstakeout list: %zu incident%s read", listing->read,
        listing->read == 1 ? "" : "s");
    listing->progress_at_ms = now_ms;
}

static void report_broken(const struct store_incident *stored)
{
    char *problem = terminal_safe(stored->problem.text);
    char *location = terminal_safe(stored->location);
    command_failed(&command_list, "skipped %s/incident.json: %s", location, problem);
    free(problem);
    free(location);
}

/* Non-zero when nobody reads it any more. */
static int print_as_read(struct listing *listing)
{
    if (!listing->table && list_rows_count(listing->rows) <= AT_ONCE)
        return 0;
    if (!listing->table)
        listing->table = list_table_new(&listing->style);
    listing->printed += list_table_flush(listing->table, listing->rows, stdout);
    return fflush(stdout) != 0 || ferror(stdout);
}

static int take(void *arg, const struct store_incident *stored)
{
    struct listing *listing = arg;
    if (!stored->incident) {
        clear_progress(listing);
        report_broken(stored);
        return 0;
    }
    bool hides = !listing->json && !listing->all && !listing->group;
    if (stored->incident->fleet.duplicate && hides) {
        listing->duplicates++;
        return 0;
    }
    listing->read++;
    if (list_rows_add(listing->rows, stored, &listing->problem) < 0)
        return 1;
    if (!listing->json && !listing->style.grouped)
        return print_as_read(listing);
    tell_progress(listing);
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
static struct list_style style_of(const struct listing *listing)
{
    bool terminal = terminal_columns(stdout) > 0;
    return (struct list_style){
        .grouped = !listing->all && !listing->group && (listing->groups || terminal),
        .group = listing->group,
        .one_service = listing->filter.service != NULL,
        .colour = terminal_colour(stdout),
        .unicode = terminal_unicode(),
        .columns = terminal_columns(stdout)};
}

/* What has not been printed as it was read. */
static int print_rest(struct listing *listing)
{
    int64_t now_ms = clock_wall_ms();
    if (listing->table) {
        listing->printed += list_table_flush(listing->table, listing->rows, stdout);
        return 0;
    }
    read_known(listing);
    if (listing->json)
        return list_rows_print_json(
            listing->rows, listing->group, now_ms, stdout, &listing->printed, &listing->problem);
    listing->printed = list_rows_print(listing->rows, &listing->style, now_ms, stdout);
    return 0;
}

enum { HIDDEN_MAX = 1000 }; /* each of them may cost a part of a request */

/* Nothing is there, or the filter hides what is. */
static void say_nothing_found(const struct listing *listing)
{
    size_t hidden = 0;
    const struct store_filter *given = &listing->filter;
    const struct store_filter all = {.since_ms = INT64_MIN};
    char *place = terminal_safe(listing->where.place);
    bool filtered = given->service || given->trigger || given->since_ms != INT64_MIN ||
                    listing->group;
    if (filtered)
        hidden = store_count(listing->where.store, &all, HIDDEN_MAX);
    fprintf(stderr, "stakeout list: no incidents found in %s", place);
    if (hidden > 0)
        fprintf(stderr, ": the filter hides %zu%s", hidden, hidden == HIDDEN_MAX ? " or more" : "");
    putc('\n', stderr);
    free(place);
}

/* What is not in the rows, and what it cost. */
static void say_more(const struct listing *listing)
{
    struct s3_count count;
    if (listing->shortened && listing->read + listing->duplicates == AT_ONCE)
        fprintf(stderr,
            "stakeout list: of the newest %d incidents; -n 0 lists all, --since 7d those of a "
            "week\n",
            AT_ONCE);
    if (listing->table)
        fprintf(stderr,
            "stakeout list: %zu incident%s, printed as read: without how often each was seen, "
            "which --groups and --json tell\n",
            listing->read, listing->read == 1 ? "" : "s");
    if (listing->verbose && store_requests(listing->where.store, &count))
        fprintf(stderr, "stakeout list: %" PRIu64 " LIST and %" PRIu64 " GET requests\n",
            count.lists, count.gets);
}

static int end(struct listing *listing, int status, const struct error *err)
{
    if (command_printed(&command_list) != EXIT_DONE)
        return EXIT_FAILED;
    if (status < 0)
        return command_failed(&command_list, "%s", err->text);
    if (listing->printed == 0)
        say_nothing_found(listing);
    say_more(listing);
    if (listing->duplicates > 0)
        fprintf(stderr, "stakeout list: %zu duplicate%s of a fleet %s not shown; --all shows %s\n",
            listing->duplicates, listing->duplicates == 1 ? "" : "s",
            listing->duplicates == 1 ? "is" : "are", listing->duplicates == 1 ? "it" : "them");
    return EXIT_DONE;
}

static int print_all(struct listing *listing)
{
    struct error err;
    enum list_use use = listing->json ? LIST_JSON : LIST_ROWS;
    listing->style = style_of(listing);
    listing->rows = list_rows_new(listing->style.grouped && !listing->json ? LIST_GROUPS : use);
    listing->began_ms = clock_mono_ms();
    int status = store_list(listing->where.store, &listing->filter, take, listing, &err);
    clear_progress(listing);
    if (*listing->problem.text || print_rest(listing) < 0) {
        status = -1;
        err = listing->problem;
    }
    status = end(listing, status, &err);
    list_table_free(listing->table);
    list_rows_free(listing->rows);
    return status;
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

/* count NULL: not given. Then a script gets all, and a person what can be looked through. */
static int read_limit(struct listing *listing, const char *count)
{
    bool all = listing->json || listing->filter.since_ms != INT64_MIN;
    listing->shortened = !count && !all && terminal_columns(stdout) > 0;
    listing->filter.limit = listing->shortened ? AT_ONCE : 0;
    if (!count)
        return EXIT_DONE;
    size_t digits = strspn(count, "0123456789");
    if (digits == 0 || digits > 9 || count[digits])
        return command_misused(
            &command_list, "-n: it is a number of incidents, 0 for all of them: -n 50");
    listing->filter.limit = strtoul(count, NULL, 10);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct listing listing = {.json = false};
    const char *service = NULL, *trigger = NULL, *since = NULL, *count = NULL;
    char *place;
    const struct command_option options[] = {WHERE_OPTIONS(&listing.where),
        {.name = "service", .text = &service}, {.name = "trigger", .text = &trigger},
        {.name = "since", .text = &since}, {.name = "group", .text = &listing.group},
        {.name = "groups", .flag = &listing.groups}, {.name = "all", .flag = &listing.all},
        {.name = "limit", .letter = 'n', .text = &count},
        {.name = "verbose", .flag = &listing.verbose}, {.name = "json", .flag = &listing.json},
        {.name = NULL}};
    int status = options_read(&command_list, argc, argv, options, &place);
    if (status == EXIT_DONE)
        status = read_filter(&listing.filter, service, trigger, since);
    if (status == EXIT_DONE)
        status = read_limit(&listing, count);
    if (status == EXIT_DONE && listing.group && !known_group_valid(listing.group))
        status = command_misused(&command_list,
            "--group: a group has 16 hex digits; --json says which an incident is of");
    if (status == EXIT_DONE && listing.groups && listing.all)
        status = command_misused(&command_list, "--groups and --all exclude each other");
    if (status == EXIT_DONE && listing.groups && listing.json)
        status = command_misused(&command_list,
            "--json has every incident, each with its group and history: leave --groups out");
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
             "                     [--groups | --all] [-n N] [--json] [--verbose] [WHERE]",
    .summary = "Lists incidents, newest first",
    .help =
        "WHERE is a folder or s3://bucket/prefix; without it, the first directory or s3 exporter\n"
        "of the configuration. On a terminal the same spike is one row, with the newest of its\n"
        "incidents, how often it was seen among those that are listed, and a verdict: new, seen,\n"
        "known (folded), worse, gone. What does not fit the terminal is left out. Elsewhere there\n"
        "is a row for each. A terminal gets what the newest 200 incidents tell, unless --since or\n"
        "-n asks for more. More than 200 rows of incidents are printed as they are read, without\n"
        "verdict and how often.\n\n"
        "  --service NAME     only this service's\n"
        "  --trigger NAME     only this trigger's\n"
        "  --since TIME       only those that fired within a time (7d, 12h), since a date\n"
        "                     (2026-11-23, UTC) or since an RFC 3339 time\n"
        "  --group GROUP      only the incidents of this group, a row each\n"
        "  --groups, --all    one row a group; a row for each incident, also for duplicates of a\n"
        "                     fleet, which are not shown otherwise\n"
        "  -n, --limit N      reads only the newest N incidents; 0: all\n"
        "  --verbose          says at the end how many requests it sent to a bucket\n"
        "  --json             the incident.json objects in one array, each with its "
        "history\n"
        "                     and, as `review`, what is noted about it\n" WHERE_HELP,
    .run = run,
};
