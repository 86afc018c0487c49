#include "agent/incidents/reports.h"

#include "agent/self/worker.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/offload.h"

#include <stdlib.h>
#include <string.h>

static const int64_t look_again_ms = 1000; /* whether there is memory */

struct waiting {
    char *id;
    int64_t deadline_ms;
    bool waits_for_memory; /* that is said */
};

struct reports {
    struct reports_setup setup;
    struct waiting *queue; /* oldest first; [0] is in the child's hands while job is not NULL */
    size_t count;
    struct worker_job *job;
    bool skipping; /* [0] is in the disk thread's hands */
    struct loop_timer *next;
    int64_t deadline_ms;
};

static void start(void *arg);

struct reports *reports_open(const struct reports_setup *setup)
{
    struct reports *reports = xcalloc(1, sizeof *reports);
    reports->setup = *setup;
    reports->deadline_ms = INT64_MAX;
    reports->next = loop_timer_new(setup->loop, start, reports);
    return reports;
}

void reports_reload(struct reports *reports, const struct config *config)
{
    reports->setup.config = config;
}

void reports_close(struct reports *reports)
{
    if (!reports)
        return;
    loop_timer_free(reports->next);
    for (size_t i = 0; i < reports->count; i++)
        free(reports->queue[i].id);
    free(reports->queue);
    free(reports);
}

/* The head is done; the next one gets its turn from the loop. */
static void finish(struct reports *reports)
{
    char *id = reports->queue[0].id;
    reports->count--;
    memmove(reports->queue, reports->queue + 1, reports->count * sizeof *reports->queue);
    if (reports->count)
        loop_timer_set(reports->next, 0);
    reports->setup.done(reports->setup.arg, id);
    free(id);
}

static void tell_missing(const struct reports *reports, const char *why)
{
    log_warn("incident %s has no report: %s; `stakeout show` and `stakeout review` make one",
        reports->queue[0].id, why);
}

static void on_reported(void *arg, int status, const char *why)
{
    struct reports *reports = arg;
    reports->job = NULL;
    if (status != 0)
        tell_missing(reports, why);
    finish(reports);
}

/* Noting in an incident that it was not analysed. */
struct skipping {
    struct reports *reports;
    char *path, *why;
    struct error err;
};

/* On the disk thread: nobody else has the incident yet. */
static void note_skipped(void *arg)
{
    struct skipping *skipping = arg;
    struct incident *incident = incident_read(skipping->path, &skipping->err);
    if (!incident)
        return;
    free(incident->analysis.skipped);
    incident->analysis.skipped = xstrdup(skipping->why);
    incident_save(incident, skipping->path, &skipping->err);
    incident_free(incident);
}

static void on_skipped(void *arg)
{
    struct skipping *skipping = arg;
    struct reports *reports = skipping->reports;
    reports->skipping = false;
    tell_missing(reports, skipping->why);
    if (skipping->err.text[0])
        log_warn("incident %s does not say why: %s", reports->queue[0].id, skipping->err.text);
    free(skipping->path);
    free(skipping->why);
    free(skipping);
    finish(reports);
}

static void skip(struct reports *reports, const char *why)
{
    struct skipping *skipping = xcalloc(1, sizeof *skipping);
    char *folder = spool_folder(reports->setup.spool, reports->queue[0].id);
    *skipping = (struct skipping){
        .reports = reports, .path = xasprintf("%s/incident.json", folder), .why = xstrdup(why)};
    free(folder);
    reports->skipping = true;
    offload_submit(reports->setup.disk, note_skipped, on_skipped, skipping);
}

/* Whether the head has to wait, or is skipped, as memory is short. */
static bool is_put_off(struct reports *reports, int64_t deadline_ms)
{
    const struct reports_setup *setup = &reports->setup;
    struct waiting *head = &reports->queue[0];
    char why[REPORTS_WHY_SIZE];
    if (!setup->short_of_memory || !setup->short_of_memory(setup->arg, why))
        return false;
    int64_t next_ms = clock_mono_ms() + look_again_ms;
    bool stopping = reports->deadline_ms != INT64_MAX;
    if (stopping || next_ms >= deadline_ms) {
        skip(reports, why);
        return true;
    }
    if (!head->waits_for_memory)
        log_info("incident %s: its analysis waits: %s", head->id, why);
    head->waits_for_memory = true;
    loop_timer_set(reports->next, next_ms);
    return true;
}

static void start(void *arg)
{
    struct reports *reports = arg;
    if (!reports->count || reports->job || reports->skipping)
        return;
    int64_t deadline_ms = reports->queue[0].deadline_ms;
    if (deadline_ms > reports->deadline_ms)
        deadline_ms = reports->deadline_ms;
    if (is_put_off(reports, deadline_ms))
        return;
    if (deadline_ms <= clock_mono_ms()) {
        tell_missing(reports, "there was no time for it");
        finish(reports);
        return;
    }
    char *folder = spool_folder(reports->setup.spool, reports->queue[0].id);
    char *baselines = xasprintf("%s/baselines", reports->setup.config->state);
    const char *const argv[] = {"stakeout", "report", "--baselines", baselines, folder, NULL};
    struct worker_task task = {
        .argv = argv, .deadline_ms = deadline_ms, .done = on_reported, .arg = reports};
    reports->job = worker_submit(reports->setup.worker, &task);
    free(baselines);
    free(folder);
}

bool reports_lacks(const struct reports *reports, const char *id)
{
    char *folder = spool_folder(reports->setup.spool, id);
    struct incident *incident = incident_read_in(folder, NULL);
    bool lacks = incident && !incident->analysis.headline;
    incident_free(incident);
    free(folder);
    return lacks;
}

void reports_add(struct reports *reports, const char *id, int64_t deadline_ms)
{
    reports->queue = xrealloc(reports->queue, reports->count + 1, sizeof *reports->queue);
    reports->queue[reports->count++] = (struct waiting){
        .id = xstrdup(id), .deadline_ms = deadline_ms};
    if (!reports->job)
        loop_timer_set(reports->next, 0);
}

void reports_hurry(struct reports *reports, int64_t deadline_ms)
{
    reports->deadline_ms = deadline_ms;
    if (reports->job)
        worker_hurry(reports->job, deadline_ms);
    else
        loop_timer_set(reports->next, 0); /* nobody waits for memory any more */
}

bool reports_has(const struct reports *reports, const char *id)
{
    for (size_t i = 0; i < reports->count; i++)
        if (!strcmp(reports->queue[i].id, id))
            return true;
    return false;
}

size_t reports_waiting(const struct reports *reports)
{
    return reports->count;
}
