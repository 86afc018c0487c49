/* A delivery_rig.h with notices in it, and somebody who is told: for test_notices.c and
 * test_notices_change.c. */
#ifndef TESTS_NOTICES_RIG_H
#define TESTS_NOTICES_RIG_H

#include "agent/notices/notices.h"

#include "core/incident.h"
#include "exporters/webhook.h"

#include "delivery_rig.h"

#include <dirent.h>

static struct notices *notices;
static struct stub_server slack;
static struct webhook_options webhooks[2];
static bool knows;
static uint64_t wanted_count;

static const char fourth[] = "20261123T150404Z-cpu-high-000004";

static inline bool on_known(void *arg, const char *group)
{
    (void)arg;
    return knows && !strcmp(group, "0123456789abcdef");
}

static inline void spool_real(
    const struct world *world, const char *id, const char *kind, const char *group)
{
    char *name = xasprintf("state/spool/%s", id), *folder = in_world(world, name);
    char *path = xasprintf("%s/incident.json", folder);
    char *text = xasprintf(
        "{\"schema\": 1, \"id\": \"%s\", \"service\": \"woogles\", \"app\": \"api\", \"kind\": "
        "\"%s\", \"fired\": \"2026-11-23T15:04:01.000Z\", \"trigger\": {\"name\": \"cpu-high\", "
        "\"metric\": \"cpu\", \"value\": 93, \"reason\": \"cpu 93%%\"}, \"profiles\": [], "
        "\"headline\": \"CPU rose\", \"group\": \"%s\"}",
        id, kind, group);
    put_in_spool(world, id, "metrics.csv");
    assert_int_equal(fs_write(path, text, strlen(text), NULL), 0);
    free(text);
    free(path);
    free(folder);
    free(name);
}

static inline void add_webhook(struct world *world, size_t index, char *url)
{
    webhooks[index] = (struct webhook_options){.url = url, .format = WEBHOOK_JSON};
    world->exporters[world->config.exporter_count++] = (struct exporter_config){
        .kind = kind_index(&exporter_webhook), .options = &webhooks[index]};
}

static inline void open_all(struct world *world)
{
    struct error err;
    world->config.state = in_world(world, "state");
    open_world(world);
    notices = notices_open(&(struct notices_setup){.loop = world->loop,
                               .disk = world->disk,
                               .spool = world->spool,
                               .delivery = world->delivery,
                               .config = &world->config,
                               .known = on_known},
        &err);
    if (!notices)
        fail_msg("%s", err.text);
}

static inline void close_all(struct world *world)
{
    notices_stop(notices);
    close_world(world);
    notices_close(notices);
    free(world->config.state);
    world->config.state = NULL;
}

static inline struct notifier_status told_by(size_t index)
{
    struct notifier_status status;
    notices_status(notices, index, &status);
    return status;
}

static inline bool all_told(const struct world *world)
{
    return nothing_waits(world) && notices_are_over(notices);
}

static inline bool first_told(const struct world *world)
{
    (void)world;
    return told_by(0).told >= wanted_count;
}

static inline bool first_failed_to_tell(const struct world *world)
{
    return nothing_waits(world) && told_by(0).failures > 0;
}

/* Calls `each` with every file that waits. */
static inline void each_notice(const struct world *world, void (*each)(const char *path))
{
    struct dirent *entry, *inner;
    char *path = in_world(world, "state/notices");
    DIR *folders = opendir(path);
    while (folders && (entry = readdir(folders))) {
        char *folder = xasprintf("%s/%s", path, entry->d_name);
        DIR *files = strchr(entry->d_name, '.') ? NULL : opendir(folder);
        while (files && (inner = readdir(files))) {
            char *file = xasprintf("%s/%s", folder, inner->d_name);
            if (inner->d_name[0] != '.')
                each(file);
            free(file);
        }
        if (files)
            closedir(files);
        free(folder);
    }
    if (folders)
        closedir(folders);
    free(path);
}

static size_t found;

static inline void count_file(const char *path)
{
    (void)path;
    found++;
}

static inline size_t files_of_notices(const struct world *world)
{
    found = 0;
    each_notice(world, count_file);
    return found;
}

static inline json_t *message(size_t index)
{
    json_t *body = json_loads(slack.requests[index].body.data, 0, NULL);
    assert_non_null(body);
    return body;
}

static inline void assert_message(size_t index, const char *id, json_int_t more)
{
    json_t *body = message(index);
    assert_string_equal(json_string_value(json_object_get(body, "id")), id);
    assert_int_equal(json_integer_value(json_object_get(body, "more")), more);
    json_decref(body);
}

static const struct stub_answer fine[] = {{200, "ok", {NULL}}};

#endif
