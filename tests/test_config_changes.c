#include "config/config_changes.h"
#include "config_text.h"
#include "core/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char common[] = "service: x\napp: {debug: \"http://127.0.0.1:1/debug/pprof\"}\n";

static struct config *parse(const char *rest, bool alone)
{
    char *text = xasprintf("%s%s", alone ? "" : common, rest);
    struct config *config = parse_config(text, (struct config_needs){0});
    free(text);
    return config;
}

static const struct {
    const char *before, *after;
    const char *text; /* NULL: there is no difference */
    bool alone;       /* without the common keys */
} cases[] = {
    {"", "", NULL, false},
    {"interval: 1000ms\n", "interval: 1s\n", NULL, false},
    {"", "interval: 2s\n", "changed interval", false},
    {"", "limits: {per_hour: 7, cooldown: 1m}\n", "limits.cooldown, limits.per_hour", false},
    {"", "log: {level: debug}\n", "changed log.level", false},
    {"", "recorder: {always: true}\n", "changed recorder.always", false},
    {"", "baseline: off\n", "changed baseline", false},
    {"", "baseline: {every: 1h}\n", "changed baseline", false},
    {"", "source: cgroup\n", "changed source", false},
    {"", "listen: 127.0.0.1:9\n", "changed listen", false},
    {"", "source_url: \"https://git/{path}\"\n", "added source_url", false},
    {"source_url: \"https://git/{path}\"\n", "", "removed source_url", false},
    {"source_url: \"https://git/{path}\"\n", "source_url: \"https://hub/{path}\"\n",
        "changed source_url", false},
    {"triggers: {a: {metric: cpu, above: 80%}}\n",
        "triggers: {a: {metric: cpu, above: \"80.0%\"}}\n", NULL, false},
    {"triggers: {a: {metric: cpu, above: 80%}}\n", "triggers: {a: {metric: cpu, above: 90%}}\n",
        "changed triggers.a.above", false},
    {"triggers: {a: {metric: cpu, above: 80%}}\n",
        "triggers: {a: {metric: cpu, above: 80%, clear: 70%}}\n", "changed triggers.a.clear",
        false},
    {"triggers: {a: {metric: cpu, above: 80%}}\n", "triggers: {a: {metric: cpu, spike: {}}}\n",
        "changed triggers.a", false},
    {"triggers: {a: {metric: cpu, spike: {}}}\n",
        "triggers: {a: {metric: [cpu, memory], spike: {score: 9}}}\n",
        "changed triggers.a.metric, triggers.a.spike.score", false},
    {"triggers: {a: {metric: cpu, above: 80%}}\n",
        "triggers: {b: {metric: cpu, above: 80%}, r: {recurs: {of: b}}}\n",
        "added triggers.b, triggers.r; removed triggers.a", false},
    {"triggers: {a: {metric: cpu, above: 80%}, b: {metric: cpu, above: 9%}}\n",
        "triggers: {b: {metric: cpu, above: 9%}, a: {metric: cpu, above: 80%}}\n", NULL, false},
    {"captures: {own: [heap]}\n", "captures: {own: [heap, goroutine]}\n", "changed captures.own",
        false},
    {"captures: {own: [heap]}\n", "captures: {other: [heap]}\n",
        "removed captures.own; added captures.other", false},
    {"captures: {spike: [{profile: cpu, seconds: 5}]}\n",
        "captures: {spike: [{profile: cpu, seconds: 6}]}\n", "changed captures.spike", false},
    {"export: {directory: /a}\n", "export: {directory: /b}\n", "changed export.directory.path",
        false},
    {"export: {directory: [/a, /b]}\n", "export: {directory: [/b, /a]}\n", NULL, false},
    {"export: {directory: [/a, /b]}\n", "export: {directory: [/b, /c]}\n",
        "changed export.directory[1].path", false},
    {"export: {directory: [/a, /b]}\n", "export: {directory: /b, s3: {bucket: some}}\n",
        "added export.s3; removed export.directory[1]", false},
#ifdef STAKEOUT_WITH_LIBPQ
    {"database: {endpoint: \"db:5432\"}\n",
        "database: {endpoint: \"db:5432\", statements: \"postgres://u:p@db/d\"}\n",
        "added database.statements", false},
#endif
    {"", "metrics: {a: {prometheus: \"http://h/m\", series: a}}\n", "added metrics.a", false},
    {"metrics: {a: {prometheus: \"http://h/m\", series: a}}\n",
        "metrics: {a: {prometheus: \"http://h/m\", series: b, headers: {A: c}}}\n",
        "changed metrics.a.series; added metrics.a.headers", false},
    {"database: {endpoint: \"db:5432\"}\n", "database: {endpoint: \"db:5433\"}\n",
        "changed database.endpoint", false},
    {"database: [{name: one, endpoint: \"db:5432\"}]\n", "database: {endpoint: \"db:5432\"}\n",
        "removed database.one", false},
    {"service: x\napp: {debug: \"http://h:1\", headers: {Authorization: secret-1}}\n",
        "service: x\napp: {debug: \"http://h:1\", headers: {Authorization: secret-2}}\n",
        "changed app.headers", true},
    {"service: x\napps: {a: {debug: \"http://h:1\"}, b: {debug: \"http://h:2\"}}\ntriggers: {}\n",
        "service: y\napps: {a: {debug: \"http://h:3\"}, c: {debug: \"http://h:2\"}}\n"
        "triggers: {}\n",
        "added apps.c; removed apps.b; changed service, apps.a.debug", true},
};

static bool has_all(const char *text, const char *wanted)
{
    char *copy = xstrdup(wanted), *rest = copy;
    bool has = true;
    for (char *part; (part = strsep(&rest, ";"));)
        has = has && strstr(text, part + strspn(part, " "));
    free(copy);
    return has;
}

static void test_differences_are_told_by_their_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config *before = parse(cases[i].before, cases[i].alone);
        struct config *after = parse(cases[i].after, cases[i].alone);
        char *text = config_changes_text(before, after, &config_kinds);
        if (!text != !cases[i].text || (text && !has_all(text, cases[i].text)))
            fail_msg("case %zu: \"%s\" and not \"%s\"", i, text, cases[i].text);
        if (text)
            assert_null(strstr(text, "secret"));
        free(text);
        config_free(before, &config_kinds);
        config_free(after, &config_kinds);
    }
}

static void test_very_many_are_cut(void **state)
{
    (void)state;
    struct buf rest;
    buf_init(&rest, 10000);
    buf_puts(&rest, "triggers:\n");
    for (int i = 0; i < 60; i++)
        buf_printf(&rest, "  a-trigger-of-a-long-name-%d: {metric: cpu, above: 80%%}\n", i);
    struct config *before = parse("triggers: {}\n", false), *after = parse(rest.data, false);
    char *text = config_changes_text(before, after, &config_kinds);
    assert_non_null(strstr(text, "; and 4"));
    assert_true(strlen(text) < 800);
    free(text);
    buf_free(&rest);
    config_free(before, &config_kinds);
    config_free(after, &config_kinds);
}

static void test_a_rule_is_what_is_looked_for(void **state)
{
    static const struct {
        const char *trigger;
        bool same;
    } rules[] = {
        {"{metric: cpu, above: 80%}", true},
        {"{metric: cpu, above: 80%, capture: memory, cooldown: 1h}", true},
        {"{metric: cpu, above: 81%}", false},
        {"{metric: cpu, below: 80%}", false},
        {"{metric: memory, above: 80%}", false},
        {"{metric: cpu, spike: {}}", false},
    };
    (void)state;
    struct config *before = parse("triggers: {a: {metric: cpu, above: 80%}}\n", false);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char *rest = xasprintf("triggers: {b: %s}\n", rules[i].trigger);
        struct config *after = parse(rest, false);
        assert_int_equal(config_same_rule(&before->triggers[0], &after->triggers[0], &config_kinds),
            rules[i].same);
        config_free(after, &config_kinds);
        free(rest);
    }
    config_free(before, &config_kinds);
}

static void test_what_is_measured(void **state)
{
    static const struct {
        const char *rest;
        bool same, has_db;
    } sources[] = {
        {"limits: {per_hour: 1}\n", true, false},
        {"interval: 2s\n", false, false},
        {"source: cgroup\n", false, false},
        {"database: {endpoint: \"db:5432\"}\n", false, true},
    };
    (void)state;
    struct config *before = parse("", false);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        struct config *after = parse(sources[i].rest, false);
        assert_int_equal(config_same_sources(before, after), sources[i].same);
        assert_int_equal(config_has_metric(after, "db.received"), sources[i].has_db);
        assert_true(config_has_metric(after, "cpu"));
        assert_false(config_has_metric(after, "api.cpu"));
        config_free(after, &config_kinds);
    }
    config_free(before, &config_kinds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences_are_told_by_their_keys),
        cmocka_unit_test(test_very_many_are_cut),
        cmocka_unit_test(test_a_rule_is_what_is_looked_for),
        cmocka_unit_test(test_what_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
