/* Reports: what is complete in the spool is analysed before it is delivered, by a child of low
 * priority (`stakeout report`), one incident at a time. The child adds report.html and what it
 * found to incident.json, each by a rename. An incident waits for REPORTS_WAIT_MS at most, however
 * many are before it, and for the merges that are in the child's hands then: what is not done by
 * then is left to whoever opens the incident. While memory is short no child is started; what that
 * lasts too long for says so in `analysis_skipped` of its incident.json. */
#ifndef AGENT_INCIDENTS_REPORTS_H
#define AGENT_INCIDENTS_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From an incident's completion to `done`. A report takes a second or two; the machine may still be
 * in its spike, and merges go before. */
enum { REPORTS_WAIT_MS = 60000, REPORTS_WHY_SIZE = 200 };

struct config;
struct loop;
struct offload;
struct reports;
struct spool;
struct worker;

struct reports_setup {
    struct loop *loop;
    struct offload *disk;
    struct spool *spool;
    struct worker *worker;
    const struct config *config;
    /* Whether there is no memory for a child now, with that in words. NULL: there always is. */
    bool (*short_of_memory)(void *arg, char why[REPORTS_WHY_SIZE]);
    /* The incident can be delivered, with its report or without. On the loop, never from within
     * reports_add. */
    void (*done)(void *arg, const char *id);
    void *arg;
};

struct reports *reports_open(const struct reports_setup *setup);

/* Goes on for another configuration of the same `state`. */
void reports_reload(struct reports *reports, const struct config *config);

/* What is not done stays in the spool, complete; no `done` is called. */
void reports_close(struct reports *reports);

/* Whether a complete incident of the spool has not been analysed: its incident.json, which the
 * child replaces last, has no headline. One that cannot be read has nothing to analyse. */
bool reports_lacks(const struct reports *reports, const char *id);

/* A complete incident of the spool, which is done at deadline_ms (monotonic) in any case. */
void reports_add(struct reports *reports, const char *id, int64_t deadline_ms);

/* The agent is to end: nothing takes longer than this (monotonic). */
void reports_hurry(struct reports *reports, int64_t deadline_ms);

/* Whether this incident is not done yet, and how many are not. */
bool reports_has(const struct reports *reports, const char *id);
size_t reports_waiting(const struct reports *reports);

#endif
