/* Triggers that look at several metrics or at each other, and the built-in set. */
#include "config/config.h"

#include "core/alloc.h"
#include "core/buf.h"
#include "fake_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fake_spike {
    double score;
    struct level at_least;
};

struct fake_recurs {
    char *of;
    struct duration_range period;
};

struct fake_composite {
    struct name_list all;
};

static const struct field spike_fields[] = {
    {.key = "score",
        .type = FIELD_NUMBER,
        .offset = offsetof(struct fake_spike, score),
        .otherwise = "8",
        .min = 1,
        .max = 1000},
    {.key = "at_least", .type = FIELD_LEVEL, .offset = offsetof(struct fake_spike, at_least)},
    {.key = NULL},
};
static const struct field fake_spike_fields[] = {
    {.key = "spike", .type = FIELD_STRUCT, .fields = spike_fields},
    {.key = NULL},
};
static const struct field recurs_fields[] = {
    {.key = "of",
        .type = FIELD_TRIGGER,
        .offset = offsetof(struct fake_recurs, of),
        .required = 1,
        .help = "whose onsets"},
    {.key = "period",
        .type = FIELD_RANGE,
        .offset = offsetof(struct fake_recurs, period),
        .otherwise = "3m..8h",
        .min = 5000,
        .max = 86400000},
    {.key = NULL},
};
static const struct field fake_recurs_fields[] = {
    {.key = "recurs", .type = FIELD_STRUCT, .fields = recurs_fields},
    {.key = NULL},
};
static const struct field fake_composite_fields[] = {
    {.key = "all",
        .type = FIELD_TRIGGERS,
        .offset = offsetof(struct fake_composite, all),
        .min = 2,
        .max = 4},
    {.key = NULL},
};

static const char *const spike_marks[] = {"spike", NULL};
static const char *const recurs_marks[] = {"recurs", NULL};
static const char *const composite_marks[] = {"all", NULL};
static const struct kind fake_spike = {.name = "spike",
    .help = "it spikes",
    .fields = fake_spike_fields,
    .options_size = sizeof(struct fake_spike),
    .marks = spike_marks,
    .many_metrics = true};
static const struct kind fake_recurs = {.name = "recurs",
    .help = "it recurs",
    .fields = fake_recurs_fields,
    .options_size = sizeof(struct fake_recurs),
    .marks = recurs_marks,
    .never_fires = true};
static const struct kind fake_composite = {.name = "composite",
    .help = "several at once",
    .fields = fake_composite_fields,
    .options_size = sizeof(struct fake_composite),
    .marks = composite_marks};
static const struct kind *const triggers[] = {
    &fake_threshold, &fake_counter, &fake_spike, &fake_recurs, &fake_composite, NULL};
static const struct config_kinds kinds = {
    .sources = fake_sources, .triggers = triggers, .exporters = fake_exporters};
static const struct config_needs needs = {.exporter = true};

#define HEAD                                                                                       \
    "service: s\n"                                                                                 \
    "app: {debug: 'http://h:1/'}\n"                                                                \
    "export: {directory: /captures}\n"
#define TRIGGERS HEAD "triggers:\n"

static struct config *parse(const char *text, const struct config_needs *with, const char *expected)
{
    struct buf problems;
    buf_init(&problems, 1 << 16);
    struct config *config = config_parse(text, strlen(text), "f.yaml", &kinds, with, &problems);
    if (strcmp(problems.data, expected) != 0)
        print_error("%s", text);
    assert_string_equal(problems.data, expected);
    buf_free(&problems);
    return config;
}

static void triggers_find_each_other(void **unused)
{
    (void)unused;
    struct config *config = parse(TRIGGERS "  both: {all: [again, high]}\n"
                                           "  rounds: {recurs: {of: both, period: 20s..1m}}\n"
                                           "  high: {metric: memory, above: 80%}\n"
                                           "  again: {metric: [cpu, net.sent], spike: {}}\n",
        &needs, "");
    static const size_t order[] = {3, 2, 0, 1};
    const struct trigger_config *both = &config->triggers[0], *rounds = &config->triggers[1];
    const struct trigger_config *again = &config->triggers[3];
    assert_memory_equal(config->trigger_order, order, sizeof order);
    assert_int_equal(both->scope.member_count, 2);
    assert_int_equal(both->members[0], 3);
    assert_string_equal(both->scope.members[1], "high");
    assert_string_equal(both->capture, "spike");
    assert_int_equal(both->scope.metric_count, 0);
    assert_int_equal(rounds->members[0], 0);
    assert_null(rounds->capture);
    const struct fake_recurs *options = rounds->options;
    assert_int_equal(options->period.from_ms, 20000);
    assert_int_equal(options->period.to_ms, 60000);
    assert_int_equal(again->scope.metric_count, 2);
    assert_string_equal(again->scope.metrics[1], "net.sent");
    assert_int_equal(again->scope.units[1], UNIT_RATE);
    assert_true(((const struct fake_spike *)again->options)->score == 8);
    config_free(config, &kinds);
}

static void an_incident_is_of_the_app_of_the_first_member(void **unused)
{
    (void)unused;
    struct config *config = parse("service: s\n"
                                  "apps: {a: {debug: 'http://h/'}, b: {debug: 'http://h/'}}\n"
                                  "export: {directory: /captures}\n"
                                  "triggers:\n"
                                  "  r: {recurs: {of: c}}\n"
                                  "  c: {all: [y, x]}\n"
                                  "  x: {metric: a.cpu, above: 80%}\n"
                                  "  y: {metric: b.cpu, above: 80%}\n",
        &needs, "");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(config->triggers[i].app, i != 2);
    config_free(config, &kinds);
}

static void what_refers_to_nothing_is_told(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {TRIGGERS "  high: {metric: cpu, above: 80%}\n  r: {recurs: {of: hihg}}\n",
            "f.yaml:6:20: triggers.r.recurs.of: \"hihg\" is none of the triggers high; did you "
            "mean \"high\"?\n"},
        {TRIGGERS "  a: {metric: cpu, above: 80%}\n  c: {all: [a, nothing]}\n",
            "f.yaml:6:16: triggers.c.all[1]: \"nothing\" is none of the triggers a, c\n"},
        {TRIGGERS "  a: {metric: cpu, above: 80}\n  r: {recurs: {of: a}}\n",
            "f.yaml:5:27: triggers.a.above: 80 has no unit; cpu is in %, write 80%\n"},
        {TRIGGERS "  a: {metric: cpu, abov: 80%}\n  r: {recurs: {of: a}}\n",
            "f.yaml:5:20: triggers.a.abov: is not known; did you mean \"above\"?\n"},
        {TRIGGERS "  a: {metric: cpu, above: 80%}\n"
                  "  r: {recurs: {of: a}}\n"
                  "  s: {recurs: {of: r}}\n",
            "f.yaml:7:20: triggers.s.recurs.of: r never fires; name the trigger that it is of\n"},
        {TRIGGERS "  a: {metric: cpu, above: 80%}\n"
                  "  b: {all: [a, c]}\n"
                  "  c: {all: [b, a]}\n",
            "f.yaml:6:3: triggers.b: looks at itself, through the triggers that it names; break "
            "the circle\n"},
        {TRIGGERS "  a: {metric: cpu, above: 80%}\n  b: {all: [a, a]}\n",
            "f.yaml:6:16: triggers.b.all[1]: \"a\" is in this list twice\n"},
        {TRIGGERS "  a: {metric: cpu, above: 80%}\n  b: {all: [a]}\n",
            "f.yaml:6:7: triggers.b.all: must be a list of 2 to 4, such as [a, b]\n"},
        {TRIGGERS "  a: {metric: cpu, above: 80%}\n  b: {all: a}\n",
            "f.yaml:6:7: triggers.b.all: must be a list of 2 to 4, such as [a, b]\n"},
        {TRIGGERS "  a: {metric: cpu, above: 80%}\n  r: {recurs: {of: a}, capture: spike}\n",
            "f.yaml:6:24: triggers.r.capture: is not known; known here: recurs\n"},
        {TRIGGERS "  r: {recurs: {period: 3m..8h}}\n",
            "f.yaml:5:7: triggers.r.recurs.of: is missing (whose onsets)\n"},
        {TRIGGERS "  a: {metric: cpu, above: 80%}\n  r: {metric: cpu, recurs: {of: a}}\n",
            "f.yaml:6:7: triggers.r.metric: is not known; known here: recurs\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_null(parse(cases[i][0], &needs, cases[i][1]));
}

static void numbers_and_ranges_are_checked(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {TRIGGERS "  a: {metric: cpu, spike: {score: 0.5}}\n",
            "f.yaml:5:35: triggers.a.spike.score: 0.5 is out of range; it may be 1 to 1000\n"},
        {TRIGGERS "  a: {metric: cpu, spike: {score: high}}\n",
            "f.yaml:5:35: triggers.a.spike.score: \"high\" is not a number; write it like 8 or "
            "2.5\n"},
        {TRIGGERS "  a: {metric: cpu, spike: {score: 6.5, at_least: 10}}\n",
            "f.yaml:5:50: triggers.a.spike.at_least: 10 has no unit; cpu is in %, write 10%\n"},
        {TRIGGERS "  a: {metric: [cpu, db.received], spike: {at_least: 10%}}\n",
            "f.yaml:5:21: triggers.a.metric[1]: db.received needs the key database: {endpoint: "
            "HOST:PORT}, the traffic that is counted\n"},
        {TRIGGERS "  a: {metric: [cpu, net.sent], spike: {at_least: 10%}}\n",
            "f.yaml:5:50: triggers.a.spike.at_least: needs metrics of one unit, and cpu and the "
            "others are of several\n"},
        {TRIGGERS "  a: {metric: [cpu, cpu], spike: {}}\n",
            "f.yaml:5:21: triggers.a.metric[1]: \"cpu\" is in this list twice\n"},
        {TRIGGERS "  a: {metric: [], spike: {}}\n",
            "f.yaml:5:7: triggers.a.metric: must be one text or a list of 1 to 8, such as [a, "
            "b]\n"},
        {TRIGGERS "  a: {metric: cpu, spike: {}}\n  r: {recurs: {of: a, period: 3m}}\n",
            "f.yaml:6:31: triggers.r.recurs.period: \"3m\" is not a range of durations; write it "
            "like 3m..8h\n"},
        {TRIGGERS "  a: {metric: cpu, spike: {}}\n  r: {recurs: {of: a, period: 8h..3m}}\n",
            "f.yaml:6:31: triggers.r.recurs.period: 8h..3m: its end has to be longer than its "
            "begin\n"},
        {TRIGGERS "  a: {metric: cpu, spike: {}}\n  r: {recurs: {of: a, period: 1s..8h}}\n",
            "f.yaml:6:31: triggers.r.recurs.period: 1s..8h is out of range; it may be 5s to 1d\n"},
        {TRIGGERS "  a: {metric: cpu, spike: {}}\n  r: {recurs: {of: a, period: 3..8h}}\n",
            "f.yaml:6:31: triggers.r.recurs.period: 3 has no unit; write 3s for seconds, 3d for "
            "days\n"},
        {HEAD "quiet: {after_start: 2h}\n",
            "f.yaml:4:22: quiet.after_start: 2h is out of range; it may be 0s to 1h\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_null(parse(cases[i][0], &needs, cases[i][1]));
}

/* The names in order, joined by blanks. */
static char *names_of(const struct config *config)
{
    struct buf names;
    buf_init(&names, 4096);
    for (size_t i = 0; i < config->trigger_count; i++)
        buf_printf(&names, "%s%s", i ? " " : "", config->triggers[i].name);
    return buf_take(&names);
}

static void the_built_in_set_follows_apps_and_databases(void **unused)
{
    (void)unused;
    static const char *const traced[] = {"cpu", "db.received", NULL};
    static const struct config_needs of_trace = {.columns = traced};
    static const struct {
        const char *text;
        const struct config_needs *needs;
        const char *names;
    } cases[] = {
        {HEAD, &needs, "cpu-high cpu-spike killed restarted recurring"},
        {HEAD "database: {endpoint: 'd:1'}\n", &needs,
            "cpu-high cpu-spike killed restarted recurring db-burst"},
        {HEAD, &of_trace, "cpu-high cpu-spike killed restarted recurring db-burst"},
        {"service: s\n"
         "apps: {API: {debug: 'http://h/'}, abcdefghijklmnopqrstuvwxyz012: {debug: 'http://h/'}}\n"
         "export: {directory: /c}\n"
         "database: [{name: Games, endpoint: 'd:1'},\n"
         "  {name: a23456789012345678901234567890x2, endpoint: 'd:2'}]\n",
            &needs,
            "api.cpu-high api.cpu-spike api.killed api.restarted api.recurring "
            "abcdefghijklmnopqrstuvwxyz012.cpu-high abcdefghijklmnopqrstuvwxyz012.cpu-spike "
            "abcdefghijklmnopqrstuvwxyz012.killed abcdefghijklmnopqrstuvwxyz012.restarted "
            "abcdefghijklmnopqrstuvwxyz012.recurring db-burst.games db-burst.2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config *config = parse(cases[i].text, cases[i].needs, "");
        char *names = names_of(config);
        assert_string_equal(names, cases[i].names);
        free(names);
        config_free(config, &kinds);
    }
}

static void printed_triggers_read_back_as_the_same(void **unused)
{
    (void)unused;
    struct config *config = parse(TRIGGERS "  s: {metric: [cpu, memory], spike: {score: 6.5}}\n"
                                           "  t: {metric: cpu, spike: {at_least: 10%}}\n"
                                           "  r: {recurs: {of: s, period: 90s..12h}}\n"
                                           "  c: {all: [s, t], cooldown: 1m}\n",
        &needs, "");
    char *text[2];
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        FILE *out = open_memstream(&text[i], &size);
        config_print(config, &kinds, out);
        fclose(out);
        config_free(config, &kinds);
        config = parse(text[i], &needs, "");
    }
    assert_string_equal(text[0], text[1]);
    assert_non_null(strstr(text[0], "    metric: [cpu, memory]\n"));
    assert_non_null(strstr(text[0], "      score: 6.5\n"));
    assert_non_null(strstr(text[0], "      period: 90s..12h\n"));
    assert_non_null(strstr(text[0], "    all: [s, t]\n"));
    free(text[0]);
    free(text[1]);
    config_free(config, &kinds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(triggers_find_each_other),
        cmocka_unit_test(an_incident_is_of_the_app_of_the_first_member),
        cmocka_unit_test(what_refers_to_nothing_is_told),
        cmocka_unit_test(numbers_and_ranges_are_checked),
        cmocka_unit_test(the_built_in_set_follows_apps_and_databases),
        cmocka_unit_test(printed_triggers_read_back_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
