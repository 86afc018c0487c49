#include "triggers/recurs.h"

#include "core/error.h"
#include "recurs_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct pattern {
    const char *name;
    int64_t from_s, to_s, spacing_ms;
    double onsets_s[MAX_ONSETS]; /* ended by 0 */
    size_t by;                   /* recognised with this onset at the latest; 0: never */
    double period_s, tolerance;
};

static void periods_are_recognised(void **unused)
{
    (void)unused;
    static const struct pattern patterns[] = {
        {"an exact clock", 180, 28800, 1000, {1000, 2800, 4600, 6400, 8200}, 5, 1800, 0.01},
        {"a director", 180, 28800, 1000, {1000, 2840, 4620, 6470, 8240, 10010}, 6, 1800, 0.02},
        {"a round that was missed", 180, 28800, 1000, {1000, 2800, 4600, 8200, 10000, 11800}, 6,
            1800, 0.01},
        {"unrelated spikes", 180, 28800, 1000,
            {1000, 1700, 2800, 4600, 5400, 6400, 8200, 10000, 11800}, 9, 1800, 0.01},
        {"every 20 s, five times a second", 10, 60, 200, {30, 50, 70.2, 90, 110.2}, 5, 20, 0.02},
        {"every 20 s, once a second", 10, 60, 1000, {30, 50, 70, 91, 110, 130}, 6, 20, 0.03},
        {"hours, every 5 minutes", 1800, 86400, 300000,
            {7200, 10800, 14400, 18000, 21600, 25200, 28800}, 7, 3600, 0.03},
        {"two onsets", 180, 28800, 1000, {1000, 2800}, 0, 0, 0},
        {"three alike", 180, 28800, 1000, {1000, 2800, 4600}, 0, 0, 0},
        {"random times", 180, 28800, 1000, {1000, 1600, 4000, 4700, 5300, 8800, 9200, 11900}, 0, 0,
            0},
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const struct pattern *p = &patterns[i];
        struct rig rig;
        rig_open(&rig, p->from_s, p->to_s, p->spacing_ms);
        size_t at = 0;
        for (size_t n = 0; n < MAX_ONSETS && p->onsets_s[n] != 0; n++) {
            rig_onset(&rig, p->onsets_s[n]);
            if (!at && rig.verdict.holds)
                at = n + 1;
        }
        if (p->by ? at == 0 || at > p->by : at != 0)
            fail_msg("%s: recognised at onset %zu, odds %.3f", p->name, at,
                rig.verdict.recurrence->odds);
        if (p->by && fabs(rig.verdict.recurrence->period_s / p->period_s - 1) > p->tolerance)
            fail_msg("%s: every %.2f s", p->name, rig.verdict.recurrence->period_s);
        assert_true(count_news(&rig, RECURRENCE_DORMANT) == 0);
        rig_close(&rig);
    }
}

/* Random onsets: with one rate, and in clusters. */
static void what_is_random_is_not_recognised(void **unused)
{
    (void)unused;
    for (int clusters = 0; clusters < 2; clusters++) {
        uint64_t seed = 11;
        size_t wrong = 0;
        for (int run = 0; run < 10; run++) {
            struct rig rig;
            rig_open(&rig, 180, 28800, 10000);
            double now_s = 1000;
            for (int i = 0; i < 60; i++) {
                double mean_s = clusters && draw(&seed) < 0.6 ? 200 : 1500;
                now_s += 90 - mean_s * log(1 - draw(&seed));
                rig_onset(&rig, now_s);
            }
            wrong += count_news(&rig, RECURRENCE_DORMANT);
            rig_close(&rig);
        }
        assert_true(wrong <= 1);
    }
}

static void windows_hit_and_miss_in_order(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 180, 28800, 1000);
    static const double onsets_s[MAX_ONSETS] = {1000, 2800, 4600, 6400, 8200, 10000};
    rig_onsets(&rig, onsets_s);
    assert_non_null(find_news(&rig, RECURRENCE_RECOGNISED));
    assert_true(rig.said[rig.count - 1].news & RECURRENCE_HIT);
    assert_true(rig.said[rig.count - 1].news & RECURRENCE_ARM);

    /* The window is around the next onset, and no longer than a tenth of the period. */
    const struct recurrence *now = rig.verdict.recurrence;
    assert_true(now->window_start_ms < 11800000 && now->window_end_ms > 11800000);
    assert_true((double)(now->window_end_ms - now->window_start_ms) <= 100 * now->period_s);
    assert_true(llabs(now->expected_ms - 11800000) < 20000);

    /* Nothing is said before an onset at its end would have been reported. */
    int64_t end_ms = now->window_end_ms;
    size_t before = rig.count;
    rig_run(&rig, end_ms + rig.latency_ms);
    assert_int_equal(rig.count, before);
    rig_run(&rig, end_ms + 60000);
    assert_int_equal(rig.count, before + 1);
    assert_true(rig.said[before].news & RECURRENCE_MISS);
    assert_true(rig.said[before].news & RECURRENCE_ARM);
    assert_true(now->window_start_ms < 13600000 && now->window_end_ms > 13600000);

    /* No further round: dormant once, and nothing after it. */
    rig_run(&rig, 40000000);
    assert_int_equal(count_news(&rig, RECURRENCE_DORMANT), 1);
    assert_true(rig.said[rig.count - 1].news & RECURRENCE_DORMANT);
    assert_true(now->window_start_ms == INT64_MIN && now->expected_ms == INT64_MIN);
    assert_true(rig.said[rig.count - 1].time_ms <= 10000000 + 5 * 1800000);
    assert_false(rig.verdict.holds);
    rig_close(&rig);
}

static void a_late_report_is_a_hit(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 180, 28800, 1000);
    static const double onsets_s[MAX_ONSETS] = {1000, 2800, 4600, 6400, 8200, 10000};
    rig_onsets(&rig, onsets_s);
    int64_t end_ms = rig.verdict.recurrence->window_end_ms;
    size_t hits = count_news(&rig, RECURRENCE_HIT);
    rig_run(&rig, end_ms + 4000);
    rig_step(&rig, end_ms + 4000, true, end_ms - 1000);
    assert_int_equal(count_news(&rig, RECURRENCE_HIT), hits + 1);
    assert_int_equal(count_news(&rig, RECURRENCE_MISS), 0);
    rig_close(&rig);
}

static void a_later_window_replaces(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 180, 28800, 1000);
    static const double onsets_s[MAX_ONSETS] = {1000, 2800, 4600, 6400, 8200, 10000};
    rig_onsets(&rig, onsets_s);
    struct recurrence before = *rig.verdict.recurrence;
    rig_onset(&rig, 10600); /* unrelated */
    const struct recurrence *now = rig.verdict.recurrence;
    assert_true(rig.verdict.news & RECURRENCE_ARM);
    assert_false(rig.verdict.news & (RECURRENCE_MISS | RECURRENCE_HIT));
    assert_true(llabs(now->window_start_ms - before.window_start_ms) < 60000);
    rig_close(&rig);
}

static void the_next_session_has_another_period(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 180, 28800, 1000);
    static const double periods_s[] = {1800, 600, 3000};
    double now_s = 1000;
    for (size_t session = 0; session < 3; session++) {
        for (int i = 0; i < 8; i++, now_s += periods_s[session])
            rig_onset(&rig, now_s);
        assert_true(rig.verdict.holds);
        assert_true(fabs(rig.verdict.recurrence->period_s / periods_s[session] - 1) < 0.01);
        now_s += 14 * HOUR;
        rig_run(&rig, (int64_t)(now_s * 1000) - HOUR);
        assert_false(rig.verdict.holds);
        assert_int_equal(count_news(&rig, RECURRENCE_DORMANT), session + 1);
    }
    rig_close(&rig);
}

static void a_clock_that_jumps_is_a_long_silence(void **unused)
{
    (void)unused;
    struct rig rig;
    rig_open(&rig, 180, 28800, 1000);
    static const double onsets_s[MAX_ONSETS] = {1000, 2800, 4600, 6400, 8200, 10000};
    rig_onsets(&rig, onsets_s);
    rig_step(&rig, rig.now_ms + 48 * HOUR * 1000, false, 0);
    assert_true(rig.verdict.news & RECURRENCE_DORMANT);
    assert_true(rig.verdict.news & RECURRENCE_MISS);
    assert_false(rig.verdict.news & RECURRENCE_ARM);
    assert_true(rig.verdict.recurrence->window_start_ms == INT64_MIN);
    rig_step(&rig, rig.now_ms + 365LL * 24 * HOUR * 1000, false, 0);
    assert_int_equal(rig.verdict.news, 0);
    rig_close(&rig);
}

static void odd_onsets_do_no_harm(void **unused)
{
    (void)unused;
    struct rig rig, odd;
    rig_open(&rig, 180, 28800, 1000);
    rig_open(&odd, 180, 28800, 1000);
    for (double at_s = 1000; at_s <= 10000; at_s += 1800) {
        rig_onset(&rig, at_s);
        rig_onset(&odd, at_s);
        rig_step(&odd, odd.now_ms + 1000, true, (int64_t)(at_s * 1000));        /* again */
        rig_step(&odd, odd.now_ms + 1000, true, (int64_t)(at_s * 1000) - 5000); /* older */
        rig_step(&odd, odd.now_ms + 1000, true, odd.now_ms + 9000);             /* to come */
    }
    assert_true(odd.verdict.holds);
    assert_true(odd.verdict.recurrence->odds == rig.verdict.recurrence->odds);
    assert_true(odd.verdict.recurrence->period_s == rig.verdict.recurrence->period_s);
    size_t count;
    trigger_recurs.learned(odd.trigger, &count);
    assert_int_equal(count, 6);
    rig_close(&odd);
    rig_close(&rig);
}

/* Restarts at onset `at`; `shift_s` so that the clock may be negative before. */
static void restart_equals(int onsets, int at, double period_s, double jitter, double shift_s)
{
    struct rig whole, before, after;
    uint64_t seed = 5;
    double now_s = 1000 - shift_s;
    int64_t restarted_ms = 0;
    rig_open(&whole, 180, 28800, 10000);
    rig_open(&before, 180, 28800, 10000);
    rig_open(&after, 180, 28800, 10000);
    whole.now_ms = before.now_ms = (int64_t)((now_s - 500) * 1000);
    for (int i = 0; i < onsets; i++) {
        now_s += period_s * (1 + jitter * (draw(&seed) - 0.5));
        rig_onset(&whole, now_s);
        rig_onset(i < at ? &before : &after, now_s);
        if (i != at - 1)
            continue;
        size_t count;
        const int64_t *learned = trigger_recurs.learned(before.trigger, &count);
        trigger_recurs.restore(after.trigger, learned, count);
        after.now_ms = before.now_ms;
        for (int step = 0; step < 10; step++) { /* until it knows how far they lie apart */
            rig_step(&whole, whole.now_ms + 10000, false, 0);
            rig_step(&after, after.now_ms + 10000, false, 0);
            assert_int_equal(after.verdict.news & ~(unsigned)RECURRENCE_ARM, 0);
        }
        restarted_ms = after.now_ms;
        assert_memory_equal(
            after.verdict.recurrence, whole.verdict.recurrence, sizeof(struct recurrence));
    }
    assert_memory_equal(
        after.verdict.recurrence, whole.verdict.recurrence, sizeof(struct recurrence));
    for (size_t i = after.count, j = whole.count; i > 0; i--, j--) {
        if (after.said[i - 1].time_ms <= restarted_ms)
            break;
        /* How late reports come is learned anew, and with it the time of a miss. */
        assert_true(llabs(after.said[i - 1].time_ms - whole.said[j - 1].time_ms) < 60000);
        assert_int_equal(after.said[i - 1].news, whole.said[j - 1].news);
    }
    rig_close(&whole);
    rig_close(&before);
    rig_close(&after);
}

static void a_restart_changes_nothing(void **unused)
{
    (void)unused;
    restart_equals(9, 3, 1800, 0.03, 0);
    restart_equals(9, 6, 1800, 0.03, 90000);
    restart_equals(30, 12, 1800, 1.5, 0); /* hardly recurs */
    restart_equals(230, 200, 1800, 0.05, 1000000);
    restart_equals(230, 144, 600, 1.2, 0);
}

static void states_are_said_in_words(void **unused)
{
    (void)unused;
    struct rig rig;
    char text[REASON_SIZE];
    int64_t time_ms;
    rig_open(&rig, 180, 28800, 1000);
    assert_false(trigger_recurs.nearest_miss(rig.trigger, &time_ms, text));
    rig_run(&rig, 20000);
    assert_true(trigger_recurs.nearest_miss(rig.trigger, &time_ms, text));
    assert_string_equal(text, "no onset yet");
    rig_onset(&rig, 1000);
    assert_true(trigger_recurs.nearest_miss(rig.trigger, &time_ms, text));
    assert_string_equal(text, "1 onset, odds 0.00 that they recur");
    static const double onsets_s[MAX_ONSETS] = {2800, 4600, 6400, 8200, 10000};
    rig_onsets(&rig, onsets_s);
    assert_true(trigger_recurs.nearest_miss(rig.trigger, &time_ms, text));
    assert_int_equal(time_ms, rig.now_ms);
    assert_non_null(strstr(text, "recurs every 30 min"));
    assert_non_null(strstr(text, "6 onsets, next expected in 29 min"));

    static const struct {
        unsigned news;
        const char *words;
    } cases[] = {
        {RECURRENCE_HIT, "it came within the window"},
        {RECURRENCE_MISS, "it did not come within the window"},
        {RECURRENCE_RECOGNISED, "recurs every 30 min"},
        {RECURRENCE_DORMANT, "recurs no longer: odds"},
        {RECURRENCE_ARM, "expected within a window of 3 min that begins in 28 min"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct verdict verdict = rig.verdict;
        verdict.news = cases[i].news;
        trigger_recurs.explain(rig.trigger, &verdict, text);
        if (!strstr(text, cases[i].words))
            fail_msg("\"%s\" instead of \"%s\"", text, cases[i].words);
    }
    trigger_recurs.describe(&rig.options, NULL, text);
    assert_string_equal(text, "cpu-spike comes back after a period of 3 min to 8 h");
    rig_close(&rig);
}

static void ranges_that_make_no_sense_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        int64_t from_ms, to_ms;
        const char *words; /* NULL: taken */
    } cases[] = {
        {180000, 28800000, NULL},
        {5000, 10000, NULL},
        {5000, 604800000, NULL},
        {4999, 60000, "below 5s"},
        {60000, 604800001, "above 7d"},
        {60000, 119999, "twice"},
        {60000, 60000, "twice"},
        {60000, 1000, "twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recurs_options options = {
            .recurs = {.of = spike, .period = {cases[i].from_ms, cases[i].to_ms}}};
        const char *key = NULL;
        struct error err = {.text = ""};
        int result = trigger_recurs.kind.validate(&options, &key, &err);
        assert_int_equal(result, cases[i].words ? -1 : 0);
        if (!cases[i].words)
            continue;
        assert_non_null(strstr(err.text, cases[i].words));
        assert_string_equal(key, "recurs");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(periods_are_recognised),
        cmocka_unit_test(what_is_random_is_not_recognised),
        cmocka_unit_test(windows_hit_and_miss_in_order),
        cmocka_unit_test(a_late_report_is_a_hit),
        cmocka_unit_test(a_later_window_replaces),
        cmocka_unit_test(the_next_session_has_another_period),
        cmocka_unit_test(a_clock_that_jumps_is_a_long_silence),
        cmocka_unit_test(odd_onsets_do_no_harm),
        cmocka_unit_test(a_restart_changes_nothing),
        cmocka_unit_test(states_are_said_in_words),
        cmocka_unit_test(ranges_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
