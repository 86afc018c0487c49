#include "triggers/composite.h"

#include "core/error.h"
#include "core/metric.h"
#include "triggers/trigger.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_STEPS = 16, MEMBERS = 3 };

/* What the trigger says at a step. */
enum said { NOTHING, HOLDS, FIRES, CLEARS };

/* Members: '.' nothing, 'h' holds, 'f' fires, 'o' fires and no longer holds (an event). */
struct step {
    int64_t time_ms;
    const char *members;
    enum said said;
    int64_t onset_ms; /* with FIRES, HOLDS and CLEARS */
};

struct timeline {
    const char *name;
    bool any;
    int64_t within_ms;
    struct step steps[MAX_STEPS]; /* to the first one at 0 ms */
    const char *metric;           /* of the last fire */
    const char *reason;           /* of the last fire */
    const char *miss;
    int64_t miss_ms;
};

static char cpu_spike[] = "cpu-spike", db_burst[] = "db-burst", killed[] = "killed";
static char *names[MEMBERS] = {cpu_spike, db_burst, killed};
static const char *const series[MEMBERS] = {"cpu", "db.received", "oom_kills"};
static const enum unit units[MEMBERS] = {UNIT_PERCENT, UNIT_RATE, UNIT_COUNT};
static const double values[MEMBERS] = {93.1, 310e6, 1};

/* An excursion began at its first 'f' or 'h', one second before. */
static void speak(struct verdict *verdict, size_t member, char letter, int64_t time_ms)
{
    bool held = verdict->holds;
    int64_t onset_ms = held && letter == 'h' ? verdict->onset_ms : time_ms - 1000;
    *verdict = (struct verdict){.holds = letter == 'h' || letter == 'f',
        .fired = letter == 'f' || letter == 'o',
        .metric = series[member],
        .unit = units[member],
        .value = letter == '.' ? NAN : values[member],
        .limit = 50,
        .onset_ms = letter == '.' ? 0 : onset_ms};
}

static void check_step(const struct timeline *timeline, void *trigger, const struct step *step,
    struct verdict *members, char reason[REASON_SIZE])
{
    const struct verdict *said_by[MEMBERS];
    struct verdict verdict;
    memset(&verdict, 0x5a, sizeof verdict);
    for (size_t i = 0; step->members[i]; i++) {
        speak(&members[i], i, step->members[i], step->time_ms);
        said_by[i] = &members[i];
    }
    trigger_composite.check(
        trigger, &(struct trigger_input){.time_ms = step->time_ms, .members = said_by}, &verdict);
    enum said said = verdict.fired     ? FIRES
                     : verdict.cleared ? CLEARS
                     : verdict.holds   ? HOLDS
                                       : NOTHING;
    if (said != step->said)
        fail_msg("%s: at %lld ms it said %d, not %d", timeline->name, (long long)step->time_ms,
            said, step->said);
    if (said != NOTHING && verdict.onset_ms != step->onset_ms)
        fail_msg("%s: at %lld ms the onset is %lld", timeline->name, (long long)step->time_ms,
            (long long)verdict.onset_ms);
    if (said != FIRES)
        return;
    assert_true(verdict.holds && verdict.limit == 50);
    if (timeline->metric)
        assert_string_equal(verdict.metric, timeline->metric);
    trigger_composite.explain(trigger, &verdict, reason);
}

static void follow(const struct timeline *timelines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct timeline *timeline = &timelines[i];
        size_t member_count = timeline->steps[0].members ? strlen(timeline->steps[0].members)
                                                         : MEMBERS;
        struct composite_options options = {.within_ms = timeline->within_ms};
        *(timeline->any ? &options.any : &options.all) = (struct name_list){names, member_count};
        struct trigger_scope scope = {
            .members = (const char *const *)names, .member_count = member_count};
        void *trigger = trigger_composite.open(&options, &scope);
        struct verdict members[MEMBERS] = {{0}};
        char reason[REASON_SIZE] = "", miss[REASON_SIZE] = "";
        int64_t miss_ms = 0;
        for (const struct step *step = timeline->steps; step->time_ms; step++)
            check_step(timeline, trigger, step, members, reason);
        if (timeline->reason)
            assert_string_equal(reason, timeline->reason);
        assert_int_equal(trigger_composite.nearest_miss(trigger, &miss_ms, miss),
            timeline->steps[0].time_ms != 0);
        if (timeline->miss) {
            assert_string_equal(miss, timeline->miss);
            assert_int_equal(miss_ms, timeline->miss_ms);
        }
        trigger_composite.close(trigger);
    }
}

#define FOLLOW(timelines) follow(timelines, sizeof(timelines) / sizeof *(timelines))

static void all_of_them_at_once(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"no step", .steps = {{0, NULL, NOTHING, 0}}},
        {"the second completes it",
            .steps = {{1000, "..", NOTHING, 0}, {2000, "f.", NOTHING, 0}, {3000, "hf", FIRES, 2000},
                {4000, "hh", HOLDS, 2000}, {5000, "h.", CLEARS, 2000}, {6000, "h.", NOTHING, 0}},
            .metric = "db.received",
            .reason = "cpu-spike and db-burst: cpu 93.1%, db.received 310 MB/s",
            .miss = "1 of 2: cpu-spike, without db-burst", .miss_ms = 2000},
        {"both in one step: the first of them", .steps = {{2000, "ff", FIRES, 1000}},
            .metric = "cpu"},
        {"the first completes it", .steps = {{2000, ".f", NOTHING, 0}, {3000, "fh", FIRES, 2000}},
            .metric = "cpu"},
        {"a member that is not looked at goes on to hold",
            .steps = {{2000, "f.", NOTHING, 0}, {3000, "hf", FIRES, 2000},
                {4000, "hh", HOLDS, 2000}}},
        {"one that holds from the first step on", .steps = {{2000, "hh", FIRES, 1000}}},
        {"once an excursion, and again after it",
            .steps = {{2000, "ff", FIRES, 1000}, {3000, "h.", CLEARS, 1000},
                {4000, "hf", FIRES, 3000}, {5000, "..", CLEARS, 3000}, {6000, "..", NOTHING, 0}}},
        {"events of one step", .steps = {{2000, "oo", FIRES, 1000}, {3000, "..", CLEARS, 1000}}},
        {"one step late is too late", .steps = {{2000, "o.", NOTHING, 0}, {3000, ".f", NOTHING, 0}},
            .miss = "cpu-spike and db-burst, but 1 s apart and not at once", .miss_ms = 3000},
        {"three", .steps = {{2000, "f.f", NOTHING, 0}, {3000, "hfh", FIRES, 2000}},
            .metric = "db.received",
            .reason =
                "cpu-spike, db-burst and killed: cpu 93.1%, db.received 310 MB/s, oom_kills 1",
            .miss = "2 of 3: cpu-spike and killed, without db-burst", .miss_ms = 2000},
        {"none", .steps = {{2000, "...", NOTHING, 0}, {3000, "...", NOTHING, 0}},
            .miss = "none so far of cpu-spike, db-burst and killed", .miss_ms = 3000},
    };
    FOLLOW(timelines);
}

static void all_of_them_within_a_time(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"exactly `within`", .within_ms = 10000,
            .steps = {{2000, "o.", NOTHING, 0}, {7000, "..", NOTHING, 0},
                {12000, ".f", FIRES, 1000}, {12001, ".h", CLEARS, 1000}},
            .metric = "db.received",
            .reason = "cpu-spike and db-burst within 10 s: cpu 93.1%, db.received 310 MB/s"},
        {"a millisecond more", .within_ms = 10000,
            .steps = {{2000, "o.", NOTHING, 0}, {12001, ".f", NOTHING, 0}},
            .miss = "cpu-spike and db-burst, but 10.001 s apart and not within 10 s",
            .miss_ms = 12001},
        {"the nearest of several", .within_ms = 2000,
            .steps = {{2000, "o.", NOTHING, 0}, {12000, ".o", NOTHING, 0},
                {15000, "o.", NOTHING, 0}, {60000, ".o", NOTHING, 0}},
            .miss = "cpu-spike and db-burst, but 3 s apart and not within 2 s", .miss_ms = 15000},
        {"the onset is the earliest within it", .within_ms = 10000,
            .steps = {{2000, "f.", NOTHING, 0}, {8000, "hf", FIRES, 1000},
                {9000, "hh", HOLDS, 1000}, {30000, "h.", CLEARS, 1000}}},
        {"one that has held for long is where it happened, not where it began", .within_ms = 10000,
            .steps = {{2000, "f.", NOTHING, 0}, {9000, "h.", NOTHING, 0},
                {20000, "hf", FIRES, 19000}}},
        {"it holds while each was true not long ago", .within_ms = 10000,
            .steps = {{2000, "o.", NOTHING, 0}, {5000, ".o", FIRES, 1000},
                {11000, "..", HOLDS, 1000}, {12000, "..", HOLDS, 1000}, {12001, "..", CLEARS, 1000},
                {14000, "o.", FIRES, 4000}}},
        {"a counter's moment counts as well", .within_ms = 5000,
            .steps = {{2000, "..o", NOTHING, 0}, {3000, "f..", NOTHING, 0},
                {7000, "hf.", FIRES, 1000}},
            .metric = "db.received",
            .reason = "cpu-spike, db-burst and killed within 5 s: cpu 93.1%, db.received 310 MB/s, "
                      "oom_kills 1"},
        {"a flicker is one excursion", .within_ms = 5000,
            .steps = {{2000, "ff", FIRES, 1000}, {3000, "h.", HOLDS, 1000},
                {4000, "hf", HOLDS, 1000}, {5000, ".h", HOLDS, 1000}}},
        {"a long gap ends it where a member is no longer true", .within_ms = 5000,
            .steps = {{2000, "ff", FIRES, 1000}, {60000, "h.", CLEARS, 1000}}},
        {"a long gap does not end it where all go on", .within_ms = 5000,
            .steps = {{2000, "ff", FIRES, 1000}, {60000, "hh", HOLDS, 1000}}},
        {"what fired is no miss afterwards", .within_ms = 1000,
            .steps = {{2000, "oo", FIRES, 1000}, {9000, "..", CLEARS, 1000},
                {60000, "o.", NOTHING, 0}},
            .miss = "1 of 2: cpu-spike, without db-burst", .miss_ms = 60000},
        {"two looks at one time", .within_ms = 0,
            .steps = {{2000, "o.", NOTHING, 0}, {2000, ".o", FIRES, 1000}}},
    };
    FOLLOW(timelines);
}

static void any_of_them(void **unused)
{
    (void)unused;
    static const struct timeline timelines[] = {
        {"one", .any = true,
            .steps = {{1000, "..", NOTHING, 0}, {2000, ".f", FIRES, 1000},
                {3000, "fh", HOLDS, 1000}, {4000, "h.", HOLDS, 1000}, {5000, "..", CLEARS, 1000}},
            .metric = "db.received", .reason = "db-burst: db.received 310 MB/s",
            .miss = "otherwise none of cpu-spike and db-burst", .miss_ms = 5000},
        {"two at once", .any = true, .steps = {{2000, "ff", FIRES, 1000}}, .metric = "cpu",
            .reason = "cpu-spike and db-burst: cpu 93.1%, db.received 310 MB/s"},
        {"`within` bridges", .any = true, .within_ms = 3000,
            .steps = {{2000, "o.", FIRES, 1000}, {5000, "..", HOLDS, 1000},
                {5001, "..", CLEARS, 1000}}},
        {"none", .any = true, .steps = {{1000, "..", NOTHING, 0}},
            .miss = "none so far of cpu-spike and db-burst", .miss_ms = 1000},
    };
    FOLLOW(timelines);
}

/* A long list of long names fills the phrases, and no more than that. */
static void long_names_are_cut(void **unused)
{
    (void)unused;
    static char name[] = "a-name-of-a-trigger-of-40-characters-000";
    char *many[16];
    struct verdict verdict = {.holds = true, .fired = true, .metric = "cpu", .value = 1};
    const struct verdict *said_by[16];
    for (size_t i = 0; i < 16; i++) {
        many[i] = name;
        said_by[i] = &verdict;
    }
    struct composite_options options = {.all = {many, 16}};
    struct trigger_scope scope = {.members = (const char *const *)many, .member_count = 16};
    void *trigger = trigger_composite.open(&options, &scope);
    struct verdict verdict_of_all;
    char phrase[REASON_SIZE];
    int64_t time_ms;
    trigger_composite.check(
        trigger, &(struct trigger_input){.time_ms = 1000, .members = said_by}, &verdict_of_all);
    trigger_composite.explain(trigger, &verdict_of_all, phrase);
    assert_int_equal(strlen(phrase), REASON_SIZE - 1);
    trigger_composite.describe(&options, &scope, phrase);
    assert_int_equal(strlen(phrase), REASON_SIZE - 1);
    assert_true(trigger_composite.nearest_miss(trigger, &time_ms, phrase));
    assert_int_equal(strlen(phrase), REASON_SIZE - 1);
    trigger_composite.close(trigger);
}

static void options_that_make_no_sense_are_refused(void **unused)
{
    (void)unused;
    static char *twice[] = {cpu_spike, db_burst, cpu_spike};
    static const struct {
        struct composite_options options;
        const char *key; /* NULL: fine */
    } cases[] = {
        {{.all = {names, 2}}, NULL},
        {{.any = {names, 1}}, NULL},
        {{.all = {NULL, 0}}, "all"},
        {{.all = {names, 2}, .any = {names, 1}}, "any"},
        {{.all = {twice, 3}}, "all"},
        {{.any = {twice, 3}}, "any"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *key = NULL;
        struct error err = {""};
        int status = trigger_composite.kind.validate(&cases[i].options, &key, &err);
        assert_int_equal(status, cases[i].key ? -1 : 0);
        if (cases[i].key)
            assert_string_equal(key, cases[i].key);
        else
            assert_null(key);
        assert_int_equal(err.text[0] != '\0', cases[i].key != NULL);
    }
}

static void the_rule_is_told(void **unused)
{
    (void)unused;
    static const struct {
        struct composite_options options;
        const char *phrase;
    } cases[] = {
        {{.all = {names, 2}}, "all of cpu-spike and db-burst"},
        {{.all = {names, 2}, .within_ms = 10000}, "all of cpu-spike and db-burst within 10 s"},
        {{.any = {names, 2}}, "any of cpu-spike and db-burst"},
    };
    struct trigger_scope scope = {.members = (const char *const *)names, .member_count = 2};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char phrase[REASON_SIZE];
        trigger_composite.describe(&cases[i].options, &scope, phrase);
        assert_string_equal(phrase, cases[i].phrase);
        assert_int_equal(
            trigger_composite.lookback_ms(&cases[i].options, 1000), cases[i].options.within_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_them_at_once),
        cmocka_unit_test(all_of_them_within_a_time),
        cmocka_unit_test(any_of_them),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(the_rule_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
