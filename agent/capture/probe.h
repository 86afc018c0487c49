/* Asks an app's debug endpoint whether the profiles of the configuration can be had, one after the
 * other, at no cost to the app: never a whole profile. */
#ifndef AGENT_CAPTURE_PROBE_H
#define AGENT_CAPTURE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app_config;
struct capture_entry;
struct config;
struct endpoint;
struct error;
struct loop;
struct probe;

enum probe_verdict {
    PROBE_OK,
    PROBE_SHORTER,  /* it can be had, but only shorter than the configuration wants it */
    PROBE_LEFT_OUT, /* the app does not have it, and need not */
    PROBE_FAILED    /* it cannot be had, or not yet */
};

/* One profile's result. */
struct probe_finding {
    const struct app_config *app;
    const struct capture_entry *entry;
    enum probe_verdict verdict;
    int64_t seconds;         /* PROBE_SHORTER: the longest that fits */
    const struct error *why; /* with the remedy; NULL when it is ok */
    bool common;             /* so are all: the summary's problem says it, once */
};

/* What all of them come to. */
struct probe_summary {
    const struct app_config *app;
    size_t available, tried;     /* without those that are left out */
    const struct error *problem; /* of the endpoint as a whole: a wrong port, a login. NULL: none */
};

struct probe_setup {
    struct loop *loop;
    const struct config *config;
    const struct app_config *app;
    struct endpoint *endpoint; /* learns the lengths that fit; NULL: nobody asks */
    /* An endpoint that cannot be reached is one that is not there yet: that is told once, and its
     * profiles are tried when it is. */
    bool patient;
    /* A running agent records the app: that its CPU is being profiled is no problem, and Go has
     * looked at the length by then. */
    bool recorded;
    /* Must not stop the probe. What may be the same for all is told when it is known whether it is.
     */
    void (*found)(void *arg, const struct probe_finding *finding);
    /* After the last. May stop the probe. */
    void (*done)(void *arg, const struct probe_summary *summary);
    void *arg;
};

/* Starts with every profile of the capture sets that stand in the file or are used, each once;
 * neither `found` nor `done` comes from within. What the setup points to outlives the probe.
 *
 * A CPU profile or trace is asked for in its full length and dropped when 300 ms of silence have
 * followed the request: Go refuses at once what it will not do (a length over its WriteTimeout,
 * somebody else profiling), and a dropped request frees the profiler. The others are asked for
 * what Go refuses at once, whatever the app does: `seconds=0`, or where a length is wanted, that
 * length with `debug=1`. It answers 400 where the profile exists and 404 where it does not, and
 * looks at its WriteTimeout before it looks at `debug` (net/http/pprof/pprof.go, serveDeltaProfile,
 * Go 1.14 to 1.22). The longest length that fits is searched for in the same way, by halves, so
 * that nothing is profiled meanwhile; where the app serves no heap profile, by requests that are
 * dropped, with a pause after each that the profiler is free again in. Of what another path answers
 * nothing is known: it is asked for as it is, and dropped after 64 KiB or 300 ms. */
struct probe *probe_start(const struct probe_setup *setup);

/* Ends and frees it, whether it was done or not. NULL is allowed. */
void probe_stop(struct probe *probe);

/* "app api, profile cpu of 25 s"; the caller frees. */
char *probe_describe(const struct app_config *app, const struct capture_entry *entry);

#endif
