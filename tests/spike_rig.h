/* A spike trigger at work on courses of metrics, for its tests. cmocka comes before it. */
#ifndef TESTS_SPIKE_RIG_H
#define TESTS_SPIKE_RIG_H

#include "triggers/baseline.h"
#include "triggers/spike.h"
#include "triggers/trigger.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MAX_SEGMENTS = 12, CALM = 400 };

static const double LEVEL = 12; /* what is usual, with noise of +-0.5 */

/* So many samples that go from one value to another; NAN: so many samples are missing. */
struct segment {
    int samples;
    double from, to;
};

/* One metric's course after CALM samples at LEVEL. */
struct course {
    const char *name;
    int64_t spacing_ms; /* 0: a second */
    int direction;
    double at_least;
    struct segment segments[MAX_SEGMENTS]; /* to the first one of no samples */
    unsigned fires, clears;
};

/* A trigger at work, and what it has said. */
struct rig {
    struct spike_options options;
    struct trigger_scope scope;
    const char *metrics[3];
    enum unit units[3];
    void *trigger;
    int64_t time_ms, spacing_ms;
    uint32_t random;
    unsigned fires, clears;
    int64_t fired_ms, onset_ms, cleared_ms; /* the newest */
    struct verdict verdict;
};

static char given[] = "given";

static inline void rig_open(struct rig *rig, size_t count, int direction, double at_least)
{
    *rig = (struct rig){.options = {{.score = 8, .direction = direction}},
        .metrics = {"cpu", "db.received", "memory"},
        .units = {UNIT_PERCENT, UNIT_RATE, UNIT_PERCENT},
        .spacing_ms = 1000,
        .time_ms = 1000000,
        .random = 1};
    if (at_least > 0)
        rig->options.spike.at_least = (struct level){.value = at_least, .text = given};
    rig->scope = (struct trigger_scope){
        .metrics = rig->metrics, .units = rig->units, .metric_count = count};
    rig->trigger = trigger_spike.open(&rig->options, &rig->scope);
}

static inline void rig_close(struct rig *rig)
{
    trigger_spike.close(rig->trigger);
}

/* Even in [-0.5, 0.5]. */
static inline double noise(struct rig *rig)
{
    rig->random = rig->random * 1664525u + 1013904223u;
    return (rig->random >> 8) / 16777216.0 - 0.5;
}

static inline void say(struct rig *rig, const double *values)
{
    memset(&rig->verdict, 0x5a, sizeof rig->verdict);
    struct trigger_input input = {.time_ms = rig->time_ms, .values = values};
    trigger_spike.check(rig->trigger, &input, &rig->verdict);
    if (rig->verdict.fired) {
        assert_true(rig->verdict.holds);
        rig->fires++;
        rig->fired_ms = rig->time_ms;
        rig->onset_ms = rig->verdict.onset_ms;
    }
    if (rig->verdict.cleared) {
        assert_false(rig->verdict.holds);
        rig->clears++;
        rig->cleared_ms = rig->time_ms;
    }
}

/* One sample of the only metric, with noise. */
static inline void put(struct rig *rig, double value)
{
    rig->time_ms += rig->spacing_ms;
    double noisy = value + noise(rig);
    if (!isnan(value))
        say(rig, &noisy);
}

static inline void put_segment(struct rig *rig, const struct segment *segment)
{
    for (int i = 0; i < segment->samples; i++)
        put(rig, segment->from + (segment->to - segment->from) * (i + 1) / segment->samples);
}

static inline void calm(struct rig *rig, int samples)
{
    put_segment(rig, &(struct segment){samples, LEVEL, LEVEL});
}

static inline void follow(const struct course *courses, size_t count)
{
    for (const struct course *course = courses; course < courses + count; course++) {
        struct rig rig;
        rig_open(&rig, 1, course->direction, course->at_least);
        if (course->spacing_ms)
            rig.spacing_ms = course->spacing_ms;
        /* 300 s to learn in, however close the samples are. */
        calm(&rig, rig.spacing_ms < 1000 ? CALM * 1000 / (int)rig.spacing_ms : CALM);
        if (rig.fires)
            fail_msg("%s: fires while nothing happens", course->name);
        for (const struct segment *segment = course->segments; segment->samples; segment++)
            put_segment(&rig, segment);
        if (rig.fires != course->fires || rig.clears != course->clears)
            fail_msg("%s: %u fires and %u clears", course->name, rig.fires, rig.clears);
        rig_close(&rig);
    }
}

#define FOLLOW(courses) follow(courses, sizeof(courses) / sizeof *(courses))

#endif
