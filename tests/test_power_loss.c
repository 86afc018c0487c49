/* The power fails after each operation on the disk in turn, in every part of an incident's way from
 * the fire to the exporters: whatever of what was not synced is lost then, the next start delivers
 * what was said to be there, and marks or removes the rest. */
#include "agent/capture/cpu_merge.h"
#include "agent/capture/profile_check.h"
#include "agent/kinds.h"
#include "agent/storage/delivery.h"
#include "disk_log.h"
#include "disk_model.h"
#include "exporters/directory.h"
#include "recording_rig.h"

#include <limits.h>

static const char *const stores[] = {"one", "two"};
enum { STORES = 2 };

/* The exporters of a world, and what was given to them. */
struct outlets {
    struct exporter_config exporters[STORES];
    struct directory_exporter_options folders[STORES];
    struct delivery *delivery;
};

static struct outlets outlets;

static char *in_root(const char *name)
{
    return xasprintf("%s/%s", disk_log.root, name);
}

static void open_outlets(struct config *config, const char *root)
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

static void open_delivery(
    struct loop *loop, struct offload *disk, struct spool *spool, const struct config *config)
{
    struct error err;
    outlets.delivery = delivery_open(loop, disk, spool, config, &err);
    if (!outlets.delivery || delivery_take_up(outlets.delivery, NULL, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static void close_outlets(void)
{
    for (size_t i = 0; i < STORES; i++)
        free(outlets.folders[i].path);
    outlets = (struct outlets){.delivery = NULL};
}

static bool is_delivered(const struct world *world)
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
static void recover(struct config *config)
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

static void check_profile(const char *folder, const struct incident_profile *profile)
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

struct finding {
    struct incident *incident;
    size_t files; /* besides incident.json and metrics.csv */
};

static int count_file(void *arg, const char *name)
{
    struct finding *finding = arg;
    if (name[0] == '.')
        fail_msg("%s was left behind", name);
    finding->files += strcmp(name, "incident.json") != 0 && strcmp(name, "metrics.csv") != 0;
    return 0;
}

/* An incident that a reader would show: how many profiles it has. `listed`: there are no other
 * files, either. */
static size_t check_incident(const char *folder, bool listed)
{
    struct error err;
    struct buf text;
    struct finding finding = {0};
    char *json = xasprintf("%s/incident.json", folder), *csv = xasprintf("%s/metrics.csv", folder);
    size_t kept = 0;
    if (fs_read(json, 1 << 20, &text, &err) < 0)
        fail_msg("%s", err.text);
    finding.incident = incident_from_text(text.data, text.size, &err);
    if (!finding.incident)
        fail_msg("%s: %s", json, err.text);
    for (size_t i = 0; i < finding.incident->profile_count; i++) {
        check_profile(folder, &finding.incident->profiles[i]);
        kept += finding.incident->profiles[i].file != NULL;
    }
    assert_true(fs_exists(csv));
    if (listed) {
        assert_int_equal(fs_each(folder, count_file, &finding, &err), 0);
        assert_int_equal(finding.files, kept);
    }
    incident_free(finding.incident);
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

static int look_at_incident(void *arg, const char *id)
{
    struct shop *shop = arg;
    char *folder = xasprintf("%s/%s", shop->path, id);
    char *json = xasprintf("%s/incident.json", folder);
    assert_true(incident_id_valid(id));
    if (shop->settled || fs_exists(json)) {
        snprintf(shop->ids[shop->count], sizeof shop->ids[0], "%s", id);
        shop->kept[shop->count++] = check_incident(folder, shop->settled);
    }
    free(folder);
    free(json);
    return 0;
}

static int look_at_date(void *arg, const char *date)
{
    struct shop *shop = arg;
    char *path = shop->path;
    shop->path = xasprintf("%s/%s", path, date);
    fs_each(shop->path, look_at_incident, shop, NULL);
    free(shop->path);
    shop->path = path;
    return 0;
}

static void look_at_store(struct shop *shop, const struct config *config, size_t store)
{
    shop->path = xasprintf("%s/%s/service=%s", disk_log.root, stores[store], config->service);
    fs_each(shop->path, look_at_date, shop, NULL);
    free(shop->path);
}

static int refuse_name(void *arg, const char *name)
{
    (void)arg;
    fail_msg("%s is left in the spool", name);
    return 0;
}

/* What is there right after the crash, and after the next start. */
static void check_crash(struct config *config, const struct promise *promise)
{
    char *spool = in_root("spool");
    for (size_t i = 0; i < STORES; i++)
        look_at_store(&(struct shop){.settled = false}, config, i);
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

/* From these lines on it may not be lost any more. */
static void listen_to(struct promise *promise, const struct operation *operation)
{
    static const char *const words[] = {" finished", " from an earlier run"};
    const char *at = strstr(operation->data, "msg=\"incident ");
    if (!at)
        return;
    at += strlen("msg=\"incident ");
    size_t length = strcspn(at, " ");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strncmp(at + length, words[i], strlen(words[i])) != 0)
            continue;
        snprintf(promise->id, sizeof promise->id, "%.*s", (int)length, at);
        promise->said = true;
    }
}

static const char *const loss_names[] = {
    "names lost", "content lost", "content halved", "nothing lost", "a later part lost"};
static char *crash; /* the one that is being looked at */
static size_t crashes;
enum { LATER_LOST = NOTHING_LOST + 1, LOSSES };

/* Whether this operation changes what such a crash leaves. */
static bool matters(const struct operation *operation, int loss)
{
    if (operation->type == OPENED && !operation->creates && !operation->truncates)
        return false;
    if (operation->type == SAID)
        return strstr(operation->data, "msg=\"incident") != NULL;
    if (loss == NAMES_LOST)
        return operation->type == SYNCED;
    return loss != NOTHING_LOST || operation->type != SYNCED;
}

/* A disk of which only a beginning of the names is there, as with a journal that is written now and
 * then: a sync of anything writes all of it up to there. */
static void follow(struct disk *behind, size_t at, unsigned *random)
{
    size_t least = behind->at;
    for (size_t i = behind->at; i < at; i++)
        if (disk_log.all[i].type == SYNCED)
            least = i + 1;
    *random = *random * 1664525 + 1013904223; /* any generator is good enough */
    size_t until = least + *random % 65536 * (at - least + 1) / 65536;
    while (behind->at < until)
        disk_apply(behind, &disk_log.all[behind->at]);
}

/* Every crash of what was recorded, from one operation on. `kept`: profiles that the incident must
 * have once it is promised. Returns whether it ever was. */
static bool crash_everywhere(struct config *config, size_t from, size_t kept)
{
    struct disk disk, behind;
    unsigned random = (unsigned)from;
    struct promise promise = {.kept = kept};
    disk_open(&disk);
    disk_open(&behind);
    while (disk.at < disk_log.count) {
        const struct operation *operation = &disk_log.all[disk.at];
        disk_apply(&disk, operation);
        if (operation->type == SAID)
            listen_to(&promise, operation);
        if (disk.at <= from)
            continue;
        follow(&behind, disk.at, &random);
        for (int loss = 0; loss < LOSSES; loss++) {
            if (!matters(operation, loss))
                continue;
            fs_remove(disk_log.root, NULL);
            if (loss == LATER_LOST)
                disk_write(behind.root, disk_log.root, CONTENT_HALVED);
            else
                disk_write(disk.root, disk_log.root, (enum loss)loss);
            crash = xasprintf("operation %zu (%d %s), %s", disk.at, operation->type,
                operation->path ? operation->path : "", loss_names[loss]);
            check_crash(config, &promise);
            free(crash);
            crash = NULL;
            crashes++;
        }
    }
    disk_close(&disk);
    disk_close(&behind);
    return promise.said;
}

/* The agent is killed after one operation, which loses nothing yet; then the power fails after each
 * operation of the next start. */
static void kill_and_crash(struct config *config, size_t at)
{
    struct disk disk;
    struct shop shop = {.settled = true};
    disk_log_cut(at);
    disk_open(&disk);
    while (disk.at < at)
        disk_apply(&disk, &disk_log.all[disk.at]);
    fs_remove(disk_log.root, NULL);
    disk_write(disk.root, disk_log.root, NOTHING_LOST);
    disk_close(&disk);
    log_setup(LOG_INFO, LOG_LOGFMT);
    disk_log_go_on();
    recover(config);
    disk_log_end();
    log_setup(LOG_ERROR, LOG_LOGFMT);
    look_at_store(&shop, config, 0);
    crash_everywhere(config, at, shop.count ? shop.kept[0] : 0);
}

/* Every crash of what was recorded, and then some of two in a row, from the end on: what comes
 * after a kill is not recorded twice. */
static void lose_power(struct config *config, size_t kept)
{
    enum { KILLS = 4 };
    size_t begin = disk_log.begin, step = (disk_log.count - begin) / KILLS;
    crashes = 0;
    assert_true(crash_everywhere(config, begin, kept));
    print_message("%zu operations, %zu crashes\n", disk_log.count - begin, crashes);
    for (size_t at = disk_log.count; at > begin + step; at -= step)
        kill_and_crash(config, at - step / 2);
    print_message("with %d kills before: %zu crashes\n", KILLS, crashes);
}

static void write_merged(void *arg)
{
    assert_int_equal(fs_write(arg, stub_profile, sizeof stub_profile, NULL), 0);
}

/* What a merging child writes comes as the child writes it: whole and synced. */
static void be_the_child(const struct world *world)
{
    const struct rest *rest = world->more;
    char *asked = xasprintf("%s.asked", world->state);
    if (unlink(asked) == 0)
        offload_submit(world->disk, write_merged, free,
            xasprintf("%s/spool/.%s/.cpu.merged", world->state, incidents_last(rest->incidents)));
    free(asked);
}

static bool is_complete_with_child(const struct world *world)
{
    be_the_child(world);
    return is_complete(world);
}

static bool is_disk_idle(const struct world *world)
{
    return is_delivered(world) && is_folder_gone(world);
}

static int begin(void **state)
{
    if (set_up(state) < 0)
        return -1;
    struct world *world = *state;
    const struct rest *rest = world->more;
    char *script = xasprintf(
        ": > %s.asked\nwhile [ ! -e $out ]; do sleep 0.01; done", world->state);
    write_script(rest, script);
    free(script);
    open_outlets(&world->config, world->state);
    log_setup(LOG_INFO, LOG_LOGFMT);
    disk_log_begin(world->state);
    open_delivery(world->loop, world->disk, world->spool, &world->config);
    return 0;
}

/* Ends the recording; the world that is left is only its configuration. */
static void end(struct world *world)
{
    struct rest *rest = world->more;
    recorder_stop(world->recorder);
    wait_until(world, is_disk_idle);
    delivery_close(outlets.delivery);
    offload_close(world->disk);
    disk_log_end();
    log_setup(LOG_ERROR, LOG_LOGFMT);
    worker_close(rest->worker);
    incidents_close(rest->incidents);
    recorder_close(world->recorder);
    spool_close(world->spool);
    world->disk = NULL;
}

static int finish(void **state)
{
    struct world *world = *state;
    struct rest *rest = world->more;
    if (crash)
        print_error("crash: %s\n", crash);
    free(crash);
    crash = NULL;
    free(disk_log.errors);
    disk_log.errors = NULL;
    disk_log.recording = false;
    disk_log_clear();
    series_set_free(&rest->series);
    incident_free(rest->incident);
    free(rest->folder);
    free(rest);
    loop_timer_free(world->look);
    loop_close(world->loop);
    profiler_stub_stop(&world->stub);
    fs_remove(world->state, NULL);
    free(world);
    close_outlets();
    return 0;
}

/* Syncs are for other threads: each may take long, and the loop has a tick to keep. */
static void check_no_sync_on_loop(void)
{
    for (size_t i = disk_log.begin; i < disk_log.count; i++)
        if (disk_log.all[i].type == SYNCED && disk_log.all[i].on_loop)
            fail_msg("operation %zu syncs on the loop", i);
}

static void deliver(struct world *world)
{
    const struct rest *rest = world->more;
    wait_until(world, is_complete_with_child);
    delivery_add(outlets.delivery, rest->incident->id);
    end(world);
    check_no_sync_on_loop();
}

static void a_capture_survives_every_loss_of_power(void **state)
{
    struct world *world = *state;
    fire(world, 10);
    deliver(world);
    lose_power(&world->config, 2);
}

static void slices_and_their_merge_survive_every_loss_of_power(void **state)
{
    struct world *world = *state;
    record(world);
    fire(world, 10);
    atomic_store(&world->stub.hold, 0);
    deliver(world);
    lose_power(&world->config, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_capture_survives_every_loss_of_power, begin, finish),
        cmocka_unit_test_setup_teardown(
            slices_and_their_merge_survive_every_loss_of_power, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
