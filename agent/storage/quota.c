#include "agent/storage/quota.h"

#include "agent/storage/delivery_withdraw.h"
#include "agent/storage/spool.h"
#include "config/config.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/fs.h"
#include "core/incident.h"
#include "core/log.h"
#include "core/offload.h"

#include <stdlib.h>
#include <string.h>

static const int64_t look_ms = 2000; /* between two looks at the disk */

struct quota {
    struct quota_setup setup;
    int64_t looked_ms; /* monotonic */
    bool looking;
    char *path;
    uint64_t limit_bytes;
    /* What the disk thread has found. */
    struct quota_item *items;
    size_t count;
};

/* In the order in which they go. */
static const char *const kinds[] = {"baseline", "follow_up"};
static const char *const words[] = {"baselines", "follow-ups"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static uint64_t threshold(uint64_t limit_bytes)
{
    return limit_bytes / 10 * 9;
}

void quota_choose(struct quota_item *items, size_t count, uint64_t used_bytes, uint64_t limit_bytes)
{
    for (size_t i = 0; i < count; i++)
        items[i].goes = false;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < count && used_bytes > threshold(limit_bytes); i++) {
            if (!incident_id_is_of(items[i].id, kinds[kind]))
                continue;
            items[i].goes = true;
            used_bytes -= items[i].bytes < used_bytes ? items[i].bytes : used_bytes;
        }
}

static void forget(struct quota *quota)
{
    for (size_t i = 0; i < quota->count; i++)
        free(quota->items[i].id);
    free(quota->items);
    quota->items = NULL;
    quota->count = 0;
}

static int collect(void *arg, const char *name)
{
    struct quota *quota = arg;
    if (!incident_id_valid(name))
        return 0;
    char *folder = xasprintf("%s/%s", quota->path, name);
    quota->items = xrealloc(quota->items, quota->count + 1, sizeof *quota->items);
    quota->items[quota->count++] = (struct quota_item){
        .id = xstrdup(name), .bytes = fs_size(folder)};
    free(folder);
    return 0;
}

/* Ids begin with their time. */
static int by_time(const void *left, const void *right)
{
    return strcmp(((const struct quota_item *)left)->id, ((const struct quota_item *)right)->id);
}

static void work_look(void *arg)
{
    struct quota *quota = arg;
    fs_each(quota->path, collect, quota, NULL);
    if (quota->count)
        qsort(quota->items, quota->count, sizeof *quota->items, by_time);
}

static const char *word_of(const char *id)
{
    size_t kind = 0;
    while (kind + 1 < KINDS && !incident_id_is_of(id, kinds[kind]))
        kind++;
    return words[kind];
}

static void looked(void *arg)
{
    struct quota *quota = arg;
    const struct quota_setup *setup = &quota->setup;
    quota->looking = false;
    if (setup->delivery)
        quota_choose(quota->items, quota->count, spool_bytes(setup->spool), quota->limit_bytes);
    for (size_t i = 0; i < quota->count; i++) {
        const char *id = quota->items[i].id;
        if (!quota->items[i].goes || !delivery_drop(setup->delivery, id))
            continue;
        log_warn("incident %s is removed before every exporter has it: the spool is nearly full "
                 "(limits.spool), and %s go first",
            id, word_of(id));
        spool_remove(setup->spool, id);
    }
    forget(quota);
}

void quota_look(struct quota *quota)
{
    const struct quota_setup *setup = &quota->setup;
    bool crowded = spool_bytes(setup->spool) > threshold(quota->limit_bytes);
    int64_t now_ms = clock_mono_ms();
    if (!crowded || quota->looking || now_ms - quota->looked_ms < look_ms)
        return;
    quota->looked_ms = now_ms;
    quota->looking = true;
    offload_submit(setup->disk, work_look, looked, quota);
}

void quota_reload(struct quota *quota, const struct config *config)
{
    quota->limit_bytes = (uint64_t)config->limits.spool_bytes;
}

struct quota *quota_open(const struct quota_setup *setup, const struct config *config)
{
    struct quota *quota = xcalloc(1, sizeof *quota);
    quota->setup = *setup;
    quota->path = xasprintf("%s/spool", config->state);
    quota_reload(quota, config);
    quota->looked_ms = INT64_MIN / 2;
    return quota;
}

void quota_stop(struct quota *quota)
{
    if (!quota)
        return;
    quota->setup.delivery = NULL;
}

void quota_close(struct quota *quota)
{
    if (!quota)
        return;
    forget(quota);
    free(quota->path);
    free(quota);
}
