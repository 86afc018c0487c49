/* limits.hold_off: whether an app is too hot to be profiled. What records for a while (CPU
 * profiles, traces, the recorder's slices) does not begin then; a profile of a moment does. */
#ifndef AGENT_CAPTURE_HEAT_H
#define AGENT_CAPTURE_HEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct series_set;

/* Whose heat it is; all zero: nobody's, which is never too hot. What it points to outlives it. */
struct heat {
    const struct config *config;
    const struct series_set *series;
    size_t app;
};

enum { HEAT_WHY_SIZE = 120 };

/* Whether the newest sample of the app's cpu is above limits.hold_off, with that in words (why may
 * be NULL). Where it is off, or nothing was measured lately, nothing is held off. */
bool heat_is_too_hot(const struct heat *heat, int64_t now_ms, char why[HEAT_WHY_SIZE]);

/* Whether a profile of this name records for a while. */
bool heat_concerns(const char *profile);

#endif
