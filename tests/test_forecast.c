#include "triggers/forecast.h"

#include "core/metric.h"
#include "triggers/trigger.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_PARTS = 10 };

/* A part of a trace: it begins at `from` (the end of the part before) and rises or falls to `to`;
 * with teeth, these are the peaks, and each tooth begins `depth` below them. */
struct part {
    double seconds, to;
    double tooth_s, depth;
    double odd_s, odd; /* one odd sample, so long after the part began */
    bool gap;          /* without samples */
    double noise;      /* its deviation */
};

struct trace {
    const char *name;
    double spacing_s;                /* 0: 1 s */
    double within_s;                 /* 0: 60 s */
    double from;                     /* where it begins */
    struct part parts[MAX_PARTS];    /* to the first one of 0 s */
    unsigned fires;                  /* so many */
    double earliest_s, latest_s;     /* between which the last of them lies */
    double onset_from_s, onset_to_s; /* and its onset; both 0: anywhere */
    double clear_from_s, clear_to_s; /* and its end; both 0: it does not end */
};

static double tooth(const struct part *part, double peak, double at_s)
{
    return part->tooth_s > 0 ? peak - part->depth * (1 - fmod(at_s, part->tooth_s) / part->tooth_s)
                             : peak;
}

/* About normal, of deviation 1; the same in every run. */
static double noise(void)
{
    static uint32_t state = 1;
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        state = state * 1664525 + 1013904223;
        sum += (double)(state >> 8) / (1 << 24);
    }
    return sum;
}

struct seen {
    unsigned fires, clears;
    double fired_s, onset_s, cleared_s;
};

/* What is said to be ahead is so within `within`, or two samples. */
static void assert_said(const void *trigger, const struct verdict *verdict, double horizon_s)
{
    char reason[REASON_SIZE];
    int minutes = 0, seconds = 0;
    trigger_forecast.explain(trigger, verdict, reason);
    const char *time = strstr(reason, "100% in ");
    if (!time) {
        assert_non_null(strstr(reason, ": 100% is reached"));
        return;
    }
    assert_null(strstr(reason, "memory 100.0%"));
    assert_null(strstr(reason, "+0.0"));
    if (sscanf(time, "100%% in %d min %d s", &minutes, &seconds) < 1 || !strstr(time, "min")) {
        minutes = 0;
        assert_int_equal(sscanf(time, "100%% in %d", &seconds), 1);
        seconds *= strstr(time, " h") ? 3600 : 1;
    }
    if (minutes * 60 + seconds > horizon_s)
        fail_msg("%s", reason);
}

static void look(
    void *trigger, const struct trace *trace, double time_s, double value, struct seen *seen)
{
    struct verdict verdict;
    memset(&verdict, 0x5a, sizeof verdict);
    trigger_forecast.check(trigger,
        &(struct trigger_input){.time_ms = llround(time_s * 1000), .values = &value}, &verdict);
    assert_true(verdict.limit == 100 && verdict.value == value);
    assert_false(verdict.down); /* it is on its way up to the limit */
    assert_false(verdict.fired && verdict.cleared);
    if (verdict.fired) {
        assert_true(verdict.holds);
        assert_said(trigger, &verdict, fmax(trace->within_s, 2 * trace->spacing_s));
        seen->fires++;
        seen->fired_s = time_s;
        seen->onset_s = (double)verdict.onset_ms / 1000;
        assert_in_range(verdict.onset_ms,
            llround(time_s * 1000) -
                trigger_forecast.lookback_ms(
                    &(struct forecast_options){.within_ms = llround(trace->within_s * 1000)},
                    llround(trace->spacing_s * 1000)),
            llround(time_s * 1000));
    }
    if (verdict.cleared) {
        assert_false(verdict.holds);
        seen->clears++;
        seen->cleared_s = time_s;
    }
    assert_int_equal(verdict.holds, seen->fires > seen->clears);
}

static void play(void *trigger, const struct trace *trace, struct seen *seen)
{
    double begun_s = 1e6, from = trace->from;
    for (const struct part *part = trace->parts; part->seconds > 0; part++) {
        long samples = lround(part->seconds / trace->spacing_s);
        for (long i = 0; i < samples && !part->gap; i++) {
            double at_s = (double)i * trace->spacing_s;
            double value = tooth(part, from + (part->to - from) * at_s / part->seconds, at_s);
            value += part->noise > 0 ? part->noise * noise() : 0;
            if (part->odd != 0 && i == lround(part->odd_s / trace->spacing_s))
                value = part->odd;
            /* As pages are counted: in steps of 4 KiB of 4 GiB. */
            look(trigger, trace, begun_s + at_s, floor(value * 10000) / 10000, seen);
        }
        begun_s += part->seconds;
        from = part->to;
    }
}

static void assert_seen(const struct trace *trace, const struct seen *seen)
{
    double fired_s = seen->fired_s - 1e6, onset_s = seen->onset_s - 1e6;
    double cleared_s = seen->cleared_s - 1e6;
    if (seen->fires != trace->fires)
        fail_msg("%s: it fired %u times, at last at %g s", trace->name, seen->fires, fired_s);
    if (!trace->fires)
        return;
    if (fired_s < trace->earliest_s || fired_s > trace->latest_s)
        fail_msg("%s: it fired at %g s", trace->name, fired_s);
    if (trace->onset_to_s > 0 && (onset_s < trace->onset_from_s || onset_s > trace->onset_to_s))
        fail_msg("%s: the onset is %g s", trace->name, onset_s);
    bool is_over = seen->clears == seen->fires;
    if (is_over != (trace->clear_to_s > 0))
        fail_msg("%s: it ended %u times, at last at %g s", trace->name, seen->clears, cleared_s);
    if (is_over && (cleared_s < trace->clear_from_s || cleared_s > trace->clear_to_s))
        fail_msg("%s: it ended at %g s", trace->name, cleared_s);
}

static void follow(const struct trace *traces, size_t count)
{
    static char text[] = "100%";
    for (size_t i = 0; i < count; i++) {
        struct trace trace = traces[i];
        trace.spacing_s = trace.spacing_s > 0 ? trace.spacing_s : 1;
        trace.within_s = trace.within_s > 0 ? trace.within_s : 60;
        struct forecast_options options = {
            .reaches = {.value = 100, .text = text}, .within_ms = llround(trace.within_s * 1000)};
        const char *metric = "memory";
        enum unit unit = UNIT_PERCENT;
        struct trigger_scope scope = {.metrics = &metric, .units = &unit, .metric_count = 1};
        void *trigger = trigger_forecast.open(&options, &scope);
        struct seen seen = {0};
        play(trigger, &trace, &seen);
        assert_seen(&trace, &seen);
        trigger_forecast.close(trigger);
    }
}

#define FOLLOW(traces) follow(traces, sizeof(traces) / sizeof *(traces))

/* A part without anything odd. */
#define TO(duration, goal)                                                                         \
    {                                                                                              \
        .seconds = (duration), .to = (goal)                                                        \
    }

static void a_leak_is_foreseen(void **unused)
{
    (void)unused;
    static const struct trace traces[] = {
        /* 0.5 points/s: the level is 120 s away, and half of that is left at 70%. */
        {"slower than `within`", .from = 40, .parts = {TO(600, 40), TO(120, 100)}, .fires = 1,
            .earliest_s = 658, .latest_s = 664, .onset_from_s = 595, .onset_to_s = 610},
        {"an hour long", .from = 40, .parts = {TO(600, 40), TO(3600, 100)}, .fires = 1,
            .earliest_s = 4080, .latest_s = 4145},
        {"2 points/s", .from = 40, .parts = {TO(600, 40), TO(30, 100)}, .fires = 1,
            .earliest_s = 603, .latest_s = 616, .onset_from_s = 599, .onset_to_s = 602},
        {"10 points/s: at the third rise", .from = 40, .parts = {TO(600, 40), TO(6, 100)},
            .fires = 1, .earliest_s = 603, .latest_s = 603, .onset_from_s = 600, .onset_to_s = 600},
        {"from the start", .from = 5, .parts = {TO(48, 100)}, .fires = 1, .earliest_s = 5,
            .latest_s = 32},
        {"over a gap", .from = 40,
            .parts = {TO(600, 40), {.seconds = 40, .to = 60, .gap = true}, TO(40, 100)}, .fires = 1,
            .earliest_s = 640, .latest_s = 660},
        {"under the teeth", .from = 60,
            .parts = {{.seconds = 1200, .to = 60, .tooth_s = 20, .depth = 20},
                {.seconds = 800, .to = 100, .tooth_s = 20, .depth = 20}},
            .fires = 1, .earliest_s = 1880, .latest_s = 1985},
        {"it ends before the level", .from = 40, .parts = {TO(600, 40), TO(25, 90), TO(600, 50)},
            .fires = 1, .earliest_s = 603, .latest_s = 616, .clear_from_s = 720, .clear_to_s = 760},
    };
    FOLLOW(traces);
}

static void what_is_usual_is_silent(void **unused)
{
    (void)unused;
    static const struct trace traces[] = {
        {"a plateau", .from = 97, .parts = {TO(7200, 97)}},
        {"a fall", .from = 97, .parts = {TO(600, 97), TO(60, 20), TO(600, 20)}},
        {"a rise that stops early", .from = 30, .parts = {TO(600, 30), TO(60, 55), TO(3600, 55)}},
        {"slow steps", .from = 30,
            .parts = {TO(600, 30), TO(60, 45), TO(600, 45), TO(60, 60), TO(600, 60), TO(60, 75),
                TO(3600, 75)}},
        {"teeth of 10 s", .from = 60,
            .parts = {{.seconds = 7200, .to = 60, .tooth_s = 10, .depth = 30}}},
        {"teeth of 2 s", .from = 60,
            .parts = {{.seconds = 7200, .to = 60, .tooth_s = 2, .depth = 30}}},
        {"teeth of a minute", .from = 60,
            .parts = {{.seconds = 7200, .to = 60, .tooth_s = 60, .depth = 30}}},
        {"teeth that soon go as high as before", .from = 30,
            .parts = {TO(200, 30), {.seconds = 1000, .to = 90, .tooth_s = 0},
                {.seconds = 7200, .to = 90, .tooth_s = 20, .depth = 40}}},
        {"one odd sample above", .from = 50,
            .parts = {{.seconds = 1200, .to = 50, .odd_s = 700, .odd = 99}}},
        {"one at the level", .from = 50,
            .parts = {{.seconds = 1200, .to = 50, .odd_s = 700, .odd = 100}}},
        {"one odd sample below", .from = 90,
            .parts = {{.seconds = 1200, .to = 90, .odd_s = 700, .odd = 5}}},
        {"one in a slow rise", .from = 50,
            .parts = {{.seconds = 3600, .to = 60, .odd_s = 700, .odd = 99}}},
        {"a jump of the clock", .from = 50,
            .parts = {TO(600, 50), {.seconds = 1e6, .to = 52, .gap = true}, TO(600, 52)}},
        {"a restart to less", .from = 60,
            .parts = {TO(600, 60), {.seconds = 30, .to = 60, .gap = true}, TO(1, 5), TO(30, 45),
                TO(600, 45)}},
    };
    FOLLOW(traces);
}

/* Seconds of noise around a value. */
#define NOISY(duration, goal, deviation)                                                           \
    {                                                                                              \
        .seconds = (duration), .to = (goal), .noise = (deviation)                                  \
    }

static void a_step_to_a_plateau_is_a_plateau(void **unused)
{
    (void)unused;
    static const double spacings_s[] = {1, 10, 60, 300}, noises[] = {0, 0.01, 0.1, 0.5};
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) {
            double s = spacings_s[i], n = noises[k];
            const struct trace traces[] = {
                {"a step", .spacing_s = s, .from = 30,
                    .parts = {NOISY(700 * s, 30, n), TO(s, 90), NOISY(700 * s, 90, n)}},
                {"by a sample half-way", .spacing_s = s, .from = 30,
                    .parts = {NOISY(700 * s, 30, n), TO(2 * s, 90), NOISY(700 * s, 90, n)}},
                {"two steps", .spacing_s = s, .from = 30,
                    .parts = {NOISY(700 * s, 30, n), TO(s, 60), NOISY(700 * s, 60, n), TO(s, 90),
                        NOISY(700 * s, 90, n)}},
            };
            FOLLOW(traces);
        }
}

static void a_plateau_after_a_rise_is_silent(void **unused)
{
    (void)unused;
    static const struct trace traces[] = {
        {"to 97 +- 1 in 20 min", .from = 30,
            .parts = {NOISY(1000, 30, 1), NOISY(1200, 97, 1), NOISY(7200, 97, 1)}, .fires = 1,
            .earliest_s = 2050, .latest_s = 2220, .clear_from_s = 2300, .clear_to_s = 2700},
        {"to 94 +- .3 in 64 s", .from = 30,
            .parts = {NOISY(1000, 30, .3), NOISY(64, 94, .3), NOISY(7200, 94, .3)}, .fires = 1,
            .earliest_s = 1015, .latest_s = 1064, .clear_from_s = 1130, .clear_to_s = 1300},
        {"to 95 +- .5 in 10 min", .from = 30,
            .parts = {NOISY(1000, 30, .5), NOISY(600, 95, .5), NOISY(7200, 95, .5)}, .fires = 1,
            .earliest_s = 1500, .latest_s = 1620, .clear_from_s = 1620, .clear_to_s = 1900},
        {"that nothing is known from before", .from = 97, .parts = {NOISY(20000, 97, .5)}},
        {"noise that touches the level: once", .from = 50,
            .parts = {NOISY(1000, 50, .5), TO(1, 99.5), NOISY(20000, 99.5, .5)}, .fires = 1,
            .earliest_s = 1001, .latest_s = 1600},
    };
    FOLLOW(traces);
}

static void the_level_itself_counts(void **unused)
{
    (void)unused;
    static const struct trace traces[] = {
        {"from the start, at the second sample", .from = 101, .parts = {TO(600, 101)}, .fires = 1,
            .earliest_s = 1, .latest_s = 1},
        {"after a jump", .from = 50,
            .parts = {TO(600, 50), {.seconds = 1, .to = 50, .gap = true}, TO(600, 100)}, .fires = 1,
            .earliest_s = 600, .latest_s = 1201},
        {"once, and again after it was away", .from = 101,
            .parts = {TO(600, 101), TO(1, 70), TO(600, 70), TO(1, 101), TO(60, 101)}, .fires = 2,
            .earliest_s = 1202, .latest_s = 1204},
    };
    FOLLOW(traces);
}

static void the_same_after_a_restart(void **unused)
{
    (void)unused;
    static const struct trace traces[] = {
        {"killed and again", .from = 5,
            .parts = {TO(20, 45), TO(600, 45), TO(27, 99), {.seconds = 10, .to = 99, .gap = true},
                TO(1, 5), TO(20, 45), TO(600, 45), TO(27, 99)},
            .fires = 2, .earliest_s = 1278, .latest_s = 1295},
        {"a restart ends it", .from = 5,
            .parts = {TO(20, 45), TO(600, 45), TO(27, 99), {.seconds = 10, .to = 99, .gap = true},
                TO(1, 5), TO(20, 40), TO(100, 40)},
            .fires = 1, .earliest_s = 620, .latest_s = 637, .clear_from_s = 656, .clear_to_s = 662},
    };
    FOLLOW(traces);
}

static void the_spacing_comes_from_the_samples(void **unused)
{
    (void)unused;
    static const struct trace traces[] = {
        {"100 ms, 2 points/s", .spacing_s = 0.1, .from = 40, .parts = {TO(600, 40), TO(30, 100)},
            .fires = 1, .earliest_s = 600.3, .latest_s = 616},
        {"100 ms, teeth", .spacing_s = 0.1, .from = 60,
            .parts = {{.seconds = 1200, .to = 60, .tooth_s = 10, .depth = 30}}},
        {"10 s", .spacing_s = 10, .from = 40, .parts = {TO(6000, 40), TO(1200, 100)}, .fires = 1,
            .earliest_s = 7110, .latest_s = 7150},
        {"a minute: two samples before", .spacing_s = 60, .from = 40,
            .parts = {TO(6000, 40), TO(3600, 100)}, .fires = 1, .earliest_s = 9420,
            .latest_s = 9540},
        {"five minutes", .spacing_s = 300, .from = 40, .parts = {TO(60000, 40), TO(18000, 100)},
            .fires = 1, .earliest_s = 77100, .latest_s = 77700},
        {"five minutes, a plateau", .spacing_s = 300, .from = 90, .parts = {TO(600000, 90)}},
        {"an hour ahead", .within_s = 3600, .from = 40, .parts = {TO(36000, 40), TO(36000, 100)},
            .fires = 1, .earliest_s = 66600, .latest_s = 68800},
        {"a second ahead", .within_s = 1, .from = 40, .parts = {TO(600, 40), TO(60, 100)},
            .fires = 1, .earliest_s = 657, .latest_s = 659},
    };
    FOLLOW(traces);
}

/* The phrases after a trace of samples a second apart. */
static void assert_phrases(enum unit unit, double level, const double *values, size_t count,
    const char *reason, const char *miss, int64_t miss_s)
{
    static char text[] = "given";
    struct forecast_options options = {
        .reaches = {.value = level, .text = text}, .within_ms = 60000};
    const char *metric = "memory";
    struct trigger_scope scope = {.metrics = &metric, .units = &unit, .metric_count = 1};
    void *trigger = trigger_forecast.open(&options, &scope);
    char phrase[REASON_SIZE] = "", missed[REASON_SIZE] = "";
    int64_t time_ms = 0;
    for (size_t i = 0; i < count; i++) {
        struct verdict verdict;
        trigger_forecast.check(trigger,
            &(struct trigger_input){.time_ms = (int64_t)i * 1000, .values = &values[i]}, &verdict);
        if (verdict.fired)
            trigger_forecast.explain(trigger, &verdict, phrase);
    }
    assert_string_equal(phrase, reason);
    assert_int_equal(trigger_forecast.nearest_miss(trigger, &time_ms, missed), count > 0);
    assert_string_equal(missed, miss);
    assert_int_equal(time_ms, miss_s * 1000);
    trigger_forecast.close(trigger);
}

/* Fills values[from] to values[to - 1]: a line from first, up by step a sample. */
static void draw(double *values, size_t from, size_t to, double first, double step)
{
    for (size_t i = from; i < to; i++)
        values[i] = first + step * (double)(i - from);
}

static void the_phrases_are_short(void **unused)
{
    (void)unused;
    double values[1200] = {0};
    assert_phrases(UNIT_PERCENT, 100, values, 0, "", "", 0);
    draw(values, 0, 200, 40, 0);
    assert_phrases(
        UNIT_PERCENT, 100, values, 200, "", "40.0% at the most, no rise beyond the usual", 0);
    draw(values, 200, 230, 40, 2.5);
    assert_phrases(UNIT_PERCENT, 100, values, 230, "memory 62.5%, +2.5 points/s: 100% in 15 s",
        "100% in 16 s at the least, after a rise of only 5 s", 208);
    draw(values, 200, 1200, 40, 0.02);
    assert_phrases(UNIT_PERCENT, 100, values, 1200, "", "100% in 33 min 16 s at the least", 1195);
    /* The rate is that of the rise alone, and what was before it is no part of it. */
    draw(values, 0, 40, 3, 0.001);
    draw(values, 40, 76, 3, 2.6);
    assert_phrases(UNIT_PERCENT, 100, values, 76, "memory 62.8%, +2.6 points/s: 100% in 15 s",
        "100% in 16 s at the least, after a rise of only 18 s", 62);
    draw(values, 0, 200, 40, 0);
    draw(values, 200, 201, 60, 0);
    draw(values, 201, 400, 90, 0.001);
    assert_phrases(UNIT_PERCENT, 100, values, 400, "",
        "100% in 1 s at the least, after a rise of 3 s, flat since", 202);
    draw(values, 0, 200, 99.96, 0);
    draw(values, 0, 2, 100.5, 0);
    assert_phrases(UNIT_PERCENT, 100, values, 2, "memory 100.5%: 100% is reached",
        "100.5% at the most, no rise beyond the usual", 0);
    draw(values, 0, 200, 400 * 1048576.0, 0);
    draw(values, 200, 230, 400 * 1048576.0, 25 * 1048576.0);
    assert_phrases(UNIT_BYTES, 1073741824, values, 230,
        "memory 650 MiB, +25.0 MiB/s: 1 GiB in 15 s",
        "1 GiB in 16 s at the least, after a rise of only 5 s", 209);
}

static void the_rule_is_told(void **unused)
{
    (void)unused;
    struct forecast_options options = {.reaches = {.value = 100}, .within_ms = 90000};
    const char *metric = "memory";
    enum unit unit = UNIT_PERCENT;
    struct trigger_scope scope = {.metrics = &metric, .units = &unit, .metric_count = 1};
    char phrase[REASON_SIZE];
    trigger_forecast.describe(&options, &scope, phrase);
    assert_string_equal(phrase, "memory on its way to 100% within 90 s");
    assert_int_equal(trigger_forecast.lookback_ms(&options, 1000), 180000);
    assert_int_equal(trigger_forecast.lookback_ms(&options, 300000), 1200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leak_is_foreseen),
        cmocka_unit_test(what_is_usual_is_silent),
        cmocka_unit_test(a_step_to_a_plateau_is_a_plateau),
        cmocka_unit_test(a_plateau_after_a_rise_is_silent),
        cmocka_unit_test(the_level_itself_counts),
        cmocka_unit_test(the_same_after_a_restart),
        cmocka_unit_test(the_spacing_comes_from_the_samples),
        cmocka_unit_test(the_phrases_are_short),
        cmocka_unit_test(the_rule_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
