#include "commands/command.h"
#include "commands/show_evidence.h"
#include "commands/terminal.h"
#include "commands/where.h"
#include "commands/where_incident.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/incident.h"
#include "review/history/group.h"
#include "review/history/marking.h"
#include "review/store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    struct where where;
    bool known, not_known, looked, not_looked;
    const char *note; /* NULL: it stays */
    const char *id;
};

/* The highest peak of its group, of what is stored of its trigger. */
struct peak {
    const char *group;
    double value;
};

static int take_peak(void *arg, const struct store_incident *stored)
{
    struct peak *peak = arg;
    char group[GROUP_SIZE];
    const struct incident *incident = stored->incident;
    if (!incident || strcmp(group_as_stored(incident, group), peak->group) != 0)
        return 0;
    peak->value = fmax(peak->value, incident_peak(incident)); /* NAN loses */
    return 0;
}

/* In a bucket only the incident itself is read: it may hold thousands. */
static double peak_of_group(struct store *store, const struct store_incident *stored)
{
    char group[GROUP_SIZE];
    struct peak peak = {group_as_stored(stored->incident, group), NAN};
    const struct store_filter filter = {.service = stored->service,
        .trigger = stored->incident->trigger.name,
        .since_ms = INT64_MIN};
    if (!store_is_bucket(store))
        store_list(store, &filter, take_peak, &peak, NULL);
    return peak.value;
}

static int write_mark(
    const struct options *options, const struct store_incident *stored, struct error *err)
{
    struct mark mark;
    int status = marking_read(options->where.store, stored, &mark, err);
    if (status > 0) {
        char *problem = terminal_safe(err->text);
        fprintf(stderr, "stakeout mark: warning: %s\n", problem);
        free(problem);
    }
    if (status >= 0) {
        if (options->looked || options->not_looked)
            mark.looked_ms = options->looked ? clock_wall_ms() : 0;
        if (options->note) {
            free(mark.note);
            mark.note = *options->note ? xstrdup(options->note) : NULL;
        }
        status = marking_write(options->where.store, stored, &mark, err);
    }
    mark_free(&mark);
    return status;
}

static int write_all(
    const struct options *options, const struct store_incident *stored, struct error *err)
{
    struct store *store = options->where.store;
    int status = 0;
    if (options->known || options->not_known)
        status = marking_set_known(store, stored, options->known,
            options->known ? peak_of_group(store, stored) : NAN, clock_wall_ms(), err);
    if (status == 0 && (options->looked || options->not_looked || options->note))
        status = write_mark(options, stored, err);
    return status;
}

/* What becomes of a group that is marked, which is not seen otherwise when it is worse. In a bucket
 * its history would be many requests. */
static void say_known(const struct options *options, const struct store_incident *stored)
{
    char group[GROUP_SIZE];
    struct store *store = options->where.store;
    struct history history = {.known = true, .verdict = VERDICT_KNOWN};
    group_as_stored(stored->incident, group);
    bool is_told = !store_is_bucket(store);
    if (is_told)
        show_evidence_history(store, stored, group, &history);
    const char *then = !is_told                           ? "folded in lists unless it is worse"
                       : history.verdict == VERDICT_KNOWN ? "folded in lists"
                       : history.verdict == VERDICT_WORSE
                           ? "not folded in lists because it is worse"
                           : "not folded in lists";
    printf("the group %s is %s: %s\n", group, history_verdict_name(&history), then);
    history_free(&history);
}

static int check(const struct options *options)
{
    if (options->known && options->not_known)
        return command_misused(&command_mark, "--known and --not-known exclude each other");
    if (options->looked && options->not_looked)
        return command_misused(&command_mark, "--looked and --not-looked exclude each other");
    if (!options->known && !options->not_known && !options->looked && !options->not_looked &&
        !options->note)
        return command_misused(
            &command_mark, "what is to be noted? --known, --looked or --note \"TEXT\"");
    if (options->note && strlen(options->note) > MARK_NOTE_MAX)
        return command_misused(&command_mark, "--note: has more than %d bytes", MARK_NOTE_MAX);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options options = {.known = false};
    char *argument;
    const struct command_option table[] = {WHERE_OPTIONS(&options.where),
        {.name = "known", .flag = &options.known},
        {.name = "not-known", .flag = &options.not_known},
        {.name = "looked", .flag = &options.looked},
        {.name = "not-looked", .flag = &options.not_looked},
        {.name = "note", .text = &options.note}, {.name = NULL}};
    if (options_read(&command_mark, argc, argv, table, &argument) != EXIT_DONE ||
        check(&options) != EXIT_DONE)
        return EXIT_USAGE;
    int status = where_open_incident(&options.where, &command_mark, argument, &options.id);
    struct store_incident *stored =
        status == EXIT_DONE ? where_find_incident(&options.where, &command_mark, options.id) : NULL;
    struct error err;
    if (status == EXIT_DONE && !stored)
        status = EXIT_FAILED;
    if (stored && write_all(&options, stored, &err) < 0) {
        char *reason = terminal_safe(err.text);
        status = command_failed(&command_mark, "%s", reason);
        free(reason);
    } else if (stored && options.known) {
        say_known(&options, stored);
    }
    store_incident_free(stored);
    where_close(&options.where);
    return status;
}

const struct command command_mark = {
    .name = "mark",
    .usage = "[-c FILE] [--known | --not-known] [--looked | --not-looked] [--note TEXT] [WHERE/]ID",
    .summary = "Notes something about an incident where it is stored",
    .help =
        "WHERE is a folder or s3://bucket/prefix; without it, the first directory or s3 exporter\n"
        "of the configuration. Needs the right to write there.\n\n"
        "  --known            its group is known: the list folds it unless it is worse, agents\n"
        "                     capture it once a week\n"
        "  --looked           somebody has looked at this incident\n"
        "  --note TEXT        a short note; \"\" takes it off\n"
        "  --not-known, --not-looked\n"
        "                     takes that back\n" WHERE_HELP,
    .run = run,
};
