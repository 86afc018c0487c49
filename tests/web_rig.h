/* A site over a folder of incidents, without a socket: requests go straight to its pages. */
#ifndef WEB_RIG_H
#define WEB_RIG_H

#include "core/alloc.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/listen.h"
#include "core/s3/s3.h"
#include "review/web/web_cache.h"
#include "review/web/web_index.h"
#include "review/web/web_parts.h"
#include "review/web/web_stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lists again and again, so that what a test changes is seen soon. */
static const struct web_index_pace rig_pace = {.recent_ms = 10, .all_ms = 10};
static const struct s3_settings rig_no_settings;

struct web_rig {
    char path[64];
    struct web_site site;
};

static void rig_put(const struct web_rig *rig, const char *path, const char *text)
{
    char *full = xasprintf("%s/%s", rig->path, path);
    char *folder = xstrndup(full, (size_t)(strrchr(full, '/') - full));
    if (fs_make_folders(folder, NULL) < 0 || fs_write(full, text, strlen(text), NULL) < 0)
        abort();
    free(folder);
    free(full);
}

/* An incident with some of what analysis finds; `more` are further fields: ", \"kind\": ...". */
static void rig_put_incident(
    const struct web_rig *rig, const char *service, const char *id, const char *more)
{
    char *folder = incident_folder(service, id);
    char *path = xasprintf("%s/incident.json", folder);
    char *json = xasprintf(
        "{\"schema\": 1, \"id\": \"%s\", \"service\": \"%s\", \"app\": \"app\", \"kind\": "
        "\"spike\", "
        "\"fired\": \"%.4s-%.2s-%.2sT%.2s:%.2s:%.2s.000Z\", \"headline\": \"CPU rose\", "
        "\"trigger\": {\"name\": \"cpu\", \"metric\": \"cpu\", \"value\": 90, \"limit\": 80}, "
        "\"profiles\": [{\"name\": \"cpu\", \"file\": \"cpu.pb.gz\", \"status\": \"ok\"}], "
        "\"metrics\": {\"file\": \"metrics.csv\", \"peak\": {\"cpu\": 97}}%s}",
        id, service, id, id + 4, id + 6, id + 9, id + 11, id + 13, more);
    rig_put(rig, path, json);
    free(json);
    free(path);
    free(folder);
}

static struct web_rig *rig_new(void)
{
    struct web_rig *rig = xcalloc(1, sizeof *rig);
    strcpy(rig->path, "/tmp/test-web-XXXXXX");
    if (!mkdtemp(rig->path))
        abort();
    return rig;
}

/* Starts to read; what is there by now is read when it returns. */
static void rig_open(struct web_rig *rig)
{
    struct error err;
    struct listen_address listening;
    listen_address_parse("127.0.0.1:8642", &listening, &err);
    web_guard_init(&rig->site.guard, &listening, NULL);
    listen_address_free(&listening);
    rig->site.reports = web_cache_new(1 << 20);
    rig->site.stores = web_stores_open(rig->path, &rig_no_settings, &err);
    if (rig->site.stores)
        rig->site.index = web_index_open(rig->site.stores, &rig_pace, NULL, &err);
    if (!rig->site.index)
        abort();
    web_index_wait_first(rig->site.index, SIZE_MAX, INT64_C(60000));
}

static void rig_close(struct web_rig *rig)
{
    web_index_close(rig->site.index);
    web_stores_close(rig->site.stores);
    web_cache_free(rig->site.reports);
    web_guard_free(&rig->site.guard);
    fs_remove(rig->path, NULL);
    free(rig);
}

#endif
