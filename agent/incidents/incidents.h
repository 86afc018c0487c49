/* The incidents in the making: from the fire (or a request by hand) over the capture to the
 * complete folder in the spool, which delivery takes from there. At most one an app at a time. */
#ifndef AGENT_INCIDENTS_INCIDENTS_H
#define AGENT_INCIDENTS_INCIDENTS_H

#include "agent/detection/excursion.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app_end;
struct config;
struct detector_event;
struct endpoint;
struct error;
struct incident;
struct incident_recurrence;
struct incidents;
struct loop;
struct offload;
struct recorder;
struct running;
struct series_set;
struct source_identity;
struct spool;
struct worker;

/* What a follow-up needs to know of the incident of a spike. */
struct incidents_spiked {
    size_t app;
    const char *id;
    const char *set;      /* its capture set's name; lives as long as the configuration */
    const bool *triggers; /* by trigger: it opened the incident or joined it */
    int64_t captured_ms;  /* when its capture was over (monotonic) */
};

struct incidents_setup {
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
    struct recorder *recorder; /* gives its slices to incidents that take a CPU profile */
    struct worker *worker;     /* merges them */
    const struct config *config;
    struct endpoint *const *endpoints; /* by app */
    const struct series_set *series;
    /* Fills what is known of where an app runs. */
    void (*identify)(void *arg, size_t app, struct source_identity *identity);
    /* The app's newest end, as lives_end tells it. NULL: nobody knows. */
    bool (*ended)(void *arg, size_t app, const struct app_end **end);
    /* How the excursions of these triggers stand, as detector_excursion tells it. NULL: nothing
     * tells when a spike is over. */
    enum excursion (*excursion)(void *arg, const bool *triggers, int64_t *ended_ms);
    /* Fills in the pattern that the trigger's fires belong to, when there is one; wall_offset_ms is
     * wall time minus monotonic time. NULL: there never is. */
    void (*recurrence)(
        void *arg, size_t trigger, int64_t wall_offset_ms, struct incident_recurrence *recurrence);
    /* The id of the baseline that a complete incident is compared with, or NULL. NULL: there is
     * never one. */
    const char *(*baseline)(void *arg, const struct incident *incident);
    /* The profiles of one are there, and it becomes complete with its last row of metrics; and
     * whether something else is worth a moment more. NULL: nothing is. */
    void (*captured)(void *arg);
    bool (*late)(void *arg);
    /* Adds to an incident that is about to be complete and began at begin_ms (monotonic) what
     * others have found out. NULL: there is nothing. */
    void (*note)(void *arg, struct incident *incident, int64_t begin_ms);
    /* An incident of a spike is complete, but for one that was ended as the agent stops. NULL:
     * nobody asks. */
    void (*spiked)(void *arg, const struct incidents_spiked *spiked);
    /* The window of the fleet that a fire at this wall time is in; 0: there is no fleet. NULL:
     * there never is. */
    int64_t (*window)(void *arg, int64_t fired_wall_ms);
    /* For an incident that is to replace another, both ids: takes the old one back from the
     * exporters as this one is about to be complete, and false when that cannot be any more; and
     * this one is complete, right before that is told. NULL: none replaces another. */
    bool (*take_back)(void *arg, const char *old, const char *id);
    void (*replaced)(void *arg, const char *old, const char *id);
    /* An incident is complete in the spool. */
    void (*complete)(void *arg, const char *id);
    void *arg;
};

struct incidents *incidents_open(const struct incidents_setup *setup);

/* Frees it; what is running stays in the spool as of its last checkpoint. */
void incidents_close(struct incidents *incidents);

/* Goes on for another configuration, while incidents_idle; that of before may end then. */
void incidents_reload(struct incidents *incidents, const struct config *config,
    struct recorder *recorder, struct endpoint *const *endpoints);

/* Whether an incident of this app is running; its id, or NULL. */
const char *incidents_running(const struct incidents *incidents, size_t app);

/* The same, and also while a baseline or follow-up that has given way is not over yet. */
bool incidents_are_busy(const struct incidents *incidents, size_t app);

/* When the oldest that is running began (monotonic); INT64_MAX: none is. */
int64_t incidents_begin_ms(const struct incidents *incidents);

/* Whether a fire can still join the app's running incident. */
bool incidents_can_join(const struct incidents *incidents, size_t app);

/* Whether this incident is not complete yet; whether it was opened in this run (of the last 32). */
bool incidents_is_running(const struct incidents *incidents, const char *id);
bool incidents_opened(const struct incidents *incidents, const char *id);

/* It; NULL: it is over. */
struct running *incidents_find(const struct incidents *incidents, const char *id);

/* Ends a running one that is not sealing and throws away what it has: it was never opened. */
void incidents_throw_away(struct incidents *incidents, struct running *running);

/* Whether an incident that is running is to replace this one. */
bool incidents_are_to_replace(const struct incidents *incidents, const char *id);

/* Whether this incident is captured but cannot be written to the spool; it is tried again. */
bool incidents_failing(const struct incidents *incidents, const char *id);

/* A trigger fired: opens an incident, or joins the app's running one. -1 and err when it cannot be
 * opened. */
int incidents_fire(
    struct incidents *incidents, const struct detector_event *event, struct error *err);

/* A fire was held back: counted for the next incident. */
void incidents_suppressed(struct incidents *incidents);

/* Takes an incident by hand with a capture set that exists (NULL: spike, or that of the running
 * one); joins a running one that takes the same. Its id, or NULL and err. */
const char *incidents_manual(struct incidents *incidents, size_t app, const char *reason,
    const char *set, struct error *err);

/* Takes a baseline with the capture set "spike"; nothing of the app may be running. Its id, or NULL
 * and err.
 *
 * What fires or is taken by hand meanwhile never joins it: the baseline gives way. What it has is
 * kept when all of it was there before the onset, else thrown away; its CPU profile is ended, and
 * the incident's begins when the app has sent it. */
const char *incidents_baseline(
    struct incidents *incidents, size_t app, const char *reason, struct error *err);

/* Takes a follow-up of that incident, with the profiles of a capture set, none for longer than 5 s.
 * It gives way like a baseline. Its id, or NULL and err. */
const char *incidents_follow_up(struct incidents *incidents, size_t app, const char *follows,
    const char *set, struct error *err);

/* Has a baseline or a follow-up of the app give way to the recorder; else nothing. */
void incidents_give_way(struct incidents *incidents, size_t app);

/* To be called when samples were pushed: completes what waited for them. */
void incidents_sampled(struct incidents *incidents);

/* Ends what is running early and keeps it; captures get until deadline_ms (monotonic). */
void incidents_finish(struct incidents *incidents, int64_t deadline_ms);

/* Whether nothing is running, writes to the spool included. */
bool incidents_idle(const struct incidents *incidents);

/* The newest incident that was opened: its id, or NULL; for `status`. */
const char *incidents_last(const struct incidents *incidents);

#endif
