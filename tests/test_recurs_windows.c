/* Every window that `recurs` says has an outcome, whatever is learned again meanwhile. */
#include "recurs_rig.h"

/* Follows what is said of windows: one that has begun is hit, missed or void before another is
 * said; one that has not may be replaced. */
struct window_watch {
    bool open;
    int64_t start_ms;
    size_t hits, misses;
};

static void watch_windows(struct window_watch *watch, const struct rig *rig)
{
    unsigned news = rig->verdict.news;
    if (news & (RECURRENCE_HIT | RECURRENCE_MISS)) {
        assert_true(watch->open && watch->start_ms <= rig->now_ms);
        watch->open = false;
        watch->hits += (news & RECURRENCE_HIT) != 0;
        watch->misses += (news & RECURRENCE_MISS) != 0;
    }
    if (news & RECURRENCE_DORMANT)
        watch->open = false;
    if (news & RECURRENCE_ARM) {
        assert_true(!watch->open || watch->start_ms > rig->now_ms);
        watch->open = true;
        watch->start_ms = rig->verdict.recurrence->window_start_ms;
    }
    if (watch->open)
        assert_true(rig->verdict.recurrence->window_start_ms == watch->start_ms);
}

/* Steps to just after the onset is reported, watching. */
static void watch_until(struct window_watch *watch, struct rig *rig, int64_t onset_ms)
{
    while (rig->now_ms + rig->spacing_ms < onset_ms + rig->latency_ms) {
        rig_step(rig, rig->now_ms + rig->spacing_ms, false, 0);
        watch_windows(watch, rig);
        rig->count = 0;
    }
    rig_step(rig, rig->now_ms + rig->spacing_ms, true, onset_ms);
    watch_windows(watch, rig);
    rig->count = 0;
}

static void every_window_has_an_outcome(void **unused)
{
    (void)unused;
    enum { ONSETS = 150, PERIOD_MS = 600000 };
    struct rig rig;
    struct window_watch watch = {.open = false};
    rig_open(&rig, 180, 3600, 2000);
    for (int64_t i = 1; i <= ONSETS; i++) {
        /* In the middle of windows samples come further apart, and what a store has arrives. */
        if (i == 50)
            rig.spacing_ms = 10000;
        if (i == 70) {
            size_t count;
            const int64_t *onsets_ms = trigger_recurs.learned(rig.trigger, &count);
            int64_t copy[128];
            memcpy(copy, onsets_ms, count * sizeof *copy);
            trigger_recurs.restore(rig.trigger, copy, count);
        }
        watch_until(&watch, &rig, i * PERIOD_MS);
    }
    /* All but the first ones, however often the log was shortened meanwhile. */
    assert_true(watch.hits >= ONSETS - 5);
    assert_int_equal(watch.misses, 0);
    rig_close(&rig);

    uint64_t seed = 7;
    watch = (struct window_watch){.open = false};
    rig_open(&rig, 180, 3600, 2000);
    for (int64_t i = 1; i <= ONSETS; i++) {
        int64_t onset_ms = i * PERIOD_MS + (int64_t)(60000 * (draw(&seed) - 0.5));
        if (draw(&seed) < 0.3)
            watch_until(&watch, &rig, onset_ms - 200000 - (int64_t)(100000 * draw(&seed)));
        if (draw(&seed) < 0.8)
            watch_until(&watch, &rig, onset_ms);
    }
    assert_true(watch.hits > 40 && watch.misses > 3);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_window_has_an_outcome)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
