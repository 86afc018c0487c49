#include "review/analysis/headline.h"

#include "core/alloc.h"
#include "core/incident.h"
#include "review/evidence/evidence.h"

#include "evidence_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Values of a metric around the incident, one a second: 60 before its onset, then `during`, then
 * `after`. */
struct shape {
    const char *metric;
    double before, during, after;
    int during_s, after_s;
};

enum { SHAPES_MAX = 3, BEFORE_S = 60, CSV_MAX = 64 * 1024 };
static const int64_t onset_s = 1795446241; /* 2026-11-23T15:04:01Z */

struct headline_case {
    const char *incident; /* the rest of incident.json */
    struct shape shapes[SHAPES_MAX];
    const char *suspect; /* NULL: none */
    const char *sample;
    double cum, base;
    const char *headline;
};

#define SPIKE "\"kind\": \"spike\", \"onset\": \"2026-11-23T15:04:01.000Z\", "
#define TRIGGER(metric, value, limit, reason)                                                      \
    "\"trigger\": {\"name\": \"t\", \"metric\": \"" metric "\", \"value\": " value                 \
    ", \"limit\": " limit ", \"reason\": \"" reason "\"}"
#define ABOVE SPIKE TRIGGER("cpu", "93.1", "80", "cpu 93.1% above 80% for 5 s")
#define CPU_41_S                                                                                   \
    {                                                                                              \
        "cpu", 12, 97, 12, 41, 5                                                                   \
    }

static const struct headline_case cases[] = {
    {ABOVE, {CPU_41_S, {"db.received", 7.7e6, 310e6, 7.7e6, 41, 5}},
        "liwords/pkg/stores/game.(*DBStore).GetRematchStreak", "cpu", 61.2, 0.3,
        "CPU rose from 12% to 97% for 41 s at 15:04:01 UTC; 61% of it in GetRematchStreak, which "
        "is 0.3% on a calm day; the database sent 310 MB/s, 40 times the usual"},
    {ABOVE, {CPU_41_S}, "main.work", "cpu", 61.2, NAN,
        "CPU rose from 12% to 97% for 41 s at 15:04:01 UTC; 61% of it in work"},
    {ABOVE, {CPU_41_S}, "main.work.func1", "cpu", 9.96, 0.01,
        "CPU rose from 12% to 97% for 41 s at 15:04:01 UTC; 10% of it in main.work.func1, which "
        "is not there on a calm day"},
    {ABOVE, {CPU_41_S}, "main.work", "cpu", 61.2, 60.8,
        "CPU rose from 12% to 97% for 41 s at 15:04:01 UTC; 61% of it in work, as on a calm day"},
    {ABOVE ", \"app_ended\": {\"time\": \"2026-11-23T15:04:42.000Z\", \"oom_killed\": true}",
        {CPU_41_S}, NULL, NULL, 0, 0,
        "CPU rose from 12% to 97% for 41 s at 15:04:01 UTC; the app was OOM-killed at 15:04:42 "
        "UTC"},
    {ABOVE ", \"app_ended\": {\"time\": \"2026-11-23T15:04:42.000Z\", \"exit_code\": 2}",
        {CPU_41_S}, "main.work", "cpu", 61.2, NAN,
        "CPU rose from 12% to 97% for 41 s at 15:04:01 UTC; 61% of it in work; the app ended at "
        "15:04:42 UTC"},
    {ABOVE, {{"cpu", 12, 97, 12, 41, 0}}, NULL, NULL, 0, 0,
        "CPU rose from 12% to 97% at 15:04:01 UTC, still high when the capture ended 40 s later"},
    {ABOVE, {{"cpu", 12, 97, 12, 200, 5}}, NULL, NULL, 0, 0,
        "CPU rose from 12% to 97% for 3 min 20 s at 15:04:01 UTC"},
    {ABOVE, {{"cpu", 0.31, 97, 0.31, 41, 5}}, NULL, NULL, 0, 0,
        "CPU rose from 0.3% to 97% for 41 s at 15:04:01 UTC"},
    {ABOVE, {{"cpu", 97, 97, 97, 41, 5}}, NULL, NULL, 0, 0, "CPU was at 97% at 15:04:01 UTC"},
    /* What the trigger saw, where no sample is. */
    {ABOVE, {{NULL}}, NULL, NULL, 0, 0, "CPU was at 93% at 15:04:01 UTC"},
    {ABOVE, {{"memory", 40, 41, 40, 41, 5}}, NULL, NULL, 0, 0, "CPU was at 93% at 15:04:01 UTC"},
    /* Only the database moved beside it, by how much at the least. */
    {ABOVE, {CPU_41_S, {"db.received", 0, 310e6, 0, 41, 5}}, NULL, NULL, 0, 0,
        "CPU rose from 12% to 97% for 41 s at 15:04:01 UTC; the database sent 310 MB/s, where "
        "there is hardly any usually"},
    {ABOVE, {CPU_41_S, {"db.received", 100e6, 120e6, 100e6, 41, 5}}, NULL, NULL, 0, 0,
        "CPU rose from 12% to 97% for 41 s at 15:04:01 UTC"},
    {ABOVE, {CPU_41_S, {"db.games.received", 4e6, 10e6, 4e6, 41, 5}}, NULL, NULL, 0, 0,
        "CPU rose from 12% to 97% for 41 s at 15:04:01 UTC; the database games sent 10 MB/s, 2.5 "
        "times the usual"},
    /* Several apps. */
    {SPIKE TRIGGER("api.cpu", "93.1", "80", "api.cpu 93.1% above 80%"),
        {{"api.cpu", 12, 97, 12, 41, 5}, {"worker.cpu", 1, 1, 1, 41, 5}}, "main.work", "cpu", 61,
        NAN, "CPU of api rose from 12% to 97% for 41 s at 15:04:01 UTC; 61% of it in work"},
    /* Without a limit of the CPU, and what is no built-in metric. */
    {SPIKE TRIGGER("cpu.cores", "1.5", "1", "cpu.cores 1.50 cores above 1 core"),
        {{"cpu.cores", 0.2, 1.75, 0.2, 41, 5}}, NULL, NULL, 0, 0,
        "CPU rose from 0.2 cores to 1.8 cores for 41 s at 15:04:01 UTC"},
    {SPIKE TRIGGER("goroutines", "15400", "1000", "goroutines 15400 above 1000"),
        {{"goroutines", 24, 15400, 24, 41, 5}}, "main.wait", "goroutine", 80, 2,
        "Goroutines rose from 24 to 15,400 for 41 s at 15:04:01 UTC; 80% of the goroutines in "
        "wait, which is 2% on a calm day"},
    {SPIKE TRIGGER("db.received", "3.1e8", "8e7", "db.received 310 MB/s, usually 7.7 MB/s"),
        {{"db.received", 7.7e6, 310e6, 7.7e6, 41, 5}, {"cpu", 12, 97, 12, 41, 5}}, "main.load",
        "cpu", 61, 0.3,
        "Traffic from the database rose from 7.7 MB/s to 310 MB/s for 41 s at 15:04:01 UTC; 61% "
        "of the CPU time in load, which is 0.3% on a calm day; CPU rose from 12% to 97%"},
    {SPIKE TRIGGER("db.rtt", "0.02", "0.01", "db.rtt 20 ms above 10 ms"),
        {{"db.rtt", 0.0012, 0.02, 0.0012, 41, 5}}, NULL, NULL, 0, 0,
        "The round trip to the database rose from 1.2 ms to 20 ms for 41 s at 15:04:01 UTC"},
    {SPIKE TRIGGER("memory.bytes", "1e9", "9e8", "memory.bytes 954 MiB above 858 MiB"),
        {{"memory.bytes", 268435456, 1073741824, 268435456, 41, 5}}, "main.keep", "inuse_space", 45,
        1.2,
        "Memory rose from 256 MiB to 1 GiB for 41 s at 15:04:01 UTC; 45% of the heap from keep, "
        "which is 1.2% on a calm day"},
    /* Falling. */
    {SPIKE TRIGGER("requests", "3", "10", "requests 3 below 10 for 5 s"),
        {{"requests", 120, 3, 120, 41, 5}}, NULL, NULL, 0, 0,
        "Requests fell from 120 to 3 for 41 s at 15:04:01 UTC"},
    {SPIKE "\"trigger\": {\"name\": \"t\", \"metric\": \"requests\", \"value\": 3, \"reason\": "
           "\"requests 3, usually 120: score 12.0 above 8\"}",
        {{"requests", 120, 3, 120, 41, 0}}, NULL, NULL, 0, 0,
        "Requests fell from 120 to 3 at 15:04:01 UTC, still low when the capture ended 40 s later"},
    /* Forecasts. */
    {SPIKE TRIGGER("memory", "78", "100", "memory 78.0%, +1.2 points/s: 100% in 41 s"),
        {{"memory", 40, 78, 40, 41, 0}}, NULL, NULL, 0, 0,
        "Memory would have reached 100% in 41 s at 15:04:06 UTC: it rose from 40% to 78%"},
    {SPIKE TRIGGER("memory", "99.9", "100", "memory 99.9%: 100% is reached"),
        {{"memory", 40, 99.9, 40, 41, 0}}, NULL, NULL, 0, 0,
        "Memory reached 100% at 15:04:06 UTC: it rose from 40% to 100%"},
    {SPIKE TRIGGER("memory", "78", "100", "memory 78.0%, +1.2 points/s: 100% in 41 s"), {{NULL}},
        NULL, NULL, 0, 0, "Memory would have reached 100% in 41 s at 15:04:06 UTC"},
    /* Counters. */
    {SPIKE TRIGGER("oom_kills", "1", "1", "oom_kills rose by 1 to 1"), {{NULL}}, NULL, NULL, 0, 0,
        "The container was OOM-killed at 15:04:01 UTC"},
    {SPIKE TRIGGER("worker.oom_kills", "5", "1", "worker.oom_kills rose by 2 to 5 within 1 min"),
        {{NULL}}, NULL, NULL, 0, 0, "The container worker was OOM-killed 2 times at 15:04:01 UTC"},
    {SPIKE TRIGGER("restarts", "5", "1", "restarts rose by 1 to 5"), {{NULL}}, NULL, NULL, 0, 0,
        "The container was restarted at 15:04:01 UTC"},
    {SPIKE TRIGGER("errors", "5", "1", "errors rose by 3 to 5"), {{NULL}}, NULL, NULL, 0, 0,
        "Errors rose by 3 at 15:04:01 UTC"},
    /* Not known at all. */
    {SPIKE "\"trigger\": {\"name\": \"both\", \"reason\": \"a and b within 10 s\"}", {{NULL}}, NULL,
        NULL, 0, 0, "The trigger both fired at 15:04:01 UTC: a and b within 10 s"},
    {SPIKE "\"trigger\": {}", {{NULL}}, NULL, NULL, 0, 0, "A trigger fired at 15:04:01 UTC"},
    /* By hand and in calm time. */
    {"\"kind\": \"manual\", \"trigger\": {\"name\": \"manual\", \"reason\": \"before the final\"}",
        {{"cpu", 5, 5, 5, 10, 5}}, NULL, NULL, 0, 0,
        "Taken by hand at 15:04:06 UTC: before the final; CPU at 5%"},
    {"\"kind\": \"manual\", \"trigger\": {\"name\": \"manual\", \"reason\": \"taken by hand\"}",
        {{NULL}}, NULL, NULL, 0, 0, "Taken by hand at 15:04:06 UTC"},
    {"\"kind\": \"baseline\", \"trigger\": {\"name\": \"baseline\"}",
        {{"api.cpu", 5, 5, 5, 10, 5}, {"api.memory", 40, 40, 40, 10, 5}}, NULL, NULL, 0, 0,
        "A calm moment to compare with: CPU of api at 5%, memory of api at 40%"},
    {"\"kind\": \"follow_up\", \"trigger\": {\"name\": \"follow_up\"}",
        {{"cpu", 14, 14, 14, 10, 5}}, NULL, NULL, 0, 0, "After the spike: CPU at 14%"},
};

static double value_at(const struct shape *shape, int second)
{
    if (second < 0)
        return shape->before + shape->before * (second % 3 ? 0 : 0.001);
    return second < shape->during_s ? shape->during : shape->after;
}

static void put_csv(struct buf *csv, const struct shape *shapes)
{
    buf_puts(csv, "time");
    for (size_t i = 0; i < SHAPES_MAX && shapes[i].metric; i++)
        buf_printf(csv, ",%s", shapes[i].metric);
    buf_puts(csv, "\n");
    int end = shapes[0].during_s + shapes[0].after_s;
    for (int second = -BEFORE_S; second < end; second++) {
        buf_printf(csv, "%lld", (long long)(onset_s + second));
        for (size_t i = 0; i < SHAPES_MAX && shapes[i].metric; i++)
            buf_printf(csv, ",%.6g", value_at(&shapes[i], second));
        buf_puts(csv, "\n");
    }
}

static void check_case(const struct headline_case *item)
{
    char json[2000], more[1500];
    struct buf csv;
    struct error err = {""};
    buf_init(&csv, CSV_MAX);
    if (item->shapes[0].metric)
        put_csv(&csv, item->shapes);
    snprintf(more, sizeof more, "%s%s", item->incident,
        item->shapes[0].metric ? ", \"metrics\": {\"file\": \"metrics.csv\"}" : "");
    rig_incident(json, sizeof json, more);
    const struct rig_file files[] = {
        {"incident.json", json, 0}, {"metrics.csv", csv.data, csv.size}, {NULL, NULL, 0}};
    struct evidence *evidence = rig_evidence(files, NULL, 1 << 20, &err);
    if (!evidence)
        fail_msg("%s: %s", item->headline, err.text);
    struct incident_function *suspect = &evidence->incident->analysis.suspect;
    if (item->suspect) {
        suspect->function = xstrdup(item->suspect);
        suspect->sample = xstrdup(item->sample);
        suspect->cum_percent = item->cum;
        suspect->baseline_percent = item->base;
    }
    char *headline = headline_of(evidence);
    assert_string_equal(headline, item->headline);
    free(headline);
    evidence_free(evidence);
    buf_free(&csv);
}

static void sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sentences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
