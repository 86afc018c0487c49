/* A `recurs` trigger that is stepped through time, and what it says. */
#ifndef TESTS_RECURS_RIG_H
#define TESTS_RECURS_RIG_H

#include "triggers/recurs.h"
#include "triggers/trigger.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_ONSETS = 40, MAX_SAID = 400, MINUTE = 60, HOUR = 3600 };

/* What it said, and when. */
struct said {
    int64_t time_ms;
    unsigned news;
    struct recurrence recurrence;
};

/* A trigger that is stepped through time. */
struct rig {
    struct recurs_options options;
    void *trigger;
    int64_t now_ms, spacing_ms, latency_ms;
    struct said said[MAX_SAID];
    size_t count;
    struct verdict verdict;
};

static char spike[] = "cpu-spike";

static inline void rig_open(struct rig *rig, int64_t from_s, int64_t to_s, int64_t spacing_ms)
{
    *rig = (struct rig){.spacing_ms = spacing_ms, .latency_ms = 5 * spacing_ms};
    rig->options.recurs = (struct recurs){
        .of = spike, .period = {.from_ms = from_s * 1000, .to_ms = to_s * 1000}};
    rig->trigger = trigger_recurs.open(&rig->options, NULL);
}

static inline void rig_close(struct rig *rig)
{
    trigger_recurs.close(rig->trigger);
}

static inline void rig_step(struct rig *rig, int64_t time_ms, bool fired, int64_t onset_ms)
{
    struct verdict member = {.fired = fired, .onset_ms = onset_ms};
    const struct verdict *members[] = {&member};
    memset(&rig->verdict, 0x5a, sizeof rig->verdict);
    trigger_recurs.check(rig->trigger,
        &(struct trigger_input){.time_ms = time_ms, .members = members}, &rig->verdict);
    rig->now_ms = time_ms;
    assert_false(rig->verdict.fired || rig->verdict.cleared);
    assert_non_null(rig->verdict.recurrence);
    assert_true(rig->verdict.holds == rig->verdict.recurrence->recognised);
    if (rig->verdict.news == 0)
        return;
    assert_true(rig->count < MAX_SAID);
    rig->said[rig->count++] = (struct said){time_ms, rig->verdict.news, *rig->verdict.recurrence};
}

/* Steps up to the time, the last step excluded. */
static inline void rig_run(struct rig *rig, int64_t until_ms)
{
    while (rig->now_ms + rig->spacing_ms < until_ms)
        rig_step(rig, rig->now_ms + rig->spacing_ms, false, 0);
}

static inline void rig_onset(struct rig *rig, double onset_s)
{
    int64_t onset_ms = (int64_t)llround(onset_s * 1000);
    rig_run(rig, onset_ms + rig->latency_ms);
    rig_step(rig, rig->now_ms + rig->spacing_ms, true, onset_ms);
}

static inline void rig_onsets(struct rig *rig, const double *onsets_s)
{
    for (size_t i = 0; i < MAX_ONSETS && onsets_s[i] != 0; i++)
        rig_onset(rig, onsets_s[i]);
}

static inline size_t count_news(const struct rig *rig, unsigned news)
{
    size_t count = 0;
    for (size_t i = 0; i < rig->count; i++)
        count += (rig->said[i].news & news) != 0;
    return count;
}

static inline const struct said *find_news(const struct rig *rig, unsigned news)
{
    for (size_t i = 0; i < rig->count; i++)
        if (rig->said[i].news & news)
            return &rig->said[i];
    return NULL;
}

/* A reproducible number from 0 to 1. */
static inline double draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

#endif
