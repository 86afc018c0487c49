/* What the debug endpoints of the apps offer, tried before the first spike, and again when an app
 * was started anew. It holds an app's recorder while it tries, and gives way to whoever needs the
 * app's profiler. */
#ifndef AGENT_APPS_PREFLIGHT_H
#define AGENT_APPS_PREFLIGHT_H

#include "agent/capture/probe.h"
#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

struct config;
struct endpoint;
struct loop;
struct preflight;
struct recorder;

struct preflight_setup {
    struct loop *loop;
    const struct config *config;
    struct recorder *recorder;         /* of which every app is held once, for this */
    struct endpoint *const *endpoints; /* by app: learn what fits */
    /* Whether an incident needs the app's profiler, or the app is too hot for it. */
    bool (*busy)(void *arg, size_t app);
    void *arg;
};

/* Nothing is tried before the first preflight_update. */
struct preflight *preflight_open(const struct preflight_setup *setup);

/* Begins what is due: at the start and at every tick. */
void preflight_update(struct preflight *preflight);

/* The app was started anew: what was found is void, and is tried again. */
void preflight_repeat(struct preflight *preflight, size_t app);

/* Somebody else needs the app's profiler: what is being tried is dropped until nobody does. */
void preflight_clear_way(struct preflight *preflight, size_t app);

/* Whether the app is being tried. */
bool preflight_is_running(const struct preflight *preflight, size_t app);

/* Nothing is tried any more. */
void preflight_stop(struct preflight *preflight);
void preflight_close(struct preflight *preflight); /* NULL is allowed */

/* What was found of the app's profiles, in the order in which they were tried. */
struct preflight_finding {
    char *profile; /* "profile cpu of 25 s" */
    enum probe_verdict verdict;
    int64_t seconds;  /* PROBE_SHORTER: what is taken */
    struct error why; /* "": it is ok */
};
size_t preflight_findings(
    const struct preflight *preflight, size_t app, const struct preflight_finding **findings);

/* What is wrong with the app's endpoint as a whole; NULL: nothing. */
const char *preflight_problem(const struct preflight *preflight, size_t app);

#endif
