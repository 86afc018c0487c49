/* The next start of an agent on what a loss of power has left, and what must be there then: for
 * test_power_loss.c. */
#ifndef TESTS_POWER_RIG_H
#define TESTS_POWER_RIG_H

#include "agent/capture/profile_check.h"
#include "agent/kinds.h"
#include "agent/storage/delivery.h"
#include "disk_log.h"
#include "exporters/directory.h"
#include "recording_rig.h"

static const char *const stores[] = {"one", "two"};
enum { STORES = 2 };

/* The exporters of a world, and what was given to them. */
struct outlets {
    struct exporter_config exporters[STORES];
    struct directory_exporter_options folders[STORES];
    struct delivery *delivery;
};

static struct outlets outlets;

static inline char *in_root(const char *name)
{
    return xasprintf("%s/%s", disk_log.root, name);
}

static inline void open_outlets(struct config *config, const char *root)
{
    size_t kind = 0;
    while (exporter_kinds[kind] != &exporter_directory)
        kind++;
    for (size_t i = 0; i < STORES; i++) {
        outlets.folders[i].path = xasprintf("%s/%s", root, stores[i]);
        outlets.exporters[i] = (struct exporter_config){
            .kind = kind, .options = &outlets.folders[i]};
    }
    config->exporters = outlets.exporters;
    config->exporter_count = STORES;
}

static inline void open_delivery(
    struct loop *loop, struct offload *disk, struct spool *spool, const struct config *config)
{
    struct error err;
    outlets.delivery = delivery_open(loop, disk, spool, config, &err);
    if (!outlets.delivery || delivery_take_up(outlets.delivery, NULL, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void close_outlets(void)
{
    for (size_t i = 0; i < STORES; i++)
        free(outlets.folders[i].path);
    outlets = (struct outlets){.delivery = NULL};
}

static inline bool is_delivered(const struct world *world)
{
    (void)world;
    return delivery_waiting(outlets.delivery) == 0;
}

/* What is promised of an incident as of an operation: a log line says it. */
struct promise {
    char id[64];
    size_t kept; /* profiles that are ok or truncated, at least */
    bool said;
};

/* The next start on what a crash has left, until nothing waits any more. */
static inline void recover(struct config *config)
{
    struct error err;
    bool done = false;
    struct loop *loop = loop_open(&err);
    struct offload *disk = offload_open(loop, "disk", &err);
    struct spool *spool = spool_open(config, disk, &err);
    if (!spool)
        fail_msg("%s", err.text);
    open_delivery(loop, disk, spool, config);
    int64_t deadline_ms = clock_mono_ms() + 20000;
    while (!is_delivered(NULL) && !disk_log.errors)
        assert_true(
            !loop_run_until(loop, &done, clock_mono_ms() + 1) && clock_mono_ms() < deadline_ms);
    delivery_close(outlets.delivery);
    offload_close(disk);
    spool_close(spool);
    loop_close(loop);
}

static inline void check_profile(const char *folder, const struct incident_profile *profile)
{
    struct profile_facts facts;
    struct error err;
    if (profile->status == PROFILE_FAILED) {
        assert_null(profile->file);
        return;
    }
    assert_int_not_equal(profile->status, PROFILE_PENDING);
    assert_non_null(profile->file);
    char *path = xasprintf("%s/%s", folder, profile->file);
    if (profile_check_file(path, PROFILE_FORM_PPROF, &facts, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(facts.bytes, profile->bytes);
    assert_string_equal(facts.sha256, profile->sha256);
    assert_int_equal(facts.soundness == PROFILE_WHOLE, profile->status == PROFILE_OK);
    free(path);
}

struct folder_look {
    struct incident *incident;
    size_t files; /* besides incident.json and metrics.csv */
};

static inline int count_file(void *arg, const char *name)
{
    struct folder_look *look_in = arg;
    if (name[0] == '.')
        return 0;
    look_in->files += strcmp(name, "incident.json") != 0 && strcmp(name, "metrics.csv") != 0;
    return 0;
}

/* An incident that a reader would show: how many profiles it has. `listed`: there are no other
 * files, either. */
static inline size_t check_incident(const char *folder, bool listed)
{
    struct error err;
    struct buf text;
    struct folder_look look_in = {0};
    char *json = xasprintf("%s/incident.json", folder), *csv = xasprintf("%s/metrics.csv", folder);
    size_t kept = 0;
    if (fs_read(json, 1 << 20, &text, &err) < 0)
        fail_msg("%s", err.text);
    look_in.incident = incident_from_text(text.data, text.size, &err);
    if (!look_in.incident)
        fail_msg("%s: %s", json, err.text);
    for (size_t i = 0; i < look_in.incident->profile_count; i++) {
        check_profile(folder, &look_in.incident->profiles[i]);
        kept += look_in.incident->profiles[i].file != NULL;
    }
    assert_true(fs_exists(csv));
    if (listed) {
        assert_int_equal(fs_each(folder, count_file, &look_in, &err), 0);
        assert_int_equal(look_in.files, kept);
    }
    incident_free(look_in.incident);
    buf_free(&text);
    free(json);
    free(csv);
    return kept;
}

/* All of one store. */
struct shop {
    char *path;
    bool settled; /* after the next start: nothing is on its way */
    size_t kept[8], count;
    char ids[8][64];
};

static inline int refuse_hidden(void *arg, const char *name)
{
    if (name[0] == '.')
        fail_msg("%s is left in %s", name, (const char *)arg);
    return 0;
}

static inline int look_at_incident(void *arg, const char *id)
{
    struct shop *shop = arg;
    char *folder = xasprintf("%s/%s", shop->path, id);
    char *json = xasprintf("%s/incident.json", folder);
    assert_true(incident_id_valid(id));
    if (shop->settled || fs_exists(json)) {
        snprintf(shop->ids[shop->count], sizeof shop->ids[0], "%s", id);
        shop->kept[shop->count++] = check_incident(folder, shop->settled);
        if (shop->settled)
            fs_each(folder, refuse_hidden, folder, NULL);
    }
    free(folder);
    free(json);
    return 0;
}

static inline int look_at_date(void *arg, const char *date)
{
    struct shop *shop = arg;
    char *path = shop->path;
    shop->path = xasprintf("%s/%s", path, date);
    fs_each(shop->path, look_at_incident, shop, NULL);
    free(shop->path);
    shop->path = path;
    return 0;
}

static inline void look_at_store(struct shop *shop, const struct config *config, size_t store)
{
    shop->path = xasprintf("%s/%s/service=%s", disk_log.root, stores[store], config->service);
    fs_each(shop->path, look_at_date, shop, NULL);
    free(shop->path);
}

static inline int look_at_making(void *arg, const char *name)
{
    struct profile_facts facts;
    struct error err;
    char *path = xasprintf("%s/%s", (const char *)arg, name);
    if (name[0] != '.' && strstr(name, ".pb.gz") &&
        (profile_check_file(path, PROFILE_FORM_PPROF, &facts, &err) < 0 ||
            facts.soundness != PROFILE_WHOLE))
        fail_msg("%s is not whole", path);
    free(path);
    return 0;
}

/* Under its final name everything is whole, but for slices that no incident has asked for. */
static inline int look_at_spooled(void *arg, const char *name)
{
    char *folder = xasprintf("%s/%s", (const char *)arg, name);
    if (incident_id_valid(name))
        check_incident(folder, true);
    else if (incident_id_valid(name + 1))
        fs_each(folder, look_at_making, folder, NULL);
    free(folder);
    return 0;
}

static inline int refuse_name(void *arg, const char *name)
{
    (void)arg;
    fail_msg("%s is left in the spool", name);
    return 0;
}

/* What is there right after the crash, and after the next start. */
static inline void check_crash(struct config *config, const struct promise *promise)
{
    char *spool = in_root("spool");
    for (size_t i = 0; i < STORES; i++)
        look_at_store(&(struct shop){.settled = false}, config, i);
    fs_each(spool, look_at_spooled, spool, NULL);
    recover(config);
    if (disk_log.errors)
        fail_msg("%s", disk_log.errors);
    assert_int_equal(fs_each(spool, refuse_name, NULL, NULL), 0);
    for (size_t i = 0; i < STORES; i++) {
        struct shop shop = {.settled = true};
        look_at_store(&shop, config, i);
        assert_true(shop.count <= 1);
        if (!promise->said)
            continue;
        if (shop.count != 1 || shop.kept[0] < promise->kept)
            fail_msg("incident %s is lost: %zu of %zu profiles", promise->id,
                shop.count ? shop.kept[0] : 0, promise->kept);
        assert_string_equal(shop.ids[0], promise->id);
    }
    free(spool);
}

#endif
