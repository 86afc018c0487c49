/* A folder of incidents as the directory exporter leaves it, for the tests of its retention. */
#ifndef TESTS_RETENTION_RIG_H
#define TESTS_RETENTION_RIG_H

#include "core/alloc.h"
#include "core/fs.h"
#include "core/incident.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static char rig_path[64];

static inline int rig_open(void)
{
    strcpy(rig_path, "/tmp/stakeout-test-retention-XXXXXX");
    return mkdtemp(rig_path) ? 0 : -1;
}

/* service=<service>/date=.../<id>[/<file>]; the caller frees. */
static inline char *rig_folder(const char *service, const char *id, const char *file)
{
    char *folder = incident_folder(service, id);
    char *path = xasprintf("%s/%s%s%s", rig_path, folder, file ? "/" : "", file ? file : "");
    free(folder);
    return path;
}

static inline void rig_put(const char *service, const char *id, const char *file, const char *text)
{
    char *folder = rig_folder(service, id, NULL), *path = rig_folder(service, id, file);
    if (fs_make_folders(folder, NULL) < 0 || fs_write(path, text, strlen(text), NULL) < 0)
        abort();
    free(folder);
    free(path);
}

static inline bool rig_has(const char *service, const char *id, const char *file)
{
    char *path = rig_folder(service, id, file);
    bool there = fs_exists(path);
    free(path);
    return there;
}

/* incident.json of an incident with one profile, cpu.pb.gz; the caller frees. */
static inline char *rig_manifest(const char *service, const char *id)
{
    struct incident *incident = incident_new();
    incident->id = xstrdup(id);
    incident->service = xstrdup(service);
    incident->app = xstrdup("app");
    incident->kind = xstrdup("spike");
    incident->trigger.name = xstrdup("cpu");
    incident->metrics_file = xstrdup("metrics.csv");
    incident_id_time(id, &incident->fired_ms);
    struct incident_profile *profile = incident_add_profile(incident, "cpu");
    profile->file = xstrdup("cpu.pb.gz");
    profile->status = PROFILE_OK;
    char *text = incident_to_text(incident);
    incident_free(incident);
    return text;
}

/* A whole one. */
static inline void rig_add(const char *service, const char *id)
{
    char *manifest = rig_manifest(service, id);
    rig_put(service, id, "cpu.pb.gz", "0123456789");
    rig_put(service, id, "metrics.csv", "time,cpu\n");
    rig_put(service, id, "report.html", "<html>");
    rig_put(service, id, "incident.json", manifest);
    free(manifest);
}

#endif
