#include "agent/capture/capture.h"

#include "agent/capture/endpoint.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"
#include "profiler_stub.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t patience_ms = 60000;

/* What the stub has been asked for, "heap profile ...", and what it answers. */
static struct {
    pthread_mutex_t lock;
    char asked[1024];
    atomic_int hold_heap; /* while it is set, no heap profile comes */
} app = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const struct {
    const char *part, *body;
    size_t size;
    unsigned status;
} bodies[] = {
    {"/goroutineleak", "Unknown profile\n", 16, 404},
    {"/sick", "no worker", 9, 503},
    {"/page", "<html>please log in", 19, 200},
    {"/dump", "heap_v2/524288\n", 15, 200},
    {"/events", "go 1.19 trace\0\0\0....", 20, 200},
    {"/other", "FLR\0\1\2", 6, 200},
};

/* As an app that ends in the middle of its answer. */
static void break_off(struct MHD_Connection *connection)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int fd = info->connect_fd;
    (void)!send(fd, head, strlen(head), MSG_NOSIGNAL);
    (void)!send(fd, stub_profile, sizeof stub_profile - 6, MSG_NOSIGNAL);
    shutdown(fd, SHUT_RDWR);
    profiler_answer(connection, 200, "", 0); /* to nobody */
}

static int answers(struct profiler_stub *stub, struct MHD_Connection *connection, const char *url)
{
    (void)stub;
    pthread_mutex_lock(&app.lock);
    size_t used = strlen(app.asked);
    snprintf(app.asked + used, sizeof app.asked - used, "%s ", strrchr(url, '/') + 1);
    pthread_mutex_unlock(&app.lock);
    while (strstr(url, "/heap") && atomic_load(&app.hold_heap))
        usleep(2000);
    if (strstr(url, "/broken")) {
        break_off(connection);
        return 1;
    }
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (strstr(url, bodies[i].part)) {
            profiler_answer(connection, bodies[i].status, bodies[i].body, bodies[i].size);
            return 1;
        }
    return 0;
}

/* Whether the stub has been asked for all of these, "heap goroutine". */
static bool was_asked(const char *names)
{
    bool all = true;
    char *copy = xstrdup(names), *rest = copy;
    pthread_mutex_lock(&app.lock);
    for (char *name; (name = strsep(&rest, " "));) {
        char *word = xasprintf("%s ", name);
        all = all && strstr(app.asked, word);
        free(word);
    }
    pthread_mutex_unlock(&app.lock);
    free(copy);
    return all;
}

struct bench {
    struct loop *loop;
    struct offload *disk;
    struct profiler_stub stub;
    struct app_config app;
    struct endpoint *endpoint;
    struct capture_entry entries[8];
    struct capture_set set;
    struct incident *incident;
    struct capture *capture;
    struct loop_timer *look;
    const char *wanted; /* names; NULL: that all is done */
    char folder[64];
    bool met, heap_first, hold_cpu;
    int done, cpu_done;
};

static void on_progress(void *arg)
{
    (void)arg;
}

static void on_done(void *arg)
{
    struct bench *bench = arg;
    bench->done++;
}

static void on_cpu_done(void *arg)
{
    struct bench *bench = arg;
    bench->cpu_done++;
}

static void look(void *arg)
{
    struct bench *bench = arg;
    bench->met = bench->wanted ? was_asked(bench->wanted) : bench->done > 0;
    if (!bench->met)
        loop_timer_set(bench->look, clock_mono_ms() + 5);
}

/* Serves the loop until the stub has been asked for these; NULL: until the capture is done. */
static void wait_for(struct bench *bench, const char *names)
{
    bench->wanted = names;
    bench->met = false;
    loop_timer_set(bench->look, 0);
    assert_true(loop_run_until(bench->loop, &bench->met, clock_mono_ms() + patience_ms));
}

static int set_up(void **state)
{
    struct bench *bench = xcalloc(1, sizeof *bench);
    struct error err;
    log_setup(LOG_ERROR, LOG_LOGFMT);
    strcpy(bench->folder, "/tmp/stakeout-capture-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    bench->loop = loop_open(&err);
    assert_non_null(bench->loop);
    bench->disk = offload_open(bench->loop, "disk", &err);
    assert_non_null(bench->disk);
    profiler_stub_start(&bench->stub);
    bench->stub.answers = answers;
    bench->app.debug = bench->stub.url;
    bench->set.entries = bench->entries;
    bench->incident = incident_new();
    bench->look = loop_timer_new(bench->loop, look, bench);
    app.asked[0] = '\0';
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    atomic_store(&app.hold_heap, 0);
    profiler_stub_stop(&bench->stub);
    offload_close(bench->disk);
    capture_free(bench->capture);
    endpoint_free(bench->endpoint);
    incident_free(bench->incident);
    loop_timer_free(bench->look);
    loop_close(bench->loop);
    fs_remove(bench->folder, NULL);
    free(bench);
    return 0;
}

static struct capture_entry *add(struct bench *bench, const char *profile)
{
    struct capture_entry *entry = &bench->entries[bench->set.count++];
    *entry = (struct capture_entry){.profile = (char *)(uintptr_t)profile};
    return entry;
}

static void add_path(struct bench *bench, const char *name, const char *path)
{
    add(bench, name)->path = (char *)(uintptr_t)path;
}

static void start(struct bench *bench)
{
    struct capture_setup setup = {
        .loop = bench->loop,
        .disk = bench->disk,
        .app = &bench->app,
        .endpoint = bench->endpoint,
        .set = &bench->set,
        .folder = bench->folder,
        .incident = bench->incident,
        .max_profile_bytes = 1 << 20,
        .heap_first = bench->heap_first,
        .hold_cpu = bench->hold_cpu,
        .cpu_done = on_cpu_done,
        .progress = on_progress,
        .done = on_done,
        .arg = bench,
    };
    bench->capture = capture_start(&setup);
}

static void expect(struct bench *bench, const char *name, enum profile_status status,
    const char *file, const char *says)
{
    const struct incident_profile *profile = incident_find_profile(bench->incident, name);
    assert_non_null(profile);
    assert_int_equal(profile->status, status);
    assert_string_equal(profile->file ? profile->file : "none", file ? file : "none");
    if (says)
        assert_non_null(strstr(profile->error, says));
    if (!file)
        return;
    char *path = xasprintf("%s/%s", bench->folder, file);
    assert_true(fs_exists(path));
    free(path);
}

static void moments_do_not_wait_for_what_records(void **state)
{
    struct bench *bench = *state;
    atomic_store(&bench->stub.hold, 1);
    atomic_store(&app.hold_heap, 1);
    add(bench, "heap");
    add(bench, "allocs")->seconds = 5;
    add(bench, "goroutine");
    add(bench, "cpu")->seconds = 25;
    start(bench);
    wait_for(bench, "profile heap allocs");
    assert_false(was_asked("goroutine")); /* after the heap */
    atomic_store(&app.hold_heap, 0);
    wait_for(bench, "goroutine");
    assert_int_equal(bench->done, 0);
    atomic_store(&bench->stub.hold, 0);
    wait_for(bench, NULL);
    expect(bench, "cpu", PROFILE_OK, "cpu.pb.gz", NULL);
    expect(bench, "goroutine", PROFILE_OK, "goroutine.pb.gz", NULL);
}

static void before_an_oom_the_heap_comes_first(void **state)
{
    struct bench *bench = *state;
    atomic_store(&app.hold_heap, 1);
    bench->heap_first = true;
    add(bench, "goroutine");
    add(bench, "allocs")->seconds = 5;
    add(bench, "heap");
    start(bench);
    wait_for(bench, "heap");
    assert_false(was_asked("goroutine"));
    assert_false(was_asked("allocs"));
    atomic_store(&app.hold_heap, 0);
    wait_for(bench, NULL);
    assert_int_equal(strncmp(app.asked, "heap ", 5), 0);
    assert_true(was_asked("goroutine allocs"));
}

static void what_is_of_the_end_waits_for_it(void **state)
{
    struct bench *bench = *state;
    atomic_store(&bench->stub.hold, 1);
    add(bench, "cpu")->seconds = 25;
    struct capture_entry *late = add(bench, "mutex");
    late->at = CAPTURE_AT_END;
    late->name = (char[]){"mutex-end"};
    add(bench, "heap");
    add(bench, "goroutine");
    start(bench);
    wait_for(bench, "heap goroutine");
    assert_false(was_asked("mutex"));
    capture_spike_over(bench->capture);
    capture_spike_over(bench->capture);
    wait_for(bench, "mutex");
    atomic_store(&bench->stub.hold, 0);
    wait_for(bench, NULL);
    expect(bench, "mutex-end", PROFILE_OK, "mutex-end.pb.gz", NULL);
    capture_spike_over(bench->capture);
    assert_int_equal(bench->done, 1);
}

static void what_is_of_the_end_comes_when_all_else_is_done(void **state)
{
    struct bench *bench = *state;
    add(bench, "mutex")->at = CAPTURE_AT_END;
    add(bench, "block")->at = CAPTURE_AT_END;
    add(bench, "cpu")->seconds = 25;
    add(bench, "heap");
    start(bench);
    wait_for(bench, NULL);
    const char *first_late = strstr(app.asked, "mutex ");
    assert_non_null(first_late);
    assert_true(strstr(app.asked, "profile ") < first_late);
    assert_true(strstr(app.asked, "heap ") < first_late);
    assert_true(strstr(app.asked, "block ") > first_late);
    assert_int_equal(bench->done, 1);
}

static void what_waits_for_the_end_is_given_up_when_the_agent_stops(void **state)
{
    struct bench *bench = *state;
    atomic_store(&bench->stub.hold, 1);
    add(bench, "cpu")->seconds = 25;
    add(bench, "heap")->at = CAPTURE_AT_END;
    start(bench);
    wait_for(bench, "profile");
    capture_finish(bench->capture, clock_mono_ms() + patience_ms);
    capture_spike_over(bench->capture);
    wait_for(bench, NULL);
    expect(bench, "cpu", PROFILE_OK, "cpu.pb.gz", NULL);
    expect(
        bench, "heap", PROFILE_FAILED, NULL, "the agent was stopped before this profile was begun");
    assert_false(was_asked("heap"));
}

/* Its last connection was lost, so what is of the end waits for the word of what that was. */
static void lose_the_app(struct bench *bench)
{
    add(bench, "broken");
    add(bench, "heap")->at = CAPTURE_AT_END;
    start(bench);
    const struct incident_profile *broken = incident_find_profile(bench->incident, "broken");
    bool over = false;
    int64_t until_ms = clock_mono_ms() + patience_ms;
    while (broken->status == PROFILE_PENDING && clock_mono_ms() < until_ms)
        loop_run_until(bench->loop, &over, clock_mono_ms() + 2);
    expect(bench, "broken", PROFILE_TRUNCATED, "broken.pb.gz", NULL);
    assert_int_equal(bench->done, 0);
}

static void an_app_that_is_gone_ends_what_waits_for_word_of_it(void **state)
{
    struct bench *bench = *state;
    lose_the_app(bench);
    capture_app_ended(bench->capture, "the app ended");
    capture_app_ended(bench->capture, "the app ended");
    wait_for(bench, NULL);
    assert_int_equal(bench->done, 1);
    expect(bench, "heap", PROFILE_FAILED, NULL, "the app ended before this profile was begun");
}

static void an_app_that_is_gone_ends_what_is_tried_again(void **state)
{
    struct bench *bench = *state;
    add_path(bench, "sick", "/sick");
    start(bench);
    const struct incident_profile *sick = incident_find_profile(bench->incident, "sick");
    bool over = false;
    int64_t until_ms = clock_mono_ms() + patience_ms;
    while (sick->http_status != 503 && clock_mono_ms() < until_ms)
        loop_run_until(bench->loop, &over, clock_mono_ms() + 2);
    capture_app_ended(bench->capture, "the app ended");
    wait_for(bench, NULL);
    expect(bench, "sick", PROFILE_FAILED, NULL,
        "the endpoint answered 503: no worker; there is no other try, as the app ended");
}

static void a_stop_ends_what_waits_for_word_of_the_app(void **state)
{
    struct bench *bench = *state;
    lose_the_app(bench);
    capture_finish(bench->capture, clock_mono_ms() + patience_ms);
    wait_for(bench, NULL);
    assert_int_equal(bench->done, 1);
    capture_finish(bench->capture, clock_mono_ms());
    assert_int_equal(bench->done, 1);
    assert_false(was_asked("heap"));
}

static void half_is_half_of_what_the_app_allows(void **state)
{
    struct bench *bench = *state;
    bench->endpoint = endpoint_new();
    endpoint_refuses(bench->endpoint, "cpu", 2);
    atomic_store(&bench->stub.hold, 1);
    add(bench, "cpu")->seconds = 25;
    start(bench);
    wait_for(bench, "profile");
    capture_end_early(bench->capture, true);
    wait_for(bench, NULL);
    assert_true(incident_find_profile(bench->incident, "cpu")->ended_early);
}

/* A slice of the recorder was in flight as the app ended; it is told of that only later. */
static void a_cpu_profile_that_was_held_waits_for_word_of_the_app(void **state)
{
    struct bench *bench = *state;
    bench->hold_cpu = true;
    add(bench, "cpu")->seconds = 25;
    lose_the_app(bench);
    capture_begin_cpu(bench->capture, 0);
    const struct incident_profile *cpu = incident_find_profile(bench->incident, "cpu");
    assert_int_equal(cpu->attempts, 0);
    assert_int_equal(bench->cpu_done, 0);
    capture_app_ended(bench->capture, "the app ended");
    wait_for(bench, NULL);
    assert_int_equal(bench->cpu_done, 1);
    expect(bench, "cpu", PROFILE_FAILED, NULL, "the app ended before this profile was begun");
}

static void a_cpu_profile_that_was_held_goes_on_with_the_app(void **state)
{
    struct bench *bench = *state;
    bench->hold_cpu = true;
    add(bench, "cpu")->seconds = 25;
    lose_the_app(bench);
    capture_begin_cpu(bench->capture, 0);
    capture_go_on(bench->capture);
    wait_for(bench, NULL);
    assert_int_equal(bench->cpu_done, 1);
    expect(bench, "cpu", PROFILE_OK, "cpu.pb.gz", NULL);
    expect(bench, "heap", PROFILE_OK, "heap.pb.gz", NULL);
}

static void what_need_not_be_there_is_left_out(void **state)
{
    struct bench *bench = *state;
    add(bench, "goroutineleak")->optional = true;
    struct capture_entry *wanted = add(bench, "goroutineleak");
    wanted->name = (char[]){"leak"};
    add(bench, "heap");
    start(bench);
    wait_for(bench, NULL);
    expect(bench, "goroutineleak", PROFILE_LEFT_OUT, NULL, NULL);
    expect(bench, "leak", PROFILE_FAILED, NULL, "404");
    expect(bench, "heap", PROFILE_OK, "heap.pb.gz", NULL);
    bench->incident->id = xstrdup("20261123T150401Z-x-000000");
    char *text = incident_to_text(bench->incident);
    assert_null(strstr(text, "\"name\": \"goroutineleak\""));
    assert_non_null(strstr(text, "\"leak\""));
    free(text);
}

static void what_a_path_answers_is_kept_by_its_form(void **state)
{
    struct bench *bench = *state;
    add_path(bench, "fgprof", "/debug/fgprof");
    add_path(bench, "page", "/page?x=1");
    add_path(bench, "dump", "/dump");
    add_path(bench, "events", "/a/events");
    add_path(bench, "jfr", "/other");
    start(bench);
    wait_for(bench, NULL);
    expect(bench, "fgprof", PROFILE_OK, "fgprof.pb.gz", NULL);
    expect(bench, "page", PROFILE_FAILED, NULL, "web page");
    expect(bench, "dump", PROFILE_OK, "dump.txt", NULL);
    expect(bench, "events", PROFILE_OK, "events.trace", NULL);
    expect(bench, "jfr", PROFILE_OK, "jfr.bin", NULL);
    const struct incident_profile *page = incident_find_profile(bench->incident, "page");
    assert_non_null(strstr(page->url, "/page"));
    assert_null(strstr(page->url, "x=1"));
    char *part = xasprintf("%s/.page.part", bench->folder);
    assert_false(fs_exists(part));
    free(part);
}

#define CAPTURE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAPTURE_TEST(moments_do_not_wait_for_what_records),
        CAPTURE_TEST(before_an_oom_the_heap_comes_first),
        CAPTURE_TEST(what_is_of_the_end_waits_for_it),
        CAPTURE_TEST(what_is_of_the_end_comes_when_all_else_is_done),
        CAPTURE_TEST(what_waits_for_the_end_is_given_up_when_the_agent_stops),
        CAPTURE_TEST(an_app_that_is_gone_ends_what_waits_for_word_of_it),
        CAPTURE_TEST(an_app_that_is_gone_ends_what_is_tried_again),
        CAPTURE_TEST(a_stop_ends_what_waits_for_word_of_the_app),
        CAPTURE_TEST(half_is_half_of_what_the_app_allows),
        CAPTURE_TEST(a_cpu_profile_that_was_held_waits_for_word_of_the_app),
        CAPTURE_TEST(a_cpu_profile_that_was_held_goes_on_with_the_app),
        CAPTURE_TEST(what_need_not_be_there_is_left_out),
        CAPTURE_TEST(what_a_path_answers_is_kept_by_its_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
