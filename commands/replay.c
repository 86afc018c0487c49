#include "commands/command.h"

#include "agent/detection/detector.h"
#include "agent/kinds.h"
#include "commands/options.h"
#include "commands/table.h"
#include "commands/terminal.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/csv.h"
#include "core/error.h"
#include "core/series.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *config;
    const char *trace;
    bool limits, summary;
};

struct replay {
    const struct options *options;
    const struct config *config;
    struct csv_reader *reader;
    struct series_set set;
    struct series **columns; /* the series of each column; NULL: no trigger looks at it */
    size_t column_count;
    struct detector *detector;
};

static json_t *time_json(int64_t time_ms)
{
    char text[RFC3339_SIZE];
    return json_string(rfc3339_format(time_ms, text));
}

/* To the millisecond, which is as exact as times are. */
static json_t *seconds_json(double seconds)
{
    return json_real(round(seconds * 1000) / 1000);
}

/* What an event says beside its time, trigger and name. */
static void describe_fire(json_t *object, const struct detector_event *event)
{
    json_object_set_new(object, "metric", json_string(event->metric));
    json_object_set_new(object, "value", json_real(event->value));
    json_object_set_new(object, "onset", time_json(event->onset_ms));
    if (event->by)
        json_object_set_new(object, "by", json_string(event->by));
}

static void describe_recurrence(json_t *object, const struct detector_event *event)
{
    const struct recurrence *recurrence = event->recurrence;
    if (event->type == EVENT_RECOGNISED) {
        json_object_set_new(object, "period_s", seconds_json(recurrence->period_s));
        json_object_set_new(object, "jitter_s", seconds_json(recurrence->jitter_s));
        json_object_set_new(object, "onsets", json_integer(recurrence->onsets));
    } else if (event->type == EVENT_ARM) {
        json_object_set_new(object, "window",
            json_pack("[o, o]", time_json(recurrence->window_start_ms),
                time_json(recurrence->window_end_ms)));
        json_object_set_new(object, "expected", time_json(recurrence->expected_ms));
    }
}

/* One event as a line of JSON. */
static void print_event(void *arg, const struct detector_event *event)
{
    static const char *const names[] = {[EVENT_FIRE] = "fire",
        [EVENT_CLEAR] = "clear",
        [EVENT_SUPPRESSED] = "suppressed",
        [EVENT_HIT] = "hit",
        [EVENT_MISS] = "miss",
        [EVENT_RECOGNISED] = "recognised",
        [EVENT_DORMANT] = "dormant",
        [EVENT_ARM] = "arm"};
    const struct replay *replay = arg;
    json_t *object = json_object();
    json_object_set_new(object, "time", time_json(event->time_ms));
    json_object_set_new(
        object, "trigger", json_string(replay->config->triggers[event->trigger].name));
    json_object_set_new(object, "event", json_string(names[event->type]));
    if (event->recurrence)
        describe_recurrence(object, event);
    else
        describe_fire(object, event);
    json_object_set_new(object, "reason", json_string(event->reason));
    json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(object);
}

/* One line a trigger: its fires, and for one that never fired how near it came. */
static void print_summary(const struct replay *replay)
{
    static const char *const titles[] = {"TRIGGER", "FIRES", "SUPPRESSED", "NEAREST MISS"};
    struct table table;
    table_init(&table, 4, titles);
    for (size_t i = 0; i < replay->config->trigger_count; i++) {
        struct detector_status status;
        char fires[24], suppressed[24], time[RFC3339_SIZE], nearest[REASON_SIZE + RFC3339_SIZE + 4];
        detector_status(replay->detector, i, &status);
        snprintf(fires, sizeof fires, "%" PRIu64, status.fires);
        snprintf(suppressed, sizeof suppressed, "%" PRIu64, status.suppressed);
        snprintf(nearest, sizeof nearest, "%s at %s", status.nearest,
            rfc3339_format(status.nearest_ms, time));
        const char *miss = status.fires ? "" : status.has_nearest ? nearest : "no sample";
        table_add(&table,
            (const char *const[]){replay->config->triggers[i].name, fires, suppressed, miss});
    }
    table_flush(&table, stderr,
        &(struct table_style){
            .columns = terminal_columns(stderr), .colour = terminal_colour(stderr)});
    table_free(&table);
}

/* The column of that name, or column_count. */
static size_t find_column(const struct replay *replay, const char *name)
{
    const char *const *names = csv_columns(replay->reader);
    size_t column = 0;
    while (column < replay->column_count && strcmp(names[column], name) != 0)
        column++;
    return column;
}

/* Told at the end of the header, where the column would be. */
static int no_column(
    const struct replay *replay, const struct trigger_config *trigger, const char *metric)
{
    size_t width = strlen("time");
    for (const char *const *name = csv_columns(replay->reader); *name; name++)
        width += 1 + strlen(*name);
    fprintf(stderr, "%s:1:%zu: the column %s is missing, which the trigger %s looks at\n",
        replay->options->trace, width + 1, metric, trigger->name);
    return -1;
}

/* -1 when the trace lacks what a trigger of the file looks at; a built-in one is then left out. */
static int connect_trigger(struct replay *replay, const struct trigger_config *trigger)
{
    for (size_t i = 0; i < trigger->scope.metric_count; i++) {
        const char *metric = trigger->scope.metrics[i];
        size_t column = find_column(replay, metric);
        if (column < replay->column_count) {
            replay->columns[column] = series_set_add(&replay->set, metric);
            continue;
        }
        if (!trigger->built_in)
            return no_column(replay, trigger, metric);
        fprintf(stderr, "note: the built-in trigger %s is left out: %s has no column %s\n",
            trigger->name, replay->options->trace, metric);
    }
    return 0;
}

/* A series for every column that a trigger looks at, and for restarts, which `quiet` knows. Says
 * all that is wanting; -1 when one of the file's own triggers cannot work. */
static int connect_columns(struct replay *replay)
{
    const char *const *names = csv_columns(replay->reader);
    while (names[replay->column_count])
        replay->column_count++;
    replay->columns = xcalloc(replay->column_count, sizeof(struct series *));
    int status = 0;
    for (size_t i = 0; i < replay->config->trigger_count; i++)
        if (connect_trigger(replay, &replay->config->triggers[i]) != 0)
            status = -1;
    for (size_t i = 0; i < replay->column_count; i++) {
        const struct metric *metric = metric_of_series(names[i]);
        if (metric && !strcmp(metric->name, "restarts"))
            replay->columns[i] = series_set_add(&replay->set, names[i]);
    }
    return status;
}

/* What is wrong with a trace begins with FILE:LINE:COLUMN, as in the messages on a configuration.
 */
static int trace_failed(const struct error *err)
{
    fprintf(stderr, "%s\n", err->text);
    return EXIT_FAILED;
}

/* Pushes row after row through the triggers. */
static int stream(struct replay *replay)
{
    struct csv_row row;
    struct error err;
    int status;
    while ((status = csv_next(replay->reader, &row, &err)) == 1 && !ferror(stdout)) {
        for (size_t i = 0; i < replay->column_count; i++)
            if (replay->columns[i] && !isnan(row.values[i]))
                series_push(replay->columns[i], row.time_ms, row.values[i]);
        detector_check(replay->detector);
    }
    if (command_printed(&command_replay) != EXIT_DONE)
        return EXIT_FAILED;
    return status == 0 ? EXIT_DONE : trace_failed(&err);
}

/* Everything between the trace's header and its end. */
static int replay_trace(struct replay *replay)
{
    struct config_needs needs = {.exporter = false, .columns = csv_columns(replay->reader)};
    struct config *config = command_load_config(replay->options->config, &needs);
    if (!config)
        return EXIT_USAGE;
    int status = EXIT_FAILED;
    replay->config = config;
    series_set_init(&replay->set, 1); /* each row is looked at before the next comes */
    if (connect_columns(replay) == 0) {
        if (config->fleet.incidents)
            fputs("note: fleet is not replayed: every fire counts as one that takes an incident\n",
                stderr);
        struct detector_hooks hooks = {.event = print_event, .arg = replay};
        replay->detector = detector_open(config, &replay->set, replay->options->limits, &hooks);
        status = stream(replay);
        if (status == EXIT_DONE && replay->options->summary)
            print_summary(replay);
        detector_close(replay->detector);
    }
    free(replay->columns);
    series_set_free(&replay->set);
    config_free(config, &config_kinds);
    return status;
}

/* EXIT_DONE, or what to exit with. */
static int parse_options(int argc, char **argv, struct options *options)
{
    const char *limits = "on";
    char *trace;
    *options = (struct options){.config = NULL};
    const struct command_option table[] = {
        {.name = "config", .letter = 'c', .text = &options->config},
        {.name = "limits", .text = &limits}, {.name = "summary", .flag = &options->summary},
        {.name = NULL}};
    if (options_read(&command_replay, argc, argv, table, &trace) != EXIT_DONE)
        return EXIT_USAGE;
    options->limits = !strcmp(limits, "on");
    if (!options->limits && strcmp(limits, "off") != 0)
        return command_misused(&command_replay, "--limits is on or off, not %s", limits);
    if (!trace)
        return command_misused(
            &command_replay, "which trace? Give its file, or - for standard input");
    options->trace = trace;
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    struct options options;
    int status = parse_options(argc, argv, &options);
    if (status != EXIT_DONE || !options.trace)
        return status;
    bool piped = !strcmp(options.trace, "-");
    if (piped) {
        options.trace = "<stdin>";
        setvbuf(stdout, NULL, _IOLBF, 0); /* the trace may still be growing */
    }
    int fd = piped ? STDIN_FILENO : open(options.trace, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return command_failed(&command_replay, "%s: %s", options.trace, strerror(errno));
    struct error err;
    struct replay replay = {.options = &options};
    replay.reader = csv_open_fd(fd, options.trace, &err);
    status = replay.reader ? replay_trace(&replay) : trace_failed(&err);
    csv_close(replay.reader);
    if (!piped)
        close(fd);
    return status;
}

const struct command command_replay = {
    .name = "replay",
    .usage = "[-c FILE] [--limits on|off] [--summary] TRACE.csv",
    .summary = "Runs the triggers over a recorded trace and prints what they would have done",
    .help = "Prints one JSON object a line for each event. TRACE.csv has the header "
            "time,<metric>,...;\n"
            "times are Unix seconds or RFC 3339, percents 0 to 100, empty cells are gaps; - reads\n"
            "standard input. Up to 256 columns, and 255 bytes a field.\n\n"
            "  -c FILE       the configuration\n"
            "  --limits off  leaves cooldowns and limits out (= on)\n"
            "  --summary     adds a table on standard error: fires by trigger, and for those that\n"
            "                never fired how near they came\n",
    .run = run,
};
