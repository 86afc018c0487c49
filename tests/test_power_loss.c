/* The power fails after each operation on the disk in turn, in every part of an incident's way from
 * the fire to the exporters: whatever of what was not synced is lost then, the next start delivers
 * what was said to be there, and marks or removes the rest. After each operation it fails in one or
 * two of the ways that differ there, the same in every run, and after a kill only after some: all
 * of it takes minutes (STAKEOUT_POWER_LOSS=all). */
#include "disk_model.h"
#include "power_rig.h"

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

static const char *const loss_names[] = {"names lost", "content lost", "content halved",
    "nothing lost", "folders apart", "a later part lost"};
static char *crash; /* the one that is being looked at */
static size_t crashes;
enum { LATER_LOST = FOLDERS_APART + 1, LOSSES };
enum { SHARE = 6, AFTER_KILL_SHARE = 12 }; /* one of so many crashes is looked at */

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

/* Of the ways that a crash after this operation differs in: which are looked at? `share`: one of so
 * many, and where it is small at least one of each operation. */
static bool is_chosen(unsigned losses, unsigned nth, unsigned share)
{
    static unsigned always;
    if (getenv("STAKEOUT_POWER_LOSS"))
        return true;
    if (nth == 0)
        always = disk_random(losses);
    return (share <= LOSSES && nth == always) || disk_random(share) == 0;
}

static unsigned losses_of(const struct operation *operation)
{
    unsigned count = 0;
    for (int loss = 0; loss < LOSSES; loss++)
        count += matters(operation, loss);
    return count;
}

/* A disk of which only a beginning of the names is there, as with a journal that is written now and
 * then: a sync of anything writes all of it up to there. */
static void follow(struct disk *behind, size_t at)
{
    size_t least = behind->at;
    for (size_t i = behind->at; i < at; i++)
        if (disk_log.all[i].type == SYNCED)
            least = i + 1;
    size_t until = least + disk_random((unsigned)(at - least + 1));
    while (behind->at < until)
        disk_apply(behind, &disk_log.all[behind->at]);
}

/* Every crash of what was recorded, from one operation on. `kept`: profiles that the incident must
 * have once it is promised. `share`: as is_chosen. Returns whether it ever was. */
static bool crash_everywhere(struct config *config, size_t from, size_t kept, unsigned share)
{
    struct disk disk, behind;
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
        follow(&behind, disk.at);
        unsigned losses = losses_of(operation), nth = 0;
        for (int loss = 0; loss < LOSSES; loss++) {
            if (!matters(operation, loss) || !is_chosen(losses, nth++, share))
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
    crash_everywhere(config, at, shop.count ? shop.kept[0] : 0, AFTER_KILL_SHARE);
}

/* Every crash of what was recorded, and then some of two in a row: after each write of a profile,
 * which the loop does, and in between. From the end on: what comes after a kill is not recorded
 * twice. */
static void lose_power(struct config *config, size_t kept)
{
    size_t begin = disk_log.begin, third = (disk_log.count - begin) / 3 + 1, kills = 0;
    crashes = 0;
    assert_true(crash_everywhere(config, begin, kept, SHARE));
    print_message("%zu operations, %zu crashes\n", disk_log.count - begin, crashes);
    for (size_t at = disk_log.count - 1; at > begin; at--) {
        const struct operation *last = &disk_log.all[at - 1];
        if ((last->type != WRITTEN || !last->on_loop) && (at - begin) % third != 0)
            continue;
        kill_and_crash(config, at);
        kills++;
    }
    print_message("with %zu kills before: %zu crashes\n", kills, crashes);
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
    endpoint_free(world->endpoint);
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
