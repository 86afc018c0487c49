/* What was caught lately, by group, and whether a fire is only what is known already: of known
 * groups (core/known.h) one incident a week is enough.
 *
 * A fire is held back when all of this holds, and let out in every other case:
 *   - the trigger caught something of this app in the last CAUGHT_DAYS days,
 *   - every one of these incidents was analysed and is of a known group that has a suspect: without
 *     one a group is all that the trigger catches, whatever is behind it,
 *   - the metric fired for being high, and its value is not more than CAUGHT_WORSE times the
 *     highest peak of these groups, in percent not more than half way from that to 100. It is asked
 *     again at every sample: a spike that rises beyond that later fires then.
 *
 * Kept over a restart in <state>/groups.json, where "group" is "" for one that is not known:
 *   {"schema": 1, "caught": [{"app": "app", "trigger": "cpu-high", "group": "0123456789abcdef",
 *     "time": "2026-11-23T15:04:01.000Z"}]}
 */
#ifndef AGENT_DETECTION_CAUGHT_H
#define AGENT_DETECTION_CAUGHT_H

#include "core/metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct caught;
struct error;
struct known;

enum {
    CAUGHT_DAYS = 7,
    CAUGHT_MAX = 500,
    CAUGHT_TRIGGER_MAX = 100,
    CAUGHT_TEXT_MAX = 256 * 1024,
    CAUGHT_WHY_SIZE = 300
};
#define CAUGHT_WORSE 1.25

struct caught *caught_new(void);
void caught_free(struct caught *caught);

/* An incident of that group (NULL: it was not analysed) fired then, wall ms. What is older than
 * CAUGHT_DAYS before it is forgotten, and so is the oldest of more than CAUGHT_TRIGGER_MAX of a
 * trigger of an app, and of more than CAUGHT_MAX in all the oldest of the trigger that has most. */
void caught_add(struct caught *caught, const char *app, const char *trigger, const char *group,
    int64_t wall_ms);

struct caught_fire {
    const char *app, *trigger, *metric;
    enum unit unit;
    double value;
    bool down; /* it fires for the value being low */
    int64_t wall_ms;
};

/* Whether the fire is held back, with the reason in words. A group is known when any of the sets
 * has it. */
bool caught_explains(const struct caught *caught, const struct known *sets, size_t set_count,
    const struct caught_fire *fire, char why[CAUGHT_WHY_SIZE]);

/* Above it a spike is worse than one with that peak. A share has an end: of what peaks near 100%
 * the worse is half way to it; but of what a quota does not hold at 100% it is as of other metrics.
 */
double caught_worse_level(enum unit unit, double peak);

/* The file's text, and back: 0, or -1 with err and nothing changed. */
char *caught_text(const struct caught *caught);
int caught_parse(struct caught *caught, const char *text, size_t size, struct error *err);

#endif
