/* The docker source against an engine of the test's own. */
#include "engine_stub.h"
#include "sources/source.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array)      (sizeof(array) / sizeof *(array))
#define STARTED(at, more) "\"State\":{\"StartedAt\":\"2026-01-02T00:00:0" at "Z\"," more "}"
#define RUNNING(at)       STARTED(at, "\"Running\":true")

static const char limited[] = "\"HostConfig\":{\"NanoCpus\":2000000000,\"Memory\":1000}," RUNNING(
    "1");

struct rig {
    struct engine_stub engine;
    struct loop *loop;
    struct series_set series;
    struct source_app app;
    struct source_setup setup;
    void *source;
    int64_t now_ms;
    struct error err;
};

static void note_sampled(void *arg)
{
    (void)arg;
}

static int set_up(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);
    engine_stub_start(&rig->engine);
    engine_stub_set(&rig->engine, "1a2b", limited);
    char *host = xasprintf("unix://%s", rig->engine.socket);
    setenv("DOCKER_HOST", host, 1);
    free(host);
    rig->loop = loop_open(NULL);
    series_set_init(&rig->series, 1000);
    rig->app = (struct source_app){.prefix = "", .container = "api"};
    rig->setup = (struct source_setup){.loop = rig->loop,
        .series = &rig->series,
        .root = "/",
        .apps = &rig->app,
        .app_count = 1,
        .interval_ms = 1000,
        .sampled = note_sampled};
    rig->now_ms = clock_mono_ms();
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    if (rig->source)
        source_docker.close(rig->source);
    engine_stub_stop(&rig->engine);
    loop_close(rig->loop);
    series_set_free(&rig->series);
    free(rig);
    return 0;
}

static double value(const struct rig *rig, const char *name)
{
    const struct series *series = series_set_find(&rig->series, name);
    const struct sample *newest = series ? series_at(series, 0) : NULL;
    return newest ? newest->value : NAN;
}

static int tick(struct rig *rig)
{
    bool never = false;
    if (!rig->source)
        rig->source = source_docker.open(&rig->setup, &rig->err);
    assert_non_null(rig->source);
    rig->now_ms += 1000;
    rig->err.text[0] = '\0';
    int status = source_docker.sample(rig->source, rig->now_ms, &rig->err);
    loop_run_until(rig->loop, &never, clock_mono_ms() + 5);
    return status;
}

/* Ticks until the metric has that value, or (metric NULL) the error has those words. */
static bool reaches(struct rig *rig, const char *metric, double wanted, const char *words)
{
    for (int i = 0; i < 2000; i++) {
        int status = tick(rig);
        if (metric ? value(rig, metric) == wanted : status < 0 && strstr(rig->err.text, words))
            return true;
    }
    return false;
}

static struct source_life life_of(const struct rig *rig)
{
    struct source_life life;
    source_docker.life(rig->source, 0, &life);
    return life;
}

static void note(void *arg, const char *sentence)
{
    char *text = arg;
    snprintf(text + strlen(text), 2000 - strlen(text), "%s\n", sentence);
}

static void samples_are_shares_of_the_containers_limits(void **state)
{
    struct rig *rig = *state;
    assert_true(reaches(rig, "cpu", 25, NULL));
    assert_true(value(rig, "cpu.cores") == 0.5);
    assert_true(value(rig, "memory") == 20 && value(rig, "memory.bytes") == 200);
    assert_true(value(rig, "memory.rss") == 50);
    assert_true(value(rig, "cpu.throttled") == 40);
    assert_true(value(rig, "oom_kills") == 0 && value(rig, "restarts") == 0);
    assert_true(reaches(rig, "net.received", 1000, NULL));
    assert_true(isnan(value(rig, "cpu.pressure")));
    struct source_identity identity;
    source_docker.identify(rig->source, 0, &identity);
    assert_string_equal(identity.container, "api");
    assert_true(identity.started_wall_ms == 1767312001000);
    assert_true(life_of(rig).known && !life_of(rig).gone);
}

static void missing_container_is_said_with_those_that_are_there(void **state)
{
    struct rig *rig = *state;
    engine_stub_set(&rig->engine, "", NULL);
    assert_true(reaches(rig, NULL, 0, "has no container api (app.container); it has: api, worker"));
    assert_false(life_of(rig).known);
    engine_stub_set(&rig->engine, "1a2b", limited);
    assert_true(reaches(rig, "cpu", 25, NULL));
    assert_true(value(rig, "restarts") == 0);
}

static void kills_and_restarts_are_told_by_events(void **state)
{
    struct rig *rig = *state;
    assert_true(reaches(rig, "cpu", 25, NULL));
    while (!rig->engine.streams)
        tick(rig);
    engine_stub_event(&rig->engine, "{\"Action\":\"oom\"}\n{\"Action\":\"die\",\"Actor\":{"
                                    "\"Attributes\":{\"exitCode\":\"137\"}}}\n");
    assert_true(reaches(rig, "oom_kills", 1, NULL));
    /* The engine's own word for the same kill counts nothing. */
    engine_stub_set(&rig->engine, "1a2b",
        STARTED("1", "\"Running\":false,\"OOMKilled\":true,\"ExitCode\":137"));
    engine_stub_event(&rig->engine, "{\"Action\":\"start\"}\n");
    assert_true(reaches(rig, NULL, 0, "the container api does not run"));
    assert_true(life_of(rig).gone);
    assert_int_equal(life_of(rig).exit_code, 137);
    engine_stub_set(&rig->engine, "1a2b", RUNNING("5"));
    engine_stub_event(&rig->engine, "{\"Action\":\"start\"}\n");
    assert_true(reaches(rig, "restarts", 1, NULL));
    assert_true(value(rig, "oom_kills") == 1 && life_of(rig).oom_kills == 1);
    assert_true(!life_of(rig).gone && life_of(rig).starts == 2);
}

static void without_events_the_engine_is_asked(void **state)
{
    struct rig *rig = *state;
    rig->engine.no_events = true;
    assert_true(reaches(rig, "cpu", 25, NULL));
    engine_stub_set(&rig->engine, "1a2b",
        STARTED("1", "\"Running\":false,\"OOMKilled\":true,\"ExitCode\":137"));
    assert_true(reaches(rig, "oom_kills", 1, NULL));
    engine_stub_set(&rig->engine, "1a2b", "\"RestartCount\":2," RUNNING("5"));
    assert_true(reaches(rig, "restarts", 2, NULL));
    engine_stub_set(&rig->engine, "3c4d", RUNNING("6")); /* replaced */
    assert_true(reaches(rig, "restarts", 3, NULL));
    assert_true(value(rig, "oom_kills") == 1);
    char notes[2000] = "";
    source_docker.describe(rig->source, note, notes);
    assert_non_null(strstr(notes, "does not let its events be followed"));
}

static void what_podman_lacks_is_a_gap_with_a_remedy(void **state)
{
    struct rig *rig = *state;
    rig->engine.podman = true;
    rig->engine.memory = "\"usage\":300,\"limit\":1000";
    engine_stub_set(
        &rig->engine, "1a2b", "\"HostConfig\":{\"NetworkMode\":\"host\"}," RUNNING("1"));
    assert_true(reaches(rig, "cpu.cores", 0.5, NULL));
    for (int i = 0; i < 40; i++) /* the network's counters have 15 s */
        tick(rig);
    static const char *const gaps[] = {"memory", "memory.bytes", "memory.rss", "net.received"};
    for (size_t i = 0; i < COUNT(gaps); i++)
        assert_true(isnan(value(rig, gaps[i])));
    char notes[2000] = "";
    source_docker.describe(rig->source, note, notes);
    assert_non_null(strstr(notes, "memory is not measured: Podman"));
    assert_non_null(strstr(notes, "net.* is not measured"));
    while (!rig->engine.streams)
        tick(rig);
    engine_stub_event(
        &rig->engine, "{\"Action\":\"die\",\"Actor\":{\"Attributes\":{\"exitCode\":\"137\"}}}\n");
    assert_true(reaches(rig, "oom_kills", 1, NULL));
}

static void limits_are_described(void **state)
{
    struct rig *rig = *state;
    char notes[2000] = "";
    engine_stub_set(&rig->engine, "1a2b", "\"HostConfig\":{\"NanoCpus\":1000000000}," RUNNING("1"));
    assert_true(reaches(rig, "cpu.cores", 0.5, NULL));
    source_docker.describe(rig->source, note, notes);
    assert_non_null(
        strstr(notes, "api: cpu is a share of 1 core (the container's limit), memory "));
}

static void refusals_are_said_in_the_engines_words(void **state)
{
    struct rig *rig = *state;
    rig->engine.status = 500;
    assert_true(reaches(rig, NULL, 0, "answers 500 to /containers/.../json: no such container"));
    rig->engine.status = 0;
    assert_true(reaches(rig, "cpu", 25, NULL));
}

static void what_can_never_work_is_refused(void **state)
{
    struct rig *rig = *state;
    static const struct {
        const char *container, *host, *words;
    } cases[] = {
        {NULL, NULL, "app.container"},
        {"a/b", NULL, "no name or id"},
        {"api", "tcp://127.0.0.1:2375", "DOCKER_HOST"},
        {"api", "unix:///nowhere/docker.sock", "there is no socket of a Docker engine at /nowhere"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error why = {{0}};
        rig->app.container = cases[i].container;
        if (cases[i].host)
            setenv("DOCKER_HOST", cases[i].host, 1);
        assert_false(source_docker.present(&rig->setup, &why));
        assert_non_null(strstr(why.text, cases[i].words));
    }
    assert_true(reaches(rig, NULL, 0, "there is no socket of a Docker engine at /nowhere"));
}

#define WITH_ENGINE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ENGINE(samples_are_shares_of_the_containers_limits),
        WITH_ENGINE(missing_container_is_said_with_those_that_are_there),
        WITH_ENGINE(kills_and_restarts_are_told_by_events),
        WITH_ENGINE(without_events_the_engine_is_asked),
        WITH_ENGINE(what_podman_lacks_is_a_gap_with_a_remedy),
        WITH_ENGINE(limits_are_described),
        WITH_ENGINE(refusals_are_said_in_the_engines_words),
        WITH_ENGINE(what_can_never_work_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
