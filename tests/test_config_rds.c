/* database.cloudwatch, and triggers on what comes from there, with the real kinds. */
#include "agent/kinds.h"
#include "agent/sampling/rds.h"
#include "config/config.h"
#include "config/config_changes.h"
#include "core/buf.h"
#include "sources/cloudwatch/cloudwatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "service: s\napp: {debug: 'http://h/'}\nexport: {directory: /c}\n"
#define NAMED                                                                                      \
    HEAD "database: [{name: a, endpoint: 'h:1', cloudwatch: {cluster: c}}, {name: b, endpoint: "   \
         "'h:2', cloudwatch: i}]\n"
#define ONE                                                                                        \
    HEAD "database: {endpoint: 'h:1', cloudwatch: {instance: i, region: r, metrics: [New, "        \
         "ReadIOPS]}}\n"
#define NATURE "rds.CPUUtilization has one sample a minute, which comes up to 5 minutes late; "

static const struct {
    const char *text, *problems;
} cases[] = {
    {ONE "triggers:\n  a: {metric: rds.CPUUtilization, above: 80%, for: 2m}\n"
         "  b: {metric: rds.New, above: 5}\n"
         "  c: {metric: cpu, above: 80%}\n"
         "  d: {all: [a, c], within: 5m}\n"
         "  e: {any: [a, c]}\n"
         "  f: {metric: [rds.ReadIOPS, rds.WriteIOPS], spike: {}}\n"
         "  g: {metric: rds.FreeableMemory, reaches: 1GiB, within: 10m}\n"
         "  h: {metric: rds.Deadlocks, increases: 1}\n",
        ""},
    {NAMED "triggers: {a: {metric: rds.a.CPUUtilization, above: 80%}, b: {metric: "
           "rds.b.FreeableMemory, below: 1GiB}}\n",
        ""},
    {HEAD "database: {endpoint: 'h:1', cloudwatch: {region: r}}\n",
        "f.yaml:4:29: database.cloudwatch: needs instance: NAME or cluster: NAME, the identifier "
        "that RDS has for it\n"},
    {HEAD "database: {endpoint: 'h:1', cloudwatch: {instance: i, cluster: c}}\n",
        "f.yaml:4:55: database.cloudwatch.cluster: cannot stand beside instance: their metrics "
        "would have the same names\n"},
    {HEAD "database: {endpoint: 'h:1', cloudwatch: i.abc.r.rds.amazonaws.com}\n",
        "f.yaml:4:41: database.cloudwatch: \"i.abc.r.rds.amazonaws.com\" is a host; write the "
        "identifier that RDS has for it, which is what stands before the first dot\n"},
    {HEAD "database: {endpoint: 'h:1', cloudwatch: {instance: i, role: me, external_id: x}}\n",
        "f.yaml:4:61: database.cloudwatch.role: \"me\" is no role: write its ARN, "
        "arn:aws:iam::<account>:role/<name>\n"},
    {HEAD "database: {endpoint: 'h:1', cloudwatch: {instance: i, external_id: x}}\n",
        "f.yaml:4:68: database.cloudwatch.external_id: goes with role, which is not given\n"},
    {HEAD "database: {endpoint: 'h:1', cloudwatch: {cluster: '1'}}\n",
        "f.yaml:4:51: database.cloudwatch.cluster: \"1\" is no identifier of RDS: letters, digits "
        "and -, a letter first (1 to 63)\n"},
    {HEAD "database: {endpoint: 'h:1', cloudwatch: {instance: i, metrics: [rds.ReadIOPS]}}\n",
        "f.yaml:4:65: database.cloudwatch.metrics[0]: takes CloudWatch's names, without rds.\n"},
    {ONE "triggers: {a: {metric: rds.CPUUtilisation, above: 80%}}\n",
        "f.yaml:5:24: triggers.a.metric: CPUUtilisation is no metric of RDS that is known here; "
        "did you mean \"CPUUtilization\"?; another one of CloudWatch's is listed in "
        "database.cloudwatch.metrics first\n"},
    {NAMED "triggers: {a: {metric: rds.CPUUtilization, above: 80%}}\n",
        "f.yaml:5:24: triggers.a.metric: rds.CPUUtilization is of none of the named databases that "
        "have cloudwatch; did you mean \"rds.a.CPUUtilization\"?\n"},
    {HEAD "triggers: {a: {metric: rds.CPUUtilization, above: 80%}}\n",
        "f.yaml:4:24: triggers.a.metric: rds.CPUUtilization needs the key cloudwatch of the "
        "database: {endpoint: HOST:PORT, cloudwatch: {instance: NAME, region: REGION}}\n"},
    {ONE "triggers:\n  a: {metric: rds.CPUUtilization, above: 80%, for: 10s}\n",
        "f.yaml:6:52: triggers.a.for: cannot be 10s: " NATURE
        "give 0s, which is one sample, or 1m and more, or look at db.received\n"},
    {ONE "triggers:\n  a: {metric: rds.CPUUtilization, above: 80%}\n"
         "  b: {metric: cpu, above: 80%}\n  c: {all: [b, a], within: 10s}\n",
        "f.yaml:8:28: triggers.c.within: cannot be 10s: " NATURE
        "give 5m or more, or look at db.received, which is there at once\n"},
    {ONE "triggers:\n  a: {metric: rds.CPUUtilization, reaches: 90%}\n",
        "f.yaml:6:3: triggers.a: cannot work with within 1m: " NATURE
        "give 10m or more, or a trigger of above\n"},
    {ONE "triggers:\n  a: {metric: rds.CPUUtilization, increases: 1, within: 30s}\n",
        "f.yaml:6:57: triggers.a.within: cannot be 30s: " NATURE
        "give 0s, which is from one sample to the next, or 1m and more\n"},
    {ONE "triggers:\n  a: {metric: [cpu, rds.CPUUtilization], spike: {}}\n",
        "f.yaml:6:15: triggers.a.metric: mixes rds.* with metrics that are measured at once, and "
        "rds.CPUUtilization has one sample a minute, which comes up to 5 minutes late: make them "
        "two triggers, and combine these with all: and within: 5m\n"},
};

static struct config *parse(const char *text, struct buf *problems)
{
    const struct config_needs needs = {.exporter = true};
    buf_init(problems, 65536);
    return config_parse(text, strlen(text), "f.yaml", &config_kinds, &needs, problems);
}

static void what_cannot_work_is_refused_with_what_would(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf problems;
        struct config *config = parse(cases[i].text, &problems);
        assert_string_equal(problems.data, cases[i].problems);
        config_free(config, &config_kinds);
        buf_free(&problems);
    }
}

static void only_what_triggers_look_at_is_polled(void **unused)
{
    (void)unused;
    struct buf problems;
    struct config *config = parse(
        NAMED "triggers: {a: {metric: rds.b.DBLoad, above: 4}}\n", &problems);
    assert_true(config_polls_rds(config));
    struct rds_polled *polled = rds_polled_new(config);
    size_t count;
    char **names = rds_names(config, &config->databases[1], &count);
    assert_int_equal(count, 11); /* the usual ones, and this one */
    assert_string_equal(names[10], "DBLoad");
    rds_free_names(names, count);
    config_free(config, &config_kinds); /* it goes on without */
    buf_free(&problems);
    const struct cloudwatch_options *options = rds_polled_options(polled);
    assert_int_equal(options->count, 1);
    assert_string_equal(options->databases[0].target.instance, "i");
    assert_string_equal(options->databases[0].target.name, "b");
    assert_int_equal(options->databases[0].count, 1);
    assert_string_equal(options->databases[0].metrics[0], "DBLoad");
    rds_polled_free(polled);
    config = parse(NAMED, &problems);
    assert_false(config_polls_rds(config));
    assert_null(rds_polled_new(config));
    config_free(config, &config_kinds);
    buf_free(&problems);
}

/* Whether a reload opens the sources anew. */
static void another_poll_is_another_source(void **unused)
{
    (void)unused;
    static const struct {
        const char *before, *after;
        bool same;
    } changes[] = {
        {ONE, ONE, true},
        {NAMED, NAMED "triggers: {a: {metric: cpu, above: 1%}}\n", true},
        {NAMED "triggers: {a: {metric: rds.a.DBLoad, above: 1}}\n",
            NAMED "triggers: {a: {metric: rds.a.DBLoad, above: 2}}\n", true},
        {NAMED, NAMED "triggers: {a: {metric: rds.a.DBLoad, above: 1}}\n", false},
        {NAMED "triggers: {a: {metric: rds.a.DBLoad, above: 1}}\n",
            NAMED "triggers: {a: {metric: rds.b.DBLoad, above: 1}}\n", false},
        {HEAD "database: {endpoint: 'h:1', cloudwatch: i}\n",
            HEAD "database: {endpoint: 'h:1', cloudwatch: j}\n", false},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct buf problems;
        struct config *before = parse(changes[i].before, &problems);
        buf_free(&problems);
        struct config *after = parse(changes[i].after, &problems);
        buf_free(&problems);
        assert_int_equal(config_same_sources(before, after), changes[i].same);
        config_free(before, &config_kinds);
        config_free(after, &config_kinds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_work_is_refused_with_what_would),
        cmocka_unit_test(only_what_triggers_look_at_is_polled),
        cmocka_unit_test(another_poll_is_another_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
