/* Whether an app runs, when it ended and of what, and when it was started anew: a decision over
 * what its source and its debug endpoint tell. Pure: no clock, no input, no output. */
#ifndef AGENT_APPS_APP_LIFE_H
#define AGENT_APPS_APP_LIFE_H

#include <stdbool.h>
#include <stdint.h>

struct source_life;

/* The newest end of an app. Times are monotonic. */
struct app_end {
    int64_t time_ms;      /* when it was noticed; 0: none was */
    int64_t restarted_ms; /* when it was seen to run again; 0: it was not */
    int64_t exit_code;    /* -1: not known */
    bool oom_killed;
};

/* Zeroed: nothing is known yet. */
struct app_life {
    bool seen; /* its source has seen it run; it is believed from then on, not the endpoint */
    bool down;
    uint64_t starts, oom_kills; /* the source's */
    int64_t killed_ms;          /* the newest of them; 0: none was seen */
    struct app_end end;
};

enum app_life_change {
    APP_LIFE_ENDED = 1,
    APP_LIFE_RESTARTED = 2,
    APP_LIFE_TOLD = 4 /* more is known of the newest end */
};

/* Takes over how things stand; endpoint_gone: its connections are refused, which they were not
 * before. Returns what has changed, a set of enum app_life_change. */
unsigned app_life_update(
    struct app_life *life, const struct source_life *source, bool endpoint_gone, int64_t now_ms);

#endif
