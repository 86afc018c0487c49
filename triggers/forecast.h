/* forecast: the metric rises and is on its way to reach a level within a time. Made for memory
 * that is collected now and then (a saw-tooth), with the out-of-memory limit as the level. */
#ifndef TRIGGERS_FORECAST_H
#define TRIGGERS_FORECAST_H

#include "config/fields.h"

#include <stdint.h>

struct forecast_options {
    struct level reaches; /* from below */
    int64_t within_ms;
};

#endif
