#include "agent/detection/familiar.h"

#include "agent/detection/detector.h"
#include "agent/storage/delivery.h"
#include "agent/storage/delivery_change.h"
#include "agent/storage/recall.h"
#include "agent/storage/spool.h"
#include "agent/storage/state_file.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/known.h"
#include "core/log.h"
#include "core/offload.h"

#include <stdlib.h>
#include <string.h>

static const int64_t ask_again_ms = 600000;
static const int64_t pause_ms = 5000, longest_pause_ms = 300000, patience_ms = 12000;

struct familiar {
    struct familiar_setup setup; /* delivery NULL: it is closed */
    char *path, *key;
    struct caught *caught;
    struct known *known; /* by exporter: what it has */
    size_t exporter_count, unsettled;
    struct recall *recall;
    int64_t asked_ms;     /* monotonic */
    bool failing, broken; /* the file could not be written, what a store has could not be read */
};

static void restore(struct familiar *familiar)
{
    struct buf text;
    struct error err;
    if (!fs_exists(familiar->path))
        return;
    int status = fs_read(familiar->path, CAUGHT_TEXT_MAX, &text, &err);
    if (status == 0)
        status = caught_parse(familiar->caught, text.data, text.size, &err);
    if (status < 0)
        log_warn("%s is passed over, so what is known is captured once more: %s", familiar->path,
            err.text);
    buf_free(&text);
}

struct familiar *familiar_open(const struct familiar_setup *setup)
{
    struct familiar *familiar = xcalloc(1, sizeof *familiar);
    familiar->setup = *setup;
    familiar->path = xasprintf("%s/groups.json", setup->config->state);
    familiar->key = xasprintf("service=%s/_state/known.json", setup->config->service);
    familiar->caught = caught_new();
    familiar->exporter_count = delivery_exporters(setup->delivery);
    familiar->known = xcalloc(familiar->exporter_count, sizeof *familiar->known);
    restore(familiar);
    return familiar;
}

void familiar_stop(struct familiar *familiar)
{
    if (!familiar)
        return;
    recall_stop(familiar->recall);
    familiar->setup.delivery = NULL;
}

static void free_known(struct familiar *familiar)
{
    for (size_t i = 0; i < familiar->exporter_count; i++)
        known_free(&familiar->known[i]);
    free(familiar->known);
}

void familiar_reload(struct familiar *familiar, const struct config *config,
    struct delivery *delivery, const struct delivery_change *change)
{
    size_t count = delivery_exporters(delivery);
    struct known *known = xcalloc(count, sizeof *known);
    for (size_t i = 0; i < count; i++) {
        size_t was = delivery_change_was(change, i);
        if (was >= familiar->exporter_count)
            continue;
        known[i] = familiar->known[was];
        familiar->known[was] = (struct known){0};
    }
    free_known(familiar);
    recall_close(familiar->recall);
    familiar->recall = NULL;
    familiar->unsettled = 0;
    familiar->known = known;
    familiar->exporter_count = count;
    familiar->setup.config = config;
    familiar->setup.delivery = delivery;
}

void familiar_close(struct familiar *familiar)
{
    if (!familiar)
        return;
    recall_close(familiar->recall);
    free_known(familiar);
    caught_free(familiar->caught);
    free(familiar->path);
    free(familiar->key);
    free(familiar);
}

/* What cannot be read leaves what was known before: it is somebody's mistake, for which nothing
 * else is to change. */
static void settled(void *arg, size_t exporter, const char *from, const char *text, size_t size)
{
    struct familiar *familiar = arg;
    struct known known = {0};
    struct error err;
    familiar->unsettled--;
    if (text && known_parse(text, size, &known, &err) < 0) {
        if (!familiar->broken)
            log_warn("%s in %s is passed over: %s", familiar->key, from, err.text);
        familiar->broken = true;
        known_free(&known);
        return;
    }
    if (known.count != familiar->known[exporter].count)
        log_info("%zu group%s of incidents %s marked as known in %s", known.count,
            known.count == 1 ? "" : "s", known.count == 1 ? "is" : "are", from);
    known_free(&familiar->known[exporter]);
    familiar->known[exporter] = known;
}

void familiar_update(struct familiar *familiar)
{
    int64_t now_ms = clock_mono_ms();
    bool first = !familiar->recall;
    if (!familiar->setup.delivery || familiar->unsettled ||
        (!first && now_ms - familiar->asked_ms < ask_again_ms))
        return;
    recall_close(familiar->recall);
    familiar->asked_ms = now_ms;
    familiar->unsettled = familiar->exporter_count;
    familiar->recall = recall_start(&(struct recall_setup){.loop = familiar->setup.loop,
        .delivery = familiar->setup.delivery,
        .key = familiar->key,
        .unread = "which groups of incidents are known is not found out",
        .quiet = true,
        .again = !first,
        .max_bytes = KNOWN_TEXT_MAX,
        .pause_ms = pause_ms,
        .longest_pause_ms = longest_pause_ms,
        .patience_ms = patience_ms,
        .settled = settled,
        .arg = familiar});
}

/* What is read of one incident, on the disk thread. */
struct reading {
    struct familiar *familiar;
    char *path;
    struct incident *incident; /* NULL: it could not be read */
};

static void read_incident(void *arg)
{
    struct reading *reading = arg;
    reading->incident = incident_read(reading->path, NULL);
}

static void file_written(void *arg, const struct error *err)
{
    struct familiar *familiar = arg;
    if (err && !familiar->failing)
        log_warn("after a restart, what is known is captured once more: %s", err->text);
    familiar->failing = err;
}

static void have_read(void *arg)
{
    struct reading *reading = arg;
    struct familiar *familiar = reading->familiar;
    const struct incident *incident = reading->incident;
    if (incident && !strcmp(incident->kind, "spike") && incident->app && incident->trigger.name) {
        caught_add(familiar->caught, incident->app, incident->trigger.name,
            incident->analysis.group, incident->fired_ms);
        state_file_write(familiar->setup.disk, familiar->path, caught_text(familiar->caught),
            file_written, familiar);
    }
    incident_free(reading->incident);
    free(reading->path);
    free(reading);
}

void familiar_note(struct familiar *familiar, const char *id)
{
    struct reading *reading = xcalloc(1, sizeof *reading);
    char *folder = spool_folder(familiar->setup.spool, id);
    reading->familiar = familiar;
    reading->path = xasprintf("%s/incident.json", folder);
    free(folder);
    offload_submit(familiar->setup.disk, read_incident, have_read, reading);
}

bool familiar_knows(const struct familiar *familiar, const char *group)
{
    for (size_t i = 0; i < familiar->exporter_count; i++)
        if (known_find(&familiar->known[i], group))
            return true;
    return false;
}

bool familiar_explains(
    const struct familiar *familiar, const struct detector_event *event, char why[CAUGHT_WHY_SIZE])
{
    const struct config *config = familiar->setup.config;
    const struct trigger_config *trigger = &config->triggers[event->trigger];
    const struct caught_fire fire = {.app = config->apps[trigger->app].name,
        .trigger = trigger->name,
        .metric = event->metric,
        .unit = event->unit,
        .value = event->value,
        .down = event->down,
        .wall_ms = event->time_ms + clock_wall_ms() - clock_mono_ms()};
    return caught_explains(familiar->caught, familiar->known, familiar->exporter_count, &fire, why);
}
