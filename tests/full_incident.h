/* An incident with everything that one can have: for test_incident.c and test_incident_profiles.c.
 */
#ifndef TESTS_FULL_INCIDENT_H
#define TESTS_FULL_INCIDENT_H

#include "core/alloc.h"
#include "core/incident.h"

#include <stdint.h>
#include <string.h>

enum { FIRED_S = 1795446241 }; /* 2026-11-23T15:04:01Z */

static const char id[] = "20261123T150401Z-cpu-high-1a2b3c";

static inline struct incident *full_incident(void)
{
    struct incident *incident = incident_new();
    incident->id = xstrdup(id);
    incident->service = xstrdup("woogles");
    incident->app = xstrdup("api");
    incident_add_own_code(incident, "liwords/");
    incident_add_own_code(incident, "");
    incident->kind = xstrdup("spike");
    incident->trigger = (struct incident_cause){.name = xstrdup("cpu-high"),
        .metric = xstrdup("cpu"),
        .reason = xstrdup("cpu 93.1% above 80% for 10 s"),
        .value = 93.1,
        .limit = 80};
    struct incident_cause *joined = incident_add_joined(incident);
    joined->name = xstrdup("db-burst");
    joined->metric = xstrdup("db.received");
    joined->reason = xstrdup("db.received above 20 MB/s");
    joined->value = 3.1e8;
    joined->time_ms = (int64_t)FIRED_S * 1000 + 2500;
    incident->onset_ms = (int64_t)FIRED_S * 1000 - 10000;
    incident->ended_ms = (int64_t)FIRED_S * 1000 + 20000;
    incident->fired_ms = (int64_t)FIRED_S * 1000;
    incident->finished_ms = (int64_t)FIRED_S * 1000 + 26123;
    incident->agent_version = xstrdup("0.1.0");
    incident->target.revision = xstrdup("7");
    incident->target.host = xstrdup("ip-10-0-0-1");
    incident->target.started_ms = (int64_t)FIRED_S * 1000 - 3600000;
    struct incident_profile *cpu = incident_add_profile(incident, "cpu");
    cpu->file = xstrdup("cpu.pb.gz");
    cpu->status = PROFILE_OK;
    cpu->url = xstrdup("http://localhost:8001/debug/pprof/profile");
    cpu->http_status = 200;
    cpu->seconds = 25;
    cpu->requested_ms = (int64_t)FIRED_S * 1000 + 1;
    cpu->finished_ms = (int64_t)FIRED_S * 1000 + 25102;
    cpu->bytes = 8123;
    memset(cpu->sha256, 'a', 64);
    cpu->attempts = 1;
    cpu->onset_covered = cpu->ended_early = true;
    cpu->covered_percent = 66.7;
    struct incident_profile *heap = incident_add_profile(incident, "heap");
    heap->status = PROFILE_FAILED;
    heap->http_status = 404;
    heap->attempts = 2;
    heap->error = xstrdup("the endpoint does not know this profile");
    incident->metrics_file = xstrdup("metrics.csv");
    incident->late_added_ms = incident->fired_ms + 240000;
    incident_add_peak(incident, "cpu", 97.25);
    incident_add_peak(incident, "db.received", 3.1e8);
    incident->cpu_mean = 91;
    incident->memory_max = 61.5;
    incident->recurrence = (struct incident_recurrence){
        1800, 12.5, 5, (int64_t)FIRED_S * 1000 + 1800000};
    incident->suppressed_since_last = 3;
    incident->fleet = (struct incident_fleet){
        .window_ms = (int64_t)FIRED_S * 1000 - 241000, .slot = 2, .seen_by = 12};
    struct incident_database *database = incident_add_database(&incident->statements);
    database->database = xstrdup("games");
    database->problem = xstrdup("it has no extension");
    incident->replaced = xstrdup("20261123T143401Z-cpu-high-1a2b3c");
    return incident;
}

#endif
