/* Where profiles are, and what is learned from an answer that is none. */
#include "agent/capture/profiler.h"
#include "config/config.h"
#include "core/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct lesson_case {
    const char *what;
    enum http_outcome outcome;
    int status;
    const char *body;
    int64_t elapsed_ms;
    enum profiler_advice advice;
    const char *says; /* part of the sentence */
};

static const struct lesson_case lessons[] = {
    {"a WriteTimeout that is too short", HTTP_ANSWERED, 400,
        "profile duration exceeds server's WriteTimeout\n", 5, PROFILER_SHORTER, "WriteTimeout"},
    {"another bad request", HTTP_ANSWERED, 400, "no\nmore", 5, PROFILER_GIVE_UP, "400: no"},
    {"a login", HTTP_ANSWERED, 401, "", 5, PROFILER_GIVE_UP, "app.headers"},
    {"a forbidden path", HTTP_ANSWERED, 403, "", 5, PROFILER_GIVE_UP, "app.headers"},
    {"a path that is not there", HTTP_ANSWERED, 404, "404 page not found\n", 5, PROFILER_GIVE_UP,
        "no profile \"cpu\""},
    {"another profiler at work", HTTP_ANSWERED, 500,
        "Could not enable CPU profiling: cpu profiling already in use\n", 5, PROFILER_AGAIN,
        "already in use"},
    {"a server error", HTTP_ANSWERED, 502, "bad gateway", 5, PROFILER_AGAIN,
        "the endpoint answered 502: bad gateway"},
    {"throttling", HTTP_ANSWERED, 429, "", 5, PROFILER_AGAIN, "429"},
    {"a redirect", HTTP_ANSWERED, 302, "", 5, PROFILER_GIVE_UP, "redirects (302), as to a login"},
    {"a page", HTTP_ANSWERED, 200, "<html>", 5, PROFILER_GIVE_UP, "a web page, as a login"},
    {"another protocol", HTTP_NOT_HTTP, 0, "", 5, PROFILER_GIVE_UP, "is the port right"},
    {"nobody there", HTTP_UNREACHED, 0, "", 5, PROFILER_AGAIN, "app.debug"},
    {"a connection that ends", HTTP_BROKEN, 0, "", 5, PROFILER_AGAIN, "ended the connection"},
    {"an answer without end", HTTP_TOO_LARGE, 200, "", 5, PROFILER_GIVE_UP, "limits.profile"},
    {"a certificate without trust", HTTP_BAD_TLS, 0, "", 5, PROFILER_GIVE_UP,
        "no trusted TLS connection to the endpoint: because"},
    {"a server that hangs", HTTP_TIMEOUT, 0, "", 5, PROFILER_GIVE_UP, "because"},
    {"control characters", HTTP_ANSWERED, 418, "a\x1b[31mb", 5, PROFILER_GIVE_UP, "418: a [31mb"},
    {"an empty answer after the whole time", HTTP_ANSWERED, 200, "", 25100, PROFILER_SHORTER,
        "WriteTimeout"},
    {"a connection that ends after the whole time", HTTP_BROKEN, 0, "", 25100, PROFILER_SHORTER,
        "WriteTimeout"},
    {"an empty answer at once", HTTP_ANSWERED, 200, "", 5, PROFILER_GIVE_UP, "empty answer"},
    {"an app that dies while it records", HTTP_BROKEN, 0, "", 7000, PROFILER_GIVE_UP, "after 7 s"},
    {"an error's text without an end", HTTP_TOO_LARGE, 404, "no", 5, PROFILER_GIVE_UP, "404"},
};

static void each_answer_has_its_lesson(void **state)
{
    (void)state;
    struct capture_entry entry = {.profile = (char[]){"cpu"}, .seconds = 25};
    for (size_t i = 0; i < sizeof lessons / sizeof *lessons; i++) {
        const struct lesson_case *c = &lessons[i];
        struct error err = {"because"};
        struct http_result result = {.outcome = c->outcome, .status = c->status, .error = &err};
        buf_init(&result.body, 1000);
        buf_puts(&result.body, c->body);
        struct profiler_lesson lesson;
        profiler_learn(&result, &entry, 25, c->elapsed_ms, &lesson);
        if (lesson.advice != c->advice || !strstr(lesson.why.text, c->says))
            fail_msg("%s: advice %d, \"%s\"", c->what, lesson.advice, lesson.why.text);
        buf_free(&result.body);
    }
}

/* The lesson of a refusal or, after the whole time, of an empty answer. */
static struct profiler_lesson refused(int64_t seconds, bool empty)
{
    struct capture_entry entry = {.profile = (char[]){"cpu"}, .seconds = seconds};
    struct error err = {""};
    struct http_result result = {
        .outcome = HTTP_ANSWERED, .status = empty ? 200 : 400, .error = &err};
    struct profiler_lesson lesson;
    buf_init(&result.body, 1000);
    if (!empty)
        buf_puts(&result.body, "profile duration exceeds server's WriteTimeout");
    profiler_learn(&result, &entry, seconds, empty ? seconds * 1000 : 1, &lesson);
    buf_free(&result.body);
    return lesson;
}

static void lengths_shrink_to_the_longest_that_fits(void **state)
{
    (void)state;
    static const struct {
        int64_t wanted, allowed, found;
    } cases[] = {{25, 29, 25}, {25, 9, 9}, {30, 29, 27}, {25, 1, 1}, {300, 29, 28}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds = cases[i].wanted;
        while (seconds > cases[i].allowed) {
            struct profiler_lesson lesson = refused(seconds, false);
            assert_int_equal(lesson.advice, PROFILER_SHORTER);
            assert_true(lesson.seconds < seconds);
            seconds = lesson.seconds;
        }
        assert_int_equal(seconds, cases[i].found);
    }
}

static void empty_answers_halve_the_length(void **state)
{
    (void)state;
    assert_int_equal(refused(25, true).seconds, 12);
    assert_int_equal(refused(1, true).advice, PROFILER_GIVE_UP);
}

static void a_second_that_is_too_long_ends_the_search(void **state)
{
    (void)state;
    assert_int_equal(refused(1, false).advice, PROFILER_GIVE_UP);
}

static void urls_are_those_of_net_http_pprof(void **state)
{
    (void)state;
    struct app_config app = {.debug = (char[]){"http://h:1/debug/pprof"}};
    struct {
        struct capture_entry entry;
        const char *url;
    } cases[] = {
        {{.profile = (char[]){"cpu"}, .seconds = 25}, "http://h:1/debug/pprof/profile?seconds=25"},
        {{.profile = (char[]){"heap"}, .gc = true}, "http://h:1/debug/pprof/heap?gc=1"},
        {{.profile = (char[]){"heap"}}, "http://h:1/debug/pprof/heap"},
        {{.profile = (char[]){"allocs"}, .seconds = 5}, "http://h:1/debug/pprof/allocs?seconds=5"},
        {{.profile = (char[]){"goroutine"}}, "http://h:1/debug/pprof/goroutine"},
        {{.profile = (char[]){"goroutine"}, .name = (char[]){"goroutine-end"}},
            "http://h:1/debug/pprof/goroutine"},
        {{.profile = (char[]){"f"}, .path = (char[]){"/x/f"}}, "http://h:1/x/f"},
        {{.profile = (char[]){"f"}, .path = (char[]){"/f"}, .seconds = 5},
            "http://h:1/f?seconds=5"},
        {{.profile = (char[]){"f"}, .path = (char[]){"/f?a=1"}, .seconds = 5},
            "http://h:1/f?a=1&seconds=5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *url = profiler_url(&app, &cases[i].entry, cases[i].entry.seconds);
        assert_string_equal(url, cases[i].url);
        free(url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_lesson),
        cmocka_unit_test(lengths_shrink_to_the_longest_that_fits),
        cmocka_unit_test(empty_answers_halve_the_length),
        cmocka_unit_test(a_second_that_is_too_long_ends_the_search),
        cmocka_unit_test(urls_are_those_of_net_http_pprof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
