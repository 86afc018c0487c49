#include "commands/check_fleet.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/loop.h"
#include "exporters/exporter.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t patience_ms = 60000;

struct claiming {
    bool done;
    struct claim_result result;
};

static void on_claimed(void *arg, const struct claim_result *result)
{
    struct claiming *claiming = arg;
    claiming->result = *result;
    claiming->done = true;
}

static int check_claims(struct loop *loop, const struct exporter_kind *kind, void *exporter,
    const char *service, struct error *err)
{
    static const char text[] = "stakeout check\n";
    struct claiming claiming = {.done = false};
    char *key = xasprintf("service=%s/_state/fleet/check", service);
    for (int i = 0; i < 2; i++) {
        claiming = (struct claiming){.done = false};
        kind->claim(exporter, key, text, on_claimed, &claiming);
        bool answered = loop_run_until(loop, &claiming.done, clock_mono_ms() + patience_ms);
        if (!answered || claiming.result.outcome == CLAIM_FAILED)
            break;
    }
    free(key);
    if (!claiming.done)
        return error_set(err, "it does not answer");
    switch (claiming.result.outcome) {
    case CLAIM_EXISTS:
        return 0;
    case CLAIM_TAKEN:
        return error_set(err,
            "the store lets an object be written that is there, although it was "
            "asked not to (If-None-Match): each agent will take its own incidents");
    case CLAIM_FAILED:
    case CLAIM_UNABLE:
        break;
    }
    return error_set(err, "%s: each agent will take its own incidents", claiming.result.reason);
}

struct reading {
    bool done, failed;
    char reason[512];
};

static void on_read(void *arg, const struct recall_result *result)
{
    struct reading *reading = arg;
    reading->done = true;
    reading->failed = result->outcome != RECALL_FOUND;
    snprintf(reading->reason, sizeof reading->reason, "%s", result->reason);
}

static void on_counted(void *arg, const struct count_result *result)
{
    struct reading *reading = arg;
    reading->done = true;
    reading->failed = result->count < 0;
    snprintf(reading->reason, sizeof reading->reason, "%s", result->reason);
}

static bool failed(struct loop *loop, struct reading *reading)
{
    if (!loop_run_until(loop, &reading->done, clock_mono_ms() + patience_ms)) {
        reading->failed = true;
        snprintf(reading->reason, sizeof reading->reason, "it does not answer");
    }
    return reading->failed;
}

static void check_rights(struct loop *loop, const struct exporter_kind *kind, void *exporter,
    const char *service, char note[CHECK_FLEET_NOTE])
{
    static struct reading reading, counting; /* an answer may come until the exporter is closed */
    char *key = xasprintf("service=%s/_state/fleet/check", service);
    char *folder = xasprintf("service=%s/_state/fleet/", service);
    reading = counting = (struct reading){.done = false};
    *note = '\0';
    if (kind->recall)
        kind->recall(exporter, key, 4096, on_read, &reading);
    if (kind->recall && failed(loop, &reading))
        snprintf(note, CHECK_FLEET_NOTE,
            "who has a slot cannot be read: a copy whose answer an outage swallowed marks its "
            "incident as a duplicate, though it has a slot (%s)",
            reading.reason);
    kind->count(exporter, folder, on_counted, &counting);
    size_t used = strlen(note);
    if (failed(loop, &counting))
        snprintf(note + used, CHECK_FLEET_NOTE - used,
            "%show many copies saw a spike cannot be counted (%s)", used ? "; and " : "",
            counting.reason);
    free(key);
    free(folder);
}

int check_fleet(struct loop *loop, const struct exporter_kind *kind, void *exporter,
    const char *service, char note[CHECK_FLEET_NOTE], struct error *err)
{
    if (check_claims(loop, kind, exporter, service, err) < 0)
        return -1;
    check_rights(loop, kind, exporter, service, note);
    return 0;
}
