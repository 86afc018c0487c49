#include "commands/client.h"
#include "commands/command.h"
#include "commands/options.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/metric.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static enum unit unit_of(const char *name)
{
    for (enum unit unit = UNIT_NONE; unit <= UNIT_SECONDS; unit++)
        if (!strcmp(unit_name(unit), name))
            return unit;
    return UNIT_NONE;
}

static const char *format_bytes(double bytes, char text[VALUE_TEXT_SIZE])
{
    return metric_format(UNIT_BYTES, bytes, text);
}

static void print_agent(const json_t *status)
{
    const json_t *agent = json_object_get(status, "agent");
    char memory[VALUE_TEXT_SIZE];
    printf("%s: stakeout %s, up %.0f s, %s, %.0f of %.0f ticks missed\n",
        text_of(status, "service"), text_of(agent, "version"), number_of(agent, "uptime_s"),
        format_bytes(number_of(agent, "resident_bytes"), memory), number_of(agent, "ticks_missed"),
        number_of(agent, "ticks"));
}

/* Nothing of one that is as it was at the start. */
static void print_configuration(const json_t *status)
{
    const json_t *configuration = json_object_get(status, "configuration");
    const json_t *refusal = json_object_get(configuration, "refusal");
    const char *waits_for = text_of(configuration, "waits_for");
    if (number_of(configuration, "reloads") > 0)
        printf("configuration: reloaded from %s at %s\n", text_of(configuration, "file"),
            text_of(configuration, "loaded"));
    if (*waits_for)
        printf("configuration: another one waits for incident %s\n", waits_for);
    else if (*text_of(configuration, "waits_for_other"))
        printf(
            "configuration: another one waits for %s\n", text_of(configuration, "waits_for_other"));
    if (refusal)
        printf("configuration: one was refused at %s: %s\n", text_of(refusal, "time"),
            text_of(refusal, "text"));
}

static void print_sources(const json_t *status)
{
    size_t i;
    json_t *source;
    printf("\n%-16s %s\n", "SOURCE", "STATE");
    json_array_foreach(json_object_get(status, "sources"), i, source)
    {
        const char *error = text_of(source, "error");
        printf("%-16s %s\n", text_of(source, "name"), *error ? error : "ok");
    }
}

/* Of the databases that are to tell of them. */
static void print_statements(const json_t *status)
{
    const json_t *list = json_object_get(status, "statements"), *database;
    size_t i;
    if (json_array_size(list))
        printf("\n%-16s %s\n", "STATEMENTS OF", "STATE");
    json_array_foreach(list, i, database)
    {
        const char *error = text_of(database, "error"), *since = text_of(database, "since");
        printf("%-16s ", text_of(database, "name"));
        if (*error)
            printf("failing since %s: %s\n", since, error);
        else
            printf(*since ? "ok since %s\n" : "not looked at yet\n", since);
    }
}

static void print_metrics(const json_t *status)
{
    size_t i;
    json_t *metric;
    printf("\n%-16s %12s %8s\n", "METRIC", "LATEST", "AGE");
    json_array_foreach(json_object_get(status, "metrics"), i, metric)
    {
        char value[VALUE_TEXT_SIZE];
        metric_format(unit_of(text_of(metric, "unit")), number_of(metric, "value"), value);
        printf("%-16s %12s %6.1f s\n", text_of(metric, "name"), value, number_of(metric, "age_s"));
    }
    if (i == 0)
        printf("(nothing was measured yet)\n");
}

/* A line below a trigger's own; nothing when there is nothing to tell. */
static void print_told(const char *what, const json_t *told)
{
    if (told)
        printf("%34s%s, %s: %s\n", "", what, text_of(told, "time"), text_of(told, "text"));
}

static void print_triggers(const json_t *status)
{
    size_t i;
    json_t *trigger;
    printf("\n%-16s %-9s %5s  %s\n", "TRIGGER", "STATE", "FIRES", "RULE, AND WHAT BECAME OF IT");
    json_array_foreach(json_object_get(status, "triggers"), i, trigger)
    {
        printf("%-16s %-9s ", text_of(trigger, "name"), text_of(trigger, "state"));
        if (json_object_get(trigger, "fires"))
            printf("%5.0f  %s\n", number_of(trigger, "fires"), text_of(trigger, "rule"));
        else
            printf("%5s  %s\n", "-", text_of(trigger, "rule"));
        print_told("last", json_object_get(trigger, "last"));
        print_told("nearest miss", json_object_get(trigger, "nearest_miss"));
        print_told("sees", json_object_get(trigger, "sees"));
        if (!strcmp(text_of(trigger, "state"), "cooldown"))
            printf("%34sin its cooldown until %s\n", "", text_of(trigger, "cooldown_until"));
    }
}

static const char *plural(double count)
{
    return count == 1 ? "" : "s";
}

/* Of the agent itself; nothing when there was none. */
static void print_crashes(const json_t *status)
{
    const json_t *crashes = json_object_get(status, "crashes");
    const json_t *last = json_object_get(crashes, "last");
    if (!last)
        return;
    printf("crashed %.0f time%s, last at %s: %s\n%4ssee %s\n", number_of(crashes, "count"),
        plural(number_of(crashes, "count")), text_of(last, "time"), text_of(last, "text"), "",
        text_of(last, "file"));
}

static bool is_trouble(const json_t *profile)
{
    const char *state = text_of(profile, "state");
    return strcmp(state, "ok") != 0 && strcmp(state, "left out") != 0;
}

/* Only what does not work as it is configured. */
static void print_preflight(const json_t *status)
{
    size_t i, j, told = 0;
    json_t *app, *profile;
    json_array_foreach(json_object_get(status, "preflight"), i, app)
    {
        const char *name = text_of(app, "app"), *problem = text_of(app, "error");
        if (*problem)
            printf("%sapp %s: %s\n", told++ ? "" : "\n", name, problem);
        json_array_foreach(json_object_get(app, "profiles"), j, profile)
        {
            if (is_trouble(profile))
                printf("%sapp %s, %s: %s\n", told++ ? "" : "\n", name, text_of(profile, "profile"),
                    text_of(profile, "error"));
        }
    }
}

/* "profile cpu of 20 s" and "profile cpu: only 9 s ..." are about the same. */
static bool is_same_profile(const char *found, const char *problem)
{
    size_t length = strcspn(problem, ":");
    return length && !strncmp(found, problem, length) && (!found[length] || found[length] == ' ');
}

/* Whether what a baseline ran into was found out beforehand, and is printed already. */
static bool preflight_tells(const json_t *status, const char *name, const char *problem)
{
    size_t i, j;
    json_t *app, *profile;
    json_array_foreach(json_object_get(status, "preflight"), i, app)
    {
        if (strcmp(text_of(app, "app"), name) != 0)
            continue;
        json_array_foreach(json_object_get(app, "profiles"), j,
            profile) if (is_trouble(profile) &&
                         is_same_profile(text_of(profile, "profile"), problem)) return true;
    }
    return false;
}

/* Nothing of a recorder that has nothing to do. */
static void print_recorders(const json_t *status)
{
    size_t i;
    json_t *recorder;
    json_array_foreach(json_object_get(status, "recorder"), i, recorder)
    {
        const char *state = text_of(recorder, "state"), *error = text_of(recorder, "error");
        const json_t *armed = json_object_get(recorder, "armed");
        if (!strcmp(state, "off"))
            continue;
        printf("%srecorder of app %s: %s, %.0f slice%s kept", i ? "" : "\n",
            text_of(recorder, "app"), state, number_of(recorder, "slices"),
            plural(number_of(recorder, "slices")));
        if (armed)
            printf(", armed from %s to %s", json_string_value(json_array_get(armed, 0)),
                json_string_value(json_array_get(armed, 1)));
        printf("%s%s\n", *error ? ": " : "", error);
    }
}

static void print_follow_ups(const json_t *status)
{
    size_t i;
    json_t *planned;
    json_array_foreach(json_object_get(status, "follow_ups"), i, planned)
    {
        const char *due = text_of(planned, "due");
        printf("%sfollow-up of incident %s planned ", i ? "" : "\n", text_of(planned, "follows"));
        if (*due)
            printf("for %s\n", due);
        else
            printf("for %.0f s after its spike, which is not over yet\n",
                number_of(planned, "after_s"));
    }
}

static void print_baselines(const json_t *status)
{
    size_t i, j;
    json_t *baseline, *problem;
    json_array_foreach(json_object_get(status, "baselines"), i, baseline)
    {
        const char *newest = text_of(baseline, "newest"), *taking = text_of(baseline, "taking");
        const char *next = text_of(baseline, "next"), *waits_for = text_of(baseline, "waits_for");
        printf("%sbaseline of app %s: %s", i ? "" : "\n", text_of(baseline, "app"),
            *newest ? newest : "none yet");
        if (*taking)
            printf(", taking %s", taking);
        else if (*next)
            printf(", next due %s%s%s", next, *waits_for ? ", not calm now: " : "", waits_for);
        printf("\n");
        json_array_foreach(json_object_get(baseline, "problems"), j,
            problem) if (!preflight_tells(status, text_of(baseline, "app"),
                             json_string_value(problem)))
            printf("%4sin a spike, too: %s\n", "", json_string_value(problem));
    }
}

static void print_limits(const json_t *status)
{
    const json_t *limits = json_object_get(status, "limits");
    const json_t *hour = json_object_get(limits, "per_hour");
    const json_t *day = json_object_get(limits, "per_day");
    char used[VALUE_TEXT_SIZE], limit[VALUE_TEXT_SIZE];
    if (!limits) /* of an older agent */
        return;
    printf("\nlimits: %.0f of %.0f incident%s in the last hour, %s of %s in the last 24 hours",
        number_of(hour, "incidents"), number_of(hour, "limit"), plural(number_of(hour, "limit")),
        format_bytes(number_of(day, "bytes"), used),
        format_bytes(number_of(day, "limit_bytes"), limit));
    if (*text_of(day, "room"))
        printf("; no more until %s", text_of(day, "room"));
    printf("\n");
}

/* Of the first column of a table of exporters. */
static int name_width(const json_t *list)
{
    size_t i, width = 32;
    const json_t *one;
    json_array_foreach(list, i, one)
    {
        size_t length = strlen(text_of(one, "name"));
        if (length > width && length <= 80)
            width = length;
    }
    return (int)width;
}

/* done: what it counts of those that it is done with. */
static void print_destination(const json_t *destination, const char *done, int width)
{
    const char *error = text_of(destination, "error");
    bool tried = number_of(destination, done) + number_of(destination, "failures") > 0;
    printf("%-*s %6.0f %7.0f  %s\n", width, text_of(destination, "name"),
        number_of(destination, done), number_of(destination, "waiting"),
        *error  ? error
        : tried ? "ok"
                : "not tried yet");
}

static void print_notifications(const json_t *status)
{
    const json_t *list = json_object_get(status, "notifications"), *notifier;
    size_t i;
    int width = name_width(list);
    if (json_array_size(list))
        printf("\n%-*s %6s %7s  %s\n", width, "NOTIFIES", "TOLD", "WAITING", "STATE");
    json_array_foreach(list, i, notifier)
    {
        print_destination(notifier, "told", width);
    }
}

static void print_fleet(const json_t *status)
{
    const json_t *fleet = json_object_get(status, "fleet");
    char per[VALUE_TEXT_SIZE];
    if (!json_is_object(fleet))
        return;
    printf("fleet: %.0f of its copies take a spike in %s, settled in %s; %.0f taken, %.0f "
           "given up, %.0f duplicate%s%s%s\n",
        number_of(fleet, "incidents"),
        metric_format_level(UNIT_SECONDS, number_of(fleet, "per_s"), per), text_of(fleet, "store"),
        number_of(fleet, "taken"), number_of(fleet, "given_up"), number_of(fleet, "duplicates"),
        plural(number_of(fleet, "duplicates")),
        *text_of(fleet, "problem") ? "; it settles nothing: " : "", text_of(fleet, "problem"));
}

/* Of an exporter that removes what is too old or too much. */
static void print_holdings(const json_t *holds)
{
    char bytes[VALUE_TEXT_SIZE], size[VALUE_TEXT_SIZE];
    if (!holds)
        return;
    printf("  holds %.0f incident%s, %s", number_of(holds, "incidents"),
        plural(number_of(holds, "incidents")), format_bytes(number_of(holds, "bytes"), bytes));
    if (number_of(holds, "size_bytes") > 0)
        printf(" of %s", format_bytes(number_of(holds, "size_bytes"), size));
    if (number_of(holds, "keep_s") > 0)
        printf(", keeps %.3g day%s", number_of(holds, "keep_s") / (24 * 3600),
            plural(number_of(holds, "keep_s") / (24 * 3600)));
    printf("; %.0f removed", number_of(holds, "removed"));
    if (number_of(holds, "held") > 0)
        printf("; %.0f stay, as people left something there", number_of(holds, "held"));
    printf("\n");
}

static void print_storage(const json_t *status)
{
    size_t i;
    json_t *exporter, *id;
    const json_t *incidents = json_object_get(status, "incidents");
    const json_t *spool = json_object_get(status, "spool");
    char used[VALUE_TEXT_SIZE], limit[VALUE_TEXT_SIZE];
    int width = name_width(json_object_get(status, "exporters"));
    printf("\n%-*s %6s %7s  %s\n", width, "EXPORTER", "STORED", "WAITING", "STATE");
    json_array_foreach(json_object_get(status, "exporters"), i, exporter)
    {
        print_destination(exporter, "stored", width);
        if (number_of(exporter, "left_out") > 0)
            printf("  %.0f file%s left out, last %s\n", number_of(exporter, "left_out"),
                plural(number_of(exporter, "left_out")), text_of(exporter, "left_out_last"));
        print_holdings(json_object_get(exporter, "holds"));
    }
    print_notifications(status);
    printf("\nspool: %.0f waiting, %s of %s\n", number_of(spool, "waiting"),
        format_bytes(number_of(spool, "bytes"), used),
        format_bytes(number_of(spool, "limit_bytes"), limit));
    if (number_of(incidents, "replaced") > 0)
        printf("replaced in the spool by worse ones: %.0f\n", number_of(incidents, "replaced"));
    const json_t *late = json_object_get(status, "late");
    if (number_of(late, "waiting") > 0)
        printf("waiting for rds.*: %.0f%s%s\n", number_of(late, "waiting"),
            *text_of(late, "error") ? "; " : "", text_of(late, "error"));
    if (*text_of(spool, "error"))
        printf("  the disk takes no files, and what is caught is kept in memory (%s): %s\n",
            format_bytes(number_of(spool, "memory_bytes"), used), text_of(spool, "error"));
    json_array_foreach(json_object_get(incidents, "running"), i, id)
        printf("capturing: %s\n", json_string_value(id));
    if (*text_of(incidents, "last"))
        printf("last incident: %s\n", text_of(incidents, "last"));
}

static void print_status(const json_t *status, bool as_json)
{
    if (as_json) {
        json_dumpf(status, stdout, JSON_INDENT(2));
        putchar('\n');
        return;
    }
    print_agent(status);
    print_crashes(status);
    print_configuration(status);
    print_sources(status);
    print_statements(status);
    print_metrics(status);
    print_triggers(status);
    print_preflight(status);
    print_recorders(status);
    print_baselines(status);
    print_follow_ups(status);
    print_limits(status);
    print_fleet(status);
    print_storage(status);
}

static int ask_and_print(
    const char *file, const char *given, const char *state, bool as_json, bool quiet)
{
    struct error err;
    struct loop *loop = loop_open(&err);
    if (!loop)
        return command_failed(&command_status, "%s", err.text);
    json_t *status;
    int code = EXIT_DONE;
    if (client_ask(loop, state, "GET", "/status", &status, &err) != CLIENT_ANSWERED) {
        code = !given && client_config_is_wrong(file) ? EXIT_USAGE : EXIT_FAILED;
        if (code == EXIT_FAILED && !quiet)
            command_failed(&command_status, "%s", err.text);
    } else if (!quiet) {
        print_status(status, as_json);
    }
    json_decref(status);
    loop_close(loop);
    return code;
}

static int run(int argc, char **argv)
{
    const char *file = NULL, *given = NULL;
    bool as_json = false, quiet = false;
    const struct command_option options[] = {{.name = "config", .letter = 'c', .text = &file},
        {.name = "json", .flag = &as_json}, {.name = "quiet", .flag = &quiet},
        {.name = "state", .text = &given}, {.name = NULL}};
    if (options_read(&command_status, argc, argv, options, NULL) != EXIT_DONE)
        return EXIT_USAGE;
    if (as_json && quiet)
        return command_misused(&command_status, "--json and --quiet exclude each other");
    char *state = client_state(&command_status, file, given);
    if (!state)
        return EXIT_USAGE;
    int status = ask_and_print(file, given, state, as_json, quiet);
    free(state);
    return status;
}

const struct command command_status = {
    .name = "status",
    .usage = "[-c FILE | --state DIR] [--json | --quiet]",
    .summary = "What the running agent sees",
    .help = "  -c FILE      the agent's configuration; else the text in $STAKEOUT_CONFIG, else\n"
            "               /etc/stakeout/stakeout.yaml, else the state folder /var/lib/stakeout\n"
            "  --state DIR  the agent's state folder itself, instead of a configuration\n"
            "  --json       as one JSON object\n"
            "  --quiet      only the exit status: 0 when an agent answers (for health checks)\n",
    .run = run,
};
