/* Opens the tcp source alone on a loop and prints, at every tick, what it has counted, as one JSON
 * object a line, until standard input ends: tcp_probe INTERVAL_MS ENDPOINT */
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/offload.h"
#include "core/series.h"
#include "sources/source.h"
#include "sources/tcp/tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct probe {
    struct loop *loop;
    struct loop_timer *timer;
    struct series_set series;
    int64_t interval_ms, next_ms;
    void *source;
};

static void print_latest(struct probe *probe, const char *name, int64_t now_ms)
{
    const struct series *series = series_set_find(&probe->series, name);
    const struct sample *latest = series_at(series, 0);
    if (latest && latest->time_ms == now_ms)
        printf(", \"%s\": %.9g", name, latest->value);
    else
        printf(", \"%s\": null", name);
}

static void tick(void *arg)
{
    struct probe *probe = arg;
    struct error err;
    struct tcp_totals totals;
    int64_t began_ms = clock_mono_ms();
    int result = source_tcp.sample(probe->source, began_ms, &err);
    tcp_totals(probe->source, 0, &totals);
    printf("{\"received\": %llu, \"sent\": %llu", (unsigned long long)totals.received,
        (unsigned long long)totals.sent);
    print_latest(probe, "db.received", began_ms);
    print_latest(probe, "db.sent", began_ms);
    print_latest(probe, "db.connections", began_ms);
    print_latest(probe, "db.rtt", began_ms);
    if (result)
        printf(", \"problem\": \"%s\"", err.text);
    printf("}\n");
    fflush(stdout);
    probe->next_ms += probe->interval_ms;
    loop_timer_set(probe->timer, probe->next_ms);
}

static void on_input(void *arg)
{
    char bytes[64];
    struct probe *probe = arg;
    if (read(STDIN_FILENO, bytes, sizeof bytes) <= 0)
        loop_stop(probe->loop);
}

int main(int argc, char **argv)
{
    struct error err;
    if (argc != 3) {
        fprintf(stderr, "usage: tcp_probe INTERVAL_MS ENDPOINT\n");
        return 2;
    }
    struct probe probe = {.interval_ms = strtol(argv[1], NULL, 10), .next_ms = clock_mono_ms()};
    probe.loop = loop_open(&err);
    struct offload *names = probe.loop ? offload_open(probe.loop, "names", &err) : NULL;
    if (!names) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    series_set_init(&probe.series, 4);
    struct tcp_database database = {.endpoint = argv[2]};
    struct tcp_options options = {.databases = &database, .count = 1};
    struct source_setup setup = {.loop = probe.loop,
        .names = names,
        .series = &probe.series,
        .root = "/",
        .interval_ms = probe.interval_ms,
        .options = &options};
    probe.source = source_tcp.open(&setup, &err);
    if (!probe.source) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    probe.timer = loop_timer_new(probe.loop, tick, &probe);
    struct loop_watch *input = loop_watch_readable(probe.loop, STDIN_FILENO, on_input, &probe);
    tick(&probe);
    loop_run(probe.loop);
    loop_unwatch(input);
    loop_timer_free(probe.timer);
    source_tcp.close(probe.source);
    offload_close(names);
    series_set_free(&probe.series);
    loop_close(probe.loop);
    return 0;
}
