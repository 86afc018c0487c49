/* Runs one source on a loop and prints what it measures, a JSON object a line, until standard input
 * ends: {"metric", "time_ms", "value"} for every sample (monotonic ms), {"error"} and {"note"} for
 * what it says, {"identity": {...}} when that changes, and at last {"ticks", "cpu_s"}.
 *
 * usage: source_probe KIND CONTAINER|- [INTERVAL_MS [ROOT]] */
#include "agent/kinds.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/series.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct probe {
    const struct source_kind *kind;
    void *source;
    struct loop *loop;
    struct loop_timer *timer;
    struct series_set series;
    int64_t interval_ms, next_ms;
    uint64_t *printed;
    int ticks;
    bool described;
    char *identity;
    struct error problem;
};

static void print(json_t *line)
{
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(line);
}

static void print_samples(void *arg)
{
    struct probe *probe = arg;
    for (size_t i = 0; i < probe->series.count; i++) {
        const struct series *series = probe->series.all[i];
        if (series->pushed == probe->printed[i])
            continue;
        probe->printed[i] = series->pushed;
        const struct sample *sample = series_at(series, 0);
        print(json_pack("{s:s, s:I, s:f}", "metric", series->name, "time_ms",
            (json_int_t)sample->time_ms, "value", sample->value));
    }
}

static void say(void *arg, const char *sentence)
{
    (void)arg;
    print(json_pack("{s:s}", "note", sentence));
}

static void print_identity(struct probe *probe)
{
    struct source_identity is = {0};
    probe->kind->identify(probe->source, 0, &is);
    json_t *identity = json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:I}", "task_arn",
        is.task_arn, "cluster", is.cluster, "family", is.family, "revision", is.revision,
        "container", is.container, "image", is.image, "started", (json_int_t)is.started_wall_ms);
    char *text = json_dumps(identity, JSON_COMPACT);
    if (!probe->identity || strcmp(text, probe->identity) != 0) {
        print(json_pack("{s:O}", "identity", identity));
        free(probe->identity);
        probe->identity = text;
    } else {
        free(text);
    }
    json_decref(identity);
}

static void tick(void *arg)
{
    struct probe *probe = arg;
    struct error err = {{0}};
    probe->ticks++;
    if (probe->kind->sample(probe->source, clock_mono_ms(), &err) < 0) {
        if (strcmp(err.text, probe->problem.text) != 0)
            print(json_pack("{s:s}", "error", err.text));
    } else if (!probe->described && probe->series.all[0]->pushed) {
        probe->described = true;
        probe->kind->describe(probe->source, say, NULL);
    }
    probe->problem = err;
    print_samples(probe);
    print_identity(probe);
    probe->next_ms += probe->interval_ms;
    loop_timer_set(probe->timer, probe->next_ms);
}

static void input(void *arg)
{
    struct probe *probe = arg;
    char ignored[256];
    if (read(STDIN_FILENO, ignored, sizeof ignored) <= 0)
        loop_stop(probe->loop);
}

static int open_source(struct probe *probe, const struct source_app *app, const char *root)
{
    struct error err;
    struct source_setup setup = {.loop = probe->loop,
        .series = &probe->series,
        .root = root,
        .apps = app,
        .app_count = 1,
        .interval_ms = probe->interval_ms,
        .sampled = print_samples,
        .arg = probe};
    if (!probe->kind->present(&setup, &err)) {
        print(json_pack("{s:s}", "error", err.text));
        return -1;
    }
    probe->source = probe->kind->open(&setup, &err);
    if (!probe->source) {
        print(json_pack("{s:s}", "error", err.text));
        return -1;
    }
    probe->printed = calloc(probe->series.count, sizeof *probe->printed);
    return probe->printed ? 0 : -1;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static const struct source_kind *kind_called(const char *name)
{
    size_t i = 0;
    while (source_kinds[i + 1] && strcmp(source_kinds[i]->kind.name, name) != 0)
        i++;
    return source_kinds[i];
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    struct probe probe = {
        .kind = kind_called(argv[1]), .interval_ms = argc > 3 ? atoi(argv[3]) : 1000};
    struct source_app app = {.prefix = "", .container = strcmp(argv[2], "-") ? argv[2] : NULL};
    struct error err;
    probe.loop = loop_open(&err);
    if (!probe.loop)
        return 1;
    series_set_init(&probe.series, 600);
    int status = 1;
    if (open_source(&probe, &app, argc > 4 ? argv[4] : "/") == 0) {
        double before_s = cpu_seconds();
        probe.timer = loop_timer_new(probe.loop, tick, &probe);
        probe.next_ms = clock_mono_ms();
        loop_timer_set(probe.timer, probe.next_ms);
        struct loop_watch *watch = loop_watch_readable(probe.loop, STDIN_FILENO, input, &probe);
        loop_run(probe.loop);
        loop_unwatch(watch);
        loop_timer_free(probe.timer);
        print(json_pack("{s:i, s:f}", "ticks", probe.ticks, "cpu_s", cpu_seconds() - before_s));
        probe.kind->close(probe.source);
        status = 0;
    }
    loop_close(probe.loop);
    series_set_free(&probe.series);
    free(probe.printed);
    free(probe.identity);
    return status;
}
