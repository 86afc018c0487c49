/* What the sources of container metrics share: one sample as a row of values, and rates out of
 * counters. */
#ifndef SOURCES_MEASURE_H
#define SOURCES_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

struct series;
struct series_set;

/* The metrics of an app's container, with the names and units of core/metric.h. */
enum measured {
    MEASURED_CPU,
    MEASURED_CPU_CORES,
    MEASURED_CPU_THROTTLED,
    MEASURED_CPU_PRESSURE,
    MEASURED_MEMORY,
    MEASURED_MEMORY_BYTES,
    MEASURED_MEMORY_RSS,
    MEASURED_MEMORY_PRESSURE,
    MEASURED_IO_PRESSURE,
    MEASURED_NET_RECEIVED,
    MEASURED_NET_SENT,
    MEASURED_OOM_KILLS,
    MEASURED_RESTARTS,
    MEASURED_COUNT
};

/* One sample; what was not measured is NAN. */
struct measures {
    double value[MEASURED_COUNT];
};

void measures_clear(struct measures *measures);

/* The series that an app's samples go to. */
struct measured_series {
    struct series *series[MEASURED_COUNT];
};

/* Adds "<prefix>cpu", ... to the set, which owns them. */
void measured_series_init(
    struct measured_series *series, struct series_set *set, const char *prefix);

/* Pushes what was measured, timed time_ms. True when that was anything. */
bool measured_series_push(
    const struct measured_series *series, int64_t time_ms, const struct measures *measures);

/* A counter at its last reading. Zeroed: not read yet. */
struct counter {
    bool known;
    uint64_t value;
    int64_t at_ns;
};

/* Takes a reading and tells the counter's growth per second since the last one; NAN when there was
 * none, or when the counter or the clock went back: whatever counts has then started over. */
double counter_rate(struct counter *counter, uint64_t value, int64_t at_ns);

/* CFS periods and how many of them were throttled, at their last reading. Zeroed: not read yet. */
struct throttle {
    bool known;
    uint64_t periods, throttled;
};

/* The share of periods throttled since the last reading, in %. An idle container has no periods:
 * 0. NAN when there was no reading or the counters went back. */
double throttle_share(struct throttle *throttle, uint64_t periods, uint64_t throttled);

#endif
