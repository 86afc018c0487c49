#include "agent/late/late_schedule.h"

#include "core/rds_metric.h"
#include "sources/cloudwatch/cloudwatch_query.h"

#include <stddef.h>

/* After the end of the last minute. RDS's minutes are usually there within one or two. */
static const int64_t due_after_ms[LATE_TRIES] = {90000, 180000, 300000, 420000, 600000};

int64_t late_last_minute_ms(int64_t window_end_ms)
{
    return window_end_ms - window_end_ms % RDS_PERIOD_MS + RDS_PERIOD_MS;
}

int64_t late_due_ms(int64_t window_end_ms, int64_t began_ms, unsigned number)
{
    int64_t from_ms = late_last_minute_ms(window_end_ms);
    if (number >= LATE_TRIES)
        return INT64_MAX;
    if (began_ms > from_ms + due_after_ms[0])
        from_ms = began_ms - due_after_ms[0]; /* the first one at once */
    return from_ms + due_after_ms[number];
}

bool late_is_whole(const struct cloudwatch_lines *lines, int64_t window_end_ms)
{
    int64_t last_ms = late_last_minute_ms(window_end_ms);
    bool any = false, whole = true;
    for (size_t i = 0; i < lines->count; i++) {
        const struct cloudwatch_line *line = &lines->all[i];
        if (!line->count)
            continue;
        any = true;
        whole = whole && line->points[line->count - 1].time_ms >= last_ms;
    }
    return any && whole && !lines->partial;
}
