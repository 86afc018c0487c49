#include "agent/capture/probe.h"

#include "agent/capture/endpoint.h"
#include "config/config.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "profiler_stub.h"
#include "stub_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_FILLERS = 8 };

/* A probe of one app, and what it found: "app app, profile heap: ok; ..." */
struct bench {
    struct loop *loop;
    struct app_config app;
    struct capture_entry entries[3][3];
    struct capture_set sets[3];
    struct trigger_config trigger;
    struct config config;
    struct endpoint *endpoint;
    char found[1024];
    bool done, recorded;
};

static void on_found(void *arg, const struct probe_finding *finding)
{
    struct bench *bench = arg;
    if (finding->common)
        return;
    char *part = probe_describe(finding->app, finding->entry);
    size_t used = strlen(bench->found);
    snprintf(bench->found + used, sizeof bench->found - used, "%s%s: %s", used ? "; " : "", part,
        finding->why ? finding->why->text : "ok");
    assert_int_equal(finding->verdict == PROBE_OK, finding->why == NULL);
    free(part);
}

static void on_done(void *arg, const struct probe_summary *summary)
{
    struct bench *bench = arg;
    size_t used = strlen(bench->found);
    assert_ptr_equal(summary->app, &bench->app);
    snprintf(bench->found + used, sizeof bench->found - used, "; %zu of %zu%s%s",
        summary->available, summary->tried, summary->problem ? "; " : "",
        summary->problem ? summary->problem->text : "");
    bench->done = true;
}

/* The set "spike" stands in the file. */
static int set_up(void **state)
{
    static char spike[] = "spike", quick[] = "quick", memory[] = "memory", app[] = "app";
    struct bench *bench = xcalloc(1, sizeof *bench);
    struct error err;
    bench->loop = loop_open(&err);
    assert_non_null(bench->loop);
    bench->endpoint = endpoint_new();
    bench->app.name = app;
    char *const names[] = {spike, quick, memory};
    for (size_t i = 0; i < 3; i++)
        bench->sets[i] = (struct capture_set){.name = names[i], .entries = bench->entries[i]};
    bench->sets[0].line = 7;
    bench->trigger.capture = spike;
    bench->config = (struct config){.captures = bench->sets,
        .capture_count = 3,
        .triggers = &bench->trigger,
        .trigger_count = 1};
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    loop_close(bench->loop);
    endpoint_free(bench->endpoint);
    free(bench->app.debug);
    free(bench);
    return 0;
}

static void add(struct bench *bench, size_t set, const char *profile, int64_t seconds)
{
    static char names[][8] = {"cpu", "trace", "heap", "mutex"};
    size_t name = 0;
    while (strcmp(names[name], profile) != 0)
        name++;
    bench->entries[set][bench->sets[set].count++] = (struct capture_entry){
        .profile = names[name], .seconds = seconds};
}

static struct probe *start(struct bench *bench)
{
    struct probe_setup setup = {.loop = bench->loop,
        .config = &bench->config,
        .app = &bench->app,
        .endpoint = bench->endpoint,
        .recorded = bench->recorded,
        .found = on_found,
        .done = on_done,
        .arg = bench};
    return probe_start(&setup);
}

static void probe(struct bench *bench)
{
    struct probe *probe = start(bench);
    bench->done = false;
    assert_true(loop_run_until(bench->loop, &bench->done, clock_mono_ms() + 60000));
    probe_stop(probe);
}

/* A listening socket of which nobody takes connections. */
static int listen_only(struct bench *bench, int backlog, struct sockaddr_in *address)
{
    *address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)address, size), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
    bench->app.debug = xasprintf("http://127.0.0.1:%d/debug/pprof", ntohs(address->sin_port));
    return fd;
}

/* Greets who connects as a mail server does. */
static void *greet(void *arg)
{
    static const char text[] = "220 ready\r\n";
    int fd = accept(*(const int *)arg, NULL, NULL);
    (void)!write(fd, text, strlen(text));
    char byte;
    while (read(fd, &byte, 1) > 0)
        continue;
    close(fd);
    return NULL;
}

static void answers_tell(void **state)
{
    struct bench *bench = *state;
    static const struct stub_answer answers[] = {
        {400, "invalid value for seconds - must be greater than 0", {"X-Go-Pprof", "1", NULL}},
        {404, "404 page not found", {NULL}},
        {302, "", {"Location", "/login", NULL}},
    };
    struct stub_server server;
    stub_start(&server, answers, 3);
    bench->app.debug = xasprintf("%s/debug/pprof", server.url);
    add(bench, 0, "heap", 0);
    add(bench, 0, "mutex", 0);
    add(bench, 0, "cpu", 25);
    probe(bench);
    assert_string_equal(bench->found,
        "app app, profile heap: ok; app app, profile mutex: the endpoint has no profile \"mutex\" "
        "(404): check app.debug and the app's routes; app app, profile cpu of 25 s: the endpoint "
        "redirects (302), as to a login: give what it wants with app.headers, or check app.debug; "
        "1 of 3");
    assert_string_equal(server.requests[0].path, "/debug/pprof/heap");
    stub_stop(&server);
    stub_free(&server);
}

static void paths_and_what_need_not_be_there(void **state)
{
    struct bench *bench = *state;
    static const struct stub_answer answers[] = {
        {404, "Unknown profile", {"X-Go-Pprof", "1", NULL}},
        {200, "heap_v2/524288", {NULL}},
        {404, "404 page not found", {NULL}},
    };
    struct stub_server server;
    stub_start(&server, answers, 3);
    bench->app.debug = xasprintf("%s/debug/pprof", server.url);
    add(bench, 0, "mutex", 0);
    bench->entries[0][0].optional = true;
    add(bench, 0, "heap", 0);
    bench->entries[0][1].path = (char[]){"/debug/jemalloc?x=1"};
    add(bench, 0, "trace", 7);
    bench->entries[0][2].path = (char[]){"/debug/none?token=secret"};
    probe(bench);
    assert_string_equal(bench->found,
        "app app, profile mutex: the app does not have it (404): it is left out of incidents; "
        "app app, profile heap: ok; app app, profile trace of 7 s: the endpoint has no path "
        "\"/debug/none\" (404): check app.debug and the app's routes; 1 of 2");
    assert_string_equal(server.requests[1].path, "/debug/jemalloc");
    assert_string_equal(server.requests[2].path, "/debug/none");
    stub_stop(&server);
    stub_free(&server);
}

/* Each by a server that gives the same answer to all. What Go lacks is said of each profile, all
 * else once. */
static void wrong_endpoints_are_told_apart(void **state)
{
    struct bench *bench = *state;
    static const struct {
        struct stub_answer answer;
        const char *says;
    } cases[] = {
        {{404, "404 page not found", {NULL}}, "nothing there is Go's profiler (404"},
        {{404, "Unknown profile", {"X-Go-Pprof", "1", NULL}},
            "check app.debug and the app's routes; 0"},
        {{401, "", {NULL}}, "wants a login (401)"},
        {{403, "", {NULL}}, "wants a login (403)"},
        {{302, "", {NULL}}, "redirects (302), as to a login"},
        {{200, "<!DOCTYPE html>", {"Content-Type", "text/html", NULL}}, "a web page, as a login"},
        {{200, " <p>", {"Content-Type", "text/html; charset=utf-8", NULL}}, "a web page"},
    };
    add(bench, 0, "heap", 0);
    add(bench, 0, "cpu", 25);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stub_server server;
        stub_start(&server, &cases[i].answer, 1);
        bench->app.debug = xasprintf("%s/debug/pprof", server.url);
        bench->found[0] = '\0';
        probe(bench);
        if (!strstr(bench->found, cases[i].says) || !strstr(bench->found, "0 of 2"))
            fail_msg("%zu: %s", i, bench->found);
        bool each = cases[i].answer.headers[0] && !strcmp(cases[i].answer.headers[0], "X-Go-Pprof");
        if ((strstr(bench->found, "profile heap:") != NULL) != each)
            fail_msg("%zu: %s", i, bench->found);
        free(bench->app.debug);
        bench->app.debug = NULL;
        stub_stop(&server);
        stub_free(&server);
    }
}

static void what_speaks_no_http_is_a_wrong_port(void **state)
{
    struct bench *bench = *state;
    struct sockaddr_in address;
    int fd = listen_only(bench, 8, &address);
    pthread_t thread;
    add(bench, 0, "heap", 0);
    assert_int_equal(pthread_create(&thread, NULL, greet, &fd), 0);
    probe(bench);
    pthread_join(thread, NULL);
    assert_non_null(strstr(bench->found, "does not speak HTTP: is the port right?"));
    close(fd);
}

struct longest_case {
    int write_timeout_s, no_heap;
    const char *profile;
    int64_t wanted, fits; /* 0: none does */
    int cpu_profiles;     /* that were begun */
};

/* Whether the probe finds what the case says. */
static bool is_longest_found(struct bench *bench, const struct longest_case *one)
{
    struct profiler_stub stub;
    profiler_stub_start(&stub);
    atomic_store(&stub.hold, 1);
    atomic_store(&stub.write_timeout_s, one->write_timeout_s);
    atomic_store(&stub.no_heap, one->no_heap);
    bench->app.debug = stub.url;
    bench->sets[0].count = 0;
    bench->found[0] = '\0';
    endpoint_forget(bench->endpoint);
    add(bench, 0, one->profile, one->wanted);
    probe(bench);
    bench->app.debug = NULL;
    int64_t known = endpoint_longest(bench->endpoint, one->profile);
    int64_t expected = one->fits == one->wanted ? 0 : one->fits;
    bool failed = strstr(bench->found, "0 of 1") != NULL;
    bool found = known == expected && failed == (one->fits == 0) &&
                 atomic_load(&stub.taken) == one->cpu_profiles;
    if (!found)
        print_message("%d s: %lld, %d CPU profiles, %s\n", one->write_timeout_s, (long long)known,
            atomic_load(&stub.taken), bench->found);
    profiler_stub_stop(&stub);
    return found;
}

/* Where this machine is so busy that the stub does not answer in time, its silence is taken for a
 * recording that runs: then the case is played again. */
static void the_longest_that_fits_is_found(void **state)
{
    static const struct longest_case cases[] = {
        {30, 0, "cpu", 25, 25, 1},
        {30, 0, "cpu", 30, 29, 1},
        {10, 0, "cpu", 25, 9, 1},
        {2, 0, "cpu", 25, 1, 1},
        {1, 0, "cpu", 25, 0, 0},
        {10, 1, "cpu", 25, 9, 2}, /* 12 no, 6 yes, 9 yes, 10 no */
        {10, 0, "mutex", 25, 9, 0},
        {30, 0, "mutex", 25, 25, 0},
        {0, 0, "cpu", 3600, 3600, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int plays = 1;
        while (!is_longest_found(*state, &cases[i]))
            assert_true(plays++ < 5);
    }
}

static void a_limit_is_told_with_its_remedy(void **state)
{
    struct bench *bench = *state;
    struct profiler_stub stub;
    profiler_stub_start(&stub);
    atomic_store(&stub.hold, 1);
    atomic_store(&stub.write_timeout_s, 10);
    bench->app.debug = stub.url;
    add(bench, 0, "cpu", 25);
    add(bench, 0, "cpu", 5);
    probe(bench);
    assert_string_equal(bench->found,
        "app app, profile cpu of 25 s: 25 s are more than the app's WriteTimeout allows: 9 s fit "
        "and are taken; for more raise WriteTimeout above 25 s; app app, profile cpu of 5 s: ok; "
        "2 of 2");
    assert_int_equal(endpoint_seconds(bench->endpoint, "cpu", 25), 9);
    assert_int_equal(endpoint_seconds(bench->endpoint, "cpu", 5), 5);
    atomic_store(&stub.write_timeout_s, 60); /* it was started anew, with more */
    probe(bench);
    assert_int_equal(endpoint_seconds(bench->endpoint, "cpu", 25), 25);
    bench->app.debug = NULL;
    profiler_stub_stop(&stub);
}

static void a_recorder_of_our_own_is_no_problem(void **state)
{
    struct bench *bench = *state;
    static const struct stub_answer answers[] = {
        {500, "Could not enable CPU profiling: cpu profiling already in use\n", {NULL}}};
    struct stub_server server;
    stub_start(&server, answers, 1);
    bench->app.debug = xasprintf("%s/debug/pprof", server.url);
    bench->recorded = true;
    add(bench, 0, "cpu", 25);
    add(bench, 0, "trace", 5);
    probe(bench);
    assert_string_equal(bench->found,
        "app app, profile cpu of 25 s: ok; app app, profile trace of 5 s: somebody else is "
        "profiling the app (already in use); 1 of 2");
    stub_stop(&server);
    stub_free(&server);
}

static void every_set_that_may_be_taken_is_probed_once(void **state)
{
    struct bench *bench = *state;
    static const struct stub_answer answers[] = {{200, "", {NULL}}};
    struct stub_server server;
    stub_start(&server, answers, 1);
    bench->app.debug = xasprintf("%s/debug/pprof", server.url);
    bench->sets[0].line = 0; /* built in: taken by hand, and by triggers that do not say */
    bench->sets[1].line = 9; /* of the file: by hand, whatever the triggers take */
    add(bench, 0, "cpu", 25);
    add(bench, 0, "heap", 0);
    add(bench, 1, "heap", 0);
    add(bench, 1, "cpu", 5);
    add(bench, 2, "mutex", 0); /* built in and unused */
    probe(bench);
    assert_string_equal(bench->found,
        "app app, profile cpu of 25 s: ok; app app, profile heap: ok; "
        "app app, profile cpu of 5 s: ok; 3 of 3");
    assert_int_equal(server.count, 3);
    stub_stop(&server);
    stub_free(&server);
}

static void silence_after_the_request_is_a_recording(void **state)
{
    struct bench *bench = *state;
    struct sockaddr_in address;
    int fd = listen_only(bench, 8, &address);
    add(bench, 0, "cpu", 25);
    add(bench, 0, "trace", 5);
    probe(bench);
    assert_string_equal(bench->found,
        "app app, profile cpu of 25 s: ok; app app, profile trace of 5 s: ok; 2 of 2");
    close(fd);
}

static void silence_before_the_request_is_none(void **state)
{
    struct bench *bench = *state;
    struct sockaddr_in address;
    int fd = listen_only(bench, 0, &address), fillers[MAX_FILLERS];
    for (size_t i = 0; i < MAX_FILLERS; i++) { /* from here on the kernel drops who knocks */
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[i], (const struct sockaddr *)&address, sizeof address);
    }
    add(bench, 0, "cpu", 25);
    probe(bench);
    assert_non_null(strstr(bench->found, "cannot be reached"));
    for (size_t i = 0; i < MAX_FILLERS; i++)
        close(fillers[i]);
    close(fd);
}

static void it_can_be_stopped_at_any_time(void **state)
{
    struct bench *bench = *state;
    struct sockaddr_in address;
    int fd = listen_only(bench, 8, &address);
    add(bench, 0, "cpu", 25);
    probe_stop(NULL);
    probe_stop(start(bench));
    struct probe *running = start(bench);
    bool never = false;
    loop_run_until(bench->loop, &never, clock_mono_ms() + 100);
    probe_stop(running);
    assert_string_equal(bench->found, "");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_tell, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_and_what_need_not_be_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_endpoints_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_speaks_no_http_is_a_wrong_port, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_longest_that_fits_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_limit_is_told_with_its_remedy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_recorder_of_our_own_is_no_problem, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            every_set_that_may_be_taken_is_probed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            silence_after_the_request_is_a_recording, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silence_before_the_request_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_can_be_stopped_at_any_time, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
