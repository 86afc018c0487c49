#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "core/series.h"
#include "sources/prometheus/prometheus.h"

#include "stub_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

static const int64_t patience_ms = 20000;

/* A source whose pages are the answers of a stub server, one after the other. */
struct rig {
    struct stub_server server;
    struct loop *loop;
    struct series_set series;
    struct prometheus_metric metrics[4];
    size_t count;
    void *source;
    int64_t now_ms;
    struct error err; /* of the last tick; "": none */
};

static void start(struct rig *rig, const struct stub_answer *answers, size_t count)
{
    *rig = (struct rig){.now_ms = 1000};
    stub_start(&rig->server, answers, count);
    rig->loop = loop_open(NULL);
    series_set_init(&rig->series, 50);
}

static struct prometheus_metric *add(struct rig *rig, const char *name, const char *series)
{
    struct prometheus_metric *metric = &rig->metrics[rig->count++];
    *metric = (struct prometheus_metric){.name = name, .url = rig->server.url, .series = series};
    return metric;
}

static void open_source(struct rig *rig)
{
    struct prometheus_options options = {rig->metrics, rig->count};
    struct source_setup setup = {
        .loop = rig->loop, .series = &rig->series, .interval_ms = 1000, .options = &options};
    rig->source = source_prometheus.open(&setup, NULL);
    assert_non_null(rig->source);
}

/* Asks for a page, and waits until it is there: then the next tick asks for another. */
static void tick(struct rig *rig)
{
    size_t asked = rig->server.count + 1;
    int64_t end_ms = clock_mono_ms() + patience_ms;
    rig->err.text[0] = '\0';
    source_prometheus.sample(rig->source, rig->now_ms, &rig->err);
    rig->now_ms += 1000;
    bool never = false;
    while (__atomic_load_n(&rig->server.count, __ATOMIC_SEQ_CST) < asked) {
        assert_true(clock_mono_ms() < end_ms);
        loop_run_until(rig->loop, &never, clock_mono_ms() + 2);
    }
    loop_run_until(rig->loop, &never, clock_mono_ms() + 30);
}

/* The value of the last tick; NAN: a gap. */
static double value(const struct rig *rig, const char *name)
{
    const struct series *series = series_set_find(&rig->series, name);
    const struct sample *newest = series ? series_at(series, 0) : NULL;
    return newest && newest->time_ms == rig->now_ms - 1000 ? newest->value : NAN;
}

static void end(struct rig *rig)
{
    source_prometheus.close(rig->source);
    loop_close(rig->loop);
    stub_stop(&rig->server);
    stub_free(&rig->server);
    series_set_free(&rig->series);
}

#define PLAIN                                                                                      \
    {                                                                                              \
        "Content-Type", "text/plain; version=0.0.4"                                                \
    }

static void one_request_serves_all_metrics_of_a_page(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {200, "# TYPE n_total counter\nn_total{a=\"1\"} 5\nn_total{a=\"2\"} 6\ng 4\n", PLAIN}};
    static char name[] = "Authorization", token[] = "Bearer t";
    char *names[] = {name}, *values[] = {token};
    struct rig rig;
    start(&rig, answers, 1);
    add(&rig, "g", "g");
    add(&rig, "n", "n_total")->rate = PROMETHEUS_VALUE;
    add(&rig, "n2", "n_total{a=\"2\"}")->rate = PROMETHEUS_VALUE;
    rig.metrics[2].headers = (struct string_map){names, values, 1};
    open_source(&rig);
    tick(&rig);
    assert_true(value(&rig, "g") == 4);
    assert_true(value(&rig, "n") == 11);
    assert_true(value(&rig, "n2") == 6);
    assert_int_equal(rig.server.count, 1);
    const char *head = rig.server.requests[0].head.data;
    assert_non_null(strstr(head, "Accept-Encoding: identity\n"));
    assert_non_null(strstr(head, "Accept: text/plain;version=0.0.4, "));
    assert_string_equal(rig.server.requests[0].authorization, "Bearer t");
    end(&rig);
}

/* Pages and what becomes of them: 1 a rate above 0, 0 one of 0, -1 a gap. */
static void counters_become_rates_and_their_resets_gaps(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int rate;
    } pages[] = {
        {"# TYPE c counter\nc 100\n", -1},
        {"# TYPE c counter\nc 100\n", 0},
        {"# TYPE c counter\nc 150\n", 1},
        {"# TYPE c counter\nc 10\n", -1}, /* the app has started anew */
        {"# TYPE c counter\nc 11\n", 1},
        {"# TYPE c counter\nc NaN\n", -1},
        {"# TYPE c counter\nc 12\n", 1}, /* since 11 */
        {"# TYPE c counter\nc{x=\"1\"} 12\nc{x=\"2\"} 2\n", 1},
        {"# TYPE c counter\nc{x=\"2\"} 20\n", -1}, /* one is gone */
        {"# TYPE other counter\nother 1\n", -1},
        {"# TYPE c counter\nc{x=\"2\"} 21\n", 1},
    };
    enum { PAGES = sizeof pages / sizeof *pages };
    struct stub_answer answers[PAGES];
    for (size_t i = 0; i < PAGES; i++)
        answers[i] = (struct stub_answer){200, pages[i].body, PLAIN};
    struct rig rig;
    start(&rig, answers, PAGES);
    add(&rig, "c", "c");
    open_source(&rig);
    for (size_t i = 0; i < PAGES; i++) {
        tick(&rig);
        double rate = value(&rig, "c");
        int is = isnan(rate) ? -1 : rate > 0;
        if (is != pages[i].rate)
            print_error("page %zu: %g\n", i, rate);
        assert_int_equal(is, pages[i].rate);
    }
    end(&rig);
}

static void a_counter_that_appears_has_grown_from_nothing(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {200, "# TYPE c counter\nc{code=\"200\"} 9\n", PLAIN},
        {200, "# TYPE c counter\nc{code=\"200\"} 9\nc{code=\"500\"} 7\n", PLAIN}};
    struct rig rig;
    start(&rig, answers, 2);
    add(&rig, "errors", "c{code=\"500\"}");
    open_source(&rig);
    tick(&rig);
    assert_true(isnan(value(&rig, "errors")));
    tick(&rig);
    assert_non_null(strstr(rig.err.text, "has none of c{code=\"500\"}, but 1 of that name, such as "
                                         "c{code=\"200\"}"));
    assert_true(value(&rig, "errors") > 0);
    end(&rig);
}

static void samples_with_timestamps_count_once(void **state)
{
    (void)state;
    static const char text[] = "# TYPE c counter\nc 10 5000\ng 3 5000\n",
                      later[] = "# TYPE c counter\nc 16 7000\ng 4 7000\n",
                      open_text[] = "# TYPE c counter\nc 20 9\ng 4 9.0\n# EOF\n";
    static const struct stub_answer answers[] = {{200, text, PLAIN}, {200, text, PLAIN},
        {200, later, PLAIN},
        {200, open_text, {"Content-Type", "application/openmetrics-text; version=1.0.0"}}};
    static const double rates[] = {NAN, NAN, 3, 2}, values[] = {3, NAN, 4, 4};
    struct rig rig;
    start(&rig, answers, 4);
    add(&rig, "c", "c");
    add(&rig, "g", "g");
    open_source(&rig);
    for (size_t i = 0; i < 4; i++) {
        tick(&rig);
        double rate = value(&rig, "c"), gauge = value(&rig, "g");
        assert_true(isnan(rates[i]) ? isnan(rate) : rate == rates[i]);
        assert_true(isnan(values[i]) ? isnan(gauge) : gauge == values[i]);
    }
    end(&rig);
}

static void what_is_wrong_is_told_with_a_remedy(void **state)
{
    (void)state;
    static const struct {
        struct stub_answer answer;
        const char *told;
    } cases[] = {
        {{401, "", PLAIN}, " answers 401: give what it wants with headers: {Authorization: ...}"},
        {{404, "", PLAIN}, " answers 404: there is no such page; its path is often /metrics"},
        {{302, "", {"Location", "/login"}}, " answers 302, which leads elsewhere: name the page "
                                            "itself, with what it wants in headers"},
        {{200, "", PLAIN}, " is a page without any metrics"},
        {{200, "# EOF\n", PLAIN}, " is a page without any metrics"},
        {{200, "\n<!DOCTYPE html>\n<p>\n", PLAIN},
            " is no page of Prometheus metrics: its line 2 "
            "is no sample; its path is often /metrics, and where a login answers it wants headers: "
            "{Authorization: ...}"},
        {{200, "go_gorutine 1\n9\n", PLAIN},
            " has no go_goroutine; did you mean \"go_gorutine\"? (its line 2 is malformed)"},
        {{200, "x 1\n", PLAIN}, " has no go_goroutine"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig rig;
        char told[600];
        start(&rig, &cases[i].answer, 1);
        add(&rig, "g", "go_goroutine");
        open_source(&rig);
        tick(&rig);
        tick(&rig);
        tick(&rig);
        bool missing = strstr(cases[i].told, " has no ") != NULL;
        snprintf(told, sizeof told, "%s%s%s", missing ? "g: " : "", rig.server.url, cases[i].told);
        assert_string_equal(rig.err.text, told);
        assert_true(isnan(value(&rig, "g")));
        end(&rig);
    }
}

static void what_comes_back_is_measured_again(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {{500, "", PLAIN}, {200, "g 1\n", PLAIN},
        {200, "x 1\n", PLAIN}, {200, "x 1\n", PLAIN}, {200, "g 2\n", PLAIN}, {200, "g 3\n", PLAIN}};
    struct rig rig;
    start(&rig, answers, 6);
    add(&rig, "g", "g");
    open_source(&rig);
    tick(&rig);
    tick(&rig);
    assert_non_null(strstr(rig.err.text, " answers 500"));
    assert_true(value(&rig, "g") == 1);
    tick(&rig);
    assert_string_equal(rig.err.text, "");
    tick(&rig);
    tick(&rig);
    assert_non_null(strstr(rig.err.text, " has no g"));
    assert_true(value(&rig, "g") == 2);
    tick(&rig);
    assert_string_equal(rig.err.text, "");
    end(&rig);
}

static void note(void *arg, const char *sentence)
{
    buf_printf(arg, "%s\n", sentence);
}

static void what_is_measured_is_described(void **state)
{
    (void)state;
    static const struct stub_answer answers[] = {
        {200, "# TYPE c counter\nc{x=\"1\"} 1\nc{x=\"2\"} 1\ng 1\n!\n", PLAIN}};
    struct rig rig;
    struct buf said;
    char expected[600];
    buf_init(&said, 4096);
    start(&rig, answers, 1);
    add(&rig, "g", "g");
    add(&rig, "n", "c");
    open_source(&rig);
    tick(&rig);
    source_prometheus.describe(rig.source, note, &said);
    snprintf(expected, sizeof expected,
        "g is g of %s\nn is c of %s, its growth per second, 2 series added up\n"
        "%s is read but for its malformed lines (its line 5 is malformed)\n",
        rig.server.url, rig.server.url, rig.server.url);
    assert_string_equal(said.data, expected);
    buf_free(&said);
    end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_serves_all_metrics_of_a_page),
        cmocka_unit_test(counters_become_rates_and_their_resets_gaps),
        cmocka_unit_test(a_counter_that_appears_has_grown_from_nothing),
        cmocka_unit_test(samples_with_timestamps_count_once),
        cmocka_unit_test(what_is_wrong_is_told_with_a_remedy),
        cmocka_unit_test(what_comes_back_is_measured_again),
        cmocka_unit_test(what_is_measured_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
