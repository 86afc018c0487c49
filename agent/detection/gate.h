/* Whether a fire may become an incident now: the trigger's cooldown, limits.per_hour, and `quiet`
 * while the app warms up. */
#ifndef AGENT_DETECTION_GATE_H
#define AGENT_DETECTION_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct gate;
struct trigger_config;

enum { GATE_WHY_SIZE = 200 };

/* With limits false only `quiet` counts. The configuration outlives the gate. */
struct gate *gate_open(const struct config *config, bool limits);
void gate_close(struct gate *gate);

/* Whether what it fires for is the app's end: memory foreseen to run out, a kill, a restart. */
bool gate_is_grave(const struct trigger_config *trigger);

/* The trigger fired at that time; an incident was opened then. */
void gate_count_fire(struct gate *gate, size_t trigger, int64_t time_ms);
void gate_count_opening(struct gate *gate, int64_t time_ms);

/* It was not, after all. */
void gate_uncount_opening(struct gate *gate, int64_t time_ms);

/* The app was started then; INT64_MIN: it is not known. */
void gate_app_started(struct gate *gate, size_t app, int64_t time_ms);
int64_t gate_app_started_ms(const struct gate *gate, size_t app);

/* Whether quiet.after_start of the app lasts. */
bool gate_is_quiet(const struct gate *gate, size_t app, int64_t time_ms);

/* What forbids a fire, as `by` of its event ("cooldown", "limit", "quiet"), with the details in
 * words; NULL: nothing does. One that joins a running incident is not bound by the limit. */
const char *gate_forbids(
    const struct gate *gate, size_t trigger, int64_t time_ms, bool joins, char why[GATE_WHY_SIZE]);

/* When the trigger fired last, and when its cooldown ends; INT64_MIN: never, it is in none. */
int64_t gate_last_fire_ms(const struct gate *gate, size_t trigger);
int64_t gate_cooldown_until_ms(const struct gate *gate, size_t trigger, int64_t time_ms);

#endif
