/* Asks an app's debug endpoint whether the profiles of the configuration can be had, one after the
 * other, at no cost to the app: never a whole profile. */
#ifndef AGENT_CAPTURE_PROBE_H
#define AGENT_CAPTURE_PROBE_H

#include <stdbool.h>
#include <stddef.h>

struct app_config;
struct capture_entry;
struct config;
struct error;
struct loop;
struct probe;

struct probe_setup {
    struct loop *loop;
    const struct config *config;
    const struct app_config *app;
    /* An endpoint that cannot be reached is one that is not there yet: that is told once, and its
     * profiles are tried when it is. */
    bool patient;
    /* A running agent records the app: that its CPU is being profiled is no problem, and Go has
     * looked at the length by then. */
    bool recorded;
    /* One profile's result; problem NULL: it can be had, else why not and what to do. Must not stop
     * the probe. */
    void (*found)(void *arg, const struct app_config *app, const struct capture_entry *entry,
        const struct error *problem);
    /* After the last: how many can be had of those that were tried. May stop the probe. */
    void (*done)(void *arg, const struct app_config *app, size_t available, size_t tried);
    void *arg;
};

/* Starts with every profile of the capture sets that stand in the file or are used, each once;
 * neither `found` nor `done` comes from within. What the setup points to outlives the probe.
 *
 * A CPU profile or trace is asked for in its full length and dropped when 300 ms of silence have
 * followed the request: Go refuses at once what it will not do (a length over its WriteTimeout,
 * somebody else profiling), and a dropped request frees the profiler. The others are asked for
 * `seconds=0`, which Go answers at once with 400 where the profile exists and 404 where it does
 * not. */
struct probe *probe_start(const struct probe_setup *setup);

/* Ends and frees it, whether it was done or not. NULL is allowed. */
void probe_stop(struct probe *probe);

/* "app api, profile cpu of 25 s"; the caller frees. */
char *probe_describe(const struct app_config *app, const struct capture_entry *entry);

#endif
