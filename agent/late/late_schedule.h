/* When CloudWatch is asked for the minutes of an incident. Pure. */
#ifndef AGENT_LATE_SCHEDULE_H
#define AGENT_LATE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct cloudwatch_lines;

enum { LATE_TRIES = 5 };

/* The last minute that is wanted ends with the minute that window_end_ms (wall) is in. */
int64_t late_last_minute_ms(int64_t window_end_ms);

/* When the try of this number, from 0, is due (wall): the distances grow, and the last one is 10
 * minutes after the last minute's end. What was taken up later than that (at began_ms, by another
 * run of the agent) gets as many, from there. INT64_MAX: there is none. */
int64_t late_due_ms(int64_t window_end_ms, int64_t began_ms, unsigned number);

/* Whether every metric that came at all came up to the last minute. */
bool late_is_whole(const struct cloudwatch_lines *lines, int64_t window_end_ms);

#endif
