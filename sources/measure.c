#include "sources/measure.h"

#include "core/alloc.h"
#include "core/series.h"

#include <math.h>
#include <stdlib.h>

void measures_clear(struct measures *measures)
{
    for (int i = 0; i < MEASURED_COUNT; i++)
        measures->value[i] = NAN;
}

void measured_series_init(
    struct measured_series *series, struct series_set *set, const char *prefix)
{
    static const char *const names[MEASURED_COUNT] = {
        [MEASURED_CPU] = "cpu",
        [MEASURED_CPU_CORES] = "cpu.cores",
        [MEASURED_CPU_THROTTLED] = "cpu.throttled",
        [MEASURED_CPU_PRESSURE] = "cpu.pressure",
        [MEASURED_MEMORY] = "memory",
        [MEASURED_MEMORY_BYTES] = "memory.bytes",
        [MEASURED_MEMORY_RSS] = "memory.rss",
        [MEASURED_MEMORY_PRESSURE] = "memory.pressure",
        [MEASURED_IO_PRESSURE] = "io.pressure",
        [MEASURED_NET_RECEIVED] = "net.received",
        [MEASURED_NET_SENT] = "net.sent",
        [MEASURED_OOM_KILLS] = "oom_kills",
        [MEASURED_RESTARTS] = "restarts",
    };
    for (int i = 0; i < MEASURED_COUNT; i++) {
        char *name = xasprintf("%s%s", prefix, names[i]);
        series->series[i] = series_set_add(set, name);
        free(name);
    }
}

bool measured_series_push(
    const struct measured_series *series, int64_t time_ms, const struct measures *measures)
{
    bool any = false;
    for (int i = 0; i < MEASURED_COUNT; i++) {
        uint64_t before = series->series[i]->pushed;
        series_push(series->series[i], time_ms, measures->value[i]);
        any = any || series->series[i]->pushed != before;
    }
    return any;
}

double counter_rate(struct counter *counter, uint64_t value, int64_t at_ns)
{
    struct counter last = *counter;
    *counter = (struct counter){.known = true, .value = value, .at_ns = at_ns};
    if (!last.known || value < last.value || at_ns <= last.at_ns)
        return NAN;
    return (double)(value - last.value) / ((double)(at_ns - last.at_ns) / 1e9);
}

double throttle_share(struct throttle *throttle, uint64_t periods, uint64_t throttled)
{
    struct throttle last = *throttle;
    *throttle = (struct throttle){.known = true, .periods = periods, .throttled = throttled};
    if (!last.known || periods < last.periods || throttled < last.throttled)
        return NAN;
    if (periods == last.periods)
        return 0;
    /* The two are read from one file, but the kernel raises them one after the other. */
    double share = (double)(throttled - last.throttled) / (double)(periods - last.periods);
    return 100 * fmin(share, 1);
}
