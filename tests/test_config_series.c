#include "agent/kinds.h"
#include "config/config.h"
#include "config/config_changes.h"
#include "core/alloc.h"
#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXPORT "service: s\nexport: {directory: /c}\n"
#define HEAD   EXPORT "app: {debug: 'http://h/'}\n"
#define APPS   EXPORT "apps: {api: {debug: 'http://h/'}, web: {debug: 'http://h/'}}\n"

static struct config *parse(const char *text, struct buf *problems)
{
    buf_init(problems, 1 << 16);
    return config_parse(
        text, strlen(text), "f", &config_kinds, &(struct config_needs){.exporter = true}, problems);
}

static void own_metrics_are_read_and_named_by_triggers(void **state)
{
    (void)state;
    struct buf problems;
    struct config *config = parse(HEAD "metrics:\n"
                                       "  queue: {prometheus: 'http://h/m', series: q}\n"
                                       "  http.errors:\n"
                                       "    prometheus: http://u:p@h/m\n"
                                       "    series: 'n_total{code=\"500\"}'\n"
                                       "    rate: true\n"
                                       "    headers: {Authorization: Bearer x}\n"
                                       "    ca_file: /ca.pem\n"
                                       "triggers:\n"
                                       "  full: {metric: queue, above: 100.5}\n"
                                       "  both: {metric: [queue, http.errors, cpu], spike: {}}\n",
        &problems);
    assert_string_equal(problems.data, "");
    assert_int_equal(config->series_count, 2);
    assert_string_equal(config->series[0].name, "queue");
    assert_int_equal(config->series[0].rate, SERIES_RATE_AUTO);
    assert_string_equal(config->series[1].series, "n_total{code=\"500\"}");
    assert_int_equal(config->series[1].rate, SERIES_RATE);
    assert_string_equal(config->series[1].headers.values[0], "Bearer x");
    assert_true(config_has_metric(config, "http.errors"));
    assert_false(config_has_metric(config, "http"));
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    config_print(config, &config_kinds, out);
    fclose(out);
    assert_non_null(strstr(text, "series: \"n_total{code=\\\"500\\\"}\""));
    assert_null(strstr(text, "Bearer x"));
    assert_null(strstr(text, "u:p"));
    free(text);
    buf_free(&problems);
    config_free(config, &config_kinds);
}

static void what_cannot_be_meant_is_told_where_it_stands(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problems;
    } cases[] = {
        {HEAD "metrics: []\n",
            "f:4:10: metrics: must be a mapping of names to series, not a list\n"},
        {HEAD "metrics: {a: {series: b}}\n",
            "f:4:11: metrics.a.prometheus: is missing (URL of a metrics page, such as "
            "http://localhost:8001/metrics (text format or OpenMetrics); fetched once every "
            "interval for all metrics that name it)\n"},
        {HEAD "metrics: {a: {prometheus: 'http://h', series: 'a{'}}\n",
            "f:4:47: metrics.a.series: has no } at its end\n"},
        {HEAD "metrics: {a: {prometheus: 'http://h', series: 'a{b=~\"c\"}'}}\n",
            "f:4:47: metrics.a.series: matches the label b by a pattern; only = and != are "
            "possible\n"},
        {HEAD "metrics: {cpu: {prometheus: 'http://h', series: a}}\n",
            "f:4:11: metrics.cpu: is, or ends like, the built-in metric cpu; call it something "
            "else\n"},
        {HEAD "metrics: {x.memory.rss: {prometheus: 'http://h', series: a}}\n",
            "f:4:11: metrics.x.memory.rss: is, or ends like, the built-in metric memory.rss; "
            "call it something else\n"},
        {HEAD "metrics: {db.queue: {prometheus: 'http://h', series: a}}\n",
            "f:4:11: metrics.db.queue: begins like the database's metrics, db.*; call it "
            "something else\n"},
        {HEAD "metrics: {time: {prometheus: 'http://h', series: a}}\n",
            "f:4:11: metrics.time: is the first column of metrics.csv; call it something else\n"},
        {HEAD "metrics: {'a b': {prometheus: 'http://h', series: a}}\n",
            "f:4:11: metrics.a...: a metric's name is letters, digits, . _ - (1 to 64)\n"},
        {APPS "metrics: {api.queue: {prometheus: 'http://h', series: a}}\n",
            "f:4:11: metrics.api.queue: begins like the metrics of the app api; call it "
            "something else\n"},
        {HEAD "metrics:\n"
              "  a: {prometheus: 'http://h', series: a, headers: {A: b}, ca_file: /a}\n"
              "  b: {prometheus: 'http://h', series: a, headers: {A: c}, ca_file: /b}\n"
              "  c: {prometheus: 'http://h', series: a}\n",
            "f:6:51: metrics.b.headers: are others than those of metrics.a, which has the same "
            "URL: a page is fetched once for all\n"
            "f:6:68: metrics.b.ca_file: is another than that of metrics.a, which has the same "
            "URL\n"},
        {HEAD "metrics: {queue: {prometheus: 'http://h', series: a}}\n"
              "triggers: {t: {metric: queu, above: 1}}\n",
            "f:5:24: triggers.t.metric: \"queu\" is not a metric; did you mean \"queue\"?\n"},
        {HEAD "metrics: {queue: {prometheus: 'http://h', series: a}}\n"
              "triggers: {t: {metric: queue, above: 80%}}\n",
            NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf problems;
        struct config *config = parse(cases[i].text, &problems);
        if (cases[i].problems)
            assert_string_equal(problems.data, cases[i].problems);
        assert_null(config);
        assert_true(problems.size > 0);
        buf_free(&problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_metrics_are_read_and_named_by_triggers),
        cmocka_unit_test(what_cannot_be_meant_is_told_where_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
